//! The embedded connectors, and an operator's own.

use crate::samples::{TRACKER, changed};
use quaymaster_connectors::catalog::{Catalog, Entry};
use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::load::load;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let folders = std::fs::read_dir(folder).unwrap();
    let files = folders.map(|entry| entry.unwrap().path().join("connector.yaml"));
    files.filter(|file| file.is_file()).collect()
}

fn same(one: &Entry, other: &Entry) {
    assert_eq!(one.key, other.key);
    assert_eq!(one.title, other.title);
    assert_eq!(one.summary, other.summary);
    assert_eq!(one.categories, other.categories);
    assert_eq!(one.tested, other.tested);
    assert_eq!(one.version, other.version);
}

#[test]
fn every_embedded_definition_keeps_all_rules() {
    let catalog = Catalog::embedded();
    let mut lines = Vec::new();
    for file in files() {
        let shown = file.display().to_string();
        match load(&std::fs::read_to_string(&file).unwrap(), &shown) {
            Ok(definition) => {
                let folder = file.parent().unwrap().file_name().unwrap();
                assert_eq!(folder.to_str(), Some(definition.key.as_str()));
                let entry = catalog
                    .entries()
                    .iter()
                    .find(|one| one.key == definition.key);
                same(entry.unwrap(), &Entry::of(&definition));
                // As JSON it says the same.
                let json = serde_json::to_value(&definition).unwrap();
                let again: Definition = serde_json::from_value(json.clone()).unwrap();
                assert_eq!(serde_json::to_value(again).unwrap(), json);
                assert_eq!(catalog.get(&definition.key).unwrap().key, definition.key);
            }
            Err(problems) => lines.extend(problems.iter().map(ToString::to_string)),
        }
    }
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    assert_eq!(catalog.entries().len(), files().len());
    assert!(catalog.entries().is_sorted_by(|a, b| a.key < b.key));
    assert!(catalog.get("no_such_service").is_none());
}

/// What says whether there is more stands in the whole answer, beside or above the result.
#[test]
fn next_pages_of_graphql_are_looked_for_in_the_whole_answer() {
    let catalog = Catalog::embedded();
    for entry in catalog.entries() {
        let definition = catalog.get(&entry.key).unwrap();
        let modules = definition.modules.values();
        for (key, action) in modules.flat_map(|module| &module.actions) {
            let Some(pagination) = &action.pagination else {
                continue;
            };
            let places = [&pagination.next, &pagination.more, &pagination.total];
            for place in places.into_iter().flatten() {
                assert!(
                    definition.kind != Kind::Graphql || place.starts_with("/data/"),
                    "{}/{key}: {place}",
                    definition.key
                );
            }
        }
    }
}

#[test]
fn an_operators_file_stands_in_the_place_of_the_embedded_one() {
    let directory = tempfile::tempdir().unwrap();
    let own = changed("key: tracker", "key: github");
    std::fs::write(directory.path().join("ours.yaml"), own).unwrap();
    std::fs::create_dir(directory.path().join("tracker")).unwrap();
    std::fs::write(directory.path().join("tracker/connector.yaml"), TRACKER).unwrap();
    std::fs::write(directory.path().join("notes.txt"), "not a definition").unwrap();
    let before = Catalog::embedded().entries().len();
    let (catalog, problems) = Catalog::embedded().with_directory(directory.path());
    assert_eq!(problems, []);
    assert_eq!(catalog.entries().len(), before + 1);
    let github = catalog
        .entries()
        .iter()
        .find(|one| one.key == "github")
        .unwrap();
    assert_eq!(github.title, "Tracker");
    assert_eq!(catalog.get("github").unwrap().title, "Tracker");
    assert_eq!(catalog.get("tracker").unwrap().modules.len(), 3);
    assert_eq!(catalog.check(), []);
}

#[test]
fn a_broken_file_of_an_operator_is_told_and_hides_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("a.yaml", TRACKER);
    write("b.yaml", &changed("title: Tracker", "title: Again"));
    write("c.yaml", "key: [");
    write(
        "d.yaml",
        &TRACKER
            .replace("key: tracker", "key: broken")
            .replace("page, param: page", "cursor"),
    );
    let (catalog, problems) = Catalog::default().with_directory(directory.path());
    let keys: Vec<&str> = catalog
        .entries()
        .iter()
        .map(|one| one.key.as_str())
        .collect();
    assert_eq!(keys, ["broken", "tracker"]);
    assert_eq!(catalog.get("tracker").unwrap().title, "Tracker");
    assert!(catalog.get("broken").is_none());
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(
        shown[0].contains("b.yaml") && shown[0].contains("a.yaml too"),
        "{shown:?}"
    );
    assert!(shown[1].contains("c.yaml"), "{shown:?}");
    let found = catalog.check();
    assert!(
        found
            .iter()
            .all(|one| one.file.ends_with("d.yaml") && one.line > 1),
        "{found:?}"
    );
    assert!(!found.is_empty());
    let (_, problems) = Catalog::default().with_directory(&directory.path().join("missing"));
    assert_eq!(problems.len(), 1);
}

#[test]
fn what_was_checked_once_is_remembered_until_the_file_changes() {
    let directory = tempfile::tempdir().unwrap();
    let memory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a.yaml");
    std::fs::write(&file, TRACKER).unwrap();
    let remembered = || {
        let folders = std::fs::read_dir(memory.path()).unwrap().flatten();
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).unwrap());
        let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names
    };
    let checked = || {
        let (catalog, problems) = Catalog::default().with_directory(directory.path());
        assert_eq!(problems, []);
        let problems = catalog.check_once(memory.path());
        (catalog, problems)
    };
    let plain = {
        let (catalog, _) = Catalog::default().with_directory(directory.path());
        catalog.get("tracker").unwrap()
    };
    for _ in 0..2 {
        let (catalog, problems) = checked();
        assert_eq!(problems, []);
        assert_eq!(remembered().len(), 1);
        // The same from memory as from the file.
        let recalled = catalog.get("tracker").unwrap();
        let json = |one: &_| serde_json::to_value(one).unwrap();
        assert_eq!(json(&*recalled), json(&*plain));
    }
    let before = remembered();
    std::fs::write(&file, TRACKER.replace("page, param: page", "cursor")).unwrap();
    let (catalog, problems) = checked();
    assert!(!problems.is_empty());
    assert!(catalog.get("tracker").is_none());
    std::fs::write(&file, changed("title: Tracker", "title: Changed")).unwrap();
    let (catalog, problems) = checked();
    assert_eq!(problems, []);
    assert_eq!(catalog.get("tracker").unwrap().title, "Changed");
    assert_eq!(remembered().len(), 1, "the old one is forgotten");
    assert_ne!(remembered(), before);
    // What is remembered is not needed.
    for folder in std::fs::read_dir(memory.path()).unwrap().flatten() {
        std::fs::remove_dir_all(folder.path()).unwrap();
    }
    assert_eq!(catalog.get("tracker").unwrap().title, "Changed");
    let (catalog, _) = checked();
    for file in remembered() {
        for folder in std::fs::read_dir(memory.path()).unwrap().flatten() {
            std::fs::write(folder.path().join(&file), "{").unwrap();
        }
    }
    assert_eq!(catalog.get("tracker").unwrap().title, "Changed");
}

//! Every action of every connector builds the request that the service's documentation shows.

use quaymaster_connectors::examples;
use quaymaster_connectors::load;
use std::path::{Path, PathBuf};

fn catalog() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let mut folders: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.join("connector.yaml").exists())
        .collect();
    folders.sort();
    folders
}

#[test]
fn every_action_builds_the_documented_request() {
    let mut failures = Vec::new();
    for folder in catalog() {
        let read = |name: &str| {
            let file = folder.join(name);
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
        };
        let shown = folder.display().to_string();
        let definition = read("connector.yaml").map(|text| load::parse(&text, &shown));
        match (
            definition,
            read("requests.yaml").and_then(|text| examples::read(&text)),
        ) {
            (Ok(Ok(definition)), Ok(examples)) => {
                failures.extend(examples::failures(definition, &examples));
            }
            (Ok(Err(problems)), _) => failures.extend(problems.iter().map(ToString::to_string)),
            (Err(error), _) | (_, Err(error)) => failures.push(format!("{shown}: {error}")),
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

//! A definition of the catalog says `tested: live` exactly when a test at the door names it in a
//! comment: `live: powerdns`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use super::Findings;
use crate::workspace::Workspace;

const TESTS: &str = "tests/it";
const WORD: &str = "// live:";

pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    let mut live = BTreeSet::new();
    for path in workspace.files()? {
        if let Some(key) = key(&path) {
            if says_live(&workspace.text(&path)?) {
                live.insert(key.to_owned());
            }
        } else if path.starts_with(TESTS) && path.extension().is_some_and(|one| one == "rs") {
            for (index, line) in workspace.text(&path)?.lines().enumerate() {
                for key in names(line) {
                    let at = format!("{}:{}", path.display(), index + 1);
                    named.insert(key.to_owned(), at);
                }
            }
        }
    }
    let mut faults = Vec::new();
    for key in live.iter().filter(|key| !named.contains_key(*key)) {
        faults.push(format!(
            "catalog/{key} says that it is tested live, and no test in {TESTS} has `{WORD} {key}`"
        ));
    }
    for (key, at) in named.iter().filter(|(key, _)| !live.contains(*key)) {
        faults.push(format!("{at}: catalog/{key} does not say `tested: live`"));
    }
    Ok(Findings::new(format!("{} connectors", live.len()), faults))
}

/// The key of a definition of the catalog.
fn key(path: &Path) -> Option<&str> {
    let folder = path.parent()?;
    let is_definition = path.file_name()? == "connector.yaml" && folder.parent()? == "catalog";
    is_definition
        .then(|| folder.file_name()?.to_str())
        .flatten()
}

fn says_live(definition: &str) -> bool {
    definition
        .lines()
        .filter_map(|line| line.strip_prefix("tested:"))
        .any(|word| {
            word.split('#')
                .next()
                .is_some_and(|word| word.trim() == "live")
        })
}

fn names(line: &str) -> impl Iterator<Item = &str> {
    let list = line.trim_start().strip_prefix(WORD);
    let names = list.into_iter().flat_map(|list| list.split(','));
    names.map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_the_files_of_the_catalog() {
        assert_eq!(
            key(Path::new("catalog/kinto/connector.yaml")),
            Some("kinto")
        );
        assert_eq!(key(Path::new("catalog/kinto/requests.yaml")), None);
        assert_eq!(key(Path::new("docs/kinto/connector.yaml")), None);
    }

    #[test]
    fn only_the_word_itself_says_live() {
        assert!(says_live("key: a\ntested: live\n"));
        assert!(says_live("tested: live # since then\n"));
        assert!(!says_live("tested: schema\nnote: live\n"));
        assert!(!says_live("  tested: live\n"));
    }

    #[test]
    fn a_comment_names_one_or_several() {
        assert_eq!(names("    // live: a, b").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(names("let live = 1;").count(), 0);
    }
}

//! tests/promises.md and the tests agree: each due promise is named by a test, each name exists,
//! and no test is ignored.
//!
//! A test names promises in a comment: `promise: S1.12`, `promise: S1.12, S1.13` or
//! `promise: S1.45-S1.63`, all on one line, with any words behind it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::Findings;
use crate::workspace::Workspace;

const TABLE: &str = "tests/promises.md";
const WORD: &str = "promise:";
// In two pieces each, so that this file does not find itself.
const IGNORE: &str = concat!("#[", "ignore");
const PERHAPS: (&str, &str) = (concat!("cfg_", "attr("), ",ignore");

/// `S1.12`: group and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Id(u16, u16);

impl fmt::Display for Id {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "S{}.{}", self.0, self.1)
    }
}

pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let promised = table(&workspace.text(TABLE)?)?;
    let mut named = BTreeSet::new();
    let mut faults = Vec::new();
    for path in workspace.files()? {
        let rust = path.extension().is_some_and(|extension| extension == "rs");
        let tells = names_promises(&path);
        if !rust && !tells {
            continue;
        }
        let bytes = std::fs::read(workspace.root.join(&path))?;
        for (index, line) in String::from_utf8_lossy(&bytes).lines().enumerate() {
            let at = format!("{}:{}", path.display(), index + 1);
            if rust && ignores(line) {
                faults.push(format!("{at}: a test is ignored"));
            }
            if !tells {
                continue;
            }
            match ids(line) {
                Ok(ids) => {
                    for id in ids {
                        if !promised.contains_key(&id) {
                            faults.push(format!("{at}: {id} is not in {TABLE}"));
                        }
                        named.insert(id);
                    }
                }
                Err(error) => faults.push(format!("{at}: {error}")),
            }
        }
    }
    let due: BTreeSet<Id> = promised
        .iter()
        .filter(|(_, due)| **due)
        .map(|(id, _)| *id)
        .collect();
    for id in due.difference(&named) {
        faults.push(format!("{id} is due and no test names it"));
    }
    let seen = format!(
        "{} due of {}, {} named",
        due.len(),
        promised.len(),
        named.len()
    );
    Ok(Findings::new(seen, faults))
}

fn names_promises(path: &Path) -> bool {
    path.starts_with("tests/clients")
        || path.starts_with("tests/it") && path.extension().is_some_and(|e| e == "rs")
}

/// Also in an attribute that only some configurations have.
fn ignores(line: &str) -> bool {
    let dense: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    dense.contains(IGNORE) || dense.contains(PERHAPS.0) && dense.contains(PERHAPS.1)
}

/// The rows of the table, each with whether it is due.
fn table(text: &str) -> Result<BTreeMap<Id, bool>> {
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| S")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, promise, due] = cells[..] else {
            bail!("{TABLE}: not three cells: {line}")
        };
        let id = parse(id).with_context(|| format!("{TABLE}: not an id: {id}"))?;
        let due = match due {
            "yes" => true,
            "" => false,
            other => bail!("{TABLE}, {id}: due is \"yes\" or nothing, not \"{other}\""),
        };
        if promise.is_empty() {
            bail!("{TABLE}, {id}: an empty promise");
        }
        if rows.insert(id, due).is_some() {
            bail!("{TABLE}: {id} stands there twice");
        }
    }
    if rows.is_empty() {
        bail!("{TABLE} has no rows");
    }
    Ok(rows)
}

fn parse(word: &str) -> Option<Id> {
    let (group, number) = word.strip_prefix('S')?.split_once('.')?;
    Some(Id(group.parse().ok()?, number.parse().ok()?))
}

/// The ids that the comment on a line names; none where it names no promises.
fn ids(line: &str) -> Result<Vec<Id>> {
    let Some(comment) = comment(line) else {
        return Ok(Vec::new());
    };
    let Some((_, list)) = comment.split_once(WORD) else {
        return Ok(Vec::new());
    };
    let mut ids = Vec::new();
    let mut rest = list.trim_start();
    loop {
        let end = rest.find([',', ' ', ';', '*', ')']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        range(word.trim_end_matches(['.', ':']), &mut ids)?;
        // A comma goes on with the list, anything else ends it.
        match after.trim_start().strip_prefix(',') {
            Some(next) => rest = next.trim_start(),
            None => return Ok(ids),
        }
    }
}

fn range(word: &str, ids: &mut Vec<Id>) -> Result<()> {
    let (first, last) = word.split_once(['-', '–']).unwrap_or((word, word));
    let (Some(first), Some(last)) = (parse(first), parse(last)) else {
        bail!("not the id of a promise: \"{word}\"");
    };
    if first.0 != last.0 || first.1 > last.1 {
        bail!("not a range of promises: \"{word}\"");
    }
    ids.extend((first.1..=last.1).map(|number| Id(first.0, number)));
    Ok(())
}

/// What stands behind the first mark of a comment, in Rust, JavaScript, Python, shell and YAML.
fn comment(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    if let Some(rest) = trimmed.strip_prefix("* ") {
        return Some(rest);
    }
    let start = ["//", "/*", "#", "<!--"]
        .iter()
        .filter_map(|mark| line.find(mark))
        .min()?;
    Some(&line[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str) -> Vec<String> {
        ids(line).unwrap().iter().map(Id::to_string).collect()
    }

    #[test]
    fn one_id_a_list_and_a_range_are_read() {
        assert_eq!(named("    // promise: S1.12"), ["S1.12"]);
        assert_eq!(
            named("/// promise: S1.12, S0.3 (both eras)"),
            ["S1.12", "S0.3"]
        );
        assert_eq!(
            named("# promise: S1.45-S1.47, S4.1."),
            ["S1.45", "S1.46", "S1.47", "S4.1"]
        );
        assert_eq!(
            named("call(); // promise: S2.1–S2.2; see the page"),
            ["S2.1", "S2.2"]
        );
        assert_eq!(named(" * promise: S3.9 */"), ["S3.9"]);
    }

    #[test]
    fn code_and_other_comments_name_nothing() {
        assert!(named("let x = { promise: S1 };").is_empty());
        assert!(named("// a promise, kept").is_empty());
    }

    #[test]
    fn malformed_ids_and_ranges_are_faults() {
        for line in [
            "// promise:",
            "// promise: S1.1,",
            "// promise: 1.12",
            "// promise: S1.x",
            "// promise: S1.9-S1.3",
            "// promise: S1.9-S2.12",
            "// promise: S1.1-",
        ] {
            assert!(ids(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_table_says_what_is_due() {
        let rows = table(
            "# x\n| id | promise | due |\n|---|---|---|\n| S0.1 | A | yes |\n| S0.2 | B | |\n",
        )
        .unwrap();
        assert_eq!(rows, BTreeMap::from([(Id(0, 1), true), (Id(0, 2), false)]));
    }

    #[test]
    fn a_broken_table_is_a_fault() {
        for text in [
            "",
            "| S0.1 | A |",
            "| S0.1 | A | no |",
            "| S0.x | A | |",
            "| S0.1 | | |",
            "| S0.1 | A | |\n| S0.1 | B | |",
        ] {
            assert!(table(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ignored_tests_are_seen_in_every_spelling() {
        assert!(ignores(concat!("    #[", "ignore]")));
        assert!(ignores(concat!("#[", "ignore = \"slow\"]")));
        assert!(ignores(concat!("#[cfg_attr(not(unix), ", "ignore)]")));
        assert!(!ignores("#[test] // ignore the rest"));
    }
}

//! Crates of the workspace depend on each other only as ARCHITECTURE.md allows.
//!
//! The format read here is a Markdown table anywhere below the heading `## Allowed edges` (and
//! before the next heading of that level):
//!
//! ```text
//! | crate   | may depend on              |
//! |---------|----------------------------|
//! | `core`  |                            |
//! | `app`   | `core`, `store`, `files`   |
//! ```
//!
//! Names stand in backticks and without the `quaymaster-` in front; words outside of backticks
//! are ignored. Each crate has one row. What `tests` and `xtask` use as dev-dependencies is free,
//! and they need a row only for other dependencies.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};

use super::Findings;
use crate::workspace::{Kind, Workspace};

const FILE: &str = "ARCHITECTURE.md";
const HEADING: &str = "## Allowed edges";
const FREE: [&str; 2] = ["tests", "xtask"];

type Edges = BTreeMap<String, BTreeSet<String>>;

pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let allowed = table(&workspace.text(FILE)?)?;
    let used = used(workspace);
    let count: usize = used.values().map(BTreeSet::len).sum();
    Ok(Findings::new(
        format!("{} crates, {count} edges", used.len()),
        compare(&used, &allowed),
    ))
}

fn short(name: &str) -> &str {
    name.strip_prefix("quaymaster-").unwrap_or(name)
}

fn used(workspace: &Workspace) -> Edges {
    let members: BTreeSet<&str> = workspace.packages.iter().map(|p| short(&p.name)).collect();
    let mut edges = Edges::new();
    for package in &workspace.packages {
        let from = short(&package.name);
        let to = edges.entry(from.to_owned()).or_default();
        for dependency in &package.dependencies {
            let free = FREE.contains(&from) && dependency.kind == Some(Kind::Dev);
            let name = short(&dependency.name);
            if members.contains(name) && name != from && !free {
                to.insert(name.to_owned());
            }
        }
    }
    edges
}

fn table(text: &str) -> Result<Edges> {
    let mut lines = text.lines();
    if !lines.any(|line| line.trim_end() == HEADING) {
        bail!("{FILE} has no heading \"{HEADING}\"");
    }
    let mut edges = Edges::new();
    for line in lines.take_while(|line| !line.starts_with("## ")) {
        let Some(row) = line.trim().strip_prefix('|') else {
            continue;
        };
        let mut cells = row.trim_end_matches('|').split('|');
        let (first, second) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
        // Neither the head of the table nor the line below it has backticks.
        let [name] = backticked(first)[..] else {
            continue;
        };
        let to = backticked(second).into_iter().map(str::to_owned).collect();
        if edges.insert(name.to_owned(), to).is_some() {
            bail!("{FILE} has two rows for `{name}`");
        }
    }
    if edges.is_empty() {
        bail!("{FILE} has no table below \"{HEADING}\"");
    }
    Ok(edges)
}

fn backticked(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).map(str::trim).collect()
}

fn compare(used: &Edges, allowed: &Edges) -> Vec<String> {
    let mut faults = Vec::new();
    let nothing = BTreeSet::new();
    for (from, to) in used {
        let row = allowed.get(from);
        if row.is_none() && !(FREE.contains(&from.as_str()) && to.is_empty()) {
            faults.push(format!("{FILE} has no row for `{from}`"));
        }
        for name in to.difference(row.unwrap_or(&nothing)) {
            faults.push(format!(
                "`{from}` depends on `{name}`, which {FILE} does not allow"
            ));
        }
    }
    for (from, to) in allowed {
        for name in std::iter::once(from)
            .chain(to)
            .filter(|name| !used.contains_key(*name))
        {
            faults.push(format!(
                "{FILE}, row `{from}`: `{name}` is not a crate of the workspace"
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(rows: &[(&str, &[&str])]) -> Edges {
        rows.iter()
            .map(|(from, to)| {
                (
                    (*from).to_owned(),
                    to.iter().map(|s| (*s).to_owned()).collect(),
                )
            })
            .collect()
    }

    const TEXT: &str = "\
| `elsewhere` | `core` |

## Allowed edges

Arrows point down.

| crate | may depend on |
|---|---|
| `core` | nothing |
| `app` | `core`, `store` (for SQL) |

## Next

| `other` | `core` |
";

    #[test]
    fn the_table_below_the_heading_is_read() {
        assert_eq!(
            table(TEXT).unwrap(),
            edges(&[("core", &[]), ("app", &["core", "store"])])
        );
    }

    #[test]
    fn a_page_without_heading_or_table_is_a_fault() {
        assert!(table("| `core` | |").is_err());
        assert!(table("## Allowed edges\n\n## Next\n| `core` | |").is_err());
    }

    #[test]
    fn two_rows_for_one_crate_are_a_fault() {
        assert!(table("## Allowed edges\n| `a` | |\n| `a` | `b` |").is_err());
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_a_fault() {
        let used = edges(&[("core", &["store"]), ("store", &[])]);
        let faults = compare(&used, &edges(&[("core", &[]), ("store", &["core"])]));
        assert_eq!(
            faults,
            ["`core` depends on `store`, which ARCHITECTURE.md does not allow"]
        );
    }

    #[test]
    fn a_missing_row_and_an_unknown_name_are_faults() {
        let used = edges(&[("core", &[]), ("store", &[]), ("xtask", &[])]);
        let faults = compare(&used, &edges(&[("core", &["egress"])]));
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("no row for `store`"));
        assert!(faults[1].contains("`egress` is not a crate"));
    }
}

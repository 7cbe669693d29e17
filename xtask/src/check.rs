//! Rules about the repository that neither the compiler nor clippy knows. Each prints one line
//! when it holds, and its faults otherwise; all are run, so that one run shows everything.

use std::process::ExitCode;

use anyhow::Result;

use crate::workspace::Workspace;

mod edges;
mod lengths;
mod licences;
mod links;
mod live;
mod promises;
mod sdk;
mod spdx;
mod words;

/// What a check found: what it looked at, in a few words, and the faults.
pub(crate) struct Findings {
    seen: String,
    faults: Vec<String>,
}

impl Findings {
    fn new(seen: impl Into<String>, faults: Vec<String>) -> Self {
        Self {
            seen: seen.into(),
            faults,
        }
    }
}

type Check = fn(&Workspace) -> Result<Findings>;

const CHECKS: [(&str, Check); 8] = [
    ("edges", edges::check),
    ("lengths", lengths::check),
    ("promises", promises::check),
    ("live", live::check),
    ("words", words::check),
    ("licences", licences::check),
    ("links", links::check),
    ("sdk", sdk::check),
];

pub(crate) fn run() -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let mut faults = 0;
    for (name, check) in CHECKS {
        // A check that cannot even read its input is a fault like any other.
        let found =
            check(&workspace).unwrap_or_else(|error| Findings::new("", vec![format!("{error:#}")]));
        if found.faults.is_empty() {
            println!("ok  {name:<9} {}", found.seen);
        } else {
            println!("bad {name:<9} {} faults", found.faults.len());
            for fault in &found.faults {
                println!("    {fault}");
            }
        }
        faults += found.faults.len();
    }
    if faults == 0 {
        Ok(ExitCode::SUCCESS)
    } else {
        println!("{faults} faults");
        Ok(ExitCode::FAILURE)
    }
}

//! The parts of the SDKs that say what can be asked and what is answered, written from
//! docs/openapi.json: `cargo xtask sdk` writes them, `cargo xtask check` compares.
//!
//! - [`calls`]: which operations the clients have, and how they call them
//! - [`document`]: what of the document a client needs
//! - [`names`]: the same name in three spellings
//! - [`python`], [`typescript`]: the texts

mod calls;
mod document;
mod names;
mod python;
mod typescript;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};

use self::document::Document;
use crate::workspace::Workspace;

const DOCUMENT: &str = "docs/openapi.json";
/// Stands in every file that is written here.
const NOTE: &str =
    "Written by `cargo xtask sdk` from docs/openapi.json; not to be changed by hand.";

/// A longer line of code is broken.
const WIDTH: usize = 100;

/// Writes the files anew.
pub(crate) fn run() -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    for (path, text) in files(&read(&workspace)?)? {
        fs::write(workspace.root.join(path), text)
            .with_context(|| format!("cannot write {path}"))?;
        println!("wrote {path}");
    }
    Ok(ExitCode::SUCCESS)
}

/// How many calls there are, and what does not hold.
pub(crate) fn faults(workspace: &Workspace) -> Result<(usize, Vec<String>)> {
    let document = read(workspace)?;
    let mut faults = calls::faults(&document);
    for (path, text) in files(&document)? {
        if workspace.text(path)? != text {
            faults.push(format!(
                "{path} does not say what {DOCUMENT} says; write it with: cargo xtask sdk"
            ));
        }
    }
    Ok((calls::count(), faults))
}

fn read(workspace: &Workspace) -> Result<Document> {
    Document::of(&workspace.text(DOCUMENT)?)
}

fn files(document: &Document) -> Result<[(&'static str, String); 4]> {
    let nouns = document.nouns()?;
    Ok([
        (
            "sdk/python/quaymaster/resources.py",
            python::resources(&nouns)?,
        ),
        (
            "sdk/python/quaymaster/types.py",
            python::types(document, &nouns)?,
        ),
        (
            "sdk/typescript/resources.js",
            typescript::resources(&nouns)?,
        ),
        (
            "sdk/typescript/types.d.ts",
            typescript::types(document, &nouns)?,
        ),
    ])
}

//! `connector`: what the authors of definitions need.

mod import;
mod test;

use crate::cli::ConnectorVerb;
use crate::output;
use quaymaster_connectors::import::Options;
use quaymaster_connectors::load::{Problem, load};
use quaymaster_connectors::published;
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

pub(crate) fn connector(verb: ConnectorVerb, as_json: bool) -> anyhow::Result<()> {
    match verb {
        ConnectorVerb::Check { files } => check(&files, as_json),
        ConnectorVerb::Schema => {
            output::print(as_json, &published::schema(), &published::text());
            Ok(())
        }
        ConnectorVerb::Import {
            file,
            key,
            title,
            base_url,
            only,
            out,
            report,
        } => {
            let options = Options {
                key,
                title,
                base_url,
                only,
                ..Options::default()
            };
            import::import(&file, options, out.as_deref(), report.as_deref(), as_json)
        }
        ConnectorVerb::Test { files } => test::test(&files, as_json),
    }
}

fn check(files: &[PathBuf], as_json: bool) -> anyhow::Result<()> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut text = String::new();
    for file in files {
        let shown = file.display().to_string();
        match read(file, &shown).and_then(|yaml| load(&yaml, &shown)) {
            Ok(definition) => {
                let actions: usize = definition
                    .modules
                    .values()
                    .map(|module| module.actions.len())
                    .sum();
                let _ = writeln!(
                    text,
                    "{shown}: {} is fine: {} modules, {actions} actions.",
                    definition.key,
                    definition.modules.len()
                );
            }
            Err(found) => {
                for problem in &found {
                    let _ = writeln!(text, "{problem}");
                }
                problems.extend(found);
            }
        }
    }
    let value = json!({ "files": files.len(), "problems": problems });
    output::print(as_json, &value, &text);
    anyhow::ensure!(
        problems.is_empty(),
        output::Told("some definitions have problems")
    );
    Ok(())
}

/// A file that cannot be read is a problem like others, so that the rest is still looked at.
fn read(file: &Path, shown: &str) -> Result<String, Vec<Problem>> {
    std::fs::read_to_string(file).map_err(|error| {
        vec![Problem {
            file: shown.to_owned(),
            line: 1,
            column: 1,
            key: String::new(),
            message: format!("The file cannot be read: {error}."),
        }]
    })
}

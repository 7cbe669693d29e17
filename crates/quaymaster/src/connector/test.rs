//! `connector test`: whether a definition builds the requests of its documentation.

use crate::output;
use quaymaster_connectors::examples;
use quaymaster_connectors::load::load;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;

pub(crate) fn test(files: &[PathBuf], as_json: bool) -> anyhow::Result<()> {
    let mut failures: Vec<String> = Vec::new();
    let mut text = String::new();
    for file in files {
        let shown = file.display().to_string();
        let before = failures.len();
        let read = super::read(file, &shown).and_then(|yaml| load(&yaml, &shown));
        match read {
            Err(problems) => failures.extend(problems.iter().map(ToString::to_string)),
            Ok(definition) => {
                let beside = file.with_file_name("requests.yaml");
                let examples = std::fs::read_to_string(&beside)
                    .map_err(|error| error.to_string())
                    .and_then(|text| examples::read(&text));
                match examples {
                    Err(error) => failures.push(format!("{}: {error}", beside.display())),
                    Ok(examples) => {
                        let key = definition.key.clone();
                        failures.extend(examples::failures(definition, &examples));
                        if failures.len() == before {
                            let _ = writeln!(
                                text,
                                "{shown}: {key} builds all {} requests as documented.",
                                examples.len()
                            );
                        }
                    }
                }
            }
        }
        for failure in &failures[before..] {
            let _ = writeln!(text, "{failure}");
        }
    }
    output::print(
        as_json,
        &json!({ "files": files.len(), "failures": failures }),
        &text,
    );
    anyhow::ensure!(
        failures.is_empty(),
        output::Told("some requests are not as documented")
    );
    Ok(())
}

//! `flow apply`: a directory of flows and packs becomes what a workspace runs.
//!
//! Every file is checked by the server before the first one is saved, so that a mistake in the last
//! file does not leave half of them changed. Flows and packs that are not in the directory stay.

use super::packs;
use super::remote::Remote;
use crate::output::{self, Told};
use anyhow::Context as _;
use quaymaster_flows::load::{Document, Text, document};
use quaymaster_flows::pack::VariableType;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const LARGEST: u64 = 1 << 20;

/// Which workspace of which server.
pub(crate) struct Target {
    pub(crate) server: String,
    pub(crate) key: SecretString,
    /// Id or slug; the first workspace without it.
    pub(crate) workspace: Option<String>,
}

/// What stands in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Flow,
    Pack,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Flow => "flow",
            Kind::Pack => "pack",
        }
    }
}

/// A file that the server has found nothing wrong with.
struct Checked {
    file: String,
    kind: Kind,
    name: String,
    source: String,
}

/// A file and what became of it.
struct Applied {
    file: String,
    kind: Kind,
    name: String,
    outcome: String,
    /// Of a pack: what became of each of its flows.
    flows: Vec<Value>,
    fault: Option<Value>,
}

/// `vars` are values for the variables of packs, by name.
pub(crate) async fn apply(
    directory: &Path,
    target: Target,
    vars: BTreeMap<String, String>,
    as_json: bool,
) -> anyhow::Result<()> {
    let files = files_of(directory)?;
    let remote = Remote::new(&target.server, target.key)?;
    let workspace = remote.workspace(target.workspace).await?;
    let mut checked: Vec<Checked> = Vec::new();
    let mut report = Vec::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for file in &files {
        let shown = file.display().to_string();
        let source = read(file)?;
        let kind = kind_of(&source, &mut known);
        let answer = remote.check(&workspace, &source).await?;
        let name = answer["name"].as_str().unwrap_or_default().to_owned();
        let what = kind.name();
        let twice = names.insert(format!("{what} {name}"), shown.clone());
        let fault = match twice.filter(|_| !name.is_empty()) {
            Some(first) => {
                Some(json!({ "message": format!("{first} has a {what} of this name, too.") }))
            }
            None if answer["valid"] == true => None,
            None => Some(answer),
        };
        if fault.is_some() {
            report.push(Applied {
                file: shown,
                kind,
                name,
                outcome: "refused".to_owned(),
                flows: Vec::new(),
                fault,
            });
            continue;
        }
        checked.push(Checked {
            file: shown,
            kind,
            name,
            source,
        });
    }
    if report.is_empty() {
        if let Some(name) = vars.keys().find(|name| !known.contains(*name)) {
            anyhow::bail!(
                "no pack in {} has a variable {name}; secrets are set in the workspace",
                directory.display()
            );
        }
        for file in checked {
            report.push(match file.kind {
                Kind::Flow => save(&remote, &workspace, file).await?,
                Kind::Pack => install(&remote, &workspace, file, &vars).await?,
            });
        }
    } else {
        // Nothing was saved.
        report.extend(checked.into_iter().map(|file| Applied {
            file: file.file,
            kind: file.kind,
            name: file.name,
            outcome: "left alone".to_owned(),
            flows: Vec::new(),
            fault: None,
        }));
    }
    tell(report, as_json)
}

/// What a text is, and in `variables` the names of those that can be chosen, if it is a pack.
fn kind_of(source: &str, variables: &mut BTreeSet<String>) -> Kind {
    let text = Text::new(source, "");
    if !text.has(&["pack"]) {
        return Kind::Flow;
    }
    // What is wrong with it, the server says.
    if let Ok(Document::Pack(pack)) = document(&text) {
        let chosen = pack.variables.into_iter();
        let chosen = chosen.filter(|(_, variable)| variable.r#type != VariableType::Secret);
        variables.extend(chosen.map(|(name, _)| name));
    }
    Kind::Pack
}

async fn save(remote: &Remote, workspace: &str, file: Checked) -> anyhow::Result<Applied> {
    let path = ["workspaces", workspace, "flows", &file.name];
    let body = json!({ "source": file.source });
    let (status, answer) = remote.ask(Method::PUT, &path, Some(&body)).await?;
    let refused = !status.is_success();
    let outcome = match answer["outcome"].as_str() {
        Some(outcome) if !refused => outcome.to_owned(),
        _ => "refused".to_owned(),
    };
    Ok(Applied {
        file: file.file,
        kind: file.kind,
        name: file.name,
        outcome,
        flows: Vec::new(),
        fault: refused.then_some(answer),
    })
}

async fn install(
    remote: &Remote,
    workspace: &str,
    file: Checked,
    vars: &BTreeMap<String, String>,
) -> anyhow::Result<Applied> {
    let installed = packs::install(remote, workspace, &file.name, &file.source, vars).await?;
    let (outcome, flows, fault) = match installed {
        Ok(installed) => (installed.outcome, installed.flows, None),
        Err(fault) => ("refused", Vec::new(), Some(fault)),
    };
    Ok(Applied {
        file: file.file,
        kind: file.kind,
        name: file.name,
        outcome: outcome.to_owned(),
        flows,
        fault,
    })
}

fn tell(mut report: Vec<Applied>, as_json: bool) -> anyhow::Result<()> {
    report.sort_by(|a, b| a.file.cmp(&b.file));
    let mut text = String::new();
    for one in &report {
        let _ = writeln!(text, "{}: {} ({})", one.file, one.outcome, one.name);
        for flow in &one.flows {
            let word = |key: &str| flow[key].as_str().unwrap_or_default();
            let _ = writeln!(text, "  {}: {}", word("name"), word("became"));
        }
        if let Some(fault) = &one.fault {
            for line in lines_of(fault) {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    let refused = report.iter().any(|one| one.fault.is_some());
    let values: Vec<Value> = report
        .iter()
        .map(|one| {
            let mut value = json!({ "file": one.file, "outcome": one.outcome });
            value[one.kind.name()] = json!(one.name);
            if !one.flows.is_empty() {
                value["flows"] = json!(one.flows);
            }
            if let Some(fault) = &one.fault {
                value["fault"] = fault.clone();
            }
            value
        })
        .collect();
    output::print(as_json, &json!({ "ok": !refused, "files": values }), &text);
    anyhow::ensure!(!refused, Told("some files were refused"));
    Ok(())
}

/// Problems with their places, failed tests, or what the server says.
fn lines_of(fault: &Value) -> Vec<String> {
    let details = fault.get("details").unwrap_or(fault);
    let mut lines = Vec::new();
    for problem in details["problems"].as_array().into_iter().flatten() {
        let message = problem["message"].as_str().unwrap_or_default();
        let key = problem["key"].as_str().unwrap_or_default();
        lines.push(format!(
            "{}:{} {key}: {message}",
            problem["line"], problem["column"]
        ));
    }
    for test in details["tests"].as_array().into_iter().flatten() {
        if test["passed"] == false {
            let name = test["name"].as_str().unwrap_or_default();
            let message = test["message"].as_str().unwrap_or_default();
            lines.push(format!("test {name:?}: {message}"));
        }
    }
    if lines.is_empty() {
        let said = ["message", "hint"]
            .iter()
            .filter_map(|key| fault[*key].as_str());
        lines.extend(said.map(str::to_owned));
    }
    lines
}

/// The files of a directory, by name; not those of directories within.
fn files_of(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(directory)
        .with_context(|| format!("{} cannot be read", directory.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("yaml" | "yml" | "json")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    anyhow::ensure!(
        !files.is_empty(),
        "{} has no files that end in .yaml, .yml or .json",
        directory.display()
    );
    Ok(files)
}

fn read(file: &Path) -> anyhow::Result<String> {
    let shown = file.display();
    let size = std::fs::metadata(file)
        .with_context(|| format!("{shown} cannot be read"))?
        .len();
    anyhow::ensure!(size <= LARGEST, "{shown} has more than {LARGEST} bytes");
    std::fs::read_to_string(file).with_context(|| format!("{shown} cannot be read as text"))
}

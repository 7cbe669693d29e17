//! `flow apply`: a directory of flows and packs becomes what a workspace runs.
//!
//! Every file is checked by the server before the first one is saved, so that a mistake in the last
//! file does not leave half of them changed. What is refused after that, or not answered, is told beside what was saved.
//! Flows and packs that are not in the directory stay.

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
    became: Became,
}

struct Became {
    outcome: String,
    /// Of a pack: what became of each of its flows.
    flows: Vec<Value>,
    fault: Option<Value>,
}

impl Became {
    fn refused(fault: Value) -> Self {
        Became {
            outcome: "refused".to_owned(),
            flows: packs::done(&fault),
            fault: Some(fault),
        }
    }

    fn left_alone() -> Self {
        Became {
            outcome: "left alone".to_owned(),
            flows: Vec::new(),
            fault: None,
        }
    }

    /// The server did not say what it did.
    fn not_known(error: &anyhow::Error) -> Self {
        let message = format!("{error:#}");
        let hint = "Whether it was saved is not known. Apply the directory again: what was saved is left as it is.";
        Became {
            outcome: "not known".to_owned(),
            flows: Vec::new(),
            fault: Some(json!({ "message": message, "hint": hint })),
        }
    }
}

impl Checked {
    fn became(self, became: Became) -> Applied {
        Applied {
            file: self.file,
            kind: self.kind,
            name: self.name,
            became,
        }
    }
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
        let file = Checked {
            file: shown,
            kind,
            name,
            source,
        };
        match fault {
            Some(fault) => report.push(file.became(Became::refused(fault))),
            None => checked.push(file),
        }
    }
    if report.is_empty() {
        if let Some(name) = vars.keys().find(|name| !known.contains(*name)) {
            anyhow::bail!(
                "no pack in {} has a variable {name}; secrets are set in the workspace",
                directory.display()
            );
        }
        let mut files = checked.into_iter();
        for file in files.by_ref() {
            let saved = match file.kind {
                Kind::Flow => save(&remote, &workspace, &file).await,
                Kind::Pack => install(&remote, &workspace, &file, &vars).await,
            };
            let is_over = saved.is_err();
            let became = saved.unwrap_or_else(|error| Became::not_known(&error));
            report.push(file.became(became));
            if is_over {
                break;
            }
        }
        report.extend(files.map(|file| file.became(Became::left_alone())));
    } else {
        // Nothing was saved.
        let left = checked.into_iter();
        report.extend(left.map(|file| file.became(Became::left_alone())));
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

async fn save(remote: &Remote, workspace: &str, file: &Checked) -> anyhow::Result<Became> {
    let path = ["workspaces", workspace, "flows", &file.name];
    let body = json!({ "source": file.source });
    let (status, answer) = remote.ask(Method::PUT, &path, Some(&body)).await?;
    Ok(match answer["outcome"].as_str() {
        Some(outcome) if status.is_success() => Became {
            outcome: outcome.to_owned(),
            flows: Vec::new(),
            fault: None,
        },
        _ => Became::refused(answer),
    })
}

async fn install(
    remote: &Remote,
    workspace: &str,
    file: &Checked,
    vars: &BTreeMap<String, String>,
) -> anyhow::Result<Became> {
    let installed = packs::install(remote, workspace, &file.name, &file.source, vars).await?;
    Ok(match installed {
        Ok(installed) => Became {
            outcome: installed.outcome.to_owned(),
            flows: installed.flows,
            fault: None,
        },
        Err(fault) => Became::refused(fault),
    })
}

fn tell(mut report: Vec<Applied>, as_json: bool) -> anyhow::Result<()> {
    report.sort_by(|a, b| a.file.cmp(&b.file));
    let mut text = String::new();
    for one in &report {
        let became = &one.became;
        let _ = writeln!(text, "{}: {} ({})", one.file, became.outcome, one.name);
        for flow in &became.flows {
            let word = |key: &str| flow[key].as_str().unwrap_or_default();
            let _ = writeln!(text, "  {}: {}", word("name"), word("became"));
        }
        if let Some(fault) = &became.fault {
            for line in lines_of(fault) {
                let _ = writeln!(text, "  {line}");
            }
        }
    }
    let refused = report.iter().any(|one| one.became.fault.is_some());
    let values: Vec<Value> = report
        .iter()
        .map(|one| {
            let became = &one.became;
            let mut value = json!({ "file": one.file, "outcome": became.outcome });
            value[one.kind.name()] = json!(one.name);
            if !became.flows.is_empty() {
                value["flows"] = json!(became.flows);
            }
            if let Some(fault) = &became.fault {
                value["fault"] = fault.clone();
            }
            value
        })
        .collect();
    output::print(as_json, &json!({ "ok": !refused, "files": values }), &text);
    anyhow::ensure!(!refused, Told("some files were not saved"));
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
    if let Some(flow) = details["flow"].as_str() {
        lines.insert(0, format!("at the flow {flow} of the pack:"));
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

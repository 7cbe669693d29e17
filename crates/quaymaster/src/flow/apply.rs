//! `flow apply`: a directory of flows becomes what a workspace runs.
//!
//! Every file is checked by the server before the first one is saved, so that a mistake in the last
//! file does not leave half of them changed. Flows that are not in the directory stay.

use crate::output::{self, Told};
use anyhow::Context as _;
use reqwest::{Client, Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A save runs the flow's tests.
const PATIENCE: Duration = Duration::from_mins(2);
const LARGEST: u64 = 1 << 20;

/// Which workspace of which server.
pub(crate) struct Target {
    pub(crate) server: String,
    pub(crate) key: SecretString,
    /// Id or slug; the first workspace without it.
    pub(crate) workspace: Option<String>,
}

struct Remote {
    client: Client,
    base: Url,
    key: SecretString,
}

/// A file and what became of it.
struct Applied {
    file: String,
    name: String,
    outcome: String,
    fault: Option<Value>,
}

pub(crate) async fn apply(directory: &Path, target: Target, as_json: bool) -> anyhow::Result<()> {
    let files = files_of(directory)?;
    let remote = Remote::new(&target.server, target.key)?;
    let workspace = remote.workspace(target.workspace).await?;
    let mut checked = Vec::new();
    let mut report = Vec::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for file in &files {
        let shown = file.display().to_string();
        let source = read(file)?;
        let answer = remote.check(&workspace, &source).await?;
        let name = answer["name"].as_str().unwrap_or_default().to_owned();
        let twice = names.insert(name.clone(), shown.clone());
        let fault = match twice.filter(|_| !name.is_empty()) {
            Some(first) => {
                Some(json!({ "message": format!("{first} has a flow of this name, too.") }))
            }
            None if answer["valid"] == true => None,
            None => Some(answer),
        };
        if let Some(fault) = fault {
            report.push(Applied {
                file: shown,
                name,
                outcome: "refused".to_owned(),
                fault: Some(fault),
            });
            continue;
        }
        checked.push((shown, name, source));
    }
    if report.is_empty() {
        for (file, name, source) in checked {
            report.push(remote.save(&workspace, file, name, &source).await?);
        }
    } else {
        // Nothing was saved.
        report.extend(checked.into_iter().map(|(file, name, _)| Applied {
            file,
            name,
            outcome: "left alone".to_owned(),
            fault: None,
        }));
    }
    tell(report, as_json)
}

fn tell(mut report: Vec<Applied>, as_json: bool) -> anyhow::Result<()> {
    report.sort_by(|a, b| a.file.cmp(&b.file));
    let mut text = String::new();
    for one in &report {
        let _ = writeln!(text, "{}: {} ({})", one.file, one.outcome, one.name);
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
            let mut value = json!({ "file": one.file, "flow": one.name, "outcome": one.outcome });
            if let Some(fault) = &one.fault {
                value["fault"] = fault.clone();
            }
            value
        })
        .collect();
    output::print(as_json, &json!({ "ok": !refused, "files": values }), &text);
    anyhow::ensure!(!refused, Told("some flows were refused"));
    Ok(())
}

/// Problems with their places, failed tests, or the message alone.
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
        lines.push(fault["message"].as_str().unwrap_or_default().to_owned());
    }
    lines
}

/// The flows of a directory, by name; not those of directories within.
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

impl Remote {
    fn new(server: &str, key: SecretString) -> anyhow::Result<Self> {
        let server = server.trim_end_matches('/').to_owned() + "/";
        let base = Url::parse(&server).with_context(|| format!("{server} is no address"))?;
        Ok(Remote {
            client: Client::builder().timeout(PATIENCE).build()?,
            base,
            key,
        })
    }

    /// Status and body, which is JSON.
    async fn ask(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("{} is no address of a server", self.base))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(self.key.expose_secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("nothing answers at {}; is the server running?", self.base))?;
        let status = answer.status();
        let body = answer
            .json()
            .await
            .with_context(|| format!("{} answers {status} and no JSON", self.base))?;
        Ok((status, body))
    }

    async fn workspace(&self, named: Option<String>) -> anyhow::Result<String> {
        if let Some(named) = named {
            return Ok(named);
        }
        let (status, answer) = self.ask(Method::GET, &["workspaces"], None).await?;
        good(status, &answer)?;
        let first = answer["workspaces"][0]["id"].as_str();
        Ok(first
            .context("the organization has no workspace")?
            .to_owned())
    }

    async fn check(&self, workspace: &str, source: &str) -> anyhow::Result<Value> {
        let path = ["workspaces", workspace, "flow-drafts", "validate"];
        let body = json!({ "source": source });
        let (status, answer) = self.ask(Method::POST, &path, Some(&body)).await?;
        good(status, &answer)?;
        Ok(answer)
    }

    async fn save(
        &self,
        workspace: &str,
        file: String,
        name: String,
        source: &str,
    ) -> anyhow::Result<Applied> {
        let path = ["workspaces", workspace, "flows", &name];
        let body = json!({ "source": source });
        let (status, answer) = self.ask(Method::PUT, &path, Some(&body)).await?;
        let refused = !status.is_success();
        let outcome = match answer["outcome"].as_str() {
            Some(outcome) if !refused => outcome.to_owned(),
            _ => "refused".to_owned(),
        };
        Ok(Applied {
            file,
            name,
            outcome,
            fault: refused.then_some(answer),
        })
    }
}

/// The server's own words for why it did nothing.
fn good(status: StatusCode, answer: &Value) -> anyhow::Result<()> {
    let message = answer["message"].as_str().unwrap_or("no reason given");
    anyhow::ensure!(
        status.is_success(),
        "the server answers {status}: {message}"
    );
    Ok(())
}

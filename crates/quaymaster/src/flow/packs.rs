//! What `flow apply` does with the file of a pack: the server keeps its text, then installs it or what is newer of it.

use super::remote::Remote;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What became of a pack.
pub(super) struct Installed {
    /// `created`, `updated` or `unchanged`.
    pub(super) outcome: &'static str,
    /// `{name, became}` for each flow.
    pub(super) flows: Vec<Value>,
}

/// Keeps and installs a pack; the server's own words when it does not. A pack that is there already gets every flow but
/// for those that somebody left out.
pub(super) async fn install(
    remote: &Remote,
    workspace: &str,
    id: &str,
    source: &str,
    vars: &BTreeMap<String, String>,
) -> anyhow::Result<Result<Installed, Value>> {
    let path = ["workspaces", workspace, "packs", id];
    let body = json!({ "source": source });
    let (status, added) = remote.ask(Method::POST, &path[..3], Some(&body)).await?;
    if !status.is_success() {
        return Ok(Err(added));
    }
    let body = choice(&added["pack"], vars);
    let (status, put) = remote.ask(Method::PUT, &path, Some(&body)).await?;
    if !status.is_success() {
        return Ok(Err(put));
    }
    let flows = list(&put["flows"]).to_vec();
    let is_same = |flow: &Value| matches!(flow["became"].as_str(), Some("unchanged" | "kept"));
    let outcome = match status {
        StatusCode::CREATED => "created",
        _ if added["outcome"] == "unchanged" && flows.iter().all(is_same) => "unchanged",
        _ => "updated",
    };
    Ok(Ok(Installed { outcome, flows }))
}

/// `{name, became}` for each flow that was written before one was refused.
pub(super) fn done(fault: &Value) -> Vec<Value> {
    let done = list(&fault["details"]["done"]).iter();
    done.map(|flow| json!({ "name": flow["flow"], "became": flow["became"] }))
        .collect()
}

/// The body that installs a pack or what is newer of it.
fn choice(pack: &Value, vars: &BTreeMap<String, String>) -> Value {
    let mut variables = Map::new();
    for variable in list(&pack["variables"]) {
        let name = variable["name"].as_str().unwrap_or_default();
        if let Some(value) = vars.get(name) {
            variables.insert(name.to_owned(), json!(value));
        }
    }
    let mut body = json!({ "variables": variables });
    if pack["installed"].is_object() {
        let flows = list(&pack["flows"]).iter();
        let wanted = flows.filter(|flow| flow["leftOut"] == false);
        let wanted: Vec<&Value> = wanted.map(|flow| &flow["name"]).collect();
        if !wanted.is_empty() {
            body["flows"] = json!(wanted);
        }
    }
    body
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

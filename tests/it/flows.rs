//! Flows: saved by REST, tools of `/mcp` at once; changed, rolled back, switched off, deleted; what a
//! run keeps; what a save refuses.

mod changes;
mod errors;
mod killed;
mod queue;
mod renaming;
mod saving;
mod schedules;
mod services;
mod starting;
mod waiting;

use quaymaster_tests::{Act, Asked, Database, Desk, Upstream};
use serde_json::{Value, json};

/// A desk whose flows reach services on loopback.
pub(crate) async fn desk() -> Desk {
    desk_on(Database::Sqlite).await
}

pub(crate) async fn desk_on(database: Database) -> Desk {
    Desk::open_with(database, &[("EGRESS_ALLOW", r#"["127.0.0.1"]"#)]).await
}

pub(crate) fn flows(desk: &Desk) -> String {
    format!("/api/v1/workspaces/{}/flows", desk.server.workspace)
}

/// Saves a flow that there is not yet.
pub(crate) async fn create(desk: &Desk, source: &str) -> Value {
    let body = Some(json!({ "source": source }));
    let (status, answer) = desk.rest("POST", &flows(desk), body).await;
    assert_eq!(status, 201, "{answer}");
    answer
}

/// Saves a flow, whether it is there or not.
pub(crate) async fn put(desk: &Desk, name: &str, source: &str) -> (u16, Value) {
    let path = format!("{}/{name}", flows(desk));
    desk.rest("PUT", &path, Some(json!({ "source": source })))
        .await
}

/// A service that knows where Lisbon is, and what the weather is like there.
pub(crate) async fn weather() -> Upstream {
    Upstream::start("127.0.0.1", |asked: &Asked| {
        if asked.target.starts_with("/search?name=Lisbon") {
            return Act::json(
                r#"{"results":[{"name":"Lisbon","country":"Portugal","latitude":38.7}]}"#,
            );
        }
        if asked.target.starts_with("/search") {
            return Act::json(r#"{"results":[]}"#);
        }
        Act::json(r#"{"current":{"temperature_2m":21.5}}"#)
    })
    .await
}

/// The weather of a city, from a service at `url`.
pub(crate) fn get_weather(url: &str, description: &str) -> String {
    format!(
        r#"
flow: get_weather
title: Current weather
triggers:
  - mcp_tool:
      description: {description}
      annotations: {{ readOnlyHint: true, openWorldHint: true }}
input:
  type: object
  required: [city]
  additionalProperties: false
  properties:
    city: {{ type: string, minLength: 1, maxLength: 100 }}
    units: {{ type: string, enum: [celsius, fahrenheit], default: celsius }}
output:
  type: object
  required: [city, temperature, units]
  properties:
    city: {{ type: string }}
    temperature: {{ type: number }}
    units: {{ type: string }}
steps:
  - id: geo
    http:
      get: {url}/search
      query: {{ name: "${{{{ .input.city }}}}" }}
  - id: known
    switch:
      - when: .steps.geo.body.results | length == 0
        do:
          - fail: {{ code: NOT_FOUND, message: "No city called ${{{{ .input.city }}}}", hint: Try the English name }}
  - id: fc
    http:
      get: {url}/forecast
      query: {{ latitude: "${{{{ .steps.geo.body.results[0].latitude }}}}" }}
return: |
  .steps.geo.body.results[0] as $g
  | {{ city: "\($g.name), \($g.country)", temperature: .steps.fc.body.current.temperature_2m, units: .input.units }}
tests:
  - name: a city that there is
    input: {{ city: Lisbon }}
    mocks:
      geo: {{ returns: {{ body: {{ results: [{{ name: Lisbon, country: Portugal, latitude: 38.7 }}] }} }} }}
      fc: {{ returns: {{ body: {{ current: {{ temperature_2m: 20 }} }} }} }}
    expect:
      result: {{ city: "Lisbon, Portugal", temperature: 20 }}
"#
    )
}

/// A flow with these steps and nothing else, as a tool of its name.
pub(crate) fn plain(name: &str, rest: &str) -> String {
    format!(
        "flow: {name}\ntriggers:\n  - mcp_tool: {{ description: Tries something out for a test. }}\n{rest}"
    )
}

/// The runs of a workspace, newest first.
pub(crate) async fn runs(desk: &Desk) -> Vec<Value> {
    let path = format!("/api/v1/workspaces/{}/flow-runs", desk.server.workspace);
    let (status, answer) = desk.rest("GET", &path, None).await;
    assert_eq!(status, 200, "{answer}");
    answer["runs"].as_array().unwrap().clone()
}

/// A run with its steps.
pub(crate) async fn run(desk: &Desk, run: &Value) -> Value {
    let path = format!(
        "/api/v1/workspaces/{}/flow-runs/{}",
        desk.server.workspace,
        run["id"].as_str().unwrap()
    );
    let (status, answer) = desk.rest("GET", &path, None).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

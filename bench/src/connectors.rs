//! Calls of an outside service through `connector_execute`, beside the bare service; and a catalog of
//! a thousand definitions.

use crate::load::{Connection, Measured, Target, measure_over, structured};
use crate::server::{Server, memory, seconds_since};
use crate::table::Table;
use crate::upstream::{self, Upstream};
use anyhow::Context as _;
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;

/// Connections of a measurement.
const CONNECTIONS: usize = 16;
const ROUNDS: usize = 3;
const DEFINITIONS: usize = 1_000;

/// The service and the product take turns, three rounds; the median round counts.
pub(crate) async fn rest_backed(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    std::fs::write(directory.path().join("ships.yaml"), definition("ships"))?;
    let server = Server::start_with(binary, &[("DEFINITIONS", text(directory.path())?)]).await?;
    let upstream = Upstream::start().await?;
    let key = server.api_key(binary).await?;
    let account = json!({
        "connector": "ships", "name": "main", "auth": "token", "isLocal": true,
        "fields": { "url": format!("http://{}", upstream.address), "token": "harbour-secret" },
    });
    let made = server.rest(&key, "POST", "/api/v1/connections", &account);
    let made = made.await?;
    anyhow::ensure!(made["connection"]["status"] == "ACTIVE", "{made}");
    let target = Target {
        token: key,
        ..server.target()
    };
    let call = json!({
        "service": "ships", "module": "ships", "method": "GET", "path": "/ships/7",
        "query": { "fields": "name" },
    });
    let mut connection = Connection::open(&target).await?;
    let answer = connection.call(1, "connector_execute", &call).await?;
    let answer = structured(&answer)?;
    anyhow::ensure!(answer["data"]["name"] == "Ship 7", "{answer}");
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        bare.push(upstream::measure(&upstream, CONNECTIONS).await?);
        ours.push(measure_over(&target, "connector_execute", call.clone(), CONNECTIONS).await?);
    }
    let (bare, ours) = (median(bare)?, median(ours)?);
    let (_, peak) = memory(server.pid())?;
    let what = "the bare service, 16 connections";
    let Measured {
        per_second, cpu_us, ..
    } = bare;
    let told = format!(
        "{per_second:.0} requests/s, {cpu_us:.0} µs CPU a request, p99 {:.2} ms",
        bare.p99_ms
    );
    table.row(what, told, "", None);
    let ratio = ours.per_second / bare.per_second;
    table.row(
        "connector_execute of it: key, schema, cap, audit; 16 connections",
        format!(
            "{:.0} calls/s; {ratio:.2} × the bare service; peak memory {peak:.0} MiB",
            ours.per_second
        ),
        "≥ 5,000/s",
        Some(ours.per_second >= 5_000.0),
    );
    table.row(
        "the same: time of a call",
        format!("p50 {:.2} ms, p99 {:.2} ms", ours.p50_ms, ours.p99_ms),
        "p99 < 8 ms",
        Some(ours.p99_ms < 8.0),
    );
    table.row(
        "the same: CPU of the server",
        format!("{:.0} µs a call", ours.cpu_us),
        "≤ 200 µs",
        Some(ours.cpu_us <= 200.0),
    );
    Ok(())
}

/// What a catalog of a thousand definitions in a directory costs.
pub(crate) async fn large_catalog(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    for number in 0..DEFINITIONS {
        let key = format!("service_{number:04}");
        let file = directory.path().join(format!("{key}.yaml"));
        std::fs::write(file, definition(&key))?;
    }
    let settings = [("DEFINITIONS", text(directory.path())?)];
    let (mut checking, mut knowing, mut without) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let plain = Server::start(binary).await?;
        without = without.min(seconds_since(begun));
        drop(plain);
        let begun = Instant::now();
        let server = Server::start_with(binary, &settings).await?;
        checking = checking.min(seconds_since(begun));
        let begun = Instant::now();
        let server = server.restart(binary, &settings).await?;
        knowing = knowing.min(seconds_since(begun));
        drop(server);
    }
    let (first, later) = (checking - without, knowing - without);
    table.row(
        "start with 1,000 definitions in a directory, beyond one without: the first time, when all are checked, and later",
        format!("{first:.2} s, {later:.2} s"),
        "≤ 0.5 s",
        Some(later <= 0.5),
    );
    let server = Server::start_with(binary, &settings).await?;
    let target = Target {
        token: server.api_key(binary).await?,
        ..server.target()
    };
    let mut connection = Connection::open(&target).await?;
    let list = connection.call(1, "list_services", &json!({})).await?;
    let line = list.lines().find_map(|line| line.strip_prefix("data: "));
    let list: serde_json::Value = serde_json::from_str(line.context("no event")?)?;
    let list = list["result"]["content"][0]["text"].as_str();
    let bytes = list.context("no text")?.len();
    table.row(
        "list_services of them",
        format!("{bytes} bytes"),
        "≤ 5,000 bytes",
        Some(bytes <= 5_000),
    );
    let (mut first, mut again) = (Vec::new(), Vec::new());
    for number in 0..100u64 {
        let asked = json!({ "service": format!("service_{:04}", number * 7), "module": "ships" });
        for times in [&mut first, &mut again] {
            let begun = Instant::now();
            structured(
                &connection
                    .call(2 + number, "describe_service", &asked)
                    .await?,
            )?;
            times.push(seconds_since(begun) * 1_000.0);
        }
    }
    let (first, again) = (middle(first), middle(again));
    let (now, _) = memory(server.pid())?;
    table.row(
        "describe_service of a module of 30 calls, first and second time; memory after 100",
        format!("{first:.2} ms, {again:.2} ms; {now:.0} MiB"),
        "≤ 2 ms",
        Some(first <= 2.0),
    );
    Ok(())
}

pub(crate) fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("an odd path")
}

fn median(mut rounds: Vec<Measured>) -> anyhow::Result<Measured> {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let middle = rounds.len() / 2;
    rounds.into_iter().nth(middle).context("no round")
}

fn middle(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// A definition of ordinary size: thirty calls in one module.
pub(crate) fn definition(key: &str) -> String {
    let mut text = format!(
        "quaymaster: 1\n\
         key: {key}\n\
         kind: rest\n\
         version: \"1.0.0\"\n\
         title: Ships\n\
         summary: Ships of a harbour\n\
         categories: [data]\n\
         connection: {{url: {{title: Address, example: \"https://ships.example.com\"}}}}\n\
         base_url: \"{{url}}/v1\"\n\
         auth:\n  \
         - {{key: token, type: api_key, title: Token, fields: {{token: {{title: Token, secret: true}}}}, inject: {{header: {{authorization: \"Bearer {{token}}\"}}}}}}\n\
         verify: {{action: get_me}}\n\
         modules:\n  \
         ships:\n    \
         title: Ships\n    \
         actions:\n      \
         get_me: {{title: Get the signed-in person, method: GET, path: /me}}\n      \
         get_ship: {{title: Get a ship, method: GET, path: \"/ships/{{id}}\", params: {{type: object, required: [id], properties: {{id: {{type: string, pattern: \"^[0-9]+$\"}}, fields: {{type: string, description: Names of fields}}}}}}}}\n"
    );
    for number in 0..28 {
        let _ = writeln!(
            text,
            "      list_{number}: {{title: List the things of sort {number}, method: POST, path: \"/things/{number}/{{id}}\", \
             params: {{type: object, required: [id, name], properties: {{id: {{type: string, description: Number of the thing}}, \
             name: {{type: string, minLength: 1}}, tags: {{type: array, items: {{type: string}}}}, \
             state: {{type: string, enum: [open, closed]}}, limit: {{type: integer, minimum: 1, maximum: 100}}}}}}, \
             response: {{example: {{id: 1, name: Ship}}}}}}"
        );
    }
    text.push_str(
        "recipes:\n  \
         - {title: A ship, action: get_ship, with: {id: \"7\"}}\n  \
         - {title: Its name, action: get_ship, with: {id: \"7\", fields: name}}\n  \
         - {title: Who am I, action: get_me}\n",
    );
    text
}

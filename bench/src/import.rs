//! A large API document becomes a definition.

use crate::server::seconds_since;
use crate::table::Table;
use anyhow::Context as _;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

const OPERATIONS: usize = 1_200;
const SCHEMAS: usize = 900;
const LEAVES: usize = 100;
const BYTES: usize = 13_000_000;

/// Imports a document of 13 MB, best of three, and reads the peak of the process's memory.
pub(crate) fn large_document(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("large.json");
    std::fs::write(&file, document().to_string())?;
    let size = std::fs::metadata(&file)?.len();
    let (mut best, mut peak) = (f64::MAX, 0.0_f64);
    for _ in 0..3 {
        let begun = Instant::now();
        let output = folder.path().join("out.yaml");
        let mut child = Command::new(binary)
            .args(["connector", "import"])
            .arg(&file)
            .arg("--out")
            .arg(&output)
            .stderr(Stdio::null())
            .spawn()
            .context("the import did not start")?;
        // The peak is asked for as long as there is a process to ask.
        let status = loop {
            peak = peak.max(peak_of(child.id()));
            if let Some(status) = child.try_wait()? {
                break status;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        };
        anyhow::ensure!(status.success(), "the import failed");
        best = best.min(seconds_since(begun));
    }
    table.row(
        &format!(
            "import of an OpenAPI document of {:.1} MB, {OPERATIONS} operations",
            size as f64 / 1e6
        ),
        format!("{best:.2} s, peak {peak:.0} MB"),
        "≤ 2 s, ≤ 150 MB",
        Some(best <= 2.0 && peak <= 150.0),
    );
    Ok(())
}

/// The most memory that a process had so far, in MB; 0 when it has ended.
fn peak_of(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1_024.0 / 1e6
}

/// A document like the largest public ones: operations of many modules that share schemas, and
/// whose answers have examples, which are most of its bytes.
fn document() -> Value {
    let mut schemas = Map::new();
    for n in 0..LEAVES {
        schemas.insert(
            format!("leaf-{n}"),
            json!({ "type": "object", "nullable": true, "properties": { "id": { "type": "integer" }, "url": { "type": "string", "format": "uri", "nullable": true } } }),
        );
    }
    for n in 0..SCHEMAS {
        let mut properties = Map::new();
        for p in 0..10 {
            let mut property = json!({ "type": "string", "description": format!("Property {p} of resource {n}"), "example": format!("value {p}") });
            if p < 4 {
                property["nullable"] = json!(true);
            }
            properties.insert(format!("property_{p}"), property);
        }
        for step in 0..8 {
            let leaf = format!("#/components/schemas/leaf-{}", (n + step * 7) % LEAVES);
            properties.insert(format!("related_{step}"), json!({ "$ref": leaf }));
        }
        schemas.insert(
            format!("resource-{n}"),
            json!({ "type": "object", "required": ["property_9"], "properties": properties }),
        );
    }
    let mut paths = Map::new();
    let verbs = ["get", "post", "put", "patch", "delete", "get"];
    let filler = example(BYTES * 7 / 10 / OPERATIONS);
    for n in 0..OPERATIONS {
        let mut operation = json!({
            "operationId": format!("module{}/action-{n}", n % 45),
            "summary": format!("Do the thing with the number {n}"),
            "description": "What it does, at length, as documentation says it. ".repeat(8),
            "tags": [format!("module{}", n % 45)],
            "parameters": [
                { "name": "owner", "in": "path", "required": true, "schema": { "type": "string" } },
                { "name": "per_page", "in": "query", "schema": { "type": "integer", "maximum": 100 } },
            ],
            "responses": {
                "200": { "description": "ok", "content": { "application/json": { "schema": { "$ref": reference(n % SCHEMAS) }, "examples": { "default": { "value": filler } } } } },
                "404": { "description": "not found", "content": { "application/json": { "schema": { "$ref": reference((n + 1) % SCHEMAS) } } } },
            },
        });
        let verb = verbs[n % verbs.len()];
        if matches!(verb, "post" | "put" | "patch") {
            operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": { "$ref": reference((n * 3) % SCHEMAS) } } } });
        }
        paths.insert(
            format!("/modules/{{owner}}/things-{n}"),
            json!({ verb: operation }),
        );
    }
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Large service", "version": "1.0.0" },
        "servers": [{ "url": "https://api.large.example" }],
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

fn reference(schema: usize) -> String {
    format!("#/components/schemas/resource-{schema}")
}

/// An answer of about so many bytes.
fn example(bytes: usize) -> Value {
    let item = json!({ "id": 1_296_269, "name": "Hello World", "url": "https://api.large.example/things/1", "private": false, "owner": null });
    let each = item.to_string().len() + 1;
    vec![item; bytes / each].into()
}

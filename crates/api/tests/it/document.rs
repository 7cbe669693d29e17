//! What is written down is what is served.

use crate::product::Product;
use axum::body::Body;
use http::{Request, StatusCode};
use quaymaster_api::OPEN_PATHS;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// Compares with a file of `docs/`, or writes it when `UPDATE_OPENAPI` is set.
fn is_committed(name: &str, made: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, made).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == made,
        "docs/{name} is out of date: UPDATE_OPENAPI=1 cargo test -p quaymaster-api"
    );
}

fn document() -> Value {
    serde_json::to_value(quaymaster_api::openapi()).unwrap()
}

/// Path, verb and operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            all.push((path.clone(), verb.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn the_committed_document_is_the_one_that_the_handlers_make() {
    let made = quaymaster_api::openapi().to_pretty_json().unwrap();
    is_committed("openapi.json", &format!("{made}\n"));
}

#[test]
fn the_committed_table_of_errors_is_made_from_the_code() {
    is_committed("errors.md", &quaymaster_core::fault::reference());
}

#[test]
fn the_committed_guide_for_clients_is_made_from_the_lines_that_pages_show() {
    is_committed("connect.md", &quaymaster_app::connect_lines::guide());
}

#[test]
fn every_operation_has_its_own_id_a_summary_and_a_group() {
    let mut ids = BTreeSet::new();
    for (path, verb, operation) in operations(&document()) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id), "{verb} {path}");
        assert!(operation["summary"].is_string(), "{verb} {path}");
        assert_eq!(
            operation["tags"].as_array().map(Vec::len),
            Some(1),
            "{verb} {path}"
        );
    }
    assert!(ids.len() > 25);
}

#[test]
fn every_operation_but_the_open_ones_declares_security() {
    for (path, verb, operation) in operations(&document()) {
        let is_open = OPEN_PATHS.contains(&path.as_str());
        assert_eq!(operation["security"].is_array(), !is_open, "{verb} {path}");
    }
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    fn walk(value: &Value, root: &Value, found: &mut usize) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    let pointer = reference.strip_prefix('#').unwrap();
                    assert!(root.pointer(pointer).is_some(), "{reference}");
                    *found += 1;
                }
                map.values().for_each(|value| walk(value, root, found));
            }
            Value::Array(all) => all.iter().for_each(|value| walk(value, root, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = 0;
    walk(&document, &document, &mut found);
    assert!(found > 50);
}

#[tokio::test]
async fn every_operation_but_the_open_ones_is_closed_without_a_credential() {
    let product = Product::start().await;
    for (path, verb, _) in operations(&document()) {
        let method = verb.to_uppercase();
        let filled = path.replace("{id}", "main").replace(['{', '}'], "");
        let request = Request::builder()
            .method(method.as_str())
            .uri(&filled)
            .header("content-type", "application/json")
            .body(Body::from("{}"))
            .unwrap();
        let answer = product.send(request).await;
        if OPEN_PATHS.contains(&path.as_str()) {
            assert_eq!(answer.status, StatusCode::OK, "{verb} {path}");
        } else {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{verb} {path}");
            assert!(
                answer
                    .header("www-authenticate")
                    .unwrap()
                    .starts_with("Bearer")
            );
        }
    }
}

#[tokio::test]
async fn every_mounted_route_is_in_the_document() {
    let product = Product::start().await;
    let mut mounted: BTreeSet<String> = product.mounted();
    // The last two are axum's own answer to what no router knows.
    let undocumented = [
        "/api",
        "/api/",
        "/api/{*path}",
        "/",
        "/{*__private__axum_fallback}",
    ];
    for path in undocumented {
        mounted.remove(path);
    }
    // A variable that takes the rest of a path has a plain name in the document.
    let mounted: BTreeSet<String> = mounted.iter().map(|path| path.replace("{*", "{")).collect();
    let documented: BTreeSet<String> = document()["paths"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(mounted, documented);
}

#[tokio::test]
async fn the_served_document_names_the_server() {
    let product = Product::start().await;
    let request = Request::get("/api/v1/openapi.json")
        .body(Body::empty())
        .unwrap();
    let mut answer = product.send(request).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let served = answer.body.as_object_mut().unwrap();
    let servers = served.remove("servers");
    assert_eq!(servers, Some(json!([{ "url": "http://127.0.0.1:8080" }])));
    assert_eq!(answer.body, document());
    assert!(answer.body["openapi"].as_str().unwrap().starts_with("3.1"));
}

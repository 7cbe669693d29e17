//! Definitions of connectors that do not come with the program: the operator's directory.

use quaymaster_tests::{Database, Mcp, Server, cli};
use serde_json::json;
use std::path::Path;
use tempfile::TempDir;

/// A small service at an address that its accounts name.
pub(crate) const NOTES: &str = r#"quaymaster: 1
key: notes
kind: rest
version: "1.0.0"
title: Notes
summary: Notes of a team
categories: [work management]
connection: {url: {title: Address, example: "https://notes.example.com"}}
base_url: "{url}/v1"
auth:
  - {key: token, type: api_key, title: Token, fields: {token: {title: Token, secret: true}}, inject: {header: {authorization: "Bearer {token}"}}}
verify: {action: get_me, label: /name}
modules:
  notes:
    title: Notes
    actions:
      get_me: {title: Get the signed-in person, method: GET, path: /me}
      list_notes: {title: List notes, method: GET, path: /notes, params: {type: object, properties: {tag: {type: string}}}}
      create_note: {title: Write a note, method: POST, path: /notes, params: {type: object, required: [text], properties: {text: {type: string}}}}
recipes:
  - {title: All notes, action: list_notes}
  - {title: Notes with a tag, action: list_notes, with: {tag: work}}
  - {title: Write down an idea, action: create_note, with: {text: Buy milk}}
"#;

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[tokio::test]
async fn a_directory_of_the_operator_adds_connectors_and_replaces_those_of_the_program() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), "notes.yaml", NOTES);
    let other = NOTES.replace("key: notes", "key: github");
    write(directory.path(), "github/connector.yaml", &other);
    let settings = [("DEFINITIONS", directory.path().to_str().unwrap())];
    let server = Server::start_with(Database::Sqlite, &settings).await;
    let key = server.api_key(&[]).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    let structured = json!({ "format": "json", "query": "notes of a team" });
    let listed = mcp.call("list_services", structured).await.unwrap();
    for known in ["notes", "github"] {
        let services = listed["services"].as_array().unwrap();
        let found = services.iter().find(|one| one["key"] == known);
        assert_eq!(found.unwrap()["title"], "Notes", "{listed}");
    }
    let passport = mcp.call("describe_service", json!({ "service": "notes" }));
    assert!(passport.await.unwrap().to_string().contains("GET /notes"));
    let (status, read) = server
        .rest(&key, "GET", "/api/v1/connectors/notes", None)
        .await;
    assert_eq!(status, 200, "{read}");
}

#[tokio::test]
async fn a_directory_with_a_mistake_refuses_to_start_and_says_where() {
    let directory = TempDir::new().unwrap();
    write(directory.path(), "notes.yaml", NOTES);
    let wrong = NOTES.replace(
        "title: Write a note, method",
        "title: Write a note, methode",
    );
    let wrong = wrong.replace("key: notes", "key: other");
    write(directory.path(), "other.yaml", &wrong);
    let no_yaml = "quaymaster: 1\nkey: [\n";
    write(directory.path(), "third/connector.yaml", no_yaml);
    let data = TempDir::new().unwrap();
    let environment = [(
        "QUAYMASTER_DEFINITIONS".to_owned(),
        directory.path().to_str().unwrap().to_owned(),
    )];
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let output = cli(data.path(), &environment, &arguments).await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("other.yaml:19:"), "{said}");
    assert!(
        said.contains("methode") && said.contains("`method`"),
        "{said}"
    );
    assert!(said.contains("third/connector.yaml:3:"), "{said}");
    assert!(!said.contains("notes.yaml"), "{said}");

    let nowhere = ["serve", "--definitions", "/no/such/directory"];
    let output = cli(data.path(), &[], &nowhere).await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("/no/such/directory"), "{said}");
}

//! Verbs of the command line that need no server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn run(directory: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quaymaster"))
        .args(args)
        .current_dir(directory)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const GOOD: &str = r#"quaymaster: 1
key: notes
kind: rest
version: "1.0.0"
title: Notes
summary: Notes
base_url: https://api.notes.example
auth: [{key: none, type: none}]
modules:
  notes:
    title: Notes
    actions:
      list_notes: {title: List notes, method: GET, path: /notes}
recipes:
  - {title: One, action: list_notes}
  - {title: Two, action: list_notes}
  - {title: Three, action: list_notes}
"#;

#[test]
fn check_tells_every_problem_of_every_file_with_its_line() {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("good.yaml"), GOOD).unwrap();
    let bad = GOOD
        .replace("kind: rest", "kind: rust")
        .replace("path: /notes", "pth: /notes");
    std::fs::write(directory.path().join("bad.yaml"), bad).unwrap();

    let fine = run(directory.path(), &["connector", "check", "good.yaml"]);
    assert_eq!(fine.status.code(), Some(0));
    assert_eq!(
        text(&fine.stdout),
        "good.yaml: notes is fine: 1 modules, 1 actions.\n"
    );

    let args = ["connector", "check", "good.yaml", "bad.yaml", "none.yaml"];
    let checked = run(directory.path(), &args);
    assert_eq!(checked.status.code(), Some(1));
    let lines = text(&checked.stdout);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[1].starts_with("bad.yaml:3:1: kind: "), "{lines:?}");
    assert!(
        lines[2].starts_with("bad.yaml:13:52: modules.notes.actions.list_notes.pth: "),
        "{lines:?}"
    );
    assert!(
        lines[3].starts_with("none.yaml:1:1: The file cannot be read"),
        "{lines:?}"
    );

    let checked = run(
        directory.path(),
        &["--json", "connector", "check", "good.yaml", "bad.yaml"],
    );
    assert_eq!(checked.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(told["files"], 2);
    assert_eq!(told["problems"][0]["key"], "kind");
    assert_eq!(told["problems"][0]["line"], 3);
    // Nothing else is made: neither a database nor a key.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[test]
fn schema_prints_the_committed_schema() {
    let directory = TempDir::new().unwrap();
    let printed = run(directory.path(), &["connector", "schema"]);
    assert_eq!(printed.status.code(), Some(0));
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connector.schema.json");
    assert_eq!(
        text(&printed.stdout),
        std::fs::read_to_string(committed).unwrap()
    );
    let printed = run(directory.path(), &["--json", "connector", "schema"]);
    let schema: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(schema["properties"]["quaymaster"]["type"], "integer");
}

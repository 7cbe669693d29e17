//! Definitions made from API documents at the command line.

use quaymaster_tests::cli;
use serde_json::Value;
use std::path::Path;
use tempfile::TempDir;

const DOCUMENT: &str = "openapi: 3.0.3
info: {title: Desk, version: '1'}
servers: [{url: /v1}]
paths:
  /tickets:
    get: {operationId: listTickets, responses: {200: {description: ok}}}
    post: {operationId: upload, requestBody: {content: {image/png: {}}}, responses: {}}
";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn told(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_document_becomes_a_definition_that_keeps_the_rules() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("desk.yaml");
    std::fs::write(&file, DOCUMENT).unwrap();
    let (out, report) = (
        data.path().join("made.yaml"),
        data.path().join("report.json"),
    );

    let refused = cli(
        data.path(),
        &[],
        &["connector", "import", text(&file), "--out", text(&out)],
    )
    .await;
    assert!(!refused.status.success());
    assert!(
        told(&refused.stderr).contains("is relative"),
        "{}",
        told(&refused.stderr)
    );
    assert!(!out.exists());

    let base = ["--base-url", "https://desk.example/v1"];
    let words = [
        "connector",
        "import",
        text(&file),
        "--out",
        text(&out),
        "--report",
        text(&report),
    ];
    let made = cli(data.path(), &[], &[&words[..], &base[..]].concat()).await;
    let error = told(&made.stderr);
    assert!(made.status.success(), "{error}");
    assert!(error.contains("1 operations imported"), "{error}");
    assert!(
        error.contains("POST /tickets: Left out: its body is image/png"),
        "{error}"
    );
    let written: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(written["counts"]["left_out"], 1);
    let names: Vec<_> = std::fs::read_dir(data.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().contains("draft")),
        "{names:?}"
    );

    let checked = cli(data.path(), &[], &["connector", "check", text(&out)]).await;
    assert!(checked.status.success(), "{}", told(&checked.stdout));

    let words = ["--json", "connector", "import", text(&file)];
    let printed = cli(data.path(), &[], &[&words[..], &base[..]].concat()).await;
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["yaml"], std::fs::read_to_string(&out).unwrap());
    assert_eq!(printed["report"]["operations"][0]["action"], "list_tickets");
}

#[tokio::test]
async fn requests_of_a_definition_are_compared_with_documented_ones() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("desk.yaml");
    std::fs::write(&file, DOCUMENT).unwrap();
    let made = data.path().join("connector.yaml");
    let words = [
        "connector",
        "import",
        text(&file),
        "--out",
        text(&made),
        "--base-url",
        "https://desk.example/v1",
    ];
    assert!(cli(data.path(), &[], &words).await.status.success());
    let examples = data.path().join("requests.yaml");
    let example = |path: &str| {
        format!(
            "- action: list_tickets\n  account: {{auth: none}}\n  request: {{verb: GET, url: 'https://desk.example/v1{path}', headers: {{accept: application/json}}}}\n  source: https://desk.example/docs\n"
        )
    };
    let test = ["connector", "test", text(&made)];
    for (path, good) in [("/tickets", true), ("/other", false)] {
        std::fs::write(&examples, example(path)).unwrap();
        let done = cli(data.path(), &[], &test).await;
        assert_eq!(done.status.success(), good, "{}", told(&done.stdout));
    }
    std::fs::remove_file(&examples).unwrap();
    assert!(!cli(data.path(), &[], &test).await.status.success());
}

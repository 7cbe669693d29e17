//! Official clients find an organization's skills and read them.

use super::Shelf;
use quaymaster_tests::script::{Script, node, python, script_path};
use serde_json::json;
use std::path::PathBuf;

async fn finds_skills(program: PathBuf, script: &str, era: &str, uri: &str) {
    let shelf = Shelf::open().await;
    shelf.write("refunds", json!({})).await;
    shelf.write("drafts", json!({ "enabled": false })).await;
    let arguments = [&script_path(script), &shelf.server.endpoint, era];
    let mut script = Script::start(&program, &arguments, &shelf.key);
    let listed = script.step("listed").await;
    assert_eq!(listed["uris"], json!([uri]));
    let read = script.step("read").await;
    let text = read["text"].as_str().unwrap();
    assert!(text.contains("Do it well."), "{text}");
    script.end().await;
}

// promise: S0.48, S0.51
#[tokio::test]
async fn the_typescript_sdk_lists_and_reads_skills() {
    finds_skills(node(), "skills.mjs", "legacy", "skill://refunds").await;
    finds_skills(
        node(),
        "skills.mjs",
        "2026-07-28",
        "skill://refunds/SKILL.md",
    )
    .await;
}

// promise: S0.48, S0.51
#[tokio::test]
async fn the_python_sdk_lists_and_reads_skills() {
    finds_skills(python(), "skills.py", "legacy", "skill://refunds").await;
    finds_skills(
        python(),
        "skills.py",
        "2026-07-28",
        "skill://refunds/SKILL.md",
    )
    .await;
}

//! The official conformance suite against the protocol alone, over a door with all its fixtures.
//! Everything that a revision demands passes, and so does what it only runs besides, but for the
//! extension of tasks, which is not declared.
//!
//! `cargo xtask test` provides the suite and its Node.

use crate::door::FixtureDoor;
use axum::serve::ListenerExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;

fn program(name: &str) -> PathBuf {
    let tools = std::env::var_os("QUAYMASTER_TEST_TOOLS")
        .expect("QUAYMASTER_TEST_TOOLS is not set; run `cargo xtask test`");
    PathBuf::from(tools)
        .join("node/node_modules/.bin")
        .join(name)
}

/// `besides` are scenarios that the suite runs but does not judge, because they are newer than the
/// revision's frozen list.
async fn conforms(revision: &str, besides: &[&str]) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).unwrap());
    let served = tokio::spawn(axum::serve(listener, FixtureDoor::new().router()).into_future());
    let results = TempDir::new().unwrap();
    let run = Command::new(program("node"))
        .arg(program("conformance"))
        .args(["server", "--url", &url, "--requirements", revision])
        .arg("-o")
        .arg(results.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_mins(4), run)
        .await
        .expect("the suite ends in time")
        .expect("the suite starts");
    served.abort();
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.rsplit("=== SUMMARY ===").next().unwrap_or_default();
    assert!(
        output.status.success() && text.contains("=== SUMMARY ==="),
        "{summary}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let failed = summary.lines().filter(|line| line.starts_with('✗'));
    let failed: Vec<_> = failed
        .filter(|line| !line.starts_with("✗ tasks-"))
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    for scenario in ["tools-call-simple-text", "json-schema-2020-12"]
        .iter()
        .chain(besides)
    {
        assert!(summary.contains(&format!("✓ {scenario}:")), "{summary}");
    }
}

#[tokio::test]
async fn the_protocol_conforms_to_2025_11_25() {
    conforms(
        "2025-11-25",
        &["server-session-lifecycle", "server-sse-polling"],
    )
    .await;
}

#[tokio::test]
async fn the_protocol_conforms_to_2026_07_28() {
    conforms(
        "2026-07-28",
        &[
            "http-header-validation",
            "http-custom-header-server-validation",
        ],
    )
    .await;
}

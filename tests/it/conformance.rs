//! The official conformance suite against the product as it is.
//!
//! What fails for want of a fixture stands in tests/conformance with its reason; the suite fails on
//! any other failure, and on an entry that no longer fails.

use quaymaster_tests::script::{node, node_program};
use quaymaster_tests::{BearerProxy, Server};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

/// `besides` are scenarios that the suite runs but does not judge, because they are newer than the
/// revision's frozen list.
async fn conforms(revision: &str, besides: &[&str]) {
    let server = Server::start().await;
    let proxy = BearerProxy::start(&server.endpoint, &server.token).await;
    let expected = format!(
        "{}/conformance/product-{revision}.yml",
        env!("CARGO_MANIFEST_DIR")
    );
    let run = Command::new(node())
        .arg(node_program("conformance"))
        .args(["server", "--url", &proxy.endpoint])
        .args(["--requirements", revision])
        .args(["--expected-failures", &expected, "-o"])
        .arg(server.data.path().join("conformance"))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_mins(4), run)
        .await
        .expect("the suite ends in time")
        .expect("the suite starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.rsplit("=== SUMMARY ===").next().unwrap_or_default();
    assert!(
        output.status.success() && text.contains("=== SUMMARY ==="),
        "{summary}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for scenario in ["tools-list", "dns-rebinding-protection"]
        .iter()
        .chain(besides)
    {
        assert!(summary.contains(&format!("✓ {scenario}:")), "{summary}");
    }
}

// promise: S0.3, S1.4
#[tokio::test]
async fn the_product_conforms_to_2025_11_25() {
    conforms(
        "2025-11-25",
        &["server-session-lifecycle", "server-sse-polling"],
    )
    .await;
}

// promise: S0.3, S1.4
#[tokio::test]
async fn the_product_conforms_to_2026_07_28() {
    conforms("2026-07-28", &["http-header-validation"]).await;
}

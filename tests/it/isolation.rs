//! How well a machine shuts programs in, as a server tells it, and servers that are told not to run without that.

use quaymaster_tests::{Database, Server, Visitor, cli};
use serde_json::Value;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What `/health` says of it, once it was tried.
async fn told(server: &Server) -> Value {
    let begun = Instant::now();
    loop {
        let (status, health) = server.rest("", "GET", "/health", None).await;
        assert_eq!(status, 200, "{health}");
        if health["sandbox"].is_object() {
            return health["sandbox"].clone();
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{health}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_server_tells_how_programs_are_held() {
    let server = Server::start().await;
    let sandbox = told(&server).await;
    let known = ["full", "seccomp"];
    assert!(
        known.contains(&sandbox["javascript"].as_str().unwrap()),
        "{sandbox}"
    );
    assert_eq!(sandbox["python"], "full", "{sandbox}");
    let limits = sandbox["python_limits"].as_str().unwrap();
    assert!(
        ["cgroup v2", "cgroup v1", "process limits"].contains(&limits),
        "{sandbox}"
    );
    let mut person = Visitor::owner(&server).await;
    let page = person.get("/settings").await;
    assert!(
        page.body.contains("runs with full isolation") && page.body.contains(limits),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn a_machine_that_runs_no_python_is_told_and_can_be_no_reason_to_start() {
    let nothing = TempDir::new().unwrap();
    let root = nothing.path().to_str().unwrap();
    let server = Server::start_with(Database::Sqlite, &[("SANDBOX_PYTHON_ROOT", root)]).await;
    let sandbox = told(&server).await;
    assert_eq!(sandbox["python"], "none", "{sandbox}");
    assert_eq!(sandbox["python_limits"], Value::Null, "{sandbox}");
    let mut person = Visitor::owner(&server).await;
    let page = person.get("/settings").await;
    assert!(
        page.body.contains("SANDBOX_UNAVAILABLE") && page.body.contains("Install CPython"),
        "{}",
        page.body
    );

    let data = TempDir::new().unwrap();
    let required = [
        ("QUAYMASTER_SANDBOX_REQUIRED", "true"),
        ("QUAYMASTER_SANDBOX_PYTHON_ROOT", root),
    ];
    let environment = required.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let words = ["serve", "--listen", "127.0.0.1:0"];
    let output = cli(data.path(), &environment, &words).await;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    for part in ["sandbox.required", "python", "Install CPython"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!data.path().join("server.json").exists(), "it never ran");
}

#[tokio::test]
async fn a_server_that_requires_isolation_has_tried_it_before_it_answers() {
    let server = Server::start_with(Database::Sqlite, &[("SANDBOX_REQUIRED", "true")]).await;
    let (status, health) = server.rest("", "GET", "/health", None).await;
    assert_eq!(status, 200, "{health}");
    assert_eq!(health["sandbox"]["python"], "full", "{health}");
}

//! Developers' programs: this project's SDKs, plain requests, and the hosted product's own SDK.
//!
//! The programs are in tests/clients.

use quaymaster_tests::script::{node, node_program, python, script_path};
use quaymaster_tests::{Database, Developer, Mcp};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::process::Command;

async fn run(desk: &Developer, mut program: Command, ids: &Value) -> Value {
    let output = program
        .env("QUAYMASTER_URL", &desk.server.url)
        .env("QUAYMASTER_KEY", &desk.key)
        .env("IDS", ids.to_string())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .kill_on_drop(true)
        .output()
        .await
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text} {complaints}");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text} {complaints}"))
}

/// What a program did, step by step, and what became of it.
async fn developed(program: impl FnOnce(&Path) -> Command) -> Value {
    let desk = Developer::open(Database::Sqlite).await;
    let (main, bot) = (
        desk.chat_account("main").await,
        desk.chat_account("bot").await,
    );
    let lock =
        json!({ "name": "lock", "values": { "channel": "C1" }, "enforcedKeys": ["channel"] });
    let words = json!({ "name": "words", "values": { "text": "Saved" } });
    let partials = [desk.partial(lock).await, desk.partial(words).await];
    desk.end_user("user_123").await;
    let ids = json!({
        "workspace": desk.server.workspace, "connection": main, "bot": bot,
        "partials": [partials[0]["id"], partials[1]["id"]],
    });
    let folder = TempDir::new().unwrap();
    let did = run(&desk, program(folder.path()), &ids).await;

    assert_eq!(did["server"]["name"], "My AI Tools", "{did}");
    assert_eq!(did["mcpEndpoint"], did["server"]["mcpEndpoint"]);
    assert_eq!(did["tool"]["name"], "slack__send_channel_message");
    assert_eq!(did["bot"]["name"], "slack_bot__send_channel_message");
    let both = json!([
        "slack__send_channel_message",
        "slack_bot__send_channel_message"
    ]);
    assert_eq!(did["before"], both);
    assert_eq!(did["after"], json!(["slack_bot__send_channel_message"]));
    assert_eq!(did["locked"]["name"], "slack__send_channel_message");
    assert_eq!(did["locked"]["partialIds"], ids["partials"]);
    assert!(did["personal"]["endUserId"].is_string(), "{did}");
    let token = did["bearerToken"].as_str().unwrap();
    assert!(token.starts_with("mcp_"), "{did}");

    let mcp = Mcp::open(did["mcpEndpoint"].as_str().unwrap(), token).await;
    let sent = json!({ "channel": "C2", "text": "Hello" });
    let sent = mcp
        .call("slack_bot__send_channel_message", sent)
        .await
        .unwrap();
    assert_eq!(sent["data"]["sent_with"], "bot", "{sent}");
    let saved = mcp
        .call("slack__send_channel_message", json!({}))
        .await
        .unwrap();
    let data = &saved["data"];
    assert_eq!(
        (&data["channel"], &data["text"]),
        (&json!("C1"), &json!("Saved")),
        "{saved}"
    );
    assert_eq!(data["sent_with"], "main");
    did
}

/// What an SDK tells of a call that is refused, and of a server that does not answer.
fn tells_faults(did: &Value) {
    let fault = &did["fault"];
    assert_eq!(
        (&fault["code"], &fault["status"], &fault["retryable"]),
        (&json!("NOT_FOUND"), &json!(404), &json!(false)),
        "{fault}"
    );
    let message = fault["message"].as_str().unwrap();
    assert!(message.contains("no such server"), "{fault}");
    let hint = fault["hint"].as_str().unwrap();
    assert!(hint.contains("/mcp/servers"), "{fault}");
    let silent = json!({ "code": "CONNECTION_FAILED", "retryable": true });
    assert_eq!(did["silent"], silent);
}

fn repository() -> String {
    format!("{}/..", env!("CARGO_MANIFEST_DIR"))
}

/// A program of tests/clients in a folder of its own, beside the package as npm would install it.
fn beside_the_package(folder: &Path, name: &str) -> PathBuf {
    let packages = folder.join("node_modules/@quaymaster");
    if !packages.exists() {
        std::fs::create_dir_all(&packages).unwrap();
        let package = format!("{}/sdk/typescript", repository());
        std::os::unix::fs::symlink(package, packages.join("sdk")).unwrap();
    }
    let program = folder.join(name);
    std::fs::copy(script_path(name), &program).unwrap();
    program
}

fn typescript(folder: &Path, name: &str) -> Command {
    let mut command = Command::new(node());
    command.arg(beside_the_package(folder, name));
    command
}

fn with_package(name: &str) -> Command {
    let mut command = Command::new(python());
    command
        .arg(script_path(name))
        .env("PYTHONPATH", format!("{}/sdk/python", repository()));
    command
}

// promise: S3.14, S3.21, S3.42, S3.49, S3.52, S3.59
#[tokio::test]
async fn a_typescript_developer_builds_a_server_with_the_sdk() {
    tells_faults(&developed(|folder| typescript(folder, "seed.mts")).await);
}

// promise: S3.15, S3.22, S3.41, S3.50, S3.53, S3.58
#[tokio::test]
async fn a_python_developer_builds_a_server_with_the_sdk() {
    tells_faults(&developed(|_| with_package("seed.py")).await);
}

// promise: S3.16
#[tokio::test]
async fn the_printed_requests_run_by_fetch_and_by_httpx() {
    for (program, name) in [(node(), "plain.mjs"), (python(), "plain.py")] {
        let did = developed(|_| {
            let mut command = Command::new(program);
            command.arg(script_path(name));
            command
        })
        .await;
        assert_eq!(did["deleted"]["deleted"], true, "{did}");
    }
}

/// What the programs called management do, call by call.
async fn managed(program: impl FnOnce(&Path) -> Command) {
    const KEY: &str = "a-service-key-of-the-operator-32";
    let desk = Developer::open_with(Database::Sqlite, &[("SERVICE_KEY", KEY)]).await;
    desk.chat_account("main").await;
    let folder = TempDir::new().unwrap();
    let mut program = program(folder.path());
    program.env("SERVICE_KEY", KEY);
    let ids = json!({ "workspace": desk.server.workspace });
    let did = run(&desk, program, &ids).await;
    let end_user = did["endUser"].clone();
    let link = did["token"].as_str().unwrap().to_owned();
    assert!(link.contains("/setup/"), "{did}");
    let wanted = json!({
        "resolved": "main", "listed": 1, "verified": "ACTIVE", "renamed": "renamed",
        "found": "slack", "connector": "slack", "signIn": [], "options": ["C1", "C2"],
        "fixed": ["NOT_DYNAMIC", 400], "strategy": "per_user", "told": "Anna",
        // The server has no mail server, and this hosted server no code mode.
        "mailed": ["INTEGRATION_UNAVAILABLE", 501], "ran": ["VALIDATION_ERROR", 400],
        "polled": "PENDING", "waited": ["TIMEOUT", 0], "token": link, "session": "PENDING",
        "oauth": end_user, "bearer": end_user, "endUser": end_user,
        "first": "slack__send_channel_message", "usual": true,
        "executed": { "ok": true, "channel": "C1", "text": "Saved", "sent_with": "main" },
        "dead": ["UNAUTHENTICATED", 401], "theirs": 1, "raw": 1,
    });
    assert_eq!(did, wanted);
}

#[tokio::test]
async fn a_backend_manages_everything_with_the_typescript_sdk() {
    managed(|folder| typescript(folder, "management.mts")).await;
}

#[tokio::test]
async fn a_backend_manages_everything_with_the_python_sdk() {
    managed(|_| with_package("management.py")).await;
}

async fn holds(command: &mut Command) {
    let output = command.kill_on_drop(true).output().await;
    let output = output.expect("the checker starts");
    let said = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said} {complaints}");
}

// The programs have lines that must be wrong, so types that refuse nothing fail, too.
#[tokio::test]
async fn the_types_of_the_typescript_sdk_fit_what_developers_write() {
    let folder = TempDir::new().unwrap();
    let programs = ["seed.mts", "management.mts"];
    let programs = programs.map(|name| beside_the_package(folder.path(), name));
    let mut compiler = Command::new(node_program("tsc"));
    compiler
        .args(["--noEmit", "--strict", "--module", "nodenext"])
        .args(["--target", "es2023", "--lib", "es2023,dom"])
        .args(programs)
        .current_dir(folder.path());
    holds(&mut compiler).await;
}

#[tokio::test]
async fn the_types_of_the_python_sdk_are_strict_and_fit_what_developers_write() {
    let folder = TempDir::new().unwrap();
    let sdk = format!("{}/sdk/python", repository());
    let mut checker = Command::new(python());
    checker
        .args(["-m", "mypy", "--strict", "--cache-dir"])
        .arg(folder.path())
        .arg(format!("{sdk}/quaymaster"))
        .args(["seed.py", "management.py"].map(script_path))
        .env("MYPYPATH", sdk)
        .current_dir(folder.path());
    holds(&mut checker).await;
}

// promise: S3.15, S3.22, S3.41, S3.50, S3.53
#[tokio::test]
async fn the_hosted_products_sdk_works_with_only_its_base_url_changed() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let mut command = Command::new(python());
        command.arg(script_path("weavz.py"));
        let did = run(&desk, command, &Value::Null).await;
        let refused = |code: &str, status: u16| json!([code, status, true]);
        assert_eq!(did["slugs"][0], refused("SLUG_EXISTS", 409), "{did}");
        assert_eq!(did["slugs"][1], refused("VALIDATION_ERROR", 400), "{did}");
        assert_eq!(did["again"][1], 409, "{did}");
        assert_eq!(did["twice"], refused("DUPLICATE", 409), "{did}");
        assert_eq!(
            did["unknown"],
            refused("INTEGRATION_NOT_FOUND", 404),
            "{did}"
        );
        assert_eq!(did["bad_alias"], refused("VALIDATION_ERROR", 400), "{did}");
        // The channel is locked, so nothing lists channels.
        let tools = json!(["chat__send_channel_message"]);
        assert_eq!(
            (&did["listed"], &did["new"], &did["theirs"]),
            (&tools, &tools, &tools),
            "{did}"
        );
        assert_eq!(did["sent"]["data"]["channel"], "C1", "{did}");
        assert_eq!(did["sent"]["data"]["sent_with"], "team");
        assert_eq!(did["renamed"]["name"], "Renamed");
        assert!(did["renamed"].get("description").is_none(), "{did}");
        assert_eq!(did["old"], json!({ "status": 401 }));
        let declared = did["declarations"].as_str().unwrap();
        assert!(declared.contains("send_channel_message"), "{declared}");
        assert_eq!(did["executed"]["output"]["channel"], "C1", "{did}");
        assert_eq!(did["later"][0][1], 501, "{did}");
        assert_eq!(did["later"][1][1], 501, "{did}");
        assert_eq!(did["dead"][1], 401, "{did}");
        assert_eq!(
            (&did["deleted"], &did["gone"][1]),
            (&json!(true), &json!(404)),
            "{did}"
        );
    }
}

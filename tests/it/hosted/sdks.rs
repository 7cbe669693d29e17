//! Developers' programs: this project's SDKs, plain requests, and the hosted product's own SDK.
//!
//! The programs are in tests/clients.

use quaymaster_tests::script::{node, python, script_path};
use quaymaster_tests::{Database, Developer, Mcp};
use serde_json::{Value, json};
use std::path::Path;
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
async fn developed(program: impl FnOnce(&Path) -> Command) {
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
    assert_eq!(did["bot"]["partialIds"], ids["partials"]);
    let both = json!([
        "slack__send_channel_message",
        "slack_bot__send_channel_message"
    ]);
    assert_eq!(did["before"], both);
    assert_eq!(did["after"], json!(["slack_bot__send_channel_message"]));
    assert!(did["personal"]["endUserId"].is_string(), "{did}");
    let fault = &did["fault"];
    assert_eq!(
        (&fault["is"], &fault["code"]),
        (&json!(true), &json!("NOT_FOUND")),
        "{fault}"
    );
    assert_eq!(
        (&fault["status"], &fault["retryable"]),
        (&json!(404), &json!(false)),
        "{fault}"
    );
    assert!(
        fault["message"]
            .as_str()
            .unwrap()
            .contains("no such server"),
        "{fault}"
    );
    assert!(
        fault["hint"].as_str().unwrap().contains("/mcp/servers"),
        "{fault}"
    );
    let silent = json!({ "code": "CONNECTION_FAILED", "retryable": true });
    assert_eq!(did["silent"], silent);
    assert!(
        did["plain"]["bearerToken"]
            .as_str()
            .unwrap()
            .starts_with("mcp_"),
        "{did}"
    );

    let endpoint = did["mcpEndpoint"].as_str().unwrap();
    let mcp = Mcp::open(endpoint, did["bearerToken"].as_str().unwrap()).await;
    let sent = mcp
        .call("slack_bot__send_channel_message", json!({}))
        .await
        .unwrap();
    let data = &sent["data"];
    assert_eq!(
        (&data["channel"], &data["text"]),
        (&json!("C1"), &json!("Saved")),
        "{sent}"
    );
    assert_eq!(data["sent_with"], "bot");
}

fn repository() -> String {
    format!("{}/..", env!("CARGO_MANIFEST_DIR"))
}

// promise: S3.14, S3.16, S3.21, S3.42, S3.49, S3.52, S3.59
#[tokio::test]
async fn a_typescript_developer_builds_a_server_with_the_sdk_and_with_fetch() {
    developed(|folder| {
        // As npm would install it.
        let packages = folder.join("node_modules/@quaymaster");
        std::fs::create_dir_all(&packages).unwrap();
        let package = format!("{}/sdk/typescript", repository());
        std::os::unix::fs::symlink(package, packages.join("sdk")).unwrap();
        let program = folder.join("seed.mjs");
        std::fs::copy(script_path("seed.mjs"), &program).unwrap();
        let mut command = Command::new(node());
        command.arg(program);
        command
    })
    .await;
}

// promise: S3.15, S3.16, S3.22, S3.41, S3.50, S3.53, S3.58
#[tokio::test]
async fn a_python_developer_builds_a_server_with_the_sdk_and_with_httpx() {
    developed(|_| {
        let mut command = Command::new(python());
        command
            .arg(script_path("seed.py"))
            .env("PYTHONPATH", format!("{}/sdk/python", repository()));
        command
    })
    .await;
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

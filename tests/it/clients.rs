//! Official clients with their default settings: what they see of connecting, editing, changes,
//! foreign sessions, the daily cap and the end of their credential.
//!
//! The scripts are in tests/clients; all take the steps of `scenario.mjs`.

use quaymaster_tests::script::{Script, node, node_program, python, script_path};
use quaymaster_tests::server::binary;
use quaymaster_tests::{Database, FILE_TOOLS, Server};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::process::Command;

const CAP: u64 = 8;
/// From the change of a credential to the client's new list. The TypeScript SDKs wait 300 ms of it
/// for further changes.
const SOON: Duration = Duration::from_millis(1500);

const READING_TOOLS: [&str; 5] = [
    "list_files",
    "search_files",
    "read_file",
    "get_file_info",
    "get_upload_status",
];

/// What a client can show of a session and a refusal.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Session,
    Stateless,
    /// The bridge has the session; its client sees JSON-RPC errors, not HTTP. This is what the
    /// error of a revoked credential contains.
    Bridge(&'static str),
}

async fn start() -> Server {
    Server::start_with(Database::Sqlite, &[("DAILY_CAP", &CAP.to_string())]).await
}

fn tools_of(step: &Value) -> Vec<&str> {
    let tools = step["tools"].as_array().expect("a list of tools");
    tools.iter().filter_map(Value::as_str).collect()
}

async fn accompany(server: &Server, mut script: Script, kind: Kind, version: Option<&str>) {
    let admin = server.api_key(&["admin"]).await;
    let other = server.cli_json(&["token", "create"]).await;
    let (credential, _) = server.token.split_once('.').expect("id and secret");
    let path = format!(
        "/api/v1/workspaces/{}/tokens/{credential}",
        server.workspace
    );

    let connected = script.step("connected").await;
    assert_eq!(connected["server"], "quaymaster");
    if let Some(version) = version {
        assert_eq!(connected["version"], version);
    }
    assert_eq!(connected["session"].is_string(), kind == Kind::Session);
    let listed = script.step("listed").await;
    assert_eq!(tools_of(&listed), FILE_TOOLS);

    let edited = script.step("edited").await;
    assert_eq!(edited["content"], "one\nzwei\n");
    assert_eq!(edited["blocks"][0]["text"], "one\nzwei\n");
    let on_disk = std::fs::read_to_string(server.home().join("notes/a.txt"));
    assert_eq!(on_disk.unwrap(), "one\nzwei\n");

    script.step("waiting").await;
    // The stream opens behind the client's back; there is no event for "open".
    tokio::time::sleep(Duration::from_secs(1)).await;
    for (read_only, tools) in [(true, &READING_TOOLS[..]), (false, &FILE_TOOLS[..])] {
        let body = json!({ "readOnly": read_only });
        let began = Instant::now();
        let (status, answer) = server.rest(&admin, "PATCH", &path, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        let told = script.step("told").await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert_eq!(tools_of(&told), tools);
    }

    script.say(other["token"].as_str().unwrap()).await;
    let foreign = script.step("foreign").await;
    if kind == Kind::Session {
        assert_eq!(foreign["status"], 404, "{foreign}");
    }

    let capped = script.step("capped").await;
    let before = 3; // written, edited, read
    assert_eq!(capped["calls"], CAP - before + 1);
    let fault = &capped["fault"];
    assert_eq!(fault["code"], "DAILY_CAP");
    assert_eq!(fault["details"]["cap"], CAP);
    let advice = fault["hint"].as_str().unwrap();
    assert!(advice.starts_with("Wait until "), "{advice}");

    let (status, answer) = server.rest(&admin, "DELETE", &path, None).await;
    assert_eq!(status, 200, "{answer}");
    script.say("go").await;
    let revoked = script.step("revoked").await;
    match kind {
        Kind::Bridge(message) => {
            let text = revoked["message"].as_str().unwrap_or_default();
            assert!(text.contains(message), "{revoked}");
        }
        Kind::Session | Kind::Stateless => assert_eq!(revoked["status"], 401, "{revoked}"),
    }
    script.end().await;
}

async fn through_sdk2(era: &str, kind: Kind, version: &str) {
    let server = start().await;
    let arguments = [&script_path("sdk2.mjs"), &server.endpoint, era];
    let script = Script::start(&node(), &arguments, &server.token);
    accompany(&server, script, kind, Some(version)).await;
}

async fn through_python(mode: &str, kind: Kind, version: &str) {
    let server = start().await;
    let arguments = [&script_path("sdk.py"), &server.endpoint, mode];
    let script = Script::start(&python(), &arguments, &server.token);
    accompany(&server, script, kind, Some(version)).await;
}

// promise: S0.1, S0.3, S0.5, S1.1, S1.4, S1.19, S1.64
#[tokio::test]
async fn the_typescript_sdk_1_works_from_connecting_to_revocation() {
    let server = start().await;
    let arguments = [&script_path("sdk1.mjs"), "http", &server.endpoint];
    let script = Script::start(&node(), &arguments, &server.token);
    accompany(&server, script, Kind::Session, Some("2025-11-25")).await;
}

// promise: S0.1, S1.1, S1.4, S1.19, S1.64
#[tokio::test]
async fn the_typescript_sdk_2_works_in_its_default_era() {
    through_sdk2("legacy", Kind::Session, "2025-11-25").await;
}

// promise: S0.2, S1.5
#[tokio::test]
async fn a_client_of_2025_06_18_works() {
    through_sdk2("2025-06-18", Kind::Session, "2025-06-18").await;
}

// promise: S1.6
#[tokio::test]
async fn a_client_of_2024_11_05_works() {
    through_sdk2("2024-11-05", Kind::Session, "2024-11-05").await;
}

// promise: S0.1, S1.1, S1.4, S1.19, S1.64
#[tokio::test]
async fn the_typescript_sdk_2_works_without_sessions() {
    through_sdk2("2026-07-28", Kind::Stateless, "2026-07-28").await;
}

// promise: S0.1, S1.1, S1.4, S1.19, S1.64
#[tokio::test]
async fn the_python_sdk_works_with_sessions() {
    through_python("legacy", Kind::Session, "2025-11-25").await;
}

// promise: S0.1, S1.1, S1.4, S1.19, S1.64
#[tokio::test]
async fn the_python_sdk_works_in_its_default_mode_which_is_stateless() {
    through_python("auto", Kind::Stateless, "2026-07-28").await;
}

// promise: S0.1, S1.1
#[tokio::test]
async fn a_client_of_standard_input_and_output_works_through_our_bridge() {
    let server = start().await;
    let bridge = binary();
    let arguments = [
        &script_path("sdk1.mjs"),
        "stdio",
        bridge.to_str().unwrap(),
        "connect",
        &server.endpoint,
    ];
    let script = Script::start(&node(), &arguments, &server.token);
    let refused = Kind::Bridge("The credential was revoked.");
    accompany(&server, script, refused, None).await;
}

// promise: S0.1, S1.1
#[tokio::test]
async fn a_client_of_standard_input_and_output_works_through_mcp_remote() {
    let server = start().await;
    let headers = server.data.path().join("headers.txt");
    std::fs::write(
        &headers,
        format!("Authorization: Bearer {}\n", server.token),
    )
    .unwrap();
    let (node, bridge) = (node(), node_program("mcp-remote"));
    let arguments = [
        &script_path("sdk1.mjs"),
        "stdio",
        node.to_str().unwrap(),
        bridge.to_str().unwrap(),
        &server.endpoint,
        "--header-file",
        headers.to_str().unwrap(),
        "--transport",
        "http-only",
        "--allow-http",
    ];
    let script = Script::start(&node, &arguments, &server.token);
    // On a 401 it sends the person to sign in.
    let refused = Kind::Bridge("/authorize?response_type=code");
    accompany(&server, script, refused, None).await;
}

/// The inspector's command line. Its errors are JSON on standard error, but failed calls are
/// results on standard output.
async fn inspect(arguments: &[&str]) -> Result<Value, String> {
    let home = TempDir::new().unwrap();
    let output = Command::new(node())
        .arg(node_program("mcp-inspector"))
        .arg("--cli")
        .args(arguments)
        .args(["--format", "json"])
        .env("HOME", home.path())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let answer = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&answer)
        .map_err(|_| format!("{answer}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The inspector at one server, in one era.
struct Inspector<'a> {
    endpoint: &'a str,
    header: String,
    era: &'a str,
}

impl Inspector<'_> {
    async fn run(&self, words: &[&str]) -> Result<Value, String> {
        let connection = [
            self.endpoint,
            "--transport",
            "http",
            "--header",
            &self.header,
            "--protocol-era",
            self.era,
        ];
        inspect(&[&connection, words].concat()).await
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let arguments = arguments.to_string();
        let named = ["--method", "tools/call", "--tool-name", tool];
        let answer = self
            .run(&[&named[..], &["--tool-args-json", &arguments]].concat())
            .await;
        answer.unwrap()["result"].clone()
    }
}

// promise: S0.1, S1.1, S1.19, S1.64
#[tokio::test]
async fn the_inspector_works_in_both_eras() {
    let server = start().await;
    let [legacy, modern] = ["legacy", "modern"].map(|era| Inspector {
        endpoint: &server.endpoint,
        header: format!("Authorization: Bearer {}", server.token),
        era,
    });
    let list = ["--method", "tools/list", "--strict"];
    for inspector in [&legacy, &modern] {
        let listed = inspector.run(&list).await.unwrap();
        assert_eq!(names_in(&listed), FILE_TOOLS);
        let path = format!("{}.txt", inspector.era);
        let file = json!({ "path": path, "content": "one\n" });
        inspector.call("write_file", file).await;
        let edit = json!({ "path": path, "find": "one", "replace": "eins" });
        inspector.call("find_replace", edit).await;
        let read = json!({ "path": path, "line_numbers": false });
        let read = inspector.call("read_file", read).await;
        assert_eq!(read["content"][0]["text"], "eins\n", "{read}");
    }
    for _ in 6..CAP {
        legacy.call("list_files", json!({})).await;
    }
    for inspector in [&legacy, &modern] {
        let refused = inspector.call("list_files", json!({})).await;
        assert_eq!(refused["isError"], true, "{refused}");
        let text = refused["content"][0]["text"].as_str().unwrap();
        let fault: Value = serde_json::from_str(text).unwrap();
        assert_eq!(fault["code"], "DAILY_CAP");
    }
    let (credential, _) = server.token.split_once('.').unwrap();
    let revoked = server.cli(&["token", "revoke", credential]).await;
    assert!(revoked.status.success(), "{revoked:?}");
    // Another process revoked it: the server hears of that within a second.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for inspector in [&legacy, &modern] {
        let error = inspector.run(&list).await.unwrap_err();
        assert!(error.contains("auth_required"), "{error}");
    }
}

fn names_in(answer: &Value) -> Vec<&str> {
    let tools = answer["result"]["tools"].as_array();
    let tools = tools.unwrap_or_else(|| panic!("no tools in {answer}"));
    tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect()
}

// promise: S0.28
#[tokio::test]
async fn an_official_client_takes_the_example_of_the_public_information() {
    let server = Server::start().await;
    let (status, info) = server.rest("", "GET", "/api/v1/mcp/info", None).await;
    assert_eq!(status, 200, "{info}");
    let example = info["example_config"].to_string();
    assert!(example.contains("<token>"), "{example}");
    let config = server.data.path().join("example.json");
    std::fs::write(&config, example.replace("<token>", &server.token)).unwrap();
    assert_eq!(info["server_name"], "quaymaster");
    let config = config.to_str().unwrap();
    let words = "--server quaymaster --method tools/list".split(' ');
    let words: Vec<_> = ["--config", config].into_iter().chain(words).collect();
    assert_eq!(names_in(&inspect(&words).await.unwrap()), FILE_TOOLS);
}

// promise: S1.19, S1.44
#[tokio::test]
async fn an_mcp_json_with_only_url_and_header_works() {
    let server = Server::start().await;
    let config = server.data.path().join(".mcp.json");
    let file = json!({ "mcpServers": { "workspace": {
        "url": server.endpoint,
        "headers": { "Authorization": format!("Bearer {}", server.token) },
    } } });
    std::fs::write(&config, format!("{file:#}")).unwrap();
    let arguments = [
        &script_path("mcp_json.mjs"),
        config.to_str().unwrap(),
        "workspace",
    ];
    let mut script = Script::start(&node(), &arguments, "");
    assert_eq!(tools_of(&script.step("listed").await), FILE_TOOLS);
    script.end().await;
}

//! Official clients at the endpoint of a hosted server, in both eras and by both addresses.
//!
//! The scripts are in tests/clients; both take the steps of `hosted.mjs`.

use quaymaster_tests::script::{Script, node, node_program, python, script_path};
use quaymaster_tests::{Database, Developer, Made};
use serde_json::{Value, json};

const TOOL: &str = "slack__send_channel_message";
const ARGUMENTS: &str = r#"{"channel":"C1","text":"Hello"}"#;

async fn chatting() -> (Developer, Made) {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let server = desk.serve(json!({})).await;
    let tool = json!({
        "integrationName": "slack", "actionName": "send_channel_message", "connectionId": main,
    });
    desk.add(&server, tool).await;
    (desk, server)
}

async fn accompany(desk: &Developer, server: &Made, mut script: Script) {
    let listed = script.step("listed").await;
    assert_eq!(listed["server"], "quaymaster", "{listed}");
    let names = json!([TOOL, "slack__list_channels"]);
    assert_eq!(listed["tools"], names, "{listed}");
    let called = script.step("called").await;
    assert_eq!(called["isError"], false, "{called}");
    assert_eq!(called["answer"]["data"]["sent_with"], "main");
    // The stream opens behind the client's back: something changes until it is told.
    let path = format!("/mcp/servers/{}/tools", server.id);
    let tool = json!({ "integrationName": "slack", "actionName": "list_users" });
    let tool = desk.made(&path, tool).await["tool"]["id"].clone();
    let own = format!("{path}/{}", tool.as_str().unwrap());
    let change = async {
        for count in 0.. {
            let words = json!({ "description": format!("People, told {count} times.") });
            desk.did("PATCH", &own, Some(words)).await;
            tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        }
    };
    let told: Value = tokio::select! {
        told = script.step("told") => told,
        () = change => unreachable!("it goes on for ever"),
    };
    let tools = told["tools"].as_array().unwrap();
    assert!(tools.contains(&json!("slack__list_users")), "{told}");
}

async fn with_typescript(kind: &str, at: impl Fn(&Made) -> &str) {
    let (desk, server) = chatting().await;
    let arguments = [
        &script_path("hosted.mjs"),
        kind,
        TOOL,
        ARGUMENTS,
        at(&server),
    ];
    let script = Script::start(&node(), &arguments, &server.token);
    accompany(&desk, &server, script).await;
}

async fn with_python(mode: &str, at: impl Fn(&Made) -> &str) {
    let (desk, server) = chatting().await;
    let arguments = [
        &script_path("hosted.py"),
        mode,
        TOOL,
        ARGUMENTS,
        at(&server),
    ];
    let script = Script::start(&python(), &arguments, &server.token);
    accompany(&desk, &server, script).await;
}

// promise: S3.2, S3.45, S3.46
#[tokio::test]
async fn the_typescript_sdk_with_sessions_works_at_the_protocol_address() {
    with_typescript("sdk1", |server| &server.protocol).await;
}

// promise: S3.2, S3.46
#[tokio::test]
async fn the_typescript_sdk_with_sessions_works_at_the_short_address() {
    with_typescript("sdk2", |server| &server.endpoint).await;
}

// promise: S3.2, S3.46
#[tokio::test]
async fn the_typescript_sdk_without_sessions_works_at_the_protocol_address() {
    with_typescript("stateless", |server| &server.protocol).await;
}

// promise: S3.2, S3.46
#[tokio::test]
async fn the_python_sdk_with_sessions_works_at_the_short_address() {
    with_python("legacy", |server| &server.endpoint).await;
}

// promise: S3.2, S3.46
#[tokio::test]
async fn the_python_sdk_without_sessions_works_at_the_protocol_address() {
    with_python("auto", |server| &server.protocol).await;
}

/// What `claude_desktop_config.json` and the settings of Cursor hold, with host, id and token of a
/// server.
const SNIPPET: &str = r#"{
"mcpServers" : {
"weavz" : {
"command" : "npx" ,
"args" : [
"-y" ,
"mcp-remote" ,
"https://api.weavz.io/api/v1/mcp/servers/{serverId}/protocol" ,
"--header" ,
"Authorization: Bearer mcp_your_bearer_token"
]
}
}
}"#;

// promise: S3.2, S3.43, S3.44
#[tokio::test]
async fn the_printed_configuration_of_claude_desktop_and_cursor_connects() {
    let (desk, server) = chatting().await;
    // The bridge speaks plain HTTP with a server of this name only.
    let port = desk.server.url.rsplit(':').next().unwrap();
    let text = SNIPPET
        .replace("https://api.weavz.io", &format!("http://localhost:{port}"))
        .replace("{serverId}", &server.id)
        .replace("mcp_your_bearer_token", &server.token);
    let entry: Value = serde_json::from_str(&text).unwrap();
    let entry = entry["mcpServers"]["weavz"].clone();
    assert_eq!(entry["command"], "npx");
    let args: Vec<&str> = entry["args"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    // What `npx -y` would fetch is installed.
    assert_eq!(args[..2], ["-y", "mcp-remote"]);
    let (node, bridge) = (node(), node_program("mcp-remote"));
    let script = script_path("hosted.mjs");
    let mut arguments = vec![script.as_str(), "stdio", TOOL, ARGUMENTS];
    arguments.extend([node.to_str().unwrap(), bridge.to_str().unwrap()]);
    arguments.extend(&args[2..]);
    let script = Script::start(&node, &arguments, "");
    accompany(&desk, &server, script).await;
}

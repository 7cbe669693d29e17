//! The configurations that are printed for clients of standard input and output, through the real
//! `mcp-remote`.

use super::*;
use quaymaster_tests::script::{Script, node, node_program, script_path};

const LINE: &str = "claude mcp add qaynaq -- npx mcp-remote http://localhost:8080/mcp";

const LINE_WITH_TOKEN: &str = "claude mcp add qaynaq -- npx mcp-remote \"http://localhost:8080/mcp?token=at_your_token_here\"";

/// Of Claude Desktop and of `.cursor/mcp.json`.
const FILE: &str = r#"{
"mcpServers": {
"qaynaq": {
"command": "npx",
"args": ["mcp-remote", "http://localhost:8080/mcp"]
}
}
}"#;

const FILE_WITH_TOKEN: &str = r#"{
"mcpServers": {
"qaynaq": {
"command": "npx",
"args": ["mcp-remote", "http://localhost:8080/mcp?token=at_your_token_here"]
}
}
}"#;

/// Command and arguments of a line for a terminal, behind its `--`.
fn of_line(line: &str) -> Vec<String> {
    let (_, command) = line.split_once(" -- ").unwrap();
    let words = command
        .split(' ')
        .map(|word| word.trim_matches('"').to_owned());
    words.collect()
}

fn of_file(file: &str) -> Vec<String> {
    let file: Value = serde_json::from_str(file).unwrap();
    let entry = &file["mcpServers"]["qaynaq"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let args = entry["args"].as_array().unwrap().iter().map(text);
    [text(&entry["command"])].into_iter().chain(args).collect()
}

/// Starts what a configuration says, with the port of the server and a token in it.
async fn connects(desk: &Desk, command: Vec<String>, token: &str) {
    let port = desk.server.url.rsplit(':').next().unwrap();
    let filled = |word: &String| {
        word.replace("localhost:8080", &format!("localhost:{port}"))
            .replace("at_your_token_here", token)
    };
    let command: Vec<_> = command.iter().map(filled).collect();
    // What `npx` would fetch is installed.
    assert_eq!(command[..2], ["npx", "mcp-remote"]);
    let (node, bridge) = (node(), node_program("mcp-remote"));
    let script = script_path("flow_bridge.mjs");
    let mut arguments = vec![script.as_str()];
    arguments.extend([node.to_str().unwrap(), bridge.to_str().unwrap()]);
    arguments.extend(command[2..].iter().map(String::as_str));
    let mut script = Script::start(&node, &arguments, "");
    assert_eq!(script.step("connected").await["server"], "quaymaster");
    assert_eq!(script.step("listed").await["tools"], json!(["hello"]));
    script.end().await;
}

// promise: S4.5, S4.6, S4.7, S4.8
#[tokio::test]
async fn the_configurations_without_a_token_connect_while_authentication_is_off() {
    let desk = Desk::start().await;
    desk.flow("hello").await;
    desk.open().await;
    connects(&desk, of_line(LINE), "").await;
    connects(&desk, of_file(FILE), "").await;
}

// promise: S4.5, S4.17, S4.18
#[tokio::test]
async fn the_configurations_with_a_token_in_the_address_connect() {
    let desk = Desk::start().await;
    desk.flow("hello").await;
    let token = desk.token("Claude Desktop").await;
    connects(&desk, of_line(LINE_WITH_TOKEN), &token.text).await;
    connects(&desk, of_file(FILE_WITH_TOKEN), &token.text).await;
}

#[tokio::test]
async fn the_configuration_with_a_token_in_a_header_connects() {
    let desk = Desk::start().await;
    desk.flow("hello").await;
    let token = desk.token("Claude Desktop").await;
    let mut command = of_line(LINE);
    let header = "Authorization: Bearer at_your_token_here";
    command.extend(["--header".to_owned(), header.to_owned()]);
    connects(&desk, command, &token.text).await;
}

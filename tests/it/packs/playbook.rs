//! The playbook of docs/flows.md: its blocks are taken out of the document and run by a shell, with only the two
//! ports changed.

use quaymaster_tests::{Database, Mcp, Server, binary};
use serde_json::{Value, json};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;

const DOCUMENT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/flows.md"));

/// The fenced blocks of a section, with the language of each.
fn blocks(section: &str) -> Vec<(String, String)> {
    let begin = DOCUMENT.find(&format!("\n## {section}\n")).unwrap();
    let rest = &DOCUMENT[begin + 4..];
    let end = rest.find("\n## ").unwrap_or(rest.len());
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in rest[..end].lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => open = Some((language.to_owned(), String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some((_, text)), None) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A port that nobody has at this moment.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// The JSON values of an output that has other lines, too.
fn values(output: &str) -> Vec<Value> {
    let lines = output.lines().filter_map(|line| {
        let start = line.find('{')?;
        let mut values = serde_json::Deserializer::from_str(&line[start..]).into_iter::<Value>();
        values.next()?.ok()
    });
    lines.collect()
}

// promise: S4.30
#[tokio::test]
async fn the_playbook_of_the_weather_tool_works_as_it_is_printed() {
    let blocks = blocks("Build a weather tool for AI assistants");
    let port = free_port();
    // The one line that starts the server says what the server has to be started with.
    let allowed = "QUAYMASTER_EGRESS_ALLOW='[\"127.0.0.1:9077\"]' quaymaster\n";
    assert!(blocks.iter().any(|(_, text)| text == allowed), "{blocks:?}");
    let server = Server::start_with(
        Database::Sqlite,
        &[("EGRESS_ALLOW", &format!("[\"127.0.0.1:{port}\"]"))],
    )
    .await;

    let folder = TempDir::new().unwrap();
    let scripts = blocks.iter().filter(|(language, _)| language == "bash");
    let scripts: Vec<String> = scripts.map(|(_, text)| format!("{text}echo\n")).collect();
    let script = scripts
        .concat()
        .replace("http://127.0.0.1:8080", &server.url)
        .replace("9077", &port.to_string())
        .replace(
            "flow apply flows",
            &format!("flow apply flows --server {}", server.url),
        );
    // The service ends with the shell.
    let script = format!("set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n{script}");
    let program = binary();
    let path = std::env::var("PATH").unwrap();
    let output = Command::new("bash")
        .arg("-c")
        .arg(&script)
        .current_dir(folder.path())
        .env(
            "PATH",
            format!("{}:{path}", program.parent().unwrap().display()),
        )
        .env("QUAYMASTER_DATA", server.data.path())
        .env_remove("QUAYMASTER_TEST_TOOLS")
        .env_remove("QUAYMASTER_TEST_ROUNDS")
        .env_remove("QUAYMASTER_TEST_PG")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{problems}");

    let values = values(&text);
    let find = |key: &str| {
        let found: Vec<&Value> = values
            .iter()
            .filter(|value| !value[key].is_null())
            .collect();
        assert!(!found.is_empty(), "{key} in {text}");
        found
    };
    assert_eq!(
        find("results")[0]["results"][0]["country"],
        "Portugal",
        "{text}"
    );
    let weather = &find("structuredContent")[0]["structuredContent"];
    assert_eq!(weather["place"], "Lisbon, Portugal", "{text}");
    assert_eq!(weather["temperature"], 20.6, "{text}");
    let unknown = find("hint");
    assert!(
        unknown
            .iter()
            .any(|fault| fault["hint"] == "Try the English name."),
        "{text}"
    );
    assert_eq!(find("versions")[0]["total"], 2, "{text}");
    assert_eq!(
        find("pack")[0]["flows"].as_array().unwrap().len(),
        4,
        "{text}"
    );

    // What the playbook made: a tool for everybody with the key, with the description as it was changed.
    let key = server.api_key(&[]).await;
    let agent = Mcp::open(&server.endpoint, &key).await;
    let listed = agent.request("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let tool = tools
        .iter()
        .find(|tool| tool["name"] == "get_weather")
        .unwrap();
    assert!(
        tool["description"]
            .as_str()
            .unwrap()
            .contains("our own service"),
        "{tool}"
    );
    assert!(tools.iter().any(|tool| tool["name"] == "weather_now"));
    let token = find("token")[0]["token"].as_str().unwrap();
    assert!(token.starts_with("at_"), "{text}");
    let assistant = Mcp::open(&server.endpoint, token).await;
    let names = assistant.tool_names().await;
    assert!(
        names.iter().all(|name| !name.starts_with("list_services")),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name == "get_weather"), "{names:?}");
}

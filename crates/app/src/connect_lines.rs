//! What a person pastes into a client to connect it.

use serde_json::{Value, json};

/// One client's line or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectLine {
    pub client: &'static str,
    /// `command` for a shell line, `file` for text of a configuration file, `url` for an address.
    pub kind: &'static str,
    /// Where it goes.
    pub place: String,
    pub text: String,
}

/// What a client connects to.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The server's name in the client, for example `quaymaster`.
    pub name: &'a str,
    pub endpoint: &'a str,
    pub token: &'a str,
    /// The path of this program, when the client runs on the same machine.
    pub program: Option<&'a str>,
}

/// Placeholder where the token is not known any more.
pub const TOKEN_PLACEHOLDER: &str = "<token>";

pub fn connect_lines(target: Target<'_>) -> Vec<ConnectLine> {
    let Target {
        name,
        endpoint,
        token,
        ..
    } = target;
    let with_type = entry(target, true);
    let file = |client, place: &str, value: &Value| ConnectLine {
        client,
        kind: "file",
        place: place.to_owned(),
        text: format!("{value:#}"),
    };
    vec![
        ConnectLine {
            client: "Claude Code",
            kind: "command",
            place: "In a terminal".to_owned(),
            text: format!(
                "claude mcp add --transport http {name} {endpoint} --header \"Authorization: Bearer {token}\""
            ),
        },
        file(
            "Claude Code",
            ".mcp.json",
            &json!({ "mcpServers": { name: with_type } }),
        ),
        file(
            "Claude Desktop",
            "claude_desktop_config.json",
            &desktop(target),
        ),
        file(
            "Cursor",
            "~/.cursor/mcp.json",
            &json!({ "mcpServers": { name: entry(target, false) } }),
        ),
        ConnectLine {
            client: "VS Code",
            kind: "command",
            place: "In a terminal".to_owned(),
            text: format!("code --add-mcp '{}'", vs_code(target)),
        },
        file(
            "VS Code",
            ".vscode/mcp.json",
            &json!({ "servers": { name: with_type } }),
        ),
        file(
            "Any other client",
            "Its MCP configuration",
            &json!({ "mcpServers": { name: with_type } }),
        ),
    ]
}

/// What a client needs that signs in by itself (OAuth): the address and no token.
pub fn sign_in_lines(name: &str, endpoint: &str) -> Vec<ConnectLine> {
    let line = |kind, place: &str, text| ConnectLine {
        client: "Claude, any client that signs in",
        kind,
        place: place.to_owned(),
        text,
    };
    let over_http = if endpoint.starts_with("http://") {
        " --allow-http"
    } else {
        ""
    };
    vec![
        line(
            "url",
            "Claude on the web and desktop: Settings → Connectors → Add custom connector",
            endpoint.to_owned(),
        ),
        line(
            "command",
            "Claude Code, in a terminal",
            format!("claude mcp add --transport http {name} {endpoint}"),
        ),
        line(
            "command",
            "Clients that only start commands",
            format!("npx -y mcp-remote {endpoint}{over_http}"),
        ),
    ]
}

/// What a client needs that starts commands and sends no headers: an address with all that the server
/// asks for, and `mcp-remote` between.
pub fn bridge_lines(name: &str, address: &str) -> Vec<ConnectLine> {
    // Of plain HTTP the bridge takes by itself what stays on the machine.
    let is_local = ["http://localhost:", "http://127.0.0.1:"]
        .iter()
        .any(|start| address.starts_with(start));
    let allow_http = (address.starts_with("http://") && !is_local).then_some("--allow-http");
    let mut args = vec!["-y", "mcp-remote", address];
    args.extend(allow_http);
    let file = json!({ "mcpServers": { name: { "command": "npx", "args": args } } });
    let flag = allow_http.map_or(String::new(), |flag| format!(" {flag}"));
    let line = |client, kind, place: &str, text| ConnectLine {
        client,
        kind,
        place: place.to_owned(),
        text,
    };
    vec![
        line(
            "Claude Code",
            "command",
            "In a terminal, through mcp-remote",
            format!("claude mcp add {name} -- npx -y mcp-remote \"{address}\"{flag}"),
        ),
        line(
            "Claude Desktop",
            "file",
            "claude_desktop_config.json, through mcp-remote",
            format!("{file:#}"),
        ),
        line(
            "Cursor",
            "file",
            ".cursor/mcp.json in your project, through mcp-remote",
            format!("{file:#}"),
        ),
        line(
            "curl",
            "command",
            "In a terminal, to see that it answers",
            format!(
                "curl -X POST \"{address}\" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{HELLO}'"
            ),
        ),
    ]
}

/// The first message of a client.
const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"test","version":"1.0"}}}"#;

/// The configuration most clients share, with or without the transport's type.
fn entry(target: Target<'_>, with_type: bool) -> Value {
    let headers = json!({ "Authorization": format!("Bearer {}", target.token) });
    if with_type {
        json!({ "type": "http", "url": target.endpoint, "headers": headers })
    } else {
        json!({ "url": target.endpoint, "headers": headers })
    }
}

fn vs_code(target: Target<'_>) -> Value {
    let mut value = entry(target, true);
    value["name"] = json!(target.name);
    value
}

/// Claude Desktop's file starts commands only, so something stands between: this program where it
/// is at hand, else `mcp-remote`. The token goes by the environment, out of the process list.
fn desktop(target: Target<'_>) -> Value {
    let server = if let Some(program) = target.program {
        json!({
            "command": program,
            "args": ["connect", target.endpoint],
            "env": { "QUAYMASTER_TOKEN": target.token },
        })
    } else {
        let mut args = vec![
            "-y",
            "mcp-remote",
            target.endpoint,
            "--header",
            "Authorization:${AUTH_HEADER}",
        ];
        if target.endpoint.starts_with("http://") {
            args.push("--allow-http");
        }
        json!({
            "command": "npx",
            "args": args,
            "env": { "AUTH_HEADER": format!("Bearer {}", target.token) },
        })
    };
    json!({ "mcpServers": { target.name: server } })
}

/// The example of the public information.
pub fn example_config(name: &str, endpoint: &str) -> Value {
    let target = Target {
        name,
        endpoint,
        token: TOKEN_PLACEHOLDER,
        program: None,
    };
    json!({ "mcpServers": { name: entry(target, true) } })
}

/// The text of the `.env` download.
pub fn env_file(endpoint: &str, token: &str) -> String {
    format!("QUAYMASTER_MCP_URL={endpoint}\nQUAYMASTER_TOKEN={token}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_gets_the_endpoint_and_the_token() {
        let target = Target {
            name: "quaymaster",
            endpoint: "http://127.0.0.1:8080/mcp",
            token: "crd_x.y",
            program: None,
        };
        for line in connect_lines(target) {
            assert!(line.text.contains(target.endpoint), "{line:?}");
            assert!(line.text.contains(target.token), "{line:?}");
        }
    }

    #[test]
    fn a_bridge_is_allowed_plain_http_only_where_it_leaves_the_machine() {
        for (address, flags) in [
            ("https://quay.example/mcp?token=at_x.y", 0),
            ("http://localhost:8080/mcp", 0),
            ("http://quay.lan/mcp?token=at_x.y", 3),
        ] {
            let lines = bridge_lines("quaymaster", address);
            assert!(lines.iter().all(|line| line.text.contains(address)));
            let flagged = lines
                .iter()
                .filter(|line| line.text.contains("--allow-http"));
            assert_eq!(flagged.count(), flags, "{address}");
        }
    }

    #[test]
    fn a_client_that_signs_in_gets_the_endpoint_alone() {
        for line in sign_in_lines("quaymaster", "https://quay.example/mcp") {
            assert!(line.text.ends_with("https://quay.example/mcp"), "{line:?}");
        }
    }
}

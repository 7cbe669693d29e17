//! Clients that send the token in a header.

use super::{Row, Target, code, pretty};
use serde_json::{Value, json};

/// In the order of the tabs.
pub(super) const CLIENTS: [Row; 24] = [
    ("Claude Code", "command", "In a terminal", claude_code),
    ("Claude Code", "file", ".mcp.json", |target| {
        pretty(&any_other(target))
    }),
    (
        "Claude Desktop",
        "file",
        "claude_desktop_config.json",
        |target| pretty(&desktop(target)),
    ),
    ("Cursor", "file", "~/.cursor/mcp.json", |target| {
        servers("mcpServers", target, &target.entry("url", &[]))
    }),
    ("VS Code", "command", "In a terminal", vs_code),
    ("VS Code", "file", ".vscode/mcp.json", |target| {
        servers("servers", target, &http(target))
    }),
    (
        "Windsurf",
        "file",
        "~/.codeium/windsurf/mcp_config.json; on Windows %USERPROFILE%\\.codeium\\windsurf\\mcp_config.json",
        |target| servers("mcpServers", target, &target.entry("serverUrl", &[])),
    ),
    (
        "Zed",
        "file",
        "~/.config/zed/settings.json; on Windows %APPDATA%\\Zed\\settings.json",
        |target| servers("context_servers", target, &target.entry("url", &[])),
    ),
    (
        "Codex CLI",
        "file",
        "~/.codex/config.toml; on Windows %USERPROFILE%\\.codex\\config.toml",
        codex,
    ),
    ("Gemini CLI", "command", "In a terminal", gemini),
    (
        "Gemini CLI",
        "file",
        "~/.gemini/settings.json; on Windows %USERPROFILE%\\.gemini\\settings.json",
        |target| servers("mcpServers", target, &target.entry("httpUrl", &[])),
    ),
    (
        "opencode",
        "file",
        "opencode.json in your project or ~/.config/opencode/, opencode 2",
        |target| {
            let servers = json!({ "servers": { target.name: remote(target) } });
            pretty(&json!({ "$schema": "https://opencode.ai/config.json", "mcp": servers }))
        },
    ),
    ("opencode", "file", "The same file, opencode 1", |target| {
        let servers = json!({ target.name: remote(target) });
        pretty(&json!({ "$schema": "https://opencode.ai/config.json", "mcp": servers }))
    }),
    (
        "Cline",
        "file",
        "cline_mcp_settings.json: MCP Servers, Configure, Configure MCP Servers",
        |target| {
            let kind = [("type", json!("streamableHttp"))];
            servers("mcpServers", target, &target.entry("url", &kind))
        },
    ),
    (
        "Goose",
        "file",
        "~/.config/goose/config.yaml; on Windows %APPDATA%\\Block\\goose\\config\\config.yaml",
        goose,
    ),
    (
        "n8n",
        "file",
        "Paste on the canvas of a workflow, then connect it to an agent",
        n8n,
    ),
    (
        "n8n",
        "file",
        "As the Bearer Token of the node’s Bearer Auth credential",
        |target| target.token.unwrap_or("None is needed").to_owned(),
    ),
    ("LibreChat", "file", "librechat.yaml", librechat),
    ("Python", "command", "In a terminal", |_| {
        "pip install \"mcp>=2\"".to_owned()
    }),
    ("Python", "file", "list_tools.py", code::python),
    ("TypeScript", "command", "In a terminal", |_| {
        "npm install @modelcontextprotocol/client".to_owned()
    }),
    ("TypeScript", "file", "list-tools.mjs", code::typescript),
    (
        "curl",
        "command",
        "In a terminal, to see that it answers",
        code::curl,
    ),
    (
        "Any other client",
        "file",
        "Its MCP configuration",
        |target| pretty(&any_other(target)),
    ),
];

pub(super) const USUAL: [&str; 5] = [
    "Claude Code",
    "Claude Desktop",
    "Cursor",
    "VS Code",
    "Any other client",
];

/// The configuration most clients share, with the transport's type.
pub(super) fn any_other(target: Target<'_>) -> Value {
    json!({ "mcpServers": { target.name: http(target) } })
}

fn http(target: Target<'_>) -> Value {
    target.entry("url", &[("type", json!("http"))])
}

fn remote(target: Target<'_>) -> Value {
    let mut entry = target.entry("url", &[("type", json!("remote"))]);
    if target.token.is_some() {
        // Else it would look for a page to sign in at.
        entry["oauth"] = json!(false);
    }
    entry
}

fn servers(under: &str, target: Target<'_>, entry: &Value) -> String {
    pretty(&json!({ under: { target.name: entry } }))
}

/// Of a shell line.
fn header_option(target: Target<'_>) -> String {
    target.bearer().map_or_else(String::new, |bearer| {
        format!(" --header \"Authorization: {bearer}\"")
    })
}

fn claude_code(target: Target<'_>) -> String {
    let Target { name, endpoint, .. } = target;
    let header = header_option(target);
    format!("claude mcp add --transport http {name} {endpoint}{header}")
}

fn gemini(target: Target<'_>) -> String {
    let Target { name, endpoint, .. } = target;
    let header = header_option(target);
    format!("gemini mcp add --scope user --transport http{header} {name} {endpoint}")
}

fn vs_code(target: Target<'_>) -> String {
    let mut value = http(target);
    value["name"] = json!(target.name);
    format!("code --add-mcp '{value}'")
}

/// Claude Desktop's file starts commands only, so something stands between: this program where it
/// is at hand, else `mcp-remote`. The token goes by the environment, out of the process list.
fn desktop(target: Target<'_>) -> Value {
    let mut server = if let Some(program) = target.program {
        json!({ "command": program, "args": ["connect", target.endpoint] })
    } else {
        let mut args = vec!["-y", "mcp-remote", target.endpoint];
        if target.token.is_some() {
            args.extend(["--header", "Authorization:${AUTH_HEADER}"]);
        }
        if target.is_plain() {
            args.push("--allow-http");
        }
        json!({ "command": "npx", "args": args })
    };
    match (target.token, target.bearer()) {
        (Some(token), _) if target.program.is_some() => {
            server["env"] = json!({ "QUAYMASTER_TOKEN": token });
        }
        (_, Some(bearer)) => server["env"] = json!({ "AUTH_HEADER": bearer }),
        _ => {}
    }
    json!({ "mcpServers": { target.name: server } })
}

/// A string of JSON is one of TOML and of YAML, too, as long as it has no control characters.
fn quoted(text: &str) -> Value {
    json!(text)
}

fn codex(target: Target<'_>) -> String {
    let (name, url) = (quoted(target.name), quoted(target.endpoint));
    let header = target.bearer().map_or_else(String::new, |bearer| {
        format!("http_headers = {{ Authorization = {} }}\n", quoted(&bearer))
    });
    format!("[mcp_servers.{name}]\nurl = {url}\n{header}")
}

/// The headers of an entry of YAML.
fn yaml_headers(target: Target<'_>) -> String {
    target.bearer().map_or_else(String::new, |bearer| {
        format!("    headers:\n      Authorization: {}\n", quoted(&bearer))
    })
}

fn goose(target: Target<'_>) -> String {
    let (name, url) = (quoted(target.name), quoted(target.endpoint));
    let headers = yaml_headers(target);
    format!(
        "extensions:\n  {name}:\n    enabled: true\n    type: streamable_http\n    name: {name}\n    uri: {url}\n    timeout: 300\n{headers}"
    )
}

fn librechat(target: Target<'_>) -> String {
    let (name, url) = (quoted(target.name), quoted(target.endpoint));
    let headers = yaml_headers(target);
    format!("mcpServers:\n  {name}:\n    type: streamable-http\n    url: {url}\n{headers}")
}

/// A node never holds a secret; its credential is made in n8n.
fn n8n(target: Target<'_>) -> String {
    let authentication = if target.token.is_some() {
        "bearerAuth"
    } else {
        "none"
    };
    let node = json!({
        "name": target.name,
        "type": "@n8n/n8n-nodes-langchain.mcpClientTool",
        "typeVersion": 1.2,
        "position": [0, 0],
        "parameters": {
            "endpointUrl": target.endpoint,
            "serverTransport": "httpStreamable",
            "authentication": authentication,
        },
    });
    pretty(&json!({ "nodes": [node], "connections": {} }))
}

//! Clients that open a page to sign in at, and need the address alone.

use super::{Row, Target, pretty};
use serde_json::json;

pub(super) const CLIENTS: [Row; 9] = [
    (
        "Claude",
        "url",
        "Claude on the web and desktop: Settings → Connectors → Add custom connector",
        address,
    ),
    (
        "ChatGPT",
        "url",
        "On the web: Settings → Apps → Advanced settings → Developer mode, then Create app with OAuth",
        address,
    ),
    (
        "Claude Code",
        "command",
        "In a terminal, to sign in",
        |target| {
            let Target { name, endpoint, .. } = target;
            format!("claude mcp add --transport http {name} {endpoint}")
        },
    ),
    (
        "Cursor",
        "file",
        "~/.cursor/mcp.json, to sign in",
        |target| {
            let entry = target.entry("url", &[]);
            pretty(&json!({ "mcpServers": { target.name: entry } }))
        },
    ),
    (
        "VS Code",
        "file",
        ".vscode/mcp.json, to sign in",
        |target| {
            let entry = target.entry("url", &[("type", json!("http"))]);
            pretty(&json!({ "servers": { target.name: entry } }))
        },
    ),
    (
        "Codex CLI",
        "command",
        "In a terminal, to sign in",
        |target| {
            let Target { name, endpoint, .. } = target;
            format!("codex mcp add {name} --url {endpoint}")
        },
    ),
    (
        "Gemini CLI",
        "command",
        "In a terminal, to sign in",
        |target| {
            let Target { name, endpoint, .. } = target;
            format!("gemini mcp add --scope user --transport http {name} {endpoint}")
        },
    ),
    (
        "Any client that signs in",
        "url",
        "Where it asks for an address",
        address,
    ),
    (
        "Any client that signs in",
        "command",
        "For one that only starts commands",
        |target| {
            let over_http = if target.is_plain() {
                " --allow-http"
            } else {
                ""
            };
            format!("npx -y mcp-remote {}{over_http}", target.endpoint)
        },
    ),
];

fn address(target: Target<'_>) -> String {
    target.endpoint.to_owned()
}

//! Clients that send no headers: all that the server asks for stands in the address, and `mcp-remote`
//! between where a client starts commands.

use super::{Row, Target, code, pretty};
use serde_json::json;

pub(super) const CLIENTS: [Row; 6] = [
    (
        "Claude Code",
        "command",
        "In a terminal, through mcp-remote",
        |target| {
            let flag = allow_http(target).map_or(String::new(), |flag| format!(" {flag}"));
            let Target { name, endpoint, .. } = target;
            format!("claude mcp add {name} -- npx -y mcp-remote \"{endpoint}\"{flag}")
        },
    ),
    (
        "Claude Desktop",
        "file",
        "claude_desktop_config.json, through mcp-remote",
        bridge,
    ),
    (
        "Cursor",
        "file",
        ".cursor/mcp.json in your project, through mcp-remote",
        bridge,
    ),
    (
        "Claude",
        "url",
        "Claude on the web: Settings → Connectors → Add custom connector",
        |target| target.endpoint.to_owned(),
    ),
    (
        "ChatGPT",
        "url",
        "Settings → Apps → Advanced settings → Developer mode, then Create app with no authentication",
        |target| target.endpoint.to_owned(),
    ),
    (
        "curl",
        "command",
        "In a terminal, to see that it answers",
        code::curl,
    ),
];

/// Of plain HTTP the bridge takes by itself what stays on the machine.
fn allow_http(target: Target<'_>) -> Option<&'static str> {
    let is_local = ["http://localhost:", "http://127.0.0.1:"]
        .iter()
        .any(|start| target.endpoint.starts_with(start));
    (target.is_plain() && !is_local).then_some("--allow-http")
}

fn bridge(target: Target<'_>) -> String {
    let mut args = vec!["-y", "mcp-remote", target.endpoint];
    args.extend(allow_http(target));
    pretty(&json!({ "mcpServers": { target.name: { "command": "npx", "args": args } } }))
}

//! Programs: the official SDKs, and plain HTTP.

use super::Target;
use serde_json::{Value, json};

/// The first message of a client.
const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"test","version":"1.0"}}}"#;

pub(super) fn curl(target: Target<'_>) -> String {
    let endpoint = target.endpoint;
    let header = target.bearer().map_or_else(String::new, |bearer| {
        format!("  -H \"Authorization: {bearer}\" \\\n")
    });
    format!(
        "curl -X POST \"{endpoint}\" \\\n{header}  -H \"Content-Type: application/json\" \\\n  -d '{HELLO}'"
    )
}

fn headers(target: Target<'_>) -> Value {
    target
        .bearer()
        .map_or_else(|| json!({}), |bearer| json!({ "Authorization": bearer }))
}

pub(super) fn python(target: Target<'_>) -> String {
    let (url, headers) = (json!(target.endpoint), headers(target));
    format!(
        r"import asyncio

import httpx
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

URL = {url}
HEADERS = {headers}


async def main():
    async with httpx.AsyncClient(headers=HEADERS, timeout=60) as http:
        async with streamable_http_client(URL, http_client=http) as streams:
            async with ClientSession(streams[0], streams[1]) as session:
                await session.initialize()
                for tool in (await session.list_tools()).tools:
                    print(tool.name)


asyncio.run(main())
"
    )
}

pub(super) fn typescript(target: Target<'_>) -> String {
    let (url, headers) = (json!(target.endpoint), headers(target));
    format!(
        r#"import {{ Client, StreamableHTTPClientTransport }} from "@modelcontextprotocol/client";

const client = new Client({{ name: "example", version: "1.0.0" }});
await client.connect(
  new StreamableHTTPClientTransport(new URL({url}), {{
    requestInit: {{ headers: {headers} }},
  }}),
);
for (const tool of (await client.listTools()).tools) console.log(tool.name);
await client.close();
"#
    )
}

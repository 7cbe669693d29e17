//! A service that answers with payloads in whatever it says: results, errors, headers, and the tools of an MCP server.

use super::{PAYLOADS, Places};
use quaymaster_tests::{Act, Asked, Upstream};
use serde_json::{Value, json};

/// What `/v1` answers to the connector of notes, and `/mcp` as a server of the protocol.
struct Words {
    label: String,
    notes: Vec<Value>,
    header: String,
    reason: String,
    refusal: Value,
    server: Value,
    tools: Vec<Value>,
    result: String,
}

impl Words {
    fn choose(places: &mut Places) -> Words {
        let all = 1..=PAYLOADS.len();
        let notes = all.clone().map(|one| {
            let name = places.put("name of a member of a result", one);
            json!({ "text": places.put("text of a result", one), name: one })
        });
        let notes = notes.collect();
        let tools = all.map(|one| {
            let property = json!({
                "type": "string",
                "title": places.put("title of an input of a tool", one),
                "description": places.put("description of an input of a tool", one),
                "enum": [places.put("choice of an input of a tool", one)],
            });
            json!({
                "name": format!("tool_{one}"),
                "title": places.put("title of a tool", one),
                "description": places.put("description of a tool", one),
                "inputSchema": { "type": "object", "properties": { "a": property } },
            })
        });
        let mut tools: Vec<Value> = tools.collect();
        // Its name is no name, so it may be left out.
        tools.push(json!({
            "name": places.put("name of a tool", 3), "inputSchema": { "type": "object" },
        }));
        Words {
            label: places.put("label of an account", 3),
            notes,
            header: places.put("header of a result", 3),
            reason: places.put("reason of a refusal", 3),
            refusal: json!({
                "message": places.put("message of a refusal", 3),
                "error": {
                    "message": places.put("message of an error", 4),
                    "code": places.put("code of an error", 5),
                },
            }),
            server: json!({
                "name": places.put("name of an upstream server", 3), "version": "1",
                "title": places.put("title of an upstream server", 4),
            }),
            tools,
            result: places.put("text of a tool's result", 3),
        }
    }

    fn answer(&self, asked: &Asked) -> Vec<Act> {
        let path = asked.target.split('?').next().unwrap_or_default();
        match (asked.verb.as_str(), path) {
            ("POST", "/mcp") => self.protocol(&asked.body),
            ("GET", "/mcp") => Act::reply("405 Method Not Allowed", ""),
            ("GET", "/v1/me") => Act::json(&json!({ "name": self.label }).to_string()),
            ("GET", "/v1/notes") => Act::reply(
                &format!(
                    "200 {}\r\ncontent-type: application/json\r\nx-note: {}",
                    self.reason, self.header
                ),
                json!(self.notes).to_string(),
            ),
            _ => Act::reply(
                &format!("422 {}\r\ncontent-type: application/json", self.reason),
                self.refusal.to_string(),
            ),
        }
    }

    fn protocol(&self, body: &str) -> Vec<Act> {
        let message: Value = serde_json::from_str(body).unwrap_or_default();
        let id = &message["id"];
        let result = match message["method"].as_str().unwrap_or_default() {
            _ if id.is_null() => return Act::reply("202 Accepted", ""),
            "initialize" => json!({
                "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                "serverInfo": self.server,
            }),
            "tools/list" => json!({ "tools": self.tools }),
            "tools/call" => json!({ "content": [{ "type": "text", "text": self.result }] }),
            _ => {
                let error = json!({ "code": -32601, "message": self.result });
                return Act::json(
                    &json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string(),
                );
            }
        };
        Act::json(&json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string())
    }
}

pub(super) async fn start(places: &mut Places) -> Upstream {
    let words = Words::choose(places);
    Upstream::start("127.0.0.1", move |asked| words.answer(asked)).await
}

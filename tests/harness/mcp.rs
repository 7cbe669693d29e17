//! A client made of plain HTTP, which can also do what no good client does.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub const BOTH_TYPES: &str = "application/json, text/event-stream";

/// One caller with one session (or none, in the stateless era).
pub struct Mcp {
    pub client: Client,
    pub endpoint: String,
    pub token: String,
    pub session: Option<String>,
    next_id: AtomicI64,
}

/// An answer with everything a test may want to look at.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    async fn read(response: Response) -> Reply {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Reply {
            status,
            headers,
            text: response.text().await.expect("a body"),
        }
    }

    /// The JSON-RPC messages: the `data:` lines of a stream, or the body.
    pub fn messages(&self) -> Vec<Value> {
        let lines = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"));
        let messages: Vec<_> = lines
            .filter_map(|data| serde_json::from_str(data.trim()).ok())
            .collect();
        if messages.is_empty() {
            serde_json::from_str(&self.text).into_iter().collect()
        } else {
            messages
        }
    }

    /// The message that answers (the last one).
    pub fn message(&self) -> Value {
        self.messages()
            .pop()
            .unwrap_or_else(|| panic!("no message in {self:?}"))
    }
}

/// A tool's answer: the structured result, or the fault.
pub type ToolAnswer = Result<Value, Value>;

impl Mcp {
    /// A caller without a session.
    pub fn stateless(endpoint: &str, token: &str) -> Mcp {
        Mcp {
            client: Client::builder()
                .timeout(Duration::from_mins(1))
                .build()
                .expect("a client"),
            endpoint: endpoint.to_owned(),
            token: token.to_owned(),
            session: None,
            next_id: AtomicI64::new(1),
        }
    }

    /// Performs the handshake of a version with sessions.
    pub async fn open(endpoint: &str, token: &str) -> Mcp {
        let mut mcp = Mcp::stateless(endpoint, token);
        let reply = mcp.initialize("2025-06-18").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let session = reply.headers.get("mcp-session-id").expect("a session id");
        mcp.session = Some(session.to_str().expect("plain text").to_owned());
        let done = mcp
            .post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await;
        assert_eq!(done.status, 202, "{done:?}");
        mcp
    }

    pub async fn initialize(&self, version: &str) -> Reply {
        self.post(&json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {
                "protocolVersion": version,
                "capabilities": {},
                "clientInfo": { "name": "tests", "version": "1.0" },
            },
        }))
        .await
    }

    /// The headers that a good client sends; without a token it says nothing of who it is.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut set = |name: &'static str, value: &str| {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::from_str(value).expect("a value"),
            );
        };
        if !self.token.is_empty() {
            set("authorization", &format!("Bearer {}", self.token));
        }
        set("accept", BOTH_TYPES);
        set("content-type", "application/json");
        if let Some(session) = &self.session {
            set("mcp-session-id", session);
        }
        headers
    }

    pub async fn send(&self, method: Method, headers: HeaderMap, body: String) -> Reply {
        let request = self
            .client
            .request(method, &self.endpoint)
            .headers(headers)
            .body(body);
        Reply::read(request.send().await.expect("the server answers")).await
    }

    pub async fn post(&self, message: &Value) -> Reply {
        self.send(Method::POST, self.headers(), message.to_string())
            .await
    }

    /// A request of the session era.
    pub async fn request(&self, method: &str, params: Value) -> Value {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let reply = self
            .post(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await;
        reply.message()
    }

    /// A request of 2026-07-28: no session, everything in `_meta` and headers.
    pub async fn request_stateless(&self, method: &str, mut params: Value) -> Reply {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1.0" },
        });
        let mut headers = self.headers();
        headers.remove("mcp-session-id");
        headers.insert(
            "mcp-protocol-version",
            HeaderValue::from_static("2026-07-28"),
        );
        headers.insert(
            "mcp-method",
            HeaderValue::from_str(method).expect("a value"),
        );
        let named = match method {
            "resources/read" => &params["uri"],
            _ => &params["name"],
        };
        if let Some(name) = named.as_str() {
            headers.insert("mcp-name", HeaderValue::from_str(name).expect("a value"));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.send(Method::POST, headers, body.to_string()).await
    }

    /// The names of the caller's tools, as they are listed.
    pub async fn tool_names(&self) -> Vec<String> {
        let message = if self.session.is_some() {
            self.request("tools/list", json!({})).await
        } else {
            let reply = self.request_stateless("tools/list", json!({})).await;
            reply.message()
        };
        let tools = message["result"]["tools"].as_array();
        let tools = tools.unwrap_or_else(|| panic!("no tools in {message}"));
        let name = |tool: &Value| tool["name"].as_str().unwrap_or_default().to_owned();
        tools.iter().map(name).collect()
    }

    /// Calls a tool in the caller's era.
    pub async fn call(&self, tool: &str, arguments: Value) -> ToolAnswer {
        let params = json!({ "name": tool, "arguments": arguments });
        let message = if self.session.is_some() {
            self.request("tools/call", params).await
        } else {
            self.request_stateless("tools/call", params).await.message()
        };
        // A tool that is not there is an error of the protocol, with the fault as its data.
        let fault = &message["error"]["data"];
        if fault["code"].is_string() {
            return Err(fault.clone());
        }
        let result = &message["result"];
        if result["isError"] == true {
            let text = result["content"][0]["text"].as_str().unwrap_or_default();
            return Err(
                serde_json::from_str(text).unwrap_or_else(|_| panic!("no fault in {message}"))
            );
        }
        assert!(result.is_object(), "{message}");
        Ok(result["structuredContent"].clone())
    }

    /// Opens the stream of a session.
    pub async fn stream(&self) -> Response {
        let mut headers = self.headers();
        headers.remove("content-type");
        headers.insert("accept", HeaderValue::from_static("text/event-stream"));
        let client = Client::new();
        client
            .get(&self.endpoint)
            .headers(headers)
            .send()
            .await
            .expect("the server answers")
    }
}

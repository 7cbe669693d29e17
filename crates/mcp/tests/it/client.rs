//! Requests to the endpoint without a network.

use crate::door::FixtureDoor;
use axum::Router;
use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

pub(crate) const BOTH_TYPES: &str = "application/json, text/event-stream";
/// Longer than any answer takes; a day, because some tests let hours pass.
const PATIENCE: Duration = Duration::from_hours(24);

/// A caller: a door, a token of one letter, perhaps a session.
#[derive(Clone)]
pub(crate) struct Client {
    router: Router,
    token: String,
    /// What the client declares.
    capabilities: Value,
    pub(crate) session: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The JSON-RPC message that answers: the last event of a stream, or the body.
    pub(crate) fn message(&self) -> Value {
        let mut lines = self.text.lines().rev();
        let last = lines.find_map(|line| line.strip_prefix("data:"));
        let text = last.unwrap_or(&self.text).trim();
        serde_json::from_str(text).unwrap_or_else(|_| panic!("no message in {self:?}"))
    }
}

/// An answer that goes on.
pub(crate) struct Stream {
    body: BodyDataStream,
    read: String,
}

impl Stream {
    /// The next JSON-RPC message; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            while let Some((line, rest)) = self.read.split_once('\n') {
                let data = line.strip_prefix("data:").unwrap_or_default().trim();
                let message = serde_json::from_str(data).ok();
                self.read = rest.to_owned();
                if message.is_some() {
                    return message;
                }
            }
            let bytes = self.body.next().await?.unwrap();
            self.read.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

impl Client {
    pub(crate) fn new(door: &Arc<FixtureDoor>) -> Client {
        Client::of(door.router())
    }

    pub(crate) fn of(router: Router) -> Client {
        Client {
            router,
            token: "a".to_owned(),
            capabilities: json!({}),
            session: None,
        }
    }

    pub(crate) fn that_can(mut self, capabilities: Value) -> Client {
        self.capabilities = capabilities;
        self
    }

    /// The same endpoint with another credential and no session.
    pub(crate) fn with_token(&self, token: &str) -> Client {
        Client {
            router: self.router.clone(),
            token: token.to_owned(),
            capabilities: self.capabilities.clone(),
            session: None,
        }
    }

    /// The handshake of the versions with sessions.
    pub(crate) async fn open(&self) -> Client {
        let answer = self.initialize("2025-11-25").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let mut client = self.clone();
        let session = answer.headers["mcp-session-id"].to_str().unwrap();
        client.session = Some(session.to_owned());
        let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        assert_eq!(client.post(&done).await.status, 202);
        client
    }

    pub(crate) async fn initialize(&self, version: &str) -> Answer {
        self.ask(
            "initialize",
            json!({
                "protocolVersion": version,
                "capabilities": self.capabilities,
                "clientInfo": { "name": "tests", "version": "1.0" },
            }),
        )
        .await
    }

    /// A request with the headers of a good client; `None` removes one of them.
    pub(crate) fn request(
        &self,
        method: Method,
        changed: &[(&str, Option<&str>)],
        body: impl Into<Body>,
    ) -> Request<Body> {
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("host", Some("127.0.0.1:8080")),
            ("authorization", Some(&bearer)),
            ("accept", Some(BOTH_TYPES)),
            ("content-type", Some("application/json")),
            ("mcp-session-id", self.session.as_deref()),
        ];
        headers.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
        headers.extend(changed);
        let mut request = Request::builder().method(method).uri("/mcp");
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request.body(body.into()).unwrap()
    }

    async fn respond(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = async {
            let (parts, body) = self.respond(request).await.into_parts();
            let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                text: String::from_utf8(bytes.into()).unwrap(),
            }
        };
        tokio::time::timeout(PATIENCE, answer).await.unwrap()
    }

    /// Sends a request whose answer goes on.
    pub(crate) async fn stream(&self, request: Request<Body>) -> Stream {
        let answer = self.respond(request).await;
        assert_eq!(answer.status(), 200);
        Stream {
            body: answer.into_body().into_data_stream(),
            read: String::new(),
        }
    }

    pub(crate) async fn post(&self, message: &Value) -> Answer {
        self.send(self.request(Method::POST, &[], message.to_string()))
            .await
    }

    /// A request of the versions with sessions.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Answer {
        self.post(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }))
            .await
    }

    /// A call of the versions with sessions, whose answer is read as it comes.
    pub(crate) async fn begin(&self, method: &str, params: Value) -> Stream {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request = self.request(Method::POST, &[], body.to_string());
        self.stream(request).await
    }

    /// Answers a request of the server.
    pub(crate) async fn reply(&self, asked: &Value, result: Value) {
        let reply = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
        assert_eq!(self.post(&reply).await.status, 202);
    }

    /// A request of 2026-07-28, which repeats its method and name in headers.
    pub(crate) fn stateless(&self, method: &str, mut params: Value) -> Request<Body> {
        params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
        params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        let name = params["name"].as_str().or_else(|| params["uri"].as_str());
        let name = name.map(str::to_owned);
        let headers = [
            ("mcp-protocol-version", Some("2026-07-28")),
            ("mcp-method", Some(method)),
            ("mcp-name", name.as_deref()),
        ];
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        self.request(Method::POST, &headers, body.to_string())
    }

    pub(crate) async fn ask_stateless(&self, method: &str, params: Value) -> Answer {
        self.send(self.stateless(method, params)).await
    }
}

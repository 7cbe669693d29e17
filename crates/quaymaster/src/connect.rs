//! `connect`: a bridge between a client that speaks over standard input and output and a server
//! over HTTP, so that such clients need no Node.
//!
//! One JSON-RPC message a line each way (MCP, stdio transport). Requests of the session era carry
//! the session that `initialize` opened; requests of the stateless era carry the headers that
//! repeat their body.

use anyhow::Context as _;
use futures_util::StreamExt as _;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

struct Bridge {
    client: Client,
    url: String,
    authorization: HeaderValue,
    /// Session id and protocol version, once `initialize` is answered.
    session: Mutex<(Option<String>, Option<String>)>,
    out: mpsc::Sender<String>,
}

pub(crate) async fn connect(
    url: &str,
    token: Option<String>,
    _as_json: bool,
) -> anyhow::Result<()> {
    let token = token.context("give the token in the environment: QUAYMASTER_TOKEN")?;
    let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
        .context("the token has characters that no token has")?;
    authorization.set_sensitive(true);
    let (out, printed) = mpsc::channel(64);
    let bridge = Arc::new(Bridge {
        client: Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .build()?,
        url: url.to_owned(),
        authorization,
        session: Mutex::default(),
        out,
    });
    let printer = tokio::spawn(print_lines(printed));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut calls = JoinSet::new();
    while let Some(line) = lines.next_line().await? {
        if line.trim().is_empty() {
            continue;
        }
        let message = match serde_json::from_str::<Value>(&line) {
            Ok(message) => message,
            Err(error) => {
                bridge
                    .answer_error(&Value::Null, -32_700, &format!("this is no JSON: {error}"))
                    .await;
                continue;
            }
        };
        let starts = matches!(
            message["method"].as_str(),
            Some("initialize" | "notifications/initialized")
        );
        if starts {
            // What follows needs the session, so these two are waited for.
            bridge.clone().forward(message).await;
        } else {
            calls.spawn(bridge.clone().forward(message));
        }
        while calls.try_join_next().is_some() {}
    }
    // The client closed its end: answers on their way still arrive, then the session ends.
    let _ = tokio::time::timeout(Duration::from_secs(30), async {
        while calls.join_next().await.is_some() {}
    })
    .await;
    bridge.end().await;
    drop(bridge);
    let _ = tokio::time::timeout(Duration::from_secs(1), printer).await;
    Ok(())
}

async fn print_lines(mut lines: mpsc::Receiver<String>) {
    let mut out = tokio::io::stdout();
    while let Some(mut line) = lines.recv().await {
        line.push('\n');
        if out.write_all(line.as_bytes()).await.is_err() || out.flush().await.is_err() {
            return;
        }
    }
}

impl Bridge {
    fn session(&self) -> (Option<String>, Option<String>) {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn post(&self, message: &Value) -> RequestBuilder {
        let mut request = self
            .client
            .post(&self.url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(ACCEPT, "application/json, text/event-stream")
            .header(CONTENT_TYPE, "application/json");
        let params = &message["params"];
        if let Some(version) = params["_meta"][META_VERSION].as_str() {
            request = request.header(VERSION, version);
            if let Some(method) = message["method"].as_str() {
                request = request.header("mcp-method", method);
            }
            if let Some(name) = params["name"].as_str().or_else(|| params["uri"].as_str()) {
                request = request.header("mcp-name", header_text(name));
            }
        } else if message["method"] != "initialize" {
            let (session, version) = self.session();
            if let Some(session) = session {
                request = request.header(SESSION, session);
            }
            if let Some(version) = version {
                request = request.header(VERSION, version);
            }
        }
        request.body(message.to_string())
    }

    async fn forward(self: Arc<Self>, message: Value) {
        let id = message["id"].clone();
        let response = match self.post(&message).send().await {
            Ok(response) => response,
            Err(error) => {
                let text = format!("the server does not answer: {}", error.without_url());
                return self.answer_error(&id, -32_000, &text).await;
            }
        };
        if message["method"] == "initialize" {
            let opened = response
                .headers()
                .get(SESSION)
                .and_then(|id| id.to_str().ok());
            self.session
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .0 = opened.map(str::to_owned);
        }
        let status = response.status();
        if let Err(error) = self.copy(response, &id).await {
            return self
                .answer_error(&id, -32_000, &format!("the answer broke off: {error}"))
                .await;
        }
        if message["method"] == "notifications/initialized" && status.is_success() {
            tokio::spawn(self.listen());
        }
    }

    /// Writes an answer's messages out, be it a stream, one JSON body or a refusal.
    async fn copy(&self, response: Response, id: &Value) -> anyhow::Result<()> {
        let status = response.status();
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return self.copy_events(response).await;
        }
        if status == StatusCode::ACCEPTED {
            return Ok(());
        }
        let body = response.text().await?;
        match serde_json::from_str::<Value>(&body) {
            Ok(message) if message["jsonrpc"] == "2.0" => self.write(&message).await,
            Ok(fault) => {
                let text = fault["message"]
                    .as_str()
                    .unwrap_or("the server refused the request");
                self.answer_error(id, -32_000, text).await;
            }
            Err(_) => {
                self.answer_error(
                    id,
                    -32_000,
                    &format!("the server answered with status {status}"),
                )
                .await;
            }
        }
        Ok(())
    }

    async fn copy_events(&self, response: Response) -> anyhow::Result<()> {
        let mut events = EventLines::default();
        let mut body = response.bytes_stream();
        while let Some(chunk) = body.next().await {
            for data in events.push(&chunk?) {
                if let Ok(message) = serde_json::from_str::<Value>(&data) {
                    self.write(&message).await;
                }
            }
        }
        Ok(())
    }

    async fn write(&self, message: &Value) {
        if let Some(version) = message["result"]["protocolVersion"].as_str() {
            self.session
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .1 = Some(version.to_owned());
        }
        let _ = self.out.send(message.to_string()).await;
    }

    async fn answer_error(&self, id: &Value, code: i32, text: &str) {
        if id.is_null() && code != -32_700 {
            return; // Notifications get no answer.
        }
        let message =
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } });
        let _ = self.out.send(message.to_string()).await;
    }

    /// The stream of what the server tells unasked; opened again when it breaks.
    async fn listen(self: Arc<Self>) {
        loop {
            let (Some(session), version) = self.session() else {
                return;
            };
            let mut request = self
                .client
                .get(&self.url)
                .header(AUTHORIZATION, self.authorization.clone())
                .header(ACCEPT, "text/event-stream")
                .header(SESSION, session);
            if let Some(version) = version {
                request = request.header(VERSION, version);
            }
            match request.send().await {
                Ok(response) if response.status().is_success() => {
                    let _ = self.copy_events(response).await;
                }
                // The session or the credential is gone; the next request says so.
                Ok(_) => return,
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    }

    async fn end(&self) {
        let (Some(session), version) = self.session() else {
            return;
        };
        let mut request = self
            .client
            .delete(&self.url)
            .header(AUTHORIZATION, self.authorization.clone())
            .header(SESSION, session)
            .timeout(Duration::from_secs(2));
        if let Some(version) = version {
            request = request.header(VERSION, version);
        }
        let _ = request.send().await;
    }
}

/// Header values are plain ASCII; others are wrapped as the protocol says (SEP-2243).
fn header_text(text: &str) -> String {
    use base64::Engine as _;
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && text.trim() == text {
        return text.to_owned();
    }
    format!(
        "=?base64?{}?=",
        base64::engine::general_purpose::STANDARD.encode(text)
    )
}

/// Puts the `data:` lines of server-sent events together (WHATWG HTML §9.2.6).
#[derive(Default)]
struct EventLines {
    rest: Vec<u8>,
    data: Vec<String>,
}

impl EventLines {
    fn push(&mut self, chunk: &[u8]) -> Vec<String> {
        self.rest.extend_from_slice(chunk);
        let mut events = Vec::new();
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() {
                if !self.data.is_empty() {
                    events.push(std::mem::take(&mut self.data).join("\n"));
                }
            } else if let Some(data) = line.strip_prefix("data:") {
                self.data
                    .push(data.strip_prefix(' ').unwrap_or(data).to_owned());
            }
        }
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_out_whole_however_the_bytes_are_cut() {
        let text = b": ping\n\nid: 1\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata:x\n\n";
        for cut in 1..text.len() {
            let mut lines = EventLines::default();
            let events: Vec<_> = text
                .chunks(cut)
                .flat_map(|chunk| lines.push(chunk))
                .collect();
            assert_eq!(events, ["{\"a\":\n1}", "x"], "cut {cut}");
        }
    }

    #[test]
    fn names_that_no_header_can_hold_are_wrapped() {
        assert_eq!(header_text("list_files"), "list_files");
        assert_eq!(header_text("größe"), "=?base64?Z3LDtsOfZQ==?=");
    }
}

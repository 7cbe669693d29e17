//! `connect`: a bridge between a client that speaks over standard input and output and a server
//! over HTTP, so that such clients need no Node.
//!
//! One JSON-RPC message a line each way (MCP, stdio transport). Requests of the session era carry
//! the session that `initialize` opened; requests of the stateless era carry the headers that
//! repeat their body. Every request gets one answer, whatever happens to the server, except one
//! that the client cancelled. A server that was started anew gets the client's handshake again,
//! so that the client notices nothing.

mod answer;
mod bridge;
mod events;
mod exchange;
mod messages;

use anyhow::Context as _;
use bridge::Bridge;
use exchange::Exchange;
use reqwest::Url;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How long answers may take once the client closed its end.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) async fn connect(
    url: &str,
    token: Option<String>,
    _as_json: bool,
) -> anyhow::Result<()> {
    let token = token.context("give the token in the environment: QUAYMASTER_TOKEN")?;
    let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
        .context("the token has characters that no token has")?;
    authorization.set_sensitive(true);
    let url = Url::parse(url).with_context(|| format!("{url:?} is not a URL"))?;
    let (out, printed) = mpsc::channel(64);
    let printer = tokio::spawn(print_lines(printed));
    let bridge = Arc::new(Bridge::new(url, authorization, out)?);
    let mut exchanges = JoinSet::new();
    read_lines(&bridge, &mut exchanges).await;
    // The client closed its end: answers on their way still arrive, then the session ends.
    bridge.end_subscriptions();
    let all_ended = async { while exchanges.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(PATIENCE, all_ended).await;
    bridge.ending.cancel();
    let all_ended = async { while exchanges.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(Duration::from_secs(1), all_ended).await;
    drop(exchanges);
    bridge.end_session().await;
    drop(bridge);
    let _ = tokio::time::timeout(Duration::from_secs(1), printer).await;
    Ok(())
}

/// Until the client closes its end. A line that is no message is answered and left behind.
async fn read_lines(bridge: &Arc<Bridge>, exchanges: &mut JoinSet<()>) {
    let mut input = BufReader::new(tokio::io::stdin());
    let mut line = Vec::new();
    // What follows a handshake waits until that is through.
    let mut opened: Option<CancellationToken> = None;
    loop {
        line.clear();
        if !matches!(input.read_until(b'\n', &mut line).await, Ok(1..)) {
            return;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Value>(&line) {
            Ok(message) if message.is_object() => {
                let Some(exchange) = Exchange::begin(bridge, message, opened.clone()) else {
                    continue;
                };
                if exchange.opens_session() {
                    opened = Some(exchange.answered.clone());
                }
                exchanges.spawn(exchange.run());
            }
            Ok(other) => refuse_batch(bridge, &other).await,
            Err(error) => {
                let text = format!("this line is not JSON: {error}");
                bridge.write_error(&Value::Null, -32_700, &text).await;
            }
        }
        while exchanges.try_join_next().is_some() {}
    }
}

/// Several messages in one line are of 2025-03-26 only, and the server does not take them.
async fn refuse_batch(bridge: &Bridge, line: &Value) {
    let text = "send one JSON-RPC message a line, not several";
    let requests: Vec<_> = line
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(messages::request_id)
        .collect();
    for id in &requests {
        bridge.write_error(id, -32_600, text).await;
    }
    if requests.is_empty() {
        bridge.write_error(&Value::Null, -32_600, text).await;
    }
}

async fn print_lines(mut lines: mpsc::Receiver<Value>) {
    let mut out = tokio::io::stdout();
    while let Some(message) = lines.recv().await {
        let line = format!("{message}\n");
        if out.write_all(line.as_bytes()).await.is_err() || out.flush().await.is_err() {
            return;
        }
    }
}

/// An error in the shape of JSON-RPC 2.0 §5.1.
fn error_answer(id: &Value, code: i32, text: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } })
}

//! Answers as events: when they come, and to whom.

use quaymaster_tests::{Mcp, Server};
use reqwest::header::HeaderValue;
use serde_json::json;
use std::time::{Duration, Instant};

/// A server that does not set `TCP_NODELAY` holds the last event of each answer back for about
/// 40 ms.
#[tokio::test]
async fn twenty_calls_on_one_connection_wait_for_no_acknowledgement() {
    const CALLS: u32 = 20;
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let mut best = Duration::MAX;
    // The best of three: other tests run at the same time, and Nagle would delay all three.
    for _ in 0..3 {
        let began = Instant::now();
        for _ in 0..CALLS {
            mcp.call("list_files", json!({})).await.unwrap();
        }
        best = best.min(began.elapsed());
    }
    assert!(best < CALLS * Duration::from_millis(35), "{best:?}");
}

// promise: S4.1, S4.23
#[tokio::test]
async fn an_initialize_as_curl_sends_it_is_answered() {
    let server = Server::start().await;
    let mcp = Mcp::stateless(&server.endpoint, &server.token);
    let mut headers = mcp.headers();
    headers.insert("accept", HeaderValue::from_static("*/*"));
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2024-11-05",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1.0" },
        },
    });
    let answer = mcp
        .send(reqwest::Method::POST, headers, message.to_string())
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let result = &answer.message()["result"];
    assert_eq!(result["protocolVersion"], "2024-11-05");
    assert_eq!(result["serverInfo"]["name"], "quaymaster");
}

//! Long work tells how far it is.

use quaymaster_tests::{Mcp, Server};
use serde_json::{Value, json};

const PART: usize = 8 * 1024 * 1024;

#[tokio::test]
async fn a_client_that_asks_is_told_how_far_the_completion_of_an_upload_is() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let size = 5 * PART;
    let session = mcp
        .call(
            "create_upload_session",
            json!({ "path": "big.bin", "size": size }),
        )
        .await
        .unwrap();
    let template = session["part_url_template"].as_str().unwrap();
    for n in 0..5 {
        let sent = mcp
            .client
            .put(template.replace("{n}", &n.to_string()))
            .body(vec![n; PART])
            .send()
            .await
            .unwrap();
        assert_eq!(sent.status(), 200);
    }
    let reply = mcp
        .post(&json!({
            "jsonrpc": "2.0", "id": 900, "method": "tools/call",
            "params": {
                "name": "complete_upload_session",
                "arguments": { "upload_id": session["upload_id"] },
                "_meta": { "progressToken": "p1" },
            },
        }))
        .await;
    let messages = reply.messages();
    let (answer, told) = messages.split_last().unwrap();
    assert_eq!(answer["result"]["structuredContent"]["size"], size);
    let done: Vec<_> = told.iter().map(|message| progress(message, size)).collect();
    assert!(!done.is_empty() && done.is_sorted(), "{messages:?}");
}

/// What a progress notification says is done.
fn progress(message: &Value, total: usize) -> u64 {
    assert_eq!(message["method"], "notifications/progress");
    let params = &message["params"];
    assert_eq!(params["progressToken"], "p1");
    assert_eq!(params["total"].as_f64(), Some(total as f64));
    assert_eq!(params["message"], "Checking the bytes of the file");
    params["progress"].as_f64().unwrap() as u64
}

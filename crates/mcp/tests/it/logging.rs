//! Lines of a call's log: for whoever asked for them, and nobody else.

use crate::client::Client;
use crate::door::FixtureDoor;
use http::Method;
use quaymaster_core::door::Offers;
use serde_json::{Value, json};
use std::time::Duration;

const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

fn call(meta: &Value) -> Value {
    json!({ "name": "test_logging_tool", "arguments": {}, "_meta": meta })
}

#[tokio::test]
async fn a_session_hears_lines_from_the_level_on_that_it_set() {
    let client = Client::new(&FixtureDoor::new()).open().await;
    let mut stream = client.stream(client.request(Method::GET, &[], "")).await;
    client.ask("tools/call", call(&json!({}))).await;
    let quiet = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");

    let set = client
        .ask("logging/setLevel", json!({ "level": "info" }))
        .await;
    assert_eq!(set.message()["result"], json!({}));
    client.ask("tools/call", call(&json!({}))).await;
    for line in ["started", "processing data", "completed"] {
        let told = stream.next().await.unwrap();
        assert_eq!(told["method"], "notifications/message", "{told}");
        let params = &told["params"];
        assert_eq!(params["level"], "info");
        assert_eq!(params["data"], format!("Tool execution {line}"));
    }

    client
        .ask("logging/setLevel", json!({ "level": "error" }))
        .await;
    client.ask("tools/call", call(&json!({}))).await;
    let quiet = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

#[tokio::test]
async fn a_stateless_call_hears_lines_before_its_answer_when_it_asks_for_them() {
    let only_tools = FixtureDoor::offering(Offers::default());
    for (door, meta, lines) in [
        (FixtureDoor::new(), json!({ LOG_LEVEL: "debug" }), 4),
        (FixtureDoor::new(), json!({ LOG_LEVEL: "info" }), 3),
        (FixtureDoor::new(), json!({ LOG_LEVEL: "error" }), 0),
        (FixtureDoor::new(), json!({ LOG_LEVEL: "nonsense" }), 0),
        (FixtureDoor::new(), json!({}), 0),
        (only_tools, json!({ LOG_LEVEL: "debug" }), 0),
    ] {
        let client = Client::new(&door);
        let answer = client.ask_stateless("tools/call", call(&meta)).await;
        let told = answer.text.matches("notifications/message").count();
        assert_eq!(told, lines, "{meta} {answer:?}");
        assert_eq!(answer.message()["result"]["content"][0]["text"], "Logged.");
    }
}

#[tokio::test]
async fn a_level_of_one_session_is_not_that_of_another() {
    let client = Client::new(&FixtureDoor::new());
    let loud = client.open().await;
    loud.ask("logging/setLevel", json!({ "level": "debug" }))
        .await;
    let other = client.open().await;
    let mut stream = other.stream(other.request(Method::GET, &[], "")).await;
    other.ask("tools/call", call(&json!({}))).await;
    let quiet = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

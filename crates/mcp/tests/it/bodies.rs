//! Bodies that no good client sends: refused, never a failure of the server.

use crate::client::{Answer, Client};
use crate::door::FixtureDoor;
use http::Method;
use serde_json::{Value, json};

/// Either a refusal by HTTP or an error of the protocol.
fn assert_refused(what: &str, answer: &Answer) {
    match answer.status {
        400..500 => {}
        200 => assert!(
            answer.message()["error"]["code"].is_i64(),
            "{what}: {answer:?}"
        ),
        _ => panic!("{what}: {answer:?}"),
    }
}

fn bad_bodies() -> Vec<(&'static str, Vec<u8>)> {
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        ("nothing", Vec::new()),
        ("no JSON", text("{")),
        ("null", text("null")),
        ("a number", text("1")),
        ("a text", text(r#""tools/list""#)),
        ("an empty object", text("{}")),
        ("an empty batch", text("[]")),
        ("a batch", text(&format!("[{list},{list}]"))),
        ("two messages", text(&format!("{list}{list}"))),
        ("half a text", text(&list[..20])),
        (
            "no UTF-8",
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}".to_vec(),
        ),
        (
            "another version",
            text(r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#),
        ),
        ("no version", text(r#"{"id":1,"method":"tools/list"}"#)),
        (
            "a method that is a number",
            text(r#"{"jsonrpc":"2.0","id":1,"method":7}"#),
        ),
        (
            "an id that is an object",
            text(r#"{"jsonrpc":"2.0","id":{},"method":"tools/list"}"#),
        ),
        (
            "an id with a fraction",
            text(r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}"#),
        ),
        (
            "parameters that are a text",
            text(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":"x"}"#),
        ),
        (
            "a call without a name",
            text(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#),
        ),
        (
            "arguments that are a list",
            text(
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","arguments":[1]}}"#,
            ),
        ),
        (
            "a name that is null",
            text(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":null}}"#),
        ),
        (
            "ten thousand levels",
            text(&format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}{}}}"#,
                r#"{"a":"#.repeat(10_000),
                "}".repeat(9_999)
            )),
        ),
        ("nine megabytes", vec![b' '; 9 * 1024 * 1024]),
    ]
}

#[tokio::test]
async fn bad_bodies_are_refused_in_both_eras_and_the_session_goes_on() {
    let session = Client::new(&FixtureDoor::new()).open().await;
    let stateless = [
        ("mcp-session-id", None),
        ("mcp-protocol-version", Some("2026-07-28")),
        ("mcp-method", Some("tools/list")),
    ];
    for (what, body) in bad_bodies() {
        for headers in [&[][..], &stateless] {
            let request = session.request(Method::POST, headers, body.clone());
            assert_refused(what, &session.send(request).await);
        }
    }
    assert_eq!(session.ask("tools/list", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_key_that_stands_twice_never_makes_two_readers_differ() {
    let client = Client::new(&FixtureDoor::new()).open().await;
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","name":"nonsense"}}"#,
    ] {
        let answer = client
            .send(client.request(Method::POST, &[], body.to_owned()))
            .await;
        assert_refused(body, &answer);
    }
}

#[tokio::test]
async fn headers_that_contradict_the_body_are_refused_in_the_stateless_era() {
    let client = Client::new(&FixtureDoor::new());
    let params = json!({
        "name": "test_simple_text",
        "arguments": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    let good = [
        ("mcp-protocol-version", Some("2026-07-28")),
        ("mcp-method", Some("tools/call")),
        ("mcp-name", Some("test_simple_text")),
    ];
    let send = async |headers: &[(&str, Option<&str>)]| {
        let request = client.request(Method::POST, headers, body.to_string());
        client.send(request).await
    };
    assert_eq!(send(&good).await.status, 200);
    for (index, wrong) in [(0, "2025-11-25"), (1, "tools/list"), (2, "other")] {
        for value in [Some(wrong), None] {
            let mut headers = good;
            headers[index].1 = value;
            let answer = send(&headers).await;
            assert_eq!(answer.status, 400, "{headers:?} {answer:?}");
            assert!(is_error(&answer), "{headers:?} {answer:?}");
        }
    }
}

fn is_error(answer: &Answer) -> bool {
    serde_json::from_str::<Value>(&answer.text).is_ok_and(|body| body["error"].is_object())
}

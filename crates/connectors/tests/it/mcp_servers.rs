//! Upstream MCP servers of both eras: agreed with, listed, called.

use crate::fixture::{SECRET, account, connector, sender, value};
use crate::upstream::{Act, Seen, Upstream, json as answer_json, reply};
use quaymaster_connectors::request::{Account, Invocation, Prepared};
use quaymaster_connectors::send::{Answer, Data, Failure, FailureKind, Options, Sender};
use quaymaster_connectors::upstream::{Found, with_tools};
use serde::Deserialize as _;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub(crate) const SERVER: &str = r#"
kind: mcp
mcp: {path: /mcp}
auth:
  - {key: token, type: api_key, fields: {token: {secret: true}}, inject: {header: {authorization: "Bearer {token}"}}}
  - {key: header, type: api_key, fields: {header: {}, value: {secret: true}}, inject: {header: {"{header}": "{value}"}}}
  - {key: oauth, type: oauth2}
  - {key: open, type: none}
modules: {tools: {title: Tools, actions: {}}}
"#;

pub(crate) fn signed() -> Account {
    account("token", &[("token", SECRET)])
}

pub(crate) fn options() -> Options {
    Options {
        timeout: Some(Duration::from_secs(2)),
        max_wait: Duration::from_millis(300),
        backoff: Duration::from_millis(20),
        ..Options::default()
    }
}

pub(crate) fn tool(name: &str, arguments: Value) -> Invocation {
    Invocation {
        rpc: Some(name.into()),
        body: Some(arguments),
        ..Invocation::default()
    }
}

pub(crate) fn listing() -> Invocation {
    Invocation {
        discover: true,
        ..Invocation::default()
    }
}

/// The JSON-RPC message of a request.
pub(crate) fn message(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap_or_default()
}

pub(crate) fn result(seen: &Seen, result: &Value) -> Vec<Act> {
    let id = &message(seen)["id"];
    answer_json(&json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string())
}

pub(crate) fn error(status: &str, code: i64, text: &str) -> Vec<Act> {
    let error = json!({ "code": code, "message": text });
    let body = json!({ "jsonrpc": "2.0", "id": null, "error": error });
    let head = format!("{status}\r\ncontent-type: application/json");
    reply(&head, body.to_string())
}

pub(crate) fn events(messages: &[Value]) -> Vec<Act> {
    let mut text = String::from(": here\n\n");
    for message in messages {
        let _ = write!(text, "event: message\ndata: {message}\n\n");
    }
    reply("200 OK\r\ncontent-type: text/event-stream", text)
}

fn initialized(seen: &Seen, session: Option<&str>) -> Vec<Act> {
    let id = &message(seen)["id"];
    let result = json!({ "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": { "name": "demo", "title": "Demo server" } });
    let head = session.map(|id| format!("\r\nmcp-session-id: {id}"));
    let head = format!(
        "200 OK\r\ncontent-type: application/json{}",
        head.unwrap_or_default()
    );
    reply(
        &head,
        json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string(),
    )
}

/// A server with sessions, whose other answers are given.
pub(crate) async fn with_sessions(
    ip: &str,
    answers: impl Fn(&Seen, &Value) -> Vec<Act> + Send + Sync + 'static,
) -> Upstream {
    let sessions = Arc::new(AtomicUsize::new(0));
    Upstream::start(ip, move |seen, _| {
        if seen.verb == "DELETE" {
            return reply("202 Accepted", "");
        }
        let message = message(seen);
        match message["method"].as_str() {
            Some("server/discover") => error("400 Bad Request", -32000, "No session"),
            Some("initialize") => {
                let nr = sessions.fetch_add(1, Ordering::SeqCst);
                initialized(seen, Some(&format!("s{nr}")))
            }
            Some("notifications/initialized") => reply("202 Accepted", ""),
            _ => answers(seen, &message),
        }
    })
    .await
}

pub(crate) async fn send(
    sender: &Sender,
    upstream: &Upstream,
    call: &Invocation,
) -> Result<Answer, Failure> {
    let prepared = connector(&upstream.url(""), SERVER);
    sender
        .send(&prepared, &signed(), "c", call, &options())
        .await
}

pub(crate) fn methods(upstream: &Upstream) -> Vec<String> {
    let seen = upstream.seen();
    let name = |seen: &Seen| match message(seen)["method"].as_str() {
        Some(method) => method.to_owned(),
        None => seen.verb.clone(),
    };
    seen.iter().map(name).collect()
}

#[tokio::test]
async fn a_server_with_sessions_is_initialized_once_and_told_at_the_end() {
    let upstream = with_sessions("127.77.31.1", |seen, message| {
        assert_eq!(message["method"], "tools/call");
        result(
            seen,
            &json!({ "content": [{ "type": "text", "text": "done" }] }),
        )
    })
    .await;
    let sender = sender();
    for _ in 0..3 {
        let answer = send(&sender, &upstream, &tool("do", json!({ "a": 1 })))
            .await
            .unwrap();
        assert_eq!(answer.data, Data::Text("done".into()));
    }
    sender.end_session("c").await;
    assert_eq!(
        methods(&upstream),
        [
            "server/discover",
            "initialize",
            "notifications/initialized",
            "tools/call",
            "tools/call",
            "tools/call",
            "DELETE"
        ]
    );
    let seen = upstream.seen();
    let bearer = format!("Bearer {SECRET}");
    for seen in &seen {
        assert_eq!(
            (seen.target.as_str(), seen.header("authorization")),
            ("/mcp", Some(bearer.as_str()))
        );
    }
    for call in &seen[2..] {
        assert_eq!(call.header("mcp-session-id"), Some("s0"));
        assert_eq!(call.header("mcp-protocol-version"), Some("2025-06-18"));
    }
    assert_eq!(seen[1].header("mcp-session-id"), None);
    assert_eq!(message(&seen[1])["params"]["protocolVersion"], "2025-11-25");
    assert_eq!(
        message(&seen[3])["params"],
        json!({ "name": "do", "arguments": { "a": 1 } })
    );
    let ids: Vec<Value> = seen[3..6]
        .iter()
        .map(|seen| message(seen)["id"].clone())
        .collect();
    assert!(ids[0] != ids[1] && ids[1] != ids[2], "{ids:?}");
}

#[tokio::test]
async fn a_server_without_sessions_gets_everything_with_each_request() {
    let upstream = Upstream::start("127.77.31.2", |seen, _| {
        let message = message(seen);
        let named = |key: &str| message["params"]["_meta"][format!("io.modelcontextprotocol/{key}")].clone();
        assert_eq!(named("protocolVersion"), "2026-07-28");
        assert_eq!(named("clientCapabilities"), json!({}));
        assert_eq!(seen.header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(seen.header("mcp-method"), message["method"].as_str());
        match message["method"].as_str().unwrap() {
            "server/discover" => result(seen, &json!({ "resultType": "complete", "supportedVersions": ["2025-11-25", "2026-07-28"], "capabilities": { "tools": {} }, "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "modern" } } })),
            "tools/list" => result(seen, &json!({ "resultType": "complete", "tools": [{ "name": "größe", "inputSchema": { "type": "object", "properties": { "region": { "type": "string", "x-mcp-header": "Region" }, "n": { "type": "integer" } } } }] })),
            _ => result(seen, &json!({ "resultType": "complete", "structuredContent": { "n": 7 }, "content": [{ "type": "text", "text": "{\"n\":7}" }] })),
        }
    })
    .await;
    let sender = sender();
    let listed = send(&sender, &upstream, &listing()).await.unwrap();
    let found = Found::deserialize(value(&listed)).unwrap();
    assert_eq!(found.server.as_deref(), Some("modern"));
    let prepared = connector(&upstream.url(""), SERVER);
    let prepared = Prepared::new(Arc::new(with_tools(prepared.definition(), &found.tools)));
    let call = tool("größe", json!({ "region": " west", "n": 1 }));
    let answer = sender
        .send(&prepared, &signed(), "c", &call, &options())
        .await
        .unwrap();
    assert_eq!(value(&answer), &json!({ "n": 7 }));
    assert_eq!(
        methods(&upstream),
        ["server/discover", "tools/list", "tools/call"]
    );
    let seen = upstream.seen();
    assert_eq!(seen[2].header("mcp-name"), Some("=?base64?Z3LDtsOfZQ==?="));
    assert_eq!(
        seen[2].header("mcp-param-region"),
        Some("=?base64?IHdlc3Q=?=")
    );
    assert_eq!(seen[2].header("mcp-session-id"), None);
    // By the schema that was found, before anything is sent.
    let wrong = tool("größe", json!({ "n": "one" }));
    let failure = sender
        .send(&prepared, &signed(), "c", &wrong, &options())
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.fault.code.name()),
        (FailureKind::Refused, "INVALID_ARG")
    );
    assert_eq!(upstream.seen().len(), 3);
}

#[tokio::test]
async fn a_forgotten_session_is_opened_again_once() {
    let upstream = with_sessions("127.77.31.3", |seen, _| {
        match seen.header("mcp-session-id") {
            Some("s0") => error("404 Not Found", -32001, "Session not found"),
            Some("s1") => result(seen, &json!({ "content": [] })),
            // Many servers of this kind say it so.
            _ => error(
                "400 Bad Request",
                -32000,
                "Bad Request: No valid session ID provided",
            ),
        }
    })
    .await;
    let sender = sender();
    let answer = send(&sender, &upstream, &tool("do", json!({})))
        .await
        .unwrap();
    assert_eq!(value(&answer), &Value::Null);
    let calls = methods(&upstream)
        .iter()
        .filter(|method| *method == "tools/call")
        .count();
    assert_eq!(calls, 2);
    // For ever is not.
    sender.end_sessions().await;
    let failure = send(&sender, &upstream, &tool("do", json!({})))
        .await
        .unwrap_err();
    assert_eq!(failure.fault.code.name(), "UPSTREAM_ERROR");
    assert_eq!(failure.status, Some(400));
}

#[tokio::test]
async fn sessions_belong_to_one_connection_and_its_credentials() {
    let upstream = with_sessions("127.77.31.4", |seen, _| {
        let session = seen.header("mcp-session-id").unwrap_or_default();
        result(
            seen,
            &json!({ "content": [{ "type": "text", "text": session }] }),
        )
    })
    .await;
    let prepared = connector(&upstream.url(""), SERVER);
    let sender = sender();
    let session = async |connection: &str, account: &Account| {
        let call = tool("which", json!({}));
        let answer = sender
            .send(&prepared, account, connection, &call, &options())
            .await
            .unwrap();
        match answer.data {
            Data::Text(text) => text,
            other => panic!("{other:?}"),
        }
    };
    let other = account("token", &[("token", "another-token")]);
    assert_eq!(session("a", &signed()).await, "s0");
    assert_eq!(session("b", &signed()).await, "s1");
    assert_eq!(session("a", &signed()).await, "s0");
    assert_eq!(session("a", &other).await, "s2");
    assert_eq!(session("b", &signed()).await, "s1");
}

#[tokio::test]
async fn credentials_go_where_the_way_to_sign_in_says() {
    let upstream = with_sessions("127.77.31.5", |seen, _| {
        result(seen, &json!({ "content": [] }))
    })
    .await;
    let prepared = connector(&upstream.url(""), SERVER);
    let sender = sender();
    let own = account("header", &[("header", "X-Api-Key"), ("value", SECRET)]);
    sender
        .send(&prepared, &own, "a", &tool("do", json!({})), &options())
        .await
        .unwrap();
    let oauth = Account {
        auth: "oauth".into(),
        access_token: Some("an-access-token".into()),
        ..Account::default()
    };
    sender
        .send(&prepared, &oauth, "b", &tool("do", json!({})), &options())
        .await
        .unwrap();
    let seen = upstream.seen();
    assert!(
        seen[..4]
            .iter()
            .all(|seen| seen.header("x-api-key") == Some(SECRET))
    );
    assert!(
        seen[4..]
            .iter()
            .all(|seen| seen.header("authorization") == Some("Bearer an-access-token"))
    );
    for name in ["Host", "mcp-session-id", "Content-Type", "a b", "x:"] {
        let bad = account("header", &[("header", name), ("value", SECRET)]);
        let before = upstream.seen().len();
        let failure = sender
            .send(&prepared, &bad, "c", &tool("do", json!({})), &options())
            .await
            .unwrap_err();
        assert_eq!(failure.fault.code.name(), "CONNECTION_REQUIRED", "{name}");
        assert_eq!(upstream.seen().len(), before);
    }
}

#[tokio::test]
async fn a_stream_that_ends_early_is_taken_up_where_it_ended() {
    let upstream = with_sessions("127.77.31.11", |seen, message| {
        if seen.verb == "GET" {
            assert_eq!(seen.header("last-event-id"), Some("e7"));
            return events(&[json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [{ "type": "text", "text": "late" }] } })]);
        }
        assert_eq!(message["id"], 1);
        reply("200 OK\r\ncontent-type: text/event-stream", "id: e7\nretry: 10\ndata: \n\n")
    })
    .await;
    let answer = send(&sender(), &upstream, &tool("do", json!({})))
        .await
        .unwrap();
    assert_eq!(answer.data, Data::Text("late".into()));
}

#[tokio::test]
async fn a_redirect_below_the_same_address_is_followed_and_no_other() {
    let upstream = Upstream::start("127.77.31.12", |seen, _| match seen.target.as_str() {
        "/mcp" => reply("307 Temporary Redirect\r\nlocation: /mcp/", ""),
        "/mcp/" => match message(seen)["method"].as_str() {
            Some("server/discover") => error("404 Not Found", -32601, "Method not found"),
            Some("initialize") => initialized(seen, None),
            Some("tools/call") => result(seen, &json!({ "content": [] })),
            _ => reply("202 Accepted", ""),
        },
        _ => reply("200 OK", "elsewhere"),
    })
    .await;
    send(&sender(), &upstream, &tool("do", json!({})))
        .await
        .unwrap();
    let away = Upstream::start("127.77.31.13", |_, _| {
        reply(
            "307 Temporary Redirect\r\nlocation: http://127.77.31.12:1/mcp/",
            "",
        )
    })
    .await;
    let failure = send(&sender(), &away, &tool("do", json!({})))
        .await
        .unwrap_err();
    assert_eq!(
        (failure.fault.code.name(), failure.status),
        ("UPSTREAM_ERROR", Some(307))
    );
    // Not above the connection's own path.
    let up = Upstream::start("127.77.31.14", |_, _| {
        reply("308 Permanent Redirect\r\nlocation: /other", "")
    })
    .await;
    let prepared = connector(&up.url("/own"), SERVER);
    let call = tool("do", json!({}));
    let failure = sender()
        .send(&prepared, &signed(), "c", &call, &options())
        .await
        .unwrap_err();
    assert_eq!(failure.status, Some(308));
    assert!(up.seen().iter().all(|seen| seen.target == "/own/mcp"));
}

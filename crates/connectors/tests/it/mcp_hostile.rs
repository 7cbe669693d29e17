//! Upstream MCP servers that misbehave: each gets its code, in time and in little memory.

use crate::fixture::sender;
use crate::mcp_servers::{events, listing, message, options, result, send, tool, with_sessions};
use crate::upstream::{Act, Upstream, json as answer_json, raw, reply};
use quaymaster_connectors::send::{FailureKind, Options};
use quaymaster_connectors::upstream::{Found, MOST_TOOLS};
use serde::Deserialize as _;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const EVENTS: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const JSON: &str =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// What becomes of a call of a tool that is not known to read.
fn behaviours() -> Vec<(&'static str, Vec<Act>, &'static str, FailureKind)> {
    use FailureKind::{Timeout, Unreachable, Upstream};
    let forever = Duration::from_mins(10);
    let none = Duration::ZERO;
    let slow = Duration::from_millis(50);
    let large = chunk(&vec![b'x'; 64 * 1024]);
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3][..], &[0xed; 4096]].concat();
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let json_type = "200 OK\r\ncontent-type: application/json";
    let event_type = "200 OK\r\ncontent-type: text/event-stream";
    vec![
        ("hangs", vec![Act::Wait(forever)], "TIMEOUT", Timeout),
        (
            "hangs within events",
            vec![Act::Write(EVENTS.into()), Act::Wait(forever)],
            "TIMEOUT",
            Timeout,
        ),
        (
            "gives a byte at a time",
            vec![Act::Write(JSON.into()), Act::Forever(chunk(b" "), slow)],
            "TIMEOUT",
            Timeout,
        ),
        (
            "keeps the stream alive for ever",
            vec![
                Act::Write(EVENTS.into()),
                Act::Forever(chunk(b": ping\n\n"), slow),
            ],
            "TIMEOUT",
            Timeout,
        ),
        (
            "tells progress for ever",
            vec![
                Act::Write(EVENTS.into()),
                Act::Forever(
                    chunk(b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\"}\n\n"),
                    slow,
                ),
            ],
            "TIMEOUT",
            Timeout,
        ),
        (
            "asks for ever",
            vec![
                Act::Write(EVENTS.into()),
                Act::Forever(
                    chunk(b"data: {\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"}\n\n"),
                    slow,
                ),
            ],
            "TIMEOUT",
            Timeout,
        ),
        (
            "sends 10 GiB",
            vec![Act::Write(JSON.into()), Act::Forever(large.clone(), none)],
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "sends 10 GiB of one event",
            vec![Act::Write(EVENTS.into()), Act::Forever(large, none)],
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "announces 10 GiB",
            raw(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 10737418240\r\n\r\n{",
            ),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "sends a bomb",
            reply(
                "200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip",
                &bomb,
            ),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "sends a bomb of events",
            reply(
                "200 OK\r\ncontent-type: text/event-stream\r\ncontent-encoding: gzip",
                &bomb,
            ),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "is no JSON",
            reply(json_type, "{\"jsonrpc\": "),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "is nested too deeply",
            reply(json_type, deep),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "has an event that is no JSON",
            reply(event_type, "data: hello\n\n"),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "ends without an answer",
            reply(event_type, ": bye\n\n"),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "answers nothing",
            reply("200 OK", ""),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "accepts and says no more",
            reply("202 Accepted", ""),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "is a page",
            reply("200 OK\r\ncontent-type: text/html", "<title>Hello</title>"),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "answers somebody else",
            answer_json(r#"{"jsonrpc": "2.0", "id": 4242, "result": {"content": []}}"#),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "answers with a name for an id",
            answer_json(r#"{"jsonrpc": "2.0", "id": "1", "result": {"content": []}}"#),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "has a result that is none",
            answer_json(r#"{"jsonrpc": "2.0", "id": 1, "result": 7}"#),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "breaks off",
            vec![Act::Write(b"HTTP/1.1 200 OK\r\n".to_vec()), Act::Reset],
            "UPSTREAM_ERROR",
            Unreachable,
        ),
        (
            "breaks off within events",
            vec![
                Act::Write(EVENTS.into()),
                Act::Write(chunk(b"data: {")),
                Act::Reset,
            ],
            "UPSTREAM_ERROR",
            Unreachable,
        ),
        (
            "fails",
            reply("500 Internal Server Error", "oops"),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "redirects",
            reply("302 Found\r\nlocation: /elsewhere", ""),
            "UPSTREAM_ERROR",
            Upstream,
        ),
        (
            "redirects in circles",
            reply("307 Temporary Redirect\r\nlocation: /mcp", ""),
            "UPSTREAM_ERROR",
            Upstream,
        ),
    ]
}

fn impatient() -> Options {
    Options {
        timeout: Some(Duration::from_millis(500)),
        ..options()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_misbehaviour_has_its_code_within_its_time() {
    let prepared_of = |upstream: &Upstream| {
        crate::fixture::connector(&upstream.url(""), crate::mcp_servers::SERVER)
    };
    for (name, acts, code, kind) in behaviours() {
        let own = acts.clone();
        let upstream = with_sessions("127.77.32.1", move |_, message| {
            if message["method"] == "tools/call" {
                own.clone()
            } else {
                reply("202 Accepted", "")
            }
        })
        .await;
        let (sender, begun) = (sender(), Instant::now());
        let call = tool("do", json!({}));
        let failure = sender
            .send(
                &prepared_of(&upstream),
                &crate::mcp_servers::signed(),
                "c",
                &call,
                &impatient(),
            )
            .await
            .expect_err(name);
        assert_eq!(
            (failure.fault.code.name(), failure.kind),
            (code, kind),
            "{name}: {failure:?}"
        );
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}");
        assert!(upstream.sent.load(Ordering::SeqCst) < 64 << 20, "{name}");
        // The same from the first message on.
        let upstream = Upstream::start("127.77.32.2", move |_, _| acts.clone()).await;
        let failure = sender
            .send(
                &prepared_of(&upstream),
                &crate::mcp_servers::signed(),
                "d",
                &call,
                &impatient(),
            )
            .await
            .expect_err(name);
        assert_eq!(
            failure.fault.code.name(),
            code,
            "{name} at once: {failure:?}"
        );
    }
}

#[tokio::test]
async fn a_dead_server_is_retryable_and_told_as_such() {
    let upstream = with_sessions("127.77.32.3", |_, _| Vec::new()).await;
    let address = upstream.address;
    let gone = std::net::TcpListener::bind(("127.77.32.4", 0)).unwrap();
    let url = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let prepared = crate::fixture::connector(&url, crate::mcp_servers::SERVER);
    let failure = sender()
        .send(
            &prepared,
            &crate::mcp_servers::signed(),
            "c",
            &tool("do", json!({})),
            &impatient(),
        )
        .await
        .unwrap_err();
    assert_eq!(
        (failure.fault.code.name(), failure.fault.retryable),
        ("UPSTREAM_ERROR", true)
    );
    assert!(!failure.fault.message.contains(&address.ip().to_string()));
}

#[tokio::test]
async fn a_list_has_limits() {
    // As many as there may be, and one more; then pages without end, and the same page again.
    let many: Vec<Value> = (0..=MOST_TOOLS)
        .map(|n| json!({ "name": format!("t{n}") }))
        .collect();
    let upstream = with_sessions("127.77.32.5", move |seen, _| {
        result(seen, &json!({ "tools": many }))
    })
    .await;
    let found = send(&sender(), &upstream, &listing()).await.unwrap();
    let found = Found::deserialize(crate::fixture::value(&found)).unwrap();
    assert_eq!((found.tools.len(), found.is_cut), (MOST_TOOLS, true));

    let endless = with_sessions("127.77.32.6", |seen, message| {
        let n = message["id"].as_u64().unwrap_or_default();
        result(
            seen,
            &json!({ "tools": [{ "name": format!("t{n}") }], "nextCursor": n.to_string() }),
        )
    })
    .await;
    let patient = Options {
        timeout: Some(Duration::from_secs(20)),
        ..options()
    };
    let prepared = crate::fixture::connector(&endless.url(""), crate::mcp_servers::SERVER);
    let found = sender()
        .send(
            &prepared,
            &crate::mcp_servers::signed(),
            "c",
            &listing(),
            &patient,
        )
        .await
        .unwrap();
    let found = Found::deserialize(crate::fixture::value(&found)).unwrap();
    assert!(
        found.is_cut && found.tools.len() <= 201,
        "{}",
        found.tools.len()
    );

    let again = with_sessions("127.77.32.7", |seen, _| {
        result(
            seen,
            &json!({ "tools": [{ "name": "t" }], "nextCursor": "x" }),
        )
    })
    .await;
    let found = send(&sender(), &again, &listing()).await.unwrap();
    let found = Found::deserialize(crate::fixture::value(&found)).unwrap();
    assert_eq!(
        (found.tools.len(), found.unusable, found.is_cut),
        (1, 1, true)
    );

    let text = "x".repeat(3 << 20);
    let large = with_sessions("127.77.32.8", move |seen, message| {
        let id = message["id"].to_string();
        result(
            seen,
            &json!({ "tools": [{ "name": "t", "description": text }], "nextCursor": id }),
        )
    })
    .await;
    let failure = send(&sender(), &large, &listing()).await.unwrap_err();
    assert_eq!(
        (failure.fault.code.name(), failure.kind),
        ("UPSTREAM_ERROR", FailureKind::Upstream)
    );
    let no_list = with_sessions("127.77.32.9", |seen, _| {
        result(seen, &json!({ "tools": 7 }))
    })
    .await;
    assert_eq!(
        send(&sender(), &no_list, &listing())
            .await
            .unwrap_err()
            .fault
            .code
            .name(),
        "UPSTREAM_ERROR"
    );
}

#[tokio::test]
async fn an_unknown_version_and_an_odd_session_id_are_refused() {
    let upstream = Upstream::start("127.77.32.10", |seen, _| {
        match message(seen)["method"].as_str() {
            Some("initialize") => result(
                seen,
                &json!({ "protocolVersion": "1999-01-01", "capabilities": {} }),
            ),
            _ => reply("400 Bad Request", ""),
        }
    })
    .await;
    let failure = send(&sender(), &upstream, &tool("do", json!({})))
        .await
        .unwrap_err();
    assert!(failure.fault.message.contains("1999-01-01"), "{failure:?}");
    // A result among events that answer an older request is nobody's.
    let other = with_sessions("127.77.32.11", |_, _| {
        events(&[json!({ "jsonrpc": "2.0", "id": 0, "result": { "content": [] } })])
    })
    .await;
    let failure = send(&sender(), &other, &tool("do", json!({})))
        .await
        .unwrap_err();
    assert_eq!(failure.fault.code.name(), "UPSTREAM_ERROR");
}

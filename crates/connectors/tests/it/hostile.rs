//! Services that misbehave.

use crate::fixture::{REST, action, connector, get, quick, sender, signed, value};
use crate::upstream::{Act, Upstream, json as answer_json, raw, reply};
use quaymaster_connectors::send::FailureKind;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpSocket};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";

/// What becomes of `get_thing`, which reads.
struct Expected {
    code: &'static str,
    retryable: bool,
    kind: FailureKind,
}

const fn fails(code: &'static str, retryable: bool, kind: FailureKind) -> Expected {
    Expected {
        code,
        retryable,
        kind,
    }
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

fn behaviours() -> Vec<(&'static str, Vec<Act>, Option<Expected>)> {
    use FailureKind::{Auth, RateLimited, Timeout, Unreachable, Upstream};
    let forever = Duration::from_mins(10);
    let slow = Duration::from_millis(50);
    let chunked = format!("{OK}transfer-encoding: chunked\r\n\r\n");
    let status = |head: &str, body: &str| reply(head, body);
    let upstream = |retryable| Some(fails("UPSTREAM_ERROR", retryable, Upstream));
    let broken = || Some(fails("UPSTREAM_ERROR", true, Unreachable));
    let late = || Some(fails("TIMEOUT", true, Timeout));
    let limited = || Some(fails("RATE_LIMITED", true, RateLimited));
    // A gzip of nothing but zeros, which it need not be to be refused.
    let bomb = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3][..], &[0xed; 4096]].concat();
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let many = format!("[{}0]", "0,".repeat(2_000_000));
    let json_type = "200 OK\r\ncontent-type: application/json";
    vec![
        ("hangs before the header", vec![Act::Wait(forever)], late()),
        (
            "hangs within the header",
            vec![
                Act::Write(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
                Act::Wait(forever),
            ],
            late(),
        ),
        (
            "hangs within the body",
            vec![
                Act::Write(format!("{OK}content-length: 100\r\n\r\n{{").into()),
                Act::Wait(forever),
            ],
            late(),
        ),
        (
            "gives a byte at a time",
            vec![
                Act::Write(chunked.clone().into()),
                Act::Forever(chunk(b" "), slow),
            ],
            late(),
        ),
        (
            "gives a byte of the header at a time",
            vec![
                Act::Write(b"HTTP/1.1 200 OK\r\nx: ".to_vec()),
                Act::Forever(b"y".to_vec(), slow),
            ],
            late(),
        ),
        (
            "never ends its body",
            vec![
                Act::Write(chunked.clone().into()),
                Act::Forever(chunk(&[b'x'; 65_536]), Duration::ZERO),
            ],
            upstream(false),
        ),
        (
            "announces ten gibibytes",
            vec![
                Act::Write(format!("{OK}content-length: 10737418240\r\n\r\n").into()),
                Act::Wait(forever),
            ],
            upstream(false),
        ),
        (
            "sends a gzip bomb",
            reply(
                "200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip",
                bomb,
            ),
            upstream(false),
        ),
        (
            "sends half of its JSON",
            status(json_type, "{\"a\": [1,"),
            upstream(false),
        ),
        (
            "sends text as JSON",
            status(json_type, "hello"),
            upstream(false),
        ),
        (
            "nests too deeply",
            status(json_type, &deep),
            upstream(false),
        ),
        (
            "has too many values",
            status(json_type, &many),
            upstream(false),
        ),
        ("resets before the header", vec![Act::Reset], broken()),
        (
            "resets within the body",
            vec![
                Act::Write(format!("{OK}content-length: 100\r\n\r\n{{").into()),
                Act::Wait(slow),
                Act::Reset,
            ],
            broken(),
        ),
        ("closes at once", vec![Act::Close], broken()),
        (
            "announces more than it sends",
            raw(format!("{OK}content-length: 100\r\n\r\n{{}}")),
            broken(),
        ),
        (
            "has two lengths",
            raw(format!(
                "{OK}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}x"
            )),
            broken(),
        ),
        (
            "has a length that is none",
            raw(format!("{OK}content-length: -1\r\n\r\n{{}}")),
            broken(),
        ),
        (
            "has chunks that are none",
            raw(format!("{chunked}zz\r\n{{}}\r\n0\r\n\r\n")),
            broken(),
        ),
        ("is no HTTP", raw("SSH-2.0-OpenSSH_9.9\r\n"), broken()),
        (
            "has a huge header",
            raw(format!("{OK}x: {}\r\n\r\n", "y".repeat(1_000_000))),
            broken(),
        ),
        (
            "has a great many headers",
            raw(format!("{OK}{}\r\n", "x: y\r\n".repeat(5_000))),
            broken(),
        ),
        (
            "never ends its header",
            vec![
                Act::Write(OK.into()),
                Act::Forever(
                    b"x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(100),
                    Duration::ZERO,
                ),
            ],
            broken(),
        ),
        (
            "redirects in a circle",
            reply("302 Found\r\nlocation: /things/7", ""),
            upstream(false),
        ),
        (
            "redirects to nothing",
            reply("302 Found\r\nlocation: http://[", ""),
            upstream(false),
        ),
        (
            "asks to wait ten minutes",
            reply("429 Too Many Requests\r\nretry-after: 600", ""),
            limited(),
        ),
        (
            "asks to wait until a day",
            reply(
                "429 Too Many Requests\r\nretry-after: Fri, 31 Dec 2100 23:59:59 GMT",
                "",
            ),
            limited(),
        ),
        (
            "asks to wait for rubbish",
            reply("429 Too Many Requests\r\nretry-after: soon", ""),
            limited(),
        ),
        (
            "asks to wait and does not say how long",
            reply("429 Too Many Requests", "slow down"),
            limited(),
        ),
        (
            "fails",
            reply(
                "500 Internal Server Error\r\ncontent-type: text/html",
                "<html><title>Oops</title>",
            ),
            upstream(true),
        ),
        (
            "is not there",
            reply("503 Service Unavailable", ""),
            upstream(true),
        ),
        (
            "has a page for an error",
            reply(
                "404 Not Found\r\ncontent-type: text/html",
                "<html><head><title>No such page</title></head>",
            ),
            upstream(false),
        ),
        (
            "does not know the key",
            reply("401 Unauthorized", "{\"message\": \"bad key\"}"),
            Some(fails("CONNECTION_REQUIRED", true, Auth)),
        ),
        (
            "answers with a status of nobody's",
            reply("799 Odd", "x"),
            upstream(false),
        ),
        (
            "sends a body with 204",
            vec![Act::Write(
                b"HTTP/1.1 204 No Content\r\ncontent-type: application/json\r\n\r\n{\"a\": 1}"
                    .to_vec(),
            )],
            None,
        ),
        (
            "sends more than it announces",
            vec![Act::Write(
                format!("{OK}content-length: 2\r\n\r\n{{}}HTTP/1.1 200 OK\r\n").into(),
            )],
            None,
        ),
        (
            "names a charset that is none",
            reply(
                "200 OK\r\ncontent-type: application/json; charset=klingon",
                "{}",
            ),
            None,
        ),
        (
            "sends bytes that are no text",
            reply(json_type, b"{\"a\": \"\xff\xfe\"}"),
            None,
        ),
        (
            "sends halves of surrogate pairs",
            status(json_type, r#"{"a": "\ud800"}"#),
            None,
        ),
        (
            "begins with a byte order mark",
            status(json_type, "\u{feff}{\"a\": 1}"),
            None,
        ),
        ("says nothing", reply("200 OK", ""), None),
        (
            "takes a while to say a little",
            vec![
                Act::Write(chunked.into()),
                Act::Wait(slow),
                Act::Write(chunk(b"{}")),
                Act::Write(b"0\r\n\r\n".to_vec()),
            ],
            None,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_a_service_does_ends_in_time_with_the_right_code() {
    let all = behaviours();
    assert!(all.len() >= 30);
    for (what, acts, expected) in all {
        let answers = acts.clone();
        let upstream = Upstream::start("127.77.21.1", move |_, _| answers.clone()).await;
        let begun = Instant::now();
        let sent = get(&upstream).await;
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(3), "{what} took {took:?}");
        match (sent, expected) {
            (Ok(_), None) => {}
            (Err(failure), Some(expected)) => {
                assert_eq!(
                    failure.fault.code.name(),
                    expected.code,
                    "{what}: {failure:?}"
                );
                assert_eq!(
                    failure.fault.retryable, expected.retryable,
                    "{what}: {failure:?}"
                );
                assert_eq!(failure.kind, expected.kind, "{what}: {failure:?}");
                assert!(failure.fault.hint.is_some(), "{what}");
            }
            (sent, _) => panic!("a service that {what}: {sent:?}"),
        }
        assert!(
            upstream.sent.load(Ordering::SeqCst) < 64 * 1024 * 1024,
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_service_that_takes_no_connection_is_told_in_time() {
    // The queue of a listener that never accepts is full after a few.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.77.21.2:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    for _ in 0..8 {
        let connecting = tokio::net::TcpStream::connect(address);
        if let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), connecting).await {
            held.push(stream);
        }
    }
    let prepared = connector(&format!("http://{address}"), REST);
    let call = action("get_thing", json!({ "id": "7" }));
    let begun = Instant::now();
    let failure = sender()
        .send(&prepared, &signed(), "c", &call, &quick())
        .await
        .unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(3));
    assert_eq!(failure.fault.code.name(), "TIMEOUT", "{failure:?}");
    // Nobody at all is told at once.
    let gone = TcpListener::bind("127.77.21.2:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let prepared = connector(&format!("http://{gone}"), REST);
    let failure = sender()
        .send(&prepared, &signed(), "c", &call, &quick())
        .await
        .unwrap_err();
    assert_eq!(failure.fault.code.name(), "UPSTREAM_ERROR");
    assert!(failure.fault.retryable);
    assert_eq!(failure.kind, FailureKind::Unreachable);
    assert_eq!(failure.retries, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_service_leaves_another_one_alone() {
    let bad = Upstream::start("127.77.21.3", |_, before| match before % 3 {
        0 => vec![Act::Wait(Duration::from_mins(10))],
        1 => vec![Act::Reset],
        _ => vec![
            Act::Write(format!("{OK}transfer-encoding: chunked\r\n\r\n").into()),
            Act::Forever(chunk(&[b'x'; 65_536]), Duration::ZERO),
        ],
    })
    .await;
    let good = Upstream::start("127.77.21.4", |_, _| answer_json("{\"good\": true}")).await;
    let sender = std::sync::Arc::new(sender());
    let mut bad_calls = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let (sender, url) = (sender.clone(), bad.url(""));
        bad_calls.spawn(async move {
            let call = action("get_thing", json!({ "id": "7" }));
            sender
                .send(&connector(&url, REST), &signed(), "bad", &call, &quick())
                .await
                .is_err()
        });
    }
    let prepared = connector(&good.url(""), REST);
    let call = action("get_thing", json!({ "id": "7" }));
    for _ in 0..50 {
        let begun = Instant::now();
        let answer = sender
            .send(&prepared, &signed(), "good", &call, &quick())
            .await
            .unwrap();
        assert_eq!(value(&answer), &json!({ "good": true }));
        assert!(
            begun.elapsed() < Duration::from_millis(400),
            "{:?}",
            begun.elapsed()
        );
    }
    while let Some(failed) = bad_calls.join_next().await {
        assert!(failed.unwrap());
    }
}

#[tokio::test]
async fn what_follows_a_body_is_nobodys_answer() {
    let upstream = Upstream::start("127.77.21.5", |_, before| {
        let forged = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n\"forged\"";
        match before {
            0 => vec![Act::Write(
                format!("{OK}content-length: 2\r\n\r\n{{}}{forged}").into(),
            )],
            _ => answer_json("{\"true\": 1}"),
        }
    })
    .await;
    let prepared = connector(&upstream.url(""), REST);
    let call = action("get_thing", json!({ "id": "7" }));
    let sender = sender();
    sender
        .send(&prepared, &signed(), "c", &call, &quick())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer = sender
        .send(&prepared, &signed(), "c", &call, &quick())
        .await
        .unwrap();
    assert_eq!(value(&answer), &json!({ "true": 1 }));
}

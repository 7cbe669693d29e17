//! Services that misbehave, behind the running server: the right code in time, in bounded memory,
//! and no other service notices.

use crate::connectors_attacked::desk;
use quaymaster_tests::{Act, Mcp, Upstream};
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
const JSON: &str = "200 OK\r\ncontent-type: application/json";
/// How much more memory the server may take while all of it happens at once.
const MOST_KIB: u64 = 192 * 1024;

struct Behaviour {
    what: &'static str,
    acts: Vec<Act>,
    /// Code and `retryable` of the fault; none when there is an answer.
    expected: Option<(&'static str, bool)>,
}

fn behaviours() -> Vec<Behaviour> {
    let forever = Duration::from_mins(10);
    let slow = Duration::from_secs(1);
    let chunked = format!("{OK}transfer-encoding: chunked\r\n\r\n");
    let write = |text: &str| Act::Write(text.as_bytes().to_vec());
    let raw = |text: &str| vec![Act::Write(text.as_bytes().to_vec()), Act::Close];
    let late = Some(("TIMEOUT", true));
    let broken = Some(("UPSTREAM_ERROR", true));
    let wrong = Some(("UPSTREAM_ERROR", false));
    let limited = Some(("RATE_LIMITED", true));
    let status = |head: &str| Act::reply(head, "{\"message\": \"no\"}");
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let all = [
        ("hangs before the header", vec![Act::Wait(forever)], late),
        (
            "hangs within the header",
            vec![write("HTTP/1.1 200 OK\r\nx: "), Act::Wait(forever)],
            late,
        ),
        (
            "hangs within the body",
            vec![
                write(&format!("{OK}content-length: 100\r\n\r\n{{")),
                Act::Wait(forever),
            ],
            late,
        ),
        (
            "sends a byte of the header a second",
            vec![
                write("HTTP/1.1 200 OK\r\nx: "),
                Act::Forever(b"y".to_vec(), slow),
            ],
            late,
        ),
        (
            "sends a byte of the body a second",
            vec![write(&chunked), Act::Forever(Act::chunk(b" "), slow)],
            late,
        ),
        (
            "never ends its header",
            vec![
                write(OK),
                Act::Forever(b"x: yyyyyyyyyyyyyyyyyyyyyy\r\n".repeat(100), Duration::ZERO),
            ],
            broken,
        ),
        (
            "never ends its body",
            vec![
                write(&chunked),
                Act::Forever(Act::chunk(&[b'x'; 65_536]), Duration::ZERO),
            ],
            wrong,
        ),
        (
            "announces ten gibibytes",
            vec![
                write(&format!("{OK}content-length: 10737418240\r\n\r\n")),
                Act::Forever(vec![b'x'; 65_536], Duration::ZERO),
            ],
            wrong,
        ),
        (
            "sends a gzip bomb",
            Act::reply(&format!("{JSON}\r\ncontent-encoding: gzip"), bomb()),
            wrong,
        ),
        (
            "calls gzip what is none",
            Act::reply(&format!("{JSON}\r\ncontent-encoding: gzip"), "{}"),
            wrong,
        ),
        (
            "sends half of its JSON",
            Act::reply(JSON, "{\"a\": [1,"),
            wrong,
        ),
        ("sends text as JSON", Act::reply(JSON, "hello"), wrong),
        ("nests too deeply", Act::reply(JSON, deep), wrong),
        (
            "names a charset that is none",
            Act::reply(&format!("{JSON}; charset=klingon"), "{}"),
            None,
        ),
        (
            "sends bytes that are no text",
            Act::reply(JSON, b"{\"a\": \"\xff\xfe\"}"),
            None,
        ),
        (
            "redirects in a circle",
            Act::reply("302 Found\r\nlocation: /v1/things/circle", ""),
            wrong,
        ),
        (
            "redirects into nothing",
            Act::reply("302 Found\r\nlocation: http://[", ""),
            wrong,
        ),
        (
            "asks to wait some seconds",
            status("429 Slow\r\nretry-after: 600"),
            limited,
        ),
        (
            "asks to wait until a date",
            status("429 Slow\r\nretry-after: Fri, 31 Dec 2100 23:59:59 GMT"),
            limited,
        ),
        (
            "asks to wait for rubbish",
            status("429 Slow\r\nretry-after: soon"),
            limited,
        ),
        ("asks to wait", status("429 Slow"), limited),
        ("fails by 500", status("500 Oops"), broken),
        ("fails by 502", status("502 Oops"), broken),
        ("fails by 503", status("503 Oops"), broken),
        ("fails by 504", status("504 Oops"), broken),
        ("fails by 501", status("501 Oops"), wrong),
        ("resets", vec![Act::Reset], broken),
        (
            "resets within the body",
            vec![
                write(&format!("{OK}content-length: 100\r\n\r\n{{")),
                Act::Reset,
            ],
            broken,
        ),
        ("closes at once", vec![Act::Close], broken),
        (
            "announces more than it sends",
            raw(&format!("{OK}content-length: 100\r\n\r\n{{}}")),
            broken,
        ),
        (
            "has two lengths",
            raw(&format!(
                "{OK}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}x"
            )),
            broken,
        ),
        (
            "has a length that is none",
            raw(&format!("{OK}content-length: -1\r\n\r\n{{}}")),
            broken,
        ),
        ("is no HTTP", raw("SSH-2.0-OpenSSH_9.9\r\n"), broken),
        ("is not there", status("404 Not Found"), wrong),
        (
            "does not know the key",
            status("401 Unauthorized"),
            Some(("CONNECTION_REQUIRED", true)),
        ),
    ];
    let all = all.into_iter();
    all.map(|(what, acts, expected)| Behaviour {
        what,
        acts,
        expected,
    })
    .collect()
}

/// 400 MiB of zeros as 400 KiB.
fn bomb() -> Vec<u8> {
    let program = "import gzip, sys; sys.stdout.buffer.write(gzip.compress(bytes(400 << 20)))";
    let made = Command::new("python3").args(["-c", program]).output();
    let made = made.expect("python3 starts");
    assert!(made.status.success());
    made.stdout
}

/// The most memory that a process ever had, in KiB.
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.unwrap().split_whitespace().nth(1);
    number.unwrap().parse().unwrap()
}

fn get(service: &str, id: usize) -> Value {
    json!({
        "service": service, "module": "things", "method": "GET", "path": format!("/things/{id}"),
    })
}

// promise: S0.62, S2.44
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_misbehaving_services_are_told_truly_and_leave_others_alone() {
    let (desk, _definitions) = desk().await;
    let all = behaviours();
    assert!(all.len() >= 30);
    let acts: Vec<Vec<Act>> = all.iter().map(|one| one.acts.clone()).collect();
    let bad = Upstream::start("127.77.32.1", move |asked| {
        let last = asked.target.rsplit('/').next().unwrap_or_default();
        match last.parse::<usize>() {
            Ok(number) => acts[number].clone(),
            Err(_) if last == "circle" => {
                Act::reply("302 Found\r\nlocation: /v1/things/circle", "")
            }
            Err(_) => Act::json("{}"),
        }
    })
    .await;
    let good = Upstream::start("127.77.32.2", |_| Act::json("{\"good\": true}")).await;
    for (name, upstream) in [("bad", &bad), ("good", &good)] {
        let fields = [("url", &*upstream.url()), ("token", "harbour-secret")];
        let account = desk.connect_local("things", name, "token", &fields).await;
        assert_eq!(account["status"], "ACTIVE", "{account}");
    }
    let before = most_memory(desk.server.pid());
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..all.len() {
        let (endpoint, key) = (desk.server.endpoint.clone(), desk.key.clone());
        calls.spawn(async move {
            let mcp = Mcp::stateless(&endpoint, &key);
            let answer = mcp.call("connector_execute", get("things:bad", number));
            (number, answer.await)
        });
    }
    // Meanwhile the other account of the same kind answers every time.
    for _ in 0..100 {
        let answer = desk.execute(get("things:good", 7)).await.unwrap();
        assert_eq!(answer["data"]["good"], true, "{answer}");
    }
    while let Some(done) = calls.join_next().await {
        let (number, answer) = done.unwrap();
        let Behaviour { what, expected, .. } = &all[number];
        match (answer, expected) {
            (Ok(_), None) => {}
            (Err(fault), Some((code, retryable))) => {
                assert_eq!(fault["code"], *code, "a service that {what}: {fault}");
                assert_eq!(fault["retryable"], *retryable, "{what}: {fault}");
                assert!(fault["hint"].is_string(), "{what}: {fault}");
                assert!(fault.get("status").is_none(), "{what}: {fault}");
                if *code == "RATE_LIMITED" {
                    let wait = &fault["details"]["retry_after_s"];
                    assert!(
                        wait.as_u64().is_some_and(|wait| wait > 0),
                        "{what}: {fault}"
                    );
                }
            }
            (answer, _) => panic!("a service that {what}: {answer:?}"),
        }
    }
    let grown = most_memory(desk.server.pid()) - before;
    println!("memory grew by {} MiB", grown / 1024);
    assert!(grown < MOST_KIB, "{grown} KiB");
    let answer = desk.execute(get("things:good", 7)).await.unwrap();
    assert_eq!(answer["data"]["good"], true, "{answer}");
}

#[tokio::test]
async fn a_service_that_takes_no_connection_is_told_in_time() {
    let (desk, _definitions) = desk().await;
    // The queue of a listener that never accepts is full after a few.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.77.32.3:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    for _ in 0..8 {
        let connecting = tokio::net::TcpStream::connect(address);
        if let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), connecting).await {
            held.push(stream);
        }
    }
    let url = format!("http://{address}");
    let fields = [("url", url.as_str()), ("token", "harbour-secret")];
    let account = desk.connect_local("things", "main", "token", &fields).await;
    assert_eq!(account["status"], "ERROR", "{account}");
    let fault = desk.refused(get("things", 7)).await;
    assert_eq!(fault["code"], "TIMEOUT", "{fault}");
    assert_eq!(fault["retryable"], true, "{fault}");
    drop(listener);
}

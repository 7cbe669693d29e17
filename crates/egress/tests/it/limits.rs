//! How much and how long.

use crate::names::Names;
use crate::server::{Body, Reply, Server};
use http::header::{ACCEPT_ENCODING, HOST};
use http::{HeaderName, HeaderValue, Method};
use quaymaster_egress::{Egress, EgressError, Policy, Request};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

fn policy() -> Policy {
    Policy {
        allow: vec!["127.77.5.0/24".parse().unwrap()],
        ..Policy::default()
    }
}

fn egress() -> Egress {
    Egress::with_resolver(policy(), Names::default()).unwrap()
}

async fn endless() -> Server {
    Server::start("127.77.5.1", |seen| Reply {
        head: "200 OK".into(),
        body: if seen.path == "/drip" {
            Body::Drip
        } else {
            Body::Endless
        },
    })
    .await
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let server = Server::start("127.77.5.1", |seen| {
        Reply::ok("x".repeat(seen.path[1..].parse().unwrap()))
    })
    .await;
    let send = async |bytes: usize| {
        let request = Request::get(server.url(&format!("/{bytes}"))).max_body(5 * 1024);
        egress().send(request).await
    };
    assert_eq!(send(5 * 1024).await.unwrap().body.len(), 5 * 1024);
    let refused = send(5 * 1024 + 1).await.unwrap_err();
    let host = "127.77.5.1".to_owned();
    assert_eq!(
        refused,
        EgressError::TooLarge {
            host,
            limit: 5 * 1024
        }
    );
}

#[tokio::test]
async fn an_endless_body_ends_at_the_limit() {
    let server = endless().await;
    let request = Request::get(server.url("/")).max_body(1024 * 1024);
    let refused = egress().send(request).await;
    assert!(
        matches!(refused, Err(EgressError::TooLarge { .. })),
        "{refused:?}"
    );
    // No more was read than the limit and what lies in buffers of the system.
    let sent = server.sent.load(Ordering::SeqCst);
    assert!(sent < 16 * 1024 * 1024, "{sent}");
    tokio::time::sleep(Duration::from_millis(200)).await;
    let later = server.sent.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(
        server.sent.load(Ordering::SeqCst),
        later,
        "the connection was closed"
    );
}

#[tokio::test]
async fn a_body_that_never_ends_ends_at_ten_mebibytes_if_nothing_is_said() {
    let server = endless().await;
    let refused = egress()
        .send(Request::get(server.url("/")))
        .await
        .unwrap_err();
    let host = "127.77.5.1".to_owned();
    assert_eq!(
        refused,
        EgressError::TooLarge {
            host,
            limit: 10 * 1024 * 1024
        }
    );
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_not_waited_for() {
    let server = Server::start("127.77.5.1", |_| Reply {
        head: "200 OK".into(),
        body: Body::Announced(99_999_999_999),
    })
    .await;
    let started = Instant::now();
    let refused = egress().send(Request::get(server.url("/"))).await;
    assert!(
        matches!(refused, Err(EgressError::TooLarge { .. })),
        "{refused:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn nothing_is_decompressed() {
    let server = Server::start("127.77.5.1", |_| Reply {
        head: "200 OK\r\nContent-Encoding: gzip".into(),
        ..Reply::ok(b"\x1f\x8bpacked".to_vec())
    })
    .await;
    let answer = egress().send(Request::get(server.url("/"))).await.unwrap();
    assert_eq!(&answer.body[..], b"\x1f\x8bpacked");
    assert_eq!(server.last().header("accept-encoding"), Some("identity"));
    let own =
        Request::get(server.url("/")).header(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    egress().send(own).await.unwrap();
    assert_eq!(server.last().header("accept-encoding"), Some("gzip"));
}

#[tokio::test]
async fn a_large_head_is_refused() {
    let server = Server::start("127.77.5.1", |seen| Reply {
        head: match seen.path.as_str() {
            "/long" => format!("200 OK\r\nX: {}", "x".repeat(80 * 1024)),
            "/many" => format!("200 OK{}", "\r\nX: y".repeat(200)),
            _ => format!("200 OK\r\nX: {}", "x".repeat(16 * 1024)),
        },
        ..Reply::ok("")
    })
    .await;
    for path in ["/long", "/many"] {
        let refused = egress().send(Request::get(server.url(path))).await;
        assert!(
            matches!(refused, Err(EgressError::Exchange { .. })),
            "{path}: {refused:?}"
        );
    }
    egress()
        .send(Request::get(server.url("/usual")))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_slow_server_ends_at_the_timeout() {
    let drip = endless().await;
    let silent = TcpListener::bind("127.77.5.2:0").await.unwrap();
    let limit = Duration::from_millis(300);
    for url in [
        drip.url("/drip"),
        format!("http://{}/", silent.local_addr().unwrap()),
        // TLS never begins.
        format!("https://{}/", silent.local_addr().unwrap()),
    ] {
        let started = Instant::now();
        let late = egress().send(Request::get(&url).timeout(limit)).await;
        let took = started.elapsed();
        let Err(EgressError::Timeout { limit: told, .. }) = late else {
            panic!("{url}: {late:?}");
        };
        assert_eq!(told, limit);
        assert!(took >= limit && took < Duration::from_secs(5), "{took:?}");
    }
}

#[tokio::test]
async fn redirects_share_one_timeout() {
    let server = Server::start("127.77.5.1", |_| {
        std::thread::sleep(Duration::from_millis(150));
        Reply::redirect(302, "/again")
    })
    .await;
    let request = Request::get(server.url("/"))
        .follow_redirects()
        .timeout(Duration::from_millis(400));
    let late = egress().send(request).await;
    assert!(matches!(late, Err(EgressError::Timeout { .. })), "{late:?}");
}

#[tokio::test]
async fn connecting_has_a_limit_of_its_own() {
    let silent = TcpListener::bind("127.77.5.2:0").await.unwrap();
    let connect_timeout = Duration::from_millis(300);
    let policy = Policy {
        connect_timeout,
        ..policy()
    };
    let egress = Egress::with_resolver(policy, Names::silent()).unwrap();
    for url in [
        format!("https://{}/", silent.local_addr().unwrap()),
        "https://slow.example/".to_owned(),
    ] {
        let late = egress.send(Request::get(&url)).await;
        let Err(EgressError::Timeout { limit, .. }) = late else {
            panic!("{url}: {late:?}");
        };
        assert_eq!(limit, connect_timeout);
    }
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let server = Server::start("127.77.5.1", |_| Reply::ok("")).await;
    let egress = egress();
    for _ in 0..5 {
        egress
            .clone()
            .send(Request::get(server.url("/")))
            .await
            .unwrap();
    }
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn nothing_is_remembered_or_added_but_our_name() {
    let server = Server::start("127.77.5.1", |_| Reply {
        head: "200 OK\r\nSet-Cookie: sid=1".into(),
        ..Reply::ok("")
    })
    .await;
    let egress = egress();
    for _ in 0..2 {
        let request = Request::new(Method::POST, server.url("/path?query#fragment")).body("body");
        egress.send(request).await.unwrap();
        let seen = server.last();
        let mut names: Vec<_> = seen.headers.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["accept-encoding", "content-length", "host", "user-agent"]
        );
        assert_eq!(seen.path, "/path?query");
        assert_eq!(
            seen.header("host"),
            Some(server.address.to_string().as_str())
        );
        let ours = concat!("quaymaster/", env!("CARGO_PKG_VERSION"));
        assert_eq!(seen.header("user-agent"), Some(ours));
        assert_eq!(seen.body, "body");
    }
}

#[tokio::test]
async fn what_the_request_decides_is_not_the_callers() {
    let server = Server::start("127.77.5.1", |_| Reply::ok("")).await;
    let names = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "expect",
    ];
    for name in names {
        let name = HeaderName::from_static(name);
        let request = Request::get(server.url("/")).header(name, HeaderValue::from_static("x"));
        let refused = egress().send(request).await;
        assert!(
            matches!(refused, Err(EgressError::NotYours { .. })),
            "{refused:?}"
        );
    }
    let refused = egress()
        .send(Request::new(Method::CONNECT, server.url("/")))
        .await;
    assert!(
        matches!(refused, Err(EgressError::NotYours { .. })),
        "{refused:?}"
    );
    assert_eq!(server.connections(), 0);
    assert!(
        HeaderValue::from_bytes(b"a\r\nb: c").is_err(),
        "no line ends in {HOST}"
    );
}

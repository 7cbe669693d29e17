//! What is refused before the protocol begins.

use crate::client::{BOTH_TYPES, Client};
use crate::door::FixtureDoor;
use http::Method;
use serde_json::json;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_foreign_host_or_origin_is_refused_before_anybody_is_admitted() {
    let door = FixtureDoor::new();
    let client = Client::new(&door);
    for header in [
        ("origin", Some("http://evil.example")),
        ("origin", Some("null")),
        ("host", Some("evil.example")),
        ("host", None),
    ] {
        for method in [Method::POST, Method::GET, Method::DELETE, Method::OPTIONS] {
            let answer = client.send(client.request(method, &[header], "")).await;
            assert_eq!(answer.status, 403, "{header:?} {answer:?}");
        }
    }
    assert_eq!(door.admitted.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_page_of_an_origin_of_ours_asks_ahead_without_a_credential_and_reads_what_it_gets() {
    let door = FixtureDoor::new();
    let client = Client::new(&door);
    let origin = ("origin", Some("http://localhost:6274"));
    let asks = [
        origin,
        ("authorization", None),
        ("access-control-request-method", Some("POST")),
        (
            "access-control-request-headers",
            Some("authorization,content-type,mcp-protocol-version"),
        ),
    ];
    let answer = client
        .send(client.request(Method::OPTIONS, &asks, ""))
        .await;
    assert_eq!(answer.status, 204, "{answer:?}");
    assert_eq!(door.admitted.load(Ordering::Relaxed), 0);
    assert_eq!(
        answer.headers["access-control-allow-origin"],
        "http://localhost:6274"
    );
    assert_eq!(
        answer.headers["access-control-allow-methods"],
        "GET, POST, DELETE"
    );
    let allowed = answer.headers["access-control-allow-headers"]
        .to_str()
        .unwrap();
    let allowed: Vec<_> = allowed.split(", ").collect();
    for header in [
        "authorization",
        "content-type",
        "accept",
        "mcp-protocol-version",
        "mcp-session-id",
        "mcp-method",
        "mcp-name",
        "last-event-id",
    ] {
        assert!(allowed.contains(&header), "{header}");
    }
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-credentials")
    );
    // What follows, good or refused.
    for (kind, status) in [("application/json", 200), ("text/plain", 415)] {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": { "name": "page", "version": "1.0" },
        }});
        let headers = [origin, ("content-type", Some(kind))];
        let request = client.request(Method::POST, &headers, body.to_string());
        let answer = client.send(request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(
            answer.headers["access-control-allow-origin"],
            "http://localhost:6274"
        );
        assert_eq!(answer.headers["vary"], "origin");
        let exposed = answer.headers["access-control-expose-headers"]
            .to_str()
            .unwrap();
        assert!(exposed.contains("mcp-session-id") && exposed.contains("www-authenticate"));
    }
    // A page of another origin learns nothing, and a program is told nothing of pages.
    let foreign = [("origin", Some("http://evil.example")), asks[2]];
    let answer = client
        .send(client.request(Method::OPTIONS, &foreign, ""))
        .await;
    assert_eq!(answer.status, 403);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let answer = client.initialize("2025-11-25").await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn both_types_are_accepted_by_a_post_or_it_is_406() {
    let client = Client::new(&FixtureDoor::new()).open().await;
    let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
    for (accept, status) in [
        (Some(BOTH_TYPES), 200),
        (Some("*/*"), 200),
        (Some("application/*, text/*"), 200),
        (Some("text/event-stream;q=0.5, application/json"), 200),
        (Some("application/json"), 406),
        (Some("text/event-stream"), 406),
        (Some("application/json, text/event-stream;q=0"), 406),
        (Some("text/html"), 406),
        (None, 406),
    ] {
        let request = client.request(Method::POST, &[("accept", accept)], list.clone());
        let answer = client.send(request).await;
        assert_eq!(answer.status, status, "{accept:?} {answer:?}");
    }
    for (accept, status) in [(Some("application/json"), 406), (None, 406)] {
        let request = client.request(Method::GET, &[("accept", accept)], "");
        assert_eq!(client.send(request).await.status, status, "{accept:?}");
    }
}

#[tokio::test]
async fn a_post_that_is_no_json_is_415_and_another_method_405() {
    let client = Client::new(&FixtureDoor::new());
    for kind in [None, Some("text/plain"), Some("application/jsonx")] {
        let request = client.request(Method::POST, &[("content-type", kind)], "{}");
        assert_eq!(client.send(request).await.status, 415, "{kind:?}");
    }
    for method in [Method::PUT, Method::PATCH, Method::OPTIONS] {
        let answer = client.send(client.request(method, &[], "")).await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.headers["allow"], "GET, POST, DELETE");
    }
}

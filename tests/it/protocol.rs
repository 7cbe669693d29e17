//! The endpoint by plain HTTP: handshake, sessions, methods and media types.

use quaymaster_tests::mcp::BOTH_TYPES;
use quaymaster_tests::{Mcp, Server};
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};

fn list() -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} }).to_string()
}

// promise: S0.4, S1.2, S1.7, S4.1, S4.4
#[tokio::test]
async fn both_spellings_of_the_endpoint_answer_without_a_redirect() {
    let server = Server::start().await;
    assert_eq!(server.endpoint, format!("{}/mcp", server.url));
    let by_name = server.endpoint.replace("127.0.0.1", "localhost");
    for endpoint in [&server.endpoint, &format!("{}/", server.endpoint), &by_name] {
        let mut mcp = Mcp::stateless(endpoint, &server.token);
        mcp.client = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        let reply = mcp.initialize("2025-06-18").await;
        assert_eq!(reply.status, 200, "{endpoint}");
        assert!(reply.message()["result"]["capabilities"]["tools"].is_object());
    }
}

// promise: S0.2, S0.3, S1.4, S1.5, S1.6
#[tokio::test]
async fn every_version_since_the_first_is_spoken_and_an_unknown_one_is_answered_with_a_known_one() {
    let server = Server::start().await;
    let mcp = Mcp::stateless(&server.endpoint, &server.token);
    let known = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
    for version in known {
        let reply = mcp.initialize(version).await;
        assert_eq!(reply.message()["result"]["protocolVersion"], version);
    }
    for version in ["1999-01-01", "2025-07-01", "2099-01-01", "newest", ""] {
        let message = mcp.initialize(version).await.message();
        let answered = message["result"]["protocolVersion"].as_str().unwrap();
        assert!(known.contains(&answered), "{version}: {answered}");
    }
}

// promise: S1.14, S1.16, S1.17, S1.18, S1.19, S1.20, S1.21
#[tokio::test]
async fn the_handshake_opens_a_session_in_which_tools_answer_as_events() {
    let server = Server::start().await;
    let mut mcp = Mcp::stateless(&server.endpoint, &server.token);
    let opened = mcp.initialize("2025-06-18").await;
    let session = opened.headers["mcp-session-id"].to_str().unwrap();
    assert!(session.len() >= 16 && session.bytes().all(|byte| byte.is_ascii_graphic()));
    mcp.session = Some(session.to_owned());
    let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    let noted = mcp.post(&done).await;
    assert_eq!((noted.status, noted.text.as_str()), (202, ""));
    let list = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" });
    let call = json!({
        "jsonrpc": "2.0", "id": "eight", "method": "tools/call",
        "params": { "name": "list_files", "arguments": {} },
    });
    for request in [list, call] {
        let reply = mcp.post(&request).await;
        let kind = reply.headers["content-type"].to_str().unwrap();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        let data: Vec<&str> = reply
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .filter(|data| !data.trim().is_empty())
            .collect();
        assert_eq!(data.len(), 1, "{}", reply.text);
        let message: Value = serde_json::from_str(data[0].trim()).unwrap();
        assert_eq!(message["jsonrpc"], "2.0");
        assert_eq!(message["id"], request["id"]);
        assert!(message["result"].is_object(), "{message}");
    }
}

// promise: S1.12, S1.13
#[tokio::test]
async fn wrong_media_types_and_methods_are_refused_with_their_own_status() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let with = |name: &'static str, value: Option<&str>| {
        let mut headers = mcp.headers();
        headers.remove(name);
        if let Some(value) = value {
            headers.insert(name, value.parse().unwrap());
        }
        headers
    };
    // The HTTP library sends `*/*` when there is no header, so "none" is an empty one here.
    for accept in [
        Some(""),
        Some("application/json"),
        Some("text/event-stream"),
        Some("text/html"),
        Some("application/json, text/event-stream;q=0"),
    ] {
        let reply = mcp.send(Method::POST, with("accept", accept), list()).await;
        assert_eq!(reply.status, 406, "POST {accept:?}");
    }
    for accept in [
        BOTH_TYPES,
        "*/*",
        "text/*, application/*",
        "TEXT/event-stream,application/JSON",
    ] {
        let headers = with("accept", Some(accept));
        let reply = mcp.send(Method::POST, headers, list()).await;
        assert_eq!(reply.status, 200, "POST {accept}");
    }
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let headers = with("content-type", kind);
        let reply = mcp.send(Method::POST, headers, list()).await;
        assert_eq!(reply.status, 415, "{kind:?}");
    }
    let headers = with("content-type", Some("application/json; charset=utf-8"));
    assert_eq!(mcp.send(Method::POST, headers, list()).await.status, 200);
    let headers = with("accept", Some("application/json"));
    let reply = mcp.send(Method::GET, headers, String::new()).await;
    assert_eq!(reply.status, 406, "GET");
    for method in [Method::PUT, Method::PATCH, Method::OPTIONS] {
        let reply = mcp.send(method.clone(), mcp.headers(), list()).await;
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.headers["allow"], "GET, POST, DELETE");
    }
}

// promise: S1.15
#[tokio::test]
async fn a_session_is_needed_and_is_its_own_credentials_only() {
    let server = Server::start().await;
    let mine = Mcp::open(&server.endpoint, &server.token).await;
    let other = server.cli_json(&["token", "create"]).await;
    let mut theirs = Mcp::stateless(&server.endpoint, other["token"].as_str().unwrap());
    let without = theirs.send(Method::POST, theirs.headers(), list()).await;
    assert_eq!(without.status, 400, "{without:?}");
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let mut bodies = Vec::new();
        for session in [
            "00000000-0000-4000-8000-000000000000",
            mine.session.as_ref().unwrap(),
        ] {
            theirs.session = Some(session.to_owned());
            let body = if method == Method::POST {
                list()
            } else {
                String::new()
            };
            let reply = theirs.send(method.clone(), theirs.headers(), body).await;
            assert_eq!(reply.status, 404, "{method} {session}");
            bodies.push(reply.text);
        }
        assert_eq!(
            bodies[0], bodies[1],
            "a foreign session looks like an unknown one"
        );
    }
    let still = mine.send(Method::POST, mine.headers(), list()).await;
    assert_eq!(still.status, 200, "its owner goes on");
}

// promise: S1.8, S1.9
#[tokio::test]
async fn get_opens_the_stream_and_delete_ends_the_session_with_it() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let mut stream = mcp.stream().await;
    assert_eq!(stream.status(), 200);
    let kind = stream.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/event-stream"), "{kind}");
    let ended = mcp.send(Method::DELETE, mcp.headers(), String::new()).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    let rest = async { while let Ok(Some(_)) = stream.chunk().await {} };
    let within = std::time::Duration::from_secs(5);
    tokio::time::timeout(within, rest)
        .await
        .expect("the stream ends with its session");
    let after = mcp.send(Method::POST, mcp.headers(), list()).await;
    assert_eq!(after.status, 404, "{after:?}");
}

// promise: S1.10
#[tokio::test]
async fn the_bare_host_is_no_endpoint() {
    let server = Server::start().await;
    for path in ["", "/", "/mcp2", "/mcp/x"] {
        let mcp = Mcp::stateless(&format!("{}{path}", server.url), &server.token);
        let reply = mcp.initialize("2025-06-18").await;
        assert!(reply.headers.get("mcp-session-id").is_none(), "{path}");
        let answers = reply.messages();
        let spoken = answers.iter().any(|message| message["result"].is_object());
        assert!(!spoken && reply.status >= 400, "{path}: {reply:?}");
    }
}

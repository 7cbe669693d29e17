//! Callers who present nothing.

use super::*;
use futures_util::StreamExt as _;
use quaymaster_tests::Database;
use std::time::Duration;

// promise: S4.9, S4.11, S4.13, S4.23
#[tokio::test]
async fn nothing_needs_to_be_presented_only_while_authentication_is_off() {
    let desk = Desk::start().await;
    let endpoint = &desk.server.endpoint;
    assert_refused(&curl(endpoint, None).await);
    desk.open().await;
    assert_answered(&curl(endpoint, None).await);
    assert_answered(&curl(&format!("{endpoint}/"), None).await);
    let nobody = Mcp::open(endpoint, "").await;
    assert_eq!(nobody.tool_names().await, [""; 0]);
    assert_eq!(Mcp::stateless(endpoint, "").tool_names().await, [""; 0]);

    // What is presented must be good, as before.
    let revoked = desk.token("Revoked").await;
    desk.revoke(&revoked).await;
    for wrong in [&revoked.text, "at_x", "", "sk-org-x.y"] {
        assert_refused(&curl(&desk.address(wrong), None).await);
        assert_refused(&curl(endpoint, Some(&format!("Bearer {wrong}"))).await);
    }
    assert_refused(&curl(endpoint, Some("Basic b3duZXI6cHc=")).await);
    let token = desk.token("Claude Desktop").await;
    assert_answered(&curl(&desk.address(&token.text), None).await);

    let mut stream = nobody.stream().await.bytes_stream();
    let (status, answer) = desk.require(true).await;
    assert_eq!(status, 200, "{answer}");
    assert_refused(&curl(endpoint, None).await);
    let ping = json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" });
    assert_refused(&nobody.post(&ping).await);
    let ends = async { while stream.next().await.is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(10), ends).await;
    ended.expect("the stream of nobody ends when the workspace is closed");
    assert_answered(&curl(&desk.address(&token.text), None).await);
}

// promise: S4.11
#[tokio::test]
async fn nothing_but_flows_is_open_to_anybody() {
    let desk = Desk::start().await;
    desk.open().await;
    let mcp = Mcp::open(&desk.server.endpoint, "").await;
    for tool in [
        "list_files",
        "connector_execute",
        "repl_execute",
        "read_memory",
    ] {
        let fault = mcp.call(tool, json!({})).await.unwrap_err();
        assert_eq!(fault["code"], "NOT_FOUND", "{tool}: {fault}");
    }
    let offered = mcp.request("resources/list", json!({})).await;
    assert!(offered["error"].is_object(), "{offered}");
    for (method, path) in [
        ("GET", "/api/v1/workspaces"),
        ("GET", "/api/v1/tools"),
        ("POST", "/api/v1/tools/list_files"),
        ("POST", "/api/v1/actions/execute"),
        ("GET", "/api/v1/memory/files"),
        ("GET", "/mcp/srv_01arz3ndektsv4rrffq69g5fav"),
    ] {
        let body = (method == "POST").then(|| json!({}));
        let (status, answer) = desk.server.rest("", method, path, body).await;
        assert_eq!(status, 401, "{method} {path}: {answer}");
    }
    // The audit knows them as one, who is no credential.
    let (_, calls) = desk.rest("GET", "/api/v1/calls", None).await;
    let of = |call: &Value| call["credentialId"].as_str().unwrap().to_owned();
    let callers: Vec<_> = calls["calls"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(callers.len(), 4, "{calls}");
    assert!(
        callers.iter().all(|caller| *caller == callers[0]),
        "{calls}"
    );
    assert!(calls["calls"][0]["userId"].is_null(), "{calls}");
}

#[tokio::test]
async fn an_anonymous_session_is_of_the_place_that_opened_it() {
    let settings = [("TRUSTED_PROXIES", r#"["127.0.0.0/8"]"#)];
    let desk = Desk::at(Server::start_with(Database::Sqlite, &settings).await).await;
    desk.open().await;
    let ping = json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" }).to_string();
    let mut mcp = Mcp::stateless(&desk.server.endpoint, "");
    let from = |mcp: &Mcp, address: &'static str| {
        let mut headers = mcp.headers();
        headers.insert("x-forwarded-for", HeaderValue::from_static(address));
        headers
    };
    let hello = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1.0" },
        },
    });
    let headers = from(&mcp, "203.0.113.9");
    let opened = mcp.send(Method::POST, headers, hello.to_string()).await;
    assert_eq!(opened.status, 200, "{opened:?}");
    let session = opened.headers["mcp-session-id"].to_str().unwrap();
    mcp.session = Some(session.to_owned());
    for (address, status) in [("203.0.113.9", 200), ("203.0.113.10", 404)] {
        let headers = from(&mcp, address);
        let reply = mcp.send(Method::POST, headers, ping.clone()).await;
        assert_eq!(reply.status, status, "{address}: {reply:?}");
    }
}

// promise: S4.13
#[tokio::test]
async fn administrators_open_one_workspace_of_a_server_and_no_second() {
    let desk = Desk::start().await;
    let (status, second) = desk
        .rest(
            "POST",
            "/api/v1/workspaces",
            Some(json!({ "name": "Second" })),
        )
        .await;
    assert_eq!(status, 201, "{second}");
    let second = format!(
        "/api/v1/workspaces/{}",
        second["workspace"]["id"].as_str().unwrap()
    );
    let stranger = desk.server.stranger().await;
    let (_, theirs) = desk
        .server
        .rest(&stranger, "GET", "/api/v1/workspaces", None)
        .await;
    let theirs = theirs["workspaces"][0]["id"].as_str().unwrap();
    let theirs = format!("/api/v1/workspaces/{theirs}");
    let open = || Some(json!({ "requireAuthentication": false }));

    let (status, _) = desk
        .server
        .rest(&stranger, "PATCH", &desk.workspace(), open())
        .await;
    assert_eq!(status, 404);
    desk.open().await;
    desk.open().await;
    let (status, fault) = desk.rest("PATCH", &second, open()).await;
    assert_eq!((status, &fault["code"]), (409, &json!("DUPLICATE")));
    assert!(
        fault["message"].as_str().unwrap().contains("main"),
        "{fault}"
    );
    let (status, fault) = desk.server.rest(&stranger, "PATCH", &theirs, open()).await;
    assert_eq!(status, 409, "{fault}");
    assert!(!fault.to_string().contains("main"), "{fault}");
    let (_, read) = desk.rest("GET", &second, None).await;
    assert_eq!(read["workspace"]["requireAuthentication"], true);

    // The open one goes, and its place is free.
    let (status, answer) = desk.rest("DELETE", &desk.workspace(), None).await;
    assert_eq!(status, 200, "{answer}");
    assert_refused(&curl(&desk.server.endpoint, None).await);
    let (status, fault) = desk.server.rest(&stranger, "PATCH", &theirs, open()).await;
    assert_eq!(status, 200, "{fault}");
    assert_answered(&curl(&desk.server.endpoint, None).await);
    let (_, events) = desk.rest("GET", "/api/v1/events", None).await;
    assert!(
        events
            .to_string()
            .contains(r#""requires_authentication":false"#),
        "{events}"
    );
}

//! What a flow token opens, in the header and in an address, and what else is taken from neither.

use super::*;
use crate::outside::tree;
use futures_util::StreamExt as _;
use quaymaster_tests::Database;
use std::time::Duration;

// promise: S4.9, S4.16, S4.17, S4.19, S4.24
#[tokio::test]
async fn a_flow_token_opens_the_endpoint_in_the_header_and_in_an_address() {
    let desk = Desk::start().await;
    let endpoint = &desk.server.endpoint;
    assert_refused(&curl(endpoint, None).await);
    let token = desk.token("Claude Desktop").await;
    assert!(token.text.starts_with("at_"), "{}", token.text);
    let header = format!("Bearer {}", token.text);
    for reply in [
        curl(endpoint, Some(&header)).await,
        curl(&desk.address(&token.text), None).await,
        curl(&format!("{endpoint}/?token={}", token.text), None).await,
        // Twice the same is one credential.
        curl(&desk.address(&token.text), Some(&header)).await,
    ] {
        assert_answered(&reply);
        assert_eq!(reply.headers["referrer-policy"], "no-referrer");
    }
    // In both eras.
    let stateless = Mcp::stateless(&desk.address(&token.text), "");
    assert_eq!(stateless.tool_names().await, [""; 0]);
    // What is near a token is none.
    for wrong in [
        format!("{}x", token.text),
        token.text.to_uppercase(),
        token.text.replace("at_", "crd_"),
        "at_your_token_here".to_owned(),
        String::new(),
    ] {
        assert_refused(&curl(&desk.address(&wrong), None).await);
        assert_refused(&curl(endpoint, Some(&format!("Bearer {wrong}"))).await);
    }
}

const PAGE: &str = include_str!("../../../docs/authentication.md");

// promise: S4.24, S4.31
#[tokio::test]
async fn the_curl_lines_of_the_page_on_authentication_answer_as_it_says() {
    let desk = Desk::start().await;
    let token = desk.token("curl").await;
    let lines: Vec<_> = PAGE
        .split("```")
        .filter(|block| block.contains("curl -X POST") && block.contains("8080/mcp"))
        .collect();
    assert_eq!(lines.len(), 2);
    for (line, status) in lines.into_iter().zip([401, 200]) {
        let between = |start: &str, end: char| {
            let (_, rest) = line.split_once(start).unwrap();
            rest.split(end).next().unwrap().to_owned()
        };
        let address = between("http://localhost:8080", ' ').replace('"', "");
        let address = format!("{}{address}", desk.server.url);
        let address = address.replace("at_your_token_here", &token.text);
        let (name, value) = ("content-type", between("-H \"Content-Type: ", '"'));
        let request = reqwest::Client::new().post(address).header(name, value);
        let answer = request
            .header("accept", "*/*")
            .body(between("-d '", '\''))
            .send()
            .await;
        assert_eq!(answer.unwrap().status().as_u16(), status, "{line}");
    }
}

// promise: S4.21
#[tokio::test]
async fn a_session_is_its_tokens_however_it_is_presented_and_ends_with_it() {
    let desk = Desk::start().await;
    let (token, other) = (desk.token("One").await, desk.token("Other").await);
    let in_url = Mcp::open(&desk.address(&token.text), "").await;
    let mut in_header = Mcp::stateless(&desk.server.endpoint, &token.text);
    in_header.session.clone_from(&in_url.session);
    let mut foreign = Mcp::stateless(&desk.address(&other.text), "");
    foreign.session.clone_from(&in_url.session);
    let ping = json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" });
    assert_eq!(in_url.post(&ping).await.status, 200);
    assert_eq!(in_header.post(&ping).await.status, 200);
    assert_eq!(foreign.post(&ping).await.status, 404);
    let mut stream = in_url.stream().await.bytes_stream();

    desk.revoke(&token).await;
    assert_refused(&in_url.post(&ping).await);
    assert_refused(&in_header.post(&ping).await);
    let ends = async { while stream.next().await.is_some() {} };
    let ended = tokio::time::timeout(Duration::from_secs(10), ends).await;
    ended.expect("the stream of a revoked token ends");
    assert_answered(&curl(&desk.address(&other.text), None).await);
}

#[tokio::test]
async fn no_other_credential_is_taken_from_an_address_and_two_that_differ_are_refused() {
    let desk = Desk::start().await;
    let server = &desk.server;
    let flow = desk.token("Claude Desktop").await;
    let hidden = desk
        .token_with(json!({ "name": "Header only", "inUrl": false }))
        .await;
    for credential in [&desk.admin, &server.token] {
        let header = format!("Bearer {credential}");
        for authorization in [None, Some(header.as_str())] {
            let reply = curl(&desk.address(credential), authorization).await;
            let told = assert_refused(&reply);
            assert!(told.contains("Revoke it"), "{told}");
            let secret = credential.rsplit('.').next().unwrap();
            assert!(!reply.text.contains(secret), "{}", reply.text);
        }
        assert_eq!(curl(&server.endpoint, Some(&header)).await.status, 200);
    }
    // Nobody said that it may.
    let silent = desk.token_with(json!({ "name": "Silent" })).await;
    for token in [&hidden, &silent] {
        let told = assert_refused(&curl(&desk.address(&token.text), None).await);
        assert!(told.contains("may not be used in an address"), "{told}");
    }
    let header = format!("Bearer {}", hidden.text);
    assert_answered(&curl(&server.endpoint, Some(&header)).await);

    for (address, authorization) in [
        (desk.address(&flow.text), header.as_str()),
        (desk.address(&flow.text), "Basic b3duZXI6cHc="),
        (
            format!("{}&token={}", desk.address(&flow.text), hidden.text),
            &format!("Bearer {}", flow.text),
        ),
    ] {
        let reply = curl(&address, Some(authorization)).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert_eq!(reply.message()["code"], "INVALID_ARG");
    }
}

// promise: S4.16
#[tokio::test]
async fn a_flow_token_is_good_for_flows_and_nothing_else() {
    let desk = Desk::start().await;
    let token = desk.token("Claude Desktop").await;
    let mcp = Mcp::open(&desk.server.endpoint, &token.text).await;
    assert_eq!(mcp.tool_names().await, [""; 0]);
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
        let (status, answer) = desk.server.rest(&token.text, method, path, body).await;
        assert_eq!(status, 401, "{method} {path}: {answer}");
        let in_url = format!("{path}?token={}", token.text);
        let (status, answer) = desk.server.rest("", method, &in_url, None).await;
        assert_eq!(status, 401, "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn a_token_in_an_address_stands_in_no_log_and_no_row() {
    let settings = [("LOG", "trace")];
    let desk = Desk::at(Server::start_with(Database::Sqlite, &settings).await).await;
    let token = desk.token("Claude Desktop").await;
    let secret = token.text.rsplit('.').next().unwrap().to_owned();
    let address = desk.address(&token.text);
    let mcp = Mcp::open(&address, "").await;
    mcp.call("no_such_tool", json!({})).await.unwrap_err();
    mcp.request("no/such/method", json!({})).await;
    let mut headers = mcp.headers();
    headers.insert("accept", HeaderValue::from_static("text/html"));
    for method in [Method::PUT, Method::GET, Method::DELETE] {
        mcp.send(method, headers.clone(), "{".to_owned()).await;
    }
    // The audit is written, too.
    let (_, calls) = desk.rest("GET", "/api/v1/calls", None).await;
    assert!(calls.to_string().contains("no_such_tool"), "{calls}");
    let files = tree(desk.server.data.path());
    assert!(
        files
            .iter()
            .any(|(name, log)| name == "server.log" && !log.is_empty())
    );
    for (name, bytes) in files {
        let mut parts = bytes.windows(secret.len());
        assert!(!parts.any(|part| part == secret.as_bytes()), "{name}");
    }
}

//! Tokens of workspaces: made, listed, regenerated, revoked, by the command line and over REST.

use quaymaster_tests::{Mcp, Server};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

async fn status_of(server: &Server, token: &str) -> u16 {
    let mcp = Mcp::stateless(&server.endpoint, token);
    mcp.initialize("2025-06-18").await.status
}

fn secret_of(token: &str) -> &str {
    token.rsplit_once('.').unwrap().1
}

// promise: S1.11, S1.35, S1.40
#[tokio::test]
async fn the_command_line_makes_lists_and_revokes_tokens_with_and_without_a_running_server() {
    let mut server = Server::start().await;
    for runs in [true, false] {
        if !runs {
            server.stop().await;
        }
        let made = server
            .cli_json(&["token", "create", "--name", "Laptop"])
            .await;
        let (id, token) = (
            made["id"].as_str().unwrap(),
            made["token"].as_str().unwrap(),
        );
        assert_eq!(
            token.split_once('.').unwrap().0,
            id,
            "<credential-id>.<secret>"
        );
        assert!(secret_of(token).len() >= 43, "256 bits");
        let key = server
            .cli_json(&["token", "create", "--org", "--scopes", "admin"])
            .await;
        let key = key["token"].as_str().unwrap();
        let listed = server.cli_json(&["token", "list"]).await;
        let text = listed.to_string();
        for token in [token, key, &server.token] {
            assert!(!text.contains(secret_of(token)), "a list has no secrets");
        }
        let all = listed["credentials"].as_array().unwrap();
        let laptop = all.iter().find(|one| one["id"] == json!(id)).unwrap();
        assert_eq!(
            (&laptop["name"], &laptop["origin"]),
            (&json!("Laptop"), &json!("manual"))
        );
        assert!(
            laptop["expires_at"].is_null(),
            "workspace tokens do not expire"
        );
        let expiring = server.cli(&["token", "create", "--expires", "5"]).await;
        assert!(!expiring.status.success());
        if runs {
            assert_eq!(status_of(&server, token).await, 200);
        }
        server.cli_json(&["token", "revoke", id]).await;
        let listed = server.cli_json(&["token", "list"]).await;
        assert!(
            !listed.to_string().contains(id),
            "revoked ones are gone from the list"
        );
        let twice = server.cli(&["token", "revoke", id, "--json"]).await;
        let fault: Value = serde_json::from_slice(&twice.stdout).unwrap();
        assert_eq!(
            (twice.status.success(), &fault["code"]),
            (false, &json!("NOT_FOUND"))
        );
        if !runs {
            server.restart().await;
            assert_eq!(status_of(&server, token).await, 401);
        }
    }
}

#[tokio::test]
async fn a_revocation_by_another_process_is_felt_within_a_second() {
    let server = Server::start().await;
    let made = server.cli_json(&["token", "create"]).await;
    let token = made["token"].as_str().unwrap();
    let mcp = Mcp::open(&server.endpoint, token).await;
    let mut stream = mcp.stream().await;
    server
        .cli_json(&["token", "revoke", made["id"].as_str().unwrap()])
        .await;
    let begun = Instant::now();
    while status_of(&server, token).await == 200 {
        assert!(begun.elapsed() < Duration::from_secs(1), "still alive");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let rest = async { while let Ok(Some(_)) = stream.chunk().await {} };
    let ended = tokio::time::timeout(Duration::from_secs(2), rest).await;
    ended.expect("its open stream ends with it");
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    assert_eq!(
        mcp.post(&call).await.status,
        401,
        "its session is of no use"
    );
    assert_eq!(
        status_of(&server, &server.token).await,
        200,
        "others live on"
    );
}

// promise: S1.42
#[tokio::test]
async fn regenerating_the_default_token_kills_it_at_once_and_no_other() {
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let base = format!("/api/v1/workspaces/{}/tokens", server.workspace);
    let new = json!({ "name": "Another" });
    let (status, other) = server.rest(&key, "POST", &base, Some(new)).await;
    assert_eq!(status, 201);
    let other_token = other["token"].as_str().unwrap();
    let mut old = server.token.clone();
    for _ in 0..5 {
        assert_eq!(status_of(&server, &old).await, 200);
        let path = format!("{base}/default/regenerate");
        let (status, fresh) = server.rest(&key, "POST", &path, Some(json!({}))).await;
        assert_eq!(status, 200, "{fresh}");
        assert_eq!(
            status_of(&server, &old).await,
            401,
            "dead when the answer arrives"
        );
        assert_eq!(status_of(&server, other_token).await, 200);
        assert_eq!(fresh["credential"]["origin"], "default");
        fresh["token"].as_str().unwrap().clone_into(&mut old);
    }
    let (_, listed) = server.rest(&key, "GET", &base, None).await;
    assert_eq!(
        listed["total"], 2,
        "one default token and the other: {listed}"
    );
    assert!(!listed.to_string().contains(secret_of(&old)));
    let id = other["credential"]["id"].as_str().unwrap();
    let (status, _) = server
        .rest(&key, "DELETE", &format!("{base}/{id}"), None)
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        status_of(&server, other_token).await,
        401,
        "dead when the answer arrives"
    );
    assert_eq!(status_of(&server, &old).await, 200);
}

// promise: S1.37, S1.38
#[tokio::test]
async fn each_workspace_has_a_token_of_its_own_that_sees_its_files_only() {
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let new = json!({ "name": "Second" });
    let (status, made) = server
        .rest(&key, "POST", "/api/v1/workspaces", Some(new))
        .await;
    assert_eq!(status, 201, "{made}");
    let tokens = [&server.token, made["token"]["token"].as_str().unwrap()];
    let second = made["workspace"]["id"].as_str().unwrap();
    let homes = [server.workspace.as_str(), second];
    for (token, home) in tokens.iter().zip(homes) {
        let mcp = Mcp::open(&server.endpoint, token).await;
        let mine = json!({ "path": format!("of-{home}"), "content": home });
        mcp.call("write_file", mine).await.unwrap();
        mcp.call(
            "write_file",
            json!({ "path": "same-name", "content": home }),
        )
        .await
        .unwrap();
    }
    for (token, home) in tokens.iter().zip(homes) {
        let mcp = Mcp::open(&server.endpoint, token).await;
        let listed = mcp
            .call("list_files", json!({ "recursive": true, "depth": 9 }))
            .await
            .unwrap();
        let names: Vec<_> = listed["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| &e["path"])
            .collect();
        assert_eq!(names, [&json!(format!("of-{home}")), &json!("same-name")]);
        let on_disk = server
            .data
            .path()
            .join("workspaces")
            .join(home)
            .join("home/same-name");
        assert_eq!(std::fs::read_to_string(on_disk).unwrap(), home);
    }
    let (status, _) = server
        .rest(tokens[1], "GET", "/api/v1/workspaces", None)
        .await;
    assert_eq!(status, 403, "a workspace token manages nothing");
}

#[tokio::test]
async fn the_twenty_first_bad_guess_is_too_many_while_a_good_credential_is_served() {
    let server = Server::start().await;
    let (id, _) = server.token.split_once('.').unwrap();
    for guess in 1..=25 {
        let wrong = format!("{id}.{}", "x".repeat(20 + guess));
        let mcp = Mcp::stateless(&server.endpoint, &wrong);
        let reply = mcp.send(Method::POST, mcp.headers(), "{}".into()).await;
        let wanted = if guess <= 20 { 401 } else { 429 };
        assert_eq!(reply.status, wanted, "guess {guess}: {}", reply.text);
        if guess > 20 {
            let fault: Value = serde_json::from_str(&reply.text).unwrap();
            assert_eq!(
                (&fault["code"], &fault["retryable"]),
                (&json!("RATE_LIMITED"), &json!(true))
            );
        }
    }
    assert_eq!(
        status_of(&server, &server.token).await,
        200,
        "nobody can lock its owner out"
    );
    let (status, _) = server
        .rest(&format!("{id}.x"), "GET", "/api/v1/workspaces", None)
        .await;
    assert_eq!(status, 429, "the doors count together");
}

// promise: S1.29, S1.30
#[tokio::test]
async fn a_reconnect_link_is_short_lived_holds_no_token_and_comes_five_times_an_hour() {
    let mut server = Server::start().await;
    let mut links = Vec::new();
    for n in 0..5 {
        if n == 3 {
            server.stop().await;
            server.restart().await;
        }
        let mcp = Mcp::stateless(&server.endpoint, &server.token);
        let link = mcp
            .call("get_reconnect_url", json!({ "client_name": "Cursor" }))
            .await
            .unwrap();
        assert_eq!(link["single_use"], true);
        let ends: Value = link["expires_at"].clone();
        let ends = ends.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        let health = reqwest::get(format!("{}/health", server.url))
            .await
            .unwrap();
        let now = health.headers()["date"].to_str().unwrap();
        let now = jiff::fmt::rfc2822::parse(now).unwrap().timestamp();
        let seconds = ends.duration_since(now).as_secs();
        assert!((595..=601).contains(&seconds), "{seconds}");
        links.push(link["url"].as_str().unwrap().to_owned());
    }
    links.sort();
    links.dedup();
    assert_eq!(links.len(), 5);
    let mcp = Mcp::stateless(&server.endpoint, &server.token);
    let fault = mcp.call("get_reconnect_url", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "RATE_LIMITED");
    assert!(fault["details"]["retry_after_s"].as_i64().unwrap() > 0);
    for link in &links {
        let secret = secret_of(link);
        assert_eq!(
            status_of(&server, secret).await,
            401,
            "the link is no credential"
        );
        let id = server.token.split_once('.').unwrap().0;
        assert_eq!(status_of(&server, &format!("{id}.{secret}")).await, 401);
    }
    let listed = server.cli_json(&["token", "list"]).await;
    let all = listed["credentials"].as_array().unwrap();
    assert!(
        all.iter().all(|one| one["origin"] != "reconnect"),
        "asking makes no credential"
    );
}

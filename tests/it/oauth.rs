//! Signing in from a client: found by itself, granted on the consent page, revoked on the
//! workspace page. A person and a client made of plain HTTP; official clients are in
//! `oauth_clients`.

use quaymaster_tests::oauth_client::{CALLBACK, param};
use quaymaster_tests::{Database, FILE_TOOLS, Mcp, OAuthClient, Person, Server};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

struct Connected {
    server: Server,
    person: Person,
    client: OAuthClient,
    tokens: Value,
}

impl Connected {
    async fn start_on(database: Database) -> Connected {
        let server = Server::start_on(database).await;
        let person = Person::owner(&server.url, &server.sign_in_link).await;
        let client = OAuthClient::register(&server.url, "Test client").await;
        let answer = person.agrees_to(&client.question(&[])).await;
        let (status, tokens) = client.exchange(&answer).await;
        assert_eq!(status, 200, "{tokens}");
        Connected {
            server,
            person,
            client,
            tokens,
        }
    }

    fn access(&self) -> &str {
        self.tokens["access_token"].as_str().unwrap()
    }

    fn mcp(&self) -> Mcp {
        Mcp::stateless(&self.server.endpoint, self.access())
    }

    async fn status(&self) -> u16 {
        let reply = self.mcp().request_stateless("tools/list", json!({})).await;
        reply.status
    }
}

async fn get(url: &str) -> (StatusCode, reqwest::header::HeaderMap, String) {
    let answer = Client::new().get(url).send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    (status, headers, answer.text().await.unwrap())
}

/// The value of a parameter of `WWW-Authenticate`.
fn challenge(reply: &quaymaster_tests::Reply, name: &str) -> Option<String> {
    let header = reply.headers.get("www-authenticate")?.to_str().unwrap();
    let (_, rest) = header.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next().unwrap().to_owned())
}

// promise: S1.22, S1.23, S1.24, S1.25, S1.26, S1.27, S1.28
#[tokio::test]
async fn a_client_is_connected_with_nothing_but_the_endpoint_and_revoked_on_the_page() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        // The client knows the endpoint only, and is told where to ask.
        let nobody = Mcp::stateless(&server.endpoint, "");
        let refused = nobody.initialize("2025-06-18").await;
        assert_eq!(refused.status, 401);
        let metadata = challenge(&refused, "resource_metadata").unwrap();
        assert_eq!(
            challenge(&refused, "scope").unwrap(),
            "read:tools write:tools"
        );
        let (_, _, text) = get(&metadata).await;
        let resource: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(resource["resource"], json!(server.endpoint));
        let issuer = resource["authorization_servers"][0].as_str().unwrap();
        let (_, _, text) = get(&format!("{issuer}/.well-known/oauth-authorization-server")).await;
        let known: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(known["issuer"], json!(issuer));
        assert_eq!(known["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(
            known["token_endpoint_auth_methods_supported"],
            json!(["none"])
        );

        // It registers, and the person picks a workspace.
        let person = Person::owner(&server.url, &server.sign_in_link).await;
        let client = OAuthClient::register(issuer, "Claude").await;
        let question = client.question(&[("scope", "read:tools write:tools offline_access")]);
        let page = person.get(&question).await;
        assert!(page.html.contains("Claude"), "{}", page.html);
        let form = page.form("/authorize");
        assert!(form.contains(&("workspace".into(), server.workspace.clone())));
        let answer = person.agrees_to(&question).await;
        assert!(answer.starts_with(CALLBACK), "{answer}");
        assert_eq!(param(&answer, "state").as_deref(), Some("a-state"));
        assert_eq!(param(&answer, "iss").as_deref(), Some(issuer));
        let (status, tokens) = client.exchange(&answer).await;
        assert_eq!(status, 200, "{tokens}");

        // It has the nineteen tools, and edits a file.
        let token = tokens["access_token"].as_str().unwrap();
        let mcp = Mcp::open(&server.endpoint, token).await;
        assert_eq!(mcp.tool_names().await, FILE_TOOLS);
        let write = json!({ "path": "hello.txt", "content": "one\n" });
        mcp.call("write_file", write).await.unwrap();
        let edit = json!({ "path": "hello.txt", "find": "one", "replace": "two" });
        mcp.call("find_replace", edit).await.unwrap();
        let text = std::fs::read_to_string(server.home().join("hello.txt")).unwrap();
        assert_eq!(text, "two\n");

        // It is a credential of its own, listed with its name and use.
        let workspace = format!("/workspaces/{}", server.workspace);
        let page = person.get(&workspace).await;
        let rows = page.texts("#connected-clients tbody tr");
        assert!(rows.iter().any(|row| row.contains("Claude")), "{rows:?}");

        // Revoked, it is out at once, alone, and is told how to ask again.
        let (credential, _) = connected(&server).await.pop().unwrap();
        let path = format!("{workspace}/connected-clients/{credential}/revoke");
        let page = person.send(&path, &page.form(&path), &[]).await;
        assert_eq!(page.status, 200, "{}", page.html);
        let refused = Mcp::stateless(&server.endpoint, token)
            .initialize("2025-06-18")
            .await;
        assert_eq!(refused.status, 401);
        assert_eq!(challenge(&refused, "error").unwrap(), "invalid_token");
        assert_eq!(challenge(&refused, "resource_metadata").unwrap(), metadata);
        let (status, refreshed) = client
            .refresh(tokens["refresh_token"].as_str().unwrap())
            .await;
        assert_eq!(
            (status, &refreshed["error"]),
            (400, &json!("invalid_grant"))
        );
        let other = Mcp::stateless(&server.endpoint, &server.token);
        assert_eq!(other.initialize("2025-06-18").await.status, 200);
    }
}

/// Connected clients: credential and name.
async fn connected(server: &Server) -> Vec<(String, String)> {
    let listed = server.cli_json(&["token", "list"]).await;
    let all = listed["credentials"].as_array().unwrap();
    let grants = all.iter().filter(|one| one["kind"] == "oauth_grant");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    grants
        .map(|one| (text(&one["id"]), text(&one["name"])))
        .collect()
}

// promise: S1.26, S1.28
#[tokio::test]
async fn each_connection_is_its_own_credential_and_a_revocation_ends_its_stream_within_a_second() {
    let one = Connected::start_on(Database::Sqlite).await;
    let answer = one.person.agrees_to(&one.client.question(&[])).await;
    let (_, tokens) = one.client.exchange(&answer).await;
    let second = tokens["access_token"].as_str().unwrap();
    let clients = connected(&one.server).await;
    assert_eq!(clients.len(), 2, "{clients:?}");
    assert!(clients.iter().all(|(_, name)| name == "Test client"));
    let session = Mcp::open(&one.server.endpoint, one.access()).await;
    let mut headers = session.headers();
    headers.remove("content-type");
    let stream = session
        .client
        .get(&session.endpoint)
        .headers(headers)
        .send()
        .await
        .unwrap();
    assert_eq!(stream.status(), 200);
    // The older one, by the command line of another process.
    let oldest = clients.iter().map(|(id, _)| id).min().unwrap();
    let revoked = Instant::now();
    one.server.cli_json(&["token", "revoke", oldest]).await;
    let rest = tokio::time::timeout(Duration::from_secs(5), stream.bytes()).await;
    rest.expect("the stream ends").unwrap();
    let ended_after = revoked.elapsed();
    assert!(
        ended_after < Duration::from_millis(1_500),
        "{ended_after:?}"
    );
    assert_eq!(one.status().await, 401);
    let other = Mcp::stateless(&one.server.endpoint, second);
    assert_eq!(other.initialize("2025-06-18").await.status, 200);
}

#[tokio::test]
async fn a_session_outlives_the_access_token_that_opened_it_and_its_stream_does_not() {
    for database in Database::BOTH {
        let one = Connected::start_on(database).await;
        let mut session = Mcp::open(&one.server.endpoint, one.access()).await;
        let mut headers = session.headers();
        headers.remove("content-type");
        let stream = session.client.get(&session.endpoint).headers(headers);
        let stream = stream.send().await.unwrap();
        assert_eq!(stream.status(), 200);
        let refresh = one.tokens["refresh_token"].as_str().unwrap();
        let (_, refreshed) = one.client.refresh(refresh).await;
        let (status, _) = one.client.post("/revoke", &[("token", one.access())]).await;
        assert_eq!(status, 200);
        let rest = tokio::time::timeout(Duration::from_secs(2), stream.bytes()).await;
        rest.expect("the stream ends").unwrap();
        let asked = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" });
        assert_eq!(session.post(&asked).await.status, 401);
        session.token = refreshed["access_token"].as_str().unwrap().to_owned();
        assert_eq!(session.post(&asked).await.status, 200, "the same session");
    }
}

#[tokio::test]
async fn the_metadata_name_the_configured_address_whatever_the_request_says() {
    let settings = [("PUBLIC_URL", "https://tools.example.com")];
    let server = Server::start_with(Database::Sqlite, &settings).await;
    let local = format!("http://{}", server.listening);
    let client = Client::new();
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
    ] {
        let url = format!("{local}{path}");
        let answer = client
            .get(&url)
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "https")
            .header("forwarded", "host=evil.example")
            .header("origin", "https://anywhere.example")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert_eq!(answer.headers()["content-type"], "application/json");
        let text = answer.text().await.unwrap();
        let metadata: Value = serde_json::from_str(&text).unwrap();
        let about = if path.contains("resource") {
            &metadata["resource"]
        } else {
            &metadata["token_endpoint"]
        };
        assert!(
            about
                .as_str()
                .unwrap()
                .starts_with("https://tools.example.com/"),
            "{text}"
        );
        assert!(
            !text.contains("127.0.0.1") && !text.contains("evil"),
            "{text}"
        );
        let head = client.head(&url).send().await.unwrap();
        assert_eq!(head.status(), 200, "{path}");
        let options = client.request(reqwest::Method::OPTIONS, &url);
        let options = options.send().await.unwrap();
        assert_eq!(options.status(), 204, "{path}");
        assert_eq!(options.headers()["access-control-allow-origin"], "*");
        let foreign = client.get(&url).header("host", "evil.example");
        assert_eq!(foreign.send().await.unwrap().status(), 403, "{path}");
    }
    let refused = Mcp::stateless(&format!("{local}/mcp"), "")
        .initialize("2025-06-18")
        .await;
    assert_eq!(
        challenge(&refused, "resource_metadata").unwrap(),
        "https://tools.example.com/.well-known/oauth-protected-resource/mcp"
    );
}

#[tokio::test]
async fn an_unknown_well_known_address_is_a_plain_json_404() {
    let server = Server::start().await;
    for path in [
        "/.well-known/unknown",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/oauth-protected-resource/other",
        "/.well-known/",
        "/.well-known/jwks.json",
    ] {
        let (status, headers, text) = get(&format!("{}{path}", server.url)).await;
        assert_eq!(status, 404, "{path}");
        assert_eq!(headers["content-type"], "application/json", "{path}");
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
    }
}

#[tokio::test]
async fn a_foreign_origin_is_refused_even_with_a_good_access_token() {
    let connected = Connected::start_on(Database::Sqlite).await;
    let mcp = connected.mcp();
    for origin in [
        "https://evil.example",
        "null",
        "http://127.0.0.1.evil.example",
    ] {
        let mut headers = mcp.headers();
        headers.insert("origin", origin.parse().unwrap());
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
        let reply = mcp.send(reqwest::Method::POST, headers, body).await;
        assert_eq!(reply.status, 403, "{origin}");
    }
    assert_eq!(connected.status().await, 200);
}

#[tokio::test]
async fn an_access_token_is_good_at_its_endpoint_and_nowhere_else() {
    let connected = Connected::start_on(Database::Sqlite).await;
    let server = &connected.server;
    for path in ["/api/v1/workspaces", "/api/v1/tools", "/api/v1/api-keys"] {
        let (status, _) = server.rest(connected.access(), "GET", path, None).await;
        assert_eq!(status, 401, "{path}");
    }
    // Nor in the address, nor as a refresh token.
    let url = format!("{}?access_token={}", server.endpoint, connected.access());
    let nobody = Mcp::stateless(&url, "");
    assert_eq!(nobody.initialize("2025-06-18").await.status, 401);
    let refresh = connected.tokens["refresh_token"].as_str().unwrap();
    let wrong = Mcp::stateless(&server.endpoint, refresh);
    assert_eq!(wrong.initialize("2025-06-18").await.status, 401);
    let (status, _) = connected.client.refresh(connected.access()).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn ten_refreshes_at_once_are_served_on_both_databases() {
    for database in Database::BOTH {
        let connected = Connected::start_on(database).await;
        let refresh = connected.tokens["refresh_token"].as_str().unwrap();
        let all = (0..10).map(|_| connected.client.refresh(refresh));
        for (status, tokens) in futures_util::future::join_all(all).await {
            assert_eq!(status, 200, "{tokens}");
            let token = tokens["access_token"].as_str().unwrap();
            let mcp = Mcp::stateless(&connected.server.endpoint, token);
            assert_eq!(mcp.initialize("2025-06-18").await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_code_that_comes_again_ends_the_connection() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        let person = Person::owner(&server.url, &server.sign_in_link).await;
        let client = OAuthClient::register(&server.url, "Test client").await;
        let answer = person.agrees_to(&client.question(&[])).await;
        let (_, tokens) = client.exchange(&answer).await;
        let (status, again) = client.exchange(&answer).await;
        assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
        let token = tokens["access_token"].as_str().unwrap();
        let mcp = Mcp::stateless(&server.endpoint, token);
        assert_eq!(mcp.initialize("2025-06-18").await.status, 401);
        assert!(connected(&server).await.is_empty());
    }
}

#[tokio::test]
async fn what_the_person_does_not_allow_is_not_granted_and_asking_again_is_offered() {
    let server = Server::start().await;
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let client = OAuthClient::register(&server.url, "Careful client").await;
    let question = client.question(&[("scope", "read:tools")]);
    let answer = person.agrees_to(&question).await;
    let (_, tokens) = client.exchange(&answer).await;
    assert_eq!(tokens["scope"], "read:tools");
    let token = tokens["access_token"].as_str().unwrap();
    let mcp = Mcp::open(&server.endpoint, token).await;
    let names = mcp.tool_names().await;
    assert!(names.contains(&"read_file".to_owned()) && !names.contains(&"write_file".to_owned()));
    // A client that calls what it may not is told which scopes to ask for (RFC 6750 §3.1).
    let call = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": "write_file", "arguments": { "path": "a", "content": "" } },
    });
    let refused = mcp.post(&call).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(challenge(&refused, "error").unwrap(), "insufficient_scope");
    assert_eq!(
        challenge(&refused, "scope").unwrap(),
        "read:tools write:tools"
    );
    assert!(challenge(&refused, "resource_metadata").is_some());
    // It asks again, and the person allows more.
    let more = client.question(&[("scope", "read:tools write:tools")]);
    let (_, tokens) = client.exchange(&person.agrees_to(&more).await).await;
    let token = tokens["access_token"].as_str().unwrap();
    let mcp = Mcp::open(&server.endpoint, token).await;
    let write = json!({ "path": "a", "content": "" });
    mcp.call("write_file", write).await.unwrap();
}

#[tokio::test]
async fn secrets_of_the_authorization_server_stand_in_no_log_and_no_database() {
    let mut connected = Connected::start_on(Database::Sqlite).await;
    let refresh = connected.tokens["refresh_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let (_, second) = connected.client.refresh(&refresh).await;
    connected.server.stop().await;
    let mut secrets = vec![refresh, connected.access().to_owned()];
    for name in ["access_token", "refresh_token"] {
        secrets.push(second[name].as_str().unwrap().to_owned());
    }
    let data = connected.server.data.path();
    for file in ["quaymaster.db", "server.log"] {
        let bytes = std::fs::read(data.join(file)).unwrap();
        for secret in &secrets {
            let bare = secret.split_once('.').unwrap().1.as_bytes();
            let found = bytes.windows(bare.len()).any(|window| window == bare);
            assert!(!found, "a secret stands in {file}");
        }
    }
}

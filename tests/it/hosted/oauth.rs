//! Signing in to hosted servers by OAuth: found with nothing but the address, granted on the consent
//! page, with the accounts of whoever signed in, and ended with the server, the mode or the person.

mod persons;

use quaymaster_tests::oauth_client::param;
use quaymaster_tests::person::PASSWORD;
use quaymaster_tests::script::{Script, node, script_path};
use quaymaster_tests::{Database, Developer, Made, Mcp, OAuthClient, Person, Reply};
use serde_json::{Value, json};
use std::time::Duration;

const TOOL: &str = "slack__send_channel_message";
const COMPANION: &str = "slack__list_channels";

async fn hello(address: &str, token: &str) -> Reply {
    Mcp::stateless(address, token)
        .initialize("2025-06-18")
        .await
}

/// The value of a parameter of `WWW-Authenticate`.
fn challenge(reply: &Reply, name: &str) -> Option<String> {
    let header = reply.headers.get("www-authenticate")?.to_str().unwrap();
    let (_, rest) = header.split_once(&format!("{name}=\""))?;
    Some(rest.split('"').next().unwrap().to_owned())
}

async fn get(url: &str) -> (u16, Value) {
    let answer = reqwest::get(url).await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn owner(desk: &Developer) -> Person {
    Person::owner(&desk.server.url, &desk.server.sign_in_link).await
}

/// Somebody new in the organization, and their user id.
async fn member(desk: &Developer, email: &str) -> (Person, String) {
    let body = json!({ "email": email, "role": "member" });
    let made = desk.made("/invitations", body).await;
    let url = made["url"].as_str().unwrap();
    let path = url.strip_prefix(&desk.server.url).unwrap();
    let person = Person::of(&desk.server.url);
    let page = person.get(path).await;
    let about = [("name", "A member"), ("password", PASSWORD)];
    let page = person.send(path, &page.form(path), &about).await;
    assert_eq!(page.status, 200, "{}", page.html);
    let members = desk.did("GET", "/members", None).await;
    let all = members["members"].as_array().unwrap();
    let own = all.iter().find(|one| one["email"] == email).unwrap();
    (person, own["id"].as_str().unwrap().to_owned())
}

/// A client that registered and means an address.
async fn client(desk: &Developer, name: &str, address: &str) -> OAuthClient {
    let mut client = OAuthClient::register(&desk.server.url, name).await;
    address.clone_into(&mut client.resource);
    client
}

/// Signs a new client in; answers its tokens.
async fn tokens(desk: &Developer, person: &Person, address: &str) -> Value {
    let client = client(desk, "Claude", address).await;
    let answer = person.agrees_to(&client.question(&[])).await;
    let (status, tokens) = client.exchange(&answer).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

fn access(tokens: &Value) -> &str {
    tokens["access_token"].as_str().unwrap()
}

async fn sent(mcp: &Mcp) -> Result<Value, Value> {
    let sent = mcp
        .call(TOOL, json!({ "channel": "C1", "text": "Hello" }))
        .await?;
    Ok(sent["data"]["sent_with"].clone())
}

async fn chatting(desk: &Developer, more: Value) -> Made {
    let main = desk.chat_account("main").await;
    let server = desk.serve(more).await;
    let tool = json!({
        "integrationName": "slack", "actionName": "send_channel_message", "connectionId": main,
    });
    desk.add(&server, tool).await;
    server
}

async fn connected_clients(desk: &Developer) -> Vec<Value> {
    let path = format!("/workspaces/{}/connected-clients", desk.server.workspace);
    let listed = desk.did("GET", &path, None).await;
    listed["connectedClients"].as_array().unwrap().clone()
}

// promise: S3.45, S3.46
#[tokio::test]
async fn a_client_finds_its_way_from_either_address_and_sees_that_servers_tools_only() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let server = chatting(&desk, json!({ "authMode": "oauth" })).await;
        assert_eq!(server.token, "", "nobody was given a token");
        let person = owner(&desk).await;
        for (address, other) in [
            (&server.endpoint, &server.protocol),
            (&server.protocol, &server.endpoint),
        ] {
            let refused = hello(address, "").await;
            assert_eq!(refused.status, 401);
            let metadata = challenge(&refused, "resource_metadata").unwrap();
            assert!(metadata.contains("/.well-known/oauth-protected-resource/"));
            let (status, described) = get(&metadata).await;
            assert_eq!(status, 200, "{described}");
            // Clients compare it with the address that they know.
            assert_eq!(described["resource"], json!(address), "{described}");

            let client = client(&desk, "Claude", address).await;
            let question = client.question(&[]);
            let page = person.get(&question).await;
            for said in ["Claude", "My AI Tools", "in the workspace main"] {
                assert!(page.html.contains(said), "{said}: {}", page.html);
            }
            let form = page.form("/authorize");
            assert!(form.iter().all(|(name, _)| name != "workspace"), "{form:?}");
            let (status, tokens) = client.exchange(&person.agrees_to(&question).await).await;
            assert_eq!(status, 200, "{tokens}");

            // One audience, two addresses, and nothing else.
            for place in [address, other] {
                let mcp = Mcp::open(place, access(&tokens)).await;
                assert_eq!(mcp.tool_names().await, [TOOL, COMPANION]);
                assert_eq!(sent(&mcp).await.unwrap(), "main");
            }
            let elsewhere = hello(&desk.server.endpoint, access(&tokens)).await;
            assert_eq!(elsewhere.status, 401, "{elsewhere:?}");
            let (status, _) = desk
                .server
                .rest(access(&tokens), "GET", "/api/v1/workspaces", None)
                .await;
            assert!(matches!(status, 401 | 403), "{status}");

            // A refresh says the resource again or leaves it out.
            let refreshed = tokens["refresh_token"].as_str().unwrap();
            let (status, fresh) = client.refresh(refreshed).await;
            assert_eq!(status, 200, "{fresh}");
            assert_eq!(hello(other, access(&fresh)).await.status, 200);
        }
        // A client of the files is none of the server.
        let files = tokens(&desk, &person, &desk.server.endpoint).await;
        assert_eq!(hello(&server.endpoint, access(&files)).await.status, 401);

        let clients = connected_clients(&desk).await;
        let of_server: Vec<&Value> = clients
            .iter()
            .filter(|one| one["serverId"] == json!(server.id))
            .collect();
        assert_eq!(of_server.len(), 2, "{clients:?}");
        assert_eq!(of_server[0]["serverName"], "My AI Tools");
        let page = person
            .get(&format!("/workspaces/{}", desk.server.workspace))
            .await;
        let rows = page.texts("#connected-clients tbody tr");
        let named = rows
            .iter()
            .filter(|row| row.contains("Tools of My AI Tools"));
        assert_eq!(named.count(), 2, "{rows:?}");
    }
}

// promise: S3.45
#[tokio::test]
async fn a_grant_to_a_server_in_code_mode_runs_programs_and_one_that_only_reads_is_stepped_up() {
    let desk = Developer::open(Database::Sqlite).await;
    let server = chatting(&desk, json!({ "mode": "CODE" })).await;
    let person = owner(&desk).await;
    let granted = tokens(&desk, &person, &server.endpoint).await;
    let mcp = Mcp::open(&server.protocol, access(&granted)).await;
    let three = [
        "quaymaster_search",
        "quaymaster_read_api",
        "quaymaster_execute",
    ];
    assert_eq!(mcp.tool_names().await, three);
    let code = r#"const sent = await quaymaster.slack.send_channel_message({ channel: "C1", text: "x" });
        return sent.sent_with;"#;
    let ran = mcp
        .call("quaymaster_execute", json!({ "code": code }))
        .await;
    assert!(
        ran.as_ref().unwrap().to_string().contains("main"),
        "{ran:?}"
    );

    let tools = json!({ "mode": "TOOLS" });
    desk.did("PATCH", &format!("/mcp/servers/{}", server.id), Some(tools))
        .await;
    let client = client(&desk, "Reader", &server.protocol).await;
    let reading = person
        .agrees_to(&client.question(&[("scope", "read:tools")]))
        .await;
    let (_, reading) = client.exchange(&reading).await;
    let mcp = Mcp::open(&server.protocol, access(&reading)).await;
    assert_eq!(mcp.tool_names().await, [COMPANION]);
    let call = json!({
        "jsonrpc": "2.0", "id": 5, "method": "tools/call",
        "params": { "name": TOOL, "arguments": { "channel": "C1", "text": "x" } },
    });
    let refused = mcp.post(&call).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(challenge(&refused, "error").unwrap(), "insufficient_scope");
    // The metadata of the address that this client knows.
    let metadata = challenge(&refused, "resource_metadata").unwrap();
    assert!(metadata.ends_with("/protocol"), "{metadata}");
}

#[tokio::test]
async fn a_server_that_takes_tokens_alone_refuses_oauth_like_one_that_never_was() {
    let desk = Developer::open(Database::Sqlite).await;
    let server = chatting(&desk, json!({ "authMode": "bearer" })).await;
    let never = "srv_01kahwz8x4m2q7r9s3t5v6w7y8";
    let person = owner(&desk).await;
    for id in [server.id.as_str(), never] {
        for path in [
            format!("/mcp/{id}"),
            format!("/api/v1/mcp/servers/{id}/protocol"),
        ] {
            let address = format!("{}{path}", desk.server.url);
            let refused = hello(&address, "").await;
            assert_eq!(refused.status, 401);
            assert_eq!(
                challenge(&refused, "resource_metadata"),
                None,
                "{refused:?}"
            );
            let metadata = "/.well-known/oauth-protected-resource";
            let (status, fault) = get(&format!("{}{metadata}{path}", desk.server.url)).await;
            assert_eq!(
                (status, &fault["code"]),
                (404, &json!("MCP_OAUTH_DISABLED"))
            );

            let client = client(&desk, "Claude", &address).await;
            let page = person.get(&client.question(&[])).await;
            let back = page.away.expect("the client hears of it");
            assert_eq!(param(&back, "error").as_deref(), Some("invalid_target"));
        }
    }
    assert_eq!(hello(&server.endpoint, &server.token).await.status, 200);
    let path = format!("/mcp/servers/{}", server.id);
    let read = desk.did("GET", &path, None).await["server"]["auth"].clone();
    assert_eq!(
        (&read["oauthEnabled"], &read["bearerEnabled"]),
        (&json!(false), &json!(true)),
        "{read}"
    );
    // The other way round, tokens are dead and none is made.
    let oauth = Some(json!({ "authMode": "oauth" }));
    desk.did("PATCH", &path, oauth).await;
    assert_eq!(hello(&server.endpoint, &server.token).await.status, 401);
    desk.end_user("user_1").await;
    for (more, body) in [
        ("access-tokens", Some(json!({ "endUserId": "user_1" }))),
        ("regenerate-token", None),
    ] {
        let path = format!("{path}/{more}");
        let refused = desk.refused(409, "POST", &path, body).await;
        assert_eq!(refused["code"], "MCP_BEARER_DISABLED", "{refused}");
    }
}

/// Waits for the end of a stream.
async fn ended(stream: reqwest::Response) {
    let read = tokio::time::timeout(Duration::from_secs(5), stream.bytes()).await;
    assert!(read.is_ok(), "the stream is still open");
}

#[tokio::test]
async fn a_grant_ends_with_the_mode_the_server_the_person_and_its_revocation() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let server = chatting(&desk, json!({})).await;
        let (person, id) = member(&desk, "member@example.com").await;
        let own = format!("/mcp/servers/{}", server.id);
        let open = async || {
            let tokens = tokens(&desk, &person, &server.endpoint).await;
            let mcp = Mcp::open(&server.endpoint, access(&tokens)).await;
            let stream = mcp.stream().await;
            assert_eq!(stream.status().as_u16(), 200);
            (mcp, stream)
        };
        let is_out = async |(mcp, stream): (Mcp, reqwest::Response)| {
            let asked = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
            assert_eq!(mcp.post(&asked).await.status, 401);
            ended(stream).await;
        };

        let client = open().await;
        let bearer = Some(json!({ "authMode": "bearer" }));
        desk.did("PATCH", &own, bearer).await;
        is_out(client).await;
        assert_eq!(hello(&server.endpoint, &server.token).await.status, 200);
        let both = Some(json!({ "authMode": "oauth_and_bearer" }));
        desk.did("PATCH", &own, both).await;

        let client = open().await;
        let grant = connected_clients(&desk).await[0]["id"].clone();
        let path = format!(
            "/workspaces/{}/connected-clients/{}",
            desk.server.workspace,
            grant.as_str().unwrap()
        );
        desk.did("DELETE", &path, None).await;
        is_out(client).await;

        let client = open().await;
        desk.did("DELETE", &format!("/members/{id}"), None).await;
        is_out(client).await;

        let person = owner(&desk).await;
        let tokens = tokens(&desk, &person, &server.endpoint).await;
        let mcp = Mcp::open(&server.endpoint, access(&tokens)).await;
        let stream = mcp.stream().await;
        desk.did("DELETE", &own, None).await;
        is_out((mcp, stream)).await;
        assert_eq!(connected_clients(&desk).await.len(), 0);
    }
}

async fn with_typescript(kind: &str, at: impl Fn(&Made) -> &str) {
    let desk = Developer::open(Database::Sqlite).await;
    let server = chatting(&desk, json!({ "authMode": "oauth" })).await;
    let person = owner(&desk).await;
    let arguments = r#"{"channel":"C1","text":"Hello"}"#;
    let arguments = [
        &script_path("hosted_oauth.mjs"),
        kind,
        TOOL,
        arguments,
        at(&server),
    ];
    let mut script = Script::start(&node(), &arguments, "");
    let asked = script.step("authorize").await;
    let asked = asked["url"].as_str().unwrap();
    assert_eq!(param(asked, "resource").as_deref(), Some(at(&server)));
    let back = person.agrees_to(asked).await;
    assert_eq!(reqwest::get(&back).await.unwrap().status(), 200, "{back}");
    let listed = script.step("listed").await;
    assert_eq!(listed["tools"], json!([TOOL, COMPANION]), "{listed}");
    let called = script.step("called").await;
    assert_eq!(called["isError"], false, "{called}");
    assert_eq!(called["answer"]["data"]["sent_with"], "main", "{called}");
    script.end().await;
}

// promise: S3.45, S3.46
#[tokio::test]
async fn the_typescript_sdk_1_signs_in_at_the_protocol_address() {
    with_typescript("sdk1", |server| &server.protocol).await;
}

// promise: S3.45, S3.46
#[tokio::test]
async fn the_typescript_sdk_2_signs_in_at_the_endpoint_in_both_eras() {
    with_typescript("sdk2", |server| &server.endpoint).await;
    with_typescript("stateless", |server| &server.endpoint).await;
}

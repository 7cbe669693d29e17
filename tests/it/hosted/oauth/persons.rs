//! Whose accounts a client calls with that somebody signed in, and who may sign in where.

use super::{access, client, hello, member, owner, sent, tokens};
use quaymaster_tests::person::{PASSWORD, Page};
use quaymaster_tests::{Database, Developer, Mcp, Person};
use serde_json::{Value, json};

/// Opens a setup link and types a token in.
async fn connect(desk: &Developer, fault: &Value, token: &str) -> Page {
    let url = fault["details"]["setup_url"].as_str();
    let url = url.unwrap_or_else(|| panic!("no link in {fault}"));
    let path = url.strip_prefix(&desk.server.url).unwrap();
    let person = Person::of(&desk.server.url);
    let page = person.get(path).await;
    let page = person
        .send(path, &page.form(path), &[("field.token", token)])
        .await;
    assert_eq!(page.status, 200, "{}", page.html);
    page
}

// promise: S3.54, S3.55
#[tokio::test]
async fn each_who_signs_in_calls_with_their_own_account() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.integrate(json!({ "integrationName": "slack", "connectionStrategy": "per_user" }))
            .await;
        let open = json!({ "endUserAccess": "open", "authMode": "oauth" });
        let server = desk.serve(open).await;
        let (other, _) = member(&desk, "member@example.com").await;
        for (person, name) in [(owner(&desk).await, "theirs"), (other, "others")] {
            let tokens = tokens(&desk, &person, &server.endpoint).await;
            let mcp = Mcp::open(&server.endpoint, access(&tokens)).await;
            let fault = sent(&mcp).await.unwrap_err();
            assert_eq!(fault["code"], "CONNECTION_REQUIRED", "{fault}");
            connect(&desk, &fault, &format!("xoxb-{name}")).await;
            assert_eq!(sent(&mcp).await.unwrap(), name);
        }
        let path = format!("/end-users?workspaceId={}", desk.server.workspace);
        let listed = desk.did("GET", &path, None).await;
        let all = listed["endUsers"].as_array().unwrap();
        assert_eq!(all.len(), 2, "{listed}");
        assert!(all.iter().all(|one| one["type"] == "member"), "{listed}");
        assert!(
            all.iter().all(|one| one["connectionCount"] == 1),
            "{listed}"
        );

        // Their accounts are theirs: an administrator neither makes tokens for them nor acts for them.
        let others = all.iter().find(|one| one["email"] == "member@example.com");
        let others = others.unwrap()["id"].as_str().unwrap();
        let both = desk.serve(json!({})).await;
        let path = format!("/mcp/servers/{}/access-tokens", both.id);
        let body = Some(json!({ "endUserId": others }));
        let refused = desk.refused(409, "POST", &path, body).await;
        assert_eq!(refused["code"], "MCP_BEARER_BLOCKS_PER_USER", "{refused}");
        let body = json!({
            "workspaceId": desk.server.workspace, "name": "Theirs", "endUserId": others,
        });
        desk.refused(409, "POST", "/mcp/servers", Some(body)).await;
        let act = json!({
            "workspaceId": desk.server.workspace, "integrationName": "slack",
            "actionName": "send_channel_message", "endUserId": others,
            "input": { "channel": "C1", "text": "x" },
        });
        desk.refused(403, "POST", "/actions/execute", Some(act))
            .await;
    }
}

#[tokio::test]
async fn a_restricted_server_uses_the_account_of_a_member_whom_an_administrator_named() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.integrate(json!({ "integrationName": "slack", "connectionStrategy": "per_user" }))
        .await;
    let server = desk.serve(json!({})).await;
    let (person, user) = member(&desk, "member@example.com").await;
    let granted = tokens(&desk, &person, &server.endpoint).await;
    let mcp = Mcp::open(&server.endpoint, access(&granted)).await;
    let fault = sent(&mcp).await.unwrap_err();
    assert_eq!(fault["code"], "CONNECTION_REQUIRED", "{fault}");
    assert!(fault["details"]["setup_url"].is_null(), "{fault}");
    assert!(
        fault["hint"].as_str().unwrap().contains("externalId"),
        "{fault}"
    );

    let id = desk.end_user(&user).await;
    let read = desk.did("GET", &format!("/end-users/{id}"), None).await;
    assert_eq!(read["endUser"]["type"], "member", "{read}");
    let fault = sent(&mcp).await.unwrap_err();
    connect(&desk, &fault, "xoxb-named").await;
    assert_eq!(sent(&mcp).await.unwrap(), "named");
    // Taken away again, the account is gone, and the grant stays.
    desk.did("DELETE", &format!("/end-users/{id}"), None).await;
    let fault = sent(&mcp).await.unwrap_err();
    assert!(fault["details"]["setup_url"].is_null(), "{fault}");

    // An id that looks like a member's and is nobody's.
    let body = json!({
        "workspaceId": desk.server.workspace, "externalId": "usr_01kahwz8x4m2q7r9s3t5v6w7y8",
    });
    let refused = desk.refused(400, "POST", "/end-users", Some(body)).await;
    assert_eq!(refused["code"], "VALIDATION_ERROR", "{refused}");
}

#[tokio::test]
async fn a_server_of_one_person_is_nobody_elses() {
    let service = [("SERVICE_KEY", "a-service-key-of-the-operator-32")];
    let desk = Developer::open_with(Database::Sqlite, &service).await;
    desk.end_user("user_123").await;
    let server = desk.serve(json!({ "endUserId": "user_123" })).await;
    let person = owner(&desk).await;
    let client = client(&desk, "Claude", &server.endpoint).await;
    let page = person.get(&client.question(&[])).await;
    assert_eq!(page.status, 403, "{}", page.html);
    assert!(page.html.contains("for one person"), "{}", page.html);

    let (other, user) = member(&desk, "member@example.com").await;
    let id = desk.end_user(&user).await;
    let theirs = json!({ "endUserId": id, "authMode": "oauth" });
    let theirs = desk.serve(theirs).await;
    let granted = tokens(&desk, &other, &theirs.endpoint).await;
    assert_eq!(hello(&theirs.endpoint, access(&granted)).await.status, 200);
    // No key uses their accounts either, whatever its scopes.
    let call = format!("/mcp/servers/{}/call", theirs.id);
    let body = json!({ "name": "slack__send_channel_message", "arguments": {} });
    let refused = desk.refused(403, "POST", &call, Some(body)).await;
    assert_eq!(refused["code"], "FORBIDDEN", "{refused}");
    let mut client = client;
    client.resource.clone_from(&theirs.endpoint);
    let page = person.get(&client.question(&[])).await;
    assert_eq!(page.status, 403, "{}", page.html);

    // Somebody of another organization learns nothing of the server.
    let stranger = stranger(&desk).await;
    let page = stranger.get(&client.question(&[])).await;
    assert_eq!(page.status, 404, "{}", page.html);
    assert!(!page.html.contains("My AI Tools"), "{}", page.html);
}

/// The first member of another organization.
async fn stranger(desk: &Developer) -> Person {
    let made = desk
        .server
        .cli_json(&["organization", "create", "Elsewhere"])
        .await;
    let link = made["sign_in_link"]
        .as_str()
        .unwrap_or_else(|| panic!("{made}"));
    let person = Person::of(&desk.server.url);
    let path = link.strip_prefix(&desk.server.url).unwrap();
    let page = person.get(path).await;
    person.send(path, &page.form(path), &[]).await;
    let about = [
        ("name", "Stranger"),
        ("email", "stranger@example.com"),
        ("password", PASSWORD),
        ("organization", "Elsewhere"),
    ];
    let page = person.get("/welcome").await;
    person
        .send("/welcome", &page.form("/welcome"), &about)
        .await;
    person
}

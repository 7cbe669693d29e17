//! End users: whose account a call uses.

use quaymaster_tests::{Database, Developer, Made, Mcp};
use serde_json::{Value, json};

const TOOL: &str = "slack__send_channel_message";

/// An account of an end user, connected by the developer's own program.
async fn account_of(desk: &Developer, end_user: &str, name: &str) -> Value {
    let account = json!({
        "type": "SECRET_TEXT", "integrationName": "slack", "externalId": name,
        "displayName": name, "secretText": format!("xoxb-{name}"), "scope": "USER",
        "workspaceId": desk.server.workspace, "endUserId": end_user,
    });
    desk.made("/connections", account).await["connection"].clone()
}

async fn sent_with(endpoint: &str, token: &str) -> Result<String, Value> {
    let mcp = Mcp::stateless(endpoint, token);
    let sent = mcp
        .call(TOOL, json!({ "channel": "C1", "text": "Hello" }))
        .await?;
    Ok(sent["data"]["sent_with"].as_str().unwrap().to_owned())
}

async fn token_for(desk: &Developer, server: &Made, end_user: &str, more: Value) -> Value {
    let mut body = more;
    body["endUserId"] = json!(end_user);
    desk.made(&format!("/mcp/servers/{}/access-tokens", server.id), body)
        .await
}

async fn with_strategy(desk: &Developer, strategy: &str, connection: Option<&str>) {
    let mut integration = json!({
        "integrationName": "slack", "connectionStrategy": strategy,
        "enabledActions": ["send_channel_message"],
    });
    if let Some(connection) = connection {
        integration["connectionId"] = json!(connection);
    }
    desk.integrate(integration).await;
}

// promise: S3.54, S3.55, S3.56, S3.57
#[tokio::test]
async fn a_server_of_an_end_user_uses_their_account_by_itself() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.end_user("user_123").await;
        desk.end_user("user_456").await;
        let mine = account_of(&desk, "user_123", "anna").await;
        assert_eq!(
            (&mine["scope"], &mine["status"]),
            (&json!("USER"), &json!("ACTIVE")),
            "{mine}"
        );
        account_of(&desk, "user_456", "boris").await;
        with_strategy(&desk, "per_user", None).await;
        let server = desk
            .serve(json!({ "endUserId": "user_123", "name": "User Agent" }))
            .await;
        assert_eq!(
            sent_with(&server.protocol, &server.token).await.unwrap(),
            "anna"
        );
        let other = desk.serve(json!({ "endUserId": "user_456" })).await;
        assert_eq!(
            sent_with(&other.protocol, &other.token).await.unwrap(),
            "boris"
        );
        // An end user's account is nobody else's.
        let all = desk.did("GET", "/connections", None).await;
        assert_eq!(all["total"], 0, "{all}");
        let id = mine["endUserId"].as_str().unwrap();
        let read = desk.did("GET", &format!("/end-users/{id}"), None).await;
        assert_eq!(read["endUser"]["connectionCount"], 1, "{read}");
        assert_eq!(read["connections"][0]["id"], mine["id"]);
        // Given to somebody else, the server has a new token, and the old one is dead.
        let path = format!("/mcp/servers/{}", server.id);
        let moved = json!({ "endUserId": "user_456" });
        let moved = desk.did("PATCH", &path, Some(moved)).await;
        let fresh = moved["bearerToken"].as_str().unwrap();
        assert_eq!(sent_with(&server.protocol, fresh).await.unwrap(), "boris");
        let dead = Mcp::stateless(&server.protocol, &server.token);
        assert_eq!(dead.initialize("2025-06-18").await.status, 401);
        // The end user goes, and with them their account, server and tokens.
        let gone = desk.did("DELETE", &format!("/end-users/{id}"), None).await;
        assert_eq!(gone["deleted"], true, "{gone}");
        desk.refused(404, "GET", &format!("/end-users/{id}"), None)
            .await;
    }
}

// promise: S3.56, S3.57
#[tokio::test]
async fn each_strategy_chooses_the_account_as_it_says() {
    // What a server of nobody, of somebody with an account, and of somebody without one sends with.
    let table = [
        ("fixed", [Some("shared"); 3]),
        ("per_user", [None, Some("anna"), None]),
        (
            "per_user_with_fallback",
            [Some("shared"), Some("anna"), Some("shared")],
        ),
    ];
    for (strategy, wanted) in table {
        let desk = Developer::open(Database::Sqlite).await;
        let shared = desk.chat_account("shared").await;
        desk.end_user("anna").await;
        desk.end_user("nobody").await;
        account_of(&desk, "anna", "anna").await;
        let fixed = (strategy != "per_user").then_some(shared.as_str());
        with_strategy(&desk, strategy, fixed).await;
        let server = desk.serve(json!({})).await;
        let mut tokens = vec![server.token.clone()];
        for end_user in ["anna", "nobody"] {
            let made = token_for(&desk, &server, end_user, json!({})).await;
            tokens.push(made["bearerToken"].as_str().unwrap().to_owned());
        }
        for (token, wanted) in tokens.iter().zip(wanted) {
            match (sent_with(&server.protocol, token).await, wanted) {
                (Ok(with), Some(wanted)) => assert_eq!(with, wanted, "{strategy}"),
                (Err(fault), None) => {
                    assert_eq!(fault["code"], "CONNECTION_REQUIRED", "{strategy}: {fault}");
                }
                (got, wanted) => panic!("{strategy}: {got:?} instead of {wanted:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_token_for_an_end_user_has_scopes_an_end_and_no_other_person() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let anna = desk.end_user("anna").await;
        desk.end_user("boris").await;
        account_of(&desk, "anna", "anna").await;
        desk.integrate(json!({ "integrationName": "slack", "connectionStrategy": "per_user" }))
            .await;
        let server = desk.serve(json!({})).await;
        let path = format!("/mcp/servers/{}/access-tokens", server.id);
        let reading = json!({ "scopes": ["read:tools"], "expiresIn": 600 });
        let reading = token_for(&desk, &server, "anna", reading).await;
        let token = reading["accessToken"].as_str().unwrap();
        assert_eq!(
            reading["token"]["scopes"],
            json!(["read:tools"]),
            "{reading}"
        );
        assert_eq!(reading["token"]["endUserId"], anna.as_str());
        assert!(token.starts_with(reading["token"]["tokenPrefix"].as_str().unwrap()));
        let mcp = Mcp::open(&server.protocol, token).await;
        let names = mcp.tool_names().await;
        assert!(
            names.contains(&"slack__list_channels".to_owned()),
            "{names:?}"
        );
        assert!(!names.contains(&TOOL.to_owned()), "{names:?}");
        let denied = mcp
            .call(TOOL, json!({ "channel": "C1" }))
            .await
            .unwrap_err();
        assert_eq!(denied["code"], "SCOPE_DENIED", "{denied}");
        mcp.call("slack__list_channels", json!({})).await.unwrap();

        let wrong = json!({ "endUserId": "anna", "scopes": ["admin"] });
        let wrong = desk.refused(400, "POST", &path, Some(wrong)).await;
        assert!(
            wrong["error"].as_str().unwrap().contains("mcp:tools"),
            "{wrong}"
        );
        let soon = json!({ "endUserId": "anna", "expiresIn": 1 });
        desk.refused(400, "POST", &path, Some(soon)).await;
        desk.refused(404, "POST", &path, Some(json!({ "endUserId": "nobody" })))
            .await;
        let same = format!("/mcp/servers/{}/oauth-tokens", server.id);
        let other = desk.made(&same, json!({ "endUserId": "anna" })).await;
        let other = other["accessToken"].as_str().unwrap();
        assert_eq!(sent_with(&server.endpoint, other).await.unwrap(), "anna");
        // A new token of the server leaves those of end users alone.
        let path = format!("/mcp/servers/{}/regenerate-token", server.id);
        desk.did("POST", &path, None).await;
        assert_eq!(sent_with(&server.endpoint, other).await.unwrap(), "anna");
        let of_boris = desk.serve(json!({ "endUserId": "boris" })).await;
        let path = format!("/mcp/servers/{}/access-tokens", of_boris.id);
        desk.refused(409, "POST", &path, Some(json!({ "endUserId": "anna" })))
            .await;
        // Tokens that nobody may share cannot stand for one person's accounts.
        let shared =
            json!({ "name": "x", "workspaceId": desk.server.workspace, "authMode": "bearer" });
        let refused = desk
            .refused(409, "POST", "/mcp/servers", Some(shared))
            .await;
        assert!(
            refused["hint"].as_str().unwrap().contains("endUserId"),
            "{refused}"
        );
        let by_oauth = json!({ "authMode": "oauth" });
        let by_oauth = desk.serve(by_oauth).await;
        assert_eq!(by_oauth.token, "");
        let path = format!("/mcp/servers/{}/regenerate-token", by_oauth.id);
        desk.refused(409, "POST", &path, None).await;
    }
}

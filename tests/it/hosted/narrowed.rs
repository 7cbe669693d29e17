//! What an administrator took out of reach: for picked tools as for followed ones, by every name, and
//! with nothing left of it in lists.

use quaymaster_tests::{Database, Developer, Made, Mcp};
use serde_json::{Value, json};

const TOOL: &str = "slack__send_channel_message";

/// A server with two picked tools of an integration, whose id is the third.
async fn picked(desk: &Developer) -> (Made, Value, String) {
    let main = desk.chat_account("main").await;
    let integration = desk
        .integrate(json!({ "integrationName": "slack", "connectionId": main }))
        .await;
    let server = desk.serve(json!({})).await;
    let users = json!({ "integrationName": "slack", "actionName": "list_users" });
    desk.add(&server, users).await;
    let send = json!({ "integrationName": "slack", "actionName": "send_channel_message" });
    let tool = desk.add(&server, send).await;
    let path = format!(
        "/workspaces/{}/integrations/{}",
        desk.server.workspace,
        integration["id"].as_str().unwrap()
    );
    (server, tool, path)
}

// promise: S3.29
#[tokio::test]
async fn narrowing_an_integration_takes_picked_tools_out_of_lists_and_calls() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let (server, tool, integration) = picked(&desk).await;
        let mcp = Mcp::open(&server.protocol, &server.token).await;
        let send = json!({ "channel": "C1", "text": "x" });
        mcp.call(TOOL, send.clone()).await.unwrap();
        let narrow = json!({ "enabledActions": ["list_users"] });
        desk.did("PATCH", &integration, Some(narrow)).await;
        assert_eq!(mcp.tool_names().await, ["slack__list_users"]);
        let refused = mcp.call(TOOL, send.clone()).await.unwrap_err();
        assert_eq!(refused["code"], "NOT_FOUND", "{refused}");
        let companion = mcp.call("slack__list_channels", json!({})).await;
        assert_eq!(companion.unwrap_err()["code"], "NOT_FOUND");
        // Nor is it changed as if it were there; picked again, the same refusal.
        let own = format!(
            "/mcp/servers/{}/tools/{}",
            server.id,
            tool["id"].as_str().unwrap()
        );
        let words = Some(json!({ "description": "Says something." }));
        let refused = desk.refused(403, "PATCH", &own, words).await;
        assert!(refused["hint"].as_str().unwrap().contains("enabledActions"));
        let act = json!({
            "workspaceId": desk.server.workspace, "integrationName": "slack",
            "actionName": "send_channel_message", "input": send,
        });
        let acted = desk
            .refused(403, "POST", "/actions/execute", Some(act))
            .await;
        assert_eq!(acted["error"], refused["error"]);
        // Widened, it is back.
        let wide = json!({ "enabledActions": null });
        desk.did("PATCH", &integration, Some(wide)).await;
        mcp.call(TOOL, send).await.unwrap();
    }
}

#[tokio::test]
async fn a_tool_moves_to_another_alias_only_where_its_action_is() {
    let desk = Developer::open(Database::Sqlite).await;
    let (server, tool, _) = picked(&desk).await;
    let own = format!(
        "/mcp/servers/{}/tools/{}",
        server.id,
        tool["id"].as_str().unwrap()
    );
    let narrow = |alias: &str, action: &str| {
        json!({
            "integrationName": "slack", "alias": alias, "connectionStrategy": "per_user",
            "enabledActions": [action],
        })
    };
    desk.integrate(narrow("people", "list_users")).await;
    desk.integrate(narrow("talk", "send_channel_message")).await;
    let to = |alias: &str| Some(json!({ "integrationAlias": alias }));
    let refused = desk.refused(403, "PATCH", &own, to("people")).await;
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("send_channel_message is not switched on for people"),
        "{refused}"
    );
    let mcp = Mcp::open(&server.protocol, &server.token).await;
    assert!(mcp.tool_names().await.iter().any(|name| name == TOOL));
    desk.did("PATCH", &own, to("talk")).await;
    let names = mcp.tool_names().await;
    assert!(
        names
            .iter()
            .any(|name| name == "talk__send_channel_message"),
        "{names:?}"
    );
}

#[tokio::test]
async fn the_values_of_an_enforced_input_are_not_looked_up() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let lock = json!({
        "name": "only general", "actionName": "send_channel_message",
        "values": { "channel": "C1" }, "enforcedKeys": ["channel"],
    });
    let lock = desk.partial(lock).await;
    let server = desk.serve(json!({})).await;
    let tool = json!({
        "integrationName": "slack", "actionName": "send_channel_message",
        "connectionId": main, "partialIds": [lock["id"]],
    });
    let tool = desk.add(&server, tool).await;
    let mcp = Mcp::open(&server.protocol, &server.token).await;
    assert_eq!(mcp.tool_names().await, [TOOL]);
    let refused = mcp.call("slack__list_channels", json!({})).await;
    assert_eq!(refused.unwrap_err()["code"], "NOT_FOUND");
    let own = format!(
        "/mcp/servers/{}/tools/{}",
        server.id,
        tool["id"].as_str().unwrap()
    );
    desk.did("PATCH", &own, Some(json!({ "partialIds": [] })))
        .await;
    assert_eq!(mcp.tool_names().await, [TOOL, "slack__list_channels"]);
}

#[tokio::test]
async fn names_that_are_parts_of_every_object_do_not_reach_the_service() {
    let desk = Developer::open(Database::Sqlite).await;
    let (server, _, _) = picked(&desk).await;
    let mcp = Mcp::open(&server.protocol, &server.token).await;
    let before = desk.chat.asked().len();
    for name in ["__proto__", "constructor", "prototype"] {
        let mut input = json!({ "channel": "C1", "text": "x" });
        input[name] = json!({ "prototype": { "channel": "C2" } });
        let refused = mcp.call(TOOL, input.clone()).await.unwrap_err();
        assert_eq!(refused["code"], "INVALID_ARG", "{name}: {refused}");
        let act = json!({
            "workspaceId": desk.server.workspace, "integrationName": "slack",
            "actionName": "send_channel_message", "input": input,
        });
        desk.refused(400, "POST", "/actions/execute", Some(act))
            .await;
    }
    assert_eq!(desk.chat.asked().len(), before);
}

#[tokio::test]
async fn a_failed_call_tells_the_status_of_the_service() {
    let desk = Developer::open(Database::Sqlite).await;
    let (server, _, _) = picked(&desk).await;
    let mcp = Mcp::open(&server.protocol, &server.token).await;
    // The chat answers everything that it does not know with an error and the status 200.
    let failed = mcp.call("slack__list_users", json!({})).await.unwrap_err();
    assert_eq!(failed["code"], "UPSTREAM_ERROR", "{failed}");
    assert_eq!(failed["details"]["upstream_status"], 200, "{failed}");
}

#[tokio::test]
async fn what_belongs_to_tokens_makes_no_other_account() {
    let desk = Developer::open(Database::Sqlite).await;
    let account = json!({
        "type": "SECRET_TEXT", "integrationName": "slack", "externalId": "main",
        "displayName": "Main", "secretText": "xoxb-main",
    });
    for (name, value) in [
        ("oauthAppId", json!("app_1")),
        ("data", json!({ "team": "T1" })),
        ("tokenType", json!("Bearer")),
        ("scope_oauth", json!("chat:write")),
    ] {
        let mut body = account.clone();
        body[name] = value;
        let refused = desk.refused(400, "POST", "/connections", Some(body)).await;
        let errors = &refused["details"]["errors"];
        assert_eq!(errors[0]["pointer"], json!(format!("/{name}")), "{refused}");
    }
    let listed = desk.did("GET", "/connections", None).await;
    assert_eq!(listed["total"], 0, "{listed}");
}

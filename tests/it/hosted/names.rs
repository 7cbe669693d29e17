//! The names of faults that programs written for the management API compare, and the fields they read.

use quaymaster_tests::{Database, Developer};
use serde_json::{Value, json};

#[tokio::test]
async fn each_fault_has_the_name_that_programs_compare() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let own = desk.server.workspace.clone();
    let slack = desk
        .integrate(json!({
            "integrationName": "slack", "connectionId": main, "enabledActions": ["send_channel_message"],
        }))
        .await;
    for alias in ["one", "two"] {
        desk.integrate(json!({ "integrationName": "github", "alias": alias, "connectionStrategy": "per_user" }))
            .await;
    }
    let lock = desk
        .partial(json!({ "name": "lists", "actionName": "list_channels" }))
        .await;
    let server = desk.serve(json!({ "mode": "CODE" })).await;
    let tools = format!("/mcp/servers/{}/tools", server.id);
    let integrations = format!("/workspaces/{own}/integrations");
    let slack = format!("{integrations}/{}", slack["id"].as_str().unwrap());
    let action = |more: Value| {
        let mut body = json!({
            "integrationName": "slack", "actionName": "send_channel_message", "workspaceId": own,
            "input": { "channel": "C1", "text": "x" },
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let options = |property: &str| json!({ "actionName": "send_channel_message", "propertyName": property, "workspaceId": own });
    let unknown = "01kahwz8x4m2q7r9s3t5v6w7y8";
    for (status, code, method, path, body) in [
        (
            409,
            "ALIAS_CONFLICT",
            "POST",
            integrations.clone(),
            json!({ "integrationName": "slack", "connectionId": main }),
        ),
        (400, "NO_UPDATES", "PATCH", slack.clone(), json!({})),
        (
            400,
            "NO_UPDATES",
            "PATCH",
            format!("/workspaces/{own}"),
            json!({}),
        ),
        (
            400,
            "NO_UPDATES",
            "PATCH",
            format!("/mcp/servers/{}", server.id),
            json!({}),
        ),
        (
            404,
            "END_USER_NOT_FOUND",
            "GET",
            format!("/end-users/eu_{unknown}"),
            Value::Null,
        ),
        (
            404,
            "END_USER_NOT_FOUND",
            "GET",
            "/end-users/nobody".to_owned(),
            Value::Null,
        ),
        (
            404,
            "END_USER_NOT_FOUND",
            "POST",
            "/actions/execute".to_owned(),
            action(json!({ "endUserId": "nobody" })),
        ),
        (
            404,
            "CONNECTION_NOT_FOUND",
            "DELETE",
            format!("/connections/con_{unknown}"),
            Value::Null,
        ),
        (
            404,
            "CONNECTION_NOT_FOUND",
            "POST",
            "/actions/execute".to_owned(),
            action(json!({ "connectionExternalId": "nobody" })),
        ),
        (
            404,
            "PARTIAL_NOT_FOUND",
            "GET",
            format!("/partials/prt_{unknown}"),
            Value::Null,
        ),
        (
            404,
            "PARTIAL_NOT_FOUND",
            "POST",
            "/actions/execute".to_owned(),
            action(json!({ "partialIds": ["none"] })),
        ),
        (
            400,
            "PARTIAL_MISMATCH",
            "POST",
            "/actions/execute".to_owned(),
            action(json!({ "partialIds": [lock["id"]] })),
        ),
        (
            404,
            "ACTION_NOT_FOUND",
            "POST",
            "/actions/execute".to_owned(),
            action(json!({ "actionName": "send" })),
        ),
        (
            403,
            "ACTION_NOT_ALLOWED",
            "POST",
            "/actions/execute".to_owned(),
            action(json!({ "actionName": "list_channels", "input": {} })),
        ),
        (
            400,
            "AMBIGUOUS_INTEGRATION",
            "POST",
            "/actions/execute".to_owned(),
            action(json!({ "integrationName": "github", "actionName": "list_my_repos" })),
        ),
        (
            404,
            "INTEGRATION_NOT_FOUND",
            "POST",
            tools,
            json!({ "integrationName": "slak", "actionName": "x" }),
        ),
        (
            400,
            "NOT_DROPDOWN",
            "POST",
            "/integrations/slack/properties/options".to_owned(),
            options("text"),
        ),
        (
            400,
            "NOT_DYNAMIC",
            "POST",
            "/integrations/slack/properties/resolve".to_owned(),
            options("channel"),
        ),
        (
            400,
            "INVALID_MCP_SCOPES",
            "POST",
            format!("/mcp/servers/{}/access-tokens", server.id),
            json!({ "endUserId": "x", "scopes": ["all"] }),
        ),
        (
            400,
            "MISSING_CODE",
            "POST",
            format!("/mcp/servers/{}/execute-code", server.id),
            json!({}),
        ),
        (
            401,
            "INVALID_TOKEN",
            "POST",
            "/connect/session/poll".to_owned(),
            json!({ "token": "cst_x" }),
        ),
        (
            404,
            "OAUTH_APP_NOT_FOUND",
            "POST",
            integrations,
            json!({ "integrationName": "github", "alias": "three", "connectionStrategy": "per_user", "oauthAppId": "none" }),
        ),
    ] {
        let body = (!body.is_null()).then_some(body);
        let answer = desk.refused(status, method, &path, body).await;
        assert_eq!(answer["code"], code, "{method} {path}: {answer}");
        assert!(answer["fault"].is_string(), "{answer}");
    }
    let broken = reqwest::Client::new()
        .post(format!("{}/api/v1/partials", desk.server.url))
        .bearer_auth(&desk.key)
        .header("content-type", "application/json")
        .body("{\"name\": ")
        .send()
        .await
        .unwrap();
    assert_eq!(broken.status(), 400);
    let broken: Value = broken.json().await.unwrap();
    assert_eq!(broken["code"], "INVALID_JSON", "{broken}");
}

#[tokio::test]
async fn a_partial_tells_the_alias_that_it_is_for() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let main = desk.chat_account("main").await;
        desk.integrate(
            json!({ "integrationName": "slack", "alias": "team", "connectionId": main }),
        )
        .await;
        let made = desk
            .partial(json!({ "name": "ours", "integrationAlias": "team" }))
            .await;
        assert_eq!(made["integrationAlias"], "team", "{made}");
        let wide = desk.partial(json!({ "name": "everywhere" })).await;
        assert_eq!(wide.get("integrationAlias"), None, "{wide}");
        let path = format!(
            "/partials?workspaceId={}&integrationAlias=team",
            desk.server.workspace
        );
        let listed = desk.did("GET", &path, None).await;
        assert_eq!(
            (&listed["total"], &listed["partials"][0]),
            (&json!(1), &made),
            "{listed}"
        );
        let path = format!("/partials/{}", made["id"].as_str().unwrap());
        let read = desk.did("GET", &path, None).await;
        assert_eq!(read["partial"], made);
    }
}

//! Flow tokens in the management API and at the command line.

use super::*;

// promise: S4.15, S4.20, S4.21, S4.22
#[tokio::test]
async fn each_client_has_a_token_of_its_own_with_its_last_use() {
    let desk = Desk::start().await;
    let (one, other) = (
        desk.token("Claude Desktop").await,
        desk.token("Cursor").await,
    );
    let path = format!("{}/flow-tokens", desk.workspace());
    let again = json!({ "name": " Cursor " });
    let (status, fault) = desk.rest("POST", &path, Some(again.clone())).await;
    assert_eq!(status, 409, "{fault}");
    assert!(fault["message"].as_str().unwrap().contains("Cursor"));

    let mcp = Mcp::open(&desk.server.endpoint, &one.text).await;
    mcp.call("no_such_tool", json!({})).await.unwrap_err();
    // Shown calls are written calls.
    desk.rest("GET", "/api/v1/calls", None).await;
    let (_, listed) = desk.rest("GET", &path, None).await;
    assert_eq!(listed["total"], 2);
    let tokens = listed["flowTokens"].as_array().unwrap();
    let of = |token: &Token| tokens.iter().find(|one| one["id"] == *token.id).unwrap();
    assert!(of(&one)["lastUsedAt"].is_string(), "{listed}");
    assert!(of(&other)["lastUsedAt"].is_null(), "{listed}");
    assert_eq!(of(&one)["name"], "Claude Desktop");
    assert_eq!(of(&one)["inUrl"], true);
    let secret = one.text.rsplit('.').next().unwrap();
    assert!(!listed.to_string().contains(secret), "{listed}");

    desk.revoke(&other).await;
    assert_refused(&curl(&desk.address(&other.text), None).await);
    assert_answered(&curl(&desk.address(&one.text), None).await);
    let gone = format!("{path}/{}", other.id);
    let (status, _) = desk.rest("DELETE", &gone, None).await;
    assert_eq!(status, 404, "revoked before");
    // The name is free again.
    let (status, made) = desk.rest("POST", &path, Some(again)).await;
    assert_eq!(status, 201, "{made}");

    // The command line knows them, too.
    let listed = desk.server.cli_json(&["token", "list"]).await;
    let kinds = listed["credentials"].as_array().unwrap().iter();
    let of_flows: Vec<_> = kinds.filter(|one| one["kind"] == "flow_token").collect();
    assert_eq!(of_flows.len(), 2, "{listed}");
    let revoked = desk.server.cli(&["token", "revoke", &one.id]).await;
    assert!(revoked.status.success(), "{revoked:?}");
}

#[tokio::test]
async fn what_a_flow_token_is_asked_to_be_is_checked_and_no_other_tenant_sees_it() {
    let desk = Desk::start().await;
    let path = format!("{}/flow-tokens", desk.workspace());
    let flow = desk.flow("one").await;
    for (body, pointer) in [
        (json!({}), "/name"),
        (json!({ "name": "" }), "/name"),
        (json!({ "name": "x".repeat(81) }), "/name"),
        (json!({ "name": "a", "flows": [] }), "/flows"),
        (json!({ "name": "a", "flows": ["ws_1"] }), "/flows/0"),
        (json!({ "name": "a", "expiresInDays": 0 }), "/expiresInDays"),
        (json!({ "name": "a", "scopes": ["admin"] }), "/scopes"),
    ] {
        let (status, fault) = desk.rest("POST", &path, Some(body.clone())).await;
        assert_eq!(status, 400, "{body}: {fault}");
        let at = &fault["details"]["errors"][0]["pointer"];
        assert_eq!(at, pointer, "{body}: {fault}");
    }
    let named = json!({ "name": "Named", "flows": [flow], "expiresInDays": 7, "inUrl": true });
    let named = desk.token_with(named).await;
    let (_, listed) = desk.rest("GET", &path, None).await;
    assert_eq!(listed["flowTokens"][0]["flows"], json!([flow]));
    assert!(listed["flowTokens"][0]["expiresAt"].is_string(), "{listed}");
    assert_answered(&curl(&desk.address(&named.text), None).await);

    let stranger = desk.server.stranger().await;
    let one = format!("{path}/{}", named.id);
    for (method, path) in [("GET", &path), ("POST", &path), ("DELETE", &one)] {
        let body = (method == "POST").then(|| json!({ "name": "Theirs" }));
        let (status, fault) = desk.server.rest(&stranger, method, path, body).await;
        assert_eq!(status, 404, "{method}: {fault}");
    }
    // A workspace token is not one, under this path either.
    let id = desk.server.token.split('.').next().unwrap();
    let (status, _) = desk.rest("DELETE", &format!("{path}/{id}"), None).await;
    assert_eq!(status, 404);
    assert_answered(&curl(&desk.address(&named.text), None).await);
}

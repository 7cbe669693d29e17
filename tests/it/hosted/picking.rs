//! All tools of a server at once, what their list costs, and a call as the server's token would make it.

use quaymaster_tests::{Database, Developer, Mcp};
use serde_json::json;

#[tokio::test]
async fn tools_are_picked_at_once_keep_what_was_set_and_follow_the_workspace_again() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let main = desk.chat_account("main").await;
        let own = desk
            .integrate(json!({ "integrationName": "slack", "connectionId": main }))
            .await;
        let server = desk.serve(json!({})).await;
        let tools = format!("/mcp/servers/{}/tools", server.id);
        let every = desk.did("GET", &tools, None).await["total"]
            .as_u64()
            .unwrap();
        let pick =
            |action: &str| json!({ "workspaceIntegrationId": own["id"], "actionName": action });
        let picked = format!("{tools}/picked");
        let two = json!({ "tools": [pick("send_channel_message"), pick("list_users")] });
        let answer = desk.did("PUT", &picked, Some(two)).await;
        assert_eq!(answer["total"], 2, "{answer}");
        let tool = answer["tools"][0]["id"].as_str().unwrap();
        let words = json!({ "displayName": "Shout", "partialIds": [] });
        desk.did("PATCH", &format!("{tools}/{tool}"), Some(words))
            .await;

        let other = json!({ "tools": [pick("send_channel_message"), pick("get_permalink")] });
        let answer = desk.did("PUT", &picked, Some(other)).await;
        let kept = &answer["tools"][0];
        assert_eq!(
            (&kept["id"], &kept["displayName"]),
            (&json!(tool), &json!("Shout"))
        );
        assert_eq!(
            answer["tools"][1]["actionName"], "get_permalink",
            "{answer}"
        );
        let back = json!({ "displayName": null, "partialIds": null });
        let answer = desk
            .did("PATCH", &format!("{tools}/{tool}"), Some(back))
            .await;
        let plain = &answer["tool"];
        assert!(
            plain["displayName"].is_null() && plain["partialIds"].is_null(),
            "{plain}"
        );

        // One that is wrong changes nothing.
        let wrong = json!({ "tools": [pick("list_users"), pick("no_such_action")] });
        let refused = desk.refused(400, "PUT", &picked, Some(wrong)).await;
        assert_eq!(
            refused["details"]["errors"][0]["pointer"], "/tools/1",
            "{refused}"
        );
        assert_eq!(desk.did("GET", &tools, None).await["total"], 2);
        let answer = desk.did("PUT", &picked, Some(json!({}))).await;
        assert_eq!(answer["total"].as_u64(), Some(every), "{answer}");
    }
}

// promise: S3.12
#[tokio::test]
async fn the_cost_of_the_list_is_told_for_both_modes_whichever_it_is_in() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    desk.integrate(json!({ "integrationName": "slack", "connectionId": main }))
        .await;
    let server = desk.serve(json!({})).await;
    let path = format!("/mcp/servers/{}/tool-list-size", server.id);
    let size = desk.did("GET", &path, None).await;
    let number = |name: &str| size[name].as_u64().unwrap();
    assert!(number("tools") > 20, "{size}");
    assert!(
        number("codeModeTokens") * 5 < number("toolsModeTokens"),
        "{size}"
    );
    let mode = json!({ "mode": "CODE" });
    desk.did("PATCH", &format!("/mcp/servers/{}", server.id), Some(mode))
        .await;
    assert_eq!(desk.did("GET", &path, None).await, size);
    // It is about what a client is sent.
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    let listed = agent.request("tools/list", json!({})).await.to_string();
    let bytes = listed.len() as u64;
    let tokens = number("codeModeTokens");
    assert!(
        (bytes / 8..bytes / 2).contains(&tokens),
        "{tokens} of {bytes} bytes"
    );
}

#[tokio::test]
async fn a_call_over_rest_has_the_saved_inputs_of_the_server() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let server = desk.serve(json!({})).await;
    desk.partial(json!({
        "name": "cranes", "values": { "channel": "C2" }, "enforcedKeys": ["channel"],
    }))
    .await;
    let tool = json!({
        "integrationName": "slack", "actionName": "send_channel_message", "connectionId": main,
        "partialIds": ["cranes"],
    });
    desk.add(&server, tool).await;
    let path = format!("/mcp/servers/{}/call", server.id);
    let call = json!({
        "name": "slack__send_channel_message", "arguments": { "channel": "C1", "text": "Hello" },
    });
    let answer = desk.did("POST", &path, Some(call)).await;
    assert_eq!(answer["isError"], false, "{answer}");
    assert_eq!(
        answer["structuredContent"]["data"]["channel"], "C2",
        "{answer}"
    );
    let answer = desk
        .did("POST", &path, Some(json!({ "name": "no_such_tool" })))
        .await;
    assert_eq!(answer["isError"], true, "{answer}");
    assert_eq!(answer["structuredContent"]["code"], "NOT_FOUND", "{answer}");
    let nowhere = "/mcp/servers/srv_01arz3ndektsv4rrffq69g5fav/call";
    desk.refused(404, "POST", nowhere, Some(json!({ "name": "a" })))
        .await;
}

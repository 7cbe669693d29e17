//! Partials: what is saved holds, what is enforced is neither seen nor changed by an agent.

use quaymaster_tests::{Database, Developer, Made, Mcp};
use serde_json::{Value, json};

const TOOL: &str = "slack__send_channel_message";

async fn with_partials(desk: &Developer, partials: &[&Value]) -> (Made, Value) {
    let main = desk.chat_account("main").await;
    let server = desk.serve(json!({})).await;
    let ids: Vec<&Value> = partials.iter().map(|partial| &partial["id"]).collect();
    let tool = desk
        .add(
            &server,
            json!({
                "integrationName": "slack", "actionName": "send_channel_message",
                "connectionId": main, "partialIds": ids,
            }),
        )
        .await;
    (server, tool)
}

fn path_of(partial: &Value) -> String {
    format!("/partials/{}", partial["id"].as_str().unwrap())
}

// promise: S3.36, S3.37, S3.38, S3.39, S3.40
#[tokio::test]
async fn an_enforced_key_is_not_in_the_schema_and_wins_against_every_trick() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let enforced = json!({
            "name": "only general", "actionName": "send_channel_message",
            "values": { "channel": "C1" }, "enforcedKeys": ["channel"],
        });
        let usual = json!({ "name": "as a crane", "values": { "username": "Crane" } });
        let (enforced, usual) = (desk.partial(enforced).await, desk.partial(usual).await);
        let (server, _) = with_partials(&desk, &[&enforced, &usual]).await;
        let mcp = Mcp::open(&server.protocol, &server.token).await;
        let tools = mcp.request("tools/list", json!({})).await["result"]["tools"].clone();
        let tools = tools.as_array().unwrap();
        let tool = tools.iter().find(|tool| tool["name"] == TOOL).unwrap();
        assert!(!tool.to_string().contains("\"channel\""), "{tool}");
        assert!(
            tool["inputSchema"]["properties"]["text"].is_object(),
            "{tool}"
        );

        let sent = mcp.call(TOOL, json!({ "text": "Hello" })).await.unwrap();
        assert_eq!(sent["data"]["channel"], "C1", "{sent}");
        assert_eq!(sent["data"]["username"], "Crane", "{sent}");
        let other = json!({ "text": "Hello", "username": "Agent" });
        let sent = mcp.call(TOOL, other).await.unwrap();
        assert_eq!(
            sent["data"]["username"], "Agent",
            "only enforced keys are locked: {sent}"
        );

        // What an agent may try: each is refused or changes nothing.
        let tricks = [
            r#"{"text":"x","channel":"C2"}"#,
            r#"{"text":"x","channel":"C1","channel":"C2"}"#,
            r#"{"text":"x","channel":null}"#,
            r#"{"text":"x","channel":{"id":"C2"}}"#,
            r#"{"text":"x","channel":["C2"]}"#,
            r#"{"text":"x","Channel":"C2"}"#,
            r#"{"text":"x","CHANNEL":"C2"}"#,
            r#"{"text":"x","channel ":"C2"}"#,
            r#"{"text":"x","chan\u006eel":"C2"}"#,
            r#"{"text":"x","сhannel":"C2"}"#,
            r#"{"text":"x","channel[]":"C2"}"#,
            r#"{"text":"x","channel.id":"C2"}"#,
            r#"{"text":"x","/channel":"C2"}"#,
            r#"{"text":"x","__proto__":{"channel":"C2"}}"#,
            r#"{"text":"x","constructor":{"prototype":{"channel":"C2"}}}"#,
        ];
        for trick in tricks {
            let message = format!(
                r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{{"name":"{TOOL}","arguments":{trick}}}}}"#
            );
            let reply = mcp
                .send(reqwest::Method::POST, mcp.headers(), message)
                .await;
            let answer = reply.message();
            let sent = &answer["result"]["structuredContent"]["data"];
            if answer["result"]["isError"] != true && answer["error"].is_null() {
                assert_eq!(sent["channel"], "C1", "{trick}: {answer}");
            }
        }
        let sends = desk.chat.asked().into_iter();
        let sends: Vec<Value> = sends
            .filter(|asked| asked.path == "/api/chat.postMessage")
            .map(|asked| asked.body)
            .collect();
        for body in &sends {
            assert_eq!(body["channel"], "C1", "{body}");
            assert!(!body.to_string().contains("C2"), "{body}");
        }
        assert!(sends.len() >= 2);
    }
}

// promise: S3.37, S3.38
#[tokio::test]
async fn later_partials_win_over_earlier_ones_and_contradictions_are_refused() {
    let desk = Developer::open(Database::Sqlite).await;
    let first = json!({ "name": "first", "values": { "text": "one", "channel": "C1" } });
    let second = json!({ "name": "second", "values": { "text": "two" } });
    let (first, second) = (desk.partial(first).await, desk.partial(second).await);
    let (server, tool) = with_partials(&desk, &[&first, &second]).await;
    let mcp = Mcp::open(&server.protocol, &server.token).await;
    let sent = mcp.call(TOOL, json!({})).await.unwrap();
    assert_eq!(
        (&sent["data"]["text"], &sent["data"]["channel"]),
        (&json!("two"), &json!("C1"))
    );

    let locks = |name: &str, channel: &str| json!({ "name": name, "values": { "channel": channel }, "enforcedKeys": ["channel"] });
    let (one, other) = (
        desk.partial(locks("c1", "C1")).await,
        desk.partial(locks("c2", "C2")).await,
    );
    let path = format!("/mcp/servers/{}/tools", server.id);
    let both = json!({ "partialIds": [one["id"], other["id"]] });
    let own = format!("{path}/{}", tool["id"].as_str().unwrap());
    let refused = desk.refused(409, "PATCH", &own, Some(both)).await;
    assert_eq!(refused["code"], "DUPLICATE", "{refused}");
    assert!(
        refused["error"].as_str().unwrap().contains("channel"),
        "{refused}"
    );
    // Nor can one that a tool has become a contradiction later.
    let agreeing = json!({ "values": { "channel": "C1" } });
    desk.did("PATCH", &path_of(&other), Some(agreeing)).await;
    let both = json!({ "partialIds": [one["id"], other["id"]] });
    desk.did("PATCH", &own, Some(both)).await;
    let contrary = json!({ "values": { "channel": "C2" } });
    let refused = desk
        .refused(409, "PATCH", &path_of(&other), Some(contrary.clone()))
        .await;
    assert!(
        refused["error"].as_str().unwrap().contains("channel"),
        "{refused}"
    );
    let good = json!({ "partialIds": [one["id"]] });
    desk.did("PATCH", &own, Some(good)).await;
    desk.did("PATCH", &path_of(&other), Some(contrary)).await;

    // Defaults hold for tools that name none, and two of them cannot contradict each other either.
    let default = json!({ "isDefault": true });
    let set = format!("{}/set-default", path_of(&one));
    let set = desk.did("POST", &set, Some(default.clone())).await;
    assert_eq!(set["partial"]["isDefault"], true, "{set}");
    let second_default = format!("{}/set-default", path_of(&other));
    desk.refused(409, "POST", &second_default, Some(default))
        .await;
    let server = desk.serve(json!({ "name": "Defaults" })).await;
    let plain = json!({ "integrationName": "slack", "actionName": "send_channel_message" });
    desk.add(&server, plain).await;
    let mcp = Mcp::open(&server.protocol, &server.token).await;
    let sent = json!({ "text": "x", "channel": "C2" });
    let sent = mcp.call(TOOL, sent).await;
    assert!(sent.is_err() || sent.unwrap()["data"]["channel"] == "C1");
}

// promise: S3.36, S3.39
#[tokio::test]
async fn a_partial_that_a_tool_names_cannot_be_taken_away_or_loosened_unseen() {
    let desk = Developer::open(Database::Sqlite).await;
    let lock =
        json!({ "name": "lock", "values": { "channel": "C1" }, "enforcedKeys": ["channel"] });
    let lock = desk.partial(lock).await;
    let (server, tool) = with_partials(&desk, &[&lock]).await;
    let refused = desk.refused(409, "DELETE", &path_of(&lock), None).await;
    assert!(
        refused["hint"].as_str().unwrap().contains("partialIds"),
        "{refused}"
    );
    let path = format!(
        "/mcp/servers/{}/tools/{}",
        server.id,
        tool["id"].as_str().unwrap()
    );
    desk.did("PATCH", &path, Some(json!({ "partialIds": [] })))
        .await;
    desk.did("DELETE", &path_of(&lock), None).await;
    desk.refused(404, "GET", &path_of(&lock), None).await;

    let again = json!({ "name": "lock", "values": { "channel": "C1" } });
    let kept = desk.partial(again.clone()).await;
    let mut body = again;
    body["workspaceId"] = json!(desk.server.workspace);
    body["integrationName"] = json!("slack");
    desk.refused(409, "POST", "/partials", Some(body.clone()))
        .await;
    body["name"] = json!("other");
    body["enforcedKeys"] = json!(["text"]);
    let without = desk
        .refused(400, "POST", "/partials", Some(body.clone()))
        .await;
    assert!(
        without["error"].as_str().unwrap().contains("text"),
        "{without}"
    );
    body["enforcedKeys"] = json!([]);
    body["actionName"] = json!("send_channel_massage");
    let slip = desk
        .refused(404, "POST", "/partials", Some(body.clone()))
        .await;
    assert!(
        slip["hint"]
            .as_str()
            .unwrap()
            .contains("send_channel_message"),
        "{slip}"
    );
    body["actionName"] = json!("send_channel_message");
    body["values"] = json!({ "chanel": "C1" });
    let slip = desk.refused(400, "POST", "/partials", Some(body)).await;
    assert!(slip["hint"].as_str().unwrap().contains("channel"), "{slip}");

    let query = format!(
        "/partials?workspaceId={}&integrationName=slack&actionName=send_channel_message",
        desk.server.workspace
    );
    let listed = desk.did("GET", &query, None).await;
    assert_eq!(listed["total"], 0, "it is for all actions: {listed}");
    let query = format!("/partials?workspaceId={}", desk.server.workspace);
    let listed = desk.did("GET", &query, None).await;
    assert_eq!(listed["partials"][0]["id"], kept["id"], "{listed}");
    // What somebody saved may be nobody else's business: events tell keys, not values.
    let events = desk.did("GET", "/events?limit=50", None).await;
    let made = events["events"].as_array().unwrap().iter();
    for event in made.filter(|event| event["action"].as_str().unwrap().starts_with("partial.")) {
        assert!(!event.to_string().contains("\"C1\""), "{event}");
    }
}

//! What changes at a server while clients are connected: they are told, and no call hangs or lies.

use quaymaster_tests::{Database, Developer, Made, Mcp};
use serde_json::{Value, json};
use std::time::Duration;

const TOOL: &str = "slack__send_channel_message";

/// An open stream of a session, which tells of changes.
pub(crate) struct Stream(pub(crate) reqwest::Response);

impl Stream {
    /// Waits until the list of tools is said to have changed.
    pub(crate) async fn is_told(&mut self, of: &str) {
        let told = async {
            let mut text = String::new();
            while !text.contains("notifications/tools/list_changed") {
                let chunk = self.0.chunk().await.unwrap();
                text.push_str(&String::from_utf8_lossy(
                    &chunk.expect("the stream is open"),
                ));
            }
        };
        // A second is promised; what is more is what a busy machine takes.
        let told = tokio::time::timeout(Duration::from_secs(5), told).await;
        told.unwrap_or_else(|_| panic!("nobody told of {of}"));
    }
}

async fn with_tool(desk: &Developer, connection: &str) -> (Made, String) {
    let server = desk.serve(json!({})).await;
    let tool = json!({
        "integrationName": "slack", "actionName": "send_channel_message",
        "connectionId": connection,
    });
    let tool = desk.add(&server, tool).await;
    (server, tool["id"].as_str().unwrap().to_owned())
}

// promise: S3.1, S3.45
#[tokio::test]
async fn connected_clients_are_told_of_everything_that_changes_their_tools() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let main = desk.chat_account("main").await;
        let (server, tool) = with_tool(&desk, &main).await;
        let mcp = Mcp::open(&server.protocol, &server.token).await;
        let mut stream = Stream(mcp.stream().await);
        assert_eq!(stream.0.headers()["content-type"], "text/event-stream");
        let path = format!("/mcp/servers/{}/tools", server.id);
        let own = format!("{path}/{tool}");

        let said = json!({ "description": "Says something to the harbour." });
        desk.did("PATCH", &own, Some(said)).await;
        stream.is_told("a description").await;

        let partial = json!({ "name": "p", "values": { "text": "x" }, "isDefault": true });
        let partial = desk.partial(partial).await;
        stream.is_told("a partial").await;
        let lock = json!({ "enforcedKeys": ["text"] });
        let at = format!("/partials/{}", partial["id"].as_str().unwrap());
        desk.did("PATCH", &at, Some(lock)).await;
        stream.is_told("a lock").await;
        let tools = mcp.request("tools/list", json!({})).await["result"]["tools"].clone();
        let first = &tools[0]["inputSchema"]["properties"];
        assert!(
            first.get("text").is_none() && first.get("channel").is_some(),
            "{first}"
        );

        let other = json!({ "integrationName": "slack", "actionName": "list_users" });
        desk.made(&path, other).await;
        stream.is_told("a tool").await;
        assert!(
            mcp.tool_names()
                .await
                .contains(&"slack__list_users".to_owned())
        );

        let integrations = format!("/workspaces/{}/integrations", desk.server.workspace);
        let listed = desk.did("GET", &integrations, None).await;
        let integration = listed["integrations"][0]["id"].as_str().unwrap().to_owned();
        let integration = format!("{integrations}/{integration}");
        desk.did("PATCH", &integration, Some(json!({ "alias": "harbour" })))
            .await;
        stream.is_told("an alias").await;
        assert!(
            mcp.tool_names()
                .await
                .contains(&"harbour__list_users".to_owned())
        );

        desk.did("DELETE", &own, None).await;
        stream.is_told("a tool that went").await;
        let gone = mcp
            .call("harbour__send_channel_message", json!({}))
            .await
            .unwrap_err();
        assert_eq!(gone["code"], "NOT_FOUND", "{gone}");

        desk.did("DELETE", &integration, None).await;
        stream.is_told("an integration that went").await;
        assert_eq!(mcp.tool_names().await, [""; 0]);
    }
}

#[tokio::test]
async fn a_tool_that_goes_during_a_call_ends_as_it_would_and_is_gone() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let (server, tool) = with_tool(&desk, &main).await;
    let mcp = Mcp::open(&server.protocol, &server.token).await;
    let before = desk.chat.asked().len();
    desk.chat.hold();
    let call = mcp.call(TOOL, json!({ "channel": "C1", "text": "Hello" }));
    let remove = async {
        desk.chat.has_come(before + 1).await;
        let path = format!("/mcp/servers/{}/tools/{tool}", server.id);
        desk.did("DELETE", &path, None).await;
        desk.chat.let_go();
    };
    let (sent, ()) = tokio::join!(call, remove);
    assert_eq!(sent.unwrap()["data"]["channel"], "C1");
    let gone = mcp
        .call(TOOL, json!({ "channel": "C1" }))
        .await
        .unwrap_err();
    assert_eq!(gone["code"], "NOT_FOUND", "{gone}");
}

#[tokio::test]
async fn an_account_that_goes_during_a_call_ends_as_it_would_and_the_next_says_what_to_do() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let main = desk.chat_account("main").await;
        let (server, _) = with_tool(&desk, &main).await;
        let mcp = Mcp::stateless(&server.protocol, &server.token);
        let before = desk.chat.asked().len();
        desk.chat.hold();
        let call = mcp.call(TOOL, json!({ "channel": "C1", "text": "Hello" }));
        let remove = async {
            desk.chat.has_come(before + 1).await;
            desk.did("DELETE", &format!("/connections/{main}"), None)
                .await;
            desk.chat.let_go();
        };
        let (sent, ()) = tokio::join!(call, remove);
        assert_eq!(sent.unwrap()["data"]["channel"], "C1");
        let gone = mcp
            .call(TOOL, json!({ "channel": "C1" }))
            .await
            .unwrap_err();
        assert_eq!(gone["code"], "CONNECTION_REQUIRED", "{gone}");
        assert!(!gone.to_string().contains("xoxb-"), "{gone}");
        assert_eq!(desk.chat.asked().len(), before + 1, "nothing more was sent");
        // Another account, and the same tool works again.
        let other = desk.chat_account("other").await;
        let integrations = format!("/workspaces/{}/integrations", desk.server.workspace);
        let listed = desk.did("GET", &integrations, None).await;
        let integration = listed["integrations"][0]["id"].as_str().unwrap();
        let path = format!("{integrations}/{integration}");
        desk.did("PATCH", &path, Some(json!({ "connectionId": other })))
            .await;
        let sent = mcp.call(TOOL, json!({ "channel": "C1" })).await.unwrap();
        assert_eq!(sent["data"]["sent_with"], "other", "{sent}");
    }
}

#[tokio::test]
async fn a_workspace_that_goes_takes_its_servers_and_their_tokens_with_it() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let body = json!({ "name": "Second", "slug": "second" });
        let second = desk.made("/workspaces", body).await["workspace"]["id"].clone();
        desk.refused(
            409,
            "POST",
            "/workspaces",
            Some(json!({ "name": "Second", "slug": "second" })),
        )
        .await;
        let server = desk.serve(json!({ "workspaceId": "second" })).await;
        let mcp = Mcp::open(&server.protocol, &server.token).await;
        let path = format!("/workspaces/{}", second.as_str().unwrap());
        let deleted = desk.did("DELETE", &path, None).await;
        assert_eq!(
            (&deleted["deleted"], &deleted["id"]),
            (&json!(true), &second),
            "{deleted}"
        );
        let late = mcp
            .post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }))
            .await;
        assert_eq!(late.status, 401, "{late:?}");
        desk.refused(404, "GET", &path, None).await;
        desk.refused(404, "GET", &format!("/mcp/servers/{}", server.id), None)
            .await;
        let servers: Value = desk.did("GET", "/mcp/servers", None).await;
        assert_eq!(servers["total"], 0, "{servers}");
    }
}

//! The lines that a developer pastes into a shell, run by curl with only host, key and ids changed.

use quaymaster_tests::{Database, Developer, Mcp};
use serde_json::{Value, json};
use tokio::process::Command;

/// Runs a printed line. What stands in it for host, key and ids is replaced.
async fn run(desk: &Developer, line: &str, ids: &[(&str, &str)]) -> Value {
    let mut line = line
        .replace("https://api.weavz.io", &desk.server.url)
        .replace("wvz_your_api_key", &desk.key);
    for (printed, own) in ids {
        line = line.replace(printed, own);
    }
    let output = Command::new("sh")
        .args(["-c", &line])
        .output()
        .await
        .expect("a shell starts");
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("{line}: {text}"))
}

const CREATE: &str = r#"curl -s -X POST https://api.weavz.io/api/v1/mcp/servers \
-H "Authorization: Bearer wvz_your_api_key" \
-H "Content-Type: application/json" \
-d '{
"name": "My AI Tools",
"workspaceId": "proj_abc123",
"mode": "TOOLS"
}'"#;
const ADD: &str = r#"curl -s -X POST https://api.weavz.io/api/v1/mcp/servers/{serverId}/tools \
-H "Authorization: Bearer wvz_your_api_key" \
-H "Content-Type: application/json" \
-d '{
"integrationName": "slack",
"actionName": "send_channel_message",
"connectionId": "conn_abc123"
}'"#;
const ADD_ALIAS: &str = r#"curl -s -X POST https://api.weavz.io/api/v1/mcp/servers/{serverId}/tools \
-H "Authorization: Bearer wvz_your_api_key" \
-H "Content-Type: application/json" \
-d '{
"integrationName": "slack",
"integrationAlias": "slack_bot",
"actionName": "send_channel_message",
"connectionId": "conn_bot"
}'"#;
const ADD_PARTIALS: &str = r#"curl -s -X POST https://api.weavz.io/api/v1/mcp/servers/{serverId}/tools \
-H "Authorization: Bearer wvz_your_api_key" \
-H "Content-Type: application/json" \
-d '{
"integrationName": "slack",
"actionName": "send_channel_message",
"connectionId": "conn_abc123",
"partialIds": ["partial_001", "partial_002"]
}'"#;
const LIST: &str = r#"curl -s https://api.weavz.io/api/v1/mcp/servers/{serverId}/tools \
-H "Authorization: Bearer wvz_your_api_key""#;
const DELETE: &str = r#"curl -s -X DELETE https://api.weavz.io/api/v1/mcp/servers/{serverId}/tools/{toolId} \
-H "Authorization: Bearer wvz_your_api_key""#;
const CREATE_FOR_END_USER: &str = r#"curl -s -X POST https://api.weavz.io/api/v1/mcp/servers \
-H "Authorization: Bearer wvz_your_api_key" \
-H "Content-Type: application/json" \
-d '{
"name": "User Agent",
"workspaceId": "proj_abc123",
"endUserId": "user_123",
"mode": "TOOLS"
}'"#;

// promise: S3.13, S3.17, S3.18, S3.19, S3.20, S3.23, S3.24, S3.25, S3.26, S3.27, S3.28, S3.36, S3.37, S3.47, S3.51, S3.54, S3.55, S3.63
#[tokio::test]
async fn the_printed_lines_run_with_only_host_key_and_ids_changed() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let workspace = ("proj_abc123", desk.server.workspace.as_str());
        let main = desk.chat_account("main").await;
        let bot = desk.chat_account("bot").await;

        let made = run(&desk, CREATE, &[workspace]).await;
        assert_eq!(made["name"], "My AI Tools", "{made}");
        assert_eq!(made["mode"], "TOOLS");
        let id = made["id"].as_str().unwrap();
        let protocol = format!("{}/api/v1/mcp/servers/{id}/protocol", desk.server.url);
        assert_eq!(made["endpoint"], protocol);
        assert_eq!(made["server"]["id"], made["id"]);
        let token = made["bearerToken"].as_str().unwrap();
        assert!(token.starts_with("mcp_"), "{token}");

        let server = ("{serverId}", id);
        let added = run(&desk, ADD, &[server, ("conn_abc123", &main)]).await;
        assert_eq!(
            added["tool"]["name"], "slack__send_channel_message",
            "{added}"
        );
        assert_eq!(added["tool"]["connectionId"], main.as_str());
        let aliased = run(&desk, ADD_ALIAS, &[server, ("conn_bot", &bot)]).await;
        assert_eq!(
            aliased["tool"]["name"], "slack_bot__send_channel_message",
            "{aliased}"
        );

        let listed = run(&desk, LIST, &[server]).await;
        assert_eq!(listed["total"], 2, "{listed}");
        let tool = ("{toolId}", added["tool"]["id"].as_str().unwrap());
        let deleted = run(&desk, DELETE, &[server, tool]).await;
        assert_eq!(deleted["deleted"], true, "{deleted}");
        let listed = run(&desk, LIST, &[server]).await;
        assert_eq!(
            listed["tools"][0]["name"],
            "slack_bot__send_channel_message"
        );
        assert_eq!(listed["total"], 1, "{listed}");

        let first =
            json!({ "name": "where", "values": { "channel": "C1" }, "enforcedKeys": ["channel"] });
        let first = desk.partial(first).await;
        let second = desk
            .partial(json!({ "name": "who", "values": { "username": "Crane" } }))
            .await;
        let ids = [
            server,
            ("conn_abc123", &main),
            ("partial_001", first["id"].as_str().unwrap()),
            ("partial_002", second["id"].as_str().unwrap()),
        ];
        let locked = run(&desk, ADD_PARTIALS, &ids).await;
        assert_eq!(
            locked["tool"]["partialIds"],
            json!([first["id"], second["id"]]),
            "{locked}"
        );

        // The id is the developer's own, so nothing but the workspace's changes.
        desk.end_user("user_123").await;
        let personal = run(&desk, CREATE_FOR_END_USER, &[workspace]).await;
        assert!(
            personal["server"]["endUserId"]
                .as_str()
                .unwrap()
                .starts_with("eu"),
            "{personal}"
        );

        // What the lines made works.
        let mcp = Mcp::open(&protocol, token).await;
        let sent = json!({ "text": "Hello" });
        let sent = mcp.call("slack__send_channel_message", sent).await.unwrap();
        assert_eq!(sent["data"]["sent_with"], "main", "{sent}");
        assert_eq!(sent["data"]["channel"], "C1");
        let sent = json!({ "channel": "C2", "text": "Hello" });
        let sent = mcp
            .call("slack_bot__send_channel_message", sent)
            .await
            .unwrap();
        assert_eq!(sent["data"]["sent_with"], "bot", "{sent}");
    }
}

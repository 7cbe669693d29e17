//! What the scopes, the workspace and the expiry of an API key allow and refuse.

use crate::outside::sqlite;
use quaymaster_tests::{Mcp, Server};
use serde_json::{Value, json};

const READING: [&str; 7] = [
    "list_services",
    "describe_service",
    "list_files",
    "search_files",
    "read_file",
    "get_file_info",
    "get_upload_status",
];

/// What an API key sees that calls tools.
const SEEN: [&str; 5] = [
    "list_services",
    "describe_service",
    "connector_execute",
    "repl_execute",
    "write_memory",
];

/// A key that also reaches the files of the first workspace.
async fn key(server: &Server, scopes: &str) -> String {
    let arguments = [
        "token",
        "create",
        "--org",
        "--scopes",
        scopes,
        "--files",
        &server.workspace,
    ];
    let made = server.cli_json(&arguments).await;
    made["token"].as_str().unwrap().to_owned()
}

async fn listed(mcp: &Mcp) -> Option<Vec<String>> {
    let answer = mcp.request("tools/list", json!({})).await;
    let tools = answer["result"]["tools"].as_array()?;
    Some(
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect(),
    )
}

// promise: S0.17, S0.18, S0.19
#[tokio::test]
async fn each_scope_allows_what_it_names_and_refuses_the_rest() {
    let server = Server::start().await;
    let write = json!({ "path": "a", "content": "x" });
    let table = [
        // scope, tools listed, reads, writes, tools over REST, management API
        ("read:tools", Some(8), true, false, false, false),
        ("write:tools", Some(17), false, true, false, false),
        ("read:data", Some(2), false, false, false, false),
        ("chat", None, false, false, true, false),
        ("connector:gateway", None, false, false, false, false),
        ("admin", Some(26), true, true, true, true),
    ];
    for (scope, tools, reads, writes, chats, manages) in table {
        let key = key(&server, scope).await;
        let mcp = Mcp::open(&server.endpoint, &key).await;
        let names = listed(&mcp).await;
        assert_eq!(names.as_ref().map(Vec::len), tools, "{scope}");
        for name in names.into_iter().flatten() {
            // Reads or writes, as its arguments say.
            if name == "connector_execute" {
                continue;
            }
            if matches!(&*name, "read_memory" | "search_knowledge") {
                assert!(matches!(scope, "read:data" | "admin"), "{scope}");
                continue;
            }
            let allowed = if READING.contains(&name.as_str()) {
                reads
            } else {
                writes
            };
            assert!(allowed, "{scope} lists {name}");
        }
        let may = async |tool: &str, arguments: Value| match mcp.call(tool, arguments).await {
            Ok(_) => true,
            Err(fault) => {
                assert_eq!(fault["code"], "SCOPE_DENIED", "{scope}: {fault}");
                assert!(
                    fault["message"].as_str().unwrap().contains(":tools"),
                    "{fault}"
                );
                false
            }
        };
        assert_eq!(may("list_files", json!({})).await, reads, "{scope}");
        assert_eq!(may("write_file", write.clone()).await, writes, "{scope}");
        let (status, _) = server.rest(&key, "GET", "/api/v1/workspaces", None).await;
        assert_eq!(status, if manages { 200 } else { 403 }, "{scope}");
        let (status, _) = server
            .rest(&key, "POST", "/api/v1/tools/list_files", Some(json!({})))
            .await;
        assert_eq!(status, if chats && reads { 200 } else { 403 }, "{scope}");
    }
    let both = key(&server, "chat,read:tools").await;
    let call = server.rest(&both, "POST", "/api/v1/tools/list_files", Some(json!({})));
    let (status, answer) = call.await;
    assert_eq!(status, 200);
    assert_eq!(answer["structuredContent"]["entries"][0]["path"], "a");
    let unknown = server
        .cli(&["token", "create", "--org", "--scopes", "root"])
        .await;
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("read:tools"));
}

// promise: S0.21
#[tokio::test]
async fn a_key_acts_as_its_owner_in_its_organization_and_sees_files_only_when_told() {
    let server = Server::start().await;
    let plain = server.api_key(&["read:tools", "write:tools"]).await;
    let mcp = Mcp::open(&server.endpoint, &plain).await;
    assert_eq!(listed(&mcp).await.unwrap(), SEEN);
    let call = json!({ "name": "list_files", "arguments": {} });
    let refused = mcp.request("tools/call", call).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");

    let key = key(&server, "admin").await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    assert_eq!(listed(&mcp).await.unwrap().len(), 26);
    mcp.call("write_file", json!({ "path": "k", "content": "k" }))
        .await
        .unwrap();
    assert!(server.home().join("k").is_file());
    let (_, keys) = server.rest(&key, "GET", "/api/v1/api-keys", None).await;
    let id = format!("crd_{}", key["sk-org-".len()..].split_once('.').unwrap().0);
    let keys = keys["apiKeys"].as_array().unwrap();
    let own = keys.iter().find(|key| key["id"] == json!(id)).unwrap();
    let (_, calls) = server
        .rest(&key, "GET", "/api/v1/calls?limit=1", None)
        .await;
    let call = &calls["calls"][0];
    assert_eq!(call["tool"], "write_file");
    assert_eq!(call["credentialId"], json!(id));
    assert_eq!(call["userId"], own["userId"]);
    assert!(
        call["userId"].as_str().unwrap().starts_with("usr_"),
        "{call}"
    );
    assert_eq!(call["workspaceId"], json!(server.workspace));
}

// promise: S0.20
#[tokio::test]
async fn an_expired_key_is_refused_and_a_fresh_one_says_when_it_will_be() {
    let mut server = Server::start().await;
    let make = [
        "token",
        "create",
        "--org",
        "--files",
        &server.workspace,
        "--expires",
        "1",
    ];
    let made = server.cli_json(&make).await;
    let (id, token) = (
        made["id"].as_str().unwrap(),
        made["token"].as_str().unwrap(),
    );
    assert!(made["expires_at"].as_str().unwrap().ends_with('Z'));
    let forever = server
        .cli_json(&["token", "create", "--org", "--expires", "never"])
        .await;
    assert!(forever["expires_at"].is_null());
    let standard = server.cli_json(&["token", "create", "--org"]).await;
    assert!(
        standard["expires_at"].is_string(),
        "keys expire unless told otherwise"
    );
    Mcp::open(&server.endpoint, token).await;
    server.stop().await;
    let past = format!("UPDATE credentials SET expires_at = created_at + 1 WHERE id = '{id}'");
    sqlite(server.data.path(), &past).await;
    server.restart().await;
    let reply = Mcp::stateless(&server.endpoint, token)
        .initialize("2025-06-18")
        .await;
    assert_eq!(reply.status, 401);
    assert!(
        reply.text.contains("The credential has expired."),
        "{}",
        reply.text
    );
    let (status, fault) = server.rest(token, "GET", "/api/v1/workspaces", None).await;
    assert_eq!((status, &fault["fault"]), (401, &json!("UNAUTHENTICATED")));
    Mcp::open(&server.endpoint, forever["token"].as_str().unwrap()).await;
}

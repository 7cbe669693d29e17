//! Who is let in where: the tokens of servers, API keys, and other organizations.

use quaymaster_tests::{Database, Developer, Made, Mcp, Reply};
use serde_json::{Value, json};

async fn hello(endpoint: &str, token: &str) -> Reply {
    Mcp::stateless(endpoint, token)
        .initialize("2025-06-18")
        .await
}

async fn chatting(desk: &Developer) -> Made {
    let main = desk.chat_account("main").await;
    let server = desk.serve(json!({})).await;
    let tool = json!({
        "integrationName": "slack", "actionName": "send_channel_message", "connectionId": main,
    });
    desk.add(&server, tool).await;
    server
}

// promise: S3.46, S3.18
#[tokio::test]
async fn a_servers_token_opens_its_own_two_addresses_and_nothing_else() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let (server, other) = (chatting(&desk).await, desk.serve(json!({})).await);
        for address in [&server.endpoint, &server.protocol] {
            assert_eq!(hello(address, &server.token).await.status, 200, "{address}");
            for wrong in [other.token.as_str(), desk.key.as_str(), "mcp_none.such", ""] {
                let refused = hello(address, wrong).await;
                assert_eq!(refused.status, 401, "{address} {wrong}: {refused:?}");
                assert!(
                    refused.headers.contains_key("www-authenticate"),
                    "{refused:?}"
                );
            }
        }
        let refused = hello(&desk.server.endpoint, &server.token).await;
        assert_eq!(refused.status, 401, "{refused:?}");
        for (method, path) in [
            ("GET", "/mcp/servers"),
            ("GET", "/workspaces"),
            ("GET", "/tools"),
        ] {
            let path = format!("/api/v1{path}");
            let (status, answer) = desk.server.rest(&server.token, method, &path, None).await;
            assert!(matches!(status, 401 | 403), "{path}: {status} {answer}");
        }
        let nobody = format!("{}/mcp/srv_01kahwz8x4m2q7r9s3t5v6w7y8", desk.server.url);
        let gone = hello(&nobody, &server.token).await.status;
        assert!(matches!(gone, 401 | 404), "{gone}");

        // A new token: the old one is dead, the new one works at once.
        let path = format!("/mcp/servers/{}/regenerate-token", server.id);
        let fresh = desk.did("POST", &path, None).await;
        let fresh = fresh["bearerToken"].as_str().unwrap();
        assert_eq!(hello(&server.protocol, &server.token).await.status, 401);
        let mcp = Mcp::open(&server.protocol, fresh).await;
        assert_eq!(mcp.tool_names().await.len(), 2);
        // And with the server goes its token, with open sessions too.
        desk.did("DELETE", &format!("/mcp/servers/{}", server.id), None)
            .await;
        assert_eq!(hello(&server.protocol, fresh).await.status, 401);
        let late = mcp
            .post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }))
            .await;
        assert_eq!(late.status, 401, "{late:?}");
    }
}

#[tokio::test]
async fn what_is_another_organizations_is_as_unknown_as_what_never_was() {
    for database in Database::BOTH {
        let service = [("SERVICE_KEY", "a-service-key-of-the-operator-32")];
        let desk = Developer::open_with(database, &service).await;
        let server = chatting(&desk).await;
        let user = desk.end_user("user_1").await;
        let partial = desk
            .partial(json!({ "name": "p", "values": { "text": "x" } }))
            .await;
        let integrations = format!("/workspaces/{}/integrations", desk.server.workspace);
        let listed = desk.did("GET", &integrations, None).await;
        let integration = listed["integrations"][0]["id"].as_str().unwrap().to_owned();
        let tools = desk
            .did("GET", &format!("/mcp/servers/{}/tools", server.id), None)
            .await;
        let tool = tools["tools"][0]["id"].as_str().unwrap().to_owned();
        let stranger = stranger(&desk).await;

        let unlike = |id: &str| {
            let (kind, _) = id.split_once('_').unwrap();
            format!("{kind}_01kahwz8x4m2q7r9s3t5v6w7y8")
        };
        let partial = partial["id"].as_str().unwrap();
        let asked = |server: &str,
                     tool: &str,
                     user: &str,
                     partial: &str,
                     integration: &str,
                     workspace: &str| {
            let changed = |field: &str| Some(json!({ field: "x" }));
            vec![
                ("GET", format!("/mcp/servers/{server}"), None),
                ("GET", format!("/mcp/servers/{server}/tools"), None),
                (
                    "PATCH",
                    format!("/mcp/servers/{server}"),
                    Some(json!({ "name": "Mine" })),
                ),
                (
                    "POST",
                    format!("/mcp/servers/{server}/regenerate-token"),
                    None,
                ),
                (
                    "PATCH",
                    format!("/mcp/servers/{server}/tools/{tool}"),
                    changed("displayName"),
                ),
                (
                    "DELETE",
                    format!("/mcp/servers/{server}/tools/{tool}"),
                    None,
                ),
                ("DELETE", format!("/mcp/servers/{server}"), None),
                ("GET", format!("/end-users/{user}"), None),
                (
                    "PATCH",
                    format!("/end-users/{user}"),
                    changed("displayName"),
                ),
                ("DELETE", format!("/end-users/{user}"), None),
                ("GET", format!("/partials/{partial}"), None),
                (
                    "PATCH",
                    format!("/partials/{partial}"),
                    changed("description"),
                ),
                ("DELETE", format!("/partials/{partial}"), None),
                ("GET", format!("/workspaces/{workspace}/integrations"), None),
                (
                    "PATCH",
                    format!("/workspaces/{workspace}/integrations/{integration}"),
                    changed("displayName"),
                ),
                (
                    "DELETE",
                    format!("/workspaces/{workspace}/integrations/{integration}"),
                    None,
                ),
            ]
        };
        let workspace = &desk.server.workspace;
        let theirs = asked(&server.id, &tool, &user, partial, &integration, workspace);
        let unknown = asked(
            &unlike(&server.id),
            &unlike(&tool),
            &unlike(&user),
            &unlike(partial),
            &unlike(&integration),
            &unlike(workspace),
        );
        for ((method, path, body), (_, never, same)) in theirs.into_iter().zip(unknown) {
            let ask = async |path: &str, body| {
                let path = format!("/api/v1{path}");
                desk.server.rest(&stranger, method, &path, body).await
            };
            let (status, answer) = ask(&path, body).await;
            assert_eq!(status, 404, "{method} {path}: {answer}");
            assert_eq!((status, answer), ask(&never, same).await, "{method} {path}");
        }
        // Nothing of it changed.
        assert_eq!(hello(&server.protocol, &server.token).await.status, 200);
    }
}

/// An organization beside the first, made by the operator's own backend, and its API key.
async fn stranger(desk: &Developer) -> String {
    let ask = async |path: &str, org: Option<&str>, body: Value| {
        let mut request = reqwest::Client::new()
            .post(format!("{}/api/v1{path}", desk.server.url))
            .header("X-Service-Key", "a-service-key-of-the-operator-32")
            .json(&body);
        if let Some(org) = org {
            request = request.header("X-Org-ID", org);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201, "{path}");
        answer.text().await.unwrap()
    };
    let org = ask("/orgs", None, json!({ "name": "Other", "slug": "other" })).await;
    let org: Value = serde_json::from_str(&org).unwrap();
    let org = org["org"]["id"].as_str().unwrap();
    let key = ask("/api-keys", Some(org), json!({ "name": "First" })).await;
    let key: Value = serde_json::from_str(&key).unwrap();
    key["plainKey"].as_str().unwrap().to_owned()
}

// promise: S3.30, S3.31, S3.32
#[tokio::test]
async fn aliases_have_a_rule_that_a_refusal_tells() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let server = desk.serve(json!({})).await;
    let path = format!("/mcp/servers/{}/tools", server.id);
    let tool = |alias: &str| {
        json!({
            "integrationName": "slack", "integrationAlias": alias,
            "actionName": "send_channel_message", "connectionId": main,
        })
    };
    let long = "a".repeat(65);
    for bad in [
        "Slack",
        "1slack",
        "_slack",
        "-slack",
        "slack bot",
        "slack.bot",
        "слак",
        "",
        &long,
    ] {
        let refused = desk.refused(400, "POST", &path, Some(tool(bad))).await;
        assert_eq!(refused["code"], "VALIDATION_ERROR", "{refused}");
        let said = refused["error"].as_str().unwrap();
        for word in ["small letters", "begins with a letter", "64"] {
            assert!(said.contains(word), "{bad}: {said}");
        }
    }
    let longest = "a".repeat(64);
    for good in ["s", "slack-bot", "slack_2", &longest] {
        let added = desk.add(&server, tool(good)).await;
        assert_eq!(added["integrationAlias"], good);
        assert!(added["name"].as_str().unwrap().len() <= 64, "{added}");
    }
    // Programs write both as `slack_bot`.
    let twin = desk.refused(409, "POST", &path, Some(tool("slack_bot")));
    let twin = twin.await;
    assert_eq!(twin["code"], "ALIAS_CONFLICT", "{twin}");
    assert!(
        twin["error"].as_str().unwrap().contains("slack-bot"),
        "{twin}"
    );
    // One action once for each alias.
    let twice = desk.refused(409, "POST", &path, Some(tool("s"))).await;
    assert_eq!(twice["code"], "DUPLICATE", "{twice}");
    // Somebody else's alias: it is of another connector.
    let mut other = tool("s");
    other["integrationName"] = json!("github");
    other.as_object_mut().unwrap().remove("connectionId");
    other["actionName"] = json!("create_issue");
    desk.refused(409, "POST", &path, Some(other)).await;
    let mut unknown = tool("s");
    unknown["integrationName"] = json!("slak");
    let unknown = desk.refused(404, "POST", &path, Some(unknown)).await;
    assert_eq!(unknown["code"], "INTEGRATION_NOT_FOUND", "{unknown}");
    assert!(
        unknown["hint"].as_str().unwrap().contains("slack"),
        "{unknown}"
    );
    let mut slip = tool("s");
    slip["actionName"] = json!("send_channel_massage");
    let slip = desk.refused(404, "POST", &path, Some(slip)).await;
    assert!(
        slip["hint"]
            .as_str()
            .unwrap()
            .contains("send_channel_message"),
        "{slip}"
    );
    let integrations = format!("/workspaces/{}/integrations", desk.server.workspace);
    let again = json!({ "integrationName": "slack", "alias": "s", "connectionId": main });
    desk.refused(409, "POST", &integrations, Some(again)).await;
    let nobody = json!({ "integrationName": "slack", "alias": "t", "connectionStrategy": "fixed" });
    let nobody = desk.refused(400, "POST", &integrations, Some(nobody)).await;
    assert!(
        nobody["error"].as_str().unwrap().contains("connection"),
        "{nobody}"
    );
}

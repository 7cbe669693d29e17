//! API keys of single workspaces: what is not of these is not there for them.

use quaymaster_tests::{Database, Developer, Mcp};
use serde_json::{Value, json};

struct Other {
    workspace: String,
    integration: String,
    partial: String,
    end_user: String,
    server: String,
    session: String,
    connection: String,
}

/// A second workspace with one thing of each kind.
async fn other(desk: &Developer) -> Other {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let body = json!({ "name": "Other", "slug": "other" });
    let workspace = text(&desk.made("/workspaces", body).await["workspace"]["id"]);
    let body = json!({ "integrationName": "slack", "connectionStrategy": "per_user" });
    let path = format!("/workspaces/{workspace}/integrations");
    let integration = text(&desk.made(&path, body).await["integration"]["id"]);
    let body = json!({ "workspaceId": workspace, "integrationName": "slack", "name": "theirs" });
    let partial = text(&desk.made("/partials", body).await["partial"]["id"]);
    let body = json!({ "workspaceId": workspace, "externalId": "theirs" });
    let end_user = text(&desk.made("/end-users", body).await["endUser"]["id"]);
    let server = desk.serve(json!({ "workspaceId": workspace })).await.id;
    let path = format!("/end-users/{end_user}/connect-token");
    let body = Some(json!({ "integrationName": "slack" }));
    let link = desk.did("POST", &path, body).await;
    let token = text(&link["token"]);
    let connection = json!({
        "type": "SECRET_TEXT", "integrationName": "slack", "externalId": "theirs", "displayName": "Theirs",
        "secretText": "xoxb-theirs", "scope": "WORKSPACE", "workspaceId": workspace,
    });
    let connection = text(&desk.made("/connections", connection).await["connection"]["id"]);
    Other {
        workspace,
        integration,
        partial,
        end_user,
        server,
        session: token,
        connection,
    }
}

#[tokio::test]
async fn a_key_of_one_workspace_manages_it_and_finds_nothing_of_another() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.chat_account("everybodys").await;
        let own = desk.server.workspace.clone();
        let theirs = other(&desk).await;
        let wanted = json!({
            "name": "One workspace",
            "permissions": { "scope": "workspace", "workspaceIds": ["main"], "approvals": { "decide": true } },
        });
        let made = desk.made("/api-keys", wanted).await;
        let permissions = json!({ "scope": "workspace", "workspaceIds": [own] });
        assert_eq!(made["apiKey"]["permissions"], permissions, "{made}");
        let key = made["plainKey"].as_str().unwrap().to_owned();
        let id = made["apiKey"]["id"].as_str().unwrap().to_owned();
        let ask = async |method: &str, path: &str, body: Option<Value>| {
            let path = format!("/api/v1{path}");
            desk.server.rest(&key, method, &path, body).await
        };

        // Its own workspace, from the first integration to the last call.
        let (_, listed) = ask("GET", "/workspaces", None).await;
        assert_eq!(
            (&listed["total"], &listed["workspaces"][0]["id"]),
            (&json!(1), &json!(own)),
            "{listed}"
        );
        let account = json!({
            "type": "SECRET_TEXT", "integrationName": "slack", "externalId": "ours", "displayName": "Ours",
            "secretText": "xoxb-ours", "workspaceId": own,
        });
        let (status, account) = ask("POST", "/connections", Some(account)).await;
        assert_eq!(status, 201, "{account}");
        assert_eq!(account["connection"]["scope"], "WORKSPACE", "{account}");
        let (_, all) = ask("GET", "/connections", None).await;
        assert_eq!(all["total"], 1, "those of everybody are not listed: {all}");
        let path = format!("/workspaces/{own}/integrations");
        let body = json!({ "integrationName": "slack", "connectionId": "ours" });
        let (status, made) = ask("POST", &path, Some(body)).await;
        assert_eq!(status, 201, "{made}");
        let body = json!({ "name": "Ours", "workspaceId": own });
        let (status, server) = ask("POST", "/mcp/servers", Some(body)).await;
        assert_eq!(status, 201, "{server}");
        let (_, all) = ask("GET", "/mcp/servers", None).await;
        assert_eq!(all["total"], 1, "{all}");
        let body = json!({
            "integrationName": "slack", "actionName": "send_channel_message", "workspaceId": own,
            "input": { "channel": "C1", "text": "Hello" },
        });
        let (status, sent) = ask("POST", "/actions/execute", Some(body)).await;
        assert_eq!(
            (status, &sent["output"]["sent_with"]),
            (200, &json!("ours")),
            "{sent}"
        );
        let body = json!({
            "integrationName": "slack", "connectionName": "x", "externalId": "x", "workspaceId": own,
        });
        let (status, link) = ask("POST", "/connect/token", Some(body)).await;
        assert_eq!(status, 200, "{link}");

        // Nothing of the other one: each is as unknown as what never was.
        let Other {
            workspace,
            integration,
            partial,
            end_user,
            server,
            session,
            connection,
        } = &theirs;
        let action = json!({
            "integrationName": "slack", "actionName": "send_channel_message", "workspaceId": workspace,
        });
        let change = || Some(json!({ "name": "Mine now" }));
        for (method, path, body) in [
            ("GET", format!("/workspaces/{workspace}"), None),
            ("GET", format!("/workspaces/{workspace}/integrations"), None),
            (
                "DELETE",
                format!("/workspaces/{workspace}/integrations/{integration}"),
                None,
            ),
            ("GET", format!("/partials?workspaceId={workspace}"), None),
            ("GET", format!("/partials/{partial}"), None),
            ("PATCH", format!("/partials/{partial}"), change()),
            ("DELETE", format!("/partials/{partial}"), None),
            ("GET", format!("/end-users?workspaceId={workspace}"), None),
            ("GET", format!("/end-users/{end_user}"), None),
            ("DELETE", format!("/end-users/{end_user}"), None),
            (
                "POST",
                format!("/end-users/{end_user}/connect-token"),
                Some(json!({ "integrationName": "slack" })),
            ),
            ("GET", format!("/mcp/servers?workspaceId={workspace}"), None),
            ("GET", format!("/mcp/servers/{server}"), None),
            ("GET", format!("/mcp/servers/{server}/tools"), None),
            ("PATCH", format!("/mcp/servers/{server}"), change()),
            ("DELETE", format!("/mcp/servers/{server}"), None),
            (
                "POST",
                format!("/mcp/servers/{server}/regenerate-token"),
                None,
            ),
            (
                "POST",
                format!("/mcp/servers/{server}/access-tokens"),
                Some(json!({ "endUserId": end_user })),
            ),
            (
                "POST",
                format!("/mcp/servers/{server}/execute-code"),
                Some(json!({ "code": "return 1" })),
            ),
            (
                "GET",
                format!("/mcp/servers/{server}/declarations/slack"),
                None,
            ),
            ("GET", format!("/connections?id={connection}"), None),
            ("DELETE", format!("/connections/{connection}"), None),
            ("POST", "/actions/execute".to_owned(), Some(action)),
        ] {
            let (status, answer) = ask(method, &path, body).await;
            assert_eq!(status, 404, "{method} {path}: {answer}");
            let text = answer.to_string();
            assert!(
                !text.contains("theirs") && !text.contains("Other"),
                "{text}"
            );
        }
        let (status, polled) = ask(
            "POST",
            "/connect/session/poll",
            Some(json!({ "token": session })),
        )
        .await;
        assert_eq!(
            (status, &polled["code"]),
            (401, &json!("INVALID_TOKEN")),
            "{polled}"
        );

        // Nothing inside the network.
        let inside = json!({
            "integrationName": "kinto", "externalId": "x", "fields": { "url": "http://10.0.0.1" },
            "workspaceId": own, "isLocal": true,
        });
        let (status, answer) = ask("POST", "/connections", Some(inside)).await;
        assert_eq!(
            (status, &answer["code"]),
            (403, &json!("AUTH_SCOPE_DENIED")),
            "{answer}"
        );

        // Nothing that is of the whole organization, and no way to more.
        let shared = json!({
            "type": "SECRET_TEXT", "integrationName": "slack", "externalId": "all", "displayName": "All",
            "secretText": "xoxb-all", "scope": "ORGANIZATION",
        });
        let more = json!({ "name": "More" });
        for (method, path, body) in [
            ("POST", "/connections", Some(shared)),
            ("POST", "/api-keys", Some(more.clone())),
            ("GET", "/api-keys", None),
            ("POST", "/workspaces", Some(more)),
            ("GET", "/members", None),
            ("GET", "/events", None),
            ("GET", "/skills", None),
            ("DELETE", "/workspaces/main", None),
        ] {
            let (status, answer) = ask(method, path, body).await;
            assert_eq!(
                (status, &answer["code"]),
                (403, &json!("AUTH_SCOPE_DENIED")),
                "{method} {path}: {answer}"
            );
        }
        let mcp = Mcp::stateless(&desk.server.endpoint, &key);
        assert_eq!(mcp.initialize("2025-06-18").await.status, 401);
        let (status, answer) = ask("POST", "/tools/read_memory", Some(json!({}))).await;
        assert_eq!(status, 403, "{answer}");
        // A new secret reaches no more than the old one.
        let path = format!("/api-keys/{id}/regenerate");
        let fresh = desk.did("POST", &path, None).await;
        assert_eq!(fresh["apiKey"]["permissions"], permissions, "{fresh}");
    }
}

#[tokio::test]
async fn permissions_that_say_nothing_or_too_much_are_refused() {
    let desk = Developer::open(Database::Sqlite).await;
    for (status, permissions) in [
        (400, json!({ "scope": "workspace" })),
        (400, json!({ "scope": "workspace", "workspaceIds": [] })),
        (400, json!({ "scope": "org", "workspaceIds": ["main"] })),
        (400, json!({ "scope": "world" })),
        (
            404,
            json!({ "scope": "workspace", "workspaceIds": ["main", "elsewhere"] }),
        ),
    ] {
        let body = json!({ "name": "k", "permissions": permissions });
        desk.refused(status, "POST", "/api-keys", Some(body)).await;
    }
    let tools = json!({
        "name": "k", "files": "main", "permissions": { "scope": "workspace", "workspaceIds": ["main"] },
    });
    desk.refused(400, "POST", "/api-keys", Some(tools)).await;
    let whole = json!({ "name": "k", "permissions": { "scope": "org" } });
    let made = desk.made("/api-keys", whole).await;
    assert_eq!(
        made["apiKey"]["permissions"],
        json!({ "scope": "org" }),
        "{made}"
    );
}

/// A key of one workspace.
async fn narrow(desk: &Developer, workspace: &str) -> String {
    let permissions = json!({ "scope": "workspace", "workspaceIds": [workspace] });
    let body = json!({ "name": workspace, "permissions": permissions });
    let made = desk.made("/api-keys", body).await;
    made["plainKey"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn it_names_no_account_of_everybody_and_calls_by_one_that_was_bound_for_it() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let shared = desk.chat_account("everybodys").await;
        let own = desk.server.workspace.clone();
        let key = narrow(&desk, "main").await;
        let ask = async |path: &str, body: Value| {
            let path = format!("/api/v1{path}");
            desk.server.rest(&key, "POST", &path, Some(body)).await
        };
        let message = |account: Option<&str>| {
            json!({
                "integrationName": "slack", "actionName": "send_channel_message", "workspaceId": own,
                "input": { "channel": "C1", "text": "Hello" }, "connectionExternalId": account,
            })
        };
        let integration = json!({ "integrationName": "slack", "connectionId": "everybodys" });
        let tool = json!({
            "integrationName": "slack", "actionName": "send_channel_message", "connectionId": "everybodys",
        });
        let server = desk.serve(json!({})).await.id;
        for (path, body) in [
            ("/actions/execute".to_owned(), message(Some("everybodys"))),
            ("/actions/execute".to_owned(), message(Some(&shared))),
            (
                format!("/workspaces/{own}/integrations"),
                integration.clone(),
            ),
            (format!("/mcp/servers/{server}/tools"), tool),
            (
                "/connections/resolve".to_owned(),
                json!({ "integrationName": "slack", "workspaceId": own }),
            ),
        ] {
            let named = body.to_string();
            let (status, answer) = ask(&path, body).await;
            assert_eq!(
                (status, &answer["code"]),
                (404, &json!("CONNECTION_NOT_FOUND")),
                "{path}: {answer}"
            );
            let is_told = answer.to_string().contains(&shared);
            assert!(!is_told || named.contains(&shared), "{path}: {answer}");
        }
        desk.integrate(integration).await;
        let (status, sent) = ask("/actions/execute", message(None)).await;
        assert_eq!(
            (status, &sent["output"]["sent_with"]),
            (200, &json!("everybodys")),
            "{sent}"
        );
    }
}

#[tokio::test]
async fn it_connects_files_of_its_own_workspace_only_and_keeps_its_accounts_in_order() {
    let desk = Developer::open(Database::Sqlite).await;
    let body = json!({ "name": "Other", "slug": "other" });
    let made = desk.made("/workspaces", body).await;
    let own = made["workspace"]["id"].as_str().unwrap().to_owned();
    let theirs = desk.server.workspace.clone();
    let read = desk
        .did("GET", &format!("/workspaces/{theirs}"), None)
        .await;
    let their_name = read["workspace"]["name"].as_str().unwrap().to_owned();
    let key = narrow(&desk, "other").await;
    let ask = async |method: &str, path: &str, body: Value| {
        let path = format!("/api/v1{path}");
        desk.server.rest(&key, method, &path, Some(body)).await
    };
    let file = |name: &str, of: &str| {
        json!({
            "connector": "sqlite", "name": name, "workspace": own,
            "fields": { "workspace": of, "file": "shop.db" },
        })
    };
    // Whichever way the other workspace is called, and what is none.
    for of in [theirs.as_str(), their_name.as_str(), "main", "mein"] {
        let (status, answer) = ask("POST", "/connections", file("spy", of)).await;
        assert_eq!(status, 404, "{of}: {answer}");
        assert_eq!(answer["message"], "There is no such workspace.", "{answer}");
    }
    let (status, made) = ask("POST", "/connections", file("shop", "Other")).await;
    assert_eq!(status, 201, "{made}");
    let made = &made["connection"];
    assert_eq!(made["fields"]["workspace"], own, "kept by its id: {made}");
    let path = format!("/connections/{}", made["id"].as_str().unwrap());
    let credentials = format!("{path}/credentials");
    for (status, of) in [(404, &theirs), (200, &own)] {
        let fields = json!({ "fields": { "workspace": of, "file": "shop.db" } });
        let (answered, answer) = ask("PUT", &credentials, fields).await;
        assert_eq!(answered, status, "{of}: {answer}");
    }
    let (status, renamed) = ask("PATCH", &path, json!({ "name": "store" })).await;
    assert_eq!(
        (status, &renamed["connection"]["name"]),
        (200, &json!("store")),
        "{renamed}"
    );
    let (status, tried) = ask("POST", &format!("{path}/verify"), json!({})).await;
    assert_eq!(status, 200, "{tried}");

    let shared = desk.chat_account("everybodys").await;
    let path = format!("/connections/{shared}");
    for (method, path, body) in [
        ("PATCH", path.clone(), json!({ "name": "mine" })),
        ("POST", format!("{path}/verify"), json!({})),
        (
            "PUT",
            format!("{path}/credentials"),
            json!({ "fields": { "token": "xoxb-mine" } }),
        ),
    ] {
        let (status, answer) = ask(method, &path, body).await;
        assert_eq!(
            (status, &answer["code"]),
            (404, &json!("CONNECTION_NOT_FOUND")),
            "{method} {path}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_key_of_one_workspace_does_not_learn_which_services_everybody_is_connected_to() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.chat_account("everybodys").await;
    let key = narrow(&desk, "main").await;
    let registered = async |key: &str| -> Vec<String> {
        let path = "/api/v1/integrations?summary=true";
        let (status, all) = desk.server.rest(key, "GET", path, None).await;
        assert_eq!(status, 200, "{all}");
        serde_json::from_value(all["registered"].clone()).unwrap()
    };
    let of_everybody = registered(&desk.key).await;
    assert_eq!(of_everybody[0], "slack", "those with accounts come first");
    let of_one = registered(&key).await;
    assert_eq!(of_one.len(), of_everybody.len());
    assert!(of_one.is_sorted() && of_one[0] != "slack", "{of_one:?}");
}

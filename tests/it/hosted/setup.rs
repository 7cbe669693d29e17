//! Links by which somebody without an account here connects an account of theirs, in a browser
//! made of plain HTTP: forms, and no script.

use quaymaster_tests::person::Page;
use quaymaster_tests::{Database, Developer, Mcp, Person};
use serde_json::{Value, json};

const TOOL: &str = "slack__send_channel_message";

async fn send(mcp: &Mcp) -> Result<Value, Value> {
    mcp.call(TOOL, json!({ "channel": "C1", "text": "Hello" }))
        .await
}

/// Opens a link and types a token in.
async fn connect(desk: &Developer, url: &str, token: &str) -> Page {
    let person = Person::of(&desk.server.url);
    let path = url
        .strip_prefix(&desk.server.url)
        .expect("an absolute address here");
    let page = person.get(path).await;
    assert_eq!(page.status, 200, "{}", page.html);
    assert!(
        page.texts("h1")[0].contains("Connect Slack"),
        "{}",
        page.html
    );
    person
        .send(path, &page.form(path), &[("field.token", token)])
        .await
}

async fn opened(desk: &Developer, url: &str) -> Page {
    let path = url.strip_prefix(&desk.server.url).unwrap();
    Person::of(&desk.server.url).get(path).await
}

// promise: S3.60, S3.61, S3.62
#[tokio::test]
async fn a_call_without_an_account_says_where_to_connect_it_and_then_succeeds() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.end_user("user_123").await;
        desk.integrate(json!({ "integrationName": "slack", "connectionStrategy": "per_user" }))
            .await;
        let server = desk.serve(json!({ "endUserId": "user_123" })).await;
        let mcp = Mcp::open(&server.protocol, &server.token).await;
        let fault = send(&mcp).await.unwrap_err();
        assert_eq!(fault["code"], "CONNECTION_REQUIRED", "{fault}");
        let url = fault["details"]["setup_url"].as_str().unwrap();
        assert!(
            url.starts_with(&format!("{}/setup/", desk.server.url)),
            "{url}"
        );
        assert!(fault["message"].as_str().unwrap().contains(url), "{fault}");
        // The same link for as long as it is good.
        let again = send(&mcp).await.unwrap_err();
        assert_eq!(again["details"]["setup_url"], url);
        let (status, refused) = desk
            .ask(
                "POST",
                "/actions/execute",
                Some(json!({
                    "integrationName": "slack", "actionName": "send_channel_message",
                    "workspaceId": desk.server.workspace, "endUserId": "user_123",
                    "input": { "channel": "C1" },
                })),
            )
            .await;
        assert!((400..500).contains(&status), "{status} {refused}");
        assert_eq!(refused["code"], "CONNECTION_REQUIRED", "{refused}");
        assert_eq!(refused["details"]["setup_url"], url, "{refused}");

        let page = connect(&desk, url, "xoxp-not-good").await;
        assert_eq!(page.status, 422, "{}", page.html);
        assert!(page.html.contains("invalid_auth"), "{}", page.html);
        assert!(
            !page.html.contains("xoxp-not-good"),
            "a secret comes back: {}",
            page.html
        );
        let page = connect(&desk, url, "").await;
        assert_eq!(page.status, 422, "{}", page.html);
        assert_eq!(send(&mcp).await.unwrap_err()["code"], "CONNECTION_REQUIRED");

        let page = connect(&desk, url, "xoxb-theirs").await;
        assert_eq!(page.status, 200, "{}", page.html);
        assert!(
            page.texts("h1")[0].contains("Slack is connected"),
            "{}",
            page.html
        );
        assert!(
            page.html.contains("Harbour"),
            "what the account is called: {}",
            page.html
        );
        let sent = send(&mcp).await.unwrap();
        assert_eq!(sent["data"]["sent_with"], "theirs", "{sent}");

        let gone = opened(&desk, url).await;
        assert_eq!(gone.status, 404, "{}", gone.html);
        assert!(
            gone.texts("h1")[0].contains("no longer works"),
            "{}",
            gone.html
        );
        let forged = format!("{}x", &url[..url.len() - 1]);
        assert_eq!(opened(&desk, &forged).await.status, 404);
        let person = Person::of(&desk.server.url);
        let path = url.strip_prefix(&desk.server.url).unwrap();
        let twice = [("auth", "token"), ("field.token", "xoxb-second")];
        let twice = person.send(path, &[], &twice).await;
        assert_eq!(twice.status, 404, "{}", twice.html);
        assert_eq!(send(&mcp).await.unwrap()["data"]["sent_with"], "theirs");
    }
}

// promise: S3.61
#[tokio::test]
async fn two_who_use_one_link_at_once_make_one_account() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let id = desk.end_user("user_123").await;
        let path = format!("/end-users/{id}/connect-token");
        let link = desk
            .did("POST", &path, Some(json!({ "integrationName": "slack" })))
            .await;
        let url = link["connectUrl"].as_str().unwrap();
        let (one, other) = tokio::join!(
            connect(&desk, url, "xoxb-one"),
            connect(&desk, url, "xoxb-two"),
        );
        let mut statuses = [one.status, other.status];
        statuses.sort_unstable();
        // Whoever is second learns that it was used, or that the account is being made.
        let second = if one.status == 200 { &other } else { &one };
        let told = match second.status {
            404 => "no longer works",
            409 => "This link is in use",
            _ => "neither",
        };
        assert!(
            statuses[0] == 200 && second.html.contains(told),
            "{statuses:?}: {} {}",
            one.html,
            other.html
        );
        let read = desk.did("GET", &format!("/end-users/{id}"), None).await;
        assert_eq!(read["connections"].as_array().unwrap().len(), 1, "{read}");
    }
}

#[tokio::test]
async fn a_developers_program_follows_a_link_until_it_is_done() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let asked = |more: Value| {
            let mut body = json!({
                "integrationName": "slack", "connectionName": "Team chat",
                "externalId": "team-chat", "workspaceId": desk.server.workspace,
            });
            for (name, value) in more.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            Some(body)
        };
        let next = "https://app.example.com/done?from=chat";
        let made = desk
            .did(
                "POST",
                "/connect/token",
                asked(json!({ "successRedirectUri": next })),
            )
            .await;
        let token = made["token"].as_str().unwrap();
        assert!(token.starts_with("cst_"), "{made}");
        assert!(made["expiresAt"].is_string(), "{made}");
        let poll = async || {
            let body = Some(json!({ "token": token }));
            desk.did("POST", "/connect/session/poll", body).await
        };
        assert_eq!(poll().await["status"], "PENDING");
        let page = connect(&desk, made["connectUrl"].as_str().unwrap(), "xoxb-team").await;
        assert_eq!(page.status, 200, "{}", page.html);
        assert!(
            page.html.contains(&next.replace('&', "&amp;")),
            "{}",
            page.html
        );
        let done = poll().await;
        assert_eq!(done["status"], "COMPLETED", "{done}");
        assert_eq!(
            (&done["externalId"], &done["integrationName"]),
            (&json!("team-chat"), &json!("slack"))
        );
        let found = json!({
            "integrationName": "slack", "externalId": "team-chat",
            "workspaceId": desk.server.workspace,
        });
        let found = desk.did("POST", "/connections/resolve", Some(found)).await;
        assert_eq!(found["connection"]["id"], done["connectionId"], "{found}");
        assert_eq!(found["connection"]["displayName"], "Team chat");

        for bad in [
            "cst_none.such",
            "",
            token.trim_end_matches(char::is_alphanumeric),
        ] {
            let body = Some(json!({ "token": bad }));
            desk.refused(401, "POST", "/connect/session/poll", body)
                .await;
        }
        for bad in [
            "http://example.com/x",
            "javascript:alert(1)",
            "https://u:p@example.com/",
        ] {
            let body = asked(json!({ "successRedirectUri": bad }));
            desk.refused(400, "POST", "/connect/token", body).await;
        }
        let slip = asked(json!({ "integrationName": "slak" }));
        desk.refused(404, "POST", "/connect/token", slip).await;
        let nobody = asked(json!({ "endUserId": "nobody" }));
        desk.refused(404, "POST", "/connect/token", nobody).await;
        let unknown = "/connect/session/cse_01kahwz8x4m2q7r9s3t5v6w7y8";
        desk.refused(404, "GET", unknown, None).await;
    }
}

#[tokio::test]
async fn a_link_for_an_integration_asks_for_an_account_that_it_uses() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.end_user("user_123").await;
    let integration = json!({
        "integrationName": "slack", "connectionStrategy": "per_user", "authMethodKey": "token",
    });
    let integration = desk.integrate(integration).await;
    let asked = |connector: &str| {
        Some(json!({
            "integrationName": connector, "workspaceIntegrationId": integration["id"], "connectionName": "Anna",
            "externalId": "anna", "workspaceId": desk.server.workspace, "endUserId": "user_123",
        }))
    };
    let link = desk.did("POST", "/connect/token", asked("slack")).await;
    let path = format!("/connect/session/{}", link["sessionId"].as_str().unwrap());
    let read = desk.did("GET", &path, None).await;
    assert_eq!(read["session"]["authMethodKey"], "token", "{read}");
    let refused = desk
        .refused(400, "POST", "/connect/token", asked("kinto"))
        .await;
    assert_eq!(
        refused["details"]["errors"][0]["pointer"], "/workspaceIntegrationId",
        "{refused}"
    );
}

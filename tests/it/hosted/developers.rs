//! What else a developer's program asks: single actions, values of inputs, what there is, and what
//! there is not yet.

use quaymaster_tests::{Database, Developer, Service};
use serde_json::json;

#[tokio::test]
async fn the_address_of_a_server_goes_with_every_type_of_credential() {
    let desk = Developer::open(Database::Sqlite).await;
    let account = |more: serde_json::Value| {
        let mut body = json!({
            "integrationName": "kinto", "displayName": "Log", "type": "BASIC_AUTH",
            "username": "carrier", "password": "Sailor-4711",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        Some(body)
    };
    let slip = account(json!({ "externalId": "none" }));
    let slip = desk.refused(400, "POST", "/connections", slip).await;
    let missing = &slip["details"]["errors"][0];
    assert_eq!(missing["pointer"], "/fields/url", "{slip}");
    // Nobody listens there.
    let url = json!({ "url": "http://127.0.0.1:9" });
    for (name, more) in [
        ("props", json!({ "props": url })),
        ("fields", json!({ "fields": url })),
        (
            "secret",
            json!({ "type": "SECRET_TEXT", "secretText": "a-token", "props": url, "username": null, "password": null }),
        ),
    ] {
        let mut body = account(more).unwrap();
        body["externalId"] = json!(name);
        let made = desk.made("/connections", body).await;
        assert_eq!(made["connection"]["integrationName"], "kinto", "{made}");
    }
    let wrong = account(json!({ "externalId": "wrong", "props": { "url": ["a"] } }));
    let wrong = desk.refused(400, "POST", "/connections", wrong).await;
    let pointer = &wrong["details"]["errors"][0]["pointer"];
    assert_eq!(pointer, "/props/url", "{wrong}");
}

#[tokio::test]
async fn a_user_name_and_password_win_over_the_same_in_props() {
    let desk = Developer::open(Database::Sqlite).await;
    let kinto = Service::kinto().await;
    let field = |wanted: &str| {
        let mut all = kinto.fields.iter();
        json!(all.find(|(name, _)| *name == wanted).unwrap().1)
    };
    let account = json!({
        "integrationName": "kinto", "displayName": "Log", "externalId": "log", "type": "BASIC_AUTH",
        "username": field("username"), "password": field("password"),
        "props": { "url": field("url"), "username": "nobody", "password": "wrong" },
    });
    let made = desk.made("/connections", account).await;
    assert_eq!(made["connection"]["status"], "ACTIVE", "{made}");
}

#[tokio::test]
async fn a_single_action_runs_with_the_accounts_and_partials_that_are_named() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.chat_account("main").await;
        desk.chat_account("bot").await;
        let lock =
            json!({ "name": "lock", "values": { "channel": "C1" }, "enforcedKeys": ["channel"] });
        desk.partial(lock).await;
        let execute = |more: serde_json::Value| {
            let mut body = json!({
                "integrationName": "slack", "actionName": "send_channel_message",
                "workspaceId": desk.server.workspace, "connectionExternalId": "bot",
                "input": { "channel": "C2", "text": "Hello" },
            });
            for (name, value) in more.as_object().into_iter().flatten() {
                body[name] = value.clone();
            }
            Some(body)
        };
        let done = desk
            .did("POST", "/actions/execute", execute(json!({})))
            .await;
        assert_eq!(done["success"], true, "{done}");
        assert!(done["duration"].is_u64(), "{done}");
        assert_eq!(done["output"]["sent_with"], "bot");
        assert_eq!(done["output"]["channel"], "C2");
        let locked = execute(json!({ "partialIds": ["lock"], "idempotencyKey": "once" }));
        let locked = desk.did("POST", "/actions/execute", locked).await;
        assert_eq!(locked["output"]["channel"], "C1", "{locked}");

        let slip = execute(json!({ "input": { "text": "no channel" } }));
        let slip = desk.refused(400, "POST", "/actions/execute", slip).await;
        assert_eq!(slip["code"], "VALIDATION_ERROR", "{slip}");
        let unknown = execute(json!({ "actionName": "send" }));
        desk.refused(404, "POST", "/actions/execute", unknown).await;
        let unknown = execute(json!({ "integrationName": "slak" }));
        let unknown = desk.refused(404, "POST", "/actions/execute", unknown).await;
        assert_eq!(unknown["code"], "INTEGRATION_NOT_FOUND", "{unknown}");
        let nobody = execute(json!({ "connectionExternalId": "nobody" }));
        desk.refused(404, "POST", "/actions/execute", nobody).await;
        let reader = desk.server.api_key(&["admin"]).await;
        let path = "/api/v1/actions/execute";
        let (status, _) = desk
            .server
            .rest(&reader, "POST", path, execute(json!({})))
            .await;
        let (denied, answer) = {
            let reader = desk.server.api_key(&["read:tools"]).await;
            desk.server
                .rest(&reader, "POST", path, execute(json!({})))
                .await
        };
        assert_eq!((status, denied), (200, 403), "{answer}");
        assert_eq!(answer["code"], "SCOPE_DENIED", "{answer}");
    }
}

// promise: S3.35
#[tokio::test]
async fn the_values_of_an_input_are_told_over_rest_as_well() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    desk.integrate(json!({ "integrationName": "slack", "connectionId": main }))
        .await;
    let asked = |property: &str| {
        Some(json!({
            "actionName": "send_channel_message", "propertyName": property,
            "workspaceId": desk.server.workspace,
        }))
    };
    let path = "/integrations/slack/properties/options";
    let answer = desk.did("POST", path, asked("channel")).await;
    assert_eq!(
        answer["options"][0],
        json!({ "value": "C1", "label": "general" }),
        "{answer}"
    );
    let mut searched = asked("channel").unwrap();
    searched["searchValue"] = json!("cran");
    let answer = desk.did("POST", path, Some(searched)).await;
    assert_eq!(answer["options"].as_array().unwrap().len(), 1, "{answer}");
    desk.refused(400, "POST", path, asked("text")).await;
    let path = "/integrations/slack/properties/resolve";
    desk.refused(400, "POST", path, asked("channel")).await;

    let one = desk.did("GET", "/integrations?name=slack", None).await;
    let one = &one["integration"];
    assert_eq!(one["displayName"], "Slack", "{one}");
    assert!(
        one["actions"]["send_channel_message"]["inputSchema"].is_object(),
        "{one}"
    );
    let all = desk.did("GET", "/integrations?summary=true", None).await;
    let registered = all["registered"].as_array().unwrap();
    assert!(registered.contains(&json!("github")), "{all}");
    assert_eq!(all["total"], registered.len(), "{all}");
    desk.refused(404, "GET", "/integrations?name=slak", None)
        .await;
}

#[tokio::test]
async fn approvals_and_triggers_answer_in_words_that_they_are_not_there_yet() {
    let desk = Developer::open(Database::Sqlite).await;
    for (method, path) in [
        ("GET", "/approval-policies"),
        ("POST", "/approval-policies"),
        ("GET", "/approvals"),
        ("POST", "/approvals/apr_1/approve"),
        ("GET", "/triggers?limit=5"),
        ("POST", "/triggers/enable"),
        ("POST", "/triggers/disable"),
        ("POST", "/triggers/test"),
    ] {
        let body = (method == "POST").then(|| json!({ "triggerSourceId": "x" }));
        let answer = desk.refused(501, method, path, body).await;
        assert!(
            answer["error"].as_str().unwrap().contains("not there yet"),
            "{answer}"
        );
        assert!(answer["hint"].is_string(), "{answer}");
    }
    let whole = json!({ "name": "k", "permissions": { "scope": "org" } });
    let made = desk.made("/api-keys", whole).await;
    let id = made["apiKey"]["id"].as_str().unwrap();
    desk.did("DELETE", &format!("/api-keys/{id}"), None).await;
    let plain = made["plainKey"].as_str().unwrap();
    let (status, _) = desk
        .server
        .rest(plain, "GET", "/api/v1/workspaces", None)
        .await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn an_operators_backend_makes_organizations_and_their_first_keys() {
    const KEY: &str = "a-service-key-of-the-operator-32";
    for database in Database::BOTH {
        let desk = Developer::open_with(database, &[("SERVICE_KEY", KEY)]).await;
        let ask = async |path: &str, key: &str, org: Option<&str>, body: serde_json::Value| {
            let mut request = reqwest::Client::new()
                .post(format!("{}/api/v1{path}", desk.server.url))
                .header("X-Service-Key", key)
                .json(&body);
            if let Some(org) = org {
                request = request.header("X-Org-ID", org);
            }
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            (
                status,
                serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            )
        };
        let body = json!({ "name": "Customer", "slug": "customer" });
        let (status, refused) = ask("/orgs", "wrong", None, body.clone()).await;
        assert_eq!(status, 401, "{refused}");
        let (status, made) = ask("/orgs", KEY, None, body.clone()).await;
        assert_eq!(status, 201, "{made}");
        let org = made["org"]["id"].as_str().unwrap();
        let (status, twice) = ask("/orgs", KEY, None, body).await;
        assert_eq!(status, 409, "{twice}");
        let (status, key) = ask("/api-keys", KEY, Some(org), json!({ "name": "First" })).await;
        assert_eq!(status, 201, "{key}");
        let plain = key["plainKey"].as_str().unwrap();
        assert_eq!(key["apiKey"]["orgId"], org, "{key}");
        let (status, nowhere) = ask("/api-keys", KEY, None, json!({ "name": "x" })).await;
        assert_eq!(status, 400, "{nowhere}");
        let unknown = Some("org_01kahwz8x4m2q7r9s3t5v6w7y8");
        let (status, nobody) = ask("/api-keys", KEY, unknown, json!({ "name": "x" })).await;
        assert_eq!(status, 404, "{nobody}");
        let path = "/api/v1/workspaces";
        let (status, listed) = desk.server.rest(plain, "GET", path, None).await;
        assert_eq!((status, &listed["total"]), (200, &json!(1)), "{listed}");
        let own = listed["workspaces"][0]["id"].as_str().unwrap();
        assert_ne!(own, desk.server.workspace);
    }
    // Without a configured key there is none.
    let desk = Developer::open(Database::Sqlite).await;
    let answer = reqwest::Client::new()
        .post(format!("{}/api/v1/orgs", desk.server.url))
        .header("X-Service-Key", KEY)
        .json(&json!({ "name": "x" }))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 403);
}

//! Accounts of end users at services with an authorization server, and of those with a user name: by a link,
//! or with tokens that the developer's own app got.

use crate::oauth_accounts::{NOTES, Provider};
use crate::outside::change_rows;
use quaymaster_tests::person::Page;
use quaymaster_tests::services::Service;
use quaymaster_tests::upstream::{Act, Upstream};
use quaymaster_tests::{Database, Developer, Person};
use reqwest::Url;
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

const DONE: &str = "https://app.example.com/done";
const SORRY: &str = "https://app.example.com/sorry";

/// A developer whose organization has an app at the service, and the app's id here.
async fn begin(database: Database) -> (Developer, Provider, (String, String), String, TempDir) {
    let definitions = TempDir::new().unwrap();
    std::fs::write(definitions.path().join("notes.yaml"), NOTES).unwrap();
    let settings = [("DEFINITIONS", definitions.path().to_str().unwrap())];
    let desk = Developer::open_with(database, &settings).await;
    let provider = Provider::start(3_600).await;
    let callback = format!("{}/connections/callback", desk.server.url);
    let app = provider.register(&callback).await;
    let body = json!({ "clientId": app.0, "clientSecret": app.1 });
    let path = "/connectors/notes/oauth-app";
    let set = desk.did("PUT", path, Some(body)).await;
    let id = set["oauthApp"]["id"].as_str().unwrap().to_owned();
    (desk, provider, app, id, definitions)
}

/// An administrator signs in at an address, as far as it takes to say that the app is meant for it.
async fn vouch(desk: &Developer, url: &str) {
    let account = json!({ "connector": "notes", "auth": "oauth2", "fields": { "url": url } });
    desk.made("/connections/authorizations", account).await;
}

/// What becomes of a link where somebody types an address in.
async fn type_in(desk: &Developer, link: &Value, url: &str) -> Page {
    let path = link["connectUrl"].as_str().unwrap();
    let path = path.strip_prefix(&desk.server.url).unwrap();
    let sign_in = format!("{path}/sign-in");
    let somebody = Person::of(&desk.server.url);
    let page = somebody.get(path).await;
    let given = [("field.url", url)];
    somebody.send(&sign_in, &page.form(&sign_in), &given).await
}

#[tokio::test]
async fn a_link_leads_to_the_service_and_says_what_came_of_it() {
    for database in Database::BOTH {
        let (desk, provider, _, app, _definitions) = begin(database).await;
        vouch(&desk, &provider.url).await;
        let asked = json!({
            "integrationName": "notes", "connectionName": "Notes", "externalId": "notes-of-anna",
            "workspaceId": desk.server.workspace, "authMethodKey": "oauth2", "oauthAppId": app,
            "oauthAppMode": "custom", "successRedirectUri": DONE, "errorRedirectUri": SORRY,
        });
        let link = desk.did("POST", "/connect/token", Some(asked)).await;
        let poll = async || {
            let body = Some(json!({ "token": link["token"] }));
            desk.did("POST", "/connect/session/poll", body).await
        };
        let first = poll().await;
        assert_eq!(first["status"], "PENDING", "{first}");
        let id = link["sessionId"].as_str().unwrap();
        let path = format!("/connect/session/{id}");
        let read = desk.did("GET", &path, None).await;
        assert_eq!(
            (&read["session"]["id"], &read["session"]["externalId"]),
            (&link["sessionId"], &json!("notes-of-anna")),
            "{read}"
        );
        assert_eq!(
            (&first["oauthAppMode"], &first["oauthAppId"]),
            (&json!("custom"), &json!(app)),
            "{first}"
        );

        let anna = Person::of(&desk.server.url);
        let path = link["connectUrl"].as_str().unwrap();
        let path = path.strip_prefix(&desk.server.url).unwrap();
        let sign_in = format!("{path}/sign-in");
        let leave = async || {
            let page = anna.get(path).await;
            let given = [("field.url", provider.url.as_str())];
            let page = anna.send(&sign_in, &page.form(&sign_in), &given).await;
            page.away.unwrap_or_else(|| panic!("{}", page.html))
        };
        let away = leave().await;
        assert_eq!(poll().await["status"], "CONNECTING");

        // She says no there: she is told, sent where the developer wants her, and may try again.
        let url = Url::parse(&away).unwrap();
        let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
        let back = format!("/connections/callback?error=access_denied&state={state}");
        let stranger = Person::of(&desk.server.url).get(&back).await;
        assert_ne!(stranger.status, 200, "{}", stranger.html);
        assert!(
            !stranger.html.contains("/setup/"),
            "another browser is told the link: {}",
            stranger.html
        );
        let denied = anna.get(&back).await;
        assert!(
            denied.texts("h1")[0].contains("Notes is not connected"),
            "{}",
            denied.html
        );
        assert_eq!(
            denied.refresh.as_deref(),
            Some(format!("0; url={SORRY}").as_str())
        );
        assert!(denied.html.contains(path), "{}", denied.html);
        let after = poll().await;
        assert_eq!(after["status"], "PENDING", "{after}");
        assert!(after["error"].is_string(), "{after}");

        let away = leave().await;
        let maria = Person::of(&provider.url);
        let there = provider.agree(&maria, &away).await;
        let page = anna
            .get(&there.away.unwrap_or_else(|| panic!("{}", there.html)))
            .await;
        assert!(
            page.texts("h1")[0].contains("Notes is connected"),
            "{}",
            page.html
        );
        assert_eq!(
            page.refresh.as_deref(),
            Some(format!("0; url={DONE}").as_str())
        );
        let done = poll().await;
        assert_eq!(
            (&done["status"], &done["error"]),
            (&json!("COMPLETED"), &Value::Null),
            "{done}"
        );
        let path = format!("/connections/{}", done["connectionId"].as_str().unwrap());
        let made = desk.did("GET", &path, None).await;
        assert_eq!(
            (&made["connection"]["status"], &made["connection"]["label"]),
            (&json!("ACTIVE"), &json!("maria")),
            "{made}"
        );
    }
}

#[tokio::test]
async fn the_secret_of_the_app_goes_to_no_address_that_a_stranger_or_a_program_types_in() {
    for database in Database::BOTH {
        let (desk, provider, _, app, _definitions) = begin(database).await;
        vouch(&desk, &provider.url).await;
        let answer = r#"{"name":"maria","access_token":"a2","expires_in":3600}"#;
        let other = Upstream::start("127.0.0.1", move |_| Act::json(answer)).await;
        let says_why = |text: &str| {
            let why = format!("No administrator has signed in to Notes at {}", other.url());
            assert!(text.contains(&why), "{text}");
        };
        let asked = json!({
            "integrationName": "notes", "connectionName": "Notes", "externalId": "of-anna",
            "workspaceId": desk.server.workspace, "authMethodKey": "oauth2",
        });
        let link = desk.did("POST", "/connect/token", Some(asked)).await;
        let page = type_in(&desk, &link, &other.url()).await;
        assert_eq!(page.away, None);
        says_why(&page.texts("h1").concat());
        assert!(other.take().is_empty());

        // A program brings tokens, and then their time is over.
        let body = json!({
            "type": "OAUTH2", "integrationName": "notes", "name": "other", "authMethodKey": "oauth2",
            "fields": { "url": other.url() }, "accessToken": "a1", "refreshToken": "r1",
            "expiresIn": 3_600, "oauthAppId": app,
        });
        let made = desk.made("/connections", body).await;
        let id = made["connection"]["id"].as_str().unwrap();
        let end = format!("UPDATE connections SET expires_at = 1, renew_at = 1 WHERE id = '{id}'");
        change_rows(&desk.server, &end).await;
        // What is known of accounts is believed for half a second.
        tokio::time::sleep(Duration::from_millis(600)).await;
        let body = json!({
            "integrationName": "notes", "actionName": "get_me", "connectionExternalId": "other",
            "workspaceId": desk.server.workspace,
        });
        let (status, answer) = desk.ask("POST", "/actions/execute", Some(body)).await;
        assert!(
            !answer.to_string().contains("maria"),
            "a token that ended was used: {status} {answer}"
        );
        let path = format!("/connections/{id}");
        let read = desk.did("GET", &path, None).await;
        says_why(&read["connection"].to_string());
        // To sign in to it again says nothing about who typed its address in.
        let body = json!({ "connectionId": id });
        let (status, answer) = desk
            .ask("POST", "/connections/authorizations", Some(body))
            .await;
        assert_ne!(status, 201, "{answer}");
        says_why(&answer.to_string());
        desk.did("DELETE", &path, None).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let asked = other.take();
        assert!(!asked.is_empty(), "the account was tried when it was made");
        for one in asked {
            assert_eq!(one.target, "/api/me", "{one:?}");
        }
    }
}

#[tokio::test]
async fn another_app_is_meant_for_no_address_before_an_administrator_signs_in() {
    let (desk, provider, (client, _), _, _definitions) = begin(Database::Sqlite).await;
    let asked = json!({
        "integrationName": "notes", "connectionName": "Notes", "externalId": "of-anna",
        "workspaceId": desk.server.workspace, "authMethodKey": "oauth2",
    });
    let link = desk.did("POST", "/connect/token", Some(asked)).await;
    let leads_away = async || type_in(&desk, &link, &provider.url).await.away.is_some();
    let set = async |app: Value| {
        desk.did("PUT", "/connectors/notes/oauth-app", Some(app))
            .await
    };
    assert!(!leads_away().await);
    vouch(&desk, &provider.url).await;
    assert!(leads_away().await);
    set(json!({ "clientId": client, "clientSecret": "renewed" })).await;
    assert!(leads_away().await, "it is the same app");
    set(json!({ "clientId": "another", "clientSecret": "renewed" })).await;
    assert!(!leads_away().await);
    vouch(&desk, &provider.url).await;
    assert!(leads_away().await);
}

#[tokio::test]
async fn tokens_of_the_developers_own_app_make_an_account() {
    let (desk, provider, (id, secret), app, _definitions) = begin(Database::Sqlite).await;
    let tokens: Value = reqwest::Client::new()
        .post(format!("{}/token", provider.url))
        .basic_auth(&id, Some(&secret))
        .form(&[("grant_type", "client_credentials")])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let account = |more: Value| {
        let mut body = json!({
            "type": "OAUTH2", "integrationName": "notes", "externalId": "notes", "displayName": "Notes",
            "authMethodKey": "oauth2", "fields": { "url": provider.url }, "accessToken": tokens["access_token"],
            "expiresIn": tokens["expires_in"], "tokenType": tokens["token_type"], "scope_oauth": "openid",
            "data": { "instance": "eu" }, "oauthAppId": app,
        });
        for (name, value) in more.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let made = desk.made("/connections", account(json!({}))).await;
    let made = &made["connection"];
    assert_eq!(made["status"], "ACTIVE", "{made}");
    assert!(made["expiresAt"].is_string(), "{made}");
    assert!(
        !made
            .to_string()
            .contains(tokens["access_token"].as_str().unwrap())
    );
    let body = json!({
        "integrationName": "notes", "actionName": "get_me", "workspaceId": desk.server.workspace,
        "connectionExternalId": "notes",
    });
    let me = desk.did("POST", "/actions/execute", Some(body)).await;
    assert_eq!(me["output"]["name"], id, "{me}");

    for (status, pointer, more) in [
        (400, "/tokenType", json!({ "tokenType": "mac" })),
        (400, "/accessToken", json!({ "accessToken": null })),
        (400, "/accessToken", json!({ "accessToken": "a\nb" })),
    ] {
        let mut body = account(more);
        body["externalId"] = json!("other");
        let refused = desk
            .refused(status, "POST", "/connections", Some(body))
            .await;
        assert_eq!(
            refused["details"]["errors"][0]["pointer"], pointer,
            "{refused}"
        );
    }
    let body = account(json!({ "oauthAppId": "oap_none", "externalId": "other" }));
    let refused = desk.refused(404, "POST", "/connections", Some(body)).await;
    assert_eq!(refused["code"], "OAUTH_APP_NOT_FOUND", "{refused}");
    let body = account(json!({ "authMethodKey": "service", "externalId": "other" }));
    desk.refused(400, "POST", "/connections", Some(body)).await;

    // What a developer reads of it: where people sign in, and by whose app.
    let one = desk.did("GET", "/integrations?name=notes", None).await;
    let one = &one["integration"];
    let oauth2 = &one["authOptions"][0]["oauth2"];
    assert_eq!(oauth2["authUrl"], "{url}/auth", "{one}");
    assert_eq!(
        (&oauth2["scopes"], &one["auth"]["oauth2"]),
        (&json!(["openid"]), oauth2),
        "{one}"
    );
    let made = desk
        .integrate(json!({ "integrationName": "notes", "connectionStrategy": "per_user", "oauthAppId": app }))
        .await;
    assert_eq!(
        (&made["oauthAppMode"], &made["oauthAppId"]),
        (&json!("custom"), &json!(app)),
        "{made}"
    );
}

#[tokio::test]
async fn a_link_connects_an_account_with_a_user_name_and_a_password() {
    let kinto = Service::kinto().await;
    let desk = Developer::open(Database::Sqlite).await;
    let id = desk.end_user("anna").await;
    let path = format!("/end-users/{id}/connect-token");
    let link = desk
        .did("POST", &path, Some(json!({ "integrationName": "kinto" })))
        .await;
    let path = link["connectUrl"]
        .as_str()
        .unwrap()
        .strip_prefix(&desk.server.url)
        .unwrap();
    let anna = Person::of(&desk.server.url);
    let connect = async |password: Option<&str>| {
        let page = anna.get(&format!("{path}?auth=basic")).await;
        assert_eq!(page.status, 200, "{}", page.html);
        let fields: Vec<(String, String)> = kinto
            .fields
            .iter()
            .map(|(name, value)| (format!("field.{name}"), value.clone()))
            .collect();
        let given: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| match password {
                Some(other) if name == "field.password" => (name.as_str(), other),
                _ => (name.as_str(), value.as_str()),
            })
            .collect();
        anna.send(path, &page.form(path), &given).await
    };
    let wrong = connect(Some("not the password")).await;
    assert_eq!(wrong.status, 422, "{}", wrong.html);
    assert!(!wrong.html.contains("not the password"), "{}", wrong.html);
    let page = connect(None).await;
    assert!(
        page.texts("h1")[0].contains("is connected"),
        "{}",
        page.html
    );
    let read = desk.did("GET", &format!("/end-users/{id}"), None).await;
    assert_eq!(read["connections"][0]["status"], "ACTIVE", "{read}");
}

//! Accounts of end users at services with an authorization server, and of those with a user name: by a link,
//! or with tokens that the developer's own app got.

use crate::oauth_accounts::{NOTES, Provider};
use quaymaster_tests::services::Service;
use quaymaster_tests::{Database, Developer, Person};
use reqwest::Url;
use serde_json::{Value, json};
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

#[tokio::test]
async fn a_link_leads_to_the_service_and_says_what_came_of_it() {
    for database in Database::BOTH {
        let (desk, provider, _, app, _definitions) = begin(database).await;
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
        let read = desk.did("GET", &format!("/connect/session/{id}"), None);
        let read = read.await;
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

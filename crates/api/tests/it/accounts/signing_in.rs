//! From the address to sign in at to the connection.

use super::service::{CODE, TOKEN};
use super::{BEGIN, NOTES, SECRET, Scene};
use http::StatusCode;
use quaymaster_app::connections::Callback;
use quaymaster_core::Code;
use quaymaster_core::id::AuthorizationId;
use serde_json::json;

#[tokio::test]
async fn an_account_signs_in_and_no_secret_comes_back() {
    let scene = Scene::begin().await;
    let begun = scene.begun(json!({ "name": "harbour" })).await;
    assert_eq!(
        (&begun["status"], &begun["flow"]),
        (&json!("PENDING"), &json!("code"))
    );
    let page = format!(
        "http://127.0.0.1:8080/connections/authorize/{}",
        begun["id"].as_str().unwrap()
    );
    assert_eq!(begun["url"], page);
    let way = scene.started(&begun).await;
    assert_eq!(
        way.param("redirect_uri"),
        "http://127.0.0.1:8080/connections/callback"
    );
    assert_eq!(way.param("code_challenge_method"), "S256");
    let made = scene
        .back(way.callback(), Some(&way.browser))
        .await
        .unwrap();
    assert_eq!(
        (made.name.as_str(), made.label.as_deref()),
        ("harbour", Some("Maria"))
    );
    assert_eq!(made.problem, None);

    let path = format!("{BEGIN}/{}", begun["id"].as_str().unwrap());
    let done = scene.product.get(&path).await.body["authorization"].clone();
    assert_eq!(done["status"], "COMPLETED");
    assert_eq!(done["connectionId"], made.id.as_str());
    let shown = scene.connection(made.id.as_str()).await;
    assert_eq!(shown["status"], "ACTIVE");
    assert_eq!(shown["fields"]["team"], "Harbour");
    assert!(shown["expiresAt"].is_string(), "{shown}");
    assert_eq!(scene.call("GET", "/me").await.unwrap()["name"], "Maria");
    for path in [
        path.as_str(),
        "/api/v1/connections",
        "/api/v1/connectors/notes",
        "/api/v1/connectors/notes/oauth-app",
        "/api/v1/events",
    ] {
        let text = scene.product.get(path).await.body.to_string();
        for secret in [SECRET, TOKEN, CODE, &way.browser, &way.param("state")] {
            assert!(!text.contains(secret), "{path}: {text}");
        }
    }
}

#[tokio::test]
async fn a_way_back_counts_once_in_its_own_browser_and_in_time() {
    let scene = Scene::begin().await;
    let unknown = |back: Result<_, quaymaster_core::Fault>| back.unwrap_err().code;
    let way = scene.started(&scene.begun(json!({})).await).await;
    let other = scene.started(&scene.begun(json!({})).await).await;
    // Without a browser, with another one, with the state of another sign-in.
    for browser in [None, Some(""), Some(other.browser.as_str())] {
        let refused = unknown(scene.back(way.callback(), browser).await);
        assert_eq!(refused, Code::Forbidden);
    }
    for state in [
        "",
        "x",
        "aut_01arz3ndektsv4rrffq69g5fav.abc",
        &way.param("state")[..40],
    ] {
        let back = Callback {
            state: state.to_owned(),
            ..way.callback()
        };
        assert_eq!(
            unknown(scene.back(back, Some(&way.browser)).await),
            Code::NotFound
        );
    }
    let (id, _) = way
        .param("state")
        .split_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let (_, secret) = other
        .param("state")
        .split_once('.')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let mixed = Callback {
        state: format!("{id}.{secret}"),
        ..way.callback()
    };
    assert_eq!(
        unknown(scene.back(mixed, Some(&way.browser)).await),
        Code::NotFound
    );
    assert_eq!(scene.service.asked("authorization_code"), 0);
    // None of that used it up.
    scene
        .back(way.callback(), Some(&way.browser))
        .await
        .unwrap();
    let again = scene.back(way.callback(), Some(&way.browser)).await;
    assert_eq!(unknown(again), Code::NotFound);
    assert_eq!(scene.service.asked("authorization_code"), 1);
    // Started anew, the first way is closed.
    let id: AuthorizationId = other
        .param("state")
        .split('.')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let anew = scene.product.app.start_authorization(&id).await.unwrap();
    let old = scene.back(other.callback(), Some(&other.browser)).await;
    assert_eq!(unknown(old), Code::NotFound);
    drop(anew);
    let late = scene.started(&scene.begun(json!({})).await).await;
    scene.clock.by(601);
    let back = scene.back(late.callback(), Some(&late.browser)).await;
    assert_eq!(unknown(back), Code::NotFound);
    assert_eq!(
        scene.product.get("/api/v1/connections").await.body["total"],
        1
    );
}

#[tokio::test]
async fn a_refusal_at_the_service_is_told_and_connects_nothing() {
    let scene = Scene::begin().await;
    for (error, code) in [
        ("access_denied", Code::Forbidden),
        ("invalid_scope", Code::UpstreamError),
        ("server_error", Code::UpstreamError),
    ] {
        let begun = scene.begun(json!({})).await;
        let way = scene.started(&begun).await;
        let back = Callback {
            code: None,
            error: Some(error.to_owned()),
            error_description: Some("As you wish".to_owned()),
            ..way.callback()
        };
        let refused = scene.back(back, Some(&way.browser)).await.unwrap_err();
        assert_eq!(refused.code, code, "{refused}");
        let path = format!("{BEGIN}/{}", begun["id"].as_str().unwrap());
        let told = scene.product.get(&path).await.body["authorization"].clone();
        assert_eq!(told["status"], "FAILED");
        assert_eq!(told["problem"], refused.message.as_str());
    }
    // Of another server, without a code, with a bad code.
    let foreign = |callback: &mut Callback| callback.iss = Some("https://evil.example".to_owned());
    let empty = |callback: &mut Callback| callback.code = None;
    let bad = |callback: &mut Callback| callback.code = Some("another".to_owned().into());
    let changes: [&dyn Fn(&mut Callback); 3] = [&foreign, &empty, &bad];
    for change in changes {
        let way = scene.started(&scene.begun(json!({})).await).await;
        let mut back = way.callback();
        change(&mut back);
        let refused = scene.back(back, Some(&way.browser)).await.unwrap_err();
        assert!(!refused.retryable, "{refused}");
    }
    assert_eq!(
        scene.product.get("/api/v1/connections").await.body["total"],
        0
    );
}

#[tokio::test]
async fn what_cannot_be_begun_is_refused_at_its_place() {
    let scene = Scene::begin().await;
    let fields = scene.fields();
    for (body, pointer) in [
        (
            json!({ "connector": "notes", "isLocal": true }),
            "/fields/url",
        ),
        (
            json!({ "connector": "notes", "isLocal": true, "fields": fields, "auth": "service" }),
            "/flow",
        ),
        (
            json!({ "connector": "notes", "isLocal": true, "fields": fields, "name": "A b" }),
            "/name",
        ),
        (
            json!({ "connector": "powerdns", "fields": { "url": "http://a", "api_key": "b" } }),
            "/flow",
        ),
        (
            json!({ "connector": "notes", "connectionId": "con_x" }),
            "/connector",
        ),
        (json!({}), "/connector"),
    ] {
        let refused = scene.product.post(BEGIN, body.clone()).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(
            refused.body["details"]["errors"][0]["pointer"], pointer,
            "{body}"
        );
    }
    // Without an app nobody signs in.
    let path = "/api/v1/connectors/notes/oauth-app";
    assert_eq!(scene.product.delete(path).await.body["deleted"], true);
    assert_eq!(
        scene.product.delete(path).await.status,
        StatusCode::NOT_FOUND
    );
    let body = json!({ "connector": "notes", "isLocal": true, "fields": fields });
    let refused = scene.product.post(BEGIN, body).await;
    assert_eq!(
        refused.body["fault"], "CONNECTION_REQUIRED",
        "{}",
        refused.body
    );
    for (body, pointer) in [
        (json!({ "clientId": " " }), "/clientId"),
        (json!({ "clientId": "a\nb" }), "/clientId"),
        (
            json!({ "clientId": "a", "clientSecret": "b\u{0}c" }),
            "/clientSecret",
        ),
    ] {
        let key = &scene.product.ours.key;
        let refused = scene.product.put_as(key, path, body.clone()).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        let told = refused.body["details"]["errors"][0]["pointer"]
            .as_str()
            .unwrap();
        assert_eq!(
            told.replace('_', "").to_lowercase(),
            pointer.to_lowercase(),
            "{body}"
        );
    }
}

#[tokio::test]
async fn others_neither_see_nor_use_a_sign_in_or_an_app() {
    let scene = Scene::begin().await;
    let begun = scene.begun(json!({})).await;
    let path = format!("{BEGIN}/{}", begun["id"].as_str().unwrap());
    let app = "/api/v1/connectors/notes/oauth-app";
    let product = &scene.product;
    let theirs = &product.theirs.key;
    assert_eq!(
        product.get_as(theirs, &path).await.status,
        StatusCode::NOT_FOUND
    );
    let poll = format!("{path}/poll");
    assert_eq!(
        product.post_as(theirs, &poll, json!({})).await.status,
        StatusCode::NOT_FOUND
    );
    assert!(
        product
            .get_as(theirs, app)
            .await
            .body
            .get("oauthApp")
            .is_none()
    );
    let member = &product.member_key;
    let body = json!({ "connector": "notes", "isLocal": true, "fields": scene.fields() });
    assert_eq!(
        product.post_as(member, BEGIN, body).await.status,
        StatusCode::FORBIDDEN
    );
    let set = json!({ "clientId": "mine" });
    assert_eq!(
        product.put_as(member, app, set).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        product.delete_as(member, app).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        product.get(app).await.body["oauthApp"]["clientId"],
        "client"
    );
}

#[tokio::test]
async fn signing_in_on_another_device_is_polled_as_slowly_as_the_service_wants() {
    const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
    let scene = Scene::begin().await;
    let begun = scene.begun(json!({ "flow": "device" })).await;
    assert_eq!(begun["userCode"], "WDJB-MJHT");
    assert_eq!(begun["verificationUri"], "https://notes.example.com/device");
    assert_eq!(begun["intervalS"], 5);
    let poll = format!("{BEGIN}/{}/poll", begun["id"].as_str().unwrap());
    let status = async || {
        let polled = scene.product.post(&poll, json!({})).await.body;
        polled["authorization"]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(status().await, "PENDING");
    assert_eq!(scene.service.asked(GRANT), 0);
    scene.clock.by(6);
    assert_eq!(status().await, "PENDING");
    assert_eq!(status().await, "PENDING");
    assert_eq!(scene.service.asked(GRANT), 1);
    scene.service.desk().is_done = true;
    scene.clock.by(6);
    assert_eq!(status().await, "COMPLETED");
    assert_eq!(status().await, "COMPLETED");
    assert_eq!(scene.service.asked(GRANT), 2);
    assert_eq!(scene.call("GET", "/me").await.unwrap()["name"], "Maria");
    // A device code comes by no browser.
    let late = scene.begun(json!({ "flow": "device" })).await;
    scene.service.desk().is_done = false;
    scene.clock.by(601);
    let path = format!("{BEGIN}/{}", late["id"].as_str().unwrap());
    let read = scene.product.get(&path).await.body;
    assert_eq!(read["authorization"]["status"], "EXPIRED");
}

#[tokio::test]
async fn an_account_with_its_own_app_is_connected_by_id_and_secret() {
    let scene = Scene::begin().await;
    let body = json!({
        "connector": "notes", "auth": "service", "isLocal": true,
        "fields": { "url": scene.service.url, "client_id": "own", "client_secret": SECRET },
    });
    let made = scene.product.post("/api/v1/connections", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["connection"]["status"], "ACTIVE", "{}", made.body);
    assert_eq!(made.body["connection"]["fields"]["client_id"], "own");
    assert!(!made.body.to_string().contains(SECRET));
    assert_eq!(scene.service.asked("client_credentials"), 1);
    assert_eq!(scene.call("GET", "/me").await.unwrap()["name"], "Maria");
    assert_eq!(scene.service.asked("client_credentials"), 1);
    scene.clock.by(4_000);
    assert_eq!(scene.call("GET", "/me").await.unwrap()["name"], "Maria");
    assert_eq!(scene.service.asked("client_credentials"), 2);
    // One that signs in at the service is not connected by what is typed in.
    let body = json!({ "connector": "notes", "isLocal": true, "fields": scene.fields() });
    let refused = scene.product.post("/api/v1/connections", body).await;
    assert_eq!(refused.body["details"]["errors"][0]["pointer"], "/auth");
    assert!(NOTES.contains("client_credentials"));
}

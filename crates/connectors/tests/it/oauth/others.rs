//! What is not about tokens: devices, the end of a token, and what a browser brings back.

use super::{REFRESH, Scene};
use crate::upstream::{json, reply};
use quaymaster_connectors::oauth::ProblemKind;
use secrecy::SecretString;

#[tokio::test]
async fn signing_in_on_another_device_is_begun_and_polled() {
    let begun = r#"{"device_code":"d1","user_code":"WDJB-MJHT","verification_url":"https://example.com/device","expires_in":"900"}"#;
    let scene = Scene::of(
        "      client_auth: body\n      scopes: {default: [a, b]}",
        json(begun),
    )
    .await;
    let code = scene.server().device_code().await.unwrap();
    assert_eq!(code.user_code, "WDJB-MJHT");
    assert_eq!(code.verification_uri, "https://example.com/device");
    assert_eq!((code.expires_in, code.interval), (900, 5));
    let (form, _) = scene.sent();
    assert_eq!(
        (&*form["scope"], &*form["client_id"]),
        ("a b", "client of ours")
    );

    for bad in [
        r#"{"device_code":"d1","user_code":"X","verification_uri":"javascript:alert(1)"}"#,
        r#"{"device_code":"d1","verification_uri":"https://example.com"}"#,
        r#"{"user_code":"X","verification_uri":"https://example.com"}"#,
    ] {
        let scene = Scene::of("", json(bad)).await;
        let problem = scene.server().device_code().await.unwrap_err();
        assert_eq!(problem.kind, ProblemKind::Down, "{bad}");
    }
    for (code, kind) in [
        ("authorization_pending", ProblemKind::Pending),
        ("slow_down", ProblemKind::SlowDown),
        ("access_denied", ProblemKind::Denied),
        ("expired_token", ProblemKind::Expired),
    ] {
        let body = serde_json::json!({ "error": code }).to_string();
        let scene = Scene::of("", reply("400 Bad Request", body)).await;
        let polled = scene.server().poll(&"d1".to_owned().into()).await;
        assert_eq!(polled.unwrap_err().kind, kind);
        let (form, _) = scene.sent();
        assert_eq!(
            form["grant_type"],
            "urn:ietf:params:oauth:grant-type:device_code"
        );
    }
}

#[tokio::test]
async fn a_token_is_revoked_where_there_is_a_place_for_it() {
    let token: SecretString = REFRESH.to_owned().into();
    let scene = Scene::of("", reply("200 OK", "")).await;
    assert!(
        scene
            .server()
            .revoke(&token, "refresh_token")
            .await
            .unwrap()
    );
    let (form, _) = scene.sent();
    assert_eq!(
        (&*form["token"], &*form["token_type_hint"]),
        (REFRESH, "refresh_token")
    );
    let mut scene = Scene::of("", reply("200 OK", "")).await;
    for way in &mut scene.definition.auth {
        way.oauth2.as_mut().unwrap().revoke_url = None;
    }
    assert!(
        !scene
            .server()
            .revoke(&token, "refresh_token")
            .await
            .unwrap()
    );
    assert!(scene.upstream.seen().is_empty());
}

#[tokio::test]
async fn an_answer_that_says_to_be_of_another_server_is_not_believed() {
    let scene = Scene::of("      issuer: \"{url}\"", json("{}")).await;
    let own = scene.upstream.url("");
    let server = scene.server();
    assert!(server.is_issuer(None));
    assert!(server.is_issuer(Some(&own)));
    assert!(server.is_issuer(Some(&format!("{own}/"))));
    assert!(!server.is_issuer(Some("https://evil.example")));
    assert!(!server.is_issuer(Some("")));
    let unknown = Scene::of("", json("{}")).await;
    assert!(unknown.server().is_issuer(Some("https://anybody.example")));
}

#[tokio::test]
async fn what_a_browser_brings_back_is_repeated_short_and_clean() {
    let scene = Scene::of("", json("{}")).await;
    let server = scene.server();
    let long = format!("a\u{202e}b\n{}", "x".repeat(5_000));
    let problem = server.denial("invalid_scope", Some(&long));
    let message = problem.fault.message;
    assert!(
        message.len() < 500 && !message.contains(['\u{202e}', '\n']),
        "{message}"
    );
    assert_eq!(
        server.denial("access_denied", None).kind,
        ProblemKind::Denied
    );
    assert!(server.denial("server_error", None).fault.retryable);
}

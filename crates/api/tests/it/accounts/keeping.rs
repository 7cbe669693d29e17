//! Tokens are renewed in time, once, and what cannot be renewed says so.

use super::service::TOKEN;
use super::{BEGIN, Scene};
use http::StatusCode;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const REFRESH: &str = "refresh_token";

#[tokio::test]
async fn a_hundred_calls_with_an_ended_token_renew_it_once() {
    let scene = Arc::new(Scene::begin().await);
    scene.sign_in().await;
    scene.service.desk().slowness = Duration::from_millis(200);
    for round in 1..=3 {
        scene.clock.by(4_000);
        let calls = (0..100).map(|_| {
            let scene = scene.clone();
            tokio::spawn(async move { scene.call("GET", "/me").await })
        });
        for call in calls.collect::<Vec<_>>() {
            assert_eq!(call.await.unwrap().unwrap()["name"], "Maria");
        }
        assert_eq!(scene.service.asked(REFRESH), round);
    }
    // That all went well is no event.
    assert_eq!(scene.events("connection.not_renewed").await, 0);
}

#[tokio::test]
async fn a_token_is_renewed_before_its_end_and_used_meanwhile_when_that_fails() {
    let scene = Scene::begin().await;
    scene.sign_in().await;
    scene.clock.by(3_400);
    scene.call("GET", "/me").await.unwrap();
    assert_eq!(scene.service.asked(REFRESH), 0);
    scene.service.desk().is_down = true;
    scene.clock.by(100);
    scene.call("GET", "/me").await.unwrap();
    assert_eq!(scene.service.asked(REFRESH), 1);
    scene.service.desk().is_down = false;
    scene.call("GET", "/me").await.unwrap();
    assert_eq!(scene.service.asked(REFRESH), 2);
    scene.call("GET", "/me").await.unwrap();
    assert_eq!(scene.service.asked(REFRESH), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_and_the_call_is_sent_once_more() {
    let scene = Scene::begin().await;
    let made = scene.sign_in().await;
    scene.service.drop_access();
    let before = scene.service.desk().served;
    scene.call("POST", "/notes").await.unwrap();
    assert_eq!(scene.service.asked(REFRESH), 1);
    assert_eq!(scene.service.desk().served, before + 1);
    // A service that refuses a token that it has just given is not asked for another.
    scene.service.drop_access();
    let refused = scene.call("GET", "/me").await.unwrap_err();
    assert_eq!(refused["fault"], "CONNECTION_REQUIRED", "{refused}");
    assert_eq!(scene.service.asked(REFRESH), 1);
    assert!(!refused.to_string().contains(TOKEN), "{refused}");
    assert_eq!(scene.connection(made.id.as_str()).await["status"], "ACTIVE");
}

#[tokio::test]
async fn an_account_that_cannot_be_renewed_says_so_and_signs_in_again() {
    let scene = Scene::begin().await;
    let made = scene.sign_in().await;
    let id = made.id.as_str();
    scene.service.forget();
    scene.clock.by(4_000);
    let refused = scene.call("GET", "/me").await.unwrap_err();
    assert_eq!(refused["fault"], "CONNECTION_REQUIRED", "{refused}");
    let setup = format!("http://127.0.0.1:8080/connections/{id}");
    assert_eq!(refused["details"]["setup_url"], setup);
    let shown = scene.connection(id).await;
    assert_eq!(shown["status"], "ERROR");
    let problem = shown["problem"].as_str().unwrap();
    assert!(problem.contains("not good any more"), "{problem}");
    assert_eq!(scene.events("connection.not_renewed").await, 1);
    // Nobody asks again with what is known to be dead.
    let asked = scene.service.asked(REFRESH);
    for _ in 0..3 {
        let refused = scene.call("GET", "/me").await.unwrap_err();
        assert_eq!(refused["details"]["setup_url"], setup, "{refused}");
    }
    assert_eq!(scene.service.asked(REFRESH), asked);

    let begun = scene
        .product
        .post(BEGIN, json!({ "connectionId": id }))
        .await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body);
    let way = scene.started(&begun.body["authorization"]).await;
    let again = scene
        .back(way.callback(), Some(&way.browser))
        .await
        .unwrap();
    assert_eq!((again.id.as_str(), again.name), (id, made.name));
    assert_eq!(again.problem, None);
    assert_eq!(scene.call("GET", "/me").await.unwrap()["name"], "Maria");
    assert_eq!(scene.connection(id).await["status"], "ACTIVE");
    assert_eq!(
        scene.product.get("/api/v1/connections").await.body["total"],
        1
    );
}

#[tokio::test]
async fn a_server_that_is_down_costs_nobody_the_account() {
    let scene = Scene::begin().await;
    let made = scene.sign_in().await;
    scene.clock.by(4_000);
    scene.service.desk().is_down = true;
    let refused = scene.call("GET", "/me").await.unwrap_err();
    assert_eq!(refused["fault"], "UPSTREAM_ERROR", "{refused}");
    assert_eq!(refused["retryable"], true);
    assert_eq!(scene.connection(made.id.as_str()).await["status"], "ACTIVE");
    assert_eq!(scene.events("connection.not_renewed").await, 0);
    scene.service.desk().is_down = false;
    assert_eq!(scene.call("GET", "/me").await.unwrap()["name"], "Maria");
}

#[tokio::test]
async fn an_app_that_was_taken_away_is_good_again_once_an_administrator_signs_in() {
    let scene = Scene::begin().await;
    let made = scene.sign_in().await;
    let path = "/api/v1/connectors/notes/oauth-app";
    assert_eq!(scene.product.delete(path).await.status, StatusCode::OK);
    scene.clock.by(4_000);
    let refused = scene.call("GET", "/me").await.unwrap_err();
    assert_eq!(refused["fault"], "CONNECTION_REQUIRED", "{refused}");
    assert_eq!(scene.connection(made.id.as_str()).await["status"], "ERROR");
    let app = json!({ "clientId": "client", "clientSecret": "new-secret" });
    let key = &scene.product.ours.key;
    assert_eq!(
        scene.product.put_as(key, path, app).await.status,
        StatusCode::OK
    );
    // It is another app, whose secret goes nowhere yet.
    let refused = scene.call("GET", "/me").await.unwrap_err();
    assert_eq!(refused["fault"], "CONNECTION_REQUIRED", "{refused}");
    let id = made.id.as_str();
    let begun = scene
        .product
        .post(BEGIN, json!({ "connectionId": id }))
        .await;
    let way = scene.started(&begun.body["authorization"]).await;
    let again = scene.back(way.callback(), Some(&way.browser)).await;
    assert_eq!(again.unwrap().id.as_str(), id);
    assert_eq!(scene.call("GET", "/me").await.unwrap()["name"], "Maria");
    assert_eq!(scene.connection(id).await["status"], "ACTIVE");
}

#[tokio::test]
async fn disconnecting_ends_the_token_at_the_service() {
    let scene = Scene::begin().await;
    let made = scene.sign_in().await;
    let path = format!("/api/v1/connections/{}", made.id);
    assert_eq!(scene.product.delete(&path).await.body["deleted"], true);
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        while scene.service.desk().revoked.is_empty() {
            tokio::task::yield_now().await;
        }
    });
    ended.await.unwrap();
    assert_eq!(scene.service.desk().revoked, [format!("{TOKEN}-refresh-1")]);
}

use axum::http::StatusCode;
use serde_json::json;

use crate::server::{PASSWORD, Server};

async fn link(server: &Server) -> String {
    let args = json!({ "client_name": "Cursor" });
    let made = server
        .call(&server.token, "get_reconnect_url", args)
        .await
        .unwrap();
    let url = made["url"].as_str().unwrap();
    url.strip_prefix("http://127.0.0.1:8080")
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn opening_the_link_uses_nothing_up_and_confirming_makes_a_token_of_its_own() {
    let server = Server::start().await;
    server.owner().await;
    let link = link(&server).await;
    let mut browser = server.browser();
    let asked = browser.get(&link).await;
    assert_eq!(asked.location(), format!("/sign-in?next={link}"));
    let fields = [
        ("email", "owner@example.com"),
        ("password", PASSWORD),
        ("next", &link),
    ];
    assert_eq!(browser.post("/sign-in", &fields).await.location(), link);
    for _ in 0..2 {
        let page = browser.get(&link).await;
        assert_eq!(page.text("h1"), "Reconnect a client");
        assert!(page.text("main").contains("Cursor asks for a new token"));
    }
    let unsigned = browser.post(&link, &[]).await;
    assert_eq!(unsigned.status, StatusCode::FORBIDDEN);

    let fresh = browser.submit(&link, &[]).await;
    assert_eq!(fresh.status, StatusCode::OK);
    server
        .call(&fresh.text("#token"), "list_files", json!({}))
        .await
        .unwrap();
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap();
    let page = browser.get(&server.workspace_path()).await;
    assert!(
        page.text("#tokens")
            .contains("Reconnected: Cursor reconnect")
    );

    let again = browser.submit(&link, &[]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(again.text("h1"), "This link was already used");
    assert_eq!(
        browser.get(&link).await.text("h1"),
        "This link was already used"
    );
}

#[tokio::test]
async fn a_link_expires_after_ten_minutes() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let link = link(&server).await;
    server.wait_seconds(600);
    assert_eq!(owner.get(&link).await.text("h1"), "This link has expired");
    assert_eq!(owner.submit(&link, &[]).await.status, StatusCode::FORBIDDEN);
    let actor = server.owner_actor().await;
    let tokens = server
        .app
        .workspace_tokens(&actor, &server.workspace)
        .await
        .unwrap();
    assert_eq!(tokens.len(), 1);
}

#[tokio::test]
async fn somebody_of_another_organization_learns_nothing_and_gets_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, _) = server.stranger().await;
    let link = link(&server).await;
    let page = stranger.get(&link).await;
    assert_eq!(page.text("h1"), "This link is for somebody else");
    assert!(!page.body.contains(server.workspace.as_str()));
    let refused = stranger.submit(&link, &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.attribute("#token", "id").is_none());
    assert_eq!(owner.submit(&link, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn somebody_new_can_reconnect_before_choosing_a_password() {
    let server = Server::start().await;
    let link = link(&server).await;
    let mut browser = server.browser();
    browser.post(&server.link, &[]).await;
    assert_eq!(browser.get(&link).await.text("h1"), "Reconnect a client");
    assert_eq!(browser.submit(&link, &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sign_in_link_is_no_reconnect_link_and_the_other_way_round() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let link = link(&server).await;
    let id = link.strip_prefix("/reconnect/").unwrap();
    let turned = format!("/sign-in/link/{id}");
    let mut browser = server.browser();
    assert_eq!(browser.get(&turned).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        browser.post(&turned, &[]).await.status,
        StatusCode::NOT_FOUND
    );
    let id = server.link.strip_prefix("/sign-in/link/").unwrap();
    let turned = format!("/reconnect/{id}");
    assert_eq!(owner.get(&turned).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        owner.submit(&turned, &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

//! A connected agent asks for a link; its person opens it.

use super::*;

// promise: S1.29, S1.31, S1.32, S1.33, S1.34, S1.36, S1.43, S1.63
#[tokio::test]
async fn a_reconnect_link_makes_one_token_that_is_revoked_alone() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    let made = agent
        .call("get_reconnect_url", json!({ "client_name": "Cursor" }))
        .await
        .unwrap();
    let link = made["url"].as_str().unwrap();

    // Who is not signed in sees the sign-in page first, and gets in as the owner only.
    let outside = browser.tab().await;
    outside.open(link).await;
    assert_eq!(outside.path().await, "/sign-in");
    outside.fill("#email", EMAIL).await;
    outside.fill("#password", "another password").await;
    outside.follow("main button[type=submit]").await;
    assert_eq!(outside.path().await, "/sign-in");
    assert!(!outside.complaints().await.is_empty(), "that was refused");
    outside.fill("#password", PASSWORD).await;
    outside.follow("main button[type=submit]").await;
    assert_eq!(outside.text("h1").await, "Reconnect a client");
    let asked = outside.text("main").await;
    assert!(asked.contains("Cursor asks for a new token."), "{asked}");
    assert!(asked.contains("Workspace main Client Cursor"), "{asked}");
    assert!(asked.contains("Link expires in 10 minutes"), "{asked}");
    assert!(asked.contains(&format!("Signed in as {EMAIL}")), "{asked}");

    outside.follow("main button[type=submit]").await;
    let token = outside.text("#token").await;
    let old = format!("Bearer {}", server.token);
    assert_eq!(
        tools(&server.endpoint, &format!("Bearer {token}")).await,
        19
    );
    assert_eq!(tools(&server.endpoint, &old).await, 19);
    outside.open(link).await;
    assert_eq!(outside.text("h1").await, "This link was already used");
    assert_eq!(outside.complaints().await, NOTHING);

    to_workspace(&tab).await;
    tab.until_text("#tokens", "Tokens do not expire.").await;
    tab.until_text("#tokens", "Reconnected: Cursor reconnect")
        .await;
    let button = confirm(&tab, "#tokens", "Reconnected: Cursor", "Revoke").await;
    tab.click(&button).await;
    tab.until("!document.querySelector('#tokens').innerText.includes('Cursor')")
        .await;
    assert_eq!(status(&server.endpoint, &token).await, 401);
    assert_eq!(tools(&server.endpoint, &old).await, 19);
    assert_eq!(tab.complaints().await, NOTHING);
}

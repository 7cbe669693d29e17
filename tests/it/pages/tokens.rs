//! From the printed link to a token, and what becomes of tokens.

use super::*;

// promise: S1.3, S1.39, S1.40, S1.41
#[tokio::test]
async fn the_first_start_leads_to_a_token_that_is_shown_once() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    to_workspace(&tab).await;
    assert_eq!(tab.text("#endpoint").await, server.endpoint);
    tab.click("[data-copy=endpoint]").await;
    tab.until_text("[data-copy=endpoint]", "Copied").await;

    tab.fill("#token-name", "Build server").await;
    tab.follow("form[action$='/tokens'] button").await;
    let token = tab.text("#token").await;
    let command = snippet(&tab, "Claude Code", "In a terminal").await;
    assert_eq!(
        command,
        format!(
            "claude mcp add --transport http quaymaster {} --header \"Authorization: Bearer {token}\"",
            server.endpoint
        )
    );
    tab.click("form[action$='/env'] button").await;
    let file = tab.downloaded("quaymaster.env").await;
    let lines = [
        format!("QUAYMASTER_MCP_URL={}", server.endpoint),
        format!("QUAYMASTER_TOKEN={token}"),
    ];
    assert_eq!(file.lines().collect::<Vec<_>>(), lines);
    assert_eq!(
        tools(&server.endpoint, &format!("Bearer {token}")).await,
        19
    );

    to_workspace(&tab).await;
    let secret = token.split_once('.').unwrap().1;
    tab.until_text("#tokens", "Build server").await;
    assert!(!has(&tab, secret).await);
    tab.page.reload().await.unwrap();
    tab.until_text("#tokens", "Build server").await;
    assert!(!has(&tab, secret).await);

    let again = browser.tab().await;
    again.open(&server.sign_in_link).await;
    assert_eq!(again.text("h1").await, "This link was already used");
    assert_eq!(tab.complaints().await, NOTHING);
}

// promise: S1.39, S1.42
#[tokio::test]
async fn a_regenerated_default_token_replaces_the_one_before_at_once() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    to_workspace(&tab).await;
    let connected = Mcp::open(&server.endpoint, &server.token).await;
    let button = confirm(&tab, "#tokens", "Default token", "Regenerate").await;
    tab.follow(&button).await;
    let old = connected
        .post(&json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" }))
        .await;
    assert_eq!(old.status, 401, "its session ends with it");
    assert_eq!(status(&server.endpoint, &server.token).await, 401);
    tab.until_text("main", "The previous token has stopped working.")
        .await;
    let token = tab.text("#token").await;
    assert_eq!(
        tools(&server.endpoint, &format!("Bearer {token}")).await,
        19
    );
    assert_eq!(tab.complaints().await, NOTHING);
}

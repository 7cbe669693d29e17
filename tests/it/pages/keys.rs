//! API keys, and the settings that say where they go.

use super::servers::look_closely;
use super::*;

// promise: S0.11, S0.12, S0.13, S0.14, S0.15, S0.16
#[tokio::test]
async fn an_api_key_of_the_page_works_from_each_snippet_as_it_is_pasted() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;

    // Settings say the address, and have a configuration that lacks only the key.
    tab.follow("nav.nav a[href='/settings']").await;
    assert_eq!(tab.text("#endpoint").await, server.endpoint);
    let ready = snippet(&tab, "Any other client", "Its MCP configuration").await;
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let info = tab.text("#info-url").await;
    let info = reqwest::get(info).await.unwrap().text().await.unwrap();
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["url"], server.endpoint);
    assert_eq!(info["example_config"], ready);

    tab.follow("nav.subnav a[href='/settings/api-keys']").await;
    tab.fill("#key-name", "Desktop agent").await;
    let chosen = tab.value("document.querySelector('#files').selectedOptions[0].text");
    assert_eq!(chosen.await, "main");
    tab.follow("form[action='/settings/api-keys'] button").await;
    let key = tab.text("#key").await;
    assert!(key.starts_with("sk-org-"), "{key}");

    let entry = |text: String| -> Value {
        let file: Value = serde_json::from_str(&text).unwrap();
        file["mcpServers"]["quaymaster"].clone()
    };
    let desktop = entry(snippet(&tab, "Claude Desktop", "claude_desktop_config.json").await);
    assert_eq!(desktop["command"], "npx");
    let args: Vec<_> = desktop["args"].as_array().unwrap().iter().collect();
    assert_eq!(args[..3], ["-y", "mcp-remote", &server.endpoint]);
    assert_eq!(args[3..5], ["--header", "Authorization:${AUTH_HEADER}"]);
    let header = desktop["env"]["AUTH_HEADER"].as_str().unwrap();
    assert_eq!(header, format!("Bearer {key}"));
    assert_eq!(tools(&server.endpoint, header).await, 19 + 7);
    let cursor = entry(snippet(&tab, "Cursor", "~/.cursor/mcp.json").await);
    assert_eq!(tools_of(&cursor).await, 19 + 7);
    let other = entry(snippet(&tab, "Any other client", "Its MCP configuration").await);
    assert_eq!(tools_of(&other).await, 19 + 7);
    let filled = ready.to_string().replace("<token>", &key);
    assert_eq!(entry(filled), other);
    assert_eq!(status(&server.endpoint, "").await, 401);

    tab.open(&format!("{}/settings/api-keys", server.url)).await;
    tab.until_text("#keys", "Desktop agent").await;
    assert!(!has(&tab, key.split_once('.').unwrap().1).await);
    let button = confirm(&tab, "#keys", "Desktop agent", "Revoke").await;
    tab.click(&button).await;
    tab.until_text("#keys", "No API key yet").await;
    assert_eq!(status(&server.endpoint, &key).await, 401);
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_list_longer_than_a_page_goes_on_with_the_next_one() {
    let server = Server::start().await;
    let key = server.api_key(&["admin"]).await;
    for number in 0..51 {
        let name = format!("key {number}");
        let body = json!({ "name": name, "scopes": ["read:tools"] });
        let made = server
            .rest(&key, "POST", "/api/v1/api-keys", Some(body))
            .await;
        assert_eq!(made.0, 201, "{}", made.1);
    }
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let keys = format!("{}/settings/api-keys", server.url);
    tab.open(&keys).await;
    tab.until_text("#keys", "key 50").await;
    tab.follow("#keys .pager a").await;
    // Beside those 51 there is the one that made them.
    tab.until_text("#keys .pager", "52 in all.").await;
    tab.until_text("#keys", "key 0").await;
    assert!(!has(&tab, "key 50").await);
    look_closely(&tab, "the second page of keys").await;
    for nonsense in [
        "page=-1",
        "page=9999999999999999999999",
        "page=%00",
        "query=x&page=",
    ] {
        tab.open(&format!("{keys}?{nonsense}")).await;
        tab.until_text("h1", "Settings").await;
    }
    tab.open(&format!("{}/settings/members?query=nobody", server.url))
        .await;
    tab.until_text("#members", "Nobody fits").await;
    look_closely(&tab, "members of whom none fits").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

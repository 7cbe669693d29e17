//! API keys, and the settings that say where they go.

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

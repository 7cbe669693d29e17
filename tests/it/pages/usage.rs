//! What a workspace used, and the cap on it.

use super::*;

/// Tool calls of today, as the bar says it to those who cannot see it.
async fn calls(tab: &Tab) -> [Value; 2] {
    let meter = "document.querySelector('#usage [role=meter]')";
    let read = async |name| {
        let text = tab.value(&format!("{meter}.getAttribute('{name}')")).await;
        text.as_str().unwrap().parse().unwrap()
    };
    [read("aria-valuenow").await, read("aria-valuemax").await]
}

// promise: S1.74
#[tokio::test]
async fn the_page_shows_the_calls_of_the_day_and_sets_their_cap() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    to_workspace(&tab).await;
    assert_eq!(calls(&tab).await, [json!(0), json!(10_000)]);
    tab.until_text("#calls", "No call yet").await;
    // A day is UTC's, and may end while the test runs.
    tab.until("/starts again (in|tomorrow)/.test(document.querySelector('#usage').innerText)")
        .await;

    let agent = Mcp::open(&server.endpoint, &server.token).await;
    agent.call("list_files", json!({})).await.unwrap();
    let missing = json!({ "path": "missing.txt" });
    agent.call("read_file", missing).await.unwrap_err();
    tab.page.reload().await.unwrap();
    tab.until_text("#calls", "read_file NOT_FOUND Default token tests")
        .await;
    tab.until_text("#calls", "list_files OK Default token tests")
        .await;
    assert_eq!(calls(&tab).await, [json!(2), json!(10_000)]);
    let width = "document.querySelector('#usage rect').getBoundingClientRect().width";
    let before = tab.value(width).await.as_f64().unwrap();

    tab.click("#usage summary").await;
    tab.fill("#cap", "3").await;
    tab.click("form[action$='/cap'] button").await;
    tab.until_text("#notices", "cap").await;
    tab.until_text("#usage", "2 of 3").await;
    let after = tab.value(width).await.as_f64().unwrap();
    assert!(after > 100.0 * before.max(0.1), "{before} {after}");
    agent.call("list_files", json!({})).await.unwrap();
    let refused = agent.call("list_files", json!({})).await.unwrap_err();
    assert_eq!(refused["code"], "DAILY_CAP", "{refused}");
    tab.page.reload().await.unwrap();
    tab.until_text("#usage", "The cap is reached, and calls are refused.")
        .await;
    assert_eq!(tab.complaints().await, NOTHING);
}

//! Activity, usage and home, in a browser.

use super::looks::look;
use super::*;

#[tokio::test]
async fn activity_and_usage_look_right_and_work_by_clicks() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.until_text("#steps", "0 of 5 done").await;
    look(&tab, "home of somebody new").await;
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    for n in 0..12 {
        agent.call("list_files", json!({})).await.unwrap();
        let file = json!({ "path": format!("{}.txt", "m".repeat(20 + n)) });
        agent.call("read_file", file).await.unwrap_err();
    }
    tab.follow("a.brand").await;
    tab.until_text("#steps", "1 of 5 done").await;
    tab.until_text("#recent", "read_file NOT_FOUND Default token")
        .await;
    look(&tab, "home").await;
    tab.follow("nav.nav a[href='/activity']").await;
    tab.until_text("#calls", "list_files OK Default token")
        .await;
    look(&tab, "activity").await;
    tab.click(".filter summary").await;
    tab.value("document.querySelector('#outcome').value = 'failed'")
        .await;
    tab.follow(".filters button").await;
    tab.until_text("#calls", "read_file NOT_FOUND").await;
    assert!(!has(&tab, ">list_files</code>").await);
    look(&tab, "filtered activity").await;
    tab.click(".files a").await;
    let file = tab.downloaded("calls.csv").await;
    assert_eq!(file.lines().count(), 13, "{file}");
    tab.follow(".subnav a[href='/activity/changes']").await;
    tab.until_text("#changes", "workspace.created").await;
    look(&tab, "changes").await;
    tab.follow(".subnav a[href='/usage']").await;
    tab.until_text("#total", "24").await;
    let bars = tab.value("document.querySelectorAll('svg.plot rect.failed[height=\"0\"]').length");
    // One hour of the day has failures, or two when one ends meanwhile.
    let empty = bars.await.as_u64().unwrap();
    assert!((22..24).contains(&empty), "{empty}");
    look(&tab, "usage").await;
    tab.follow("a[href='/usage?window=30d']").await;
    tab.until_text("#tools", "read_file 12 12 100.0 %").await;
    tab.open(&format!("{}/activity?tool=none", server.url))
        .await;
    look(&tab, "no activity").await;
    tab.follow("a.brand").await;
    tab.follow("form[action='/first-steps/dismiss'] button")
        .await;
    tab.until("document.querySelector('#steps') === null").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn ctrl_k_leads_anywhere_by_name_and_so_does_a_page_without_the_script() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let press = "document.dispatchEvent(new KeyboardEvent('keydown',
        { key: 'k', ctrlKey: true, bubbles: true, cancelable: true }))";
    tab.value(press).await;
    tab.until("document.activeElement.id === 'palette-query'")
        .await;
    tab.until_text("#palette-found", "API reference").await;
    look(&tab, "the palette").await;
    tab.fill("#palette-query", "transm").await;
    tab.until_text("#palette-found", "Transmission").await;
    tab.press("ArrowDown").await;
    tab.until("document.activeElement.href?.endsWith('/connectors/transmission')")
        .await;
    tab.value("window.isOld = true").await;
    tab.press("Enter").await;
    tab.until("location.pathname === '/connectors/transmission'")
        .await;
    tab.until("document.readyState === 'complete'").await;
    tab.click("[data-palette]").await;
    tab.fill("#palette-query", "members").await;
    tab.until_text("#palette-found", "Members page").await;
    tab.press("Enter").await;
    tab.until("location.pathname === '/settings/members'").await;
    assert_eq!(tab.complaints().await, NOTHING);

    tab.forbid_scripts().await;
    tab.open(&format!("{}/settings", server.url)).await;
    tab.follow("a.find").await;
    tab.follow("main form.search button").await;
    tab.follow("#found a[href='/usage']").await;
    assert_eq!(tab.path().await, "/usage");
    assert_eq!(tab.complaints().await, NOTHING);
}

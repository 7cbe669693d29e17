//! What a page weighs with everything that it loads.

use super::*;

const MOST_BYTES: u64 = 150_000;

#[tokio::test]
async fn the_first_view_of_a_page_loads_at_most_150_kilobytes() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    to_workspace(&tab).await;
    let workspace = tab.path().await;
    let pages = [
        "/",
        "/sign-in",
        "/connectors",
        "/activity",
        "/settings",
        "/settings/api-keys",
        &workspace,
        &format!("{workspace}/flows"),
        &format!("{workspace}/packs"),
    ];
    for page in pages {
        tab.open(&format!("{}{page}", server.url)).await;
        let weight = "['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind)) \
             .map((entry) => entry.encodedBodySize)";
        let parts: Vec<u64> = serde_json::from_value(tab.value(weight).await).unwrap();
        // The page itself, its style and its scripts, also where the browser had them already.
        assert!(parts.len() > 3 && parts[0] > 1_000, "{page}: {parts:?}");
        let sum: u64 = parts.iter().sum();
        assert!(sum <= MOST_BYTES, "{page} weighs {sum} bytes: {parts:?}");
    }
    assert_eq!(tab.complaints().await, NOTHING);
}

//! What a page weighs with everything that it loads.

use super::picking::{pick, ten};
use super::*;
use quaymaster_tests::{Database, Developer};

const MOST_BYTES: u64 = 150_000;

/// Opens a page and compares what was loaded for it.
async fn weigh(tab: &Tab, server: &Server, page: &str) {
    tab.open(&format!("{}{page}", server.url)).await;
    not_too_heavy(tab, page).await;
}

async fn not_too_heavy(tab: &Tab, page: &str) {
    let weight = "['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind)) \
         .map((entry) => entry.encodedBodySize)";
    let parts: Vec<u64> = serde_json::from_value(tab.value(weight).await).unwrap();
    // The page itself, its style and its scripts, also where the browser had them already.
    assert!(parts.len() > 3 && parts[0] > 1_000, "{page}: {parts:?}");
    let sum: u64 = parts.iter().sum();
    assert!(sum <= MOST_BYTES, "{page} weighs {sum} bytes: {parts:?}");
}

/// Where the links that a selector finds lead.
async fn links(tab: &Tab, css: &str) -> Vec<String> {
    let links = format!(
        "[...document.querySelectorAll({})].map((link) => link.getAttribute('href'))",
        json!(css)
    );
    serde_json::from_value(tab.value(&links).await).unwrap()
}

#[tokio::test]
async fn the_first_view_of_a_page_loads_at_most_150_kilobytes() {
    let desk = Developer::open(Database::Sqlite).await;
    let server = &desk.server;
    for name in ["slack", "github"] {
        desk.integrate(json!({ "integrationName": name, "connectionStrategy": "per_user" }))
            .await;
    }
    let hosted = desk.serve(json!({})).await;
    let browser = Browser::start().await;
    let tab = owner(server, &browser).await;
    to_workspace(&tab).await;
    let workspace = tab.path().await;
    let editor = format!("{workspace}/flows/new");
    let pages = [
        "/",
        "/sign-in",
        "/connectors",
        "/activity",
        "/settings",
        "/settings/api-keys",
        "/documents",
        "/guides",
        "/reference",
        &workspace,
        &format!("{workspace}/flows"),
        &format!("{workspace}/packs"),
        &format!("{workspace}/integrations/new/github"),
        &format!("/servers/{}/tools", hosted.id),
        &format!("/servers/{}/try", hosted.id),
        &editor,
    ];
    for page in pages {
        weigh(&tab, server, page).await;
    }
    // The completion of the editor, which was opened last, has its schema as soon as somebody writes.
    tab.click("#source").await;
    let schema = format!("{}/api/v1/schemas/flow.json", server.url);
    tab.until(&format!(
        "performance.getEntriesByName({}).length === 1",
        json!(schema)
    ))
    .await;
    not_too_heavy(&tab, &editor).await;
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_server_over_ten_integrations_is_not_heavier() {
    let desk = Developer::open(Database::Sqlite).await;
    let ids = ten(&desk).await;
    let hosted = desk.serve(json!({})).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    let server = format!("/servers/{}", hosted.id);
    let tools = format!("{server}/tools");
    for page in [&server, &format!("{server}/try"), &tools] {
        weigh(&tab, &desk.server, page).await;
    }
    pick(&desk, &hosted, &ids).await;
    let searched = format!("{tools}?query=e");
    for page in [&tools, &searched, &server] {
        weigh(&tab, &desk.server, page).await;
    }
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn no_guide_and_no_operation_of_the_reference_is_heavier() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = browser.tab().await;
    tab.open(&format!("{}/guides", server.url)).await;
    let guides = links(&tab, "main .card a").await;
    assert!(guides.len() > 9, "{guides:?}");
    tab.open(&format!("{}/reference", server.url)).await;
    let operations = links(&tab, ".operation-list a").await;
    assert!(operations.len() > 150, "{operations:?}");
    for page in guides {
        weigh(&tab, &server, &page).await;
    }
    // What an operation loads besides is the same for all; the pages themselves are asked for at once.
    let sizes = format!(
        "Promise.all({}.map((page) => fetch(page).then((answer) => answer.text())
            .then((text) => [page, text.length])))",
        json!(operations)
    );
    let sizes: Vec<(String, u64)> = serde_json::from_value(tab.value(&sizes).await).unwrap();
    let (heaviest, _) = sizes.iter().max_by_key(|(_, size)| *size).unwrap();
    weigh(&tab, &server, heaviest).await;
    assert_eq!(tab.complaints().await, NOTHING);
}

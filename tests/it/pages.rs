//! The pages, as somebody with a browser uses them.
//!
//! Each test has a server and a Chromium of its own, and ends by asking the browser what it found
//! wrong: an error of a script or blocked content on any page on the way fails the test.

mod activity;
mod click_paths;
mod connectors;
mod consent;
mod documents;
mod files;
mod flow_steps;
mod flows;
mod guides;
mod keys;
mod lists;
mod long_lists;
mod looks;
mod many;
mod notes;
mod own_connectors;
mod payloads;
mod people;
mod picking;
mod reconnecting;
mod reference;
mod server_rules;
mod servers;
mod single_tools;
mod tokens;
mod trying;
mod usage;
mod walk;
mod weight;

use quaymaster_tests::{Browser, Mcp, Server, Tab};
use serde_json::{Value, json};

const EMAIL: &str = "owner@example.com";
const PASSWORD: &str = "correct horse battery";
const NOTHING: [&str; 0] = [];

/// The first person on the server, by the printed link and the welcome page.
async fn owner(server: &Server, browser: &Browser) -> Tab {
    let tab = browser.tab().await;
    tab.open(&server.sign_in_link).await;
    tab.follow("main button[type=submit]").await;
    assert_eq!(tab.path().await, "/welcome");
    tab.fill("#name", "Owner").await;
    tab.fill("#email", EMAIL).await;
    tab.fill("#password", PASSWORD).await;
    tab.fill("#organization", "Harbour works").await;
    tab.follow("main button[type=submit]").await;
    assert_eq!(tab.path().await, "/");
    tab
}

/// From the list to the only workspace.
async fn to_workspace(tab: &Tab) {
    tab.follow("a.brand").await;
    tab.follow("#workspaces .row-link").await;
}

/// Whether the page has a text anywhere, shown or not.
async fn has(tab: &Tab, text: &str) -> bool {
    let text = json!(text);
    let found = format!("document.documentElement.outerHTML.includes({text})");
    tab.value(&found).await == true
}

/// The text to paste into a client, read from its tab.
async fn snippet(tab: &Tab, client: &str, place: &str) -> String {
    let (client, place) = (json!(client), json!(place));
    let label = tab
        .value(&format!(
            "[...document.querySelectorAll('.tabs > label')].find(l => l.innerText === {client}).htmlFor"
        ))
        .await;
    let input = label.as_str().unwrap();
    tab.click(&format!("label[for='{input}']")).await;
    let code = tab
        .value(&format!(
            "[...document.querySelectorAll('#{input} + label + .tab-panel .snippet')]
                .find(s => s.querySelector('.snippet-head span').innerText === {place})
                .querySelector('code').id"
        ))
        .await;
    tab.text(&format!("#{}", code.as_str().unwrap())).await
}

/// Opens the dialog behind a button of the row that has this text, and confirms it.
async fn confirm(tab: &Tab, table: &str, row: &str, button: &str) -> String {
    let (rows, row, button) = (
        json!(format!("{table} tbody tr")),
        json!(row),
        json!(button),
    );
    let dialog = tab
        .value(&format!(
            "[...[...document.querySelectorAll({rows})].find(r => r.innerText.includes({row}))
                .querySelectorAll('[data-dialog]')].find(b => b.innerText === {button}).dataset.dialog"
        ))
        .await;
    let dialog = dialog.as_str().unwrap().to_owned();
    tab.click(&format!("[data-dialog='{dialog}']")).await;
    tab.until(&format!(
        "document.getElementById('{dialog}').matches(':modal')"
    ))
    .await;
    format!("#{dialog} .destructive")
}

/// What an endpoint says to a token now.
async fn status(endpoint: &str, token: &str) -> u16 {
    let mcp = Mcp::stateless(endpoint, token);
    mcp.initialize("2025-06-18").await.status
}

/// How many tools somebody sees who connects with an `Authorization` header.
async fn tools(endpoint: &str, authorization: &str) -> usize {
    let token = authorization.strip_prefix("Bearer ").unwrap();
    let mcp = Mcp::open(endpoint, token).await;
    let listed = mcp.request("tools/list", json!({})).await;
    listed["result"]["tools"].as_array().unwrap().len()
}

/// The number of tools behind the entry of a configuration, reached as it says.
async fn tools_of(entry: &Value) -> usize {
    let header = entry["headers"]["Authorization"].as_str().unwrap();
    tools(entry["url"].as_str().unwrap(), header).await
}

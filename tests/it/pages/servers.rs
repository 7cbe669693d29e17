//! Hosted servers made, filled and tried on the pages, and what an agent has of them then.

use super::looks::look;
use super::*;
use quaymaster_tests::{Database, Developer};

/// As `look`, and on a narrower phone.
pub(super) async fn look_closely(tab: &Tab, page: &str) {
    look(tab, page).await;
    tab.resize(380, 800).await;
    tab.until("innerWidth === 380").await;
    let width = tab.value("document.documentElement.scrollWidth").await;
    assert_eq!(width, 380, "{page} scrolls to the side");
    tab.resize(1280, 800).await;
    tab.until("innerWidth === 1280").await;
}

pub(super) async fn names(endpoint: &str, token: &str) -> Vec<String> {
    let listed = Mcp::open(endpoint, token).await;
    let listed = listed.request("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let name = |tool: &Value| tool["name"].as_str().unwrap().to_owned();
    tools.iter().map(name).collect()
}

/// The checkbox or option of an action.
pub(super) fn of(action: &str) -> String {
    format!("input[type=checkbox][value$='{action}']")
}

/// Chooses an option whose text begins so.
async fn select(tab: &Tab, css: &str, label: &str) {
    let (css, label) = (json!(css), json!(label));
    let done = tab
        .value(&format!(
            "(() => {{ const s = document.querySelector({css});
                const o = [...s.options].find(o => o.text.startsWith({label}));
                if (o) s.value = o.value; return !!o; }})()"
        ))
        .await;
    assert_eq!(done, true, "{label}");
}

// promise: S3.3
#[tokio::test]
async fn an_agent_calls_an_aliased_tool_made_on_the_pages_and_never_sees_the_locked_key() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.chat_account("main").await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    to_workspace(&tab).await;
    look_closely(&tab, "the workspace with its navigation").await;

    tab.follow(".subnav a[href$='/integrations']").await;
    look_closely(&tab, "no integration").await;
    tab.follow("main a[href$='/integrations/new']").await;
    tab.fill("#query", "slack").await;
    tab.follow(".search button").await;
    look_closely(&tab, "the choice of a connector").await;
    tab.follow(".card > a[href$='/integrations/new/slack']")
        .await;
    tab.fill("#alias", "slack__bot").await;
    tab.follow("main .primary").await;
    tab.until_text("#alias-error", "no two underscores").await;
    assert_eq!(tab.complaints().await.len(), 1, "only that it was refused");
    look_closely(&tab, "an alias that is refused").await;
    tab.fill("#alias", "slack_bot").await;
    tab.follow("main .primary").await;
    tab.until_text("#integrations", "slack_bot").await;
    look_closely(&tab, "the integrations").await;

    tab.follow(".subnav a[href$='/servers']").await;
    look_closely(&tab, "no server").await;
    tab.fill("#server-name", "Harbour bot").await;
    tab.follow("#create button[type=submit]").await;
    let (token, endpoint) = (tab.text("#token").await, tab.text("#endpoint").await);
    look_closely(&tab, "the token of a server").await;
    tab.follow("a[href$='/tools']").await;
    tab.until_text("main", "follows its workspace").await;
    look_closely(&tab, "the picker").await;
    tab.fill("#query", "send message").await;
    tab.follow(".search button").await;
    tab.click(&of("/send_channel_message")).await;
    tab.follow(".sticky .primary").await;
    // What another search does not show stays ticked.
    tab.follow("a[href$='/tools']").await;
    tab.fill("#query", "list_users").await;
    tab.follow(".search button").await;
    tab.click(&of("/list_users")).await;
    tab.follow(".sticky .primary").await;
    tab.until_text("#tools", "Picked by hand.").await;
    tab.until_text("#tools", "slack_bot__send_channel_message")
        .await;
    tab.until_text("#tools", "slack_bot__list_users").await;
    tab.until_text("#size", "≈").await;
    look_closely(&tab, "a server").await;
    assert!(!has(&tab, &token).await);
    let server = tab.path().await;

    // A partial locks the channel.
    to_workspace(&tab).await;
    tab.follow(".subnav a[href$='/partials']").await;
    look_closely(&tab, "no partial").await;
    tab.follow("main a[href$='/partials/new']").await;
    tab.follow("main .primary").await;
    look_closely(&tab, "for what a partial is").await;
    select(&tab, "#action", "Send a message to a channel").await;
    tab.follow("main .primary").await;
    tab.fill("#name", "Only cranes").await;
    tab.fill("[name='input.channel']", "C2").await;
    tab.click("[name=enforced][value=channel]").await;
    tab.click("#default").await;
    look_closely(&tab, "a partial").await;
    tab.follow("main .primary").await;
    tab.until_text("main", "channel (locked)").await;
    look_closely(&tab, "the partials").await;

    let agent = Mcp::open(&endpoint, &token).await;
    let listed = agent.request("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let name = "slack_bot__send_channel_message";
    let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
    assert!(
        tool["inputSchema"]["properties"]["text"].is_object(),
        "{tool}"
    );
    assert!(
        tool["inputSchema"]["properties"]["channel"].is_null(),
        "{tool}"
    );
    let answer = agent.call(name, json!({ "text": "Hello" })).await.unwrap();
    assert_eq!(answer["data"]["channel"], "C2", "{answer}");

    // The same in the playground, which does not ask for it either.
    tab.open(&format!("{}{server}/try", desk.server.url)).await;
    look_closely(&tab, "the playground").await;
    tab.follow(&format!("#playground a[href$='/{name}']")).await;
    assert!(!has(&tab, "input.channel").await);
    tab.fill("[name='input.text']", "<b>From a page</b>").await;
    tab.follow("#try button[type=submit]").await;
    tab.until_text("#outcome-text", "<b>From a page</b>").await;
    tab.until_text("#outcome-text", "C2").await;
    look_closely(&tab, "a call in the playground").await;

    // What is set for one tool reaches the agent.
    tab.open(&format!("{}{server}", desk.server.url)).await;
    tab.follow("#tools tbody a.row-link").await;
    let own = tab.path().await;
    tab.fill("#tool-title", "Shout").await;
    tab.fill("#tool-description", "Tells the whole harbour.")
        .await;
    look_closely(&tab, "one tool").await;
    tab.follow("main .primary").await;
    tab.until_text("#tools", "Shout").await;
    let listed = agent.request("tools/list", json!({})).await;
    assert!(
        listed.to_string().contains("Tells the whole harbour."),
        "{listed}"
    );
    tab.open(&format!("{}{own}", desk.server.url)).await;
    tab.value("document.querySelector('#tool-title').value = ''")
        .await;
    tab.follow("main .primary").await;
    tab.until_text("#tools", "Send a message to a channel")
        .await;

    // A new token, and the old one is dead.
    tab.click("[data-dialog=rotate]").await;
    tab.follow("#rotate .destructive").await;
    let fresh = tab.text("#token").await;
    assert_eq!(status(&endpoint, &token).await, 401);
    assert_eq!(status(&endpoint, &fresh).await, 200);
    assert_eq!(tab.complaints().await, NOTHING);
}

// promise: S3.3, S3.10
#[tokio::test]
async fn a_program_runs_on_the_page_with_its_console_and_its_calls() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    desk.integrate(json!({ "integrationName": "slack", "connectionId": main }))
        .await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    tab.follow("#workspaces a[href$='/servers']").await;
    tab.fill("#server-name", "Coder").await;
    tab.click("#mode-CODE").await;
    tab.follow("#create button[type=submit]").await;
    let (token, endpoint) = (tab.text("#token").await, tab.text("#endpoint").await);
    assert_eq!(names(&endpoint, &token).await.len(), 3);
    tab.follow("a.button[href^='/servers/']:not([href$='/tools'])")
        .await;
    tab.until_text("#size", "less").await;
    look_closely(&tab, "a server in CODE mode").await;
    tab.follow("main a[href$='/try']").await;
    let code = "console.log('looking'); return await quaymaster.slack.list_channels({});";
    tab.fill("#code", code).await;
    tab.follow("#try button[type=submit]").await;
    tab.until_text("#outcome-text", "cranes").await;
    tab.until_text("#console", "looking").await;
    tab.until_text("#trace", "slack.list_channels").await;
    look_closely(&tab, "a program that ran").await;
    tab.fill("#code", "throw new Error('<i>no</i>')").await;
    tab.follow("#try button[type=submit]").await;
    tab.until_text("#outcome", "CODE_ERROR").await;
    tab.until_text("#outcome", "<i>no</i>").await;
    look_closely(&tab, "a program that failed").await;
    // Back to tools: the endpoint lists them at once.
    tab.follow(".crumb a[href^='/servers/']").await;
    tab.click("#mode-TOOLS").await;
    tab.follow("#settings button[type=submit]").await;
    tab.until_text("#notices", "The server is saved.").await;
    assert!(names(&endpoint, &token).await.len() > 3);
    tab.click("[data-dialog=delete-server]").await;
    tab.follow("#delete-server .destructive").await;
    tab.until_text("#notices", "The server is deleted.").await;
    assert_eq!(status(&endpoint, &token).await, 401);
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn without_scripts_an_integration_becomes_a_server_that_is_called() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.chat_account("main").await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    tab.forbid_scripts().await;
    to_workspace(&tab).await;
    assert_eq!(
        tab.value("document.documentElement.dataset.js === undefined")
            .await,
        true
    );
    tab.follow(".subnav a[href$='/integrations']").await;
    tab.follow("main a[href$='/integrations/new']").await;
    tab.follow(".card > a[href$='/integrations/new/slack']")
        .await;
    tab.follow("main .primary").await;
    tab.until_text("#integrations", "slack").await;
    tab.follow(".subnav a[href$='/servers']").await;
    tab.fill("#server-name", "Plain").await;
    tab.follow("#create button[type=submit]").await;
    tab.follow("a[href$='/tools']").await;
    tab.click(&of("/send_channel_message")).await;
    tab.follow(".sticky .primary").await;
    tab.until_text("#tools", "Picked by hand.").await;
    tab.follow("main a[href$='/try']").await;
    tab.follow("#playground a[href$='/slack__send_channel_message']")
        .await;
    tab.fill("[name='input.channel']", "C1").await;
    tab.fill("[name='input.text']", "Without a script").await;
    tab.follow("#try button[type=submit]").await;
    tab.until_text("#outcome-text", "Without a script").await;
    // Without the dialog of the script, the browser's own popover asks.
    tab.follow(".crumb a[href^='/servers/']").await;
    tab.click("[popovertarget=delete-server]").await;
    tab.follow("#delete-server .destructive").await;
    tab.until_text("#notices", "The server is deleted.").await;
}

#[tokio::test]
async fn end_users_are_made_found_and_sent_a_link() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.integrate(json!({ "integrationName": "slack", "connectionStrategy": "per_user" }))
        .await;
    for number in 0..60 {
        desk.end_user(&format!("user_{number}")).await;
    }
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    to_workspace(&tab).await;
    tab.follow(".subnav a[href$='/end-users']").await;
    tab.until_text("main", "60 in all.").await;
    tab.follow("a[href*='page=1']").await;
    tab.until_text("#end-users", "user_59").await;
    look_closely(&tab, "the end users").await;
    tab.fill("#external-id", "ada").await;
    tab.fill("#email", "not an address").await;
    tab.follow("#create button[type=submit]").await;
    tab.until_text("#email-error", "no address of mail").await;
    assert_eq!(tab.complaints().await.len(), 1, "only that it was refused");
    tab.fill("#email", "ada@example.com").await;
    tab.fill("#name", "Ada").await;
    tab.follow("#create button[type=submit]").await;
    tab.until_text("h1", "Ada").await;
    tab.follow("#setup button[type=submit]").await;
    let link = tab.text("#link").await;
    look_closely(&tab, "an end user with a link").await;
    let outside = browser.tab().await;
    outside.open(&link).await;
    outside.until_text("main", "Slack").await;
    tab.follow(".crumb a[href$='/end-users']").await;
    tab.fill("#query", "ADA@").await;
    tab.follow(".search button").await;
    tab.until_text("main", "1 in all.").await;
    tab.follow("#end-users .row-link").await;
    tab.click("[data-dialog=delete]").await;
    tab.follow("#delete .destructive").await;
    tab.until_text("#notices", "The end user is deleted").await;
    // With the person went the link.
    outside.open(&link).await;
    outside.until_text("main", "no longer works").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

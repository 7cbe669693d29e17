//! How many clicks from home it takes somebody to do what the product is for. Typing is no click, and
//! neither is choosing in a list or pasting into a client.

use super::consent::{Listener, done, exchange};
use super::servers::{names, of};
use super::*;
use crate::outside::change_rows;
use quaymaster_tests::{Database, Developer, OAuthClient, Person};

/// Counts the clicks of somebody who is at home.
struct Clicks<'t> {
    tab: &'t Tab,
    made: usize,
}

impl Clicks<'_> {
    async fn from_home(tab: &Tab) -> Clicks<'_> {
        tab.follow("a.brand").await;
        assert_eq!(tab.path().await, "/");
        Clicks { tab, made: 0 }
    }

    /// Clicks what leads to another page.
    async fn follow(&mut self, css: &str) {
        self.made += 1;
        self.tab.follow(css).await;
    }

    async fn click(&mut self, css: &str) {
        self.made += 1;
        self.tab.click(css).await;
    }
}

#[tokio::test]
async fn a_client_is_connected_by_three_clicks() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;

    // One that is given a token.
    let mut clicks = Clicks::from_home(&tab).await;
    clicks.follow(".step:nth-child(1) a").await;
    tab.fill("#token-name", "Laptop").await;
    clicks.follow("form[action$='/tokens'] button").await;
    clicks.click(".tabs > input:nth-of-type(2) + label").await;
    let lines = tab
        .text("#client-2:checked + label + .tab-panel code")
        .await;
    let token = tab.text("#token").await;
    assert!(
        lines.contains(&token) && lines.contains(&server.endpoint),
        "{lines}"
    );
    assert_eq!(
        tools(&server.endpoint, &format!("Bearer {token}")).await,
        19
    );
    assert_eq!(clicks.made, 3);

    // One that opens the sign-in page by itself.
    let mut clicks = Clicks::from_home(&tab).await;
    clicks.follow("#workspaces .row-link").await;
    clicks.click("[data-copy=endpoint]").await;
    assert_eq!(tab.text("#endpoint").await, server.endpoint);
    let client = OAuthClient::register(&server.url, "Test client").await;
    let mut listener = Listener::showing(done()).await;
    let callback = listener.callback();
    tab.open(&client.question(&[("redirect_uri", &callback)]))
        .await;
    clicks.follow("button[value=allow]").await;
    let answer = listener.came_back().await;
    let token = exchange(&client, &answer, &callback).await;
    assert_eq!(status(&server.endpoint, &token).await, 200);
    assert_eq!(tab.complaints().await, NOTHING);
    assert_eq!(clicks.made, 3);
}

#[tokio::test]
async fn an_account_is_connected_by_four_clicks() {
    let desk = Developer::open(Database::Sqlite).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    let mut clicks = Clicks::from_home(&tab).await;
    clicks.follow("#steps a[href='/connectors']").await;
    tab.fill("#query", "slack").await;
    clicks.follow(".search button").await;
    clicks.follow(".card > a[href='/connectors/slack']").await;
    tab.fill("#field-token", "xoxb-main").await;
    clicks.follow("form[action$='/connect'] button").await;
    assert_eq!(tab.text("#account .status").await, "ACTIVE");
    assert_eq!(clicks.made, 4);
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_server_with_three_tools_is_made_by_seven_clicks() {
    let desk = Developer::open(Database::Sqlite).await;
    // Nothing is there but an account: ticking its tools switches its connector on.
    desk.chat_account("main").await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    let mut clicks = Clicks::from_home(&tab).await;
    clicks.follow("#steps a[href$='/servers']").await;
    tab.fill("#server-name", "Harbour bot").await;
    clicks.follow("#create button[type=submit]").await;
    let (token, endpoint) = (tab.text("#token").await, tab.text("#endpoint").await);
    clicks.follow("a[href$='/tools']").await;
    let chosen = ["send_channel_message", "list_users", "get_permalink"];
    for action in chosen {
        clicks.click(&of(&format!("/{action}"))).await;
    }
    clicks.follow(".sticky .primary").await;
    tab.until_text("#notices", "The tools are saved.").await;
    assert_eq!(clicks.made, 7);
    let listed = names(&endpoint, &token).await;
    for action in chosen {
        let wanted = format!("slack__{action}");
        assert!(listed.contains(&wanted), "{listed:?}");
    }
    assert!(
        !listed.iter().any(|own| own.contains("delete")),
        "{listed:?}"
    );
    let agent = Mcp::open(&endpoint, &token).await;
    let message = json!({ "channel": "C1", "text": "Hello" });
    agent
        .call("slack__send_channel_message", message)
        .await
        .unwrap();

    // Now it is switched on, and is offered like any other integration.
    tab.follow("a[href$='/tools']").await;
    assert!(!has(&tab, "Not switched on").await);
    let ticked = "document.querySelectorAll('.ticks [name=tool]:checked').length";
    assert_eq!(tab.value(ticked).await, 3);
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_pack_is_installed_by_three_clicks() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let mut clicks = Clicks::from_home(&tab).await;
    clicks.follow("#workspaces a[href$='/packs']").await;
    clicks.follow("#packs a[href$='/packs/weather']").await;
    clicks.follow("main .primary").await;
    tab.until_text("#notices", "The tools are installed.").await;
    assert_eq!(clicks.made, 3);
    let agent = Mcp::open(&server.endpoint, &server.api_key(&[]).await).await;
    let listed = agent.tool_names().await;
    assert!(
        listed.contains(&"weather_find_place".to_owned()),
        "{listed:?}"
    );
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_connected_client_is_revoked_by_three_clicks() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let person = Person::of(&server.url);
    person.sign_in(EMAIL, PASSWORD).await;
    let client = OAuthClient::register(&server.url, "Test client").await;
    let answer = person.agrees_to(&client.question(&[])).await;
    let (_, tokens) = client.exchange(&answer).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(status(&server.endpoint, token).await, 200);

    let mut clicks = Clicks::from_home(&tab).await;
    clicks.follow("#workspaces .row-link").await;
    let button = confirm(&tab, "#connected-clients", "Test client", "Revoke").await;
    clicks.made += 1;
    clicks.click(&button).await;
    tab.until_text("#connected-clients", "No client connected yet")
        .await;
    assert_eq!(clicks.made, 3);
    assert_eq!(status(&server.endpoint, token).await, 401);
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn who_called_what_yesterday_is_found_by_two_clicks() {
    let server = Server::start_on(Database::Postgres).await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    agent.call("list_files", json!({})).await.unwrap();
    let written = json!({ "path": "today.txt", "content": "x" });
    agent.call("write_file", written).await.unwrap();
    // Both are written by when the page of the workspace shows them; then one of them was a day ago.
    to_workspace(&tab).await;
    tab.until_text("#calls", "list_files OK").await;
    let a_day = "UPDATE calls SET started_at = started_at - 86400000000 WHERE tool = 'list_files'";
    change_rows(&server, a_day).await;

    let mut clicks = Clicks::from_home(&tab).await;
    clicks.follow(".nav a[href='/activity']").await;
    clicks.follow(".presets a:nth-child(3)").await;
    assert_eq!(tab.text(".presets [aria-current]").await, "Yesterday");
    tab.until_text("#calls", "list_files OK Default token")
        .await;
    assert!(!tab.text("#calls").await.contains("write_file"));
    assert_eq!(clicks.made, 2);
    assert_eq!(tab.complaints().await, NOTHING);
}

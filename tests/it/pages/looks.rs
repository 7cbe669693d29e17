//! What holds for every page: nothing is blocked, nothing is cut off on a phone, dark is dark, and
//! the keyboard leads in.

use super::*;
use quaymaster_tests::OAuthClient;

/// Looks at the page that is open, without loading it again.
pub(super) async fn look(tab: &Tab, page: &str) {
    let background = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)
        .reduce((sum, part) => sum + Number(part), 0)";
    let shade = async || tab.value(background).await.as_f64().unwrap();
    assert!(shade().await > 600.0, "{page} is not light");
    tab.prefer("dark").await;
    assert!(shade().await < 120.0, "{page} is not dark");
    tab.resize(390, 844).await;
    tab.until("innerWidth === 390").await;
    let width = tab.value("document.documentElement.scrollWidth").await;
    assert_eq!(width, 390, "{page} scrolls to the side");
    tab.resize(1280, 800).await;
    tab.until("innerWidth === 1280").await;
    let width = tab.value("document.documentElement.scrollWidth").await;
    assert_eq!(width, 1280, "{page} scrolls to the side");
    tab.prefer("light").await;
    assert_eq!(tab.complaints().await, NOTHING, "{page}");
}

/// From the top of the page, the first key reaches the link that leads past the navigation.
async fn tab_in(tab: &Tab, page: &str) {
    tab.press("Tab").await;
    tab.until("document.activeElement.matches('.skip')").await;
    let top = "document.activeElement.getBoundingClientRect().top";
    tab.until(&format!("{top} >= 0")).await;
    tab.press("Enter").await;
    tab.until("location.hash === '#content'").await;
    let focused = tab.value("document.activeElement.id").await;
    assert_eq!(focused, "content", "{page}");
}

async fn open(tab: &Tab, server: &Server, path: &str) {
    tab.open(&format!("{}{path}", server.url)).await;
    look(tab, path).await;
    tab_in(tab, path).await;
}

/// Names without a place to break, as long as they may be.
async fn fill_with_long_names(tab: &Tab, server: &Server) {
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    let path = format!("{}/{}.txt", "d".repeat(120), "f".repeat(120));
    let file = json!({ "path": path, "content": "text", "create_parents": true });
    agent.call("write_file", file).await.unwrap();
    let file = json!({ "path": path });
    agent.call("delete_file", file).await.unwrap();
    let name = "n".repeat(80);
    tab.open(&format!("{}/", server.url)).await;
    tab.fill("#workspace-name", &name).await;
    tab.follow("form[action='/workspaces'] button").await;
    look(tab, "the first token of a workspace").await;
    tab.open(&format!("{}/settings", server.url)).await;
    tab.fill("#organization", &name).await;
    tab.follow("form[action='/settings'] button").await;
    look(tab, "the settings with a notice").await;
}

#[tokio::test]
async fn every_page_fits_a_phone_has_a_dark_side_and_lets_the_keyboard_in() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = browser.tab().await;
    let link = server.sign_in_link.strip_prefix(&server.url).unwrap();
    for path in ["/sign-in", link] {
        open(&tab, &server, path).await;
    }
    tab.follow("main button[type=submit]").await;
    look(&tab, "the welcome page").await;
    tab.fill("#name", &"n".repeat(80)).await;
    tab.fill("#email", EMAIL).await;
    tab.fill("#password", PASSWORD).await;
    tab.fill("#organization", "Harbour works").await;
    tab.follow("main button[type=submit]").await;

    fill_with_long_names(&tab, &server).await;
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    let named = json!({ "client_name": "C".repeat(60) });
    let made = agent.call("get_reconnect_url", named).await.unwrap();
    let reconnect = made["url"].as_str().unwrap();
    let reconnect = reconnect.strip_prefix(&server.url).unwrap();
    open(&tab, &server, reconnect).await;
    tab.follow("main button[type=submit]").await;
    look(&tab, "a fresh token").await;
    open(&tab, &server, "/settings/api-keys").await;
    tab.fill("#key-name", &"k".repeat(80)).await;
    tab.follow("form[action='/settings/api-keys'] button").await;
    look(&tab, "a fresh key").await;
    open(&tab, &server, "/settings/members").await;
    let address = format!("{}@{}.example.com", "a".repeat(60), "h".repeat(60));
    tab.fill("#email", &address).await;
    tab.follow("form[action='/settings/invitations'] button")
        .await;
    look(&tab, "a fresh invitation").await;
    let invitation = tab.text("#link").await;
    let invitation = invitation.strip_prefix(&server.url).unwrap();
    let workspace = format!("/workspaces/{}", server.workspace);
    let client = OAuthClient::register(&server.url, &"C".repeat(80)).await;
    let question = client.question(&[]);
    let pages = [
        question.strip_prefix(&server.url).unwrap(),
        "/",
        &workspace,
        "/connectors",
        "/connectors?query=nothing-at-all-fits-this",
        "/connectors/transmission",
        "/connectors/github?auth=oauth2",
        "/connectors/github/modules/issues",
        "/documents",
        "/documents?query=nothing-at-all",
        "/settings",
        "/settings/account",
        "/settings/members",
        invitation,
        "/settings/api-keys",
        "/reference",
        reconnect,
        link,
    ];
    for path in pages {
        open(&tab, &server, path).await;
    }

    let outside = browser.tab().await;
    open(&outside, &server, invitation).await;
    let reset = server.cli_json(&["sign-in", "--reset"]).await;
    let reset = reset["reset_link"].as_str().unwrap();
    open(&outside, &server, reset.strip_prefix(&server.url).unwrap()).await;

    tab.open(&format!("{}/no/such/page", server.url)).await;
    let complaints = tab.complaints().await;
    assert!(
        matches!(&complaints[..], [one] if one.contains("404")),
        "nothing but the missing page: {complaints:?}"
    );
    look(&tab, "the error page").await;
    tab_in(&tab, "the error page").await;
}

#[tokio::test]
async fn blocked_content_and_errors_of_scripts_do_not_go_unnoticed() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = browser.tab().await;
    tab.open(&format!("{}/sign-in", server.url)).await;
    assert_eq!(tab.complaints().await, NOTHING);
    for (wrong, word) in [
        (
            "document.body.setAttribute('style', 'color: red')",
            "inline style",
        ),
        (
            "document.body.append(Object.assign(document.createElement('img'), \
          { src: 'http://127.0.0.1:9/a.png' }))",
            "img-src",
        ),
        (
            "void setTimeout(() => { throw new Error('thrown') })",
            "thrown",
        ),
        ("console.error('said')", "said"),
    ] {
        tab.value(wrong).await;
        let complaints = tab.complaints().await.join(" ");
        assert!(complaints.contains(word), "{word}: {complaints}");
    }
}

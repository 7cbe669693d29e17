//! Somebody is invited, joins, changes their password, and is removed.

use super::*;

#[tokio::test]
async fn an_invited_person_joins_changes_the_password_and_is_removed() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.follow("nav.nav a[href='/settings']").await;
    tab.follow("nav.subnav a[href='/settings/members']").await;
    tab.fill("#email", "bo@example.com").await;
    tab.click("#invite-admin").await;
    tab.follow("form[action='/settings/invitations'] button")
        .await;
    let link = tab.text("#link").await;

    let bo = browser.tab().await;
    bo.open(&link).await;
    assert_eq!(bo.text("h1").await, "Join Harbour works");
    bo.fill("#name", "Bo").await;
    bo.fill("#password", PASSWORD).await;
    bo.follow("main button[type=submit]").await;
    assert_eq!(bo.path().await, "/");
    bo.until_text("#notices", "You are a member now.").await;

    // A second browser of the same person ends when the password changes, this one does not.
    let phone = browser.tab().await;
    phone.open(&format!("{}/sign-in", server.url)).await;
    phone.fill("#email", "bo@example.com").await;
    phone.fill("#password", PASSWORD).await;
    phone.follow("main button[type=submit]").await;
    bo.open(&format!("{}/settings/account", server.url)).await;
    bo.until_text("#browsers", "Chrome on Linux").await;
    let rows = bo.value("document.querySelectorAll('#browsers tbody tr').length");
    assert_eq!(rows.await, 2);
    bo.fill("#current", PASSWORD).await;
    bo.fill("#password", "another long password").await;
    bo.follow("form[action='/settings/account/password'] button")
        .await;
    bo.until_text("#notices", "Every other browser is signed out.")
        .await;
    phone.page.reload().await.unwrap();
    phone.until("location.pathname === '/sign-in'").await;

    // Roles and removal replace the list in place.
    tab.open(&format!("{}/settings/members", server.url)).await;
    tab.value("document.querySelector('#members select').value = 'member'")
        .await;
    tab.click("#members form[action$='/role'] button").await;
    tab.until_text("#notices", "The role is changed.").await;
    let button = confirm(&tab, "#members", "bo@example.com", "Remove").await;
    tab.click(&button).await;
    tab.until_text("#notices", "The member is removed.").await;
    tab.until("!document.querySelector('#members').innerText.includes('bo@example.com')")
        .await;
    bo.page.reload().await.unwrap();
    bo.until("location.pathname === '/sign-in'").await;
    for tab in [&tab, &bo, &phone] {
        assert_eq!(tab.complaints().await, NOTHING);
    }
}

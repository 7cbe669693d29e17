use axum::http::StatusCode;

use crate::server::{PASSWORD, Server};

const OTHER: &str = "another long password";

#[tokio::test]
async fn a_new_password_needs_the_present_one_and_signs_out_all_other_browsers() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut elsewhere = server.browser();
    elsewhere.sign_in("owner@example.com").await;
    let path = "/settings/account/password";

    let wrong = [("current", "not my password"), ("password", OTHER)];
    let refused = owner.submit(path, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        refused.text("#current-error"),
        "That is not your present password."
    );
    assert!(!refused.body.contains(OTHER));
    let short = [("current", PASSWORD), ("password", "short")];
    let refused = owner.submit(path, &short).await;
    assert!(refused.text("#password-error").contains("12 characters"));
    assert_eq!(elsewhere.get("/").await.status, StatusCode::OK);

    let right = [("current", PASSWORD), ("password", OTHER)];
    assert_eq!(
        owner.submit(path, &right).await.location(),
        "/settings/account"
    );
    let page = owner.get("/settings/account").await;
    assert!(
        page.text("#notices")
            .contains("Every other browser is signed out")
    );
    assert_eq!(elsewhere.get("/").await.location(), "/sign-in");
    let mut fresh = server.browser();
    assert_eq!(
        fresh.sign_in("owner@example.com").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let fields = [("email", "owner@example.com"), ("password", OTHER)];
    assert_eq!(fresh.post("/sign-in", &fields).await.location(), "/");
}

#[tokio::test]
async fn guessing_the_present_password_is_slowed_down_and_the_right_one_does_not_get_through() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let path = "/settings/account/password";
    for _ in 0..20 {
        let wrong = [("current", "a guess of mine"), ("password", OTHER)];
        let refused = owner.submit(path, &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let right = [("current", PASSWORD), ("password", OTHER)];
    let refused = owner.submit(path, &right).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        server
            .browser()
            .sign_in("owner@example.com")
            .await
            .location(),
        "/",
        "signing in counts for itself"
    );
}

#[tokio::test]
async fn a_name_is_changed_and_shown() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let path = "/settings/account/name";
    let wrong = owner.submit(path, &[("name", " ")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    owner.submit(path, &[("name", "Ada")]).await;
    let page = owner.get("/settings/account").await;
    assert_eq!(page.text(".menu-name"), "Ada");
    assert_eq!(page.attribute("#name", "value").unwrap(), "Ada");
}

#[tokio::test]
async fn browsers_are_listed_with_what_they_are_and_signed_out_from_afar() {
    const PHONE: &str =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/26.0 Safari/604.1";
    const DESK: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let fields = [("email", "owner@example.com"), ("password", PASSWORD)];
    let (mut phone, mut desk) = (server.browser(), server.browser());
    server.wait_seconds(1);
    phone.post_calling_itself(PHONE, "/sign-in", &fields).await;
    server.wait_seconds(1);
    desk.post_calling_itself(DESK, "/sign-in", &fields).await;

    let page = desk.get("/settings/account").await;
    let rows = page.text("#browsers");
    assert!(rows.contains("Firefox on Linux this browser"), "{rows}");
    assert!(rows.contains("Safari on iPhone"), "{rows}");
    assert!(rows.contains("An unknown browser"), "{rows}");
    let phones = page
        .attribute("#browsers tr:nth-child(2) form", "action")
        .unwrap();
    assert_eq!(
        desk.submit(&phones, &[]).await.location(),
        "/settings/account"
    );
    assert_eq!(phone.get("/").await.location(), "/sign-in");
    assert_eq!(owner.get("/").await.status, StatusCode::OK);
    assert_eq!(
        desk.submit(&phones, &[]).await.status,
        StatusCode::NOT_FOUND
    );

    desk.submit("/settings/account/browsers/sign-out-others", &[])
        .await;
    assert_eq!(owner.get("/").await.location(), "/sign-in");
    let page = desk.get("/settings/account").await;
    let own = page.attribute("#browsers form", "action").unwrap();
    let out = desk.submit(&own, &[]).await;
    assert_eq!(out.location(), "/sign-in");
    assert!(!desk.cookies.contains_key("quaymaster"));
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut member = server.member().await;
    let page = owner.get("/settings/account").await;
    let path = page.attribute("#browsers form", "action").unwrap();
    assert_eq!(
        member.submit(&path, &[]).await.status,
        StatusCode::NOT_FOUND
    );
    member
        .submit("/settings/account/browsers/sign-out-others", &[])
        .await;
    assert_eq!(owner.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn when_a_browser_was_last_seen_is_exact_to_a_minute() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let seen = async || {
        let owner = server.owner_actor().await;
        let found = server.app.member(&owner, &owner.user).await.unwrap();
        found.last_seen_at
    };
    let signed_in = server.app.now();
    assert_eq!(seen().await, Some(signed_in));
    server.wait_seconds(59);
    owner.get("/").await;
    assert_eq!(seen().await, Some(signed_in));
    server.wait_seconds(1);
    owner.get("/").await;
    let first = seen().await.unwrap();
    assert_eq!(first, server.app.now());
    server.wait_seconds(30);
    owner.get("/").await;
    assert_eq!(seen().await.unwrap(), first);
}

#[tokio::test]
async fn whoever_leaves_is_not_shown_an_organization_that_they_were_taken_out_of_meanwhile() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, org) = server.stranger_without_workspace().await;
    let user = server
        .app
        .actor_at_command_line(&org)
        .await
        .unwrap()
        .user
        .clone();
    let invited = owner.invite("stranger@example.com", "member").await;
    stranger.submit(&format!("{invited}/accept"), &[]).await;
    // The browser shows Harbour now; the other organization is the next.
    let harbour = server.owner_actor().await.org;
    let path = format!("/settings/account/organizations/{harbour}/leave");
    let mut tx = server.transaction().await;
    tx.remove_member(&org, &user).await.unwrap();
    let (left, ()) = tokio::join!(stranger.submit(&path, &[]), async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        tx.commit().await.unwrap();
    });
    assert_eq!(left.location(), "/sign-in", "{}", left.body);
    assert!(!stranger.cookies.contains_key("quaymaster"));
}

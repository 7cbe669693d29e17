use axum::http::StatusCode;
use quaymaster_app::credentials::{NewApiKey, NewWorkspaceToken};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::connecting::Client;
use crate::server::{Answer, Browser, PASSWORD, Server, path_of};

const OTHER: &str = "another long password";

async fn ask(server: &Server, browser: &mut Browser<'_>, email: &str) -> Answer {
    let id = server.user(email).await;
    let path = format!("/settings/members/{id}/reset-link");
    browser.submit(&path, &[]).await
}

async fn link(server: &Server, browser: &mut Browser<'_>, email: &str) -> String {
    let made = ask(server, browser, email).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    path_of(&made.text("#link"))
}

#[tokio::test]
async fn a_reset_link_sets_the_password_once_and_ends_all_sessions() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut member = server.member().await;
    let link = link(&server, &mut owner, "member@example.com").await;
    let mut browser = server.browser();
    for _ in 0..2 {
        let page = browser.get(&link).await;
        assert_eq!(page.text("h1"), "Set a new password");
        assert!(page.text("main").contains("member@example.com"));
    }
    assert_eq!(member.get("/").await.status, StatusCode::OK, "not used yet");
    let short = browser.post(&link, &[("password", "short")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.text("#password-error").contains("12 characters"));
    let foreign = browser
        .post_from(&link, &[("password", OTHER)], "https://evil.example")
        .await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);

    let done = browser.post(&link, &[("password", OTHER)]).await;
    assert_eq!(done.location(), "/sign-in");
    assert!(!browser.cookies.contains_key("quaymaster"));
    assert_eq!(member.get("/").await.location(), "/sign-in");
    let old = browser.sign_in("member@example.com").await;
    assert_eq!(old.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [("email", "member@example.com"), ("password", OTHER)];
    assert_eq!(browser.post("/sign-in", &fields).await.location(), "/");

    let mut other = server.browser();
    assert_eq!(
        other.get(&link).await.text("h1"),
        "This link was already used"
    );
    let again = other.post(&link, &[("password", PASSWORD)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(owner.get("/").await.status, StatusCode::OK);
}

#[tokio::test]
async fn one_link_a_person_is_alive_for_an_hour() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    server.member().await;
    let first = link(&server, &mut owner, "member@example.com").await;
    let second = link(&server, &mut owner, "member@example.com").await;
    let mut browser = server.browser();
    assert_eq!(
        browser.get(&first).await.text("h1"),
        "This link no longer works"
    );
    assert_eq!(
        browser.post(&first, &[("password", OTHER)]).await.status,
        StatusCode::FORBIDDEN
    );
    server.wait_seconds(3_600);
    assert_eq!(
        browser.get(&second).await.text("h1"),
        "This link has expired"
    );
    assert_eq!(
        browser.post(&second, &[("password", OTHER)]).await.status,
        StatusCode::FORBIDDEN
    );
    let third = link(&server, &mut owner, "member@example.com").await;
    let mut member = server.browser();
    member.sign_in("member@example.com").await;
    let change = [("current", PASSWORD), ("password", OTHER)];
    member.submit("/settings/account/password", &change).await;
    assert_eq!(
        browser.get(&third).await.text("h1"),
        "This link no longer works",
        "the password was changed"
    );
}

#[tokio::test]
async fn an_administrator_resets_neither_owners_nor_themselves() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut admin = server.admin().await;
    let refused = ask(&server, &mut admin, "owner@example.com").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.text("#notices").contains("Only an owner resets"));
    for (browser, email) in [
        (&mut admin, "admin@example.com"),
        (&mut owner, "owner@example.com"),
    ] {
        let refused = ask(&server, browser, email).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert!(
            refused
                .text("#notices")
                .contains("changed with the present one")
        );
    }
    assert_eq!(
        ask(&server, &mut owner, "admin@example.com").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn nobody_resets_a_member_of_another_organization_too() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, _) = server.stranger().await;
    let invited = owner.invite("stranger@example.com", "member").await;
    stranger.submit(&format!("{invited}/accept"), &[]).await;
    let refused = ask(&server, &mut owner, "stranger@example.com").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let said = refused.text("#notices");
    assert!(
        said.contains("also a member of another organization"),
        "{said}"
    );
    assert!(said.contains("quaymaster sign-in"), "{said}");

    // The operator may.
    let id = server.user("stranger@example.com").await;
    let org = server.owner_actor().await.org;
    let link = server
        .app
        .issue_reset_at_command_line(&org, &id)
        .await
        .unwrap();
    let link = path_of(link.url.expose_secret());
    let done = server.browser().post(&link, &[("password", OTHER)]).await;
    assert_eq!(done.location(), "/sign-in");
}

#[tokio::test]
async fn a_link_dies_when_who_made_it_may_no_more() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (_, _) = server.stranger().await;

    // The person becomes an owner; the administrator may not reset owners.
    let mut admin = server.admin().await;
    let mut member = server.member().await;
    let made = link(&server, &mut admin, "member@example.com").await;
    let id = server.user("member@example.com").await;
    let role = format!("/settings/members/{id}/role");
    owner.submit(&role, &[("role", "owner")]).await;
    is_dead(&server, &made).await;
    owner.submit(&role, &[("role", "member")]).await;

    // The administrator is one no more.
    let made = link(&server, &mut admin, "member@example.com").await;
    let admins = server.user("admin@example.com").await;
    let role = format!("/settings/members/{admins}/role");
    owner.submit(&role, &[("role", "member")]).await;
    is_dead(&server, &made).await;

    // The person joins another organization, where the administrator has no say.
    let made = link(&server, &mut owner, "member@example.com").await;
    let mut stranger = server.browser();
    stranger.sign_in("stranger@example.com").await;
    let invited = stranger.invite("member@example.com", "member").await;
    member.submit(&format!("{invited}/accept"), &[]).await;
    is_dead(&server, &made).await;
}

async fn is_dead(server: &Server, link: &str) {
    let mut browser = server.browser();
    assert_eq!(
        browser.get(link).await.text("h1"),
        "This link no longer works"
    );
    let refused = browser.post(link, &[("password", OTHER)]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let old = browser.sign_in("member@example.com").await;
    assert_eq!(old.location(), "/", "the password is as it was");
}

#[tokio::test]
async fn without_mail_nobody_is_offered_to_be_sent_any() {
    let server = Server::start().await;
    let mut browser = server.browser();
    let page = browser.get("/sign-in").await;
    assert!(!page.body.contains("/forgot-password"));
    assert!(page.text(".aside").contains("An administrator"));
    let fields = [("email", "owner@example.com")];
    assert_eq!(
        browser.get("/forgot-password").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        browser.post("/forgot-password", &fields).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_sign_in_link_of_somebody_who_was_removed_opens_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    server.member().await;
    let id = server.user("member@example.com").await;
    let org = server.owner_actor().await.org;
    let link = server.app.create_sign_in_link(&org, &id).await.unwrap();
    let link = path_of(link.expose_secret());
    owner
        .submit(&format!("/settings/members/{id}/remove"), &[])
        .await;
    let mut browser = server.browser();
    let refused = browser.post(&link, &[]).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(browser.cookies.is_empty());
}

/// What an administrator made: a key, a token, a connected client, an invitation, a reset link of
/// another member.
struct Made {
    key: String,
    token: String,
    client: String,
    invitation: String,
    reset: String,
}

impl Made {
    async fn by(server: &Server, admin: &mut Browser<'_>) -> Made {
        let user = server.user("admin@example.com").await;
        let org = server.owner_actor().await.org;
        let actor = server.app.actor_of_user(&org, &user).await.unwrap();
        let new = NewApiKey {
            name: "Agent".to_owned(),
            files: Some(server.workspace.clone()),
            ..NewApiKey::default()
        };
        let key = server.app.create_api_key(&actor, new).await.unwrap();
        let made = NewWorkspaceToken {
            name: "Made".to_owned(),
            ..NewWorkspaceToken::default()
        };
        let token = server
            .app
            .create_workspace_token(&actor, &server.workspace, made)
            .await
            .unwrap();
        let client = Client::registered(server, "A client", "http://127.0.0.1:9000/callback");
        Made {
            key: key.token.expose_secret().to_owned(),
            token: token.token.expose_secret().to_owned(),
            client: client.connect(admin, true).await,
            invitation: admin.invite("cy@example.com", "admin").await,
            reset: link(server, admin, "member@example.com").await,
        }
    }

    async fn are_good(&self, server: &Server) -> [bool; 5] {
        let mut browser = server.browser();
        let works = async |token: &str| server.call(token, "list_files", json!({})).await.is_ok();
        [
            works(&self.key).await,
            works(&self.token).await,
            works(&self.client).await,
            browser.get(&self.invitation).await.text("h1") == "Join Harbour",
            browser.get(&self.reset).await.text("h1") == "Set a new password",
        ]
    }
}

#[tokio::test]
async fn a_reset_lets_programs_go_on_unless_the_person_says_that_somebody_knew_the_password() {
    let server = Server::start().await;
    server.owner().await;
    server.member().await;
    let mut admin = server.admin().await;
    let made = Made::by(&server, &mut admin).await;
    assert_eq!(made.are_good(&server).await, [true; 5]);
    let reset = async || {
        let id = server.user("admin@example.com").await;
        let org = server.owner_actor().await.org;
        let link = server.app.issue_reset_at_command_line(&org, &id).await;
        path_of(link.unwrap().url.expose_secret())
    };
    let mut browser = server.browser();

    let first = reset().await;
    let page = browser.get(&first).await;
    assert!(page.text("main").contains("keep working"), "{}", page.body);
    assert!(page.attribute("#revoke", "checked").is_none());
    browser.post(&first, &[("password", OTHER)]).await;
    assert_eq!(made.are_good(&server).await, [true; 5], "only forgotten");

    let second = reset().await;
    let short = [("password", "short"), ("revoke", "yes")];
    let page = browser.post(&second, &short).await;
    assert!(
        page.attribute("#revoke", "checked").is_some(),
        "{}",
        page.body
    );
    assert_eq!(made.are_good(&server).await, [true; 5]);
    let right = [("password", PASSWORD), ("revoke", "yes")];
    let done = browser.post(&second, &right).await;
    assert_eq!(done.location(), "/sign-in");
    assert_eq!(made.are_good(&server).await, [false; 5]);
    let page = browser.get("/sign-in").await;
    assert!(
        page.text("#notices").contains("is revoked"),
        "{}",
        page.body
    );
    // Nobody else lost anything.
    let others = server.call(&server.token, "list_files", json!({})).await;
    assert!(others.is_ok(), "{others:?}");
}

#[tokio::test]
async fn a_changed_password_takes_what_was_made_with_it_when_the_person_says_so() {
    let server = Server::start().await;
    server.owner().await;
    server.member().await;
    let mut admin = server.admin().await;
    let made = Made::by(&server, &mut admin).await;
    let path = "/settings/account/password";
    admin
        .submit(path, &[("current", PASSWORD), ("password", OTHER)])
        .await;
    assert_eq!(made.are_good(&server).await, [true; 5]);
    let fields = [
        ("current", OTHER),
        ("password", PASSWORD),
        ("revoke", "yes"),
    ];
    let done = admin.submit(path, &fields).await;
    assert_eq!(done.location(), "/settings/account", "{}", done.body);
    assert_eq!(made.are_good(&server).await, [false; 5]);
    assert_eq!(admin.get("/").await.status, StatusCode::OK);
}

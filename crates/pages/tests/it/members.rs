use axum::http::StatusCode;
use quaymaster_app::activity::EventFilter;
use quaymaster_app::credentials::NewApiKey;
use quaymaster_core::id::UserId;
use serde_json::json;

use crate::server::Server;

fn path(user: &UserId, verb: &str) -> String {
    format!("/settings/members/{user}/{verb}")
}

#[tokio::test]
async fn roles_are_changed_by_who_may_and_seen_by_all() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut admin = server.admin().await;
    let mut member = server.member().await;
    let (first, second, third) = (
        server.user("owner@example.com").await,
        server.user("admin@example.com").await,
        server.user("member@example.com").await,
    );
    let seen = member.get("/settings/members").await;
    assert!(seen.text("#members").contains("member@example.com Member"));
    assert!(seen.attribute("#invitations", "id").is_none());
    assert!(seen.attribute("main form", "action").is_none());

    let to = |role| [("role", role)];
    for (user, role) in [(&first, "member"), (&third, "owner"), (&second, "owner")] {
        let refused = admin.submit(&path(user, "role"), &to(role)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{role}");
        assert!(refused.text("#notices").contains("Only an owner"));
    }
    let refused = admin.submit(&path(&first, "remove"), &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    for (verb, fields) in [
        ("role", &to("member")[..]),
        ("remove", &[]),
        ("reset-link", &[]),
    ] {
        let refused = member.submit(&path(&second, verb), fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{verb}");
    }

    let done = admin.submit(&path(&third, "role"), &to("admin")).await;
    assert_eq!(done.location(), "/settings/members");
    assert!(
        member
            .get("/settings/members")
            .await
            .attribute("#invitations", "id")
            .is_some()
    );
    owner.submit(&path(&third, "role"), &to("owner")).await;
    let refused = admin.submit(&path(&third, "role"), &to("member")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_last_owner_can_neither_be_demoted_nor_leave() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    server.admin().await;
    let first = server.user("owner@example.com").await;
    let org = server.owner_actor().await.org;
    let leave = format!("/settings/account/organizations/{org}/leave");
    for (path, fields) in [
        (path(&first, "role"), &[("role", "admin")][..]),
        (path(&first, "remove"), &[]),
        (leave.clone(), &[]),
    ] {
        let refused = owner.submit(&path, fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        let said = refused.text("#notices");
        assert!(said.contains("this is the last one"), "{said}");
    }
    let second = server.user("admin@example.com").await;
    owner
        .submit(&path(&second, "role"), &[("role", "owner")])
        .await;
    let left = owner.submit(&leave, &[]).await;
    assert_eq!(left.location(), "/sign-in");
    assert!(!owner.cookies.contains_key("quaymaster"));
    let said = owner.get("/sign-in").await.text("#notices");
    assert!(said.contains("You left your last organization"), "{said}");
}

#[tokio::test]
async fn whoever_is_removed_loses_sessions_keys_and_tokens_at_once() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut member = server.member().await;
    let tokens = format!("{}/tokens", server.workspace_path());
    let fields = [("name", "laptop"), ("access", "read_write")];
    let token = member.submit(&tokens, &fields).await.text("#token");
    let only = server.workspace.to_string();
    let fields = [
        ("name", "agent"),
        ("scopes", "read:tools"),
        ("files", &only),
        ("expiry", "90"),
    ];
    let key = member
        .submit("/settings/api-keys", &fields)
        .await
        .text("#key");
    for credential in [&token, &key] {
        server
            .call(credential, "list_files", json!({}))
            .await
            .unwrap();
    }

    let id = server.user("member@example.com").await;
    let done = owner.submit(&path(&id, "remove"), &[]).await;
    assert_eq!(done.location(), "/settings/members");
    for credential in [&token, &key] {
        let refused = server.call(credential, "list_files", json!({})).await;
        assert!(refused.unwrap_err().contains("revoked"));
    }
    assert_eq!(member.get("/").await.location(), "/sign-in");
    assert_eq!(
        owner.submit(&path(&id, "remove"), &[]).await.status,
        StatusCode::NOT_FOUND
    );
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap();

    // Who comes back finds none of it alive again.
    let link = owner.invite("member@example.com", "member").await;
    let fields = [("name", "Back"), ("password", "another long password")];
    server.browser().post(&link, &fields).await;
    for credential in [&token, &key] {
        server
            .call(credential, "list_files", json!({}))
            .await
            .unwrap_err();
    }
    let admin = server.owner_actor().await.admin().unwrap();
    let events = server
        .app
        .events(&admin, &EventFilter::default(), 50)
        .await
        .unwrap();
    let removed = events
        .iter()
        .find(|event| event.action == "member.removed")
        .unwrap();
    assert_eq!(removed.details, json!({ "user": id, "credentials": 2 }));
}

#[tokio::test]
async fn members_of_another_organization_are_not_found() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, _) = server.stranger().await;
    let ours = server.user("owner@example.com").await;
    for (verb, fields) in [
        ("role", &[("role", "member")][..]),
        ("remove", &[]),
        ("reset-link", &[]),
    ] {
        let refused = stranger.submit(&path(&ours, verb), fields).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{verb}");
    }
    let link = owner.invite("bo@example.com", "member").await;
    let id = link.split(['/', '.']).nth(2).unwrap().to_owned();
    let revoke = format!("/settings/invitations/{id}/revoke");
    assert_eq!(
        stranger.submit(&revoke, &[]).await.status,
        StatusCode::NOT_FOUND
    );
    assert!(
        !stranger
            .get("/settings/members")
            .await
            .body
            .contains("bo@example.com")
    );
}

#[tokio::test]
async fn a_demoted_administrators_key_administers_no_more() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    server.admin().await;
    let id = server.user("admin@example.com").await;
    let org = server.owner_actor().await.org;
    let actor = server.app.actor_of_user(&org, &id).await.unwrap();
    let before = actor.clone().admin().unwrap();
    let new = NewApiKey {
        name: "key".to_owned(),
        ..NewApiKey::default()
    };
    server.app.create_api_key(&actor, new).await.unwrap();
    owner
        .submit(&path(&id, "role"), &[("role", "member")])
        .await;
    // A request that began before the change is refused in its transaction.
    let member = server.user("owner@example.com").await;
    assert!(server.app.remove_member(&before, &member).await.is_err());
    assert!(server.app.issue_reset(&before, &member).await.is_err());
    let refused = server
        .app
        .invite(
            &before,
            "bo@example.com",
            quaymaster_app::members::Role::Member,
        )
        .await;
    assert!(refused.is_err());
}

use axum::http::StatusCode;

use crate::server::{PASSWORD, Server};

#[tokio::test]
async fn somebody_invited_sets_name_and_password_and_is_a_member() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let link = owner.invite(" Bo@Example.com ", "admin").await;
    let listed = owner.get("/settings/members").await;
    let pending = listed.text("#invitations");
    assert!(pending.contains("bo@example.com Admin"), "{pending}");
    assert!(pending.contains("by A person"), "{pending}");
    let secret = link.split_once('.').unwrap().1;
    assert!(!listed.body.contains(secret), "shown once");

    let mut bo = server.browser();
    for _ in 0..2 {
        let page = bo.get(&link).await;
        assert_eq!(page.text("h1"), "Join Harbour");
        let about = page.text(".summary");
        assert!(about.contains("Your roleAdmin"), "{about}");
        assert!(about.contains("Invited byA person"), "{about}");
        assert!(about.contains("Forbo@example.com"), "{about}");
    }
    let wrong = bo
        .post(&link, &[("name", "Bo"), ("password", "short")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text("#password-error").contains("12 characters"));
    assert_eq!(wrong.attribute("#name", "value").unwrap(), "Bo");

    let fields = [
        ("name", "Bo"),
        ("password", PASSWORD),
        ("email", "x@example.com"),
    ];
    let joined = bo.post(&link, &fields).await;
    assert_eq!(joined.location(), "/");
    assert_eq!(bo.get("/").await.text(".brand"), "Harbour");
    let members = bo.get("/settings/members").await.text("#members");
    assert!(members.contains("Bo youbo@example.com"), "{members}");
    assert_eq!(
        server.browser().sign_in("bo@example.com").await.location(),
        "/"
    );

    let mut other = server.browser();
    assert_eq!(
        other.get(&link).await.text("h1"),
        "This invitation was already used"
    );
    let again = other.post(&link, &fields).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert!(!other.cookies.contains_key("quaymaster"));
    let listed = owner.get("/settings/members").await.text("#invitations");
    assert!(listed.contains("Nobody is invited"), "{listed}");
}

#[tokio::test]
async fn an_invitation_that_expired_was_revoked_or_replaced_joins_nobody() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let replaced = owner.invite("bo@example.com", "member").await;
    server.wait_seconds(1);
    let revoked = owner.invite("bo@example.com", "member").await;
    let id = revoked.split(['/', '.']).nth(2).unwrap().to_owned();
    let path = format!("/settings/invitations/{id}/revoke");
    let done = owner.submit(&path, &[]).await;
    assert_eq!(done.location(), "/settings/members");
    assert_eq!(owner.submit(&path, &[]).await.status, StatusCode::NOT_FOUND);
    let expired = owner.invite("cy@example.com", "member").await;
    server.wait_seconds(7 * 86_400);
    let fields = [("name", "Bo"), ("password", PASSWORD)];
    for (link, said) in [
        (&replaced, "This invitation was taken back"),
        (&revoked, "This invitation was taken back"),
        (&expired, "This invitation has expired"),
    ] {
        let mut bo = server.browser();
        assert_eq!(bo.get(link).await.text("h1"), said);
        let refused = bo.post(link, &fields).await;
        assert_eq!(
            (refused.status, &*refused.text("h1")),
            (StatusCode::FORBIDDEN, said)
        );
        assert!(!bo.cookies.contains_key("quaymaster"));
    }
    for path in [
        "/invitation/x",
        "/invitation/inv_x.y",
        &format!("{replaced}x"),
    ] {
        let mut bo = server.browser();
        assert_eq!(bo.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(bo.post(path, &fields).await.status, StatusCode::NOT_FOUND);
    }
    let members = owner.sign_in("owner@example.com").await;
    assert_eq!(members.location(), "/");
    let members = owner.get("/settings/members").await;
    assert!(!members.text("#members").contains("Bo"));
}

#[tokio::test]
async fn somebody_of_another_organization_signs_in_joins_and_switches_between_both() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, theirs) = server.stranger().await;
    let link = owner.invite("stranger@example.com", "member").await;

    let mut outside = server.browser();
    let page = outside.get(&link).await;
    let to = page.attribute("main a.button", "href").unwrap();
    assert_eq!(to, format!("/sign-in?next={link}"));
    let fields = [("name", "X"), ("password", PASSWORD)];
    let refused = outside.post(&link, &fields).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!outside.cookies.contains_key("quaymaster"));

    let page = stranger.get(&link).await;
    assert_eq!(
        page.attribute("main form", "action").unwrap(),
        format!("{link}/accept")
    );
    let forged = stranger.post(&format!("{link}/accept"), &[]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let joined = stranger.submit(&format!("{link}/accept"), &[]).await;
    assert_eq!(joined.location(), "/");
    assert_eq!(stranger.get("/").await.text(".brand"), "Harbour");
    let foreign = format!("/workspaces/{theirs}");
    assert_eq!(stranger.get(&foreign).await.status, StatusCode::NOT_FOUND);

    let page = stranger.get("/settings/account").await;
    let rows = page.text("#organizations");
    assert!(rows.contains("Harbour shown now Member"), "{rows}");
    assert!(rows.contains("Others Owner"), "{rows}");
    let switch = page
        .attribute("#organizations form[action$='/switch']", "action")
        .unwrap();
    server.wait_seconds(1);
    assert_eq!(stranger.submit(&switch, &[]).await.location(), "/");
    assert_eq!(stranger.get("/").await.text(".brand"), "Others");
    assert_eq!(stranger.get(&foreign).await.status, StatusCode::OK);
    let mut fresh = server.browser();
    fresh.sign_in("stranger@example.com").await;
    assert_eq!(fresh.get("/").await.text(".brand"), "Others", "used last");

    let org = server.owner_actor().await.org;
    let forbidden = owner
        .submit(
            "/settings/account/organizations/org_01arz3ndektsv4rrffq69g5fav/switch",
            &[],
        )
        .await;
    assert_eq!(forbidden.status, StatusCode::NOT_FOUND);
    let leave = format!("/settings/account/organizations/{org}/leave");
    assert_eq!(
        stranger.submit(&leave, &[]).await.location(),
        "/settings/account"
    );
    let rows = stranger
        .get("/settings/account")
        .await
        .text("#organizations");
    assert!(!rows.contains("Harbour"), "{rows}");
}

#[tokio::test]
async fn somebody_else_who_is_signed_in_is_offered_to_sign_out_and_come_back() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let link = owner.invite("bo@example.com", "member").await;
    let page = owner.get(&link).await;
    assert_eq!(page.text("h1"), "This invitation is for somebody else");
    assert!(page.text("main").contains("owner@example.com"));
    for path in [link.clone(), format!("{link}/accept")] {
        let fields = [("name", "X"), ("password", PASSWORD)];
        let refused = owner.submit(&path, &fields).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(refused.text("h1"), "This invitation is for somebody else");
    }
    let out = owner.submit("/sign-out", &[("next", &link)]).await;
    assert_eq!(out.location(), link);
    assert_eq!(owner.get(&link).await.text("h1"), "Join Harbour");
}

#[tokio::test]
async fn a_member_is_not_invited_again_and_only_owners_invite_owners() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut admin = server.admin().await;
    let mut member = server.member().await;
    let path = "/settings/invitations";
    let twice = [("email", "Member@example.com"), ("role", "member")];
    let refused = owner.submit(path, &twice).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text("#email-error").contains("member already"));
    assert_eq!(
        refused.attribute("#email", "value").unwrap(),
        "Member@example.com"
    );

    let as_owner = [("email", "bo@example.com"), ("role", "owner")];
    let refused = admin.submit(path, &as_owner).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        admin
            .get("/settings/members")
            .await
            .attribute("#invite-owner", "id")
            .is_none()
    );
    let as_member = [("email", "bo@example.com"), ("role", "member")];
    assert_eq!(
        member.submit(path, &as_member).await.status,
        StatusCode::FORBIDDEN
    );
    let unknown = [("email", "bo@example.com"), ("role", "root")];
    assert_eq!(
        owner.submit(path, &unknown).await.status,
        StatusCode::BAD_REQUEST
    );

    // An administrator can neither take an owner's invitation back nor replace it.
    let link = owner.invite("bo@example.com", "owner").await;
    let id = link.split(['/', '.']).nth(2).unwrap().to_owned();
    let revoke = format!("/settings/invitations/{id}/revoke");
    assert_eq!(
        admin.submit(&revoke, &[]).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        admin.submit(path, &as_member).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(server.browser().get(&link).await.text("h1"), "Join Harbour");
}

#[tokio::test]
async fn what_somebody_invited_to_falls_with_their_role() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut admin = server.admin().await;
    let link = admin.invite("bo@example.com", "admin").await;
    let id = server.user("admin@example.com").await;
    let role = format!("/settings/members/{id}/role");
    owner.submit(&role, &[("role", "member")]).await;
    let fields = [("name", "Bo"), ("password", PASSWORD)];
    let refused = server.browser().post(&link, &fields).await;
    assert_eq!(refused.text("h1"), "This invitation was taken back");
}

#[tokio::test]
async fn who_was_removed_everywhere_can_be_invited_anew() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut member = server.member().await;
    let id = server.user("member@example.com").await;
    owner
        .submit(&format!("/settings/members/{id}/remove"), &[])
        .await;
    assert_eq!(member.get("/").await.location(), "/sign-in");
    let refused = server.browser().sign_in("member@example.com").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let link = owner.invite("member@example.com", "member").await;
    let mut again = server.browser();
    let fields = [("name", "Back"), ("password", "another long password")];
    assert_eq!(again.post(&link, &fields).await.location(), "/");
    assert_eq!(server.user("member@example.com").await, id);
}

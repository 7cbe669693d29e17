//! Members and invitations: roles and routes.

use crate::product::{Answer, Product, body_is};
use http::StatusCode;
use quaymaster_app::account::Made;
use quaymaster_app::browsers::Browser;
use quaymaster_app::credentials::{Expiry, NewApiKey};
use quaymaster_core::id::UserId;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

const MEMBERS: &str = "/api/v1/members";
const INVITATIONS: &str = "/api/v1/invitations";

async fn invite(product: &Product, key: &str, email: &str, role: &str) -> Answer {
    let body = json!({ "email": email, "role": role });
    product.post_as(key, INVITATIONS, body).await
}

/// Somebody who accepted an invitation, with a key of every scope that they have.
pub(crate) struct Joined {
    pub(crate) id: String,
    pub(crate) key: String,
}

pub(crate) async fn joined(product: &Product, email: &str, role: &str) -> Joined {
    let made = invite(product, &product.ours.key, email, role).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let url = made.body["url"].as_str().unwrap();
    let text = url.rsplit_once('/').unwrap().1;
    let password = "correct horse battery".to_owned();
    let browser = Browser::default();
    let accepted = product
        .app
        .accept_as_new(text, "Joined", password, &browser);
    accepted.await.unwrap();
    let owner = &product.ours.owner;
    let found = product.app.member_by_email(owner, email).await.unwrap();
    let user = found.unwrap().user;
    let actor = product.app.actor_of_user(&owner.org, &user).await.unwrap();
    let new = NewApiKey {
        name: "Theirs".into(),
        expires: Expiry::Never,
        ..NewApiKey::default()
    };
    let key = product.app.create_api_key(&actor, new).await.unwrap();
    Joined {
        id: user.to_string(),
        key: key.token.expose_secret().to_owned(),
    }
}

#[tokio::test]
async fn an_invitation_is_made_listed_and_revoked() {
    let product = Product::start().await;
    let made = invite(&product, &product.ours.key, "Bo@Example.com", "admin").await;
    assert_eq!(made.status, StatusCode::CREATED);
    let mut shown = made;
    let url = shown.body["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with("http://127.0.0.1:8080/invitation/inv_"));
    shown.body["url"] = json!("[url]");
    body_is!(shown, @r#"
    {
      "invitation": {
        "createdAt": "[instant]",
        "email": "bo@example.com",
        "expiresAt": "[instant]",
        "id": "[inv]",
        "invitedBy": "[usr]",
        "role": "admin"
      },
      "mail": "not_configured",
      "url": "[url]"
    }
    "#);
    let listed = product.get(INVITATIONS).await;
    assert_eq!(listed.body["total"], 1);
    assert_eq!(listed.body["invitations"][0], shown.body["invitation"]);
    let secret = url.rsplit_once('.').unwrap().1;
    assert!(!listed.body.to_string().contains(secret));
    let events = product.get("/api/v1/events?limit=1").await;
    assert_eq!(events.body["events"][0]["action"], "invitation.created");
    assert!(!events.body.to_string().contains(secret));

    let id = shown.body["invitation"]["id"].as_str().unwrap();
    let path = format!("{INVITATIONS}/{id}");
    let revoked = product.delete(&path).await;
    assert_eq!(revoked.body, json!({ "deleted": true, "id": id }));
    assert_eq!(product.delete(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(product.get(INVITATIONS).await.body["total"], 0);
    let spent = product
        .app
        .accept_as_new(
            url.rsplit_once('/').unwrap().1,
            "Bo",
            "correct horse battery".to_owned(),
            &Browser::default(),
        )
        .await;
    assert!(spent.is_err());
}

#[tokio::test]
async fn what_does_not_fit_an_invitation_is_named() {
    let product = Product::start().await;
    for (body, pointer) in [
        (json!({ "email": "no address", "role": "member" }), "/email"),
        (json!({ "email": "bo@example.com" }), "/role"),
        (
            json!({ "email": "bo@example.com", "role": "root" }),
            "/role",
        ),
        (
            json!({ "email": "bo@example.com", "role": "member", "x": 1 }),
            "/x",
        ),
    ] {
        let refused = product.post(INVITATIONS, body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        let error = &refused.body["details"]["errors"][0];
        assert_eq!(error["pointer"], pointer, "{}", refused.body);
    }
    joined(&product, "bo@example.com", "member").await;
    let again = invite(&product, &product.ours.key, "bo@example.com", "member").await;
    assert_eq!(
        (again.status, &again.body["code"]),
        (StatusCode::CONFLICT, &json!("DUPLICATE"))
    );
}

/// Every route that changes something about people, for every role that may try it.
#[tokio::test]
async fn each_role_changes_what_it_may_and_nothing_else() {
    let product = Product::start().await;
    let owner = joined(&product, "owner@example.com", "owner").await;
    let admin = joined(&product, "admin@example.com", "admin").await;
    let member = joined(&product, "member@example.com", "member").await;
    let (ok, made, no) = (StatusCode::OK, StatusCode::CREATED, StatusCode::FORBIDDEN);
    let people = [&owner, &admin, &member];
    for (index, actor) in people.into_iter().enumerate() {
        for (target, role, wanted) in [
            ("owner", "owner", [ok, no, no]),
            ("owner", "admin", [ok, no, no]),
            ("admin", "owner", [ok, no, no]),
            ("admin", "member", [ok, ok, no]),
            ("member", "owner", [ok, no, no]),
            ("member", "admin", [ok, ok, no]),
        ] {
            let email = format!("{target}-{role}-{index}@example.com");
            let subject = joined(&product, &email, target).await;
            let path = format!("{MEMBERS}/{}", subject.id);
            let change = json!({ "role": role });
            let changed = product.patch_as(&actor.key, &path, change).await;
            assert_eq!(changed.status, wanted[index], "{index} {target} {role}");
            let now = if wanted[index] == ok { role } else { target };
            assert_eq!(role_of(&product, &subject.id).await, now);
        }
        for (target, reset, removed) in [
            ("owner", [made, no, no], [ok, no, no]),
            ("admin", [made, made, no], [ok, ok, no]),
            ("member", [made, made, no], [ok, ok, no]),
        ] {
            let email = format!("{target}-{index}@example.com");
            let subject = joined(&product, &email, target).await;
            let path = format!("{MEMBERS}/{}", subject.id);
            let link = format!("{path}/reset-link");
            let answer = product.post_as(&actor.key, &link, json!({})).await;
            assert_eq!(answer.status, reset[index], "{index} {target}");
            let answer = product.delete_as(&actor.key, &path).await;
            assert_eq!(answer.status, removed[index], "{index} {target}");
        }
        for (role, wanted) in [
            ("owner", [made, no, no]),
            ("admin", [made, made, no]),
            ("member", [made, made, no]),
        ] {
            let email = format!("invited-{role}-{index}@example.com");
            let answer = invite(&product, &actor.key, &email, role).await;
            assert_eq!(answer.status, wanted[index], "{index} invites {role}");
        }
        let list = [ok, ok, no];
        assert_eq!(
            product.get_as(&actor.key, INVITATIONS).await.status,
            list[index]
        );
    }
}

async fn role_of(product: &Product, id: &str) -> String {
    let listed = product.get(&format!("{MEMBERS}?limit=500")).await;
    let members = listed.body["members"].as_array().unwrap();
    let found = members.iter().find(|member| member["id"] == id).unwrap();
    found["role"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn members_are_listed_owners_first_and_anybody_may_leave() {
    let product = Product::start().await;
    let member = joined(&product, "bo@example.com", "admin").await;
    let listed = product.get_as(&member.key, MEMBERS).await;
    assert_eq!(listed.body["total"], 3);
    let roles: Vec<_> = listed.body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["role"].as_str().unwrap())
        .collect();
    assert_eq!(roles, ["owner", "member", "admin"]);
    let path = format!("{MEMBERS}/{}", member.id);
    let left = product.delete_as(&member.key, &path).await;
    assert_eq!(
        left.body,
        json!({ "deleted": true, "id": member.id, "revokedCredentials": 1 })
    );
    let dead = product.get_as(&member.key, MEMBERS).await;
    assert_eq!(dead.status, StatusCode::UNAUTHORIZED);

    let owner = product.ours.owner.user.to_string();
    let refused = product.delete(&format!("{MEMBERS}/{owner}")).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    body_is!(refused, @r#"
    {
      "code": "FORBIDDEN",
      "error": "An organization has at least one owner, and this is the last one.",
      "fault": "FORBIDDEN",
      "hint": "Make somebody else an owner first.",
      "message": "An organization has at least one owner, and this is the last one.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn people_and_invitations_of_another_organization_are_not_found() {
    let product = Product::start().await;
    let theirs = product.theirs.owner.user.to_string();
    let invited = invite(&product, &product.theirs.key, "x@example.com", "member").await;
    let id = invited.body["invitation"]["id"].as_str().unwrap();
    let path = format!("{MEMBERS}/{theirs}");
    let answers = [
        product.patch(&path, json!({ "role": "member" })).await,
        product.delete(&path).await,
        product.post(&format!("{path}/reset-link"), json!({})).await,
        product.delete(&format!("{INVITATIONS}/{id}")).await,
        product.delete(&format!("{MEMBERS}/nobody")).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{}", answer.body);
    }
    assert_eq!(product.get(INVITATIONS).await.body["total"], 0);
    assert!(
        !product
            .get(MEMBERS)
            .await
            .body
            .to_string()
            .contains(&theirs)
    );
}

#[tokio::test]
async fn a_reset_link_is_shown_once_and_on_record_without_its_secret() {
    let product = Product::start().await;
    let member = joined(&product, "bo@example.com", "member").await;
    let path = format!("{MEMBERS}/{}/reset-link", member.id);
    let made = product.post(&path, json!({})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let url = made.body["url"].as_str().unwrap();
    assert!(url.starts_with("http://127.0.0.1:8080/reset/rst_"), "{url}");
    let secret = url.rsplit_once('.').unwrap().1;
    let events = product.get("/api/v1/events?limit=1").await;
    let event = &events.body["events"][0];
    assert_eq!(event["action"], "reset_link.created");
    assert_eq!(event["details"], json!({ "user": member.id }));
    assert!(!events.body.to_string().contains(secret));

    let text = url.rsplit_once('/').unwrap().1;
    let password = "another long password".to_owned();
    let set = product.app.use_reset(text, password, Made::Kept);
    set.await.unwrap();
    let events = product.get("/api/v1/events?limit=1").await;
    let event = &events.body["events"][0];
    assert_eq!(event["action"], "user.password_reset");
    assert_eq!(event["actor"], member.id);
    let by: Value = json!({ "by": "administrator", "issued_by": product.ours.owner.user });
    assert_eq!(event["details"], by);
    let alive = product.get_as(&member.key, MEMBERS).await;
    assert_eq!(
        alive.status,
        StatusCode::FORBIDDEN,
        "a key outlives a password"
    );
    let user: UserId = member.id.parse().unwrap();
    assert!(
        product
            .app
            .issue_reset(&product.ours.owner, &user)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_organization_makes_a_hundred_invitations_an_hour() {
    let product = Product::start().await;
    for n in 0..100 {
        let email = format!("{n}@example.com");
        let made = invite(&product, &product.ours.key, &email, "member").await;
        assert_eq!(made.status, StatusCode::CREATED);
    }
    let refused = invite(&product, &product.ours.key, "x@example.com", "member").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), Some("3600"));
    let theirs = invite(&product, &product.theirs.key, "x@example.com", "member").await;
    assert_eq!(theirs.status, StatusCode::CREATED);
}

//! The life of an API key.

use crate::members::joined;
use crate::product::{Product, body_is};
use http::StatusCode;
use serde_json::json;

const KEYS: &str = "/api/v1/api-keys";

#[tokio::test]
async fn a_key_is_made_listed_and_dead_once_it_is_revoked() {
    let product = Product::start().await;
    let body = json!({ "name": "Build server", "scopes": ["admin"], "expiresInDays": 30 });
    let made = product.post(KEYS, body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    body_is!(made, @r#"
    {
      "apiKey": {
        "createdAt": "[instant]",
        "expiresAt": "[instant]",
        "id": "[crd]",
        "keyPrefix": "[prefix]",
        "name": "Build server",
        "orgId": "[org]",
        "permissions": {
          "scope": "org"
        },
        "scopes": [
          "admin"
        ],
        "userId": "[usr]"
      },
      "plainKey": "[key]"
    }
    "#);
    let key = made.body["plainKey"].as_str().unwrap();
    let id = made.body["apiKey"]["id"].as_str().unwrap();
    assert!(key.starts_with(made.body["apiKey"]["keyPrefix"].as_str().unwrap()));

    let listed = product.get_as(key, KEYS).await;
    assert_eq!(listed.body["total"], 3);
    assert_eq!(listed.body["apiKeys"][0], made.body["apiKey"]);
    assert!(
        !listed
            .body
            .to_string()
            .contains(key.split('.').next_back().unwrap())
    );

    let revoked = product.delete(&format!("{KEYS}/{id}")).await;
    assert_eq!(revoked.body, json!({ "deleted": true, "id": id }));
    let refused = product.get_as(key, KEYS).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    body_is!(refused, @r#"
    {
      "code": "UNAUTHENTICATED",
      "error": "The credential was revoked. Present `Authorization: Bearer` with an API key that starts with sk-org- and has not expired, with a workspace token <credential-id>.<secret>, or at /mcp with a flow token that starts with at_.",
      "fault": "UNAUTHENTICATED",
      "hint": "Make a new one at http://127.0.0.1:8080.",
      "message": "The credential was revoked. Present `Authorization: Bearer` with an API key that starts with sk-org- and has not expired, with a workspace token <credential-id>.<secret>, or at /mcp with a flow token that starts with at_.",
      "retryable": false
    }
    "#);
    let again = product.delete(&format!("{KEYS}/{id}")).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    body_is!(again, @r#"
    {
      "code": "NOT_FOUND",
      "error": "There is no such API key, or it was revoked before.",
      "fault": "NOT_FOUND",
      "hint": "GET /api/v1/api-keys lists them.",
      "message": "There is no such API key, or it was revoked before.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_regenerated_key_does_the_same_under_another_id() {
    let product = Product::start().await;
    let made = product
        .post(
            KEYS,
            json!({ "name": "CI", "neverExpires": true, "files": "main" }),
        )
        .await;
    let (id, old) = (
        made.body["apiKey"]["id"].as_str().unwrap(),
        &made.body["plainKey"],
    );
    let fresh = product
        .post(&format!("{KEYS}/{id}/regenerate"), json!({}))
        .await;
    assert_eq!(fresh.status, StatusCode::OK);
    assert_ne!(fresh.body["apiKey"]["id"], id);
    for same in ["name", "scopes", "files", "orgId", "userId"] {
        assert_eq!(
            fresh.body["apiKey"][same], made.body["apiKey"][same],
            "{same}"
        );
    }
    assert!(fresh.body["apiKey"].get("expiresAt").is_none());
    let new = fresh.body["plainKey"].as_str().unwrap();
    assert_eq!(product.get_as(new, KEYS).await.status, StatusCode::OK);
    let old = product.get_as(old.as_str().unwrap(), KEYS).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_expires_at_the_instant_it_was_told() {
    let product = Product::start().await;
    let at = product.app.now().plus_seconds(86_400).to_string();
    let made = product
        .post(KEYS, json!({ "name": "Short", "expiresAt": at }))
        .await;
    assert_eq!(made.body["apiKey"]["expiresAt"], json!(at));
}

#[tokio::test]
async fn a_changed_key_may_do_less_at_once() {
    let product = Product::start().await;
    let made = product.post(KEYS, json!({ "name": "Wide" })).await;
    let key = made.body["plainKey"].as_str().unwrap();
    assert_eq!(product.get_as(key, KEYS).await.status, StatusCode::OK);
    let id = made.body["apiKey"]["id"].as_str().unwrap();
    let body = json!({ "name": "Narrow", "scopes": ["read:tools"] });
    let changed = product.patch(&format!("{KEYS}/{id}"), body).await;
    assert_eq!(changed.body["apiKey"]["name"], "Narrow");
    assert_eq!(changed.body["apiKey"]["scopes"], json!(["read:tools"]));
    assert_eq!(
        product.get_as(key, KEYS).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn keys_of_another_organization_are_not_found() {
    let product = Product::start().await;
    let theirs = product.get_as(&product.theirs.key, KEYS).await;
    let id = theirs.body["apiKeys"][0]["id"].as_str().unwrap();
    let path = format!("{KEYS}/{id}");
    let answers = [
        product.delete(&path).await,
        product.patch(&path, json!({ "name": "Mine" })).await,
        product.post(&format!("{path}/regenerate"), json!({})).await,
        product.delete(&format!("{KEYS}/not-an-id")).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(
        product.get_as(&product.theirs.key, KEYS).await.body["total"],
        1
    );
}

#[tokio::test]
async fn a_workspace_token_is_no_api_key() {
    let product = Product::start().await;
    let id = product.ours.token.split('.').next().unwrap();
    let answer = product.delete(&format!("{KEYS}/{id}")).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_administrator_narrows_anothers_key_and_only_its_own_user_widens_it() {
    let product = Product::start().await;
    let admin = joined(&product, "ada@example.com", "admin").await;
    let narrow = json!({ "name": "Agent", "scopes": ["read:tools", "write:tools"] });
    let made = product.post(KEYS, narrow).await;
    let path = format!("{KEYS}/{}", made.body["apiKey"]["id"].as_str().unwrap());
    let change = async |key: &str, scopes: &[&str]| {
        let body = json!({ "scopes": scopes });
        product.patch_as(key, &path, body).await
    };
    for wider in [
        &["admin"][..],
        &["read:tools", "write:tools", "chat"],
        &["read:data"],
    ] {
        let refused = change(&admin.key, wider).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{wider:?}");
        assert!(refused.body["hint"].as_str().unwrap().contains("scopes"));
    }
    let narrowed = change(&admin.key, &["read:tools"]).await;
    assert_eq!(narrowed.body["apiKey"]["scopes"], json!(["read:tools"]));
    let back = change(&admin.key, &["read:tools", "write:tools"]).await;
    assert_eq!(back.status, StatusCode::FORBIDDEN, "not even back");
    let widened = change(&product.ours.key, &["admin"]).await;
    assert_eq!(widened.body["apiKey"]["scopes"], json!(["admin"]));
    // What it includes by another name is no more.
    let named = change(&admin.key, &["admin", "chat"]).await;
    assert_eq!(named.status, StatusCode::OK, "{}", named.body);
}

#[tokio::test]
async fn nobody_gets_a_fresh_key_with_scopes_that_they_lost() {
    let product = Product::start().await;
    let key = &product.member_key;
    let listed = product.get_as(key, KEYS).await;
    let id = listed.body["apiKeys"][0]["id"].as_str().unwrap();
    let path = format!("{KEYS}/{id}/regenerate");
    let refused = product.post_as(key, &path, json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
    assert_eq!(refused.body["fault"], "SCOPE_DENIED");
    let still = product.get_as(key, KEYS).await;
    assert_eq!(still.body["total"], 1, "the old one is as it was");
    let wide = json!({ "name": "Wide", "scopes": ["admin"] });
    let refused = product.post_as(key, KEYS, wide).await;
    assert_eq!(refused.body["fault"], "SCOPE_DENIED");
}

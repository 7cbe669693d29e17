//! Workspaces and their tokens.

use crate::product::{Product, body_is};
use http::StatusCode;
use quaymaster_core::Scope;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const WORKSPACES: &str = "/api/v1/workspaces";

#[tokio::test]
async fn a_workspace_is_made_with_its_default_token() {
    let product = Product::start().await;
    let made = product
        .post(WORKSPACES, json!({ "name": "Web shop", "slug": "shop" }))
        .await;
    assert_eq!(made.status, StatusCode::CREATED);
    body_is!(made, @r#"
    {
      "token": {
        "credential": {
          "createdAt": "[instant]",
          "id": "[crd]",
          "name": "Default token",
          "orgId": "[org]",
          "origin": "default",
          "readOnly": false,
          "scopes": [
            "read:tools",
            "write:tools"
          ],
          "userId": "[usr]",
          "workspaceId": "[ws]"
        },
        "token": "[token]"
      },
      "workspace": {
        "createdAt": "[instant]",
        "dailyCap": 10000,
        "id": "[ws]",
        "name": "Web shop",
        "orgId": "[org]",
        "quotaBytes": 1000000,
        "requireAuthentication": true,
        "slug": "shop"
      }
    }
    "#);
    let again = product
        .post(WORKSPACES, json!({ "name": "Web shop" }))
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    body_is!(again, @r#"
    {
      "code": "DUPLICATE",
      "error": "There is a workspace named Web shop already.",
      "fault": "ALREADY_EXISTS",
      "hint": "Choose another name.",
      "message": "There is a workspace named Web shop already.",
      "retryable": false
    }
    "#);
    // The slug of another name, given or made.
    for body in [
        json!({ "name": "Another", "slug": "shop" }),
        json!({ "name": "Web shop", "slug": "shop" }),
        json!({ "name": "Shop" }),
    ] {
        let taken = product.post(WORKSPACES, body).await;
        assert_eq!(taken.status, StatusCode::CONFLICT);
        assert_eq!(taken.body["code"], "SLUG_EXISTS");
    }
}

#[tokio::test]
async fn a_workspace_is_read_by_id_and_by_slug() {
    let product = Product::start().await;
    let by_slug = product.get(&format!("{WORKSPACES}/main")).await;
    body_is!(by_slug, @r#"
    {
      "workspace": {
        "createdAt": "[instant]",
        "dailyCap": 10000,
        "id": "[ws]",
        "name": "Main",
        "orgId": "[org]",
        "quotaBytes": 1000000,
        "requireAuthentication": true,
        "slug": "main",
        "storage": {
          "quotaBytes": 1000000,
          "usedBytes": 0
        },
        "usage": {
          "cap": 10000,
          "resetAt": "[instant]",
          "used": 0
        }
      }
    }
    "#);
    let id = product.ours.workspace.id.as_str();
    let by_id = product.get(&format!("{WORKSPACES}/{id}")).await;
    assert_eq!(by_id.body, by_slug.body);
}

#[tokio::test]
async fn workspaces_are_listed_in_pages() {
    let product = Product::start().await;
    for name in ["B", "C"] {
        product.post(WORKSPACES, json!({ "name": name })).await;
    }
    let page = product.get(&format!("{WORKSPACES}?limit=1&offset=1")).await;
    assert_eq!(page.body["total"], 3);
    let names: Vec<&Value> = page.body["workspaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["B"]);
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let product = Product::start().await;
    let path = format!("{WORKSPACES}/main");
    let before = product.get(&path).await.body["workspace"].clone();
    let answer = product
        .patch(&path, json!({ "dailyCap": 5, "quotaBytes": 2_000 }))
        .await;
    let after = &answer.body["workspace"];
    assert_eq!(after["usage"]["cap"], 5);
    assert_eq!(after["storage"]["quotaBytes"], 2_000);
    for same in ["id", "name", "slug", "createdAt"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    let answer = product.patch(&path, json!({ "dailyCap": -1 })).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    body_is!(answer, @r#"
    {
      "code": "VALIDATION_ERROR",
      "details": {
        "errors": [
          {
            "message": "A daily cap is 0 to 1,000,000,000 calls.",
            "pointer": "/dailyCap",
            "rule": "range"
          }
        ]
      },
      "error": "A daily cap is 0 to 1,000,000,000 calls.",
      "fault": "INVALID_ARG",
      "message": "A daily cap is 0 to 1,000,000,000 calls.",
      "retryable": false
    }
    "#);
    let answer = product.patch(&path, json!({ "slug": "Not A Slug" })).await;
    assert_eq!(answer.body["details"]["errors"][0]["pointer"], "/slug");
}

#[tokio::test]
async fn nothing_of_another_organization_is_found() {
    let product = Product::start().await;
    let id = product.theirs.workspace.id.as_str();
    // Known to the server's cache, which must not answer for it.
    product
        .get_as(&product.theirs.key, &format!("{WORKSPACES}/{id}"))
        .await;
    for rest in [
        "",
        "/tokens",
        "/connected-clients",
        "/calls",
        "/trash",
        "/connect-lines",
    ] {
        let answer = product.get(&format!("{WORKSPACES}/{id}{rest}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{rest}");
    }
    let answer = product.get(&format!("{WORKSPACES}/{id}")).await;
    body_is!(answer, @r#"
    {
      "code": "NOT_FOUND",
      "error": "There is no such workspace.",
      "fault": "NOT_FOUND",
      "message": "There is no such workspace.",
      "retryable": false
    }
    "#);
    let token = product.theirs.token.split('.').next().unwrap();
    let answers = [
        product
            .patch(&format!("{WORKSPACES}/{id}"), json!({ "name": "Mine" }))
            .await,
        product
            .post(
                &format!("{WORKSPACES}/{id}/tokens"),
                json!({ "name": "Mine" }),
            )
            .await,
        product
            .post(
                &format!("{WORKSPACES}/{id}/tokens/default/regenerate"),
                json!({}),
            )
            .await,
        product
            .delete(&format!("{WORKSPACES}/{id}/tokens/{token}"))
            .await,
        product
            .delete(&format!("{WORKSPACES}/main/tokens/{token}"))
            .await,
        product
            .post("/api/v1/api-keys", json!({ "name": "Mine", "files": id }))
            .await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
    let theirs = product
        .get_as(&product.theirs.key, &format!("{WORKSPACES}/{id}"))
        .await;
    assert_eq!(theirs.body["workspace"]["name"], "Main");
}

#[tokio::test]
async fn a_token_is_made_changed_and_revoked() {
    let product = Product::start().await;
    let tokens = format!("{WORKSPACES}/main/tokens");
    let made = product
        .post(&tokens, json!({ "name": "Reader", "readOnly": true }))
        .await;
    assert_eq!(made.status, StatusCode::CREATED);
    body_is!(made, @r#"
    {
      "credential": {
        "createdAt": "[instant]",
        "id": "[crd]",
        "name": "Reader",
        "orgId": "[org]",
        "origin": "manual",
        "readOnly": true,
        "scopes": [
          "read:tools"
        ],
        "userId": "[usr]",
        "workspaceId": "[ws]"
      },
      "token": "[token]"
    }
    "#);
    let id = made.body["credential"]["id"].as_str().unwrap();
    let path = format!("{tokens}/{id}");

    let changed = product.patch(&path, json!({ "readOnly": false })).await;
    assert_eq!(
        changed.body["credential"]["scopes"],
        json!(["read:tools", "write:tools"])
    );
    assert_eq!(changed.body["credential"]["name"], "Reader");

    let fresh = product.post(&format!("{path}/regenerate"), json!({})).await;
    let id = fresh.body["credential"]["id"].as_str().unwrap();
    let revoked = product.delete(&format!("{tokens}/{id}")).await;
    assert_eq!(revoked.body, json!({ "deleted": true, "id": id }));
    let listed = product.get(&tokens).await;
    assert_eq!(listed.body["total"], 1);
    assert_eq!(listed.body["tokens"][0]["origin"], "default");
}

#[tokio::test]
async fn the_default_token_is_replaced_by_its_name() {
    let product = Product::start().await;
    let path = format!("{WORKSPACES}/main/tokens/default/regenerate");
    let fresh = product.post(&path, json!({})).await;
    assert_eq!(fresh.status, StatusCode::OK);
    assert_eq!(fresh.body["credential"]["origin"], "default");
    let old = product.get_as(&product.ours.token, "/api/v1/tools").await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_that_reaches_the_files_is_not_a_token_of_the_workspace() {
    let product = Product::start().await;
    let workspace = product.ours.workspace.id.clone();
    product.key_with(&[Scope::ReadTools], Some(workspace)).await;
    let tokens = product.get(&format!("{WORKSPACES}/main/tokens")).await;
    assert_eq!(tokens.body["total"], 1);
    let keys = product.get("/api/v1/api-keys").await;
    let id = keys.body["apiKeys"][0]["id"].as_str().unwrap();
    let answer = product
        .delete(&format!("{WORKSPACES}/main/tokens/{id}"))
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    body_is!(answer, @r#"
    {
      "code": "NOT_FOUND",
      "error": "The workspace has no such token, or it was revoked before.",
      "fault": "NOT_FOUND",
      "hint": "GET /api/v1/workspaces/{id}/tokens lists them.",
      "message": "The workspace has no such token, or it was revoked before.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn connect_lines_have_a_placeholder_or_need_no_token() {
    let product = Product::start().await;
    let answer = product
        .get(&format!("{WORKSPACES}/main/connect-lines"))
        .await;
    assert_eq!(answer.body["endpoint"], "http://127.0.0.1:8080/mcp");
    let mut clients: BTreeMap<&str, String> = BTreeMap::new();
    for line in answer.body["lines"].as_array().unwrap() {
        let part = |name: &str| line[name].as_str().unwrap();
        let signs_in = part("kind") == "url"
            || part("client").contains("signs in")
            || part("place").contains("to sign in");
        assert!(!signs_in || !part("text").contains("<token>"), "{line}");
        assert!(["command", "file", "url"].contains(&part("kind")), "{line}");
        let all = clients.entry(part("client")).or_default();
        all.push_str(part("text"));
        if signs_in {
            all.push_str("<token>");
        }
    }
    // A client may take several texts, which have both between them.
    for (client, texts) in clients {
        assert!(texts.contains("http://127.0.0.1:8080/mcp"), "{client}");
        assert!(texts.contains("<token>"), "{client}");
    }
}

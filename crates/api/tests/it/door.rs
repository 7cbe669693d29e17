//! Who is let in, and what those read who are not.

use crate::product::{Product, body_is, request};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use quaymaster_core::Scope;
use serde_json::json;

#[tokio::test]
async fn without_a_credential_the_answer_says_what_a_good_one_looks_like() {
    let product = Product::start().await;
    let request = Request::get("/api/v1/workspaces")
        .body(Body::empty())
        .unwrap();
    let answer = product.send(request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        answer.header("www-authenticate"),
        Some("Bearer realm=\"quaymaster\"")
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    body_is!(answer, @r#"
    {
      "code": "UNAUTHENTICATED",
      "error": "No credential was presented. Present `Authorization: Bearer` with an API key that starts with sk-org- and has not expired, with a workspace token <credential-id>.<secret>, or at /mcp with a flow token that starts with at_.",
      "fault": "UNAUTHENTICATED",
      "hint": "Make a new one at http://127.0.0.1:8080.",
      "message": "No credential was presented. Present `Authorization: Bearer` with an API key that starts with sk-org- and has not expired, with a workspace token <credential-id>.<secret>, or at /mcp with a flow token that starts with at_.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_bad_credential_is_challenged_as_invalid() {
    let product = Product::start().await;
    for key in ["", "x", "sk-org-01.abc", &product.ours.key[..60]] {
        let answer = product.get_as(key, "/api/v1/workspaces").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{key}");
        let challenge = answer.header("www-authenticate").unwrap();
        assert_eq!(
            challenge,
            "Bearer realm=\"quaymaster\", error=\"invalid_token\""
        );
    }
}

#[tokio::test]
async fn too_many_bad_credentials_wait_a_minute() {
    let product = Product::start().await;
    let (id, _) = product.ours.key.split_once('.').unwrap();
    let wrong = format!("{id}.wrong");
    let mut last = product.get_as(&wrong, "/api/v1/workspaces").await;
    for _ in 0..20 {
        last = product.get_as(&wrong, "/api/v1/workspaces").await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(last.header("retry-after"), Some("60"));
    assert_eq!(
        product.get("/api/v1/workspaces").await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_header_of_another_organization_is_forbidden() {
    let product = Product::start().await;
    for (org, status) in [
        (product.ours.workspace.org.as_str(), StatusCode::OK),
        (product.theirs.workspace.org.as_str(), StatusCode::FORBIDDEN),
        ("", StatusCode::FORBIDDEN),
    ] {
        let request = request(Method::GET, "/api/v1/workspaces", &product.ours.key)
            .header("x-org-id", org)
            .body(Body::empty())
            .unwrap();
        assert_eq!(product.send(request).await.status, status, "{org}");
    }
}

#[tokio::test]
async fn management_needs_the_scope_admin() {
    let product = Product::start().await;
    let narrow = product
        .key_with(&[Scope::ReadTools, Scope::Chat], None)
        .await;
    let answer = product.get_as(&narrow, "/api/v1/workspaces").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    body_is!(answer, @r#"
    {
      "code": "SCOPE_DENIED",
      "details": {
        "scope": "admin"
      },
      "error": "This needs the scope admin, which the credential lacks.",
      "fault": "SCOPE_DENIED",
      "hint": "Ask whoever made the credential for one with that scope.",
      "message": "This needs the scope admin, which the credential lacks.",
      "retryable": false
    }
    "#);
    let token = &product.ours.token;
    let made = product
        .post_as(token, "/api/v1/api-keys", json!({ "name": "x" }))
        .await;
    assert_eq!(
        (made.status, &made.body["code"]),
        (StatusCode::FORBIDDEN, &json!("SCOPE_DENIED"))
    );
}

#[tokio::test]
async fn whoever_administers_no_more_does_not_although_the_key_says_admin() {
    let product = Product::start().await;
    let key = &product.member_key;
    let body = json!({ "name": "New" });
    let refused = [
        product
            .post_as(key, "/api/v1/workspaces", body.clone())
            .await,
        product.get_as(key, "/api/v1/events").await,
        product.get_as(key, "/api/v1/calls").await,
    ];
    for answer in &refused {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    body_is!(refused[0], @r#"
    {
      "code": "FORBIDDEN",
      "error": "Only an administrator of the organization may do this.",
      "fault": "FORBIDDEN",
      "hint": "Ask an owner or administrator.",
      "message": "Only an administrator of the organization may do this.",
      "retryable": false
    }
    "#);
    // A member sees and makes keys of their own, with less than an administrator's scopes.
    let made = product.post_as(key, "/api/v1/api-keys", body).await;
    let scopes = made.body["apiKey"]["scopes"].as_array().unwrap();
    assert!(scopes.contains(&json!("write:tools")) && !scopes.contains(&json!("admin")));
    let listed = product.get_as(key, "/api/v1/api-keys").await;
    assert_eq!(listed.body["total"], 2);
    let first = product.get("/api/v1/api-keys").await.body["apiKeys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "First")
        .unwrap()["id"]
        .clone();
    let path = format!("/api/v1/api-keys/{}/regenerate", first.as_str().unwrap());
    let answer = product.post_as(key, &path, json!({})).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_unknown_path_is_a_fault_too() {
    let product = Product::start().await;
    for path in [
        "/api",
        "/api/",
        "/api/v2/x",
        "/api/v1/workspaces/main/nothing",
        "/api/v1/tools/",
    ] {
        let answer = product.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.body["code"], "NOT_FOUND", "{path}");
    }
    body_is!(product.get("/api/v1/nothing").await, @r#"
    {
      "code": "NOT_FOUND",
      "error": "There is nothing at this path.",
      "fault": "NOT_FOUND",
      "hint": "GET /api/v1/openapi.json lists every path.",
      "message": "There is nothing at this path.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_wrong_method_is_a_fault_that_lists_the_right_ones() {
    let product = Product::start().await;
    let answer = product.delete("/api/v1/workspaces").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), Some("GET,HEAD,POST"));
    body_is!(answer, @r#"
    {
      "code": "VALIDATION_ERROR",
      "error": "This path does not know that method.",
      "fault": "INVALID_ARG",
      "hint": "The header Allow lists the methods it knows.",
      "message": "This path does not know that method.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn every_answer_forbids_caches_and_guessing() {
    let product = Product::start().await;
    for path in [
        "/health",
        "/api/v1/workspaces",
        "/api/v1/nothing",
        "/api/v1/openapi.json",
    ] {
        let answer = product.get(path).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_public_information_is_for_every_origin() {
    let product = Product::start().await;
    let request = Request::get("/api/v1/mcp/info")
        .body(Body::empty())
        .unwrap();
    let answer = product.send(request).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    body_is!(answer, @r#"
    {
      "example_config": {
        "mcpServers": {
          "quaymaster": {
            "headers": {
              "Authorization": "Bearer <token>"
            },
            "type": "http",
            "url": "http://127.0.0.1:8080/mcp"
          }
        }
      },
      "protocol_version": "2025-11-25",
      "protocol_versions": [
        "2026-07-28",
        "2025-11-25"
      ],
      "scopes": [
        "read:tools",
        "write:tools",
        "read:data",
        "admin",
        "chat",
        "connector:gateway"
      ],
      "server_name": "quaymaster",
      "url": "http://127.0.0.1:8080/mcp"
    }
    "#);
}

#[tokio::test]
async fn health_is_told_by_the_database() {
    let product = Product::start().await;
    let answer = product.get("/health").await;
    assert_eq!(
        answer.body,
        json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") })
    );
    product
        .app
        .shut_down(std::time::Duration::from_secs(5))
        .await;
    let answer = product.get("/health").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.body, json!({ "status": "unavailable" }));
}

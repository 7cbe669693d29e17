//! Bodies and queries that do not fit.

use crate::product::{Answer, Product, body_is, request};
use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::json;

async fn post_text(product: &Product, content_type: Option<&str>, text: impl Into<Body>) -> Answer {
    let mut request = request(Method::POST, "/api/v1/api-keys", &product.ours.key);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    product.send(request.body(text.into()).unwrap()).await
}

#[tokio::test]
async fn a_body_that_is_no_json_is_told_where_it_breaks() {
    let product = Product::start().await;
    let answer = post_text(&product, Some("application/json"), "{\"name\": }").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    body_is!(answer, @r#"
    {
      "code": "INVALID_JSON",
      "details": {
        "errors": [
          {
            "message": "The body is not JSON: expected value at line 1 column 10.",
            "pointer": "",
            "rule": "json"
          }
        ]
      },
      "error": "The body is not JSON: expected value at line 1 column 10.",
      "fault": "INVALID_ARG",
      "message": "The body is not JSON: expected value at line 1 column 10.",
      "retryable": false
    }
    "#);
    for text in ["", "[]", "\"x\"", "null", "{} {}", "{\"name\":\"a\""] {
        let answer = post_text(&product, Some("application/json"), text).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{text}");
        assert_eq!(answer.body["fault"], "INVALID_ARG", "{text}");
    }
}

#[tokio::test]
async fn a_body_of_another_type_is_refused_before_it_is_read() {
    let product = Product::start().await;
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let answer = post_text(&product, kind, "{\"name\":\"a\"}").await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{kind:?}"
        );
    }
    let answer = post_text(&product, Some("text/plain"), "x").await;
    body_is!(answer, @r#"
    {
      "code": "VALIDATION_ERROR",
      "error": "The body must be JSON.",
      "fault": "INVALID_ARG",
      "hint": "Send Content-Type: application/json.",
      "message": "The body must be JSON.",
      "retryable": false
    }
    "#);
    let kind = Some("Application/JSON; charset=utf-8");
    let answer = post_text(&product, kind, "{\"name\":\"a\"}").await;
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_too_large() {
    let product = Product::start().await;
    let text = |bytes: usize| format!("{{\"name\":\"{}\"}}", "x".repeat(bytes - 11));
    let answer = post_text(&product, Some("application/json"), text(1024 * 1024)).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let answer = post_text(&product, Some("application/json"), text(1024 * 1024 + 1)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    body_is!(answer, @r#"
    {
      "code": "VALIDATION_ERROR",
      "details": {
        "limit_bytes": 1048576
      },
      "error": "The body has more than 1048576 bytes.",
      "fault": "TOO_LARGE",
      "message": "The body has more than 1048576 bytes.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn an_unknown_field_is_named_with_a_suggestion() {
    let product = Product::start().await;
    let body = json!({ "name": "a", "expires_in_days": 3 });
    let answer = product.post("/api/v1/api-keys", body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    body_is!(answer, @r#"
    {
      "code": "VALIDATION_ERROR",
      "details": {
        "errors": [
          {
            "message": "There is no field `expires_in_days`.",
            "pointer": "/expires_in_days",
            "rule": "additionalProperties"
          }
        ]
      },
      "error": "There is no field `expires_in_days`.",
      "fault": "INVALID_ARG",
      "hint": "Did you mean `expiresInDays`?",
      "message": "There is no field `expires_in_days`.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_missing_field_is_named() {
    let product = Product::start().await;
    let answer = product.post("/api/v1/api-keys", json!({})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    body_is!(answer, @r#"
    {
      "code": "VALIDATION_ERROR",
      "details": {
        "errors": [
          {
            "message": "The field `name` is missing.",
            "pointer": "/name",
            "rule": "required"
          }
        ]
      },
      "error": "The field `name` is missing.",
      "fault": "INVALID_ARG",
      "message": "The field `name` is missing.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_wrong_type_is_named_by_its_pointer() {
    let product = Product::start().await;
    let cases = [
        (json!({ "name": 1 }), "/name"),
        (json!({ "name": null }), "/name"),
        (
            json!({ "name": "a", "scopes": ["read:tools", "root"] }),
            "/scopes",
        ),
        (
            json!({ "name": "a", "expiresInDays": -1 }),
            "/expiresInDays",
        ),
        (json!({ "name": "a", "expiresInDays": 0 }), "/expiresInDays"),
        (
            json!({ "name": "a", "expiresInDays": 4_000_000_000u32 }),
            "/expiresInDays",
        ),
        (
            json!({ "name": "a", "expiresAt": "tomorrow" }),
            "/expiresAt",
        ),
        (
            json!({ "name": "a", "expiresAt": "2001-01-01T00:00:00Z" }),
            "/expiresAt",
        ),
        (
            json!({ "name": "a", "expiresAt": "9999-01-01T00:00:00Z" }),
            "/expiresAt",
        ),
        (json!({ "name": "", "neverExpires": true }), "/name"),
        (
            json!({ "name": "a", "neverExpires": true, "expiresInDays": 1 }),
            "",
        ),
        (json!({ "name": "a", "scopes": [] }), "/scopes"),
    ];
    for (body, pointer) in cases {
        let answer = product.post("/api/v1/api-keys", body.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        let found = answer.body["details"]["errors"][0]["pointer"]
            .as_str()
            .unwrap();
        assert!(found.starts_with(pointer), "{body}: {found}");
    }
    let answer = product
        .post(
            "/api/v1/api-keys",
            json!({ "name": "a", "scopes": ["root"] }),
        )
        .await;
    body_is!(answer, @r#"
    {
      "code": "VALIDATION_ERROR",
      "details": {
        "errors": [
          {
            "message": "The field at /scopes/0 does not fit: unknown scope \"root\"; known are read:tools, write:tools, read:data, admin, chat, connector:gateway.",
            "pointer": "/scopes/0",
            "rule": "type"
          }
        ]
      },
      "error": "The field at /scopes/0 does not fit: unknown scope \"root\"; known are read:tools, write:tools, read:data, admin, chat, connector:gateway.",
      "fault": "INVALID_ARG",
      "message": "The field at /scopes/0 does not fit: unknown scope \"root\"; known are read:tools, write:tools, read:data, admin, chat, connector:gateway.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_query_is_read_as_strictly_as_a_body() {
    let product = Product::start().await;
    for (query, pointer) in [
        ("limit=x", "/limit"),
        ("limit=0", "/limit"),
        ("limit=501", "/limit"),
        ("offset=-1", "/offset"),
        ("page=2", "/page"),
    ] {
        let answer = product.get(&format!("/api/v1/workspaces?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(
            answer.body["details"]["errors"][0]["pointer"], pointer,
            "{query}"
        );
    }
    body_is!(product.get("/api/v1/calls?before=noon").await, @r#"
    {
      "code": "VALIDATION_ERROR",
      "details": {
        "errors": [
          {
            "message": "The field at /before does not fit: expected an instant of RFC 3339, for example 2026-12-31T18:00:00Z.",
            "pointer": "/before",
            "rule": "type"
          }
        ]
      },
      "error": "The field at /before does not fit: expected an instant of RFC 3339, for example 2026-12-31T18:00:00Z.",
      "fault": "INVALID_ARG",
      "message": "The field at /before does not fit: expected an instant of RFC 3339, for example 2026-12-31T18:00:00Z.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_path_that_is_no_text_names_nothing() {
    let product = Product::start().await;
    for path in [
        "/api/v1/workspaces/%ff",
        "/api/v1/workspaces/a%2Fb",
        "/api/v1/workspaces/%00",
    ] {
        let answer = product.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

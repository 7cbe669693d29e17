//! Tools over REST.

use crate::product::{Product, body_is};
use http::StatusCode;
use quaymaster_core::Scope;
use serde_json::json;

const TOOLS: &str = "/api/v1/tools";

#[tokio::test]
async fn tools_are_listed_with_their_schemas() {
    let product = Product::start().await;
    let answer = product.get(TOOLS).await;
    let tools = answer.body["tools"].as_array().unwrap();
    // The file tools of its workspace, those of connectors, Python, memory and knowledge.
    assert_eq!(tools.len(), 19 + 3 + 1 + 2 + 1);
    for tool in tools {
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert!(tool["annotations"]["readOnlyHint"].is_boolean(), "{tool}");
    }
}

#[tokio::test]
async fn tools_need_the_scope_chat_besides_their_own() {
    let product = Product::start().await;
    let files = Some(product.ours.workspace.id.clone());
    let silent = product
        .key_with(&[Scope::ReadTools, Scope::WriteTools], files.clone())
        .await;
    let answer = product.get_as(&silent, TOOLS).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    body_is!(answer, @r#"
    {
      "code": "SCOPE_DENIED",
      "details": {
        "scope": "chat"
      },
      "error": "This needs the scope chat, which the credential lacks.",
      "fault": "SCOPE_DENIED",
      "hint": "Ask whoever made the credential for one with that scope.",
      "message": "This needs the scope chat, which the credential lacks.",
      "retryable": false
    }
    "#);
    let reader = product
        .key_with(&[Scope::Chat, Scope::ReadTools], files)
        .await;
    let path = format!("{TOOLS}/create_directory");
    let answer = product
        .post_as(&reader, &path, json!({ "path": "a" }))
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.body["details"]["scope"], "write:tools");
}

#[tokio::test]
async fn a_call_answers_content_and_structured_content() {
    let product = Product::start().await;
    let body = json!({ "path": "notes/a.txt", "content": "hello\n" });
    let written = product.post(&format!("{TOOLS}/write_file"), body).await;
    assert_eq!(written.status, StatusCode::OK, "{}", written.body);
    let read = product
        .post(
            &format!("{TOOLS}/read_file"),
            json!({ "path": "notes/a.txt" }),
        )
        .await;
    assert_eq!(read.status, StatusCode::OK);
    assert_eq!(read.body["content"][0]["type"], "text");
    assert!(read.body["structuredContent"].is_object());
    assert!(read.body.to_string().contains("hello"));
}

#[tokio::test]
async fn arguments_of_several_megabytes_of_escaped_json_pass() {
    let product = Product::start().await;
    // Each of these becomes six bytes in JSON.
    let content = "\u{1}".repeat(1024 * 1024);
    let body = json!({ "path": "large.txt", "content": content });
    let written = product.post(&format!("{TOOLS}/write_file"), body).await;
    assert_ne!(written.body["fault"], "TOO_LARGE", "{}", written.body);
}

#[tokio::test]
async fn a_fault_of_a_tool_has_its_own_status() {
    let product = Product::start().await;
    let answer = product
        .post(&format!("{TOOLS}/read_file"), json!({ "path": "no.txt" }))
        .await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    body_is!(answer, @r#"
    {
      "code": "NOT_FOUND",
      "error": "There is nothing at no.txt.",
      "fault": "NOT_FOUND",
      "hint": "list_files of the root shows what is there.",
      "message": "There is nothing at no.txt.",
      "retryable": false
    }
    "#);
    let answer = product
        .post(&format!("{TOOLS}/read_file"), json!({ "pth": "no.txt" }))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    body_is!(answer, @r#"
    {
      "code": "VALIDATION_ERROR",
      "details": {
        "errors": [
          {
            "message": "There is no argument `pth`.",
            "pointer": "/pth",
            "rule": "additionalProperties"
          },
          {
            "message": "\"path\" is a required property",
            "pointer": "",
            "rule": "required"
          }
        ]
      },
      "error": "The arguments do not fit: There is no argument `pth`.",
      "fault": "INVALID_ARG",
      "hint": "Did you mean `path`?",
      "message": "The arguments do not fit: There is no argument `pth`.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn an_unknown_tool_is_not_found_with_a_suggestion() {
    let product = Product::start().await;
    let answer = product.post(&format!("{TOOLS}/read_fil"), json!({})).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    body_is!(answer, @r#"
    {
      "code": "NOT_FOUND",
      "details": {
        "unknown_tool": "read_fil"
      },
      "error": "There is no tool \"read_fil\".",
      "fault": "NOT_FOUND",
      "hint": "Did you mean read_file?",
      "message": "There is no tool \"read_fil\".",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn a_call_over_the_daily_cap_says_when_to_come_back() {
    let product = Product::start().await;
    product
        .patch("/api/v1/workspaces/main", json!({ "dailyCap": 1 }))
        .await;
    let path = format!("{TOOLS}/list_files");
    assert_eq!(product.post(&path, json!({})).await.status, StatusCode::OK);
    let answer = product.post(&path, json!({})).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.body["code"], "QUOTA_EXCEEDED");
    let seconds: u32 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=86_400).contains(&seconds));
}

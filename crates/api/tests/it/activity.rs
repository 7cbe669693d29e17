//! Calls and events.

use crate::product::{Product, body_is};
use http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn list_files(product: &Product) {
    let answer = product.post("/api/v1/tools/list_files", json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn a_call_is_on_record_when_its_answer_has_arrived() {
    let product = Product::start().await;
    product
        .post("/api/v1/tools/read_file", json!({ "path": "no.txt" }))
        .await;
    let mut answer = product.get("/api/v1/workspaces/main/calls").await;
    let call = &mut answer.body["calls"][0];
    assert!(call["durationUs"].as_i64().unwrap() > 0);
    call["durationUs"] = json!(0);
    body_is!(answer, @r#"
    {
      "calls": [
        {
          "credentialId": "[crd]",
          "durationUs": 0,
          "id": "[call]",
          "outcome": "NOT_FOUND",
          "protocol": "result",
          "source": "rest",
          "startedAt": "[instant]",
          "tool": "read_file",
          "transport": "answered",
          "userId": "[usr]",
          "workspaceId": "[ws]"
        }
      ]
    }
    "#);
    let theirs = product.get_as(&product.theirs.key, "/api/v1/calls").await;
    assert_eq!(theirs.body, json!({ "calls": [] }));
}

#[tokio::test]
async fn pages_of_calls_neither_skip_nor_repeat_one() {
    let product = Product::start().await;
    for _ in 0..7 {
        list_files(&product).await;
    }
    let mut seen = BTreeSet::new();
    let mut path = "/api/v1/calls?limit=2".to_owned();
    loop {
        let page = product.get(&path).await.body;
        for call in page["calls"].as_array().unwrap() {
            assert!(seen.insert(call["id"].as_str().unwrap().to_owned()));
        }
        let Some(next) = page.get("next").and_then(Value::as_str) else {
            break;
        };
        path = format!("/api/v1/calls?limit=2&before={next}");
    }
    assert_eq!(seen.len(), 7);
}

#[tokio::test]
async fn events_tell_who_changed_what() {
    let product = Product::start().await;
    let made = product
        .post("/api/v1/api-keys", json!({ "name": "New" }))
        .await;
    let mut events = product.get("/api/v1/events?limit=1").await;
    let next = events.body.as_object_mut().unwrap().remove("next");
    assert!(next.is_some(), "there are older ones");
    body_is!(events, @r#"
    {
      "events": [
        {
          "action": "credential.created",
          "actor": "[crd]",
          "at": "[instant]",
          "credentialId": "[crd]",
          "details": {
            "expires_at": "[instant]",
            "name": "New",
            "origin": "manual",
            "scopes": [
              "read:tools",
              "write:tools",
              "read:data",
              "admin",
              "chat",
              "connector:gateway"
            ]
          },
          "id": "[evt]"
        }
      ]
    }
    "#);
    let event = &events.body["events"][0];
    assert_eq!(event["credentialId"], made.body["apiKey"]["id"]);
    assert!(!events.body.to_string().contains("sk-org-"));
    let theirs = product.get_as(&product.theirs.key, "/api/v1/events").await;
    assert!(
        !theirs
            .body
            .to_string()
            .contains(event["credentialId"].as_str().unwrap())
    );
}

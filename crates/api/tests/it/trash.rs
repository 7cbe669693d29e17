//! What was deleted comes back, or goes for good.

use crate::product::{Product, body_is};
use http::StatusCode;
use serde_json::{Value, json};

const TRASH: &str = "/api/v1/workspaces/main/trash";

async fn delete(product: &Product, path: &str) -> String {
    for (tool, args) in [
        ("write_file", json!({ "path": path, "content": "hello" })),
        ("delete_file", json!({ "path": path })),
    ] {
        let answer = product.post(&format!("/api/v1/tools/{tool}"), args).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
    let listed = product.get(TRASH).await;
    let item = listed.body["trash"]
        .as_array()
        .unwrap()
        .iter()
        .find(|item| item["path"] == path);
    item.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn read(product: &Product, path: &str) -> Value {
    product
        .post("/api/v1/tools/read_file", json!({ "path": path }))
        .await
        .body
}

#[tokio::test]
async fn a_deleted_file_is_listed_and_restored_elsewhere() {
    let product = Product::start().await;
    let id = delete(&product, "a.txt").await;
    body_is!(product.get(TRASH).await, @r#"
    {
      "total": 1,
      "trash": [
        {
          "bytes": 5,
          "deletedAt": "[instant]",
          "files": 1,
          "id": "[trs]",
          "path": "a.txt",
          "restorableUntil": "[instant]",
          "type": "file"
        }
      ]
    }
    "#);
    let restored = product
        .post(&format!("{TRASH}/{id}/restore"), json!({ "path": "b.txt" }))
        .await;
    assert_eq!(
        restored.body,
        json!({ "id": id, "path": "b.txt", "type": "file" })
    );
    assert!(read(&product, "b.txt").await.to_string().contains("hello"));
    assert_eq!(product.get(TRASH).await.body["total"], 0);
}

#[tokio::test]
async fn what_is_purged_is_gone() {
    let product = Product::start().await;
    let id = delete(&product, "a.txt").await;
    let path = format!("{TRASH}/{id}");
    assert_eq!(
        product.delete(&path).await.body,
        json!({ "deleted": true, "id": id })
    );
    let again = product.delete(&path).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let restored = product.post(&format!("{path}/restore"), json!({})).await;
    assert_eq!(restored.status, StatusCode::NOT_FOUND);
    body_is!(product.delete(&format!("{TRASH}/nothing")).await, @r#"
    {
      "code": "NOT_FOUND",
      "error": "There is no such item in the trash.",
      "fault": "NOT_FOUND",
      "hint": "GET /api/v1/workspaces/{id}/trash lists them.",
      "message": "There is no such item in the trash.",
      "retryable": false
    }
    "#);
}

#[tokio::test]
async fn nothing_is_restored_outside_the_workspace() {
    let product = Product::start().await;
    let id = delete(&product, "a.txt").await;
    let path = format!("{TRASH}/{id}/restore");
    for to in ["../../escaped.txt", "a/../../../escaped.txt"] {
        let answer = product.post(&path, json!({ "path": to })).await;
        assert_eq!(
            answer.body["fault"], "PATH_OUTSIDE_WORKSPACE",
            "{to}: {}",
            answer.body
        );
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{to}");
    }
    assert_eq!(product.get(TRASH).await.body["total"], 1);
}

//! How much memory an organization may have.

use super::Notes;
use quaymaster_tests::Database;
use serde_json::json;

#[tokio::test]
async fn what_there_is_no_room_for_is_refused_with_what_to_do_and_loses_nothing() {
    for database in Database::BOTH {
        let notes = Notes::open_with(database, &[("MEMORY_QUOTA_BYTES", "1000")]).await;
        notes.create("a.md", &"a".repeat(400)).await;
        let append = json!({ "command": "append", "path": "a.md", "content": "b" });
        notes.write(append.clone()).await.unwrap();
        // 400 and 401 are there; 402 more do not fit.
        let refused = notes.write(append.clone()).await.unwrap_err();
        assert_eq!(refused["code"], "QUOTA_EXCEEDED", "{refused}");
        assert_eq!(refused["details"], json!({ "limit": 1000, "used": 801 }));
        let hint = refused["hint"].as_str().unwrap();
        assert!(
            hint.contains("redact") && hint.contains("memory_quota_bytes"),
            "{hint}"
        );
        let whole = notes.content("a.md").await;
        assert_eq!(whole.as_str().unwrap().len(), 401);
        let large = json!({ "command": "create", "path": "b.md", "content": "b".repeat(200) });
        let refused = notes.write(large).await.unwrap_err();
        assert_eq!(refused["code"], "QUOTA_EXCEEDED", "{refused}");
        notes.create("b.md", &"b".repeat(199)).await;
        let rename = json!({ "command": "rename", "path": "b.md", "new_path": "c.md" });
        let refused = notes.write(rename).await.unwrap_err();
        assert_eq!(refused["code"], "QUOTA_EXCEEDED", "{refused}");
        let listed = notes.read(json!({ "prefix": "" })).await.unwrap();
        assert_eq!(super::paths(&listed), ["a.md", "b.md"]);
        // Deleting is always possible; what is deleted counts until somebody takes it out.
        let delete = json!({ "command": "delete", "path": "b.md" });
        notes.write(delete).await.unwrap();
        notes.write(append.clone()).await.unwrap_err();
        for (path, version) in [("b.md", 1), ("a.md", 1)] {
            let body = Some(json!({ "path": path, "version": version }));
            let at = "/api/v1/memory/redact";
            let (status, done) = notes.server.rest(&notes.key, "POST", at, body).await;
            assert_eq!(status, 200, "{done}");
        }
        notes.write(append.clone()).await.unwrap();
        let full = notes.write(append).await.unwrap_err();
        assert_eq!(full["details"]["used"], 803, "{full}");
    }
}

#[tokio::test]
async fn one_organization_that_is_full_leaves_another_its_room() {
    let notes = Notes::open_with(Database::Sqlite, &[("MEMORY_QUOTA_BYTES", "100")]).await;
    notes.create("a.md", &"a".repeat(100)).await;
    let more = json!({ "command": "create", "path": "b.md", "content": "b" });
    notes.write(more.clone()).await.unwrap_err();
    let key = notes.server.stranger().await;
    let theirs = quaymaster_tests::Mcp::open(&notes.server.endpoint, &key).await;
    let written = theirs.call("write_memory", more).await.unwrap();
    assert_eq!(written["created"], true, "{written}");
}

//! Versions, files and rules of skills over the management API.

use super::{Shelf, read};
use quaymaster_tests::{Database, Server};
use serde_json::json;

#[tokio::test]
async fn every_change_is_a_version_and_an_old_one_comes_back_with_its_bytes() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        let key = server.api_key(&[]).await;
        let shelf = Shelf { server, key };
        let first = shelf.write("refunds", json!({})).await;
        assert_eq!(first["version"], 1);
        let file = json!({ "text": "# Limits\n" });
        shelf
            .did("PUT", "/refunds/files/references/limits.md", Some(file))
            .await;
        let prompt = json!({ "systemPrompt": "Be strict.", "ifVersion": 2 });
        let third = shelf.did("PATCH", "/refunds", Some(prompt.clone())).await;
        assert_eq!(third["skill"]["version"], 3);
        assert_eq!(third["skill"]["files"][1]["path"], "references/limits.md");
        // What was read is another one by now: nothing is lost silently.
        let (status, refused) = shelf.ask("PATCH", "/refunds", Some(prompt)).await;
        assert_eq!(
            (status, &refused["fault"]),
            (412, &json!("PRECONDITION_FAILED"))
        );
        // Saying the same again is no version.
        let same = shelf.did(
            "PATCH",
            "/refunds",
            Some(json!({ "systemPrompt": "Be strict." })),
        );
        assert_eq!(same.await["skill"]["version"], 3);
        let restored = shelf.did("POST", "/refunds/versions/1/restore", None).await;
        assert_eq!(restored["skill"]["version"], 4);
        assert_eq!(restored["skill"]["digest"], first["digest"]);
        assert_eq!(restored["skill"]["files"].as_array().unwrap().len(), 1);
        let versions = shelf.did("GET", "/refunds/versions", None).await;
        let notes: Vec<_> = versions["versions"].as_array().unwrap().iter().collect();
        assert_eq!(notes.len(), 4);
        assert_eq!(notes[0]["note"], "restored version 1");
        let (status, _) = shelf.ask("POST", "/refunds/versions/9/restore", None).await;
        assert_eq!(status, 404);
        shelf.did("DELETE", "/refunds", None).await;
        assert_eq!(shelf.ask("GET", "/refunds", None).await.0, 404);
        let events = shelf
            .server
            .rest(&shelf.key, "GET", "/api/v1/events", None)
            .await
            .1;
        let actions: Vec<&str> = events["events"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|event| event["action"].as_str())
            .filter(|action| action.starts_with("skill."))
            .collect();
        assert_eq!(
            actions,
            [
                "skill.deleted",
                "skill.restored",
                "skill.updated",
                "skill.updated",
                "skill.created"
            ]
        );
    }
}

#[tokio::test]
async fn a_skill_is_there_after_a_kill_and_in_a_restored_backup() {
    let mut shelf = Shelf::open().await;
    shelf.write("refunds", json!({})).await;
    let script = json!({ "text": "print(1)\n", "executable": true });
    shelf
        .did("PUT", "/refunds/files/scripts/a.py", Some(script))
        .await;
    shelf.server.kill().await;
    shelf.server.restart().await;
    let mcp = shelf.session().await;
    let answer = read(&mcp, "skill://refunds/scripts/a.py").await;
    assert_eq!(answer["result"]["contents"][0]["text"], "print(1)\n");
    let place = tempfile::tempdir().unwrap();
    let archive = place.path().join("all.tar");
    let archive = archive.to_str().unwrap();
    let saved = shelf.server.cli(&["backup", archive]).await;
    assert!(saved.status.success(), "{saved:?}");
    let target = tempfile::tempdir().unwrap();
    let back = quaymaster_tests::cli(target.path(), &[], &["restore", archive]).await;
    assert!(back.status.success(), "{back:?}");
    shelf.server.kill().await;
    // The key is in no archive.
    std::fs::copy(
        shelf.server.data.path().join("key"),
        target.path().join("key"),
    )
    .unwrap();
    shelf.server.data = target;
    shelf.server.restart().await;
    let mcp = shelf.session().await;
    let answer = read(&mcp, "skill://refunds/scripts/a.py").await;
    assert_eq!(answer["result"]["contents"][0]["text"], "print(1)\n");
}

#[tokio::test]
async fn what_breaks_the_format_is_refused_with_the_field() {
    let shelf = Shelf::open().await;
    shelf.write("refunds", json!({})).await;
    let good = json!({ "name": "a", "description": "a", "systemPrompt": "a" });
    for (field, value, pointer) in [
        ("name", json!("Refunds"), "/name"),
        ("name", json!("a--b"), "/name"),
        ("name", json!("../a"), "/name"),
        ("description", json!(" "), "/description"),
        ("description", json!("x".repeat(1025)), "/description"),
        ("systemPrompt", json!("x".repeat(300_000)), "/systemPrompt"),
        ("systemPrompt", json!("a\u{0}b"), "/systemPrompt"),
        (
            "frontmatter",
            json!({ "metadata": { "a": 1 } }),
            "/frontmatter/metadata",
        ),
        ("frontmatter", json!({ "name": "b" }), "/frontmatter/name"),
        (
            "frontmatter",
            json!({ "compatibility": "" }),
            "/frontmatter/compatibility",
        ),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let (status, refused) = shelf.ask("POST", "", Some(body)).await;
        assert_eq!(status, 400, "{field}: {refused}");
        assert_eq!(
            refused["details"]["errors"][0]["pointer"], pointer,
            "{refused}"
        );
    }
    let taken = json!({ "name": "refunds", "description": "a", "systemPrompt": "a" });
    assert_eq!(shelf.ask("POST", "", Some(taken)).await.0, 409);
    for path in [
        "SKILL.md",
        "skill.md",
        "a%2F..%2Fb",
        "a%5Cb",
        "%00",
        "a%2F%2Fb",
    ] {
        let path = format!("/refunds/files/{path}");
        let (status, refused) = shelf.ask("PUT", &path, Some(json!({ "text": "x" }))).await;
        assert_eq!(status, 400, "{path}: {refused}");
    }
    let file = |text: &str| Some(json!({ "text": text }));
    shelf.did("PUT", "/refunds/files/a/b.md", file("x")).await;
    for twin in ["A/b.md", "a", "a/b.md/c"] {
        let path = format!("/refunds/files/{twin}");
        assert_eq!(shelf.ask("PUT", &path, file("y")).await.0, 400, "{twin}");
    }
    assert_eq!(
        shelf.did("GET", "/refunds", None).await["skill"]["version"],
        2
    );
}

#[tokio::test]
async fn a_member_reads_skills_and_changes_none() {
    let shelf = Shelf::open().await;
    shelf.write("refunds", json!({})).await;
    let reader = shelf
        .server
        .api_key(&["read:data", "write:tools", "chat"])
        .await;
    let (status, _) = shelf
        .server
        .rest(&reader, "GET", "/api/v1/skills", None)
        .await;
    assert_eq!(status, 403);
    let change = Some(json!({ "enabled": false }));
    let path = "/api/v1/skills/refunds";
    let (status, _) = shelf.server.rest(&reader, "PATCH", path, change).await;
    assert_eq!(status, 403);
}

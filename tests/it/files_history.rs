//! What is recorded of a file's changes, by agents and by people.

use quaymaster_tests::{Database, Mcp, Person, Server};
use serde_json::{Value, json};

async fn history(server: &Server, key: &str, path: &str) -> Vec<Value> {
    let address = format!(
        "/api/v1/workspaces/{}/files/history?path={path}",
        server.workspace
    );
    let (status, answer) = server.rest(key, "GET", &address, None).await;
    assert_eq!(status, 200, "{answer}");
    answer["changes"].as_array().unwrap().clone()
}

fn actions(changes: &[Value]) -> Vec<&str> {
    let all = changes.iter();
    all.map(|one| one["action"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn changes_of_agents_and_people_stand_in_one_history() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        let key = server.api_key(&["admin"]).await;
        let mcp = Mcp::open(&server.endpoint, &server.token).await;
        let args = json!({ "path": "notes/a.md", "content": "one\n" });
        let written = mcp.call("write_file", args).await.unwrap();
        mcp.call("read_file", json!({ "path": "notes/a.md" }))
            .await
            .unwrap();
        let dry = json!({ "path": "notes/a.md", "find": "one", "replace": "two", "dry_run": true });
        mcp.call("find_replace", dry).await.unwrap();
        let args = json!({ "path": "notes/a.md", "find": "one", "replace": "two" });
        mcp.call("find_replace", args).await.unwrap();
        let refused = json!({ "path": "notes/a.md", "find": "never", "replace": "two" });
        mcp.call("find_replace", refused).await.unwrap_err();
        let content = format!(
            "{}/api/v1/workspaces/{}/files/content?path=notes/a.md&replace=true",
            server.url, server.workspace
        );
        let answer = reqwest::Client::new()
            .put(content)
            .bearer_auth(&key)
            .body("three\n")
            .send()
            .await
            .unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let args = json!({ "source": "notes/a.md", "destination": "b.md" });
        mcp.call("move_file", args).await.unwrap();

        // Newest first; what only read, tried or failed changed nothing.
        let changes = history(&server, &key, "notes/a.md").await;
        let all = ["move_file", "file.written", "find_replace", "write_file"];
        assert_eq!(actions(&changes), all);
        assert_eq!(changes[0]["otherPath"], "b.md");
        assert_eq!(changes[3]["etag"], written["etag"]);
        assert!(changes[3]["actor"].as_str().unwrap().starts_with("crd_"));
        let moved = history(&server, &key, "b.md").await;
        assert_eq!(actions(&moved), ["move_file"]);
        assert_eq!(moved[0]["otherPath"], "notes/a.md");
        assert_eq!(history(&server, &key, "notes/none.md").await.len(), 0);
        // It is the workspace's, and nobody else's.
        let stranger = server.stranger().await;
        let address = format!(
            "/api/v1/workspaces/{}/files/history?path=b.md",
            server.workspace
        );
        let (status, _) = server.rest(&stranger, "GET", &address, None).await;
        assert_eq!(status, 404);

        let person = Person::owner(&server.url, &server.sign_in_link).await;
        let files = format!("/workspaces/{}/files", server.workspace);
        let page = person.get(&format!("{files}/view?path=b.md")).await;
        assert!(page.html.contains("/files/history?path=b.md"));
        let page = person
            .get(&format!("{files}/history?path=notes/a.md"))
            .await;
        assert_eq!(page.status, 200);
        let rows = page.texts("#history tbody tr");
        assert_eq!(rows.len(), 4, "{rows:?}");
        assert!(rows[3].starts_with("write_file Default token"), "{rows:?}");
        assert!(rows[0].contains("b.md"), "{rows:?}");
    }
}

#[tokio::test]
async fn a_long_history_has_pages_of_fifty() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    for n in 0..60 {
        let args = json!({ "path": "log.txt", "content": format!("{n}\n") });
        mcp.call("write_file", args).await.unwrap();
    }
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let path = format!(
        "/workspaces/{}/files/history?path=log.txt",
        server.workspace
    );
    let page = person.get(&path).await;
    assert_eq!(page.texts("#history tbody tr").len(), 50);
    let (_, rest) = page
        .html
        .split_once("/files/history?path=log.txt&")
        .unwrap();
    let rest = rest.trim_start_matches("#38;").trim_start_matches("amp;");
    let before = rest.split('"').next().unwrap();
    let page = person.get(&format!("{path}&{before}")).await;
    assert_eq!(page.texts("#history tbody tr").len(), 10);
}

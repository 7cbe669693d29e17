//! Who called what and who changed what, by REST: filters, pages, files, charts.

use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};

/// A server with an administrator's key, and one call that went well and one that failed.
async fn called(database: Database) -> (Server, String) {
    let server = Server::start_on(database).await;
    let key = server.api_key(&[]).await;
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    agent.call("list_files", json!({})).await.unwrap();
    let missing = json!({ "path": "missing.txt" });
    agent.call("read_file", missing).await.unwrap_err();
    (server, key)
}

async fn read(server: &Server, key: &str, path: &str) -> Value {
    let (status, answer) = server.rest(key, "GET", path, None).await;
    assert_eq!(status, 200, "{path}: {answer}");
    answer
}

fn tools(answer: &Value) -> Vec<&str> {
    let calls = answer["calls"].as_array().unwrap().iter();
    calls.map(|call| call["tool"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn calls_are_found_by_everything_that_is_known_of_them() {
    for database in Database::BOTH {
        let (server, key) = called(database).await;
        let all = read(&server, &key, "/api/v1/calls").await;
        assert_eq!(tools(&all), ["read_file", "list_files"]);
        let call = &all["calls"][0];
        let text = |name: &str| call[name].as_str().unwrap().to_owned();
        let at = text("startedAt");
        let found = [
            format!("workspace={}", text("workspaceId")),
            format!("credential={}", text("credentialId")),
            "tool=read_file".to_owned(),
            "outcome=failed".to_owned(),
            "outcome=NOT_FOUND".to_owned(),
            format!("from={at}"),
        ];
        for query in &found {
            let path = format!("/api/v1/calls?{query}");
            let found = read(&server, &key, &path).await;
            assert!(tools(&found).contains(&"read_file"), "{query}: {found}");
        }
        let not = [
            "tool=read_fil",
            "outcome=ok",
            "outcome=TIMEOUT",
            "account=github:main",
            "account=github",
            "from=2100-01-01T00:00:00Z",
            "to=2020-01-01T00:00:00Z",
            "credential=crd_01arz3ndektsv4rrffq69g5fav",
            "user=usr_01arz3ndektsv4rrffq69g5fav",
        ];
        for query in not {
            let path = format!("/api/v1/calls?{query}");
            let found = read(&server, &key, &path).await;
            assert!(!tools(&found).contains(&"read_file"), "{query}: {found}");
        }
        for (query, pointer) in [
            ("credential=x", "/credential"),
            ("user=%27%20OR%201=1", "/user"),
            ("from=noon", "/from"),
            ("format=xls", "/format"),
            ("colour=red", "/colour"),
        ] {
            let path = format!("/api/v1/calls?{query}");
            let (status, fault) = server.rest(&key, "GET", &path, None).await;
            assert_eq!(status, 400, "{query}");
            assert_eq!(fault["details"]["errors"][0]["pointer"], pointer);
        }
    }
}

#[tokio::test]
async fn a_stranger_finds_nothing_of_ours_whatever_is_asked() {
    for database in Database::BOTH {
        let (server, key) = called(database).await;
        let stranger = server.stranger().await;
        let ours = read(&server, &key, "/api/v1/calls").await;
        let call = &ours["calls"][0];
        let id = |name: &str| call[name].as_str().unwrap().to_owned();
        for path in [
            "/api/v1/calls".to_owned(),
            format!("/api/v1/calls?credential={}", id("credentialId")),
            "/api/v1/calls?format=csv".to_owned(),
            "/api/v1/events?format=jsonl".to_owned(),
            "/api/v1/usage?window=30d".to_owned(),
        ] {
            let found = read(&server, &stranger, &path).await.to_string();
            assert!(!found.contains("read_file"), "{path}: {found}");
            assert!(!found.contains(&id("workspaceId")), "{path}: {found}");
        }
        let workspace = id("workspaceId");
        for path in [
            format!("/api/v1/calls?workspace={workspace}"),
            format!("/api/v1/events?workspace={workspace}"),
            format!("/api/v1/usage?workspace={workspace}"),
        ] {
            let (status, _) = server.rest(&stranger, "GET", &path, None).await;
            assert_eq!(status, 404, "{path}");
        }
    }
}

#[tokio::test]
async fn changes_are_found_and_taken_out_as_files() {
    for database in Database::BOTH {
        let (server, key) = called(database).await;
        let path = "/api/v1/events?action=workspace";
        let of_workspaces = read(&server, &key, path).await;
        let events = of_workspaces["events"].as_array().unwrap();
        assert_eq!(events.len(), 1, "{of_workspaces}");
        assert_eq!(events[0]["action"], "workspace.created");
        let whole = "/api/v1/events?action=workspace.created&limit=1";
        let page = read(&server, &key, whole).await;
        let next = page["next"].as_str().unwrap();
        let behind = read(&server, &key, &format!("{whole}&before={next}")).await;
        assert_eq!(behind["events"], json!([]));
        let lines = read(&server, &key, "/api/v1/events?format=jsonl").await;
        let lines = lines.as_str().unwrap();
        assert!(lines.lines().count() > 1);
        for line in lines.lines() {
            let event: Value = serde_json::from_str(line).unwrap();
            assert!(event["action"].is_string());
        }
        let csv = read(&server, &key, "/api/v1/calls?format=csv&tool=read_file").await;
        let csv = csv.as_str().unwrap();
        assert_eq!(csv.lines().count(), 2, "{csv}");
        assert!(csv.contains(",read_file,NOT_FOUND,"), "{csv}");
        assert!(csv.contains(",Default token,"), "{csv}");
    }
}

#[tokio::test]
async fn usage_counts_what_was_called() {
    for database in Database::BOTH {
        let (server, key) = called(database).await;
        for window in ["today", "24h", "7d", "30d"] {
            let path = format!("/api/v1/usage?window={window}");
            let usage = read(&server, &key, &path).await;
            // Only at midnight a call of a moment ago is yesterday's.
            if window != "today" {
                assert_eq!(usage["total"]["calls"], 2, "{usage}");
                assert_eq!(usage["total"]["errors"], 1);
                assert!(usage["total"]["p95Us"].as_u64() >= usage["total"]["p50Us"].as_u64());
                assert_eq!(usage["tools"].as_array().unwrap().len(), 2);
                assert_eq!(usage["credentials"][0]["name"], "Default token");
                assert_eq!(usage["accounts"], json!([]));
            }
            let slots = usage["slots"].as_array().unwrap();
            let calls = slots.iter().map(|slot| slot["calls"].as_u64().unwrap());
            assert_eq!(json!(calls.sum::<u64>()), usage["total"]["calls"]);
        }
        let path = "/api/v1/usage?window=forever";
        assert_eq!(server.rest(&key, "GET", path, None).await.0, 400);
    }
}

#[tokio::test]
async fn first_steps_are_told_and_dismissed() {
    for database in Database::BOTH {
        let (server, key) = called(database).await;
        let steps = read(&server, &key, "/api/v1/first-steps").await;
        assert_eq!(
            steps["steps"][0],
            json!({ "step": "connect_client", "done": true })
        );
        assert_eq!(
            steps["steps"][1],
            json!({ "step": "connect_account", "done": false })
        );
        assert_eq!(steps["dismissed"], false);
        let path = "/api/v1/first-steps/dismiss";
        assert_eq!(server.rest(&key, "POST", path, None).await.0, 204);
        let steps = read(&server, &key, "/api/v1/first-steps").await;
        assert_eq!(steps["dismissed"], true);
    }
}

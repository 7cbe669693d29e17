//! Whose memory is whose, who may write, and what nobody else gets to know.

use super::{KEY, Notes};
use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};

async fn setting(notes: &Notes, admin: &str, may: bool) {
    let body = Some(json!({ "agentsWriteOrg": may }));
    let path = "/api/v1/memory/settings";
    let (status, answer) = notes.server.rest(admin, "PUT", path, body).await;
    assert_eq!(
        (status, &answer["agentsWriteOrg"]),
        (200, &json!(may)),
        "{answer}"
    );
}

#[tokio::test]
async fn agents_write_the_organizations_memory_only_when_an_administrator_lets_them() {
    let notes = Notes::open(Database::Sqlite).await;
    let admin = notes.server.api_key(&[]).await;
    let write = json!({ "command": "create", "path": "org/rules.md", "content": "Be kind." });
    let refused = notes.write(write.clone()).await.unwrap_err();
    assert_eq!(refused["code"], "FORBIDDEN");
    assert!(
        refused["hint"].as_str().unwrap().contains("administrator"),
        "{refused}"
    );
    // A person who administers writes it with the management API.
    let path = "/api/v1/memory/files/org/rules.md";
    let body = Some(json!({ "content": "Be kind." }));
    let (status, _) = notes.server.rest(&admin, "PUT", path, body.clone()).await;
    assert_eq!(status, 201);
    let (status, _) = notes.server.rest(&notes.key, "PUT", path, body).await;
    assert_eq!(status, 403);
    assert_eq!(notes.content("org/rules.md").await, "Be kind.");
    setting(&notes, &admin, true).await;
    let append = json!({ "command": "append", "path": "org/rules.md", "content": "\nBe brief." });
    notes.write(append).await.unwrap();
    setting(&notes, &admin, false).await;
    let delete = json!({ "command": "delete", "path": "org/rules.md" });
    assert_eq!(notes.write(delete).await.unwrap_err()["code"], "FORBIDDEN");
    let listed = notes.read(json!({ "prefix": "" })).await.unwrap();
    assert_eq!(listed["entries"][0]["path"], "org/rules.md");
}

#[tokio::test]
async fn the_tools_are_hidden_and_refused_without_their_scopes() {
    let server = Server::start().await;
    for (scopes, tools) in [
        (&["read:data"][..], &["read_memory"][..]),
        (&["write:tools"], &["write_memory"]),
        (&["read:tools"], &[]),
        (&KEY, &["read_memory", "write_memory"]),
    ] {
        let key = server.api_key(scopes).await;
        let mcp = Mcp::open(&server.endpoint, &key).await;
        let names = mcp.tool_names().await;
        for tool in ["read_memory", "write_memory"] {
            let sees = tools.contains(&tool);
            assert_eq!(names.iter().any(|name| name == tool), sees, "{scopes:?}");
            let arguments = match tool {
                "read_memory" => json!({ "prefix": "" }),
                _ => json!({ "command": "create", "path": scopes.join("+"), "content": "x" }),
            };
            let answer = mcp.call(tool, arguments).await;
            match answer {
                Ok(_) => assert!(sees, "{scopes:?} {tool}"),
                Err(fault) => assert_eq!((sees, &fault["code"]), (false, &json!("SCOPE_DENIED"))),
            }
        }
    }
    // A workspace token has files and nothing else.
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let answer = mcp
        .call("read_memory", json!({ "prefix": "" }))
        .await
        .unwrap_err();
    assert_eq!(answer["code"], "NOT_FOUND");
}

#[tokio::test]
async fn another_organization_sees_nothing_and_keeps_its_own_under_the_same_path() {
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        let admin = notes.server.api_key(&[]).await;
        setting(&notes, &admin, true).await;
        notes.create("plan.md", "quay secret").await;
        notes.create("org/plan.md", "quay secret").await;
        let theirs = notes.server.stranger().await;
        let mcp = Mcp::open(&notes.server.endpoint, &theirs).await;
        for path in ["plan.md", "org/plan.md"] {
            let there = mcp
                .call("read_memory", json!({ "path": path }))
                .await
                .unwrap_err();
            let never = mcp.call(
                "read_memory",
                json!({ "path": path.replace("plan", "none") }),
            );
            let text = there.to_string().replace("plan", "none");
            assert_eq!(text, never.await.unwrap_err().to_string());
            for verb in ["GET", "DELETE"] {
                let path = format!("/api/v1/memory/files/{path}");
                let (status, _) = notes.server.rest(&theirs, verb, &path, None).await;
                assert_eq!(status, 404, "{verb} {path}");
            }
        }
        let found = mcp
            .call("read_memory", json!({ "query": "secret" }))
            .await
            .unwrap();
        assert_eq!(found["results"], json!([]));
        let listed = mcp
            .call("read_memory", json!({ "prefix": "" }))
            .await
            .unwrap();
        assert_eq!(listed["entries"], json!([]));
        let own = json!({ "command": "create", "path": "plan.md", "content": "theirs" });
        mcp.call("write_memory", own).await.unwrap();
        assert_eq!(notes.content("plan.md").await, "quay secret");
    }
}

#[tokio::test]
async fn what_a_note_says_is_in_no_log_and_no_event() {
    const CANARY: &str = "canary-note-5512";
    let notes = Notes::open(Database::Sqlite).await;
    let admin = notes.server.api_key(&[]).await;
    notes.create(&format!("{CANARY}/a.md"), CANARY).await;
    let too_large = format!("{CANARY}{}", "x".repeat(102_400));
    let refused = json!({ "command": "create", "path": "b", "content": too_large });
    notes.write(refused).await.unwrap_err();
    let path = format!("/api/v1/memory/files/{CANARY}/b.md");
    let body = Some(json!({ "content": CANARY }));
    let (status, _) = notes.server.rest(&admin, "PUT", &path, body).await;
    assert_eq!(status, 201);
    let (_, events) = notes
        .server
        .rest(&admin, "GET", "/api/v1/events", None)
        .await;
    let written = |event: &&Value| event["action"] == "memory.written";
    assert!(
        events["events"]
            .as_array()
            .unwrap()
            .iter()
            .any(|event| written(&event))
    );
    assert!(!events.to_string().contains(CANARY), "{events}");
    let (_, calls) = notes
        .server
        .rest(&admin, "GET", "/api/v1/calls", None)
        .await;
    assert!(!calls.to_string().contains(CANARY));
    let log = std::fs::read_to_string(notes.server.data.path().join("server.log")).unwrap();
    assert!(!log.contains(CANARY), "{log}");
}

#[tokio::test]
async fn notes_survive_a_kill() {
    let mut notes = Notes::open(Database::Sqlite).await;
    for number in 0..20 {
        notes.create(&format!("n/{number}"), "kept").await;
    }
    notes.server.kill().await;
    notes.server.restart().await;
    notes.mcp = Mcp::open(&notes.server.endpoint, &notes.key).await;
    let listed = notes.read(json!({ "prefix": "n/" })).await.unwrap();
    assert_eq!(listed["entries"].as_array().unwrap().len(), 20);
    let found = notes.read(json!({ "query": "kept" })).await.unwrap();
    assert_eq!(found["results"].as_array().unwrap().len(), 20);
}

//! Uploads: what may be replaced, what a digest is worth, and what a restart leaves.

use crate::outside::sqlite;
use crate::sending::{PART, Session, bytes, hex, piece};
use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn complete(mcp: &Mcp, arguments: Value) -> Result<Value, Value> {
    mcp.call("complete_upload_session", arguments).await
}

#[tokio::test]
async fn an_empty_file_needs_no_parts() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let session = Session::create(&mcp, json!({ "path": "empty", "size": 0 })).await;
    assert_eq!(session.made["part_count"], 0);
    let done = complete(&mcp, session.named()).await.unwrap();
    assert_eq!(done["etag"], format!("sha256:{}", hex(b"")));
    assert_eq!(std::fs::read(server.home().join("empty")).unwrap(), b"");
}

#[tokio::test]
async fn a_file_is_replaced_only_when_that_was_wished_and_its_version_is_the_named_one() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let old = json!({ "path": "f", "content": "old" });
    let etag = mcp.call("write_file", old).await.unwrap()["etag"].clone();
    let create = async |more: Value| {
        let mut arguments = json!({ "path": "f", "size": 3 });
        arguments
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        mcp.call("create_upload_session", arguments).await
    };
    let plain = create(json!({})).await.unwrap_err();
    assert_eq!(plain["code"], "ALREADY_EXISTS");
    let stale = json!({ "overwrite": true, "if_match": format!("sha256:{}", hex(b"older")) });
    assert_eq!(
        create(stale).await.unwrap_err()["code"],
        "PRECONDITION_FAILED"
    );
    let session = Session::of(
        create(json!({ "overwrite": true, "if_match": etag }))
            .await
            .unwrap(),
    );
    assert_eq!(session.put(0, b"new".to_vec(), None).await.0, 200);
    // Somebody changes the file between creation and completion.
    let change = json!({ "path": "f", "content": "else" });
    let newer = mcp.call("write_file", change).await.unwrap()["etag"].clone();
    let lost = complete(&mcp, session.named()).await.unwrap_err();
    assert_eq!(lost["code"], "PRECONDITION_FAILED");
    assert_eq!(std::fs::read(server.home().join("f")).unwrap(), b"else");
    let now = json!({ "upload_id": session.id, "if_match": newer });
    let done = complete(&mcp, now).await.unwrap();
    assert_eq!(
        (&done["replaced"], &done["old_etag"]),
        (&json!(true), &newer)
    );
    assert_eq!(std::fs::read(server.home().join("f")).unwrap(), b"new");
    // A file that appeared meanwhile is not written over either.
    let session = Session::create(&mcp, json!({ "path": "g", "size": 3 })).await;
    assert_eq!(session.put(0, b"new".to_vec(), None).await.0, 200);
    let appeared = json!({ "path": "g", "content": "first" });
    mcp.call("write_file", appeared).await.unwrap();
    let late = complete(&mcp, session.named()).await.unwrap_err();
    assert_eq!(late["code"], "ALREADY_EXISTS");
    assert_eq!(std::fs::read(server.home().join("g")).unwrap(), b"first");
}

#[tokio::test]
async fn a_whole_file_with_another_digest_is_not_completed_until_its_parts_are_right() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let arguments = json!({ "path": "f", "size": 3, "sha256": hex(b"abc").to_uppercase() });
    let session = Session::create(&mcp, arguments).await;
    assert_eq!(session.put(0, b"abd".to_vec(), None).await.0, 200);
    let wrong = complete(&mcp, session.named()).await.unwrap_err();
    assert_eq!(wrong["code"], "CHECKSUM_MISMATCH");
    assert_eq!(wrong["details"]["actual"], hex(b"abd"));
    assert!(!server.home().join("f").exists());
    assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
    complete(&mcp, session.named()).await.unwrap();
    assert_eq!(std::fs::read(server.home().join("f")).unwrap(), b"abc");
    // The digest may also come with the completion.
    let session = Session::create(&mcp, json!({ "path": "h", "size": 3 })).await;
    assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
    let with = |digest: String| json!({ "upload_id": session.id, "sha256": digest });
    let wrong = complete(&mcp, with(hex(b"abd"))).await.unwrap_err();
    assert_eq!(wrong["code"], "CHECKSUM_MISMATCH");
    complete(&mcp, with(hex(b"abc"))).await.unwrap();
}

#[tokio::test]
async fn an_upload_goes_on_after_a_restart() {
    for database in Database::BOTH {
        let mut server = Server::start_on(database).await;
        let mcp = Mcp::open(&server.endpoint, &server.token).await;
        let file = bytes(2 * PART + 1, 6);
        let arguments = json!({ "path": "f", "size": file.len(), "idempotency_key": "k" });
        let mut session = Session::create(&mcp, arguments.clone()).await;
        assert_eq!(session.put(1, piece(&file, 1), None).await.0, 200);
        server.stop().await;
        server.restart().await;
        let mcp = Mcp::open(&server.endpoint, &server.token).await;
        let told = mcp
            .call("get_upload_status", session.named())
            .await
            .unwrap();
        assert_eq!(
            (&told["state"], &told["missing_parts"]),
            (&json!("open"), &json!("0,2"))
        );
        let path = session.template.find("/u/").unwrap();
        let again = Session::create(&mcp, arguments).await;
        assert_eq!(again.id, session.id, "the same key is the same session");
        assert!(
            again.template.ends_with(&session.template[path..]),
            "and the same address"
        );
        session.template = again.template;
        for n in [0, 2] {
            assert_eq!(session.put(n, piece(&file, n), None).await.0, 200);
        }
        complete(&mcp, session.named()).await.unwrap();
        assert!(std::fs::read(server.home().join("f")).unwrap() == file);
    }
}

#[tokio::test]
async fn completions_at_once_make_one_file_and_one_answer() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let file = bytes(PART, 7);
    let session = Session::create(&mcp, json!({ "path": "f", "size": file.len() })).await;
    assert_eq!(session.put(0, file.clone(), None).await.0, 200);
    let all = futures_util::future::join_all((0..8).map(|_| complete(&mcp, session.named())));
    let answers: Vec<Value> = all.await.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert!(std::fs::read(server.home().join("f")).unwrap() == file);
}

#[tokio::test]
async fn a_completion_that_a_crash_interrupted_is_taken_up_again() {
    let mut server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let mut sessions = Vec::new();
    for path in ["before", "after"] {
        let session = Session::create(&mcp, json!({ "path": path, "size": 3 })).await;
        assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
        sessions.push(session);
    }
    let done = complete(&mcp, sessions[1].named()).await.unwrap();
    server.stop().await;
    // What a crash leaves before the file moved into place, and after it, before that was written down.
    let crash = "UPDATE uploads SET state = 'completing', result = NULL";
    sqlite(server.data.path(), crash).await;
    server.restart().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let first = complete(&mcp, sessions[0].named()).await.unwrap();
    let second = complete(&mcp, sessions[1].named()).await.unwrap();
    for field in ["path", "etag", "size", "upload_id"] {
        assert_eq!(second[field], done[field]);
    }
    assert_eq!(first["etag"], second["etag"]);
    for path in ["before", "after"] {
        assert_eq!(std::fs::read(server.home().join(path)).unwrap(), b"abc");
    }
    server.stop().await;
    sqlite(server.data.path(), crash).await;
    server.restart().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let told = mcp
        .call("get_upload_status", sessions[0].named())
        .await
        .unwrap();
    assert_eq!(
        told["state"], "completed",
        "the first question settles it: {told}"
    );
}

#[tokio::test]
async fn a_part_that_stalls_for_half_a_minute_is_ended_and_may_be_sent_again() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let session = Session::create(&mcp, json!({ "path": "slow", "size": 6 })).await;
    let host = server.url.strip_prefix("http://").unwrap();
    let address = session.url(0);
    let path = address.strip_prefix(&server.url).unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 6\r\n\r\nabc");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(36), stream.read(&mut answer));
    let length = read.await.expect("it is ended in time").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(
        answer.starts_with("HTTP/1.1 504") && answer.contains("TIMEOUT"),
        "{answer}"
    );
    assert_eq!(session.put(0, b"abcdef".to_vec(), None).await.0, 200);
    complete(&mcp, session.named()).await.unwrap();
    assert_eq!(
        std::fs::read(server.home().join("slow")).unwrap(),
        b"abcdef"
    );
}

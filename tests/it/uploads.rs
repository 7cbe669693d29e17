//! Uploads: create, send parts, complete; in any order, with interruptions and with mistakes.

use crate::sending::{PART, Session, bytes, digest_header, hex, piece};
use futures_util::future::join_all;
use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

async fn start() -> (Server, Mcp) {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    (server, mcp)
}

async fn status(mcp: &Mcp, session: &Session) -> Value {
    mcp.call("get_upload_status", session.named())
        .await
        .unwrap()
}

async fn complete(mcp: &Mcp, session: &Session) -> Result<Value, Value> {
    mcp.call("complete_upload_session", session.named()).await
}

// promise: S1.59, S1.60, S1.61
#[tokio::test]
async fn parts_sent_in_parallel_become_the_file() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        let mcp = Mcp::open(&server.endpoint, &server.token).await;
        let file = bytes(3 * PART + 4711, 1);
        let arguments = json!({ "path": "in/big.bin", "size": file.len(), "sha256": hex(&file) });
        let session = Session::create(&mcp, arguments).await;
        assert_eq!(session.made["part_size"], PART);
        assert_eq!(session.made["part_count"], 4);
        assert!(session.template.starts_with(&server.url));
        let sent = join_all([3, 1, 0, 2].map(|n| {
            let (session, part) = (&session, piece(&file, n));
            let digest = (n % 2 == 0).then(|| digest_header(&part));
            async move {
                let wanted = json!({ "n": n, "size": part.len(), "sha256": hex(&part) });
                assert_eq!(session.put(n, part, digest).await, (200, wanted));
            }
        }));
        sent.await;
        let told = status(&mcp, &session).await;
        assert_eq!(told["state"], "open");
        assert_eq!(told["received_bytes"], file.len());
        assert_eq!(told["missing_parts"], "");
        let size = file.len().to_string();
        assert_eq!(
            session.head().await,
            (200, ["open".into(), size.clone(), size.clone()])
        );
        let done = complete(&mcp, &session).await.unwrap();
        assert_eq!(done["etag"], format!("sha256:{}", hex(&file)));
        assert_eq!(
            (&done["path"], &done["replaced"]),
            (&json!("in/big.bin"), &json!(false))
        );
        assert!(std::fs::read(server.home().join("in/big.bin")).unwrap() == file);
        assert_eq!(
            complete(&mcp, &session).await.unwrap(),
            done,
            "a repeat answers the same"
        );
        let told = status(&mcp, &session).await;
        assert_eq!(
            (&told["state"], &told["result"]),
            (&json!("completed"), &done)
        );
        assert_eq!(session.head().await.1[0], "completed");
        let (late, fault) = session.put(0, piece(&file, 0), None).await;
        assert_eq!(
            (late, &fault["code"]),
            (400, &json!("INVALID_ARG")),
            "{fault}"
        );
        assert!(std::fs::read(server.home().join("in/big.bin")).unwrap() == file);
    }
}

#[tokio::test]
async fn a_part_is_replaced_by_a_repeat_and_missing_after_a_wrong_one() {
    let (server, mcp) = start().await;
    let file = bytes(2 * PART + 10, 2);
    let session = Session::create(&mcp, json!({ "path": "f", "size": file.len() })).await;
    let other = bytes(10, 9);
    assert_eq!(session.put(2, other.clone(), None).await.0, 200);
    assert_eq!(
        session.put(2, piece(&file, 2), None).await.0,
        200,
        "the last one counts"
    );
    let same = digest_header(&piece(&file, 2));
    assert_eq!(
        session.put(2, piece(&file, 2), Some(same.clone())).await.0,
        200
    );
    // The same digest with other bytes: refused, and what is there stays.
    let (code, fault) = session.put(2, other.clone(), Some(same)).await;
    assert_eq!((code, &fault["code"]), (422, &json!("CHECKSUM_MISMATCH")));
    assert_eq!(status(&mcp, &session).await["missing_parts"], "0-1");
    // Another digest than the bytes: the part is given up before it is written over.
    let (code, fault) = session.put(2, other, Some(digest_header(b"else"))).await;
    assert_eq!((code, &fault["code"]), (422, &json!("CHECKSUM_MISMATCH")));
    assert_eq!(fault["retryable"], true);
    let incomplete = complete(&mcp, &session).await.unwrap_err();
    assert_eq!(incomplete["code"], "UPLOAD_INCOMPLETE");
    assert_eq!(incomplete["details"]["missing_parts"], "0-2");
    assert_eq!(session.put(1, piece(&file, 1), None).await.0, 200);
    assert_eq!(status(&mcp, &session).await["missing_parts"], "0,2");
    for n in [0, 2] {
        assert_eq!(session.put(n, piece(&file, n), None).await.0, 200);
    }
    complete(&mcp, &session).await.unwrap();
    assert!(std::fs::read(server.home().join("f")).unwrap() == file);
}

#[tokio::test]
async fn a_part_of_the_wrong_length_or_number_is_refused_and_changes_nothing() {
    let (_server, mcp) = start().await;
    let file = bytes(PART + 100, 3);
    let session = Session::create(&mcp, json!({ "path": "f", "size": file.len() })).await;
    assert_eq!(session.put(1, piece(&file, 1), None).await.0, 200);
    let (code, fault) = session.put(1, bytes(101, 3), None).await;
    assert_eq!(
        (code, &fault["code"]),
        (413, &json!("TOO_LARGE")),
        "{fault}"
    );
    let (code, fault) = session.put(1, bytes(99, 3), None).await;
    assert_eq!(
        (code, &fault["code"]),
        (400, &json!("INVALID_ARG")),
        "{fault}"
    );
    assert_eq!(fault["details"]["expected"], 100);
    for n in [2, 10_000] {
        let (code, fault) = session.put(n, bytes(1, 3), None).await;
        assert_eq!(
            (code, &fault["code"]),
            (400, &json!("INVALID_ARG")),
            "part {n}"
        );
    }
    let (code, _) = session
        .put(1, piece(&file, 1), Some("sha-256=:nonsense:".into()))
        .await;
    assert_eq!(code, 400);
    assert_eq!(
        status(&mcp, &session).await["missing_parts"],
        "0",
        "part 1 is still there"
    );
    // Without a Content-Length the bytes themselves are counted.
    let (start, too_much) = (
        &session,
        futures_util::stream::iter([Ok::<_, std::io::Error>(bytes(101, 3))]),
    );
    let body = reqwest::Body::wrap_stream(too_much);
    let answer = reqwest::Client::new()
        .put(start.url(1))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 413);
}

#[tokio::test]
async fn a_connection_that_breaks_in_the_middle_leaves_the_part_missing() {
    let (server, mcp) = start().await;
    let file = bytes(PART, 4);
    let session = Session::create(&mcp, json!({ "path": "f", "size": file.len() })).await;
    assert_eq!(session.put(0, file.clone(), None).await.0, 200);
    let host = server.url.strip_prefix("http://").unwrap();
    let path = session.url(0);
    let path = path.strip_prefix(&server.url).unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {PART}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&bytes(PART / 2, 5)).await.unwrap();
    stream.flush().await.unwrap();
    // The part is given up when other bytes begin to arrive.
    for _ in 0..100 {
        if status(&mcp, &session).await["missing_parts"] == "0" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    drop(stream);
    let told = status(&mcp, &session).await;
    assert_eq!(
        (&told["missing_parts"], &told["received_bytes"]),
        (&json!("0"), &json!(0))
    );
    let refused = complete(&mcp, &session).await.unwrap_err();
    assert_eq!(refused["code"], "UPLOAD_INCOMPLETE");
    assert_eq!(session.put(0, file.clone(), None).await.0, 200);
    complete(&mcp, &session).await.unwrap();
    assert!(std::fs::read(server.home().join("f")).unwrap() == file);
}

// promise: S1.62
#[tokio::test]
async fn an_upload_reserves_its_bytes_and_an_abort_frees_them() {
    let quota = (20 * 1024 * 1024).to_string();
    let server = Server::start_with(Database::Sqlite, &[("QUOTA_BYTES", &quota)]).await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let create = async |size: u64| {
        mcp.call(
            "create_upload_session",
            json!({ "path": "f", "size": size }),
        )
        .await
    };
    let huge = create(4 * 1024 * 1024 * 1024).await.unwrap_err();
    assert_eq!(huge["code"], "QUOTA_EXCEEDED");
    let first = Session::of(create(15 * 1024 * 1024).await.unwrap());
    assert_eq!(
        create(10 * 1024 * 1024).await.unwrap_err()["code"],
        "QUOTA_EXCEEDED"
    );
    let aborted = mcp
        .call("abort_upload_session", first.named())
        .await
        .unwrap();
    assert_eq!(aborted["state"], "aborted");
    let again = mcp
        .call("abort_upload_session", first.named())
        .await
        .unwrap();
    assert_eq!(again, aborted);
    assert_eq!(
        first.put(0, bytes(PART, 1), None).await.0,
        400,
        "it takes no parts any more"
    );
    assert_eq!(first.head().await.1[0], "aborted");
    assert!(complete(&mcp, &first).await.is_err());
    let second = Session::of(create(10 * 1024 * 1024).await.unwrap());
    assert_eq!(status(&mcp, &second).await["missing_parts"], "0-1");
    assert_eq!(std::fs::read_dir(server.home()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_address_is_worth_nothing_changed_or_after_its_credential_is_revoked() {
    let (server, _) = start().await;
    let made = server.cli_json(&["token", "create"]).await;
    let mcp = Mcp::open(&server.endpoint, made["token"].as_str().unwrap()).await;
    let others = Mcp::open(&server.endpoint, &server.token).await;
    let mut session = Session::create(&mcp, json!({ "path": "f", "size": 3 })).await;
    for tool in [
        "get_upload_status",
        "complete_upload_session",
        "abort_upload_session",
    ] {
        let fault = others.call(tool, session.named()).await.unwrap_err();
        let unknown = json!({ "upload_id": "upl_01ARZ3NDEKTSV4RRFFQ69G5FAV" });
        assert_eq!(fault["code"], "UPLOAD_NOT_FOUND");
        assert_eq!(
            fault,
            others.call(tool, unknown).await.unwrap_err(),
            "as if unknown"
        );
    }
    let good = session.template.clone();
    let (start, signature) = good.rsplit_once("?t=").unwrap();
    let other = Session::create(&others, json!({ "path": "g", "size": 3 })).await;
    let (_, foreign) = other.template.rsplit_once("?t=").unwrap();
    let flipped = signature.chars().rev().collect::<String>();
    for wrong in [
        "",
        "?t=",
        "?t=0",
        &format!("?t={foreign}"),
        &format!("?t={flipped}"),
        &format!("?t={signature}0"),
    ] {
        session.template = format!("{start}{wrong}");
        let (code, fault) = session.put(0, b"abc".to_vec(), None).await;
        assert_eq!(
            (code, &fault["code"]),
            (404, &json!("UPLOAD_NOT_FOUND")),
            "{wrong}"
        );
        let asked = reqwest::Client::new().head(session.url(0).replace("/parts/0", ""));
        assert_eq!(asked.send().await.unwrap().status(), 404, "{wrong}");
    }
    session.template = good;
    assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
    server
        .cli_json(&["token", "revoke", made["id"].as_str().unwrap()])
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let (code, fault) = session.put(0, b"abc".to_vec(), None).await;
    assert_eq!((code, &fault["code"]), (404, &json!("UPLOAD_NOT_FOUND")));
}

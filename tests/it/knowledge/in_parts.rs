//! Documents that come in parts: an upload session is begun, filled, completed once, or ends without a document.

mod at_once;
mod killed;
mod waiting;

use super::*;
use crate::outside::sqlite;
use crate::sending::{PART, Session, bytes, digest_header, hex, piece};
use futures_util::future::join_all;
use std::fmt::Write as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const UPLOADS: &str = "/api/v1/documents/uploads";

/// A page of several parts, with words that stand in the last one.
fn large(words: &str) -> Vec<u8> {
    let mut page = String::from("<!doctype html><html><body><!--\n");
    let mut line = 0;
    while page.len() < 2 * PART + 4_711 {
        let _ = writeln!(page, "Nobody reads line {line} of this remark.");
        line += 1;
    }
    let _ = writeln!(page, "--><p>{words}</p></body></html>");
    page.into_bytes()
}

async fn try_begin(server: &Server, key: &str, new: Value) -> (u16, Value) {
    server.rest(key, "POST", UPLOADS, Some(new)).await
}

/// The session as the API tells of it, and its client.
fn session_of(upload: &Value) -> Session {
    Session::of(json!({
        "upload_id": upload["id"], "part_url_template": upload["partUrlTemplate"],
    }))
}

async fn begin(server: &Server, key: &str, new: Value) -> Session {
    let (status, made) = try_begin(server, key, new).await;
    assert_eq!(status, 201, "{made}");
    session_of(&made["upload"])
}

async fn told(server: &Server, key: &str, session: &Session) -> Value {
    let path = format!("{UPLOADS}/{}", session.id);
    let (status, read) = server.rest(key, "GET", &path, None).await;
    assert_eq!(status, 200, "{read}");
    read["upload"].clone()
}

async fn complete(server: &Server, key: &str, session: &Session) -> (u16, Value) {
    let path = format!("{UPLOADS}/{}/complete", session.id);
    server.rest(key, "POST", &path, None).await
}

async fn abort(server: &Server, key: &str, session: &Session) -> (u16, Value) {
    let path = format!("{UPLOADS}/{}", session.id);
    server.rest(key, "DELETE", &path, None).await
}

async fn count(server: &Server, key: &str, list: &str) -> Value {
    server.rest(key, "GET", list, None).await.1["total"].clone()
}

#[tokio::test]
async fn parts_in_any_order_become_one_document_that_is_found() {
    for database in Database::BOTH {
        let Desk { server, key, mcp } = Desk::open(database).await;
        let file = large("The avocet nests behind berth nine.");
        let new = json!({
            "path": "reports/birds.html", "title": "Birds", "size": file.len(),
            "sha256": hex(&file).to_uppercase(),
        });
        let session = begin(&server, &key, new).await;
        let open = told(&server, &key, &session).await;
        assert_eq!(
            (&open["state"], &open["title"]),
            (&json!("open"), &json!("Birds"))
        );
        assert_eq!(
            (&open["partSize"], &open["partCount"]),
            (&json!(PART), &json!(3))
        );
        assert_eq!(count(&server, &key, UPLOADS).await, 1);
        for n in [2, 0] {
            let part = piece(&file, n);
            let digest = digest_header(&part);
            assert_eq!(session.put(n, part, Some(digest)).await.0, 200);
        }
        let (status, fault) = complete(&server, &key, &session).await;
        assert_eq!(
            (status, fault["fault"].as_str()),
            (409, Some("UPLOAD_INCOMPLETE"))
        );
        assert_eq!(fault["details"]["missing_parts"], "1");
        let wrong = digest_header(b"something else");
        let (status, fault) = session.put(1, piece(&file, 1), Some(wrong)).await;
        assert_eq!((status, &fault["code"]), (422, &json!("CHECKSUM_MISMATCH")));
        assert_eq!(told(&server, &key, &session).await["missingParts"], "1");
        assert_eq!(session.put(1, piece(&file, 1), None).await.0, 200);
        let whole = told(&server, &key, &session).await;
        assert_eq!(
            (&whole["missingParts"], &whole["receivedBytes"]),
            (&json!(""), &json!(file.len()))
        );
        assert_eq!(
            count(&server, &key, DOCUMENTS).await,
            0,
            "nothing before it is completed"
        );

        // At once and again and again: one document.
        let all = join_all((0..4).map(|_| complete(&server, &key, &session))).await;
        let id = all[0].1["document"]["id"]
            .as_str()
            .expect("a document")
            .to_owned();
        for (status, answer) in &all {
            assert_eq!(
                (*status, &answer["document"]["id"]),
                (200, &json!(id)),
                "{answer}"
            );
        }
        let document = settled(&server, &key, &id).await;
        assert_eq!(document["state"], "indexed", "{document}");
        assert_eq!(document["etag"], format!("sha256:{}", hex(&file)));
        let (status, again) = complete(&server, &key, &session).await;
        assert_eq!((status, &again["document"]), (200, &document));
        assert_eq!(count(&server, &key, DOCUMENTS).await, 1);
        let results = found(&mcp, "where do avocets nest?").await;
        assert_eq!(
            (results.len(), &results[0]["title"]),
            (1, &json!("Birds")),
            "{results:?}"
        );
        let (_, events) = server
            .rest(&key, "GET", "/api/v1/events?limit=100", None)
            .await;
        let events = events.to_string();
        assert_eq!(events.matches("\"document.added\"").count(), 1, "{events}");
        assert!(events.contains("document.upload_created"), "{events}");

        // It is over, and left nothing but the document.
        let done = told(&server, &key, &session).await;
        assert_eq!(
            (&done["state"], &done["documentId"]),
            (&json!("completed"), &json!(id))
        );
        assert!(done["partUrlTemplate"].is_null(), "{done}");
        assert_eq!(count(&server, &key, UPLOADS).await, 0);
        assert_eq!(session.put(0, piece(&file, 0), None).await.0, 400);
        let (status, fault) = abort(&server, &key, &session).await;
        assert_eq!(
            (status, fault["fault"].as_str()),
            (400, Some("INVALID_ARG"))
        );
        assert_eq!(bytes_on_disk(&server), 1);
        let path = format!("{DOCUMENTS}/{id}");
        assert_eq!(server.rest(&key, "DELETE", &path, None).await.0, 200);
        assert_eq!(
            complete(&server, &key, &session).await.0,
            404,
            "it is not made again"
        );
        assert_eq!(bytes_on_disk(&server), 0);
    }
}

#[tokio::test]
async fn bytes_of_another_digest_become_no_document_and_an_abort_frees_them() {
    for database in Database::BOTH {
        let Desk { server, key, .. } = Desk::open(database).await;
        let new = json!({ "path": "a.md", "size": 3, "sha256": hex(b"abd") });
        let session = begin(&server, &key, new).await;
        assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
        let (status, fault) = complete(&server, &key, &session).await;
        assert_eq!(
            (status, fault["fault"].as_str()),
            (422, Some("CHECKSUM_MISMATCH"))
        );
        assert_eq!(fault["details"]["actual"], hex(b"abc"));
        assert_eq!(count(&server, &key, DOCUMENTS).await, 0);
        assert_eq!(told(&server, &key, &session).await["state"], "open");
        // The staged file, and nothing of the attempt.
        assert_eq!(bytes_on_disk(&server), 1);
        for _ in 0..2 {
            let (status, ended) = abort(&server, &key, &session).await;
            assert_eq!(
                (status, &ended["upload"]["state"]),
                (200, &json!("aborted"))
            );
        }
        assert_eq!(bytes_on_disk(&server), 0);
        assert_eq!(session.put(0, b"abd".to_vec(), None).await.0, 400);
        assert_eq!(complete(&server, &key, &session).await.0, 400);
        assert_eq!(count(&server, &key, UPLOADS).await, 0);
    }
}

#[tokio::test]
async fn a_session_is_its_organizations_and_needs_what_an_upload_needs() {
    for database in Database::BOTH {
        let Desk { server, key, .. } = Desk::open(database).await;
        let new = json!({ "path": "a.md", "size": 3 });
        let mut session = begin(&server, &key, new.clone()).await;
        let narrow = server
            .api_key(&["read:tools", "write:tools", "read:data"])
            .await;
        let stranger = server.stranger().await;
        let unknown = "upl_01arz3ndektsv4rrffq69g5fav";
        for (verb, path) in [("GET", ""), ("POST", "/complete"), ("DELETE", "")] {
            let ask = async |id: &str| {
                let path = format!("{UPLOADS}/{id}{path}");
                server.rest(&stranger, verb, &path, None).await
            };
            let answer = ask(&session.id).await;
            assert_eq!(
                (answer.0, answer.1["fault"].as_str()),
                (404, Some("UPLOAD_NOT_FOUND"))
            );
            assert_eq!(answer, ask(unknown).await, "{verb}{path}");
        }
        assert_eq!(count(&server, &stranger, UPLOADS).await, 0);
        for (verb, path, body) in [
            ("POST", UPLOADS.to_owned(), Some(new)),
            ("GET", UPLOADS.to_owned(), None),
            ("GET", format!("{UPLOADS}/{}", session.id), None),
            ("POST", format!("{UPLOADS}/{}/complete", session.id), None),
            ("DELETE", format!("{UPLOADS}/{}", session.id), None),
        ] {
            let (status, fault) = server.rest(&narrow, verb, &path, body).await;
            assert_eq!(
                (status, fault["fault"].as_str()),
                (403, Some("SCOPE_DENIED")),
                "{verb} {path}"
            );
        }
        let good = session.template.clone();
        session.template = good.replace("?t=", "?t=0");
        assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 404);
        session.template = good;
        assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
        assert_eq!(complete(&server, &key, &session).await.0, 200);
    }
}

#[tokio::test]
async fn an_upload_lasts_through_kill_9_between_its_parts_and_its_end() {
    for database in Database::BOTH {
        let Desk {
            mut server, key, ..
        } = Desk::open(database).await;
        let file = large("The curlew came back.");
        let new = json!({ "path": "curlew.html", "size": file.len() });
        let session = begin(&server, &key, new).await;
        for n in [1, 2] {
            assert_eq!(session.put(n, piece(&file, n), None).await.0, 200);
        }
        // What a begun session leaves when the server is killed before it has a row.
        let staged = server.data.path().join("documents/uploads");
        let stray = staged.join("upl_01arz3ndektsv4rrffq69g5fav");
        std::fs::write(&stray, "abc").unwrap();
        server.kill().await;
        server.restart().await;
        assert!(!stray.exists() && staged.join(&session.id).exists());
        let open = told(&server, &key, &session).await;
        assert_eq!(
            (&open["state"], &open["missingParts"]),
            (&json!("open"), &json!("0"))
        );
        let session = session_of(&open);
        assert_eq!(session.put(0, piece(&file, 0), None).await.0, 200);
        server.kill().await;
        server.restart().await;
        let (status, made) = complete(&server, &key, &session).await;
        assert_eq!(status, 200, "{made}");
        let id = made["document"]["id"].as_str().unwrap().to_owned();
        server.kill().await;
        server.restart().await;
        let (status, again) = complete(&server, &key, &session).await;
        assert_eq!((status, &again["document"]["id"]), (200, &json!(id)));
        let document = settled(&server, &key, &id).await;
        assert_eq!(document["etag"], format!("sha256:{}", hex(&file)));
        assert_eq!(count(&server, &key, DOCUMENTS).await, 1);
        let mcp = Mcp::open(&server.endpoint, &key).await;
        assert_eq!(found(&mcp, "curlew").await.len(), 1);
        assert_eq!(bytes_on_disk(&server), 1);
    }
}

#[tokio::test]
async fn a_session_that_expired_or_lost_its_bytes_is_over_and_leaves_nothing() {
    let Desk {
        mut server, key, ..
    } = Desk::open(Database::Sqlite).await;
    let begin = async |server: &Server, path: &str| {
        let session = begin(server, &key, json!({ "path": path, "size": 3 })).await;
        assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
        session
    };
    let old = begin(&server, "old.md").await;
    let lost = begin(&server, "lost.md").await;
    let kept = begin(&server, "kept.md").await;
    server.stop().await;
    let past = format!("UPDATE uploads SET expires_at = 1 WHERE id = '{}'", old.id);
    sqlite(server.data.path(), &past).await;
    let staged = server.data.path().join("documents/uploads");
    std::fs::remove_file(staged.join(&lost.id)).unwrap();
    server.restart().await;
    assert_eq!(bytes_on_disk(&server), 1, "that of the one which is kept");
    for session in [&old, &lost] {
        assert_eq!(told(&server, &key, session).await["state"], "expired");
        let (status, fault) = complete(&server, &key, session).await;
        assert_eq!(
            (status, fault["fault"].as_str()),
            (410, Some("UPLOAD_EXPIRED"))
        );
        assert_eq!(abort(&server, &key, session).await.0, 410);
    }
    assert_eq!(count(&server, &key, UPLOADS).await, 1);
    assert_eq!(complete(&server, &key, &kept).await.0, 200);
}

#[tokio::test]
async fn the_address_of_parts_is_worth_nothing_once_its_maker_administers_nothing() {
    let Desk {
        mut server, key, ..
    } = Desk::open(Database::Sqlite).await;
    let session = begin(&server, &key, json!({ "path": "a.md", "size": 3 })).await;
    assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
    let template = session.template.replace(&server.url, "");
    server.stop().await;
    sqlite(server.data.path(), "UPDATE members SET role = 'member'").await;
    server.restart().await;
    let moved = Session::of(json!({
        "upload_id": session.id, "part_url_template": format!("{}{template}", server.url),
    }));
    let (status, fault) = moved.put(0, b"abd".to_vec(), None).await;
    assert_eq!(
        (status, &fault["code"]),
        (404, &json!("UPLOAD_NOT_FOUND")),
        "{fault}"
    );
}

#[tokio::test]
async fn a_session_that_may_not_become_a_document_is_not_begun() {
    for database in Database::BOTH {
        let settings = [
            ("DOCUMENT_BYTES", "1000"),
            ("DOCUMENTS_QUOTA_BYTES", "1500"),
        ];
        let Desk { server, key, .. } = Desk::open_with(database, &settings).await;
        let refused = async |new: Value, status: u16, code: &str| {
            let (answered, fault) = try_begin(&server, &key, new).await;
            assert_eq!(
                (answered, fault["fault"].as_str()),
                (status, Some(code)),
                "{fault}"
            );
            fault
        };
        let fault = refused(json!({ "path": "a.md", "size": 1001 }), 413, "TOO_LARGE").await;
        assert_eq!(fault["details"]["limit"], 1000);
        for new in [
            json!({ "path": "a.md", "size": -1 }),
            json!({ "path": "a.md" }),
            json!({ "path": "../a", "size": 1 }),
            json!({ "path": "a.md", "size": 1, "sha256": "abc" }),
            json!({ "path": "a.md", "size": 1, "mime": "text/plain" }),
        ] {
            refused(new, 400, "INVALID_ARG").await;
        }
        assert_eq!(bytes_on_disk(&server), 0);

        // What is to come counts as if it were there.
        let session = begin(&server, &key, json!({ "path": "a.md", "size": 900 })).await;
        refused(
            json!({ "path": "b.md", "size": 900 }),
            507,
            "QUOTA_EXCEEDED",
        )
        .await;
        assert_eq!(
            upload(&server, &key, "path=b.md", vec![b'b'; 700]).await.0,
            507
        );
        assert_eq!(abort(&server, &key, &session).await.0, 200);
        assert_eq!(
            upload(&server, &key, "path=b.md", vec![b'b'; 700]).await.0,
            201
        );
        let session = begin(&server, &key, json!({ "path": "c.md", "size": 800 })).await;
        assert_eq!(session.put(0, vec![b'c'; 800], None).await.0, 200);
        assert_eq!(
            complete(&server, &key, &session).await.0,
            200,
            "its own bytes count once"
        );

        // What is there is replaced only when that is said, also when it came in between.
        refused(json!({ "path": "c.md", "size": 3 }), 409, "ALREADY_EXISTS").await;
        let over = json!({ "path": "c.md", "size": 3, "replace": true });
        let over = begin(&server, &key, over).await;
        assert_eq!(over.put(0, b"new".to_vec(), None).await.0, 200);
        let (status, replaced) = complete(&server, &key, &over).await;
        assert_eq!(status, 200, "{replaced}");
        let etag = format!("sha256:{}", hex(b"new"));
        assert_eq!(replaced["document"]["etag"], etag);
        let session = begin(&server, &key, json!({ "path": "d.md", "size": 3 })).await;
        assert_eq!(session.put(0, b"abc".to_vec(), None).await.0, 200);
        assert_eq!(upload(&server, &key, "path=d.md", "first").await.0, 201);
        let (status, fault) = complete(&server, &key, &session).await;
        assert_eq!(
            (status, fault["fault"].as_str()),
            (409, Some("ALREADY_EXISTS"))
        );
        assert_eq!(count(&server, &key, DOCUMENTS).await, 3);
    }
}

#[tokio::test]
async fn a_session_whose_file_cannot_be_made_leaves_nothing() {
    let Desk { server, key, .. } = Desk::open(Database::Sqlite).await;
    // In place of a full disk: nothing can be made in a directory that is gone.
    std::fs::remove_dir(server.data.path().join("documents/uploads")).unwrap();
    let (status, fault) = try_begin(&server, &key, json!({ "path": "a.md", "size": 3 })).await;
    assert!(status >= 400, "{fault}");
    assert_eq!(count(&server, &key, UPLOADS).await, 0);
    assert_eq!(bytes_on_disk(&server), 0);
    let (_, events) = server
        .rest(&key, "GET", "/api/v1/events?limit=100", None)
        .await;
    assert!(
        !events.to_string().contains("document.upload_created"),
        "{events}"
    );
}

#[tokio::test]
async fn one_request_that_is_too_large_is_told_of_the_session() {
    let settings = [("DOCUMENT_BYTES", "100000000")];
    let Desk { server, key, .. } = Desk::open_with(Database::Sqlite, &settings).await;
    let announce = async |size: usize| {
        let host = server.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).await.unwrap();
        let head = format!(
            "POST {DOCUMENTS}?path=a.md HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Length: {size}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read(&mut answer));
        let length = read.await.expect("it is refused before its bytes").unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    let answer = announce(64 * 1024 * 1024 + 1).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(
        answer.contains(&format!("\"use\":\"POST {UPLOADS}\"")),
        "{answer}"
    );
    // No session takes more than a document may have.
    let answer = announce(100_000_001).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert!(!answer.contains("\"use\""), "{answer}");
    let new = json!({ "path": "a.md", "size": 64 * 1024 * 1024 + 1 });
    let (status, made) = try_begin(&server, &key, new).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["upload"]["partCount"], 9);
    let session = session_of(&made["upload"]);
    assert_eq!(session.put(8, bytes(1, 0), None).await.0, 200);
}

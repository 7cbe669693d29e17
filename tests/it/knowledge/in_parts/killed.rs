//! kill -9 while a session is completed: afterwards there is one document, or none and the session is open.

use super::waiting::lock_organizations;
use super::*;
use crate::outside::{drafts_of_documents, until};
use tokio::task::JoinHandle;

/// Whether the shelf has the bytes of a digest.
fn has_bytes(server: &Server, digest: &str) -> bool {
    let orgs = std::fs::read_dir(server.data.path().join("documents"));
    let mut orgs = orgs.into_iter().flatten().flatten();
    orgs.any(|org| org.path().join(digest).exists())
}

/// A session whose parts are all there.
async fn filled(server: &Server, key: &str, file: &[u8]) -> Session {
    let new = json!({ "path": "ruff.html", "size": file.len() });
    let session = begin(server, key, new).await;
    for n in 0..3 {
        assert_eq!(session.put(n, piece(file, n), None).await.0, 200);
    }
    session
}

/// Asks for its end, and does not wait for the answer, which may never come.
fn completing(server: &Server, key: &str, session: &Session) -> JoinHandle<()> {
    let url = format!("{}{UPLOADS}/{}/complete", server.url, session.id);
    let asked = reqwest::Client::new().post(url).bearer_auth(key).send();
    tokio::spawn(async move {
        let _ = asked.await;
    })
}

/// What a server that was killed left is whole, and one document comes of it.
async fn becomes_one(server: &Server, key: &str, session: &Session, digest: &str) {
    let state = told(server, key, session).await["state"].clone();
    let documents = i64::from(state == "completed");
    assert!(state == "open" || state == "completed", "{state}");
    assert_eq!(count(server, key, DOCUMENTS).await, documents, "{state}");
    assert!(drafts_of_documents(server.data.path()).is_empty());
    let (status, made) = complete(server, key, session).await;
    assert_eq!(status, 200, "{made}");
    assert_eq!(made["document"]["etag"], format!("sha256:{digest}"));
    assert_eq!(count(server, key, DOCUMENTS).await, 1);
    assert_eq!(count(server, key, UPLOADS).await, 0);
    assert!(has_bytes(server, digest));
    assert_eq!(bytes_on_disk(server), 1, "its bytes and nothing besides");
    let (_, events) = server
        .rest(key, "GET", "/api/v1/events?limit=100", None)
        .await;
    let added = events.to_string().matches("\"document.added\"").count();
    assert_eq!(added, 1, "{events}");
}

#[tokio::test]
async fn kill_9_in_the_midst_of_completing_leaves_one_document_or_an_open_session() {
    let file = large("The ruff was here.");
    let digest = hex(&file);
    for database in Database::BOTH {
        // While its bytes are copied, and when they have their name and the row is about to be written.
        for waits_for_name in [false, true] {
            let Desk {
                mut server, key, ..
            } = Desk::open(database).await;
            let session = filled(&server, &key, &file).await;
            let asked = completing(&server, &key, &session);
            until("it is under way", || {
                let is_copied = !drafts_of_documents(server.data.path()).is_empty();
                (is_copied && !waits_for_name) || has_bytes(&server, &digest)
            })
            .await;
            server.kill().await;
            asked.await.unwrap();
            server.restart().await;
            becomes_one(&server, &key, &session, &digest).await;
        }
    }
}

#[tokio::test]
async fn kill_9_between_the_bytes_of_a_document_and_its_row_leaves_the_session_open() {
    let mut server = Server::start_on(Database::Postgres).await;
    let key = server.api_key(&[]).await;
    let file = large("The dunlin was here.");
    let digest = hex(&file);
    let session = filled(&server, &key, &file).await;
    let locked = lock_organizations(&server).await;
    let asked = completing(&server, &key, &session);
    until("the bytes have their name", || has_bytes(&server, &digest)).await;
    server.kill().await;
    asked.await.unwrap();
    drop(locked);
    server.restart().await;
    assert_eq!(told(&server, &key, &session).await["state"], "open");
    becomes_one(&server, &key, &session, &digest).await;
}

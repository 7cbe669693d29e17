//! Several people, or the same one twice, at the same moment.

use super::waiting::lock_organizations;
use super::*;
use crate::outside::until;

#[tokio::test]
async fn sessions_that_begin_at_once_share_the_room_that_there_is() {
    for database in Database::BOTH {
        let settings = [
            ("DOCUMENT_BYTES", "1000"),
            ("DOCUMENTS_QUOTA_BYTES", "1500"),
        ];
        let Desk { server, key, .. } = Desk::open_with(database, &settings).await;
        let begun = (0..8).map(|n| {
            let new = json!({ "path": format!("{n}.md"), "size": 400 });
            try_begin(&server, &key, new)
        });
        let mut made = 0;
        for (status, answer) in join_all(begun).await {
            match status {
                201 => made += 1,
                _ => assert_eq!(
                    (status, answer["fault"].as_str()),
                    (507, Some("QUOTA_EXCEEDED"))
                ),
            }
        }
        assert_eq!(made, 3);
        assert_eq!(count(&server, &key, UPLOADS).await, 3);
        assert_eq!(bytes_on_disk(&server), 3, "what was refused has no file");
    }
}

#[tokio::test]
async fn a_session_that_is_completed_and_aborted_at_once_ends_in_one_way() {
    for database in Database::BOTH {
        let Desk { server, key, .. } = Desk::open(database).await;
        let mut documents = 0;
        for round in 0..6 {
            let bytes = format!("# Round {round}\n").into_bytes();
            let new = json!({ "path": format!("{round}.md"), "size": bytes.len() });
            let session = begin(&server, &key, new).await;
            assert_eq!(session.put(0, bytes, None).await.0, 200);
            let (done, ended) = tokio::join!(
                complete(&server, &key, &session),
                abort(&server, &key, &session)
            );
            let state = told(&server, &key, &session).await["state"].clone();
            match (done.0, ended.0) {
                (200, 400) => {
                    documents += 1;
                    assert_eq!(state, "completed");
                }
                (400, 200) => assert_eq!(state, "aborted"),
                _ => panic!("{done:?} {ended:?}"),
            }
        }
        assert_eq!(count(&server, &key, DOCUMENTS).await, documents);
        let files = bytes_on_disk(&server);
        assert_eq!(i64::try_from(files).unwrap(), documents);
    }
}

#[tokio::test]
async fn whoever_hangs_up_while_a_session_begins_leaves_no_file() {
    let server = Server::start_on(Database::Postgres).await;
    let key = server.api_key(&[]).await;
    // The row waits for it.
    let locked = lock_organizations(&server).await;
    let asked = reqwest::Client::new()
        .post(format!("{}{UPLOADS}", server.url))
        .bearer_auth(&key)
        .json(&json!({ "path": "a.md", "size": 3 }))
        .send();
    let asked = tokio::spawn(asked);
    until("the file is there", || bytes_on_disk(&server) == 1).await;
    asked.abort();
    until("the file is gone", || bytes_on_disk(&server) == 0).await;
    drop(locked);
    assert_eq!(count(&server, &key, UPLOADS).await, 0);
}

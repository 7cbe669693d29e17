//! What lasts: through kill -9, another upload, a backup; and what there is room for.

use super::*;
use crate::outside::sqlite;
use quaymaster_tests::cli;
use std::path::Path;
use tempfile::TempDir;

/// Text that takes a while to read, cut and store.
fn long_text() -> String {
    let lines: Vec<String> = (0..60_000)
        .map(|n| format!("Line {n} of the ledger of the sandpiper.\n"))
        .collect();
    lines.concat()
}

#[tokio::test]
async fn kill_9_in_the_midst_of_reading_loses_nothing() {
    let Desk {
        mut server, key, ..
    } = Desk::open(Database::Sqlite).await;
    let (status, made) = upload(&server, &key, "path=ledger.txt", long_text()).await;
    assert_eq!(status, 201);
    let id = made["document"]["id"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    loop {
        let (_, read) = server
            .rest(&key, "GET", &format!("{DOCUMENTS}/{id}"), None)
            .await;
        if read["document"]["state"] == "extracting" {
            break;
        }
        assert!(
            begun.elapsed() < PATIENCE && read["document"]["state"] == "queued",
            "{read}"
        );
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    server.kill().await;
    server.restart().await;
    let document = settled(&server, &key, &id).await;
    assert_eq!(document["state"], "indexed", "{document}");
    let mcp = Mcp::open(&server.endpoint, &key).await;
    let whole = document["chunks"].as_i64().unwrap();
    let path = format!("{DOCUMENTS}/{id}/chunks?limit=500&offset={}", whole - 1);
    let (_, last) = server.rest(&key, "GET", &path, None).await;
    assert!(
        last["chunks"][0]["text"]
            .as_str()
            .unwrap()
            .contains("Line 59999 of"),
        "{last}"
    );
    assert_eq!(last["chunks"].as_array().unwrap().len(), 1);
    // What the killed worker had written is not found besides.
    let results = found(&mcp, "59999").await;
    assert_eq!(results.len(), 1, "{results:?}");
    // It is read in parts, each of which says where the next one is.
    let mut uri = format!("drive://{id}");
    let mut text = String::new();
    loop {
        let mut parts = texts(&mcp, &uri).await;
        let next = parts
            .last()
            .and_then(|last| last.strip_prefix("The document goes on at "));
        let Some(next) = next.map(|next| next.trim_end_matches('.').to_owned()) else {
            text.push_str(&parts.concat());
            break;
        };
        parts.pop();
        text.push_str(&parts.concat());
        uri = next;
    }
    assert!(text == long_text(), "{} bytes", text.len());
}

#[tokio::test]
async fn a_document_keeps_its_id_when_it_is_replaced_and_shares_equal_bytes() {
    let Desk { server, key, mcp } = Desk::open(Database::Sqlite).await;
    let first = add(&server, &key, "a.md", "curlew\n").await;
    let (status, fault) = upload(&server, &key, "path=a.md", "dipper\n").await;
    assert_eq!(
        (status, fault["fault"].as_str()),
        (409, Some("ALREADY_EXISTS"))
    );
    assert_eq!(fault["details"]["document"], first["id"]);
    let (status, second) = upload(&server, &key, "path=a.md&replace=true", "dipper\n").await;
    assert_eq!((status, &second["document"]["id"]), (201, &first["id"]));
    settled(&server, &key, first["id"].as_str().unwrap()).await;
    assert_eq!(found(&mcp, "curlew").await.len(), 0);
    assert_eq!(found(&mcp, "dipper").await.len(), 1);
    let twin = add(&server, &key, "b.md", "dipper\n").await;
    assert_eq!(bytes_on_disk(&server), 1);
    let path = format!("{DOCUMENTS}/{}", twin["id"].as_str().unwrap());
    let (_, gone) = server.rest(&key, "DELETE", &path, None).await;
    assert_eq!(gone["bytesRemoved"], false);
    let (status, queued) = server
        .rest(&key, "POST", &format!("{DOCUMENTS}/reindex"), None)
        .await;
    assert_eq!((status, &queued["queued"]), (202, &json!(1)));
    let again = settled(&server, &key, first["id"].as_str().unwrap()).await;
    assert_eq!(again["state"], "indexed");
    assert_eq!(found(&mcp, "dipper").await.len(), 1);
    let (_, events) = server
        .rest(&key, "GET", "/api/v1/events?limit=100", None)
        .await;
    for action in [
        "document.added",
        "document.replaced",
        "document.indexed",
        "document.requeued",
        "document.deleted",
    ] {
        assert!(events.to_string().contains(action), "{action}: {events}");
    }
}

#[tokio::test]
async fn what_there_is_no_room_for_is_refused_and_leaves_nothing() {
    let settings = [
        ("DOCUMENT_BYTES", "1000"),
        ("DOCUMENTS_QUOTA_BYTES", "1500"),
    ];
    let Desk { server, key, .. } = Desk::open_with(Database::Sqlite, &settings).await;
    let (status, fault) = upload(&server, &key, "path=a.md", vec![b'a'; 1001]).await;
    assert_eq!((status, fault["fault"].as_str()), (413, Some("TOO_LARGE")));
    // Not announced, so that only the bytes tell.
    let pieces =
        futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 100])));
    let sent = reqwest::Client::new()
        .post(format!("{}{DOCUMENTS}?path=a.md", server.url))
        .bearer_auth(&key)
        .body(reqwest::Body::wrap_stream(pieces))
        .send()
        .await
        .unwrap();
    assert_eq!(sent.status(), 413);
    let (status, _) = upload(&server, &key, "path=a.md", vec![b'a'; 900]).await;
    assert_eq!(status, 201);
    let (status, fault) = upload(&server, &key, "path=b.md", vec![b'b'; 900]).await;
    assert_eq!(
        (status, fault["fault"].as_str()),
        (507, Some("QUOTA_EXCEEDED"))
    );
    let (status, _) = upload(&server, &key, "path=a.md&replace=true", vec![b'b'; 900]).await;
    assert_eq!(status, 201);
    for path in ["", "../a", "a//b", "a%00b", "%E2%80%AEa"] {
        let (status, fault) = upload(&server, &key, &format!("path={path}"), "a").await;
        assert_eq!(
            (status, fault["fault"].as_str()),
            (400, Some("INVALID_ARG")),
            "{path}"
        );
    }
    assert_eq!(bytes_on_disk(&server), 1);
}

/// Goes on with what was restored, in the place of what the server had.
async fn take_over(server: &mut Server, restored: &Path) {
    server.stop().await;
    for name in ["documents", "quaymaster.db"] {
        let ours = server.data.path().join(name);
        let gone = if ours.is_dir() {
            std::fs::remove_dir_all(&ours)
        } else {
            std::fs::remove_file(&ours)
        };
        gone.unwrap();
        std::fs::rename(restored.join(name), ours).unwrap();
    }
    server.restart().await;
}

#[tokio::test]
async fn a_backup_has_the_documents_and_a_restored_server_finds_and_reads_them() {
    let Desk {
        mut server, key, ..
    } = Desk::open(Database::Sqlite).await;
    let document = add(
        &server,
        &key,
        "kept.md",
        "# Kept\n\nThe turnstone record.\n",
    )
    .await;
    let place = TempDir::new().unwrap();
    let file = place.path().join("backup.tar");
    let data = place.path().join("data");
    server.cli_json(&["backup", file.to_str().unwrap()]).await;
    let restored = cli(&data, &[], &["restore", file.to_str().unwrap()]).await;
    assert!(
        restored.status.success(),
        "{}",
        String::from_utf8_lossy(&restored.stderr)
    );
    let sha256 = document["etag"]
        .as_str()
        .unwrap()
        .strip_prefix("sha256:")
        .unwrap();
    let orgs: Vec<_> = std::fs::read_dir(data.join("documents")).unwrap().collect();
    let bytes = orgs[0].as_ref().unwrap().path().join(sha256);
    assert_eq!(
        std::fs::read_to_string(bytes).unwrap(),
        "# Kept\n\nThe turnstone record.\n"
    );
    take_over(&mut server, &data).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    assert_eq!(found(&mcp, "turnstone").await.len(), 1);
    let path = format!("{DOCUMENTS}/{}/reindex", document["id"].as_str().unwrap());
    assert_eq!(server.rest(&key, "POST", &path, None).await.0, 202);
    let again = settled(&server, &key, document["id"].as_str().unwrap()).await;
    assert_eq!(again["state"], "indexed");
}

#[tokio::test]
async fn documents_that_are_replaced_while_a_backup_runs_are_all_in_it() {
    const MANY: usize = 12;
    const BACKUPS: usize = 3;
    const MOST_TRIES: usize = 12;
    let Desk {
        mut server, key, ..
    } = Desk::open(Database::Sqlite).await;
    let mut uploads = 0;
    let mut next = || {
        let about = format!("path={}.md&replace=true", uploads % MANY);
        uploads += 1;
        (about, format!("# Heron\n\nUpload number {uploads}.\n"))
    };
    for _ in 0..MANY {
        let (about, text) = next();
        assert_eq!(upload(&server, &key, &about, text).await.0, 201);
    }
    let place = TempDir::new().unwrap();
    let mut data = place.path().join("none");
    let mut good = 0;
    for number in 0..MOST_TRIES {
        let file = place.path().join(format!("{number}.tar"));
        let arguments = ["backup", file.to_str().unwrap()];
        let mut replaced = 0;
        {
            let backup = server.cli_json(&arguments);
            tokio::pin!(backup);
            loop {
                let (about, text) = next();
                tokio::select! {
                    _ = &mut backup => break,
                    (status, answer) = upload(&server, &key, &about, text) => {
                        assert_eq!(status, 201, "{answer}");
                        replaced += 1;
                    }
                }
            }
        }
        // On a busy machine a backup may be over before anything changed.
        if replaced == 0 {
            continue;
        }
        good += 1;
        data = place.path().join(format!("data{number}"));
        let restored = cli(&data, &[], &["restore", file.to_str().unwrap()]).await;
        assert!(
            restored.status.success(),
            "{}",
            String::from_utf8_lossy(&restored.stderr)
        );
        let rows = sqlite(&data, "SELECT org_id, sha256, path FROM documents").await;
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len(), MANY);
        for row in rows {
            let [org, sha256] = [&row[0], &row[1]].map(|text| text.as_str().unwrap());
            let bytes = data.join("documents").join(org).join(sha256);
            assert!(bytes.is_file(), "{row} is not in backup {number}");
        }
        if good == BACKUPS {
            break;
        }
    }
    assert!(good > 0, "nothing changed while a backup ran");
    take_over(&mut server, &data).await;
    let path = format!("{DOCUMENTS}/reindex");
    assert_eq!(server.rest(&key, "POST", &path, None).await.0, 202);
    let (_, listed) = server.rest(&key, "GET", DOCUMENTS, None).await;
    let listed = listed["documents"].as_array().unwrap();
    assert_eq!(listed.len(), MANY);
    for document in listed {
        let document = settled(&server, &key, document["id"].as_str().unwrap()).await;
        assert_eq!(document["state"], "indexed", "{document}");
    }
    // Nothing keeps the bytes of what is replaced any more.
    let before = bytes_on_disk(&server);
    let (status, _) = upload(&server, &key, "path=0.md&replace=true", "Egret.\n").await;
    assert_eq!((status, bytes_on_disk(&server)), (201, before));
}

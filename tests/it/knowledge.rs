//! The knowledge base: documents are uploaded, read by workers, found by agents and gone when they are deleted.

mod formats;
mod hostile;
mod in_parts;
mod lifetimes;
mod producers;

use quaymaster_tests::{Database, Desk, Mcp, Server};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DOCUMENTS: &str = "/api/v1/documents";
/// For the slowest document on a busy machine.
const PATIENCE: Duration = Duration::from_secs(100);

/// Uploads bytes; `about` is what stands behind the question mark.
async fn upload(
    server: &Server,
    key: &str,
    about: &str,
    bytes: impl Into<Vec<u8>>,
) -> (u16, Value) {
    let answer = reqwest::Client::new()
        .post(format!("{}{DOCUMENTS}?{about}", server.url))
        .bearer_auth(key)
        .body(bytes.into())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The document once nobody works on it any more.
async fn settled(server: &Server, key: &str, id: &str) -> Value {
    let begun = Instant::now();
    loop {
        let (status, read) = server
            .rest(key, "GET", &format!("{DOCUMENTS}/{id}"), None)
            .await;
        assert_eq!(status, 200, "{read}");
        if matches!(
            read["document"]["state"].as_str(),
            Some("indexed" | "failed")
        ) {
            return read["document"].clone();
        }
        assert!(begun.elapsed() < PATIENCE, "still not read: {read}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Uploads a document and waits until it was read.
async fn add(server: &Server, key: &str, path: &str, bytes: impl Into<Vec<u8>>) -> Value {
    let (status, made) = upload(server, key, &format!("path={path}"), bytes).await;
    assert_eq!(status, 201, "{made}");
    settled(server, key, made["document"]["id"].as_str().unwrap()).await
}

async fn found(mcp: &Mcp, query: &str) -> Vec<Value> {
    let answer = mcp
        .call("search_knowledge", json!({ "query": query }))
        .await;
    answer.unwrap()["results"].as_array().unwrap().clone()
}

/// The texts at an address.
async fn texts(mcp: &Mcp, uri: &str) -> Vec<String> {
    let answer = mcp.request("resources/read", json!({ "uri": uri })).await;
    let parts = answer["result"]["contents"].as_array();
    let parts = parts.unwrap_or_else(|| panic!("nothing at {uri}: {answer}"));
    parts
        .iter()
        .map(|part| part["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Files below the directory of documents that are no directories.
fn bytes_on_disk(server: &Server) -> usize {
    let mut open = vec![server.data.path().join("documents")];
    let mut count = 0;
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                count += 1;
            }
        }
    }
    count
}

const HANDBOOK: &str = "# Harbour handbook\n\nGeneral words.\n\n## Cranes\n\nThe gantry crane lifts forty tonnes at berth seven.\n\n## Pilots\n\nPilots board at the outer buoy.\n";

// promise: S0.10
#[tokio::test]
async fn a_document_is_found_by_its_words_read_by_its_address_and_gone_when_deleted() {
    for database in Database::BOTH {
        let Desk { server, key, mcp } = Desk::open(database).await;
        let (status, made) = upload(
            &server,
            &key,
            "path=handbook/cranes.md&title=Handbook",
            HANDBOOK,
        )
        .await;
        assert_eq!(status, 201, "{made}");
        let id = made["document"]["id"].as_str().unwrap().to_owned();
        let document = settled(&server, &key, &id).await;
        assert_eq!(document["state"], "indexed", "{document}");
        assert_eq!(document["mediaType"], "text/markdown");
        assert_eq!(document["chunks"], 3);

        let results = found(&mcp, "how much do the cranes lift?").await;
        assert_eq!(results[0]["title"], "Handbook", "{results:?}");
        assert_eq!(results[0]["heading_path"], "Harbour handbook > Cranes");
        assert_eq!(results[0]["etag"], document["etag"]);
        let snippet = results[0]["snippet"].as_str().unwrap();
        assert!(
            snippet.contains("gantry crane lifts forty tonnes"),
            "{snippet}"
        );
        let uri = results[0]["uri"].as_str().unwrap();
        assert_eq!(uri, format!("drive://{id}#2"));
        assert_eq!(
            texts(&mcp, uri).await,
            ["## Cranes\n\nThe gantry crane lifts forty tonnes at berth seven.\n\n"]
        );
        assert_eq!(
            texts(&mcp, &format!("drive://{id}")).await.concat(),
            HANDBOOK
        );

        let listed = mcp.request("resources/list", json!({})).await;
        assert!(
            listed.to_string().contains(&format!("drive://{id}")),
            "{listed}"
        );
        let templates = mcp.request("resources/templates/list", json!({})).await;
        assert!(
            templates.to_string().contains("drive://{doc_id}"),
            "{templates}"
        );
        let inside = json!({ "query": "crane", "path_prefix": "handbook/" });
        let inside = mcp.call("search_knowledge", inside).await.unwrap();
        assert_eq!(inside["results"].as_array().unwrap().len(), 1);
        let outside = json!({ "query": "crane", "path_prefix": "other/" });
        let outside = mcp.call("search_knowledge", outside).await.unwrap();
        assert_eq!(outside["results"], json!([]));

        let path = format!("{DOCUMENTS}/{id}");
        let (status, gone) = server.rest(&key, "DELETE", &path, None).await;
        assert_eq!(
            (status, &gone["bytesRemoved"], &gone["chunks"]),
            (200, &json!(true), &json!(3))
        );
        assert_eq!(found(&mcp, "cranes").await, Vec::<Value>::new());
        let answer = mcp.request("resources/read", json!({ "uri": uri })).await;
        assert_eq!(answer["error"]["data"]["code"], "NOT_FOUND", "{answer}");
        assert_eq!(server.rest(&key, "GET", &path, None).await.0, 404);
        assert_eq!(bytes_on_disk(&server), 0);
    }
}

#[tokio::test]
async fn signs_in_a_query_mean_nothing_on_either_database() {
    for database in Database::BOTH {
        let Desk { server, key, mcp } = Desk::open(database).await;
        add(
            &server,
            &key,
            "a.txt",
            "Write to harbour.master@example.com about the O'Brien-class 🎉 winch.",
        )
        .await;
        for query in [
            "\"unclosed winch",
            "winch'",
            "winch OR",
            "NEAR(winch",
            "winch*",
            "-winch",
            "text:winch",
            "(winch",
            "winch & | ! <->",
            "winch:*",
            "\\winch",
            "winch -- ; DROP TABLE documents",
            "harbour.master@example.com",
            "O'Brien",
            "o'brien-class",
            "🎉 winch",
            "winch\u{0}",
            "winches",
        ] {
            assert_eq!(
                found(&mcp, query).await.len(),
                1,
                "{query:?} on {database:?}"
            );
        }
        for query in ["🎉", "\"", "'; --", "*", "%", "_", "absent"] {
            assert_eq!(
                found(&mcp, query).await.len(),
                0,
                "{query:?} on {database:?}"
            );
        }
        let long = format!("winch {}", "word ".repeat(390));
        assert_eq!(found(&mcp, &long).await.len(), 1);
        let longer = json!({ "query": "w".repeat(2_001) });
        let fault = mcp.call("search_knowledge", longer).await.unwrap_err();
        assert_eq!(fault["code"], "INVALID_ARG");
        let cursor = json!({ "query": "winch", "cursor": "-1; DELETE" });
        let fault = mcp.call("search_knowledge", cursor).await.unwrap_err();
        assert_eq!(fault["code"], "INVALID_ARG");
    }
}

#[tokio::test]
async fn results_come_in_pages_without_a_gap() {
    for database in Database::BOTH {
        let Desk { server, key, mcp } = Desk::open(database).await;
        let parts: Vec<String> = (0..12)
            .map(|n| format!("# Part {n}\n\nThe lighthouse number {n}.\n\n"))
            .collect();
        let text = parts.concat();
        add(&server, &key, "many.md", text).await;
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let mut asked = json!({ "query": "lighthouse", "limit": 5 });
            if let Some(cursor) = cursor.take() {
                asked["cursor"] = cursor;
            }
            let page = mcp.call("search_knowledge", asked).await.unwrap();
            let uris = page["results"].as_array().unwrap().iter();
            seen.extend(uris.map(|one| one["uri"].as_str().unwrap().to_owned()));
            match &page["next_cursor"] {
                Value::String(next) => cursor = Some(json!(next)),
                _ => break,
            }
        }
        assert_eq!(seen.len(), 12, "{seen:?}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 12);
    }
}

#[tokio::test]
async fn another_organization_sees_no_document_and_hears_what_it_hears_of_unknown_ones() {
    for database in Database::BOTH {
        let Desk { server, key, mcp } = Desk::open(database).await;
        let document = add(
            &server,
            &key,
            "secret.md",
            "The password of the lock is halibut.\n",
        )
        .await;
        let id = document["id"].as_str().unwrap();
        let stranger = server.stranger().await;
        let other = stranger.as_str();
        let theirs = Mcp::open(&server.endpoint, other).await;
        assert_eq!(found(&theirs, "halibut").await.len(), 0);
        assert_eq!(found(&mcp, "halibut").await.len(), 1);
        let unknown = "doc_01arz3ndektsv4rrffq69g5fav";
        for (verb, path) in [
            ("GET", ""),
            ("GET", "/chunks"),
            ("POST", "/reindex"),
            ("DELETE", ""),
        ] {
            let answers = [id, unknown].map(|id| format!("{DOCUMENTS}/{id}{path}"));
            let known = server.rest(other, verb, &answers[0], None).await;
            assert_eq!(known.0, 404, "{known:?}");
            assert_eq!(known, server.rest(other, verb, &answers[1], None).await);
        }
        let read = async |id: &str| {
            let answer = theirs
                .request("resources/read", json!({ "uri": format!("drive://{id}") }))
                .await;
            let mut error = answer["error"].clone();
            error["data"]["uri"] = Value::Null;
            error
        };
        assert_eq!(read(id).await, read(unknown).await);
        let (_, listed) = server.rest(other, "GET", DOCUMENTS, None).await;
        assert_eq!(listed["total"], 0);
        // The same bytes at the same path are theirs alone.
        let own = add(
            &server,
            other,
            "secret.md",
            "The password of the lock is halibut.\n",
        )
        .await;
        assert_ne!(own["id"], document["id"]);
        let gone = server
            .rest(
                other,
                "DELETE",
                &format!("{DOCUMENTS}/{}", own["id"].as_str().unwrap()),
                None,
            )
            .await;
        assert_eq!(gone.1["bytesRemoved"], true);
        assert_eq!(found(&mcp, "halibut").await.len(), 1);
    }
}

#[tokio::test]
async fn a_key_without_the_scope_of_data_has_neither_the_tool_nor_the_documents() {
    let server = Server::start().await;
    let key = server.api_key(&["read:tools", "write:tools"]).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    assert!(
        !mcp.tool_names()
            .await
            .contains(&"search_knowledge".to_owned())
    );
    let fault = mcp
        .call("search_knowledge", json!({ "query": "a" }))
        .await
        .unwrap_err();
    assert_eq!(fault["code"], "SCOPE_DENIED");
    let answer = mcp.request("resources/list", json!({})).await;
    assert_eq!(answer["error"]["code"], -32601, "{answer}");
    let key = server.api_key(&["read:data"]).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    assert_eq!(mcp.tool_names().await, ["read_memory", "search_knowledge"]);
    assert_eq!(found(&mcp, "a").await.len(), 0);
    let (status, fault) = upload(&server, &key, "path=a.md", "a").await;
    assert_eq!(
        (status, fault["fault"].as_str()),
        (403, Some("SCOPE_DENIED"))
    );
}

//! Memory over the management API: entity tags, versions, restoring, redacting.

use super::Notes;
use quaymaster_tests::Database;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

const FILE: &str = "/api/v1/memory/files/projects/plan.md";

impl Notes {
    async fn send(
        &self,
        method: Method,
        path: &str,
        header: (&str, &str),
        body: Option<Value>,
    ) -> (StatusCode, String, Value) {
        let url = format!("{}{path}", self.server.url);
        let mut request = Client::new().request(method, url).bearer_auth(&self.key);
        if !header.0.is_empty() {
            request = request.header(header.0, header.1);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let etag = answer.headers().get("etag");
        let etag = etag.map(|tag| tag.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        (status, etag.unwrap_or_default(), body)
    }

    async fn put(&self, content: &str, if_match: &str) -> (StatusCode, String, Value) {
        let header = if if_match.is_empty() {
            ("", "")
        } else {
            ("if-match", if_match)
        };
        let body = Some(json!({ "content": content }));
        self.send(Method::PUT, FILE, header, body).await
    }
}

#[tokio::test]
async fn what_looks_like_a_number_is_searched_for_and_paged_by_as_text() {
    let notes = Notes::open(Database::Sqlite).await;
    for n in 0..3 {
        notes.create(&format!("2026/{n}.md"), "true 2026").await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/memory/files?query=2026&limit=1{cursor}");
        let (status, _, page) = notes.send(Method::GET, &path, ("", ""), None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        seen.push(page["files"][0]["path"].clone());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    seen.sort_by_key(ToString::to_string);
    assert_eq!(json!(seen), json!(["2026/0.md", "2026/1.md", "2026/2.md"]));
    let listed = notes
        .send(
            Method::GET,
            "/api/v1/memory/files?query=true",
            ("", ""),
            None,
        )
        .await;
    assert_eq!(
        listed.2["files"].as_array().unwrap().len(),
        3,
        "{}",
        listed.2
    );
    let wrong = notes
        .send(
            Method::GET,
            "/api/v1/memory/files?limit=007",
            ("", ""),
            None,
        )
        .await;
    assert_eq!(wrong.0, StatusCode::BAD_REQUEST, "{}", wrong.2);
}

#[tokio::test]
async fn entity_tags_keep_changes_apart() {
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        let (status, first, _) = notes.put("one", "").await;
        assert_eq!(status, StatusCode::CREATED);
        let known = ("if-none-match", first.as_str());
        let (status, tag, body) = notes.send(Method::GET, FILE, known, None).await;
        assert_eq!(
            (status, &tag, body),
            (StatusCode::NOT_MODIFIED, &first, Value::Null)
        );
        let (status, _, refused) = notes.put("two", "").await;
        assert_eq!(
            (status, &refused["fault"]),
            (StatusCode::CONFLICT, &json!("ALREADY_EXISTS"))
        );
        let (status, second, _) = notes.put("two", &first).await;
        assert_eq!(status, StatusCode::OK);
        let (status, _, refused) = notes.put("three", &first).await;
        assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{refused}");
        assert_eq!(
            format!(
                "\"{}\"",
                refused["details"]["current_etag"].as_str().unwrap()
            ),
            second
        );
        let (status, ..) = notes.put("three", "no tag").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let (status, ..) = notes
            .send(Method::DELETE, FILE, ("if-match", &first), None)
            .await;
        assert_eq!(status, StatusCode::PRECONDITION_FAILED);
        let (status, ..) = notes
            .send(Method::DELETE, FILE, ("if-match", &second), None)
            .await;
        assert_eq!(status, StatusCode::OK);
        let (status, ..) = notes.send(Method::GET, FILE, ("", ""), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_version_is_restored_also_of_a_deleted_file_and_a_redacted_one_is_gone() {
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        notes.create("a.md", "the password is swordfish").await;
        let over =
            json!({ "command": "create", "path": "a.md", "content": "nothing", "if_match": "*" });
        notes.write(over).await.unwrap();
        notes
            .write(json!({ "command": "delete", "path": "a.md" }))
            .await
            .unwrap();
        let ask = async |verb: &str, path: &str, body: Option<Value>| {
            let path = format!("/api/v1/memory{path}");
            notes.server.rest(&notes.key, verb, &path, body).await
        };
        let (status, listed) = ask("GET", "/versions?path=a.md", None).await;
        assert_eq!((status, &listed["total"]), (200, &json!(3)), "{listed}");
        let changes: Vec<&Value> = listed["versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["change"])
            .collect();
        assert_eq!(changes, ["deleted", "edited", "created"]);
        let one = |version: i64| Some(json!({ "path": "a.md", "version": version }));
        let (status, back) = ask("POST", "/restore", one(1)).await;
        assert_eq!((status, &back["version"]), (201, &json!(4)), "{back}");
        assert_eq!(notes.content("a.md").await, "the password is swordfish");
        // What a file says now stays readable, so it cannot be redacted.
        let (status, refused) = ask("POST", "/redact", one(1)).await;
        assert_eq!(status, 412, "{refused}");
        let (status, _) = ask("POST", "/restore", one(2)).await;
        assert_eq!(status, 200);
        let (status, gone) = ask("POST", "/redact", one(1)).await;
        assert_eq!((status, &gone["redacted"]), (200, &json!(2)), "{gone}");
        for version in [1, 4] {
            let (status, _) = ask("GET", &format!("/files/a.md?version={version}"), None).await;
            assert_eq!(status, 404, "{version}");
            assert_eq!(ask("POST", "/restore", one(version)).await.0, 404);
        }
        let (_, listed) = ask("GET", "/versions?path=a.md", None).await;
        assert!(listed["versions"][4]["redactedAt"].is_string(), "{listed}");
        assert_eq!(notes.content("a.md").await, "nothing");
        let (status, found) = ask("GET", "/files?query=swordfish", None).await;
        assert_eq!((status, &found["files"]), (200, &json!([])));
    }
}

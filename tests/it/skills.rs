//! Skills: what an organization writes, imports and enables, and how agents see it.

mod clients;
pub(crate) mod imports;
mod keeping;

use quaymaster_tests::{Mcp, Server};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A server whose administrator writes skills.
pub(crate) struct Shelf {
    pub(crate) server: Server,
    pub(crate) key: String,
}

impl Shelf {
    pub(crate) async fn open() -> Shelf {
        let server = Server::start().await;
        let key = server.api_key(&[]).await;
        Shelf { server, key }
    }

    pub(crate) async fn ask(&self, verb: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let path = format!("/api/v1/skills{path}");
        self.server.rest(&self.key, verb, &path, body).await
    }

    pub(crate) async fn did(&self, verb: &str, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.ask(verb, path, body).await;
        assert!(
            (200..300).contains(&status),
            "{verb} {path}: {status} {answer}"
        );
        answer
    }

    /// A skill, enabled unless `more` says otherwise.
    pub(crate) async fn write(&self, name: &str, more: Value) -> Value {
        let mut body = json!({
            "name": name,
            "description": format!("What {name} is for."),
            "systemPrompt": format!("# {name}\n\nDo it well."),
        });
        for (key, value) in more.as_object().unwrap() {
            body[key] = value.clone();
        }
        self.did("POST", "", Some(body)).await["skill"].clone()
    }

    pub(crate) async fn session(&self) -> Mcp {
        Mcp::open(&self.server.endpoint, &self.key).await
    }

    pub(crate) fn stateless(&self) -> Mcp {
        Mcp::stateless(&self.server.endpoint, &self.key)
    }
}

fn uris(answer: &Value) -> Vec<&str> {
    let resources = answer["result"]["resources"].as_array();
    let resources = resources.unwrap_or_else(|| panic!("no resources in {answer}"));
    resources
        .iter()
        .filter_map(|one| one["uri"].as_str())
        .collect()
}

async fn read(mcp: &Mcp, uri: &str) -> Value {
    let params = json!({ "uri": uri });
    if mcp.session.is_some() {
        mcp.request("resources/read", params).await
    } else {
        mcp.request_stateless("resources/read", params)
            .await
            .message()
    }
}

// promise: S0.48, S0.51, S0.52
#[tokio::test]
async fn the_first_request_lists_every_enabled_skill_and_no_other() {
    let shelf = Shelf::open().await;
    shelf.write("refunds", json!({})).await;
    shelf.write("drafts", json!({ "enabled": false })).await;
    shelf.write("audits", json!({})).await;
    let session = shelf.session().await;
    let listed = session.request("resources/list", json!({})).await;
    assert_eq!(uris(&listed), ["skill://audits", "skill://refunds"]);
    insta::assert_json_snapshot!(listed["result"]["resources"][0]);
    let stateless = shelf.stateless();
    let listed = stateless.request_stateless("resources/list", json!({}));
    let listed = listed.await.message();
    assert_eq!(
        uris(&listed),
        ["skill://audits/SKILL.md", "skill://refunds/SKILL.md"]
    );
    // Each form is readable in each era.
    for mcp in [&session, &stateless] {
        let short = read(mcp, "skill://refunds").await;
        let long = read(mcp, "skill://refunds/SKILL.md").await;
        let text = &short["result"]["contents"][0]["text"];
        assert!(text.as_str().unwrap().contains("Do it well."), "{short}");
        assert_eq!(*text, long["result"]["contents"][0]["text"]);
        assert_eq!(short["result"]["contents"][0]["mimeType"], "text/markdown");
    }
    // What is disabled is answered like what never was.
    for (mcp, code) in [(&session, -32002), (&stateless, -32602)] {
        for uri in ["skill://drafts", "skill://drafts/SKILL.md", "skill://never"] {
            let answer = read(mcp, uri).await;
            assert_eq!(answer["error"]["code"], code, "{answer}");
            assert_eq!(answer["error"]["data"]["code"], "NOT_FOUND");
            assert_eq!(answer["error"]["data"]["uri"], uri);
        }
    }
    let close = read(&session, "skill://refund").await;
    let hint = close["error"]["data"]["hint"].as_str().unwrap();
    assert_eq!(hint, "Did you mean refunds?");
}

// promise: S0.49, S0.50
#[tokio::test]
async fn a_skill_says_its_system_prompt_and_how_to_call_its_service() {
    let shelf = Shelf::open().await;
    let bound = json!({ "service": "GitHub", "systemPrompt": "Triage issues.\n" });
    let skill = shelf.write("triage", bound).await;
    assert_eq!(skill["service"], "github");
    let mcp = shelf.session().await;
    let answer = read(&mcp, "skill://triage").await;
    let text = answer["result"]["contents"][0]["text"].as_str().unwrap();
    insta::assert_snapshot!(text);
    // The example that it gives is one that the tool understands.
    let (_, rest) = text.split_once("```json\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    let called = mcp.call("connector_execute", example).await.unwrap_err();
    assert_eq!(called["code"], "CONNECTION_REQUIRED", "{called}");
    let body = json!({ "name": "b", "description": "b", "systemPrompt": "", "service": "githup" });
    let (status, refused) = shelf.ask("POST", "", Some(body)).await;
    assert_eq!(
        (status, &refused["fault"]),
        (404, &json!("UNKNOWN_SERVICE"))
    );
    assert!(refused["hint"].as_str().unwrap().contains("github"));
}

#[tokio::test]
async fn the_skills_extension_tells_of_every_file_with_its_digest() {
    let shelf = Shelf::open().await;
    let more = json!({ "frontmatter": { "license": "MIT", "metadata": { "team": "Ops" } } });
    shelf.write("refunds", more).await;
    let script = json!({ "text": "print('ä')\n", "executable": true });
    let path = "/refunds/files/scripts/run%20me.py";
    shelf.did("PUT", path, Some(script)).await;
    let bytes = json!({ "base64": "iVBORw0KGgr/" });
    shelf
        .did("PUT", "/refunds/files/assets/dot.png", Some(bytes))
        .await;
    let mcp = shelf.stateless();
    let discovered = mcp.request_stateless("server/discover", json!({})).await;
    let discovered = discovered.message();
    let extensions = &discovered["result"]["capabilities"]["extensions"];
    assert_eq!(extensions["io.modelcontextprotocol/skills"], json!({}));
    let listed = mcp.request_stateless("skills/list", json!({})).await;
    let listed = listed.message()["result"].clone();
    insta::assert_json_snapshot!(listed);
    let one = json!({ "uri": "skill://refunds/SKILL.md" });
    let one = mcp.request_stateless("skills/get", one).await.message();
    assert_eq!(one["result"]["skill"], listed["skills"][0]);
    assert_eq!(one["result"]["ttlMs"], 300_000);
    for file in listed["skills"][0]["resources"].as_array().unwrap() {
        let uri = file["uri"].as_str().unwrap();
        let answer = read(&mcp, uri).await;
        let content = &answer["result"]["contents"][0];
        let bytes = match content["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => base64(content["blob"].as_str().unwrap()),
        };
        assert_eq!(file["size"], bytes.len(), "{uri}");
        assert_eq!(
            file["digest"],
            format!("sha256:{}", sha256(&bytes)),
            "{uri}"
        );
    }
    for uri in ["skill://never/SKILL.md", "skill://refunds/scripts/SKILL.md"] {
        let answer = mcp.request_stateless("skills/get", json!({ "uri": uri }));
        assert_eq!(answer.await.message()["error"]["code"], -32602, "{uri}");
    }
    // A client of an older version may ask, too.
    let session = shelf.session().await;
    let answer = session.request("skills/list", json!({})).await;
    assert_eq!(answer["result"]["skills"], listed["skills"], "{answer}");
}

fn base64(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[tokio::test]
async fn an_open_stream_hears_within_a_second_of_every_change() {
    let shelf = Shelf::open().await;
    let mcp = shelf.session().await;
    let mut stream = mcp.stream().await;
    let enabled = |is: bool| Some(json!({ "enabled": is }));
    let file = Some(json!({ "text": "x" }));
    let new = json!({ "name": "a", "description": "a", "systemPrompt": "a" });
    for (verb, path, body) in [
        ("POST", "", Some(new)),
        ("PATCH", "/a", enabled(false)),
        ("PATCH", "/a", enabled(true)),
        ("PATCH", "/a", Some(json!({ "description": "b" }))),
        ("PUT", "/a/files/x.md", file),
        ("POST", "/a/versions/1/restore", None),
        ("DELETE", "/a", None),
    ] {
        shelf.did(verb, path, body).await;
        let told = Instant::now();
        let mut text = String::new();
        while !text.contains("notifications/resources/list_changed") {
            let chunk = tokio::time::timeout(Duration::from_secs(1), stream.chunk());
            let chunk = chunk
                .await
                .unwrap_or_else(|_| panic!("{verb} {path}: {text}"));
            text.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
        }
        assert!(told.elapsed() < Duration::from_secs(1), "{verb} {path}");
        assert!(!text.contains("tools/list_changed"), "{text}");
    }
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let shelf = Shelf::open().await;
    for number in 0..103 {
        shelf.write(&format!("skill-{number:03}"), json!({})).await;
    }
    let mcp = shelf.session().await;
    for (method, items) in [("resources/list", "resources"), ("skills/list", "skills")] {
        let first = mcp.request(method, json!({})).await;
        assert_eq!(first["result"][items].as_array().unwrap().len(), 100);
        let cursor = &first["result"]["nextCursor"];
        let second = mcp.request(method, json!({ "cursor": cursor })).await;
        let left = second["result"][items].as_array().unwrap();
        assert_eq!(left.len(), 3, "{second}");
        assert!(left[0]["uri"].as_str().unwrap().contains("skill-100"));
        assert!(second["result"]["nextCursor"].is_null());
    }
}

#[tokio::test]
async fn skills_need_the_scope_read_data_and_a_key_of_the_organization() {
    let shelf = Shelf::open().await;
    shelf.write("refunds", json!({})).await;
    let reading = shelf.server.api_key(&["read:data"]).await;
    let calling = shelf.server.api_key(&["read:tools", "write:tools"]).await;
    let theirs = shelf.server.stranger().await;
    for (token, listed) in [
        (&reading, Some(1)),
        (&theirs, Some(0)),
        (&calling, None),
        // A workspace token has files and nothing else.
        (&shelf.server.token, None),
    ] {
        let mcp = Mcp::stateless(&shelf.server.endpoint, token);
        let told = mcp.initialize("2025-11-25").await.message();
        let offers = told["result"]["capabilities"]["resources"].is_object();
        assert_eq!(offers, listed.is_some(), "{told}");
        let session = Mcp::open(&shelf.server.endpoint, token).await;
        for method in ["resources/list", "skills/list"] {
            let answer = session.request(method, json!({})).await;
            let items = &answer["result"][if method == "skills/list" {
                "skills"
            } else {
                "resources"
            }];
            assert_eq!(items.as_array().map(Vec::len), listed, "{answer}");
        }
        let answer = read(&session, "skill://refunds").await;
        assert_eq!(answer["result"].is_object(), listed == Some(1), "{answer}");
    }
    for (verb, path) in [
        ("GET", "/refunds"),
        ("DELETE", "/refunds"),
        ("GET", "/refunds/versions"),
        ("GET", "/refunds/export"),
        ("GET", "/refunds/files/SKILL.md"),
        ("POST", "/refunds/versions/1/restore"),
        ("DELETE", "/refunds/files/x"),
    ] {
        let there = format!("/api/v1/skills{path}");
        let never = there.replace("refunds", "unheard");
        let (status, foreign) = shelf.server.rest(&theirs, verb, &there, None).await;
        let (_, unknown) = shelf.server.rest(&theirs, verb, &never, None).await;
        assert_eq!(status, 404, "{verb} {path}: {foreign}");
        let text = foreign.to_string().replace("refunds", "unheard");
        assert_eq!(text, unknown.to_string());
    }
    shelf.did("GET", "/refunds", None).await;
}

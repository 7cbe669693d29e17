//! The files of a workspace by REST: read, written whole or not at all, moved, deleted.

use quaymaster_tests::{Mcp, Server};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

struct Files {
    server: Server,
    key: String,
    base: String,
}

impl Files {
    async fn open() -> Files {
        let server = Server::start().await;
        Files {
            key: server.api_key(&[]).await,
            base: format!("/api/v1/workspaces/{}/files", server.workspace),
            server,
        }
    }

    async fn send(&self, method: Method, path: &str, etag: &str, body: Vec<u8>) -> Response {
        let url = format!("{}{}{path}", self.server.url, self.base);
        let mut request = Client::new().request(method, url).bearer_auth(&self.key);
        if !etag.is_empty() {
            request = request.header("if-match", etag);
        }
        request.body(body).send().await.unwrap()
    }

    async fn put(&self, path: &str, etag: &str, body: &[u8]) -> (u16, Value) {
        let answer = self.send(Method::PUT, path, etag, body.to_vec()).await;
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    }

    async fn rest(&self, verb: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let path = format!("{}{path}", self.base);
        self.server.rest(&self.key, verb, &path, body).await
    }
}

#[tokio::test]
async fn a_file_is_written_read_changed_moved_and_deleted() {
    let files = Files::open().await;
    // Larger than one tool call may write, and than one piece of a body.
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (status, stored) = files.put("/content?path=a/b.bin", "", &bytes).await;
    assert_eq!(status, 200, "{stored}");
    assert_eq!(
        (&stored["size"], &stored["replaced"]),
        (&json!(3_000_000), &json!(false))
    );
    let read = files
        .send(Method::GET, "/content?path=a/b.bin", "", vec![])
        .await;
    let etag = read.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(read.headers()["content-disposition"], "attachment");
    assert_eq!(read.bytes().await.unwrap(), bytes);
    assert_eq!(json!(etag.trim_matches('"')), stored["etag"]);

    let (status, fault) = files.put("/content?path=a/b.bin", "", b"x").await;
    assert_eq!(
        (status, &fault["code"]),
        (409, &json!("DUPLICATE")),
        "{fault}"
    );
    let (status, _) = files
        .put(
            "/content?path=a/b.bin",
            &format!("sha256:{}", "0".repeat(64)),
            b"x",
        )
        .await;
    assert_eq!(status, 412);
    let (status, _) = files.put("/content?path=a/b.bin", &etag, b"").await;
    assert_eq!(status, 200);
    let (status, _) = files.put("/content?path=../b.bin", "", b"x").await;
    assert_eq!(status, 403);

    let (_, listed) = files.rest("GET", "?path=a", None).await;
    assert_eq!(listed["entries"][0]["path"], "a/b.bin");
    assert_eq!(listed["entries"][0]["size"], 0);
    let asked = json!({ "from": "a/b.bin", "to": "c/d.bin" });
    let (status, moved) = files.rest("POST", "/move", Some(asked)).await;
    assert_eq!(status, 200, "{moved}");
    let (_, made) = files
        .rest("POST", "/directories", Some(json!({ "path": "c" })))
        .await;
    assert_eq!(made, json!({ "path": "c", "created": false }));
    let (status, deleted) = files.rest("DELETE", "?path=c", None).await;
    assert_eq!((status, &deleted["files"]), (200, &json!(1)), "{deleted}");
    let trash = deleted["trashId"].as_str().unwrap();
    let path = files.base.replace("/files", "/trash");
    let path = format!("{path}/{trash}/restore");
    let (status, _) = files
        .server
        .rest(&files.key, "POST", &path, Some(json!({})))
        .await;
    assert_eq!(status, 200);
    let (_, listed) = files.rest("GET", "?path=c", None).await;
    assert_eq!(listed["total"], 1);
}

#[tokio::test]
async fn what_does_not_arrive_whole_leaves_nothing() {
    let files = Files::open().await;
    let (status, _) = files.put("/content?path=a.txt", "", b"before").await;
    assert_eq!(status, 200);
    // Announces more than it sends, and hangs up.
    let head = format!(
        "PUT {}/content?path=a.txt&replace=true HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: 1000000\r\n\r\nhalf",
        files.base, files.server.listening, files.key
    );
    {
        use tokio::io::AsyncWriteExt as _;
        let mut wire = tokio::net::TcpStream::connect(&files.server.listening)
            .await
            .unwrap();
        wire.write_all(head.as_bytes()).await.unwrap();
        wire.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut wire, &mut rest).await;
    }
    let read = files
        .send(Method::GET, "/content?path=a.txt", "", vec![])
        .await;
    assert_eq!(read.text().await.unwrap(), "before");
    let agent = Mcp::open(&files.server.endpoint, &files.server.token).await;
    let listed = agent.call("list_files", json!({})).await.unwrap();
    assert_eq!(listed["total"], 1, "{listed}");
}

#[tokio::test]
async fn a_stranger_reaches_no_file() {
    let files = Files::open().await;
    files.put("/content?path=a.txt", "", b"ours").await;
    let stranger = files.server.stranger().await;
    for (verb, path, body) in [
        ("GET", "", None),
        ("GET", "/content?path=a.txt", None),
        ("DELETE", "?path=a.txt", None),
        (
            "POST",
            "/move",
            Some(json!({ "from": "a.txt", "to": "b.txt" })),
        ),
        ("POST", "/directories", Some(json!({ "path": "b" }))),
    ] {
        let path = format!("{}{path}", files.base);
        let (status, _) = files.server.rest(&stranger, verb, &path, body).await;
        assert_eq!(status, 404, "{verb} {path}");
    }
    let read = files
        .send(Method::GET, "/content?path=a.txt", "", vec![])
        .await;
    assert_eq!(read.text().await.unwrap(), "ours");
}

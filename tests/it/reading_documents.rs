//! PDF and office files of a workspace, which agents read as text.

use quaymaster_tests::{Mcp, Server};
use reqwest::Client;
use serde_json::{Value, json};

async fn store(server: &Server, key: &str, path: &str, name: &str) {
    replace(server, key, path, name, "").await;
}

async fn replace(server: &Server, key: &str, path: &str, name: &str, etag: &str) {
    let fixture = format!("{}/fixtures/documents/{name}", env!("CARGO_MANIFEST_DIR"));
    let url = format!(
        "{}/api/v1/workspaces/{}/files/content?path={path}",
        server.url, server.workspace
    );
    let bytes = std::fs::read(&fixture).unwrap_or_else(|error| panic!("{fixture}: {error}"));
    let mut request = Client::new().put(url).bearer_auth(key).body(bytes);
    if !etag.is_empty() {
        request = request.header("if-match", etag);
    }
    assert_eq!(request.send().await.unwrap().status(), 200, "{path}");
}

async fn read(mcp: &Mcp, ask: Value) -> Value {
    mcp.call("read_file", ask).await.unwrap()
}

#[tokio::test]
async fn agents_read_the_text_of_documents_page_by_page() {
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    for (name, sentence) in [
        (
            "xelatex.pdf",
            "Die Möwen über Köln müssen große Fähren grüßen",
        ),
        (
            "libreoffice-writer.docx",
            "The footnote mentions a spoonbill.",
        ),
        ("openpyxl.xlsx", " | "),
        ("libreoffice-impress.pptx", "\n"),
    ] {
        store(&server, &key, name, name).await;
        let page = read(&mcp, json!({ "path": name, "line_numbers": false })).await;
        let text = page["content"].as_str().unwrap();
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(sentence) || line.contains(sentence), "{page}");
        assert_eq!(page["extracted"], true, "{page}");
        let info = mcp.call("get_file_info", json!({ "path": name })).await;
        let info = info.unwrap();
        assert_eq!(
            (&info["etag"], &info["size"]),
            (&page["etag"], &page["size"])
        );
        let known = json!({ "path": name, "if_none_match": page["etag"] });
        assert_eq!(read(&mcp, known).await["not_modified"], true);
        let bytes = read(&mcp, json!({ "path": name, "as": "base64" })).await;
        assert!(bytes["blob"].is_string() && bytes["extracted"].is_null());
    }

    // Lines and bytes are those of the text.
    let whole = json!({ "path": "xelatex.pdf", "as": "text", "line_numbers": false });
    let whole = read(&mcp, whole).await;
    let text = whole["content"].as_str().unwrap();
    let total = whole["total_lines"].as_u64().unwrap();
    assert!(total > 10 && whole["truncated"] == false, "{whole}");
    let mut pages = String::new();
    let mut start = json!(1);
    while !start.is_null() {
        let ask = json!({ "path": "xelatex.pdf", "start_line": start, "max_bytes": 300, "line_numbers": false });
        let page = read(&mcp, ask).await;
        pages.push_str(page["content"].as_str().unwrap());
        start = page["next"]["start_line"].clone();
    }
    assert_eq!(pages, text);
    let last = json!({ "path": "xelatex.pdf", "start_line": -1 });
    assert_eq!(read(&mcp, last).await["start_line"], total);
    let middle = json!({ "path": "xelatex.pdf", "as": "text", "offset": 0, "length": 20 });
    let middle = read(&mcp, middle).await;
    assert!(text.starts_with(middle["content"].as_str().unwrap()));
    let behind = json!({ "path": "xelatex.pdf", "start_line": total + 1 });
    let fault = mcp.call("read_file", behind).await.unwrap_err();
    assert_eq!(fault["code"], "LINE_OUT_OF_RANGE", "{fault}");

    // Another document under the same name is read anew.
    let etag = whole["etag"].as_str().unwrap();
    replace(&server, &key, "xelatex.pdf", "reportlab.pdf", etag).await;
    let page = read(&mcp, json!({ "path": "xelatex.pdf" })).await;
    let text = page["content"].as_str().unwrap();
    assert!(text.contains("fulmar crane"), "{text}");
}

#[tokio::test]
async fn a_document_without_text_says_why_and_still_gives_its_bytes() {
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    for (name, reason) in [
        ("scan-img2pdf.pdf", "no_text"),
        ("locked-aes256.pdf", "encrypted"),
        ("cut.pdf", "malformed"),
    ] {
        store(&server, &key, name, name).await;
        let fault = mcp.call("read_file", json!({ "path": name })).await;
        let fault = fault.unwrap_err();
        assert_eq!(fault["code"], "NOT_TEXT", "{fault}");
        assert_eq!(fault["details"]["reason"], reason, "{fault}");
        assert!(fault["hint"].as_str().unwrap().contains("base64"));
        let bytes = read(&mcp, json!({ "path": name, "as": "base64" })).await;
        assert!(bytes["blob"].as_str().unwrap().len() > 100);
    }
    // Tools that edit text refuse documents and say what reads them.
    store(&server, &key, "report.pdf", "reportlab.pdf").await;
    let edit = json!({ "path": "report.pdf", "find": "fulmar", "replace": "gannet" });
    let fault = mcp.call("find_replace", edit).await.unwrap_err();
    assert_eq!(fault["code"], "NOT_TEXT", "{fault}");
    assert!(fault["hint"].as_str().unwrap().contains("read_file"));
}

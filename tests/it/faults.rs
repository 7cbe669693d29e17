//! What an agent reads when a call fails: whole faults, as they come over MCP.

use quaymaster_tests::{Mcp, Server};
use serde_json::{Map, Value, json};

async fn fault(mcp: &Mcp, tool: &str, arguments: Value) -> Value {
    match mcp.call(tool, arguments.clone()).await {
        Err(fault) => fault,
        Ok(answer) => panic!("{tool} {arguments} succeeded: {answer}"),
    }
}

// promise: S0.54, S0.55, S1.66
#[tokio::test]
async fn every_fault_says_what_went_wrong_and_what_to_do_next() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let text = "alpha\nbeta\ngamma\nbeta\n";
    for (path, content) in [("notes/plan.txt", text), ("other.txt", "x\n")] {
        let arguments = json!({ "path": path, "content": content });
        mcp.call("write_file", arguments).await.unwrap();
    }
    std::fs::write(server.home().join("bytes.bin"), [0, 159, 146, 150]).unwrap();
    let stale = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let edit = |find: &str| json!({ "path": "notes/plan.txt", "find": find, "replace": "x" });
    let large = "x".repeat(1024 * 1024 + 1);
    let cases = [
        (
            "unknown argument",
            "read_file",
            json!({ "path": "other.txt", "startLine": 2 }),
        ),
        ("wrong type", "read_file", json!({ "path": 5 })),
        ("missing path", "read_file", json!({})),
        (
            "not found",
            "read_file",
            json!({ "path": "notes/plam.txt" }),
        ),
        (
            "stale etag",
            "write_file",
            json!({ "path": "other.txt", "content": "y", "if_match": stale }),
        ),
        ("no match", "find_replace", edit("gamme")),
        ("count mismatch", "find_replace", edit("beta")),
        (
            "line out of range",
            "replace_lines",
            json!({ "path": "notes/plan.txt", "start_line": 9, "end_line": 9, "content": "x" }),
        ),
        (
            "already exists",
            "move_file",
            json!({ "source": "other.txt", "destination": "notes/plan.txt" }),
        ),
        (
            "directory not empty",
            "delete_file",
            json!({ "path": "notes" }),
        ),
        ("a directory", "read_file", json!({ "path": "notes" })),
        (
            "not a directory",
            "list_files",
            json!({ "path": "other.txt" }),
        ),
        (
            "outside the workspace",
            "read_file",
            json!({ "path": "../../key" }),
        ),
        (
            "too large",
            "write_file",
            json!({ "path": "big", "content": large }),
        ),
        (
            "invalid expression",
            "search_files",
            json!({ "query": "(", "mode": "regex" }),
        ),
        (
            "not text",
            "insert_lines",
            json!({ "path": "bytes.bin", "line": 0, "content": "x" }),
        ),
        (
            "unknown upload",
            "get_upload_status",
            json!({ "upload_id": "upl_nonsense" }),
        ),
    ];
    let mut faults = Map::new();
    for (case, tool, arguments) in cases {
        let fault = fault(&mcp, tool, arguments).await;
        let object = fault.as_object().unwrap();
        assert!(
            object["code"].is_string() && object["message"].is_string(),
            "{fault}"
        );
        assert!(object["retryable"].is_boolean(), "{fault}");
        let known = ["code", "message", "retryable", "hint", "details"];
        assert!(
            object.keys().all(|key| known.contains(&key.as_str())),
            "{fault}"
        );
        let says = fault.to_string();
        let data = server.data.path().to_str().unwrap();
        assert!(
            !says.contains(data) && !says.contains("/home"),
            "a path of the host: {says}"
        );
        assert!(!says.contains("status"), "a status of ours: {says}");
        faults.insert(case.to_owned(), fault);
    }
    insta::assert_json_snapshot!("faults", faults);
    let read = std::fs::read_to_string(server.home().join("notes/plan.txt")).unwrap();
    assert_eq!(read, text, "a refused change changes nothing");
}

// promise: S0.53
#[tokio::test]
async fn a_failed_tool_is_a_result_marked_as_error_whose_one_text_is_the_fault() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let call = json!({ "name": "read_file", "arguments": { "path": "none" } });
    let answer = mcp.request("tools/call", call).await;
    assert!(answer["error"].is_null(), "{answer}");
    assert_eq!(answer["result"]["isError"], true);
    let content = answer["result"]["content"].as_array().unwrap();
    assert_eq!((content.len(), &content[0]["type"]), (1, &json!("text")));
    let fault: Value = serde_json::from_str(content[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(fault["code"], "NOT_FOUND");
}

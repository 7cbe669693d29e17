//! What a workspace token sees: exactly the 19 tools, and nothing but tools.

use quaymaster_tests::{FILE_TOOLS, Mcp, Server};
use serde_json::{Value, json};

async fn tools(mcp: &Mcp) -> Vec<Value> {
    let answer = mcp.request("tools/list", json!({})).await;
    assert!(answer["result"]["nextCursor"].is_null());
    answer["result"]["tools"].as_array().unwrap().clone()
}

// promise: S1.64
#[tokio::test]
async fn exactly_these_tools_are_listed_with_these_schemas() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let tools = tools(&mcp).await;
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, FILE_TOOLS);
    // Clients approve a list once and are asked again when it changes, so a change is a decision.
    insta::assert_json_snapshot!(
        "names_and_annotations",
        tools
            .iter()
            .map(|tool| json!({
                "name": tool["name"], "title": tool["title"], "annotations": tool["annotations"],
            }))
            .collect::<Vec<_>>()
    );
    insta::assert_json_snapshot!("tools", tools);
    let other_era = Mcp::stateless(&server.endpoint, &server.token);
    let listed = other_era
        .request_stateless("tools/list", json!({}))
        .await
        .message();
    assert_eq!(listed["result"]["tools"].as_array().unwrap(), &tools);
}

#[tokio::test]
async fn no_schema_has_what_model_vendors_refuse() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    for tool in tools(&mcp).await {
        let name = tool["name"].as_str().unwrap();
        assert!(tool["description"].as_str().unwrap().len() > 20, "{name}");
        for side in ["inputSchema", "outputSchema"] {
            let schema = &tool[side];
            assert_eq!(schema["type"], "object", "{name} {side}");
            for refused in ["anyOf", "oneOf", "allOf", "$ref", "not", "enum"] {
                assert!(
                    schema.get(refused).is_none(),
                    "{name} {side} has a {refused} on top"
                );
            }
            let text = schema.to_string();
            assert!(!text.contains("\"$ref\""), "{name} {side} refers elsewhere");
        }
        assert_eq!(tool["inputSchema"]["additionalProperties"], false, "{name}");
        assert_eq!(tool["annotations"]["openWorldHint"], false, "{name}");
    }
}

// promise: S1.45-S1.63
#[tokio::test]
async fn every_one_of_the_tools_does_its_work() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let ok = async |tool: &str, arguments: Value| {
        let answer = mcp.call(tool, arguments).await;
        answer.unwrap_or_else(|fault| panic!("{tool}: {fault}"))
    };
    let on_disk = |path: &str| std::fs::read_to_string(server.home().join(path)).unwrap();
    ok("create_directory", json!({ "path": "d" })).await;
    ok(
        "write_file",
        json!({ "path": "d/a.txt", "content": "one\ntwo\n" }),
    )
    .await;
    assert_eq!(on_disk("d/a.txt"), "one\ntwo\n");
    let read = ok(
        "read_file",
        json!({ "path": "d/a.txt", "start_line": 2, "line_numbers": false }),
    );
    assert_eq!(read.await["content"], "two\n");
    let found = ok("search_files", json!({ "query": "two" })).await;
    assert_eq!(found["matches"][0]["line"], 2);
    let listed = ok("list_files", json!({ "path": "d" })).await;
    assert_eq!(listed["entries"][0]["path"], "d/a.txt");
    let info = ok("get_file_info", json!({ "path": "d/a.txt" })).await;
    assert_eq!(
        (&info["size"], &info["total_lines"]),
        (&json!(8), &json!(2))
    );
    ok(
        "insert_lines",
        json!({ "path": "d/a.txt", "line": 0, "content": "zero" }),
    )
    .await;
    let replace = json!({ "path": "d/a.txt", "start_line": 2, "end_line": 2, "content": "ONE" });
    ok("replace_lines", replace).await;
    ok(
        "find_replace",
        json!({ "path": "d/a.txt", "find": "two", "replace": "TWO" }),
    )
    .await;
    let insert = json!({ "path": "d/a.txt", "pattern": "TWO", "content": "three" });
    ok("insert_after_pattern", insert).await;
    assert_eq!(on_disk("d/a.txt"), "zero\nONE\nTWO\nthree\n");
    ok(
        "delete_lines",
        json!({ "path": "d/a.txt", "start_line": 1, "end_line": 2 }),
    )
    .await;
    assert_eq!(on_disk("d/a.txt"), "TWO\nthree\n");
    ok(
        "copy_file",
        json!({ "source": "d/a.txt", "destination": "b.txt" }),
    )
    .await;
    ok(
        "move_file",
        json!({ "source": "b.txt", "destination": "c.txt" }),
    )
    .await;
    assert_eq!(on_disk("c.txt"), "TWO\nthree\n");
    assert!(!server.home().join("b.txt").exists());
    ok("delete_file", json!({ "path": "c.txt" })).await;
    assert!(!server.home().join("c.txt").exists());
    let upload = ok("create_upload_session", json!({ "path": "u", "size": 0 })).await;
    let id = json!({ "upload_id": upload["upload_id"] });
    assert_eq!(ok("get_upload_status", id.clone()).await["state"], "open");
    assert_eq!(ok("complete_upload_session", id).await["size"], 0);
    assert_eq!(on_disk("u"), "");
    let upload = ok("create_upload_session", json!({ "path": "v", "size": 1 })).await;
    let id = json!({ "upload_id": upload["upload_id"] });
    assert_eq!(ok("abort_upload_session", id).await["state"], "aborted");
    let link = ok("get_reconnect_url", json!({})).await;
    assert!(link["url"].as_str().unwrap().starts_with(&server.url));
}

// promise: S1.67, S1.68, S1.69
#[tokio::test]
async fn prompts_resources_and_templates_are_not_exposed() {
    let server = Server::start().await;
    let hello = Mcp::stateless(&server.endpoint, &server.token)
        .initialize("2025-06-18")
        .await;
    let capabilities = hello.message()["result"]["capabilities"].clone();
    assert_eq!(capabilities, json!({ "tools": { "listChanged": true } }));
    let session = Mcp::open(&server.endpoint, &server.token).await;
    let stateless = Mcp::stateless(&server.endpoint, &server.token);
    for (method, params) in [
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "x" })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "file:///a" })),
        ("no/such/method", json!({})),
    ] {
        let answer = session.request(method, params.clone()).await;
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
        let answer = stateless.request_stateless(method, params).await.message();
        assert_eq!(answer["error"]["code"], -32601, "{method}: {answer}");
    }
}

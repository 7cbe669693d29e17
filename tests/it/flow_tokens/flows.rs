//! Which flows a caller has as tools.

use super::*;

/// What a flow of [`Desk::flow`] says, called by whoever this is.
async fn say(mcp: &Mcp, flow: &str) -> String {
    let params = json!({ "name": flow, "arguments": {} });
    let message = match &mcp.session {
        Some(_) => mcp.request("tools/call", params).await,
        None => mcp.request_stateless("tools/call", params).await.message(),
    };
    let text = message["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no text in {message}"))
        .to_owned()
}

async fn second_workspace(desk: &Desk) -> String {
    let body = Some(json!({ "name": "Second" }));
    let (status, made) = desk.rest("POST", "/api/v1/workspaces", body).await;
    assert_eq!(status, 201, "{made}");
    made["workspace"]["id"].as_str().unwrap().to_owned()
}

// promise: S4.9, S4.17, S4.19, S4.25
#[tokio::test]
async fn a_flow_token_calls_the_flows_of_its_workspace_that_it_names() {
    let desk = Desk::start().await;
    let second = second_workspace(&desk).await;
    desk.flow("one").await;
    let two = desk.flow("two").await;
    let elsewhere = desk.flow_in(&second, "elsewhere").await;
    let all = desk.token("All").await;
    let named = json!({ "name": "Named", "flows": ["one", two, "two"], "inUrl": true });
    let named = desk.token_with(named).await;
    let single = desk
        .token_with(json!({ "name": "Single", "flows": [two], "inUrl": true }))
        .await;
    desk.flow("three").await;
    for (token, tools) in [
        (&all, &["one", "three", "two"][..]),
        (&named, &["one", "two"]),
        (&single, &["two"]),
    ] {
        let in_url = Mcp::open(&desk.address(&token.text), "").await;
        let in_header = Mcp::stateless(&desk.server.endpoint, &token.text);
        for mcp in [&in_url, &in_header] {
            // One workspace is reached, so no name stands in front.
            assert_eq!(mcp.tool_names().await, tools);
            assert_eq!(say(mcp, "two").await, "two here");
        }
    }
    let mcp = Mcp::open(&desk.server.endpoint, &single.text).await;
    for tool in ["one", "elsewhere", "second__elsewhere", "main__two"] {
        let fault = mcp.call(tool, json!({})).await.unwrap_err();
        assert_eq!(fault["code"], "NOT_FOUND", "{tool}: {fault}");
    }

    // A flow of another workspace is none of this one's, by id or by name.
    let path = format!("{}/flow-tokens", desk.workspace());
    for flow in [&*elsewhere, "elsewhere", "tow"] {
        let body = json!({ "name": "Wrong", "flows": [flow] });
        let (status, fault) = desk.rest("POST", &path, Some(body)).await;
        assert_eq!(status, 400, "{fault}");
        assert_eq!(
            fault["details"]["errors"][0]["pointer"], "/flows/0",
            "{fault}"
        );
    }
    let (_, calls) = desk.rest("GET", "/api/v1/calls", None).await;
    let calls = calls["calls"].as_array().unwrap();
    let called = calls.iter().find(|call| call["outcome"] == "OK").unwrap();
    assert_eq!(called["workspaceId"], desk.server.workspace, "{called}");
}

// promise: S4.11, S4.26
#[tokio::test]
async fn anybody_calls_the_flows_of_the_open_workspace_and_no_others() {
    let desk = Desk::start().await;
    let second = second_workspace(&desk).await;
    desk.flow("one").await;
    desk.flow_in(&second, "elsewhere").await;
    desk.open().await;
    let mcp = Mcp::open(&desk.server.endpoint, "").await;
    let stateless = Mcp::stateless(&desk.server.endpoint, "");
    for mcp in [&mcp, &stateless] {
        assert_eq!(mcp.tool_names().await, ["one"]);
        assert_eq!(say(mcp, "one").await, "one here");
        let fault = mcp.call("elsewhere", json!({})).await.unwrap_err();
        assert_eq!(fault["code"], "NOT_FOUND", "{fault}");
    }
    desk.flow("two").await;
    assert_eq!(mcp.tool_names().await, ["one", "two"]);

    // What is kept of the runs says that nobody in particular called.
    let path = format!("{}/flow-runs", desk.workspace());
    let (_, runs) = desk.rest("GET", &path, None).await;
    let (_, calls) = desk.rest("GET", "/api/v1/calls", None).await;
    let ran = &calls["calls"].as_array().unwrap()[0];
    assert_eq!(runs["runs"].as_array().unwrap().len(), 2, "{runs}");
    let caller = ran["credentialId"].as_str().unwrap();
    assert!(runs.to_string().contains(caller), "{caller}: {runs}");
}

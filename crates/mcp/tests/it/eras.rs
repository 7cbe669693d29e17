//! What the two eras answer differently, and what alike.

use crate::client::Client;
use crate::door::FixtureDoor;
use quaymaster_core::door::Offers;
use serde_json::json;

#[tokio::test]
async fn results_say_their_type_in_the_stateless_era_only() {
    let client = Client::new(&FixtureDoor::new());
    let session = client.open().await;
    let call = json!({ "name": "test_simple_text", "arguments": {} });
    for (method, params) in [("tools/list", json!({})), ("tools/call", call)] {
        let modern = client.ask_stateless(method, params.clone()).await.message();
        assert_eq!(modern["result"]["resultType"], "complete", "{modern}");
        let legacy = session.ask(method, params).await.message();
        let result = legacy["result"].as_object().unwrap();
        assert!(!result.contains_key("resultType"), "{legacy}");
    }
}

#[tokio::test]
async fn lists_and_resources_are_private_and_stale_at_once() {
    let client = Client::new(&FixtureDoor::new());
    for (method, params) in [
        ("tools/list", json!({})),
        ("prompts/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "test://static-text" })),
    ] {
        let answer = client.ask_stateless(method, params).await.message();
        let result = &answer["result"];
        assert_eq!(result["cacheScope"], "private", "{answer}");
        assert_eq!(result["ttlMs"], 0, "{answer}");
        assert_eq!(result["resultType"], "complete", "{answer}");
    }
}

#[tokio::test]
async fn each_caller_reads_their_own_instructions_in_both_eras() {
    let client = Client::new(&FixtureDoor::new());
    for letter in ["a", "b"] {
        let client = client.with_token(letter);
        let wanted = format!("You are crd_{letter:0>26}.");
        let legacy = client.initialize("2025-11-25").await.message();
        assert_eq!(legacy["result"]["instructions"], wanted.as_str());
        assert_eq!(legacy["result"]["serverInfo"]["name"], "fixture");
        let modern = client.ask_stateless("server/discover", json!({})).await;
        assert_eq!(modern.message()["result"]["instructions"], wanted.as_str());
    }
}

#[tokio::test]
async fn every_version_with_sessions_is_negotiated_and_an_unknown_one_gets_a_known_one() {
    let client = Client::new(&FixtureDoor::new());
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let answer = client.initialize(version).await.message();
        assert_eq!(answer["result"]["protocolVersion"], version);
    }
    let answer = client.initialize("1999-01-01").await.message();
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error_and_a_failed_call_a_result() {
    let client = Client::new(&FixtureDoor::new());
    let session = client.open().await;
    let unknown = json!({ "name": "nonsense", "arguments": {} });
    let failing = json!({ "name": "test_error_handling", "arguments": {} });
    for (unknown, failed) in [
        (
            session.ask("tools/call", unknown.clone()).await,
            session.ask("tools/call", failing.clone()).await,
        ),
        (
            client.ask_stateless("tools/call", unknown.clone()).await,
            client.ask_stateless("tools/call", failing.clone()).await,
        ),
    ] {
        assert_eq!(unknown.message()["error"]["code"], -32_602, "{unknown:?}");
        let failed = failed.message();
        assert_eq!(failed["result"]["isError"], true, "{failed}");
        let text = failed["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("INVALID_ARG"), "{text}");
    }
}

#[tokio::test]
async fn what_the_server_does_not_have_is_an_unknown_method() {
    let client = Client::new(&FixtureDoor::offering(Offers::default()));
    let session = client.open().await;
    let reference = json!({ "type": "ref/prompt", "name": "x" });
    let completion = json!({ "ref": reference, "argument": { "name": "x", "value": "x" } });
    for (method, params) in [
        ("prompts/list", json!({})),
        ("prompts/get", json!({ "name": "test_simple_prompt" })),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({ "uri": "test://static-text" })),
        (
            "resources/subscribe",
            json!({ "uri": "test://static-text" }),
        ),
        (
            "resources/unsubscribe",
            json!({ "uri": "test://static-text" }),
        ),
        ("logging/setLevel", json!({ "level": "info" })),
        ("completion/complete", completion),
        ("nonsense", json!({})),
    ] {
        let legacy = session.ask(method, params.clone()).await.message();
        assert_eq!(legacy["error"]["code"], -32_601, "{method}: {legacy}");
        let modern = client.ask_stateless(method, params).await;
        assert_eq!(modern.message()["error"]["code"], -32_601, "{modern:?}");
        assert_eq!(modern.status, 404, "{method}");
    }
}

#[tokio::test]
async fn capabilities_are_those_of_the_door() {
    let tools = json!({ "tools": { "listChanged": true } });
    let mut all = tools.clone();
    all["resources"] = json!({ "subscribe": true, "listChanged": true });
    all["prompts"] = json!({ "listChanged": true });
    all["completions"] = json!({});
    all["logging"] = json!({});
    all["extensions"] = json!({ "io.modelcontextprotocol/skills": {} });
    for (door, wanted) in [
        (FixtureDoor::offering(Offers::default()), tools),
        (FixtureDoor::new(), all),
    ] {
        let client = Client::new(&door);
        let legacy = client.initialize("2025-11-25").await.message();
        assert_eq!(legacy["result"]["capabilities"], wanted);
        let modern = client.ask_stateless("server/discover", json!({})).await;
        assert_eq!(modern.message()["result"]["capabilities"], wanted);
    }
}

#[tokio::test]
async fn an_id_may_be_used_again_once_it_is_answered() {
    let session = Client::new(&FixtureDoor::new()).open().await;
    for _ in 0..3 {
        let answer = session.ask("tools/list", json!({})).await;
        assert!(answer.message()["result"]["tools"].is_array(), "{answer:?}");
    }
}

//! Calls that ask their client.

use crate::client::{Answer, Client};
use crate::door::FixtureDoor;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;

fn anything() -> Value {
    json!({ "elicitation": { "form": {}, "url": {} }, "sampling": {}, "roots": {} })
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "arguments": {} })
}

fn accept(content: &Value) -> Value {
    json!({ "action": "accept", "content": content })
}

/// The text of a result.
fn said(message: &Value) -> &str {
    message["result"]["content"][0]["text"]
        .as_str()
        .unwrap_or_default()
}

/// The fault that a failed call answers.
fn fault(message: &Value) -> Value {
    assert_eq!(message["result"]["isError"], true, "{message}");
    serde_json::from_str(said(message)).unwrap()
}

const STATE: &str = "test_input_required_result_request_state";
const ROUNDS: &str = "test_input_required_result_multi_round";

#[tokio::test]
async fn a_session_is_asked_on_the_stream_of_the_call_until_the_call_is_satisfied() {
    let client = Client::new(&FixtureDoor::new())
        .that_can(anything())
        .open()
        .await;
    let mut stream = client.begin("tools/call", tool(ROUNDS)).await;
    for (question, content) in [
        ("What is your name?", json!({ "name": "Ada" })),
        ("Step 2: Which color?", json!({ "color": "blue" })),
    ] {
        let asked = stream.next().await.unwrap();
        assert_eq!(asked["method"], "elicitation/create", "{asked}");
        assert_eq!(asked["params"]["message"], question);
        client.reply(&asked, accept(&content)).await;
    }
    let answer = stream.next().await.unwrap();
    assert_eq!(
        said(&answer),
        r#"step2: action=accept, content={"color":"blue"}"#
    );
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_stateless_client_answers_by_coming_again_until_the_call_is_satisfied() {
    let client = Client::new(&FixtureDoor::new()).that_can(anything());
    let mut params = tool(ROUNDS);
    for (key, content) in [
        ("step1", json!({ "name": "Ada" })),
        ("step2", json!({ "color": "blue" })),
    ] {
        let asks = client.ask_stateless("tools/call", params.clone()).await;
        let asks = asks.message();
        assert_eq!(asks["result"]["resultType"], "input_required", "{asks}");
        let question = &asks["result"]["inputRequests"][key];
        assert_eq!(question["method"], "elicitation/create", "{asks}");
        params["inputResponses"] = json!({ key: accept(&content) });
        params["requestState"] = asks["result"]["requestState"].clone();
    }
    let answer = client.ask_stateless("tools/call", params).await.message();
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    assert_eq!(
        said(&answer),
        r#"step2: action=accept, content={"color":"blue"}"#
    );
}

#[tokio::test]
async fn questions_of_every_kind_are_asked_and_answered_in_both_eras() {
    let client = Client::new(&FixtureDoor::new()).that_can(anything());
    let session = client.open().await;
    let multiple = "test_input_required_result_multiple_inputs";
    let reply = |method: &str| match method {
        "elicitation/create" => json!({ "action": "decline" }),
        "roots/list" => json!({ "roots": [{ "uri": "file:///a" }] }),
        "sampling/createMessage" => json!({
            "role": "assistant",
            "content": { "type": "text", "text": "Hello." },
            "model": "m",
        }),
        other => panic!("{other}"),
    };

    let mut stream = session.begin("tools/call", tool(multiple)).await;
    for _ in 0..3 {
        let asked = stream.next().await.unwrap();
        session
            .reply(&asked, reply(asked["method"].as_str().unwrap()))
            .await;
    }
    let legacy = stream.next().await.unwrap();

    let mut params = tool(multiple);
    let asks = client
        .ask_stateless("tools/call", params.clone())
        .await
        .message();
    for (key, question) in asks["result"]["inputRequests"].as_object().unwrap() {
        params["inputResponses"][key] = reply(question["method"].as_str().unwrap());
    }
    params["requestState"] = asks["result"]["requestState"].clone();
    let modern = client.ask_stateless("tools/call", params).await.message();

    assert_eq!(said(&legacy), said(&modern));
    for part in [
        "user_name: action=decline",
        "m said [Text(\"Hello.\")]",
        "file:///a",
    ] {
        assert!(said(&modern).contains(part), "{modern}");
    }
}

#[tokio::test]
async fn a_page_to_visit_and_a_prompt_that_asks_are_questions_like_others() {
    let client = Client::new(&FixtureDoor::new()).that_can(anything());
    let session = client.open().await;
    for (method, params) in [
        ("tools/call", tool("asks_to_visit_a_page")),
        (
            "prompts/get",
            json!({ "name": "test_input_required_result_prompt" }),
        ),
    ] {
        let mut stream = session.begin(method, params.clone()).await;
        let asked = stream.next().await.unwrap();
        assert_eq!(asked["method"], "elicitation/create", "{asked}");
        session.reply(&asked, json!({ "action": "cancel" })).await;
        let legacy = stream.next().await.unwrap();
        assert!(legacy.to_string().contains("action=cancel"), "{legacy}");

        let asks = client.ask_stateless(method, params).await.message();
        let questions = asks["result"]["inputRequests"].as_object().unwrap();
        let modern = questions.values().next().unwrap();
        for (key, value) in asked["params"].as_object().unwrap() {
            // The one is different each time, the other is there for requests only.
            if key != "elicitationId" && key != "_meta" {
                assert_eq!(&modern["params"][key], value, "{asks}");
            }
        }
    }
}

#[tokio::test]
async fn a_client_that_cannot_be_asked_gets_the_error_of_its_era_and_the_call_ends() {
    for (declared, name, missing) in [
        (json!({}), STATE, json!({ "elicitation": { "form": {} } })),
        (
            json!({ "elicitation": { "url": {} } }),
            STATE,
            json!({ "elicitation": { "form": {} } }),
        ),
        (
            json!({ "elicitation": {} }),
            "asks_to_visit_a_page",
            json!({ "elicitation": { "url": {} } }),
        ),
        (
            json!({ "elicitation": {} }),
            "test_sampling",
            json!({ "sampling": {} }),
        ),
    ] {
        let door = FixtureDoor::new();
        let client = Client::new(&door).that_can(declared);
        let legacy = client.open().await.ask("tools/call", tool(name)).await;
        let fault = fault(&legacy.message());
        assert_eq!(fault["code"], "FORBIDDEN", "{fault}");
        assert!(
            fault["details"]["missing_client_capabilities"].is_array(),
            "{fault}"
        );
        let modern = client.ask_stateless("tools/call", tool(name)).await;
        assert_eq!(modern.status, 400, "{modern:?}");
        let error = &modern.message()["error"];
        assert_eq!(error["code"], -32_021, "{error}");
        assert_eq!(error["data"]["requiredCapabilities"], missing, "{error}");
        assert_eq!(door.called.load(Ordering::Relaxed), 2);
    }
}

/// A question of the tool and what would answer it.
async fn asked(client: &Client) -> Value {
    let mut params = json!({ "name": STATE, "arguments": { "path": "a" } });
    let asks = client
        .ask_stateless("tools/call", params.clone())
        .await
        .message();
    params["inputResponses"] = json!({ "confirm": accept(&json!({ "ok": true })) });
    params["requestState"] = asks["result"]["requestState"].clone();
    assert!(params["requestState"].is_string(), "{asks}");
    params
}

fn assert_refused(answer: &Answer) {
    let message = answer.message();
    assert_eq!(message["error"]["code"], -32_602, "{message}");
    assert!(
        message["error"]["message"]
            .as_str()
            .unwrap()
            .contains("requestState")
    );
}

#[tokio::test]
async fn a_state_opens_only_unchanged_for_its_caller_its_call_and_this_server() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).that_can(anything());
    let good = asked(&client).await;
    let before = door.called.load(Ordering::Relaxed);
    let changed = |field: &str, value: Value| {
        let mut params = good.clone();
        params[field] = value;
        params
    };
    let state = good["requestState"].as_str().unwrap();
    let mut flipped = state.as_bytes().to_vec();
    let middle = flipped.len() / 3;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    for params in [
        changed("requestState", json!(format!("{state}A"))),
        changed("requestState", json!(String::from_utf8(flipped).unwrap())),
        changed("requestState", json!(state[..state.len() - 2])),
        changed("requestState", json!("")),
        changed("arguments", json!({ "path": "b" })),
        changed("name", json!("test_input_required_result_tampered_state")),
    ] {
        assert_refused(&client.ask_stateless("tools/call", params).await);
    }
    let other = client.with_token("b");
    assert_refused(&other.ask_stateless("tools/call", good.clone()).await);
    let elsewhere = Client::of(door.router_with_key([8; 32])).that_can(anything());
    assert_refused(&elsewhere.ask_stateless("tools/call", good.clone()).await);
    assert_eq!(door.called.load(Ordering::Relaxed), before);

    let node = Client::of(door.router()).that_can(anything());
    for client in [client, node] {
        let answer = client
            .ask_stateless("tools/call", good.clone())
            .await
            .message();
        assert!(said(&answer).starts_with("state-ok"), "{answer}");
    }
}

#[tokio::test]
async fn a_question_may_be_answered_for_half_an_hour() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).that_can(anything());
    let good = asked(&client).await;
    door.set_ahead(29 * 60);
    let answer = client
        .ask_stateless("tools/call", good.clone())
        .await
        .message();
    assert!(said(&answer).starts_with("state-ok"), "{answer}");
    door.set_ahead(31 * 60);
    assert_refused(&client.ask_stateless("tools/call", good).await);
}

#[tokio::test]
async fn an_answer_that_is_none_is_refused_before_the_call() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).that_can(anything());
    for response in [
        json!(7),
        json!({}),
        json!({ "action": "shrug" }),
        json!({ "action": "accept", "content": 7 }),
        json!({ "roots": 7 }),
    ] {
        let mut params = tool(STATE);
        params["inputResponses"] = json!({ "confirm": response });
        let answer = client.ask_stateless("tools/call", params).await.message();
        assert_eq!(answer["error"]["code"], -32_602, "{response}: {answer}");
    }
    assert_eq!(door.called.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_call_that_asks_without_end_is_stopped() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).that_can(anything()).open().await;
    let mut stream = client
        .begin("tools/call", tool("asks_again_and_again"))
        .await;
    let mut rounds = 0;
    let answer = loop {
        let message = stream.next().await.unwrap();
        if message["method"] != "elicitation/create" {
            break message;
        }
        rounds += 1;
        client.reply(&message, accept(&json!({ "ok": true }))).await;
    };
    assert_eq!(fault(&answer)["code"], "TIMEOUT");
    assert_eq!(rounds, 8);
    assert_eq!(door.called.load(Ordering::Relaxed), 9);
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_question_nobody_answers_ends() {
    let client = Client::new(&FixtureDoor::new())
        .that_can(anything())
        .open()
        .await;
    let mut stream = client.begin("tools/call", tool(STATE)).await;
    let asked = stream.next().await.unwrap();
    tokio::time::sleep(Duration::from_mins(11)).await;
    let mut answer = stream.next().await.unwrap();
    if answer["method"] == "notifications/cancelled" {
        assert_eq!(answer["params"]["requestId"], asked["id"]);
        answer = stream.next().await.unwrap();
    }
    assert_eq!(fault(&answer)["code"], "TIMEOUT");
}

#[tokio::test]
async fn a_client_that_refuses_the_question_or_answers_nonsense_fails_the_call() {
    let client = Client::new(&FixtureDoor::new())
        .that_can(anything())
        .open()
        .await;
    let error = json!({ "error": { "code": -1, "message": "Not now" } });
    let nonsense = json!({ "result": { "action": "shrug" } });
    for (reply, part) in [
        (error, "Not now"),
        (nonsense, "none that the protocol knows"),
    ] {
        let mut stream = client.begin("tools/call", tool(STATE)).await;
        let asked = stream.next().await.unwrap();
        let mut message = reply;
        message["jsonrpc"] = json!("2.0");
        message["id"] = asked["id"].clone();
        assert_eq!(client.post(&message).await.status, 202);
        let fault = fault(&stream.next().await.unwrap());
        assert_eq!(fault["code"], "UPSTREAM_ERROR", "{fault}");
        assert!(fault["message"].as_str().unwrap().contains(part), "{fault}");
    }
}

//! Resources, prompts and completions: pages, errors, and who hears of changes.

use crate::client::Client;
use crate::door::FixtureDoor;
use http::Method;
use quaymaster_core::door::{Change, Offers};
use serde_json::{Value, json};
use std::time::Duration;

fn updated(uri: &str) -> Change {
    Change::Updated(uri.into())
}

fn at(uri: &str) -> Value {
    json!({ "uri": uri })
}

#[tokio::test]
async fn a_subscriber_of_a_session_hears_of_an_updated_resource_and_of_no_other() {
    let door = FixtureDoor::new();
    let client = Client::new(&door);
    let other = client.open().await;
    let client = client.open().await;
    let mut stream = client.stream(client.request(Method::GET, &[], "")).await;
    let mut others = other.stream(other.request(Method::GET, &[], "")).await;
    for uri in ["test://a", "test://b"] {
        let answer = client.ask("resources/subscribe", at(uri)).await.message();
        assert_eq!(answer["result"], json!({}), "{answer}");
    }
    client.ask("resources/unsubscribe", at("test://b")).await;
    for uri in ["test://c", "test://b", "test://a"] {
        door.tell(updated(uri));
    }
    let told = stream.next().await.unwrap();
    assert_eq!(told["method"], "notifications/resources/updated");
    assert_eq!(told["params"]["uri"], "test://a");
    let more = tokio::time::timeout(Duration::from_millis(100), others.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_listener_hears_of_an_updated_resource_and_of_no_other() {
    let door = FixtureDoor::new();
    let client = Client::new(&door);
    let wanted = json!({ "resourceSubscriptions": ["test://a"] });
    let listen = client.stateless("subscriptions/listen", json!({ "notifications": wanted }));
    let mut stream = client.stream(listen).await;
    let acknowledged = stream.next().await.unwrap();
    assert_eq!(acknowledged["params"]["notifications"], wanted);
    for change in [
        Change::Tools,
        Change::Resources,
        updated("test://b"),
        updated("test://a"),
    ] {
        door.tell(change);
    }
    let told = stream.next().await.unwrap();
    assert_eq!(told["method"], "notifications/resources/updated", "{told}");
    assert_eq!(told["params"]["uri"], "test://a");
}

#[tokio::test]
async fn a_listener_gets_only_what_the_door_offers_its_caller() {
    let wanted = json!({
        "toolsListChanged": true,
        "promptsListChanged": true,
        "resourcesListChanged": true,
        "resourceSubscriptions": ["test://a"],
    });
    for (door, accepted) in [
        (FixtureDoor::new(), wanted.clone()),
        (
            FixtureDoor::offering(Offers::default()),
            json!({ "toolsListChanged": true }),
        ),
    ] {
        let client = Client::new(&door);
        let listen = json!({ "notifications": wanted });
        let listen = client.stateless("subscriptions/listen", listen);
        let acknowledged = client.stream(listen).await.next().await.unwrap();
        assert_eq!(acknowledged["params"]["notifications"], accepted);
    }
}

#[tokio::test]
async fn both_eras_hear_of_changed_lists_of_resources_and_prompts() {
    let door = FixtureDoor::new();
    let client = Client::new(&door);
    let session = client.open().await;
    let mut legacy = session.stream(session.request(Method::GET, &[], "")).await;
    let wanted = json!({ "resourcesListChanged": true, "promptsListChanged": true });
    let listen = client.stateless("subscriptions/listen", json!({ "notifications": wanted }));
    let mut modern = client.stream(listen).await;
    modern.next().await.expect("the acknowledgement");
    door.tell(Change::Resources);
    door.tell(Change::Prompts);
    for stream in [&mut legacy, &mut modern] {
        for what in ["resources", "prompts"] {
            let told = stream.next().await.unwrap();
            assert_eq!(told["method"], format!("notifications/{what}/list_changed"));
        }
    }
}

#[tokio::test]
async fn a_list_goes_on_at_its_cursor() {
    let client = Client::new(&FixtureDoor::new()).open().await;
    let first = client.ask("resources/list", json!({})).await.message();
    assert_eq!(first["result"]["resources"].as_array().unwrap().len(), 2);
    let cursor = &first["result"]["nextCursor"];
    let last = client
        .ask("resources/list", json!({ "cursor": cursor }))
        .await
        .message();
    assert_eq!(
        last["result"]["resources"][0]["uri"],
        "test://watched-resource"
    );
    assert!(last["result"]["nextCursor"].is_null(), "{last}");
    let wrong = client
        .ask("resources/list", json!({ "cursor": "x" }))
        .await
        .message();
    assert_eq!(wrong["error"]["code"], -32_602, "{wrong}");
}

#[tokio::test]
async fn nothing_at_a_uri_is_the_error_of_the_era() {
    let client = Client::new(&FixtureDoor::new());
    let legacy = client
        .open()
        .await
        .ask("resources/read", at("test://x"))
        .await;
    let modern = client.ask_stateless("resources/read", at("test://x")).await;
    for (answer, code) in [(legacy, -32_002), (modern, -32_602)] {
        let error = &answer.message()["error"];
        assert_eq!(error["code"], code, "{error}");
        assert_eq!(error["data"]["uri"], "test://x", "{error}");
    }
}

#[tokio::test]
async fn an_unknown_prompt_is_an_invalid_parameter_in_both_eras() {
    let client = Client::new(&FixtureDoor::new());
    let params = json!({ "name": "nonsense" });
    let legacy = client.open().await.ask("prompts/get", params.clone()).await;
    let modern = client.ask_stateless("prompts/get", params).await;
    for answer in [legacy, modern] {
        assert_eq!(answer.message()["error"]["code"], -32_602, "{answer:?}");
    }
}

#[tokio::test]
async fn completions_are_cut_at_a_hundred_and_say_so() {
    let client = Client::new(&FixtureDoor::new()).open().await;
    for (name, values, more) in [
        ("test_prompt_with_arguments", 100, true),
        ("other", 0, false),
    ] {
        let params = json!({
            "ref": { "type": "ref/prompt", "name": name },
            "argument": { "name": "arg1", "value": "par" },
        });
        let answer = client.ask("completion/complete", params).await.message();
        let completion = &answer["result"]["completion"];
        assert_eq!(
            completion["values"].as_array().unwrap().len(),
            values,
            "{answer}"
        );
        assert_eq!(completion["hasMore"], more, "{answer}");
    }
}

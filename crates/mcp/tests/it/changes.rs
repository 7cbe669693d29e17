//! What a client hears without asking.

use crate::client::Client;
use crate::door::FixtureDoor;
use http::Method;
use quaymaster_core::door::Change;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_session_hears_of_changes_and_ends_with_its_credential() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).open().await;
    let get = client.request(Method::GET, &[], "");
    let mut stream = client.stream(get).await;
    door.tell(Change::Tools);
    let told = stream.next().await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed");
    door.tell(Change::Revoked);
    assert!(stream.next().await.is_none());
    assert_eq!(client.ask("tools/list", json!({})).await.status, 404);
}

#[tokio::test]
async fn a_listener_without_a_session_hears_of_changes_until_its_credential_ends() {
    let door = FixtureDoor::new();
    let client = Client::new(&door);
    let listen = client.stateless(
        "subscriptions/listen",
        json!({ "notifications": { "toolsListChanged": true } }),
    );
    let mut stream = client.stream(listen).await;
    let acknowledged = stream.next().await.unwrap();
    assert_eq!(
        acknowledged["method"],
        "notifications/subscriptions/acknowledged"
    );
    door.tell(Change::Tools);
    let told = stream.next().await.unwrap();
    assert_eq!(told["method"], "notifications/tools/list_changed");
    // The id of the request that listens.
    let meta = &told["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/subscriptionId"], 1, "{told}");
    door.tell(Change::Revoked);
    while let Some(last) = stream.next().await {
        // The request itself is answered at the end.
        assert!(last["result"].is_object(), "{last}");
    }
}

#[tokio::test]
async fn progress_comes_before_the_answer_and_only_when_asked_for() {
    let client = Client::new(&FixtureDoor::new()).open().await;
    let call = |meta| json!({ "name": "test_tool_with_progress", "arguments": {}, "_meta": meta });
    let with = client
        .ask("tools/call", call(json!({ "progressToken": "p" })))
        .await;
    let done: Vec<_> = with.text.match_indices("notifications/progress").collect();
    assert_eq!(done.len(), 3, "{with:?}");
    assert_eq!(with.message()["result"]["content"][0]["text"], "Done.");
    let without = client.ask("tools/call", call(json!({}))).await;
    assert!(!without.text.contains("progress"), "{without:?}");
}

#[tokio::test]
async fn a_client_that_says_initialized_again_and_again_hears_each_change_once() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).open().await;
    let again = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    for _ in 0..20 {
        assert_eq!(client.post(&again).await.status, 202);
    }
    let get = client.request(Method::GET, &[], "");
    let mut stream = client.stream(get).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    door.tell(Change::Tools);
    assert!(stream.next().await.is_some());
    let more = tokio::time::timeout(Duration::from_millis(200), stream.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn changes_that_nobody_reads_do_not_keep_a_session_from_ending() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).open().await;
    for _ in 0..1000 {
        door.tell(Change::Tools);
        tokio::task::yield_now().await;
    }
    door.tell(Change::Revoked);
    let gone = async {
        while client.ask("tools/list", json!({})).await.status != 404 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone)
        .await
        .expect("the session ends");
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_opened_it_and_its_session_goes_on() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).open().await;
    let mut stream = client.stream(client.request(Method::GET, &[], "")).await;
    door.tell(Change::Tools);
    assert!(stream.next().await.is_some());
    let over = async {
        tokio::join!(stream.next(), async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            door.end_tokens();
        })
    };
    let (last, ()) = tokio::time::timeout(Duration::from_secs(5), over)
        .await
        .expect("the stream ends");
    assert_eq!(last, None);
    assert_eq!(client.ask("tools/list", json!({})).await.status, 200);
    let mut again = client.stream(client.request(Method::GET, &[], "")).await;
    door.tell(Change::Tools);
    assert!(again.next().await.is_some());
}

#[tokio::test]
async fn a_listener_without_a_session_hears_no_more_once_its_token_ended() {
    let door = FixtureDoor::new();
    let client = Client::new(&door);
    let listen = client.stateless(
        "subscriptions/listen",
        json!({ "notifications": { "toolsListChanged": true } }),
    );
    let mut stream = client.stream(listen).await;
    assert!(stream.next().await.is_some(), "acknowledged");
    let over = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        door.end_tokens();
        while let Some(last) = stream.next().await {
            assert!(last["result"].is_object(), "{last}");
        }
    };
    tokio::time::timeout(Duration::from_secs(5), over)
        .await
        .expect("the stream ends");
}

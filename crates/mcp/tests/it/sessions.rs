//! Sessions: whose they are, how many, how long.

use crate::client::{Answer, Client};
use crate::door::FixtureDoor;
use http::Method;
use quaymaster_core::door::Change;
use serde_json::json;
use std::time::Duration;

const STREAM: &[(&str, Option<&str>)] = &[("accept", Some("text/event-stream"))];

/// Tries every method with this session id.
async fn try_all(client: &Client, session: &str) -> Vec<(u16, String)> {
    let mut client = client.clone();
    client.session = Some(session.to_owned());
    let shown = |answer: Answer| (answer.status, answer.text);
    vec![
        shown(client.ask("tools/list", json!({})).await),
        shown(client.send(client.request(Method::GET, STREAM, "")).await),
        shown(client.send(client.request(Method::DELETE, &[], "")).await),
    ]
}

#[tokio::test]
async fn anothers_session_looks_like_one_that_never_was() {
    let a = Client::new(&FixtureDoor::new()).open().await;
    let id = a.session.clone().unwrap();
    let b = a.with_token("b");
    let foreign = try_all(&b, &id).await;
    let unknown = try_all(&b, "00000000-0000-4000-8000-000000000000").await;
    assert_eq!(foreign, unknown);
    assert!(
        foreign.iter().all(|(status, _)| *status == 404),
        "{foreign:?}"
    );
    assert_eq!(a.ask("tools/list", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_second_initialize_opens_no_further_session() {
    let client = Client::new(&FixtureDoor::new()).open().await;
    let again = client.initialize("2025-11-25").await;
    assert!(!again.headers.contains_key("mcp-session-id"), "{again:?}");
    assert_eq!(client.ask("tools/list", json!({})).await.status, 200);
}

#[tokio::test]
async fn an_ended_session_is_gone() {
    let client = Client::new(&FixtureDoor::new()).open().await;
    let id = client.session.clone().unwrap();
    let ended = client.send(client.request(Method::DELETE, &[], "")).await;
    assert_eq!(ended.status, 204, "{ended:?}");
    let after = try_all(&client, &id).await;
    assert!(after.iter().all(|(status, _)| *status == 404), "{after:?}");
}

#[tokio::test]
async fn without_a_session_the_old_era_only_initializes() {
    let client = Client::new(&FixtureDoor::new());
    let answer = client.ask("tools/list", json!({})).await;
    assert!((400..500).contains(&answer.status), "{answer:?}");
}

#[tokio::test]
async fn the_thirty_third_session_of_a_credential_ends_its_oldest_without_a_stream() {
    let client = Client::new(&FixtureDoor::new());
    let listening = client.open().await;
    let stream = listening.request(Method::GET, STREAM, "");
    let _held = listening.stream(stream).await;
    let oldest = client.open().await;
    let other = client.with_token("b").open().await;
    let mut newest = client.open().await;
    for _ in 3..33 {
        newest = client.open().await;
    }
    assert_eq!(oldest.ask("tools/list", json!({})).await.status, 404);
    for kept in [listening, newest, other] {
        assert_eq!(kept.ask("tools/list", json!({})).await.status, 200);
    }
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_silence_ends_neither_a_session_nor_its_stream() {
    let door = FixtureDoor::new();
    let client = Client::new(&door).open().await;
    let mut stream = client.stream(client.request(Method::GET, STREAM, "")).await;
    let silent = client.with_token("b").open().await;
    tokio::time::sleep(Duration::from_hours(1)).await;
    door.tell(Change::Tools);
    let told = stream.next().await.expect("the stream is open");
    assert_eq!(told["method"], "notifications/tools/list_changed");
    for client in [client, silent] {
        assert_eq!(client.ask("tools/list", json!({})).await.status, 200);
    }
}

//! Flows that change while clients are connected.

use super::{create, desk_on, flows, get_weather, plain, put, weather};
use crate::hosted::changes::Stream;
use quaymaster_tests::{Act, Asked, Database, Desk, Mcp, Upstream};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

// promise: S4.3
#[tokio::test]
async fn connected_clients_are_told_of_everything_that_changes_a_flows_tool() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        let service = weather().await;
        let mut stream = Stream(desk.mcp.stream().await);
        create(
            &desk,
            &get_weather(&service.url(), "Current weather of a city."),
        )
        .await;
        stream.is_told("a new flow").await;
        // A description alone.
        let changed = get_weather(&service.url(), "Weather of a city, now.");
        assert_eq!(put(&desk, "get_weather", &changed).await.0, 200);
        stream.is_told("a description").await;
        let listed = desk.mcp.request("tools/list", json!({})).await.to_string();
        assert!(listed.contains("Weather of a city, now."));
        let path = format!("{}/get_weather", flows(&desk));
        for (verb, way, body) in [
            ("POST", "/rollback", Some(json!({ "version": 1 }))),
            ("POST", "/disable", None),
            ("POST", "/enable", None),
            ("DELETE", "", None),
        ] {
            let (status, answer) = desk.rest(verb, &format!("{path}{way}"), body).await;
            assert_eq!(status, 200, "{answer}");
            stream.is_told(way).await;
        }
    }
}

#[tokio::test]
async fn a_run_ends_on_the_version_that_it_began_with() {
    let arrived = Arc::new(Semaphore::new(0));
    let slow = {
        let arrived = arrived.clone();
        Upstream::start("127.0.0.1", move |_: &Asked| {
            arrived.add_permits(1);
            vec![
                Act::Wait(Duration::from_millis(600)),
                Act::Write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec()),
            ]
        })
        .await
    };
    let desk = super::desk().await;
    let text = |number: u8| {
        plain(
            "answer",
            &format!(
                "steps:\n  - http: {{ get: \"{}/\" }}\n  - map: \"{number}\"\n",
                slow.url()
            ),
        )
    };
    create(&desk, &text(1)).await;
    let other = Mcp::open(&desk.server.endpoint, &desk.key).await;
    let running = tokio::spawn(async move {
        let params = json!({ "name": "answer", "arguments": {} });
        other.request("tools/call", params).await
    });
    arrived.acquire().await.unwrap().forget();
    assert_eq!(put(&desk, "answer", &text(2)).await.0, 200);
    let ended = running.await.unwrap();
    assert_eq!(ended["result"]["content"][0]["text"], "1", "{ended}");
    assert_eq!(desk.text("answer", json!({})).await, "2");
}

#[tokio::test]
async fn a_flow_survives_kill_and_restart() {
    let mut desk: Desk = super::desk().await;
    create(&desk, &plain("answer", "steps:\n  - map: \"42\"\n")).await;
    desk.server.kill().await;
    desk.server.restart().await;
    let mcp = Mcp::open(&desk.server.endpoint, &desk.key).await;
    assert!(mcp.tool_names().await.contains(&"answer".to_owned()));
}

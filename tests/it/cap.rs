//! The daily cap: exact under parallel calls and over restarts, never over after a crash.

use crate::outside::{Dice, try_call};
use futures_util::future::join_all;
use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Runs `call` that many times at once; how many said that they passed.
async fn passed_of<F: Future<Output = bool>>(calls: usize, call: impl Fn(usize) -> F) -> usize {
    let answers = join_all((0..calls).map(call)).await;
    answers.into_iter().filter(|passed| *passed).count()
}

fn capped(fault: &Value, cap: i64) {
    assert_eq!(fault["code"], "DAILY_CAP", "{fault}");
    assert_eq!(fault["retryable"], true);
    assert_eq!(fault["details"]["cap"], cap);
    let reset = fault["details"]["reset_at"].as_str().unwrap();
    assert!(
        reset.contains("T00:00:00") && reset.ends_with('Z'),
        "{reset}"
    );
    assert!(fault["hint"].as_str().unwrap().contains(reset));
}

async fn start(database: Database, cap: &str) -> Server {
    Server::start_with(database, &[("DAILY_CAP", cap)]).await
}

/// Calls until the cap refuses.
async fn use_up(mcp: &Mcp, cap: i64) -> usize {
    for passed in 0.. {
        if let Err(fault) = mcp.call("list_files", json!({})).await {
            capped(&fault, cap);
            return passed;
        }
    }
    unreachable!("numbers do not end")
}

// promise: S1.70, S1.72, S1.73
#[tokio::test]
async fn of_two_hundred_parallel_calls_at_a_cap_of_a_hundred_exactly_a_hundred_pass() {
    for database in Database::BOTH {
        let server = start(database, "100").await;
        let mcp = Mcp::open(&server.endpoint, &server.token).await;
        let passed = passed_of(200, async |_| {
            match mcp.call("list_files", json!({})).await {
                Ok(_) => true,
                Err(fault) => {
                    capped(&fault, 100);
                    false
                }
            }
        });
        assert_eq!(passed.await, 100, "{database:?}");
    }
}

/// The same harness finds a counter that is read, and written a moment later.
#[tokio::test]
async fn a_naive_counter_lets_more_pass_under_the_same_harness() {
    let count = AtomicI64::new(0);
    let passed = passed_of(200, async |_| {
        let seen = count.load(Ordering::SeqCst);
        tokio::task::yield_now().await;
        if seen >= 100 {
            return false;
        }
        count.store(seen + 1, Ordering::SeqCst);
        true
    });
    let passed = passed.await;
    assert!(passed > 100, "{passed}");
}

// promise: S1.71
#[tokio::test]
async fn handshakes_listings_and_refused_calls_do_not_count() {
    let server = start(Database::Sqlite, "3").await;
    let reader = server.cli_json(&["token", "create", "--read-only"]).await;
    let reader = Mcp::open(&server.endpoint, reader["token"].as_str().unwrap()).await;
    for _ in 0..5 {
        let mcp = Mcp::open(&server.endpoint, &server.token).await;
        mcp.request("tools/list", json!({})).await;
        mcp.request("ping", json!({})).await;
        let bad = mcp
            .call("read_file", json!({ "pth": "a" }))
            .await
            .unwrap_err();
        assert_eq!(bad["code"], "INVALID_ARG");
        let write = json!({ "path": "a", "content": "a" });
        let denied = reader.call("write_file", write).await.unwrap_err();
        assert_eq!(denied["code"], "SCOPE_DENIED");
        let unknown = json!({ "name": "no_such_tool", "arguments": {} });
        assert!(mcp.request("tools/call", unknown).await["error"].is_object());
    }
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    // A call that the tool itself refuses was made, and counts.
    let absent = mcp
        .call("read_file", json!({ "path": "none" }))
        .await
        .unwrap_err();
    assert_eq!(absent["code"], "NOT_FOUND");
    assert_eq!(use_up(&mcp, 3).await, 2);
    assert!(mcp.request("tools/list", json!({})).await["result"]["tools"].is_array());
}

#[tokio::test]
async fn a_graceful_restart_neither_loses_nor_grants_a_call() {
    for database in Database::BOTH {
        let mut server = start(database, "50").await;
        let mut made = 0;
        for calls in [1, 7, 13] {
            for _ in 0..calls {
                mcp_of(&server).call("list_files", json!({})).await.unwrap();
            }
            made += calls;
            server.stop().await;
            server.restart().await;
        }
        assert_eq!(
            made + use_up(&mcp_of(&server), 50).await,
            50,
            "{database:?}"
        );
    }
}

fn mcp_of(server: &Server) -> Mcp {
    Mcp::stateless(&server.endpoint, &server.token)
}

#[tokio::test]
async fn the_cap_is_never_over_however_often_the_server_is_killed() {
    let mut dice = Dice::new();
    for database in Database::BOTH {
        let mut server = start(database, "120").await;
        for round in 0..4 {
            let mcp = mcp_of(&server);
            let writes = passed_of(40, async |n| {
                let arguments = json!({ "path": format!("{round}-{n}"), "content": "x" });
                matches!(try_call(&mcp, "write_file", arguments).await, Some(Ok(_)))
            });
            let pause = Duration::from_millis(20 + dice.roll(150));
            let kill = async {
                tokio::time::sleep(pause).await;
                server.kill().await;
            };
            tokio::join!(writes, kill);
            server.restart().await;
        }
        let rest = passed_of(200, async |n| {
            let arguments = json!({ "path": format!("last-{n}"), "content": "x" });
            matches!(
                try_call(&mcp_of(&server), "write_file", arguments).await,
                Some(Ok(_))
            )
        });
        rest.await;
        let refused = mcp_of(&server)
            .call("list_files", json!({}))
            .await
            .unwrap_err();
        capped(&refused, 120);
        // What ran is on the disk, whether its answer arrived or not.
        let ran = std::fs::read_dir(server.home()).unwrap().count();
        assert!(ran <= 120, "{database:?}: {ran} calls ran");
    }
}

#[tokio::test]
async fn a_crash_at_rest_costs_no_more_than_the_rest_of_a_block() {
    for database in Database::BOTH {
        let mut server = start(database, "160").await;
        let mut made = 0;
        for calls in [1, 5, 9] {
            for _ in 0..calls {
                let list = mcp_of(&server).call("list_files", json!({})).await;
                list.unwrap();
            }
            made += calls;
            server.kill().await;
            server.restart().await;
        }
        made += use_up(&mcp_of(&server), 160).await;
        // A block is a sixteenth of what is left.
        assert!((160 - 3 * 10..=160).contains(&made), "{database:?}: {made}");
    }
}

// promise: S1.74
#[tokio::test]
async fn an_administrator_sets_the_cap_and_the_next_call_obeys() {
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let path = format!("/api/v1/workspaces/{}", server.workspace);
    let (_, before) = server.rest(&key, "GET", &path, None).await;
    let workspace = &before["workspace"];
    assert_eq!(workspace["dailyCap"], 10_000, "the default");
    assert!(
        workspace["usage"]["resetAt"]
            .as_str()
            .unwrap()
            .contains("T00:00:00")
    );
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    for _ in 0..5 {
        mcp.call("list_files", json!({})).await.unwrap();
    }
    for (cap, passes) in [(5, 0), (8, 3), (0, 0), (9, 1)] {
        let body = json!({ "dailyCap": cap });
        let (status, answer) = server.rest(&key, "PATCH", &path, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(use_up(&mcp, cap).await, passes, "cap {cap}");
    }
    let (_, after) = server.rest(&key, "GET", &path, None).await;
    assert_eq!(after["workspace"]["usage"]["used"], 9);
    let weak = server.api_key(&["read:tools"]).await;
    let body = json!({ "dailyCap": 1_000_000 });
    let (status, _) = server.rest(&weak, "PATCH", &path, Some(body)).await;
    assert_eq!(status, 403);
}

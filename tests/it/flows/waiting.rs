//! Durable runs that wait: nobody holds them meanwhile, and a restart sets nothing back. And who is told
//! of a run.

use super::starting::ended;
use super::{create, desk, desk_on, plain, run, runs};
use quaymaster_tests::mcp::ToolAnswer;
use quaymaster_tests::{Act, Asked, Database, Desk, Mcp, Server, Upstream};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// A durable flow that is a tool whose calls are answered at once.
pub(super) fn later(name: &str, rest: &str) -> String {
    format!(
        "flow: {name}\ntriggers:\n  - mcp_tool: {{ description: Tries something out for a test., mode: async }}\ndurable: true\n{rest}"
    )
}

/// Starts it; the id of the run.
pub(super) async fn begin(desk: &Desk, tool: &str) -> String {
    let begun = desk.mcp.call(tool, json!({})).await.unwrap();
    begun["run_id"].as_str().unwrap().to_owned()
}

pub(super) async fn get_run(mcp: &Mcp, id: &str) -> ToolAnswer {
    mcp.call("get_run", json!({ "run_id": id, "wait_s": 45 }))
        .await
}

/// The micros of a time as the API writes it.
fn at(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// How a run is once it waits in a step and nobody holds it.
pub(super) async fn put_off(desk: &Desk, id: &str) -> Value {
    for _ in 0..200 {
        let whole = run(desk, &json!({ "id": id })).await;
        let waits = whole["steps"][0]["input"]["until"].is_string();
        if waits && whole["run"]["state"] == "ready" {
            return whole;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the run was not put off: {:?}", runs(desk).await);
}

#[tokio::test]
async fn runs_that_wait_leave_their_turn_to_others() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        let sleeping = "limits: { timeout: 2h, concurrency: 100 }\nsteps:\n  - wait: 1h\n";
        create(&desk, &later("sleeping", sleeping)).await;
        create(&desk, &later("quick", "steps:\n  - map: '\"done\"'\n")).await;
        let mut sleepers = Vec::new();
        for _ in 0..20 {
            sleepers.push(begin(&desk, "sleeping").await);
        }
        let quick = begin(&desk, "quick").await;
        let told = get_run(&desk.mcp, &quick).await.unwrap();
        assert_eq!(told["result"], "done", "{told}");
        let whole = put_off(&desk, &sleepers[0]).await;
        assert_eq!(whole["run"]["attempts"], 0, "{whole}");
        // It can be cancelled while it waits.
        let path = format!(
            "/api/v1/workspaces/{}/flow-runs/{}/cancel",
            desk.server.workspace, sleepers[0]
        );
        let (_, cancelled) = desk.rest("POST", &path, None).await;
        assert_eq!(cancelled["run"]["state"], "cancelled", "{cancelled}");
    }
}

#[tokio::test]
async fn a_wait_ends_when_it_was_to_end_also_after_a_restart() {
    let mut desk = desk().await;
    let rest = "limits: { timeout: 1m }\nsteps:\n  - id: pause\n    wait: 12s\n  - id: who\n    map: .caller\nreturn: .caller\n";
    create(&desk, &later("patient", rest)).await;
    let id = begin(&desk, "patient").await;
    let before = put_off(&desk, &id).await;
    desk.server.kill().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    desk.server.restart().await;
    let mcp = Mcp::open(&desk.server.endpoint, &desk.key).await;
    let told = get_run(&mcp, &id).await.unwrap();
    assert_eq!(told["state"], "done", "{told}");
    let whole = run(&desk, &json!({ "id": id })).await;
    assert_eq!(whole["steps"][0]["input"], before["steps"][0]["input"]);
    let until = at(&whole["steps"][0]["input"]["until"]);
    let late = at(&whole["run"]["endedAt"]).duration_since(until);
    assert!(late.as_millis() >= -5, "{late:?}: {whole}");
    assert!(late.as_secs() < 8, "{late:?}: {whole}");
    // Who called is the same as without any wait.
    let direct = plain("direct", "steps:\n  - map: .caller\n");
    create(&desk, &direct).await;
    let direct = mcp.request("tools/call", json!({ "name": "direct", "arguments": {} }));
    let direct = direct.await["result"]["content"][0]["text"].clone();
    let direct: Value = serde_json::from_str(direct.as_str().unwrap()).unwrap();
    assert_eq!(direct["kind"], "user");
    assert_eq!(told["result"], direct);
}

#[tokio::test]
async fn the_time_limit_of_a_run_counts_from_its_beginning() {
    let arrived = Arc::new(Semaphore::new(0));
    let service = {
        let arrived = arrived.clone();
        Upstream::start("127.0.0.1", move |_: &Asked| {
            arrived.add_permits(1);
            vec![Act::Wait(Duration::from_mins(2))]
        })
        .await
    };
    let mut desk = desk().await;
    let rest = format!(
        "limits: {{ timeout: 8s, step_timeout: 1m }}\nsteps:\n  - http: {{ get: \"{}/x\" }}\n",
        service.url()
    );
    create(&desk, &later("slow", &rest)).await;
    begin(&desk, "slow").await;
    arrived.acquire().await.unwrap().forget();
    tokio::time::sleep(Duration::from_secs(6)).await;
    desk.server.kill().await;
    desk.server.restart().await;
    let whole = run(&desk, &ended(&desk).await).await["run"].clone();
    assert_eq!(whole["error"]["code"], "TIMEOUT", "{whole}");
    let took = at(&whole["endedAt"]).duration_since(at(&whole["startedAt"]));
    assert!((8..14).contains(&took.as_secs()), "{took:?}: {whole}");
}

#[tokio::test]
async fn a_large_output_is_whole_for_the_steps_behind_it_and_cut_in_the_history() {
    const BYTES: usize = 1_500_000;
    let service = Upstream::start("127.0.0.1", |_: &Asked| {
        Act::json(&json!("x".repeat(BYTES)).to_string())
    })
    .await;
    let desk = desk().await;
    let rest = format!(
        "limits: {{ body: 4MiB }}\nsteps:\n  - id: large\n    http: {{ get: \"{}/x\" }}\n  - wait: 3s\nreturn: \"{{ bytes: (.steps.large.body | length), all: .steps.large.body }}\"\n",
        service.url()
    );
    create(&desk, &later("large", &rest)).await;
    let id = begin(&desk, "large").await;
    let told = get_run(&desk.mcp, &id).await.unwrap();
    assert_eq!(service.take().len(), 1, "asked once");
    assert_eq!(told["state"], "done", "{told}");
    // The result is too large to be kept, and says so.
    assert!(
        told["result"]["left_out"].is_string(),
        "{}",
        told["result"]["left_out"]
    );
    let start = told["result"]["start"].as_str().unwrap();
    assert!(start.len() <= 1_024 && start.contains("xxxx"));
    let whole = run(&desk, &json!({ "id": id })).await;
    assert_eq!(whole["run"]["attempts"], 1);
    assert!(whole["steps"][0]["output"]["left_out"].is_string());
    assert!(whole.to_string().len() < 20_000);
    let short = format!(
        "limits: {{ body: 4MiB }}\nsteps:\n  - id: large\n    http: {{ get: \"{}/x\" }}\n  - wait: 3s\nreturn: .steps.large.body | length\n",
        service.url()
    );
    create(&desk, &later("short", &short)).await;
    let id = begin(&desk, "short").await;
    let told = get_run(&desk.mcp, &id).await.unwrap();
    assert_eq!(told["result"], BYTES, "{told}");
}

#[tokio::test]
async fn an_asynchronous_tool_answers_at_once_and_get_run_has_the_result() {
    let desk = desk().await;
    let source = "flow: slowly\ntriggers:\n  - mcp_tool: { description: Tries something out for a test., mode: async }\noutput:\n  type: object\n  properties: { n: { type: integer } }\nsteps:\n  - wait: 3s\nreturn: \"{ n: 1 }\"\n";
    create(&desk, source).await;
    let listed = desk.mcp.request("tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().unwrap();
    let tool = tools.iter().find(|tool| tool["name"] == "slowly").unwrap();
    assert!(tool["outputSchema"].is_null(), "{tool}");
    let description = tool["description"].as_str().unwrap();
    assert!(description.contains("get_run"), "{description}");
    assert!(tools.iter().any(|tool| tool["name"] == "get_run"));
    let began = Instant::now();
    let id = begin(&desk, "slowly").await;
    assert!(began.elapsed() < Duration::from_secs(3));
    let told = desk.mcp.call("get_run", json!({ "run_id": id })).await;
    assert!(told.unwrap()["result"].is_null());
    let told = get_run(&desk.mcp, &id).await.unwrap();
    assert_eq!(
        (&told["state"], &told["result"]),
        (&json!("done"), &json!({ "n": 1 }))
    );
}

#[tokio::test]
async fn a_run_is_told_to_whoever_began_it_and_to_nobody_else() {
    let settings = [("TRUSTED_PROXIES", r#"["127.0.0.0/8"]"#)];
    let server = Server::start_with(Database::Sqlite, &settings).await;
    let key = server.api_key(&[]).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    let desk = Desk { server, key, mcp };
    create(&desk, &later("quick", "steps:\n  - map: '\"done\"'\n")).await;
    let path = format!("/api/v1/workspaces/{}", desk.server.workspace);
    let open = json!({ "requireAuthentication": false });
    assert_eq!(desk.rest("PATCH", &path, Some(open)).await.0, 200);

    // A caller who presents nothing, from an address.
    let nobody = Mcp::stateless(&desk.server.endpoint, "");
    let from = async |address: &'static str, tool: &str, arguments: Value| {
        let mut headers = nobody.headers();
        for (name, value) in [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", tool),
            ("x-forwarded-for", address),
        ] {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments, "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {},
                "io.modelcontextprotocol/clientInfo": { "name": "tests", "version": "1.0" },
            },
        } });
        let sent = nobody.send(reqwest::Method::POST, headers, body.to_string());
        sent.await.message()["result"].clone()
    };
    let named = |id: &str| json!({ "run_id": id, "wait_s": 20 });
    let begun = from("203.0.113.9", "quick", json!({})).await;
    let theirs = begun["structuredContent"]["run_id"].as_str().unwrap();
    let ours = begin(&desk, "quick").await;

    let told = from("203.0.113.9", "get_run", named(theirs)).await;
    assert_eq!(told["structuredContent"]["result"], "done", "{told}");
    assert_eq!(get_run(&desk.mcp, &ours).await.unwrap()["result"], "done");
    // Others are told what they are told of a run that there is not.
    let unknown = named("run_01arz3ndektsv4rrffq69g5fav");
    let nothing = from("203.0.113.9", "get_run", unknown.clone()).await;
    assert_eq!(nothing["isError"], true, "{nothing}");
    assert!(nothing.to_string().contains("NOT_FOUND"), "{nothing}");
    for (address, id) in [("203.0.113.10", theirs), ("203.0.113.9", ours.as_str())] {
        let told = from(address, "get_run", named(id)).await;
        assert_eq!(told["content"], nothing["content"], "{address}");
    }
    let other = desk.server.api_key(&[]).await;
    let other = Mcp::open(&desk.server.endpoint, &other).await;
    let nothing = other.call("get_run", unknown).await.unwrap_err();
    for id in [&*ours, theirs] {
        assert_eq!(get_run(&other, id).await.unwrap_err(), nothing);
    }
    // People of the organization see all of them on its pages.
    assert_eq!(runs(&desk).await.len(), 2);
}

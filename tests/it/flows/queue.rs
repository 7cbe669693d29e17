//! The queue of runs: how many it takes, how many of a flow run at the same time, what is kept of them.

use super::starting::{ended, hook, set_key, signed};
use super::{create, desk, desk_on, flows, plain, run, runs};
use crate::outside::change_rows;
use quaymaster_tests::{Act, Asked, Database, Desk, Mcp, Server, Upstream, fresh_postgres};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A flow that a webhook of its name starts.
fn hooked(name: &str, rest: &str) -> String {
    format!(
        "flow: {name}\ntriggers:\n  - webhook: {{ path: {name}, auth: {{ bearer: {{ secret: HOOK_KEY }} }} }}\n{rest}"
    )
}

async fn ring(desk: &Desk, name: &str) -> (u16, Value) {
    let bearer = format!("Bearer {}", super::starting::KEY);
    hook(desk, name, &[("authorization", &bearer)], "{}").await
}

/// All runs, once so many have ended well or it took too long.
async fn done(desk: &Desk, wanted: usize) -> Vec<Value> {
    let path = format!(
        "/api/v1/workspaces/{}/flow-runs?limit=500",
        desk.server.workspace
    );
    for _ in 0..300 {
        let (_, listed) = desk.rest("GET", &path, None).await;
        let all = listed["runs"].as_array().unwrap();
        if all.iter().filter(|run| run["state"] == "done").count() >= wanted {
            return all.clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{wanted} runs did not end: {:?}", runs(desk).await);
}

#[tokio::test]
async fn a_full_queue_says_so_and_takes_more_when_there_is_room_again() {
    const FILL: &str = "INSERT INTO flow_runs (id, org_id, workspace_id, flow_id, version, started_by, caller, state, \
         input, started_at, durable, attempts, next_at) WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL \
         SELECT n + 1 FROM count WHERE n < 10000) SELECT 'run_filled' || n, org_id, workspace_id, id, version, 'cron', \
         'cron', 'ready', '{}', 1, durable, 0, 9000000000000000 FROM flows, count WHERE flows.name = 'later'";
    let mut desk = desk().await;
    set_key(&desk).await;
    create(&desk, &hooked("later", "steps:\n  - map: \"1\"\n")).await;
    create(
        &desk,
        &plain("tool", "durable: true\nsteps:\n  - map: \"1\"\n"),
    )
    .await;
    let each_minute = "flow: each_minute\ntriggers:\n  - cron: { schedule: \"* * * * *\", catch_up: last }\nsteps:\n  - map: \"1\"\n";
    create(&desk, each_minute).await;
    desk.server.kill().await;
    crate::outside::sqlite(desk.server.data.path(), FILL).await;
    let due = "UPDATE flow_triggers SET next_at = 1 WHERE kind = 'cron'";
    crate::outside::sqlite(desk.server.data.path(), due).await;
    desk.server.restart().await;
    let url = format!("{}/hooks/{}/later", desk.server.url, desk.server.workspace);
    let request = reqwest::Client::new().post(url);
    let answer = request.bearer_auth(super::starting::KEY).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), 429);
    assert_eq!(answer.headers()["retry-after"], "10");
    let fault: Value = answer.json().await.unwrap();
    assert_eq!(fault["code"], "RATE_LIMITED", "{fault}");
    assert!(fault["hint"].as_str().unwrap().contains("cancel runs"));
    let mcp = Mcp::open(&desk.server.endpoint, &desk.key).await;
    let fault = mcp.call("tool", json!({})).await.unwrap_err();
    assert_eq!(fault["code"], "RATE_LIMITED", "{fault}");
    assert_eq!(fault["details"]["retry_after_s"], 10, "{fault}");

    desk.server.kill().await;
    let gone = "DELETE FROM flow_runs WHERE id LIKE 'run_filled%'";
    crate::outside::sqlite(desk.server.data.path(), gone).await;
    desk.server.restart().await;
    assert_eq!(ring(&desk, "later").await.0, 202);
    // The schedule that found no room is made up for.
    let all = done(&desk, 2).await;
    let by: Vec<&Value> = all.iter().map(|run| &run["startedBy"]).collect();
    assert!(
        by.contains(&&json!("cron")) && by.contains(&&json!("webhook")),
        "{by:?}"
    );
}

#[tokio::test]
async fn a_flow_runs_as_often_at_the_same_time_as_it_says_however_it_is_started() {
    const TAKES: Duration = Duration::from_millis(800);
    for database in Database::BOTH {
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let service = {
            let arrivals = arrivals.clone();
            Upstream::start("127.0.0.1", move |_: &Asked| {
                arrivals.lock().unwrap().push(Instant::now());
                let mut acts = vec![Act::Wait(TAKES)];
                acts.extend(Act::json("1"));
                acts
            })
            .await
        };
        let desk = desk_on(database).await;
        set_key(&desk).await;
        let rest = format!(
            "limits: {{ concurrency: 2 }}\nsteps:\n  - http: {{ get: \"{}/x\" }}\n",
            service.url()
        );
        create(&desk, &hooked("two", &rest)).await;
        for _ in 0..7 {
            assert_eq!(ring(&desk, "two").await.0, 202);
        }
        assert_eq!(done(&desk, 7).await.len(), 7);
        let mut times = arrivals.lock().unwrap().clone();
        times.sort();
        for three in times.windows(3) {
            let apart = three[2] - three[0];
            assert!(apart > TAKES / 2, "{apart:?}");
        }
    }
}

#[tokio::test]
async fn lists_leave_out_what_runs_took_and_answered() {
    let desk = desk().await;
    let rest = "input:\n  type: object\n  properties: { text: { type: string } }\nsteps:\n  - map: .input.text | length\n";
    create(&desk, &plain("count", rest)).await;
    assert_eq!(desk.text("count", json!({ "text": "four" })).await, "4");
    let listed = runs(&desk).await.remove(0);
    assert!(
        listed["input"].is_null() && listed["output"].is_null(),
        "{listed}"
    );
    let whole = run(&desk, &listed).await;
    assert_eq!(whole["run"]["input"], json!({ "text": "four" }));
    assert_eq!(whole["run"]["output"], 4);
    // What is too large is not taken at all.
    let large = json!({ "text": "x".repeat(1_100_000) });
    let fault = desk.mcp.call("count", large.clone()).await.unwrap_err();
    assert_eq!(fault["code"], "TOO_LARGE", "{fault}");
    create(&desk, &plain("durable", &format!("durable: true\n{rest}"))).await;
    let fault = desk.mcp.call("durable", large).await.unwrap_err();
    assert_eq!(fault["code"], "TOO_LARGE", "{fault}");
    assert_eq!(runs(&desk).await.len(), 1);
}

#[tokio::test]
async fn two_servers_on_one_database_start_a_flow_once_at_each_time() {
    const FLOWS: usize = 130;
    let (url, key) = (fresh_postgres().await, "7".repeat(64));
    let settings = [("DATABASE_URL", url.as_str()), ("KEY", key.as_str())];
    let server = Server::start_with(Database::Sqlite, &settings).await;
    let key = server.api_key(&[]).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    let mut desk = Desk { server, key, mcp };
    let mut second = Server::start_with(Database::Sqlite, &settings).await;
    for n in 0..FLOWS {
        // More than a batch of them.
        let source = format!(
            "flow: each_{n}\ntriggers:\n  - cron: {{ schedule: \"0 0 1 1 *\", catch_up: last }}\nsteps:\n  - map: \"1\"\n"
        );
        create(&desk, &source).await;
    }
    desk.server.kill().await;
    second.kill().await;
    change_rows(&desk.server, "UPDATE flow_triggers SET next_at = 1").await;
    tokio::join!(desk.server.restart(), second.restart());
    done(&desk, FLOWS).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let all = done(&desk, FLOWS).await;
    assert_eq!(all.len(), FLOWS);
    assert!(all.iter().all(|run| run["attempts"] == 1), "{all:?}");
    let mut flows: Vec<&str> = all
        .iter()
        .filter_map(|run| run["flowId"].as_str())
        .collect();
    flows.sort_unstable();
    flows.dedup();
    assert_eq!(flows.len(), FLOWS, "each once");
}

#[tokio::test]
async fn a_webhook_opens_no_secret_but_its_own() {
    let mut desk = desk().await;
    set_key(&desk).await;
    let other = format!(
        "/api/v1/workspaces/{}/flow-secrets/OTHER",
        desk.server.workspace
    );
    let value = Some(json!({ "value": "something else" }));
    assert_eq!(desk.rest("PUT", &other, value).await.0, 201);
    let rest = "input: { type: object }\nsteps:\n  - map: \"1\"\n";
    let source = hooked("signed", rest).replace(
        "bearer: { secret: HOOK_KEY }",
        "hmac_sha256: { secret: HOOK_KEY, header: X-Signature }",
    );
    create(&desk, &source).await;
    // One that does not open: whoever opens all of them finds out.
    desk.server.kill().await;
    let broken = "UPDATE flow_secrets SET secret = x'00' WHERE name = 'OTHER'";
    crate::outside::sqlite(desk.server.data.path(), broken).await;
    desk.server.restart().await;
    let (status, answer) = hook(&desk, "signed", &[("x-signature", &signed("{}"))], "{}").await;
    assert_eq!(status, 202, "{answer}");
    assert_eq!(ended(&desk).await["state"], "done");
    let (status, fault) = hook(&desk, "signed", &[("x-signature", "00")], "{}").await;
    assert_eq!(status, 401, "{fault}");
}

#[tokio::test]
async fn a_text_with_very_many_wrong_expressions_tells_the_first_of_them_at_their_lines() {
    let desk = desk().await;
    let step = |n| format!("  - map: '.a{n} | nothing_of_that_name'\n");
    let steps: Vec<String> = (0..500).map(step).collect();
    let source = format!("flow: wrong\nsteps:\n{}", steps.concat());
    let path = format!(
        "/api/v1/workspaces/{}/flow-drafts/validate",
        desk.server.workspace
    );
    let (status, checked) = desk
        .rest("POST", &path, Some(json!({ "source": source })))
        .await;
    assert_eq!(status, 200, "{checked}");
    let problems = checked["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 200);
    assert_eq!(
        (&problems[7]["line"], &problems[7]["key"]),
        (&json!(10), &json!("steps.7.map"))
    );
}

#[tokio::test]
async fn checking_a_text_has_the_limit_of_calls() {
    let settings = [("CALLS_PER_SECOND", "2")];
    let desk = Desk::open_with(Database::Sqlite, &settings).await;
    let path = flows(&desk).replace("/flows", "/flow-drafts/validate");
    let source = json!({ "source": "flow: fine\nsteps:\n  - map: \"1\"\n" });
    let mut refused = None;
    for _ in 0..40 {
        let (status, answer) = desk.rest("POST", &path, Some(source.clone())).await;
        if status != 200 {
            refused = Some((status, answer["code"].clone()));
            break;
        }
    }
    assert_eq!(refused, Some((429, json!("RATE_LIMITED"))));
}

#[tokio::test]
async fn a_full_cache_fails_no_run_and_takes_nothing_from_kept_values() {
    let service = Upstream::start("127.0.0.1", |asked: &Asked| {
        let answer = json!({ "of": asked.target, "fill": "x".repeat(900_000) });
        Act::json(&answer.to_string())
    })
    .await;
    let desk = desk().await;
    let rest = format!(
        "input:\n  type: object\n  properties: {{ n: {{ type: integer }} }}\nsteps:\n  - id: ask\n    http: {{ get: \"{}/${{{{ .input.n }}}}\" }}\n    cache: {{ ttl: 1h }}\nreturn: .steps.ask.body.of\n",
        service.url()
    );
    create(&desk, &plain("ask", &rest)).await;
    let keep = "steps:\n  - kv: { set: { key: k, value: 1 } }\n  - id: got\n    kv: { get: { key: k } }\nreturn: .steps.got.value\n";
    create(&desk, &plain("keep", keep)).await;
    for n in 0..24 {
        assert_eq!(desk.text("ask", json!({ "n": n })).await, format!("/{n}"));
    }
    assert_eq!(desk.text("keep", json!({})).await, "1");
    assert_eq!(service.take().len(), 24);
    // The last ones are there still, the first one went.
    assert_eq!(desk.text("ask", json!({ "n": 23 })).await, "/23");
    assert!(service.take().is_empty());
    assert_eq!(desk.text("ask", json!({ "n": 0 })).await, "/0");
    assert_eq!(service.take().len(), 1);
}

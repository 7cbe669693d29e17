//! What starts flows besides calls, and runs that go on after a crash.

use super::{create, desk, desk_on, plain, run, runs};
use hmac::{Hmac, KeyInit as _, Mac as _};
use quaymaster_tests::{Act, Asked, Database, Desk, Mcp, Upstream};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

pub(super) const KEY: &str = "hook-secret-5512";

pub(super) async fn set_key(desk: &Desk) {
    let path = format!(
        "/api/v1/workspaces/{}/flow-secrets/HOOK_KEY",
        desk.server.workspace
    );
    let (status, answer) = desk.rest("PUT", &path, Some(json!({ "value": KEY }))).await;
    assert_eq!(status, 201, "{answer}");
}

pub(super) fn signed(body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let bytes = mac.finalize().into_bytes();
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

pub(super) async fn hook(
    desk: &Desk,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, Value) {
    let url = format!("{}/hooks/{}/{path}", desk.server.url, desk.server.workspace);
    let mut request = reqwest::Client::new().post(url).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

/// The newest run, once it has ended.
pub(super) async fn ended(desk: &Desk) -> Value {
    for _ in 0..400 {
        if let Some(newest) = runs(desk).await.first()
            && !matches!(newest["state"].as_str(), Some("ready" | "running"))
        {
            return run(desk, newest).await["run"].clone();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no run ended: {:?}", runs(desk).await);
}

#[tokio::test]
async fn a_webhook_starts_its_flow_for_whoever_knows_the_secret() {
    for database in Database::BOTH {
        let desk = desk_on(database).await;
        set_key(&desk).await;
        let source = |name: &str, respond: &str| {
            format!(
                "flow: {name}\ntriggers:\n  - webhook: {{ path: {name}, auth: {{ hmac_sha256: {{ secret: HOOK_KEY, header: X-Signature }} }}, respond: {respond} }}\ninput:\n  type: object\n  required: [n]\n  properties: {{ n: {{ type: integer }} }}\nsteps:\n  - map: .input.n + 1\n"
            )
        };
        create(
            &desk,
            &source("plus-later", "async").replace("flow: plus-later", "flow: plus_later"),
        )
        .await;
        create(&desk, &source("plus", "sync")).await;
        let body = r#"{"n":41}"#;
        let signature = signed(body);
        let (status, answer) = hook(&desk, "plus", &[("x-signature", &signature)], body).await;
        assert_eq!((status, &answer["result"]), (200, &json!(42)), "{answer}");
        let with_prefix = format!("sha256={signature}");
        let (status, answer) =
            hook(&desk, "plus-later", &[("x-signature", &with_prefix)], body).await;
        assert_eq!(status, 202, "{answer}");
        let newest = ended(&desk).await;
        assert_eq!(newest["id"], answer["run_id"]);
        assert_eq!(
            (&newest["output"], &newest["startedBy"]),
            (&json!(42), &json!("webhook"))
        );
        // Whoever does not, gets nothing done.
        let before = runs(&desk).await.len();
        for (headers, body, expected) in [
            (vec![], body, 401),
            (vec![("x-signature", "00")], body, 401),
            (
                vec![("x-signature", signature.as_str())],
                r#"{"n":42}"#,
                401,
            ),
            (
                vec![("authorization", "Bearer hook-secret-5512")],
                body,
                401,
            ),
        ] {
            let (status, answer) = hook(&desk, "plus", &headers, body).await;
            assert_eq!(status, expected, "{answer}");
        }
        let wrong = r#"{"n":"x"}"#;
        let (status, answer) = hook(&desk, "plus", &[("x-signature", &signed(wrong))], wrong).await;
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!("INVALID_ARG")),
            "{answer}"
        );
        assert_eq!(hook(&desk, "nowhere", &[], body).await.0, 404);
        let path = format!("{}/plus/disable", super::flows(&desk));
        assert_eq!(desk.rest("POST", &path, None).await.0, 200);
        assert_eq!(
            hook(&desk, "plus", &[("x-signature", &signature)], body)
                .await
                .0,
            404
        );
        assert_eq!(runs(&desk).await.len(), before);
    }
}

#[tokio::test]
async fn a_schedule_starts_its_flow_when_it_is_due() {
    let mut desk = desk().await;
    let source = "flow: each_minute\ntriggers:\n  - cron: { schedule: \"* * * * *\", catch_up: last, input: { n: 1 } }\ninput:\n  type: object\n  properties: { n: { type: integer } }\nsteps:\n  - map: .input.n\n";
    create(&desk, source).await;
    assert!(runs(&desk).await.is_empty());
    // What was due while the server was down is caught up with once.
    desk.server.kill().await;
    crate::outside::sqlite(
        desk.server.data.path(),
        "UPDATE flow_triggers SET next_at = 1",
    )
    .await;
    desk.server.restart().await;
    let newest = ended(&desk).await;
    assert_eq!(
        (&newest["output"], &newest["startedBy"]),
        (&json!(1), &json!("cron")),
        "{newest}"
    );
}

#[tokio::test]
async fn a_durable_run_goes_on_after_kill_and_does_nothing_twice() {
    let (first, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let arrived = Arc::new(Semaphore::new(0));
    let service = {
        let (first, second, arrived) = (first.clone(), second.clone(), arrived.clone());
        Upstream::start("127.0.0.1", move |asked: &Asked| {
            if asked.target == "/first" {
                first.fetch_add(1, Ordering::SeqCst);
                return Act::json("1");
            }
            // The first time nothing comes back.
            if second.fetch_add(1, Ordering::SeqCst) == 0 {
                arrived.add_permits(1);
                return vec![Act::Wait(Duration::from_mins(1))];
            }
            Act::json("2")
        })
        .await
    };
    let mut desk = desk().await;
    let source = plain(
        "long",
        &format!(
            "durable: true\nlimits: {{ timeout: 5m, step_timeout: 2m }}\nsteps:\n  - id: one\n    http: {{ post: \"{0}/first\" }}\n  - id: two\n    http: {{ get: \"{0}/second\" }}\nreturn: \"[.steps.one.body, .steps.two.body]\"\n",
            service.url()
        ),
    );
    create(&desk, &source).await;
    let mcp = Mcp::open(&desk.server.endpoint, &desk.key).await;
    let calling = tokio::spawn(async move {
        let params = json!({ "name": "long", "arguments": {} });
        let body = json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": params });
        let request = mcp.client.post(&mcp.endpoint).headers(mcp.headers());
        let _ = request.body(body.to_string()).send().await;
    });
    arrived.acquire().await.unwrap().forget();
    desk.server.kill().await;
    calling.abort();
    desk.server.restart().await;
    let newest = ended(&desk).await;
    assert_eq!(newest["output"], json!([1, 2]), "{newest}");
    assert_eq!(newest["attempts"], 2);
    assert_eq!(first.load(Ordering::SeqCst), 1);
    assert_eq!(second.load(Ordering::SeqCst), 2);
    let whole = run(&desk, &newest).await;
    assert_eq!(whole["steps"].as_array().unwrap().len(), 2, "{whole}");
    // It is told over MCP, too, to those who see the flow.
    let mcp = Mcp::open(&desk.server.endpoint, &desk.key).await;
    assert!(mcp.tool_names().await.contains(&"get_run".to_owned()));
    let told = mcp
        .call("get_run", json!({ "run_id": newest["id"] }))
        .await
        .unwrap();
    assert_eq!(
        (&told["state"], &told["result"]),
        (&json!("done"), &json!([1, 2]))
    );
    let stranger = desk.server.stranger().await;
    let theirs = Mcp::open(&desk.server.endpoint, &stranger).await;
    assert!(
        theirs
            .call("get_run", json!({ "run_id": newest["id"] }))
            .await
            .is_err()
    );
}

//! Durable runs whose server is killed with -9: they go on, and nothing that is done happens again.

use super::waiting::{begin, later};
use super::{create, desk_on, run};
use crate::outside::change_rows;
use quaymaster_tests::{Act, Asked, Database, Desk, Mcp, Upstream};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A service that writes down what it is asked, and leaves the first request for some paths without an
/// answer.
struct Counting {
    service: Upstream,
    /// By verb and path, the idempotency key of each request; an empty one where there is none.
    asked: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
    /// One for each request that is left without an answer.
    held: Arc<Semaphore>,
}

impl Counting {
    async fn start(holds: impl Fn(&str) -> bool + Send + Sync + 'static) -> Counting {
        let asked: Arc<Mutex<BTreeMap<String, Vec<String>>>> = Arc::default();
        let held = Arc::new(Semaphore::new(0));
        let service = {
            let (asked, held) = (asked.clone(), held.clone());
            Upstream::start("127.0.0.1", move |request: &Asked| {
                let mut asked = asked.lock().unwrap();
                let key = request.header("idempotency-key").first().copied();
                let path = format!("{} {}", request.verb, request.target);
                let of_path = asked.entry(path).or_default();
                of_path.push(key.unwrap_or_default().to_owned());
                if of_path.len() == 1 && holds(&request.target) {
                    held.add_permits(1);
                    return vec![Act::Wait(Duration::from_mins(5))];
                }
                Act::json("\"taken\"")
            })
            .await
        };
        Counting {
            service,
            asked,
            held,
        }
    }

    /// Waits until so many requests are held.
    async fn holds(&self, many: u32) {
        let held = self.held.acquire_many(many);
        let held = tokio::time::timeout(Duration::from_mins(1), held).await;
        held.expect("the service is asked").unwrap().forget();
    }

    /// The keys of the requests for a path, in the order in which they came.
    fn of(&self, path: &str) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.get(path).cloned().unwrap_or_default()
    }
}

/// Kills the server and starts it again. On a database that servers share, whoever goes on with a run waits until
/// the lease of the one that was killed has run out, which is made to be at once.
async fn kill_and_restart(desk: &mut Desk) {
    desk.server.kill().await;
    if desk.server.database_url().is_some() {
        let run_out = "UPDATE flow_runs SET lease_until = 0 WHERE state = 'running'";
        change_rows(&desk.server, run_out).await;
    }
    desk.server.restart().await;
}

/// A run once it has ended.
async fn over(desk: &Desk, id: &str) -> Value {
    for _ in 0..900 {
        let whole = run(desk, &json!({ "id": id })).await;
        if matches!(whole["run"]["state"].as_str(), Some("done" | "failed")) {
            return whole;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the run did not end: {:?}", super::runs(desk).await);
}

#[tokio::test]
async fn a_run_of_a_hundred_steps_goes_on_after_kill_and_repeats_only_the_step_that_was_cut_off() {
    const ITEMS: usize = 50;
    for database in Database::BOTH {
        let counting = Counting::start(|path| path == "/read/25").await;
        // What is written may not be repeated, what is read may.
        let rest = format!(
            r#"
limits: {{ timeout: 10m, step_timeout: 5m }}
steps:
  - id: each
    for_each:
      in: "[range({ITEMS})]"
      as: n
      concurrency: 1
      do:
        - id: write
          http: {{ post: "{0}/write/${{{{ .n }}}}" }}
        - id: read
          http: {{ get: "{0}/read/${{{{ .n }}}}" }}
      yield: "[.steps.write.body, .steps.read.body]"
return: "[.steps.each.items[].value[]] | length"
"#,
            counting.service.url()
        );
        let mut desk = desk_on(database).await;
        create(&desk, &later("long", &rest)).await;
        let id = begin(&desk, "long").await;
        counting.holds(1).await;
        kill_and_restart(&mut desk).await;
        let whole = over(&desk, &id).await;
        assert_eq!(whole["run"]["state"], "done", "{whole}");
        assert_eq!(
            (&whole["run"]["output"], &whole["run"]["attempts"]),
            (&json!(2 * ITEMS), &json!(2)),
            "{whole}"
        );
        for n in 0..ITEMS {
            let times = if n == 25 { 2 } else { 1 };
            let reads = counting.of(&format!("GET /read/{n}")).len();
            assert_eq!(reads, times, "read {n} of {database:?}");
            let writes = counting.of(&format!("POST /write/{n}")).len();
            assert_eq!(writes, 1, "write {n} of {database:?}");
        }
        let steps = whole["steps"].as_array().unwrap().iter();
        let asked = steps.filter(|step| step["kind"] == "http" && step["state"] == "done");
        assert_eq!(asked.count(), 2 * ITEMS, "{whole}");
    }
}

#[tokio::test]
async fn a_step_that_may_have_happened_before_the_kill_ends_as_its_flow_says() {
    const FLOWS: [(&str, &str); 4] = [
        ("unsaid", ""),
        ("fails", "on_unknown: fail"),
        ("retries", "on_unknown: retry"),
        ("has_key", "idempotency_key: \"pay-${{ .run.id }}\""),
    ];
    for database in Database::BOTH {
        let counting = Counting::start(|path| path.starts_with("/pay/")).await;
        let mut desk = desk_on(database).await;
        let mut begun = Vec::new();
        for (name, policy) in FLOWS {
            let rest = format!(
                r#"
limits: {{ timeout: 10m, step_timeout: 5m }}
steps:
  - id: before
    http: {{ post: "{0}/before/{name}" }}
  - id: pay
    http: {{ post: "{0}/pay/{name}" }}
    {policy}
  - id: after
    http: {{ post: "{0}/after/{name}" }}
return: .steps.pay.body
"#,
                counting.service.url()
            );
            create(&desk, &later(name, &rest)).await;
            begun.push((name, begin(&desk, name).await));
        }
        counting.holds(4).await;
        kill_and_restart(&mut desk).await;
        for (name, id) in &begun {
            let whole = over(&desk, id).await;
            let goes_on = matches!(*name, "retries" | "has_key");
            if goes_on {
                assert_eq!(whole["run"]["state"], "done", "{whole}");
                assert_eq!(whole["run"]["output"], "taken", "{whole}");
            } else {
                let error = &whole["run"]["error"];
                assert_eq!(whole["run"]["state"], "failed", "{whole}");
                assert_eq!(
                    (&error["code"], &error["details"]["step"]),
                    (&json!("FLOW_ERROR"), &json!("pay")),
                    "{whole}"
                );
                let message = error["message"].as_str().unwrap();
                assert!(message.contains("not known whether it happened"), "{whole}");
            }
            let paid = counting.of(&format!("POST /pay/{name}"));
            assert_eq!(paid.len(), if goes_on { 2 } else { 1 }, "{name}");
            let key = match *name {
                "has_key" => format!("pay-{id}"),
                _ => String::new(),
            };
            assert!(paid.iter().all(|own| *own == key), "{name}: {paid:?}");
            assert_eq!(counting.of(&format!("POST /before/{name}")).len(), 1);
            let after = counting.of(&format!("POST /after/{name}")).len();
            assert_eq!(after, usize::from(goes_on), "{name}");
        }
        // Whoever began them is told the same.
        let mcp = Mcp::open(&desk.server.endpoint, &desk.key).await;
        let told = super::waiting::get_run(&mcp, &begun[2].1).await.unwrap();
        assert_eq!(told["result"], "taken", "{told}");
    }
}

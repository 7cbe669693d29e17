//! A durable run goes on where it was, and nothing happens twice.

use crate::world::{World, block_on, flow};
use quaymaster_core::Code;
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::host::{Recalled, Request};
use quaymaster_flows::run::{Start, run};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const FLOW: &str = "
flow: a
durable: true
steps:
  - id: list
    http: {get: 'https://x.example/list'}
  - id: each
    for_each:
      in: .steps.list.body
      as: n
      concurrency: 2
      on_item_error: collect
      do:
        - id: pay
          http: {post: 'https://x.example/pay', body: {n: '${{ .n }}'}}
          idempotency_key: 'pay-${{ .n }}'
        - if: .n == 3
          fail: {message: three}
      yield: .steps.pay.body
  - id: choice
    switch:
      - when: .steps.each.failed > 0
        do: [{id: told, http: {put: 'https://x.example/tell'}}]
  - id: both
    parallel:
      left: [{id: l, http: {get: 'https://x.example/l'}}]
      right: [{id: r, flow: {name: inner}}]
  - id: broken
    http: {get: 'https://x.example/broken'}
    on_error: {do: [{id: instead, map: '{body: .error.code}'}]}
return: '{each: .steps.each, told: .steps.told.body, l: .steps.l.body, r: .steps.r.n, broken: .steps.broken.body}'
";

/// The service: what it did, by key or path.
type Done = Arc<Mutex<HashMap<String, usize>>>;

fn world(done: &Done) -> World {
    let done = Arc::clone(done);
    let mut world = World::answering(move |path, request| {
        let Request::Http(request) = request else {
            panic!("a request")
        };
        let key = request
            .idempotency_key
            .clone()
            .unwrap_or_else(|| path.to_owned());
        *done.lock().unwrap().entry(key).or_default() += 1;
        match path {
            "broken" => Err(StepFault::new(Code::Forbidden, "no")),
            "list" => Ok(json!({ "status": 200, "body": [1, 2, 3, 4] })),
            path => Ok(json!({ "status": 200, "body": format!("did {path}") })),
        }
    });
    world.knows("flow: inner\nsteps: [{id: get, http: {get: 'https://x.example/i'}}]\nreturn: '{n: .steps.get.body}'\n");
    world
}

fn result(world: &World) -> Value {
    world.run(FLOW, json!({})).unwrap()
}

/// Runs until the machine stops, and then goes on with what is in the journal.
fn crashed_and_resumed(after: usize) -> (Value, HashMap<String, usize>, bool) {
    let done = Done::default();
    let mut first = world(&done);
    first.crash_after = Some(after);
    let prepared = flow(FLOW);
    let crashed = block_on(async {
        let start = Start {
            run: json!({ "id": "run_1" }),
            ..Start::default()
        };
        tokio::select! {
            biased;
            _ = run(&prepared, start, &first) => false,
            () = first.crashed.notified() => true,
        }
    });
    let second = world(&done);
    second.noted.lock().unwrap().journal = first.noted.lock().unwrap().journal.clone();
    let result = result(&second);
    let counts = done.lock().unwrap().clone();
    (result, counts, crashed)
}

#[test]
fn wherever_it_crashes_the_result_is_the_same_and_what_is_done_stays_done() {
    let whole = Done::default();
    let wanted = result(&world(&whole));
    assert_eq!(wanted["each"]["failed"], 1);
    assert_eq!(wanted["broken"], "FORBIDDEN");
    let mut after = 0;
    loop {
        let (result, counts, crashed) = crashed_and_resumed(after);
        assert_eq!(result, wanted, "after {after} marks");
        assert_eq!(
            counts.len(),
            whole.lock().unwrap().len(),
            "after {after} marks"
        );
        // At most the steps that were begun when it crashed run again: three turns at most, and all of
        // them may be repeated.
        let again = counts.values().filter(|count| **count > 1).count();
        assert!(again <= 2, "after {after} marks: {counts:?}");
        assert!(
            counts.values().all(|count| *count <= 2),
            "after {after} marks: {counts:?}"
        );
        if !crashed {
            break;
        }
        after += 1;
    }
    assert!(after > 20, "{after}");
}

fn resumed(text: &str) -> Result<Value, quaymaster_flows::fault::RunFault> {
    let world = World::with(json!({ "status": 200, "body": "done" }));
    let mut journal = HashMap::new();
    journal.insert("pay".to_owned(), Recalled::Begun);
    world.noted.lock().unwrap().journal = journal;
    world.run(text, json!({}))
}

#[test]
fn what_may_have_happened_is_not_done_again_unless_it_does_no_harm() {
    let post = "flow: a\ndurable: true\nsteps: [{id: pay, http: {post: 'https://x.example/'}}]\n";
    let fault = resumed(post).unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.code),
        ("pay", Code::FlowError)
    );
    assert!(
        fault.fault.message.contains("not known"),
        "{}",
        fault.fault.message
    );
    for harmless in [
        post.replace("post:", "put:"),
        post.replace("/'}", "/'}, idempotency_key: one"),
        post.replace("/'}", "/'}, on_unknown: retry"),
    ] {
        assert_eq!(resumed(&harmless).unwrap()["body"], "done");
    }
}

#[test]
fn a_failure_that_is_known_is_not_tried_again() {
    let text = "
flow: a
durable: true
steps: [{id: pay, http: {get: 'https://x.example/'}, on_error: continue}]
return: .steps.pay.error
";
    let world = World::with(json!({ "status": 200 }));
    let failed = Recalled::Failed(StepFault::new(Code::NotFound, "It was not there."));
    world
        .noted
        .lock()
        .unwrap()
        .journal
        .insert("pay".to_owned(), failed);
    let result = world.run(text, json!({})).unwrap();
    assert_eq!(result["message"], "It was not there.");
    assert!(world.performed().is_empty());
}

#[test]
fn a_wait_and_a_time_limit_go_on_where_they_were() {
    const PATIENT: &str = "flow: patient\ndurable: true\nlimits: { timeout: 1m }\nsteps:\n  - id: pause\n    wait: 55s\n  - map: \"1\"\n";
    let begun = || World {
        spent: Duration::from_secs(50),
        ..World::default()
    };
    let fault = begun().run(PATIENT, json!({})).unwrap_err();
    assert!(
        fault
            .fault
            .message
            .contains("longer than the time that is left")
    );
    let mut world = begun();
    world.left.insert("pause".into(), Duration::from_secs(2));
    assert_eq!(world.run(PATIENT, json!({})).unwrap(), json!(1));
    assert_eq!(world.noted.lock().unwrap().waits, [Duration::from_secs(2)]);
}

//! What a flow may use.

use crate::world::World;
use quaymaster_core::Code;
use serde_json::json;

#[test]
fn a_thousand_and_one_items_are_one_too_many() {
    let text = "
flow: a
limits: {steps: 5000}
steps:
  - id: each
    for_each: {in: '[range(1001)]', do: [{map: .item}]}
return: '{}'
";
    let fault = World::default().run(text, json!({})).unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.code),
        ("each", Code::FlowError)
    );
    assert!(
        fault.fault.message.contains("1001 items"),
        "{}",
        fault.fault.message
    );
    World::default()
        .run(&text.replace("1001", "1000"), json!({}))
        .unwrap();
    World::default()
        .run(&text.replace("5000", "5000, items: 1001"), json!({}))
        .unwrap();
}

#[test]
fn steps_of_loops_count_each_time() {
    let text = "
flow: a
limits: {steps: 100}
steps:
  - id: each
    for_each: {in: '[range(100)]', concurrency: 1, do: [{map: .item}]}
return: '{}'
";
    let fault = World::default().run(text, json!({})).unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.code),
        ("each[99].do[0]", Code::FlowError)
    );
    assert!(
        fault.fault.message.contains("100 steps"),
        "{}",
        fault.fault.message
    );
}

#[test]
fn flows_that_run_each_other_come_to_an_end() {
    let mut world = World::default();
    world.knows("flow: ping\nsteps: [{id: p, flow: {name: pong}}]\n");
    world.knows("flow: pong\nsteps: [{id: q, flow: {name: ping}}]\n");
    let fault = world
        .run("flow: a\nsteps: [{id: s, flow: {name: ping}}]\n", json!({}))
        .unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.code),
        ("s.p.q.p.q", Code::FlowError)
    );
    assert!(
        fault.fault.message.contains("5 deep"),
        "{}",
        fault.fault.message
    );
}

#[test]
fn a_flow_is_stopped_when_its_time_is_over_and_catch_still_runs() {
    let text = "
flow: a
limits: {timeout: 50ms}
steps:
  - id: first
    map: '1'
  - id: slow
    http: {get: 'https://x.example/'}
    timeout: 10s
catch: [{id: shout, map: .error.code}]
return: '{}'
";
    let mut world = World::with(json!({ "status": 200 }));
    world.silent = true;
    let fault = world.run(text, json!({})).unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.code),
        ("slow", Code::Timeout)
    );
    let shouted = &world.noted.lock().unwrap().journal["shout"];
    assert_eq!(format!("{shouted:?}"), "Done(String(\"TIMEOUT\"))");
}

#[test]
fn outputs_together_have_a_limit() {
    let text = "
flow: a
steps:
  - id: each
    for_each: {in: '[range(100)]', do: [{id: get, http: {get: 'https://x.example/'}}]}
return: '{}'
";
    let large = "x".repeat(1 << 20);
    let answer = json!({ "status": 200, "body": large });
    let fault = World::with(answer.clone())
        .run(text, json!({}))
        .unwrap_err();
    assert!(
        fault.fault.message.contains("64 MiB"),
        "{}",
        fault.fault.message
    );
    // What a turn does not yield is forgotten.
    let yields = text.replace("do: [", "yield: .index, do: [");
    World::with(answer).run(&yields, json!({})).unwrap();
}

#[test]
fn a_wait_that_the_flow_does_not_live_to_see_fails_at_once() {
    let world = World::default();
    let fault = world
        .run("flow: a\nsteps: [{wait: 2m}]\n", json!({}))
        .unwrap_err();
    assert_eq!(fault.fault.code, Code::FlowError);
    assert!(world.noted.lock().unwrap().waits.is_empty());
}

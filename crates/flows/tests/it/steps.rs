//! What each kind of step does.

use crate::world::{World, flow};
use quaymaster_core::Code;
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::host::{KvRequest, Request};
use serde_json::{Value, json};
use std::time::Duration;

fn ok(text: &str, input: Value) -> Value {
    World::with(json!({ "status": 200, "headers": {}, "body": { "n": 1 } }))
        .run(text, input)
        .unwrap()
}

#[test]
fn outputs_are_seen_by_later_steps_and_the_last_is_the_result() {
    let result = ok(
        "flow: a\nsteps:\n  - id: one\n    map: '{x: 2}'\n  - map: .steps.one.x * 3\n",
        json!({}),
    );
    assert_eq!(result, json!(6));
}

#[test]
fn a_step_whose_if_says_no_answers_null() {
    let text = "
flow: a
steps:
  - id: left_out
    if: .input.go
    map: '1'
return: '{left_out: .steps.left_out}'
input: {type: object, properties: {go: {type: boolean, default: false}}}
";
    assert_eq!(ok(text, json!({})), json!({ "left_out": null }));
    assert_eq!(ok(text, json!({ "go": true })), json!({ "left_out": 1 }));
}

#[test]
fn branches_answer_what_their_last_step_answers() {
    let text = "
flow: a
input: {type: object, properties: {n: {type: integer}}}
steps:
  - id: sign
    if: .input.n < 0
    then: [{map: '\"minus\"'}]
    else:
      - id: zero
        switch:
          - when: .input.n == 0
            do: [{map: '\"zero\"'}]
          - do: [{id: plus, map: '\"plus\"'}]
return: '{sign: .steps.sign, plus: .steps.plus}'
";
    assert_eq!(
        ok(text, json!({ "n": -1 })),
        json!({ "sign": "minus", "plus": null })
    );
    assert_eq!(
        ok(text, json!({ "n": 0 })),
        json!({ "sign": "zero", "plus": null })
    );
    assert_eq!(
        ok(text, json!({ "n": 1 })),
        json!({ "sign": "plus", "plus": "plus" })
    );
}

#[test]
fn a_loop_keeps_the_order_and_collects_what_failed() {
    let text = "
flow: a
steps:
  - id: each
    for_each:
      in: '[1, 0, 2]'
      as: n
      concurrency: 2
      on_item_error: collect
      do:
        - if: .n == 0
          fail: {code: NOT_FOUND, message: 'none at ${{ .index }}'}
        - id: twice
          map: .n * 2
      yield: '{twice: .steps.twice}'
return: .steps.each
";
    let result = ok(text, json!({}));
    assert_eq!(result["failed"], 1);
    assert_eq!(result["items"][0], json!({ "value": { "twice": 2 } }));
    assert_eq!(result["items"][2], json!({ "value": { "twice": 4 } }));
    let error = &result["items"][1]["error"];
    assert_eq!(error["message"], "none at 1");
    assert_eq!(error["step"], "each[1].do[0]");
    let stops = text.replace("collect", "stop");
    let fault = World::default().run(&stops, json!({})).unwrap_err();
    assert_eq!(fault.fault.code, Code::NotFound);
}

#[test]
fn a_loop_runs_as_many_at_once_as_it_says() {
    let text = "
flow: a
steps:
  - for_each:
      in: '[range(20)]'
      concurrency: 3
      do: [{id: get, http: {get: 'https://x.example/${{ .index }}'}}]
return: '{}'
";
    let world = World::with(json!({ "status": 200 }));
    world.run(text, json!({})).unwrap();
    let noted = world.noted.lock().unwrap();
    assert_eq!(noted.running.1, 3);
    assert_eq!(noted.performed.len(), 20);
    let Request::Http(request) = &noted.performed[4].1 else {
        panic!("a request")
    };
    assert_eq!(request.url, "https://x.example/4");
}

#[test]
fn branches_beside_each_other_run_at_the_same_time() {
    let text = "
flow: a
steps:
  - id: both
    parallel:
      left: [{id: l, http: {get: 'https://l.example/'}}]
      right: [{id: r, http: {get: 'https://r.example/'}}]
return: '{l: .steps.l.body.n, both: (.steps.both | keys)}'
";
    let world = World::with(json!({ "status": 200, "body": { "n": 1 } }));
    let result = world.run(text, json!({})).unwrap();
    assert_eq!(result, json!({ "l": 1, "both": ["left", "right"] }));
    assert_eq!(world.noted.lock().unwrap().running.1, 2);
}

#[test]
fn a_return_ends_the_flow_from_within() {
    let text = "
flow: a
input: {type: object, properties: {n: {type: integer}}}
steps:
  - if: .input.n == 1
    then: [{return: '{early: true}'}]
  - http: {get: 'https://x.example/'}
return: '{early: false}'
";
    let world = World::with(json!({ "status": 200 }));
    assert_eq!(
        world.run(text, json!({ "n": 1 })).unwrap(),
        json!({ "early": true })
    );
    assert!(world.performed().is_empty());
    assert_eq!(
        world.run(text, json!({ "n": 2 })).unwrap(),
        json!({ "early": false })
    );
}

#[test]
fn a_flow_within_a_flow_has_its_own_steps_and_variables() {
    let mut world = World::with(json!({ "status": 200, "body": 5 }));
    world.knows("
flow: inner
vars: {add: 10}
input: {type: object, required: [n], properties: {n: {type: integer}, more: {type: integer, default: 1}}}
steps: [{id: get, http: {get: 'https://x.example/'}}]
return: '{sum: (.input.n + .input.more + .vars.add + .steps.get.body), user: .caller.user}'
");
    let text = "
flow: outer
steps:
  - id: sub
    flow: {name: inner, input: {n: 2}}
return: .steps.sub
";
    let result = world.run(text, json!({})).unwrap();
    assert_eq!(result, json!({ "sum": 18, "user": "usr_1" }));
    assert_eq!(world.performed(), ["sub.get"]);

    let wrong = text.replace("n: 2", "n: two");
    let fault = world.run(&wrong, json!({})).unwrap_err();
    assert_eq!(
        (fault.fault.code, fault.step.as_str()),
        (Code::InvalidArg, "sub")
    );
    let missing = text.replace("name: inner", "name: nothing");
    let fault = world.run(&missing, json!({})).unwrap_err();
    assert!(
        fault.fault.message.contains("no flow \"nothing\""),
        "{fault:?}"
    );
}

#[test]
fn a_failure_is_handled_by_the_step_or_by_the_flow() {
    let failing = || {
        World::answering(|path, _| {
            if path == "shout" {
                return Ok(json!({ "status": 200 }));
            }
            let mut fault = StepFault::new(Code::UpstreamError, "It is down.");
            fault.status = Some(500);
            Err(fault)
        })
    };
    let goes_on = "
flow: a
steps: [{id: get, http: {get: 'https://x.example/'}, on_error: continue}]
return: '{code: .steps.get.error.code, status: .steps.get.error.status}'
";
    assert_eq!(
        failing().run(goes_on, json!({})).unwrap(),
        json!({ "code": "UPSTREAM_ERROR", "status": 500 })
    );
    let instead = "
flow: a
steps:
  - id: get
    http: {get: 'https://x.example/'}
    on_error: {do: [{map: '{body: .error.message}'}]}
return: '{body: .steps.get.body}'
";
    assert_eq!(
        failing().run(instead, json!({})).unwrap(),
        json!({ "body": "It is down." })
    );
    let catches = "
flow: a
steps: [{id: get, http: {get: 'https://x.example/'}}]
catch: [{id: shout, http: {post: 'https://y.example/', body: {at: '${{ .error.step }}'}}}]
return: '{}'
";
    let world = failing();
    let fault = world.run(catches, json!({})).unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.message.as_str()),
        ("get", "It is down.")
    );
    assert_eq!(world.performed(), ["get", "shout"]);
    let worded = catches.replace(
        "catch: [",
        "catch: [{if: .error.status == 500, fail: {code: NOT_FOUND, message: 'Nothing there'}}, ",
    );
    let fault = failing().run(&worded, json!({})).unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.code),
        ("get", Code::NotFound)
    );
    let recovers = catches.replace(
        "catch: [",
        "catch: [{if: .error.status == 500, return: '{saved: true}'}, ",
    );
    assert_eq!(
        failing().run(&recovers, json!({})).unwrap(),
        json!({ "saved": true })
    );
}

#[test]
fn values_are_kept_and_waits_are_waited() {
    let text = "
flow: a
input: {type: object, properties: {s: {type: number}}}
steps:
  - kv: {set: {key: 'seen/${{ .input.s }}', value: {n: '${{ .input.s }}'}, ttl: 1h}}
  - kv: {get: {key: seen}}
  - kv: {delete: {key: seen}}
  - wait: 2s
  - wait: '${{ .input.s }}'
return: '{}'
";
    let world = World::default();
    world.run(text, json!({ "s": 1.5 })).unwrap();
    let noted = world.noted.lock().unwrap();
    assert_eq!(
        noted.waits,
        [Duration::from_secs(2), Duration::from_millis(1_500)]
    );
    let kept = KvRequest::Set {
        key: "seen/1.5".to_owned(),
        value: json!({ "n": 1.5 }),
        ttl: Some(Duration::from_hours(1)),
    };
    assert_eq!(noted.performed[0].1, Request::Kv(kept));
}

#[test]
fn the_result_is_what_the_output_says_or_a_fault_says_where() {
    let text = "
flow: a
output: {type: object, required: [n], properties: {n: {type: object, properties: {deep: {type: integer}}}}}
steps: []
return: '{n: {deep: \"x\"}}'
";
    let fault = World::default().run(text, json!({})).unwrap_err();
    assert_eq!(fault.fault.code, Code::FlowError);
    assert!(
        fault.fault.message.contains("/n/deep"),
        "{}",
        fault.fault.message
    );
    let wrong = text.replace("{n: {deep: \"x\"}}", "[1]");
    let fault = World::default().run(&wrong, json!({})).unwrap_err();
    assert!(
        fault.fault.message.contains("no object"),
        "{}",
        fault.fault.message
    );
}

#[test]
fn input_that_does_not_fit_starts_nothing() {
    let text = "
flow: a
input: {type: object, required: [n], properties: {n: {type: integer}}}
steps: [{http: {get: 'https://x.example/'}}]
";
    let world = World::default();
    let fault = world.run(text, json!({ "n": "one" })).unwrap_err();
    assert_eq!(fault.fault.code, Code::InvalidArg);
    assert_eq!(fault.step, "");
    let nothing = World::default().run("flow: a\nsteps: [{map: '1'}]\n", json!({ "x": 1 }));
    assert_eq!(nothing.unwrap_err().fault.code, Code::InvalidArg);
    assert!(world.performed().is_empty());
}

#[test]
fn whoever_waits_is_told_of_each_outer_step() {
    let text = "
flow: a
steps:
  - title: Look around
    map: '1'
  - id: second
    if: 'true'
    then: [{map: '2'}]
";
    let world = World::default();
    world.run(text, json!({})).unwrap();
    assert_eq!(
        world.noted.lock().unwrap().progress,
        [
            (0, 2, "Look around".to_owned()),
            (1, 2, "second".to_owned())
        ]
    );
}

#[test]
fn an_expression_that_fails_is_named() {
    let text = "flow: a\nsteps: [{id: bad, map: '.run.id | keys'}]\n";
    let fault = World::default().run(text, json!({})).unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.code),
        ("bad", Code::FlowError)
    );
    assert_eq!(
        fault.fault.hint.as_deref(),
        Some("The expression: .run.id | keys")
    );
}

#[test]
fn a_step_of_plain_paths_asks_jq_for_nothing() {
    let text = "
flow: a
input: {type: object, properties: {q: {type: string}}}
steps:
  - id: get
    http: {get: 'https://x.example/', query: {q: '${{ .input.q }}', user: '${{ .caller.user }}'}}
return: .steps.get.body
";
    let world = World::with(json!({ "status": 200, "body": { "n": 1 } }));
    world.start(&flow(text), json!({ "q": "x" })).unwrap();
    assert!(world.noted.lock().unwrap().evaluated.is_empty());
}

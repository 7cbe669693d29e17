//! What leaves: addresses, secrets, retries, caches, rates.

use crate::world::World;
use quaymaster_core::Code;
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::host::{Auth, Body, HttpRequest, Request, Text, TextPart};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const OPEN: &str = "input: {type: object, additionalProperties: true}\n";

fn sent(text: &str, input: Value) -> HttpRequest {
    let world = World::with(json!({ "status": 200 }));
    world.run(&format!("flow: a\n{OPEN}{text}"), input).unwrap();
    let noted = world.noted.lock().unwrap();
    match &noted.performed[0].1 {
        Request::Http(request) => HttpRequest::clone(request),
        other => panic!("{other:?}"),
    }
}

/// Fails so many times, with this status; then it answers.
fn failing(times: usize, status: u16, retry_after: Option<&'static str>) -> World {
    let count = AtomicUsize::new(0);
    World::answering(move |_, _| {
        if count.fetch_add(1, Ordering::Relaxed) >= times {
            return Ok(json!({ "status": 200, "headers": {}, "body": "fine" }));
        }
        Ok(json!({ "status": status, "headers": { "retry-after": retry_after }, "body": "no" }))
    })
}

#[test]
fn a_value_stays_in_its_part_of_the_address() {
    let text =
        "steps: [{http: {get: 'https://x.example/a/${{ .input.p }}/b?q=${{ .input.q }}'}}]\n";
    let request = sent(text, json!({ "p": "../x y/é?#", "q": "1&admin=2" }));
    assert_eq!(
        request.url,
        "https://x.example/a/..%2Fx%20y%2F%C3%A9%3F%23/b?q=1%26admin%3D2"
    );
    for dots in ["..", "."] {
        let world = World::with(json!({ "status": 200 }));
        let fault = world
            .run(&format!("flow: a\n{OPEN}{text}"), json!({ "p": dots }))
            .unwrap_err();
        assert!(fault.fault.message.contains("dots"), "{fault:?}");
        assert!(world.performed().is_empty());
    }
}

#[test]
fn the_flows_own_variables_may_be_the_host() {
    let text = "vars: {base: 'https://api.example.com/v2', shop: acme}
steps: [{http: {get: '${{ .vars.base }}/things/${{ .input.id }}'}}]\n";
    assert_eq!(
        sent(text, json!({ "id": "1/2" })).url,
        "https://api.example.com/v2/things/1%2F2"
    );
    let text = text.replace(
        "${{ .vars.base }}/things",
        "https://${{ .vars.shop }}.example.com/things",
    );
    assert_eq!(
        sent(&text, json!({ "id": 3 })).url,
        "https://acme.example.com/things/3"
    );
}

#[test]
fn secrets_leave_as_names_that_only_the_host_can_fill_in() {
    let text = "steps:
  - http:
      post: https://x.example/
      query: {key: '${{ secret.KEY }}', none: null, many: [1, '${{ .input.x }}']}
      headers: {X-Sign: 'v1 ${{ secret.SIGN }} ${{ .input.x }}', X-None: '${{ .input.missing }}'}
      auth: {basic: {user: me, password: '${{ secret.PASSWORD }}'}}
      body: {x: '${{ .input.x }}', s: 'x${{ .input.x }}'}
    idempotency_key: 'k-${{ .run.id }}'
";
    let request = sent(text, json!({ "x": 5 }));
    let secret = |name: &str| Text(vec![TextPart::Secret(name.to_owned())]);
    assert_eq!(
        request.query,
        [
            ("key".to_owned(), secret("KEY")),
            ("many".to_owned(), Text::literal("1")),
            ("many".to_owned(), Text::literal("5")),
        ]
    );
    let sign = request.headers[0]
        .1
        .fill(|name| (name == "SIGN").then_some("s3"));
    assert_eq!(sign.unwrap(), "v1 s3 5");
    assert_eq!(
        request.headers[1],
        ("Idempotency-Key".to_owned(), Text::literal("k-run_1"))
    );
    assert_eq!(request.headers.len(), 2);
    assert!(
        matches!(&request.auth, Some(Auth::Basic { password, .. }) if *password == secret("PASSWORD"))
    );
    assert_eq!(request.body, Some(Body::Body(json!({ "x": 5, "s": "x5" }))));
    insta::assert_json_snapshot!(Request::Http(Box::new(request)), @r#"
    {
      "method": "POST",
      "url": "https://x.example/",
      "query": {
        "key": "${{ secret.KEY }}",
        "many": [
          "1",
          "5"
        ]
      },
      "headers": {
        "X-Sign": "v1 ${{ secret.SIGN }} 5",
        "Idempotency-Key": "k-run_1"
      },
      "auth": {
        "basic": {
          "user": "me",
          "password": "${{ secret.PASSWORD }}"
        }
      },
      "body": {
        "x": 5,
        "s": "x5"
      }
    }
    "#);
}

#[test]
fn a_header_with_a_line_break_is_refused() {
    let text = format!(
        "flow: a\n{OPEN}steps: [{{http: {{get: 'https://x.example/', headers: {{X-A: '${{{{ .input.x }}}}'}}}}}}]\n"
    );
    let world = World::with(json!({ "status": 200 }));
    let fault = world
        .run(&text, json!({ "x": "a\r\nX-Evil: 1" }))
        .unwrap_err();
    assert!(fault.fault.message.contains("X-A"), "{fault:?}");
    assert!(world.performed().is_empty());
}

const GET: &str = "flow: a
defaults: {http: {retry: {max: 2, when: [5xx, 429], backoff: 100ms..150ms}}}
steps: [{id: get, http: {get: 'https://x.example/p?k=1'}}]
";

#[test]
fn what_may_pass_is_tried_again_with_longer_and_longer_waits() {
    let world = failing(2, 503, None);
    world.run(GET, json!({})).unwrap();
    let waits = &world.noted.lock().unwrap().waits;
    assert_eq!(
        *waits,
        [Duration::from_millis(100), Duration::from_millis(150)]
    );
}

#[test]
fn after_the_last_attempt_the_step_fails_with_what_the_service_said() {
    let world = failing(9, 503, None);
    let fault = world.run(GET, json!({})).unwrap_err();
    assert_eq!(world.performed().len(), 3);
    insta::assert_json_snapshot!(fault.to_fault(), @r#"
    {
      "code": "UPSTREAM_ERROR",
      "message": "x.example answered 503.",
      "retryable": true,
      "details": {
        "body": "no",
        "step": "get",
        "upstream_status": 503
      }
    }
    "#);
}

#[test]
fn the_services_own_wait_is_kept_unless_it_is_too_long() {
    let world = failing(1, 429, Some("7"));
    world.run(GET, json!({})).unwrap();
    assert_eq!(world.noted.lock().unwrap().waits, [Duration::from_secs(7)]);

    let world = failing(1, 429, Some("700"));
    let fault = world.run(GET, json!({})).unwrap_err();
    assert_eq!(fault.fault.code, Code::RateLimited);
    assert_eq!(fault.to_fault().details.unwrap()["retry_after_s"], 700);
}

#[test]
fn what_changes_something_is_tried_again_only_when_the_step_says_so() {
    let post = GET.replace("get: 'https", "post: 'https");
    let world = failing(1, 503, None);
    world.run(&post, json!({})).unwrap_err();
    assert_eq!(world.performed().len(), 1);

    let keyed = post.replace("k=1'}", "k=1'}, idempotency_key: once");
    failing(1, 503, None).run(&keyed, json!({})).unwrap();
    let explicit = post.replace("k=1'}", "k=1'}, retry: {max: 1}");
    failing(1, 503, None).run(&explicit, json!({})).unwrap();
    // A refusal does not pass by itself.
    failing(1, 403, None).run(&explicit, json!({})).unwrap_err();
}

#[test]
fn a_status_that_the_step_accepts_is_an_answer() {
    let text = GET.replace("k=1'}", "k=1', accept: [404]}");
    let result = failing(1, 404, None).run(&text, json!({})).unwrap();
    assert_eq!(result["status"], 404);
}

#[test]
fn no_answer_in_time_is_a_timeout_of_the_step() {
    let text = GET.replace(
        "k=1'}",
        "k=1'}, timeout: 20ms, retry: {max: 1, when: [timeout]}",
    );
    let mut world = World::with(json!({ "status": 200 }));
    world.silent = true;
    let fault = world.run(&text, json!({})).unwrap_err();
    assert_eq!(
        (fault.step.as_str(), fault.fault.code),
        ("get", Code::Timeout)
    );
    assert_eq!(world.performed().len(), 2);
}

#[test]
fn a_cached_answer_is_not_asked_for_again() {
    let text = format!(
        "flow: a\n{OPEN}steps: [{{id: get, http: {{get: 'https://x.example/${{{{ .input.x }}}}'}}, cache: {{ttl: 1m}}}}]\n"
    );
    let world = World::with(json!({ "status": 200 }));
    for x in [1, 1, 2] {
        world.run(&text, json!({ "x": x })).unwrap();
    }
    assert_eq!(world.performed().len(), 2);
}

#[test]
fn a_step_runs_no_more_often_than_it_says() {
    let text = format!(
        "flow: a\n{OPEN}steps: [{{id: get, http: {{get: 'https://x.example/'}}, rate_limit: {{max: 2, per: 1m, key: '${{{{ .input.who }}}}'}}}}]\n"
    );
    let world = World::with(json!({ "status": 200 }));
    world.run(&text, json!({ "who": "a" })).unwrap();
    world.run(&text, json!({ "who": "a" })).unwrap();
    world.run(&text, json!({ "who": "b" })).unwrap();
    let fault = world.run(&text, json!({ "who": "a" })).unwrap_err();
    assert_eq!(fault.fault.code, Code::RateLimited);
    assert_eq!(fault.fault.retry_after, Some(Duration::from_mins(1)));
}

#[test]
fn calls_leave_out_what_is_null() {
    let text = format!(
        "flow: a\n{OPEN}steps: [{{call: {{service: github, action: list, with: {{a: 1, b: '${{{{ .input.b }}}}'}}}}}}]\n"
    );
    let world = World::with(json!({ "status": 200 }));
    world.run(&text, json!({})).unwrap();
    let noted = world.noted.lock().unwrap();
    let Request::Call(call) = &noted.performed[0].1 else {
        panic!("a call")
    };
    assert_eq!(Value::Object(call.with.clone()), json!({ "a": 1 }));
}

#[test]
fn a_host_that_fails_without_a_status_is_the_network() {
    let text = GET.replace("k=1'}", "k=1'}, retry: {max: 1, when: [network]}");
    let world = World::answering(|_, _| Err(StepFault::new(Code::UpstreamError, "No route.")));
    world.run(&text, json!({})).unwrap_err();
    assert_eq!(world.performed().len(), 2);
}

//! What is sent again, when, and what is waited for.

use crate::fixture::{REST, action, connector, get, quick, sender, signed};
use crate::upstream::{Act, Upstream, json as answer_json, reply};
use quaymaster_connectors::send::Options;
use quaymaster_egress::DEFAULT_MAX_BODY;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn what_reads_is_sent_again_and_what_changes_something_is_not() {
    for (key, inputs, times) in [
        ("get_thing", json!({ "id": "7" }), 3),
        ("replace_thing", json!({ "id": "7" }), 3),
        ("make_thing", json!({ "name": "x" }), 1),
    ] {
        for acts in [
            reply("503 Gone Fishing", ""),
            vec![Act::Reset],
            reply("429 Slow", ""),
        ] {
            let upstream = Upstream::start("127.77.21.6", move |_, _| acts.clone()).await;
            let prepared = connector(&upstream.url(""), REST);
            let call = action(key, inputs.clone());
            let failure = sender()
                .send(&prepared, &signed(), "c", &call, &quick())
                .await
                .unwrap_err();
            assert_eq!(upstream.seen().len(), times, "{key}: {failure:?}");
            assert_eq!(failure.retries as usize, times - 1);
        }
    }
}

#[tokio::test]
async fn a_change_that_may_have_been_done_is_not_called_retryable() {
    for acts in [vec![Act::Reset], vec![Act::Wait(Duration::from_mins(10))]] {
        let upstream = Upstream::start("127.77.21.7", move |_, _| acts.clone()).await;
        let prepared = connector(&upstream.url(""), REST);
        let call = action("make_thing", json!({ "name": "x" }));
        let failure = sender()
            .send(&prepared, &signed(), "c", &call, &quick())
            .await
            .unwrap_err();
        assert!(!failure.fault.retryable, "{failure:?}");
        assert!(failure.fault.has_detail("maybe_done"), "{failure:?}");
        assert!(failure.fault.hint.unwrap().contains("may have been done"));
    }
}

#[tokio::test]
async fn what_is_too_large_to_read_may_have_been_done_all_the_same() {
    let upstream = Upstream::start("127.77.21.14", |_, _| {
        answer_json(&format!("\"{}\"", "x".repeat(DEFAULT_MAX_BODY)))
    })
    .await;
    let prepared = connector(&upstream.url(""), REST);
    let patient = Options {
        timeout: Some(Duration::from_secs(30)),
        ..quick()
    };
    for (key, inputs, maybe_done) in [
        ("make_thing", json!({ "name": "x" }), true),
        ("get_thing", json!({ "id": "7" }), false),
    ] {
        let failure = sender()
            .send(&prepared, &signed(), "c", &action(key, inputs), &patient)
            .await
            .unwrap_err();
        assert!(failure.fault.has_detail("limit_bytes"), "{failure:?}");
        assert_eq!(failure.fault.has_detail("maybe_done"), maybe_done);
    }
}

#[tokio::test]
async fn a_short_wait_is_kept_and_a_long_one_told() {
    let upstream = Upstream::start("127.77.21.8", |_, before| match before {
        0 => reply("429 Slow\r\nretry-after: 0.2", ""),
        1 => answer_json("{}"),
        _ => reply("429 Slow\r\nretry-after: 3600", ""),
    })
    .await;
    let begun = Instant::now();
    let answer = get(&upstream).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(answer.meta.retries, 1);
    let failure = get(&upstream).await.unwrap_err();
    let details = failure.fault.details.unwrap();
    assert_eq!(details["retry_after_s"], 3600);
    assert_eq!(details["upstream_status"], 429);
    assert_eq!(failure.retries, 0);
}

#[tokio::test]
async fn a_documented_limit_is_kept_by_waiting_or_told() {
    let upstream = Upstream::start("127.77.21.9", |_, _| answer_json("{}")).await;
    let rest = format!("rate_limits: [{{requests: 4, per_s: 1}}]\n{REST}");
    let prepared = connector(&upstream.url(""), &rest);
    let call = action("get_thing", json!({ "id": "7" }));
    let sender = sender();
    for _ in 0..5 {
        // The fifth waits a quarter of a second.
        sender
            .send(&prepared, &signed(), "a", &call, &quick())
            .await
            .unwrap();
    }
    let mut options = quick();
    options.max_wait = Duration::from_millis(1);
    let failure = sender
        .send(&prepared, &signed(), "a", &call, &options)
        .await
        .unwrap_err();
    assert_eq!(failure.fault.code.name(), "RATE_LIMITED");
    assert_eq!(failure.fault.details.unwrap()["retry_after_s"], 1);
    assert!(
        sender
            .send(&prepared, &signed(), "b", &call, &options)
            .await
            .is_ok()
    );
    assert_eq!(upstream.seen().len(), 6);
}

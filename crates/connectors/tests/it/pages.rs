//! Lists page by page.

use crate::fixture::{
    REST, SECRET, account, action, connector, object, quick, sender, signed, value,
};
use crate::upstream::{Seen, Upstream, json as answer_json, reply};
use quaymaster_connectors::definition::Verb;
use quaymaster_connectors::request::{Invocation, Prepared};
use quaymaster_connectors::send::{Answer, Options};
use serde_json::{Value, json};
use url::Url;

const ALL: u64 = 7;

fn asked(seen: &Seen, name: &str) -> Option<String> {
    let url = Url::parse(&format!("http://x{}", seen.target)).unwrap();
    url.query_pairs()
        .find(|(own, _)| own == name)
        .map(|(_, value)| value.into_owned())
}

fn number(seen: &Seen, name: &str) -> Option<u64> {
    asked(seen, name)?.parse().ok()
}

fn items(from: u64, size: u64) -> Vec<Value> {
    (from..ALL.min(from + size))
        .map(|id| json!({ "id": id }))
        .collect()
}

async fn read(prepared: &Prepared, follow_pages: u32) -> Answer {
    let call = action("get_thing", json!({ "id": "list" }));
    let options = Options {
        follow_pages,
        ..quick()
    };
    sender()
        .send(prepared, &signed(), "c", &call, &options)
        .await
        .unwrap()
}

/// Reads everything, and the first page alone.
async fn check(upstream: &Upstream, pagination: &str, at: &str, next: Value) {
    let rest = format!("defaults: {{pagination: {pagination}}}\n{REST}");
    let prepared = connector(&upstream.url("/api"), &rest);
    let answer = read(&prepared, 10).await;
    let list = value(&answer).pointer(at).unwrap();
    assert_eq!(list, &json!(items(0, ALL)), "{pagination}");
    assert_eq!(answer.meta.next, None, "{pagination}");
    assert_eq!(answer.meta.pages, 3, "{pagination}");
    let first = read(&prepared, 0).await;
    assert_eq!(first.meta.next, Some(next), "{pagination}");
    assert_eq!(first.meta.pages, 1);
}

#[tokio::test]
async fn links_addresses_and_headers_are_followed() {
    let upstream = Upstream::start("127.77.22.1", |seen, _| {
        let from = number(seen, "from").unwrap_or(0);
        let next = format!("/api/things/list?from={}", from + 3);
        let link = if from + 3 < ALL { next } else { String::new() };
        let head = if link.is_empty() {
            "200 OK\r\ncontent-type: application/json\r\nlink: </api/things/list>; rel=\"first\"".to_owned()
        } else {
            format!("200 OK\r\ncontent-type: application/json\r\nlink: </api/x>; rel=prev, <{link}>; title=\"a, b\"; rel=\"last next\"\r\nnext-page: {link}")
        };
        let next = if link.is_empty() { Value::Null } else { json!(link) };
        reply(&head, json!({ "items": items(from, 3), "paging": { "next": next } }).to_string())
    })
    .await;
    let next = json!({ "path": "/things/list", "query": { "from": "3" } });
    check(
        &upstream,
        "{type: link, items: /items}",
        "/items",
        next.clone(),
    )
    .await;
    check(
        &upstream,
        "{type: next_url, next: /paging/next, items: /items}",
        "/items",
        next.clone(),
    )
    .await;
    check(
        &upstream,
        "{type: header, next: next-page, items: /items}",
        "/items",
        next,
    )
    .await;
    for seen in upstream.seen() {
        assert!(seen.holds(SECRET));
    }
}

#[tokio::test]
async fn cursors_offsets_numbers_and_keys_are_followed() {
    let upstream = Upstream::start("127.77.22.2", |seen, _| {
        let page = number(seen, "page").map(|page| (page - 1) * 3);
        let after = number(seen, "after").map(|id| id + 1);
        let from = [number(seen, "cursor"), number(seen, "start"), page, after];
        let from = from.into_iter().flatten().next().unwrap_or(0);
        let goes_on = from + 3 < ALL;
        answer_json(
            &json!({
                "items": items(from, 3),
                "cursor": if goes_on { (from + 3).to_string() } else { String::new() },
                "next": if goes_on { json!(from + 3) } else { Value::Null },
                "total": ALL,
                "more": goes_on,
            })
            .to_string(),
        )
    })
    .await;
    for (pagination, next) in [
        (
            "{type: cursor, param: cursor, next: /cursor, items: /items}",
            json!({ "inputs": { "cursor": "3" } }),
        ),
        (
            "{type: offset, param: start, next: /next, items: /items}",
            json!({ "inputs": { "start": 3 } }),
        ),
        (
            "{type: offset, param: start, total: /total, items: /items}",
            json!({ "inputs": { "start": 3 } }),
        ),
        (
            "{type: offset, param: start, page_size: {default: 3}, items: /items}",
            json!({ "inputs": { "start": 3 } }),
        ),
        (
            "{type: page, param: page, total: /total, page_size: {default: 3}, items: /items}",
            json!({ "inputs": { "page": 2 } }),
        ),
        (
            "{type: page, param: page, more: /more, items: /items}",
            json!({ "inputs": { "page": 2 } }),
        ),
        (
            "{type: keyset, param: after, key: /id, page_size: {default: 3}, items: /items}",
            json!({ "inputs": { "after": 2 } }),
        ),
    ] {
        check(&upstream, pagination, "/items", next).await;
    }
}

#[tokio::test]
async fn a_request_that_was_written_by_hand_is_continued_by_hand() {
    let upstream = Upstream::start("127.77.22.3", |seen, _| {
        let body: Value = serde_json::from_str(&seen.body).unwrap_or_default();
        let from = number(seen, "cursor").or(body["at"]["cursor"].as_u64());
        let from = from.unwrap_or(0);
        answer_json(
            &json!({ "items": items(from, 3), "cursor": (from + 3 < ALL).then_some(from + 3) })
                .to_string(),
        )
    })
    .await;
    for (verb, param, next) in [
        (Verb::Get, "cursor", json!({ "query": { "cursor": 3 } })),
        (
            Verb::Post,
            "/at/cursor",
            json!({ "body": { "at": { "cursor": 3 } } }),
        ),
    ] {
        let pagination = format!("{{type: cursor, param: {param}, next: /cursor, items: /items}}");
        let prepared = connector(
            &upstream.url(""),
            &format!("defaults: {{pagination: {pagination}}}\n{REST}"),
        );
        let call = Invocation {
            verb: Some(verb),
            path: Some("/anything".into()),
            body: (verb == Verb::Post).then(|| json!({ "at": { "limit": 3 } })),
            ..Invocation::default()
        };
        let answer = sender()
            .send(&prepared, &signed(), "c", &call, &quick())
            .await
            .unwrap();
        assert_eq!(answer.meta.next, Some(next));
        let options = Options {
            follow_pages: 10,
            ..quick()
        };
        let answer = sender()
            .send(&prepared, &signed(), "c", &call, &options)
            .await
            .unwrap();
        assert_eq!(
            value(&answer)["items"].as_array().unwrap().len() as u64,
            ALL
        );
    }
}

#[tokio::test]
async fn pages_end_where_they_must() {
    // The same cursor for ever, and pages that never end.
    let upstream = Upstream::start("127.77.22.4", |seen, _| {
        let page = number(seen, "page").unwrap_or(1);
        answer_json(&json!({ "items": [1], "cursor": "same", "page": page }).to_string())
    })
    .await;
    let cursor = format!(
        "defaults: {{pagination: {{type: cursor, param: cursor, next: /cursor, items: /items}}}}\n{REST}"
    );
    let answer = read(&connector(&upstream.url(""), &cursor), 50).await;
    assert_eq!(answer.meta.pages, 2);
    assert_eq!(answer.meta.next, None);
    let endless =
        format!("defaults: {{pagination: {{type: page, param: page, items: /items}}}}\n{REST}");
    let answer = read(&connector(&upstream.url(""), &endless), 5).await;
    assert_eq!(answer.meta.pages, 6);
    assert_eq!(answer.meta.next, Some(json!({ "inputs": { "page": 7 } })));
}

#[tokio::test]
async fn a_page_that_fails_leaves_those_before_it() {
    let upstream = Upstream::start("127.77.22.5", |seen, _| match number(seen, "page") {
        None => answer_json("{\"items\": [1, 2]}"),
        Some(_) => reply("400 Bad Request", "no"),
    })
    .await;
    let rest =
        format!("defaults: {{pagination: {{type: page, param: page, items: /items}}}}\n{REST}");
    let answer = read(&connector(&upstream.url(""), &rest), 5).await;
    assert_eq!(value(&answer)["items"], json!([1, 2]));
    assert_eq!(answer.meta.stopped.unwrap().code.name(), "UPSTREAM_ERROR");
    assert_eq!(answer.meta.next, Some(json!({ "inputs": { "page": 2 } })));
}

#[tokio::test]
async fn a_key_in_the_query_goes_along_and_is_not_told() {
    let upstream = Upstream::start("127.77.22.6", |seen, _| {
        let key = asked(seen, "key").unwrap();
        let next = asked(seen, "from")
            .is_none()
            .then(|| format!("?from=3&key={}", key.replace('+', "%2B")));
        answer_json(&json!({ "items": [key], "next": next }).to_string())
    })
    .await;
    let rest = REST.replace(
        "header: {authorization: \"Bearer {token}\"}",
        "query: {key: \"{token}\"}",
    );
    let rest =
        format!("defaults: {{pagination: {{type: next_url, next: /next, items: /items}}}}\n{rest}");
    let prepared = connector(&upstream.url(""), &rest);
    let answer = read(&prepared, 0).await;
    let next = answer.meta.next.clone().unwrap();
    assert_eq!(next["query"]["from"], "3");
    assert!(!format!("{answer:?}").contains(SECRET), "{answer:?}");
    let answer = read(&prepared, 5).await;
    assert_eq!(value(&answer)["items"], json!(["[redacted]", "[redacted]"]));
    for seen in upstream.seen() {
        assert_eq!(asked(&seen, "key").as_deref(), Some(SECRET));
        assert_eq!(seen.target.matches("key=").count(), 1);
    }
    let call = Invocation {
        query: object(json!({ "key": "mine" })),
        ..action("get_thing", json!({ "id": "7" }))
    };
    let account = account("key", &[("token", SECRET)]);
    let refused = sender()
        .send(&prepared, &account, "c", &call, &quick())
        .await
        .unwrap_err();
    assert_eq!(refused.fault.code.name(), "INVALID_ARG");
}

//! No path, input, field or answer leads a credential to another place.

use crate::fixture::{REST, SECRET, account, action, connector, object, quick, sender, signed};
use crate::upstream::{Canaries, Upstream, json as answer_json, reply};
use crate::vectors::{HOSTS, KEPT, PATHS, VALUES, inside};
use proptest::prelude::*;
use quaymaster_connectors::definition::Verb;
use quaymaster_connectors::request::{Invocation, build};
use serde_json::{Value, json};
use std::net::SocketAddr;
use url::Url;

fn at(vector: &str, canary: SocketAddr) -> String {
    vector.replace("{c}", &canary.to_string())
}

/// What somebody writes who does not think of any of this.
fn naive(base: &str, path: &str) -> Option<Url> {
    Url::parse(&format!("{base}{path}")).ok()
}

async fn service() -> Upstream {
    Upstream::start("127.77.20.1", |_, _| answer_json("{}")).await
}

#[tokio::test]
async fn no_path_leads_out_of_the_connectors_own() {
    let canaries = Canaries::listen().await;
    let canary = canaries.0[0].0;
    let upstream = service().await;
    let base = upstream.url("/api/v1");
    let prepared = connector(&base, REST);
    let (sender, account) = (sender(), signed());
    let mut sent = 0;
    let mut led_astray = 0;
    for vector in PATHS {
        let path = at(vector, canary);
        led_astray += usize::from(naive(&base, &path).is_none_or(|url| {
            url.origin() != Url::parse(&base).unwrap().origin()
                || !url.path().starts_with("/api/v1/")
                || url.query().is_some()
                || url.fragment().is_some()
                || url.path().contains("%2e")
        }));
        for action in [None, Some("get_thing".to_owned())] {
            let call = Invocation {
                module: Some("things".into()),
                action: action.clone(),
                inputs: match action {
                    Some(_) => object(json!({ "id": "7" })),
                    None => object(json!({})),
                },
                verb: Some(Verb::Get),
                path: Some(path.clone()),
                ..Invocation::default()
            };
            if sender
                .send(&prepared, &account, "c", &call, &quick())
                .await
                .is_ok()
            {
                sent += 1;
            }
        }
    }
    canaries.are_silent().await;
    let seen = upstream.seen();
    assert_eq!(seen.len(), sent);
    for request in seen {
        let path = request
            .target
            .split('?')
            .next()
            .unwrap()
            .to_ascii_lowercase();
        assert!(path.starts_with("/api/v1/"), "{request:?}");
        let decoded = path
            .replace("%25", "%")
            .replace("%2e", ".")
            .replace("%2f", "/");
        assert!(
            !decoded
                .split(['/', '\\'])
                .any(|part| part.starts_with("..")),
            "{request:?}"
        );
        assert_eq!(
            request.header("authorization"),
            Some(format!("Bearer {SECRET}").as_str())
        );
        assert_eq!(
            request.header("host"),
            Some(upstream.address.to_string().as_str())
        );
    }
    assert!(PATHS.len() >= 100, "{}", PATHS.len());
    assert!(
        led_astray >= 35,
        "the vectors lead a naive builder astray: {led_astray}"
    );
}

#[tokio::test]
async fn no_value_in_a_path_makes_another_path() {
    let canaries = Canaries::listen().await;
    let canary = canaries.0[0].0;
    let upstream = service().await;
    let prepared = connector(&upstream.url("/api"), REST);
    let (sender, account) = (sender(), signed());
    for vector in VALUES {
        let call = action("get_thing", json!({ "id": at(vector, canary) }));
        let refused = sender
            .send(&prepared, &account, "c", &call, &quick())
            .await
            .unwrap_err();
        assert_eq!(
            refused.fault.code.name(),
            "INVALID_ARG",
            "{vector:?}: {}",
            refused.fault
        );
    }
    assert!(upstream.seen().is_empty());
    for vector in KEPT {
        upstream.forget();
        let call = action("get_thing", json!({ "id": at(vector, canary) }));
        sender
            .send(&prepared, &account, "c", &call, &quick())
            .await
            .unwrap();
        let seen = upstream.seen();
        let rest = seen[0].target.strip_prefix("/api/things/").unwrap();
        assert!(
            !rest.contains(['/', '?', '#', '\\', '@']),
            "{vector:?}: {rest}"
        );
    }
    canaries.are_silent().await;
    // A naive builder sends these to other paths.
    let astray = VALUES.iter().chain(KEPT).filter(|value| {
        let url = naive(&upstream.url("/api/things/"), value);
        url.is_none_or(|url| {
            url.path_segments().map(Iterator::count) != Some(3) || url.path().ends_with("/things/")
        })
    });
    assert!(astray.count() >= 15);
}

#[tokio::test]
async fn no_query_header_or_body_becomes_anything_else() {
    let canaries = Canaries::listen().await;
    let canary = canaries.0[0].0;
    let upstream = service().await;
    let prepared = connector(&upstream.url("/api"), REST);
    let (sender, account) = (sender(), signed());
    for vector in PATHS.iter().chain(VALUES).chain(KEPT) {
        let text = at(vector, canary);
        upstream.forget();
        let mut call = action("get_thing", json!({ "id": "7", "fields": [text, "b"] }));
        call.query = object(json!({ text.clone(): text }));
        sender
            .send(&prepared, &account, "c", &call, &quick())
            .await
            .unwrap();
        let seen = upstream.seen();
        assert_eq!(seen.len(), 1);
        let url = Url::parse(&upstream.url(&seen[0].target)).unwrap();
        assert_eq!(url.path(), "/api/things/7", "{vector:?}");
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        assert_eq!(
            pairs,
            [
                ("fields".into(), format!("{text},b")),
                (text.clone(), text.clone())
            ]
        );
    }
    for (name, value) in [
        ("x-a", "b\r\nauthorization: Bearer other"),
        ("x-a", "b\nx: y"),
        ("x-a", "\0"),
        ("x-a\r\nhost", "evil"),
        ("x a", "b"),
        ("", "b"),
        ("authorization", "Bearer other"),
        ("Authorization", "Bearer other"),
        ("cookie", "a=b"),
        ("proxy-authorization", "x"),
        ("host", "evil.example"),
        ("content-length", "0"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("upgrade", "h2c"),
        (":authority", "evil.example"),
    ] {
        upstream.forget();
        let mut call = action("get_thing", json!({ "id": "7" }));
        call.headers = vec![(name.into(), value.into())];
        assert!(
            sender
                .send(&prepared, &account, "c", &call, &quick())
                .await
                .is_err(),
            "{name}"
        );
        assert!(upstream.seen().is_empty(), "{name}");
    }
    for trace in ["a\r\nb: c", "a\nb", "\0"] {
        let call = action("get_thing", json!({ "id": "7", "trace": trace }));
        assert!(
            sender
                .send(&prepared, &account, "c", &call, &quick())
                .await
                .is_err(),
            "{trace:?}"
        );
    }
    canaries.are_silent().await;
}

#[tokio::test]
async fn no_field_of_a_connection_leads_into_the_network_or_is_more_than_a_host() {
    let canaries = Canaries::listen().await;
    let canary = canaries.0[0].0;
    let rest = format!("connection: {{portal: {{title: Portal}}}}\n{REST}");
    let call = action("get_thing", json!({ "id": "7" }));
    let sender = sender();
    for base in [
        "https://{portal}/rest",
        "http://{portal}/rest",
        "https://{portal}.example.com",
        "{portal}",
    ] {
        let prepared = connector(base, &rest);
        for vector in HOSTS {
            let portal = at(vector, canary);
            let account = account("key", &[("token", SECRET), ("portal", &portal)]);
            let built = build(&prepared, &account, &call);
            let is_host = base.contains("://") || !portal.starts_with("http");
            assert!(
                built.is_err() || !is_host,
                "{base} {vector:?}: {:?}",
                built.unwrap().url
            );
        }
        for host in inside(canary) {
            let whole = if base == "{portal}" {
                format!("http://{host}")
            } else {
                host
            };
            let account = account("key", &[("token", SECRET), ("portal", &whole)]);
            let sent = sender.send(&prepared, &account, "c", &call, &quick()).await;
            assert!(sent.is_err(), "{base} {whole}");
        }
    }
    canaries.are_silent().await;
}

#[tokio::test]
async fn an_administrator_can_say_that_a_server_is_inside_the_network() {
    let canaries = Canaries::listen().await;
    let upstream = Upstream::start("127.0.0.1", |_, _| answer_json("{\"ok\": true}")).await;
    let prepared = connector(&upstream.url(""), REST);
    let call = action("get_thing", json!({ "id": "7" }));
    let sender = sender();
    let mut account = signed();
    assert!(
        sender
            .send(&prepared, &account, "c", &call, &quick())
            .await
            .is_err()
    );
    assert!(upstream.seen().is_empty());
    account.local = true;
    sender
        .send(&prepared, &account, "c", &call, &quick())
        .await
        .unwrap();
    assert_eq!(upstream.seen().len(), 1);
    // It opens nothing for anybody else.
    account.local = false;
    assert!(
        sender
            .send(&prepared, &account, "c", &call, &quick())
            .await
            .is_err()
    );
    assert_eq!(upstream.seen().len(), 1);
    canaries.are_silent().await;
}

#[tokio::test]
async fn a_redirect_takes_no_credential_to_another_place() {
    let canaries = Canaries::listen().await;
    let canary = canaries.0[0].0;
    let other = Upstream::start("127.77.20.2", |_, _| answer_json("{\"other\": true}")).await;
    let places = [
        (other.url("/x"), false),
        (format!("http://{canary}/x"), false),
        (format!("//{canary}/x"), false),
        ("/outside".into(), false),
        ("/api/../outside".into(), false),
        ("/api/%2e%2e/outside".into(), false),
        ("/apiary/x".into(), false),
        ("/api/elsewhere".into(), true),
        ("elsewhere".into(), true),
    ];
    for status in [301, 302, 303, 307, 308] {
        for (place, is_own) in &places {
            let to = place.clone();
            let upstream = Upstream::start("127.77.20.1", move |_, before| match before {
                0 => reply(&format!("{status} Moved\r\nlocation: {to}"), ""),
                _ => answer_json("{}"),
            })
            .await;
            other.forget();
            let prepared = connector(&upstream.url("/api"), REST);
            let call = action("get_thing", json!({ "id": "7" }));
            let _ = sender()
                .send(&prepared, &signed(), "c", &call, &quick())
                .await;
            let seen = upstream.seen();
            for request in seen.iter().skip(1).chain(&other.seen()) {
                assert_eq!(
                    request.holds(SECRET),
                    *is_own,
                    "{status} {place}: {request:?}"
                );
            }
            if *is_own {
                assert_eq!(seen.len(), 2, "{status} {place}");
            }
        }
    }
    canaries.are_silent().await;
}

#[tokio::test]
async fn a_redirect_of_what_changes_something_is_not_followed() {
    let upstream = Upstream::start("127.77.20.1", |_, _| {
        reply("307 Moved\r\nlocation: /api/elsewhere", "")
    })
    .await;
    let prepared = connector(&upstream.url("/api"), REST);
    let call = action("make_thing", json!({ "name": "x" }));
    let failure = sender()
        .send(&prepared, &signed(), "c", &call, &quick())
        .await
        .unwrap_err();
    assert_eq!(failure.fault.code.name(), "UPSTREAM_ERROR");
    assert_eq!(failure.status, Some(307));
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn no_page_is_read_from_another_place() {
    let canaries = Canaries::listen().await;
    let canary = canaries.0[0].0;
    let other = Upstream::start("127.77.20.2", |_, _| answer_json("[9]")).await;
    let places = [
        other.url("/api/things/7?page=2"),
        format!("http://{canary}/api/things/7"),
        format!("//{canary}/api"),
        "/outside?page=2".into(),
        "/api/../outside".into(),
        "/api/%2e%2e/outside".into(),
        "../../outside".into(),
        format!("http://x@{canary}/api/"),
        "javascript:alert(1)".into(),
        "/apiary".into(),
        "\\\\127.0.0.1\\api".into(),
    ];
    for kind in [
        "{type: link}",
        "{type: next_url, next: /next, items: /items}",
        "{type: header, next: next-page, param: page}",
    ] {
        for place in &places {
            let to = place.clone();
            let upstream = Upstream::start("127.77.20.1", move |_, _| {
                let head = format!(
                    "200 OK\r\ncontent-type: application/json\r\nlink: <{to}>; rel=\"next\"\r\nnext-page: {to}"
                );
                reply(&head, json!({ "next": to, "items": [1] }).to_string())
            })
            .await;
            let rest = format!("defaults: {{pagination: {kind}}}\n{REST}");
            let prepared = connector(&upstream.url("/api"), &rest);
            let call = action("get_thing", json!({ "id": "7" }));
            let options = quaymaster_connectors::send::Options {
                follow_pages: 3,
                ..quick()
            };
            let answer = sender()
                .send(&prepared, &signed(), "c", &call, &options)
                .await
                .unwrap();
            let path = answer.meta.next.and_then(|next| next.get("path").cloned());
            assert_eq!(path, None, "{kind} {place}");
            for seen in upstream.seen() {
                assert!(
                    seen.target.starts_with("/api/things/7"),
                    "{kind} {place}: {seen:?}"
                );
            }
        }
    }
    assert!(other.seen().is_empty());
    canaries.are_silent().await;
}

#[test]
fn more_than_two_hundred_vectors_are_tried() {
    let canary = "127.0.0.1:1".parse().unwrap();
    let all = PATHS.len() + VALUES.len() + KEPT.len() + HOSTS.len() + inside(canary).len();
    assert!(all >= 200, "{all}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_path_stays_below_the_base(path in "(/|%2e|%2E|\\.|;|%2f|\\\\|%5c|%25|@|:|a|\\?|#|\\PC){0,12}") {
        let prepared = connector("https://api.example.com/v1", REST);
        let call = Invocation { verb: Some(Verb::Get), path: Some(path), ..Invocation::default() };
        if let Ok(built) = build(&prepared, &signed(), &call) {
            prop_assert_eq!(built.url.host_str(), Some("api.example.com"));
            let path = built.url.path();
            prop_assert!(path == "/v1" || path.starts_with("/v1/"), "{}", path);
            prop_assert!(built.url.query().is_none() && built.url.fragment().is_none());
            let plain = path.replace("%25", "%").replace("%2e", ".").replace("%2E", ".");
            prop_assert!(!plain.split(['/', '\\']).any(|part| part == ".."), "{}", path);
        }
    }

    #[test]
    fn any_value_is_one_segment_and_comes_out_as_it_was(value in "\\PC{1,20}") {
        let prepared = connector("https://api.example.com/v1", REST);
        let call = action("get_thing", json!({ "id": value.clone() }));
        if let Ok(built) = build(&prepared, &signed(), &call) {
            let segments: Vec<_> = built.url.path_segments().unwrap().collect();
            prop_assert_eq!(segments.len(), 3);
            let query = format!("x={}", segments[2]);
            let read: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            prop_assert_eq!(&read[0].1, &value);
        }
    }

    #[test]
    fn any_host_field_is_a_host_or_nothing(portal in "([a-z0-9.:@/\\\\#?%\\[\\]-]|\\PC){0,16}") {
        let rest = format!("connection: {{portal: {{title: Portal}}}}\n{REST}");
        let prepared = connector("https://{portal}.example.com/rest", &rest);
        let account = account("key", &[("token", SECRET), ("portal", &portal)]);
        if let Ok(built) = build(&prepared, &account, &action("get_thing", json!({ "id": "7" }))) {
            prop_assert!(built.url.host_str().unwrap().ends_with(".example.com"), "{}", built.url);
            prop_assert_eq!(built.url.path(), "/rest/things/7");
        }
    }
}

#[test]
fn a_body_is_what_was_given() {
    let prepared = connector("https://api.example.com", REST);
    for vector in PATHS.iter().chain(VALUES).chain(KEPT) {
        let call = action("make_thing", json!({ "name": vector }));
        let built = build(&prepared, &signed(), &call).unwrap();
        let body: Value = serde_json::from_slice(&built.body).unwrap();
        assert_eq!(body, json!({ "name": vector }));
    }
}

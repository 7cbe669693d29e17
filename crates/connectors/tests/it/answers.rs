//! What comes back, and how it is read.

use crate::fixture::{REST, SECRET, account, action, connector, get, quick, sender, signed, value};
use crate::upstream::{Upstream, json as answer_json, reply};
use quaymaster_connectors::send::Data;
use serde_json::json;

#[tokio::test]
async fn a_message_is_found_in_json_in_text_in_a_page_or_is_the_phrase_of_the_status() {
    for (content_type, body, message) in [
        (
            "application/json",
            r#"{"error": {"message": "No such thing"}}"#,
            "No such thing",
        ),
        (
            "application/json",
            r#"{"error": "No such thing"}"#,
            "No such thing",
        ),
        (
            "application/json",
            r#"{"errors": ["Name is blank"]}"#,
            "Name is blank",
        ),
        ("application/json", "not json", "not json"),
        ("text/plain", "Could not find it\n", "Could not find it"),
        (
            "text/html",
            "<html><title>Nothing here</title><p>x",
            "Nothing here",
        ),
        ("text/html", "<p>x", "Not Found"),
        ("application/octet-stream", "\u{0}\u{1}", "Not Found"),
        ("text/plain", "", "Not Found"),
    ] {
        let head = format!("404 Whatever\r\ncontent-type: {content_type}");
        let upstream = Upstream::start("127.77.21.10", move |_, _| reply(&head, body)).await;
        let failure = get(&upstream).await.unwrap_err();
        assert_eq!(
            failure.fault.message,
            format!("Test service answered 404: {message}")
        );
        assert_eq!(failure.fault.details.unwrap()["upstream_status"], 404);
    }
}

#[tokio::test]
async fn bytes_stay_bytes_and_text_is_read_in_its_charset() {
    let png = b"\x89PNG\r\n\x1a\n\0\xff";
    let upstream = Upstream::start("127.77.21.11", move |_, before| match before {
        0 => reply("200 OK\r\ncontent-type: image/png", png),
        1 => reply(
            "200 OK\r\ncontent-type: text/plain; charset=windows-1251",
            b"\xcf\xf0\xe8\xe2\xe5\xf2",
        ),
        _ => reply("200 OK\r\ncontent-type: text/csv", "a,b\n1,2\u{200b}\n"),
    })
    .await;
    let bytes = get(&upstream).await.unwrap().data;
    let media_type = "image/png".to_owned();
    assert_eq!(
        bytes,
        Data::Bytes {
            bytes: png.to_vec().into(),
            media_type
        }
    );
    assert_eq!(
        get(&upstream).await.unwrap().data,
        Data::Text("Привет".into())
    );
    assert_eq!(
        get(&upstream).await.unwrap().data,
        Data::Text("a,b\n1,2\n".into())
    );
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_cut_and_says_so() {
    let body = json!(
        (0..1000)
            .map(|id| json!({ "id": id, "text": "x".repeat(20) }))
            .collect::<Vec<_>>()
    );
    let body = body.to_string();
    let length = body.len();
    let upstream = Upstream::start("127.77.21.12", move |_, _| answer_json(&body)).await;
    let prepared = connector(&upstream.url(""), REST);
    let call = action("get_thing", json!({ "id": "7" }));
    let mut options = quick();
    options.max_bytes = 2_000;
    let answer = sender()
        .send(&prepared, &signed(), "c", &call, &options)
        .await
        .unwrap();
    let truncated = answer.meta.truncated.unwrap();
    assert_eq!((truncated.bytes, truncated.limit), (length, 2_000));
    let kept = value(&answer).as_array().unwrap().len();
    assert!((20..100).contains(&kept), "{kept}");
}

#[tokio::test]
async fn nothing_that_comes_back_has_a_secret_or_a_hidden_character() {
    let upstream = Upstream::start("127.77.23.4", |seen, before| {
        let echo = seen.header("authorization").unwrap().to_owned();
        let hidden = format!("a\u{202e}b {echo}\u{200b}");
        match before {
            0 => reply(
                &format!("200 OK\r\ncontent-type: application/json\r\nx-ratelimit-limit: {echo}"),
                json!({ "echo": hidden, echo: 1 }).to_string(),
            ),
            1 => reply("200 OK\r\ncontent-type: text/plain", hidden),
            2 => reply(
                "400 Bad\r\ncontent-type: application/json",
                json!({ "message": hidden, "error": { "code": echo } }).to_string(),
            ),
            3 => reply("401 Bad\r\ncontent-type: text/plain", hidden),
            4 => reply("200 OK\r\ncontent-type: image/png", hidden),
            _ => reply(
                &format!("302 Found\r\nlocation: http://127.0.0.1:1/{echo}"),
                "",
            ),
        }
    })
    .await;
    let prepared = connector(
        &upstream.url(""),
        &format!("defaults: {{errors: {{code: /error/code, details: /error}}}}\n{REST}"),
    );
    let account = account("key", &[("token", SECRET)]);
    let sender = sender();
    for _ in 0..6 {
        let call = action("get_thing", json!({ "id": "7" }));
        let sent = sender.send(&prepared, &account, "c", &call, &quick()).await;
        let shown = match &sent {
            Ok(answer) => format!(
                "{answer:?} {}",
                serde_json::to_string(&answer.meta).unwrap()
            ),
            Err(failure) => format!("{failure:?} {}", failure.fault.to_json()),
        };
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(
            !shown.contains(['\u{202e}', '\u{200b}']) && !shown.contains("u{202e}"),
            "{shown}"
        );
    }
}

//! Whether the functions that look at pages find what they are to find: pages of a server without a policy, which shows each
//! payload as it is, at the place that it is made for, and then shows all of them as text.

use super::{LOOK, PAYLOADS, Payload, found_on, shown_on, text};
use quaymaster_tests::{Act, Asked, Browser, Tab, Upstream};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// The number of a placement: as if there was one field.
fn number(payload: usize) -> usize {
    100 + payload
}

/// A page with a payload at its place.
fn careless(payload: &Payload, text: &str) -> String {
    let page = match payload.place.as_str() {
        "double" => r#"<input value="@">"#,
        "single" => "<input value='@'>",
        "bare" => "<input value=@>",
        "area" => "<textarea>@</textarea>",
        "title" => "<title>@</title>",
        "style" => r#"<style>p { content: "@" }</style>"#,
        "script" => r#"<script>const text = "@";</script>"#,
        "remark" => "<script>// @\n</script>",
        "literal" => "<script>const text = `@`;</script>",
        "comment" => "<!-- @ -->",
        "link" => r#"<a href="@">link</a>"#,
        "alt" => r#"<img src=x alt="@">"#,
        "twice" => "<p id=a>@</p><script>a.innerHTML = a.textContent</script>",
        "json" => r#"<p id=a></p><script>a.innerHTML = "@"</script>"#,
        "text" => "<p>@</p>",
        other => panic!("no place {other}"),
    };
    page.replace('@', text)
}

/// A page with all payloads as text and in fields.
fn careful() -> String {
    let shown = (1..=PAYLOADS.len()).map(|one| {
        let text = text(one, number(one));
        let text = [
            ("&", "&#38;"),
            ("<", "&#60;"),
            (">", "&#62;"),
            ("\"", "&#34;"),
            ("'", "&#39;"),
        ]
        .iter()
        .fold(text, |text, (sign, entity)| text.replace(sign, entity));
        format!("<p title=\"{text}\">{text}</p><input value='{text}'><textarea>{text}</textarea>")
    });
    shown.collect()
}

fn answer(asked: &Asked) -> Vec<Act> {
    let at = asked.target.trim_start_matches("/page/");
    let body = match at.parse::<usize>() {
        Ok(0) => careful(),
        Ok(one) => careless(&PAYLOADS[one - 1], &text(one, number(one))),
        // A canary, or nothing.
        Err(_) => "here".to_owned(),
    };
    let page = format!("<!doctype html><meta charset=utf-8><body>{body}");
    Act::reply("200 OK\r\ncontent-type: text/html", page)
}

/// What ran, once something did.
async fn ran(tab: &Tab) -> Vec<String> {
    for _ in 0..150 {
        tab.value(LOOK).await;
        let ran = tab.value("payloads.ran()").await;
        if ran.as_array().is_some_and(|ran| !ran.is_empty()) {
            return ran
                .as_array()
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Vec::new()
}

#[tokio::test]
async fn payloads_that_are_taken_for_markup_are_found_and_such_that_show_as_text_are_not() {
    let texts: BTreeSet<&str> = PAYLOADS
        .iter()
        .map(|payload| payload.text.as_str())
        .collect();
    assert_eq!(texts.len(), 40, "all are different");
    let service = Upstream::start("127.0.0.1", answer).await;
    let browser = Browser::start().await;
    let tab = browser.tab().await;
    let mut missed = Vec::new();
    for (payload, one) in PAYLOADS.iter().zip(1..) {
        // One of them leads away while the page loads.
        let url = json!(format!("{}/page/{one}", service.url()));
        tab.open("about:blank").await;
        tab.value(&format!("location.href = {url}")).await;
        tab.until("location.protocol === 'http:' && document.readyState === 'complete'")
            .await;
        let found = match payload.runs.as_str() {
            "itself" => ran(&tab).await,
            // These are text until something else makes more of them.
            "a framework" if payload.text.starts_with("{{") => continue,
            "a renderer" => continue,
            _ => found_on(&tab).await,
        };
        let number = number(one).to_string();
        if !found.iter().any(|line| line.contains(&number)) {
            missed.push(format!("{} ({}): {found:?}", payload.what, payload.text));
        }
    }
    assert!(missed.is_empty(), "not found:\n{}", missed.join("\n"));

    tab.open(&format!("{}/page/0", service.url())).await;
    tab.complaints().await;
    assert_eq!(found_on(&tab).await, super::NOTHING);
    let (whole, other) = shown_on(&tab, &json!([])).await;
    assert_eq!(other, super::NOTHING);
    let all: BTreeSet<usize> = (1..=PAYLOADS.len()).map(number).collect();
    assert_eq!(whole, all);
}

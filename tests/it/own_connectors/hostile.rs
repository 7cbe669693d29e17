//! Definitions of somebody who means harm.

use super::{Desk, NOTES, OWN};
use quaymaster_tests::Database;

/// Each would cost a careless reader its memory, its time or its stack.
fn hostile() -> Vec<(&'static str, String)> {
    let params = |schema: &str| {
        NOTES.replace(
            "params: {type: object, properties: {tag: {type: string}}}",
            &format!("params: {schema}"),
        )
    };
    let many = |count: usize, one: &dyn Fn(usize) -> String| -> String {
        (0..count).map(one).collect::<Vec<String>>().concat()
    };
    let bomb = many(20, &|n| match n.checked_sub(1) {
        None => "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned(),
        Some(before) => {
            let items = vec![format!("*a{before}"); 8].join(", ");
            format!("a{n}: &a{n} [{items}]\n")
        }
    });
    let doubling = many(40, &|n| {
        let to = format!("{{$ref: '#/$defs/d{}'}}", n + 1);
        format!("d{n}: {{allOf: [{to}, {to}]}}, ")
    });
    let chain = many(5_000, &|n| {
        format!("d{n}: {{$ref: '#/$defs/d{}'}}, ", n + 1)
    });
    let actions = many(10_000, &|n| {
        format!("      call_{n}: {{title: Call, method: GET, path: /c/{n}}}\n")
    });
    let choices = many(4_000, &|n| format!("{{value: v{n}}}, "));
    let uses = many(2_000, &|n| format!("p{n}: {{$enum: many}}, "));
    let patterns = many(2_000, &|n| {
        format!("p{n}: {{type: string, pattern: '(a{{1000}}){{1000}}'}}, ")
    });
    vec![
        ("alias bomb", bomb),
        ("nesting", "[".repeat(2_000_000)),
        ("nesting in blocks", "- ".repeat(1_000_000)),
        ("size", format!("{NOTES}# {}", "x".repeat(5 << 20))),
        (
            "long text",
            NOTES.replace(
                "title: List notes",
                &format!("title: {}", "x".repeat(100_000)),
            ),
        ),
        (
            "actions",
            NOTES.replace("    actions:\n", &format!("    actions:\n{actions}")),
        ),
        (
            "circle",
            params("{type: object, $ref: '#/$defs/a', $defs: {a: {allOf: [{$ref: '#/$defs/a'}]}}}"),
        ),
        (
            "doubling",
            params(&format!(
                "{{type: object, $ref: '#/$defs/d0', $defs: {{{doubling} d40: {{type: object}}}}}}"
            )),
        ),
        (
            "chain",
            params(&format!(
                "{{type: object, $ref: '#/$defs/d0', $defs: {{{chain} d5000: {{type: object}}}}}}"
            )),
        ),
        (
            "other names",
            params("{type: object, $dynamicAnchor: n, properties: {x: {$dynamicRef: '#n'}}}"),
        ),
        (
            "fetched",
            params("{type: object, $ref: 'http://127.0.0.1:1/schema'}"),
        ),
        (
            "pattern",
            params("{type: object, properties: {tag: {type: string, pattern: '(a{1000}){1000}'}}}"),
        ),
        (
            "patterns",
            params(&format!("{{type: object, properties: {{{patterns}}}}}")),
        ),
        (
            "field pattern",
            NOTES.replace(
                "{title: Token, secret: true}",
                "{title: Token, secret: true, pattern: '(a{1000}){1000}'}",
            ),
        ),
        (
            "enums",
            params(&format!("{{type: object, properties: {{{uses}}}}}")).replace(
                "modules:\n",
                &format!("enums: {{many: [{choices}]}}\nmodules:\n"),
            ),
        ),
        (
            "hidden text",
            NOTES.replace("title: List notes", "title: \"List \u{202e}notes\""),
        ),
        (
            "control character",
            NOTES.replace("title: List notes", "title: \"List\\u0007 notes\""),
        ),
        (
            "address of a script",
            NOTES.replace(
                "connection:",
                "docs_url: \"javascript:alert(1)\"\nconnection:",
            ),
        ),
        (
            "private address",
            NOTES.replace(
                "base_url: \"{url}/v1\"",
                "base_url: http://169.254.169.254/v1",
            ),
        ),
        (
            "key with markup",
            NOTES.replace("key: notes", "key: \"<script>\""),
        ),
    ]
}

#[tokio::test]
async fn hostile_definitions_are_refused_and_the_server_goes_on() {
    let desk = Desk::open(Database::Sqlite).await;
    for (what, source) in hostile() {
        assert_ne!(source, NOTES, "{what} changes nothing");
        let (status, refused) = desk.add(&source).await;
        assert!([400, 413].contains(&status), "{what}: {status} {refused}");
        let text = refused.to_string();
        assert!(text.len() < 100_000, "{what}: {} bytes", text.len());
        assert!(!text.contains('\u{202e}'), "{what}: {text}");
        let (status, _) = desk.rest("GET", OWN, None).await;
        assert_eq!(status, 200, "{what}");
    }
    // None of them stands in the way of a good one.
    assert_eq!(desk.add(NOTES).await.0, 201);
}

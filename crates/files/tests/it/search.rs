//! Search: order, limits, cursors, what is left out.

use crate::support::{Yard, steady, work, yard, yard_with};
use quaymaster_core::Code;
use quaymaster_files::{Limits, Work};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn paths(found: &Value) -> Vec<String> {
    let matches = found["matches"].as_array().unwrap();
    matches
        .iter()
        .map(|hit| format!("{}:{}", hit["path"].as_str().unwrap(), hit["line"]))
        .collect()
}

fn project() -> Yard {
    let yard = yard();
    yard.put("src/main.rs", "fn main() {\n    helper();\n}\n");
    yard.put("src/lib.rs", "pub fn helper() {}\n// Helper of helpers\n");
    yard.put("src-old/lib.rs", "fn helper() {}\n");
    yard.put("README.md", "Run the helper.\n");
    yard.put("target/debug/out.rs", "helper\n");
    yard.put("node_modules/x/index.js", "helper\n");
    yard.put("notes/.gitignore", "*.tmp\n!keep.tmp\nprivate/\n");
    yard.put("notes/a.tmp", "helper\n");
    yard.put("notes/keep.tmp", "helper\n");
    yard.put("notes/private/b.md", "helper\n");
    yard.put(".env", "helper\n");
    yard.put("data.bin", b"helper\0\0helper\n");
    yard
}

#[test]
fn matches_come_in_order_with_what_was_left_out() {
    let yard = project();
    let found = yard.ok("search_files", json!({ "query": "helper", "context": 1 }));
    steady().bind(|| {
        insta::assert_json_snapshot!(found, @r#"
        {
          "mode": "content",
          "matches": [
            {
              "path": "README.md",
              "line": 1,
              "column": 9,
              "text": "Run the helper."
            },
            {
              "path": "notes/keep.tmp",
              "line": 1,
              "column": 1,
              "text": "helper"
            },
            {
              "path": "src/lib.rs",
              "line": 1,
              "column": 8,
              "text": "pub fn helper() {}",
              "after": [
                "// Helper of helpers"
              ]
            },
            {
              "path": "src/lib.rs",
              "line": 2,
              "column": 4,
              "text": "// Helper of helpers",
              "before": [
                "pub fn helper() {}"
              ]
            },
            {
              "path": "src/main.rs",
              "line": 2,
              "column": 5,
              "text": "    helper();",
              "before": [
                "fn main() {"
              ],
              "after": [
                "}"
              ]
            },
            {
              "path": "src-old/lib.rs",
              "line": 1,
              "column": 4,
              "text": "fn helper() {}"
            }
          ],
          "files_searched": 6,
          "skipped": {
            "binary": 1,
            "too_large": 0,
            "ignored": 4
          },
          "truncated": false,
          "timed_out": false
        }
        "#);
    });
    let sensitive = yard.ok("search_files", json!({ "query": "Helper", "path": "src" }));
    assert_eq!(paths(&sensitive), ["src/lib.rs:2"]);
    let words = yard.ok(
        "search_files",
        json!({ "query": "helper", "whole_word": true, "path": "src" }),
    );
    assert_eq!(
        paths(&words),
        ["src/lib.rs:1", "src/lib.rs:2", "src/main.rs:2"]
    );
    let everything = yard.ok(
        "search_files",
        json!({ "query": "helper", "respect_gitignore": false, "include_hidden": true, "output": "files" }),
    );
    assert_eq!(everything["files"].as_array().unwrap().len(), 10);
    let counts = yard.ok(
        "search_files",
        json!({ "query": "helper", "glob": "*.rs", "output": "count" }),
    );
    assert_eq!(
        counts["counts"],
        json!([
            { "path": "src/lib.rs", "count": 2 }, { "path": "src/main.rs", "count": 1 },
            { "path": "src-old/lib.rs", "count": 1 }
        ])
    );
}

#[test]
fn names_are_found_without_a_query() {
    let yard = project();
    let found = yard.ok(
        "search_files",
        json!({ "glob": ["*.rs", "**/*.md"], "exclude": ["src-old"] }),
    );
    assert_eq!(found["mode"], "name");
    assert_eq!(
        found["files"],
        json!(["README.md", "src/lib.rs", "src/main.rs"])
    );
    let below = yard.ok("search_files", json!({ "glob": "*/lib.rs" }));
    assert_eq!(below["files"], json!(["src/lib.rs", "src-old/lib.rs"]));
}

#[test]
fn pages_join_to_the_whole() {
    let yard = yard();
    for dir in ["a", "a-b", "a.c", "b"] {
        for file in 0..40 {
            yard.put(
                &format!("{dir}/{file:02}.txt"),
                "x\nneedle 1\nx\nneedle 2\nneedle 3\n",
            );
        }
    }
    let whole = yard.ok("search_files", json!({ "query": "needle", "limit": 1000 }));
    assert_eq!(paths(&whole).len(), 480);
    assert_eq!(whole["truncated"], false);
    for (limit, output) in [(7, "matches"), (9, "files"), (30, "count")] {
        let mut args = json!({ "query": "needle", "limit": limit, "output": output });
        let mut seen = Vec::new();
        loop {
            let page = yard.ok("search_files", args.clone());
            match output {
                "matches" => seen.extend(paths(&page)),
                "files" => seen.extend(
                    page["files"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(Value::to_string),
                ),
                _ => seen.extend(
                    page["counts"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(Value::to_string),
                ),
            }
            if page["truncated"] == false {
                assert!(page.get("next_cursor").is_none());
                break;
            }
            args["cursor"] = page["next_cursor"].clone();
        }
        match output {
            "matches" => assert_eq!(seen, paths(&whole)),
            _ => assert_eq!(seen.len(), 160, "{output}"),
        }
    }
}

#[test]
fn one_file_shows_only_so_many_matches() {
    let yard = yard();
    yard.put("a.txt", "needle\n".repeat(100));
    yard.put("b.txt", "needle\n");
    let found = yard.ok(
        "search_files",
        json!({ "query": "needle", "max_per_file": 3 }),
    );
    assert_eq!(paths(&found), ["a.txt:1", "a.txt:2", "a.txt:3", "b.txt:1"]);
    assert_eq!(found["truncated"], true);
    let mut args = json!({ "query": "needle", "max_per_file": 3, "limit": 2 });
    let first = yard.ok("search_files", args.clone());
    args["cursor"] = first["next_cursor"].clone();
    assert_eq!(
        paths(&yard.ok("search_files", args)),
        ["a.txt:3", "b.txt:1"]
    );
}

#[test]
fn expressions_spans_and_encodings() {
    let yard = yard();
    yard.put("a.txt", "begin\r\nmiddle\r\nend\r\n");
    let utf_16: Vec<u8> = "\u{feff}wörter\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    yard.put("b.txt", utf_16);
    let found = yard.ok(
        "search_files",
        json!({ "query": "^m\\w+e$", "mode": "regex" }),
    );
    assert_eq!(found["matches"][0]["text"], "middle");
    let span = json!({ "query": "begin\\s+middle", "mode": "regex", "multiline": true });
    let found = yard.ok("search_files", span);
    assert_eq!(
        (&found["matches"][0]["line"], &found["matches"][0]["column"]),
        (&json!(1), &json!(1))
    );
    let found = yard.ok("search_files", json!({ "query": "rter" }));
    assert_eq!(
        (&found["matches"][0]["path"], &found["matches"][0]["column"]),
        (&json!("b.txt"), &json!(3))
    );
}

#[test]
fn a_large_file_is_searched_only_when_named() {
    let yard = yard_with(Limits {
        search_file_max: 1_000,
        ..crate::support::relaxed()
    });
    yard.put("big.txt", format!("{}needle\n", "x\n".repeat(1_000)));
    let found = yard.ok("search_files", json!({ "query": "needle" }));
    assert_eq!(
        (&found["matches"], &found["skipped"]["too_large"]),
        (&json!([]), &json!(1))
    );
    let found = yard.ok(
        "search_files",
        json!({ "query": "needle", "path": "big.txt" }),
    );
    assert_eq!(paths(&found), ["big.txt:1001"]);
}

#[test]
fn a_search_out_of_time_goes_on_from_its_cursor() {
    let yard = yard();
    for dir in 0..20 {
        for file in 0..100 {
            yard.put(&format!("{dir:02}/{file:02}.txt"), "needle\n".repeat(20));
        }
    }
    let mut args = json!({ "query": "needle", "output": "count", "limit": 1000 });
    let mut seen = Vec::new();
    let (mut pages, mut timeouts) = (0, 0);
    loop {
        let ask = serde_json::from_value(args.clone()).unwrap();
        let soon = Work {
            deadline: Instant::now() + Duration::from_millis(15 + pages),
            ..work()
        };
        let page = serde_json::to_value(yard.home.search_files(&ask, &soon).unwrap()).unwrap();
        pages += 1;
        timeouts += u64::from(page["timed_out"] == true);
        let counts = page["counts"].as_array().unwrap();
        seen.extend(
            counts
                .iter()
                .map(|count| count["path"].as_str().unwrap().to_owned()),
        );
        if page["truncated"] == false {
            break;
        }
        if let Some(cursor) = page.get("next_cursor") {
            args["cursor"] = cursor.clone();
        }
        assert!(pages < 2_000, "no progress");
    }
    assert!(timeouts > 0, "nothing timed out");
    assert_eq!(seen.len(), 2_000);
    assert!(seen.is_sorted());
    let ask = serde_json::from_value(json!({ "query": "needle" })).unwrap();
    let cancelled = Work {
        cancelled: &|| true,
        ..work()
    };
    assert_eq!(
        yard.home.search_files(&ask, &cancelled).unwrap_err().code,
        Code::Timeout
    );
}

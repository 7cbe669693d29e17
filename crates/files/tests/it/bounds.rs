//! What is too much, too alike or unknown is refused.

use crate::support::{work, yard, yard_with};
use quaymaster_core::Code;
use quaymaster_files::{Durability, Limits, Work};
use serde_json::json;

#[test]
fn regular_expressions_are_bounded() {
    let yard = yard();
    yard.put("a.txt", "a".repeat(5_000));
    let long = "a".repeat(1_025);
    for pattern in ["(", "(?<=a)b", r"(\w{1000}){1000}", &long] {
        for (tool, name) in [
            ("find_replace", "find"),
            ("insert_after_pattern", "pattern"),
        ] {
            let mut args = json!({ "path": "a.txt", "mode": "regex" });
            args[name] = json!(pattern);
            args[if tool == "find_replace" {
                "replace"
            } else {
                "content"
            }] = json!("x");
            assert_eq!(yard.code(tool, args), Code::RegexInvalid, "{tool}");
        }
    }
    for pattern in ["(", r"(\w{1000}){1000}"] {
        let args = json!({ "query": pattern, "mode": "regex" });
        assert_eq!(yard.code("search_files", args), Code::RegexInvalid);
    }
    let started = std::time::Instant::now();
    let slow = json!({ "path": "a.txt", "find": "(a+)+$b", "replace": "", "mode": "regex" });
    assert_eq!(yard.code("find_replace", slow), Code::NoMatch);
    assert!(started.elapsed().as_secs() < 2);
}

#[test]
fn sizes_beyond_the_limits_are_refused_with_another_way() {
    let limits = Limits {
        write_max: 100,
        edit_max: 1_000,
        replace_max: 500,
        durability: Durability::Relaxed,
        ..Limits::default()
    };
    let yard = yard_with(limits);
    yard.put("big", "x\n".repeat(600));
    yard.put("middle", "x\n".repeat(300));
    let long = "y".repeat(101);
    for (tool, args) in [
        ("write_file", json!({ "path": "a", "content": long })),
        (
            "write_file",
            json!({ "path": "big", "content": "y", "mode": "append" }),
        ),
        (
            "insert_lines",
            json!({ "path": "middle", "line": 0, "content": long }),
        ),
        (
            "insert_lines",
            json!({ "path": "big", "line": 0, "content": "y" }),
        ),
        (
            "find_replace",
            json!({ "path": "middle", "find": "x", "replace": "y" }),
        ),
    ] {
        let fault = yard.fault(tool, args.clone());
        assert_eq!(fault.code, Code::TooLarge, "{tool} {args}");
        let details = fault.details.unwrap();
        assert!(details["limit"].is_u64() && details["use"].is_string());
    }
    yard.put("grow", "x".repeat(400));
    let grow =
        json!({ "path": "grow", "find": "x", "replace": "yyyyyyyyyy", "expected_count": "all" });
    assert_eq!(yard.code("find_replace", grow), Code::TooLarge);
    assert_eq!(yard.bytes("grow").len(), 400);
}

#[test]
fn two_names_that_look_alike_are_ambiguous_and_one_is_found() {
    let yard = yard();
    yard.put("cafe\u{301}.txt", "decomposed");
    let read = yard.ok(
        "read_file",
        json!({ "path": "caf\u{e9}.txt", "line_numbers": false }),
    );
    assert_eq!(read["content"], "decomposed");
    assert_eq!(read["path"], "cafe\u{301}.txt");
    yard.ok(
        "write_file",
        json!({ "path": "caf\u{e9}.txt", "content": "same file" }),
    );
    assert_eq!(yard.text("cafe\u{301}.txt"), "same file");
    yard.put("o\u{302}\u{323}", "1");
    yard.put("o\u{323}\u{302}", "2");
    let fault = yard.fault("read_file", json!({ "path": "\u{1ed9}" }));
    assert_eq!(fault.code, Code::Ambiguous);
    assert_eq!(
        fault.details.unwrap()["candidates"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_cancelled_copy_leaves_nothing_behind() {
    let yard = yard();
    (0..50).for_each(|index| yard.put(&format!("src/{index}"), "x"));
    let ask = serde_json::from_value(
        json!({ "source": "src", "destination": "copy", "recursive": true }),
    )
    .unwrap();
    let stop = Work {
        cancelled: &|| true,
        ..work()
    };
    assert_eq!(
        yard.home.copy_file(&ask, &stop).unwrap_err().code,
        Code::Timeout
    );
    assert!(!yard.host("copy").exists());
    assert_eq!(
        std::fs::read_dir(yard.root.path().join("ws/tmp"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn unknown_arguments_are_refused() {
    let yard = yard();
    yard.put("a", "");
    for tool in crate::support::TOOLS {
        let mut args = crate::support::args_for(tool, "a").remove(0);
        args["surprise"] = json!(1);
        assert!(
            yard.call(tool, args)
                .is_err_and(|f| f.message.contains("surprise")),
            "{tool}"
        );
    }
}

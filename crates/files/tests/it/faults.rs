//! Every fault says what is wrong and what to do next, and changes nothing.

use crate::support::yard;
use quaymaster_core::Code;
use serde_json::json;

#[test]
fn not_found_suggests_what_could_be_meant() {
    let yard = yard();
    yard.put("source/main.rs", "");
    yard.put("source/other.txt", "");
    let fault = yard.fault("read_file", json!({ "path": "soruce/main.rs" }));
    assert_eq!(fault.code, Code::NotFound);
    assert_eq!(
        fault.details.unwrap()["did_you_mean"],
        json!(["source/main.rs"])
    );
    let fault = yard.fault("delete_file", json!({ "path": "source/mian.rs" }));
    assert_eq!(
        fault.details.unwrap()["did_you_mean"],
        json!(["source/main.rs"])
    );
    let fault = yard.fault(
        "write_file",
        json!({ "path": "no/where/a.txt", "content": "", "create_parents": false }),
    );
    assert_eq!(fault.code, Code::NotFound);
    assert!(!yard.host("no").exists());
}

#[test]
fn kinds_that_do_not_fit_are_named() {
    let yard = yard();
    yard.put("dir/file", "x");
    for (tool, args, code) in [
        ("read_file", json!({ "path": "dir" }), Code::IsADirectory),
        ("read_file", json!({ "path": "/" }), Code::IsADirectory),
        (
            "write_file",
            json!({ "path": "dir", "content": "" }),
            Code::IsADirectory,
        ),
        (
            "delete_lines",
            json!({ "path": "dir", "start_line": 1, "end_line": 1 }),
            Code::IsADirectory,
        ),
        (
            "copy_file",
            json!({ "source": "dir", "destination": "d2" }),
            Code::IsADirectory,
        ),
        (
            "list_files",
            json!({ "path": "dir/file" }),
            Code::NotADirectory,
        ),
        (
            "read_file",
            json!({ "path": "dir/file/x" }),
            Code::NotADirectory,
        ),
        (
            "write_file",
            json!({ "path": "dir/file/x", "content": "" }),
            Code::NotADirectory,
        ),
        (
            "create_directory",
            json!({ "path": "dir/file" }),
            Code::AlreadyExists,
        ),
        (
            "create_directory",
            json!({ "path": "dir/file/x" }),
            Code::NotADirectory,
        ),
        (
            "delete_file",
            json!({ "path": "dir" }),
            Code::DirectoryNotEmpty,
        ),
        (
            "delete_file",
            json!({ "path": "/", "recursive": true }),
            Code::InvalidArg,
        ),
        (
            "move_file",
            json!({ "source": "dir", "destination": "dir/sub/x" }),
            Code::InvalidArg,
        ),
        (
            "copy_file",
            json!({ "source": "dir", "destination": "dir/x", "recursive": true }),
            Code::InvalidArg,
        ),
        (
            "copy_file",
            json!({ "source": "dir/file", "destination": "dir/file" }),
            Code::InvalidArg,
        ),
        (
            "move_file",
            json!({ "source": "dir/file", "destination": "dir" }),
            Code::AlreadyExists,
        ),
    ] {
        assert_eq!(yard.code(tool, args.clone()), code, "{tool} {args}");
    }
    assert_eq!(yard.text("dir/file"), "x");
}

#[test]
fn what_exists_is_replaced_only_when_told() {
    let yard = yard();
    yard.put("a", "a");
    yard.put("b", "b");
    let etag = yard.etag("b");
    let create = json!({ "path": "b", "content": "x", "mode": "create" });
    let fault = yard.fault("write_file", create);
    assert_eq!(
        (fault.code, &fault.details.unwrap()["current_etag"]),
        (Code::AlreadyExists, &json!(etag))
    );
    for tool in ["move_file", "copy_file"] {
        assert_eq!(
            yard.code(tool, json!({ "source": "a", "destination": "b" })),
            Code::AlreadyExists
        );
    }
    yard.put("dir/x", "");
    for tool in ["move_file", "copy_file"] {
        let args =
            json!({ "source": "dir", "destination": "b", "overwrite": true, "recursive": true });
        let mut args = args;
        if tool == "move_file" {
            args.as_object_mut().unwrap().remove("recursive");
        }
        assert_eq!(yard.code(tool, args), Code::AlreadyExists);
    }
    assert_eq!(
        (yard.text("a"), yard.text("b")),
        ("a".to_owned(), "b".to_owned())
    );
}

#[test]
fn a_stale_etag_changes_nothing() {
    let yard = yard();
    yard.put("a.txt", "one\ntwo\n");
    let old = format!("sha256:{}", "0".repeat(64));
    let now = yard.etag("a.txt");
    let edits = [
        ("write_file", json!({ "content": "x" })),
        ("write_file", json!({ "content": "x", "mode": "append" })),
        ("delete_file", json!({})),
        ("insert_lines", json!({ "line": 1, "content": "x" })),
        (
            "replace_lines",
            json!({ "start_line": 1, "end_line": 1, "content": "x" }),
        ),
        ("delete_lines", json!({ "start_line": 1, "end_line": 1 })),
        ("find_replace", json!({ "find": "one", "replace": "x" })),
        (
            "insert_after_pattern",
            json!({ "pattern": "one", "content": "x" }),
        ),
    ];
    for (tool, mut args) in edits {
        args["path"] = json!("a.txt");
        args["if_match"] = json!(old);
        let fault = yard.fault(tool, args.clone());
        assert_eq!(fault.code, Code::PreconditionFailed, "{tool}");
        assert_eq!(fault.details.unwrap()["current_etag"], json!(now), "{tool}");
        args["if_match"] = json!("nonsense");
        assert_eq!(yard.code(tool, args.clone()), Code::InvalidArg, "{tool}");
        args["path"] = json!("missing.txt");
        args["if_match"] = json!("*");
        let code = yard.code(tool, args);
        let expected = if tool == "write_file" {
            Code::PreconditionFailed
        } else {
            Code::NotFound
        };
        assert_eq!(code, expected, "{tool}");
    }
    for (tool, name) in [
        ("move_file", "if_match"),
        ("copy_file", "if_match"),
        ("move_file", "if_match_destination"),
    ] {
        let mut args = json!({ "source": "a.txt", "destination": "b.txt" });
        args[name] = json!(old);
        assert_eq!(
            yard.code(tool, args),
            Code::PreconditionFailed,
            "{tool} {name}"
        );
    }
    assert_eq!(yard.text("a.txt"), "one\ntwo\n");
    let done = json!({
        "path": "a.txt", "start_line": 1, "end_line": 1, "content": "one", "if_match": old
    });
    assert_eq!(yard.ok("replace_lines", done)["unchanged"], true);
    let done = json!({ "path": "a.txt", "content": "one\ntwo\n", "if_match": old });
    assert_eq!(yard.ok("write_file", done)["unchanged"], true);
}

#[test]
fn text_that_is_not_there_is_answered_with_what_is_near() {
    let yard = yard();
    yard.put("a.rs", "fn main() {\n    println!(\"hello\");\n}\n");
    let fault = yard.fault(
        "find_replace",
        json!({ "path": "a.rs", "find": "println!(\"helo\");", "replace": "" }),
    );
    insta::assert_json_snapshot!(fault, @r#"
    {
      "code": "NO_MATCH",
      "message": "The text to find is not there. Nothing was written.",
      "retryable": false,
      "hint": "Line 2 comes nearest; read it and copy the text exactly, white space included.",
      "details": {
        "nearest": [
          {
            "line": 2,
            "text": "    println!(\"hello\");"
          }
        ]
      }
    }
    "#);
    let regex =
        json!({ "path": "a.rs", "find": "println!(\"hello\")", "replace": "", "mode": "regex" });
    let fault = yard.fault("find_replace", regex);
    assert_eq!(fault.code, Code::NoMatch);
    assert!(fault.hint.unwrap().contains("literal"));
    let none = json!({ "path": "a.rs", "pattern": "nothing", "content": "x" });
    assert_eq!(yard.code("insert_after_pattern", none), Code::NoMatch);
}

#[test]
fn another_count_than_expected_writes_nothing() {
    let yard = yard();
    yard.put("a.txt", "x\nx\ny\n");
    let fault = yard.fault(
        "find_replace",
        json!({ "path": "a.txt", "find": "x", "replace": "z" }),
    );
    assert_eq!(fault.code, Code::CountMismatch);
    assert_eq!(
        fault.details.unwrap(),
        json!({ "found": 2, "expected": 1, "lines": [1, 2] })
    );
    let fault = yard.fault(
        "insert_after_pattern",
        json!({ "path": "a.txt", "pattern": "x", "content": "z" }),
    );
    assert_eq!(
        fault.details.unwrap(),
        json!({ "found": 2, "expected": 1, "lines": [1, 2] })
    );
    let third = json!({ "path": "a.txt", "pattern": "x", "content": "z", "occurrence": 3 });
    assert_eq!(
        yard.code("insert_after_pattern", third),
        Code::CountMismatch
    );
    assert_eq!(yard.text("a.txt"), "x\nx\ny\n");
}

#[test]
fn lines_outside_of_the_file_are_refused() {
    let yard = yard();
    yard.put("a.txt", "one\ntwo\n");
    yard.put("empty", "");
    for (tool, args) in [
        ("read_file", json!({ "path": "a.txt", "start_line": 3 })),
        (
            "insert_lines",
            json!({ "path": "a.txt", "line": 3, "content": "x" }),
        ),
        (
            "replace_lines",
            json!({ "path": "a.txt", "start_line": 2, "end_line": 3, "content": "x" }),
        ),
        (
            "replace_lines",
            json!({ "path": "empty", "start_line": 1, "end_line": -1, "content": "x" }),
        ),
        (
            "delete_lines",
            json!({ "path": "a.txt", "start_line": 3, "end_line": -1 }),
        ),
        (
            "find_replace",
            json!({ "path": "a.txt", "find": "o", "replace": "x", "start_line": 9 }),
        ),
    ] {
        let fault = yard.fault(tool, args.clone());
        assert_eq!(fault.code, Code::LineOutOfRange, "{tool} {args}");
        assert!(fault.details.unwrap()["total_lines"].is_u64());
    }
    for (tool, args) in [
        ("read_file", json!({ "path": "a.txt", "start_line": 0 })),
        (
            "read_file",
            json!({ "path": "a.txt", "start_line": 1, "offset": 1 }),
        ),
        (
            "insert_lines",
            json!({ "path": "a.txt", "line": -2, "content": "x" }),
        ),
        (
            "insert_after_pattern",
            json!({ "path": "a.txt", "pattern": "a\nb", "content": "x" }),
        ),
        ("search_files", json!({})),
        ("search_files", json!({ "query": "a\nb" })),
        ("search_files", json!({ "query": "a", "glob": "{" })),
        (
            "search_files",
            json!({ "query": "a", "cursor": "bm9uc2Vuc2U" }),
        ),
        ("list_files", json!({ "cursor": "%%%" })),
    ] {
        assert!(
            yard.call(tool, args.clone())
                .is_err_and(|f| f.code == Code::InvalidArg),
            "{tool} {args}"
        );
    }
}

#[test]
fn a_cursor_belongs_to_its_arguments() {
    let yard = yard();
    (0..5).for_each(|index| yard.put(&format!("{index}"), "needle"));
    let page = yard.ok("search_files", json!({ "query": "needle", "limit": 2 }));
    let cursor = page["next_cursor"].as_str().unwrap();
    let other = json!({ "query": "other", "limit": 2, "cursor": cursor });
    assert_eq!(yard.code("search_files", other), Code::InvalidArg);
    for at in 0..cursor.len() {
        let mut bytes = cursor.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        let args = json!({ "query": "needle", "limit": 2, "cursor": changed });
        assert!(
            yard.call("search_files", args)
                .is_err_and(|f| f.code == Code::InvalidArg),
            "{at}"
        );
    }
}

#[test]
fn lines_that_are_not_as_expected_are_shown() {
    let yard = yard();
    yard.put("a.txt", "one\r\ntwo\r\n");
    let args = json!({ "path": "a.txt", "start_line": 1, "end_line": 2, "content": "x", "expect": "one\n2" });
    let fault = yard.fault("replace_lines", args);
    assert_eq!(fault.code, Code::PreconditionFailed);
    assert_eq!(fault.details.unwrap()["actual"], "one\ntwo\n");
    let args = json!({ "path": "a.txt", "line": 1, "content": "x", "expect_line": "two" });
    assert_eq!(yard.code("insert_lines", args), Code::PreconditionFailed);
    let args = json!({ "path": "a.txt", "start_line": 1, "end_line": 2, "expect": "one\ntwo" });
    assert_eq!(yard.ok("delete_lines", args)["total_lines"], 0);
}

#[test]
fn what_is_not_text_is_not_edited() {
    let yard = yard();
    yard.put("data.bin", [0_u8; 16]);
    yard.put("paper.pdf", b"%PDF-1.7\nnot really");
    for (tool, mut args) in [
        ("read_file", json!({ "as": "text" })),
        ("insert_lines", json!({ "line": 0, "content": "x" })),
        ("find_replace", json!({ "find": "x", "replace": "y" })),
    ] {
        for path in ["data.bin", "paper.pdf"] {
            args["path"] = json!(path);
            assert_eq!(
                yard.code(tool, args.clone()),
                Code::NotText,
                "{tool} {path}"
            );
        }
    }
    let fault = yard.fault("read_file", json!({ "path": "paper.pdf", "as": "text" }));
    assert!(fault.hint.unwrap().contains("read_file answers the text"));
}

//! Tools that read on a good day, whole answers.

use crate::support::{steady, yard};
use quaymaster_core::Code;
use quaymaster_files::GetFileInfo;
use serde_json::json;

macro_rules! shows {
    ($value:expr, @$snapshot:literal) => {
        steady().bind(|| insta::assert_json_snapshot!($value, @$snapshot))
    };
}

#[test]
fn list_files_shows_directories_first() {
    let yard = yard();
    yard.put("b.txt", "b");
    yard.put("a.rs", "fn a() {}");
    yard.put("src/main.rs", "");
    yard.put(".hidden", "");
    std::os::unix::fs::symlink("b.txt", yard.host("link")).unwrap();
    shows!(yard.ok("list_files", json!({})), @r#"
    {
      "path": "",
      "entries": [
        {
          "path": "src",
          "type": "directory",
          "size": 0,
          "modified_at": "[time]"
        },
        {
          "path": "a.rs",
          "type": "file",
          "size": 9,
          "modified_at": "[time]",
          "mime": "text/x-rust"
        },
        {
          "path": "b.txt",
          "type": "file",
          "size": 1,
          "modified_at": "[time]",
          "mime": "text/plain"
        },
        {
          "path": "link",
          "type": "symlink",
          "size": 0,
          "modified_at": "[time]"
        }
      ],
      "total": 4,
      "truncated": false
    }
    "#);
    shows!(yard.ok("list_files", json!({ "recursive": true, "depth": 3, "glob": "*.rs" })), @r#"
    {
      "path": "",
      "entries": [
        {
          "path": "a.rs",
          "type": "file",
          "size": 9,
          "modified_at": "[time]",
          "mime": "text/x-rust"
        },
        {
          "path": "src/main.rs",
          "type": "file",
          "size": 0,
          "modified_at": "[time]",
          "mime": "text/x-rust"
        }
      ],
      "total": 2,
      "truncated": false
    }
    "#);
}

#[test]
fn list_files_goes_on_where_the_page_ended() {
    let yard = yard();
    for index in 0..25 {
        yard.put(&format!("file-{index:02}"), "x".repeat(index));
    }
    for (sort, order) in [("name", "asc"), ("size", "desc"), ("modified", "asc")] {
        let mut seen = Vec::new();
        let mut args = json!({ "limit": 10, "sort": sort, "order": order });
        loop {
            let page = yard.ok("list_files", args.clone());
            assert_eq!(page["total"], 25);
            let entries = page["entries"].as_array().unwrap();
            seen.extend(
                entries
                    .iter()
                    .map(|entry| entry["path"].as_str().unwrap().to_owned()),
            );
            if page["truncated"] == false {
                break;
            }
            args["cursor"] = page["next_cursor"].clone();
        }
        assert_eq!(seen.len(), 25, "{sort} {order}");
        if sort == "size" {
            assert_eq!(seen[0], "file-24");
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 25, "{sort} {order}");
    }
}

#[test]
fn read_file_numbers_lines_and_says_where_to_go_on() {
    let yard = yard();
    yard.put("notes.md", "# One\r\ntwo\nthree\nfour");
    shows!(yard.ok("read_file", json!({ "path": "/notes.md" })), @r#"
    {
      "path": "notes.md",
      "etag": "sha256:06be1d58f9d8752649d2c52bb2480a822b478d4ad12a9397cd708f6f9aa7085c",
      "size": 21,
      "mime": "text/markdown",
      "encoding": "utf-8",
      "eol": "mixed",
      "bom": false,
      "total_lines": 4,
      "start_line": 1,
      "end_line": 4,
      "content": "1\t# One\r\n2\ttwo\n3\tthree\n4\tfour",
      "truncated": false
    }
    "#);
    shows!(yard.ok("read_file", json!({ "path": "notes.md", "max_bytes": 12 })), @r#"
    {
      "path": "notes.md",
      "etag": "sha256:06be1d58f9d8752649d2c52bb2480a822b478d4ad12a9397cd708f6f9aa7085c",
      "size": 21,
      "mime": "text/markdown",
      "encoding": "utf-8",
      "eol": "mixed",
      "bom": false,
      "total_lines": 4,
      "start_line": 1,
      "end_line": 1,
      "content": "1\t# One\r\n",
      "truncated": true,
      "next": {
        "start_line": 2
      }
    }
    "#);
    let tail = yard.ok(
        "read_file",
        json!({ "path": "notes.md", "start_line": -2, "line_numbers": false }),
    );
    assert_eq!(tail["content"], "three\nfour");
    assert_eq!(tail["start_line"], 3);
    let middle = yard.ok(
        "read_file",
        json!({ "path": "notes.md", "start_line": 2, "end_line": -2 }),
    );
    assert_eq!(middle["content"], "2\ttwo\n3\tthree\n");
    let same = yard.ok(
        "read_file",
        json!({ "path": "notes.md", "if_none_match": tail["etag"] }),
    );
    assert_eq!(
        (&same["not_modified"], &same["content"]),
        (&json!(true), &json!(null))
    );
}

#[test]
fn read_file_by_bytes_never_cuts_a_character() {
    let yard = yard();
    yard.put("euro.txt", "€".repeat(100));
    let mut read = String::new();
    let mut offset = 0;
    loop {
        let page = yard.ok(
            "read_file",
            json!({ "path": "euro.txt", "offset": offset, "length": 50 }),
        );
        read.push_str(page["content"].as_str().unwrap());
        match page["next"]["offset"].as_u64() {
            Some(next) => offset = next,
            None => break,
        }
    }
    assert_eq!(read, "€".repeat(100));
}

#[test]
fn read_file_shows_images_and_pages_other_bytes() {
    let yard = yard();
    yard.put("dot.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    yard.put("data.bin", [0, 1, 2, 3]);
    shows!(yard.ok("read_file", json!({ "path": "dot.png" })), @r#"
    {
      "path": "dot.png",
      "etag": "sha256:02a3e298f1533f62558c58e4c70edcab9af5a50d62d925fd5390942020fb0fb8",
      "size": 16,
      "mime": "image/png",
      "truncated": false,
      "media": "image/png"
    }
    "#);
    shows!(yard.ok("read_file", json!({ "path": "data.bin", "length": 2 })), @r#"
    {
      "path": "data.bin",
      "etag": "sha256:054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8",
      "size": 4,
      "mime": "application/octet-stream",
      "blob": "AAE=",
      "truncated": true,
      "next": {
        "offset": 2
      }
    }
    "#);
    let text = yard.ok("read_file", json!({ "path": "dot.png", "as": "base64" }));
    assert_eq!(text["blob"], "iVBORw0KGgoAAAANSUhEUg==");
}

#[test]
fn get_file_info_tells_everything_but_the_content() {
    let yard = yard();
    yard.put("dir/a.txt", "one\ntwo\n");
    std::os::unix::fs::symlink("a.txt", yard.host("dir/link")).unwrap();
    std::os::unix::fs::symlink("/etc", yard.host("dir/out")).unwrap();
    shows!(yard.ok("get_file_info", json!({ "path": "dir/a.txt" })), @r#"
    {
      "path": "dir/a.txt",
      "type": "file",
      "size": 8,
      "modified_at": "[time]",
      "etag": "sha256:c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8",
      "mime": "text/plain",
      "exists": true,
      "mode": "0644",
      "created_at": "[time]",
      "is_text": true,
      "encoding": "utf-8",
      "eol": "lf",
      "total_lines": 2,
      "writable": true
    }
    "#);
    shows!(yard.ok("get_file_info", json!({ "path": "dir" }))["children"], @r#"3"#);
    shows!(yard.ok("get_file_info", json!({ "path": "dir/link" }))["symlink_target"], @r#""dir/a.txt""#);
    let out = yard.ok("get_file_info", json!({ "path": "dir/out" }));
    assert_eq!(
        (&out["type"], &out["symlink_target"]),
        (&json!("symlink"), &json!(null))
    );
    assert_eq!(
        yard.ok("get_file_info", json!({ "path": "/" }))["children"],
        1
    );
}

#[test]
fn the_quick_answer_about_a_file_is_the_full_one_and_is_given_only_when_its_facts_are_known() {
    let yard = yard();
    yard.put("a.txt", "one\n");
    yard.put("dir/b.txt", "two\n");
    let ask =
        |path: &str| -> GetFileInfo { serde_json::from_value(json!({ "path": path })).unwrap() };
    assert!(yard.home.quick_file_info(&ask("a.txt")).is_none());
    let full = yard.home.get_file_info(&ask("a.txt")).unwrap();
    let quick = yard.home.quick_file_info(&ask("a.txt")).unwrap().unwrap();
    assert_eq!(json!(quick), json!(full));
    yard.put("a.txt", "changed\n");
    assert!(yard.home.quick_file_info(&ask("a.txt")).is_none());
    for path in ["dir", "absent.txt", "/", "größe.txt"] {
        assert!(yard.home.quick_file_info(&ask(path)).is_none(), "{path}");
    }
    let outside = yard.home.quick_file_info(&ask("../a.txt")).unwrap();
    assert_eq!(outside.unwrap_err().code, Code::PathOutsideWorkspace);
}

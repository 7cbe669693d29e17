//! Each tool on a good day, whole answers.

use crate::support::{steady, yard};
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
      "entries": [
        {
          "modified_at": "[time]",
          "path": "src",
          "size": 0,
          "type": "directory"
        },
        {
          "mime": "text/x-rust",
          "modified_at": "[time]",
          "path": "a.rs",
          "size": 9,
          "type": "file"
        },
        {
          "mime": "text/plain",
          "modified_at": "[time]",
          "path": "b.txt",
          "size": 1,
          "type": "file"
        },
        {
          "modified_at": "[time]",
          "path": "link",
          "size": 0,
          "type": "symlink"
        }
      ],
      "path": "",
      "total": 4,
      "truncated": false
    }
    "#);
    shows!(yard.ok("list_files", json!({ "recursive": true, "depth": 3, "glob": "*.rs" })), @r#"
    {
      "entries": [
        {
          "mime": "text/x-rust",
          "modified_at": "[time]",
          "path": "a.rs",
          "size": 9,
          "type": "file"
        },
        {
          "mime": "text/x-rust",
          "modified_at": "[time]",
          "path": "src/main.rs",
          "size": 0,
          "type": "file"
        }
      ],
      "path": "",
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
      "bom": false,
      "content": "1\t# One\r\n2\ttwo\n3\tthree\n4\tfour",
      "encoding": "utf-8",
      "end_line": 4,
      "eol": "mixed",
      "etag": "sha256:06be1d58f9d8752649d2c52bb2480a822b478d4ad12a9397cd708f6f9aa7085c",
      "mime": "text/markdown",
      "path": "notes.md",
      "size": 21,
      "start_line": 1,
      "total_lines": 4,
      "truncated": false
    }
    "#);
    shows!(yard.ok("read_file", json!({ "path": "notes.md", "max_bytes": 12 })), @r#"
    {
      "bom": false,
      "content": "1\t# One\r\n",
      "encoding": "utf-8",
      "end_line": 1,
      "eol": "mixed",
      "etag": "sha256:06be1d58f9d8752649d2c52bb2480a822b478d4ad12a9397cd708f6f9aa7085c",
      "mime": "text/markdown",
      "next": {
        "start_line": 2
      },
      "path": "notes.md",
      "size": 21,
      "start_line": 1,
      "total_lines": 4,
      "truncated": true
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
      "etag": "sha256:02a3e298f1533f62558c58e4c70edcab9af5a50d62d925fd5390942020fb0fb8",
      "media": "image/png",
      "mime": "image/png",
      "path": "dot.png",
      "size": 16,
      "truncated": false
    }
    "#);
    shows!(yard.ok("read_file", json!({ "path": "data.bin", "length": 2 })), @r#"
    {
      "blob": "AAE=",
      "etag": "sha256:054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8",
      "mime": "application/octet-stream",
      "next": {
        "offset": 2
      },
      "path": "data.bin",
      "size": 4,
      "truncated": true
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
      "created_at": "[time]",
      "encoding": "utf-8",
      "eol": "lf",
      "etag": "sha256:c3f9c8c283a2b1f2f1896f27a01cbe3cddc0c9d93f752e4639035a0f5b36f6e8",
      "exists": true,
      "is_text": true,
      "mime": "text/plain",
      "mode": "0644",
      "modified_at": "[time]",
      "path": "dir/a.txt",
      "size": 8,
      "total_lines": 2,
      "type": "file",
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
fn write_file_creates_overwrites_and_appends() {
    let yard = yard();
    shows!(yard.ok("write_file", json!({ "path": "new/a.txt", "content": "one\n" })), @r#"
    {
      "bytes_written": 4,
      "created": true,
      "dry_run": false,
      "etag": "sha256:2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806",
      "path": "new/a.txt",
      "size": 4,
      "unchanged": false
    }
    "#);
    let etag = yard.etag("new/a.txt");
    shows!(
        yard.ok("write_file", json!({
            "path": "new/a.txt", "content": "two\n", "if_match": etag, "dry_run": true
        })),
        @r#"
        {
          "bytes_written": 4,
          "created": false,
          "diff": "@@ -1 +1 @@\n-one\n+two\n",
          "diff_truncated": false,
          "dry_run": true,
          "etag": "sha256:27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a",
          "old_etag": "sha256:2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806",
          "path": "new/a.txt",
          "size": 4,
          "unchanged": false
        }
        "#
    );
    assert_eq!(yard.text("new/a.txt"), "one\n");
    yard.ok(
        "write_file",
        json!({ "path": "new/a.txt", "content": "two\n", "mode": "append" }),
    );
    assert_eq!(yard.text("new/a.txt"), "one\ntwo\n");
    let same = yard.ok(
        "write_file",
        json!({ "path": "new/a.txt", "content": "one\ntwo\n" }),
    );
    assert_eq!(
        (&same["unchanged"], &same["bytes_written"]),
        (&json!(true), &json!(0))
    );
    yard.ok(
        "write_file",
        json!({ "path": "b.bin", "content": "AAEC", "encoding": "base64" }),
    );
    assert_eq!(yard.bytes("b.bin"), [0, 1, 2]);
}

#[test]
fn delete_file_moves_to_the_trash() {
    let yard = yard();
    yard.put("dir/a.txt", "abc");
    yard.put("dir/sub/b.txt", "de");
    let dry = yard.ok(
        "delete_file",
        json!({ "path": "dir", "recursive": true, "dry_run": true }),
    );
    assert_eq!(
        (&dry["deleted_files"], &dry["freed_bytes"]),
        (&json!(2), &json!(5))
    );
    assert!(yard.host("dir").exists());
    shows!(yard.ok("delete_file", json!({ "path": "dir", "recursive": true })), @r#"
    {
      "deleted_files": 2,
      "dry_run": false,
      "freed_bytes": 5,
      "path": "dir",
      "restorable_until": "[time]",
      "trash_id": "trs_03qcpc7p00001g000000000004",
      "type": "directory"
    }
    "#);
    assert!(!yard.host("dir").exists());
    let gone = yard.ok("delete_file", json!({ "path": "dir", "missing_ok": true }));
    assert_eq!(gone["deleted_files"], 0);
}

#[test]
fn create_directory_twice_is_success() {
    let yard = yard();
    shows!(yard.ok("create_directory", json!({ "path": "a/b/c" })), @r#"
    {
      "created": true,
      "path": "a/b/c"
    }
    "#);
    assert_eq!(
        yard.ok("create_directory", json!({ "path": "a/b/c" }))["created"],
        false
    );
    assert!(yard.host("a/b/c").is_dir());
}

#[test]
fn move_file_renames_and_replaces_only_when_told() {
    let yard = yard();
    yard.put("a.txt", "a");
    yard.put("b.txt", "b");
    shows!(yard.ok("move_file", json!({ "source": "a.txt", "destination": "x/y.txt" })), @r#"
    {
      "destination": "x/y.txt",
      "etag": "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
      "replaced": false,
      "source": "a.txt",
      "type": "file"
    }
    "#);
    let replaced = yard.ok(
        "move_file",
        json!({ "source": "x/y.txt", "destination": "b.txt", "overwrite": true }),
    );
    assert_eq!(
        (&replaced["replaced"], yard.text("b.txt")),
        (&json!(true), "a".to_owned())
    );
    yard.ok("move_file", json!({ "source": "x", "destination": "z" }));
    assert!(yard.host("z").is_dir() && !yard.host("x").exists());
}

#[test]
fn copy_file_copies_trees_and_leaves_out_links_that_lead_away() {
    let yard = yard();
    yard.put("src/a.txt", "abc");
    yard.put("src/deep/b.txt", "de");
    std::os::unix::fs::symlink("../a.txt", yard.host("src/deep/in")).unwrap();
    std::os::unix::fs::symlink("../../../../etc/passwd", yard.host("src/deep/out")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", yard.host("src/absolute")).unwrap();
    shows!(
        yard.ok("copy_file", json!({ "source": "src", "destination": "copy/src", "recursive": true })),
        @r#"
        {
          "bytes": 5,
          "destination": "copy/src",
          "files": 3,
          "skipped": 2,
          "source": "src"
        }
        "#
    );
    assert_eq!(yard.text("copy/src/deep/in"), "abc");
    assert!(yard.host("copy/src/deep/out").symlink_metadata().is_err());
    shows!(yard.ok("copy_file", json!({ "source": "src/a.txt", "destination": "c.txt" })), @r#"
    {
      "bytes": 3,
      "destination": "c.txt",
      "etag": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "files": 1,
      "source": "src/a.txt"
    }
    "#);
}

#[test]
fn insert_lines_answers_what_changed() {
    let yard = yard();
    yard.put("a.txt", "one\ntwo\nthree\n");
    shows!(
        yard.ok("insert_lines", json!({ "path": "a.txt", "line": 2, "content": "new\nlines" })),
        @r#"
        {
          "changed": {
            "end_line": 4,
            "start_line": 3
          },
          "diff": "@@ -1,3 +1,5 @@\n one\n two\n+new\n+lines\n three\n",
          "diff_truncated": false,
          "dry_run": false,
          "etag": "sha256:c541c1aecdd69f513d289fe599bfbe6bc24c8b2a586d46f0f67419fb05a8c1e6",
          "old_etag": "sha256:b6285c57e8797db5d4c51c80d6f11938afda9b11c6a003549709189e9b4b92a2",
          "path": "a.txt",
          "size": 24,
          "total_lines": 5,
          "unchanged": false
        }
        "#
    );
    assert_eq!(yard.text("a.txt"), "one\ntwo\nnew\nlines\nthree\n");
    yard.ok(
        "insert_lines",
        json!({ "path": "a.txt", "line": 0, "content": "top", "expect_line": null }),
    );
    yard.ok(
        "insert_lines",
        json!({ "path": "a.txt", "line": -1, "content": "end\n" }),
    );
    assert_eq!(
        yard.text("a.txt"),
        "top\none\ntwo\nnew\nlines\nthree\nend\n"
    );
}

#[test]
fn replace_lines_checks_what_it_replaces() {
    let yard = yard();
    yard.put("a.txt", "one\ntwo\nthree\n");
    let args = json!({
        "path": "a.txt", "start_line": 2, "end_line": -1, "content": "2\n3\n4", "expect": "two\nthree"
    });
    shows!(yard.ok("replace_lines", args), @r#"
    {
      "changed": {
        "end_line": 4,
        "start_line": 2
      },
      "diff": "@@ -1,3 +1,4 @@\n one\n-two\n-three\n+2\n+3\n+4\n",
      "diff_truncated": false,
      "dry_run": false,
      "etag": "sha256:36d9cfae9d34bbc1473c7c77728e5c342a2af4cda83d7d5487adeb592d977a6e",
      "old_etag": "sha256:b6285c57e8797db5d4c51c80d6f11938afda9b11c6a003549709189e9b4b92a2",
      "path": "a.txt",
      "size": 10,
      "total_lines": 4,
      "unchanged": false
    }
    "#);
    assert_eq!(yard.text("a.txt"), "one\n2\n3\n4\n");
    let again = json!({ "path": "a.txt", "start_line": 2, "end_line": 4, "content": "2\n3\n4" });
    assert_eq!(yard.ok("replace_lines", again)["unchanged"], true);
}

#[test]
fn delete_lines_removes_a_range() {
    let yard = yard();
    yard.put("a.txt", "one\ntwo\nthree\n");
    shows!(yard.ok("delete_lines", json!({ "path": "a.txt", "start_line": 1, "end_line": 2 })), @r#"
    {
      "changed": {
        "end_line": 0,
        "start_line": 1
      },
      "diff": "@@ -1,3 +1 @@\n-one\n-two\n three\n",
      "diff_truncated": false,
      "dry_run": false,
      "etag": "sha256:f6936912184481f5edd4c304ce27c5a1a827804fc7f329f43d273b8621870776",
      "old_etag": "sha256:b6285c57e8797db5d4c51c80d6f11938afda9b11c6a003549709189e9b4b92a2",
      "path": "a.txt",
      "size": 6,
      "total_lines": 1,
      "unchanged": false
    }
    "#);
    assert_eq!(yard.text("a.txt"), "three\n");
}

#[test]
fn find_replace_replaces_what_it_expects() {
    let yard = yard();
    yard.put("a.rs", "let x = 1;\nlet y = x + x;\n");
    let args = json!({
        "path": "a.rs", "find": "\\b(x)\\b", "replace": "${1}2", "mode": "regex", "expected_count": 3
    });
    shows!(yard.ok("find_replace", args), @r#"
    {
      "changed": {
        "end_line": 2,
        "start_line": 1
      },
      "diff": "@@ -1,2 +1,2 @@\n-let x = 1;\n-let y = x + x;\n+let x2 = 1;\n+let y = x2 + x2;\n",
      "diff_truncated": false,
      "dry_run": false,
      "etag": "sha256:a1b04325464eb14aea313da10dd27da7fa08b8bb3d4ecd18a5faadaa3d543e05",
      "occurrences": [
        {
          "column": 5,
          "line": 1
        },
        {
          "column": 9,
          "line": 2
        },
        {
          "column": 13,
          "line": 2
        }
      ],
      "old_etag": "sha256:dc52c844cd867fd1d3a334adf0989d47a896eb2cd3d3885c1a74245c113c0c77",
      "path": "a.rs",
      "replacements": 3,
      "size": 29,
      "total_lines": 2,
      "unchanged": false
    }
    "#);
    assert_eq!(yard.text("a.rs"), "let x2 = 1;\nlet y = x2 + x2;\n");
    let literal = json!({ "path": "a.rs", "find": "x2", "replace": "$1", "expected_count": "all", "start_line": 2 });
    assert_eq!(yard.ok("find_replace", literal)["replacements"], 2);
    assert_eq!(yard.text("a.rs"), "let x2 = 1;\nlet y = $1 + $1;\n");
}

#[test]
fn insert_after_pattern_finds_its_line() {
    let yard = yard();
    yard.put("a.py", "import os\nimport sys\n\nmain()\n");
    let args = json!({
        "path": "a.py", "pattern": "^import ", "mode": "regex", "occurrence": "last", "content": "import re"
    });
    shows!(yard.ok("insert_after_pattern", args), @r#"
    {
      "changed": {
        "end_line": 3,
        "start_line": 3
      },
      "diff": "@@ -1,4 +1,5 @@\n import os\n import sys\n+import re\n \n main()\n",
      "diff_truncated": false,
      "dry_run": false,
      "etag": "sha256:d32b6b6a65f39a6d8fc0a933b01fb05c18f78ef314524bf85fde019c594f8968",
      "matched": {
        "line": 2,
        "text": "import sys"
      },
      "old_etag": "sha256:95fe46f6980b86c5527270b764353c6c68b1131037a53e234587ef122654f657",
      "path": "a.py",
      "size": 39,
      "total_lines": 5,
      "unchanged": false
    }
    "#);
    let skip = json!({
        "path": "a.py", "pattern": "main", "position": "before", "content": "import re", "skip_if_present": true
    });
    assert_eq!(yard.ok("insert_after_pattern", skip)["unchanged"], true);
    let before =
        json!({ "path": "a.py", "pattern": "main()", "position": "before", "content": "x = 1" });
    yard.ok("insert_after_pattern", before);
    assert_eq!(
        yard.text("a.py"),
        "import os\nimport sys\nimport re\n\nx = 1\nmain()\n"
    );
}

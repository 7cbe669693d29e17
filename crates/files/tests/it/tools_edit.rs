//! Tools that edit inside a file on a good day, whole answers.

use crate::support::{steady, yard};
use serde_json::json;

macro_rules! shows {
    ($value:expr, @$snapshot:literal) => {
        steady().bind(|| insta::assert_json_snapshot!($value, @$snapshot))
    };
}

#[test]
fn insert_lines_answers_what_changed() {
    let yard = yard();
    yard.put("a.txt", "one\ntwo\nthree\n");
    shows!(
        yard.ok("insert_lines", json!({ "path": "a.txt", "line": 2, "content": "new\nlines" })),
        @r#"
    {
      "path": "a.txt",
      "etag": "sha256:c541c1aecdd69f513d289fe599bfbe6bc24c8b2a586d46f0f67419fb05a8c1e6",
      "old_etag": "sha256:b6285c57e8797db5d4c51c80d6f11938afda9b11c6a003549709189e9b4b92a2",
      "size": 24,
      "total_lines": 5,
      "changed": {
        "start_line": 3,
        "end_line": 4
      },
      "diff": "@@ -1,3 +1,5 @@\n one\n two\n+new\n+lines\n three\n",
      "diff_truncated": false,
      "dry_run": false,
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
      "path": "a.txt",
      "etag": "sha256:36d9cfae9d34bbc1473c7c77728e5c342a2af4cda83d7d5487adeb592d977a6e",
      "old_etag": "sha256:b6285c57e8797db5d4c51c80d6f11938afda9b11c6a003549709189e9b4b92a2",
      "size": 10,
      "total_lines": 4,
      "changed": {
        "start_line": 2,
        "end_line": 4
      },
      "diff": "@@ -1,3 +1,4 @@\n one\n-two\n-three\n+2\n+3\n+4\n",
      "diff_truncated": false,
      "dry_run": false,
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
      "path": "a.txt",
      "etag": "sha256:f6936912184481f5edd4c304ce27c5a1a827804fc7f329f43d273b8621870776",
      "old_etag": "sha256:b6285c57e8797db5d4c51c80d6f11938afda9b11c6a003549709189e9b4b92a2",
      "size": 6,
      "total_lines": 1,
      "changed": {
        "start_line": 1,
        "end_line": 0
      },
      "diff": "@@ -1,3 +1 @@\n-one\n-two\n three\n",
      "diff_truncated": false,
      "dry_run": false,
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
      "path": "a.rs",
      "etag": "sha256:a1b04325464eb14aea313da10dd27da7fa08b8bb3d4ecd18a5faadaa3d543e05",
      "old_etag": "sha256:dc52c844cd867fd1d3a334adf0989d47a896eb2cd3d3885c1a74245c113c0c77",
      "size": 29,
      "total_lines": 2,
      "changed": {
        "start_line": 1,
        "end_line": 2
      },
      "diff": "@@ -1,2 +1,2 @@\n-let x = 1;\n-let y = x + x;\n+let x2 = 1;\n+let y = x2 + x2;\n",
      "diff_truncated": false,
      "dry_run": false,
      "unchanged": false,
      "replacements": 3,
      "occurrences": [
        {
          "line": 1,
          "column": 5
        },
        {
          "line": 2,
          "column": 9
        },
        {
          "line": 2,
          "column": 13
        }
      ]
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
      "path": "a.py",
      "etag": "sha256:d32b6b6a65f39a6d8fc0a933b01fb05c18f78ef314524bf85fde019c594f8968",
      "old_etag": "sha256:95fe46f6980b86c5527270b764353c6c68b1131037a53e234587ef122654f657",
      "size": 39,
      "total_lines": 5,
      "changed": {
        "start_line": 3,
        "end_line": 3
      },
      "diff": "@@ -1,4 +1,5 @@\n import os\n import sys\n+import re\n \n main()\n",
      "diff_truncated": false,
      "dry_run": false,
      "unchanged": false,
      "matched": {
        "line": 2,
        "text": "import sys"
      }
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

//! Tools for whole files and directories on a good day, whole answers.

use crate::support::{steady, yard};
use serde_json::json;

macro_rules! shows {
    ($value:expr, @$snapshot:literal) => {
        steady().bind(|| insta::assert_json_snapshot!($value, @$snapshot))
    };
}

#[test]
fn write_file_creates_overwrites_and_appends() {
    let yard = yard();
    shows!(yard.ok("write_file", json!({ "path": "new/a.txt", "content": "one\n" })), @r#"
    {
      "path": "new/a.txt",
      "etag": "sha256:2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806",
      "created": true,
      "size": 4,
      "bytes_written": 4,
      "dry_run": false,
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
      "path": "new/a.txt",
      "etag": "sha256:27dd8ed44a83ff94d557f9fd0412ed5a8cbca69ea04922d88c01184a07300a5a",
      "old_etag": "sha256:2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806",
      "created": false,
      "size": 4,
      "bytes_written": 4,
      "diff": "@@ -1 +1 @@\n-one\n+two\n",
      "diff_truncated": false,
      "dry_run": true,
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
      "path": "dir",
      "type": "directory",
      "deleted_files": 2,
      "freed_bytes": 5,
      "trash_id": "trs_03qcpc7p00001g000000000004",
      "restorable_until": "[time]",
      "dry_run": false
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
      "path": "a/b/c",
      "created": true
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
      "source": "a.txt",
      "destination": "x/y.txt",
      "etag": "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
      "type": "file",
      "replaced": false
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
      "source": "src",
      "destination": "copy/src",
      "files": 3,
      "bytes": 5,
      "skipped": 2
    }
    "#
    );
    assert_eq!(yard.text("copy/src/deep/in"), "abc");
    assert!(yard.host("copy/src/deep/out").symlink_metadata().is_err());
    shows!(yard.ok("copy_file", json!({ "source": "src/a.txt", "destination": "c.txt" })), @r#"
    {
      "source": "src/a.txt",
      "destination": "c.txt",
      "etag": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "files": 1,
      "bytes": 3
    }
    "#);
}

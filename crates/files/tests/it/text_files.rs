//! Encodings and line ends: what was not edited stays byte for byte.

use crate::support::yard;
use quaymaster_core::Code;
use serde_json::json;

#[test]
fn inserted_lines_take_the_end_of_their_neighbour() {
    let yard = yard();
    yard.put("mixed.txt", "unix\nwindows\r\nunix\nlast");
    let insert = |line: i64| {
        yard.put("a.txt", yard.bytes("mixed.txt"));
        yard.ok(
            "insert_lines",
            json!({ "path": "a.txt", "line": line, "content": "1\n2" }),
        );
        yard.text("a.txt")
    };
    assert_eq!(insert(0), "1\n2\nunix\nwindows\r\nunix\nlast");
    assert_eq!(insert(2), "unix\nwindows\r\n1\r\n2\r\nunix\nlast");
    assert_eq!(insert(-1), "unix\nwindows\r\nunix\nlast\n1\n2");
    yard.put("crlf.txt", "a\r\nb");
    yard.ok(
        "insert_lines",
        json!({ "path": "crlf.txt", "line": -1, "content": "c\n" }),
    );
    assert_eq!(yard.text("crlf.txt"), "a\r\nb\r\nc");
}

#[test]
fn marks_and_lone_carriage_returns_stay() {
    let yard = yard();
    yard.put("a.txt", "\u{feff}one\rstill one\ntwo\n");
    let read = yard.ok(
        "read_file",
        json!({ "path": "a.txt", "line_numbers": false }),
    );
    assert_eq!(
        (&read["content"], &read["bom"]),
        (&json!("one\rstill one\ntwo\n"), &json!(true))
    );
    yard.ok(
        "insert_lines",
        json!({ "path": "a.txt", "line": 0, "content": "top" }),
    );
    yard.ok(
        "find_replace",
        json!({ "path": "a.txt", "find": "two", "replace": "2" }),
    );
    assert_eq!(yard.text("a.txt"), "\u{feff}top\none\rstill one\n2\n");
    yard.ok("write_file", json!({ "path": "a.txt", "content": "new" }));
    assert_eq!(yard.text("a.txt"), "\u{feff}new");
}

#[test]
fn windows_line_ends_survive_find_replace() {
    let yard = yard();
    let begin = "one\r\ntwo\r\nthree\r\n";
    for (args, end) in [
        (
            json!({ "find": "one\ntwo", "replace": "1\n2" }),
            "1\r\n2\r\nthree\r\n",
        ),
        (
            json!({ "find": "ONE\nTWO", "replace": "x", "case_sensitive": false }),
            "x\r\nthree\r\n",
        ),
        (
            json!({ "find": "^(t\\w+)$", "replace": "<$1>", "mode": "regex", "expected_count": 2 }),
            "one\r\n<two>\r\n<three>\r\n",
        ),
        (
            json!({ "find": "o\\nt", "replace": "+\n+", "mode": "regex" }),
            "one\r\ntw+\r\n+hree\r\n",
        ),
        (
            json!({ "find": "\r\n", "replace": "\n", "expected_count": "all" }),
            "one\ntwo\nthree\n",
        ),
        (
            json!({ "find": "e.+t", "replace": "", "mode": "regex", "multiline": true }),
            "onhree\r\n",
        ),
    ] {
        yard.put("a.txt", begin);
        let mut args = args;
        args["path"] = json!("a.txt");
        yard.ok("find_replace", args.clone());
        assert_eq!(yard.text("a.txt"), end, "{args}");
    }
}

#[test]
fn a_file_in_another_encoding_is_edited_in_it() {
    let yard = yard();
    let latin = b"caf\xe9 cr\xe8me\nna\xefve fa\xe7ade\nd\xe9j\xe0 vu\n";
    yard.put("latin.txt", latin);
    let read = yard.ok(
        "read_file",
        json!({ "path": "latin.txt", "line_numbers": false }),
    );
    assert_eq!(read["content"], "café crème\nnaïve façade\ndéjà vu\n");
    assert_eq!(
        (&read["encoding"], &read["encoding_detected"]),
        (&json!("windows-1252"), &json!(true))
    );
    yard.ok(
        "replace_lines",
        json!({ "path": "latin.txt", "start_line": 2, "end_line": 2, "content": "garçon" }),
    );
    assert_eq!(
        yard.bytes("latin.txt"),
        b"caf\xe9 cr\xe8me\ngar\xe7on\nd\xe9j\xe0 vu\n"
    );
    yard.ok(
        "find_replace",
        json!({ "path": "latin.txt", "find": "crème", "replace": "thé" }),
    );
    yard.ok(
        "insert_after_pattern",
        json!({ "path": "latin.txt", "pattern": "thé", "content": "é" }),
    );
    yard.ok(
        "write_file",
        json!({ "path": "latin.txt", "content": "fin à\n", "mode": "append" }),
    );
    let now = b"caf\xe9 th\xe9\n\xe9\ngar\xe7on\nd\xe9j\xe0 vu\nfin \xe0\n";
    assert_eq!(yard.bytes("latin.txt"), now);
    for (tool, args) in [
        (
            "insert_lines",
            json!({ "path": "latin.txt", "line": 0, "content": "日本" }),
        ),
        (
            "find_replace",
            json!({ "path": "latin.txt", "find": "vu", "replace": "→" }),
        ),
        (
            "insert_lines",
            json!({ "path": "latin.txt", "line": 0, "content": "x", "encoding": "no-such" }),
        ),
        (
            "find_replace",
            json!({ "path": "latin.txt", "find": "vu", "replace": "x", "encoding": "utf-8" }),
        ),
        (
            "insert_lines",
            json!({ "path": "latin.txt", "line": 0, "content": "x", "encoding": "iso-2022-jp" }),
        ),
    ] {
        assert_eq!(
            yard.code(tool, args.clone()),
            Code::EncodingUnsupported,
            "{tool} {args}"
        );
    }
    assert_eq!(yard.bytes("latin.txt"), now);
}

#[test]
fn utf_16_files_keep_their_mark_and_their_line_ends() {
    let yard = yard();
    let utf_16 = |text: &str| -> Vec<u8> {
        format!("\u{feff}{text}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect()
    };
    yard.put("a.txt", utf_16("one\r\ntwö\r\n"));
    let read = yard.ok("read_file", json!({ "path": "a.txt" }));
    assert_eq!(read["content"], "1\tone\r\n2\ttwö\r\n");
    assert_eq!(
        (&read["encoding"], &read["total_lines"]),
        (&json!("utf-16le"), &json!(2))
    );
    yard.ok(
        "insert_lines",
        json!({ "path": "a.txt", "line": 1, "content": "𝄞" }),
    );
    yard.ok(
        "find_replace",
        json!({ "path": "a.txt", "find": "twö", "replace": "2\nzwei" }),
    );
    yard.ok(
        "delete_lines",
        json!({ "path": "a.txt", "start_line": 1, "end_line": 1 }),
    );
    assert_eq!(yard.bytes("a.txt"), utf_16("𝄞\r\n2\r\nzwei\r\n"));
    yard.ok(
        "write_file",
        json!({ "path": "b.txt", "content": "né", "encoding": "utf-16le" }),
    );
    assert_eq!(yard.bytes("b.txt"), utf_16("né"));
    // Without its mark the file is bytes, until somebody names the encoding.
    yard.put("bare.txt", &utf_16("one\ntwo\n")[2..]);
    assert_eq!(
        yard.code("read_file", json!({ "path": "bare.txt", "as": "text" })),
        Code::NotText
    );
    let args = json!({ "path": "bare.txt", "encoding": "utf-16le", "line": 1, "content": "new" });
    assert_eq!(yard.ok("insert_lines", args)["total_lines"], 3);
    assert_eq!(yard.bytes("bare.txt"), utf_16("one\nnew\ntwo\n")[2..]);
}

#[test]
fn overwriting_keeps_the_line_ends_of_the_file() {
    let yard = yard();
    for (old, eol, new) in [
        ("a\r\nb\r\n", "keep", "1\r\n2\r\n"),
        ("a\nb\n", "keep", "1\n2\n"),
        ("a\r\nb\r\n", "lf", "1\n2\n"),
        ("a\nb\n", "crlf", "1\r\n2\r\n"),
        ("a\r\nb\r\n", "as_is", "1\n2\r\n"),
    ] {
        yard.put("a.txt", old);
        yard.ok(
            "write_file",
            json!({ "path": "a.txt", "content": "1\n2\r\n", "eol": eol }),
        );
        assert_eq!(yard.text("a.txt"), new, "{old:?} {eol}");
    }
}

#[test]
fn permissions_survive_an_edit_and_a_copy() {
    use std::os::unix::fs::PermissionsExt;
    let yard = yard();
    yard.put("run.sh", "#!/bin/sh\n");
    std::fs::set_permissions(yard.host("run.sh"), std::fs::Permissions::from_mode(0o750)).unwrap();
    yard.ok(
        "insert_lines",
        json!({ "path": "run.sh", "line": -1, "content": "true" }),
    );
    yard.ok(
        "copy_file",
        json!({ "source": "run.sh", "destination": "copy.sh" }),
    );
    for name in ["run.sh", "copy.sh"] {
        let mode = std::fs::metadata(yard.host(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o750, "{name}");
    }
}

#[test]
fn an_edit_through_a_link_changes_the_file_and_keeps_the_link() {
    let yard = yard();
    yard.put("real/a.txt", "one\n");
    std::os::unix::fs::symlink("real/a.txt", yard.host("link.txt")).unwrap();
    let out = yard.ok(
        "insert_lines",
        json!({ "path": "link.txt", "line": -1, "content": "two" }),
    );
    assert_eq!(out["path"], "link.txt");
    assert_eq!(yard.text("real/a.txt"), "one\ntwo\n");
    assert!(
        yard.host("link.txt")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
}

#[test]
fn a_very_long_line_is_clipped_when_read_and_kept_when_edited() {
    let yard = yard();
    let long = "é".repeat(10_000);
    yard.put("a.txt", format!("{long}\nshort\n"));
    let read = yard.ok(
        "read_file",
        json!({ "path": "a.txt", "line_numbers": false }),
    );
    assert_eq!(read["content"], format!("{}\nshort\n", "é".repeat(2_000)));
    assert_eq!(read["clipped_lines"], json!([1]));
    yard.ok(
        "delete_lines",
        json!({ "path": "a.txt", "start_line": 2, "end_line": 2 }),
    );
    assert_eq!(yard.text("a.txt"), format!("{long}\n"));
}

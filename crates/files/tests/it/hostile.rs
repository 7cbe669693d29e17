//! Paths that try to get out, on every tool. Outside lies a canary that must neither be read nor
//! change.

use crate::support::{TOOLS, Yard, args_for, yard};
use quaymaster_core::Code;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;

const SECRET: &str = "canary-7f3a: only outside";

const READING: [&str; 4] = ["list_files", "search_files", "read_file", "get_file_info"];

/// A workspace full of traps, with the canary beside it.
fn trapped() -> Yard {
    let yard = yard();
    let outside = yard.root.path().join("outside");
    std::fs::create_dir_all(outside.join("deep")).unwrap();
    std::fs::write(outside.join("canary.txt"), SECRET).unwrap();
    std::fs::write(outside.join("deep/canary.txt"), SECRET).unwrap();
    plant(&yard);
    yard
}

/// Puts the traps (back) into the home directory.
fn plant(yard: &Yard) {
    let home = yard.host("");
    for entry in std::fs::read_dir(&home).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            std::fs::remove_dir_all(entry.path()).unwrap();
        } else {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    std::fs::create_dir_all(home.join("sub/inner")).unwrap();
    std::fs::write(home.join("bait.txt"), "bait\n").unwrap();
    std::fs::write(home.join("sub/file.txt"), "inside\n").unwrap();
    let outside = yard.root.path().join("outside");
    let links: [(&str, &Path); 14] = [
        ("out", &outside),
        ("sub/out", &outside),
        ("up", Path::new("..")),
        ("up2", Path::new("../../outside")),
        ("sub/up3", Path::new("../../../outside")),
        ("file", &outside.join("canary.txt")),
        ("upfile", Path::new("../../outside/canary.txt")),
        ("proc", Path::new("/proc/self/root")),
        ("cwd", Path::new("/proc/self/cwd")),
        ("fd", Path::new("/proc/self/fd")),
        ("loop", Path::new("loop")),
        ("loop1", Path::new("loop2")),
        ("loop2", Path::new("loop1")),
        ("chain", Path::new("sub/out")),
    ];
    for (name, target) in links {
        symlink(target, home.join(name)).unwrap();
    }
    for name in ["fifo", "sub/fifo"] {
        let mode = rustix::fs::Mode::from_raw_mode(0o644);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            home.join(name),
            rustix::fs::FileType::Fifo,
            mode,
            0,
        )
        .unwrap();
    }
    symlink("fifo", home.join("to-fifo")).unwrap();
    symlink("/dev/zero", home.join("zero")).unwrap();
}

fn corpus(yard: &Yard) -> Vec<String> {
    let canary = yard.root.path().join("outside/canary.txt");
    let canary = canary.to_str().unwrap();
    let mut paths: Vec<String> = Vec::new();
    let ways_up = [
        "..",
        "../..",
        "../../..",
        "./..",
        "sub/../..",
        "sub/../../..",
        "a/b/../../../..",
        "sub/./../..",
        "/..",
        "//..",
        "/../..",
        "sub//..//..",
        "...",
        "....",
        ". .",
        ".. ",
        " ..",
        "..;",
        "~",
        "~root",
        "sub/inner/../../../..",
        "..%2f..",
        "%2e%2e",
        "%2e%2e/%2e%2e",
        "..%252f..",
        "%c0%ae%c0%ae",
        "..%00",
        "\u{2024}\u{2024}",
        "\u{ff0e}\u{ff0e}",
        "..\u{200b}",
        "\u{202e}..",
        "..\\..",
        "..\\",
        "\\..\\..",
        "sub\\..\\..",
    ];
    let tails = [
        "",
        "/",
        "/outside",
        "/outside/canary.txt",
        "/ws/tmp",
        "/trash",
        "/uploads",
        "/etc/passwd",
        "/home/../outside/canary.txt",
    ];
    for up in ways_up {
        for tail in tails {
            paths.push(format!("{up}{tail}"));
        }
    }
    for link in [
        "out", "sub/out", "up", "up2", "sub/up3", "proc", "cwd", "fd", "chain", "loop", "loop1",
        "fifo", "zero", "to-fifo", "file", "upfile", "sub/fifo",
    ] {
        for tail in [
            "",
            "/",
            "/canary.txt",
            "/deep/canary.txt",
            "/new.txt",
            "/../outside/canary.txt",
            "/..",
            "/outside/canary.txt",
            "/etc/passwd",
            "/0",
        ] {
            paths.push(format!("{link}{tail}"));
        }
        paths.push(format!("{link}{canary}"));
        paths.push(format!("./{link}/./canary.txt"));
        paths.push(format!("/{link}//canary.txt"));
    }
    for absolute in [
        canary,
        "/etc/passwd",
        "//etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/root/etc/passwd",
        "C:\\Windows\\win.ini",
        "C:/Windows/win.ini",
        "\\\\host\\share",
        "//host/share",
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "con",
        "nul",
        "aux.txt",
        "com1",
        "canary.txt\0.png",
        "bait.txt\0",
        "a\nb",
        "a\r",
        "\u{1b}[2J",
        "\u{7f}",
        "a\u{85}",
        "",
        " ",
        ".",
        "/",
        "*",
        "?",
        "-rf",
        "--",
        "$(id)",
        "`id`",
        "|id",
        "bait.txt/",
        "bait.txt/.",
        "bait.txt/..",
        "bait.txt/../..",
        "bait.txt/x",
    ] {
        paths.push(absolute.to_owned());
    }
    paths.push("a/".repeat(65));
    paths.push("x".repeat(256));
    paths.push("é".repeat(128));
    paths.push(format!("{}etc/passwd", "../".repeat(1000)));
    paths.push("x/".repeat(3000));
    paths.push(format!("out/{}canary.txt", "./".repeat(100)));
    paths
}

/// Everything outside of the workspace: names, kinds, contents.
fn fingerprint(yard: &Yard) -> BTreeMap<String, Vec<u8>> {
    fn walk(path: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(path).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            let content = if kind.is_file() {
                std::fs::read(entry.path()).unwrap()
            } else {
                Vec::new()
            };
            into.insert(entry.path().to_str().unwrap().to_owned(), content);
            if kind.is_dir() {
                walk(&entry.path(), into);
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&yard.root.path().join("outside"), &mut found);
    for beside in std::fs::read_dir(yard.root.path())
        .unwrap()
        .map(Result::unwrap)
    {
        found.insert(beside.path().to_str().unwrap().to_owned(), Vec::new());
    }
    for part in std::fs::read_dir(yard.root.path().join("ws"))
        .unwrap()
        .map(Result::unwrap)
    {
        found.insert(part.path().to_str().unwrap().to_owned(), Vec::new());
    }
    found
}

#[test]
fn no_tool_reaches_outside_by_any_path() {
    let yard = trapped();
    let paths = corpus(&yard);
    assert!(paths.len() >= 300, "{} paths", paths.len());
    let before = fingerprint(&yard);
    let root = yard.root.path().to_str().unwrap().to_owned();
    let home = yard
        .host("")
        .to_str()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    let (mut calls, mut refused, mut done) = (0, 0, 0);
    for tool in TOOLS {
        plant(&yard);
        for path in &paths {
            for args in args_for(tool, path) {
                let started = std::time::Instant::now();
                let result = yard.call(tool, args.clone());
                calls += 1;
                match &result {
                    Ok(_) => done += 1,
                    Err(fault) => refused += u32::from(fault.code == Code::PathOutsideWorkspace),
                }
                let told = match &result {
                    Ok(value) => without(value.clone(), path).to_string(),
                    Err(fault) => {
                        assert_ne!(fault.code, Code::Internal, "{tool} {args}");
                        without(fault.to_json(), path).to_string()
                    }
                };
                assert!(
                    !told.contains(SECRET),
                    "{tool} {args} read the canary: {told}"
                );
                assert!(
                    !told.contains("root:x:"),
                    "{tool} {args} read a host file: {told}"
                );
                let leaks = !path.contains(&root) && (told.contains(&root) || told.contains(&home));
                assert!(!leaks, "{tool} {args} tells a host path: {told}");
                let slow = started.elapsed();
                assert!(slow.as_secs() < 2, "{tool} {args} took {slow:?}");
                // What the call moved, deleted or wrote inside is allowed; the traps come back.
                if result.is_ok() && !READING.contains(&tool) {
                    plant(&yard);
                }
            }
        }
        assert_eq!(
            fingerprint(&yard),
            before,
            "{tool} changed something outside"
        );
    }
    assert!(
        calls > 5_000 && refused > 2_000 && done > 500,
        "{calls}, {refused}, {done}"
    );
}

/// The answer without the agent's own words.
fn without(mut value: Value, path: &str) -> Value {
    fn strip(value: &mut Value, path: &str) {
        match value {
            Value::String(text) if path.len() > 1 => *text = text.replace(path, "…"),
            Value::Array(items) => items.iter_mut().for_each(|item| strip(item, path)),
            Value::Object(object) => object.values_mut().for_each(|item| strip(item, path)),
            _ => {}
        }
    }
    strip(&mut value, path);
    value
}

#[test]
fn links_that_lead_out_are_listed_and_refused() {
    let yard = trapped();
    let listed = yard.ok("list_files", json!({}));
    let entries = listed["entries"].as_array().unwrap();
    let link = entries.iter().find(|entry| entry["path"] == "out").unwrap();
    assert_eq!(link["type"], "symlink");
    for path in [
        "out/canary.txt",
        "file",
        "upfile",
        "up2/canary.txt",
        "proc/etc/passwd",
        "chain/canary.txt",
    ] {
        assert_eq!(
            yard.code("read_file", json!({ "path": path })),
            Code::PathOutsideWorkspace,
            "{path}"
        );
        let write = json!({ "path": path, "content": "x" });
        assert_eq!(
            yard.code("write_file", write),
            Code::PathOutsideWorkspace,
            "{path}"
        );
    }
    yard.ok("delete_file", json!({ "path": "out", "permanent": true }));
    assert!(yard.host("out").symlink_metadata().is_err());
    assert!(yard.root.path().join("outside/canary.txt").exists());
}

#[test]
fn pipes_and_devices_never_block() {
    let yard = trapped();
    for path in ["fifo", "sub/fifo", "to-fifo"] {
        for tool in ["read_file", "write_file", "insert_lines", "find_replace"] {
            let args = args_for(tool, path).remove(0);
            assert_eq!(yard.code(tool, args), Code::InvalidArg, "{tool} {path}");
        }
    }
    assert_eq!(
        yard.code("read_file", json!({ "path": "zero" })),
        Code::PathOutsideWorkspace
    );
    let found = yard.ok("search_files", json!({ "query": "inside" }));
    assert_eq!(found["matches"][0]["path"], "sub/file.txt");
    let copied = yard.ok(
        "copy_file",
        json!({ "source": "sub", "destination": "s2", "recursive": true }),
    );
    assert_eq!(copied["skipped"], 3);
}

#[test]
fn a_tree_deeper_than_any_path_can_be_deleted() {
    let yard = yard();
    // Made from inside, level by level, since no path is long enough to name the last one.
    let mut dir =
        cap_std::fs::Dir::open_ambient_dir(yard.host(""), cap_std::ambient_authority()).unwrap();
    for _ in 0..1_500 {
        dir.create_dir("d").unwrap();
        dir = dir.open_dir("d").unwrap();
    }
    dir.write("leaf", "x").unwrap();
    drop(dir);
    yard.ok("list_files", json!({ "recursive": true, "depth": 32 }));
    yard.ok("search_files", json!({ "query": "x" }));
    yard.ok(
        "delete_file",
        json!({ "path": "d", "recursive": true, "permanent": true }),
    );
    assert!(!yard.host("d").exists());
    assert_eq!(
        std::fs::read_dir(yard.root.path().join("ws/tmp"))
            .unwrap()
            .count(),
        0
    );
}

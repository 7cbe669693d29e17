//! Paths, links and special files that want out of the home directory.

use crate::outside::tree;
use futures_util::stream::{self, StreamExt as _};
use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const CANARY: &str = "canary-that-nobody-may-see-7d1f";

/// Directories beside the home that no answer may tell of: one by its own name, one whose name
/// begins like the home's.
fn plant_canaries(home: &Path) -> [PathBuf; 2] {
    ["canary", "home-of-others"].map(|name| {
        let directory = home.parent().unwrap().join(name);
        std::fs::create_dir_all(directory.join("sub")).unwrap();
        std::fs::write(directory.join("secret.txt"), format!("{CANARY}\n")).unwrap();
        std::fs::write(directory.join("sub/deep.txt"), format!("{CANARY}\n")).unwrap();
        directory
    })
}

/// What somebody could have put into the home by other ways: links out, a pipe, a device.
fn plant_traps(home: &Path, canary: &Path) {
    std::fs::create_dir_all(home.join("real")).unwrap();
    std::fs::write(home.join("real/file.txt"), "plain\n").unwrap();
    let links: [(&str, PathBuf); 6] = [
        ("out", canary.to_owned()),
        ("out-relative", "../canary".into()),
        ("out-file", canary.join("secret.txt")),
        ("real/up", "../../canary".into()),
        ("device", "/dev/zero".into()),
        ("loop", "loop".into()),
    ];
    for (name, target) in links {
        let _ = std::fs::remove_file(home.join(name));
        symlink(target, home.join(name)).unwrap();
    }
    if !home.join("pipe").exists() {
        let made = std::process::Command::new("mkfifo")
            .arg(home.join("pipe"))
            .status();
        assert!(made.unwrap().success());
    }
}

fn hostile_paths(canary: &Path) -> Vec<String> {
    let absolute = canary.to_str().unwrap();
    let ends = [
        "canary/secret.txt",
        "canary",
        "home-of-others/secret.txt",
        "new.txt",
        "",
    ];
    let ways = [
        "..",
        "../",
        ".././",
        "./../",
        "../../",
        "../../../../../../../../",
        "..//",
        "real/../../",
        "real/./../../",
        "a/b/../../../",
        "/..",
        "/../",
        "//../",
        "\\..\\",
        "..\\",
        "..\\..\\",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%2f",
        "..%5c",
        "%252e%252e/",
        "..%c0%af",
        "....//",
        "..../",
        "..;/",
        ".. /",
        " ../",
        "..\u{0}/",
        "../\u{0}",
        "\u{2025}/",
        "\u{ff0e}\u{ff0e}/",
        "..\n/",
        "../\r",
        "file://../",
        "~/../",
        "$HOME/../",
        "${PWD}/../",
        "C:\\..\\",
        "C:/../",
        "\\\\?\\..\\",
        "/proc/self/cwd/../",
        "/proc/self/fd/",
        "/dev/fd/../",
        "out/",
        "out/../",
        "out/sub/../",
        "out-relative/",
        "out-relative/../",
        "real/up/",
        "real/up/../",
        "real/../out/",
        "./out/./",
        "out//",
        "loop/",
        "loop/../",
        "pipe/",
        "pipe/../",
        "device/../",
        "real/file.txt/../",
        "home/../../",
        "../home/../",
        "../home-of-others/../",
    ];
    let mut paths: Vec<String> = ways
        .iter()
        .flat_map(|way| ends.iter().map(move |end| format!("{way}{end}")))
        .collect();
    let alone = [
        "out",
        "out-file",
        "out-relative",
        "loop",
        "pipe",
        "device",
        "real/up",
        "..",
        "/..",
        "/",
        ".",
        "\u{0}",
        "\u{202e}txt.secret",
        "con",
        "nul",
        "out/secret.txt",
        "out/sub/deep.txt",
        "real/up/secret.txt",
        "out-relative/sub/deep.txt",
        "out-file/",
        "out/.",
        "out/..",
        "*",
        "../*",
    ];
    paths.extend(alone.map(str::to_owned));
    paths.push(absolute.to_owned());
    paths.push(format!("{absolute}/secret.txt"));
    paths.push(format!("/{absolute}/secret.txt"));
    paths.push(format!("file://{absolute}/secret.txt"));
    paths.push("a".repeat(256));
    paths.push("a/".repeat(2048));
    paths.push("../".repeat(1365));
    paths
}

/// Each tool that takes a path, with the path in its place.
fn calls(path: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "list_files",
            json!({ "path": path, "recursive": true, "depth": 3, "include_hidden": true }),
        ),
        (
            "search_files",
            json!({ "path": path, "query": "canary", "include_hidden": true }),
        ),
        ("read_file", json!({ "path": path })),
        ("get_file_info", json!({ "path": path })),
        (
            "create_upload_session",
            json!({ "path": path, "size": 0, "overwrite": true }),
        ),
        ("write_file", json!({ "path": path, "content": "written" })),
        ("create_directory", json!({ "path": path })),
        (
            "insert_lines",
            json!({ "path": path, "line": 0, "content": "written" }),
        ),
        (
            "replace_lines",
            json!({ "path": path, "start_line": 1, "end_line": 1, "content": "w" }),
        ),
        (
            "delete_lines",
            json!({ "path": path, "start_line": 1, "end_line": 1 }),
        ),
        (
            "find_replace",
            json!({ "path": path, "find": "canary", "replace": "written" }),
        ),
        (
            "insert_after_pattern",
            json!({ "path": path, "pattern": "canary", "content": "w" }),
        ),
        (
            "copy_file",
            json!({ "source": path, "destination": "copied", "recursive": true, "overwrite": true }),
        ),
        (
            "copy_file",
            json!({ "source": "real/file.txt", "destination": path, "overwrite": true }),
        ),
        (
            "move_file",
            json!({ "source": path, "destination": "moved", "overwrite": true }),
        ),
        (
            "move_file",
            json!({ "source": "copied", "destination": path, "overwrite": true }),
        ),
        (
            "delete_file",
            json!({ "path": path, "recursive": true, "permanent": true }),
        ),
    ]
}

// promise: S1.65, S1.66
#[tokio::test]
async fn three_hundred_hostile_paths_reach_nothing_outside_through_any_tool() {
    let settings = [("DAILY_CAP", "1000000"), ("CALLS_PER_SECOND", "100000")];
    let server = Server::start_with(Database::Sqlite, &settings).await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let home = server.home();
    // The first call makes the home.
    mcp.call("list_files", json!({})).await.unwrap();
    let [canary, twin] = plant_canaries(&home);
    let before = (tree(&canary), tree(&twin));
    let beside = |home: &Path| {
        let entries = std::fs::read_dir(home.parent().unwrap()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let names = beside(&home);
    let paths = hostile_paths(&canary);
    assert!(paths.len() >= 300, "{}", paths.len());
    let data = server.data.path().to_str().unwrap();
    for tool in 0..calls("").len() {
        plant_traps(&home, &canary);
        let answers = stream::iter(&paths).map(|path| {
            let (tool, arguments) = calls(path).swap_remove(tool);
            let mcp = &mcp;
            async move {
                let begun = Instant::now();
                let call = json!({ "name": tool, "arguments": arguments });
                let answer = mcp.request("tools/call", call).await;
                assert!(
                    begun.elapsed() < Duration::from_secs(10),
                    "{tool} {path:?} hung"
                );
                let says = answer.to_string();
                assert!(!says.contains("INTERNAL"), "{tool} {path:?}: {says}");
                // The arguments may come back in a message; nothing else of the host may.
                if !path.contains(data) {
                    assert!(
                        !says.contains(data),
                        "{tool} {path:?} tells a host path: {says}"
                    );
                }
                assert!(
                    !says.contains(CANARY),
                    "{tool} {path:?} read the canary: {says}"
                );
                assert!(
                    !says.contains("deep.txt") || path.contains("deep.txt"),
                    "{tool} {path:?}: {says}"
                );
            }
        });
        answers.buffer_unordered(8).collect::<Vec<()>>().await;
        let after = (tree(&canary), tree(&twin));
        assert!(
            after == before,
            "{} changed something outside",
            calls("")[tool].0
        );
        assert_eq!(
            beside(&home),
            names,
            "{} made something outside",
            calls("")[tool].0
        );
    }
    let key = std::fs::read_to_string(server.data.path().join("key")).unwrap();
    assert_eq!(key.trim().len(), 64, "the key file is as it was");
}

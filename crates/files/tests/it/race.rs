//! Somebody in the workspace swaps a directory for a link to the outside while tools work.
//! A reader that checks first and opens then leaks under the same harness; the tools never do.

use crate::support::{Yard, call, yard};
use serde_json::json;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SECRET: &str = "canary-race";

fn outside(yard: &Yard) -> std::path::PathBuf {
    let outside = yard.root.path().join("outside");
    std::fs::create_dir_all(&outside).unwrap();
    std::fs::write(outside.join("file.txt"), SECRET).unwrap();
    outside
}

/// Swaps `door` between a directory and a link to `outside` until told to stop.
fn swap(yard: &Yard, outside: &Path, stop: &AtomicBool) -> u64 {
    let (door, parked, link) = (yard.host("door"), yard.host(".parked"), yard.host(".link"));
    symlink(outside, &link).unwrap();
    let mut swaps = 0;
    while !stop.load(Ordering::Relaxed) {
        let _ = std::fs::rename(&door, &parked);
        let _ = std::fs::rename(&link, &door);
        std::hint::spin_loop();
        let _ = std::fs::rename(&door, &link);
        let _ = std::fs::rename(&parked, &door);
        swaps += 1;
    }
    swaps
}

/// What a naive server does: resolve, compare with the root, then open.
fn check_then_open(yard: &Yard) -> Option<String> {
    let root = yard.host("").canonicalize().unwrap();
    let path = yard.host("door/file.txt");
    let real = path.canonicalize().ok()?;
    if !real.starts_with(&root) {
        return None;
    }
    std::fs::read_to_string(path).ok()
}

#[test]
fn swapping_a_directory_for_a_link_leads_nobody_out() {
    let yard = yard();
    yard.put("door/file.txt", "inside\n");
    yard.put("bait.txt", "bait\n");
    let outside = outside(&yard);
    let stop = AtomicBool::new(false);
    let until = Instant::now() + Duration::from_millis(2_500);
    let (calls, reached, swaps) = std::thread::scope(|scope| {
        let swapper = scope.spawn(|| swap(&yard, &outside, &stop));
        let tools = [
            ("read_file", json!({ "path": "door/file.txt" })),
            ("get_file_info", json!({ "path": "door/file.txt" })),
            (
                "search_files",
                json!({ "query": "canary", "include_hidden": true }),
            ),
            ("list_files", json!({ "path": "door" })),
            (
                "write_file",
                json!({ "path": "door/new.txt", "content": "written" }),
            ),
            (
                "write_file",
                json!({ "path": "door/file.txt", "content": "inside\n2\n" }),
            ),
            (
                "insert_lines",
                json!({ "path": "door/file.txt", "line": 0, "content": "top" }),
            ),
            (
                "find_replace",
                json!({ "path": "door/file.txt", "find": "canary-race", "replace": "x" }),
            ),
            (
                "copy_file",
                json!({ "source": "door/file.txt", "destination": "copied.txt", "overwrite": true }),
            ),
            (
                "copy_file",
                json!({ "source": "bait.txt", "destination": "door/planted.txt", "overwrite": true }),
            ),
            (
                "copy_file",
                json!({ "source": "door", "destination": "tree", "recursive": true }),
            ),
            (
                "delete_file",
                json!({ "path": "tree", "recursive": true, "permanent": true, "missing_ok": true }),
            ),
            (
                "delete_file",
                json!({ "path": "door/new.txt", "permanent": true, "missing_ok": true }),
            ),
            ("create_directory", json!({ "path": "door/made" })),
        ];
        let (mut calls, mut reached) = (0_u64, 0_u64);
        while Instant::now() < until {
            for (tool, args) in &tools {
                let result = call(&yard.home, tool, args.clone());
                calls += 1;
                reached += u64::from(result.is_ok());
                if let Ok(value) = result {
                    assert!(
                        !value.to_string().contains(SECRET),
                        "{tool} read outside: {value}"
                    );
                    assert_ne!(value["path"], "outside", "{tool}");
                }
            }
        }
        stop.store(true, Ordering::Relaxed);
        (calls, reached, swapper.join().unwrap())
    });
    assert!(
        calls > 500 && reached > 100 && swaps > 500,
        "{calls} calls, {reached} ok, {swaps} swaps"
    );
    let left: Vec<_> = std::fs::read_dir(&outside)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["file.txt"]);
    assert_eq!(
        std::fs::read_to_string(outside.join("file.txt")).unwrap(),
        SECRET
    );
}

#[test]
fn control_a_check_before_the_open_does_leak() {
    let yard = yard();
    yard.put("door/file.txt", "inside\n");
    let outside = outside(&yard);
    let stop = AtomicBool::new(false);
    let until = Instant::now() + Duration::from_secs(30);
    let leaked = std::thread::scope(|scope| {
        scope.spawn(|| swap(&yard, &outside, &stop));
        let mut leaked = false;
        while !leaked && Instant::now() < until {
            leaked = check_then_open(&yard).is_some_and(|text| text.contains(SECRET));
        }
        stop.store(true, Ordering::Relaxed);
        leaked
    });
    assert!(
        leaked,
        "the harness does not provoke the race that it is for"
    );
}

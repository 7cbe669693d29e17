//! Files that do not fit into memory.

use crate::support::{Yard, yard};
use serde_json::json;
use std::io::Write;

const LINES: u64 = 1_600_000;

/// 64 MiB of numbered lines of 40 bytes.
fn big(yard: &Yard) {
    let file = std::fs::File::create(yard.host("big.log")).unwrap();
    let mut file = std::io::BufWriter::with_capacity(1 << 20, file);
    for line in 1..=LINES {
        writeln!(file, "{line:>12} some text of a log file").unwrap();
    }
    file.flush().unwrap();
}

/// The most memory that this process ever used, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

/// Memory is measured in a process of its own, where no other test runs.
#[test]
fn pages_and_line_edits_of_a_big_file_take_constant_memory() {
    const CHILD: &str = "QUAYMASTER_FILES_BIG_CHILD";
    if std::env::var_os(CHILD).is_none() {
        let name = "big_files::pages_and_line_edits_of_a_big_file_take_constant_memory";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&child.stdout).into_owned();
        assert!(
            child.status.success() && told.contains("1 passed"),
            "{told}{}",
            String::from_utf8_lossy(&child.stderr)
        );
        return;
    }
    let yard = yard();
    big(&yard);
    let before = peak();
    let page = yard.ok(
        "read_file",
        json!({ "path": "big.log", "start_line": 800_000, "end_line": 800_199 }),
    );
    assert!(
        page["content"]
            .as_str()
            .unwrap()
            .starts_with("800000\t      800000 some")
    );
    assert_eq!(page["end_line"], 800_199);
    assert_eq!(page["total_lines"], LINES);
    let out = yard.ok(
        "replace_lines",
        json!({ "path": "big.log", "start_line": 800_000, "end_line": 800_000, "content": "changed\nand one more" }),
    );
    assert_eq!(out["total_lines"], LINES + 1);
    assert_eq!(
        out["changed"],
        json!({ "start_line": 800_000, "end_line": 800_001 })
    );
    assert!(
        out["diff"]
            .as_str()
            .unwrap()
            .starts_with("@@ -799997,7 +799997,8 @@\n")
    );
    let deleted = yard.ok(
        "delete_lines",
        json!({ "path": "big.log", "start_line": 2, "end_line": 1_500_000 }),
    );
    assert_eq!(deleted["total_lines"], LINES + 1 - 1_499_999);
    assert_eq!(deleted["diff_truncated"], true);
    let used = peak() - before;
    assert!(used < 24, "{used} MiB more than before");
    assert_eq!(yard.etag("big.log"), deleted["etag"].as_str().unwrap());
}

#[test]
fn a_page_of_a_known_big_file_reads_only_its_part() {
    let yard = yard();
    big(&yard);
    let args = json!({ "path": "big.log", "start_line": 1_599_000, "end_line": 1_599_010 });
    yard.ok("read_file", args.clone());
    let started = std::time::Instant::now();
    for _ in 0..20 {
        yard.ok("read_file", args.clone());
    }
    // Reading it whole takes several times this long each time.
    assert!(
        started.elapsed().as_millis() < 1_000,
        "{:?}",
        started.elapsed()
    );
}

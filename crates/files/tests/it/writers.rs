//! Several writers on one file.

use crate::support::{call, yard};
use quaymaster_core::Code;
use serde_json::json;
use std::sync::Barrier;

const ROUNDS: usize = 40;

#[test]
fn of_two_writers_with_one_etag_exactly_one_wins() {
    let yard = yard();
    yard.put("a.txt", "start\n");
    for round in 0..ROUNDS {
        let etag = yard.etag("a.txt");
        let both = Barrier::new(2);
        let results: Vec<_> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..2)
                .map(|writer| {
                    let (both, etag, yard) = (&both, &etag, &yard);
                    scope.spawn(move || {
                        both.wait();
                        let content = format!("round {round} writer {writer}\n");
                        let args = json!({ "path": "a.txt", "content": content, "if_match": etag });
                        call(&yard.home, "write_file", args)
                    })
                })
                .collect();
            writers
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect()
        });
        let won = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(won, 1, "round {round}: {results:?}");
        let lost = results
            .iter()
            .find_map(|result| result.as_ref().err())
            .unwrap();
        assert_eq!(lost.code, Code::PreconditionFailed);
    }
}

#[test]
fn control_without_if_match_an_update_is_lost() {
    let yard = yard();
    let mut lost = false;
    for _ in 0..200 {
        yard.put("a.txt", "");
        let both = Barrier::new(2);
        std::thread::scope(|scope| {
            for writer in 0..2 {
                let (both, yard) = (&both, &yard);
                scope.spawn(move || {
                    // Read, change, write back: what an agent does that sends no etag.
                    let old = yard.text("a.txt");
                    both.wait();
                    let content = format!("{old}writer {writer}\n");
                    call(
                        &yard.home,
                        "write_file",
                        json!({ "path": "a.txt", "content": content }),
                    )
                    .unwrap();
                });
            }
        });
        lost |= yard.text("a.txt").lines().count() < 2;
    }
    assert!(
        lost,
        "the harness does not provoke the loss that if_match prevents"
    );
}

#[test]
fn edits_of_many_writers_all_arrive() {
    let yard = yard();
    yard.put("a.txt", "");
    std::os::unix::fs::symlink("a.txt", yard.host("b.txt")).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let yard = &yard;
            scope.spawn(move || {
                // Half of them by another name of the same file.
                let path = if writer % 2 == 0 { "a.txt" } else { "b.txt" };
                for index in 0..20 {
                    let content = format!("{writer}-{index}");
                    let args = json!({ "path": path, "line": -1, "content": content });
                    call(&yard.home, "insert_lines", args).unwrap();
                }
            });
        }
    });
    let mut lines: Vec<_> = yard.text("a.txt").lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), 80);
}

#[test]
fn moves_in_both_directions_do_not_wait_for_each_other() {
    let yard = yard();
    yard.put("a", "1");
    yard.put("b", "2");
    std::thread::scope(|scope| {
        for (source, destination) in [("a", "b"), ("b", "a")] {
            let yard = &yard;
            scope.spawn(move || {
                for _ in 0..300 {
                    let args =
                        json!({ "source": source, "destination": destination, "overwrite": true });
                    let _ = call(&yard.home, "move_file", args);
                }
            });
        }
    });
    let left = yard.ok("list_files", json!({}))["total"].as_u64().unwrap();
    assert_eq!(left, 1);
}

#[test]
fn a_file_in_a_directory_that_moves_away_is_never_half_written() {
    let yard = yard();
    yard.put("dir/a.txt", "start\n");
    std::thread::scope(|scope| {
        let mover = scope.spawn(|| {
            for index in 0..200 {
                let (source, destination) = if index % 2 == 0 {
                    ("dir", "moved")
                } else {
                    ("moved", "dir")
                };
                call(
                    &yard.home,
                    "move_file",
                    json!({ "source": source, "destination": destination }),
                )
                .unwrap();
            }
        });
        let mut acknowledged = 0;
        while !mover.is_finished() {
            let args = json!({ "path": "dir/a.txt", "line": -1, "content": "line" });
            match call(&yard.home, "insert_lines", args) {
                Ok(_) => acknowledged += 1,
                Err(fault) => assert!(
                    matches!(fault.code, Code::NotFound | Code::PreconditionFailed),
                    "{fault}"
                ),
            }
        }
        mover.join().unwrap();
        assert_eq!(yard.text("dir/a.txt").lines().count(), 1 + acknowledged);
    });
}

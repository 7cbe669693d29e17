//! What was deleted comes back, and what a workspace holds is counted.

use crate::support::{open, ready, relaxed, work, yard, yard_with};
use quaymaster_core::id::{TrashId, UploadId};
use quaymaster_core::{Clock, Code};
use quaymaster_files::{Limits, UploadTarget, Usage};
use serde_json::{Value, json};

fn id(answer: &Value) -> TrashId {
    answer["trash_id"].as_str().unwrap().parse().unwrap()
}

#[test]
fn what_was_deleted_comes_back() {
    let yard = yard();
    yard.put("dir/a.txt", "abc");
    let deleted = id(&yard.ok("delete_file", json!({ "path": "dir", "recursive": true })));
    let listed = yard.home.list_trash().unwrap();
    assert_eq!(
        (listed.len(), listed[0].path.as_str(), listed[0].bytes),
        (1, "dir", 3)
    );
    yard.put("dir/new.txt", "in the way");
    let fault = yard.home.restore_trash(&deleted, None).unwrap_err();
    assert_eq!(fault.code, Code::AlreadyExists);
    let restored = yard
        .home
        .restore_trash(&deleted, Some("/back/again"))
        .unwrap();
    assert_eq!(restored.path, "back/again");
    assert_eq!(yard.text("back/again/a.txt"), "abc");
    assert!(yard.home.list_trash().unwrap().is_empty());
    assert_eq!(
        yard.home.restore_trash(&deleted, None).unwrap_err().code,
        Code::NotFound
    );
    let out = yard.ok("delete_file", json!({ "path": "back/again/a.txt" }));
    let outside = yard
        .home
        .restore_trash(&id(&out), Some("../x"))
        .unwrap_err();
    assert_eq!(outside.code, Code::PathOutsideWorkspace);
    yard.home.purge_trash(&id(&out)).unwrap();
    assert_eq!(
        yard.home.purge_trash(&id(&out)).unwrap_err().code,
        Code::NotFound
    );
}

#[test]
fn the_trash_is_emptied_after_seven_days() {
    let yard = yard();
    yard.put("a", "1");
    yard.put("b", "2");
    yard.ok("delete_file", json!({ "path": "a" }));
    yard.clock.advance_days(4);
    yard.ok("delete_file", json!({ "path": "b" }));
    assert_eq!(yard.home.sweep_trash(yard.clock.now()).unwrap(), 0);
    yard.clock.advance_days(3);
    assert_eq!(yard.home.sweep_trash(yard.clock.now()).unwrap(), 1);
    assert_eq!(yard.home.list_trash().unwrap()[0].path, "b");
    yard.clock.advance_days(4);
    assert_eq!(yard.home.sweep_trash(yard.clock.now()).unwrap(), 1);
    assert_eq!(yard.home.usage(), Usage::default());
}

#[test]
fn a_crash_on_the_way_to_the_trash_loses_nothing() {
    let yard = yard();
    yard.put("a", "1");
    let deleted = id(&yard.ok("delete_file", json!({ "path": "a" })));
    let trash = yard.root.path().join("ws/trash");
    // As after a crash between the description and the move.
    let other = TrashId::fresh(&*yard.clock, &quaymaster_core::clock::SystemEntropy);
    std::fs::create_dir(trash.join(other.as_str())).unwrap();
    std::fs::copy(
        trash.join(deleted.as_str()).join("meta.json"),
        trash.join(other.as_str()).join("meta.json"),
    )
    .unwrap();
    assert_eq!(yard.home.list_trash().unwrap().len(), 1);
    assert_eq!(yard.home.sweep_trash(yard.clock.now()).unwrap(), 1);
    yard.home.restore_trash(&deleted, None).unwrap();
    assert_eq!(yard.text("a"), "1");
}

#[test]
fn drafts_of_a_crash_are_removed_at_the_next_start() {
    let yard = yard();
    let drafts = yard.root.path().join("ws/tmp");
    std::fs::create_dir_all(drafts.join("half/tree")).unwrap();
    std::fs::write(drafts.join("half-a-file"), "x").unwrap();
    // A second `Home` on the same storage leaves the drafts of the first alone.
    drop(open(yard.root.path(), relaxed(), &yard.clock));
    assert_eq!(std::fs::read_dir(&drafts).unwrap().count(), 2);
    let (root, clock) = (yard.root, yard.clock);
    drop(yard.home);
    let _home = open(root.path(), relaxed(), &clock);
    assert_eq!(std::fs::read_dir(&drafts).unwrap().count(), 0);
}

#[test]
fn every_change_is_counted_as_a_walk_would() {
    // With full durability, so that each sync is really made.
    let yard = yard_with(Limits::default());
    yard.put("old/a.txt", "12345");
    assert_eq!(
        yard.home.usage(),
        Usage {
            bytes: 5,
            inodes: 2
        }
    );
    let steps = [
        (
            "write_file",
            json!({ "path": "x/y/b.txt", "content": "1234567890" }),
        ),
        (
            "write_file",
            json!({ "path": "x/y/b.txt", "content": "123" }),
        ),
        (
            "write_file",
            json!({ "path": "x/y/b.txt", "content": "4", "mode": "append" }),
        ),
        (
            "insert_lines",
            json!({ "path": "old/a.txt", "line": 0, "content": "0" }),
        ),
        (
            "find_replace",
            json!({ "path": "old/a.txt", "find": "12345", "replace": "" }),
        ),
        (
            "copy_file",
            json!({ "source": "x", "destination": "z", "recursive": true }),
        ),
        (
            "copy_file",
            json!({ "source": "old/a.txt", "destination": "z/a.txt" }),
        ),
        (
            "move_file",
            json!({ "source": "z/a.txt", "destination": "x/y/b.txt", "overwrite": true }),
        ),
        ("create_directory", json!({ "path": "p/q/r" })),
        ("delete_file", json!({ "path": "p", "recursive": true })),
        (
            "delete_file",
            json!({ "path": "z", "recursive": true, "permanent": true }),
        ),
    ];
    for (tool, args) in steps {
        yard.ok(tool, args.clone());
        let counted = yard.home.usage();
        assert_eq!(counted, yard.home.recount(), "{tool} {args}");
    }
    let upload = UploadId::fresh(&*yard.clock, &quaymaster_core::clock::SystemEntropy);
    let target = UploadTarget {
        path: "u",
        size: 4,
        overwrite: false,
        if_match: None,
    };
    let before = yard.home.usage();
    yard.home.begin_upload(&upload, &target).unwrap();
    assert_eq!(
        yard.home.usage(),
        Usage {
            bytes: before.bytes + 4,
            inodes: before.inodes + 1
        }
    );
    let mut part = yard.home.staging().part_writer(&upload, 0, 4, 4).unwrap();
    part.write(b"data").unwrap();
    part.finish().unwrap();
    yard.home
        .complete_upload(&upload, &target, None, &work(), &ready)
        .unwrap();
    assert_eq!(yard.home.usage(), yard.home.recount());
    let trash = yard.home.list_trash().unwrap();
    yard.home.restore_trash(&trash[0].id, None).unwrap();
    assert_eq!(yard.home.usage(), yard.home.recount());
}

#[test]
fn a_full_workspace_gives_up_the_oldest_trash_first() {
    let yard = yard_with(Limits {
        quota_bytes: 1_000,
        ..relaxed()
    });
    for (name, size) in [("a", 300), ("b", 300), ("c", 300)] {
        yard.ok(
            "write_file",
            json!({ "path": name, "content": "x".repeat(size) }),
        );
    }
    let full = json!({ "path": "d", "content": "x".repeat(200) });
    let fault = yard.fault("write_file", full.clone());
    assert_eq!(fault.code, Code::QuotaExceeded);
    assert_eq!(
        fault.details.unwrap(),
        json!({ "used": 900, "limit": 1_000, "wanted": 200 })
    );
    yard.ok("delete_file", json!({ "path": "a" }));
    yard.clock.advance_days(1);
    yard.ok("delete_file", json!({ "path": "b" }));
    yard.ok("write_file", full);
    let left = yard.home.list_trash().unwrap();
    assert_eq!((left.len(), left[0].path.as_str()), (1, "b"));
    // What could not make enough room is not given up.
    let much = json!({ "path": "e", "content": "x".repeat(900) });
    assert_eq!(yard.code("write_file", much), Code::QuotaExceeded);
    assert_eq!(yard.home.list_trash().unwrap().len(), 1);
    for (tool, args) in [
        ("copy_file", json!({ "source": "c", "destination": "c2" })),
        (
            "insert_lines",
            json!({ "path": "c", "line": 0, "content": "x".repeat(900) }),
        ),
    ] {
        yard.call(tool, args.clone()).ok();
        assert!(yard.home.usage().bytes <= 1_000, "{tool} {args}");
    }
}

#[test]
fn entries_are_limited_too() {
    let yard = yard_with(Limits {
        quota_inodes: 3,
        ..relaxed()
    });
    yard.ok("write_file", json!({ "path": "a/b", "content": "" }));
    let deep = json!({ "path": "c/d/e" });
    assert_eq!(yard.code("create_directory", deep), Code::QuotaExceeded);
    assert_eq!(
        yard.code("write_file", json!({ "path": "f", "content": "" })),
        Code::QuotaExceeded
    );
    yard.ok("write_file", json!({ "path": "a/b", "content": "more" }));
}

#[test]
fn parallel_writers_stay_within_the_quota() {
    let yard = yard_with(Limits {
        quota_bytes: 10_000,
        ..relaxed()
    });
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let yard = &yard;
            scope.spawn(move || {
                for index in 0..20 {
                    let path = format!("{writer}-{index}");
                    let _ = yard.call(
                        "write_file",
                        json!({ "path": path, "content": "x".repeat(400) }),
                    );
                }
            });
        }
    });
    let used = yard.home.recount().bytes;
    assert!((9_000..=10_000).contains(&used), "{used}");
}

//! Archives of `backup`: what a restore takes and refuses, and what two backups do to each other.

use crate::outside::tree;
use quaymaster_tests::{Mcp, Server, cli};
use serde_json::json;
use std::path::Path;
use tar::EntryType;
use tempfile::TempDir;

const WORKSPACE: &str = "workspaces/ws_01arz3ndektsv4rrffq69g5fav";

fn said(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// An entry as nobody's program writes it: any name, any kind, any link.
struct Entry(String, EntryType, &'static str);

fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for Entry(name, kind, content) in entries {
        let mut header = tar::Header::new_gnu();
        let old = header.as_old_mut();
        old.name[..name.len()].copy_from_slice(name.as_bytes());
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        let content = if is_link {
            old.linkname[..content.len()].copy_from_slice(content.as_bytes());
            ""
        } else {
            content
        };
        header.set_entry_type(*kind);
        header.set_mode(0o777);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn file(name: impl Into<String>) -> Entry {
    Entry(name.into(), EntryType::Regular, "content")
}

fn in_workspace(below: &str) -> String {
    format!("{WORKSPACE}/{below}")
}

/// What every archive begins with.
fn begun() -> Vec<Entry> {
    let manifest = r#"{"format":1,"version":"0.1.0","key_id":"k"}"#;
    vec![
        Entry(
            "quaymaster-backup.json".into(),
            EntryType::Regular,
            manifest,
        ),
        file("quaymaster.db"),
        Entry(in_workspace("home"), EntryType::Directory, ""),
    ]
}

#[tokio::test]
async fn a_good_archive_restores_with_links_and_deep_directories() {
    let apart = TempDir::new().unwrap();
    let path = apart.path().join("good.tar");
    let mut entries = begun();
    entries.push(Entry(in_workspace("home/deep"), EntryType::Directory, ""));
    entries.push(file(in_workspace("home/deep/a")));
    entries.push(Entry(
        in_workspace("home/link"),
        EntryType::Symlink,
        "deep/a",
    ));
    entries.push(file(in_workspace("trash/t/b")));
    std::fs::write(&path, archive(&entries)).unwrap();
    let target = TempDir::new().unwrap();
    let output = cli(target.path(), &[], &["restore", path.to_str().unwrap()]).await;
    assert!(output.status.success(), "{}", said(&output));
    for below in ["home/deep/a", "home/link", "trash/t/b"] {
        let content = std::fs::read_to_string(target.path().join(in_workspace(below)));
        assert_eq!(content.unwrap(), "content", "{below}");
    }
    assert!(!target.path().join("restore.part").exists());
}

#[tokio::test]
async fn an_archive_with_what_no_backup_writes_is_refused_and_leaves_nothing() {
    let apart = TempDir::new().unwrap();
    let canaries = apart.path().join("canaries");
    std::fs::create_dir(&canaries).unwrap();
    std::fs::write(canaries.join("canary"), "sings").unwrap();
    let outside: &'static str = Box::leak(canaries.to_str().unwrap().to_owned().into());
    let link = |name: &str| Entry(name.to_owned(), EntryType::Symlink, outside);
    let through = |below: &str| {
        let at = in_workspace(below);
        vec![link(&at), file(format!("{at}/canary"))]
    };
    let of_kind = |kind| vec![Entry(in_workspace("home/x"), kind, "")];
    let hostile: Vec<(&str, Vec<Entry>)> = vec![
        ("a link as home", vec![link(&in_workspace("trash"))]),
        (
            "a link as workspace",
            vec![link("workspaces/ws_01arz3ndektsv4rrffq69g5faw")],
        ),
        ("a link as workspaces", vec![link("workspaces")]),
        ("a file through a link", through("home/link")),
        ("a file through a link in the trash", through("trash/link")),
        (
            "a file over a link",
            vec![link(&in_workspace("home/l")), file(in_workspace("home/l"))],
        ),
        (
            "a file over a file",
            vec![file(in_workspace("home/f")), file(in_workspace("home/f"))],
        ),
        ("a second database", vec![file("quaymaster.db")]),
        (
            "a file below a file",
            vec![file(in_workspace("home/f")), file(in_workspace("home/f/g"))],
        ),
        ("a file as home", vec![file(in_workspace("trash"))]),
        (
            "a name that leads out",
            vec![file("workspaces/../../canaries/canary")],
        ),
        (
            "a name that leads out of home",
            vec![file(in_workspace("home/../../../../x"))],
        ),
        ("an absolute name", vec![file(format!("{outside}/canary"))]),
        (
            "a hard link",
            vec![Entry(
                in_workspace("home/h"),
                EntryType::Link,
                "quaymaster.db",
            )],
        ),
        ("a character device", of_kind(EntryType::Char)),
        ("a block device", of_kind(EntryType::Block)),
        ("a pipe", of_kind(EntryType::Fifo)),
        ("a kind of old machines", of_kind(EntryType::Continuous)),
        ("no workspace", vec![file("workspaces/other/home/a")]),
        (
            "no part of a workspace",
            vec![file(in_workspace("uploads/a"))],
        ),
        ("a key", vec![file("key")]),
        ("a log of the database", vec![file("quaymaster.db-wal")]),
    ];
    for (what, entries) in hostile {
        let path = apart.path().join("hostile.tar");
        let all: Vec<_> = begun().into_iter().chain(entries).collect();
        std::fs::write(&path, archive(&all)).unwrap();
        let target = TempDir::new().unwrap();
        let output = cli(target.path(), &[], &["restore", path.to_str().unwrap()]).await;
        assert!(!output.status.success(), "{what}");
        assert!(
            said(&output).contains("the archive's entry"),
            "{what}: {}",
            said(&output)
        );
        let mut left = tree(target.path());
        left.retain(|(name, _)| name != "lock");
        assert!(left.is_empty(), "{what} left {:?}", left[0].0);
        let canary = std::fs::read_to_string(canaries.join("canary")).unwrap();
        assert_eq!(canary, "sings", "{what}");
        assert_eq!(std::fs::read_dir(&canaries).unwrap().count(), 1, "{what}");
    }
}

#[tokio::test]
async fn an_archive_that_ends_between_two_entries_is_not_whole() {
    let apart = TempDir::new().unwrap();
    let path = apart.path().join("cut.tar");
    let mut whole = archive(&begun());
    whole.truncate(whole.len() - 1024);
    std::fs::write(&path, &whole).unwrap();
    let target = TempDir::new().unwrap();
    let output = cli(target.path(), &[], &["restore", path.to_str().unwrap()]).await;
    assert!(
        !output.status.success() && said(&output).contains("not whole"),
        "{}",
        said(&output)
    );
}

/// A restore in a data directory with these files (directories end with `/`).
async fn restored_over(there: &[&str]) -> (TempDir, std::process::Output) {
    let target = TempDir::new().unwrap();
    for name in there {
        let path = target.path().join(name);
        if name.ends_with('/') {
            std::fs::create_dir_all(path).unwrap();
        } else {
            std::fs::write(path, "there").unwrap();
        }
    }
    let path = target.path().join("good.tar");
    std::fs::write(&path, archive(&begun())).unwrap();
    let output = cli(target.path(), &[], &["restore", path.to_str().unwrap()]).await;
    (target, output)
}

#[tokio::test]
async fn a_restore_that_was_cut_off_can_be_repeated() {
    let places: [&[&str]; 2] = [
        &["restore.part/workspaces/", "restore.part/quaymaster.db"],
        &[
            "restore.part/",
            "restore.part/moving",
            "restore.part/quaymaster.db",
            "workspaces/left/",
        ],
    ];
    for there in places {
        let (target, output) = restored_over(there).await;
        assert!(output.status.success(), "{there:?}: {}", said(&output));
        let home = target.path().join(in_workspace("home"));
        assert!(
            home.is_dir() && !target.path().join("workspaces/left").exists(),
            "{there:?}"
        );
        assert!(!target.path().join("restore.part").exists(), "{there:?}");
    }
    let data = TempDir::new().unwrap();
    std::fs::create_dir(data.path().join("restore.part")).unwrap();
    let output = cli(data.path(), &[], &["token", "create"]).await;
    assert!(
        !output.status.success() && said(&output).contains("was cut off"),
        "{}",
        said(&output)
    );
}

#[tokio::test]
async fn a_restore_takes_nothing_from_who_was_there_before() {
    for there in [
        "quaymaster.db",
        "quaymaster.db-wal",
        "quaymaster.db-shm",
        "workspaces/",
    ] {
        for more in [&[][..], &["restore.part/"]] {
            let all: Vec<_> = [there].into_iter().chain(more.iter().copied()).collect();
            let (target, output) = restored_over(&all).await;
            assert!(!output.status.success(), "{all:?}");
            assert!(
                said(&output).contains("exists already"),
                "{all:?}: {}",
                said(&output)
            );
            assert!(target.path().join(there).exists(), "{all:?}");
        }
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn backups_at_the_same_time_disturb_each_other_and_others_files_not() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let content = "x".repeat(900_000);
    for n in 0..8 {
        let arguments = json!({ "path": format!("{n}"), "content": content });
        mcp.call("write_file", arguments).await.unwrap();
    }
    let apart = TempDir::new().unwrap();
    let target = |name: &str| apart.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(target("a.part"), "of somebody else").unwrap();
    // What a killed backup left behind.
    std::fs::write(server.data.path().join("backup.db.part-0"), "old").unwrap();
    let (a, x, part) = (target("a.tar"), target("a.x"), target("b.part"));
    let (to_a, to_x, to_part) = (["backup", &a], ["backup", &x], ["backup", &part]);
    let all = tokio::join!(
        server.cli_json(&to_a),
        server.cli_json(&to_x),
        server.cli_json(&to_part),
    );
    assert_eq!(all.0["files"], all.1["files"]);
    assert_eq!(names(apart.path()), ["a.part", "a.tar", "a.x", "b.part"]);
    let others = std::fs::read_to_string(target("a.part")).unwrap();
    assert_eq!(others, "of somebody else");
    // Two for one name: one of them has it.
    let (both, one) = (target("both.tar"), "both.tar");
    let to_both = ["backup", &both];
    let (first, second) = tokio::join!(server.cli(&to_both), server.cli(&to_both));
    assert_ne!(first.status.success(), second.status.success());
    assert!(names(apart.path()).contains(&one.to_owned()));
    let left: Vec<_> = [names(server.data.path()), names(apart.path())].concat();
    assert!(left.iter().all(|name| !name.contains(".part-")), "{left:?}");
    let elsewhere = TempDir::new().unwrap();
    let output = cli(elsewhere.path(), &[], &["restore", &part]).await;
    assert!(output.status.success(), "{}", said(&output));
}

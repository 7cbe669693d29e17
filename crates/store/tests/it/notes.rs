//! Memory and skills in the store: tenants apart, locks that hold, what the sweep takes.

use crate::{NOW, both, tenant};
use quaymaster_core::Instant;
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::{MemoryFileId, OrgId, SkillId};
use quaymaster_store::Store;
use quaymaster_store::memory::{MemoryEntry, MemoryFile, Owner, Range};
use quaymaster_store::memory_version::MemoryChange;
use quaymaster_store::skill::{Skill, SkillFile, SkillVersion};

const DAY: i64 = 86_400;

fn file(owner: &Owner, path: &str, content: &str, at: Instant) -> MemoryFile {
    MemoryFile {
        entry: MemoryEntry {
            id: MemoryFileId::fresh(&SystemClock, &SystemEntropy),
            owner: owner.clone(),
            path: path.into(),
            version: 1,
            sha256: format!("{content}-digest"),
            size: content.len() as i64,
            written_by: "usr".into(),
            written_at: at,
            created_at: at,
        },
        content: content.into(),
    }
}

async fn put(store: &Store, org: &OrgId, file: &MemoryFile, is_new: bool, words: &str) {
    let mut tx = store.begin().await.unwrap();
    let change = if is_new {
        MemoryChange::Created
    } else {
        MemoryChange::Edited
    };
    tx.put_memory_file(org, file, change, is_new, words)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

fn all() -> Range<'static> {
    Range {
        from: "",
        after: false,
        before: "\u{10FFFF}",
    }
}

#[tokio::test]
async fn memory_of_one_organization_is_found_by_no_other() {
    for place in both().await {
        let store = place.open().await;
        let (ours, theirs) = (tenant(&store, "ours").await, tenant(&store, "theirs").await);
        let owner = Owner::User(theirs.user.clone());
        let note = file(&owner, "a.md", "secret", NOW);
        put(&store, &theirs.org, &note, true, "a md secret").await;
        let words = ["secret".to_owned()];
        for (org, found) in [(&theirs.org, 1), (&ours.org, 0)] {
            let entries = store.memory_entries(org, &owner, all(), 10).await.unwrap();
            assert_eq!(entries.len(), found);
            let results = store
                .search_memory(org, &theirs.user, &words, 10, 0)
                .await
                .unwrap();
            assert_eq!(results.len(), found);
            let asked = [(&note.entry.id, 3)];
            let beginnings = store.memory_beginnings(org, &asked).await.unwrap();
            assert_eq!(beginnings.len(), found);
            assert!(beginnings.iter().all(|(_, text)| text == "sec"));
            let file = store.memory_file(org, &owner, "a.md").await.unwrap();
            assert_eq!(file.is_some(), found == 1);
            let versions = store.memory_versions(org, &note.entry.id).await.unwrap();
            assert_eq!(versions.len(), found);
        }
        // Nor does somebody else of the same organization.
        let results = store
            .search_memory(&theirs.org, &ours.user, &words, 10, 0)
            .await
            .unwrap();
        assert!(results.is_empty());
    }
}

#[tokio::test]
async fn ones_own_files_are_found_before_those_of_the_organization_and_short_ones_before_long() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let own = Owner::User(tenant.user.clone());
        for (owner, path, content) in [
            (&Owner::Organization, "org/short", "harbour"),
            (&own, "long", "harbour and more"),
            (&own, "b", "harbour one"),
            (&own, "a", "harbour two"),
            (&own, "other", "nothing"),
        ] {
            let note = file(owner, path, content, NOW);
            put(&store, &tenant.org, &note, true, content).await;
        }
        let words = ["harb".to_owned()];
        let mut found = Vec::new();
        for offset in 0..5 {
            let page = store.search_memory(&tenant.org, &tenant.user, &words, 1, offset);
            found.extend(page.await.unwrap().into_iter().map(|entry| entry.path));
        }
        assert_eq!(found, ["a", "b", "long", "org/short"]);
    }
}

#[tokio::test]
async fn paths_are_in_the_order_of_their_bytes_on_both_databases() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let owner = Owner::Organization;
        let paths = ["org/B", "org/a", "org/a/x", "org/a0", "org/ä", "org/日"];
        for path in paths.iter().rev() {
            put(
                &store,
                &tenant.org,
                &file(&owner, path, "x", NOW),
                true,
                "x",
            )
            .await;
        }
        let entries = store
            .memory_entries(&tenant.org, &owner, all(), 10)
            .await
            .unwrap();
        let listed: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(listed, paths);
        let mut tx = store.begin().await.unwrap();
        for (path, in_the_way) in [
            ("org/a", Some("org/a/x")),
            ("org/B/y", Some("org/B")),
            ("org/c", None),
            ("org/a/x", None),
        ] {
            let (count, found) = tx.memory_room(&tenant.org, &owner, path).await.unwrap();
            assert_eq!(count, 6);
            // org/a itself is above org/a/x.
            let expected = if path == "org/a/x" {
                Some("org/a")
            } else {
                in_the_way
            };
            assert_eq!(found.as_deref(), expected, "{path}");
        }
    }
}

#[tokio::test]
async fn the_sweep_takes_old_versions_but_the_last_twenty_and_old_deletions() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let owner = Owner::User(tenant.user.clone());
        let mut note = file(&owner, "a.md", "0", NOW);
        put(&store, &tenant.org, &note, true, "zero").await;
        for version in 2..=30 {
            note.entry.version = version;
            put(&store, &tenant.org, &note, false, "zero").await;
        }
        let mut gone = file(&owner, "b.md", "gone", NOW);
        put(&store, &tenant.org, &gone, true, "gone").await;
        gone.entry.version = 2;
        let mut tx = store.begin().await.unwrap();
        tx.delete_memory_file(&tenant.org, &gone.entry)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        store.sweep(NOW.plus_seconds(29 * DAY)).await.unwrap();
        let count = async || {
            let kept = store
                .memory_versions(&tenant.org, &note.entry.id)
                .await
                .unwrap();
            let gone = store
                .memory_versions(&tenant.org, &gone.entry.id)
                .await
                .unwrap();
            (kept.len(), gone.len())
        };
        assert_eq!(count().await, (30, 2));
        store.sweep(NOW.plus_seconds(31 * DAY)).await.unwrap();
        assert_eq!(count().await, (20, 0));
        let file = store
            .memory_file(&tenant.org, &owner, "a.md")
            .await
            .unwrap();
        assert_eq!(file.unwrap().entry.version, 30);
    }
}

#[tokio::test]
async fn what_memory_has_is_counted_through_writing_redacting_and_the_sweep() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let owner = Owner::User(tenant.user.clone());
        let counted = async || {
            let mut tx = store.begin().await.unwrap();
            tx.memory_bytes_for_change(&tenant.org).await.unwrap()
        };
        assert_eq!(counted().await, 0);
        let mut note = file(&owner, "a.md", "0123456789", NOW);
        put(&store, &tenant.org, &note, true, "zero").await;
        for version in 2..=30 {
            note.entry.version = version;
            put(&store, &tenant.org, &note, false, "zero").await;
        }
        let mut gone = file(&owner, "b.md", "gone", NOW);
        put(&store, &tenant.org, &gone, true, "gone").await;
        assert_eq!(counted().await, 304);
        gone.entry.version = 2;
        gone.entry.size = 0;
        let mut tx = store.begin().await.unwrap();
        tx.delete_memory_file(&tenant.org, &gone.entry)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert_eq!(counted().await, 304);
        store.sweep(NOW.plus_seconds(31 * DAY)).await.unwrap();
        assert_eq!(counted().await, 200, "ten versions and a file went");
        let mut tx = store.begin().await.unwrap();
        let redacted = tx.redact_memory_version(
            &tenant.org,
            &note.entry.id,
            &note.entry.sha256,
            NOW.plus_seconds(31 * DAY),
        );
        assert_eq!(redacted.await.unwrap(), 20);
        tx.commit().await.unwrap();
        assert_eq!(counted().await, 0);
        // What was written is not counted when it is taken back.
        let mut tx = store.begin().await.unwrap();
        let back = file(&owner, "c.md", "12345", NOW);
        tx.put_memory_file(&tenant.org, &back, MemoryChange::Created, true, "x")
            .await
            .unwrap();
        assert_eq!(tx.memory_bytes_for_change(&tenant.org).await.unwrap(), 5);
        drop(tx);
        assert_eq!(counted().await, 0);
    }
}

pub(crate) fn version(number: i64) -> SkillVersion {
    SkillVersion {
        version: number,
        description: "d".into(),
        system_prompt: "p".into(),
        service: None,
        frontmatter: "{}".into(),
        digest: "00".into(),
        note: None,
        made_by: "usr".into(),
        made_at: NOW,
    }
}

#[tokio::test]
async fn of_two_new_versions_of_a_skill_one_comes_second_and_contents_nobody_has_are_swept() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let org = &tenant.org;
        let file = SkillFile {
            path: "SKILL.md".into(),
            sha256: "aa".into(),
            size: 1,
            executable: false,
        };
        let skill = Skill {
            id: SkillId::fresh(&SystemClock, &SystemEntropy),
            org: org.clone(),
            name: "a".into(),
            enabled: true,
            version: 1,
            created_at: NOW,
            updated_at: NOW,
            current: version(1),
        };
        let mut tx = store.begin().await.unwrap();
        for sha256 in ["aa", "bb"] {
            tx.put_skill_content(org, sha256, b"x", NOW).await.unwrap();
        }
        tx.add_skill(&skill, std::slice::from_ref(&file))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let files = [file];
        for (number, expected) in [(2, true), (2, false), (4, false), (3, true)] {
            let mut tx = store.begin().await.unwrap();
            let added = tx
                .add_skill_version(org, &skill.id, &version(number), &files)
                .await;
            assert_eq!(added.unwrap(), expected, "{number}");
            tx.commit().await.unwrap();
        }
        store.sweep(NOW.plus_seconds(DAY / 2)).await.unwrap();
        assert!(store.skill_content(org, "bb").await.unwrap().is_some());
        store.sweep(NOW.plus_seconds(2 * DAY)).await.unwrap();
        assert!(store.skill_content(org, "bb").await.unwrap().is_none());
        assert!(store.skill_content(org, "aa").await.unwrap().is_some());
        let other = OrgId::fresh(&SystemClock, &SystemEntropy);
        assert!(store.skill(&other, "a").await.unwrap().is_none());
        assert!(store.skill_content(&other, "aa").await.unwrap().is_none());
        assert!(
            store
                .skill_files(&other, &skill.id, 1)
                .await
                .unwrap()
                .is_empty()
        );
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.delete_skill(&other, "a").await.unwrap());
        assert!(tx.delete_skill(org, "a").await.unwrap());
        tx.commit().await.unwrap();
        assert!(
            store
                .skill_versions(org, &skill.id)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

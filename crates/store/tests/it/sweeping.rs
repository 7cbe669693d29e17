//! How the sweep goes through what there is.

use crate::{NOW, both, tenant};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::MemoryFileId;
use quaymaster_store::memory::{MemoryEntry, MemoryFile, Owner};
use quaymaster_store::memory_version::MemoryChange;
use std::time::Duration;

#[tokio::test]
async fn a_sweep_that_finds_nothing_waits_for_no_writer_and_lets_none_wait() {
    for place in both().await {
        let store = place.open().await;
        tenant(&store, "one").await;
        let writing = store.begin().await.unwrap();
        let swept = tokio::time::timeout(Duration::from_secs(4), store.sweep(NOW)).await;
        assert_eq!(swept.expect("it waits for a writer").unwrap(), 0);
        drop(writing);
    }
}

#[tokio::test]
async fn old_versions_of_many_files_go_but_for_the_last_twenty_of_each() {
    // More than one page of what the sweep looks at, all of one instant.
    const FILES: usize = 30;
    const VERSIONS: i64 = 25;
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let owner = Owner::User(tenant.user.clone());
        let mut files: Vec<MemoryFile> = (0..FILES)
            .map(|number| MemoryFile {
                entry: MemoryEntry {
                    id: MemoryFileId::fresh(&SystemClock, &SystemEntropy),
                    owner: owner.clone(),
                    path: format!("{number}.md"),
                    version: 1,
                    sha256: "00".to_owned(),
                    size: 1,
                    written_by: "usr".to_owned(),
                    written_at: NOW,
                    created_at: NOW,
                },
                content: "x".to_owned(),
            })
            .collect();
        let mut tx = store.begin().await.unwrap();
        for version in 1..=VERSIONS {
            for file in &mut files {
                file.entry.version = version;
                let (change, is_new) = if version == 1 {
                    (MemoryChange::Created, true)
                } else {
                    (MemoryChange::Edited, false)
                };
                tx.put_memory_file(&tenant.org, file, change, is_new, "x")
                    .await
                    .unwrap();
            }
        }
        tx.commit().await.unwrap();
        let gone = store.sweep(NOW.plus_seconds(31 * 86_400)).await.unwrap();
        assert_eq!(gone, FILES as u64 * 5);
        for file in &files {
            let kept = store
                .memory_versions(&tenant.org, &file.entry.id)
                .await
                .unwrap();
            let numbers: Vec<i64> = kept.iter().map(|one| one.version).collect();
            let expected: Vec<i64> = (6..=VERSIONS).rev().collect();
            assert_eq!(numbers, expected);
        }
    }
}

//! Forgetting contents that nobody can reach any more: of memory files that were deleted, of old versions, of skills.
//!
//! Most of what is old is kept, so a sweep goes through all of it. It does so in pages of an index, by reads that keep no
//! writer waiting, and what it finds goes in small transactions.

use crate::db::{Store, StoreError, id};
use crate::sweep::SMALL_BATCH;
use quaymaster_core::Instant;
use quaymaster_core::id::OrgId;
use std::collections::BTreeMap;

/// Rows of an index that one read looks at.
const PAGE: i64 = 500;

/// What a page says of a version. The next one goes on behind the last one's instant, file and number.
#[derive(sqlx::FromRow)]
struct VersionSeen {
    written_at: i64,
    file_id: String,
    version: i64,
    org_id: String,
    due: bool,
}

#[derive(sqlx::FromRow)]
struct ContentSeen {
    written_at: i64,
    org_id: String,
    sha256: String,
    due: bool,
}

impl Store {
    pub(crate) async fn sweep_memory(&self, before: Instant) -> Result<u64, StoreError> {
        Ok(self.sweep_deleted_memory(before).await? + self.sweep_memory_versions(before).await?)
    }

    /// Files that were deleted, with their versions, which can be large.
    async fn sweep_deleted_memory(&self, before: Instant) -> Result<u64, StoreError> {
        const DUE: &str = "SELECT org_id, id FROM memory_files WHERE deleted_at < $1 ORDER BY deleted_at LIMIT $2";
        const VERSIONS: &str = "DELETE FROM memory_versions WHERE org_id = $1 AND file_id = $2 AND version IN (\
             SELECT version FROM memory_versions WHERE file_id = $2 ORDER BY version LIMIT $4) \
             AND EXISTS (SELECT 1 FROM memory_files f WHERE f.id = $2 AND f.deleted_at < $3)";
        const FILE: &str =
            "DELETE FROM memory_files WHERE org_id = $1 AND id = $2 AND deleted_at < $3";
        let mut gone = 0;
        loop {
            let due = reading!(self, pool => {
                sqlx::query_as::<_, (String, String)>(DUE)
                    .bind(before.micros())
                    .bind(SMALL_BATCH)
                    .fetch_all(pool)
                    .await?
            });
            let mut files = 0;
            for (org, file) in &due {
                let tenant: OrgId = id(org)?;
                loop {
                    let mut tx = self.begin().await?;
                    tx.memory_bytes_for_change(&tenant).await?;
                    let versions = within!(tx, conn => {
                        sqlx::query(VERSIONS)
                            .bind(org)
                            .bind(file)
                            .bind(before.micros())
                            .bind(SMALL_BATCH)
                            .execute(conn)
                            .await?
                            .rows_affected()
                    });
                    let is_last = versions < SMALL_BATCH.cast_unsigned();
                    if is_last {
                        files += within!(tx, conn => {
                            sqlx::query(FILE)
                                .bind(org)
                                .bind(file)
                                .bind(before.micros())
                                .execute(conn)
                                .await?
                                .rows_affected()
                        });
                    }
                    tx.commit().await?;
                    gone += versions;
                    if is_last {
                        break;
                    }
                }
            }
            gone += files;
            if files == 0 || (due.len() as i64) < SMALL_BATCH {
                return Ok(gone);
            }
        }
    }

    /// Old versions but for the last twenty of a file.
    async fn sweep_memory_versions(&self, before: Instant) -> Result<u64, StoreError> {
        const LOOK: &str = "SELECT v.written_at, v.file_id, v.version, v.org_id, \
             v.version <= (SELECT f.version FROM memory_files f WHERE f.id = v.file_id) - 20 AS due \
             FROM memory_versions v WHERE v.written_at < $1 AND (v.written_at, v.file_id, v.version) > ($2, $3, $4) \
             ORDER BY v.written_at, v.file_id, v.version LIMIT $5";
        // The version of a file only grows.
        const DELETE: &str =
            "DELETE FROM memory_versions WHERE org_id = $1 AND file_id = $2 AND version = $3";
        let mut gone = 0;
        let (mut at, mut file, mut version) = (0, String::new(), 0);
        loop {
            let page = reading!(self, pool => {
                sqlx::query_as::<_, VersionSeen>(LOOK)
                    .bind(before.micros())
                    .bind(at)
                    .bind(&file)
                    .bind(version)
                    .bind(PAGE)
                    .fetch_all(pool)
                    .await?
            });
            // One organization a transaction, so that two sweeps lock no counts in another order.
            let mut due: BTreeMap<&str, Vec<&VersionSeen>> = BTreeMap::new();
            for seen in page.iter().filter(|seen| seen.due) {
                due.entry(&seen.org_id).or_default().push(seen);
            }
            for (org, due) in due {
                let tenant: OrgId = id(org)?;
                for some in due.chunks(SMALL_BATCH as usize) {
                    let mut tx = self.begin().await?;
                    tx.memory_bytes_for_change(&tenant).await?;
                    for seen in some {
                        gone += within!(tx, conn => {
                            sqlx::query(DELETE)
                                .bind(org)
                                .bind(&seen.file_id)
                                .bind(seen.version)
                                .execute(conn)
                                .await?
                                .rows_affected()
                        });
                    }
                    tx.commit().await?;
                }
            }
            match page.last() {
                Some(last) if page.len() as i64 == PAGE => {
                    at = last.written_at;
                    file.clone_from(&last.file_id);
                    version = last.version;
                }
                _ => return Ok(gone),
            }
        }
    }

    /// Contents that no file of a skill has, a while after they were last written.
    pub(crate) async fn sweep_skill_contents(&self, before: Instant) -> Result<u64, StoreError> {
        const LOOK: &str = "SELECT c.written_at, c.org_id, c.sha256, NOT EXISTS (\
             SELECT 1 FROM skill_files f WHERE f.org_id = c.org_id AND f.sha256 = c.sha256) AS due \
             FROM skill_contents c WHERE c.written_at < $1 AND (c.written_at, c.org_id, c.sha256) > ($2, $3, $4) \
             ORDER BY c.written_at, c.org_id, c.sha256 LIMIT $5";
        const DELETE: &str = "DELETE FROM skill_contents WHERE org_id = $1 AND sha256 = $2 AND written_at < $3 \
             AND NOT EXISTS (SELECT 1 FROM skill_files f WHERE f.org_id = $1 AND f.sha256 = $2)";
        let mut gone = 0;
        let (mut at, mut org, mut sha256) = (0, String::new(), String::new());
        loop {
            let page = reading!(self, pool => {
                sqlx::query_as::<_, ContentSeen>(LOOK)
                    .bind(before.micros())
                    .bind(at)
                    .bind(&org)
                    .bind(&sha256)
                    .bind(PAGE)
                    .fetch_all(pool)
                    .await?
            });
            let due: Vec<&ContentSeen> = page.iter().filter(|seen| seen.due).collect();
            for some in due.chunks(SMALL_BATCH as usize) {
                let mut tx = self.begin().await?;
                for seen in some {
                    gone += within!(tx, conn => {
                        sqlx::query(DELETE)
                            .bind(&seen.org_id)
                            .bind(&seen.sha256)
                            .bind(before.micros())
                            .execute(conn)
                            .await?
                            .rows_affected()
                    });
                }
                tx.commit().await?;
            }
            match page.last() {
                Some(last) if page.len() as i64 == PAGE => {
                    at = last.written_at;
                    org.clone_from(&last.org_id);
                    sha256.clone_from(&last.sha256);
                }
                _ => return Ok(gone),
            }
        }
    }
}

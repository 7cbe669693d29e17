//! What memory files said, each time that they changed.

use crate::db::{Store, StoreError, Tx, id};
use crate::memory::{MemoryEntry, Owner};
use quaymaster_core::Instant;
use quaymaster_core::id::{MemoryFileId, OrgId};

/// Of one file, however young: an agent in a loop must not fill the disk.
const MOST_VERSIONS: i64 = 200;

/// How a version came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryChange {
    Created,
    Edited,
    Renamed,
    Restored,
    Deleted,
}

impl MemoryChange {
    const ALL: [MemoryChange; 5] = [
        MemoryChange::Created,
        MemoryChange::Edited,
        MemoryChange::Renamed,
        MemoryChange::Restored,
        MemoryChange::Deleted,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            MemoryChange::Created => "created",
            MemoryChange::Edited => "edited",
            MemoryChange::Renamed => "renamed",
            MemoryChange::Restored => "restored",
            MemoryChange::Deleted => "deleted",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        MemoryChange::ALL
            .into_iter()
            .find(|change| change.name() == name)
            .ok_or_else(|| StoreError::Corrupt(format!("memory change {name:?}")))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryVersion {
    pub version: i64,
    /// The path at that time.
    pub path: String,
    pub change: MemoryChange,
    pub sha256: String,
    pub size: i64,
    /// None for a deletion, and for what was redacted.
    pub content: Option<String>,
    pub written_by: String,
    pub written_at: Instant,
    pub redacted_at: Option<Instant>,
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    version: i64,
    path: String,
    change: String,
    sha256: String,
    size: i64,
    content: Option<String>,
    written_by: String,
    written_at: i64,
    redacted_at: Option<i64>,
}

impl TryFrom<VersionRow> for MemoryVersion {
    type Error = StoreError;
    fn try_from(row: VersionRow) -> Result<Self, StoreError> {
        Ok(MemoryVersion {
            version: row.version,
            path: row.path,
            change: MemoryChange::read(&row.change)?,
            sha256: row.sha256,
            size: row.size,
            content: row.content,
            written_by: row.written_by,
            written_at: Instant::from_micros(row.written_at),
            redacted_at: row.redacted_at.map(Instant::from_micros),
        })
    }
}

macro_rules! columns {
    ($content:literal) => {
        concat!(
            "SELECT version, path, change, sha256, size, ",
            $content,
            ", written_by, written_at, redacted_at FROM memory_versions "
        )
    };
}

impl Store {
    /// The file whose history a path has: the one that is there, else the one that was deleted last.
    pub async fn memory_history(
        &self,
        org: &OrgId,
        owner: &Owner,
        path: &str,
    ) -> Result<Option<(MemoryFileId, bool)>, StoreError> {
        const SQL: &str = "SELECT id, deleted_at IS NULL FROM memory_files \
             WHERE org_id = $1 AND owner = $2 AND path = $3 ORDER BY deleted_at IS NOT NULL, deleted_at DESC LIMIT 1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, (String, bool)>(SQL)
                .bind(org.as_str())
                .bind(owner.as_str())
                .bind(path)
                .fetch_optional(pool)
                .await?
        });
        row.map(|(file, is_there)| Ok((id(&file)?, is_there)))
            .transpose()
    }

    /// Newest first; of what still says something the content is empty here.
    pub async fn memory_versions(
        &self,
        org: &OrgId,
        file: &MemoryFileId,
    ) -> Result<Vec<MemoryVersion>, StoreError> {
        const SQL: &str = concat!(
            columns!("CASE WHEN content IS NULL THEN NULL ELSE '' END AS content"),
            "WHERE org_id = $1 AND file_id = $2 ORDER BY version DESC"
        );
        self.rows_of::<VersionRow, _>(SQL, org, file.as_str()).await
    }

    pub async fn memory_version(
        &self,
        org: &OrgId,
        file: &MemoryFileId,
        version: i64,
    ) -> Result<Option<MemoryVersion>, StoreError> {
        const SQL: &str = concat!(
            columns!("content"),
            "WHERE org_id = $1 AND file_id = $2 AND version = $3"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, VersionRow>(SQL)
                .bind(org.as_str())
                .bind(file.as_str())
                .bind(version)
                .fetch_optional(pool)
                .await?
        });
        row.map(MemoryVersion::try_from).transpose()
    }
}

impl Tx {
    /// How many bytes the organization's memory has, the versions that are kept included. Whoever else changes it waits:
    /// whatever is to add or delete versions asks first, so that no two wait for each other.
    pub async fn memory_bytes_for_change(&mut self, org: &OrgId) -> Result<i64, StoreError> {
        const SQL: &str = "INSERT INTO memory_usage (org_id, bytes) VALUES ($1, 0) \
             ON CONFLICT (org_id) DO UPDATE SET bytes = memory_usage.bytes RETURNING bytes";
        Ok(within!(self, conn => {
            sqlx::query_scalar::<_, i64>(SQL).bind(org.as_str()).fetch_one(conn).await?
        }))
    }

    pub(crate) async fn add_memory_version(
        &mut self,
        org: &OrgId,
        entry: &MemoryEntry,
        change: MemoryChange,
        content: Option<&str>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO memory_versions (file_id, org_id, version, path, change, sha256, size, \
             content, written_by, written_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        const FORGET: &str =
            "DELETE FROM memory_versions WHERE file_id = $1 AND org_id = $2 AND version <= $3";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(entry.id.as_str())
                .bind(org.as_str())
                .bind(entry.version)
                .bind(&entry.path)
                .bind(change.name())
                .bind(&entry.sha256)
                .bind(entry.size)
                .bind(content)
                .bind(&entry.written_by)
                .bind(entry.written_at.micros())
                .execute(&mut *conn)
                .await?;
            sqlx::query(FORGET)
                .bind(entry.id.as_str())
                .bind(org.as_str())
                .bind(entry.version - MOST_VERSIONS)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Takes what a version said out of it, and out of every other version that said the same. How
    /// many that were.
    pub async fn redact_memory_version(
        &mut self,
        org: &OrgId,
        file: &MemoryFileId,
        sha256: &str,
        now: Instant,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE memory_versions SET content = NULL, sha256 = '', size = 0, redacted_at = $4 \
             WHERE org_id = $1 AND file_id = $2 AND sha256 = $3 AND content IS NOT NULL";
        Ok(within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(file.as_str())
                .bind(sha256)
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        }))
    }
}

//! Memory files: notes by path. Their versions are in [`memory_version`](crate::memory_version), looking
//! for words is in `memory_search`.
//!
//! A path is stored as it is shown: those of the organization begin with `org/`, and those of a
//! person do not. Whoever changes a file reads it with [`Tx::memory_file_for_change`] first, and then what
//! there is with [`Tx::memory_bytes_for_change`]; both keep others waiting.

use crate::db::{Store, StoreError, Tx, id};
use crate::memory_version::MemoryChange;
use quaymaster_core::Instant;
use quaymaster_core::id::{MemoryFileId, OrgId, UserId};

/// Whose memory files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    User(UserId),
    Organization,
}

impl Owner {
    pub fn as_str(&self) -> &str {
        match self {
            Owner::User(user) => user.as_str(),
            Owner::Organization => ORGANIZATION,
        }
    }

    fn read(text: &str) -> Result<Self, StoreError> {
        if text == ORGANIZATION {
            return Ok(Owner::Organization);
        }
        Ok(Owner::User(id(text)?))
    }
}

const ORGANIZATION: &str = "org";

/// A file without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryEntry {
    pub id: MemoryFileId,
    pub owner: Owner,
    pub path: String,
    /// From 1.
    pub version: i64,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// In bytes.
    pub size: i64,
    /// Id of a person or credential.
    pub written_by: String,
    pub written_at: Instant,
    pub created_at: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryFile {
    pub entry: MemoryEntry,
    pub content: String,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: String,
    owner: String,
    path: String,
    version: i64,
    sha256: String,
    size: i64,
    content: String,
    written_by: String,
    written_at: i64,
    created_at: i64,
}

impl TryFrom<Row> for MemoryFile {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let entry = MemoryEntry {
            id: id(&row.id)?,
            owner: Owner::read(&row.owner)?,
            path: row.path,
            version: row.version,
            sha256: row.sha256,
            size: row.size,
            written_by: row.written_by,
            written_at: Instant::from_micros(row.written_at),
            created_at: Instant::from_micros(row.created_at),
        };
        let content = row.content;
        Ok(MemoryFile { entry, content })
    }
}

macro_rules! columns {
    ($content:literal) => {
        concat!(
            "SELECT id, owner, path, version, sha256, size, ",
            $content,
            ", written_by, written_at, created_at FROM memory_files "
        )
    };
}

/// The part of a list that is wanted: paths from `from` on (or after it), and before `before`.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    pub from: &'a str,
    /// `from` itself is not wanted.
    pub after: bool,
    pub before: &'a str,
}

impl Store {
    /// Entries by path, at most `limit`.
    pub async fn memory_entries(
        &self,
        org: &OrgId,
        owner: &Owner,
        range: Range<'_>,
        limit: i64,
    ) -> Result<Vec<MemoryEntry>, StoreError> {
        const SQL: &str = concat!(
            columns!("'' AS content"),
            "WHERE org_id = $1 AND owner = $2 AND deleted_at IS NULL AND path >= $3 AND path < $4 \
             AND (path <> $3 OR NOT $5) ORDER BY path LIMIT $6"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(owner.as_str())
                .bind(range.from)
                .bind(range.before)
                .bind(range.after)
                .bind(limit)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(|row| Ok(MemoryFile::try_from(row)?.entry))
            .collect()
    }

    pub async fn memory_file(
        &self,
        org: &OrgId,
        owner: &Owner,
        path: &str,
    ) -> Result<Option<MemoryFile>, StoreError> {
        const SQL: &str = concat!(
            columns!("content"),
            "WHERE org_id = $1 AND owner = $2 AND path = $3 AND deleted_at IS NULL"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(owner.as_str())
                .bind(path)
                .fetch_optional(pool)
                .await?
        });
        row.map(MemoryFile::try_from).transpose()
    }

    /// Whether agents may write the organization's memory.
    pub async fn agents_write_org_memory(&self, org: &OrgId) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT agents_write_org FROM memory_settings WHERE org_id = $1";
        let set = reading!(self, pool => {
            sqlx::query_scalar::<_, bool>(SQL).bind(org.as_str()).fetch_optional(pool).await?
        });
        Ok(set.unwrap_or(false))
    }
}

impl Tx {
    pub async fn let_agents_write_org_memory(
        &mut self,
        org: &OrgId,
        may: bool,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO memory_settings (org_id, agents_write_org) VALUES ($1, $2) \
             ON CONFLICT (org_id) DO UPDATE SET agents_write_org = excluded.agents_write_org";
        within!(self, conn => {
            sqlx::query(SQL).bind(org.as_str()).bind(may).execute(conn).await?;
        });
        Ok(())
    }

    /// The file at a path as it is in this very transaction. Whoever else wants to change it waits.
    pub async fn memory_file_for_change(
        &mut self,
        org: &OrgId,
        owner: &Owner,
        path: &str,
    ) -> Result<Option<MemoryFile>, StoreError> {
        // A row of PostgreSQL stays locked from its update to the end; SQLite has one writer.
        const LOCK: &str = "UPDATE memory_files SET version = version \
             WHERE org_id = $1 AND owner = $2 AND path = $3 AND deleted_at IS NULL";
        const SQL: &str = concat!(
            columns!("content"),
            "WHERE org_id = $1 AND owner = $2 AND path = $3 AND deleted_at IS NULL"
        );
        let row = within!(self, conn => {
            let here = sqlx::query(LOCK)
                .bind(org.as_str())
                .bind(owner.as_str())
                .bind(path)
                .execute(&mut *conn)
                .await?
                .rows_affected();
            if here == 0 {
                None
            } else {
                sqlx::query_as::<_, Row>(SQL)
                    .bind(org.as_str())
                    .bind(owner.as_str())
                    .bind(path)
                    .fetch_optional(conn)
                    .await?
            }
        });
        row.map(MemoryFile::try_from).transpose()
    }

    /// How many files an owner has, and whether one of them stands where the path needs a folder, or
    /// below the path.
    pub async fn memory_room(
        &mut self,
        org: &OrgId,
        owner: &Owner,
        path: &str,
    ) -> Result<(i64, Option<String>), StoreError> {
        const COUNT: &str = "SELECT COUNT(*) FROM memory_files WHERE org_id = $1 AND owner = $2 AND deleted_at IS NULL";
        const ABOVE: &str = "SELECT path FROM memory_files \
             WHERE org_id = $1 AND owner = $2 AND path = $3 AND deleted_at IS NULL";
        const BELOW: &str = "SELECT path FROM memory_files WHERE org_id = $1 AND owner = $2 AND deleted_at IS NULL \
             AND path > $3 AND path < $4 LIMIT 1";
        let folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        let (first, end) = (format!("{path}/"), format!("{path}0"));
        let mut in_the_way = None;
        let count = within!(self, conn => {
            for folder in folders {
                let found = sqlx::query_scalar::<_, String>(ABOVE)
                    .bind(org.as_str())
                    .bind(owner.as_str())
                    .bind(folder)
                    .fetch_optional(&mut *conn)
                    .await?;
                in_the_way = in_the_way.or(found);
            }
            let below = sqlx::query_scalar::<_, String>(BELOW)
                .bind(org.as_str())
                .bind(owner.as_str())
                .bind(&first)
                .bind(&end)
                .fetch_optional(&mut *conn)
                .await?;
            in_the_way = in_the_way.or(below);
            sqlx::query_scalar::<_, i64>(COUNT)
                .bind(org.as_str())
                .bind(owner.as_str())
                .fetch_one(conn)
                .await?
        });
        Ok((count, in_the_way))
    }

    /// The file that was deleted last at a path, with its last version.
    pub async fn deleted_memory_file(
        &mut self,
        org: &OrgId,
        owner: &Owner,
        path: &str,
    ) -> Result<Option<MemoryEntry>, StoreError> {
        const SQL: &str = concat!(
            columns!("'' AS content"),
            "WHERE org_id = $1 AND owner = $2 AND path = $3 AND deleted_at IS NOT NULL ORDER BY deleted_at DESC LIMIT 1"
        );
        let row = within!(self, conn => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(owner.as_str())
                .bind(path)
                .fetch_optional(conn)
                .await?
        });
        row.map(|row| Ok(MemoryFile::try_from(row)?.entry))
            .transpose()
    }

    /// Writes a file as it is now, and its version. `is_new` says that there is no row yet; `words`
    /// are what it can be found by.
    pub async fn put_memory_file(
        &mut self,
        org: &OrgId,
        file: &MemoryFile,
        change: MemoryChange,
        is_new: bool,
        words: &str,
    ) -> Result<(), StoreError> {
        const ADD: &str = "INSERT INTO memory_files (id, org_id, owner, path, version, sha256, size, content, \
             written_by, written_at, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        const SET: &str = "UPDATE memory_files SET path = $4, version = $5, sha256 = $6, size = $7, content = $8, \
             written_by = $9, written_at = $10, created_at = $11, deleted_at = NULL \
             WHERE id = $1 AND org_id = $2 AND owner = $3";
        let entry = &file.entry;
        within!(self, conn => {
            sqlx::query(if is_new { ADD } else { SET })
                .bind(entry.id.as_str())
                .bind(org.as_str())
                .bind(entry.owner.as_str())
                .bind(&entry.path)
                .bind(entry.version)
                .bind(&entry.sha256)
                .bind(entry.size)
                .bind(&file.content)
                .bind(&entry.written_by)
                .bind(entry.written_at.micros())
                .bind(entry.created_at.micros())
                .execute(conn)
                .await?;
        });
        self.add_memory_version(org, entry, change, Some(&file.content))
            .await?;
        self.find_memory_file_by(org, entry, words).await
    }

    /// Takes a file away; `entry` says who did it and when, with the version of the deletion.
    pub async fn delete_memory_file(
        &mut self,
        org: &OrgId,
        entry: &MemoryEntry,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE memory_files SET version = $3, sha256 = '', size = 0, content = '', \
             written_by = $4, written_at = $5, deleted_at = $5 WHERE id = $1 AND org_id = $2";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(entry.id.as_str())
                .bind(org.as_str())
                .bind(entry.version)
                .bind(&entry.written_by)
                .bind(entry.written_at.micros())
                .execute(conn)
                .await?;
        });
        self.add_memory_version(org, entry, MemoryChange::Deleted, None)
            .await?;
        self.find_memory_file_by(org, entry, "").await
    }
}

//! Documents of an organization, and the pieces of their text. The work of reading them is in
//! [`document_work`](crate::document_work).

use crate::db::{Db, Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{DocumentId, OrgId, UserId};
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Queued,
    Extracting,
    Indexed,
    Failed,
}

impl State {
    pub const ALL: [State; 4] = [
        State::Queued,
        State::Extracting,
        State::Indexed,
        State::Failed,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Extracting => "extracting",
            State::Indexed => "indexed",
            State::Failed => "failed",
        }
    }

    pub fn by_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }
}

#[derive(Debug, Clone)]
pub struct Document {
    pub id: DocumentId,
    pub org: OrgId,
    /// Unique in the organization.
    pub path: String,
    pub title: String,
    pub media_type: String,
    /// In bytes.
    pub size: i64,
    /// Lower-case hexadecimal.
    pub sha256: String,
    pub state: State,
    /// Why it failed: a code.
    pub reason: Option<String>,
    pub chunks: i64,
    pub characters: i64,
    pub user: UserId,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub indexed_at: Option<Instant>,
}

/// A piece of a document's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Chunk {
    /// From 1.
    pub n: i64,
    /// The headings above it, outermost first; empty above the first one.
    pub heading: String,
    pub text: String,
}

/// Which documents a list has.
#[derive(Debug, Clone, Default)]
pub struct DocumentFilter {
    /// Only below paths that begin so.
    pub prefix: String,
    pub state: Option<State>,
}

/// How much of an organization's documents there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct DocumentUsage {
    pub documents: i64,
    pub bytes: i64,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: String,
    org_id: String,
    path: String,
    title: String,
    media_type: String,
    size: i64,
    sha256: String,
    state: String,
    reason: Option<String>,
    chunks: i64,
    characters: i64,
    pub(crate) attempts: i64,
    user_id: String,
    created_at: i64,
    updated_at: i64,
    indexed_at: Option<i64>,
}

impl TryFrom<Row> for Document {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Document {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            path: row.path,
            title: row.title,
            media_type: row.media_type,
            size: row.size,
            sha256: row.sha256,
            state: State::by_name(&row.state).ok_or(StoreError::Corrupt(row.state))?,
            reason: row.reason,
            chunks: row.chunks,
            characters: row.characters,
            user: id(&row.user_id)?,
            created_at: Instant::from_micros(row.created_at),
            updated_at: Instant::from_micros(row.updated_at),
            indexed_at: row.indexed_at.map(Instant::from_micros),
        })
    }
}

macro_rules! columns {
    () => {
        "id, org_id, path, title, media_type, size, sha256, state, reason, chunks, characters, attempts, \
         user_id, created_at, updated_at, indexed_at"
    };
}
pub(crate) use columns;

/// `$1` is the organization, `$2` the beginning of paths, `$3` a state or nothing.
macro_rules! filtered {
    () => {
        " FROM documents WHERE org_id = $1 AND substr(path, 1, length($2)) = $2 \
         AND ($3 = '' OR state = $3)"
    };
}

impl Store {
    /// By path.
    pub async fn documents(
        &self,
        org: &OrgId,
        filter: &DocumentFilter,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Document>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            filtered!(),
            " ORDER BY path LIMIT $4 OFFSET $5"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(&filter.prefix)
                .bind(filter.state.map_or("", State::name))
                .bind(limit)
                .bind(offset)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Document::try_from).collect()
    }

    /// Documents with these letters in their title or path, shortest title first. SQLite knows the small
    /// letters of ASCII alone, so others fit as they are typed.
    pub async fn documents_named(
        &self,
        org: &OrgId,
        words: &str,
        most: usize,
    ) -> Result<Vec<Document>, StoreError> {
        const SQLITE: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM documents WHERE org_id = $1 AND (instr(lower(title), $2) > 0 OR instr(title, $3) > 0 \
             OR instr(lower(path), $2) > 0) ORDER BY length(title), path LIMIT $4"
        );
        const POSTGRES: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM documents WHERE org_id = $1 AND (strpos(lower(title), $2) > 0 OR strpos(title, $3) > 0 \
             OR strpos(lower(path), $2) > 0) ORDER BY length(title), path LIMIT $4"
        );
        let sql = match &self.db {
            Db::Sqlite { .. } => SQLITE,
            Db::Postgres(_) => POSTGRES,
        };
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(sql)
                .bind(org.as_str())
                .bind(words.to_lowercase())
                .bind(words)
                .bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Document::try_from).collect()
    }

    pub async fn count_documents(
        &self,
        org: &OrgId,
        filter: &DocumentFilter,
    ) -> Result<i64, StoreError> {
        const SQL: &str = concat!("SELECT COUNT(*)", filtered!());
        Ok(reading!(self, pool => {
            sqlx::query_scalar::<_, i64>(SQL)
                .bind(org.as_str())
                .bind(&filter.prefix)
                .bind(filter.state.map_or("", State::name))
                .fetch_one(pool)
                .await?
        }))
    }

    pub async fn document(
        &self,
        org: &OrgId,
        document: &DocumentId,
    ) -> Result<Option<Document>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM documents WHERE org_id = $1 AND id = $2"
        );
        self.row_of::<Row, _>(SQL, org, document.as_str()).await
    }

    /// Pieces of a document as it is, from number `from` on.
    pub async fn document_chunks(
        &self,
        org: &OrgId,
        document: &DocumentId,
        from: i64,
        limit: i64,
    ) -> Result<Vec<Chunk>, StoreError> {
        const SQL: &str = "SELECT c.n, c.heading, c.text FROM document_chunks c \
             JOIN documents d ON d.id = c.document_id AND d.generation = c.generation \
             WHERE d.org_id = $1 AND c.org_id = $1 AND d.id = $2 AND c.n >= $3 ORDER BY c.n LIMIT $4";
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, Chunk>(SQL)
                .bind(org.as_str())
                .bind(document.as_str())
                .bind(from)
                .bind(limit)
                .fetch_all(pool)
                .await?
        }))
    }

    pub async fn document_usage(&self, org: &OrgId) -> Result<DocumentUsage, StoreError> {
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, DocumentUsage>(USAGE).bind(org.as_str()).fetch_one(pool).await?
        }))
    }

    /// Whether a document of the organization has these bytes.
    pub async fn document_bytes_are_used(
        &self,
        org: &OrgId,
        sha256: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM documents WHERE org_id = $1 AND sha256 = $2";
        let used = reading!(self, pool => {
            sqlx::query_scalar::<_, i64>(SQL).bind(org.as_str()).bind(sha256).fetch_one(pool).await?
        });
        Ok(used > 0)
    }
}

const USAGE: &str = "SELECT COUNT(*) AS documents, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes \
     FROM documents WHERE org_id = $1";

impl Tx {
    /// As it is in this very transaction.
    pub async fn document_usage(&mut self, org: &OrgId) -> Result<DocumentUsage, StoreError> {
        Ok(within!(self, conn => {
            sqlx::query_as::<_, DocumentUsage>(USAGE).bind(org.as_str()).fetch_one(conn).await?
        }))
    }

    pub async fn document_at(
        &mut self,
        org: &OrgId,
        path: &str,
    ) -> Result<Option<Document>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM documents WHERE org_id = $1 AND path = $2"
        );
        let row = within!(self, conn => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(path)
                .fetch_optional(conn)
                .await?
        });
        row.map(Document::try_from).transpose()
    }

    /// Adds a document that waits to be read.
    pub async fn add_document(&mut self, document: &Document) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO documents (id, org_id, path, title, media_type, size, sha256, state, \
             chunks, characters, attempts, queued_at, user_id, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, 0, 0, $8, $9, $10, $11)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(document.id.as_str())
                .bind(document.org.as_str())
                .bind(&document.path)
                .bind(&document.title)
                .bind(&document.media_type)
                .bind(document.size)
                .bind(&document.sha256)
                .bind(document.updated_at.micros())
                .bind(document.user.as_str())
                .bind(document.created_at.micros())
                .bind(document.updated_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Gives a document other bytes, which wait to be read. What is found of it until then is what it had.
    pub async fn replace_document(&mut self, document: &Document) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE documents SET title = $3, media_type = $4, size = $5, sha256 = $6, user_id = $7, \
             updated_at = $8, queued_at = $8, state = 'queued', reason = NULL, lease = NULL, attempts = 0 \
             WHERE org_id = $1 AND id = $2";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(document.org.as_str())
                .bind(document.id.as_str())
                .bind(&document.title)
                .bind(&document.media_type)
                .bind(document.size)
                .bind(&document.sha256)
                .bind(document.user.as_str())
                .bind(document.updated_at.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }

    /// Lets a document be read again, or all when none is named. How many.
    pub async fn queue_documents(
        &mut self,
        org: &OrgId,
        document: Option<&DocumentId>,
        now: Instant,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE documents SET state = 'queued', reason = NULL, lease = NULL, attempts = 0, \
             queued_at = $3 WHERE org_id = $1 AND ($2 = '' OR id = $2)";
        Ok(within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(document.map_or("", DocumentId::as_str))
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        }))
    }

    pub async fn delete_document(
        &mut self,
        org: &OrgId,
        document: &DocumentId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM documents WHERE org_id = $1 AND id = $2";
        self.of_one(SQL, org, document.as_str()).await
    }
}

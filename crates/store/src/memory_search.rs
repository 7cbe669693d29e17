//! Looking for words in memory.
//!
//! Both databases index the same words, cut by whoever writes a file: FTS5 in a table that holds
//! nothing else, PostgreSQL in a column. Every word of a question is the beginning of a word.

use crate::db::{Db, Store, StoreError, Tx, TxInner};
use crate::memory::{MemoryEntry, MemoryFile, Owner, Row};
use quaymaster_core::id::OrgId;

macro_rules! columns {
    () => {
        "SELECT f.id, f.owner, f.path, f.version, f.sha256, f.size, f.content, f.written_by, f.written_at, f.created_at "
    };
}

/// Two words that only files of this owner have. Ids are letters and digits but for their `_`.
fn whose(org: &OrgId, owner: &Owner) -> String {
    format!("{} {}", org.as_str(), owner.as_str()).replace('_', "")
}

impl Store {
    /// The files of one owner that have all words, best first. Words have letters and digits only.
    pub async fn search_memory(
        &self,
        org: &OrgId,
        owner: &Owner,
        words: &[String],
        limit: i64,
        offset: i64,
    ) -> Result<Vec<MemoryFile>, StoreError> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let rows = match &self.db {
            Db::Sqlite { read, .. } => {
                const SQL: &str = concat!(
                    columns!(),
                    "FROM memory_words w JOIN memory_files f ON f.seq = w.rowid \
                     WHERE memory_words MATCH $3 AND f.org_id = $1 AND f.owner = $2 AND f.deleted_at IS NULL \
                     ORDER BY w.rank, f.path LIMIT $4 OFFSET $5"
                );
                let words: Vec<String> = words
                    .iter()
                    .map(|word| format!("words : \"{word}\" *"))
                    .collect();
                let asked = format!(
                    "whose : \"{}\" AND {}",
                    whose(org, owner),
                    words.join(" AND ")
                );
                sqlx::query_as::<_, Row>(SQL)
                    .bind(org.as_str())
                    .bind(owner.as_str())
                    .bind(asked)
                    .bind(limit)
                    .bind(offset)
                    .fetch_all(read)
                    .await?
            }
            Db::Postgres(pool) => {
                const SQL: &str = concat!(
                    columns!(),
                    "FROM memory_files f WHERE f.words @@ $3::tsquery AND f.org_id = $1 AND f.owner = $2 \
                     AND f.deleted_at IS NULL ORDER BY ts_rank(f.words, $3::tsquery, 1) DESC, f.path LIMIT $4 OFFSET $5"
                );
                let words: Vec<String> = words.iter().map(|word| format!("'{word}':*")).collect();
                sqlx::query_as::<_, Row>(SQL)
                    .bind(org.as_str())
                    .bind(owner.as_str())
                    .bind(words.join(" & "))
                    .bind(limit)
                    .bind(offset)
                    .fetch_all(pool)
                    .await?
            }
        };
        rows.into_iter().map(MemoryFile::try_from).collect()
    }
}

impl Tx {
    /// A file is found by these words, separated by spaces, from now on; by none when it is gone.
    pub(crate) async fn find_memory_file_by(
        &mut self,
        org: &OrgId,
        entry: &MemoryEntry,
        words: &str,
    ) -> Result<(), StoreError> {
        match &mut self.inner {
            TxInner::Sqlite(tx) => {
                const FORGET: &str = "DELETE FROM memory_words WHERE rowid = (SELECT seq FROM memory_files WHERE id = $1)";
                const ADD: &str = "INSERT INTO memory_words (rowid, whose, words) \
                     SELECT seq, $2, $3 FROM memory_files WHERE id = $1";
                sqlx::query(FORGET)
                    .bind(entry.id.as_str())
                    .execute(&mut **tx)
                    .await?;
                if !words.is_empty() {
                    sqlx::query(ADD)
                        .bind(entry.id.as_str())
                        .bind(whose(org, &entry.owner))
                        .bind(words)
                        .execute(&mut **tx)
                        .await?;
                }
            }
            TxInner::Postgres(tx) => {
                const SET: &str = "UPDATE memory_files SET words = array_to_tsvector(string_to_array($2, ' ')) \
                     WHERE id = $1";
                sqlx::query(SET)
                    .bind(entry.id.as_str())
                    .bind(words)
                    .execute(&mut **tx)
                    .await?;
            }
        }
        Ok(())
    }
}

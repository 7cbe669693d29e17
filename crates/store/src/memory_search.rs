//! Looking for words in memory.
//!
//! Both databases index the same words, cut by whoever writes a file: FTS5 in a table that holds
//! nothing else, PostgreSQL in a column. Every word of a question is the beginning of a word.

use crate::db::{Db, Store, StoreError, Tx, TxInner, id};
use crate::memory::{MemoryEntry, MemoryFile, Owner, Row};
use quaymaster_core::id::{MemoryFileId, OrgId, UserId};
use serde_json::json;

macro_rules! columns {
    () => {
        "SELECT f.id, f.owner, f.path, f.version, f.sha256, f.size, '' AS content, f.written_by, f.written_at, f.created_at "
    };
}

/// Two words that only files of this owner have. Ids are letters and digits but for their `_`.
fn whose(org: &OrgId, owner: &Owner) -> String {
    format!("{} {}", org.as_str(), owner.as_str()).replace('_', "")
}

/// The same in PostgreSQL: one word with a sign that no other word has, so that the index reads no rows of others.
fn token(org: &OrgId, owner: &Owner) -> String {
    format!("{org}/{}", owner.as_str())
}

impl Store {
    /// The files of a person and of their organization that have all words: the person's own first, then by their size,
    /// since the words are a larger part of what a short one says. Words have letters and digits only.
    pub async fn search_memory(
        &self,
        org: &OrgId,
        user: &UserId,
        words: &[String],
        limit: i64,
        offset: i64,
    ) -> Result<Vec<MemoryEntry>, StoreError> {
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let (own, shared) = (Owner::User(user.clone()), Owner::Organization);
        let rows = match &self.db {
            Db::Sqlite { read, .. } => {
                // Of what is found only what stands before a content is read, but for the rows of the answer. A file that
                // is gone has no words. CROSS keeps the words in front: asking them for each file takes much longer.
                const SQL: &str = concat!(
                    columns!(),
                    "FROM (SELECT f.seq, f.owner <> $2 AS shared, f.size, f.path FROM memory_words w \
                     CROSS JOIN memory_files f ON f.seq = w.rowid \
                     WHERE memory_words MATCH $3 AND f.org_id = $1 AND f.owner IN ($2, 'org') \
                     ORDER BY shared, f.size, f.path LIMIT $4 OFFSET $5) AS best \
                     CROSS JOIN memory_files f ON f.seq = best.seq ORDER BY best.shared, best.size, best.path"
                );
                let words: Vec<String> = words
                    .iter()
                    .map(|word| format!("words : \"{word}\" *"))
                    .collect();
                let asked = format!(
                    "whose : (\"{}\" OR \"{}\") AND {}",
                    whose(org, &own),
                    whose(org, &shared),
                    words.join(" AND ")
                );
                sqlx::query_as::<_, Row>(SQL)
                    .bind(org.as_str())
                    .bind(user.as_str())
                    .bind(asked)
                    .bind(limit)
                    .bind(offset)
                    .fetch_all(read)
                    .await?
            }
            Db::Postgres(pool) => {
                const SQL: &str = concat!(
                    columns!(),
                    "FROM memory_files f WHERE f.words @@ $3::tsquery AND f.org_id = $1 AND f.owner IN ($2, 'org') \
                     AND f.deleted_at IS NULL ORDER BY f.owner <> $2, f.size, f.path LIMIT $4 OFFSET $5"
                );
                let words: Vec<String> = words.iter().map(|word| format!("'{word}':*")).collect();
                sqlx::query_as::<_, Row>(SQL)
                    .bind(org.as_str())
                    .bind(user.as_str())
                    .bind(format!(
                        "('{}' | '{}') & {}",
                        token(org, &own),
                        token(org, &shared),
                        words.join(" & ")
                    ))
                    .bind(limit)
                    .bind(offset)
                    .fetch_all(pool)
                    .await?
            }
        };
        let files = rows.into_iter().map(MemoryFile::try_from);
        files.map(|file| Ok(file?.entry)).collect()
    }

    /// What files of an organization begin with, of each as many characters as are wanted. One that is gone is left out.
    pub async fn memory_beginnings(
        &self,
        org: &OrgId,
        wanted: &[(&MemoryFileId, i64)],
    ) -> Result<Vec<(MemoryFileId, String)>, StoreError> {
        const SQLITE: &str = "SELECT f.id, substr(f.content, 1, w.value ->> 'most') FROM json_each($2) w \
             JOIN memory_files f ON f.id = w.value ->> 'id' WHERE f.org_id = $1";
        const POSTGRES: &str = "SELECT f.id, substr(f.content, 1, w.most) \
             FROM jsonb_to_recordset($2::jsonb) AS w (id text, most integer) \
             JOIN memory_files f ON f.id = w.id WHERE f.org_id = $1";
        let sql = match &self.db {
            Db::Sqlite { .. } => SQLITE,
            Db::Postgres(_) => POSTGRES,
        };
        let wanted = wanted
            .iter()
            .map(|(file, most)| json!({ "id": file.as_str(), "most": most }));
        let wanted = wanted.collect::<serde_json::Value>().to_string();
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String)>(sql)
                .bind(org.as_str())
                .bind(&wanted)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(|(file, content)| Ok((id(&file)?, content)))
            .collect()
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
                const SET: &str = "UPDATE memory_files SET words = CASE WHEN $2 = '' THEN NULL \
                     ELSE array_to_tsvector(array_append(string_to_array($2, ' '), $3)) END WHERE id = $1";
                sqlx::query(SET)
                    .bind(entry.id.as_str())
                    .bind(words)
                    .bind(token(org, &entry.owner))
                    .execute(&mut **tx)
                    .await?;
            }
        }
        Ok(())
    }
}

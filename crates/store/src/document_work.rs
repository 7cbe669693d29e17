//! The work of reading documents.
//!
//! Whoever works on a document holds a lease of its row, which is renewed; one whose lease ran out has lost it, and what it
//! writes then changes nothing. Pieces are written under a generation that has the name of the lease, and becomes the
//! document's in the last step: until then the ones before are what is found.

use crate::db::{Db, Store, StoreError, Tx, TxInner, id};
use crate::document::{Chunk, Document, Row, columns};
use quaymaster_core::Instant;
use quaymaster_core::id::DocumentId;

/// A document that somebody works on.
#[derive(Debug, Clone)]
pub struct Leased {
    pub document: Document,
    pub lease: String,
    /// This one included.
    pub attempts: i64,
}

/// Pieces of a document that were written together.
#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct Generation {
    document_id: String,
    name: String,
    /// Whether a document has them, or a worker writes them.
    pub is_used: bool,
}

impl Generation {
    /// The document that they are or were of.
    pub fn document(&self) -> Result<DocumentId, StoreError> {
        id(&self.document_id)
    }
}

impl Store {
    /// Whether other nodes may work on the same documents. A SQLite file has one server.
    pub fn is_shared(&self) -> bool {
        matches!(self.db, Db::Postgres(_))
    }

    /// Ends the leases of all documents, of every organization: for a server that has the database to itself, when it starts.
    pub async fn end_document_leases(&self) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE documents SET lease_until = 0 WHERE state = 'extracting'";
        let mut tx = self.begin().await?;
        within!(tx, conn => { sqlx::query(SQL).execute(conn).await?; });
        tx.commit().await?;
        Ok(())
    }

    /// Takes the next document that is to be read, of any organization: for the node itself. Organizations take turns,
    /// the one behind `after` being next. Those whose worker's lease ran out count as waiting.
    pub async fn lease_document(
        &self,
        after: &str,
        lease: &str,
        now: Instant,
        until: Instant,
    ) -> Result<Option<Leased>, StoreError> {
        // The condition stands there twice: of two that saw the same row, the second finds it changed (PostgreSQL).
        const SQL: &str = concat!(
            "UPDATE documents SET state = 'extracting', lease = $2, lease_until = $4, attempts = attempts + 1 \
             WHERE id = (SELECT id FROM documents WHERE state = 'queued' OR (state = 'extracting' AND lease_until < $3) \
             ORDER BY CASE WHEN org_id > $1 THEN 0 ELSE 1 END, org_id, queued_at, id LIMIT 1) \
             AND (state = 'queued' OR (state = 'extracting' AND lease_until < $3)) RETURNING ",
            columns!()
        );
        let mut tx = self.begin().await?;
        let row = within!(tx, conn => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(after)
                .bind(lease)
                .bind(now.micros())
                .bind(until.micros())
                .fetch_optional(conn)
                .await?
        });
        tx.commit().await?;
        row.map(|row| {
            Ok(Leased {
                lease: lease.to_owned(),
                attempts: row.attempts,
                document: row.try_into()?,
            })
        })
        .transpose()
    }

    /// Whether the lease is still held; then it is for longer.
    pub async fn renew_document_lease(
        &self,
        leased: &Leased,
        until: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE documents SET lease_until = $3 WHERE id = $1 AND lease = $2";
        let held = (leased.document.id.as_str(), leased.lease.as_str());
        self.begin().await?.renew_lease(SQL, held, until).await
    }

    /// Generations of pieces in the order of an index, at most `limit` behind the last one before. Nobody waits while it is read.
    pub async fn chunk_generations(
        &self,
        after: &Generation,
        limit: i64,
    ) -> Result<Vec<Generation>, StoreError> {
        const SQL: &str = "SELECT c.document_id, c.generation AS name, EXISTS (SELECT 1 FROM documents d WHERE d.id = c.document_id \
             AND (d.generation = c.generation OR d.lease = c.generation)) AS is_used \
             FROM (SELECT document_id, generation FROM document_chunks WHERE (document_id, generation) > ($1, $2) \
             GROUP BY document_id, generation ORDER BY document_id, generation LIMIT $3) AS c \
             ORDER BY c.document_id, c.generation";
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, Generation>(SQL)
                .bind(&after.document_id)
                .bind(&after.name)
                .bind(limit)
                .fetch_all(pool)
                .await?
        }))
    }

    /// Deletes up to `limit` pieces of a document that are of none of its generations: what it had before or was deleted with it,
    /// and what a worker that was killed had written. How many went.
    pub async fn sweep_chunks_of(
        &self,
        document: &DocumentId,
        limit: i64,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM document_chunks WHERE seq IN (SELECT c.seq FROM document_chunks c \
             WHERE c.document_id = $1 AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.id = c.document_id \
             AND (d.generation = c.generation OR d.lease = c.generation)) LIMIT $2)";
        let mut tx = self.begin().await?;
        let gone = within!(tx, conn => {
            sqlx::query(SQL)
                .bind(document.as_str())
                .bind(limit)
                .execute(conn)
                .await?
                .rows_affected()
        });
        tx.commit().await?;
        Ok(gone)
    }
}

impl Tx {
    /// Writes pieces under the generation that has the name of the lease.
    pub async fn add_document_chunks(
        &mut self,
        leased: &Leased,
        chunks: &[Chunk],
    ) -> Result<(), StoreError> {
        const SQLITE: &str = "INSERT INTO document_chunks (org_id, document_id, generation, n, heading, text) \
             SELECT $1, $2, $3, value ->> 'n', value ->> 'heading', value ->> 'text' FROM json_each($4)";
        const POSTGRES: &str = "INSERT INTO document_chunks (org_id, document_id, generation, n, heading, text) \
             SELECT $1, $2, $3, r.n, r.heading, r.text \
             FROM jsonb_to_recordset($4::jsonb) AS r (n bigint, heading text, text text)";
        let sql = match &self.inner {
            TxInner::Sqlite(_) => SQLITE,
            TxInner::Postgres(_) => POSTGRES,
        };
        let packed = serde_json::to_string(chunks)?;
        within!(self, conn => {
            sqlx::query(sql)
                .bind(leased.document.org.as_str())
                .bind(leased.document.id.as_str())
                .bind(&leased.lease)
                .bind(&packed)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Makes what was written under the lease what is found. `false` when the lease is another's by now.
    pub async fn document_indexed(
        &mut self,
        leased: &Leased,
        media_type: &str,
        chunks: i64,
        characters: i64,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE documents SET state = 'indexed', reason = NULL, generation = $2, lease = NULL, \
             media_type = $3, chunks = $4, characters = $5, indexed_at = $6 WHERE id = $1 AND lease = $2";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(leased.document.id.as_str())
                .bind(&leased.lease)
                .bind(media_type)
                .bind(chunks)
                .bind(characters)
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }

    /// Says why there is nothing to find. `false` when the lease is another's by now.
    pub async fn document_failed(
        &mut self,
        leased: &Leased,
        media_type: &str,
        reason: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE documents SET state = 'failed', reason = $4, generation = NULL, lease = NULL, \
             media_type = $3, chunks = 0, characters = 0, indexed_at = NULL WHERE id = $1 AND lease = $2";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(leased.document.id.as_str())
                .bind(&leased.lease)
                .bind(media_type)
                .bind(reason)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }

    /// Puts a document back that nobody could read for want of something else. `false` when the lease is another's by now.
    pub async fn give_document_back(&mut self, leased: &Leased) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE documents SET state = 'queued', lease = NULL, attempts = attempts - 1 \
             WHERE id = $1 AND lease = $2";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(leased.document.id.as_str())
                .bind(&leased.lease)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }

    /// Puts a document behind the others of its organization, with one attempt less. `false` when the lease is another's
    /// by now.
    pub async fn put_document_behind(
        &mut self,
        leased: &Leased,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE documents SET state = 'queued', lease = NULL, queued_at = $3 \
             WHERE id = $1 AND lease = $2";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(leased.document.id.as_str())
                .bind(&leased.lease)
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }
}

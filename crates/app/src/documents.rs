//! The knowledge base: documents of an organization, which its members and agents search.
//!
//! A document's bytes are on the [`Shelf`](shelf::Shelf), its row says what became of them, its text stands in pieces in the
//! database. Administrators add, replace and delete; every member reads.
//!
//! - `receive`: bytes that arrive, at once or by an [upload session](crate::uploads); `shelf`: where they lie
//! - `indexing`: the workers that read documents; `chunks`: their text in pieces
//! - `search`: what is found; `reading`: documents as resources of the protocol

pub(crate) mod chunks;
mod indexing;
mod reading;
mod receive;
mod search;
pub(crate) mod shelf;

pub use quaymaster_store::document::{Chunk, Document, DocumentFilter, DocumentUsage, State};
pub use receive::{NewDocument, Receiver};
pub use search::{Asked, Found, FoundPage};
pub use shelf::keep_documents;

pub use indexing::reason_in_words;
pub(crate) use indexing::{AT_A_TIME, Wake};
pub(crate) use reading::{has_resources, knowledge_templates};
pub(crate) use receive::{About, Arriving};

use crate::App;
use crate::actor::{Actor, Admin};
use crate::homes::blocking;
use quaymaster_core::Fault;
use quaymaster_core::id::DocumentId;
use quaymaster_store::document_work::Generation;
use serde_json::json;

/// Documents of one organization.
const MOST_DOCUMENTS: i64 = 10_000;
/// Bytes of a path or title.
const MOST_PATH: usize = 512;
const MOST_TITLE: usize = 200;
/// Pieces deleted in one transaction.
const PIECES: i64 = 500;
/// Generations of pieces that one read of the sweep looks at.
const GENERATIONS: i64 = 500;

/// What became of a document that was deleted.
#[derive(Debug, Clone)]
pub struct Deleted {
    pub document: Document,
    /// Whether its bytes went, too: another document may have the same, and a backup keeps them until it is over.
    pub bytes_removed: bool,
}

pub(crate) fn no_such() -> Fault {
    Fault::not_found("There is no such document.")
        .hint("Search, or list the documents, to see which there are.")
}

impl App {
    /// A page of the documents by path, and how many there are in all pages.
    pub async fn documents(
        &self,
        actor: &Actor,
        filter: &DocumentFilter,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Document>, i64), Fault> {
        let total = self.store.count_documents(&actor.org, filter).await?;
        let page = self.store.documents(&actor.org, filter, limit, offset);
        Ok((page.await?, total))
    }

    pub async fn document_usage(&self, actor: &Actor) -> Result<DocumentUsage, Fault> {
        Ok(self.store.document_usage(&actor.org).await?)
    }

    pub async fn document(&self, actor: &Actor, document: &DocumentId) -> Result<Document, Fault> {
        let found = self.store.document(&actor.org, document).await?;
        found.ok_or_else(no_such)
    }

    /// Pieces of its text, from number `from` on.
    pub async fn document_chunks(
        &self,
        actor: &Actor,
        document: &DocumentId,
        from: i64,
        limit: i64,
    ) -> Result<Vec<Chunk>, Fault> {
        self.document(actor, document).await?;
        let chunks = self
            .store
            .document_chunks(&actor.org, document, from, limit);
        Ok(chunks.await?)
    }

    /// Reads a document again. What is found of it until then is what it had.
    pub async fn reindex_document(
        &self,
        admin: &Admin,
        document: &DocumentId,
    ) -> Result<Document, Fault> {
        if self.requeue(admin, Some(document)).await? == 0 {
            return Err(no_such());
        }
        self.document(admin, document).await
    }

    /// Reads all documents again: how many.
    pub async fn reindex_documents(&self, admin: &Admin) -> Result<u64, Fault> {
        self.requeue(admin, None).await
    }

    async fn requeue(&self, admin: &Admin, document: Option<&DocumentId>) -> Result<u64, Fault> {
        let mut tx = self.store.begin().await?;
        let queued = tx.queue_documents(&admin.org, document, self.now()).await?;
        if queued > 0 {
            let details = json!({ "document": document, "documents": queued });
            let event = self.event(&admin.org, &admin.label, "document.requeued", details);
            tx.record(&event).await?;
        }
        tx.commit().await?;
        self.wake.all();
        Ok(queued)
    }

    /// Deletes a document with its text and, unless another has the same, its bytes.
    pub async fn delete_document(
        &self,
        admin: &Admin,
        document: &DocumentId,
    ) -> Result<Deleted, Fault> {
        let found = self.document(admin, document).await?;
        let mut tx = self.store.begin().await?;
        if !tx.delete_document(&admin.org, document).await? {
            return Err(no_such());
        }
        let details = json!({ "document": document, "path": found.path });
        let event = self.event(&admin.org, &admin.label, "document.deleted", details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        // No longer found since the commit; a crash from here on leaves work to the sweeper.
        while self.store.sweep_chunks_of(document, PIECES).await? > 0 {}
        let bytes_removed = self.drop_bytes(&found.org, &found.sha256).await?;
        Ok(Deleted {
            document: found,
            bytes_removed,
        })
    }

    /// Removes bytes that no document has any more.
    async fn drop_bytes(
        &self,
        org: &quaymaster_core::id::OrgId,
        sha256: &str,
    ) -> Result<bool, Fault> {
        // Nobody places the same bytes between the question and the removal.
        let _alone = self.shelving.lock().await;
        if self.store.document_bytes_are_used(org, sha256).await? {
            return Ok(false);
        }
        let (app, org, sha256) = (self.clone(), org.clone(), sha256.to_owned());
        blocking(move || Ok(app.shelf.remove(&org, &sha256))).await
    }

    /// Removes what a crash or a backup left behind: pieces and bytes of no document.
    pub(crate) async fn sweep_documents(&self) -> Result<(), Fault> {
        let mut last = Generation::default();
        loop {
            let page = self.store.chunk_generations(&last, GENERATIONS).await?;
            for stray in page.iter().filter(|generation| !generation.is_used) {
                let document = stray.document()?;
                while self.store.sweep_chunks_of(&document, PIECES).await? > 0 {}
            }
            match page.last() {
                Some(next) => last = next.clone(),
                None => break,
            }
        }
        let app = self.clone();
        let all = blocking(move || {
            app.shelf.all().map_err(|error| {
                tracing::warn!(%error, "the bytes of documents cannot be listed");
                Fault::internal()
            })
        });
        for (org, sha256) in all.await? {
            self.drop_bytes(&org, &sha256).await?;
        }
        Ok(())
    }
}

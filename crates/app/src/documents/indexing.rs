//! The work behind a document: its text is had from a locked worker, cut into pieces and stored.
//!
//! The queue is the table. A node holds a lease of what it works on and renews it; after kill -9 the lease runs out and somebody
//! else, or the same server started again, takes the document from its beginning.

use super::chunks::chunks;
use crate::App;
use crate::homes::blocking;
use quaymaster_connectors::clean;
use quaymaster_core::{Code, Fault};
use quaymaster_sandbox::{Extracted, Reason, Unreadable};
use quaymaster_store::document_work::Leased;
use std::time::Duration;
use tokio::sync::Notify;

/// Documents that a node works on at the same time.
pub(crate) const AT_A_TIME: usize = 2;
const LEASE_SECONDS: i64 = 30;
const RENEW: Duration = Duration::from_secs(5);
/// Looks for documents of other nodes, and for leases that ran out.
const LOOK: Duration = Duration::from_secs(2);
/// After something of ours did not work.
const PAUSE: Duration = Duration::from_secs(10);
/// A document with which the server itself was killed so often is not tried again.
const MOST_ATTEMPTS: i64 = 3;
/// Pieces written in one transaction.
const PIECES: usize = 100;

/// The reason of a document with which the server was killed again and again.
const INTERRUPTED: &str = "interrupted";

/// Tells the workers that there is something to do.
#[derive(Default)]
pub(crate) struct Wake(Notify);

impl Wake {
    pub(crate) fn all(&self) {
        for _ in 0..AT_A_TIME {
            self.0.notify_one();
        }
    }
}

impl App {
    /// Starts to read documents. For the server, not for commands beside it.
    pub async fn start_indexing(&self) -> Result<(), Fault> {
        let app = self.clone();
        blocking(move || {
            app.shelf.drop_drafts().map_err(|error| {
                tracing::error!(%error, "the drafts of documents cannot be removed");
                Fault::internal()
            })
        })
        .await?;
        self.settle_document_uploads(0).await?;
        if !self.store.is_shared() {
            // Nobody else works on them: whoever did was killed.
            self.store.end_document_leases().await?;
        }
        for _ in 0..AT_A_TIME {
            self.tasks.spawn(self.clone().index_documents());
        }
        Ok(())
    }

    async fn index_documents(self) {
        let mut last = String::new();
        loop {
            let wait = match self.index_next(&mut last).await {
                Ok(true) => continue,
                Ok(false) => LOOK,
                Err(fault) => {
                    tracing::warn!(%fault, "a document was not read");
                    PAUSE
                }
            };
            tokio::select! {
                () = self.wake.0.notified() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Works on one document; whether there was one.
    async fn index_next(&self, last: &mut String) -> Result<bool, Fault> {
        if self.stop.is_cancelled() {
            return Ok(false);
        }
        let now = self.now();
        let lease = self.fresh_call_id().to_string();
        let until = now.plus_seconds(LEASE_SECONDS);
        let leased = self.store.lease_document(last, &lease, now, until).await?;
        let Some(leased) = leased else {
            return Ok(false);
        };
        last.clear();
        last.push_str(leased.document.org.as_str());
        if leased.attempts > MOST_ATTEMPTS {
            let media_type = leased.document.media_type.clone();
            self.failed(&leased, &media_type, INTERRUPTED).await?;
            return Ok(true);
        }
        tokio::select! {
            done = self.index(&leased) => match done {
                Ok(()) => {}
                Err(fault) => {
                    let mut tx = self.store.begin().await?;
                    match fault.code {
                        // None can be read.
                        Code::SandboxUnavailable => tx.give_document_back(&leased).await?,
                        // This one cannot, for whatever reason: others come first, and it is tried so often.
                        _ => tx.put_document_behind(&leased, self.now()).await?,
                    };
                    tx.commit().await?;
                    return Err(fault);
                }
            },
            () = self.keep_lease(&leased) => {}
            () = self.stop.cancelled() => {
                let mut tx = self.store.begin().await?;
                tx.give_document_back(&leased).await?;
                tx.commit().await?;
            }
        }
        // What it had before, or what was written in vain.
        while self
            .store
            .sweep_chunks_of(&leased.document.id, super::PIECES)
            .await?
            > 0
        {}
        Ok(true)
    }

    /// Renews the lease; ends when it is lost.
    async fn keep_lease(&self, leased: &Leased) {
        loop {
            tokio::time::sleep(RENEW).await;
            let until = self.now().plus_seconds(LEASE_SECONDS);
            if let Ok(false) = self.store.renew_document_lease(leased, until).await {
                return;
            }
        }
    }

    async fn index(&self, leased: &Leased) -> Result<(), Fault> {
        let document = &leased.document;
        let (app, org, sha256) = (self.clone(), document.org.clone(), document.sha256.clone());
        let file = blocking(move || app.shelf.open(&org, &sha256)).await?;
        let size = u64::try_from(document.size).unwrap_or(0);
        let read = self.extractor.extract(file, size, &document.path).await?;
        let Extracted {
            text,
            form,
            media_type,
            ..
        } = match read {
            Ok(extracted) => extracted,
            Err(Unreadable { reason, media_type }) => {
                let media_type = media_type.unwrap_or_else(|| document.media_type.clone());
                return self.failed(leased, &media_type, code(reason)).await;
            }
        };
        let pieces = blocking(move || Ok(chunks(&clean::text(&text), form))).await?;
        if pieces.is_empty() {
            return self.failed(leased, &media_type, code(Reason::NoText)).await;
        }
        for some in pieces.chunks(PIECES) {
            let mut tx = self.store.begin().await?;
            tx.add_document_chunks(leased, some).await?;
            tx.commit().await?;
        }
        let characters: usize = pieces.iter().map(|one| one.text.chars().count()).sum();
        let mut tx = self.store.begin().await?;
        let is_ours = tx.document_indexed(
            leased,
            &media_type,
            pieces.len() as i64,
            characters as i64,
            self.now(),
        );
        if is_ours.await? {
            let details = serde_json::json!({ "document": document.id, "chunks": pieces.len() });
            tx.record(&self.event(&document.org, "indexing", "document.indexed", details))
                .await?;
        }
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    async fn failed(&self, leased: &Leased, media_type: &str, reason: &str) -> Result<(), Fault> {
        let document = &leased.document;
        let mut tx = self.store.begin().await?;
        if tx.document_failed(leased, media_type, reason).await? {
            let details = serde_json::json!({ "document": document.id, "reason": reason });
            tx.record(&self.event(&document.org, "indexing", "document.failed", details))
                .await?;
        }
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }
}

fn code(reason: Reason) -> &'static str {
    match reason {
        Reason::Unsupported => "unsupported",
        Reason::Encrypted => "encrypted",
        Reason::NoText => "no_text",
        Reason::Malformed => "malformed",
        Reason::TooLarge => "too_large",
    }
}

/// A sentence about why a document failed, and what to do.
pub fn reason_in_words(code: &str) -> &'static str {
    match code {
        "unsupported" => {
            "This kind of file is not read. Save it as PDF, docx, xlsx, pptx, HTML, Markdown, CSV or text."
        }
        "encrypted" => "It has a password. Save it without one and upload it again.",
        "no_text" => {
            "It has no text, as a scan has none. Run text recognition over it and upload the result."
        }
        "malformed" => {
            "It is damaged, or not what its format says. Open it in its program, save it anew and upload that."
        }
        "too_large" => {
            "It has more text, or needs more time or memory to read, than one document may. Split it."
        }
        _ => {
            "The server was stopped several times while it read this. Index it again, or split it."
        }
    }
}

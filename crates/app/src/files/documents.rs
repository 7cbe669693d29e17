//! Documents of a workspace, whose text agents read page by page.

use crate::App;
use crate::documents::reason_in_words;
use crate::homes::blocking;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::{Code, Fault};
use quaymaster_files::{DocumentFile, Home, ReadFile, ReadFileResult};
use quaymaster_sandbox::Extractor;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Documents that are read at the same time, beside those that are indexed.
const AT_A_TIME: usize = 2;
/// A document above this is not read.
const MOST_BYTES: u64 = 64 << 20;
/// Texts that are kept for their next pages, on disk: the files have no name.
const KEPT: usize = 16;

type Key = (WorkspaceId, String);

/// What takes text out of documents, and what it took out lately.
pub(crate) struct DocumentTexts {
    extractor: Extractor,
    kept: Mutex<VecDeque<(Key, Arc<File>)>>,
}

impl Default for DocumentTexts {
    fn default() -> Self {
        DocumentTexts {
            extractor: Extractor::new(AT_A_TIME),
            kept: Mutex::default(),
        }
    }
}

impl DocumentTexts {
    fn get(&self, key: &Key) -> Option<Arc<File>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(known, _)| known == key);
        found.map(|(_, text)| text.clone())
    }

    fn keep(&self, key: Key, text: Arc<File>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|(known, _)| *known != key);
        kept.truncate(KEPT - 1);
        kept.push_front((key, text));
    }
}

impl App {
    /// A page of a file; of a PDF or office file, a page of its text.
    pub(crate) async fn read_page(
        &self,
        workspace: &WorkspaceId,
        home: Arc<Home>,
        ask: ReadFile,
    ) -> Result<ReadFileResult, Fault> {
        let (asked, of) = (ask.clone(), home.clone());
        let Some(document) = blocking(move || of.document(&asked)).await? else {
            return blocking(move || home.read_file(&ask)).await;
        };
        let key = (workspace.clone(), document.etag.clone());
        let text = match self.document_texts.get(&key) {
            Some(text) => text,
            None => {
                let text = Arc::new(self.text_of(&document).await?);
                self.document_texts.keep(key, text.clone());
                text
            }
        };
        blocking(move || home.read_document(&ask, &document, &text)).await
    }

    async fn text_of(&self, document: &DocumentFile) -> Result<File, Fault> {
        let DocumentFile {
            path, size, mime, ..
        } = document;
        let unread = |why: &str, reason: &str| {
            Fault::new(
                Code::NotText,
                format!("{path} has no text that could be had ({mime}). {why}"),
            )
            .hint("Read its bytes with `as: base64`.")
            .detail("mime", mime.as_str())
            .detail("reason", reason)
        };
        if *size > MOST_BYTES {
            let why = format!("Documents above {MOST_BYTES} bytes are not read.");
            return Err(unread(&why, "too_large"));
        }
        let io = |error: std::io::Error| {
            tracing::warn!(%error, "the text of a document was not kept");
            Fault::internal()
        };
        let bytes = document.file.try_clone().map_err(io)?;
        let extracted = self.document_texts.extractor.extract(bytes, *size, path);
        let extracted = extracted.await?.map_err(|unreadable| {
            let reason = serde_json::to_value(unreadable.reason).unwrap_or_default();
            let reason = reason.as_str().unwrap_or_default();
            unread(reason_in_words(reason), reason)
        })?;
        blocking(move || {
            let mut file = tempfile::tempfile().map_err(io)?;
            file.write_all(extracted.text.as_bytes()).map_err(io)?;
            Ok(file)
        })
        .await
    }
}

//! PDF and office files, read as the text that somebody else takes out of them.

use crate::fault_of::fault_of;
use crate::home::Home;
use crate::jail::{Meta, open_file_at};
use crate::mime;
use crate::path::RelPath;
use crate::read::{ReadAs, ReadFile, ReadFileResult, by_bytes};
use encoding_rs::UTF_8;
use quaymaster_core::{Code, Fault};
use std::fs::File;

/// A document, open for whoever takes its text out.
#[derive(Debug)]
pub struct DocumentFile {
    pub path: String,
    pub etag: String,
    pub size: u64,
    pub mime: String,
    pub file: File,
}

/// Whether documents of that type have their text taken out.
pub(crate) fn is_document(mime: &str) -> bool {
    mime == "application/pdf" || mime.starts_with("application/vnd.openxmlformats-officedocument.")
}

impl Home {
    /// The document whose text a request asks for; none where it asks for a file as it is.
    ///
    /// `NOT_FOUND`, `IS_A_DIRECTORY`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn document(&self, ask: &ReadFile) -> Result<Option<DocumentFile>, Fault> {
        let wants_bytes = match ask.read_as {
            ReadAs::Auto => by_bytes(ask)?,
            ReadAs::Text => false,
            ReadAs::Base64 => true,
        };
        if wants_bytes {
            return Ok(None);
        }
        let path = RelPath::parse(&ask.path, "/path")?;
        let (place, _) = self.existing_file(&path)?;
        let (file, meta) = open_file_at(&place.dir, &place.name, path.as_str())?;
        let facts = self.facts(&file, &meta, None, path.as_str())?;
        let mime = mime::of(path.as_str(), &facts);
        let is_known = |etag: &String| etag.trim().trim_matches('"') == facts.etag;
        if facts.text.is_some()
            || !is_document(&mime)
            || ask.if_none_match.as_ref().is_some_and(is_known)
        {
            return Ok(None);
        }
        Ok(Some(DocumentFile {
            path: place.path.to_string(),
            etag: facts.etag.clone(),
            size: facts.size,
            mime,
            file,
        }))
    }

    /// A page of the text of a document, which stands in `text` as UTF-8.
    ///
    /// `LINE_OUT_OF_RANGE`, `INVALID_ARG`.
    pub fn read_document(
        &self,
        ask: &ReadFile,
        document: &DocumentFile,
        text: &File,
    ) -> Result<ReadFileResult, Fault> {
        let stat = rustix::fs::fstat(text).map_err(|error| fault_of(&error.into(), &ask.path))?;
        let meta = Meta::of(&stat);
        let facts = self.facts(text, &meta, Some(UTF_8), &ask.path)?;
        let found = facts.text.as_ref().ok_or_else(|| {
            Fault::new(
                Code::NotText,
                format!("{} has no text that could be had.", document.path),
            )
        })?;
        let mut page = ReadFileResult::about(&RelPath::parse(&document.path, "/path")?, &facts);
        self.page_of_text(&mut page, ask, (text, &meta), found)?;
        page.etag.clone_from(&document.etag);
        page.size = document.size;
        page.mime.clone_from(&document.mime);
        page.extracted = Some(true);
        Ok(page)
    }
}

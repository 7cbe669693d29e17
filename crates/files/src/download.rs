//! A whole file for somebody who takes it away.

use crate::fault_of::fault_of;
use crate::home::Home;
use crate::jail::open_file_at;
use crate::mime;
use crate::path::RelPath;
use crate::read::read_range;
use quaymaster_core::Fault;
use std::fs::File;

/// An open file: what is put in its place meanwhile changes nothing about it.
pub struct Download {
    file: File,
    pub path: String,
    /// Bytes.
    pub size: u64,
    pub etag: String,
    /// By its content first, then by its name.
    pub mime: String,
    pub is_text: bool,
}

impl Home {
    /// `NOT_FOUND`, `IS_A_DIRECTORY`, `INVALID_ARG`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn open_download(&self, path: &str) -> Result<Download, Fault> {
        let path = RelPath::parse(path, "/path")?;
        let (place, _) = self.existing_file(&path)?;
        let (file, meta) = open_file_at(&place.dir, &place.name, path.as_str())?;
        let facts = self.facts(&file, &meta, None, path.as_str())?;
        Ok(Download {
            path: place.path.to_string(),
            size: facts.size,
            etag: facts.etag.clone(),
            mime: mime::of(place.path.as_str(), &facts),
            is_text: facts.text.is_some(),
            file,
        })
    }
}

impl Download {
    /// The name without its directories.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The open file, from its first byte on.
    pub fn into_file(self) -> File {
        self.file
    }

    /// Bytes from there on, at most so many; none at the end.
    pub fn read(&self, at: u64, most: u64) -> Result<Vec<u8>, Fault> {
        let most = most.min(self.size.saturating_sub(at));
        read_range(&self.file, at, most).map_err(|error| fault_of(&error, &self.path))
    }
}

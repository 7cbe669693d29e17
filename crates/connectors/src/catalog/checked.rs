//! Remembers which files kept all rules, and what they say, as JSON: reading YAML takes a hundred
//! times as long, and checking it longer yet.
//!
//! A file is known by the digest of its text, so that a changed one is read again. What is
//! remembered can be deleted at any time.

use crate::definition::Definition;
use quaymaster_core::hex;
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Rises whenever files that were accepted before might not be any more.
const RULES: u32 = 1;

pub(super) struct Checked {
    folder: PathBuf,
}

impl Checked {
    pub(super) fn below(folder: &Path) -> std::io::Result<Checked> {
        let folder = folder.join(format!("{}-{RULES}", env!("CARGO_PKG_VERSION")));
        fs::create_dir_all(&folder)?;
        Ok(Checked { folder })
    }

    /// Where a file of this text is remembered, whether it is yet or not.
    pub(super) fn place_of(&self, text: &str) -> PathBuf {
        self.folder
            .join(format!("{}.json", hex(&Sha256::digest(text))))
    }

    /// Remembers, or not: the next start checks again.
    pub(super) fn remember(&self, place: &Path, definition: &Definition) {
        static DRAFTS: AtomicU64 = AtomicU64::new(0);
        let draft = self.folder.join(format!(
            "{}-{}.draft",
            std::process::id(),
            DRAFTS.fetch_add(1, Ordering::Relaxed)
        ));
        let kept = serde_json::to_vec(definition)
            .map_err(std::io::Error::from)
            .and_then(|json| fs::write(&draft, json))
            .and_then(|()| fs::rename(&draft, place));
        if let Err(error) = kept {
            tracing::debug!(%error, "a checked definition is not remembered");
            fs::remove_file(&draft).ok();
        }
    }

    /// Forgets whatever is not among these, drafts that were left behind included.
    pub(super) fn forget_others(&self, places: &HashSet<PathBuf>) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        for path in entries.map(|entry| entry.path()) {
            if !places.contains(&path) {
                fs::remove_file(path).ok();
            }
        }
    }
}

/// `None` when it cannot be read, for example because another version wrote it.
pub(super) fn recall(place: &Path) -> Option<Definition> {
    serde_json::from_slice(&fs::read(place).ok()?).ok()
}

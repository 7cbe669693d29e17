//! One edit: the file open and locked, its facts known, and how the answer is made.

use crate::etag::Wanted;
use crate::fault_of::fault_of;
use crate::home::Home;
use crate::jail::{Place, open_file_at};
use crate::lock::Held;
use crate::path::RelPath;
use crate::produce::{check_kind, require};
use crate::read::not_text;
use crate::text::{Facts, TextFacts, encoding};
use crate::write::too_large;
use encoding_rs::Encoding;
use quaymaster_core::Fault;
use schemars::JsonSchema;
use serde::Serialize;
use std::fs::File;
use std::sync::Arc;

/// Lines of the new content that an edit made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changed {
    pub start_line: u64,
    /// Inclusive; `start_line - 1` when lines were only removed.
    pub end_line: u64,
}

/// What every edit answers.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct EditOut {
    pub path: String,
    pub etag: String,
    pub old_etag: String,
    /// Bytes of the file now.
    pub size: u64,
    pub total_lines: u64,
    /// Left out when nothing changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed: Option<Changed>,
    /// Unified diff, hunks only.
    pub diff: String,
    pub diff_truncated: bool,
    /// Nothing was written.
    pub dry_run: bool,
    /// The file already was as wanted.
    pub unchanged: bool,
}

/// A text file open for one edit.
pub(crate) struct Session<'h> {
    pub(crate) home: &'h Home,
    pub(crate) place: Place,
    pub(crate) file: File,
    pub(crate) facts: Arc<Facts>,
    pub(crate) text: TextFacts,
    /// The encoding that the agent named.
    pub(crate) forced: Option<&'static Encoding>,
    wanted: Option<Wanted>,
    pub(crate) dry: bool,
    _held: Held<'h>,
}

/// What all edits ask alike.
pub(crate) struct Terms<'a> {
    pub(crate) path: &'a str,
    pub(crate) encoding: Option<&'a str>,
    pub(crate) if_match: Option<&'a str>,
    pub(crate) dry_run: bool,
    /// The largest file.
    pub(crate) largest: u64,
}

impl Home {
    pub(crate) fn edit(&self, terms: &Terms<'_>) -> Result<Session<'_>, Fault> {
        let path = RelPath::parse(terms.path, "/path")?;
        let wanted = Wanted::parse(terms.if_match, "/if_match")?;
        let forced = terms.encoding.map(encoding::by_label).transpose()?;
        let (mut place, _) = self.existing_file(&path)?;
        let held = self.hold(&mut place)?;
        if place.meta.is_none() {
            return Err(self.not_found(&path));
        }
        check_kind(&place)?;
        let (file, meta) = open_file_at(&place.dir, &place.name, path.as_str())?;
        if meta.size > terms.largest {
            return Err(too_large(meta.size, terms.largest, "write_file"));
        }
        place.meta = Some(meta);
        let facts = self.facts(&file, &meta, forced, path.as_str())?;
        let Some(text) = facts.text.clone() else {
            return Err(not_text(
                path.as_str(),
                &crate::mime::of(path.as_str(), &facts),
            ));
        };
        encoding::editable(text.encoding)?;
        let dry = terms.dry_run;
        Ok(Session {
            home: self,
            place,
            file,
            facts,
            text,
            forced,
            wanted,
            dry,
            _held: held,
        })
    }
}

impl Session<'_> {
    pub(crate) fn path(&self) -> &str {
        self.place.path.as_str()
    }

    pub(crate) fn io(&self, error: &std::io::Error) -> Fault {
        fault_of(error, self.path())
    }

    pub(crate) fn encode(&self, text: &str) -> Result<Vec<u8>, Fault> {
        encoding::encode(text, self.text.encoding)
    }

    /// `PRECONDITION_FAILED` unless `if_match` is met. To be asked once it is known that the edit
    /// changes something: an edit that is already done succeeds.
    pub(crate) fn precondition(&self) -> Result<(), Fault> {
        require(
            self.wanted.as_ref(),
            &self.place.path,
            Some(&self.facts.etag),
        )
    }

    pub(crate) fn unchanged(&self) -> EditOut {
        self.answer(&self.facts, None, crate::diff::Diff::default())
    }

    pub(crate) fn answer(
        &self,
        new: &Facts,
        changed: Option<Changed>,
        diff: crate::diff::Diff,
    ) -> EditOut {
        EditOut {
            path: self.place.path.to_string(),
            etag: new.etag.clone(),
            old_etag: self.facts.etag.clone(),
            size: new.size,
            total_lines: new.text.as_ref().map_or(0, |text| text.lines),
            changed,
            diff: diff.text,
            diff_truncated: diff.truncated,
            dry_run: self.dry,
            unchanged: changed.is_none(),
        }
    }
}

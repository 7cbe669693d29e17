//! The bytes of uploads in parts. Which sessions and parts exist is kept by the caller's database;
//! here are the staged file, its reservation, and the one rename that completes it.
//!
//! A part is durable once [`PartWriter::finish`] answered. Parts count from 0; part `n` lies at
//! `n × part_size`.
//!
//! `staging`: the staged files and their parts; `traffic`: who works on which.

mod staging;
mod traffic;

pub use staging::{PartDone, PartWriter, Staging};

use crate::atomic::FILE_MODE;
use crate::etag::{Wanted, read_through};
use crate::fault_of::{already_exists, fault_of};
use crate::home::Home;
use crate::jail::{Last, Look, open_file_at};
use crate::limits::Work;
use crate::mime;
use crate::path::RelPath;
use crate::produce::{check_kind, require};
use crate::quota::Usage;
use crate::text::Scanner;
use crate::write::too_large;
use quaymaster_core::id::UploadId;
use quaymaster_core::{Code, Fault};
use serde::Serialize;
use std::fs::File;
use std::sync::{Arc, PoisonError};

/// What an upload is to become.
#[derive(Debug, Clone)]
pub struct UploadTarget<'a> {
    pub path: &'a str,
    /// Bytes of the whole file.
    pub size: u64,
    /// Replace a file that is already there.
    pub overwrite: bool,
    /// Etag of the file to replace, or `*`.
    pub if_match: Option<&'a str>,
}

/// A completed upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompleteResult {
    pub path: String,
    pub etag: String,
    /// Of the file that was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_etag: Option<String>,
    pub size: u64,
    pub mime: String,
    pub replaced: bool,
}

impl Home {
    /// Checks the target, reserves room and stages an empty file of the full size. Answers the
    /// normalised path. Doing it again for the same id and size changes nothing.
    ///
    /// `TOO_LARGE`, `QUOTA_EXCEEDED`, `INSUFFICIENT_STORAGE`, `ALREADY_EXISTS`,
    /// `PRECONDITION_FAILED`, `IS_A_DIRECTORY`, `INVALID_ARG`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn begin_upload(&self, id: &UploadId, target: &UploadTarget<'_>) -> Result<String, Fault> {
        let path = RelPath::parse(target.path, "/path")?;
        let wanted = Wanted::parse(target.if_match, "/if_match")?;
        if target.size > self.limits.upload_max {
            return Err(too_large(
                target.size,
                self.limits.upload_max,
                "several files",
            ));
        }
        let (place, current) = match self.look(&path, Last::Follow)? {
            Look::Root => return Err(crate::fault_of::is_a_directory(path.shown())),
            Look::NoDirectory => (None, None),
            Look::At(place) => {
                check_kind(&place)?;
                let current = place.meta.and_then(|_| self.etag_at(&place));
                (Some(place), current)
            }
        };
        require(wanted.as_ref(), &path, current.as_deref())?;
        if current.is_some() && !target.overwrite {
            return Err(already_exists(path.as_str()).hint("Pass `overwrite: true` to replace it."));
        }
        if self.staging.staged(id)? == Some(target.size) {
            return Ok(path.to_string());
        }
        let room = self.room(target.size, 1)?;
        self.staging.stage(id, target.size)?;
        self.reservations().insert(id.clone(), target.size);
        room.keep();
        Ok(place.map_or(path, |place| place.path).to_string())
    }

    /// Where its uploads are until they are completed.
    pub fn staging(&self) -> &Arc<Staging> {
        &self.staging
    }

    fn reservations(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<UploadId, u64>> {
        self.reservations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Hashes the staged file and renames it into place. The caller has made sure that every part
    /// arrived, and decides about repeats: `UPLOAD_NOT_FOUND` has `details.current_etag`, which
    /// equals the expected one when an earlier call got through.
    ///
    /// `sha256` is the expected digest in hex. `ready` is told the digest just before the rename,
    /// with the place locked: whoever remembers it can say after a crash whether the rename
    /// happened; its fault ends the call with nothing changed. `CHECKSUM_MISMATCH`,
    /// `UPLOAD_INCOMPLETE` (wrong size, or a part is being written), `ALREADY_EXISTS`,
    /// `PRECONDITION_FAILED`, `IS_A_DIRECTORY`, `TIMEOUT`.
    pub fn complete_upload(
        &self,
        id: &UploadId,
        target: &UploadTarget<'_>,
        sha256: Option<&str>,
        work: &Work<'_>,
        ready: &dyn Fn(&str) -> Result<(), Fault>,
    ) -> Result<CompleteResult, Fault> {
        let path = RelPath::parse(target.path, "/path")?;
        let wanted = Wanted::parse(target.if_match, "/if_match")?;
        let _completing = self.staging.complete(id).ok_or_else(|| {
            Fault::new(Code::UploadIncomplete, "A part is still being written.")
                .hint("Wait until every part was answered, then complete the upload again.")
        })?;
        let file = match self.staging.open_staged(id) {
            Ok(file) => file,
            Err(fault) => return Err(self.with_current_etag(fault, &path)),
        };
        let facts = Arc::new(scan(&file, work)?);
        if facts.size != target.size {
            return Err(
                Fault::new(Code::UploadIncomplete, "The staged file has another size.")
                    .hint("Send the missing parts again.")
                    .detail("expected", target.size)
                    .detail("size", facts.size),
            );
        }
        let digest = facts.etag.trim_start_matches("sha256:");
        if let Some(expected) = sha256
            && !expected.eq_ignore_ascii_case(digest)
        {
            return Err(Fault::new(
                Code::ChecksumMismatch,
                "The bytes that arrived do not have the announced digest.",
            )
            .hint("Send the parts again that differ; get_upload_status has the digest of each.")
            .detail("expected", expected.to_ascii_lowercase())
            .detail("actual", digest));
        }
        let place = self.place_for_file(&path, true, false)?;
        let Some(mut place) = place else {
            return Err(self.not_found(&path));
        };
        let _held = self.hold(&mut place)?;
        check_kind(&place)?;
        let old_etag = match place.meta {
            Some(_) => {
                let (old, meta) = open_file_at(&place.dir, &place.name, path.as_str())?;
                place.meta = Some(meta);
                Some(self.facts(&old, &meta, None, path.as_str())?.etag.clone())
            }
            None => None,
        };
        require(wanted.as_ref(), &path, old_etag.as_deref())?;
        if let Some(etag) = &old_etag
            && !target.overwrite
        {
            return Err(already_exists(path.as_str())
                .hint("Begin the upload again with `overwrite: true`, or with another path.")
                .detail("current_etag", etag.as_str()));
        }
        self.usage();
        ready(digest)?;
        let meta = self.settle(&file, &self.staging.dir, id.as_str(), &place, FILE_MODE)?;
        self.staging.sync()?;
        self.facts.learn(&meta, None, Arc::clone(&facts));
        let old = place.meta.map_or(Usage::default(), |old| Usage {
            bytes: old.size,
            inodes: 1,
        });
        self.quota.adjust(
            Usage {
                bytes: meta.size,
                inodes: 1,
            },
            old,
        );
        self.release_reservation(id);
        Ok(CompleteResult {
            path: place.path.to_string(),
            etag: facts.etag.clone(),
            replaced: old_etag.is_some(),
            old_etag,
            size: facts.size,
            mime: mime::of(path.as_str(), &facts),
        })
    }

    /// Etag of the file at a path; `None` when there is no file.
    pub fn current_etag(&self, path: &str) -> Option<String> {
        let path = RelPath::parse(path, "/path").ok()?;
        match self.look(&path, Last::Follow) {
            Ok(Look::At(place)) if place.meta.is_some() => self.etag_at(&place),
            _ => None,
        }
    }

    fn with_current_etag(&self, fault: Fault, path: &RelPath) -> Fault {
        match self.current_etag(path.as_str()) {
            Some(etag) => fault.detail("current_etag", etag),
            None => fault,
        }
    }

    /// Frees what an upload staged and reserved; one that is gone is fine.
    pub fn abort_upload(&self, id: &UploadId) -> Result<(), Fault> {
        self.staging.remove(id)?;
        self.release_reservation(id);
        Ok(())
    }

    fn release_reservation(&self, id: &UploadId) {
        if let Some(bytes) = self.reservations().remove(id) {
            self.quota.release(Usage { bytes, inodes: 1 });
        }
    }

    /// Tells a freshly opened `Home` of an upload that an earlier process began.
    pub fn restore_reservation(&self, id: &UploadId, size: u64) {
        if self.reservations().insert(id.clone(), size).is_none() {
            self.quota.hold_anyway(Usage {
                bytes: size,
                inodes: 1,
            });
        }
    }

    /// Removes every staged file whose upload is not in `keep`. How many went.
    pub fn sweep_uploads(&self, keep: &[UploadId]) -> Result<u64, Fault> {
        let mut swept = 0;
        for id in self.staging.all()? {
            if !keep.contains(&id) {
                self.abort_upload(&id)?;
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// Bytes between two reports of how far a check is.
const REPORT_EVERY: u64 = 16 * 1024 * 1024;

fn scan(file: &File, work: &Work<'_>) -> Result<crate::text::Facts, Fault> {
    let mut scanner = Scanner::new(None);
    let mut stopped = false;
    let total = file.metadata().ok().map(|metadata| metadata.len());
    let (mut done, mut told) = (0, 0);
    let read = read_through(file, |chunk| {
        stopped = work.stopped();
        if stopped {
            return Err(std::io::ErrorKind::Interrupted.into());
        }
        scanner.feed(chunk);
        done += chunk.len() as u64;
        if done - told >= REPORT_EVERY {
            told = done;
            (work.report)(done, total, "Checking the bytes of the file");
        }
        Ok(())
    });
    if stopped {
        work.check()?;
        return Err(Fault::new(
            Code::Timeout,
            "The work was stopped; nothing was changed.",
        ));
    }
    read.map_err(|error| fault_of(&error, "the upload"))?;
    Ok(scanner.finish())
}

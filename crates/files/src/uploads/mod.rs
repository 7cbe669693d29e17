//! The bytes of uploads in parts. Which sessions and parts exist is kept by the caller's database;
//! here are the staged file, its reservation, and the one rename that completes it.
//!
//! A part is durable once [`PartWriter::finish`] answered. Parts count from 0; part `n` lies at
//! `n × part_size`.

mod traffic;

pub(crate) use traffic::Traffic;

use crate::atomic::FILE_MODE;
use crate::etag::{Wanted, read_through};
use crate::fault_of::{already_exists, errno_fault, fault_of, internal};
use crate::home::Home;
use crate::jail::{Last, Look, open_file_at, stat_fd};
use crate::limits::{Durability, Work};
use crate::mime;
use crate::path::RelPath;
use crate::produce::{check_kind, require};
use crate::quota::Usage;
use crate::text::Scanner;
use crate::write::too_large;
use quaymaster_core::hex;
use quaymaster_core::id::UploadId;
use quaymaster_core::{Code, Fault};
use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::Errno;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, PoisonError};
use traffic::Writing;

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

/// One part that is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartDone {
    pub n: u64,
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
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

/// Writes one part. Dropped without [`PartWriter::finish`], the part counts as missing.
pub struct PartWriter {
    file: File,
    n: u64,
    start: u64,
    size: u64,
    written: u64,
    sha: Sha256,
    durable: bool,
    _writing: Writing,
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
        if self.staged(id)? == Some(target.size) {
            return Ok(path.to_string());
        }
        let room = self.room(target.size, 1)?;
        self.stage(id, target.size)?;
        self.reservations().insert(id.clone(), target.size);
        room.keep();
        Ok(place.map_or(path, |place| place.path).to_string())
    }

    fn reservations(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<UploadId, u64>> {
        self.reservations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn stage(&self, id: &UploadId, size: u64) -> Result<(), Fault> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fault = |errno| errno_fault(errno, "the upload");
        let fd = rustix::fs::openat(&self.uploads, id.as_str(), flags, Mode::RUSR | Mode::WUSR)
            .map_err(fault)?;
        let staged = match size {
            0 => Ok(()),
            _ => match rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, size) {
                // A file system that cannot allocate ahead finds out as it goes.
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => rustix::fs::ftruncate(&fd, size),
                other => other,
            },
        };
        if let Err(errno) = staged {
            let _ = rustix::fs::unlinkat(&self.uploads, id.as_str(), AtFlags::empty());
            return Err(fault(errno));
        }
        if self.limits.durability == Durability::Full {
            rustix::fs::fsync(&fd).map_err(fault)?;
        }
        self.sync_dir(&self.uploads)
    }

    fn open_staged(&self, id: &UploadId) -> Result<File, Fault> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match rustix::fs::openat(&self.uploads, id.as_str(), flags, Mode::empty()) {
            Ok(fd) => Ok(File::from(fd)),
            Err(Errno::NOENT) => Err(not_staged(id)),
            Err(errno) => Err(errno_fault(errno, "the upload")),
        }
    }

    /// Size of the staged file; `None` when there is none (never begun, completed or aborted).
    pub fn staged(&self, id: &UploadId) -> Result<Option<u64>, Fault> {
        match self.open_staged(id) {
            Ok(file) => stat_fd(&file)
                .map(|meta| Some(meta.size))
                .map_err(|e| internal(&e)),
            Err(fault) if fault.code == Code::UploadNotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Opens part `n` for writing. `size` is that of the whole file. `UPLOAD_NOT_FOUND`,
    /// `INVALID_ARG`.
    pub fn part_writer(
        &self,
        id: &UploadId,
        n: u64,
        part_size: u64,
        size: u64,
    ) -> Result<PartWriter, Fault> {
        let (start, length) = part_range(n, part_size, size)?;
        let writing = self.traffic.write(id).ok_or_else(|| {
            Fault::new(Code::UploadNotFound, "The upload is being completed.")
                .hint("It takes no more parts; get_upload_status has the result.")
        })?;
        Ok(PartWriter {
            file: self.open_staged(id)?,
            n,
            start,
            size: length,
            written: 0,
            sha: Sha256::new(),
            durable: self.limits.durability == Durability::Full,
            _writing: writing,
        })
    }

    /// Hashes what is on disk at a part's place. `UPLOAD_NOT_FOUND`, `INVALID_ARG`.
    pub fn verify_part(
        &self,
        id: &UploadId,
        n: u64,
        part_size: u64,
        size: u64,
    ) -> Result<PartDone, Fault> {
        let (start, length) = part_range(n, part_size, size)?;
        let file = self.open_staged(id)?;
        let mut sha = Sha256::new();
        let mut at = start;
        while at < start + length {
            let want = (start + length - at).min(256 * 1024);
            let bytes = crate::read::read_range(&file, at, want)
                .map_err(|error| fault_of(&error, "the upload"))?;
            if bytes.is_empty() {
                break;
            }
            sha.update(&bytes);
            at += bytes.len() as u64;
        }
        Ok(PartDone {
            n,
            size: at - start,
            sha256: hex(&sha.finalize()),
        })
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
        let _completing = self.traffic.complete(id).ok_or_else(|| {
            Fault::new(Code::UploadIncomplete, "A part is still being written.")
                .hint("Wait until every part was answered, then complete the upload again.")
        })?;
        let file = match self.open_staged(id) {
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
        let meta = self.settle(&file, &self.uploads, id.as_str(), &place, FILE_MODE)?;
        self.sync_dir(&self.uploads)?;
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
        match rustix::fs::unlinkat(&self.uploads, id.as_str(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno_fault(errno, "the upload")),
        }
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
        for name in crate::entries::raw_names(&self.uploads).map_err(|e| internal(&e))? {
            let id: Option<UploadId> = name.to_str().ok().and_then(|name| name.parse().ok());
            let Some(id) = id.filter(|id| !keep.contains(id)) else {
                continue;
            };
            self.abort_upload(&id)?;
            swept += 1;
        }
        Ok(swept)
    }
}

impl PartWriter {
    /// Bytes that the part has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Writes the next bytes. `TOO_LARGE` when there are more than the part has;
    /// `INSUFFICIENT_STORAGE`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let more = bytes.len() as u64;
        if self.written + more > self.size {
            let message = format!("Part {} has {} bytes; more arrived.", self.n, self.size);
            return Err(Fault::new(Code::TooLarge, message)
                .hint("Send exactly the bytes of the part.")
                .detail("limit", self.size));
        }
        self.file
            .write_all_at(bytes, self.start + self.written)
            .map_err(|error| fault_of(&error, "the upload"))?;
        self.sha.update(bytes);
        self.written += more;
        Ok(())
    }

    /// Makes the part durable. `INVALID_ARG` with `details.expected` and `details.received` when
    /// fewer bytes came than the part has.
    pub fn finish(self) -> Result<PartDone, Fault> {
        if self.written < self.size {
            let message = format!(
                "Part {} has {} bytes; {} arrived.",
                self.n, self.size, self.written
            );
            return Err(Fault::invalid_arg("/body", "minLength", message)
                .hint("Send the part again, whole.")
                .detail("expected", self.size)
                .detail("received", self.written));
        }
        if self.durable {
            rustix::fs::fdatasync(&self.file).map_err(|e| errno_fault(e, "the upload"))?;
        }
        Ok(PartDone {
            n: self.n,
            size: self.size,
            sha256: hex(&self.sha.finalize()),
        })
    }
}

/// Where a part starts and how long it is.
fn part_range(n: u64, part_size: u64, size: u64) -> Result<(u64, u64), Fault> {
    let start = n
        .checked_mul(part_size)
        .filter(|start| *start < size && part_size > 0);
    let Some(start) = start else {
        return Err(
            Fault::invalid_arg("/n", "maximum", format!("There is no part {n}."))
                .hint("Parts count from 0; get_upload_status lists them."),
        );
    };
    Ok((start, part_size.min(size - start)))
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

fn not_staged(id: &UploadId) -> Fault {
    Fault::new(
        Code::UploadNotFound,
        format!("There is no open upload {id}."),
    )
    .hint("It was completed, aborted or ended. Begin another with create_upload_session.")
}

//! `copy_file`: a finished copy appears at once, a directory as much as a file.

use crate::entries::{measure, raw_names, remove_any};
use crate::etag::Wanted;
use crate::fault_of::{errno_fault, fault_of, internal, is_a_directory, not_regular};
use crate::home::Home;
use crate::jail::{EntryType, Last, Meta, Place, open_dir_at, open_file_at, stat_at};
use crate::limits::{Durability, Work};
use crate::path::{DEPTH_MAX, RelPath, addressable};
use crate::produce::require;
use crate::quota::Usage;
use crate::read::yes;
use crate::tree::rename::into_itself;
use quaymaster_core::Fault;
use rustix::fs::{Mode, OFlags, RenameFlags};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ffi::CString;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::PoisonError;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyFile {
    /// File or directory to copy, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub source: String,
    /// Path of the copy, name included.
    #[schemars(length(min = 1, max = 4096))]
    pub destination: String,
    /// Copy a directory with everything in it.
    #[serde(default)]
    pub recursive: bool,
    /// Replace a file at the destination. Directories are never replaced.
    #[serde(default)]
    pub overwrite: bool,
    /// Create missing directories of the destination.
    #[serde(default = "yes")]
    pub create_parents: bool,
    /// Copy only if the source's etag is this one (from an earlier answer); `*` = any.
    #[serde(default)]
    pub if_match: Option<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CopyFileResult {
    pub source: String,
    pub destination: String,
    /// Of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Files and links copied.
    pub files: u64,
    pub bytes: u64,
    /// Links that would point out of the workspace, pipes and the like: not copied.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(default)]
    pub skipped: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Default)]
struct Tally {
    files: u64,
    bytes: u64,
    inodes: u64,
    skipped: u64,
}

impl Home {
    /// Copies a file or, with `recursive`, a directory. `NOT_FOUND`, `ALREADY_EXISTS`,
    /// `IS_A_DIRECTORY`, `PRECONDITION_FAILED`, `QUOTA_EXCEEDED`, `INVALID_ARG`, `TIMEOUT`,
    /// `PATH_OUTSIDE_WORKSPACE`.
    pub fn copy_file(&self, ask: &CopyFile, work: &Work<'_>) -> Result<CopyFileResult, Fault> {
        let source = RelPath::parse(&ask.source, "/source")?;
        let destination = RelPath::parse(&ask.destination, "/destination")?;
        let wanted = Wanted::parse(ask.if_match.as_deref(), "/if_match")?;
        let Some((mut from, meta)) = self.existing(&source, Last::Follow)? else {
            return Err(into_itself("/destination", "copied"));
        };
        match meta.kind {
            EntryType::Directory if !ask.recursive => {
                return Err(is_a_directory(source.as_str())
                    .hint("Pass `recursive: true` to copy it with everything in it."));
            }
            EntryType::Directory if destination.within(&from.path) => {
                return Err(into_itself("/destination", "copied"));
            }
            EntryType::File | EntryType::Directory => {}
            EntryType::Symlink | EntryType::Other => return Err(not_regular(source.as_str())),
        }
        let mut to = self.destination(&destination, ask.create_parents)?;
        let _held = self.locks.hold(&[&from.key, &to.key]);
        for place in [&mut from, &mut to] {
            place.meta = stat_at(&place.dir, &place.name)
                .map_err(|errno| errno_fault(errno, place.path.as_str()))?;
        }
        if from.meta.is_none() {
            return Err(self.not_found(&source));
        }
        if wanted != Some(Wanted::Any) {
            let etag = wanted.as_ref().and_then(|_| self.etag_at(&from));
            require(wanted.as_ref(), &source, etag.as_deref())?;
        }
        if from.key == to.key {
            let message = "Source and destination are the same file.";
            return Err(Fault::invalid_arg("/destination", "not", message)
                .hint("Choose another destination."));
        }
        self.replaceable(&to, meta.kind, ask.overwrite)?;
        let (etag, tally) = if meta.kind == EntryType::Directory {
            (None, self.copy_tree(&from, &to, work)?)
        } else {
            let (etag, bytes) = self.copy_one(&from, &to)?;
            (
                Some(etag),
                Tally {
                    files: 1,
                    bytes,
                    inodes: 1,
                    skipped: 0,
                },
            )
        };
        Ok(CopyFileResult {
            source: source.to_string(),
            destination: destination.to_string(),
            etag,
            files: tally.files,
            bytes: tally.bytes,
            skipped: tally.skipped,
        })
    }

    fn copy_one(&self, from: &Place, to: &Place) -> Result<(String, u64), Fault> {
        let path = from.path.as_str();
        let (file, meta) = open_file_at(&from.dir, &from.name, path)?;
        let old = to.meta.map_or(Usage::default(), |old| Usage {
            bytes: old.size,
            inodes: 1,
        });
        let room = self.room(meta.size.saturating_sub(old.bytes), 1 - old.inodes)?;
        let mut draft = self.draft(path, None)?;
        draft.mode = meta.mode;
        clone_content(&file, &draft.file, meta.size).map_err(|error| fault_of(&error, path))?;
        let placed = draft.place_copied(to)?;
        self.quota.adjust(
            Usage {
                bytes: placed.meta.size,
                inodes: 1,
            },
            old,
        );
        drop(room);
        Ok((placed.facts.etag.clone(), placed.meta.size))
    }

    /// Builds the copy beside the tree, then renames it into place.
    fn copy_tree(&self, from: &Place, to: &Place, work: &Work<'_>) -> Result<Tally, Fault> {
        let path = from.path.as_str();
        let fault = |errno| errno_fault(errno, path);
        let c_name = CString::new(from.name.as_str()).map_err(|error| internal(&error))?;
        let sum = measure(&from.dir, &c_name).map_err(fault)?;
        let room = self.room(sum.usage.bytes, sum.usage.inodes)?;
        let name = self.draft_name();
        rustix::fs::mkdirat(&self.tmp, &name, Mode::RWXU).map_err(fault)?;
        let copied = (|| {
            let source = open_dir_at(&from.dir, &from.name).map_err(fault)?;
            let target = open_dir_at(&self.tmp, &name).map_err(fault)?;
            let mut tally = Tally {
                inodes: 1,
                ..Tally::default()
            };
            let paths = (from.path.clone(), to.path.clone());
            self.copy_inside(&source, &target, &paths, work, &mut tally)?;
            let mode = from.meta.map_or(0o755, |meta| meta.mode & 0o777);
            rustix::fs::fchmod(&target, Mode::from_raw_mode(mode)).map_err(fault)?;
            let _tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
            self.still_there(to)?;
            let flags = RenameFlags::NOREPLACE;
            rustix::fs::renameat_with(&self.tmp, &name, &to.dir, &to.name, flags)
                .map_err(|errno| errno_fault(errno, to.path.as_str()))?;
            Ok(tally)
        })();
        if copied.is_err() {
            let name = CString::new(name).unwrap_or_default();
            let _ = remove_any(&self.tmp, &name, &self.tmp);
        }
        let tally = copied?;
        self.sync_dir(&to.dir)?;
        let made = Usage {
            bytes: tally.bytes,
            inodes: tally.inodes,
        };
        self.quota.adjust(made, Usage::default());
        drop(room);
        Ok(tally)
    }

    /// `paths`: where the source is and where the copy will be.
    fn copy_inside(
        &self,
        source: &OwnedFd,
        target: &OwnedFd,
        paths: &(RelPath, RelPath),
        work: &Work<'_>,
        tally: &mut Tally,
    ) -> Result<(), Fault> {
        let fault = |errno| errno_fault(errno, paths.0.as_str());
        if paths.1.depth() >= DEPTH_MAX {
            let message = "The copy would be deeper than 64 names.";
            return Err(Fault::invalid_arg("/destination", "maxItems", message)
                .hint("Choose a destination nearer to the root."));
        }
        for raw in raw_names(source).map_err(fault)? {
            work.check()?;
            let Some(name) = addressable(&raw) else {
                tally.skipped += 1;
                continue;
            };
            let Some(meta) = stat_at(source, name).map_err(fault)? else {
                continue;
            };
            let below = (paths.0.join(name), paths.1.join(name));
            match meta.kind {
                EntryType::Directory => {
                    rustix::fs::mkdirat(target, name, Mode::RWXU).map_err(fault)?;
                    tally.inodes += 1;
                    let inner = open_dir_at(source, name).map_err(fault)?;
                    let copy = open_dir_at(target, name).map_err(fault)?;
                    self.copy_inside(&inner, &copy, &below, work, tally)?;
                    let mode = Mode::from_raw_mode(meta.mode & 0o777);
                    rustix::fs::fchmod(&copy, mode).map_err(fault)?;
                }
                EntryType::File => {
                    tally.bytes += self.copy_entry(source, target, name, &below.0)?;
                    tally.files += 1;
                    tally.inodes += 1;
                    if tally.files.is_multiple_of(REPORT_EVERY) {
                        (work.report)(tally.files, None, "Copying files");
                    }
                }
                EntryType::Symlink if copy_link(source, target, name, &paths.1) => {
                    tally.files += 1;
                    tally.inodes += 1;
                }
                EntryType::Symlink | EntryType::Other => tally.skipped += 1,
            }
        }
        if self.limits.durability == Durability::Full {
            rustix::fs::fsync(target).map_err(fault)?;
        }
        Ok(())
    }

    fn copy_entry(
        &self,
        source: impl AsFd,
        target: impl AsFd,
        name: &str,
        path: &RelPath,
    ) -> Result<u64, Fault> {
        let fault = |errno| errno_fault(errno, path.as_str());
        let (file, meta): (File, Meta) = open_file_at(source, name, path.as_str())?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(meta.mode & 0o777);
        let copy = File::from(rustix::fs::openat(target, name, flags, mode).map_err(fault)?);
        clone_content(&file, &copy, meta.size).map_err(|e| fault_of(&e, path.as_str()))?;
        rustix::fs::fchmod(&copy, mode).map_err(fault)?;
        if self.limits.durability == Durability::Full {
            rustix::fs::fdatasync(&copy).map_err(fault)?;
        }
        Ok(meta.size)
    }
}

/// Shares the blocks where the file system can, else copies inside the kernel, else by hand. At
/// most `size` bytes, even if the source grows meanwhile.
fn clone_content(from: &File, to: &File, size: u64) -> std::io::Result<()> {
    if rustix::fs::ioctl_ficlone(to, from).is_ok() {
        rustix::fs::ftruncate(to, size.min(rustix::fs::fstat(to)?.st_size.cast_unsigned()))?;
        return Ok(());
    }
    let mut at = 0;
    while at < size {
        let (mut read_at, mut write_at) = (at, at);
        let want = usize::try_from(size - at)
            .unwrap_or(usize::MAX)
            .min(1 << 30);
        match rustix::fs::copy_file_range(from, Some(&mut read_at), to, Some(&mut write_at), want) {
            Ok(0) => return Ok(()),
            Ok(copied) => at += copied as u64,
            Err(rustix::io::Errno::INTR) => {}
            Err(
                rustix::io::Errno::XDEV
                | rustix::io::Errno::INVAL
                | rustix::io::Errno::NOSYS
                | rustix::io::Errno::OPNOTSUPP,
            ) => return copy_by_hand(from, to, at, size),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn copy_by_hand(from: &File, to: &File, mut at: u64, size: u64) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    while at < size {
        let bytes = crate::read::read_range(from, at, (size - at).min(256 * 1024))?;
        if bytes.is_empty() {
            break;
        }
        to.write_all_at(&bytes, at)?;
        at += bytes.len() as u64;
    }
    Ok(())
}

/// Files between two reports of how far a copy is.
const REPORT_EVERY: u64 = 100;

/// Copies a link if, where the copy will be, it still points into the workspace.
fn copy_link(source: impl AsFd, target: impl AsFd, name: &str, directory: &RelPath) -> bool {
    let Ok(points_to) = rustix::fs::readlinkat(source, name, Vec::new()) else {
        return false;
    };
    let inside = points_to
        .to_str()
        .ok()
        .filter(|text| !text.starts_with('/'))
        .is_some_and(|text| RelPath::parse(&format!("{directory}/{text}"), "/source").is_ok());
    inside && rustix::fs::symlinkat(points_to.as_c_str(), target, name).is_ok()
}

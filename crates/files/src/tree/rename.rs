//! `move_file`: one rename, never a copy.

use crate::etag::Wanted;
use crate::fault_of::{already_exists, errno_fault};
use crate::home::Home;
use crate::jail::{EntryType, Last, Look, Place, open_file_at, stat_at, stat_fd};
use crate::path::RelPath;
use crate::produce::require;
use crate::quota::Usage;
use crate::read::yes;
use quaymaster_core::Fault;
use rustix::fs::RenameFlags;
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::PoisonError;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveFile {
    /// File, directory or symbolic link to move, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub source: String,
    /// Its new path, name included.
    #[schemars(length(min = 1, max = 4096))]
    pub destination: String,
    /// Replace a file at the destination. Directories are never replaced.
    #[serde(default)]
    pub overwrite: bool,
    /// Create missing directories of the destination.
    #[serde(default = "yes")]
    pub create_parents: bool,
    /// Move only if the source's etag is this one (from an earlier answer); `*` = any.
    #[serde(default)]
    pub if_match: Option<String>,
    /// Replace only if the destination's etag is this one; `*` = only if it exists.
    #[serde(default)]
    pub if_match_destination: Option<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct MoveFileResult {
    pub source: String,
    pub destination: String,
    /// Of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(rename = "type")]
    pub kind: EntryType,
    /// Something at the destination was replaced.
    pub replaced: bool,
}

/// Larger files are hashed only if somebody asks.
const HASH_MAX: u64 = 64 << 20;

impl Home {
    /// Moves or renames an entry. `NOT_FOUND`, `ALREADY_EXISTS`, `PRECONDITION_FAILED`,
    /// `INVALID_ARG` (into itself, the root), `NOT_A_DIRECTORY`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn move_file(&self, ask: &MoveFile) -> Result<MoveFileResult, Fault> {
        let source = RelPath::parse(&ask.source, "/source")?;
        let destination = RelPath::parse(&ask.destination, "/destination")?;
        let wanted = Wanted::parse(ask.if_match.as_deref(), "/if_match")?;
        let wanted_there =
            Wanted::parse(ask.if_match_destination.as_deref(), "/if_match_destination")?;
        let Some((mut from, meta)) = self.existing(&source, Last::Keep)? else {
            return Err(Fault::invalid_arg(
                "/source",
                "minLength",
                "The root cannot be moved.",
            ));
        };
        if meta.kind == EntryType::Directory
            && destination.within(&from.path)
            && destination != from.path
        {
            return Err(into_itself("/destination", "moved"));
        }
        let mut to = self.destination(&destination, ask.create_parents)?;
        let _held = self.locks.hold(&[&from.key, &to.key]);
        for place in [&mut from, &mut to] {
            place.meta = stat_at(&place.dir, &place.name)
                .map_err(|errno| errno_fault(errno, place.path.as_str()))?;
        }
        let Some(meta) = from.meta else {
            return Err(self.not_found(&source));
        };
        // A big file is not read just to tell its etag.
        let exact = matches!(wanted, Some(Wanted::Exactly(_)));
        let open = open_file_at(&from.dir, &from.name, source.as_str()).ok();
        let known = open.as_ref().and_then(|(file, now)| {
            let cheap = exact || now.size <= HASH_MAX || self.known_etag(now).is_some();
            cheap
                .then(|| self.facts(file, now, None, source.as_str()).ok())
                .flatten()
        });
        let etag = known.as_ref().map(|facts| facts.etag.clone());
        if wanted != Some(Wanted::Any) {
            require(wanted.as_ref(), &source, etag.as_deref())?;
        }
        let result = |replaced| MoveFileResult {
            source: source.to_string(),
            destination: destination.to_string(),
            etag: etag.clone(),
            kind: meta.kind,
            replaced,
        };
        if from.key == to.key {
            return Ok(result(false));
        }
        if wanted_there.is_some() {
            let there = to.meta.and_then(|_| self.etag_at(&to));
            require(wanted_there.as_ref(), &destination, there.as_deref())?;
        }
        self.replaceable(&to, meta.kind, ask.overwrite)?;
        self.usage();
        let freed = to.meta.map_or(Usage::default(), |old| Usage {
            bytes: if old.kind == EntryType::File {
                old.size
            } else {
                0
            },
            inodes: 1,
        });
        self.rename(&from, &to)?;
        // The rename changed the ctime; the content is the same.
        if let (Some((file, _)), Some(facts)) = (open, known)
            && let Ok(now) = stat_fd(&file)
        {
            self.facts.learn(&now, None, facts);
        }
        self.quota.adjust(Usage::default(), freed);
        Ok(result(to.meta.is_some()))
    }

    fn rename(&self, from: &Place, to: &Place) -> Result<(), Fault> {
        {
            let _tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
            self.still_there(from)?;
            self.still_there(to)?;
            let flags = match to.meta {
                Some(_) => RenameFlags::empty(),
                None => RenameFlags::NOREPLACE,
            };
            rustix::fs::renameat_with(&from.dir, &from.name, &to.dir, &to.name, flags).map_err(
                |errno| match errno {
                    // A link on the way led into the source.
                    Errno::INVAL => into_itself("/destination", "moved"),
                    errno => errno_fault(errno, to.path.as_str()),
                },
            )?;
        }
        self.sync_dir(&to.dir)?;
        self.sync_dir(&from.dir)
    }

    /// Where an entry may be put. A link at the end is not followed: it is in the way.
    pub(crate) fn destination(&self, path: &RelPath, parents: bool) -> Result<Place, Fault> {
        match self.look(path, Last::Keep)? {
            Look::At(place) => return Ok(place),
            Look::Root => return Err(already_exists(path.shown())),
            Look::NoDirectory if !parents => return Err(self.not_found(path)),
            Look::NoDirectory => {}
        }
        if let Some((above, _)) = path.split() {
            self.make_directories(&above)?;
        }
        match self.look(path, Last::Keep)? {
            Look::At(place) => Ok(place),
            _ => Err(self.not_found(path)),
        }
    }

    /// `ALREADY_EXISTS` unless what is there may be replaced by an entry of this kind.
    pub(crate) fn replaceable(
        &self,
        to: &Place,
        kind: EntryType,
        overwrite: bool,
    ) -> Result<(), Fault> {
        let Some(there) = to.meta else { return Ok(()) };
        let path = to.path.as_str();
        if there.kind == EntryType::Directory {
            return Err(already_exists(path).hint(format!(
                "It is a directory. Name the new path in full, for example {path}/name, or delete it first."
            )));
        }
        if kind == EntryType::Directory {
            return Err(
                already_exists(path).hint("A directory cannot replace a file; delete it first.")
            );
        }
        if !overwrite {
            let fault = already_exists(path).hint("Pass `overwrite: true` to replace it.");
            return Err(match self.etag_at(to) {
                Some(etag) => fault.detail("current_etag", etag),
                None => fault,
            });
        }
        Ok(())
    }
}

pub(crate) fn into_itself(pointer: &str, verb: &str) -> Fault {
    Fault::invalid_arg(
        pointer,
        "not",
        format!("A directory cannot be {verb} into itself."),
    )
    .hint("Choose a destination outside the source.")
}

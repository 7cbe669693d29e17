//! One way for every change of a file's content: room, draft, place; or only a rehearsal.

use crate::atomic::Draft;
use crate::etag::{Wanted, stale};
use crate::fault_of::{errno_fault, fault_of, internal, is_a_directory, not_regular};
use crate::home::Home;
use crate::jail::{EntryType, Last, Look, Place, stat_at};
use crate::lock::Held;
use crate::path::RelPath;
use crate::quota::Usage;
use crate::read::read_range;
use crate::text::{Facts, Scanner};
use encoding_rs::Encoding;
use quaymaster_core::Fault;
use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

/// Takes the new content, from its first byte to its last.
pub(crate) enum Out<'h> {
    Draft(Draft<'h>),
    /// Nothing is written; only the etag and the lines are found out.
    Rehearsal(Scanner),
}

impl Out<'_> {
    pub(crate) fn write(&mut self, bytes: &[u8], path: &str) -> Result<(), Fault> {
        match self {
            Out::Draft(draft) => draft.write(bytes, path),
            Out::Rehearsal(scanner) => {
                scanner.feed(bytes);
                Ok(())
            }
        }
    }

    /// Copies a range of a file in constant memory.
    pub(crate) fn copy(&mut self, from: &File, range: Range<u64>, path: &str) -> Result<(), Fault> {
        let mut at = range.start;
        while at < range.end {
            let want = (range.end - at).min(COPY_BUFFER);
            let bytes = read_range(from, at, want).map_err(|error| fault_of(&error, path))?;
            if bytes.is_empty() {
                return Err(internal(&"a file became shorter while it was copied"));
            }
            self.write(&bytes, path)?;
            at += bytes.len() as u64;
        }
        Ok(())
    }
}

const COPY_BUFFER: u64 = 256 * 1024;

impl Home {
    /// Gives the file at `place` the content that `compose` writes, `size` bytes at most; with
    /// `dry` only finds out what it would be. `forced` is the encoding an agent named. The caller
    /// holds the place's lock.
    pub(crate) fn produce(
        &self,
        place: &Place,
        dry: bool,
        forced: Option<&'static Encoding>,
        size: u64,
        compose: impl FnOnce(&mut Out<'_>) -> Result<(), Fault>,
    ) -> Result<Arc<Facts>, Fault> {
        if dry {
            let mut out = Out::Rehearsal(Scanner::new(forced));
            compose(&mut out)?;
            let Out::Rehearsal(scanner) = out else {
                return Err(Fault::internal());
            };
            return Ok(Arc::new(scanner.finish()));
        }
        let old = place.meta.map_or(Usage::default(), |meta| Usage {
            bytes: meta.size,
            inodes: 1,
        });
        let room = self.room(size.saturating_sub(old.bytes), 1 - old.inodes)?;
        let mut out = Out::Draft(self.draft(place.path.as_str(), forced)?);
        compose(&mut out)?;
        let Out::Draft(draft) = out else {
            return Err(Fault::internal());
        };
        let placed = draft.place(place)?;
        self.quota.adjust(
            Usage {
                bytes: placed.meta.size,
                inodes: 1,
            },
            old,
        );
        drop(room);
        Ok(placed.facts)
    }

    /// Where a file is or may be made, its directories made when asked for. `None`: they are
    /// missing and this is a rehearsal.
    pub(crate) fn place_for_file(
        &self,
        path: &RelPath,
        parents: bool,
        dry: bool,
    ) -> Result<Option<Place>, Fault> {
        let place = match self.look(path, Last::Follow)? {
            Look::Root => return Err(is_a_directory(path.shown())),
            Look::At(place) => place,
            Look::NoDirectory if !parents => return Err(self.not_found(path)),
            Look::NoDirectory if dry => return Ok(None),
            Look::NoDirectory => {
                if let Some((above, _)) = path.split() {
                    self.make_directories(&above)?;
                }
                match self.look(path, Last::Follow)? {
                    Look::At(place) => place,
                    _ => return Err(self.not_found(path)),
                }
            }
        };
        check_kind(&place)?;
        Ok(Some(place))
    }

    /// Takes the place's lock and looks again at what is there.
    pub(crate) fn hold<'h>(&'h self, place: &mut Place) -> Result<Held<'h>, Fault> {
        let held = self.locks.hold(&[&place.key]);
        place.meta = stat_at(&place.dir, &place.name)
            .map_err(|errno| errno_fault(errno, place.path.as_str()))?;
        Ok(held)
    }
}

/// Only regular files are written.
pub(crate) fn check_kind(place: &Place) -> Result<(), Fault> {
    match place.meta.map(|meta| meta.kind) {
        None | Some(EntryType::File) => Ok(()),
        Some(EntryType::Directory) => Err(is_a_directory(place.path.as_str())),
        Some(_) => Err(not_regular(place.path.as_str())),
    }
}

/// `PRECONDITION_FAILED` unless `wanted` is met.
pub(crate) fn require(
    wanted: Option<&Wanted>,
    path: &RelPath,
    current: Option<&str>,
) -> Result<(), Fault> {
    match wanted {
        Some(wanted) if !wanted.met_by(current) => Err(stale(path.as_str(), current)),
        _ => Ok(()),
    }
}

//! A file appears whole or not at all: written beside the tree, made durable, renamed into place.

use crate::etag::{read_through, stale};
use crate::fault_of::{errno_fault, fault_of};
use crate::home::Home;
use crate::jail::{EntryType, Meta, Place, open_file_at, stat_at, stat_fd};
use crate::limits::Durability;
use crate::text::{Facts, Scanner};
use encoding_rs::Encoding;
use quaymaster_core::{Code, Fault};
use rustix::fs::{Mode, OFlags, RenameFlags};
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::{Arc, PoisonError};

/// Permissions of a file that did not exist before.
pub(crate) const FILE_MODE: u32 = 0o644;

/// A file under way. Dropped without [`Draft::place`], it vanishes.
pub(crate) struct Draft<'h> {
    home: &'h Home,
    name: String,
    pub(crate) file: File,
    scanner: Scanner,
    forced: Option<&'static Encoding>,
    /// Permissions of the file, if it is new where it is placed.
    pub(crate) mode: u32,
    placed: bool,
}

/// A file that has just been put into place.
pub(crate) struct Placed {
    pub(crate) meta: Meta,
    pub(crate) facts: Arc<Facts>,
}

impl Home {
    pub(crate) fn draft(
        &self,
        path: &str,
        forced: Option<&'static Encoding>,
    ) -> Result<Draft<'_>, Fault> {
        let name = self.draft_name();
        let flags =
            OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.tmp, &name, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| errno_fault(errno, path))?;
        let file = File::from(fd);
        Ok(Draft {
            home: self,
            name,
            file,
            scanner: Scanner::new(forced),
            forced,
            mode: FILE_MODE,
            placed: false,
        })
    }
}

impl Draft<'_> {
    pub(crate) fn write(&mut self, bytes: &[u8], path: &str) -> Result<(), Fault> {
        self.scanner.feed(bytes);
        self.file
            .write_all(bytes)
            .map_err(|error| fault_of(&error, path))
    }

    /// Renames the draft to `place`, if what is there is still `place.meta`.
    pub(crate) fn place(mut self, place: &Place) -> Result<Placed, Fault> {
        let scanner = std::mem::replace(&mut self.scanner, Scanner::new(None));
        let facts = Arc::new(scanner.finish());
        let meta = self
            .home
            .settle(&self.file, &self.home.tmp, &self.name, place, self.mode)?;
        self.placed = true;
        self.home
            .facts
            .learn(&meta, self.forced, Arc::clone(&facts));
        Ok(Placed { meta, facts })
    }
}

impl Draft<'_> {
    /// As [`Draft::place`], for a draft that was filled past [`Draft::write`].
    pub(crate) fn place_copied(mut self, place: &Place) -> Result<Placed, Fault> {
        let mut scanner = std::mem::replace(&mut self.scanner, Scanner::new(None));
        read_through(&self.file, |chunk| {
            scanner.feed(chunk);
            Ok(())
        })
        .map_err(|error| fault_of(&error, place.path.as_str()))?;
        self.scanner = scanner;
        self.place(place)
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.placed {
            let flags = rustix::fs::AtFlags::empty();
            let _ = rustix::fs::unlinkat(&self.home.tmp, &self.name, flags);
        }
    }
}

impl Home {
    /// Makes a finished file durable and renames it from `from`/`name` to `place`.
    ///
    /// `mode` is for a file that is new there; one that is replaced keeps its own.
    ///
    /// Refuses when the place changed since it was looked at: by the tools only through another
    /// directory's move, by programs in the workspace at any time.
    pub(crate) fn settle(
        &self,
        file: &File,
        from: impl AsFd,
        name: &str,
        place: &Place,
        mode: u32,
    ) -> Result<Meta, Fault> {
        let path = place.path.as_str();
        let fault = |errno| errno_fault(errno, path);
        let mode = place.meta.map_or(mode, |meta| meta.mode) & 0o777;
        rustix::fs::fchmod(file, Mode::from_raw_mode(mode)).map_err(fault)?;
        if self.limits.durability == Durability::Full {
            rustix::fs::fdatasync(file).map_err(fault)?;
        }
        {
            let _tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
            self.still_there(place)?;
            let flags = match place.meta {
                Some(_) => RenameFlags::empty(),
                None => RenameFlags::NOREPLACE,
            };
            rustix::fs::renameat_with(from, name, &place.dir, &place.name, flags).map_err(fault)?;
        }
        self.sync_dir(&place.dir)?;
        stat_fd(file).map_err(fault)
    }

    /// Whether the place's directory is still where the path leads and its entry unchanged.
    pub(crate) fn still_there(&self, place: &Place) -> Result<(), Fault> {
        let path = place.path.as_str();
        let moved = || {
            Fault::new(
                Code::PreconditionFailed,
                format!("The directory of {path} was moved or deleted meanwhile."),
            )
            .hint("List the directory and repeat the call. Nothing was written.")
        };
        let dir = self.beneath(&place.dir_path).map_err(|_| moved())?;
        let own = stat_fd(&dir).map_err(|errno| errno_fault(errno, path))?;
        if (own.dev, own.ino) != (place.key.dev, place.key.ino) {
            return Err(moved());
        }
        let now = stat_at(&place.dir, &place.name).map_err(|errno| errno_fault(errno, path))?;
        // A directory's times change with what is in it; it stays the same directory.
        let seen = |meta: &Meta| match meta.kind {
            EntryType::Directory => (meta.dev, meta.ino, 0, 0, 0),
            _ => (meta.dev, meta.ino, meta.size, meta.mtime_ns, meta.ctime_ns),
        };
        if now.as_ref().map(seen) == place.meta.as_ref().map(seen) {
            return Ok(());
        }
        let current = now.and_then(|_| self.etag_at(place));
        Err(stale(path, current.as_deref()))
    }

    /// The etag of what is at a place now, if it is a file that can be read.
    pub(crate) fn etag_at(&self, place: &Place) -> Option<String> {
        let path = place.path.as_str();
        let (file, meta) = open_file_at(&place.dir, &place.name, path).ok()?;
        self.facts(&file, &meta, None, path)
            .ok()
            .map(|facts| facts.etag.clone())
    }
}

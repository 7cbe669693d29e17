//! Directory entries by handle: names, sums, removal. Nothing here follows a link.

use crate::jail::{EntryType, Meta, open_dir_at};
use crate::quota::Usage;
use rustix::fs::{AtFlags, Dir, RenameFlags};
use rustix::io::Errno;
use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

/// Handles held at once while a tree is removed; deeper directories are first moved up.
const REMOVE_DEPTH: usize = 32;
/// Handles held at once while a tree is measured; agents cannot make deeper ones.
const MEASURE_DEPTH: usize = 256;

/// All names in a directory but `.` and `..`, as the file system has them, unsorted.
pub(crate) fn raw_names(dir: impl AsFd) -> Result<Vec<CString>, Errno> {
    let entries = raw_entries(dir)?.into_iter();
    Ok(entries.map(|(name, _)| name).collect())
}

/// The same with what each is, where the file system says so without being asked for each.
pub(crate) fn raw_entries(dir: impl AsFd) -> Result<Vec<(CString, Option<EntryType>)>, Errno> {
    let mut entries = Vec::new();
    // Another handle, since the given one may be made with `O_PATH`, which cannot be read.
    for entry in Dir::new(open_raw(dir, c".")?)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            entries.push((name.to_owned(), EntryType::told(entry.file_type())));
        }
    }
    Ok(entries)
}

/// What lies at and beneath one entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) usage: Usage,
    /// Entries that are no directories.
    pub(crate) files: u64,
}

impl Sum {
    fn add(&mut self, meta: &Meta) {
        self.usage.inodes += 1;
        if meta.kind != EntryType::Directory {
            self.files += 1;
        }
        if meta.kind == EntryType::File {
            self.usage.bytes += meta.size;
        }
    }
}

pub(crate) fn stat_raw(dir: impl AsFd, name: &CStr) -> Result<Meta, Errno> {
    Ok(Meta::of(&rustix::fs::statat(
        dir,
        name,
        AtFlags::SYMLINK_NOFOLLOW,
    )?))
}

/// The sums of one entry and everything beneath it. What vanishes meanwhile counts nothing.
pub(crate) fn measure(dir: impl AsFd, name: &CStr) -> Result<Sum, Errno> {
    let mut sum = Sum::default();
    let meta = stat_raw(dir.as_fd(), name)?;
    sum.add(&meta);
    if meta.kind == EntryType::Directory {
        measure_inside(&open_raw(dir, name)?, MEASURE_DEPTH, &mut sum);
    }
    Ok(sum)
}

/// The sums of everything beneath an open directory, itself not counted.
pub(crate) fn measure_all(dir: impl AsFd) -> Sum {
    let mut sum = Sum::default();
    measure_inside(dir, MEASURE_DEPTH, &mut sum);
    sum
}

fn measure_inside(dir: impl AsFd, depth: usize, sum: &mut Sum) {
    let Ok(names) = raw_names(dir.as_fd()) else {
        return;
    };
    for name in names {
        let Ok(meta) = stat_raw(dir.as_fd(), &name) else {
            continue;
        };
        sum.add(&meta);
        if meta.kind == EntryType::Directory
            && depth > 0
            && let Ok(inner) = open_raw(dir.as_fd(), &name)
        {
            measure_inside(inner, depth - 1, sum);
        }
    }
}

fn open_raw(dir: impl AsFd, name: &CStr) -> Result<OwnedFd, Errno> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// Removes one entry and everything beneath it. `tmp` takes directories that lie too deep, so
/// that no depth exhausts the handles.
pub(crate) fn remove_any(dir: impl AsFd, name: &CStr, tmp: impl AsFd) -> Result<(), Errno> {
    let mut moved = Vec::new();
    remove_one(dir.as_fd(), name, tmp.as_fd(), REMOVE_DEPTH, &mut moved)?;
    while let Some(name) = moved.pop() {
        remove_one(tmp.as_fd(), &name, tmp.as_fd(), REMOVE_DEPTH, &mut moved)?;
    }
    Ok(())
}

fn remove_one(
    dir: impl AsFd,
    name: &CStr,
    tmp: impl AsFd,
    depth: usize,
    moved: &mut Vec<CString>,
) -> Result<(), Errno> {
    match rustix::fs::unlinkat(dir.as_fd(), name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    let inner = match open_raw(dir.as_fd(), name) {
        // An owner may have taken away its own right to read; the server is the owner too.
        Err(Errno::ACCESS) => {
            let mode = rustix::fs::Mode::RWXU;
            rustix::fs::chmodat(dir.as_fd(), name, mode, AtFlags::empty())?;
            open_raw(dir.as_fd(), name)?
        }
        other => other?,
    };
    for entry in raw_names(&inner)? {
        if depth > 0 {
            remove_one(&inner, &entry, tmp.as_fd(), depth - 1, moved)?;
            continue;
        }
        match rustix::fs::unlinkat(&inner, &entry, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR | Errno::PERM) => moved.push(move_up(&inner, &entry, tmp.as_fd())?),
            Err(errno) => return Err(errno),
        }
    }
    rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR)
}

fn move_up(dir: impl AsFd, name: &CStr, tmp: impl AsFd) -> Result<CString, Errno> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let free = CString::new(format!("deep-{number}")).unwrap_or_default();
        let flags = RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(dir.as_fd(), name, tmp.as_fd(), &free, flags) {
            Ok(()) => return Ok(free),
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Whether a directory has no entries.
pub(crate) fn is_empty(dir: impl AsFd, name: &str) -> Result<bool, Errno> {
    Ok(raw_names(open_dir_at(dir, name)?)?.is_empty())
}

//! From a path to an open directory and a name in it, without ever leaving the home directory.
//!
//! Directories are opened beneath the home's handle (`openat2` with `RESOLVE_BENEATH`, by
//! cap-std), so links may lead anywhere inside and nowhere else. The last name is then used
//! relative to the open directory and never followed: whoever swaps a directory for a link while
//! we work changes nothing about the directory that we hold.

use crate::fault_of::{
    errno_fault, fault_of, is_a_directory, not_a_directory, not_regular, outside,
};
use crate::home::Home;
use crate::lock::PlaceKey;
use crate::path::RelPath;
use cap_std::fs::Dir;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault, Instant};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;
use std::fs::File;
use std::os::fd::AsFd;
use std::sync::Arc;
use unicode_normalization::UnicodeNormalization;

/// Links followed one after the other, at most.
const LINKS_MAX: usize = 16;

/// What an entry is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum EntryType {
    File,
    Directory,
    Symlink,
    /// A pipe, socket or device: listed, never opened.
    Other,
}

impl EntryType {
    fn of(kind: FileType) -> EntryType {
        match kind {
            FileType::RegularFile => EntryType::File,
            FileType::Directory => EntryType::Directory,
            FileType::Symlink => EntryType::Symlink,
            _ => EntryType::Other,
        }
    }

    /// What a directory says of an entry; some file systems say nothing.
    pub(crate) fn told(kind: FileType) -> Option<EntryType> {
        (kind != FileType::Unknown).then(|| EntryType::of(kind))
    }
}

/// What `stat` says, as far as we use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) kind: EntryType,
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) size: u64,
    pub(crate) mtime_ns: i128,
    pub(crate) ctime_ns: i128,
    pub(crate) mode: u32,
}

impl Meta {
    pub(crate) fn of(stat: &Stat) -> Meta {
        let kind = EntryType::of(FileType::from_raw_mode(stat.st_mode));
        let nanos =
            |seconds: i64, nanos: u64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Meta {
            kind,
            dev: stat.st_dev,
            ino: stat.st_ino,
            size: stat.st_size.cast_unsigned(),
            mtime_ns: nanos(stat.st_mtime, stat.st_mtime_nsec),
            ctime_ns: nanos(stat.st_ctime, stat.st_ctime_nsec),
            mode: stat.st_mode & 0o7777,
        }
    }

    pub(crate) fn modified(&self) -> Instant {
        Instant::from_micros((self.mtime_ns / 1000) as i64)
    }
}

/// A name in an open directory.
pub(crate) struct Place {
    /// As the agent knows it.
    pub(crate) path: RelPath,
    /// The directory's path; links and `..` in it are resolved by the kernel at each use.
    pub(crate) dir_path: String,
    pub(crate) dir: Arc<Dir>,
    pub(crate) name: String,
    pub(crate) key: PlaceKey,
    /// What is there; `None`: nothing.
    pub(crate) meta: Option<Meta>,
}

/// Whether a symbolic link at the end of a path stands for what it points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    Follow,
    Keep,
}

pub(crate) enum Look {
    /// The workspace's root itself.
    Root,
    /// Its directory exists.
    At(Place),
    /// Its directory does not exist.
    NoDirectory,
}

pub(crate) fn stat_at(dir: impl AsFd, name: &str) -> Result<Option<Meta>, Errno> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Meta::of(&stat))),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

pub(crate) fn stat_fd(fd: impl AsFd) -> Result<Meta, Errno> {
    Ok(Meta::of(&rustix::fs::fstat(fd)?))
}

/// Opens a directory by one name, not through a link.
pub(crate) fn open_dir_at(dir: impl AsFd, name: &str) -> Result<std::os::fd::OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::empty())
}

/// Opens a regular file by one name, not through a link, and without waiting for a pipe's writer.
pub(crate) fn open_file_at(dir: impl AsFd, name: &str, path: &str) -> Result<(File, Meta), Fault> {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(dir, name, flags, Mode::empty())
        .map_err(|errno| errno_fault(errno, path))?;
    let meta = stat_fd(&fd).map_err(|errno| errno_fault(errno, path))?;
    match meta.kind {
        EntryType::File => Ok((File::from(fd), meta)),
        EntryType::Directory => Err(is_a_directory(path)),
        _ => Err(not_regular(path)),
    }
}

impl Home {
    /// A directory of the workspace.
    pub(crate) fn directory(&self, path: &RelPath) -> Result<Arc<Dir>, std::io::Error> {
        self.beneath(path.as_str())
    }

    /// A directory by a path that may hold `..`, which the kernel keeps beneath the home.
    pub(crate) fn beneath(&self, path: &str) -> Result<Arc<Dir>, std::io::Error> {
        if path.is_empty() {
            return Ok(Arc::clone(&self.home));
        }
        self.home.open_dir(path).map(Arc::new)
    }

    /// Finds what a path names. A name that is absent but has exactly one canonically equal twin
    /// (Unicode NFC) stands for the twin; two twins are `AMBIGUOUS`.
    pub(crate) fn look(&self, path: &RelPath, last: Last) -> Result<Look, Fault> {
        let found = self.look_exactly(path, last)?;
        let absent = match &found {
            Look::At(place) => place.meta.is_none(),
            Look::NoDirectory => true,
            Look::Root => false,
        };
        if absent
            && !path.as_str().is_ascii()
            && let Some(twin) = self.twin(path)?
        {
            return self.look_exactly(&twin, last);
        }
        Ok(found)
    }

    fn look_exactly(&self, path: &RelPath, last: Last) -> Result<Look, Fault> {
        let Some((dir_path, name)) = path.split() else {
            return Ok(Look::Root);
        };
        let dir = match self.directory(&dir_path) {
            Ok(dir) => dir,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Look::NoDirectory);
            }
            Err(error) => return Err(fault_of(&error, path.as_str())),
        };
        let meta = stat_at(&dir, name).map_err(|errno| errno_fault(errno, path.as_str()))?;
        let place = place_of(path, dir_path.as_str(), dir, name, meta)?;
        if last == Last::Follow && meta.is_some_and(|meta| meta.kind == EntryType::Symlink) {
            return self.look_through(path, place);
        }
        Ok(Look::At(place))
    }

    /// What a symbolic link at the end of `path` stands for. Each step opens the directory that
    /// the link names beneath the home's handle; the kernel resolves `..` on the way.
    fn look_through(&self, path: &RelPath, link: Place) -> Result<Look, Fault> {
        let fault = |errno| errno_fault(errno, path.as_str());
        let mut place = link;
        for _ in 0..LINKS_MAX {
            let target =
                rustix::fs::readlinkat(&place.dir, &place.name, Vec::new()).map_err(fault)?;
            let target = target.to_str().map_err(|_| outside(path.as_str()))?;
            if target.starts_with('/') {
                return Err(outside(path.as_str()));
            }
            let target = target.trim_end_matches('/');
            let (head, name) = target.rsplit_once('/').unwrap_or(("", target));
            if matches!(name, "" | "." | "..") {
                return self.look_at_directory(path, &format!("{}/{target}", place.dir_path));
            }
            let dir_path = format!("{}/{head}", place.dir_path);
            let dir_path = dir_path.trim_matches('/');
            let dir = self.beneath(dir_path).map_err(|error| match error.kind() {
                std::io::ErrorKind::NotFound => dangling(path),
                _ => fault_of(&error, path.as_str()),
            })?;
            let meta = stat_at(&dir, name).map_err(fault)?;
            place = place_of(path, dir_path, dir, name, meta)?;
            match meta.map(|meta| meta.kind) {
                Some(EntryType::Symlink) => {}
                Some(_) => return Ok(Look::At(place)),
                None => return Err(dangling(path)),
            }
        }
        Err(outside(path.as_str()))
    }

    /// A link whose text ends in `..` means a directory by its place, not by a name.
    fn look_at_directory(&self, path: &RelPath, target: &str) -> Result<Look, Fault> {
        let real = self
            .home
            .canonicalize(target.trim_start_matches('/'))
            .map_err(|error| fault_of(&error, path.as_str()))?;
        let real = RelPath::parse(real.to_str().unwrap_or(".."), "/path")?;
        match self.look_exactly(&real, Last::Keep)? {
            Look::At(place) => Ok(Look::At(Place {
                path: path.clone(),
                ..place
            })),
            other => Ok(other),
        }
    }

    /// An existing entry; `NOT_FOUND` with suggestions otherwise. The root is `None`.
    pub(crate) fn existing(
        &self,
        path: &RelPath,
        last: Last,
    ) -> Result<Option<(Place, Meta)>, Fault> {
        match self.look(path, last)? {
            Look::Root => Ok(None),
            Look::At(place) => match place.meta {
                Some(meta) => Ok(Some((place, meta))),
                None => Err(self.not_found(path)),
            },
            Look::NoDirectory => Err(self.not_found(path)),
        }
    }

    /// An existing regular file.
    pub(crate) fn existing_file(&self, path: &RelPath) -> Result<(Place, Meta), Fault> {
        let Some((place, meta)) = self.existing(path, Last::Follow)? else {
            return Err(is_a_directory(path.shown()));
        };
        match meta.kind {
            EntryType::File => Ok((place, meta)),
            EntryType::Directory => Err(is_a_directory(path.as_str())),
            EntryType::Symlink | EntryType::Other => Err(not_regular(path.as_str())),
        }
    }

    /// An existing directory, open.
    pub(crate) fn existing_directory(&self, path: &RelPath) -> Result<(RelPath, Arc<Dir>), Fault> {
        let path = match self.existing(path, Last::Follow)? {
            None => return Ok((RelPath::ROOT, Arc::clone(&self.home))),
            Some((place, meta)) if meta.kind == EntryType::Directory => place.path,
            Some(_) => return Err(not_a_directory(path.as_str())),
        };
        let dir = self
            .directory(&path)
            .map_err(|error| fault_of(&error, path.as_str()))?;
        Ok((path, dir))
    }

    /// The path with each absent name replaced by its only canonically equal twin.
    fn twin(&self, path: &RelPath) -> Result<Option<RelPath>, Fault> {
        let mut at = RelPath::ROOT;
        for name in path.names() {
            let Ok(dir) = self.directory(&at) else {
                return Ok(None);
            };
            if matches!(stat_at(&dir, name), Ok(Some(_))) {
                at = at.join(name);
                continue;
            }
            let wanted: String = name.nfc().collect();
            let mut twins = names_in(&dir, usize::MAX);
            twins.retain(|other| other.nfc().eq(wanted.chars()));
            match twins.as_slice() {
                [] => return Ok(None),
                [one] => at = at.join(one),
                many => {
                    let shown: Vec<_> = many.iter().map(|name| at.join(name).to_string()).collect();
                    return Err(Fault::new(
                        Code::Ambiguous,
                        format!("Two names in {} look like {name}.", at.shown()),
                    )
                    .hint("They differ only in Unicode form; rename one with its exact name.")
                    .detail("candidates", shown));
                }
            }
        }
        Ok((at != *path).then_some(at))
    }

    /// `NOT_FOUND` with at most three paths that could be meant.
    pub(crate) fn not_found(&self, path: &RelPath) -> Fault {
        let mut at = RelPath::ROOT;
        let mut names = path.names();
        let mut missing = None;
        for name in names.by_ref() {
            let next = at.join(name);
            if self.home.symlink_metadata(next.as_str()).is_err() {
                missing = Some(name);
                break;
            }
            at = next;
        }
        let rest: Vec<&str> = names.collect();
        let fault = Fault::not_found(format!("There is nothing at {}.", path.shown()));
        let (Some(missing), Ok(dir)) = (missing, self.directory(&at)) else {
            return fault;
        };
        let known = names_in(&dir, 2_000);
        let close = did_you_mean(missing, known.iter().map(String::as_str), 3);
        let close: Vec<String> = close
            .iter()
            .map(|name| {
                rest.iter()
                    .fold(at.join(name), |at, name| at.join(name))
                    .to_string()
            })
            .collect();
        match close.first() {
            Some(first) => fault
                .hint(format!("Did you mean {first}?"))
                .detail("did_you_mean", close),
            None => fault.hint(format!("list_files of {} shows what is there.", at.shown())),
        }
    }
}

fn place_of(
    path: &RelPath,
    dir_path: &str,
    dir: Arc<Dir>,
    name: &str,
    meta: Option<Meta>,
) -> Result<Place, Fault> {
    let own = stat_fd(&dir).map_err(|errno| errno_fault(errno, path.as_str()))?;
    let key = PlaceKey {
        dev: own.dev,
        ino: own.ino,
        name: name.to_owned(),
    };
    let (path, dir_path) = (path.clone(), dir_path.to_owned());
    Ok(Place {
        path,
        dir_path,
        dir,
        name: name.to_owned(),
        key,
        meta,
    })
}

fn dangling(path: &RelPath) -> Fault {
    Fault::not_found(format!("{path} is a symbolic link that points to nothing."))
        .hint("Delete the link, or create what it points to.")
}

/// Names in a directory that an agent can use, at most `most`.
pub(crate) fn names_in(dir: &Dir, most: usize) -> Vec<String> {
    let raw = crate::entries::raw_names(dir).unwrap_or_default();
    let usable = raw
        .iter()
        .take(most)
        .filter_map(|name| crate::path::addressable(name));
    let mut names: Vec<String> = usable.map(str::to_owned).collect();
    names.sort_unstable();
    names
}

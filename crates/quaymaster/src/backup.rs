//! `backup`: the database and all files in one archive, while the server runs.
//!
//! The database is copied first, so every file it knows of is there or newer; the bytes of documents are kept until the archive is
//! whole, also of those that are replaced or deleted meanwhile. The key-encryption
//! key is not in the archive: whoever has the archive alone cannot open what is sealed in it.

use crate::config::Config;
use crate::{open, output};
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use quaymaster_app::documents::keep_documents;
use quaymaster_core::clock::{Entropy as _, SystemEntropy};
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Read, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::signal::unix::{SignalKind, signal};

/// First entry of every archive.
pub(crate) const MANIFEST: &str = "quaymaster-backup.json";
pub(crate) const FORMAT: u64 = 1;
/// The database's name in the archive.
pub(crate) const DATABASE: &str = "quaymaster.db";
/// What of a workspace's directory is kept. Open uploads are not: their parts can be sent again.
pub(crate) const KEPT: [&str; 2] = ["home", "trash"];
/// The bytes of documents: below it a directory for each organization, with files whose names are digests.
pub(crate) const DOCUMENTS: &str = "documents";
/// The database's copy in the data directory has a name that begins so.
const COPY: &str = "backup.db";
const STOPPED: &str = "stopped; no archive was written";
/// Files up to this size are read in one go, so that one that shrinks meanwhile does no harm.
const READ_WHOLE: u64 = 1 << 20;

/// A file that disappears unless it is finished, also when the work is stopped.
struct Draft {
    path: PathBuf,
    file: File,
    finished: bool,
}

impl Draft {
    /// Beside the target, under a name of its own: several may be written at once.
    fn beside(target: &Path) -> anyhow::Result<Draft> {
        let mut random = [0; 8];
        SystemEntropy.fill(&mut random);
        let mut name = target
            .file_name()
            .with_context(|| format!("{} is no name for a file", target.display()))?
            .to_owned();
        name.push(format!(".part-{:016x}", u64::from_ne_bytes(random)));
        let path = target.with_file_name(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("{} cannot be made", path.display()))?;
        // Shows others that somebody works on it; not every file system can.
        let _ = file.try_lock();
        Ok(Draft {
            path,
            file,
            finished: false,
        })
    }

    /// Gives the file its name, but takes it from no other.
    fn finish(mut self, target: &Path) -> anyhow::Result<()> {
        let exists = || anyhow::anyhow!("{} exists already", target.display());
        self.file.sync_all()?;
        match renameat_with(CWD, &self.path, CWD, target, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST) => return Err(exists()),
            // The file system or the kernel does not know the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                anyhow::ensure!(target.symlink_metadata().is_err(), exists());
                std::fs::rename(&self.path, target)?;
            }
            Err(error) => return Err(error.into()),
        }
        self.finished = true;
        let directory = target.parent().filter(|path| !path.as_os_str().is_empty());
        match File::open(directory.unwrap_or(Path::new(".")))?.sync_all() {
            // Some network file systems do not sync directories.
            Err(error) if error.kind() != ErrorKind::InvalidInput => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

pub(crate) async fn backup(config: &Config, target: &Path, as_json: bool) -> anyhow::Result<()> {
    anyhow::ensure!(
        target.symlink_metadata().is_err(),
        "{} exists already",
        target.display()
    );
    let mut interrupt = signal(SignalKind::interrupt())?;
    let store = open::store_in_use(config).await?;
    let _kept = keep_documents(&config.data)?;
    let copy = draft_of_copy(&config.data)?;
    let copied = tokio::select! {
        copied = store.copy_to(&copy.path) => copied?,
        _ = interrupt.recv() => anyhow::bail!(STOPPED),
    };
    anyhow::ensure!(
        copied,
        "the database is PostgreSQL: back it up with pg_dump, and the directories {} and {} with your own tools",
        config.data.join("workspaces").display(),
        config.data.join(DOCUMENTS).display()
    );
    let key_id = store.verify_keys().await?.key_id;
    store.close().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut work = {
        let (config, target, stop) = (config.clone(), target.to_owned(), stop.clone());
        tokio::task::spawn_blocking(move || write_archive(&config, &copy, &target, &key_id, &stop))
    };
    let files = tokio::select! {
        done = &mut work => done??,
        _ = interrupt.recv() => {
            stop.store(true, Ordering::Relaxed);
            work.await??
        }
    };
    output::print(
        as_json,
        &json!({ "file": target, "files": files }),
        &format!(
            "Wrote {files} files to {}. Keep the key file apart from it.",
            target.display()
        ),
    );
    Ok(())
}

/// Makes the file for the database's copy, and removes what a killed backup left behind.
fn draft_of_copy(data: &Path) -> anyhow::Result<Draft> {
    // One at a time, so that none takes another's file for left behind before it is locked.
    let directory = File::open(data)?;
    directory.lock()?;
    for entry in std::fs::read_dir(data)? {
        let name = entry?.file_name();
        let Some(name) = name.to_str() else { continue };
        // SQLite's journal belongs to the copy, which somebody may be making.
        let copy = name.strip_suffix("-journal").unwrap_or(name);
        let is_copy = copy
            .strip_prefix(COPY)
            .is_some_and(|rest| rest.starts_with(".part-"));
        let in_use = || File::open(data.join(copy)).is_ok_and(|file| file.try_lock().is_err());
        if is_copy && !in_use() {
            let _ = std::fs::remove_file(data.join(name));
        }
    }
    Draft::beside(&data.join(COPY))
}

fn write_archive(
    config: &Config,
    copy: &Draft,
    target: &Path,
    key_id: &str,
    stop: &AtomicBool,
) -> anyhow::Result<usize> {
    let mut all = files_below(&config.data.join("workspaces"))?;
    all.extend(document_files(&config.data.join(DOCUMENTS))?);
    let draft = Draft::beside(target)?;
    let mut archive = Archive {
        tar: tar::Builder::new(BufWriter::with_capacity(1 << 20, draft.file.try_clone()?)),
        stop,
    };
    let manifest = json!({
        "format": FORMAT,
        "version": env!("CARGO_PKG_VERSION"),
        "key_id": key_id,
    })
    .to_string();
    archive.append_bytes(MANIFEST.as_ref(), 0, manifest.as_bytes())?;
    archive.append_file(DATABASE.as_ref(), &mut File::open(&copy.path)?)?;
    let mut count = 0;
    let bar = progress(all.len());
    for path in &all {
        let name = path.strip_prefix(&config.data)?;
        let appended = archive
            .append_entry(name, path)
            .with_context(|| format!("{} cannot be backed up", path.display()));
        anyhow::ensure!(!stop.load(Ordering::Relaxed), STOPPED);
        count += usize::from(appended?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    archive.tar.into_inner()?.flush()?;
    draft.finish(target)?;
    Ok(count)
}

/// A bar on a terminal, nothing elsewhere.
pub(crate) fn progress(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} files {eta}") {
        bar.set_style(style);
    }
    bar
}

/// Directories, files and links that are kept, parents first. What is deleted meanwhile is left out.
fn files_below(workspaces: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = Vec::new();
    for workspace in entries(workspaces)? {
        let workspace = workspace?.path();
        open.extend(
            KEPT.iter()
                .map(|part| workspace.join(part))
                .filter(|path| path.is_dir()),
        );
    }
    while let Some(directory) = open.pop() {
        found.push(directory.clone());
        for entry in entries(&directory)? {
            let entry = entry?;
            let Some(kind) = unless_gone(entry.file_type())? else {
                continue;
            };
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() || kind.is_symlink() {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// The bytes of documents. Those that still arrive are not kept.
fn document_files(documents: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for org in entries(documents)? {
        for entry in entries(&org?.path())? {
            let path = entry?.path();
            if path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(is_digest)
            {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn is_digest(name: &str) -> bool {
    name.len() == 64
        && name
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// None of a directory that is gone.
fn entries(
    directory: &Path,
) -> anyhow::Result<impl Iterator<Item = std::io::Result<std::fs::DirEntry>>> {
    let entries = unless_gone(std::fs::read_dir(directory))
        .with_context(|| format!("{} cannot be read", directory.display()))?;
    Ok(entries.into_iter().flatten())
}

fn unless_gone<T>(done: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

struct Archive<'a, W: std::io::Write> {
    tar: tar::Builder<W>,
    stop: &'a AtomicBool,
}

impl<W: std::io::Write> Archive<'_, W> {
    /// `false` when it is gone.
    fn append_entry(&mut self, name: &Path, path: &Path) -> anyhow::Result<bool> {
        let Some(metadata) = unless_gone(path.symlink_metadata())? else {
            return Ok(false);
        };
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o700);
        header.set_size(0);
        if metadata.is_symlink() {
            let Some(leads_to) = unless_gone(std::fs::read_link(path))? else {
                return Ok(false);
            };
            header.set_entry_type(tar::EntryType::Symlink);
            self.tar.append_link(&mut header, name, leads_to)?;
        } else if metadata.is_dir() {
            header.set_entry_type(tar::EntryType::Directory);
            self.tar.append_data(&mut header, name, std::io::empty())?;
        } else if metadata.is_file() {
            // Neither follows a link nor waits at a pipe that took the file's place.
            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            let opened = OpenOptions::new()
                .read(true)
                .custom_flags(flags.bits().cast_signed())
                .open(path);
            let Some(mut file) = unless_gone(opened)? else {
                return Ok(false);
            };
            self.append_file(name, &mut file)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn append_file(&mut self, name: &Path, file: &mut File) -> anyhow::Result<()> {
        let metadata = file.metadata()?;
        anyhow::ensure!(metadata.is_file(), "it is no file any more");
        let size = metadata.len();
        let modified = metadata.mtime().max(0).cast_unsigned();
        if size <= READ_WHOLE {
            let mut content = Vec::with_capacity(size as usize);
            file.take(size).read_to_end(&mut content)?;
            return self.append_bytes(name, modified, &content);
        }
        let steady = Steady {
            file,
            left: size,
            stop: self.stop,
        };
        self.append(name, modified, size, steady)
    }

    fn append_bytes(&mut self, name: &Path, modified: u64, bytes: &[u8]) -> anyhow::Result<()> {
        self.append(name, modified, bytes.len() as u64, bytes)
    }

    fn append(
        &mut self,
        name: &Path,
        modified: u64,
        size: u64,
        data: impl Read,
    ) -> anyhow::Result<()> {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_mtime(modified);
        header.set_size(size);
        self.tar.append_data(&mut header, name, data)?;
        Ok(())
    }
}

/// Exactly the bytes that the file had when it was opened. The server replaces files by renaming,
/// so an open one stands still; others on the machine may cut it off, and its entry in the archive
/// would swallow the following ones.
struct Steady<'a> {
    file: &'a mut File,
    left: u64,
    stop: &'a AtomicBool,
}

impl Read for Steady<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(std::io::Error::other(STOPPED));
        }
        let count = self.file.take(self.left).read(buffer)?;
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(std::io::Error::other(
                "it became shorter while it was read; back up again",
            ));
        }
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_becomes_shorter_while_it_is_read_is_not_taken_for_whole() {
        let path = std::env::temp_dir().join(format!("shrinks-{}", std::process::id()));
        std::fs::write(&path, "0123456789").unwrap();
        let mut file = File::open(&path).unwrap();
        let stop = AtomicBool::new(false);
        let mut steady = Steady {
            file: &mut file,
            left: 10,
            stop: &stop,
        };
        let mut buffer = [0; 4];
        assert_eq!(steady.read(&mut buffer).unwrap(), 4);
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(6)
            .unwrap();
        let error = steady.read_to_end(&mut Vec::new()).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(error.to_string().contains("shorter"), "{error}");
    }
}

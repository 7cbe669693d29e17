//! `restore`: an archive of `backup` into an empty data directory.
//!
//! An archive may come from anywhere. What it may hold is what a backup writes: the database, and
//! below `workspaces/<id>/home` and `…/trash` directories, plain files and links, and files
//! `documents/<id>/<digest>`. Nothing is written through a link, and nothing over another.

use crate::backup::{DATABASE, DOCUMENTS, FORMAT, KEPT, MANIFEST, is_digest, progress};
use crate::config::Config;
use crate::{open, output};
use anyhow::Context as _;
use quaymaster_core::id::{OrgId, WorkspaceId};
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, ErrorKind, Read};
use std::os::unix::fs::{OpenOptionsExt as _, symlink};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};
use tar::EntryType;

/// What is in the data directory besides the database.
const DIRECTORIES: [&str; 2] = ["workspaces", DOCUMENTS];
/// In the directory of an unfinished restore: from here on these directories are the restore's own.
const MOVING: &str = "moving";
/// An archive ends with two empty blocks (POSIX.1-2017 pax, "ustar Interchange Format").
const BLOCK: u64 = 512;
/// A manifest is a line.
const MOST_MANIFEST: u64 = 64 * 1024;

pub(crate) fn restore(config: &Config, file: &Path, as_json: bool) -> anyhow::Result<()> {
    anyhow::ensure!(
        config.database_url.is_none(),
        "an archive holds a SQLite database; restore PostgreSQL with pg_restore"
    );
    open::make_data_directory(&config.data)?;
    let _lock = open::lock(config)?;
    let beside = config.data.join(open::RESTORE);
    let directories = DIRECTORIES.map(|name| config.data.join(name));
    if open::restore_was_cut_off(config) {
        // Its files are whole, but the archive may be another this time.
        if beside.join(MOVING).exists() {
            for directory in &directories {
                remove_directory(directory)?;
            }
        }
    }
    remove_directory(&beside)?;
    check_empty(config, &directories)?;
    // Unpacked beside, then moved: a restore that is cut off leaves no half of a server behind.
    std::fs::create_dir(&beside)?;
    let unpacked = unpack(file, &beside);
    let (files, key_id) = match unpacked {
        Ok(done) => done,
        Err(error) => {
            remove_directory(&beside)?;
            return Err(error);
        }
    };
    // Everything is on the disk before anything has its name.
    rustix::fs::syncfs(File::open(&beside)?)?;
    File::create(beside.join(MOVING))?.sync_all()?;
    sync_directory(&beside)?;
    for name in DIRECTORIES {
        if beside.join(name).is_dir() {
            std::fs::rename(beside.join(name), config.data.join(name))?;
        }
    }
    sync_directory(&config.data)?;
    // The database comes last: with it the data directory counts as whole.
    std::fs::rename(beside.join(DATABASE), config.database_file())?;
    sync_directory(&config.data)?;
    remove_directory(&beside)?;
    output::print(
        as_json,
        &json!({ "files": files, "key_id": key_id, "data": config.data }),
        &format!(
            "Restored {files} files to {}.\nPut the key file with the id {key_id} there as {} before you start the server.",
            config.data.display(),
            config.key_file().display()
        ),
    );
    Ok(())
}

fn check_empty(config: &Config, directories: &[PathBuf]) -> anyhow::Result<()> {
    let database = config.database_file();
    // SQLite would work a left-over log into the restored database.
    let beside_it = ["-wal", "-shm", "-journal"].map(|end| {
        let mut name = database.clone().into_os_string();
        name.push(end);
        PathBuf::from(name)
    });
    for there in [&database].into_iter().chain(directories).chain(&beside_it) {
        anyhow::ensure!(
            there.symlink_metadata().is_err(),
            "{} exists already; restore into an empty data directory",
            there.display()
        );
    }
    Ok(())
}

fn remove_directory(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", path.display()))
        }
        _ => Ok(()),
    }
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}

fn unpack(file: &Path, into: &Path) -> anyhow::Result<(usize, String)> {
    let archive =
        File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
    let length = archive.metadata()?.len();
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, archive));
    let mut entries = archive.entries()?;
    let first = entries
        .next()
        .context("the archive is empty")?
        .context("this is no archive")?;
    anyhow::ensure!(
        first.path()?.as_os_str() == MANIFEST,
        "this is no archive of quaymaster backup"
    );
    let mut text = String::new();
    first.take(MOST_MANIFEST).read_to_string(&mut text)?;
    let manifest: Value = serde_json::from_str(&text)?;
    anyhow::ensure!(
        manifest["format"] == json!(FORMAT),
        "the archive is of another format; use the version that made it: {}",
        manifest["version"]
    );
    let mut unpacker = Unpacker {
        into,
        checked: PathBuf::new(),
    };
    let mut files = 0;
    let mut end = 0;
    let bar = progress(0);
    for entry in entries {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        unpacker
            .unpack(&mut entry, &path)
            .with_context(|| format!("the archive's entry {}", path.display()))?;
        end = entry.raw_file_position() + entry.size().next_multiple_of(BLOCK);
        files += 1;
        bar.inc_length(1);
        bar.inc(1);
    }
    bar.finish_and_clear();
    anyhow::ensure!(
        length >= end + 2 * BLOCK,
        "the archive ends too early: it is not whole"
    );
    anyhow::ensure!(
        into.join(DATABASE).is_file(),
        "the archive ends before its database: it is not whole"
    );
    // The database is counted, too.
    Ok((
        files - 1,
        manifest["key_id"].as_str().unwrap_or_default().to_owned(),
    ))
}

struct Unpacker<'a> {
    into: &'a Path,
    /// The parent that was found to be a directory, down from `into`. Nothing replaces it.
    checked: PathBuf,
}

impl Unpacker<'_> {
    fn unpack(&mut self, entry: &mut tar::Entry<'_, impl Read>, path: &Path) -> anyhow::Result<()> {
        let kind = entry.header().entry_type();
        check_place(path, kind)?;
        self.make_parents(path)?;
        let target = self.into.join(path);
        match target.symlink_metadata() {
            Ok(there) if there.is_dir() && kind == EntryType::Directory => return Ok(()),
            Ok(_) => anyhow::bail!("is there twice"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
        match kind {
            EntryType::Directory => std::fs::create_dir(&target)?,
            EntryType::Symlink => {
                let leads_to = entry.link_name()?.context("is a link to nothing")?;
                symlink(leads_to, &target)?;
            }
            _ => {
                let mut file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&target)?;
                let size = entry.size();
                let modified = Duration::from_secs(entry.header().mtime()?);
                let copied = std::io::copy(entry, &mut file)?;
                anyhow::ensure!(copied == size, "is cut off: the archive is not whole");
                if let Some(modified) = SystemTime::UNIX_EPOCH.checked_add(modified) {
                    file.set_modified(modified)?;
                }
            }
        }
        Ok(())
    }

    fn make_parents(&mut self, path: &Path) -> anyhow::Result<()> {
        let parent = path.parent().unwrap_or(Path::new(""));
        if parent == self.checked {
            return Ok(());
        }
        let mut at = self.into.to_owned();
        for part in parent {
            at.push(part);
            match at.symlink_metadata() {
                Ok(there) => anyhow::ensure!(there.is_dir(), "lies below what is no directory"),
                Err(error) if error.kind() == ErrorKind::NotFound => std::fs::create_dir(&at)?,
                Err(error) => return Err(error.into()),
            }
        }
        self.checked = parent.to_owned();
        Ok(())
    }
}

/// Whether a backup writes an entry of this kind there.
fn check_place(path: &Path, kind: EntryType) -> anyhow::Result<()> {
    let refused = "does not belong there";
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()),
            _ => anyhow::bail!("{refused}: it leads out of the archive"),
        }
    }
    let fits = match parts[..] {
        [Some(DATABASE)] => kind == EntryType::Regular,
        [Some("workspaces" | DOCUMENTS)] => kind == EntryType::Directory,
        [Some("workspaces"), Some(id), ref below @ ..] => {
            let is_id = id.parse::<WorkspaceId>().is_ok();
            let is_kept = below
                .first()
                .is_none_or(|part| part.is_some_and(|part| KEPT.contains(&part)));
            let is_kind = match kind {
                EntryType::Directory => true,
                EntryType::Regular | EntryType::Symlink => below.len() > 1,
                _ => false,
            };
            is_id && is_kept && is_kind
        }
        [Some(DOCUMENTS), Some(id), Some(name)] => {
            id.parse::<OrgId>().is_ok() && is_digest(name) && kind == EntryType::Regular
        }
        _ => false,
    };
    anyhow::ensure!(fits, refused);
    Ok(())
}

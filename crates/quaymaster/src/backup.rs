//! `backup`: the database and all files in one archive, while the server runs.
//!
//! The database is copied first, so every file it knows of is there or newer. The key-encryption
//! key is not in the archive: whoever has the archive alone cannot open what is sealed in it.

use crate::config::Config;
use crate::{open, output};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// First entry of every archive.
pub(crate) const MANIFEST: &str = "quaymaster-backup.json";
pub(crate) const FORMAT: u64 = 1;
/// The database's name in the archive.
pub(crate) const DATABASE: &str = "quaymaster.db";
/// What of a workspace's directory is kept. Open uploads are not: their parts can be sent again.
const KEPT: [&str; 2] = ["home", "trash"];

/// A file that disappears unless it is finished, also when the work is stopped.
struct Draft {
    path: PathBuf,
    finished: bool,
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

pub(crate) async fn backup(config: &Config, target: &Path, as_json: bool) -> anyhow::Result<()> {
    anyhow::ensure!(!target.exists(), "{} exists already", target.display());
    let store = open::store(config).await?;
    let copy = Draft {
        path: config.data.join("backup.db.part"),
        finished: false,
    };
    let _ = std::fs::remove_file(&copy.path);
    anyhow::ensure!(
        store.copy_to(&copy.path).await?,
        "the database is PostgreSQL: back it up with pg_dump, and the directory {} with your own tools",
        config.data.join("workspaces").display()
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
        _ = tokio::signal::ctrl_c() => {
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

fn write_archive(
    config: &Config,
    copy: &Draft,
    target: &Path,
    key_id: &str,
    stop: &AtomicBool,
) -> anyhow::Result<usize> {
    let all = files_below(&config.data.join("workspaces"))?;
    let mut draft = Draft {
        path: target.with_extension("part"),
        finished: false,
    };
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft.path)?;
    let mut archive = tar::Builder::new(BufWriter::with_capacity(1 << 20, file));
    let manifest = json!({
        "format": FORMAT,
        "version": env!("CARGO_PKG_VERSION"),
        "key_id": key_id,
    })
    .to_string();
    append(
        &mut archive,
        MANIFEST.as_ref(),
        manifest.len() as u64,
        manifest.as_bytes(),
    )?;
    let mut database = File::open(&copy.path)?;
    let size = database.metadata()?.len();
    append(&mut archive, DATABASE.as_ref(), size, &mut database)?;
    let bar = progress(all.len());
    for path in &all {
        anyhow::ensure!(
            !stop.load(Ordering::Relaxed),
            "stopped; no archive was written"
        );
        append_entry(&mut archive, &config.data, path)?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut writer = archive.into_inner()?;
    writer.flush()?;
    writer.get_ref().sync_all()?;
    // Not over a file that appeared meanwhile.
    std::fs::hard_link(&draft.path, target)?;
    std::fs::remove_file(&draft.path)?;
    draft.finished = true;
    Ok(all.len())
}

/// A bar on a terminal, nothing elsewhere.
pub(crate) fn progress(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} files {eta}") {
        bar.set_style(style);
    }
    bar
}

/// Directories, files and links that are kept, parents first.
fn files_below(workspaces: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !workspaces.is_dir() {
        return Ok(found);
    }
    let mut open: Vec<PathBuf> = Vec::new();
    for workspace in std::fs::read_dir(workspaces)? {
        let workspace = workspace?.path();
        open.extend(
            KEPT.iter()
                .map(|part| workspace.join(part))
                .filter(|path| path.is_dir()),
        );
    }
    while let Some(directory) = open.pop() {
        found.push(directory.clone());
        // Somebody may delete it meanwhile.
        let Ok(entries) = std::fs::read_dir(&directory) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            let Ok(kind) = entry.file_type() else {
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

fn append_entry<W: std::io::Write>(
    archive: &mut tar::Builder<W>,
    data: &Path,
    path: &Path,
) -> anyhow::Result<()> {
    let name = path.strip_prefix(data)?;
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return Ok(());
    };
    if metadata.is_file() {
        // Files change by renaming a finished one over them, so an open one stands still.
        let Ok(mut file) = File::open(path) else {
            return Ok(());
        };
        let size = file.metadata()?.len();
        return append(archive, name, size, &mut file);
    }
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o700);
    header.set_size(0);
    if metadata.is_symlink() {
        header.set_entry_type(tar::EntryType::Symlink);
        archive.append_link(&mut header, name, std::fs::read_link(path)?)?;
    } else {
        header.set_entry_type(tar::EntryType::Directory);
        archive.append_data(&mut header, name, std::io::empty())?;
    }
    Ok(())
}

fn append<W: std::io::Write>(
    archive: &mut tar::Builder<W>,
    name: &Path,
    size: u64,
    data: impl std::io::Read,
) -> anyhow::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    header.set_size(size);
    archive.append_data(&mut header, name, data.take(size))?;
    Ok(())
}

//! The bytes of documents on disk: `<data>/documents/<organization>/<sha256>`, each content once.
//!
//! Bytes come as a draft, are synced, and get their name when they are whole. A row refers to bytes that are there: they are placed
//! before it is written, and removed after the last one is gone, unless a backup is under way, whose copy of the database may still
//! have it. What stays for that, and what a crash leaves between, the sweep removes.

use quaymaster_core::id::OrgId;
use quaymaster_core::{Code, Fault, hex};
use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Beside the names of digests, which are as long as a digest.
const DRAFTS: &str = "drafts";

/// Beside the directories of organizations: what arrives by upload sessions.
const UPLOADS: &str = "uploads";

/// In the data directory: whoever holds it, with others, finds all bytes in their places; whoever removes some holds it alone.
const LOCK: &str = "documents.lock";

pub(crate) struct Shelf {
    root: PathBuf,
    lock: PathBuf,
}

/// Keeps the bytes of all documents in their places until the file is closed: those of every row that a copy of the database has
/// which is made meanwhile. Blocking.
pub fn keep_documents(data: &Path) -> io::Result<File> {
    let file = lock_file(&data.join(LOCK))?;
    file.lock_shared()?;
    Ok(file)
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

/// Bytes that arrive. Dropped without [`Draft::place`], they vanish.
pub(super) struct Draft {
    path: PathBuf,
    directory: PathBuf,
    file: File,
    digest: Sha256,
    pub(super) size: i64,
    placed: bool,
}

impl Shelf {
    pub(crate) fn new(data: &Path) -> Shelf {
        Shelf {
            root: data.join("documents"),
            lock: data.join(LOCK),
        }
    }

    /// Where the staged files of upload sessions are.
    pub(crate) fn uploads(&self) -> PathBuf {
        self.root.join(UPLOADS)
    }

    fn of(&self, org: &OrgId) -> PathBuf {
        self.root.join(org.as_str())
    }

    /// Blocking, as all below. `name` is nobody else's.
    pub(super) fn draft(&self, org: &OrgId, name: &str) -> Result<Draft, Fault> {
        let directory = self.of(org);
        let drafts = directory.join(DRAFTS);
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&drafts);
        made.map_err(|error| fault_of(&error))?;
        let path = drafts.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| fault_of(&error))?;
        Ok(Draft {
            path,
            directory,
            file,
            digest: Sha256::new(),
            size: 0,
            placed: false,
        })
    }

    pub(super) fn open(&self, org: &OrgId, sha256: &str) -> Result<File, Fault> {
        File::open(self.of(org).join(sha256)).map_err(|error| fault_of(&error))
    }

    /// Removes bytes; none there is fine. `false` when they stay for a backup.
    pub(super) fn remove(&self, org: &OrgId, sha256: &str) -> bool {
        // Where the file system has no locks there is no backup, either.
        let lock = lock_file(&self.lock);
        if let Ok(lock) = &lock
            && matches!(lock.try_lock(), Err(TryLockError::WouldBlock))
        {
            return false;
        }
        match fs::remove_file(self.of(org).join(sha256)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(%error, %org, sha256, "the bytes of a deleted document stay");
            }
            _ => {}
        }
        true
    }

    /// Drops what nobody was able to finish. To be called before there are drafts.
    pub(super) fn drop_drafts(&self) -> io::Result<()> {
        for org in entries(&self.root)? {
            match fs::remove_dir_all(org.join(DRAFTS)) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// All bytes that there are: organization and digest.
    pub(super) fn all(&self) -> io::Result<Vec<(OrgId, String)>> {
        let mut found = Vec::new();
        for directory in entries(&self.root)? {
            let name = |path: &Path| Some(path.file_name()?.to_str()?.to_owned());
            let Some(org) = name(&directory).and_then(|org| org.parse::<OrgId>().ok()) else {
                continue;
            };
            let files = entries(&directory)?
                .into_iter()
                .filter_map(|path| name(&path));
            let digests = files.filter(|name| name.len() == 64);
            found.extend(digests.map(|digest| (org.clone(), digest)));
        }
        Ok(found)
    }
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

impl Draft {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.digest.update(bytes);
        self.size += bytes.len() as i64;
        self.file.write_all(bytes).map_err(|error| fault_of(&error))
    }

    /// Makes the bytes durable: their digest.
    pub(super) fn sync(&mut self) -> Result<String, Fault> {
        self.file.sync_all().map_err(|error| fault_of(&error))?;
        Ok(hex(&std::mem::take(&mut self.digest).finalize()))
    }

    /// Gives synced bytes their name. The same bytes may be there already.
    pub(super) fn place(mut self, sha256: &str) -> Result<(), Fault> {
        let done = fs::rename(&self.path, self.directory.join(sha256))
            .and_then(|()| File::open(&self.directory)?.sync_all());
        done.map_err(|error| fault_of(&error))?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The cause goes to the log.
fn fault_of(error: &io::Error) -> Fault {
    tracing::error!(%error, "the bytes of a document");
    if matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded
    ) {
        return Fault::new(Code::InsufficientStorage, "The server's disk is full.")
            .hint("Tell the operator; nothing was changed.");
    }
    Fault::new(
        Code::Unavailable,
        "The document's bytes cannot be reached at the moment.",
    )
    .hint("Try again in a few seconds.")
}

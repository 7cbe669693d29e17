//! One workspace's storage on disk.

use crate::etag::FactsCache;
use crate::fault_of::{errno_fault, fault_of, internal};
use crate::limits::{Durability, Limits};
use crate::lock::Locks;
use crate::quota::Quota;
use crate::uploads::Staging;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt};
use quaymaster_core::id::UploadId;
use quaymaster_core::{Clock, Entropy, Fault};
use rustix::fs::{FlockOperation, OFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};

/// One workspace's files: what the tools see, and beside it the trash, open uploads and drafts.
///
/// On disk `home/`, `trash/`, `uploads/` and `tmp/` in one directory of one file system. One
/// `Home` serves a workspace at a time: its locks are in memory.
#[expect(
    clippy::struct_field_names,
    reason = "the directory is called so on disk"
)]
pub struct Home {
    pub(crate) home: Arc<Dir>,
    pub(crate) trash: Dir,
    pub(crate) staging: Arc<Staging>,
    pub(crate) tmp: Dir,
    pub(crate) limits: Limits,
    /// Begins as that of the limits; an administrator changes it while the home is open.
    pub(crate) quota_bytes: AtomicU64,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) locks: Locks,
    /// Read while a finished file is renamed into place, written while a directory moves.
    pub(crate) tree: RwLock<()>,
    pub(crate) trash_lock: Mutex<()>,
    pub(crate) quota: Quota,
    pub(crate) facts: FactsCache,
    /// Bytes that each open upload has reserved.
    pub(crate) reservations: Mutex<HashMap<UploadId, u64>>,
    /// Holds a shared lock on `tmp/` for as long as drafts may be there.
    _lease: OwnedFd,
}

impl Home {
    /// Opens a workspace's storage at `root` on the host, and makes what is missing (mode 0700).
    pub fn open(
        root: &Path,
        limits: Limits,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Home, Fault> {
        let unusable = |error: std::io::Error| {
            tracing::error!(%error, root = %root.display(), "cannot open a workspace's storage");
            fault_of(&error, "the workspace's storage")
        };
        Dir::create_ambient_dir_all(root, ambient_authority()).map_err(unusable)?;
        let root = Dir::open_ambient_dir(root, ambient_authority()).map_err(unusable)?;
        let part = |name: &str| {
            let mut builder = DirBuilder::new();
            builder.mode(0o700);
            match root.create_dir_with(name, &builder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(unusable(error)),
                _ => root.open_dir(name).map_err(unusable),
            }
        };
        let tmp = part("tmp")?;
        let lease = clear_drafts(&tmp)?;
        Ok(Home {
            home: Arc::new(part("home")?),
            trash: part("trash")?,
            staging: Arc::new(Staging::of(part("uploads")?, limits.durability)),
            tmp,
            quota_bytes: AtomicU64::new(limits.quota_bytes),
            limits,
            clock,
            entropy,
            locks: Locks::new(),
            tree: RwLock::new(()),
            trash_lock: Mutex::new(()),
            quota: Quota::default(),
            facts: FactsCache::default(),
            reservations: Mutex::new(HashMap::new()),
            _lease: lease,
        })
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A fresh name for something in `tmp/`.
    pub(crate) fn draft_name(&self) -> String {
        let mut random = [0; 12];
        self.entropy.fill(&mut random);
        quaymaster_core::hex(&random)
    }

    /// Makes a directory's entries durable, as the limits ask.
    pub(crate) fn sync_dir(&self, dir: &Dir) -> Result<(), Fault> {
        sync_dir(dir, self.limits.durability)
    }
}

/// Makes a directory's entries durable, unless that was not asked for.
pub(crate) fn sync_dir(dir: &Dir, durability: Durability) -> Result<(), Fault> {
    if durability == Durability::Relaxed {
        return Ok(());
    }
    readable(dir)
        .and_then(rustix::fs::fsync)
        .map_err(|errno| internal(&errno))
}

/// The same directory, for what a handle made with `O_PATH` cannot do.
fn readable(dir: &Dir) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, ".", flags, rustix::fs::Mode::empty())
}

/// Removes drafts that a crash left behind, unless another `Home` is using the directory.
fn clear_drafts(tmp: &Dir) -> Result<OwnedFd, Fault> {
    let fault = |errno| errno_fault(errno, "the workspace's storage");
    let lease = readable(tmp).map_err(fault)?;
    if rustix::fs::flock(&lease, FlockOperation::NonBlockingLockExclusive).is_ok() {
        for name in crate::entries::raw_names(tmp).map_err(fault)? {
            crate::entries::remove_any(tmp, &name, tmp).map_err(fault)?;
        }
    }
    rustix::fs::flock(&lease, FlockOperation::NonBlockingLockShared).map_err(fault)?;
    Ok(lease)
}

//! One workspace's storage on disk.

use crate::etag::FactsCache;
use crate::fault_of::{errno_fault, fault_of, internal};
use crate::limits::Limits;
use crate::lock::Locks;
use crate::quota::Quota;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt};
use quaymaster_core::id::UploadId;
use quaymaster_core::{Clock, Entropy, Fault};
use rustix::fs::{FlockOperation, OFlags};
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};

/// One workspace's files: what the tools see, and beside it the trash, open uploads and drafts.
///
/// On disk `home/`, `trash/`, `uploads/` and `tmp/` in one directory of one file system. One
/// `Home` serves a workspace at a time: its locks are in memory.
pub struct Home {
    pub(crate) home: Arc<Dir>,
    pub(crate) trash: Dir,
    pub(crate) uploads: Dir,
    pub(crate) tmp: Dir,
    pub(crate) limits: Limits,
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
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
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
        let home = Home {
            home: Arc::new(part("home")?),
            trash: part("trash")?,
            uploads: part("uploads")?,
            tmp,
            limits,
            clock,
            entropy,
            locks: Locks::new(),
            tree: RwLock::new(()),
            trash_lock: Mutex::new(()),
            quota: Quota::default(),
            facts: FactsCache::default(),
            reservations: Mutex::new(HashMap::new()),
        };
        home.clear_drafts()?;
        Ok(home)
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Removes drafts that a crash left behind, unless another `Home` holds the directory.
    fn clear_drafts(&self) -> Result<(), Fault> {
        let storage = "the workspace's storage";
        if rustix::fs::flock(&self.tmp, FlockOperation::NonBlockingLockExclusive).is_ok() {
            for name in crate::tree::raw_names(&self.tmp).map_err(|e| errno_fault(e, storage))? {
                crate::tree::remove_any(&self.tmp, &name, &self.tmp)
                    .map_err(|errno| errno_fault(errno, storage))?;
            }
        }
        rustix::fs::flock(&self.tmp, FlockOperation::NonBlockingLockShared)
            .map_err(|errno| errno_fault(errno, storage))
    }

    /// A fresh name for something in `tmp/`.
    pub(crate) fn draft_name(&self) -> String {
        let mut random = [0; 12];
        self.entropy.fill(&mut random);
        crate::text::scan::hex(&random)
    }

    /// Makes a directory's entries durable, as the limits ask.
    pub(crate) fn sync_dir(&self, dir: &Dir) -> Result<(), Fault> {
        if self.limits.durability == crate::limits::Durability::Relaxed {
            return Ok(());
        }
        // cap-std opens directories with O_PATH, which cannot be synced.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let open = rustix::fs::openat(dir, ".", flags, rustix::fs::Mode::empty());
        open.and_then(rustix::fs::fsync).map_err(|errno| internal(&errno))
    }
}

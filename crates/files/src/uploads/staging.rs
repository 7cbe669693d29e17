//! Files that uploads fill, each as large as it is to be, in a directory of their own.

use super::traffic::{Completing, Traffic, Writing};
use crate::fault_of::{errno_fault, fault_of, internal};
use crate::home::sync_dir;
use crate::jail::stat_fd;
use crate::limits::Durability;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use quaymaster_core::id::UploadId;
use quaymaster_core::{Code, Fault, hex};
use rustix::fs::{AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::Errno;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::Path;

/// One part that is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartDone {
    pub n: u64,
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
}

/// Writes one part. Dropped without [`PartWriter::finish`], the part counts as missing.
pub struct PartWriter {
    file: File,
    n: u64,
    start: u64,
    size: u64,
    written: u64,
    sha: Sha256,
    durable: bool,
    _writing: Writing,
}

/// A directory of files that are being uploaded, by the ids of their sessions. There is one for a directory at a time: who
/// writes to what is known in memory.
pub struct Staging {
    pub(super) dir: Dir,
    traffic: Traffic,
    durability: Durability,
}

impl Staging {
    /// Opens a directory on the host, and makes it (mode 0700) with those above it. What it acknowledges is durable.
    pub fn open(path: &Path) -> Result<Staging, Fault> {
        let unusable = |error: std::io::Error| {
            tracing::error!(%error, path = %path.display(), "cannot open a directory of uploads");
            fault_of(&error, "the storage of uploads")
        };
        let mut builder = std::fs::DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(path);
        made.map_err(unusable)?;
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(unusable)?;
        Ok(Staging::of(dir, Durability::Full))
    }

    pub(crate) fn of(dir: Dir, durability: Durability) -> Staging {
        Staging {
            dir,
            traffic: Traffic::default(),
            durability,
        }
    }

    /// Makes a file of the full size. `INSUFFICIENT_STORAGE`, and then there is none.
    pub fn stage(&self, id: &UploadId, size: u64) -> Result<(), Fault> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fault = |errno| errno_fault(errno, "the upload");
        let fd = rustix::fs::openat(&self.dir, id.as_str(), flags, Mode::RUSR | Mode::WUSR)
            .map_err(fault)?;
        let staged = match size {
            0 => Ok(()),
            _ => match rustix::fs::fallocate(&fd, FallocateFlags::empty(), 0, size) {
                // A file system that cannot allocate ahead finds out as it goes.
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => rustix::fs::ftruncate(&fd, size),
                other => other,
            },
        };
        if let Err(errno) = staged {
            let _ = rustix::fs::unlinkat(&self.dir, id.as_str(), AtFlags::empty());
            return Err(fault(errno));
        }
        if self.durability == Durability::Full {
            rustix::fs::fsync(&fd).map_err(fault)?;
        }
        self.sync()
    }

    /// Makes the names of the files durable, if that was asked for.
    pub(super) fn sync(&self) -> Result<(), Fault> {
        sync_dir(&self.dir, self.durability)
    }

    /// A file whose parts are all there, for reading. `UPLOAD_NOT_FOUND`.
    pub fn open_staged(&self, id: &UploadId) -> Result<File, Fault> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match rustix::fs::openat(&self.dir, id.as_str(), flags, Mode::empty()) {
            Ok(fd) => Ok(File::from(fd)),
            Err(Errno::NOENT) => Err(not_staged(id)),
            Err(errno) => Err(errno_fault(errno, "the upload")),
        }
    }

    /// Size of the staged file; `None` when there is none (never begun, completed or aborted).
    pub fn staged(&self, id: &UploadId) -> Result<Option<u64>, Fault> {
        match self.open_staged(id) {
            Ok(file) => stat_fd(&file)
                .map(|meta| Some(meta.size))
                .map_err(|e| internal(&e)),
            Err(fault) if fault.code == Code::UploadNotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Opens part `n` for writing. `size` is that of the whole file. `UPLOAD_NOT_FOUND`,
    /// `INVALID_ARG`.
    pub fn part_writer(
        &self,
        id: &UploadId,
        n: u64,
        part_size: u64,
        size: u64,
    ) -> Result<PartWriter, Fault> {
        let (start, length) = part_range(n, part_size, size)?;
        let writing = self.traffic.write(id).ok_or_else(|| {
            Fault::new(Code::UploadNotFound, "The upload is being completed.")
                .hint("It takes no more parts; get_upload_status has the result.")
        })?;
        Ok(PartWriter {
            file: self.open_staged(id)?,
            n,
            start,
            size: length,
            written: 0,
            sha: Sha256::new(),
            durable: self.durability == Durability::Full,
            _writing: writing,
        })
    }

    /// Keeps parts out until it is dropped; none while one is being written.
    pub(super) fn complete(&self, id: &UploadId) -> Option<Completing> {
        self.traffic.complete(id)
    }

    /// Removes a file; one that is gone is fine.
    pub fn remove(&self, id: &UploadId) -> Result<(), Fault> {
        match rustix::fs::unlinkat(&self.dir, id.as_str(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno_fault(errno, "the upload")),
        }
    }

    /// The sessions that have a file.
    pub fn all(&self) -> Result<Vec<UploadId>, Fault> {
        let names = crate::entries::raw_names(&self.dir).map_err(|e| internal(&e))?;
        let ids = names
            .iter()
            .filter_map(|name| name.to_str().ok()?.parse::<UploadId>().ok());
        Ok(ids.collect())
    }
}

impl PartWriter {
    /// Bytes that the part has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Writes the next bytes. `TOO_LARGE` when there are more than the part has;
    /// `INSUFFICIENT_STORAGE`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let more = bytes.len() as u64;
        if self.written + more > self.size {
            let message = format!("Part {} has {} bytes; more arrived.", self.n, self.size);
            return Err(Fault::new(Code::TooLarge, message)
                .hint("Send exactly the bytes of the part.")
                .detail("limit", self.size));
        }
        self.file
            .write_all_at(bytes, self.start + self.written)
            .map_err(|error| fault_of(&error, "the upload"))?;
        self.sha.update(bytes);
        self.written += more;
        Ok(())
    }

    /// Makes the part durable. `INVALID_ARG` with `details.expected` and `details.received` when
    /// fewer bytes came than the part has.
    pub fn finish(self) -> Result<PartDone, Fault> {
        if self.written < self.size {
            let message = format!(
                "Part {} has {} bytes; {} arrived.",
                self.n, self.size, self.written
            );
            return Err(Fault::invalid_arg("/body", "minLength", message)
                .hint("Send the part again, whole.")
                .detail("expected", self.size)
                .detail("received", self.written));
        }
        if self.durable {
            rustix::fs::fdatasync(&self.file).map_err(|e| errno_fault(e, "the upload"))?;
        }
        Ok(PartDone {
            n: self.n,
            size: self.size,
            sha256: hex(&self.sha.finalize()),
        })
    }
}

/// Where a part starts and how long it is.
fn part_range(n: u64, part_size: u64, size: u64) -> Result<(u64, u64), Fault> {
    let start = n
        .checked_mul(part_size)
        .filter(|start| *start < size && part_size > 0);
    let Some(start) = start else {
        return Err(
            Fault::invalid_arg("/n", "maximum", format!("There is no part {n}."))
                .hint("Parts count from 0; get_upload_status lists them."),
        );
    };
    Ok((start, part_size.min(size - start)))
}

fn not_staged(id: &UploadId) -> Fault {
    Fault::new(
        Code::UploadNotFound,
        format!("There is no open upload {id}."),
    )
    .hint("It was completed, aborted or ended. Begin another one.")
}

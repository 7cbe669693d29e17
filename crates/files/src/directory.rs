//! `create_directory`, and the directories that other tools make on the way.

use crate::fault_of::{already_exists, errno_fault, fault_of, not_a_directory};
use crate::home::Home;
use crate::jail::{Last, Look, stat_at};
use crate::path::RelPath;
use crate::quota::Usage;
use crate::read::yes;
use quaymaster_core::Fault;
use rustix::fs::Mode;
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Permissions of a directory that the tools make.
pub(crate) const DIRECTORY_MODE: u32 = 0o755;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateDirectory {
    /// Directory to make, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// Also make missing directories above it.
    #[serde(default = "yes")]
    pub parents: bool,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct CreateDirectoryResult {
    pub path: String,
    /// False: it was already there.
    pub created: bool,
}

impl Home {
    /// Makes a directory; one that exists is success. `ALREADY_EXISTS` when a file is in the way,
    /// `NOT_FOUND` without `parents`, `QUOTA_EXCEEDED`, `INVALID_ARG`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn create_directory(&self, ask: &CreateDirectory) -> Result<CreateDirectoryResult, Fault> {
        let path = RelPath::parse(&ask.path, "/path")?;
        let created = match self.look(&path, Last::Keep)? {
            Look::Root => false,
            Look::NoDirectory if !ask.parents => return Err(self.not_found(&path)),
            _ => self.make_directories(&path)?,
        };
        Ok(CreateDirectoryResult {
            path: path.to_string(),
            created,
        })
    }

    /// Makes every missing directory of a path; whether the last one is new.
    pub(crate) fn make_directories(&self, path: &RelPath) -> Result<bool, Fault> {
        let mut at = RelPath::ROOT;
        let mut dir = Arc::clone(&self.home);
        let mut created = false;
        for name in path.names() {
            let next = at.join(name);
            created = false;
            let there = stat_at(&dir, name).map_err(|errno| errno_fault(errno, next.as_str()))?;
            if there.is_none() {
                let room = self.room(0, 1)?;
                match rustix::fs::mkdirat(&dir, name, Mode::from_raw_mode(DIRECTORY_MODE)) {
                    Ok(()) => {
                        created = true;
                        self.quota.adjust(
                            Usage {
                                bytes: 0,
                                inodes: 1,
                            },
                            Usage::default(),
                        );
                        self.sync_dir(&dir)?;
                    }
                    // Somebody else made it.
                    Err(Errno::EXIST) => {}
                    Err(errno) => return Err(errno_fault(errno, next.as_str())),
                }
                drop(room);
            }
            dir = self
                .directory(&next)
                .map_err(|error| match Errno::from_io_error(&error) {
                    Some(Errno::NOTDIR) if next == *path => already_exists(next.as_str()),
                    Some(Errno::NOTDIR) => not_a_directory(next.as_str()),
                    _ => fault_of(&error, next.as_str()),
                })?;
            at = next;
        }
        Ok(created)
    }
}

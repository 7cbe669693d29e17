//! What one workspace may use, and what one piece of work may take.

use quaymaster_core::{Code, Fault};
use std::time::{Duration, Instant};

/// When a change counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// After `fdatasync` of the file and `fsync` of its directory: survives a power loss.
    Full,
    /// After the rename: survives a crash of the process, not of the machine.
    Relaxed,
}

/// Sizes are bytes unless the name says otherwise.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Files, trash and open uploads together.
    pub quota_bytes: u64,
    /// Files and directories together, trash included.
    pub quota_inodes: u64,
    /// The most that one page of `read_file` holds.
    pub page_max: u64,
    pub page_lines: u64,
    /// Characters of a line; what is longer is clipped when read or found.
    pub line_chars: usize,
    /// What one tool call may write.
    pub write_max: u64,
    /// The largest file that line edits and appends take.
    pub edit_max: u64,
    /// The largest file that `find_replace` takes.
    pub replace_max: u64,
    /// Larger files are skipped by a content search unless named.
    pub search_file_max: u64,
    pub search_time: Duration,
    /// Images and audio up to here are shown; larger ones are read in pages.
    pub media_max: u64,
    pub diff_max: usize,
    pub upload_max: u64,
    pub trash_days: u32,
    pub durability: Durability,
}

pub(crate) const KIB: u64 = 1024;
pub(crate) const MIB: u64 = 1024 * KIB;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            quota_bytes: 10 * 1024 * MIB,
            quota_inodes: 1_000_000,
            page_max: 256 * KIB,
            page_lines: 2_000,
            line_chars: 2_000,
            write_max: MIB,
            edit_max: 512 * MIB,
            replace_max: 64 * MIB,
            search_file_max: 10 * MIB,
            search_time: Duration::from_secs(10),
            media_max: 5 * MIB,
            diff_max: 32 * KIB as usize,
            upload_max: 5 * 1024 * MIB,
            trash_days: 7,
            durability: Durability::Full,
        }
    }
}

/// The bounds of one piece of long work.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// Whether the caller gave up.
    pub cancelled: &'a (dyn Fn() -> bool + Sync),
    pub deadline: Instant,
    /// Told from time to time how far the work is: done, of how much if that is known, and what.
    pub report: &'a (dyn Fn(u64, Option<u64>, &str) + Sync),
}

impl Work<'_> {
    pub(crate) fn stopped(&self) -> bool {
        (self.cancelled)() || Instant::now() >= self.deadline
    }

    /// `TIMEOUT` once the caller gave up or the deadline passed.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        if self.stopped() {
            return Err(
                Fault::new(Code::Timeout, "The work was stopped; nothing was changed.")
                    .hint("Try again, or work on a smaller part."),
            );
        }
        Ok(())
    }
}

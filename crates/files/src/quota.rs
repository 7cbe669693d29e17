//! What a workspace uses, and what work under way has reserved.
//!
//! The tree is walked once, then each change adjusts the sum. Programs that write to the home
//! directory by themselves make it drift; [`Quota::set`] after another walk corrects that.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes and entries (files, directories, links).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    pub bytes: u64,
    pub inodes: u64,
}

#[derive(Default)]
struct Sums {
    /// `None` until the first walk.
    used: Option<Usage>,
    walked: Option<Instant>,
    reserved: Usage,
}

#[derive(Default)]
pub(crate) struct Quota {
    sums: Mutex<Sums>,
}

/// Room held for work under way; given back when dropped.
pub(crate) struct Room<'a> {
    quota: &'a Quota,
    held: Usage,
}

impl Quota {
    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Used and reserved; `walk` runs when nothing is known yet.
    pub(crate) fn total(&self, walk: impl FnOnce() -> Usage) -> Usage {
        let mut sums = self.sums();
        let used = *sums.used.get_or_insert_with(walk);
        sums.walked.get_or_insert_with(Instant::now);
        Usage {
            bytes: used.bytes + sums.reserved.bytes,
            inodes: used.inodes + sums.reserved.inodes,
        }
    }

    pub(crate) fn set(&self, used: Usage) {
        let mut sums = self.sums();
        sums.used = Some(used);
        sums.walked = Some(Instant::now());
    }

    /// Whether the last walk is so old that another may find more room.
    pub(crate) fn stale(&self) -> bool {
        self.sums()
            .walked
            .is_none_or(|at| at.elapsed() > Duration::from_secs(30))
    }

    /// Holds `more` if everything then stays within `most`.
    pub(crate) fn hold(&self, more: Usage, most: Usage) -> Option<Room<'_>> {
        let mut sums = self.sums();
        let used = sums.used.unwrap_or_default();
        let fits = |used: u64, reserved: u64, more: u64, most: u64| {
            more == 0 || used.saturating_add(reserved).saturating_add(more) <= most
        };
        if !fits(used.bytes, sums.reserved.bytes, more.bytes, most.bytes)
            || !fits(used.inodes, sums.reserved.inodes, more.inodes, most.inodes)
        {
            return None;
        }
        sums.reserved.bytes += more.bytes;
        sums.reserved.inodes += more.inodes;
        Some(Room {
            quota: self,
            held: more,
        })
    }

    /// Holds without asking: what an earlier process had been granted.
    pub(crate) fn hold_anyway(&self, more: Usage) {
        let mut sums = self.sums();
        sums.reserved.bytes += more.bytes;
        sums.reserved.inodes += more.inodes;
    }

    pub(crate) fn release(&self, held: Usage) {
        let mut sums = self.sums();
        sums.reserved.bytes = sums.reserved.bytes.saturating_sub(held.bytes);
        sums.reserved.inodes = sums.reserved.inodes.saturating_sub(held.inodes);
    }

    /// Adds what a change made and takes away what it freed.
    pub(crate) fn adjust(&self, made: Usage, freed: Usage) {
        if let Some(used) = &mut self.sums().used {
            used.bytes = (used.bytes + made.bytes).saturating_sub(freed.bytes);
            used.inodes = (used.inodes + made.inodes).saturating_sub(freed.inodes);
        }
    }
}

impl Room<'_> {
    /// Keeps the room beyond this value's life; [`Quota::release`] gives it back.
    pub(crate) fn keep(mut self) {
        self.held = Usage::default();
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.quota.release(self.held);
    }
}

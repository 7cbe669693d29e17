//! Keeping a workspace within its quota.

use crate::entries::measure_all;
use crate::home::Home;
use crate::quota::{Room, Usage};
use quaymaster_core::{Code, Fault};

use std::sync::atomic::Ordering;

impl Home {
    /// Changes the quota of an open home; what is over it stays.
    pub fn set_quota_bytes(&self, bytes: u64) {
        self.quota_bytes.store(bytes, Ordering::Relaxed);
    }

    /// What the workspace uses: files, trash and what open uploads reserved. Walks the tree the
    /// first time.
    pub fn usage(&self) -> Usage {
        self.quota.total(|| self.walk_usage())
    }

    /// Walks the tree again, since programs in the workspace may have written to it.
    pub fn recount(&self) -> Usage {
        self.quota.set(self.walk_usage());
        self.usage()
    }

    fn walk_usage(&self) -> Usage {
        let home = measure_all(&self.home).usage;
        let trash = self.trash_usage();
        Usage {
            bytes: home.bytes + trash.bytes,
            inodes: home.inodes + trash.inodes,
        }
    }

    /// Holds room for a change. When there is none, counts again and then gives up what lies
    /// longest in the trash; `QUOTA_EXCEEDED` when that is not enough.
    pub(crate) fn room(&self, bytes: u64, inodes: u64) -> Result<Room<'_>, Fault> {
        let more = Usage { bytes, inodes };
        let most = Usage {
            bytes: self.quota_bytes.load(Ordering::Relaxed),
            inodes: self.limits.quota_inodes,
        };
        self.usage();
        if let Some(room) = self.quota.hold(more, most) {
            return Ok(room);
        }
        if self.quota.stale() {
            self.recount();
        }
        loop {
            if let Some(room) = self.quota.hold(more, most) {
                return Ok(room);
            }
            // Trash that could not make enough room stays: nothing is given up in vain.
            let total = self.usage();
            let trash = self.trash_usage();
            let fits = |total: u64, trash: u64, more: u64, most: u64| {
                more == 0 || total.saturating_sub(trash).saturating_add(more) <= most
            };
            let enough = fits(total.bytes, trash.bytes, bytes, most.bytes)
                && fits(total.inodes, trash.inodes, inodes, most.inodes);
            if !enough || !self.purge_oldest()? {
                return Err(over(total, more, most));
            }
        }
    }
}

fn over(total: Usage, more: Usage, most: Usage) -> Fault {
    let (what, used, wanted, limit) = if total.bytes.saturating_add(more.bytes) > most.bytes {
        ("bytes", total.bytes, more.bytes, most.bytes)
    } else {
        (
            "files and directories",
            total.inodes,
            more.inodes,
            most.inodes,
        )
    };
    Fault::new(
        Code::QuotaExceeded,
        format!("The workspace holds {used} of {limit} {what}; {wanted} more do not fit."),
    )
    .hint("Delete what is not needed with `permanent`, or ask an administrator for more room.")
    .detail("used", used)
    .detail("limit", limit)
    .detail("wanted", wanted)
}

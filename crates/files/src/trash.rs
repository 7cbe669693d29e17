//! What was deleted and can be restored: `trash/<id>/item` with `meta.json` beside it.
//!
//! Order of events, so that a crash at any point loses nothing: the description is durable before
//! the item moves in, and goes only after the item moved out. A description without an item is
//! swept away.

use crate::entries::{measure, raw_names, remove_any};
use crate::fault_of::{already_exists, errno_fault, fault_of, internal};
use crate::home::Home;
use crate::jail::{EntryType, Last, Look, Place, open_file_at, stat_at};
use crate::limits::Durability;
use crate::path::RelPath;
use crate::quota::Usage;
use crate::read::read_range;
use cap_std::fs::Dir;
use quaymaster_core::id::TrashId;
use quaymaster_core::{Fault, Instant};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};
use rustix::io::Errno;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::sync::{MutexGuard, PoisonError};

const ITEM: &str = "item";
const META: &str = "meta.json";
const DAY: i64 = 86_400;

/// Something in the trash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrashItem {
    pub id: TrashId,
    /// Where it was.
    pub path: String,
    #[serde(rename = "type")]
    pub kind: EntryType,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Entries that are no directories.
    pub files: u64,
    /// Entries, directories included.
    pub inodes: u64,
    pub deleted_at: Instant,
    pub restorable_until: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Restored {
    pub id: TrashId,
    /// Where it is now.
    pub path: String,
    #[serde(rename = "type")]
    pub kind: EntryType,
}

impl Home {
    fn trash_guard(&self) -> MutexGuard<'_, ()> {
        self.trash_lock
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what is at `place` into the trash; the caller holds the place's lock and has checked
    /// the entry.
    pub(crate) fn to_trash(&self, place: &Place, item: &TrashItem) -> Result<(), Fault> {
        let path = place.path.as_str();
        let fault = |errno| errno_fault(errno, path);
        let _trash = self.trash_guard();
        rustix::fs::mkdirat(&self.trash, item.id.as_str(), Mode::RWXU).map_err(fault)?;
        let slot = self
            .trash
            .open_dir(item.id.as_str())
            .map_err(|e| fault_of(&e, path))?;
        let moved = self.describe(&slot, item).and_then(|()| {
            self.sync_dir(&slot)?;
            self.sync_dir(&self.trash)?;
            let _tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
            self.still_there(place)?;
            let flags = RenameFlags::NOREPLACE;
            rustix::fs::renameat_with(&place.dir, &place.name, &slot, ITEM, flags).map_err(fault)
        });
        if let Err(error) = moved {
            self.remove_slot(&item.id)?;
            return Err(error);
        }
        self.sync_dir(&slot)?;
        self.sync_dir(&place.dir)
    }

    fn describe(&self, slot: &Dir, item: &TrashItem) -> Result<(), Fault> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(slot, META, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|errno| errno_fault(errno, &item.path))?;
        let mut file = File::from(fd);
        let json = serde_json::to_vec(item).map_err(|error| internal(&error))?;
        file.write_all(&json)
            .map_err(|error| fault_of(&error, &item.path))?;
        if self.limits.durability == Durability::Full {
            rustix::fs::fdatasync(&file).map_err(|errno| internal(&errno))?;
        }
        Ok(())
    }

    /// What can be restored, longest deleted first.
    pub fn list_trash(&self) -> Result<Vec<TrashItem>, Fault> {
        let names = raw_names(&self.trash).map_err(|errno| internal(&errno))?;
        let mut items: Vec<TrashItem> = names
            .iter()
            .filter_map(|name| name.to_str().ok()?.parse().ok())
            .filter_map(|id: TrashId| self.trash_item(&id))
            .collect();
        items.sort_by(|a, b| (a.deleted_at, &a.id).cmp(&(b.deleted_at, &b.id)));
        Ok(items)
    }

    fn trash_item(&self, id: &TrashId) -> Option<TrashItem> {
        let slot = self.trash.open_dir(id.as_str()).ok()?;
        stat_at(&slot, ITEM).ok()??;
        let (file, meta) = open_file_at(&slot, META, "").ok()?;
        let bytes = read_range(&file, 0, meta.size.min(64 * 1024)).ok()?;
        serde_json::from_slice(&bytes)
            .ok()
            .filter(|item: &TrashItem| item.id == *id)
    }

    /// Puts something back, to where it was or to `to`. `NOT_FOUND`, `ALREADY_EXISTS`,
    /// `NOT_A_DIRECTORY`, `INVALID_ARG`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn restore_trash(&self, id: &TrashId, to: Option<&str>) -> Result<Restored, Fault> {
        let item = self.trash_item(id).ok_or_else(|| gone(id))?;
        let path = RelPath::parse(to.unwrap_or(&item.path), "/path")?;
        if let Some((above, _)) = path.split() {
            self.make_directories(&above)?;
        }
        let Look::At(mut place) = self.look(&path, Last::Keep)? else {
            return Err(already_exists(path.shown()));
        };
        let _held = self.hold(&mut place)?;
        let _trash = self.trash_guard();
        if place.meta.is_some() {
            return Err(already_exists(path.as_str())
                .hint("Restore it to another path, or move what is there away."));
        }
        let slot = self.trash.open_dir(id.as_str()).map_err(|_| gone(id))?;
        {
            let _tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
            self.still_there(&place)?;
            let flags = RenameFlags::NOREPLACE;
            rustix::fs::renameat_with(&slot, ITEM, &place.dir, &place.name, flags).map_err(
                |errno| match errno {
                    Errno::NOENT => gone(id),
                    errno => errno_fault(errno, path.as_str()),
                },
            )?;
        }
        self.sync_dir(&place.dir)?;
        self.remove_slot(id)?;
        Ok(Restored {
            id: id.clone(),
            path: path.to_string(),
            kind: item.kind,
        })
    }

    /// Deletes something for good. `NOT_FOUND`.
    pub fn purge_trash(&self, id: &TrashId) -> Result<(), Fault> {
        let _trash = self.trash_guard();
        if stat_at(&self.trash, id.as_str()).ok().flatten().is_none() {
            return Err(gone(id));
        }
        self.purge(id)
    }

    /// Deletes for good what lies there longer than the limits say, and what a crash left half
    /// done. How many items went.
    pub fn sweep_trash(&self, now: Instant) -> Result<u64, Fault> {
        let _trash = self.trash_guard();
        let names = raw_names(&self.trash).map_err(|errno| internal(&errno))?;
        let mut swept = 0;
        for name in names {
            let id: Option<TrashId> = name.to_str().ok().and_then(|name| name.parse().ok());
            let Some(id) = id else { continue };
            let over = match self.trash_item(&id) {
                Some(item) => item.restorable_until <= now,
                None => true,
            };
            if over {
                self.purge(&id)?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    /// Bytes and entries of all items.
    pub(crate) fn trash_usage(&self) -> Usage {
        let items = self.list_trash().unwrap_or_default();
        items.iter().fold(Usage::default(), |sum, item| Usage {
            bytes: sum.bytes + item.bytes,
            inodes: sum.inodes + item.inodes,
        })
    }

    /// Gives up what was deleted first; whether there was anything.
    pub(crate) fn purge_oldest(&self) -> Result<bool, Fault> {
        let _trash = self.trash_guard();
        let Some(oldest) = self.list_trash()?.into_iter().next() else {
            return Ok(false);
        };
        tracing::info!(id = %oldest.id, bytes = oldest.bytes, "trash is given up to make room");
        self.purge(&oldest.id)?;
        Ok(true)
    }

    /// The caller holds the trash lock.
    fn purge(&self, id: &TrashId) -> Result<(), Fault> {
        let freed = self.trash_item(id).map_or(Usage::default(), |item| Usage {
            bytes: item.bytes,
            inodes: item.inodes,
        });
        self.remove_slot(id)?;
        self.quota.adjust(Usage::default(), freed);
        Ok(())
    }

    fn remove_slot(&self, id: &TrashId) -> Result<(), Fault> {
        let name = CString::new(id.as_str()).map_err(|error| internal(&error))?;
        // The item first: a slot without its description would be swept, an item kept by a
        // description would come back.
        let slot = self.trash.open_dir(id.as_str());
        if let Ok(slot) = slot {
            let _ = remove_any(&slot, c"item", &self.tmp);
            let _ = rustix::fs::unlinkat(&slot, META, AtFlags::empty());
        }
        remove_any(&self.trash, &name, &self.tmp).map_err(|errno| internal(&errno))
    }

    /// The description of an entry that is about to be deleted.
    pub(crate) fn as_trash(&self, place: &Place, kind: EntryType) -> Result<TrashItem, Fault> {
        let path = place.path.as_str();
        let name = CString::new(place.name.as_str()).map_err(|error| internal(&error))?;
        let sum = measure(&place.dir, &name).map_err(|errno| errno_fault(errno, path))?;
        let now = self.clock.now();
        Ok(TrashItem {
            id: TrashId::fresh(&*self.clock, &*self.entropy),
            path: path.to_owned(),
            kind,
            bytes: sum.usage.bytes,
            files: sum.files,
            inodes: sum.usage.inodes,
            deleted_at: now,
            restorable_until: now.plus_seconds(i64::from(self.limits.trash_days) * DAY),
        })
    }
}

fn gone(id: &TrashId) -> Fault {
    Fault::not_found(format!("There is nothing with the id {id} in the trash."))
        .hint("It was restored or deleted for good. List the trash to see what is left.")
}

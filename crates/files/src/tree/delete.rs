//! `delete_file`: into the trash, or for good.

use crate::entries::{is_empty, remove_any};
use crate::etag::Wanted;
use crate::fault_of::errno_fault;
use crate::home::Home;
use crate::jail::{EntryType, Last, Place};
use crate::path::RelPath;
use crate::produce::require;
use crate::quota::Usage;
use quaymaster_core::id::TrashId;
use quaymaster_core::{Code, Fault, Instant};
use rustix::fs::RenameFlags;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ffi::CString;
use std::sync::PoisonError;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteFile {
    /// File, directory or symbolic link (the link itself), relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// Delete a directory with everything in it.
    #[serde(default)]
    pub recursive: bool,
    /// Succeed when there is nothing to delete.
    #[serde(default)]
    pub missing_ok: bool,
    /// Delete at once instead of keeping it in the trash for 7 days.
    #[serde(default)]
    pub permanent: bool,
    /// Delete only if the file's etag is this one (from an earlier answer); `*` = any.
    #[serde(default)]
    pub if_match: Option<String>,
    /// Delete nothing; answer what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeleteFileResult {
    pub path: String,
    /// Left out when there was nothing.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<EntryType>,
    /// Entries that are no directories.
    pub deleted_files: u64,
    /// Bytes that left the tree. In the trash they still count to the quota.
    pub freed_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trash_id: Option<TrashId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restorable_until: Option<Instant>,
    pub dry_run: bool,
}

impl Home {
    /// Deletes an entry. `NOT_FOUND`, `DIRECTORY_NOT_EMPTY`, `PRECONDITION_FAILED`,
    /// `INVALID_ARG` (the root), `PATH_OUTSIDE_WORKSPACE`.
    pub fn delete_file(&self, ask: &DeleteFile) -> Result<DeleteFileResult, Fault> {
        let path = RelPath::parse(&ask.path, "/path")?;
        let wanted = Wanted::parse(ask.if_match.as_deref(), "/if_match")?;
        let mut result = DeleteFileResult {
            path: path.to_string(),
            kind: None,
            deleted_files: 0,
            freed_bytes: 0,
            trash_id: None,
            restorable_until: None,
            dry_run: ask.dry_run,
        };
        let mut place = match self.existing(&path, Last::Keep) {
            Ok(Some((place, _))) => place,
            Ok(None) => {
                let message = "The workspace's root cannot be deleted.";
                return Err(Fault::invalid_arg("/path", "minLength", message)
                    .hint("Delete what is in it, entry by entry."));
            }
            Err(fault) if fault.code == Code::NotFound && ask.missing_ok => return Ok(result),
            Err(fault) => return Err(fault),
        };
        let _held = self.hold(&mut place)?;
        let Some(meta) = place.meta else {
            return if ask.missing_ok {
                Ok(result)
            } else {
                Err(self.not_found(&path))
            };
        };
        if wanted.is_some() {
            let etag = self.etag_at(&place);
            match meta.kind {
                EntryType::File => require(wanted.as_ref(), &path, etag.as_deref())?,
                _ if wanted == Some(Wanted::Any) => {}
                _ => {
                    let message = "Only files have etags.";
                    return Err(Fault::invalid_arg("/if_match", "type", message)
                        .hint("Leave `if_match` out, or pass `*`."));
                }
            }
        }
        if meta.kind == EntryType::Directory && !ask.recursive {
            let empty = is_empty(&place.dir, &place.name)
                .map_err(|errno| errno_fault(errno, path.as_str()))?;
            if !empty {
                return Err(
                    Fault::new(Code::DirectoryNotEmpty, format!("{path} has entries."))
                        .hint("Pass `recursive: true` to delete it with everything in it."),
                );
            }
        }
        let item = self.as_trash(&place, meta.kind)?;
        result.path = place.path.to_string();
        result.kind = Some(meta.kind);
        result.deleted_files = item.files;
        result.freed_bytes = item.bytes;
        if ask.dry_run {
            return Ok(result);
        }
        if ask.permanent {
            let gone = Usage {
                bytes: item.bytes,
                inodes: item.inodes,
            };
            self.delete_for_good(&place)?;
            self.quota.adjust(Usage::default(), gone);
        } else {
            self.usage();
            self.to_trash(&place, &item)?;
            result.restorable_until = Some(item.restorable_until);
            result.trash_id = Some(item.id);
        }
        Ok(result)
    }

    /// Takes the entry out of the tree in one step, then removes it.
    fn delete_for_good(&self, place: &Place) -> Result<(), Fault> {
        let fault = |errno| errno_fault(errno, place.path.as_str());
        let name = self.draft_name();
        {
            let _tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
            self.still_there(place)?;
            let flags = RenameFlags::NOREPLACE;
            rustix::fs::renameat_with(&place.dir, &place.name, &self.tmp, &name, flags)
                .map_err(fault)?;
        }
        self.sync_dir(&place.dir)?;
        let name = CString::new(name).unwrap_or_default();
        remove_any(&self.tmp, &name, &self.tmp).map_err(fault)
    }
}

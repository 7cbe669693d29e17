//! A whole file in the place of one that was read: what programs make of a file, and no tool's argument could hold.

use crate::etag::{Wanted, stale};
use crate::home::Home;
use crate::jail::open_file_at;
use crate::path::RelPath;
use crate::produce::{check_kind, require};
use quaymaster_core::Fault;

impl Home {
    /// Gives a file new bytes, only if it still has that etag. Answers its new one.
    ///
    /// # Errors
    /// `PRECONDITION_FAILED` when the file changed or is gone; nothing was written then. `QUOTA_EXCEEDED`, `INSUFFICIENT_STORAGE`,
    /// `IS_A_DIRECTORY`, `INVALID_ARG`, `PATH_OUTSIDE_WORKSPACE`.
    pub fn replace_file(&self, path: &str, bytes: &[u8], etag: &str) -> Result<String, Fault> {
        let path = RelPath::parse(path, "/path")?;
        let wanted = Wanted::parse(Some(etag), "/etag")?;
        let gone = || stale(path.as_str(), None);
        let mut place = self.place_for_file(&path, false, true)?.ok_or_else(gone)?;
        let _held = self.hold(&mut place)?;
        check_kind(&place)?;
        if place.meta.is_none() {
            return Err(gone());
        }
        let (file, meta) = open_file_at(&place.dir, &place.name, path.as_str())?;
        let old = self.facts(&file, &meta, None, path.as_str())?;
        place.meta = Some(meta);
        require(wanted.as_ref(), &path, Some(&old.etag))?;
        let new = self.produce(&place, false, None, bytes.len() as u64, |out| {
            out.write(bytes, path.as_str())
        })?;
        Ok(new.etag.clone())
    }

    /// Whether there is a file of that path with anything in it.
    pub fn has_bytes(&self, path: &str) -> Result<bool, Fault> {
        let path = RelPath::parse(path, "/path")?;
        let place = self.place_for_file(&path, false, true)?;
        Ok(place
            .and_then(|place| place.meta)
            .is_some_and(|meta| meta.size > 0))
    }
}

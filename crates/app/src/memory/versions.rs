//! What a file said before: read, restored, redacted.

use super::editing::Change;
use super::{Edit, MemoryVersion, Owner, Reader, Writer, Written, text};
use crate::App;
use quaymaster_core::id::MemoryFileId;
use quaymaster_core::{Code, Fault};

fn no_version(version: i64) -> Fault {
    Fault::not_found(format!(
        "The memory file has no version {version}, or it is too old."
    ))
    .hint("List its versions. They are kept for 30 days, and the last 20 for longer.")
}

fn says_nothing(version: &MemoryVersion) -> Fault {
    let why = if version.redacted_at.is_some() {
        "was redacted"
    } else {
        "is a deletion"
    };
    Fault::not_found(format!(
        "Version {} {why}, so it says nothing.",
        version.version
    ))
    .hint("List the versions and choose another one.")
}

impl App {
    async fn history_of(&self, reader: &Reader, path: &str) -> Result<(MemoryFileId, bool), Fault> {
        text::check_path(path)?;
        let owner = reader.owner(path);
        match self.store.memory_history(&reader.org, &owner, path).await? {
            Some(found) => Ok(found),
            None => Err(self.no_memory_file(reader, path).await?),
        }
    }

    /// Newest first, also of a file that was deleted. What still says something has an empty content
    /// here.
    pub async fn memory_versions(
        &self,
        reader: &Reader,
        path: &str,
    ) -> Result<Vec<MemoryVersion>, Fault> {
        let (file, _) = self.history_of(reader, path).await?;
        Ok(self.store.memory_versions(&reader.org, &file).await?)
    }

    /// A version with what it says.
    pub async fn memory_version(
        &self,
        reader: &Reader,
        path: &str,
        version: i64,
    ) -> Result<(MemoryVersion, String), Fault> {
        let (file, _) = self.history_of(reader, path).await?;
        let found = self
            .store
            .memory_version(&reader.org, &file, version)
            .await?;
        let mut found = found.ok_or_else(|| no_version(version))?;
        match found.content.take() {
            Some(content) => Ok((found, content)),
            None => Err(says_nothing(&found)),
        }
    }

    /// Makes the file say what it said, also when it was deleted.
    pub async fn restore_memory(
        &self,
        writer: &Writer,
        path: &str,
        version: i64,
        if_match: Option<&str>,
    ) -> Result<Written, Fault> {
        let (_, content) = self.memory_version(&writer.reader, path, version).await?;
        self.edit_memory(writer, path, Edit::Restore { content }, if_match)
            .await
    }

    /// Takes what a version said out of the history, wherever it stands there. How many versions that
    /// were.
    pub async fn redact_memory(
        &self,
        writer: &Writer,
        path: &str,
        version: i64,
    ) -> Result<u64, Fault> {
        let reader = &writer.reader;
        let owner = reader.owner(path);
        if owner == Owner::Organization {
            writer.of_organization.clone()?;
        }
        let (file, is_there) = self.history_of(reader, path).await?;
        let found = self
            .store
            .memory_version(&reader.org, &file, version)
            .await?;
        let found = found.ok_or_else(|| no_version(version))?;
        if found.content.is_none() {
            return Err(says_nothing(&found));
        }
        let mut tx = self.store.begin().await?;
        let current = tx.memory_file_for_change(&reader.org, &owner, path).await?;
        if is_there && current.is_some_and(|current| current.entry.sha256 == found.sha256) {
            return Err(Fault::new(
                Code::PreconditionFailed,
                "This is what the file says now, and that stays readable.",
            )
            .hint("Write it without what shall go, or delete it, then redact the version."));
        }
        tx.memory_bytes_for_change(&reader.org).await?;
        let redacted = tx
            .redact_memory_version(&reader.org, &file, &found.sha256, self.now())
            .await?;
        let change = Change {
            app: self,
            writer,
            owner: &owner,
            path,
        };
        change.record(&mut tx, "memory.redacted", version).await?;
        tx.commit().await?;
        Ok(redacted)
    }
}

//! Changing a file. What it says now, whether that is what was read, and the new version are one
//! transaction.

use super::{MOST_FILES, MemoryChange, MemoryEntry, MemoryFile, Owner, Writer, etag, text};
use crate::App;
use crate::wired::duplicate_or;
use quaymaster_core::id::MemoryFileId;
use quaymaster_core::{Code, Fault};
use quaymaster_store::Tx;
use serde_json::json;

/// What to do about memory that is full.
const FULL: &str = "Earlier versions count, too: a person takes them out by redacting them, under Memory or over the API, and what \
     is deleted counts for 30 days. Write less, or ask the operator to raise memory_quota_bytes.";

/// What shall become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// A new file; over one that is there only when it is the one that was read.
    Create {
        content: String,
    },
    /// The text that is there exactly once.
    StrReplace {
        old: String,
        new: String,
    },
    /// Behind a line: 0 is the top, -1 the end.
    Insert {
        line: i64,
        content: String,
    },
    Append {
        content: String,
    },
    Delete,
    Rename {
        to: String,
    },
    /// To what it was, also when it was deleted.
    Restore {
        content: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub path: String,
    /// None once it is deleted.
    pub etag: Option<String>,
    pub version: i64,
    /// In bytes.
    pub size: i64,
    /// It said that already; there is no new version.
    pub unchanged: bool,
    pub created: bool,
}

fn written(entry: &MemoryEntry) -> Written {
    Written {
        path: entry.path.clone(),
        etag: Some(etag(&entry.sha256)),
        version: entry.version,
        size: entry.size,
        unchanged: false,
        created: false,
    }
}

fn exists(current: &MemoryEntry) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("There is a memory file at {:?} already.", current.path),
    )
    .detail("current_etag", etag(&current.sha256))
    .hint("Read it, then pass its etag as if_match to write over it, or use str_replace or append.")
}

fn other_than_read(current: Option<&MemoryEntry>) -> Fault {
    let message = match current {
        Some(_) => "The memory file is not what was read: somebody has changed it meanwhile.",
        None => "There is no memory file at this path any more.",
    };
    let fault = Fault::new(Code::PreconditionFailed, message)
        .hint("Read it again and repeat the change on what it says now.");
    match current {
        Some(entry) => fault
            .detail("current_etag", etag(&entry.sha256))
            .detail("current_version", entry.version),
        None => fault,
    }
}

/// Whether the file is the one that was read. `*` means any that is there.
fn is_as_read(current: Option<&MemoryEntry>, if_match: Option<&str>) -> bool {
    match (current, if_match) {
        (_, None) | (Some(_), Some("*")) => true,
        (Some(entry), Some(wanted)) => etag(&entry.sha256) == wanted,
        (None, Some(_)) => false,
    }
}

impl App {
    /// `if_match` is the etag that was read, or `*`.
    pub async fn edit_memory(
        &self,
        writer: &Writer,
        path: &str,
        edit: Edit,
        if_match: Option<&str>,
    ) -> Result<Written, Fault> {
        text::check_path(path)?;
        let owner = writer.reader.owner(path);
        if owner == Owner::Organization {
            writer.of_organization.clone()?;
        }
        let org = &writer.reader.org;
        let mut tx = self.store.begin().await?;
        // New paths, and how many there are, are looked at one after another.
        if matches!(
            edit,
            Edit::Create { .. } | Edit::Rename { .. } | Edit::Restore { .. }
        ) {
            tx.lock_organization(org).await?;
        }
        let current = tx.memory_file_for_change(org, &owner, path).await?;
        if let (Edit::Create { content } | Edit::Restore { content }, Some(file)) =
            (&edit, &current)
            && file.content == *content
        {
            // Also what was sent twice because an answer was lost.
            return Ok(Written {
                unchanged: true,
                ..written(&file.entry)
            });
        }
        if !is_as_read(current.as_ref().map(|file| &file.entry), if_match) {
            return Err(other_than_read(current.as_ref().map(|file| &file.entry)));
        }
        let change = Change {
            app: self,
            writer,
            owner: &owner,
            path,
        };
        let done = match (edit, current) {
            (Edit::Create { .. }, Some(file)) if if_match.is_none() => {
                return Err(exists(&file.entry));
            }
            (Edit::Create { content }, Some(file)) => {
                change
                    .write(&mut tx, file, content, MemoryChange::Edited)
                    .await?
            }
            (Edit::Create { content }, None) => {
                change.add(&mut tx, content, MemoryChange::Created).await?
            }
            (Edit::Restore { content }, Some(file)) => {
                change
                    .write(&mut tx, file, content, MemoryChange::Restored)
                    .await?
            }
            (Edit::Restore { content }, None) => {
                change.add(&mut tx, content, MemoryChange::Restored).await?
            }
            (_, None) => {
                drop(tx);
                return Err(self.no_memory_file(&writer.reader, path).await?);
            }
            (Edit::StrReplace { old, new }, Some(file)) => {
                let content = text::replace_one(&file.content, &old, &new)?;
                change
                    .write(&mut tx, file, content, MemoryChange::Edited)
                    .await?
            }
            (Edit::Insert { line, content }, Some(file)) => {
                let content = text::insert(&file.content, line, &content)?;
                change
                    .write(&mut tx, file, content, MemoryChange::Edited)
                    .await?
            }
            (Edit::Append { content }, Some(file)) => {
                let content = format!("{}{content}", file.content);
                change
                    .write(&mut tx, file, content, MemoryChange::Edited)
                    .await?
            }
            (Edit::Delete, Some(file)) => change.delete(&mut tx, file).await?,
            (Edit::Rename { to }, Some(file)) => change.rename(&mut tx, file, to).await?,
        };
        if writer.records && !done.unchanged {
            let action = if done.etag.is_some() {
                "memory.written"
            } else {
                "memory.deleted"
            };
            change.record(&mut tx, action, done.version).await?;
        }
        tx.commit().await?;
        Ok(done)
    }
}

/// One change under way.
pub(super) struct Change<'a> {
    pub(super) app: &'a App,
    pub(super) writer: &'a Writer,
    pub(super) owner: &'a Owner,
    pub(super) path: &'a str,
}

impl Change<'_> {
    /// The path stands there only when it is the organization's: what a person keeps for themselves,
    /// administrators need not read.
    pub(super) async fn record(
        &self,
        tx: &mut Tx,
        action: &str,
        version: i64,
    ) -> Result<(), Fault> {
        let shown = (*self.owner == Owner::Organization).then_some(self.path);
        let details = json!({ "path": shown, "owner": self.owner.as_str(), "version": version });
        let org = &self.writer.reader.org;
        let event = self.app.event(org, &self.writer.label, action, details);
        Ok(tx.record(&event).await?)
    }

    /// Whether there is room for a file at a path; `but` is one that goes away from there.
    async fn room(&self, tx: &mut Tx, path: &str, but: Option<&str>) -> Result<(), Fault> {
        let org = &self.writer.reader.org;
        let (count, in_the_way) = tx.memory_room(org, self.owner, path).await?;
        if let Some(other) = in_the_way.filter(|other| Some(other.as_str()) != but) {
            let code = if path.len() < other.len() {
                Code::IsADirectory
            } else {
                Code::NotADirectory
            };
            return Err(Fault::new(
                code,
                format!("{path:?} cannot be a file beside the file {other:?}: one would be the other's folder."),
            )
            .hint("Choose another path."));
        }
        if but.is_none() && count >= MOST_FILES {
            return Err(Fault::new(
                Code::QuotaExceeded,
                format!("There are {MOST_FILES} memory files, and no more fit."),
            )
            .hint("Delete some that nobody needs, or put several notes into one file."));
        }
        Ok(())
    }

    /// A file where none is. One that was deleted there goes on with its versions.
    async fn add(
        &self,
        tx: &mut Tx,
        content: String,
        change: MemoryChange,
    ) -> Result<Written, Fault> {
        text::check_content(&content)?;
        self.room(tx, self.path, None).await?;
        let org = &self.writer.reader.org;
        let before = tx.deleted_memory_file(org, self.owner, self.path).await?;
        let now = self.app.now();
        let entry = MemoryEntry {
            id: match &before {
                Some(before) => before.id.clone(),
                None => MemoryFileId::fresh(&*self.app.clock, &*self.app.entropy),
            },
            owner: self.owner.clone(),
            path: self.path.to_owned(),
            version: before.as_ref().map_or(0, |before| before.version) + 1,
            sha256: text::sha256(&content),
            size: content.len() as i64,
            written_by: self.writer.label.clone(),
            written_at: now,
            created_at: now,
        };
        let file = MemoryFile { entry, content };
        self.put(tx, &file, change, before.is_none()).await?;
        Ok(Written {
            created: true,
            ..written(&file.entry)
        })
    }

    async fn write(
        &self,
        tx: &mut Tx,
        mut file: MemoryFile,
        content: String,
        change: MemoryChange,
    ) -> Result<Written, Fault> {
        text::check_content(&content)?;
        if file.content == content {
            return Ok(Written {
                unchanged: true,
                ..written(&file.entry)
            });
        }
        file.entry.sha256 = text::sha256(&content);
        file.entry.size = content.len() as i64;
        file.content = content;
        self.next(tx, file, change).await
    }

    async fn rename(
        &self,
        tx: &mut Tx,
        mut file: MemoryFile,
        to: String,
    ) -> Result<Written, Fault> {
        text::check_path(&to)?;
        if self.writer.reader.owner(&to) != *self.owner {
            return Err(Fault::invalid_arg(
                "/new_path",
                "pattern",
                "A file does not move between a person's memory and the organization's.",
            )
            .hint("Create it there, then delete it here."));
        }
        if to == self.path {
            return Ok(Written {
                unchanged: true,
                ..written(&file.entry)
            });
        }
        let org = &self.writer.reader.org;
        if let Some(other) = tx.memory_file_for_change(org, self.owner, &to).await? {
            return Err(exists(&other.entry));
        }
        self.room(tx, &to, Some(self.path)).await?;
        file.entry.path = to;
        self.next(tx, file, MemoryChange::Renamed).await
    }

    async fn next(
        &self,
        tx: &mut Tx,
        mut file: MemoryFile,
        change: MemoryChange,
    ) -> Result<Written, Fault> {
        file.entry.version += 1;
        file.entry.written_by.clone_from(&self.writer.label);
        file.entry.written_at = self.app.now();
        self.put(tx, &file, change, false).await?;
        Ok(written(&file.entry))
    }

    /// Writes the file, unless the organization's memory is then larger than it may be: nothing is written then.
    async fn put(
        &self,
        tx: &mut Tx,
        file: &MemoryFile,
        change: MemoryChange,
        is_new: bool,
    ) -> Result<(), Fault> {
        let org = &self.writer.reader.org;
        let before = tx.memory_bytes_for_change(org).await?;
        let words = text::words_of(&file.entry.path, &file.content);
        tx.put_memory_file(org, file, change, is_new, &words)
            .await
            .map_err(|error| duplicate_or(error, || exists(&file.entry)))?;
        let most = self.app.settings.memory_quota_bytes;
        let after = tx.memory_bytes_for_change(org).await?;
        if after <= most || after <= before {
            return Ok(());
        }
        Err(Fault::new(
            Code::QuotaExceeded,
            "The organization's room for memory is used up; nothing was written.",
        )
        .hint(FULL)
        .detail("limit", most)
        .detail("used", before))
    }

    async fn delete(&self, tx: &mut Tx, file: MemoryFile) -> Result<Written, Fault> {
        let entry = MemoryEntry {
            version: file.entry.version + 1,
            sha256: String::new(),
            size: 0,
            written_by: self.writer.label.clone(),
            written_at: self.app.now(),
            ..file.entry
        };
        let org = &self.writer.reader.org;
        tx.memory_bytes_for_change(org).await?;
        tx.delete_memory_file(org, &entry).await?;
        Ok(Written {
            path: entry.path,
            etag: None,
            version: entry.version,
            size: 0,
            unchanged: false,
            created: false,
        })
    }
}

//! Memory: notes that agents and people keep by path. Those of a person are theirs alone; paths that
//! begin with `org/` are the organization's.
//!
//! A change works on the file as it is inside its transaction, so that of two at once none is lost.
//! Every change keeps the version before it for a while. What a file says is never logged, and events
//! do not name the paths of a person's own files.

mod editing;
mod looking;
mod text;
mod versions;

pub use editing::{Edit, Written};
pub use looking::{Found, Listing, Wanted};
pub use quaymaster_store::memory::{MemoryEntry, MemoryFile, Owner};
pub use quaymaster_store::memory_version::{MemoryChange, MemoryVersion};
pub use text::{MOST_CONTENT, etag};

use crate::App;
use crate::actor::{Actor, Admin};
use quaymaster_core::id::{OrgId, UserId};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Caller, Code, Fault, Scope};
use quaymaster_sandbox::MAX_MOUNTED;
use quaymaster_store::memory::Range;
use serde_json::json;

/// Of one person, and of the organization.
const MOST_FILES: i64 = 10_000;
/// Names that are looked at for what was meant.
const MOST_NAMES: i64 = 1_000;

/// Whose memory somebody reads: their own, and their organization's.
#[derive(Debug, Clone)]
pub struct Reader {
    pub org: OrgId,
    pub user: UserId,
}

/// A [`Reader`] who writes, too.
#[derive(Debug, Clone)]
pub struct Writer {
    pub reader: Reader,
    /// What versions say of who it was: the id of a person or credential.
    label: String,
    /// Whether the organization's memory may be written, or why not.
    of_organization: Result<(), Fault>,
    /// Management records events; calls of tools have their audit row.
    records: bool,
}

impl Reader {
    pub fn of_actor(actor: &Actor) -> Self {
        Reader {
            org: actor.org.clone(),
            user: actor.user.clone(),
        }
    }

    pub(crate) fn of_caller(caller: &Caller) -> Result<Self, Fault> {
        let user = caller.user().ok_or_else(|| {
            Fault::new(
                Code::Forbidden,
                "A credential without a person has no memory.",
            )
            .hint("Use an API key.")
        })?;
        Ok(Reader {
            org: caller.org.clone(),
            user: user.clone(),
        })
    }

    /// Whose file a path is.
    fn owner(&self, path: &str) -> Owner {
        if text::is_of_organization(path) {
            Owner::Organization
        } else {
            Owner::User(self.user.clone())
        }
    }
}

impl Writer {
    /// Somebody on a page or with the management API.
    pub fn of_actor(actor: &Actor) -> Self {
        let of_organization = if actor.role.administers() && actor.scopes.has(Scope::Admin) {
            Ok(())
        } else {
            Err(Fault::new(
                Code::Forbidden,
                "Only an administrator writes the organization's memory.",
            )
            .hint("Ask an owner or administrator, or write a note of your own, outside org/."))
        };
        Writer {
            reader: Reader::of_actor(actor),
            label: actor.label.clone(),
            of_organization,
            records: true,
        }
    }

    /// An agent, by the tool.
    pub(crate) async fn of_caller(app: &App, caller: &Caller) -> Result<Self, Fault> {
        let reader = Reader::of_caller(caller)?;
        let of_organization = if app.store.agents_write_org_memory(&caller.org).await? {
            Ok(())
        } else {
            Err(Fault::new(
                Code::Forbidden,
                "Agents may not write the organization's memory, whose paths begin with org/.",
            )
            .hint("Write it outside org/, or ask an administrator to allow it under Memory."))
        };
        Ok(Writer {
            reader,
            label: caller.credential.to_string(),
            of_organization,
            records: false,
        })
    }
}

impl App {
    /// Whether agents may write the organization's memory.
    pub async fn agents_write_org_memory(&self, actor: &Actor) -> Result<bool, Fault> {
        Ok(self.store.agents_write_org_memory(&actor.org).await?)
    }

    pub async fn let_agents_write_org_memory(&self, admin: &Admin, may: bool) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        tx.let_agents_write_org_memory(&admin.org, may).await?;
        let details = json!({ "agents_write_org": may });
        let event = self.event(&admin.org, &admin.label, "memory_settings.updated", details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// A file as it is.
    pub async fn memory_file(&self, reader: &Reader, path: &str) -> Result<MemoryFile, Fault> {
        text::check_path(path)?;
        let owner = reader.owner(path);
        match self.store.memory_file(&reader.org, &owner, path).await? {
            Some(file) => Ok(file),
            None => Err(self.no_memory_file(reader, path).await?),
        }
    }

    /// Says which files are close.
    async fn no_memory_file(&self, reader: &Reader, path: &str) -> Result<Fault, Fault> {
        let owner = reader.owner(path);
        let all = Range {
            from: "",
            after: false,
            before: text::END,
        };
        let entries = self
            .store
            .memory_entries(&reader.org, &owner, all, MOST_NAMES)
            .await?;
        let close = did_you_mean(path, entries.iter().map(|entry| &*entry.path), 3);
        Ok(
            Fault::not_found(format!("There is no memory file at {path:?}."))
                .hint("read_memory with prefix \"\" lists the files that there are.")
                .detail("did_you_mean", close.clone())
                .meant(&close),
        )
    }

    /// All files of a person and their organization with their contents, newest first as far as
    /// 64 MiB go, for a directory that programs read.
    pub async fn memory_files(&self, reader: &Reader) -> Result<Vec<(String, String)>, Fault> {
        let mut entries = Vec::new();
        for owner in [Owner::User(reader.user.clone()), Owner::Organization] {
            let all = Range {
                from: "",
                after: false,
                before: text::END,
            };
            let of_owner = self
                .store
                .memory_entries(&reader.org, &owner, all, MOST_FILES)
                .await?;
            entries.extend(of_owner);
        }
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.written_at));
        let mut room = MAX_MOUNTED;
        let mut files = Vec::new();
        for entry in entries {
            // Each takes whole pages of the memory that it is laid into.
            let size = usize::try_from(entry.size).unwrap_or(MAX_MOUNTED + 1);
            let size = size.next_multiple_of(4096).max(4096);
            if size > room {
                break;
            }
            let found = self
                .store
                .memory_file(&reader.org, &entry.owner, &entry.path);
            // Gone meanwhile is gone.
            if let Some(file) = found.await? {
                room -= size;
                files.push((file.entry.path, file.content));
            }
        }
        Ok(files)
    }
}

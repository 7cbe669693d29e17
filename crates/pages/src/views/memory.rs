//! Memory: the list of files, and a file with its history.

use askama::Template;

use super::amount::Amount;
use super::form::{Field, Problem, problems};
use super::layout::Layout;
use super::moment::Shown;
use quaymaster_core::Instant;

/// `/memory`.
#[derive(Debug, Clone, Template)]
#[template(path = "memory.html")]
pub struct MemoryPage {
    pub layout: Layout,
    /// What was searched for.
    pub query: String,
    /// The folder that is open, with a slash at its end; empty for the top.
    pub prefix: String,
    /// Names of the folders on the way, with their prefixes.
    pub way: Vec<FolderRow>,
    pub folders: Vec<FolderRow>,
    pub files: Vec<MemoryRow>,
    /// Query of the address of the next page.
    pub next: Option<String>,
    /// Whether agents may write the organization's memory, for those who decide it.
    pub agents_write_org: Option<bool>,
    pub error: Option<String>,
}

#[derive(Debug, Clone)]
pub struct FolderRow {
    pub name: String,
    pub prefix: String,
}

#[derive(Debug, Clone)]
pub struct MemoryRow {
    pub path: String,
    /// In bytes.
    pub size: u64,
    pub written_by: String,
    pub written_at: Instant,
    /// The line that was found.
    pub line: Option<String>,
}

impl MemoryPage {
    pub fn problems(&self) -> Vec<Problem> {
        problems(None, [("query", self.error.as_ref())])
    }
}

/// `/memory/new` and `/memory/file`: posts `path`, `content` and `etag` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "memory_file.html")]
pub struct MemoryFilePage {
    pub layout: Layout,
    /// None for a new one.
    pub saved: Option<SavedFile>,
    pub path: Field,
    pub content: Field,
    /// Why the whole was refused.
    pub error: Option<String>,
}

/// A file that is there, or was.
#[derive(Debug, Clone)]
pub struct SavedFile {
    pub path: String,
    /// In the form that renames it.
    pub new_path: String,
    pub etag: String,
    pub is_deleted: bool,
    /// The old version that is looked at.
    pub looking_at: Option<i64>,
    pub may_write: bool,
    pub versions: Vec<MemoryVersionRow>,
}

#[derive(Debug, Clone)]
pub struct MemoryVersionRow {
    pub version: i64,
    /// `created`, `edited`, `renamed`, `restored` or `deleted`.
    pub change: &'static str,
    pub written_by: String,
    pub written_at: Instant,
    /// In bytes.
    pub size: u64,
    pub is_current: bool,
    /// It still says something.
    pub is_readable: bool,
    pub is_redacted: bool,
}

impl MemoryFilePage {
    pub fn problems(&self) -> Vec<Problem> {
        let fields = [
            ("path", self.path.error.as_ref()),
            ("note", self.content.error.as_ref()),
        ];
        problems(self.error.as_ref(), fields)
    }
}

impl MemoryFilePage {
    /// Whether the form that writes it is shown.
    fn may_edit(&self) -> bool {
        self.saved
            .as_ref()
            .is_none_or(|saved| saved.may_write && !saved.is_deleted && saved.looking_at.is_none())
    }
}

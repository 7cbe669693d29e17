//! The files of a workspace: a directory, one file, and its text to edit.

use askama::Template;
use quaymaster_core::Instant;

use super::amount::Amount;
use super::form::{Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::place::Place;
use super::workspace::Usage;

/// A directory above what is shown, or the root.
#[derive(Debug, Clone)]
pub struct Crumb {
    pub name: String,
    pub href: String,
}

/// `/workspaces/{id}/files`.
#[derive(Debug, Clone, Template)]
#[template(path = "files.html")]
pub struct FilesPage {
    pub layout: Layout,
    pub place: Place,
    /// Of the directory; empty for the root.
    pub path: String,
    /// The root first, the directory itself last.
    pub crumbs: Vec<Crumb>,
    pub entries: Vec<EntryRow>,
    /// Entries on all pages.
    pub total: u64,
    pub next: Option<String>,
    /// Entries whose names cannot be written.
    pub unlistable: u64,
    pub storage: Usage,
    /// Of a file that this page takes.
    pub most_bytes: u64,
    /// Something was refused: what, and the field that it is about.
    pub refused: Option<(&'static str, String)>,
    pub new_file: Field,
    pub new_directory: Field,
}

/// Something in a directory.
#[derive(Debug, Clone)]
pub struct EntryRow {
    pub name: String,
    pub path: String,
    /// Where it is looked at; none for what is neither a file nor a directory.
    pub href: Option<String>,
    pub kind: EntryKind,
    pub size: u64,
    pub modified_at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Directory,
    File,
    Link,
    Other,
}

impl EntryKind {
    pub fn label(self) -> &'static str {
        match self {
            EntryKind::Directory => "directory",
            EntryKind::File => "file",
            EntryKind::Link => "link",
            EntryKind::Other => "neither file nor directory",
        }
    }
}

impl FilesPage {
    pub fn problems(&self) -> Vec<Problem> {
        let problem = |(input, message): &(&'static str, String)| Problem {
            input: (!input.is_empty()).then(|| (*input).into()),
            message: message.clone(),
        };
        self.refused.iter().map(problem).collect()
    }

    /// Where its forms lead.
    pub fn action(&self, verb: &str) -> String {
        format!("{}/files/{verb}", self.place.path())
    }

    /// Why a file was not taken.
    pub fn upload_error(&self) -> Option<&String> {
        let refused = self.refused.as_ref();
        refused
            .filter(|(input, _)| *input == "file")
            .map(|(_, said)| said)
    }

    /// The directory as people read it.
    pub fn shown_path(&self) -> &str {
        if self.path.is_empty() {
            "the top of the workspace"
        } else {
            &self.path
        }
    }
}

/// `/workspaces/{id}/files/view`.
#[derive(Debug, Clone, Template)]
#[template(path = "file.html")]
pub struct FilePage {
    pub layout: Layout,
    pub place: Place,
    pub path: String,
    pub name: String,
    pub crumbs: Vec<Crumb>,
    pub size: u64,
    pub media_type: String,
    pub modified_at: Instant,
    pub etag: String,
    pub shown: ShownAs,
    /// The address of its bytes.
    pub raw: String,
    /// Where its changes are listed.
    pub history: String,
    /// Where its text is edited, when that is possible here.
    pub edit: Option<String>,
    /// Why it is not, where its size is not the reason.
    pub not_edited: Option<&'static str>,
    /// Where it would be moved to, and what is wrong with that.
    pub rename: Field,
}

/// How a file is shown.
#[derive(Debug, Clone)]
pub enum ShownAs {
    Text {
        /// Number and text.
        lines: Vec<(u64, String)>,
        total: u64,
        /// Addresses of the pages before and after this one.
        previous: Option<String>,
        next: Option<String>,
        /// Some lines were cut.
        is_clipped: bool,
    },
    Image,
    /// It can only be downloaded.
    Nothing,
}

impl FilePage {
    pub fn problems(&self) -> Vec<Problem> {
        super::form::problems(None, [("rename", self.rename.error.as_ref())])
    }

    /// Where its forms lead.
    pub fn action(&self, verb: &str) -> String {
        format!("{}/files/{verb}", self.place.path())
    }
}

/// `/workspaces/{id}/files/edit`.
#[derive(Debug, Clone, Template)]
#[template(path = "file_edit.html")]
pub struct FileEditPage {
    pub layout: Layout,
    pub place: Place,
    pub path: String,
    pub name: String,
    pub crumbs: Vec<Crumb>,
    pub view: String,
    pub text: Field,
    /// Of the version that is changed.
    pub etag: String,
    pub encoding: String,
    /// Somebody else changed it meanwhile: saving now replaces that.
    pub is_stale: bool,
}

impl FileEditPage {
    pub fn problems(&self) -> Vec<Problem> {
        super::form::problems(None, [("text", self.text.error.as_ref())])
    }

    pub fn action(&self) -> String {
        format!("{}/files/edit", self.place.path())
    }
}

/// `/workspaces/{id}/files/history`, also of a file that is gone.
#[derive(Debug, Clone, Template)]
#[template(path = "file_history.html")]
pub struct FileHistoryPage {
    pub layout: Layout,
    pub place: Place,
    pub name: String,
    pub crumbs: Vec<Crumb>,
    pub view: String,
    /// Newest first.
    pub changes: Vec<FileChangeView>,
    /// Where older ones are.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct FileChangeView {
    pub at: Instant,
    /// The tool, or noun and past participle of what a person did.
    pub what: String,
    /// To the call or the change; none for whoever may not see it.
    pub href: Option<String>,
    /// Name of the credential or person.
    pub who: String,
    /// Where it was moved or copied to, or came from, and where that one's history is.
    pub other: Option<String>,
    pub other_href: Option<String>,
    /// How the version's etag begins.
    pub etag: Option<String>,
}

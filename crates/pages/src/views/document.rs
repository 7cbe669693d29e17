//! The knowledge base: the list of documents with a search, and one document.

use askama::Template;

use super::amount::Amount;
use super::form::{Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::pager::Pager;
use super::workspace::Usage;
use quaymaster_core::Instant;

/// `/documents`: asks itself with `query` and `page`; posts `file`, `folder`, `title` and `replace` to itself; what is too
/// large for that, the script sends by `/documents/uploads`.
#[derive(Debug, Clone, Template)]
#[template(path = "documents.html")]
pub struct DocumentsPage {
    pub layout: Layout,
    /// What was searched for; empty for the list.
    pub query: String,
    pub found: Vec<PassageRow>,
    pub documents: Vec<DocumentRow>,
    pub pager: Pager,
    pub room: Usage,
    /// None for who may not change anything.
    pub form: Option<DocumentForm>,
}

#[derive(Debug, Clone, Default)]
pub struct DocumentForm {
    pub folder: Field,
    pub title: Field,
    pub replace: bool,
    /// Of a file that this page takes.
    pub most_bytes: u64,
    /// Of one that the form takes as a whole; the script sends larger ones in parts.
    pub whole_bytes: u64,
    /// Why the file was not taken.
    pub error: Option<String>,
}

#[derive(Debug, Clone)]
pub struct DocumentRow {
    pub id: String,
    pub path: String,
    pub title: String,
    pub size: u64,
    pub status: DocumentStatus,
    pub updated_at: Instant,
}

/// What became of a document.
#[derive(Debug, Clone)]
pub enum DocumentStatus {
    Queued,
    Extracting,
    /// Pieces that can be found.
    Indexed(u64),
    /// Why, and what to do.
    Failed(String),
}

impl DocumentStatus {
    pub fn label(&self) -> &'static str {
        match self {
            DocumentStatus::Queued => "waiting",
            DocumentStatus::Extracting => "being read",
            DocumentStatus::Indexed(_) => "searchable",
            DocumentStatus::Failed(_) => "failed",
        }
    }

    pub fn class(&self) -> &'static str {
        match self {
            DocumentStatus::Queued | DocumentStatus::Extracting => " waiting",
            DocumentStatus::Indexed(_) => "",
            DocumentStatus::Failed(_) => " failed",
        }
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            DocumentStatus::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    pub fn is_waiting(&self) -> bool {
        matches!(self, DocumentStatus::Queued | DocumentStatus::Extracting)
    }
}

/// A passage that was found.
#[derive(Debug, Clone)]
pub struct PassageRow {
    pub document: String,
    pub title: String,
    pub path: String,
    pub heading: String,
    pub snippet: String,
}

impl DocumentForm {
    /// How large a file may be.
    pub fn most(&self) -> String {
        let most = format!("At most {}.", self.most_bytes.bytes());
        if self.whole_bytes < self.most_bytes {
            let whole = self.whole_bytes.bytes();
            return format!("{most} In a browser without scripts, at most {whole}.");
        }
        most
    }
}

impl DocumentsPage {
    pub fn problems(&self) -> Vec<Problem> {
        let form = self.form.iter();
        let of = form.flat_map(|form| {
            let folder = form.folder.error.iter().map(|message| ("folder", message));
            let title = form.title.error.iter().map(|message| ("title", message));
            let whole = form.error.iter().map(|message| ("file", message));
            whole.chain(folder).chain(title)
        });
        of.map(|(input, message)| Problem {
            input: Some(input.into()),
            message: message.clone(),
        })
        .collect()
    }

    /// Whether the list changes by itself.
    pub fn is_waiting(&self) -> bool {
        self.documents.iter().any(|one| one.status.is_waiting())
    }
}

/// `/documents/{id}`.
#[derive(Debug, Clone, Template)]
#[template(path = "document.html")]
pub struct DocumentPage {
    pub layout: Layout,
    pub id: String,
    pub path: String,
    pub title: String,
    pub media_type: String,
    pub size: u64,
    pub status: DocumentStatus,
    pub characters: u64,
    pub updated_at: Instant,
    pub indexed_at: Option<Instant>,
    pub pieces: Vec<PieceView>,
    /// Where the pages before and after this one begin.
    pub previous: Option<i64>,
    pub next: Option<i64>,
    pub may_change: bool,
}

/// A piece of the text, as agents read it.
#[derive(Debug, Clone)]
pub struct PieceView {
    pub n: i64,
    pub heading: String,
    pub text: String,
}

//! The organization's own connectors: their list, the page on which a definition is written, and
//! the one that imports an API's own document.

use askama::Template;

use super::form::{Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use quaymaster_core::Instant;

/// `/connectors/own`.
#[derive(Debug, Clone, Template)]
#[template(path = "own_connectors.html")]
pub struct OwnConnectorsPage {
    pub layout: Layout,
    pub connectors: Vec<OwnRow>,
}

#[derive(Debug, Clone)]
pub struct OwnRow {
    /// Part of its path.
    pub key: String,
    pub title: String,
    pub version: String,
    pub updated_at: Instant,
    pub accounts: usize,
    /// How many of them do not work.
    pub broken: usize,
}

/// `/connectors/own/new` and `/connectors/own/{key}`: posts `source` or `file`, and `do`, to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "definition.html")]
pub struct DefinitionPage {
    pub layout: Layout,
    /// None for a new one.
    pub changed: Option<Changed>,
    pub source: String,
    /// What is wrong with it.
    pub mistakes: Vec<Mistake>,
    /// Why the whole was refused.
    pub error: Option<String>,
    /// What was found when it was only checked and is fine.
    pub fine: Option<String>,
    /// What became of a document, when it comes from one.
    pub report: Option<ReportView>,
}

/// A definition that is there already.
#[derive(Debug, Clone)]
pub struct Changed {
    pub key: String,
    pub title: String,
    pub accounts: usize,
    /// Names of accounts that have just stopped.
    pub stopped: Vec<String>,
}

/// Something wrong in a line.
#[derive(Debug, Clone)]
pub struct Mistake {
    /// From 1; 0 when the place is not known.
    pub line: u64,
    pub column: u64,
    pub message: String,
    /// The line itself, shortened.
    pub text: String,
}

/// What became of the operations of a document.
#[derive(Debug, Clone)]
pub struct ReportView {
    /// For example `OpenAPI 3.0.3`.
    pub format: String,
    pub imported: usize,
    pub changed: usize,
    pub left_out: usize,
    pub notes: Vec<String>,
    /// Those that were changed or left out.
    pub operations: Vec<OperationRow>,
    /// How many of these are not shown.
    pub more: usize,
}

#[derive(Debug, Clone)]
pub struct OperationRow {
    pub operation: String,
    pub is_left_out: bool,
    pub remarks: Vec<String>,
}

impl DefinitionPage {
    pub fn problems(&self) -> Vec<Problem> {
        let whole = self.error.iter().map(|message| Problem {
            input: None,
            message: message.clone(),
        });
        let mistakes = (!self.mistakes.is_empty()).then(|| Problem {
            input: Some("mistakes".into()),
            message: match self.mistakes.len() {
                1 => "Nothing is saved: there is a problem in the definition.".to_owned(),
                count => {
                    format!("Nothing is saved: there are {count} problems in the definition.")
                }
            },
        });
        whole.chain(mistakes).collect()
    }
}

/// `/connectors/own/import`: posts `file`, `key`, `title`, `base_url` and `only` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "import_definition.html")]
pub struct ImportPage {
    pub layout: Layout,
    pub key: Field,
    pub title: Field,
    pub base_url: Field,
    pub only: Field,
    /// Why the document cannot be used.
    pub error: Option<String>,
}

impl ImportPage {
    pub fn problems(&self) -> Vec<Problem> {
        let whole = self.error.iter().map(|message| Problem {
            input: Some("file".into()),
            message: message.clone(),
        });
        whole.collect()
    }
}

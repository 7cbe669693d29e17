//! What became of each operation of a document.

use serde::Serialize;

/// What an import tells besides the definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The format of the document with its version, for example `OpenAPI 3.0.3`.
    pub format: String,
    /// The document's title and version as it says them.
    pub title: String,
    pub version: String,
    /// How many operations ended how.
    pub counts: Kept,
    /// What concerns the whole document: servers, ways to sign in.
    pub notes: Vec<String>,
    /// Every operation of the document, in its order.
    pub operations: Vec<Operation>,
}

/// How many operations were imported as they are, with changes, or not at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Kept {
    pub imported: usize,
    pub changed: usize,
    pub left_out: usize,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operation {
    /// Its verb and path as the document has them, for example `GET /pets/{id}`.
    pub operation: String,
    /// The document's own name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Module and action that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    pub outcome: Outcome,
    /// Each change in words; or why it was left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Imported,
    /// Imported, but not as the document has it.
    Changed,
    LeftOut,
}

impl Report {
    /// Counts the outcomes.
    pub(super) fn count(&mut self) {
        let count = |outcome| {
            let operations = self.operations.iter();
            operations.filter(|one| one.outcome == outcome).count()
        };
        self.counts = Kept {
            imported: count(Outcome::Imported),
            changed: count(Outcome::Changed),
            left_out: count(Outcome::LeftOut),
        };
    }
}

//! From an API's own document to a definition: OpenAPI 2.0, 3.0, 3.1 and 3.2, and Google Discovery.
//!
//! Invariants: nothing is fetched, a reference leads to the same document or to another file of the
//! same archive; time and memory are bounded whatever the document says; every operation of the
//! document stands in the report; the result keeps all rules, and reads back from its YAML as it is.
//!
//! A document becomes a [`tree`] once; what is asked for is read from it operation by operation.

mod report;

pub use report::{Kept, Operation, Outcome, Report};

use crate::definition::Definition;
use quaymaster_core::{Code, Fault};
use std::fmt;

/// A file, or an archive of files that refer to each other.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The name of the file, for messages. What it holds is told by its bytes.
    pub name: String,
    /// JSON or YAML, or a zip, tar or gzipped tar archive of such files.
    pub bytes: Vec<u8>,
}

/// What the document does not say, or shall not decide.
#[derive(Debug, Default)]
pub struct Options {
    /// The key of the definition; made from the title unless given.
    pub key: Option<String>,
    pub title: Option<String>,
    /// Scheme, host and path in front of every operation's path, instead of the document's servers.
    /// It is a template: `{url}/api` makes each account give its address.
    pub base_url: Option<String>,
    /// Only operations with one of these tags, all when there are none.
    pub only: Vec<String>,
    pub progress: Progress,
}

/// Is told how many operations are done, and of how many.
#[derive(Default)]
pub struct Progress(pub Option<Box<dyn Fn(usize, usize) + Send + Sync>>);

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}

/// A definition that keeps all rules of [`load`](crate::load::load).
#[derive(Debug, Clone)]
pub struct Imported {
    pub definition: Definition,
    /// The definition as its file, which reads back as the same.
    pub yaml: String,
    pub report: Report,
}

/// Reads a document and makes a definition of it. It takes seconds for the largest, so it runs where
/// blocking is allowed. A document that cannot be used is `INVALID_ARG`, one beyond the limits
/// `TOO_LARGE`; the hint says what to do.
pub fn import(source: Source, options: &Options) -> Result<Imported, Fault> {
    let _ = (source, options);
    Err(Fault::new(Code::Internal, "Not yet."))
}

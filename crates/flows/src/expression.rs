//! Programs of jq as text: what can be known of them without running them.
//!
//! Nothing here runs a program; that is the host's matter, outside of this process. But a program that
//! is only a path or a constant needs none: [`Program::in_place`] gives the same result.

mod lexer;
mod place;
mod refers;

pub(crate) use lexer::{Scanned, scan};
pub(crate) use place::within;
pub use place::{PathPart, Simple};
pub use refers::Reference;

use crate::context::Context;
use quaymaster_core::hex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Bytes of one program.
pub const LONGEST: usize = 64 << 10;

/// A program of jq.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", inline)]
pub struct Program {
    source: Arc<str>,
    digest: Arc<str>,
    simple: Option<Arc<Simple>>,
    refers: Arc<[Reference]>,
    reads_all: bool,
}

impl Program {
    /// The error says what is wrong with the text. A program that passes may still be none to jq.
    pub fn parse(source: &str) -> Result<Self, String> {
        let source = source.trim();
        if source.is_empty() {
            return Err("An expression is missing; `.` is everything".to_owned());
        }
        if source.contains("${{") {
            return Err(
                "This is an expression already; write it without `${{` and `}}`".to_owned(),
            );
        }
        Program::of(source, &scan(source, false)?)
    }

    pub(crate) fn of(source: &str, scanned: &Scanned<'_>) -> Result<Self, String> {
        if source.len() > LONGEST {
            return Err(format!(
                "The expression has {} bytes; at most {LONGEST} are possible",
                source.len()
            ));
        }
        if let Some(name) = refers::secret(&scanned.tokens) {
            return Err(format!(
                "Secrets are not seen by expressions; write `${{{{ secret.{name} }}}}` alone, in a header, the query or `auth` of a step `http`"
            ));
        }
        let reads = refers::reads(&scanned.tokens);
        Ok(Program {
            source: source.into(),
            digest: hex(&Sha256::digest(source.as_bytes())).into(),
            simple: place::simple(&scanned.tokens).map(Arc::new),
            refers: reads.references.into(),
            reads_all: reads.whole,
        })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// SHA-256 of the source, in hexadecimal: the key of whoever keeps compiled programs.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Paths from the context that stand in the program.
    pub fn references(&self) -> &[Reference] {
        &self.refers
    }

    /// Whether it may read more of the context than its certain references say.
    pub fn reads_all(&self) -> bool {
        self.reads_all
    }

    /// The program as a path or a constant, where it is one.
    pub fn simple(&self) -> Option<&Simple> {
        self.simple.as_deref()
    }

    /// The result, when it can be told without jq: none when the program is not that simple, and
    /// when jq would fail, so that there is one place that words failures.
    pub fn in_place(&self, context: &Context) -> Option<Value> {
        self.simple.as_ref()?.value(context)
    }
}

impl TryFrom<String> for Program {
    type Error = String;

    fn try_from(source: String) -> Result<Self, String> {
        Program::parse(&source)
    }
}

impl From<Program> for String {
    fn from(program: Program) -> String {
        program.source.to_string()
    }
}

use serde::Serialize;
use std::fmt;

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Empty when the text did not come from a file.
    pub file: String,
    /// From 1; 0 when the place is not known.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// The place in the file, for example `steps.2.http.query.name`; empty for the whole of it.
    pub key: String,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
        }
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        if !self.file.is_empty() || self.line > 0 {
            f.write_str(" ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A problem at a path of keys, before its line is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub at: Vec<String>,
    pub message: String,
}

impl Finding {
    /// Of something that did not come from a text.
    pub fn unplaced(self) -> Problem {
        Problem {
            file: String::new(),
            line: 0,
            column: 0,
            key: self.at.join("."),
            message: self.message,
        }
    }
}

//! Reads a definition's YAML, and says everything that is wrong with it at its place.

mod mend;
mod places;

use crate::definition::Definition;
use crate::lint;
use places::Places;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// No definition written by hand comes near; imported ones are cut below it.
pub const MOST_BYTES: usize = 4 << 20;

/// Something that is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Empty when the definition did not come from a file.
    pub file: String,
    /// From 1; 0 when the place is not known.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// The place in the definition, for example `modules.issues.actions.create_issue.path`; empty
    /// for the whole file.
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
pub(crate) struct Finding {
    pub(crate) at: Vec<String>,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn unplaced(self) -> Problem {
        Problem {
            file: String::new(),
            line: 0,
            column: 0,
            key: self.at.join("."),
            message: self.message,
        }
    }
}

/// A definition that keeps all rules, or every problem, in the order of the file.
///
/// Strict: no unknown and no doubled keys, texts that look like numbers stand in quotes, `yes` and
/// `off` are texts, and aliases cannot make a small file large.
pub fn load(text: &str, file: &str) -> Result<Definition, Vec<Problem>> {
    if text.len() > MOST_BYTES {
        let message = format!(
            "The file has {} bytes; at most {MOST_BYTES} are read.",
            text.len()
        );
        return Err(vec![placed(file, (1, 1), String::new(), message)]);
    }
    let definition: Definition = match serde_saphyr::from_str_with_options(text, strict()) {
        Ok(definition) => definition,
        Err(error) => return Err(unreadable(text, file, &error)),
    };
    let findings = lint::findings(&definition);
    if findings.is_empty() {
        return Ok(definition);
    }
    Err(at_their_places(findings, &Places::of(text), file))
}

/// A definition without a look at its rules, for one that was checked when it was taken in.
pub fn parse(text: &str, file: &str) -> Result<Definition, Vec<Problem>> {
    serde_saphyr::from_str_with_options(text, strict())
        .map_err(|error| unreadable(text, file, &error))
}

pub(crate) fn strict() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 48,
            flow_nesting_limit: 48,
            max_documents: 1,
            max_nodes: 250_000,
            max_aliases: 200,
            max_anchors: 200,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
        },
        emit_comments: false,
        strict_booleans: true,
        no_schema: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// The problems of a text that is no definition: all of them when it is YAML at all, else the first.
fn unreadable(text: &str, file: &str, error: &serde_saphyr::Error) -> Vec<Problem> {
    let places = Places::of(text);
    let error = match serde_saphyr::from_str_with_options::<Value>(text, strict()) {
        Ok(value) => {
            let findings = mend::findings(value);
            if !findings.is_empty() {
                return at_their_places(findings, &places, file);
            }
            error
        }
        // What is no YAML says little about a definition.
        Err(error) => &{ error },
    };
    let at = error
        .location()
        .map_or((1, 1), |location| (location.line(), location.column()));
    let message = error.to_string();
    let message = first_line(&message);
    let message = message.split(" at line ").next().unwrap_or(message);
    let message = match message.strip_prefix("duplicate mapping key: ") {
        Some(rest) => {
            let name = rest.split(',').next().unwrap_or_default();
            format!("The key `{name}` stands here twice")
        }
        None => message.to_owned(),
    };
    vec![placed(
        file,
        at,
        places.key_at(at).join("."),
        format!("{message}."),
    )]
}

/// A problem that somebody else has found, at the place of a key of the text.
pub fn problem_at(text: &str, path: &[&str], message: impl Into<String>) -> Problem {
    let path: Vec<String> = path.iter().map(|key| (*key).to_owned()).collect();
    let at = Places::of(text).of_path(&path);
    placed("", at, path.join("."), message.into())
}

fn at_their_places(findings: Vec<Finding>, places: &Places, file: &str) -> Vec<Problem> {
    let mut problems: Vec<Problem> = findings
        .into_iter()
        .map(|finding| {
            let at = places.of_path(&finding.at);
            placed(file, at, finding.at.join("."), finding.message)
        })
        .collect();
    problems.sort_by_key(|problem| (problem.line, problem.column));
    problems
}

fn placed(file: &str, (line, column): (u64, u64), key: String, message: String) -> Problem {
    Problem {
        file: file.to_owned(),
        line,
        column,
        key: short(key),
        message: short(message),
    }
}

/// Keys and values that are quoted can be as long as the file.
fn short(mut text: String) -> String {
    const MOST: usize = 700;
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

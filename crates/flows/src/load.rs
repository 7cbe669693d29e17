//! Reads flows and packs, YAML or JSON, and says everything that is wrong at its place.

mod mend;
mod places;

use crate::format::Flow;
use crate::lint;
use crate::pack::Pack;
use mend::Mended;
use places::Places;
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// Bytes of a file. One that people write is far smaller.
pub const MOST_BYTES: usize = 1 << 20;

/// Lists and maps within each other: what nested steps and their bodies need, and a stack can bear.
const DEEPEST: usize = 48;

/// Something that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Empty when the text did not come from a file.
    pub file: String,
    /// From 1; 0 when the place is not known.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// The place in the flow, for example `steps.2.http.query.name`; empty for the whole file.
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

/// What a file can be.
#[derive(Debug, Clone)]
pub enum Document {
    Flow(Box<Flow>),
    Pack(Box<Pack>),
}

/// A flow that keeps all rules, or every problem, in the order of the text. `file` is what problems
/// call it.
///
/// Strict: no unknown and no doubled keys, texts that look like numbers stand in quotes, `yes` and
/// `off` are texts, and aliases cannot make a small file large. What jq says of the expressions is
/// not known here.
pub fn flow(text: &str, file: &str) -> Result<Flow, Vec<Problem>> {
    let flow: Flow = read(text, file)?;
    kept(lint::flow(&flow), text, file)?;
    Ok(flow)
}

/// A pack and its flows, as [`flow`].
pub fn pack(text: &str, file: &str) -> Result<Pack, Vec<Problem>> {
    let pack: Pack = read(text, file)?;
    kept(lint::pack(&pack), text, file)?;
    Ok(pack)
}

/// Whatever stands there: with the key `pack` a pack, else a flow.
pub fn document(text: &str, file: &str) -> Result<Document, Vec<Problem>> {
    if Places::of(text).has(&["pack".to_owned()]) {
        pack(text, file).map(|pack| Document::Pack(Box::new(pack)))
    } else {
        flow(text, file).map(|flow| Document::Flow(Box::new(flow)))
    }
}

/// A flow without a look at its rules, for one that was checked when it was saved.
pub fn saved(text: &str) -> Result<Flow, Vec<Problem>> {
    read(text, "")
}

/// Problems that somebody else has found, at the places of keys of the text, for example
/// `["steps", "2", "map"]`. In the order of the text.
pub fn problems_at(text: &str, file: &str, found: Vec<(Vec<String>, String)>) -> Vec<Problem> {
    let findings = found.into_iter();
    let findings = findings.map(|(at, message)| Finding { at, message });
    kept(findings.collect(), text, file)
        .err()
        .unwrap_or_default()
}

fn read<T: Mended>(text: &str, file: &str) -> Result<T, Vec<Problem>> {
    if text.len() > MOST_BYTES {
        let message = format!(
            "The file has {} bytes; at most {MOST_BYTES} are read.",
            text.len()
        );
        return Err(vec![placed(file, (1, 1), String::new(), message)]);
    }
    serde_saphyr::from_str_with_options(text, strict())
        .map_err(|error| unreadable::<T>(text, file, &error))
}

fn kept(findings: Vec<Finding>, text: &str, file: &str) -> Result<(), Vec<Problem>> {
    if findings.is_empty() {
        return Ok(());
    }
    Err(at_their_places(findings, &Places::of(text), file))
}

fn strict() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 1,
            max_nodes: 100_000,
            max_aliases: 100,
            max_anchors: 100,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 8,
        },
        emit_comments: false,
        strict_booleans: true,
        no_schema: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// The problems of a text that is none of those: all of them when it is YAML at all, else the first.
fn unreadable<T: Mended>(text: &str, file: &str, error: &serde_saphyr::Error) -> Vec<Problem> {
    let places = Places::of(text);
    let error = match serde_saphyr::from_str_with_options::<Value>(text, strict()) {
        Ok(value) => {
            let findings = mend::findings::<T>(value);
            if !findings.is_empty() {
                return at_their_places(findings, &places, file);
            }
            error
        }
        // What is no YAML says little about a flow.
        Err(error) => &{ error },
    };
    let at = error
        .location()
        .map_or((1, 1), |location| (location.line(), location.column()));
    let message = error.to_string();
    let message = message.lines().next().unwrap_or_default();
    let message = message.split(" at line ").next().unwrap_or(message);
    let message = match message.strip_prefix("duplicate mapping key: ") {
        Some(rest) => {
            let name = rest.split(',').next().unwrap_or_default();
            format!("The key `{name}` stands here twice")
        }
        None => message.to_owned(),
    };
    let key = places.key_at(at).join(".");
    vec![placed(file, at, key, format!("{message}."))]
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

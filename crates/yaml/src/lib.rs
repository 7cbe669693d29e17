//! Files that people write, YAML or JSON: read strictly, with everything that is wrong at its place.
//!
//! Invariants: what a text costs is bounded before it is followed; a problem names its line, its column
//! and its key, and quotes no more than a few hundred bytes; nothing here knows what a file is about.
//!
//! Strict: no unknown and no doubled keys, texts that look like numbers stand in quotes, `yes` and
//! `off` are texts, and aliases cannot make a small file large.
//!
//! - [`Shape`]: what a file is read as, and [`Limits`] of it; [`Text`]: a file that is read
//! - [`Problem`], [`Finding`]: what is wrong, with and without its line
//! - [`Report`], [`Spot`]: what a lint says, and where
//! - [`items`]: items of a list, changed where they stand
//! - `places`: where keys stand; `mend`: how all that is wrong is found at once

pub mod items;
mod mend;
mod places;
mod problem;
mod report;
mod text;

pub use problem::{Finding, Problem};
pub use report::{Report, Spot};
pub use text::Text;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a file can be read as.
pub trait Shape: DeserializeOwned {
    const LIMITS: Limits;

    /// What helps somebody whose text was read as a list or a map; begins with a space.
    const BRACKETED: &'static str = "";

    /// Something for the places of the keys that have to be there.
    fn filler() -> Value;

    /// Something for the place of a list's item that was wrong: the others keep their numbers.
    fn gap() -> Value {
        Value::Null
    }
}

/// How large a file may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub bytes: usize,
    /// Keys, items and values.
    pub nodes: usize,
    /// Anchors too.
    pub aliases: usize,
    /// Nodes that stand there by their aliases.
    pub replayed: usize,
}

/// Lists and maps within each other: what people nest, and a stack can bear.
const DEEPEST: usize = 48;

/// How the reader of YAML is strict, for whoever reads a part of such a file.
pub fn strict(limits: Limits) -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 1,
            max_nodes: limits.nodes,
            max_aliases: limits.aliases,
            max_anchors: limits.aliases,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::Error,
        merge_keys: serde_saphyr::options::MergeKeyPolicy::Error,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: limits.replayed,
            max_replay_stack_depth: 8,
        },
        emit_comments: false,
        strict_booleans: true,
        no_schema: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

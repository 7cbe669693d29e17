//! `search_files`: content or names, over a walk that no swapped link can lead astray.

pub(crate) mod ignore;
pub(crate) mod matcher;
mod names;
mod run;
mod sink;
mod walk;

use crate::cursor;
use crate::home::Home;
use crate::jail::{EntryType, Last};
use crate::limits::Work;
use crate::path::RelPath;
use crate::read::yes;
use quaymaster_core::{Code, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Case {
    #[default]
    Smart,
    Sensitive,
    Insensitive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchOutput {
    #[default]
    Matches,
    Files,
    Count,
}

/// One glob or several.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Globs(pub Vec<String>);

impl<'de> Deserialize<'de> for Globs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(one) => Ok(Globs(vec![one])),
            value => serde_json::from_value(value)
                .map(Globs)
                .map_err(|_| serde::de::Error::custom("expected a text or an array of texts")),
        }
    }
}

impl JsonSchema for Globs {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Globs".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "string", "maxLength": 1000 },
                { "type": "array", "items": { "type": "string", "maxLength": 1000 }, "maxItems": 20 }
            ]
        })
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchFiles {
    /// Text to find in files. Without it, `glob` finds files by name. One of the two is needed.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub query: Option<String>,
    /// Only files that match: `*.rs` in any directory, `src/**/*.{ts,tsx}` from `path` on.
    #[serde(default)]
    pub glob: Option<Globs>,
    /// Directory or file to search, relative to the workspace root; empty = everything.
    #[serde(default)]
    #[schemars(length(max = 4096))]
    pub path: String,
    /// literal = exactly this text; regex = regular expression (no look-around).
    #[serde(default)]
    pub mode: crate::edit::PatternMode,
    /// smart = ignore case unless the query has a capital letter.
    #[serde(default)]
    pub case: Case,
    /// Only whole words.
    #[serde(default)]
    pub whole_word: bool,
    /// A match may span lines.
    #[serde(default)]
    pub multiline: bool,
    /// Globs of files and directories to leave out.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub exclude: Vec<String>,
    /// Leave out what `.gitignore` files exclude, and `.git`, `node_modules`, `target` and the like.
    #[serde(default = "yes")]
    pub respect_gitignore: bool,
    /// Also files and directories whose name starts with a dot.
    #[serde(default)]
    pub include_hidden: bool,
    /// Lines to show before and after each match.
    #[serde(default)]
    #[schemars(range(min = 0, max = 10))]
    pub context: u32,
    /// matches = lines; files = paths only; count = matching lines per file.
    #[serde(default)]
    pub output: SearchOutput,
    /// Matches (or files) in a page.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: u32,
    /// Matches shown of one file.
    #[serde(default = "fifty")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_per_file: u32,
    /// `next_cursor` of the previous page, with the same other arguments.
    #[serde(default)]
    pub cursor: Option<String>,
}

fn hundred() -> u32 {
    100
}

fn fifty() -> u32 {
    50
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchMode {
    Content,
    Name,
}

/// A line that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SearchMatch {
    pub path: String,
    pub line: u64,
    /// Of the first match in the line, in characters, from 1.
    pub column: u64,
    /// Clipped at 2,000 characters.
    pub text: String,
    /// Lines before, with `context`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub before: Vec<String>,
    /// Lines after, with `context`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub after: Vec<String>,
}

/// How many lines of a file match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileCount {
    pub path: String,
    pub count: u64,
}

/// What was left out of this page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Skipped {
    /// Files that are no text.
    pub binary: u64,
    /// Files over 10 MiB; name one as `path` to search it.
    pub too_large: u64,
    /// Files and directories left out by .gitignore or as generated.
    pub ignored: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SearchFilesResult {
    pub mode: SearchMode,
    /// Sorted by path and line.
    pub matches: Vec<SearchMatch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counts: Option<Vec<FileCount>>,
    pub files_searched: u64,
    pub skipped: Skipped,
    /// There is more: on the next page, or in a file with more matches than `max_per_file`.
    pub truncated: bool,
    /// The time was over before everything was searched; go on with `next_cursor`.
    pub timed_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Where the previous page ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reached {
    pub(crate) path: String,
    /// The last line shown; `None`: the file is done.
    pub(crate) line: Option<u64>,
    /// Matches of that file shown so far.
    pub(crate) shown: u64,
}

impl Home {
    /// Searches content (`query`) or names (`glob` alone). When the time is over, what was found
    /// is answered with `timed_out` and a cursor.
    ///
    /// `INVALID_ARG`, `REGEX_INVALID`, `NOT_FOUND`, `PATH_OUTSIDE_WORKSPACE`, and `TIMEOUT` only
    /// when the caller gave up.
    pub fn search_files(
        &self,
        ask: &SearchFiles,
        work: &Work<'_>,
    ) -> Result<SearchFilesResult, Fault> {
        let path = RelPath::parse(&ask.path, "/path")?;
        let query = ask.query.as_deref().filter(|query| !query.is_empty());
        let globs = ask.glob.as_ref().map_or(&[][..], |globs| &globs.0);
        if query.is_none() && globs.is_empty() {
            let message = "`query` or `glob` is needed.";
            return Err(Fault::invalid_arg("/query", "required", message)
                .hint("Pass `query` to search in files, `glob` to find files by name."));
        }
        if globs.len() > 20 || ask.exclude.len() > 50 {
            let message = "There are more than 20 globs or 50 excludes.";
            return Err(Fault::invalid_arg("/glob", "maxItems", message));
        }
        let bound = cursor::bind(&(
            (
                query,
                globs,
                &path,
                ask.mode,
                ask.case,
                ask.whole_word,
                ask.multiline,
            ),
            (
                &ask.exclude,
                ask.respect_gitignore,
                ask.include_hidden,
                ask.output,
            ),
            ask.max_per_file,
        ));
        let after: Option<Reached> = ask
            .cursor
            .as_deref()
            .map(|text| cursor::read(&bound, text))
            .transpose()?;
        let work = Work {
            deadline: work.deadline.min(Instant::now() + self.limits.search_time),
            ..*work
        };
        let walk = walk::Plan {
            globs: matcher::globs(globs, "/glob")?,
            exclude: matcher::globs(&ask.exclude, "/exclude")?,
            hidden: ask.include_hidden,
            after: after.clone(),
        };
        let content = query
            .map(|query| matcher::content(query, ask))
            .transpose()?;
        let found = match (self.existing(&path, Last::Follow)?, content) {
            (Some((place, meta)), Some(matcher)) if meta.kind == EntryType::File => {
                run::one_file(self, &place, &matcher, ask, after, &work)?
            }
            (_, content) => {
                let (path, dir) = self.existing_directory(&path)?;
                let rules = self.rules_above(&path, ask.respect_gitignore);
                let walker = walk::Walker::new(walk, &path, rules, &work);
                match content {
                    Some(matcher) => run::tree(self, walker, &dir, &matcher, ask, after, &work),
                    None => names::tree(walker, &dir, ask),
                }
            }
        };
        if found.timed_out && (work.cancelled)() {
            return Err(Fault::new(Code::Timeout, "The search was cancelled."));
        }
        Ok(found.into_result(ask, query.is_some(), &bound))
    }
}

/// A page under way.
#[derive(Default)]
pub(crate) struct Page {
    matches: Vec<SearchMatch>,
    files: Vec<String>,
    counts: Vec<FileCount>,
    files_searched: u64,
    skipped: Skipped,
    /// There is more than the page holds.
    full: bool,
    /// A file had more matches than wanted of one file.
    capped: bool,
    timed_out: bool,
    /// Where the next page starts, if there is one.
    reached: Option<Reached>,
}

impl Page {
    fn into_result(self, ask: &SearchFiles, content: bool, bound: &str) -> SearchFilesResult {
        let more = self.full || self.timed_out;
        let next_cursor = self
            .reached
            .filter(|_| more)
            .map(|reached| cursor::write(bound, reached));
        SearchFilesResult {
            mode: if content {
                SearchMode::Content
            } else {
                SearchMode::Name
            },
            matches: self.matches,
            files: (!content || ask.output == SearchOutput::Files).then_some(self.files),
            counts: (content && ask.output == SearchOutput::Count).then_some(self.counts),
            files_searched: self.files_searched,
            skipped: self.skipped,
            truncated: more || self.capped,
            timed_out: self.timed_out,
            next_cursor,
        }
    }
}

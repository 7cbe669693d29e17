//! `insert_after_pattern`: new lines next to a line that is known by what it says.

use super::pattern::{Finder, How, PatternMode};
use super::session::{EditOut, Session, Terms};
use crate::home::Home;
use crate::read::clip;
use crate::text::encoding;
use crate::text::eol::lines_of;
use quaymaster_core::{Code, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which occurrence is meant: a number from 1, or `"first"`, `"last"`, `"only"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occurrence {
    Nth(u64),
    Pick(Pick),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Pick {
    First,
    Last,
    Only,
}

impl<'de> Deserialize<'de> for Occurrence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        match value.as_u64() {
            Some(nth) if nth > 0 => Ok(Occurrence::Nth(nth)),
            _ => serde_json::from_value(value)
                .map(Occurrence::Pick)
                .map_err(|_| {
                    serde::de::Error::custom(
                        "expected a number from 1, \"first\", \"last\" or \"only\"",
                    )
                }),
        }
    }
}

impl JsonSchema for Occurrence {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Occurrence".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 1 },
                { "type": "string", "enum": ["first", "last", "only"] }
            ]
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    #[default]
    After,
    Before,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InsertAfterPattern {
    /// Text file to edit, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// What a line must contain. One line only.
    #[schemars(length(min = 1, max = 100_000))]
    pub pattern: String,
    /// Lines to insert; the final line end may be left out. Line ends follow the matched line.
    pub content: String,
    #[serde(default)]
    pub mode: PatternMode,
    /// Which matching line: a number from 1, "first", "last", or "only" = there must be just one.
    #[serde(default = "only")]
    pub occurrence: Occurrence,
    /// On which side of the matched line.
    #[serde(default)]
    pub position: Position,
    /// Do nothing if the file already has these lines, one after the other, anywhere.
    #[serde(default)]
    pub skip_if_present: bool,
    /// Encoding label (WHATWG). Default: the file's own, detected.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Edit only if the file's etag is this one (from an earlier answer); `*` = any.
    #[serde(default)]
    pub if_match: Option<String>,
    /// Write nothing; answer what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

fn only() -> Occurrence {
    Occurrence::Pick(Pick::Only)
}

/// The line that was found, as it was numbered before the edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MatchedLine {
    pub line: u64,
    pub text: String,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct InsertAfterPatternResult {
    #[serde(flatten)]
    pub edit: EditOut,
    /// Left out when the lines were already present and nothing was looked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<MatchedLine>,
}

/// What of a line is looked at.
const LINE_MAX: usize = 1 << 20;
const LINES_TOLD: usize = 20;

/// What one pass over the lines found.
#[derive(Default)]
struct Hits {
    count: u64,
    lines: Vec<u64>,
    chosen: Option<MatchedLine>,
    present: bool,
}

impl Home {
    /// Inserts lines after (or before) a line that matches. `NO_MATCH`, `COUNT_MISMATCH`,
    /// `REGEX_INVALID`, and the faults of [`Home::insert_lines`].
    pub fn insert_after_pattern(
        &self,
        ask: &InsertAfterPattern,
    ) -> Result<InsertAfterPatternResult, Fault> {
        self.fits(&ask.content)?;
        if ask.pattern.contains('\n') {
            let message = "The pattern spans lines.";
            return Err(Fault::invalid_arg("/pattern", "pattern", message)
                .hint("Name one line, or use find_replace for text over several lines."));
        }
        let how = How {
            mode: ask.mode,
            case_sensitive: true,
            dot_all: false,
            crlf: false,
        };
        let finder = Finder::new(&ask.pattern, how, "/pattern")?;
        let session = self.edit(&Terms {
            path: &ask.path,
            encoding: ask.encoding.as_deref(),
            if_match: ask.if_match.as_deref(),
            dry_run: ask.dry_run,
            largest: self.limits.edit_max,
        })?;
        let content = lines_of(&ask.content);
        let hits = session.hits(ask, &finder, &content)?;
        if content.is_empty() || (ask.skip_if_present && hits.present) {
            let edit = session.unchanged();
            return Ok(InsertAfterPatternResult {
                edit,
                matched: hits.chosen,
            });
        }
        let matched = hits.choose(ask)?;
        session.precondition()?;
        let line = match ask.position {
            Position::After => matched.line,
            Position::Before => matched.line - 1,
        };
        let edit = session.apply(&session.insertion(line, &content)?)?;
        Ok(InsertAfterPatternResult {
            edit,
            matched: Some(matched),
        })
    }
}

impl Session<'_> {
    fn hits(
        &self,
        ask: &InsertAfterPattern,
        finder: &Finder,
        content: &[&str],
    ) -> Result<Hits, Fault> {
        let mut hits = Hits::default();
        let mut run = Run::new(content);
        let mut reader = self.reader(1)?;
        while let Some(line) = reader.next(LINE_MAX).map_err(|error| self.io(&error))? {
            let text = encoding::decode(&line.bytes, self.text.encoding);
            if ask.skip_if_present && !hits.present {
                hits.present = run.next(&text);
            }
            if !finder.is_in(&text) {
                continue;
            }
            hits.count += 1;
            if hits.lines.len() < LINES_TOLD {
                hits.lines.push(line.number);
            }
            let chosen = match ask.occurrence {
                Occurrence::Nth(nth) => hits.count == nth,
                Occurrence::Pick(Pick::First | Pick::Only) => hits.count == 1,
                Occurrence::Pick(Pick::Last) => true,
            };
            if chosen {
                let mut text = text;
                clip(&mut text, self.home.limits.line_chars);
                hits.chosen = Some(MatchedLine {
                    line: line.number,
                    text,
                });
            }
        }
        Ok(hits)
    }
}

/// Finds lines that follow each other (Knuth, Morris and Pratt), however they repeat.
struct Run<'c> {
    wanted: &'c [&'c str],
    /// For each prefix, the length of the longest shorter prefix that it ends with.
    back: Vec<usize>,
    matched: usize,
}

impl<'c> Run<'c> {
    fn new(wanted: &'c [&'c str]) -> Self {
        let mut back = vec![0; wanted.len()];
        let mut length = 0;
        for index in 1..wanted.len() {
            while length > 0 && wanted[index] != wanted[length] {
                length = back[length - 1];
            }
            length += usize::from(wanted[index] == wanted[length]);
            back[index] = length;
        }
        Run {
            wanted,
            back,
            matched: 0,
        }
    }

    /// Whether the wanted lines end with this one.
    fn next(&mut self, line: &str) -> bool {
        while self.matched > 0 && self.wanted.get(self.matched) != Some(&line) {
            self.matched = self.back[self.matched - 1];
        }
        self.matched += usize::from(self.wanted.get(self.matched) == Some(&line));
        self.matched == self.wanted.len()
    }
}

impl Hits {
    fn choose(self, ask: &InsertAfterPattern) -> Result<MatchedLine, Fault> {
        if self.count == 0 {
            return Err(
                Fault::new(Code::NoMatch, "No line matches. Nothing was written.")
                    .hint("search_files with `path` of this file shows what is there."),
            );
        }
        let expected = match ask.occurrence {
            Occurrence::Pick(Pick::Only) if self.count > 1 => Some(1),
            Occurrence::Nth(nth) if self.chosen.is_none() => Some(nth),
            _ => None,
        };
        match (self.chosen, expected) {
            (Some(chosen), None) => Ok(chosen),
            (_, expected) => Err(Fault::new(
                Code::CountMismatch,
                format!("{} lines match. Nothing was written.", self.count),
            )
            .hint("Set `occurrence` to a number, \"first\" or \"last\", or a longer pattern.")
            .detail("found", self.count)
            .detail("expected", expected)
            .detail("lines", self.lines)),
        }
    }
}

//! `find_replace`: text for text, only if it occurs as often as expected.

use super::nearest::nearest;
use super::pattern::{Finder, How, PatternMode};
use super::session::{Changed, EditOut, Session, Terms};
use crate::diff::unified;
use crate::home::Home;
use crate::read::{out_of_range, read_range, yes};
use crate::text::encoding;
use crate::write::too_large;
use quaymaster_core::{Code, Fault};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::ops::Range;

/// How many occurrences must be found: a number, or `"all"` for at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedCount {
    Exactly(u64),
    All,
}

impl<'de> Deserialize<'de> for ExpectedCount {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) if text == "all" => Ok(ExpectedCount::All),
            serde_json::Value::Number(number) if number.as_u64().is_some_and(|n| n > 0) => {
                Ok(ExpectedCount::Exactly(number.as_u64().unwrap_or(1)))
            }
            _ => Err(serde::de::Error::custom(
                "expected a number from 1 or \"all\"",
            )),
        }
    }
}

impl Serialize for ExpectedCount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ExpectedCount::Exactly(count) => serializer.serialize_u64(*count),
            ExpectedCount::All => serializer.serialize_str("all"),
        }
    }
}

impl JsonSchema for ExpectedCount {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ExpectedCount".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [{ "type": "integer", "minimum": 1 }, { "type": "string", "enum": ["all"] }]
        })
    }
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindReplace {
    /// Text file to edit, relative to the workspace root; at most 64 MiB.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// What to find. A line feed also matches a Windows line end.
    #[schemars(length(min = 1, max = 100_000))]
    pub find: String,
    /// What to put there. With `mode: regex`, `$1` and `${name}` are captured groups and `$$` is
    /// a dollar sign.
    pub replace: String,
    /// literal = exactly this text; regex = regular expression (no look-around), `^` and `$`
    /// match at line ends.
    #[serde(default)]
    pub mode: PatternMode,
    /// How often it must occur, else nothing is written; "all" = at least once.
    #[serde(default = "once")]
    pub expected_count: ExpectedCount,
    #[serde(default = "yes")]
    pub case_sensitive: bool,
    /// With `mode: regex`: `.` matches line ends too.
    #[serde(default)]
    pub multiline: bool,
    /// Look only from this line on, from 1.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub start_line: Option<i64>,
    /// Look only up to this line, inclusive; -1 = the last line.
    #[serde(default)]
    #[schemars(range(min = -1))]
    pub end_line: Option<i64>,
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

fn once() -> ExpectedCount {
    ExpectedCount::Exactly(1)
}

/// Where an occurrence was, both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Spot {
    pub line: u64,
    pub column: u64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FindReplaceResult {
    #[serde(flatten)]
    pub edit: EditOut,
    pub replacements: u64,
    /// The first 100, in the old text.
    pub occurrences: Vec<Spot>,
}

const SPOTS: usize = 100;
const LINES_TOLD: usize = 20;

impl Home {
    /// Finds and replaces. `NO_MATCH`, `COUNT_MISMATCH`, `REGEX_INVALID`, `LINE_OUT_OF_RANGE`,
    /// `PRECONDITION_FAILED`, `NOT_TEXT`, `ENCODING_UNSUPPORTED`, `TOO_LARGE`, `NOT_FOUND`,
    /// `QUOTA_EXCEEDED`, `INVALID_ARG`.
    pub fn find_replace(&self, ask: &FindReplace) -> Result<FindReplaceResult, Fault> {
        self.fits(&ask.replace)?;
        if ask.find.chars().count() > 100_000 {
            let message = "`find` is longer than 100,000 characters.";
            return Err(Fault::invalid_arg("/find", "maxLength", message));
        }
        let session = self.edit(&Terms {
            path: &ask.path,
            encoding: ask.encoding.as_deref(),
            if_match: ask.if_match.as_deref(),
            dry_run: ask.dry_run,
            largest: self.limits.replace_max,
        })?;
        let bytes =
            read_range(&session.file, 0, session.facts.size).map_err(|error| session.io(&error))?;
        let bom = session.text.bom as usize;
        let text = encoding::decode_exactly(&bytes[bom..], session.text.encoding)?;
        let crlf = text.contains("\r\n");
        let how = How {
            mode: ask.mode,
            case_sensitive: ask.case_sensitive,
            dot_all: ask.multiline,
            crlf,
        };
        let finder = Finder::new(&ask.find, how, "/find")?;
        let range = lines_range(ask, &text, session.text.lines)?;
        let mut run = Run::new(&text, range, &ask.replace, crlf && !ask.find.contains('\r'));
        run.all(&finder, self.limits.replace_max as usize * 2)
            .ok_or_else(|| {
                too_large(run.new.len() as u64, self.limits.replace_max, "write_file")
            })?;
        if run.count == 0 {
            return Err(no_match(ask, &text));
        }
        if let ExpectedCount::Exactly(expected) = ask.expected_count
            && expected != run.count
        {
            return Err(mismatch(expected, run.count, &run.spots));
        }
        let (count, spots) = (run.count, std::mem::take(&mut run.spots));
        let edit = if run.new == text {
            session.unchanged()
        } else {
            session.precondition()?;
            session.rewrite(&bytes[..bom], &text, &run)?
        };
        Ok(FindReplaceResult {
            edit,
            replacements: count,
            occurrences: spots,
        })
    }
}

impl Session<'_> {
    fn rewrite(&self, bom: &[u8], old: &str, run: &Run<'_>) -> Result<EditOut, Fault> {
        let bytes = self.encode(&run.new)?;
        let diff = unified(old, &run.new, 1, self.home.limits.diff_max);
        let size = (bom.len() + bytes.len()) as u64;
        let new = self
            .home
            .produce(&self.place, self.dry, self.forced, size, |out| {
                out.write(bom, self.path())?;
                out.write(&bytes, self.path())
            })?;
        let line_at = |at: usize| count_lf(&run.new[..at]) + 1;
        let (first, end) = run.changed.unwrap_or_default();
        // A replacement that ends with a line end changed nothing of the line after it.
        let last = end - usize::from(run.new[..end].ends_with('\n'));
        let (start_line, end_line) = (line_at(first), line_at(last.max(first)));
        Ok(self.answer(
            &new,
            Some(Changed {
                start_line,
                end_line,
            }),
            diff,
        ))
    }
}

fn count_lf(text: &str) -> u64 {
    memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64
}

/// One pass over the text that finds and replaces at once.
struct Run<'t> {
    text: &'t str,
    range: Range<usize>,
    template: &'t str,
    /// Line feeds of the template become the line end of the line where a match starts.
    adapt: bool,
    new: String,
    /// Up to where `text` is copied.
    copied: usize,
    count: u64,
    spots: Vec<Spot>,
    /// Position, its line, and where that line starts: behind the last spot.
    seen: (usize, u64, usize),
    /// Stretch of one line and its end, so that long lines are searched once.
    line_end: (Range<usize>, bool),
    /// From the first to the last replacement, in `new`.
    changed: Option<(usize, usize)>,
}

impl<'t> Run<'t> {
    fn new(text: &'t str, range: Range<usize>, template: &'t str, crlf: bool) -> Self {
        let adapt = crlf && template.contains('\n') && !template.contains('\r');
        Run {
            text,
            range,
            template,
            adapt,
            new: String::with_capacity(text.len()),
            copied: 0,
            count: 0,
            spots: Vec::new(),
            seen: (0, 1, 0),
            line_end: (0..0, false),
            changed: None,
        }
    }

    /// `None` when the new text becomes larger than `most`.
    fn all(&mut self, finder: &Finder, most: usize) -> Option<()> {
        let text = self.text;
        let (from, part) = (self.range.start, &text[self.range.clone()]);
        match finder {
            Finder::Plain(plain) => {
                for (at, found) in part.match_indices(plain.as_str()) {
                    self.one(from + at..from + at + found.len(), None, most)?;
                }
            }
            Finder::Regex {
                regex,
                groups: false,
            } => {
                for found in regex.find_iter(part) {
                    self.one(from + found.start()..from + found.end(), None, most)?;
                }
            }
            Finder::Regex {
                regex,
                groups: true,
            } => {
                for captures in regex.captures_iter(part) {
                    let Some(found) = captures.get(0) else {
                        continue;
                    };
                    let range = from + found.start()..from + found.end();
                    self.one(range, Some(&captures), most)?;
                }
            }
        }
        self.new.push_str(&text[self.copied..]);
        (self.new.len() <= most).then_some(())
    }

    fn one(
        &mut self,
        at: Range<usize>,
        captures: Option<&regex::Captures<'_>>,
        most: usize,
    ) -> Option<()> {
        self.count += 1;
        if self.spots.len() < SPOTS {
            self.spot(at.start);
        }
        self.new.push_str(&self.text[self.copied..at.start]);
        self.copied = at.end;
        let first = self.changed.map_or(self.new.len(), |(first, _)| first);
        let adapted;
        let template = if self.adapt && self.ends_with_crlf(at.start) {
            adapted = self.template.replace('\n', "\r\n");
            &adapted
        } else {
            self.template
        };
        match captures {
            Some(captures) => captures.expand(template, &mut self.new),
            None => self.new.push_str(template),
        }
        self.changed = Some((first, self.new.len()));
        (self.new.len() <= most).then_some(())
    }

    fn spot(&mut self, at: usize) {
        let (from, mut line, mut start) = self.seen;
        for lf in memchr::memchr_iter(b'\n', &self.text.as_bytes()[from..at]) {
            line += 1;
            start = from + lf + 1;
        }
        self.seen = (at, line, start);
        let column = self.text[start..at].chars().count() as u64 + 1;
        self.spots.push(Spot { line, column });
    }

    /// Whether the line at a position ends with `\r\n`; without an end, the line before it.
    fn ends_with_crlf(&mut self, at: usize) -> bool {
        let (stretch, crlf) = &self.line_end;
        if stretch.contains(&at) {
            return *crlf;
        }
        let bytes = self.text.as_bytes();
        let (end, lf) = match memchr::memchr(b'\n', &bytes[at..]) {
            Some(length) => (at + length + 1, Some(at + length)),
            None => (bytes.len() + 1, memchr::memrchr(b'\n', &bytes[..at])),
        };
        let crlf = lf.is_some_and(|lf| lf > 0 && bytes[lf - 1] == b'\r');
        self.line_end = (at..end, crlf);
        crlf
    }
}

/// The bytes of the lines that are searched.
fn lines_range(ask: &FindReplace, text: &str, total: u64) -> Result<Range<usize>, Fault> {
    let start = match ask.start_line {
        None => 1,
        Some(line) if line >= 1 => line.unsigned_abs(),
        Some(_) => {
            return Err(Fault::invalid_arg(
                "/start_line",
                "minimum",
                "Lines count from 1.",
            ));
        }
    };
    let end = match ask.end_line {
        None | Some(-1) => total,
        Some(line) if line >= 1 && line.unsigned_abs() >= start => line.unsigned_abs(),
        Some(_) => {
            let message = "`end_line` must be -1 or at least `start_line`.";
            return Err(Fault::invalid_arg("/end_line", "minimum", message));
        }
    };
    if start > total.max(1) || end > total {
        return Err(out_of_range(&ask.path, start.max(end), total));
    }
    if start == 1 && end == total {
        return Ok(0..text.len());
    }
    let mut ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
    let from = if start == 1 {
        0
    } else {
        ends.nth(start as usize - 2).unwrap_or(text.len())
    };
    let to = ends.nth((end - start) as usize).unwrap_or(text.len());
    Ok(from..to)
}

fn no_match(ask: &FindReplace, text: &str) -> Fault {
    let fault = Fault::new(
        Code::NoMatch,
        "The text to find is not there. Nothing was written.",
    );
    if ask.mode == PatternMode::Regex {
        return if text.contains(&ask.find) {
            fault.hint("It is there literally: use `mode: literal`.")
        } else {
            fault.hint("Try the expression with search_files first, or a shorter one.")
        };
    }
    let near = nearest(text, &ask.find);
    let hint = match near.first() {
        Some(near) => format!(
            "Line {} comes nearest; read it and copy the text exactly, white space included.",
            near.line
        ),
        None => "Read the file and copy the text exactly, white space included.".to_owned(),
    };
    fault.hint(hint).detail("nearest", json!(near))
}

fn mismatch(expected: u64, found: u64, spots: &[Spot]) -> Fault {
    let mut lines: Vec<u64> = spots.iter().map(|spot| spot.line).collect();
    lines.dedup();
    lines.truncate(LINES_TOLD);
    Fault::new(
        Code::CountMismatch,
        format!("The text occurs {found} times, not {expected}. Nothing was written."),
    )
    .hint("Find a longer text that is unique, limit the lines, or set `expected_count`.")
    .detail("found", found)
    .detail("expected", expected)
    .detail("lines", lines)
}

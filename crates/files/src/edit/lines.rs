//! `insert_lines`, `replace_lines`, `delete_lines`.

use super::session::{EditOut, Session, Terms};
use super::splice::Splice;
use crate::home::Home;
use crate::read::out_of_range;
use crate::text::eol::lines_of;
use crate::text::{Eol, encoding};
use crate::write::too_large;
use quaymaster_core::{Code, Fault};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InsertLines {
    /// Text file to edit, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// Insert after this line: 0 = at the top, -1 = at the end.
    #[schemars(range(min = -1))]
    pub line: i64,
    /// Lines to insert; the final line end may be left out. Line ends follow the neighbouring line.
    pub content: String,
    /// Encoding label (WHATWG). Default: the file's own, detected.
    #[serde(default)]
    pub encoding: Option<String>,
    /// Edit only if the file's etag is this one (from an earlier answer); `*` = any.
    #[serde(default)]
    pub if_match: Option<String>,
    /// Write nothing; answer what would happen.
    #[serde(default)]
    pub dry_run: bool,
    /// The text that line `line` must have; otherwise nothing is written.
    #[serde(default)]
    pub expect_line: Option<String>,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceLines {
    /// Text file to edit, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// First line to replace, from 1.
    #[schemars(range(min = 1))]
    pub start_line: i64,
    /// Last line to replace, inclusive; -1 = the last line of the file.
    #[schemars(range(min = -1))]
    pub end_line: i64,
    /// The new lines; the final line end may be left out. Empty = remove the lines.
    pub content: String,
    /// The text that these lines must have now; otherwise nothing is written.
    #[serde(default)]
    pub expect: Option<String>,
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

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteLines {
    /// Text file to edit, relative to the workspace root.
    #[schemars(length(min = 1, max = 4096))]
    pub path: String,
    /// First line to delete, from 1.
    #[schemars(range(min = 1))]
    pub start_line: i64,
    /// Last line to delete, inclusive; -1 = the last line of the file.
    #[schemars(range(min = -1))]
    pub end_line: i64,
    /// The text that these lines must have now; otherwise nothing is written.
    #[serde(default)]
    pub expect: Option<String>,
    /// Edit only if the file's etag is this one (from an earlier answer); `*` = any.
    #[serde(default)]
    pub if_match: Option<String>,
    /// Write nothing; answer what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

impl Home {
    /// Inserts lines after a line. `LINE_OUT_OF_RANGE`, `PRECONDITION_FAILED`, `NOT_TEXT`,
    /// `ENCODING_UNSUPPORTED`, `TOO_LARGE`, `NOT_FOUND`, `QUOTA_EXCEEDED`, `INVALID_ARG`.
    pub fn insert_lines(&self, ask: &InsertLines) -> Result<EditOut, Fault> {
        self.fits(&ask.content)?;
        let session = self.edit(&Terms {
            path: &ask.path,
            encoding: ask.encoding.as_deref(),
            if_match: ask.if_match.as_deref(),
            dry_run: ask.dry_run,
            largest: self.limits.edit_max,
        })?;
        let total = session.text.lines;
        let line = match ask.line {
            -1 => total,
            line if line < -1 => {
                return Err(
                    Fault::invalid_arg("/line", "minimum", "There is no such line.")
                        .hint("Use 0 for the top, -1 for the end, or a line number."),
                );
            }
            line => line.unsigned_abs(),
        };
        if line > total {
            return Err(out_of_range(&ask.path, line, total));
        }
        let content = lines_of(&ask.content);
        let splice = session.insertion(line, &content)?;
        if content.is_empty() {
            return Ok(session.unchanged());
        }
        session.precondition()?;
        if let Some(expected) = &ask.expect_line {
            session.expect(line, line, expected, "expect_line")?;
        }
        session.apply(&splice)
    }

    /// Replaces a range of lines. Faults as [`Home::insert_lines`].
    pub fn replace_lines(&self, ask: &ReplaceLines) -> Result<EditOut, Fault> {
        self.fits(&ask.content)?;
        let session = self.edit(&Terms {
            path: &ask.path,
            encoding: ask.encoding.as_deref(),
            if_match: ask.if_match.as_deref(),
            dry_run: ask.dry_run,
            largest: self.limits.edit_max,
        })?;
        let (start, end) = range(&ask.path, ask.start_line, ask.end_line, session.text.lines)?;
        session.replace(start, end, &lines_of(&ask.content), ask.expect.as_deref())
    }

    /// Deletes a range of lines. Faults as [`Home::insert_lines`].
    pub fn delete_lines(&self, ask: &DeleteLines) -> Result<EditOut, Fault> {
        let session = self.edit(&Terms {
            path: &ask.path,
            encoding: None,
            if_match: ask.if_match.as_deref(),
            dry_run: ask.dry_run,
            largest: self.limits.edit_max,
        })?;
        let (start, end) = range(&ask.path, ask.start_line, ask.end_line, session.text.lines)?;
        session.replace(start, end, &[], ask.expect.as_deref())
    }

    /// `TOO_LARGE` for content beyond what one call may write.
    pub(crate) fn fits(&self, content: &str) -> Result<(), Fault> {
        let size = content.len() as u64;
        if size > self.limits.write_max {
            return Err(too_large(
                size,
                self.limits.write_max,
                "create_upload_session",
            ));
        }
        Ok(())
    }
}

fn range(path: &str, start: i64, end: i64, total: u64) -> Result<(u64, u64), Fault> {
    if start < 1 {
        return Err(Fault::invalid_arg(
            "/start_line",
            "minimum",
            "Lines count from 1.",
        ));
    }
    if end < -1 || end == 0 || (end > 0 && end < start) {
        return Err(Fault::invalid_arg(
            "/end_line",
            "minimum",
            "`end_line` must be -1 or at least `start_line`.",
        ));
    }
    let start = start.unsigned_abs();
    let end = if end == -1 { total } else { end.unsigned_abs() };
    if start > total {
        return Err(out_of_range(path, start, total));
    }
    if end > total {
        return Err(out_of_range(path, end, total));
    }
    Ok((start, end))
}

impl Session<'_> {
    /// The splice that puts `content` after a line (0 = at the top).
    pub(crate) fn insertion(&self, line: u64, content: &[&str]) -> Result<Splice, Fault> {
        let mut reader = self.reader(line.saturating_sub(1).max(1))?;
        let mut before = Eol::None;
        let mut last = reader.next(0).map_err(|error| self.io(&error))?;
        if line >= 2 {
            before = last.as_ref().map_or(Eol::None, |line| line.eol);
            last = reader.next(0).map_err(|error| self.io(&error))?;
        }
        let neighbour = last.as_ref().map_or(Eol::None, |line| line.eol);
        let eol = [neighbour, before, self.usual_eol()]
            .into_iter()
            .find(|eol| *eol != Eol::None)
            .unwrap_or(Eol::Lf);
        let at = match &last {
            Some(last) if line > 0 => last.next,
            _ => self.text.bom,
        };
        // After a last line without an end, that end comes first and the new last line has none.
        let open = line > 0 && neighbour == Eol::None;
        let mut text = String::new();
        for new in content {
            if open {
                text.push_str(eol.text());
            }
            text.push_str(new);
            if !open {
                text.push_str(eol.text());
            }
        }
        Ok(Splice {
            range: at..at,
            bytes: self.encode(&text)?,
            line: line + 1,
            old_lines: 0,
            new_lines: content.len() as u64,
        })
    }

    fn replace(
        &self,
        start: u64,
        end: u64,
        content: &[&str],
        expected: Option<&str>,
    ) -> Result<EditOut, Fault> {
        let mut previous = Eol::None;
        let mut reader = self.reader(start.saturating_sub(1).max(1))?;
        if start > 1 {
            let line = reader.next(0).map_err(|error| self.io(&error))?;
            previous = line.map_or(Eol::None, |line| line.eol);
        }
        let from = reader.offset();
        let mut ends = Vec::new();
        let mut last = Eol::None;
        for number in start..=end {
            let Some(line) = reader.next(0).map_err(|error| self.io(&error))? else {
                break;
            };
            if line.eol != Eol::None {
                previous = line.eol;
            }
            last = line.eol;
            if ((number - start) as usize) < content.len() {
                ends.push(line.eol);
            }
        }
        let more = if previous == Eol::None {
            self.usual_eol()
        } else {
            previous
        };
        let mut text = String::new();
        for (index, line) in content.iter().enumerate() {
            text.push_str(line);
            let eol = match ends.get(index) {
                _ if index + 1 == content.len() && last == Eol::None => Eol::None,
                Some(Eol::None) | None => more,
                Some(eol) => *eol,
            };
            text.push_str(eol.text());
        }
        let splice = Splice {
            range: from..reader.offset(),
            bytes: self.encode(&text)?,
            line: start,
            old_lines: end - start + 1,
            new_lines: content.len() as u64,
        };
        if self.is_done(&splice)? {
            return Ok(self.unchanged());
        }
        self.precondition()?;
        if let Some(expected) = expected {
            self.expect(start, end, expected, "expect")?;
        }
        self.apply(&splice)
    }

    /// `PRECONDITION_FAILED` unless the lines read as expected; line ends do not count.
    fn expect(&self, start: u64, end: u64, expected: &str, name: &str) -> Result<(), Fault> {
        let mut wanted = lines_of(expected);
        if expected.is_empty() {
            wanted.push("");
        }
        let mut same = start > 0 && wanted.len() as u64 == end - start + 1;
        let mut reader = self.reader(start.max(1))?;
        for line in &wanted {
            if !same {
                break;
            }
            let bytes = self.encode(line).unwrap_or_default();
            let read = reader
                .next(bytes.len() + 4)
                .map_err(|error| self.io(&error))?;
            same = read.is_some_and(|read| read.bytes == bytes);
        }
        if same {
            return Ok(());
        }
        let mut actual = String::new();
        let mut reader = self.reader(start.max(1))?;
        for _ in start.max(1)..=end {
            let read = reader.next(2_000).map_err(|error| self.io(&error))?;
            let Some(line) = read.filter(|_| actual.len() < 4_000) else {
                break;
            };
            actual.push_str(&encoding::decode(&line.bytes, self.text.encoding));
            actual.push('\n');
        }
        let message = format!("The lines do not read as `{name}` says. Nothing was written.");
        Err(Fault::new(Code::PreconditionFailed, message)
            .hint("Compare with `details.actual`, find the right lines, and repeat the call.")
            .detail("actual", actual)
            .detail("current_etag", self.facts.etag.as_str()))
    }
}

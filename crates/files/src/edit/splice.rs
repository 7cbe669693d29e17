//! Replaces one range of a file's bytes: the parts before and after are copied as they are, in
//! constant memory however big the file is.

use super::session::{Changed, EditOut, Session};
use crate::diff::{Diff, unified};
use crate::read::read_range;
use crate::text::{Eol, LineReader, encoding};
use quaymaster_core::Fault;
use std::ops::Range;

/// Lines around a change that the diff shows.
const CONTEXT: u64 = 3;
/// Bytes of context; longer lines are left out of the diff.
const CONTEXT_MAX: u64 = 16 * 1024;
/// Bytes of a range that the diff looks at.
const RANGE_MAX: u64 = 256 * 1024;

/// Whole lines for whole lines.
pub(crate) struct Splice {
    /// Bytes to replace.
    pub(crate) range: Range<u64>,
    pub(crate) bytes: Vec<u8>,
    /// Number of the first line replaced, or of the first line added.
    pub(crate) line: u64,
    pub(crate) old_lines: u64,
    pub(crate) new_lines: u64,
}

impl Session<'_> {
    pub(crate) fn is_done(&self, splice: &Splice) -> Result<bool, Fault> {
        let length = splice.range.end - splice.range.start;
        if length != splice.bytes.len() as u64 {
            return Ok(false);
        }
        let old = read_range(&self.file, splice.range.start, length).map_err(|e| self.io(&e))?;
        Ok(old == splice.bytes)
    }

    /// Carries out a splice that changes something.
    pub(crate) fn apply(&self, splice: &Splice) -> Result<EditOut, Fault> {
        let diff = self.diff_around(splice)?;
        let size =
            self.facts.size - (splice.range.end - splice.range.start) + splice.bytes.len() as u64;
        let new = self
            .home
            .produce(&self.place, self.dry, self.forced, size, |out| {
                out.copy(&self.file, 0..splice.range.start, self.path())?;
                out.write(&splice.bytes, self.path())?;
                out.copy(&self.file, splice.range.end..self.facts.size, self.path())
            })?;
        let end_line = splice.line + splice.new_lines - 1;
        let changed = Changed {
            start_line: splice.line,
            end_line,
        };
        Ok(self.answer(&new, Some(changed), diff))
    }

    pub(crate) fn reader(&self, line: u64) -> Result<LineReader<'_>, Fault> {
        LineReader::at_line(&self.file, self.facts.size, &self.text, line)
            .map_err(|error| self.io(&error))
    }

    /// The end that new lines take where no neighbour says.
    pub(crate) fn usual_eol(&self) -> Eol {
        match self.text.dominant() {
            Eol::None => Eol::Lf,
            eol => eol,
        }
    }

    fn diff_around(&self, splice: &Splice) -> Result<Diff, Fault> {
        let read = |from: u64, to: u64| {
            read_range(&self.file, from, to - from).map_err(|error| self.io(&error))
        };
        let mut first = splice.line.saturating_sub(CONTEXT).max(1);
        let mut from = self.reader(first)?.offset().min(splice.range.start);
        if splice.range.start - from > CONTEXT_MAX {
            (first, from) = (splice.line, splice.range.start);
        }
        let before = read(from, splice.range.start)?;
        let cut = splice.range.end.min(splice.range.start + RANGE_MAX);
        let mut old = [&before[..], &read(splice.range.start, cut)?].concat();
        let mut new = [&before[..], &splice.bytes].concat();
        if cut == splice.range.end {
            let mut after = self.reader(splice.line + splice.old_lines)?;
            for _ in 0..CONTEXT {
                after.next(0).map_err(|error| self.io(&error))?;
            }
            if let Some(length) = after
                .offset()
                .checked_sub(cut)
                .filter(|n| *n <= CONTEXT_MAX)
            {
                let after = read(cut, cut + length)?;
                old.extend_from_slice(&after);
                new.extend_from_slice(&after);
            }
        }
        let old = encoding::decode(&old, self.text.encoding);
        let new = encoding::decode(&new, self.text.encoding);
        let mut diff = unified(&old, &new, first, self.home.limits.diff_max);
        diff.truncated |= cut < splice.range.end;
        Ok(diff)
    }
}

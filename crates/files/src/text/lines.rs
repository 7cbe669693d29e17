//! Lines of a file one after the other, from any line on, in constant memory.

use super::encoding::Units;
use super::eol::Eol;
use super::scan::TextFacts;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const BUFFER: usize = 64 * 1024;

/// One line as bytes.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// 1-based.
    pub(crate) number: u64,
    /// Without its end; at most as much as was asked for.
    pub(crate) bytes: Vec<u8>,
    /// `bytes` is not all of it.
    pub(crate) clipped: bool,
    pub(crate) eol: Eol,
    /// Where the next line starts.
    pub(crate) next: u64,
}

pub(crate) struct LineReader<'f> {
    file: &'f File,
    units: Units,
    number: u64,
    /// Offset of the next byte.
    at: u64,
    size: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl<'f> LineReader<'f> {
    /// A reader whose first line is `line` (1-based), or the end of the file.
    pub(crate) fn at_line(
        file: &'f File,
        size: u64,
        facts: &TextFacts,
        line: u64,
    ) -> io::Result<Self> {
        let (number, at) = facts.near(line);
        let (buffer, used) = (Vec::new(), 0);
        let mut reader = LineReader {
            file,
            units: facts.units,
            number,
            at,
            size,
            buffer,
            used,
        };
        while reader.number < line && reader.next(0)?.is_some() {}
        Ok(reader)
    }

    /// Offset of the next line.
    pub(crate) fn offset(&self) -> u64 {
        self.at
    }

    fn fill(&mut self) -> io::Result<bool> {
        if self.used < self.buffer.len() {
            return Ok(true);
        }
        let want = (self.size.saturating_sub(self.at)).min(BUFFER as u64) as usize;
        self.buffer.resize(want, 0);
        self.used = 0;
        let mut have = 0;
        while have < want {
            match self
                .file
                .read_at(&mut self.buffer[have..], self.at + have as u64)
            {
                Ok(0) => break,
                Ok(read) => have += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.buffer.truncate(have);
        Ok(have > 0)
    }

    /// The next line with at most `keep` bytes of it; `None` at the end of the file.
    pub(crate) fn next(&mut self, keep: usize) -> io::Result<Option<Line>> {
        let (start, number) = (self.at, self.number);
        let mut bytes = Vec::new();
        let mut clipped = false;
        let mut after_cr = false;
        loop {
            if !self.fill()? {
                if self.at == start {
                    return Ok(None);
                }
                clipped |= bytes.len() > keep;
                bytes.truncate(keep);
                self.number += 1;
                let next = self.at;
                return Ok(Some(Line {
                    number,
                    bytes,
                    clipped,
                    eol: Eol::None,
                    next,
                }));
            }
            let rest = &self.buffer[self.used..];
            let found = self.units.find_lf(rest);
            let piece = &rest[..found.unwrap_or(rest.len())];
            let room = keep.saturating_sub(bytes.len());
            // One more unit than wanted is kept, in case it is the carriage return of the end.
            let take = piece.len().min(room + self.units.width());
            bytes.extend_from_slice(&piece[..take]);
            clipped |= take < piece.len();
            if !piece.is_empty() {
                after_cr = self.units.ends_with_cr(piece);
            }
            let step = piece.len()
                + if found.is_some() {
                    self.units.width()
                } else {
                    0
                };
            self.used += step;
            self.at += step as u64;
            if found.is_some() {
                if after_cr && !clipped {
                    bytes.truncate(bytes.len() - self.units.width());
                }
                if bytes.len() > keep {
                    bytes.truncate(keep);
                    clipped = true;
                }
                self.number += 1;
                let eol = if after_cr { Eol::CrLf } else { Eol::Lf };
                return Ok(Some(Line {
                    number,
                    bytes,
                    clipped,
                    eol,
                    next: self.at,
                }));
            }
        }
    }
}

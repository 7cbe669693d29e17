//! What is kept of one file's matches.

use super::matcher::Content;
use super::{SearchFiles, SearchMatch, SearchOutput};
use crate::read::clip;
use grep_matcher::Matcher;
use grep_searcher::{Searcher, Sink, SinkContext, SinkFinish, SinkMatch};
use std::collections::BTreeMap;
use std::io;

/// Lines of one file, collected while it is searched.
pub(crate) struct Lines<'a> {
    matcher: &'a Content,
    output: SearchOutput,
    context: u64,
    chars: usize,
    /// Matches up to this line were shown on an earlier page.
    after: u64,
    /// Matches wanted, at most.
    room: u64,
    pub(crate) count: u64,
    pub(crate) binary: bool,
    /// There are more matches than wanted.
    pub(crate) capped: bool,
    /// First line, last line, column, text of each match.
    found: Vec<(u64, u64, u64, String)>,
    /// Lines by number, for context.
    texts: BTreeMap<u64, String>,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(
        matcher: &'a Content,
        ask: &SearchFiles,
        chars: usize,
        after: u64,
        shown: u64,
    ) -> Self {
        Lines {
            matcher,
            output: ask.output,
            context: u64::from(ask.context.min(10)),
            chars,
            after,
            room: u64::from(ask.max_per_file.clamp(1, 1000)).saturating_sub(shown),
            count: 0,
            binary: false,
            capped: false,
            found: Vec::new(),
            texts: BTreeMap::new(),
        }
    }

    pub(crate) fn into_matches(self, path: &str) -> Vec<SearchMatch> {
        let Lines {
            found,
            texts,
            context,
            ..
        } = self;
        let around = |from: u64, to: u64| -> Vec<String> {
            if from > to {
                return Vec::new();
            }
            texts
                .range(from..=to)
                .map(|(_, text)| text.clone())
                .collect()
        };
        found
            .into_iter()
            .map(|(line, last, column, text)| SearchMatch {
                path: path.to_owned(),
                line,
                column,
                text,
                before: around(line.saturating_sub(context).max(1), line - 1),
                after: around(last + 1, last + context),
            })
            .collect()
    }

    fn keep(&mut self, number: u64, bytes: &[u8]) {
        if self.context > 0 {
            for (line, number) in bytes.split_inclusive(|byte| *byte == b'\n').zip(number..) {
                self.texts.insert(number, shown(line, 0, self.chars));
            }
        }
    }
}

impl Sink for Lines<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> Result<bool, io::Error> {
        self.count += 1;
        match self.output {
            SearchOutput::Count => return Ok(true),
            SearchOutput::Files => return Ok(false),
            SearchOutput::Matches => {}
        }
        let number = found.line_number().unwrap_or(1);
        self.keep(number, found.bytes());
        if number <= self.after {
            return Ok(true);
        }
        if self.room == 0 {
            self.capped = true;
            return Ok(false);
        }
        self.room -= 1;
        let bytes = found.bytes();
        let start = match self.matcher.regex.find(bytes) {
            Ok(Some(at)) => at.start(),
            _ => 0,
        };
        let column = String::from_utf8_lossy(&bytes[..start]).chars().count() as u64 + 1;
        let lines = found.lines().count().max(1) as u64;
        self.found.push((
            number,
            number + lines - 1,
            column,
            shown(bytes, start, self.chars),
        ));
        Ok(true)
    }

    fn context(&mut self, _: &Searcher, context: &SinkContext<'_>) -> Result<bool, io::Error> {
        if let Some(number) = context.line_number() {
            self.keep(number, context.bytes());
        }
        Ok(true)
    }

    fn finish(&mut self, _: &Searcher, finish: &SinkFinish) -> Result<(), io::Error> {
        self.binary = finish.binary_byte_offset().is_some();
        Ok(())
    }
}

/// A line without its end, clipped so that what was found is in it.
fn shown(bytes: &[u8], start: usize, chars: usize) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let from = if start > chars { start - chars / 4 } else { 0 };
    let to = bytes.len().min(from + chars * 4);
    let mut text = String::from_utf8_lossy(bytes.get(from..to).unwrap_or_default()).into_owned();
    clip(&mut text, chars);
    text
}

//! Globs and patterns, compiled or refused.

use super::{Case, SearchFiles, SearchOutput};
use crate::edit::PatternMode;
use globset::{Glob, GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder};
use quaymaster_core::{Code, Fault};

fn compile(glob: &str, pointer: &str) -> Result<Glob, Fault> {
    let anywhere = if glob.contains('/') {
        glob.trim_start_matches("./")
            .trim_start_matches('/')
            .to_owned()
    } else {
        format!("**/{glob}")
    };
    GlobBuilder::new(&anywhere)
        .literal_separator(true)
        .build()
        .map_err(|error| {
            Fault::invalid_arg(
                pointer,
                "format",
                format!("The glob {glob:?} cannot be used: {}.", error.kind()),
            )
            .hint("Examples: `*.rs` matches in any directory, `src/**/*.{ts,tsx}` from `path` on.")
        })
}

/// A glob over paths relative to where the walk starts. Without `/` it matches names anywhere.
pub(crate) fn one_glob(glob: &str, pointer: &str) -> Result<GlobMatcher, Fault> {
    Ok(compile(glob, pointer)?.compile_matcher())
}

/// Several globs at once; `None` when there are none.
pub(crate) fn globs(globs: &[String], pointer: &str) -> Result<Option<GlobSet>, Fault> {
    if globs.is_empty() {
        return Ok(None);
    }
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(compile(glob, pointer)?);
    }
    let set = set.build().map_err(|error| {
        Fault::invalid_arg(
            pointer,
            "format",
            format!("The globs cannot be used: {}.", error.kind()),
        )
    })?;
    Ok(Some(set))
}

/// A compiled query.
pub(crate) struct Content {
    pub(crate) regex: RegexMatcher,
    /// Matches end at line ends.
    by_line: bool,
}

const REGEX_SIZE: usize = 1 << 20;
/// What a search over several lines may hold of one file.
const HEAP: usize = 64 << 20;

/// Compiles the query. `REGEX_INVALID` or `INVALID_ARG`.
pub(crate) fn content(query: &str, ask: &SearchFiles) -> Result<Content, Fault> {
    if query.chars().count() > 1000 {
        let message = "The query is longer than 1,000 characters.";
        return Err(Fault::invalid_arg("/query", "maxLength", message));
    }
    let literal = ask.mode == PatternMode::Literal;
    if query.contains('\n') && !ask.multiline {
        return Err(
            Fault::invalid_arg("/query", "pattern", "The query spans lines.")
                .hint("Pass `multiline: true`, or search for one line."),
        );
    }
    let mut builder = RegexMatcherBuilder::new();
    builder
        .fixed_strings(literal)
        .word(ask.whole_word)
        .case_smart(ask.case == Case::Smart)
        .case_insensitive(ask.case == Case::Insensitive)
        .multi_line(true)
        .size_limit(REGEX_SIZE)
        .crlf(!literal && query.contains('$'));
    if !ask.multiline {
        builder.line_terminator(Some(b'\n'));
    }
    let regex = builder.build(query).map_err(|error| {
        Fault::new(
            Code::RegexInvalid,
            format!("The query cannot be used: {error}"),
        )
        .hint("Shorten it, or use `mode: literal`. There are no look-arounds or back-references.")
    })?;
    Ok(Content {
        regex,
        by_line: !ask.multiline,
    })
}

impl Content {
    pub(crate) fn searcher(&self, ask: &SearchFiles) -> Searcher {
        let wanted = ask.output == SearchOutput::Matches;
        let context = if wanted {
            ask.context.min(10) as usize
        } else {
            0
        };
        SearcherBuilder::new()
            .line_number(wanted)
            .multi_line(!self.by_line)
            .before_context(context)
            .after_context(context)
            .binary_detection(BinaryDetection::quit(0))
            .heap_limit(Some(HEAP))
            .build()
    }
}

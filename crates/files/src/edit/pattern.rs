//! What an edit looks for: plain text or a regular expression, linear in time either way.

use quaymaster_core::{Code, Fault};
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PatternMode {
    #[default]
    Literal,
    Regex,
}

/// The longest regular expression in bytes.
const REGEX_MAX: usize = 1024;
const REGEX_SIZE: usize = 1 << 20;
/// Plain text that ignores case or spans lines is compiled too, and may be long.
const LITERAL_SIZE: usize = 64 << 20;

pub(crate) enum Finder {
    Plain(String),
    /// `groups`: a replacement may name captured groups.
    Regex {
        regex: Regex,
        groups: bool,
    },
}

/// How to look.
#[derive(Debug, Clone, Copy)]
pub(crate) struct How {
    pub(crate) mode: PatternMode,
    pub(crate) case_sensitive: bool,
    /// `.` matches line ends too.
    pub(crate) dot_all: bool,
    /// The text has `\r\n`: then a line feed in the pattern stands for that as well.
    pub(crate) crlf: bool,
}

impl Finder {
    /// `pointer` is the argument's JSON Pointer. `REGEX_INVALID` or `INVALID_ARG`.
    pub(crate) fn new(pattern: &str, how: How, pointer: &str) -> Result<Finder, Fault> {
        if pattern.is_empty() {
            return Err(Fault::invalid_arg(
                pointer,
                "minLength",
                "There is nothing to look for.",
            ));
        }
        let spans = how.crlf && pattern.contains('\n');
        if how.mode == PatternMode::Literal && how.case_sensitive && !spans {
            return Ok(Finder::Plain(pattern.to_owned()));
        }
        let (source, limit) = match how.mode {
            PatternMode::Literal => (regex::escape(pattern), LITERAL_SIZE),
            PatternMode::Regex if pattern.len() > REGEX_MAX => {
                return Err(invalid(
                    "The regular expression is longer than 1,024 bytes.",
                ));
            }
            PatternMode::Regex => (pattern.to_owned(), REGEX_SIZE),
        };
        let source = if how.crlf {
            any_line_end(&source)
        } else {
            source
        };
        let regex = RegexBuilder::new(&source)
            .case_insensitive(!how.case_sensitive)
            .multi_line(true)
            .crlf(how.crlf)
            .dot_matches_new_line(how.dot_all)
            .size_limit(limit)
            .build()
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => {
                    invalid("The regular expression is too big when compiled.")
                }
                error => invalid(format!("The regular expression cannot be read: {error}")),
            })?;
        Ok(Finder::Regex {
            regex,
            groups: how.mode == PatternMode::Regex,
        })
    }

    pub(crate) fn is_in(&self, text: &str) -> bool {
        match self {
            Finder::Plain(plain) => text.contains(plain.as_str()),
            Finder::Regex { regex, .. } => regex.is_match(text),
        }
    }
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::new(Code::RegexInvalid, message)
        .hint("Shorten it, or use `mode: literal`. There are no look-arounds or back-references.")
}

/// Lets a line feed outside of brackets, written as such or as `\n`, match `\r\n` too.
fn any_line_end(source: &str) -> String {
    const EITHER: &str = "(?:\\r?\\n)";
    let mut result = String::with_capacity(source.len());
    let mut brackets = 0_u32;
    let mut chars = source.chars().peekable();
    let mut after_cr = false;
    while let Some(c) = chars.next() {
        let mut cr = false;
        match c {
            '\\' => match chars.next() {
                Some('n') if brackets == 0 && !after_cr => result.push_str(EITHER),
                Some(next) => {
                    cr = next == 'r';
                    result.extend(['\\', next]);
                }
                None => result.push('\\'),
            },
            '\n' if brackets == 0 && !after_cr => result.push_str(EITHER),
            _ => {
                match c {
                    '[' => brackets += 1,
                    ']' => brackets = brackets.saturating_sub(1),
                    _ => {}
                }
                cr = c == '\r';
                result.push(c);
            }
        }
        after_cr = cr;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_feed_in_a_pattern_stands_for_both_line_ends() {
        assert_eq!(any_line_end("a\nb\\nc"), "a(?:\\r?\\n)b(?:\\r?\\n)c");
        assert_eq!(
            any_line_end("a\r\nb\\r\\n[\\n]\\\\n"),
            "a\r\nb\\r\\n[\\n]\\\\n"
        );
    }
}

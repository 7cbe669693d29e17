//! Line ends.

use schemars::JsonSchema;
use serde::Serialize;

/// How one line ends. A lone carriage return ends no line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Eol {
    /// The last line of a file without a final line end.
    None,
    Lf,
    CrLf,
}

impl Eol {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Eol::None => "",
            Eol::Lf => "\n",
            Eol::CrLf => "\r\n",
        }
    }
}

/// How the lines of a file end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EolStyle {
    Lf,
    Crlf,
    Mixed,
    None,
}

/// The lines of a piece of text as an agent writes it: `\n` or `\r\n` end a line, the last end
/// may be missing, the empty text has no lines.
pub(crate) fn lines_of(content: &str) -> Vec<&str> {
    if content.is_empty() {
        return Vec::new();
    }
    let content = content.strip_suffix('\n').unwrap_or(content);
    content
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .collect()
}

/// Every line end of `content` made into `eol`; lone carriage returns stay.
pub(crate) fn with_eol(content: &str, eol: Eol) -> String {
    let plain = content.replace("\r\n", "\n");
    if eol == Eol::CrLf {
        plain.replace('\n', "\r\n")
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_line_end_adds_no_line() {
        assert_eq!(lines_of("a\r\nb"), ["a", "b"]);
        assert_eq!(lines_of("a\nb\n"), ["a", "b"]);
        assert_eq!(lines_of("\n"), [""]);
        assert_eq!(lines_of("a\rb"), ["a\rb"]);
        assert!(lines_of("").is_empty());
    }
}

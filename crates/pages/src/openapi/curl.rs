//! A call as a command that can be pasted into a terminal.

use crate::views::reference::{Body, Row};

pub(super) struct Parts<'a> {
    pub(super) method: &'a str,
    pub(super) server: &'a str,
    pub(super) path: &'a str,
    pub(super) params: &'a [Row],
    pub(super) body: Option<&'a Body>,
    pub(super) bearer: bool,
}

/// Path parameters stay as `{name}` for the reader to fill in; required query parameters likewise.
pub(super) fn command(parts: &Parts<'_>) -> String {
    let query: Vec<String> = parts
        .params
        .iter()
        .filter(|row| row.place == "query" && row.required)
        .map(|row| format!("{0}={{{0}}}", row.name))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let url = format!("{}{}{mark}{}", parts.server, parts.path, query.join("&"));
    // Braces are curl's own pattern language unless it is switched off.
    let glob = if url.contains('{') { " -g" } else { "" };
    let method = if parts.method == "GET" {
        String::new()
    } else {
        format!(" -X {}", parts.method)
    };
    let mut lines = vec![format!("curl{glob}{method} {}", quoted(&url))];
    if parts.bearer {
        lines.push("-H \"Authorization: Bearer $QUAYMASTER_KEY\"".to_owned());
    }
    if let Some(body) = parts.body {
        lines.push(format!(
            "-H {}",
            quoted(&format!("Content-Type: {}", body.content_type))
        ));
        lines.push(match &body.example {
            Some(example) => format!("-d {}", quoted(example)),
            None => "--data-binary @file".to_owned(),
        });
    }
    lines.join(" \\\n  ")
}

/// One word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_body_does_not_end_the_word() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}

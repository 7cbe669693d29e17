//! Descriptions. OpenAPI allows Markdown; shown are paragraphs and `code`, the rest stays text.

use crate::views::reference::{Paragraph, Span};

pub(super) fn paragraphs(text: &str) -> Vec<Paragraph> {
    let mut out = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim).chain([""]) {
        if line.is_empty() {
            if !open.is_empty() {
                out.push(spans(&std::mem::take(&mut open)));
            }
        } else {
            if !open.is_empty() {
                open.push(' ');
            }
            open.push_str(line);
        }
    }
    out
}

/// Splits at backticks. One without a partner is a character like any other.
fn spans(text: &str) -> Paragraph {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, after)) = after.split_once('`') else {
            break;
        };
        if !before.is_empty() {
            out.push(Span::Text(before.to_owned()));
        }
        out.push(Span::Code(code.to_owned()));
        rest = after;
    }
    if !rest.is_empty() {
        out.push(Span::Text(rest.to_owned()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_join_and_empty_lines_part() {
        let text = |text: &str| Span::Text(text.to_owned());
        assert_eq!(
            paragraphs("a\nb\n\n\nc"),
            [vec![text("a b")], vec![text("c")]]
        );
        assert!(paragraphs(" \n ").is_empty());
    }

    #[test]
    fn backticks_make_code_and_a_lonely_one_stays() {
        assert_eq!(
            paragraphs("Use `if_match` or `"),
            [vec![
                Span::Text("Use ".into()),
                Span::Code("if_match".into()),
                Span::Text(" or `".into())
            ]]
        );
    }
}

//! Texts of definitions as a model reads them.

use crate::clean;

/// Cleaned of hidden characters, on one line, at most so many characters.
pub(super) fn line(text: &str, longest: usize) -> String {
    let cleaned = clean::text(text);
    let mut made = String::with_capacity(cleaned.len().min(longest * 4));
    for word in cleaned
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !made.is_empty() {
            made.push(' ');
        }
        made.push_str(word);
        if made.len() > longest * 4 {
            break;
        }
    }
    cut(made, longest)
}

/// At most so many characters, with `…` when some are missing.
pub(super) fn cut(mut text: String, longest: usize) -> String {
    if let Some((at, _)) = text.char_indices().nth(longest) {
        let keep = text
            .char_indices()
            .nth(longest.saturating_sub(1))
            .map_or(0, |(at, _)| at);
        text.truncate(keep.min(at));
        let kept = text.trim_end().len();
        text.truncate(kept);
        text.push('…');
    }
    text
}

/// With a full stop behind it unless it ends otherwise.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() || text.ends_with(['.', '!', '?', '…', ':']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Its first sentence.
pub(super) fn first_sentence(text: &str) -> &str {
    match text.find(". ") {
        Some(end) => &text[..=end],
        None => text,
    }
}

/// One text behind another, as sentences.
pub(super) fn join(first: &str, second: &str) -> String {
    match (first.trim().is_empty(), second.trim().is_empty()) {
        (true, _) => second.trim().to_owned(),
        (_, true) => first.trim().to_owned(),
        _ => format!("{} {}", sentence(first), second.trim()),
    }
}

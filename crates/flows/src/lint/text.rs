//! Names, and what texts for people and models may hold.

use quaymaster_yaml::{Report, Spot};

/// What names look like, for messages.
pub(super) const NAME: &str =
    "A small letter, then small letters, digits and `_`, at most 64 characters.";

/// Bytes of a text that models read.
const LONGEST_TEXT: usize = 16 << 10;

/// The name of a flow, a step, a variable: `[a-z][a-z0-9_]{0,63}`.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// The last part of an address of ours: `[a-z0-9][a-z0-9_-]{0,63}`.
pub(super) fn is_part_of_path(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
}

/// The name of a header (RFC 9110 §5.1), of which the transport's own are not for flows.
pub(super) fn header(name: &str) -> Result<(), &'static str> {
    const OURS: [&str; 6] = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
    ];
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || name.len() > 100 || !name.bytes().all(is_token) {
        return Err("It is no name of a header.");
    }
    if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        return Err("The transport sets this header itself.");
    }
    Ok(())
}

pub(super) fn one_line(text: &str, most: usize, at: &Spot, report: &mut Report) {
    let characters = text.chars().count();
    report.unless(
        !text.trim().is_empty() && characters <= most && !text.contains(['\n', '\r']),
        at,
        format!("It is one line of 1 to {most} characters."),
    );
    clean(text, at, report);
}

/// A text without characters that hide what it says.
pub(super) fn clean(text: &str, at: &Spot, report: &mut Report) {
    report.unless(
        text.len() <= LONGEST_TEXT,
        at,
        format!(
            "It has {} bytes; at most {LONGEST_TEXT} are possible.",
            text.len()
        ),
    );
    if let Some(hidden) = text.chars().find(|c| is_hidden(*c)) {
        let code = u32::from(hidden);
        report.say(
            at,
            format!("It holds a character that nobody sees: U+{code:04X}."),
        );
    }
}

/// Control characters, and those that change the direction of writing or have no width (Unicode
/// TR 36 §2.5): people read another text than models do.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E007F}')
}

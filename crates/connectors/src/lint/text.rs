//! Names, addresses, pointers, and what a text may hold.

use super::names;
use crate::definition::{Definition, Template};
use quaymaster_yaml::{Report, Spot};
use serde_json::Value;
use std::collections::BTreeSet;

/// In bytes. Agents and people read them.
const LONGEST_TEXT: usize = 32 * 1024;
const BEGINNING: &str = "It has to begin with https://, with http:// or {scheme}:// in front of a host that is a field, or with a field that holds the whole address.";

/// A small letter, then small letters, digits and `_`.
pub(super) fn is_key(text: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Words of small letters, as people write them.
pub(super) fn is_category(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.trim() == text
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b' '))
}

/// A JSON Pointer (RFC 6901 §3).
pub(super) fn is_pointer(text: &str) -> bool {
    let escaped = text
        .split('~')
        .skip(1)
        .all(|rest| rest.starts_with(['0', '1']));
    escaped && (text.is_empty() || text.starts_with('/'))
}

pub(super) fn pointer(text: Option<&str>, at: &Spot, report: &mut Report) {
    report.unless(
        text.is_none_or(is_pointer),
        at,
        format!(
            "{:?} is no JSON Pointer: write /items/0/id; the whole answer is an empty text.",
            text.unwrap_or_default()
        ),
    );
}

/// Headers that the transport sets, and nobody else.
pub(crate) fn is_of_transport(name: &str) -> bool {
    const OURS: [&str; 6] = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "upgrade",
        "te",
    ];
    OURS.contains(&name.to_ascii_lowercase().as_str())
}

/// The name of a header (RFC 9110 §5.1) that a definition may set.
pub(super) fn header(name: &str, at: &Spot, report: &mut Report) {
    report.unless(
        http::HeaderName::from_bytes(name.as_bytes()).is_ok(),
        at,
        format!("{name:?} is no name of a header."),
    );
    report.unless(
        !is_of_transport(name),
        at,
        format!("{name} belongs to the transport; no definition sets it."),
    );
}

pub(super) fn is_host(text: &str) -> bool {
    text.contains('.')
        && text.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        })
}

/// A variable that programs do not read for themselves: otherwise a definition could lead them
/// elsewhere.
pub(crate) fn is_variable(text: &str) -> bool {
    const FAMILIES: [&str; 7] = [
        "LD_",
        "DYLD_",
        "PYTHON",
        "PIP_",
        "SSL_",
        "QUAYMASTER",
        "BASH_",
    ];
    const SINGLE: [&str; 10] = [
        "PATH", "HOME", "USER", "SHELL", "IFS", "ENV", "TMPDIR", "TMP", "TEMP", "LANG",
    ];
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_uppercase())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_'))
        && !FAMILIES.iter().any(|start| text.starts_with(start))
        && !SINGLE.contains(&text)
        && !text.ends_with("_PROXY")
}

/// An address in front of paths: https, or whatever an account's own server speaks.
pub(super) fn base_url(
    template: &Template,
    known: &BTreeSet<&str>,
    at: &Spot,
    report: &mut Report,
) {
    names(template, known, at, report);
    let text = template.as_str();
    report.unless(
        !text.ends_with('/'),
        at,
        "Leave out the slash at the end: each action's path begins with one.",
    );
    let Some((scheme, rest)) = text.split_once("://") else {
        // A field that holds the whole address of somebody's own server.
        let whole = text.starts_with('{')
            && text
                .split('}')
                .nth(1)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        report.unless(whole, at, BEGINNING);
        return;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let own = host.contains('{');
    let good = match scheme {
        "https" => true,
        "http" => own,
        other => own && other.starts_with('{') && other.ends_with('}'),
    };
    report.unless(
        good,
        at,
        format!("The scheme has to be https; another one only in front of a host that is a field, not of {host:?}."),
    );
    report.unless(
        !rest.contains(['?', '#', '@', '\\', ' ']),
        at,
        "It holds a host and a path, and neither `?`, `#`, `@` nor spaces.",
    );
    // What can be a label of a name, a port, and a part of a path.
    let filled = template.render(crate::definition::Encoding::Plain, |_| Some("1".into()));
    let filled = filled.unwrap_or_default();
    let filled = match scheme {
        "https" | "http" => filled,
        _ => format!("https{}", &filled[filled.find("://").unwrap_or_default()..]),
    };
    report.unless(
        url::Url::parse(&filled).is_ok_and(|url| url.has_host()),
        at,
        "It is no address.",
    );
}

/// An address of the authorization server.
pub(super) fn endpoint(
    template: &Template,
    known: &BTreeSet<&str>,
    at: &Spot,
    report: &mut Report,
) {
    names(template, known, at, report);
    let text = template.as_str();
    let own = text.starts_with("http://{") || text.starts_with('{');
    report.unless(text.starts_with("https://") || own, at, BEGINNING);
}

/// A title or summary.
pub(super) fn one_line(text: &str, longest: usize, at: &Spot, report: &mut Report) {
    let length = text.chars().count();
    report.unless(
        length <= longest,
        at,
        format!("It has {length} characters; at most {longest} are allowed."),
    );
    report.unless(!text.trim().is_empty(), at, "It is empty.");
    report.unless(
        text.trim() == text && !text.contains(['\n', '\r', '\t']),
        at,
        "It has to be one line without spaces around it.",
    );
}

/// Agents read every text of a definition: nothing may stand in it that people do not see.
pub(super) fn clean(definition: &Definition, report: &mut Report) {
    if let Ok(value) = serde_json::to_value(definition) {
        walk(&value, &Spot::default(), report);
    }
}

fn walk(value: &Value, at: &Spot, report: &mut Report) {
    match value {
        Value::String(text) => hidden(text, at, report),
        Value::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                walk(item, &at.item(index), report);
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                let at = at.key(key);
                hidden(key, &at, report);
                walk(item, &at, report);
            }
        }
        _ => {}
    }
}

fn hidden(text: &str, at: &Spot, report: &mut Report) {
    report.unless(
        text.len() <= LONGEST_TEXT,
        at,
        format!(
            "The text has {} bytes; at most {LONGEST_TEXT} are allowed.",
            text.len()
        ),
    );
    if let Some(found) = text.chars().find(|c| is_hidden(*c)) {
        report.say(
            at,
            format!(
                "The text holds U+{:04X}, which nobody sees. Take it out.",
                u32::from(found)
            ),
        );
    }
}

/// Control characters, and those that are not seen or turn the direction of writing (Unicode
/// UTS #39, UAX #9).
pub(crate) fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{e0000}'..='\u{e0fff}')
}

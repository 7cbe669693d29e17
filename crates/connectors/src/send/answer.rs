//! What came back, read.

use super::shorten::shorten;
use crate::redact::Redactor;
use bytes::Bytes;
use encoding_rs::{Encoding, UTF_8};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use memchr::{memchr, memchr_iter, memmem};
use quaymaster_core::{Code, Fault};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;

/// Values in an answer. A small text can hold a great many, each of which takes memory.
const MOST_VALUES: usize = 500_000;

/// What an action answered. Clean of hidden characters and of the account's secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub data: Data,
    /// Pictures and sounds beside the data, which tells of them.
    pub media: Vec<Media>,
    pub meta: Meta,
}

/// A picture or sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    pub bytes: Bytes,
    pub media_type: String,
}

impl Answer {
    /// Cuts what came as `size` bytes to about `limit`, and tells it.
    pub(crate) fn fit(&mut self, size: usize, limit: usize) {
        if size > limit && shorten(&mut self.data, limit) {
            self.meta.truncated = Some(Truncated { bytes: size, limit });
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// JSON, or null for an empty answer.
    Value(Value),
    Text(String),
    /// Anything else; for the caller to keep or to embed.
    Bytes {
        bytes: Bytes,
        media_type: String,
    },
}

/// What is to be known about an answer beside it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Meta {
    /// What to add to the same call to get what follows: `inputs`, `query` or `body`, or a `path`
    /// with its `query` instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub truncated: Option<Truncated>,
    /// Pages in `data`, where there is more than one.
    #[serde(skip_serializing_if = "is_one")]
    pub pages: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u32,
    /// What the service says about its limits: its header fields by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Value>,
    /// Those that the definition names for the action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Value>,
    /// Why there are fewer pages than were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Fault>,
}

/// Of a header that is told.
const LONGEST_HEADER: usize = 2_000;

/// How much is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Truncated {
    /// How many bytes the whole has.
    pub bytes: usize,
    /// How many were asked for at most.
    pub limit: usize,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_one(number: &u32) -> bool {
    *number == 1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A reply, read as far as it can be.
pub(crate) struct Read {
    pub(crate) data: Data,
    /// How many bytes it came as.
    pub(crate) size: usize,
}

impl Read {
    pub(crate) fn json(&self) -> Option<&Value> {
        match &self.data {
            Data::Value(value) => Some(value),
            Data::Text(_) | Data::Bytes { .. } => None,
        }
    }
}

/// Reads a body. `binary` says that a good answer is bytes whatever it calls itself.
pub(crate) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    body: &Bytes,
    binary: bool,
    redactor: &Redactor,
) -> Result<Read, Fault> {
    let size = body.len();
    let known = |data| Ok(Read { data, size });
    if body.is_empty() || matches!(status.as_u16(), 204 | 205 | 304) {
        return known(Data::Value(Value::Null));
    }
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(unreadable("is compressed, which was not asked for"));
    }
    let content_type = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    if binary && status.is_success() {
        return known(bytes(body, &media_type, redactor));
    }
    // Services of JSON-RPC have names of their own for it.
    let is_json = media_type.ends_with("/json")
        || media_type.ends_with("+json")
        || matches!(
            &*media_type,
            "application/json-rpc" | "application/jsonrequest"
        );
    let is_text = is_text(&media_type);
    let unnamed = media_type.is_empty() && std::str::from_utf8(body).is_ok();
    let start = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if is_json || ((is_text || unnamed) && matches!(start, Some(b'{' | b'['))) {
        match json(&decoded(body, content_type), redactor) {
            Ok(value) => return known(Data::Value(value)),
            Err(fault) if is_json && status.is_success() => return Err(fault),
            Err(_) => {}
        }
    }
    if is_json || is_text || unnamed {
        let text = decoded(body, content_type);
        return known(Data::Text(redactor.tidy(&text).into_owned()));
    }
    known(bytes(body, &media_type, redactor))
}

fn bytes(body: &Bytes, media_type: &str, redactor: &Redactor) -> Data {
    let bytes = if redactor.finds(body) {
        let mut bytes = body.to_vec();
        redactor.bytes(&mut bytes);
        bytes.into()
    } else {
        body.clone()
    };
    let media_type = match redactor.tidy(media_type) {
        plain if plain.is_empty() => "application/octet-stream".into(),
        plain => plain.into_owned(),
    };
    Data::Bytes { bytes, media_type }
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/")
        || media_type.ends_with("+xml")
        || matches!(
            media_type,
            "application/xml"
                | "application/javascript"
                | "application/x-www-form-urlencoded"
                | "application/yaml"
                | "application/x-yaml"
                | "application/x-ndjson"
                | "application/jsonl"
                | "application/sql"
                | "application/graphql"
        )
}

/// The text in the charset that the answer names, else UTF-8. What is not of it becomes U+FFFD.
fn decoded<'b>(body: &'b [u8], content_type: &str) -> Cow<'b, str> {
    let label = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    });
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    encoding.unwrap_or(UTF_8).decode(body).0
}

/// A text as JSON, clean and redacted.
pub(crate) fn json(text: &str, redactor: &Redactor) -> Result<Value, Fault> {
    let bytes = text.as_bytes();
    let values = memchr_iter(b',', bytes).count() + memchr_iter(b'[', bytes).count();
    if values > MOST_VALUES {
        return Err(unreadable("has too many values to be read"));
    }
    let value = serde_json::from_str(text).or_else(|error| match whole_surrogates(text) {
        Some(mended) => serde_json::from_str(&mended),
        None => Err(error),
    });
    let mut value: Value = value.map_err(|error| {
        tracing::debug!(%error, "not JSON");
        unreadable("says that it is JSON and is not, or is nested too deeply")
    })?;
    // What is spelled in plain ASCII without escapes hides nothing that is not seen as it stands.
    let is_plain =
        text.is_ascii() && memchr(b'\\', bytes).is_none() && memchr(0x7f, bytes).is_none();
    if !is_plain || redactor.finds(bytes) {
        redactor.value(&mut value);
    }
    Ok(value)
}

/// The text with U+FFFD for halves of surrogate pairs, which no Unicode text can hold; `None` when
/// there is none.
fn whole_surrogates(text: &str) -> Option<String> {
    let half = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut mended = String::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(found) = memmem::find(&text.as_bytes()[at..], b"\\") {
        at += found;
        match half(at) {
            Some(0xd800..=0xdbff) if matches!(half(at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                mended.push_str(&text[from..at]);
                mended.push('\u{fffd}');
                at += 6;
                from = at;
            }
            // An escape: what follows the backslash is not the start of another one.
            _ => at = text.ceil_char_boundary(at + 2),
        }
        if at >= text.len() {
            break;
        }
    }
    if from == 0 {
        return None;
    }
    mended.push_str(&text[from..]);
    Some(mended)
}

fn unreadable(why: &str) -> Fault {
    let message = format!("The answer {why}.");
    Fault::new(Code::UpstreamError, message)
        .hint("Ask for less, or in another way; if it stays so, ask who runs the service.")
}

/// Header fields in which services tell their limits.
pub(crate) fn rate(headers: &HeaderMap, redactor: &Redactor) -> Option<Value> {
    const NAMES: &[&str] = &[
        "ratelimit",
        "ratelimit-policy",
        "ratelimit-limit",
        "ratelimit-remaining",
        "ratelimit-reset",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-ratelimit-retry",
    ];
    named(headers, NAMES.iter().copied(), redactor, |value| {
        quaymaster_core::schema::shorten(&value)
    })
}

/// The headers that an action's definition wants told.
pub(crate) fn told(headers: &HeaderMap, names: &[String], redactor: &Redactor) -> Option<Value> {
    let names = names.iter().map(String::as_str);
    named(headers, names, redactor, |value| {
        value.chars().take(LONGEST_HEADER).collect()
    })
}

fn named<'n>(
    headers: &HeaderMap,
    names: impl Iterator<Item = &'n str>,
    redactor: &Redactor,
    shorten: impl Fn(String) -> String,
) -> Option<Value> {
    let told: serde_json::Map<_, _> = names
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            let value = shorten(redactor.tidy(value).into_owned());
            Some((name.to_owned(), Value::from(value)))
        })
        .collect();
    (!told.is_empty()).then_some(Value::Object(told))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lone_surrogates_are_replaced_and_pairs_and_backslashes_kept() {
        let read = |text: &str| json(text, &Redactor::default()).unwrap();
        assert_eq!(
            read(r#"["\ud800", "a\udc00b"]"#),
            json!(["\u{fffd}", "a\u{fffd}b"])
        );
        assert_eq!(read(r#"["\ud83d\ude42\ud83d"]"#), json!(["🙂\u{fffd}"]));
        assert_eq!(
            read(r#"["\\ud800", "\udfff"]"#),
            json!(["\\ud800", "\u{fffd}"])
        );
        assert_eq!(read(r#"["\ud800é\n"]"#), json!(["\u{fffd}é\n"]));
        assert!(json(r#"["\ud800"#, &Redactor::default()).is_err());
    }
}

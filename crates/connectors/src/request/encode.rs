//! How inputs are written into queries, forms and multipart bodies.

use crate::definition::push_segment;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quaymaster_core::Fault;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// How a list or an object is written where only texts can stand (`x-style` in a schema).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Style {
    /// `a=1&a=2`; an object is `a[key]=1`.
    #[default]
    Repeat,
    /// `a=1,2`
    Comma,
    /// `a[]=1&a[]=2`
    Brackets,
    /// `a=[1,2]`, as JSON
    Json,
    /// In a path: the slashes of the text part its segments.
    Segments,
}

impl Style {
    pub(crate) fn parse(word: &str) -> Option<Style> {
        Some(match word {
            "repeat" => Style::Repeat,
            "comma" => Style::Comma,
            "brackets" => Style::Brackets,
            "json" => Style::Json,
            "segments" => Style::Segments,
            _ => return None,
        })
    }
}

/// Pairs of a query or form.
pub(crate) type Pairs = Vec<(String, String)>;

/// The text of a value that is no list and no object; `None` for null.
pub(crate) fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        other => Some(Cow::Owned(other.to_string())),
    }
}

/// Adds an input; null adds nothing.
pub(crate) fn push_pairs(pairs: &mut Pairs, name: &str, value: &Value, style: Style) {
    match (value, style) {
        (Value::Null, _) => {}
        (Value::Array(_) | Value::Object(_), Style::Json) => {
            pairs.push((name.to_owned(), value.to_string()));
        }
        (Value::Array(items), Style::Comma) => {
            let items: Vec<_> = items.iter().filter_map(plain).collect();
            pairs.push((name.to_owned(), items.join(",")));
        }
        (Value::Array(items), _) => {
            let nested = items.iter().any(|item| item.is_array() || item.is_object());
            for (at, item) in items.iter().enumerate() {
                match (nested, style) {
                    (true, _) => push_pairs(pairs, &format!("{name}[{at}]"), item, style),
                    (false, Style::Brackets) => {
                        push_pairs(pairs, &format!("{name}[]"), item, style);
                    }
                    (false, _) => push_pairs(pairs, name, item, style),
                }
            }
        }
        (Value::Object(members), _) => {
            for (key, member) in members {
                push_pairs(pairs, &format!("{name}[{key}]"), member, style);
            }
        }
        (single, _) => {
            let text = plain(single).unwrap_or_default().into_owned();
            pairs.push((name.to_owned(), text));
        }
    }
}

/// `a=1&b=2`. A comma stays one: it is what parts the values of a list.
pub(crate) fn query(pairs: &Pairs) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        push_segment(&mut text, name);
        text.push('=');
        for (at, piece) in value.split(',').enumerate() {
            if at > 0 {
                text.push(',');
            }
            push_segment(&mut text, piece);
        }
    }
    text
}

/// `application/x-www-form-urlencoded` (WHATWG URL §5.2).
pub(crate) fn form(pairs: &Pairs) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// `multipart/form-data` (RFC 7578): the media type with its boundary, and the body. An object with
/// `content` (text) or `content_base64`, and `filename` and `media_type` if they are known, is a
/// file; any other object or list is JSON.
pub(crate) fn multipart(members: &Map<String, Value>) -> Result<(String, Vec<u8>), Fault> {
    let mut parts = Vec::new();
    for (name, value) in members {
        if !value.is_null() {
            parts.push(part(name, value)?);
        }
    }
    let boundary = (0..=u32::MAX)
        .map(|count| format!("quaymaster-part-{count}"))
        .find(|boundary| {
            !parts
                .iter()
                .any(|(_, body)| holds(body, boundary.as_bytes()))
        })
        .unwrap_or_default();
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
        body.extend_from_slice(&content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((format!("multipart/form-data; boundary={boundary}"), body))
}

fn part(name: &str, value: &Value) -> Result<(String, Vec<u8>), Fault> {
    let disposition = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
    let file = value.as_object().and_then(|object| {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let content = match text("content_base64") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| {
                let pointer = format!("/{name}/content_base64");
                Fault::invalid_arg(
                    &pointer,
                    "base64",
                    format!("The content of {name} is not base64."),
                )
            }),
            None => Ok(text("content")?.as_bytes().to_vec()),
        };
        Some((content, text("filename"), text("media_type")))
    });
    let Some((content, filename, media_type)) = file else {
        return Ok(match value {
            Value::Array(_) | Value::Object(_) => {
                let head = format!("{disposition}\r\nContent-Type: application/json");
                (head, value.to_string().into_bytes())
            }
            single => {
                let text = plain(single).unwrap_or_default().into_owned();
                (disposition, text.into_bytes())
            }
        });
    };
    let filename = quoted(filename.unwrap_or(name));
    let media_type = media_type.unwrap_or("application/octet-stream");
    if !media_type
        .bytes()
        .all(|byte| byte.is_ascii_graphic() || byte == b' ')
    {
        let pointer = format!("/{name}/media_type");
        return Err(Fault::invalid_arg(
            &pointer,
            "media_type",
            "The media type is none.",
        ));
    }
    let head = format!("{disposition}; filename=\"{filename}\"\r\nContent-Type: {media_type}");
    Ok((head, content?))
}

/// A name inside quotation marks (WHATWG HTML, "Multipart form data").
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn holds(body: &[u8], text: &[u8]) -> bool {
    body.windows(text.len()).any(|window| window == text)
}

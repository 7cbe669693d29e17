//! Texts with `{name}` in them, and nothing more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A text in which `{name}` stands for a value; `{{` and `}}` are braces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Name(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("{0:?} has a brace without its other half")]
    Brace(String),
    #[error("{0:?} is no name; names are [a-z][a-z0-9_]*")]
    Name(String),
    /// A value that is needed and not there.
    #[error("{0} is missing")]
    Missing(String),
    /// Browsers and servers take dots and nothing out of a path, percent-encoded too (WHATWG URL
    /// §4.4), which would lead to another path.
    #[error("{0} stands in a path, so it can be neither empty nor only dots")]
    NoSegment(String),
}

/// How a value is written into its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// As it is, for headers and bodies.
    Plain,
    /// One segment of a path: everything but unreserved characters is percent-encoded (RFC 3986
    /// §2.3), so that a value never makes a second segment.
    Segment,
    /// A host name or host and port: anything else is an error at the place that reads it.
    Host,
}

impl Template {
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            plain.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                plain.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(TemplateError::Brace(text.to_owned()));
            }
            let end = rest
                .find('}')
                .ok_or_else(|| TemplateError::Brace(text.to_owned()))?;
            let name = &rest[..end];
            if !is_name(name) {
                return Err(TemplateError::Name(name.to_owned()));
            }
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Name(name.to_owned()));
            rest = &rest[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template {
            text: text.to_owned(),
            parts,
        })
    }

    /// The text as it stands in the definition.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Name(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with values in the places of the names.
    pub fn render<'v>(
        &self,
        encoding: Encoding,
        value: impl Fn(&str) -> Option<Cow<'v, str>>,
    ) -> Result<String, TemplateError> {
        self.write(|name, rendered| {
            let value = value(name).ok_or_else(|| TemplateError::Missing(name.to_owned()))?;
            match encoding {
                Encoding::Plain | Encoding::Host => rendered.push_str(&value),
                Encoding::Segment if matches!(&*value, "" | "." | "..") => {
                    return Err(TemplateError::NoSegment(name.to_owned()));
                }
                Encoding::Segment => push_segment(rendered, &value),
            }
            Ok(())
        })
    }

    /// The text, where `value` writes what each name stands for behind what is written already.
    pub(crate) fn write<E>(
        &self,
        mut value: impl FnMut(&str, &mut String) -> Result<(), E>,
    ) -> Result<String, E> {
        let mut written = String::with_capacity(self.text.len() + 16);
        for part in &self.parts {
            match part {
                Part::Text(text) => written.push_str(text),
                Part::Name(name) => value(name, &mut written)?,
            }
        }
        Ok(written)
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Writes a value so that nothing in it has a meaning in a path or query (RFC 3986 §2.3).
pub(crate) fn push_segment(text: &mut String, value: &str) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            push_percent(text, byte);
        }
    }
}

/// `%` and two digits.
pub(crate) fn push_percent(text: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(HEX[usize::from(byte >> 4)]));
    text.push(char::from(HEX[usize::from(byte & 15)]));
}

impl TryFrom<String> for Template {
    type Error = TemplateError;
    fn try_from(text: String) -> Result<Self, TemplateError> {
        Template::parse(&text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> String {
        template.text
    }
}

//! Bodies of requests, and how they are written.

use super::Known;
use super::encode::{self, Pairs};
use crate::definition::ContentType;
use crate::params::Part;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderValue};
use quaymaster_core::Fault;
use serde_json::{Map, Value};

pub(super) enum Body {
    None,
    /// An object, written as the content type says.
    Members(Map<String, Value>),
    Form(Pairs),
    /// JSON that is no object.
    Json(Value),
    Text(String),
}

impl Body {
    pub(super) fn of(value: Option<Value>) -> Body {
        match value {
            None => Body::None,
            Some(Value::Object(members)) => Body::Members(members),
            Some(other) => Body::Json(other),
        }
    }

    /// Adds a member, where there are any.
    pub(super) fn insert(&mut self, name: &str, value: Value) {
        if matches!(self, Body::None) {
            *self = Body::Members(Map::new());
        }
        if let Body::Members(members) = self {
            members.insert(name.to_owned(), value);
        }
    }

    /// Members of a form as pairs, in the styles of the action's inputs.
    pub(super) fn write_form(&mut self, content_type: ContentType, known: Option<Known<'_>>) {
        if let (Body::Members(members), ContentType::Form) = (&*self, content_type) {
            let mut pairs = Pairs::new();
            for (name, value) in members {
                let style = known.map(|known| known.plan.place(name, Part::Body).style);
                encode::push_pairs(&mut pairs, name, value, style.unwrap_or_default());
            }
            *self = Body::Form(pairs);
        }
    }
}

/// Writes the body, and its content type unless the definition has set one.
pub(super) fn write_body(
    body: Body,
    content_type: ContentType,
    headers: &mut HeaderMap,
) -> Result<Bytes, Fault> {
    let json = HeaderValue::from_static("application/json");
    let (media_type, bytes) = match (body, content_type) {
        (Body::None, _) => return Ok(Bytes::new()),
        (Body::Form(pairs), _) => {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            (form, encode::form(&pairs).into_bytes())
        }
        (Body::Members(members), ContentType::Multipart) => {
            let (media_type, bytes) = encode::multipart(&members)?;
            let media_type = HeaderValue::from_str(&media_type).map_err(|_| Fault::internal())?;
            (media_type, bytes)
        }
        (Body::Members(members), _) => (json, Value::Object(members).to_string().into_bytes()),
        (Body::Json(Value::String(text)), ContentType::Text) | (Body::Text(text), _) => {
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            (plain, text.into_bytes())
        }
        (Body::Json(value), _) => (json, value.to_string().into_bytes()),
    };
    headers.entry(CONTENT_TYPE).or_insert(media_type);
    Ok(bytes.into())
}

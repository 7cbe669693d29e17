//! What a request carries, read strictly: body, query and path. What does not fit is an
//! `INVALID_ARG` fault with `details.errors[] {pointer, rule, message}`, as with tools.

mod parameter;

use crate::error::ApiError;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use parameter::Parameter;
use quaymaster_app::activity::Position;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault, Instant, ManagementName};
use serde::de::value::{Error as ValueError, MapDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};
use serde_json::{Value, json};
use serde_path_to_error::Segment;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const MIB: usize = 1024 * 1024;

/// A JSON object as a body of at most `MOST` bytes.
pub(crate) struct Json<T, const MOST: usize = MIB>(pub(crate) T);

/// The same for a change, which has at least one field: what is absent stays.
pub(crate) struct Change<T, const MOST: usize = MIB>(pub(crate) T);

/// A client that takes longer for so little holds a connection and nothing else.
const WITHIN: std::time::Duration = std::time::Duration::from_secs(30);

impl<S, T, const MOST: usize> FromRequest<S> for Json<T, MOST>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        Ok(Json(fit(object::<MOST>(request).await?)?))
    }
}

impl<S, T, const MOST: usize> FromRequest<S> for Change<T, MOST>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let value = object::<MOST>(request).await?;
        if value.as_object().is_some_and(serde_json::Map::is_empty) {
            let message = "The body names nothing that shall change.";
            return Err(Fault::invalid_arg("", "minProperties", message)
                .called(ManagementName::NoUpdates)
                .into());
        }
        Ok(Change(fit(value)?))
    }
}

async fn object<const MOST: usize>(request: Request) -> Result<Value, ApiError> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if !kind.is_some_and(is_json) {
        let fault = Fault::new(Code::InvalidArg, "The body must be JSON.")
            .hint("Send Content-Type: application/json.");
        return Err(ApiError::with_status(
            fault,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ));
    }
    let whole = Limited::new(request.into_body(), MOST).collect();
    let Ok(arrived) = tokio::time::timeout(WITHIN, whole).await else {
        return Err(Fault::new(Code::Timeout, "The body did not arrive in time.").into());
    };
    let bytes = match arrived {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("The body has more than {MOST} bytes.");
            return Err(Fault::new(Code::TooLarge, message)
                .detail("limit_bytes", MOST)
                .into());
        }
        Err(_) => {
            return Err(Fault::new(Code::InvalidArg, "The body ended too early.").into());
        }
    };
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| {
        Fault::invalid_arg("", "json", format!("The body is not JSON: {error}."))
            .called(ManagementName::InvalidJson)
    })?;
    if !value.is_object() {
        let message = "The body must be a JSON object.";
        return Err(Fault::invalid_arg("", "type", message).into());
    }
    Ok(value)
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The parameters after the question mark.
pub(crate) struct Query<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    S: Send + Sync,
    T: DeserializeOwned,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        type Pairs = axum::extract::Query<Vec<(String, String)>>;
        let pairs = Pairs::try_from_uri(&parts.uri)
            .map_err(|error: QueryRejection| Fault::new(Code::InvalidArg, error.body_text()))?;
        // Of one that is there twice, the last counts.
        let last: BTreeMap<String, Parameter> = pairs
            .0
            .into_iter()
            .map(|(name, text)| (name, Parameter(text)))
            .collect();
        Ok(Query(fit(MapDeserializer::new(last.into_iter()))?))
    }
}

/// The variables of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Path<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Send,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(found)) => Ok(Path(found)),
            // What cannot be read as text names nothing.
            Err(error @ PathRejection::FailedToDeserializePathParams(_)) => {
                Err(Fault::not_found(error.body_text()).into())
            }
            Err(error) => {
                tracing::error!(%error, "a path was not read");
                Err(Fault::internal().into())
            }
        }
    }
}

/// A field that can be absent, null, or something: absent stays, null takes away.
#[expect(
    clippy::option_option,
    reason = "three states: absent, null, something"
)]
pub(crate) fn nullable<'de, T, D>(from: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<T>::deserialize(from).map(Some)
}

/// An optional instant of a body or query; says by example what one looks like.
pub(crate) fn instant<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Instant>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    let text_of_instant = StrDeserializer::<ValueError>::new(&text);
    Instant::deserialize(text_of_instant)
        .map(Some)
        .map_err(|_| {
            D::Error::custom("expected an instant of RFC 3339, for example 2026-12-31T18:00:00Z")
        })
}

/// Where a page begins: the `next` of the page before, or an instant.
pub(crate) fn position<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Position>, D::Error> {
    let value = Value::deserialize(from)?;
    if let Some(position) = value.as_str().and_then(|text| text.parse().ok()) {
        return Ok(Some(position));
    }
    let at = instant(value).map_err(D::Error::custom)?;
    Ok(at.map(Position::from))
}

/// Reads an object into the shape that an endpoint wants.
fn fit<'de, T: DeserializeOwned>(
    object: impl Deserializer<'de, Error = serde_json::Error>,
) -> Result<T, Fault> {
    serde_path_to_error::deserialize(object).map_err(|error| {
        let mut pointer = pointer_to(error.path());
        let text = error.inner().to_string();
        let (rule, message, hint) = explain(&text, &mut pointer);
        let mut fault = Fault::new(Code::InvalidArg, message.clone()).detail(
            "errors",
            json!([{ "pointer": pointer, "rule": rule, "message": message }]),
        );
        fault.hint = hint;
        fault
    })
}

/// A JSON Pointer (RFC 6901).
fn pointer_to(path: &serde_path_to_error::Path) -> String {
    path.iter().fold(String::new(), |mut pointer, segment| {
        let _ = match segment {
            Segment::Seq { index } => write!(pointer, "/{index}"),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"))
            }
            Segment::Unknown => Ok(()),
        };
        pointer
    })
}

/// Rule, sentence and hint for the text of a serde error.
fn explain(text: &str, pointer: &mut String) -> (&'static str, String, Option<String>) {
    let quoted: Vec<&str> = text.split('`').skip(1).step_by(2).collect();
    if text.starts_with("missing field")
        && let [name, ..] = quoted.as_slice()
    {
        let _ = write!(pointer, "/{name}");
        return ("required", format!("The field `{name}` is missing."), None);
    }
    if text.starts_with("unknown field")
        && let [name, known @ ..] = quoted.as_slice()
    {
        let hint = match did_you_mean(name, known.iter().copied(), 1).pop() {
            Some(close) => format!("Did you mean `{close}`?"),
            None if known.is_empty() => "Leave it out.".to_owned(),
            None => format!("Known fields: {}.", known.join(", ")),
        };
        let message = format!("There is no field `{}`.", shorten(name));
        return ("additionalProperties", message, Some(hint));
    }
    let text = ["i64", "u64", "u32"]
        .iter()
        .fold(shorten(text), |text, number| {
            text.replace(&format!("expected {number}"), "expected a whole number")
        });
    (
        "type",
        format!("The field at {pointer} does not fit: {text}."),
        None,
    )
}

/// Errors quote the value, which can be a megabyte.
fn shorten(text: &str) -> String {
    const MOST: usize = 300;
    if text.len() <= MOST {
        return text.to_owned();
    }
    format!("{}…", &text[..text.floor_char_boundary(MOST)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Wanted {
        name: String,
        daily_cap: Option<i64>,
        tags: Option<Vec<String>>,
    }

    fn first_error(value: Value) -> (String, String, Option<String>) {
        let fault = fit::<Wanted>(value).unwrap_err();
        let error = fault.details.unwrap()["errors"][0].clone();
        let text = |key: &str| error[key].as_str().unwrap().to_owned();
        (text("pointer"), text("message"), fault.hint)
    }

    #[test]
    fn the_pointer_names_the_field_that_does_not_fit() {
        let cases = [
            (json!({}), "/name"),
            (json!({ "name": "a", "dailycap": 1 }), "/dailycap"),
            (json!({ "name": "a", "dailyCap": "1" }), "/dailyCap"),
            (json!({ "name": "a", "tags": ["x", 2] }), "/tags/1"),
            (json!({ "name": "a", "a/b~c": 1 }), "/a~1b~0c"),
            (json!([]), ""),
        ];
        for (value, pointer) in cases {
            assert_eq!(first_error(value).0, pointer);
        }
    }

    #[test]
    fn messages_speak_of_fields_and_not_of_our_types() {
        assert_eq!(
            first_error(json!({ "name": "a", "dailyCap": "1" })).1,
            "The field at /dailyCap does not fit: invalid type: string \"1\", expected a whole number."
        );
        let (_, message, hint) = first_error(json!({ "name": "a", "dailycap": 1 }));
        assert_eq!(message, "There is no field `dailycap`.");
        assert_eq!(hint.as_deref(), Some("Did you mean `dailyCap`?"));
        let (_, message, _) = first_error(json!({ "name": ["x".repeat(100_000)] }));
        assert!(message.len() < 500);
    }
}

//! The one error type of the API: a fault with its HTTP status.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use quaymaster_core::caller::Refusal;
use quaymaster_core::{Code, Fault};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::openapi::{Ref, RefOr, Response as ResponseDoc};
use utoipa::{IntoResponses, ToSchema};

/// Why a request was refused.
#[derive(Debug)]
pub(crate) struct ApiError {
    fault: Fault,
    status: StatusCode,
    /// For `WWW-Authenticate` (RFC 6750 §3).
    challenge: Option<String>,
}

/// What every failed request answers. `docs/errors.md` lists the codes.
#[derive(Serialize, ToSchema)]
#[schema(as = Fault)]
pub(crate) struct FaultBody<'a> {
    /// The same text as `message`.
    error: &'a str,
    message: &'a str,
    /// The code as the management API says it, for example `VALIDATION_ERROR`.
    code: &'static str,
    /// The code as tools say it, for example `INVALID_ARG`.
    fault: &'static str,
    /// Whether the same request may succeed later without any change.
    retryable: bool,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
    /// More, by code: `errors[] {pointer, rule, message}`, `retry_after_s`, `reset_at` and others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    details: Option<&'a Value>,
}

pub(crate) type Answer<T> = Result<T, ApiError>;

impl ApiError {
    /// A fault whose status HTTP has a more precise word for than the code.
    pub(crate) fn with_status(fault: Fault, status: StatusCode) -> Self {
        ApiError {
            fault,
            status,
            challenge: None,
        }
    }

    /// A fault about fields of a body, which this API spells in camel case.
    pub(crate) fn about_body(mut fault: Fault) -> Self {
        let errors = fault
            .details
            .as_mut()
            .and_then(|details| details.get_mut("errors"));
        for error in errors.and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::String(pointer)) = error.get_mut("pointer") {
                *pointer = camel_case(pointer);
            }
        }
        fault.into()
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        let status =
            StatusCode::from_u16(fault.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        ApiError {
            fault,
            status,
            challenge: None,
        }
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let challenge = refusal.challenge;
        ApiError {
            challenge,
            ..refusal.fault.into()
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Fault {
            code,
            message,
            retryable,
            hint,
            details,
            ..
        } = &self.fault;
        let body = FaultBody {
            error: message,
            message,
            code: self.fault.management_name(),
            fault: code.name(),
            retryable: *retryable,
            hint: hint.as_deref(),
            details: details.as_ref(),
        };
        let mut response = (self.status, Json(body)).into_response();
        let mut set = |name: HeaderName, text: Option<String>| {
            if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
                response.headers_mut().insert(name, value);
            }
        };
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            let seconds = details
                .as_ref()
                .and_then(|details| details.get("retry_after_s"));
            set(RETRY_AFTER, seconds.map(Value::to_string));
        }
        // Every 401 has one (RFC 9110 §15.5.2); that of the service key is answered nowhere else.
        let plain = (self.status == StatusCode::UNAUTHORIZED).then(|| "Bearer".to_owned());
        set(WWW_AUTHENTICATE, self.challenge.or(plain));
        response
    }
}

/// The documentation of all faults: one component, which every operation refers to.
pub(crate) struct Faults;

/// The component's name.
pub(crate) const FAULT: &str = "Fault";

impl IntoResponses for Faults {
    fn responses() -> BTreeMap<String, RefOr<ResponseDoc>> {
        ["401", "403", "default"]
            .map(|status| {
                (
                    status.to_owned(),
                    RefOr::Ref(Ref::from_response_name(FAULT)),
                )
            })
            .into()
    }
}

/// Any path under `/api/` that is not documented.
pub(crate) async fn unknown_path() -> ApiError {
    Fault::not_found("There is nothing at this path.")
        .hint("GET /api/v1/openapi.json lists every path.")
        .into()
}

pub(crate) async fn wrong_method() -> ApiError {
    let fault = Fault::new(Code::InvalidArg, "This path does not know that method.")
        .hint("The header Allow lists the methods it knows.");
    ApiError::with_status(fault, StatusCode::METHOD_NOT_ALLOWED)
}

fn camel_case(text: &str) -> String {
    let mut camel = String::with_capacity(text.len());
    let mut after_underscore = false;
    for c in text.chars() {
        if c == '_' {
            after_underscore = true;
        } else if std::mem::take(&mut after_underscore) {
            camel.push(c.to_ascii_uppercase());
        } else {
            camel.push(c);
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_into_a_body_are_in_camel_case() {
        let fault = Fault::invalid_arg("/expires_in_days", "range", "Too long.");
        let error = ApiError::about_body(fault);
        assert_eq!(
            error.fault.details.unwrap()["errors"][0]["pointer"],
            "/expiresInDays"
        );
        assert_eq!(camel_case("/name"), "/name");
    }
}

//! What went wrong, told so that the caller can do something.

use super::answer::{Data, Read};
use super::wait::Asked;
use crate::definition::{Definition, Envelope, Errors, Kind};
use crate::redact::Redactor;
use http::StatusCode;
use quaymaster_core::fault::MAYBE_DONE;
use quaymaster_core::schema::shorten;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::EgressError;
use serde_json::Value;
use std::time::Duration;

/// A call that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub kind: FailureKind,
    /// For the agent: clean of hidden characters and of the account's secrets.
    pub fault: Fault,
    /// What the service answered with, if it did.
    pub status: Option<u16>,
    /// How often the request was sent again before.
    pub retries: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Nothing was sent: what was asked for cannot be.
    Refused,
    /// The service does not take the credentials. A token may have to be refreshed.
    Auth,
    RateLimited,
    /// The service answered with an error, or with something that cannot be read.
    Upstream,
    /// No answer came.
    Unreachable,
    Timeout,
}

impl Failure {
    pub(crate) fn refused(fault: Fault) -> Failure {
        let kind = match fault.code {
            Code::ConnectionRequired => FailureKind::Auth,
            _ => FailureKind::Refused,
        };
        Failure {
            kind,
            fault,
            status: None,
            retries: 0,
        }
    }

    /// Nothing came back. A call that may have been done is not to be repeated blindly.
    pub(crate) fn unanswered(error: EgressError, is_safe: bool) -> Failure {
        use EgressError as E;
        let kind = match &error {
            E::Timeout { .. } => FailureKind::Timeout,
            E::InvalidAddress { .. } | E::Scheme | E::NotYours { .. } => FailureKind::Refused,
            E::TooLarge { .. } | E::Redirect { .. } => FailureKind::Upstream,
            _ => FailureKind::Unreachable,
        };
        let was_sent = matches!(
            error,
            E::Timeout { .. } | E::Exchange { .. } | E::TooLarge { .. }
        );
        let maybe_done = was_sent && !is_safe;
        let inside = matches!(error, E::NotPublic { .. } | E::PlainHttp { .. });
        let mut fault = Fault::from(error);
        if maybe_done {
            fault.retryable = false;
            fault.hint =
                Some("It may have been done. Read what there is before you try again.".into());
            fault = fault.detail(MAYBE_DONE, true);
        }
        if inside {
            fault.code = Code::UpstreamError;
            fault.details = None;
            fault.hint = Some(
                "Check the connection's address. If the server is inside the network, an \
                 administrator marks the connection as local."
                    .into(),
            );
        }
        Failure {
            kind,
            fault,
            status: None,
            retries: 0,
        }
    }

    pub(crate) fn unreadable(fault: Fault, status: StatusCode) -> Failure {
        Failure {
            kind: FailureKind::Upstream,
            fault: fault.detail("upstream_status", status.as_u16()),
            status: Some(status.as_u16()),
            retries: 0,
        }
    }

    /// The service, or our own count of its limits, says that it is too much.
    pub(crate) fn too_many(definition: &Definition, wait: Duration) -> Failure {
        let message = format!(
            "{} takes no more calls of this account for now.",
            definition.title
        );
        let fault = Fault::new(Code::RateLimited, message)
            .hint("Wait as long as `details.retry_after_s` says, or ask for more at once.")
            .detail("retry_after_s", seconds(wait));
        Failure {
            kind: FailureKind::RateLimited,
            fault,
            status: None,
            retries: 0,
        }
    }
}

/// An error that the service answered with, before it is known what becomes of it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    code: Option<String>,
    message: String,
    details: Option<Value>,
    pub(crate) is_auth: bool,
    /// The definition says that the same call may succeed later.
    pub(crate) is_passing: bool,
}

/// Reads an answer as an error, if it is one.
pub(crate) fn refusal(definition: &Definition, status: StatusCode, read: &Read) -> Option<Refusal> {
    let own = &definition.defaults.errors;
    let implied = implied(definition);
    let errors = |pick: fn(&Errors) -> Option<&String>| {
        pick(own).map(String::as_str).or_else(|| {
            implied
                .as_ref()
                .and_then(|all| pick(all).map(String::as_str))
        })
    };
    let answer = read.json();
    let at = |pointer: Option<&str>| answer?.pointer(pointer?).filter(|value| !is_nothing(value));
    let says_so = at(errors(|errors| errors.when.as_ref())).is_some()
        || own.unless.as_ref().is_some_and(|unless| {
            answer.is_some_and(|answer| answer.pointer(&unless.at) != Some(&unless.value))
        });
    if status.is_success() && !says_so {
        return None;
    }
    let code = at(errors(|errors| errors.code.as_ref())).and_then(short);
    let message = at(errors(|errors| errors.message.as_ref())).and_then(short);
    let message = message
        .or_else(|| usual_message(answer?))
        .or_else(|| text_message(&read.data))
        .unwrap_or_else(|| phrase(status).to_owned());
    let details = at(errors(|errors| errors.details.as_ref())).cloned();
    let is_among = |codes: &[String]| code.as_ref().is_some_and(|code| codes.contains(code));
    let is_told = own.auth_when.as_ref().is_some_and(|holds| {
        answer.is_some_and(|answer| answer.pointer(&holds.at) == Some(&holds.value))
    });
    Some(Refusal {
        status,
        is_auth: status == StatusCode::UNAUTHORIZED || is_told || is_among(&own.auth_codes),
        is_passing: is_among(&own.retry_codes),
        code,
        message,
        details,
    })
}

impl Refusal {
    pub(crate) fn failure(
        self,
        definition: &Definition,
        asked: Option<Asked>,
        is_safe: bool,
        redactor: &Redactor,
    ) -> Failure {
        const DETAILS: usize = 4 * 1024;
        let status = self.status;
        let title = &definition.title;
        let is_limit = status == StatusCode::TOO_MANY_REQUESTS
            || asked.is_some_and(|asked| asked.is_limit)
            || (self.is_passing && asked.is_some());
        let message = redactor.tidy(&self.message).into_owned();
        let (kind, mut fault) = if self.is_auth {
            let message = format!("{title} does not accept the account's credentials: {message}");
            let fault = Fault::new(Code::ConnectionRequired, message);
            (FailureKind::Auth, fault.hint("Connect the account again."))
        } else if is_limit {
            let message = format!("{title} takes no more calls for now: {message}");
            let fault = Fault::new(Code::RateLimited, message);
            let hint = "Wait as long as `details.retry_after_s` says, or ask for more at once.";
            (FailureKind::RateLimited, fault.hint(hint))
        } else {
            let number = status.as_u16();
            let message = format!("{title} answered {number}: {message}");
            let mut fault =
                Fault::new(Code::UpstreamError, message).hint(hint(status, self.is_passing));
            fault.retryable = self.is_passing
                || matches!(number, 408 | 425 | 502 | 503 | 504)
                || (number == 500 && is_safe);
            (FailureKind::Upstream, fault)
        };
        fault = fault
            .detail("upstream_status", status.as_u16())
            .detail("upstream_message", message);
        if let Some(code) = self.code {
            fault = fault.detail("upstream_code", redactor.tidy(&code).into_owned());
        }
        if let Some(details) = self.details {
            let mut details = Data::Value(details);
            super::shorten::shorten(&mut details, DETAILS);
            if let Data::Value(details) = details {
                fault = fault.detail("upstream_details", details);
            }
        }
        if let Some(asked) = asked
            && fault.retryable
        {
            fault = fault.detail("retry_after_s", seconds(asked.wait));
        } else if is_limit {
            fault = fault.detail("retry_after_s", 60);
        }
        Failure {
            kind,
            fault,
            status: Some(status.as_u16()),
            retries: 0,
        }
    }
}

fn hint(status: StatusCode, is_passing: bool) -> &'static str {
    match status.as_u16() {
        _ if is_passing => "Try again in a moment.",
        300..=399 => "It lies somewhere else now; look it up again.",
        403 => {
            "The account may not do this. Ask for the right in the service, or use another account."
        }
        404 | 410 => "Check the names and ids; list what there is first.",
        400 | 409 | 422 => "Correct the inputs as the message says.",
        500..=599 => "The service has a problem. Try again in a moment.",
        _ => "See the message of the service.",
    }
}

/// What holds for a kind of service unless the definition says otherwise.
fn implied(definition: &Definition) -> Option<Errors> {
    let at = |when: &str, code: &str, message: &str, details: Option<&str>| Errors {
        when: Some(when.into()),
        code: Some(code.into()),
        message: Some(message.into()),
        details: details.map(str::to_owned),
        ..Errors::default()
    };
    match definition.kind {
        Kind::Rpc if definition.rpc.as_ref()?.envelope == Envelope::Jsonrpc2 => Some(at(
            "/error",
            "/error/code",
            "/error/message",
            Some("/error/data"),
        )),
        Kind::Mcp => Some(at(
            "/error",
            "/error/code",
            "/error/message",
            Some("/error/data"),
        )),
        Kind::Graphql => Some(at(
            "/errors",
            "/errors/0/extensions/code",
            "/errors/0/message",
            Some("/errors"),
        )),
        _ => None,
    }
}

/// Null, false, 0 and empty.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(true) => false,
    }
}

fn short(value: &Value) -> Option<String> {
    Some(shorten(&match value {
        Value::String(text) => text.clone(),
        Value::Null => return None,
        other => other.to_string(),
    }))
}

/// Where most services have their message.
fn usual_message(answer: &Value) -> Option<String> {
    const PLACES: &[&str] = &[
        "/error_description",
        "/error/message",
        "/message",
        "/error",
        "/detail",
        "/errors/0/message",
        "/errors/0/detail",
        "/errors/0",
        "/title",
        "/reason",
        "/msg",
    ];
    let texts = PLACES
        .iter()
        .filter_map(|place| answer.pointer(place)?.as_str());
    let text = texts.into_iter().find(|text| !text.is_empty())?;
    Some(shorten(text))
}

/// An answer that is no JSON: the title of a page, or the text itself.
fn text_message(data: &Data) -> Option<String> {
    let Data::Text(text) = data else {
        return None;
    };
    let text = text.trim();
    if !text.starts_with('<') {
        return (!text.is_empty()).then(|| shorten(text));
    }
    let beginning = &text[..text.floor_char_boundary(64 * 1024)];
    let start = beginning.to_ascii_lowercase().find("<title>")? + "<title>".len();
    let title = beginning[start..].split('<').next()?.trim();
    (!title.is_empty()).then(|| shorten(title))
}

fn phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("no reason given")
}

/// Rounded up: a moment too early is refused again.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

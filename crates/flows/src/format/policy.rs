//! How long, how often and how many: limits of a flow, and what a step may say for itself.

use super::step::Step;
use super::{Size, Span};
use crate::template::Template;
use quaymaster_core::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// What one run may use at most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Of the whole run: 60s unless said otherwise, at most 10m, or 7d if the flow is durable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Of one attempt of one step: 10s unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_timeout: Option<Span>,
    /// Runs at the same time; more are refused with `RATE_LIMITED`. 20 unless said otherwise, at
    /// most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// Steps of a run, those of loops counted each time: 1,000 unless said otherwise, at most
    /// 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u32>,
    /// Items of one `for_each`: 1,000 unless said otherwise, at most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// Of one answer: 1MiB unless said otherwise, at most 10MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Size>,
}

/// What steps of a kind have that do not say it themselves.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Default>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<Default>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Default>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<Default>,
}

/// Time limit and retries of a kind of step.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Default {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// Only for steps that may be repeated without harm: GET, HEAD, PUT, DELETE, reading SQL, and
    /// whatever has an `idempotency_key`. Others are tried again only by a `retry` of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
}

/// When a step that failed is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How often it is tried again after the first time: 1 to 10.
    pub max: u32,
    /// Which failures. Without it those that say of themselves that they may pass.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<RetryOn>,
    /// The wait before each attempt: the first and the longest, doubled in between, for example
    /// `200ms..2s`.
    #[serde(default)]
    pub backoff: Backoff,
    /// Wait as long as the service says in `Retry-After`, where it does.
    #[serde(default = "yes")]
    pub respect_retry_after: bool,
}

const fn yes() -> bool {
    true
}

/// A failure: `network`, `timeout`, a status as `429` or `5xx`, or a code as `UPSTREAM_ERROR`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// No answer came.
    Network,
    Timeout,
    Status(u16),
    /// The first digit of a status.
    Statuses(u16),
    Code(Code),
}

impl RetryOn {
    pub fn parse(text: &str) -> Option<Self> {
        let class = text.strip_suffix("xx").and_then(|class| class.parse().ok());
        match (text, class, text.parse()) {
            ("network", ..) => Some(RetryOn::Network),
            ("timeout", ..) => Some(RetryOn::Timeout),
            (_, Some(class @ 4..=5), _) => Some(RetryOn::Statuses(class)),
            (_, _, Ok(status @ 400..=599)) => Some(RetryOn::Status(status)),
            _ => Code::by_name(text).map(RetryOn::Code),
        }
    }
}

impl fmt::Display for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RetryOn::Network => f.write_str("network"),
            RetryOn::Timeout => f.write_str("timeout"),
            RetryOn::Status(status) => write!(f, "{status}"),
            RetryOn::Statuses(class) => write!(f, "{class}xx"),
            RetryOn::Code(code) => f.write_str(code.name()),
        }
    }
}

impl Serialize for RetryOn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl de::Visitor<'_> for Read {
            type Value = RetryOn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("network, timeout, a status or a code")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RetryOn, E> {
                RetryOn::parse(text).ok_or_else(|| {
                    E::custom(format!(
                        "{text:?} is no failure; write network, timeout, a status as 429 or 5xx, or a code as UPSTREAM_ERROR"
                    ))
                })
            }

            fn visit_u64<E: de::Error>(self, status: u64) -> Result<RetryOn, E> {
                self.visit_str(&status.to_string())
            }

            fn visit_i64<E: de::Error>(self, status: i64) -> Result<RetryOn, E> {
                self.visit_str(&status.to_string())
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for RetryOn {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RetryOn".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "integer"] })
    }
}

/// Waits between attempts: the first and the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", inline)]
pub struct Backoff {
    pub first: Span,
    pub longest: Span,
}

impl std::default::Default for Backoff {
    fn default() -> Self {
        let span = |millis| Span::of(std::time::Duration::from_millis(millis));
        Backoff {
            first: span(500),
            longest: span(10_000),
        }
    }
}

impl TryFrom<String> for Backoff {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (first, longest) = text.split_once("..").unwrap_or((&text, &text));
        match (Span::parse(first), Span::parse(longest)) {
            (Some(first), Some(longest)) if first <= longest => Ok(Backoff { first, longest }),
            _ => Err(format!(
                "{text:?} is no backoff; write the first and the longest wait, for example 200ms..2s"
            )),
        }
    }
}

impl From<Backoff> for String {
    fn from(backoff: Backoff) -> String {
        format!("{}..{}", backoff.first, backoff.longest)
    }
}

/// What happens when a step fails for good.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The flow fails.
    #[default]
    Fail,
    /// The flow goes on; the step's output is `{error}`.
    Continue,
    /// These steps run, with the failure as `.error`; the step's output is that of the last of
    /// them.
    Do(Vec<Step>),
}

/// What a durable run does with a step that was begun before a crash, may have happened, and cannot
/// be repeated without harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknown {
    #[default]
    Fail,
    Retry,
}

/// An output that is used again.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// For how long: at most 30d.
    pub ttl: Span,
    /// What makes it the same. Without it all that the step is asked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Template>,
}

/// How often a step may run, counted over all runs of the flow.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// How many times.
    pub max: u32,
    /// Within how long: 1s to 1d.
    pub per: Span,
    /// Counts each value for itself, for example each customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Template>,
}

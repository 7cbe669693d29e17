//! The port: all that a flow reaches.
//!
//! A host gets everything evaluated, with one exception: secrets. A [`Text`] that has one is handed
//! over in parts, and only the host puts it in, at the last moment, and takes it out of what it keeps
//! and answers.
//!
//! Steps are named by their path: `geo`, `low[3].stock` for a step in the fourth turn of the loop
//! `low` (the turn itself is `low[3]`), `lookup.geo` for a step of a flow that the step `lookup` runs. One
//! without an id has its place: `steps[2]`, `known.switch[0].do[1]`, `catch[0]`. The same step of the same
//! run has the same path whenever it runs.

use crate::context::Context;
use crate::expression::Program;
use crate::fault::StepFault;
use crate::prepared::Prepared;
use quaymaster_core::door::Fut;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// What runs the steps of one run. Dropping a future cancels what it does.
pub trait Host: Send + Sync {
    /// The value of each program over the context, in the order of the programs. A program answers
    /// exactly one value. It is called for several at once, so that a step is one round trip.
    fn evaluate<'a>(
        &'a self,
        programs: &'a [Program],
        context: &'a Context,
    ) -> Fut<'a, Vec<Result<Value, StepFault>>>;

    /// Does what a step asks for; see [`Request`] for what each kind answers. It ends within
    /// [`Request::timeout`], or is dropped then.
    fn perform<'a>(
        &'a self,
        step: &'a str,
        request: &'a Request,
    ) -> Fut<'a, Result<Value, StepFault>>;

    /// A flow of the same workspace, in its current version, if it is there and switched on.
    fn flow<'a>(&'a self, step: &'a str, call: &'a FlowCall) -> Fut<'a, Result<Found, StepFault>>;

    /// Waits, before another attempt of a step. Not used for time limits.
    fn sleep(&self, duration: Duration) -> Fut<'_, ()>;

    /// How much is left of the wait that a step is: all of it, or less when it began before a durable
    /// run was put off or stopped.
    fn left_of_wait<'a>(
        &'a self,
        step: &'a str,
        whole: Duration,
    ) -> Fut<'a, Result<Duration, StepFault>>;

    /// Waits, as a step says. A host may drop a durable run that does nothing else, and run it again
    /// when the time has come.
    fn wait(&self, left: Duration) -> Fut<'_, ()>;

    /// Tells whoever waits that a step begins: `done` of `total` steps of the outer list are.
    fn progress(&self, done: u64, total: u64, message: &str);

    /// What is known of a step of this run from before a crash. Asked in durable flows only, once
    /// for each step.
    fn recall<'a>(&'a self, step: &'a str) -> Fut<'a, Result<Recalled, StepFault>>;

    /// Notes what became of a step. In a durable flow it is kept before this answers, and the step
    /// goes on only then. Secrets are not in what is given, but can be in what a service answered.
    fn record<'a>(&'a self, step: &'a str, mark: Mark<'a>) -> Fut<'a, Result<(), StepFault>>;

    /// Takes one of `max` in `per` from the count with this key, which is the workspace's own; none,
    /// or how long to wait.
    fn rate<'a>(
        &'a self,
        key: &'a str,
        max: u32,
        per: Duration,
    ) -> Fut<'a, Result<Option<Duration>, StepFault>>;

    /// An output that was put under this key, which is the workspace's own, and is not too old.
    fn cached<'a>(&'a self, key: &'a str) -> Fut<'a, Option<Value>>;

    fn put_in_cache<'a>(&'a self, key: &'a str, value: &'a Value, ttl: Duration) -> Fut<'a, ()>;
}

/// What stands behind the name of a flow.
pub enum Found {
    Flow(Arc<Prepared>),
    Nothing,
    /// Its result, without running it: in tests.
    Answer(Value),
}

/// What is known of a step that may have run before.
#[derive(Debug, Clone, PartialEq)]
pub enum Recalled {
    /// It has not begun.
    Nothing,
    /// It began, and how it ended is not known.
    Begun,
    Done(Value),
    Failed(StepFault),
}

/// What became of a step.
#[derive(Debug, Clone, Copy)]
pub enum Mark<'a> {
    /// An attempt begins, counted from 1. Secrets in the input are told by name.
    Begun {
        attempt: u32,
        input: &'a Value,
    },
    /// Its `if` said no.
    Skipped,
    Done {
        output: &'a Value,
    },
    /// For good: no attempt is left.
    Failed {
        fault: &'a StepFault,
    },
}

/// What a step asks for. In JSON it is what `sent` of a test compares with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Request {
    /// Answers `{status, headers, body}` for every status: JSON as such, other text as text, the
    /// rest as Base64. Names of headers in small letters. Redirects are followed.
    Http(Box<HttpRequest>),
    /// Answers `{status, headers, body}`; a status of 400 and more is a fault.
    Call(Box<ConnectorCall>),
    /// Answers `{structured, text, content}`: the structured result or null, the texts, all blocks.
    Mcp(McpCall),
    /// Answers `{rows, columns, affected}`: objects, names, a number.
    Sql(SqlQuery),
    /// Answers the value of the last expression.
    Python(PythonRun),
    Kv(KvRequest),
}

/// A text, some of which only the host knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Vec<TextPart>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPart {
    Literal(String),
    /// The name of a secret of the workspace.
    Secret(String),
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HttpRequest {
    pub method: &'static str,
    pub url: String,
    /// Not encoded yet; a name can stand there several times.
    #[serde(serialize_with = "pairs")]
    pub query: Vec<(String, Text)>,
    #[serde(serialize_with = "pairs")]
    pub headers: Vec<(String, Text)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    #[serde(flatten)]
    pub body: Option<Body>,
    /// Also in the headers, as `Idempotency-Key`.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
    #[serde(skip)]
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    Bearer(Text),
    Basic { user: Text, password: Text },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// JSON.
    Body(Value),
    #[serde(serialize_with = "plain_pairs")]
    Form(Vec<(String, String)>),
    Text(String),
}

/// A call of a connector: `action` and `with`, or `method` and `path`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConnectorCall {
    pub service: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub query: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    #[serde(skip)]
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct McpCall {
    pub connection: String,
    pub tool: String,
    pub arguments: Map<String, Value>,
    #[serde(skip)]
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SqlQuery {
    pub connection: String,
    pub query: String,
    pub params: Map<String, Value>,
    pub read_only: bool,
    pub max_rows: u32,
    #[serde(skip)]
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PythonRun {
    pub code: String,
    pub input: Value,
    #[serde(skip)]
    pub limits: Limits,
}

/// Another flow in the place of a step.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FlowCall {
    pub name: String,
    pub input: Map<String, Value>,
}

/// Values that are kept between runs; keys are the workspace's own.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KvRequest {
    /// Answers `{found, value}`.
    Get { key: String },
    /// Answers `{value}`.
    Set {
        key: String,
        value: Value,
        #[serde(skip)]
        ttl: Option<Duration>,
    },
    /// Answers `{found}`: whether it was there.
    Delete { key: String },
}

/// What one attempt may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub timeout: Duration,
    /// Bytes of the answer.
    pub body: u32,
}

impl Request {
    /// How long the host may take. Keeping values has no limit of its own.
    pub fn timeout(&self) -> Option<Duration> {
        match self {
            Request::Http(request) => Some(request.limits.timeout),
            Request::Call(request) => Some(request.limits.timeout),
            Request::Mcp(request) => Some(request.limits.timeout),
            Request::Sql(request) => Some(request.limits.timeout),
            Request::Python(request) => Some(request.limits.timeout),
            Request::Kv(_) => None,
        }
    }
}

impl Text {
    pub fn literal(text: impl Into<String>) -> Self {
        Text(vec![TextPart::Literal(text.into())])
    }

    /// The names of the secrets in it.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            TextPart::Secret(name) => Some(name.as_str()),
            TextPart::Literal(_) => None,
        })
    }

    /// The text with secrets filled in; the error is the name of one that is not there.
    pub fn fill<'s>(&self, secret: impl Fn(&str) -> Option<&'s str>) -> Result<String, String> {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                TextPart::Literal(text) => filled.push_str(text),
                TextPart::Secret(name) => {
                    filled.push_str(secret(name).ok_or_else(|| name.clone())?);
                }
            }
        }
        Ok(filled)
    }
}

/// Secrets are told by name.
impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for part in &self.0 {
            match part {
                TextPart::Literal(text) => f.write_str(text)?,
                TextPart::Secret(name) => write!(f, "${{{{ secret.{name} }}}}")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Names and texts as an object; of a name that stands there several times, a list.
fn pairs<S: Serializer>(pairs: &[(String, Text)], serializer: S) -> Result<S::Ok, S::Error> {
    let pairs = pairs.iter().map(|(name, text)| (name, text.to_string()));
    object(pairs).serialize(serializer)
}

fn plain_pairs<S: Serializer>(
    pairs: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let pairs = pairs.iter().map(|(name, text)| (name, text.clone()));
    object(pairs).serialize(serializer)
}

fn object<'a>(pairs: impl Iterator<Item = (&'a String, String)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, text) in pairs {
        match object.get_mut(name) {
            None => {
                object.insert(name.clone(), text.into());
            }
            Some(Value::Array(list)) => list.push(text.into()),
            Some(one) => *one = Value::Array(vec![one.take(), text.into()]),
        }
    }
    object
}

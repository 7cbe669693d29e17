//! Steps.

use super::policy::{Cache, OnError, OnUnknown, RateLimit, Retry};
use super::time::Span;
use crate::expression::Program;
use crate::template::{Shape, Template};
use indexmap::IndexMap;
use quaymaster_core::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One step: what it does (exactly one of `http`, `call`, `mcp`, `sql`, `flow`, `map`, `then`,
/// `switch`, `for_each`, `parallel`, `python`, `kv`, `wait`, `fail`, `return`), and how.
///
/// What a step with an `id` answers is `.steps.<id>` for the steps after it; null when its `if` said
/// no. Steps within a `for_each` are seen only there.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// `[a-z][a-z0-9_]{0,63}`, unique in the flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// For people, in lists of steps and as progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The step runs only if this is neither false nor null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#if: Option<Program>,
    /// Of one attempt; at most that of the flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Box<Retry>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_error: Option<OnError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<Box<Cache>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<Box<RateLimit>>,
    /// Sent as `Idempotency-Key`, so that the service does once what it is asked twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnUnknown>,

    /// A request to any public address. Answers `{status, headers, body}`; a status of 400 and
    /// more is a failure unless `accept` lists it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Box<Http>>,
    /// A call of a connector with a connected account. Answers `{status, headers, body}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Box<Call>>,
    /// A tool of an upstream MCP server. Answers `{structured, text, content}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Box<Mcp>>,
    /// A query. Answers `{rows, columns, affected}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<Box<Sql>>,
    /// Another flow of the workspace. Answers its result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow: Option<Box<SubFlow>>,
    /// A value computed from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<Program>,
    /// With `if`: the steps for yes. Answers what the last of them answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Vec<Step>>,
    /// With `if` and `then`: the steps for no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#else: Option<Vec<Step>>,
    /// The first case whose `when` holds. Answers what its last step answers, null when none held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch: Option<Vec<Case>>,
    /// Steps for each item of a list. Answers `{items: [{value} or {error}], failed}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_each: Option<Box<ForEach>>,
    /// Lists of steps by name that run at the same time; they do not see each other's steps. Answers
    /// an object with what the last step of each answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel: Option<IndexMap<String, Vec<Step>>>,
    /// A program in Python, in the sandbox. Answers its last expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<Box<Python>>,
    /// A value that is kept between runs, for all flows of the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kv: Option<Box<Kv>>,
    /// A pause: a length of time as `2s`, or a number of seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<Template>,
    /// The flow fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fail: Option<Box<Fail>>,
    /// The flow ends with this result. Not within `for_each` and `parallel`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#return: Option<Program>,
}

/// A request. Exactly one of the verbs, whose value is the address.
///
/// Scheme and host are written out or come from `.vars`; expressions behind them are
/// percent-encoded. An address that is one expression alone is taken as it is, and then no secret
/// may be sent along.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get: Option<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub put: Option<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patch: Option<Template>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete: Option<Template>,
    /// Null leaves a parameter out, a list repeats it.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub query: IndexMap<String, Shape>,
    /// Null leaves a header out.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, Shape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<HttpAuth>,
    /// Sent as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Shape>,
    /// Sent as a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<IndexMap<String, Shape>>,
    /// Sent as plain text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Template>,
    /// Statuses of 400 and more that are an answer and no failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<u16>,
}

/// How a request signs in.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum HttpAuth {
    Bearer(Template),
    Basic { user: Template, password: Template },
}

/// A call of a connector: `action` and `with`, or `method` and `path` as the service documents
/// them.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The connector's key, or the alias of an integration of the workspace.
    pub service: String,
    /// The account; left out where there is one. `all` asks every account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Template>,
    /// The key of an action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The action's inputs.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub with: IndexMap<String, Shape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Expressions in it are percent-encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Template>,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub query: IndexMap<String, Shape>,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, Shape>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Shape>,
}

/// A call of a tool of an upstream MCP server.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    /// The name of the connection.
    pub connection: Template,
    pub tool: String,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub arguments: IndexMap<String, Shape>,
}

/// A query of a database.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sql {
    /// The name of the connection.
    pub connection: Template,
    /// One statement, with `:name` for each parameter. No expressions: they would be pasted in.
    pub query: String,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub params: IndexMap<String, Shape>,
    /// The database itself refuses changes.
    #[serde(default)]
    pub read_only: bool,
    /// More rows are a failure: 1,000 unless said otherwise, at most 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u32>,
}

/// Another flow of the workspace, run in the place of this step; five deep at most.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubFlow {
    pub name: String,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub input: IndexMap<String, Shape>,
}

/// A program in Python.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Python {
    /// No expressions: they would be pasted in. It sees `input`.
    pub code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Shape>,
}

/// A case of a `switch`. One without `when` always holds and comes last.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Program>,
    pub r#do: Vec<Step>,
}

/// Steps for each item of a list.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForEach {
    /// The list.
    pub r#in: Program,
    /// What the item is called in expressions, beside `.index`; `item` unless said otherwise.
    #[serde(default = "item")]
    pub r#as: String,
    /// Items at the same time: 8 unless said otherwise, at most 32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    #[serde(default)]
    pub on_item_error: OnItemError,
    pub r#do: Vec<Step>,
    /// The item's `value`. Without it what the last step answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#yield: Option<Program>,
}

fn item() -> String {
    "item".to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnItemError {
    /// The step fails, and no further item is begun.
    #[default]
    Stop,
    /// The item has its `error`, and the others go on.
    Collect,
}

/// A value that is kept between runs.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kv {
    /// Answers `{found, value}`.
    Get { key: Template },
    /// Answers `{value}`.
    Set {
        key: Template,
        value: Shape,
        /// For how long it is kept; for ever without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ttl: Option<Span>,
    },
    /// Answers `{found}`.
    Delete { key: Template },
}

/// A failure of the flow's own.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    #[serde(default)]
    pub code: FailCode,
    pub message: Template,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Template>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Shape>,
}

/// The codes that a flow may fail with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailCode {
    InvalidArg,
    NotFound,
    AlreadyExists,
    Forbidden,
    ConnectionRequired,
    UpstreamError,
    RateLimited,
    Timeout,
    #[default]
    FlowError,
}

impl FailCode {
    pub const fn code(self) -> Code {
        match self {
            FailCode::InvalidArg => Code::InvalidArg,
            FailCode::NotFound => Code::NotFound,
            FailCode::AlreadyExists => Code::AlreadyExists,
            FailCode::Forbidden => Code::Forbidden,
            FailCode::ConnectionRequired => Code::ConnectionRequired,
            FailCode::UpstreamError => Code::UpstreamError,
            FailCode::RateLimited => Code::RateLimited,
            FailCode::Timeout => Code::Timeout,
            FailCode::FlowError => Code::FlowError,
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    Http(&'a Http),
    Call(&'a Call),
    Mcp(&'a Mcp),
    Sql(&'a Sql),
    Flow(&'a SubFlow),
    Map(&'a Program),
    If(&'a [Step], &'a [Step]),
    Switch(&'a [Case]),
    ForEach(&'a ForEach),
    Parallel(&'a IndexMap<String, Vec<Step>>),
    Python(&'a Python),
    Kv(&'a Kv),
    Wait(&'a Template),
    Fail(&'a Fail),
    Return(&'a Program),
}

impl Kind<'_> {
    /// The key that stands for it in a step.
    pub const fn name(&self) -> &'static str {
        match self {
            Kind::Http(_) => "http",
            Kind::Call(_) => "call",
            Kind::Mcp(_) => "mcp",
            Kind::Sql(_) => "sql",
            Kind::Flow(_) => "flow",
            Kind::Map(_) => "map",
            Kind::If(..) => "then",
            Kind::Switch(_) => "switch",
            Kind::ForEach(_) => "for_each",
            Kind::Parallel(_) => "parallel",
            Kind::Python(_) => "python",
            Kind::Kv(_) => "kv",
            Kind::Wait(_) => "wait",
            Kind::Fail(_) => "fail",
            Kind::Return(_) => "return",
        }
    }
}

impl Step {
    /// All that the step says it does: one thing, if the flow was loaded.
    pub fn kinds(&self) -> impl Iterator<Item = Kind<'_>> {
        let otherwise = self.r#else.as_deref().unwrap_or_default();
        [
            self.http.as_deref().map(Kind::Http),
            self.call.as_deref().map(Kind::Call),
            self.mcp.as_deref().map(Kind::Mcp),
            self.sql.as_deref().map(Kind::Sql),
            self.flow.as_deref().map(Kind::Flow),
            self.map.as_ref().map(Kind::Map),
            self.then.as_ref().map(|then| Kind::If(then, otherwise)),
            self.switch.as_ref().map(|cases| Kind::Switch(cases)),
            self.for_each.as_ref().map(|each| Kind::ForEach(each)),
            self.parallel.as_ref().map(Kind::Parallel),
            self.python.as_deref().map(Kind::Python),
            self.kv.as_deref().map(Kind::Kv),
            self.wait.as_ref().map(Kind::Wait),
            self.fail.as_deref().map(Kind::Fail),
            self.r#return.as_ref().map(Kind::Return),
        ]
        .into_iter()
        .flatten()
    }

    /// What the step does.
    pub fn kind(&self) -> Option<Kind<'_>> {
        self.kinds().next()
    }

    /// The lists of steps within this one, with the keys that lead to them.
    pub fn inner(&self) -> Vec<(Vec<String>, &[Step])> {
        let mut lists: Vec<(Vec<String>, &[Step])> = Vec::new();
        let path = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        if let Some(then) = &self.then {
            lists.push((path(&["then"]), then));
        }
        if let Some(otherwise) = &self.r#else {
            lists.push((path(&["else"]), otherwise));
        }
        for (index, case) in self.switch.iter().flatten().enumerate() {
            lists.push((path(&["switch", &index.to_string(), "do"]), &case.r#do));
        }
        if let Some(each) = &self.for_each {
            lists.push((path(&["for_each", "do"]), &each.r#do));
        }
        for (name, branch) in self.parallel.iter().flatten() {
            lists.push((path(&["parallel", name]), branch));
        }
        if let Some(OnError::Do(steps)) = &self.on_error {
            lists.push((path(&["on_error", "do"]), steps));
        }
        lists
    }

    /// This step and all within it.
    pub fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a Step)) {
        visit(self);
        for (_, steps) in self.inner() {
            for step in steps {
                step.each(visit);
            }
        }
    }
}

impl Http {
    /// The verbs that the request says: one, if the flow was loaded.
    pub fn verbs(&self) -> impl Iterator<Item = (&'static str, &Template)> {
        [
            ("GET", &self.get),
            ("HEAD", &self.head),
            ("POST", &self.post),
            ("PUT", &self.put),
            ("PATCH", &self.patch),
            ("DELETE", &self.delete),
        ]
        .into_iter()
        .filter_map(|(verb, address)| Some((verb, address.as_ref()?)))
    }
}

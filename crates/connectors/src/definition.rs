//! A connector as its file says it: the format `quaymaster: 1`.
//!
//! Strict: an unknown key is an error. Templates are `{name}` and nothing more, places in answers are
//! JSON Pointers (RFC 6901), inputs are JSON Schema 2020-12. A definition holds no code and no
//! secret.
//!
//! The comments on the types are the published schema's descriptions.

mod auth;
mod defaults;
mod protocol;
mod template;

pub use auth::{
    Auth, AuthKind, ClientAuth, Field, Grant, Inject, OAuth2, Pkce, Refresh, Scopes, TokenFormat,
};
pub use defaults::{
    Defaults, Equals, Errors, Holds, PageSize, Pagination, PaginationKind, Retry, Unit, Wait,
};
pub use protocol::{Batch, Dialect, Envelope, Graphql, Handshake, Kind, Mcp, Positional, Rpc, Sql};
pub use template::{Encoding, Template, TemplateError};
pub(crate) use template::{push_percent, push_segment};

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A connector.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The version of the format: 1.
    pub quaymaster: u32,
    /// The name by which agents call it: `[a-z][a-z0-9_]{0,62}`.
    pub key: String,
    pub kind: Kind,
    /// The version of this definition, for caches of passports.
    pub version: String,
    /// Seconds for which a passport may be kept.
    #[serde(default = "a_day")]
    pub ttl: u32,
    pub title: String,
    /// What it is, in at most 34 characters: all of them together are one handshake.
    pub summary: String,
    #[serde(default)]
    pub categories: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docs_url: Option<String>,
    #[serde(default)]
    pub tested: Tested,
    /// The document that it was made from, in words. Nobody has chosen recipes then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<String>,
    /// What an account needs besides its credentials, for example the host of one's own server.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub connection: IndexMap<String, Field>,
    /// Scheme, host and path in front of every action's path; may hold fields of `connection`.
    pub base_url: Template,
    /// Hosts besides that of `base_url` to which the credentials may be sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_hosts: Vec<String>,
    /// From fields of an account to the environment variables of the sandbox.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub env: IndexMap<String, String>,
    /// The ways to sign in; an account uses one.
    pub auth: Vec<Auth>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<Verify>,
    #[serde(default)]
    pub defaults: Defaults,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<RateLimit>,
    /// Values that a field can have, by a name that `$enum` in a schema refers to.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub enums: IndexMap<String, Vec<Choice>>,
    /// Where the values of a field can be looked up, by a name that `x-select` refers to.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub selects: IndexMap<String, Select>,
    pub modules: IndexMap<String, Module>,
    /// Examples of calls, at least three.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipes: Vec<Recipe>,
    /// How calls look; needed for the kind `rpc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpc: Option<Rpc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graphql: Option<Graphql>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Mcp>,
    /// Which database the kind `sql` is; PostgreSQL without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<Sql>,
    /// What is not listed as an action may be called as well (RPC methods; REST paths always may).
    #[serde(default)]
    pub open_methods: bool,
}

const fn a_day() -> u32 {
    86_400
}

/// How a definition was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tested {
    /// A test that passes calls the real service.
    Live,
    /// Every request is compared with the documentation's.
    Schema,
    #[default]
    None,
}

/// A part of a connector.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Module {
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// Instead of the connector's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<Template>,
    /// By key, `[a-z0-9_]`, unique in the connector.
    pub actions: IndexMap<String, Action>,
}

/// One callable operation.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The HTTP verb of the kind `rest`, or of the request that carries a method of the kind `rpc`;
    /// POST there unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<Verb>,
    /// The path behind `base_url`, with `{name}` for each parameter in it. A method of the kind
    /// `rpc` with the envelope `path` may have a path of its own, which stands in the place of its
    /// name: callers name the method and give all parameters together, and the request that carries
    /// them has each where a REST call has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Template>,
    /// The name of the method of the kind `rpc`, or of the tool of the kind `mcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpc: Option<String>,
    /// The document of the kind `graphql`; the parameters are its variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// JSON Schema of the inputs, an object. A parameter that stands in the path goes there; else
    /// those of GET, HEAD and DELETE go into the query and all others into the body; `x-in` (path,
    /// query, header, body, `entire_body`: it is the body and no member of it) says otherwise. A
    /// parameter with a `const` is sent with every call. `$enum: name` stands for the values of an
    /// enum, `x-select: name` says where values can be looked up, `x-order: 1` the place among
    /// positional parameters, where `default` stands for one that is not given. `x-style` says how
    /// a list is written in a query or form: `repeat` (`a=1&a=2`, which is usual), `comma`, `brackets`
    /// (`a[]=1`) or `json`; and in a path `segments`, when slashes in the value part segments.
    #[serde(default)]
    pub params: Map<String, Value>,
    #[serde(default)]
    pub content_type: ContentType,
    /// Whether it changes nothing. GET and HEAD do not unless this says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// Instead of the connector's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
    #[serde(default)]
    pub response: Response,
}

/// A method of HTTP (RFC 9110 §9, RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verb {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContentType {
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`
    Form,
    /// `multipart/form-data`. A parameter that is an object with `content` or `content_base64`,
    /// and `filename` and `media_type`, is a file.
    Multipart,
    /// The parameter `text` as it is, as `text/plain`.
    Text,
}

/// What an answer looks like.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The status of success when it is not 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Where the result stands in the answer, instead of the connector's `result`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// An example of the result, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
    /// The answer is bytes, not text.
    #[serde(default)]
    pub binary: bool,
    /// Names of headers, in small letters, that a caller needs: they stand in the `meta` of the
    /// result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
}

/// A value that a field can have.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    pub value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// Where the values of a field can be looked up.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// The key of the action that lists them.
    pub action: String,
    /// What that action is called with.
    #[serde(default)]
    pub with: Map<String, Value>,
    /// Where the list stands in its result.
    #[serde(default)]
    pub items: String,
    /// Where the value stands in an item.
    pub value: String,
    /// Where its name stands.
    pub label: String,
    /// Inputs that must be known first; they are passed on.
    #[serde(default)]
    pub needs: Vec<String>,
}

/// A call that tells whether an account works.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The key of an action that reads.
    pub action: String,
    #[serde(default)]
    pub with: Map<String, Value>,
    /// The account's name: a JSON Pointer into the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What only an answer to somebody known has, where the service answers strangers too: a JSON
    /// Pointer into the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
}

/// A limit that the service documents.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// How many requests.
    pub requests: u32,
    /// Within how many seconds.
    pub per_s: u32,
    /// Only calls of this module count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// In words, where a number does not say it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An example of a call, which a test runs.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub title: String,
    /// The key of the action.
    pub action: String,
    /// Its inputs. The passport shows the call that comes of them.
    #[serde(default)]
    pub with: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Definition {
    /// An action and its module, by the action's key.
    pub fn action(&self, key: &str) -> Option<(&str, &Module, &Action)> {
        self.modules.iter().find_map(|(name, module)| {
            let action = module.actions.get(key)?;
            Some((name.as_str(), module, action))
        })
    }

    /// Whether what is called is a file of a workspace, and nothing outside.
    pub fn is_file(&self) -> bool {
        self.kind == Kind::Sql
            && self
                .sql
                .as_ref()
                .is_some_and(|sql| sql.dialect == Dialect::Sqlite)
    }
}

impl Action {
    /// Whether it changes nothing.
    pub fn reads(&self) -> bool {
        self.read_only
            .unwrap_or(matches!(self.method, Some(Verb::Get | Verb::Head)))
    }
}

impl Verb {
    pub const ALL: [Verb; 6] = [
        Verb::Get,
        Verb::Head,
        Verb::Post,
        Verb::Put,
        Verb::Patch,
        Verb::Delete,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Head => "HEAD",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Patch => "PATCH",
            Verb::Delete => "DELETE",
        }
    }

    /// Whether parameters stand in the query unless said otherwise.
    pub const fn has_query(self) -> bool {
        matches!(self, Verb::Get | Verb::Head | Verb::Delete)
    }

    pub fn parse(text: &str) -> Option<Verb> {
        Verb::ALL
            .into_iter()
            .find(|verb| verb.name().eq_ignore_ascii_case(text))
    }
}

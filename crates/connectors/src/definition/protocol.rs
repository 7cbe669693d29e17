//! How calls look that are not REST.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The shape of a connector's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Rest,
    Rpc,
    Graphql,
    /// An MCP server over Streamable HTTP; its tools are the actions.
    Mcp,
    /// A database. Its actions are `rpc: query`, which reads, and `rpc: execute`, which may change; both have
    /// the inputs `query`, `params` and `max_rows`. One of PostgreSQL has `base_url: "https://{host}:{port}"`, for an
    /// encrypted connection; a field `tls` with the value `off` does without. Fields besides: `database`, and the way to
    /// sign in is `basic`. One of SQLite, see `sql`, is a file of a workspace.
    Sql,
}

/// Remote procedure calls.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rpc {
    pub envelope: Envelope,
    /// The path behind `base_url`; with the envelope `path` the method's name follows it.
    #[serde(default)]
    pub path: String,
    /// Behind the method's name in the path, for example `.json`.
    #[serde(default)]
    pub suffix: String,
    /// Named unless said otherwise.
    #[serde(default)]
    pub params: Positional,
    /// Members of every envelope besides, for example a version.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub members: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// A value that the service hands out with a refusal and wants to see in a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// JSON-RPC 2.0: `jsonrpc`, `id`, `method`, `params`.
    Jsonrpc2,
    /// The method stands in the path, the parameters are the body. An action may say another
    /// `method` and `path` of the request behind the method's name.
    Path,
    /// `method` and `arguments`, as Transmission has it.
    MethodArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Positional {
    #[default]
    Named,
    /// A list in the order of `x-order` of the parameters.
    Positional,
}

/// Several calls in one request.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The method that takes them; none when a list of envelopes is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// How many at most.
    pub max: u32,
}

/// The answer of this status carries the header, and the request is sent once more with it.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    pub status: u16,
    pub header: String,
}

/// Databases.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sql {
    #[serde(default)]
    pub dialect: Dialect,
}

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// A server of PostgreSQL.
    #[default]
    Postgresql,
    /// A SQLite database that is a file of a workspace. `base_url` is `workspace://{workspace}/{file}`, accounts
    /// have both fields, and the way to sign in is `none`.
    Sqlite,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Graphql {
    /// The path behind `base_url`.
    #[serde(default)]
    pub path: String,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    /// The path behind `base_url`.
    #[serde(default)]
    pub path: String,
    /// Tools that are renamed: from our action's key to the server's name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub names: IndexMap<String, String>,
}

//! A flow as its file says it: the format `quaymaster/v1`.
//!
//! Strict: an unknown key is an error. Two kinds of expressions, both jq: `${{ expression }}` in
//! any text, and a bare program in `map`, `when`, `if`, `in`, `yield` and `return`. What a program
//! sees as `.` is `{input, steps, vars, run, caller}`, and where there is one the variable of a
//! loop, `index`, and `error`. Secrets are not in it: `${{ secret.NAME }}` stands in headers,
//! query and auth of `http` alone.
//!
//! The comments on the types are the published schema's descriptions.

mod policy;
mod size;
mod step;
mod test;
mod time;
mod walk;

pub use policy::{
    Backoff, Cache, Default as StepDefault, Defaults, Limits, OnError, OnUnknown, RateLimit, Retry,
    RetryOn,
};
pub use size::Size;
pub use step::{
    Call, Case, Fail, FailCode, ForEach, Http, HttpAuth, Kind, Kv, Mcp, OnItemError, Python, Sql,
    Step, SubFlow,
};
pub use test::{Expect, Mock, MockFault, Mocks, Test};
pub use time::Span;
pub use walk::Path;

use crate::expression::Program;
use indexmap::IndexMap;
use quaymaster_core::tool::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the format that this program reads.
pub const FORMAT: &str = "quaymaster/v1";

/// A flow.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// The version of the format: `quaymaster/v1`, which is also what is meant without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The name, unique in its workspace: `[a-z][a-z0-9_]{0,63}`.
    pub flow: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What starts it. Without any it is a part of other flows and can be tried by hand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub triggers: Vec<Trigger>,
    /// JSON Schema of the input, an object. Input that does not fit never starts the flow, and
    /// defaults are filled in before it starts. Without it the flow takes no input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<JsonObject>,
    /// JSON Schema of the result, an object. A result that does not fit fails the flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<JsonObject>,
    /// Constants that expressions see as `.vars`. Those of a flow that came with a pack are what was
    /// chosen when the pack was installed.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub vars: IndexMap<String, Value>,
    #[serde(default)]
    pub limits: Limits,
    /// Time limits and retries of all steps of a kind that do not have their own.
    #[serde(default)]
    pub defaults: Defaults,
    /// Every step is kept, so that a run goes on where it was after a crash.
    #[serde(default)]
    pub durable: bool,
    pub steps: Vec<Step>,
    /// Runs once when a step fails for good, with the failure as `.error`. The flow fails all the
    /// same, unless one of these steps is a `return`; a `fail` here words the failure anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub catch: Vec<Step>,
    /// The result. Without it the result is the output of the last step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#return: Option<Program>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Test>,
}

/// What starts a flow.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A call of a tool.
    McpTool(McpTool),
    /// A time.
    Cron(Cron),
    /// A request of another program.
    Webhook(Webhook),
}

/// The flow as a tool.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpTool {
    /// The tool's name where it is not the flow's: `[a-z][a-z0-9_]{0,63}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it does and when to use it, for the model that picks tools. The flow's description where
    /// this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default)]
    pub annotations: Annotations,
    /// Hosted servers of the workspace that have the tool as well, by name or id, each once. It is at
    /// `/mcp` with and without them. The tool's name has no two underscores in a row then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<String>,
    /// Whether a call waits for the end of the run.
    #[serde(default)]
    pub mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The answer is the result.
    #[default]
    Sync,
    /// The answer is the id of the run and comes at once; `get_run` has the result.
    Async,
}

/// Hints of the protocol about a tool's nature, with the protocol's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "camelCase")]
pub struct Annotations {
    /// It changes nothing. Callers need the scope `read:tools` then, and `write:tools` otherwise.
    pub read_only_hint: bool,
    /// It may take something away, not only add.
    pub destructive_hint: bool,
    /// A second call with the same arguments changes nothing more.
    pub idempotent_hint: bool,
    /// It reaches the outside world.
    pub open_world_hint: bool,
}

impl std::default::Default for Annotations {
    fn default() -> Self {
        Annotations {
            read_only_hint: false,
            destructive_hint: true,
            idempotent_hint: false,
            open_world_hint: true,
        }
    }
}

/// Times at which a flow starts.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cron {
    /// Five fields: minute, hour, day of the month, month, day of the week.
    pub schedule: String,
    /// A name of the time zone database; UTC unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What happens when it is time and the run before still runs.
    #[serde(default)]
    pub overlap: Overlap,
    /// What happens with times that went by while the server was down.
    #[serde(default)]
    pub catch_up: CatchUp,
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub input: JsonObject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// This time is left out.
    #[default]
    Skip,
    /// Both run.
    Allow,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    #[default]
    None,
    /// It runs once, for the last of them.
    Last,
}

/// A request that starts a flow. Its JSON body is the input.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The last part of the address: `[a-z0-9][a-z0-9_-]{0,63}`, unique in the workspace.
    pub path: String,
    pub auth: WebhookAuth,
    #[serde(default)]
    pub respond: Respond,
}

/// How the sender of a request proves itself. Secrets are named, never written here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WebhookAuth {
    /// A header has the HMAC-SHA-256 of the body, in hexadecimal, with or without `sha256=`.
    HmacSha256 { secret: String, header: String },
    /// `Authorization: Bearer` and the secret.
    Bearer { secret: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Respond {
    /// The answer has the result.
    Sync,
    /// The answer has the id of the run and comes at once.
    #[default]
    Async,
}

impl Flow {
    /// The flow's tool, where it is one.
    pub fn tool(&self) -> Option<&McpTool> {
        self.triggers.iter().find_map(|trigger| match trigger {
            Trigger::McpTool(tool) => Some(tool),
            _ => None,
        })
    }

    /// The name that the flow's tool has, where it is one.
    pub fn tool_name(&self) -> Option<&str> {
        let tool = self.tool()?;
        Some(tool.name.as_deref().unwrap_or(&self.flow))
    }

    /// JSON Schema of the input, also of a flow that takes none.
    pub fn input_schema(&self) -> JsonObject {
        let none = || {
            let mut schema = JsonObject::new();
            schema.insert("type".to_owned(), "object".into());
            schema.insert("properties".to_owned(), JsonObject::new().into());
            schema.insert("additionalProperties".to_owned(), false.into());
            schema
        };
        self.input.clone().unwrap_or_else(none)
    }

    /// Every step, those within others and those of `catch` too, in the order of the file.
    pub fn every_step<'a>(&'a self, visit: &mut dyn FnMut(&'a Step)) {
        for step in self.steps.iter().chain(&self.catch) {
            step.each(visit);
        }
    }
}

//! Packs: several flows that are installed together, with what they share chosen once.
//!
//! The rule that makes a flow of a pack a normal flow: its text stands in the pack as it would stand
//! in a file of its own, without `vars`. Whatever differs from one installation to another is a
//! variable of the pack:
//!
//! - `string` and `connection`: expressions see it as `.vars.NAME`, for example
//!   `connection: "${{ .vars.shop_db }}"`, `account: "${{ .vars.google }}"`. Installing writes the flow
//!   with `vars: {NAME: value}` in it; the value of a connection is its name. Names are
//!   `[a-z][a-z0-9_]{0,63}`.
//! - `secret`: `${{ secret.NAME }}`; installing keeps it as the secret NAME of the workspace. Names are
//!   `[A-Z][A-Z0-9_]{0,63}`.
//!
//! The tests of a flow give variables values by `vars`; those that they leave out have the default, and
//! without one the variable's own name.
//!
//! [`PackInFull`] has the texts of the flows, as they are installed.

mod in_full;

pub use in_full::{PackInFull, named};

use crate::format::Flow;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Several flows.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// The version of the format: `quaymaster/v1`.
    pub pack: String,
    /// `[a-z][a-z0-9_]{0,63}`.
    pub id: String,
    pub title: String,
    /// The version of the pack, for example `1.0.0`.
    pub version: String,
    /// What it is for, and what it needs.
    pub description: String,
    #[serde(default)]
    pub tested: PackTested,
    /// What is chosen once for all flows, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variables: IndexMap<String, Variable>,
    pub flows: Vec<Flow>,
}

/// How a pack was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackTested {
    /// A test that passes runs its flows against the real service.
    Live,
    /// Every flow has tests, whose answers are made up; nothing else was tried.
    Mocks,
    #[default]
    None,
}

/// Something that is chosen when a pack is installed.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    pub r#type: VariableType,
    pub title: String,
    /// Where it is found and what it is used for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Of the type `string`. Without it a value has to be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Of the type `string`: a regular expression for the whole of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// Of the type `connection`: the key of the connector that the account belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VariableType {
    String,
    Secret,
    Connection,
}

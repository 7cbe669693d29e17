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

use crate::format::Flow;
use crate::lint::{fits, pattern};
use indexmap::IndexMap;
use quaymaster_core::Fault;
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
    /// What it is for, what it needs, and how it was tested.
    pub description: String,
    /// What is chosen once for all flows, by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub variables: IndexMap<String, Variable>,
    pub flows: Vec<Flow>,
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

impl Pack {
    /// The texts of the flows, by name, with what was chosen for the pack's variables in them: each is a
    /// normal flow. Of a secret the value is not used here; whoever installs keeps it.
    ///
    /// `INVALID_ARG` when a value is missing, unknown, or does not fit its pattern.
    pub fn install(
        &self,
        values: &IndexMap<String, String>,
    ) -> Result<IndexMap<String, String>, Fault> {
        let wrong = |name: &str, rule: &str, message: String| {
            Fault::invalid_arg(&format!("/variables/{name}"), rule, message)
        };
        if let Some(name) = values
            .keys()
            .find(|name| !self.variables.contains_key(*name))
        {
            let message = format!("The pack has no variable {name:?}.");
            return Err(wrong(name, "additionalProperties", message));
        }
        let mut vars = IndexMap::new();
        for (name, variable) in &self.variables {
            let value = values.get(name).or(variable.default.as_ref());
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                let message = format!("{} ({name}) is missing.", variable.title);
                return Err(wrong(name, "required", message));
            };
            if let Some(text) = &variable.pattern
                && !pattern(text).is_ok_and(|pattern| fits(&pattern, value))
            {
                let message = format!("{} ({name}) does not look as it should.", variable.title);
                return Err(wrong(name, "pattern", message));
            }
            if variable.r#type != VariableType::Secret {
                vars.insert(name.clone(), value.clone().into());
            }
        }
        let mut texts = IndexMap::new();
        for flow in &self.flows {
            let mut flow = flow.clone();
            flow.vars.clone_from(&vars);
            let text = serde_saphyr::to_string(&flow).map_err(|_| Fault::internal())?;
            texts.insert(flow.flow.clone(), text);
        }
        Ok(texts)
    }
}

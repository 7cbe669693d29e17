//! Tests that stand in the file of a flow: runs with answers that are made up.

use super::step::FailCode;
use indexmap::IndexMap;
use quaymaster_core::tool::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;
use std::fmt;

/// A run of the flow that reaches nothing: every step that would is answered by `mocks`.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Test {
    pub name: String,
    #[serde(default, skip_serializing_if = "JsonObject::is_empty")]
    pub input: JsonObject,
    /// What expressions see as `.caller`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub caller: Value,
    /// Over those of the flow, and where it belongs to a pack in the places of the pack's variables.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub vars: IndexMap<String, Value>,
    /// What is kept from runs before.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub kv: IndexMap<String, Value>,
    /// By the id of a step; one without an id by its place, for example `catch[0]`. In the place of a
    /// `flow` step the result of that flow.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub mocks: IndexMap<String, Mocks>,
    pub expect: Expect,
}

/// One answer for every time, or a list with one for each time, of which the last stays.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Mocks {
    Always(Mock),
    InTurn(Vec<Mock>),
}

/// What a step is answered.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mock {
    /// In the shape of the kind of step. For `http` and `call` `{body}` is enough; the status is 200
    /// then.
    Returns(Value),
    Fails(MockFault),
}

/// A failure of a step.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MockFault {
    pub code: FailCode,
    #[serde(default = "made_up")]
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(default)]
    pub retryable: bool,
}

fn made_up() -> String {
    "The test lets this step fail.".to_owned()
}

/// How the run has to end: `result` or `fault`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Objects may have more members than stand here; lists may not have more items.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// For example `{code: NOT_FOUND}`; compared as `result` is, with `{step, code, message,
    /// status, retryable, hint, details}`.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub fault: Option<Value>,
    /// Objects may not have more members either.
    pub exact: bool,
    /// What steps sent out, by id, compared as `result` is: for `http` `{method, url, query, headers,
    /// body}`, in general what stands in the step with all expressions filled in. Secrets read
    /// `${{ secret.NAME }}`. Of a step that ran several times the last.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub sent: IndexMap<String, Value>,
    /// Steps that did not run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_run: Vec<String>,
}

/// A null that stands there is a value.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Mocks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> de::Visitor<'de> for Read {
            type Value = Mocks;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`returns` or `fails`, or a list of them")
            }

            fn visit_seq<A: de::SeqAccess<'de>>(self, list: A) -> Result<Mocks, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(list)).map(Mocks::InTurn)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Mocks, A::Error> {
                Mock::deserialize(de::value::MapAccessDeserializer::new(map)).map(Mocks::Always)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

impl Mocks {
    /// The answer of the time that is numbered from 0.
    pub fn turn(&self, number: usize) -> Option<&Mock> {
        match self {
            Mocks::Always(mock) => Some(mock),
            Mocks::InTurn(mocks) => mocks.get(number).or(mocks.last()),
        }
    }
}

//! A flow with its schemas compiled, which is what runs.

use crate::fault::StepFault;
use crate::format::Flow;
use quaymaster_core::Fault;
use quaymaster_core::schema::Checker;
use quaymaster_core::tool::JsonObject;
use serde_json::{Value, json};

/// A flow that was loaded. Shared by all its runs; never changes.
pub struct Prepared {
    flow: Flow,
    input: Checker,
    output: Option<Checker>,
    schema: JsonObject,
}

impl Prepared {
    /// The error says which schema is none. Loading has told that already, at its place.
    pub fn new(flow: Flow) -> Result<Self, String> {
        let schema = flow.input_schema();
        let input = Checker::new(&schema).map_err(|error| format!("input: {error}"))?;
        let output = flow.output.as_ref().map(Checker::new).transpose();
        let output = output.map_err(|error| format!("output: {error}"))?;
        Ok(Prepared {
            flow,
            input,
            output,
            schema,
        })
    }

    pub fn flow(&self) -> &Flow {
        &self.flow
    }

    /// The input with defaults filled in, if it fits; else `INVALID_ARG`.
    pub fn input(&self, mut input: JsonObject) -> Result<JsonObject, Fault> {
        fill(&mut input, &self.schema);
        self.input.check(&input)?;
        Ok(input)
    }

    /// Whether a result is what `output` says.
    pub(crate) fn check_result(&self, result: &Value) -> Result<(), StepFault> {
        let Some(checker) = &self.output else {
            return Ok(());
        };
        let Value::Object(object) = result else {
            return Err(StepFault::flow(
                "The flow's result is no object, but the flow has an `output`.",
            )
            .hint("Let `return` make an object that fits the schema in `output`."));
        };
        checker.check(object).map_err(|fault| {
            let errors = fault.details.as_ref().map(|details| &details["errors"]);
            let first = errors.and_then(|errors| errors.get(0));
            let text = |key: &str| {
                first
                    .and_then(|first| first[key].as_str())
                    .unwrap_or_default()
            };
            let place = if text("pointer").is_empty() {
                "The flow's result".to_owned()
            } else {
                format!("The flow's result at {}", text("pointer"))
            };
            let mut wrong = StepFault::flow(format!(
                "{place} does not fit its `output`: {}",
                text("message")
            ))
            .hint("Either `return` or the schema in `output` is wrong.");
            wrong.details = Some(json!({ "errors": errors }));
            wrong
        })
    }
}

/// Puts defaults of the schema into the places of what is missing.
fn fill(input: &mut JsonObject, schema: &JsonObject) {
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return;
    };
    for (name, property) in properties {
        let Value::Object(property) = property else {
            continue;
        };
        match (input.get_mut(name), property.get("default")) {
            (None, Some(default)) => {
                input.insert(name.clone(), default.clone());
            }
            (Some(Value::Object(inner)), _) => fill(inner, property),
            _ => {}
        }
    }
}

//! Checks arguments against a tool's JSON Schema (2020-12) and says every error at once.

use crate::fault::{Code, Fault};
use crate::suggest::did_you_mean;
use crate::tool::JsonObject;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, Retrieve, Uri, Validator};
use serde_json::{Value, json};

/// A compiled schema.
pub struct Checker {
    validator: Validator,
    /// Names of the top-level arguments, for suggestions.
    known: Vec<String>,
}

/// A schema is data from people we do not know: it must never make the server fetch something.
struct RefuseToFetch;

impl Retrieve for RefuseToFetch {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("{uri} is outside the schema, and schemas are not fetched").into())
    }
}

/// Errors told at once; more would only cost the reader's tokens.
const MOST_ERRORS: usize = 10;

/// Bytes of a compiled regular expression: a short pattern can be a large one.
const LARGEST_PATTERN: usize = 1 << 20;

impl Checker {
    /// Compiles a schema; the error says what is wrong with the schema itself.
    pub fn new(schema: &JsonObject) -> Result<Self, String> {
        let known = schema
            .get("properties")
            .and_then(Value::as_object)
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default();
        let validator = jsonschema::options()
            .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN))
            .with_retriever(RefuseToFetch)
            .build(&Value::Object(schema.clone()))
            .map_err(|error| error.to_string())?;
        Ok(Checker { validator, known })
    }

    /// `INVALID_ARG` with `details.errors[] {pointer, rule, message}` when `args` do not fit.
    pub fn check(&self, args: &JsonObject) -> Result<(), Fault> {
        let value = Value::Object(args.clone());
        if self.validator.is_valid(&value) {
            return Ok(());
        }
        let mut errors = Vec::new();
        let mut hint = None;
        for error in self.validator.iter_errors(&value).take(MOST_ERRORS) {
            let mut pointer = error.instance_path().to_string();
            let mut message = shorten(&error.to_string());
            if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
                if let [one] = unexpected.as_slice() {
                    pointer = format!("{pointer}/{}", shorten(one));
                }
                let names: Vec<_> = unexpected
                    .iter()
                    .take(MOST_ERRORS)
                    .map(|name| format!("`{}`", shorten(name)))
                    .collect();
                message = format!("There is no argument {}.", names.join(", "));
                let close = unexpected.iter().take(MOST_ERRORS).find_map(|name| {
                    did_you_mean(name, self.known.iter().map(String::as_str), 1).pop()
                });
                hint = Some(match close {
                    Some(name) => format!("Did you mean `{name}`?"),
                    None => format!("Known arguments: {}.", self.known.join(", ")),
                });
            }
            let rule = error.kind().keyword();
            errors.push(json!({ "pointer": pointer, "rule": rule, "message": message }));
        }
        let first = errors
            .first()
            .and_then(|error| error["message"].as_str())
            .unwrap_or_default();
        let mut fault = Fault::new(
            Code::InvalidArg,
            format!("The arguments do not fit: {first}"),
        )
        .detail("errors", errors);
        fault.hint = hint;
        Err(fault)
    }
}

/// A text of strangers for a message, at most 300 bytes: it can be as long as a whole file.
pub fn shorten(message: &str) -> String {
    const MOST: usize = 300;
    if message.len() <= MOST {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(MOST);
    format!("{}…", &message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checker() -> Checker {
        let schema = json!({
            "type": "object",
            "properties": {
                "path": { "type": "string", "minLength": 1 },
                "start_line": { "type": "integer" }
            },
            "required": ["path"],
            "additionalProperties": false
        });
        Checker::new(schema.as_object().unwrap()).unwrap()
    }

    fn fault(args: &Value) -> Fault {
        checker().check(args.as_object().unwrap()).unwrap_err()
    }

    #[test]
    fn an_unknown_argument_is_named_with_a_suggestion() {
        insta::assert_json_snapshot!(fault(&json!({ "path": "a", "startLine": 3 })), @r#"
        {
          "code": "INVALID_ARG",
          "message": "The arguments do not fit: There is no argument `startLine`.",
          "retryable": false,
          "hint": "Did you mean `start_line`?",
          "details": {
            "errors": [
              {
                "pointer": "/startLine",
                "rule": "additionalProperties",
                "message": "There is no argument `startLine`."
              }
            ]
          }
        }
        "#);
    }

    #[test]
    fn every_error_is_told_at_once() {
        let fault = fault(&json!({ "start_line": "x" }));
        let errors = fault.details.unwrap()["errors"].as_array().unwrap().clone();
        let rules: Vec<_> = errors
            .iter()
            .map(|error| error["rule"].as_str().unwrap())
            .collect();
        assert_eq!(rules, ["type", "required"]);
    }

    #[test]
    fn a_schema_never_makes_the_server_fetch() {
        let schema = json!({ "$ref": "http://127.0.0.1:1/schema.json" });
        let error = Checker::new(schema.as_object().unwrap()).err().unwrap();
        assert!(error.contains("not fetched"), "{error}");
    }
}

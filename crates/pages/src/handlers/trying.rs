//! `/connectors/{key}/modules/{module}/{action}`: tries a call with an account.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::connectors::{ActionInFull, AuthKind};
use quaymaster_app::trying::Trial;
use quaymaster_core::Fault;
use quaymaster_core::id::ConnectionId;
use quaymaster_core::tool::{Content, ToolResult};
use serde_json::{Map, Value};

use super::Pages;
use super::answer::{At, Stop, field_of, no_page, shown};
use super::connections::said;
use super::connectors::{action, pretty};
use super::person::Person;
use super::posted::{Fields, Form, Posted};
use crate::views::{AccountToTry, Field, InputKind, TriedOutcome, TryInput, TryingPage};

const PREFIX: &str = "input.";
/// Of a result, in bytes: a browser draws more slowly than an agent reads.
const MOST_SHOWN: usize = 200 * 1024;

type Place = (String, String, String);

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(place): At<Place>,
) -> Result<Response, Stop> {
    let Opened { page, .. } = open(&app, person, place).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Tried {
    account: String,
    inputs: BTreeMap<String, String>,
}

impl Form for Tried {
    fn read(fields: &Fields) -> Self {
        Tried {
            account: fields.text("account"),
            inputs: fields.below(PREFIX),
        }
    }
}

pub(super) async fn submit(
    State(pages): State<Pages>,
    person: Person,
    At(place): At<Place>,
    Posted(form): Posted<Tried>,
) -> Result<Response, Stop> {
    let actor = person.actor.clone();
    let (connector, _, key) = place.clone();
    let Opened { mut page, schema } = open(&pages.app, person, place).await?;
    for account in &mut page.accounts {
        account.is_chosen = account.id == form.account;
    }
    let account: Option<ConnectionId> = match form.account.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Stop::from(no_page()))?),
    };
    let mut inputs = Map::new();
    for input in &mut page.inputs {
        let typed = form.inputs.get(&input.name).map(String::as_str);
        let typed = typed.unwrap_or_default();
        input.field = Field::new(typed);
        match value_of(&schema["properties"][&input.name], &input.kind, typed) {
            Ok(Some(value)) => {
                inputs.insert(input.name.clone(), value);
            }
            Ok(None) if input.is_required => {
                input.field.error = Some(format!("{} is needed.", input.name));
            }
            Ok(None) => {}
            Err(why) => input.field.error = Some(why.to_owned()),
        }
    }
    if page.inputs.iter().any(|input| input.field.error.is_some()) {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let trial = Trial {
        connector,
        action: key,
        account,
        inputs,
    };
    let mut status = StatusCode::OK;
    match pages.app.try_call(&actor, trial).await {
        Ok(result) => page.outcome = Some(of_result(&result)),
        Err(fault) => match place_of(&mut page.inputs, fault) {
            None => status = StatusCode::UNPROCESSABLE_ENTITY,
            Some(fault) => page.outcome = Some(of_fault(&fault)),
        },
    }
    Ok(shown(status, &page))
}

struct Opened {
    page: TryingPage,
    /// Of the inputs.
    schema: Value,
}

/// The page with an empty form.
async fn open(app: &App, person: Person, place: Place) -> Result<Opened, Stop> {
    let (key, module, wanted) = place;
    let actor = &person.actor;
    let module = app.connector_module(actor, &key, &module).await?;
    let mut actions = module.actions.into_iter();
    let found = actions.find(|one| one.row.key == wanted);
    let ActionInFull { row, inputs, .. } = found.ok_or_else(no_page)?;
    let definition = &module.definition;
    let connections = app.connections(actor).await?;
    let mut accounts: Vec<AccountToTry> = connections
        .into_iter()
        .filter(|one| one.connector == definition.key)
        .map(|one| AccountToTry {
            id: one.id.to_string(),
            address: format!("{}:{}", one.connector, one.name),
            has_problem: one.problem.is_some(),
            is_chosen: false,
        })
        .collect();
    let is_public = definition
        .auth
        .iter()
        .any(|auth| auth.kind == AuthKind::None);
    let without_one = match accounts.len() {
        0 if is_public && definition.connection.is_empty() => Some("No account"),
        2.. if row.reads => Some("All accounts, as an agent that names none"),
        _ => None,
    };
    if let (None, Some(first)) = (without_one, accounts.first_mut()) {
        first.is_chosen = true;
    }
    let schema = Value::Object(inputs);
    let page = TryingPage {
        connector_key: definition.key.clone(),
        connector_title: definition.title.clone(),
        module_key: module.key,
        module_title: module.title,
        action_key: row.key.clone(),
        action: action(row),
        accounts,
        without_one,
        inputs: inputs_of(&schema),
        error: None,
        outcome: None,
        layout: person.layout,
    };
    Ok(Opened { page, schema })
}

/// The inputs that a person gives, those that are needed first. What can have one value only is
/// sent by itself.
fn inputs_of(schema: &Value) -> Vec<TryInput> {
    let needed = |name: &str| {
        let names = schema["required"].as_array();
        names.is_some_and(|names| names.iter().any(|own| own == name))
    };
    let properties = schema["properties"].as_object();
    let given = properties.into_iter().flatten();
    let mut inputs: Vec<TryInput> = given
        .filter(|(_, own)| own.get("const").is_none())
        .map(|(name, own)| TryInput {
            name: name.clone(),
            kind: kind_of(own),
            help: help_of(own),
            is_required: needed(name),
            field: Field::default(),
        })
        .collect();
    inputs.sort_by_key(|input| !input.is_required);
    inputs
}

fn kind_of(schema: &Value) -> InputKind {
    if let Some(values) = schema["enum"].as_array() {
        return InputKind::Choice(values.iter().map(spelled).collect());
    }
    let is = |word: &str| match &schema["type"] {
        Value::String(own) => own == word,
        Value::Array(all) => all.iter().any(|own| own == word),
        _ => false,
    };
    if is("string") {
        InputKind::Text
    } else if is("integer") || is("number") {
        InputKind::Number
    } else if is("boolean") {
        InputKind::Choice(vec!["true".to_owned(), "false".to_owned()])
    } else {
        InputKind::Json
    }
}

/// A text as it is, all else as JSON.
fn spelled(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn help_of(schema: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(text) = schema["description"].as_str() {
        let text = text.trim();
        let end = if text.ends_with(['.', '…']) {
            ""
        } else {
            "."
        };
        parts.push(format!("{text}{end}"));
    }
    if kind_of(schema) == InputKind::Json {
        parts.push("As JSON.".to_owned());
    }
    let example = schema["examples"].get(0).or_else(|| schema.get("example"));
    if let Some(example) = example {
        parts.push(format!("For example {}", spelled(example)));
    } else if let Some(default) = schema.get("default") {
        parts.push(format!("Left out, it is {default}."));
    }
    parts.join(" ")
}

/// What was typed as the value that the schema wants; none when it was left out.
fn value_of(schema: &Value, kind: &InputKind, typed: &str) -> Result<Option<Value>, &'static str> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let json = serde_json::from_str::<Value>(typed.trim());
    let value = match kind {
        InputKind::Text => {
            let takes_numbers = schema["type"].is_array();
            match json {
                Ok(number) if takes_numbers && number.is_number() => number,
                _ => typed.into(),
            }
        }
        InputKind::Number => match json {
            Ok(number) if number.is_number() => number,
            _ => return Err("This is a number."),
        },
        InputKind::Choice(_) => {
            let values = schema["enum"].as_array();
            let chosen = values.and_then(|all| all.iter().find(|one| spelled(one) == typed));
            match (chosen, json) {
                (Some(value), _) => value.clone(),
                (None, Ok(value)) => value,
                (None, Err(_)) => typed.into(),
            }
        }
        InputKind::Json => {
            json.map_err(|_| "This is not JSON. A text stands in quotation marks.")?
        }
    };
    Ok(Some(value))
}

/// Puts a refusal under the input that it is about; any other fault comes back.
fn place_of(inputs: &mut [TryInput], fault: Fault) -> Option<Fault> {
    let pointer = field_of(&fault).unwrap_or_default();
    let name = pointer.trim_start_matches('/').split('/').next();
    // RFC 6901 §4
    let name = name
        .unwrap_or_default()
        .replace("~1", "/")
        .replace("~0", "~");
    match inputs.iter_mut().find(|input| input.name == name) {
        Some(input) => {
            input.field.error = Some(said(fault));
            None
        }
        None => Some(fault),
    }
}

fn of_result(result: &ToolResult) -> TriedOutcome {
    let text = match &result.structured {
        Some(value) => pretty(value),
        None => result
            .content
            .iter()
            .find_map(|block| match block {
                Content::Text(text) => Some(text.clone()),
                _ => None,
            })
            .unwrap_or_default(),
    };
    let status = result.structured.as_ref();
    let status = status.and_then(|value| value["meta"]["upstream_status"].as_u64());
    let (text, is_cut) = cut(text);
    TriedOutcome {
        code: "OK".to_owned(),
        failed: false,
        status,
        message: None,
        hint: None,
        text: Some(text),
        is_cut,
    }
}

fn of_fault(fault: &Fault) -> TriedOutcome {
    let details = fault.details.as_ref();
    let cut = details.map(|details| cut(pretty(details)));
    let is_cut = cut.as_ref().is_some_and(|(_, is_cut)| *is_cut);
    TriedOutcome {
        code: fault.code.name().to_owned(),
        failed: true,
        status: details.and_then(|details| details["upstream_status"].as_u64()),
        message: Some(fault.message.clone()),
        hint: fault.hint.clone(),
        text: cut.map(|(text, _)| text),
        is_cut,
    }
}

fn cut(mut text: String) -> (String, bool) {
    let is_cut = text.len() > MOST_SHOWN;
    if is_cut {
        text.truncate(text.floor_char_boundary(MOST_SHOWN));
    }
    (text, is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_typed_becomes_what_the_schema_wants() {
        let read = |schema: &Value, typed| value_of(schema, &kind_of(schema), typed);
        let either = json!({ "type": ["integer", "string"] });
        let state = json!({ "enum": ["open", 7] });
        for (schema, typed, value) in [
            (json!({ "type": "string" }), "7", json!("7")),
            (json!({ "type": "string" }), " a ", json!(" a ")),
            (json!({ "type": "integer" }), "7", json!(7)),
            (json!({ "type": "boolean" }), "true", json!(true)),
            (either.clone(), "7", json!(7)),
            (either, "me", json!("me")),
            (state.clone(), "open", json!("open")),
            (state, "7", json!(7)),
            (json!({ "type": "array" }), "[1, \"a\"]", json!([1, "a"])),
        ] {
            assert_eq!(read(&schema, typed), Ok(Some(value)), "{schema} {typed}");
        }
        assert_eq!(read(&json!({ "type": "string" }), " "), Ok(None));
        assert!(read(&json!({ "type": "number" }), "many").is_err());
        assert!(read(&json!({ "type": "object" }), "a").is_err());
    }

    #[test]
    fn needed_inputs_come_first_and_constants_are_not_asked_for() {
        let schema = json!({
            "required": ["b", "c"],
            "properties": { "a": {}, "b": { "type": "string" }, "c": { "const": 1 } },
        });
        let names: Vec<_> = inputs_of(&schema)
            .into_iter()
            .map(|input| (input.name, input.is_required))
            .collect();
        assert_eq!(names, [("b".to_owned(), true), ("a".to_owned(), false)]);
    }
}

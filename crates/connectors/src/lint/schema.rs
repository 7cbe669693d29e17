//! The JSON Schema of an action's inputs, with the words that the format adds.

use super::bounds;
use crate::definition::{Action, Definition, Positional};
use crate::params::{ENUM, ORDER, PLACE, SELECT, STYLE, input_schema};
use quaymaster_core::schema::{Checker, shorten};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_yaml::{Report, Spot};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// JSON Schema 2020-12 (Core §8, §10; Validation §6–9), and what OpenAPI documents carry over.
const WORDS: [&str; 51] = [
    "$comment",
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "else",
    "enum",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];
const OURS: [&str; 5] = [ENUM, SELECT, PLACE, ORDER, STYLE];
const STYLES: [&str; 5] = ["repeat", "comma", "brackets", "json", "segments"];

pub(super) fn properties(action: &Action) -> impl Iterator<Item = (&str, &Value)> {
    action
        .params
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, property)| (name.as_str(), property))
}

pub(super) fn required(action: &Action) -> BTreeSet<&str> {
    let list = action.params.get("required").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// The names that a word of ours refers to, in all actions.
pub(super) fn used<'d>(definition: &'d Definition, word: &str) -> BTreeSet<&'d str> {
    fn walk<'d>(value: &'d Value, word: &str, found: &mut BTreeSet<&'d str>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(name)) = map.get(word) {
                    found.insert(name);
                }
                map.values().for_each(|value| walk(value, word, found));
            }
            Value::Array(list) => list.iter().for_each(|value| walk(value, word, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    let actions = definition
        .modules
        .values()
        .flat_map(|module| module.actions.values());
    for schema in actions.flat_map(|action| action.params.values()) {
        walk(schema, word, &mut found);
    }
    found
}

pub(super) fn check(definition: &Definition, action: &Action, at: &Spot, report: &mut Report) {
    if action.params.is_empty() {
        return;
    }
    report.unless(
        action.params.get("type").and_then(Value::as_str) == Some("object"),
        at,
        "The inputs are an object: write `type: object` and the inputs below `properties`.",
    );
    let before = report.found().len();
    schema(definition, &action.params, at, report);
    let known: BTreeSet<&str> = properties(action).map(|(name, _)| name).collect();
    for name in required(action) {
        report.unless(
            known.contains(name),
            &at.key("required"),
            format!("{name:?} is required, and `properties` does not have it."),
        );
    }
    positions(definition, action, at, report);
    if let Some(excess) = bounds::excess(definition, action) {
        report.say(at, excess);
    }
    // Its messages say less, so they are for what nothing above has seen.
    if report.found().len() == before
        && let Err(error) = Checker::new(&input_schema(definition, action))
    {
        report.say(at, format!("It is no JSON Schema: {}", shorten(&error)));
    }
}

fn schema(definition: &Definition, map: &Map<String, Value>, at: &Spot, report: &mut Report) {
    for (word, value) in map {
        if report.is_full() {
            return;
        }
        let here = at.key(word);
        match word.as_str() {
            ENUM => reference(
                value,
                definition.enums.keys(),
                "enum",
                "enums",
                &here,
                report,
            ),
            SELECT => reference(
                value,
                definition.selects.keys(),
                "select",
                "selects",
                &here,
                report,
            ),
            PLACE => report.unless(
                value.is_string(),
                &here,
                "It is path, query, header, body or entire_body.",
            ),
            STYLE => report.unless(
                value.as_str().is_some_and(|style| STYLES.contains(&style)),
                &here,
                format!("It is one of {}.", STYLES.join(", ")),
            ),
            ORDER => report.unless(value.is_u64(), &here, "It is a whole number."),
            "$ref" => report.unless(
                value.as_str().and_then(bounds::definition_of).is_some(),
                &here,
                "A reference leads to `#/$defs/` of the same `params`.",
            ),
            "properties" | "$defs" | "patternProperties" | "dependentSchemas" => match value {
                Value::Object(named) => {
                    for (name, inner) in named {
                        one(definition, inner, &here.key(name), report);
                    }
                }
                _ => report.say(&here, "It is a map from names to schemas."),
            },
            "items"
            | "additionalProperties"
            | "contains"
            | "not"
            | "if"
            | "then"
            | "else"
            | "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "contentSchema" => {
                one(definition, value, &here, report);
            }
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => match value {
                Value::Array(list) => {
                    for (index, inner) in list.iter().enumerate() {
                        one(definition, inner, &here.item(index), report);
                    }
                }
                _ => report.say(&here, "It is a list of schemas."),
            },
            _ if WORDS.contains(&word.as_str()) => {}
            _ => unknown(word, &here, report),
        }
    }
    report.unless(
        !(map.contains_key(ENUM) && map.contains_key("enum")),
        at,
        "`$enum` and `enum` say the same; leave one out.",
    );
}

fn one(definition: &Definition, value: &Value, at: &Spot, report: &mut Report) {
    match value {
        Value::Object(map) => schema(definition, map, at, report),
        Value::Bool(_) => {}
        _ => report.say(
            at,
            "It is no schema: write a map, for example `{type: string}`.",
        ),
    }
}

fn unknown(word: &str, at: &Spot, report: &mut Report) {
    let known = WORDS.into_iter().chain(OURS);
    let message = match (word, did_you_mean(word, known, 1).pop()) {
        ("$id" | "$anchor" | "$dynamicAnchor" | "$dynamicRef", _) => {
            "Inputs refer to `#/$defs/` alone; other names for schemas are not known here."
                .to_owned()
        }
        ("nullable", _) => {
            "JSON Schema has no `nullable`: write `type: [string, \"null\"]`.".to_owned()
        }
        ("example", _) => "JSON Schema says `examples: [...]`.".to_owned(),
        (_, Some(close)) => format!("JSON Schema has no `{word}`. Did you mean `{close}`?"),
        (_, None) => format!("JSON Schema has no `{word}`; inputs stand below `properties`."),
    };
    report.say(at, message);
}

fn reference<'d>(
    value: &Value,
    known: impl Iterator<Item = &'d String>,
    what: &str,
    key: &str,
    at: &Spot,
    report: &mut Report,
) {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let name = value.as_str().unwrap_or_default();
    if known.contains(&name) {
        return;
    }
    let hint = match did_you_mean(name, known, 1).pop() {
        Some(close) => format!("Did you mean `{close}`?"),
        None => format!("Say it below `{key}`."),
    };
    report.say(at, format!("There is no {what} {name:?}. {hint}"));
}

/// Positional parameters need an order.
fn positions(definition: &Definition, action: &Action, at: &Spot, report: &mut Report) {
    let positional = definition
        .rpc
        .as_ref()
        .is_some_and(|rpc| rpc.params == Positional::Positional);
    let mut taken = BTreeSet::new();
    for (name, property) in properties(action) {
        let at = at.key("properties").key(name);
        match property.get(ORDER).and_then(Value::as_u64) {
            None => report.unless(
                !positional,
                &at,
                "The parameters of this connector are positional: each needs `x-order`.",
            ),
            Some(order) => report.unless(
                taken.insert(order),
                &at.key(ORDER),
                format!("Two parameters stand at the place {order}."),
            ),
        }
    }
}

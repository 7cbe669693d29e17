//! Every embedded connector as a server in the mode TOOLS.

use super::dialects::refusals;
use super::{EMBEDDED, embedded, object, partial, preset};
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::params::input_schema;
use quaymaster_connectors::surface::{Preset, Switched, What, clashes, original_names, tools};
use quaymaster_core::schema::Checker;
use serde_json::{Value, json};
use std::collections::HashSet;

#[test]
fn every_tool_of_the_catalog_is_one_that_all_vendors_accept() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for definition in EMBEDDED.iter() {
        let made = tools(&Switched::whole(&definition.key, definition));
        assert_eq!(clashes(&made), Vec::<String>::new());
        let mut called = HashSet::new();
        for tool in &made {
            count += 1;
            let name = &tool.name.name;
            wrong.extend(
                refusals(&tool.input)
                    .into_iter()
                    .map(|what| format!("{name}: {what}")),
            );
            if name.len() > 64
                || tool.description.chars().count() > 1_024
                || tool.title.is_empty()
                || tool.description.is_empty()
            {
                wrong.push(format!("{name}: texts"));
            }
            for own in tool.hidden.iter().chain([name]).chain(&tool.name.long) {
                assert!(called.insert(own.clone()), "{own} means two tools");
            }
            assert!(!(tool.nature.read_only && tool.nature.destructive));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 1_000, "{count} tools");
}

#[test]
fn the_usual_examples_are_tools_of_the_catalog() {
    for (key, name) in [
        ("slack", "slack__send_channel_message"),
        ("slack", "slack__list_channels"),
        ("github", "github__create_issue"),
        ("google_sheets", "google_sheets__read_rows"),
    ] {
        let definition = embedded(key);
        let made = tools(&Switched::whole(key, &definition));
        assert_eq!(
            made.iter().filter(|tool| tool.name.name == name).count(),
            1,
            "{name}"
        );
    }
}

#[test]
fn a_server_with_two_actions_lists_them_and_the_companions_of_their_inputs() {
    let definition = embedded("slack");
    let some = [
        "send_channel_message".to_owned(),
        "send_ephemeral_message".to_owned(),
    ];
    let switched = Switched {
        actions: Some(&some),
        ..Switched::whole("slack_bot", &definition)
    };
    let shown: Vec<Value> = tools(&switched)
        .iter()
        .map(|tool| {
            json!({
                "name": tool.name.name, "hidden": tool.hidden, "title": tool.title, "description": tool.description,
                "input": tool.input, "output": tool.output, "read_only": tool.nature.read_only, "what": format!("{:?}", tool.what),
            })
        })
        .collect();
    insta::assert_json_snapshot!(shown);
}

#[test]
fn a_title_and_a_description_of_ones_own_stand_instead() {
    let definition = embedded("slack");
    let display = |key: &str| {
        (key == "send_channel_message").then(|| {
            (
                Some("Tell the team".to_owned()),
                Some("Only in working hours\u{202e}.\n\nAlways be kind".to_owned()),
            )
        })
    };
    let switched = Switched {
        display: &display,
        ..Switched::whole("slack", &definition)
    };
    let made = tools(&switched);
    assert_eq!(made[0].title, "Tell the team");
    assert_eq!(made[0].description, "Only in working hours. Always be kind");
    assert_ne!(made[1].title, "Tell the team");
}

/// A value that a schema of the catalog allows, or none that is easily found.
fn sample(schema: &Value) -> Option<Value> {
    let first = |word: &str| schema.get(word)?.as_array()?.first().cloned();
    if let Some(value) = schema
        .get("const")
        .cloned()
        .or_else(|| schema.get("default").cloned())
        .or_else(|| first("enum"))
        .or_else(|| first("examples"))
    {
        return Some(value);
    }
    let kind = schema.get("type").map(|kind| match kind {
        Value::Array(kinds) => kinds[0].as_str().unwrap().to_owned(),
        kind => kind.as_str().unwrap().to_owned(),
    });
    Some(match kind.as_deref() {
        Some("string") if schema.get("pattern").is_some() => return None,
        Some("string") => {
            json!("x".repeat(schema.get("minLength").and_then(Value::as_u64).unwrap_or(3) as usize))
        }
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        Some("array") => {
            let items = schema.get("items").map_or(Some(json!("x")), sample)?;
            json!([items])
        }
        Some("object") => {
            let mut made = json!({});
            for name in schema
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                let name = name.as_str()?;
                made[name] = sample(schema.get("properties")?.get(name)?)?;
            }
            made
        }
        _ => json!("x"),
    })
}

fn round_trip(definition: &Definition, key: &str) -> Result<usize, String> {
    let (_, _, action) = definition.action(key).unwrap();
    let whole = input_schema(definition, action);
    let empty = object(json!({}));
    let properties = whole
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&empty);
    let mut inputs = object(json!({}));
    for name in whole
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = name.as_str().unwrap();
        let Some(value) = sample(&properties[name]) else {
            return Ok(0);
        };
        inputs.insert(name.to_owned(), value);
    }
    let checker = Checker::new(&whole).unwrap();
    // Some need one of several inputs; the first of them will do.
    for word in ["anyOf", "oneOf"] {
        if let Some(name) = whole
            .get(word)
            .and_then(|all| all[0]["required"][0].as_str())
        {
            inputs.insert(name.to_owned(), sample(&properties[name]).unwrap());
        }
    }
    if checker.check(&inputs).is_err() {
        return Ok(0);
    }
    let given = inputs.clone();
    for (name, value) in &given {
        let saved: Preset = preset(
            json!({}),
            vec![partial("p", json!({ name: value }), &[name])],
        );
        let stripped = saved.strip(&whole);
        if Value::Object(stripped.clone())
            .to_string()
            .contains(&format!("\"{name}\":{{\"type\""))
            && stripped["properties"].get(name).is_some()
        {
            return Err(format!("{key}: {name} is still there"));
        }
        let mut rest = inputs.clone();
        rest.remove(name);
        let Ok(own) = Checker::new(&stripped) else {
            return Err(format!("{key}: stripped of {name} it is no schema"));
        };
        if let Err(fault) = own.check(&rest) {
            return Err(format!("{key} without {name}: {fault}"));
        }
        let merged = saved.merge(rest).map_err(|fault| fault.to_string())?;
        checker
            .check(&merged)
            .map_err(|fault| format!("{key} with {name}: {fault}"))?;
        let mut other = inputs.clone();
        other.insert(name.clone(), json!({ "of": "the agent" }));
        let merged = saved.merge(other).map_err(|fault| fault.to_string())?;
        if merged[name] != *value {
            return Err(format!("{key}: the agent set {name}"));
        }
        let open = preset(json!({ name: value }), vec![]);
        let optional = open.strip(&whole);
        let needed = optional
            .get("required")
            .is_some_and(|names| names.as_array().unwrap().contains(&json!(name)));
        if needed
            || optional["properties"][name]["default"] != *value && value.to_string().len() <= 512
        {
            return Err(format!("{key}: {name} has a value and is needed"));
        }
    }
    Ok(given.len())
}

#[test]
fn every_action_keeps_what_is_enforced_and_takes_the_rest() {
    let mut wrong = Vec::new();
    let (mut actions, mut tried, mut keys) = (0, 0, 0);
    for definition in EMBEDDED.iter() {
        for key in definition
            .modules
            .values()
            .flat_map(|module| module.actions.keys())
        {
            actions += 1;
            match round_trip(definition, key) {
                Ok(count) => {
                    tried += usize::from(count > 0);
                    keys += count;
                }
                Err(what) => wrong.push(format!("{}: {what}", definition.key)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        tried * 2 > actions,
        "only {tried} of {actions} actions were tried, {keys} inputs"
    );
}

#[test]
fn names_that_vendors_refuse_lead_back_to_the_inputs_own() {
    let definition = embedded("onec");
    let switched = Switched::whole("onec", &definition);
    let tool = tools(&switched)
        .into_iter()
        .find(|tool| tool.what == What::Action("entity_list".to_owned()))
        .unwrap();
    let names: Vec<&String> = tool.input["properties"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert!(
        names.iter().any(|name| *name == "filter")
            && !names.iter().any(|name| name.starts_with('$')),
        "{names:?}"
    );
    let plain = switched.inputs("entity_list").unwrap();
    assert_eq!(original_names(&plain)["filter"], "$filter");
    let prepared = switched
        .prepare(
            "entity_list",
            object(
                json!({ "entity": "Catalog_Items", "filter": "Code eq '1'", "top": 5, "$skip": 2 }),
            ),
        )
        .unwrap();
    assert_eq!(
        Value::Object(prepared),
        json!({ "entity": "Catalog_Items", "$skip": 2, "$filter": "Code eq '1'", "$top": 5 })
    );
    let enforced = |_: &str| {
        preset(
            json!({}),
            vec![partial(
                "p",
                json!({ "$filter": "Mine eq true" }),
                &["$filter"],
            )],
        )
    };
    let switched = Switched {
        presets: &enforced,
        ..switched
    };
    let own = switched.inputs("entity_list").unwrap();
    assert!(!original_names(&own).contains_key("filter"));
    for trick in ["filter", "$FILTER", "%24filter", " $filter"] {
        let fault = switched
            .prepare("entity_list", object(json!({ trick: "true" })))
            .unwrap_err();
        assert_eq!(fault.code.name(), "INVALID_ARG", "{trick}");
    }
    let merged = switched
        .prepare(
            "entity_list",
            object(json!({ "$filter": "true", "top": 1 })),
        )
        .unwrap();
    assert_eq!(
        Value::Object(merged),
        json!({ "$filter": "Mine eq true", "$top": 1 })
    );
}

#[test]
fn an_action_that_is_off_is_neither_listed_nor_prepared() {
    let definition = embedded("slack");
    let some = [
        "send_channel_message".to_owned(),
        "no_such_action".to_owned(),
    ];
    let switched = Switched {
        actions: Some(&some),
        ..Switched::whole("slack", &definition)
    };
    let made = tools(&switched);
    assert_eq!(
        made.iter()
            .filter(|tool| matches!(tool.what, What::Action(_)))
            .count(),
        1
    );
    assert_eq!(
        switched
            .prepare("delete_message", object(json!({})))
            .unwrap_err()
            .code
            .name(),
        "NOT_FOUND"
    );
}

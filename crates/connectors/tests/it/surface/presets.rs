//! Saved inputs: who wins, and what an agent may not do.

use super::{object, partial, preset};
use proptest::prelude::*;
use quaymaster_connectors::surface::Preset;
use quaymaster_core::schema::Checker;
use serde_json::{Value, json};

fn merged(preset: &Preset, input: Value) -> Value {
    Value::Object(preset.merge(object(input)).unwrap())
}

#[test]
fn the_agent_wins_over_the_last_partial_over_earlier_ones_over_defaults() {
    let saved = preset(
        json!({ "a": "default", "b": "default", "c": "default", "d": "default" }),
        vec![
            partial(
                "first",
                json!({ "b": "first", "c": "first", "d": "first" }),
                &[],
            ),
            partial("second", json!({ "c": "second", "d": "second" }), &[]),
        ],
    );
    assert_eq!(
        merged(&saved, json!({ "d": "agent" })),
        json!({ "a": "default", "b": "first", "c": "second", "d": "agent" })
    );
    assert_eq!(merged(&saved, json!({ "d": null }))["d"], Value::Null);
}

#[test]
fn what_an_earlier_partial_enforces_no_later_one_changes() {
    let saved = preset(
        json!({ "owner": "default" }),
        vec![
            partial("locked", json!({ "owner": "acme" }), &["owner"]),
            partial("later", json!({ "owner": "other", "repo": "x" }), &[]),
        ],
    );
    assert_eq!(
        merged(&saved, json!({ "owner": "agent", "repo": "y" })),
        json!({ "owner": "acme", "repo": "y" })
    );
}

#[test]
fn an_enforced_key_without_a_value_is_locked_to_what_is_saved_before_or_to_nothing() {
    let nothing = preset(json!({}), vec![partial("p", json!({}), &["bcc"])]);
    assert_eq!(
        merged(&nothing, json!({ "bcc": "spy@example.com", "to": "a" })),
        json!({ "to": "a" })
    );
    let before = preset(
        json!({ "bcc": "archive@example.com" }),
        vec![partial("p", json!({}), &["bcc"])],
    );
    assert_eq!(
        merged(&before, json!({ "bcc": "spy@example.com" })),
        json!({ "bcc": "archive@example.com" })
    );
}

#[test]
fn two_partials_that_enforce_one_key_differently_are_told_and_never_run() {
    let saved = preset(
        json!({}),
        vec![
            partial(
                "a",
                json!({ "owner": "acme", "repo": "x", "team": 1 }),
                &["owner", "repo", "team"],
            ),
            partial(
                "b",
                json!({ "owner": "other", "repo": "x" }),
                &["owner", "repo", "team"],
            ),
        ],
    );
    assert_eq!(saved.conflicts(), ["owner"]);
    let fault = saved.merge(object(json!({}))).unwrap_err();
    assert_eq!(fault.code.name(), "FORBIDDEN");
    let inner = preset(
        json!({}),
        vec![
            partial("a", json!({ "filter": { "owner": "acme" } }), &["filter"]),
            partial(
                "b",
                json!({ "filter": { "owner": "other" } }),
                &["/filter/owner"],
            ),
        ],
    );
    assert_eq!(inner.conflicts(), ["/filter/owner"]);
}

#[test]
fn an_enforced_key_cannot_be_reached_by_another_spelling() {
    let saved = preset(
        json!({}),
        vec![partial(
            "p",
            json!({ "owner": "acme", "repo_name": "site" }),
            &["owner", "repo_name"],
        )],
    );
    for trick in [
        "Owner",
        "OWNER",
        "owner ",
        " owner",
        "owner\u{200b}",
        "o\u{200d}wner",
        "ｏｗｎｅｒ",
        "оwner",
        "ownеr",
        "ówner",
        "owner[]",
        "owner[0]",
        "owner.x",
        "[owner]",
        "owner%5B%5D",
        "%6fwner",
        "repoName",
        "repo-name",
        "REPO_NAME",
        "repo.name",
    ] {
        let input = object(json!({ trick: "evil" }));
        match saved.merge(input) {
            Err(fault) => {
                assert_eq!(fault.code.name(), "INVALID_ARG", "{trick}");
                assert!(!fault.to_json().to_string().contains("acme"), "{fault}");
            }
            Ok(merged) => assert!(trick == "repo.name", "{trick} passed: {merged:?}"),
        }
    }
    for exact in [
        json!("evil"),
        json!(null),
        json!([]),
        json!(["evil"]),
        json!({ "owner": "evil" }),
    ] {
        assert_eq!(merged(&saved, json!({ "owner": exact }))["owner"], "acme");
    }
    let twice: Value =
        serde_json::from_str(r#"{"owner": "a", "owner": "evil", "repo_name": "b"}"#).unwrap();
    assert_eq!(
        merged(&saved, twice),
        json!({ "owner": "acme", "repo_name": "site" })
    );
    let proto = json!({ "__proto__": { "owner": "evil" } });
    assert!(saved.merge(object(proto)).is_err());
    assert_eq!(
        merged(&saved, json!({ "title": "Owner" }))["title"],
        "Owner"
    );
}

#[test]
fn a_place_inside_of_an_input_can_be_enforced() {
    let saved = preset(
        json!({}),
        vec![partial(
            "p",
            json!({ "filter": { "owner": "acme" } }),
            &["/filter/owner"],
        )],
    );
    assert_eq!(
        merged(
            &saved,
            json!({ "filter": { "owner": "evil", "state": "open" } })
        ),
        json!({ "filter": { "owner": "acme", "state": "open" } })
    );
    for odd in [
        json!(null),
        json!([{ "owner": "evil" }]),
        json!("owner=evil"),
        json!({}),
    ] {
        assert_eq!(
            merged(&saved, json!({ "filter": odd })),
            json!({ "filter": { "owner": "acme" } })
        );
    }
    assert_eq!(
        merged(&saved, json!({})),
        json!({ "filter": { "owner": "acme" } })
    );
    for trick in [
        json!({ "filter": { "Owner": "evil" } }),
        json!({ "Filter": { "owner": "evil" } }),
        json!({ "filter[owner]": "evil" }),
        json!({ "filter": { "__proto__": {} } }),
    ] {
        assert!(saved.merge(object(trick.clone())).is_err(), "{trick}");
    }
    let schema = object(json!({
        "type": "object", "required": ["filter"],
        "properties": { "filter": { "type": "object", "required": ["owner"], "properties": { "owner": { "type": "string" }, "state": { "type": "string" } }, "additionalProperties": false } }
    }));
    assert_eq!(
        Value::Object(saved.strip(&schema)),
        json!({
            "type": "object",
            "properties": { "filter": { "type": "object", "properties": { "state": { "type": "string" } }, "additionalProperties": false } }
        })
    );
    let literal = preset(
        json!({}),
        vec![partial("p", json!({ "/path": "x" }), &["/path"])],
    );
    assert_eq!(
        merged(&literal, json!({ "/path": "y" })),
        json!({ "/path": "x" })
    );
}

#[test]
fn what_is_enforced_is_gone_from_every_corner_of_the_schema() {
    let schema = object(json!({
        "type": "object",
        "required": ["owner", "title"],
        "minProperties": 2,
        "properties": { "owner": { "$ref": "#/$defs/name" }, "title": { "type": "string" }, "by": { "$ref": "#/properties/owner" }, "kind": { "enum": ["a", "b"] } },
        "patternProperties": { "^owner$": {}, "^x_": { "type": "string" } },
        "dependentRequired": { "owner": ["by"], "title": ["owner", "by"] },
        "dependentSchemas": { "owner": { "properties": { "more": { "type": "string" } } } },
        "allOf": [{ "required": ["owner"] }, { "properties": { "owner": { "minLength": 1 }, "title": { "minLength": 2 } } }],
        "anyOf": [{ "required": ["owner"] }, { "required": ["by"] }],
        "oneOf": [
            { "properties": { "kind": { "const": "a" }, "owner": { "const": "acme" } }, "required": ["kind"] },
            { "properties": { "kind": { "const": "b" }, "owner": { "const": "other" } }, "required": ["kind"] }
        ],
        "not": { "required": ["owner", "title"] },
        "if": { "properties": { "owner": { "const": "acme" } } }, "then": { "required": ["by"] },
        "examples": [{ "owner": "acme", "title": "x" }],
        "$defs": { "name": { "type": "string" } }
    }));
    let saved = preset(
        json!({ "title": "Untitled" }),
        vec![partial("p", json!({ "owner": "acme" }), &["owner"])],
    );
    let stripped = saved.strip(&schema);
    assert!(
        !Value::Object(stripped.clone())
            .to_string()
            .contains("owner"),
        "{stripped:?}"
    );
    insta::assert_json_snapshot!(stripped);
    assert!(Checker::new(&stripped).is_ok());
    assert_eq!(
        Value::Object(Preset::default().strip(&schema)),
        Value::Object(schema)
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c_]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-cA-C_/.]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_an_agent_gives_what_is_enforced_is_what_is_sent(
        inputs in proptest::collection::hash_map("[a-cA-C_/.]{1,3}", any_json(), 0..6),
        values in proptest::collection::hash_map("[a-c]", any_json(), 0..3),
        enforced in proptest::collection::hash_set(prop_oneof!["[a-c]", "/[a-c]/[a-c]"], 1..4),
    ) {
        let saved = Preset {
            partials: vec![quaymaster_connectors::surface::Partial {
                name: "p".into(),
                values: values.into_iter().collect(),
                enforced: enforced.iter().cloned().collect(),
            }],
            ..Preset::default()
        };
        prop_assert!(saved.conflicts().is_empty());
        let input = inputs.clone().into_iter().collect();
        if let Ok(merged) = saved.merge(input) {
            let place = |object: &serde_json::Map<String, Value>, key: &str| -> Option<Value> {
                match key.strip_prefix('/') {
                    Some(path) => {
                        let (first, second) = path.split_once('/').unwrap();
                        object.get(first)?.as_object()?.get(second).cloned()
                    }
                    None => object.get(key).cloned(),
                }
            };
            for key in &enforced {
                // A place inside of an input that is enforced as a whole is what the whole says.
                prop_assert_eq!(place(&merged, key), place(&saved.partials[0].values, key), "{}", key);
            }
            for (key, value) in &inputs {
                let touched = enforced.iter().any(|own| own == key || own.starts_with(&format!("/{key}/")));
                if !touched {
                    prop_assert_eq!(merged.get(key), Some(value));
                }
            }
        }
    }
}

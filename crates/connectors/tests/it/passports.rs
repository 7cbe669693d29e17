//! What an agent reads of one service.

use crate::samples::{crm, tracker};
use quaymaster_connectors::catalog::Catalog;
use quaymaster_connectors::definition::Kind;
use quaymaster_connectors::passport::describe;
use quaymaster_core::Code;
use serde_json::Value;

#[test]
fn the_index_names_modules_calls_and_recipes() {
    insta::assert_json_snapshot!(describe(&tracker(), None).unwrap());
}

#[test]
fn a_module_has_all_that_a_call_needs() {
    insta::assert_json_snapshot!(describe(&tracker(), Some("issues")).unwrap());
}

#[test]
fn methods_have_names_instead_of_paths() {
    let module = describe(&crm(), Some("deals")).unwrap();
    assert_eq!(module["actions"][0]["call"], "crm.deal.list");
    assert_eq!(module["actions"][0]["read_only"], true);
    assert_eq!(module["recipes"][1]["body"]["fields"]["TITLE"], "Big");
}

#[test]
fn an_unknown_module_is_refused() {
    let fault = describe(&tracker(), Some("issue")).unwrap_err();
    assert_eq!(fault.code, Code::InvalidArg);
    let details = fault.details.unwrap();
    assert_eq!(details["did_you_mean"][0], "issues");
    assert_eq!(details["known_modules"].as_array().unwrap().len(), 3);
}

/// Every input of every embedded action stands in exactly one part of its passport.
#[test]
fn every_embedded_passport_is_complete() {
    let catalog = Catalog::embedded();
    for entry in catalog.entries() {
        let definition = catalog.get(&entry.key).unwrap();
        let index = describe(&definition, None).unwrap();
        // What an upstream offers is known with an account only.
        assert!(
            index["recipes"].as_array().unwrap().len() >= 3 || definition.kind == Kind::Mcp,
            "{}",
            entry.key
        );
        assert_eq!(index["version"], definition.version);
        for (name, module) in &definition.modules {
            let full = describe(&definition, Some(name)).unwrap();
            for (shown, (key, action)) in full["actions"]
                .as_array()
                .unwrap()
                .iter()
                .zip(&module.actions)
            {
                assert_eq!(shown["action"], *key);
                let inputs = action.params.get("properties").and_then(Value::as_object);
                for (input, schema) in inputs.into_iter().flatten() {
                    let parts = ["path_values", "query", "body"];
                    let stands = parts
                        .iter()
                        .filter(|part| shown[**part]["properties"].get(input).is_some());
                    // Calls by name have it as a member of their body.
                    let entire = usize::from(
                        definition.kind == Kind::Rest
                            && schema.get("x-in").is_some_and(|at| at == "entire_body"),
                    );
                    assert_eq!(stands.count() + entire, 1, "{}/{key}: {input}", entry.key);
                }
            }
        }
    }
}

//! Aliases and names of tools.

use super::EMBEDDED;
use proptest::prelude::*;
use quaymaster_connectors::surface::{Switched, check_alias, clashes, code_name, tool_name, tools};
use std::collections::{HashMap, HashSet};

#[test]
fn an_alias_has_small_letters_digits_hyphens_and_underscores_and_begins_with_a_letter() {
    for good in [
        "a",
        "slack",
        "slack_bot",
        "slack-bot",
        "g2",
        "a__b",
        &"a".repeat(64),
    ] {
        assert_eq!(check_alias(good), Ok(()), "{good}");
    }
    let long = "a".repeat(65);
    for bad in [
        "",
        "Slack",
        "1a",
        "_a",
        "-a",
        "a b",
        "a.b",
        "ä",
        "a\n",
        "a\u{200b}",
        "а",
        "a/b",
        &long,
    ] {
        let fault = check_alias(bad).unwrap_err();
        assert_eq!(fault.code.name(), "INVALID_ARG");
        assert!(fault.message.contains("begins with a letter"), "{fault}");
        assert_eq!(fault.details.unwrap()["errors"][0]["pointer"], "/alias");
    }
}

#[test]
fn a_reserved_word_of_javascript_is_no_alias() {
    for word in [
        "delete",
        "new",
        "await",
        "then",
        "constructor",
        "class",
        "enum",
        "static",
        "yield",
        "import",
    ] {
        assert!(check_alias(word).is_err(), "{word}");
    }
    assert_eq!(code_name("my-own-slack"), "my_own_slack");
}

#[test]
fn the_alias_of_flows_is_no_integrations() {
    let fault = check_alias("flows").unwrap_err();
    assert!(fault.message.contains("quaymaster.flows"), "{fault}");
    assert_eq!(check_alias("my_flows"), Ok(()));
}

#[test]
fn the_usual_name_is_alias_and_action() {
    let name = tool_name("slack", "send_channel_message");
    assert_eq!(
        (name.name.as_str(), name.long),
        ("slack__send_channel_message", None)
    );
    assert_eq!(
        tool_name("google_sheets", "read_rows").name,
        "google_sheets__read_rows"
    );
    assert_eq!(tool_name("slack-bot", "send").name, "slack-bot__send");
}

#[test]
fn a_long_name_is_cut_with_a_hash_and_callable_both_ways() {
    let name = tool_name(
        "a_rather_long_alias_for_one_service",
        "an_action_whose_key_is_long_enough_to_be_cut",
    );
    assert_eq!(
        name.name,
        "a_rather_long_alias__an_action_whose_key_is_long_enou_0b900f6de0"
    );
    let long = "a_rather_long_alias_for_one_service__an_action_whose_key_is_long_enough_to_be_cut";
    assert_eq!(name.long.as_deref(), Some(long));
    assert!(name.is(long) && name.is(&name.name) && !name.is("a_rather_long_alias"));
    assert_eq!(
        name,
        tool_name(
            "a_rather_long_alias_for_one_service",
            "an_action_whose_key_is_long_enough_to_be_cut"
        )
    );
}

#[test]
fn no_two_actions_of_the_catalog_share_a_name_whatever_the_alias() {
    for alias in [
        "a",
        "a-b_c",
        &"x".repeat(40),
        &"x".repeat(64),
        &format!("{}y", "x".repeat(63)),
    ] {
        let mut seen: HashMap<String, String> = HashMap::new();
        for definition in EMBEDDED.iter() {
            let made = tools(&Switched::whole(alias, definition));
            assert_eq!(clashes(&made), Vec::<String>::new(), "{}", definition.key);
            for tool in made {
                assert!(tool.name.name.len() <= 64, "{}", tool.name.name);
                let whole = tool
                    .name
                    .long
                    .clone()
                    .unwrap_or_else(|| tool.name.name.clone());
                if let Some(other) = seen.insert(tool.name.name.clone(), whole.clone()) {
                    assert_eq!(other, whole, "two names became one");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn every_name_is_one_that_vendors_accept(alias in "[a-z][a-z0-9_-]{0,63}", action in "[a-z0-9_]{1,64}") {
        let name = tool_name(&alias, &action);
        prop_assert!((1..=64).contains(&name.name.len()));
        prop_assert!(name.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'));
        let whole = format!("{alias}__{action}");
        prop_assert_eq!(name.long.is_some(), whole.len() > 64);
        prop_assert!(name.is(&whole));
        prop_assert_eq!(name, tool_name(&alias, &action));
    }

    #[test]
    fn long_names_that_begin_alike_stay_apart(alias in "[a-z][a-z0-9_-]{40,63}", actions in proptest::collection::hash_set("[a-z_]{30,64}", 2..40)) {
        let names: HashSet<String> = actions.iter().map(|action| tool_name(&alias, action).name).collect();
        prop_assert_eq!(names.len(), actions.len());
    }
}

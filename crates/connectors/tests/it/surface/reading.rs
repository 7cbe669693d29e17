//! What a model reads before it writes code.

use super::{EMBEDDED, embedded, partial, preset};
use quaymaster_connectors::surface::{Switched, declarations, read_api, tokens, tools};
use serde_json::json;

#[test]
fn an_action_is_told_with_its_declaration_an_example_and_notes() {
    let slack = embedded("slack");
    let text = read_api(
        &Switched::whole("slack", &slack),
        Some("send_channel_message"),
    )
    .unwrap();
    insta::assert_snapshot!(text);
    let list = read_api(&Switched::whole("slack", &slack), Some("list_channels")).unwrap();
    insta::assert_snapshot!(list);
}

#[test]
fn an_alias_is_told_with_every_action_that_is_on() {
    let sheets = embedded("google_sheets");
    let some = [
        "read_rows".to_owned(),
        "append_rows".to_owned(),
        "list_spreadsheets".to_owned(),
    ];
    let switched = Switched {
        actions: Some(&some),
        ..Switched::whole("my-sheets", &sheets)
    };
    insta::assert_snapshot!(read_api(&switched, None).unwrap());
}

#[test]
fn spellings_of_an_action_are_understood_and_an_unknown_one_gets_a_suggestion() {
    let slack = embedded("slack");
    let some = ["send_channel_message".to_owned()];
    let switched = Switched {
        actions: Some(&some),
        ..Switched::whole("slack", &slack)
    };
    for spelling in [
        "send_channel_message",
        "slack.send_channel_message",
        "quaymaster.slack.send_channel_message",
        "slack__send_channel_message",
        "send-channel-message",
        " Send_Channel_Message ",
    ] {
        assert!(
            read_api(&switched, Some(spelling))
                .unwrap()
                .starts_with("quaymaster.slack.send_channel_message:"),
            "{spelling}"
        );
    }
    let fault = read_api(&switched, Some("send_chanel_mesage")).unwrap_err();
    assert_eq!(
        (fault.code.name(), fault.hint.as_deref()),
        ("NOT_FOUND", Some("Did you mean \"send_channel_message\"?"))
    );
    assert!(read_api(&switched, Some("delete_message")).is_err());
    assert!(
        read_api(&switched, Some(&"x".repeat(100_000)))
            .unwrap_err()
            .message
            .len()
            < 1_000
    );
}

/// Whether a text speaks of an input of this name.
fn tells(text: &str, name: &str) -> bool {
    ["NAME:", "NAME?", "\"NAME\"", "`NAME`", "(NAME", ", NAME"]
        .iter()
        .any(|form| text.contains(&form.replace("NAME", name)))
}

#[test]
fn what_is_enforced_is_spoken_of_nowhere() {
    let github = embedded("github");
    let locked = |_: &str| {
        preset(
            json!({}),
            vec![partial(
                "p",
                json!({ "labels": ["zebra-value"], "owner": "zebra-value" }),
                &["labels", "owner"],
            )],
        )
    };
    let some = ["create_issue".to_owned(), "list_labels".to_owned()];
    let switched = Switched {
        presets: &locked,
        actions: Some(&some),
        ..Switched::whole("github", &github)
    };
    let mut texts = vec![
        declarations(&[switched]),
        read_api(&switched, None).unwrap(),
        read_api(&switched, Some("create_issue")).unwrap(),
    ];
    texts.extend(tools(&switched).iter().map(|tool| {
        format!(
            "{} {}",
            tool.description,
            serde_json::to_string(&tool.input).unwrap()
        )
    }));
    for text in texts {
        assert!(
            !text.contains("zebra-value") && !tells(&text, "owner"),
            "{text}"
        );
    }
    let text = read_api(&switched, Some("create_issue")).unwrap();
    assert!(!tells(&text, "labels") && tells(&text, "repo"), "{text}");
}

#[test]
fn nothing_of_the_catalog_is_too_long_to_read() {
    for definition in EMBEDDED.iter() {
        let switched = Switched::whole(&definition.key, definition);
        let whole = read_api(&switched, None).unwrap();
        assert!(!whole.contains(" more: search"), "{}", definition.key);
        for (key, _) in switched.on() {
            let text = read_api(&switched, Some(key)).unwrap();
            assert!(
                text.len() < 16_000,
                "{}.{key} has {} bytes",
                definition.key,
                text.len()
            );
        }
    }
}

#[test]
fn a_server_in_code_mode_costs_a_fraction_of_its_tools() {
    let keys = [
        "slack",
        "github",
        "google_sheets",
        "gmail",
        "google_calendar",
        "google_drive",
        "jira",
        "notion",
        "linear",
        "hubspot",
    ];
    let mut listed = 0;
    let mut count = 0;
    for key in keys {
        let definition = embedded(key);
        for tool in tools(&Switched::whole(key, &definition)) {
            count += 1;
            listed += tokens(&json!({ "name": tool.name.name, "description": tool.description, "inputSchema": tool.input }).to_string());
        }
    }
    assert!(count >= 150, "{count} tools");
    // The three tools of CODE mode have 900 tokens for a fiftieth.
    assert!(listed > 45_000, "{listed} tokens in {count} tools");
}

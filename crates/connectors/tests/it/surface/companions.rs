//! Tools that list the values of an input.

use super::{definition, embedded, object, partial, preset};
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::surface::companion::MOST_OPTIONS;
use quaymaster_connectors::surface::{
    Asked, SurfaceTool, Switched, What, clashes, option_call, tools,
};
use serde_json::{Value, json};

fn companions(made: &[SurfaceTool]) -> Vec<&SurfaceTool> {
    made.iter()
        .filter(|tool| matches!(tool.what, What::Companion { .. }))
        .collect()
}

fn names(made: &[SurfaceTool]) -> Vec<&str> {
    companions(made)
        .iter()
        .map(|tool| tool.name.name.as_str())
        .collect()
}

fn with_actions<'a>(
    definition: &'a Definition,
    alias: &'a str,
    some: &'a [String],
) -> Switched<'a> {
    Switched {
        actions: Some(some),
        ..Switched::whole(alias, definition)
    }
}

#[test]
fn an_action_of_the_name_is_the_companion_and_none_is_made() {
    let slack = embedded("slack");
    let made = tools(&Switched::whole("slack", &slack));
    assert_eq!(names(&made), ["slack__list_channel_ids"]);
    let listing = made
        .iter()
        .find(|tool| tool.is("slack__list_channels"))
        .unwrap();
    assert_eq!(listing.what, What::Action("list_channels".to_owned()));
    let github = embedded("github");
    let made = tools(&Switched::whole("github", &github));
    assert_eq!(
        names(&made),
        [
            "github__list_names",
            "github__list_reviewers",
            "github__list_workflow_ids"
        ]
    );
    // The literal spelling with a second s means the same tool, and is not listed.
    let labels: Vec<&SurfaceTool> = made
        .iter()
        .filter(|tool| tool.is("github__list_labelss"))
        .collect();
    assert_eq!(labels.len(), 1);
    assert_eq!(
        (labels[0].name.name.as_str(), &labels[0].what),
        (
            "github__list_labels",
            &What::Action("list_labels".to_owned())
        )
    );
}

#[test]
fn an_action_that_is_off_does_not_take_the_companions_place() {
    let slack = embedded("slack");
    let some = ["send_channel_message".to_owned()];
    let switched = with_actions(&slack, "slack", &some);
    let made = tools(&switched);
    assert_eq!(names(&made), ["slack__list_channels"]);
    let What::Companion {
        property,
        select,
        for_actions,
    } = &made[1].what
    else {
        panic!()
    };
    assert_eq!(
        (property.as_str(), select.as_str(), for_actions.as_slice()),
        ("channel", "channels", some.as_slice())
    );
    assert!(made[1].nature.read_only);
    assert_eq!(
        made[0].input["properties"]["channel"]["description"],
        "Id of a channel or conversation, for example C0123456789. Values: slack__list_channels."
    );
}

#[test]
fn inputs_of_one_name_with_different_values_have_companions_of_their_own() {
    let rabbitmq = embedded("rabbitmq");
    let made = tools(&Switched::whole("mq", &rabbitmq));
    assert_eq!(
        names(&made),
        [
            "mq__list_queue_names",
            "mq__list_exchange_names",
            "mq__list_vhost_names",
            "mq__list_user_names"
        ]
    );

    // Whether others are on or off changes no name.
    let some = ["get_queue".to_owned()];
    let made = tools(&with_actions(&rabbitmq, "mq", &some));
    assert!(
        names(&made).contains(&"mq__list_queue_names"),
        "{:?}",
        names(&made)
    );
    assert_eq!(clashes(&made), Vec::<String>::new());
}

#[test]
fn a_companion_takes_what_its_select_needs_and_a_search() {
    let github = embedded("github");
    let some = ["request_reviewers".to_owned()];
    let made = tools(&with_actions(&github, "github", &some));
    let shown: Vec<Value> = companions(&made).iter().map(|tool| json!({ "name": tool.name.name, "title": tool.title, "description": tool.description, "input": tool.input })).collect();
    insta::assert_json_snapshot!(shown);
}

#[test]
fn a_companion_stays_within_what_is_enforced_for_its_actions() {
    let github = embedded("github");
    let some = ["create_issue".to_owned(), "update_issue".to_owned()];
    let locked = |key: &str| match key {
        "create_issue" => preset(
            json!({}),
            vec![partial(
                "p",
                json!({ "owner": "acme", "repo": "site" }),
                &["owner", "repo"],
            )],
        ),
        "update_issue" => preset(
            json!({}),
            vec![partial(
                "p",
                json!({ "owner": "acme", "repo": "docs" }),
                &["owner", "repo"],
            )],
        ),
        _ => preset(json!({}), vec![]),
    };
    let switched = Switched {
        presets: &locked,
        ..with_actions(&github, "github", &some)
    };
    let made = tools(&switched);
    let labels = made
        .iter()
        .find(|tool| tool.name.name == "github__list_labels")
        .unwrap();
    assert_eq!(
        labels.input["properties"]["repo"]["enum"],
        json!(["site", "docs"])
    );
    assert!(labels.input["properties"].get("owner").is_none());
    let call = |input: Value| {
        let input = object(input);
        let asked = Asked {
            property: "labels",
            select: None,
            actions: &some,
            input: &input,
            search: None,
        };
        option_call(&switched, &asked)
    };
    let good = call(json!({ "owner": "evil", "repo": "docs" })).unwrap();
    assert_eq!(good.action, "list_labels");
    assert_eq!(
        Value::Object(good.inputs),
        json!({ "owner": "acme", "repo": "docs" })
    );
    let fault = call(json!({ "repo": "secrets" })).unwrap_err();
    assert_eq!(
        (
            fault.code.name(),
            fault.details.unwrap()["errors"][0]["pointer"].clone()
        ),
        ("INVALID_ARG", json!("/repo"))
    );
}

#[test]
fn a_missing_input_and_an_input_without_values_say_so() {
    let github = embedded("github");
    let switched = Switched::whole("github", &github);
    let some = ["create_issue".to_owned()];
    let empty = object(json!({}));
    let asked = |property: &'static str| Asked {
        property,
        select: None,
        actions: &some,
        input: &empty,
        search: None,
    };
    let fault = option_call(&switched, &asked("labels")).unwrap_err();
    assert_eq!(fault.message, "The values of `labels` depend on `owner`.");
    let fault = option_call(&switched, &asked("title")).unwrap_err();
    assert_eq!(fault.details.unwrap()["reason"], "NOT_DROPDOWN");
    let fault = option_call(&switched, &asked("label")).unwrap_err();
    assert_eq!(
        (fault.code.name(), fault.hint.as_deref()),
        ("NOT_FOUND", Some("Did you mean `labels`?"))
    );
}

fn things() -> Definition {
    definition(
        &json!({ "things": { "title": "Things", "actions": {
            "list_all": { "title": "List all", "method": "GET", "path": "/things", "params": { "type": "object", "properties": { "limit": { "type": "integer" } } } },
            "get": { "title": "Get", "method": "GET", "path": "/things/{thing}", "params": { "type": "object", "required": ["thing"], "properties": { "thing": { "type": "string", "x-select": "all" } } } },
        } } }),
        json!({ "selects": { "all": { "action": "list_all", "with": { "limit": 500 }, "items": "/items", "value": "/id", "label": "/about/name" } } }),
    )
}

#[test]
fn options_are_cleaned_searched_counted_and_each_there_once() {
    let things = things();
    let switched = Switched::whole("t", &things);
    let empty = object(json!({}));
    let call = |search: Option<&'static str>| {
        option_call(
            &switched,
            &Asked {
                property: "thing",
                select: Some("all"),
                actions: &[],
                input: &empty,
                search,
            },
        )
        .unwrap()
    };
    let result = json!({ "items": [
        { "id": 7, "about": { "name": "Red\u{202e}\n apple" } }, { "id": 7, "about": { "name": "Again" } }, { "id": "x", "about": {} },
        { "about": { "name": "No id" } }, { "id": null }, { "id": { "deep": 1 } }, "odd", { "id": true, "about": { "name": ["list"] } }, { "id": "y", "about": { "name": "  " } }
    ] });
    assert_eq!(call(None).inputs, object(json!({ "limit": 500 })));
    assert_eq!(
        Value::Object(call(None).options(&result).to_json()),
        json!({ "options": [
        { "value": 7, "label": "Red apple" }, { "value": "x", "label": "x" }, { "value": true, "label": "true" }, { "value": "y", "label": "y" }
    ] })
    );
    assert_eq!(call(Some(" APPLE ")).options(&result).options.len(), 1);
    assert_eq!(call(Some("x")).options(&result).options[0].label, "x");
    let many: Vec<Value> = (0..1_000)
        .map(|nr| json!({ "id": nr, "about": { "name": format!("Thing {nr}") } }))
        .collect();
    let options = call(None).options(&json!({ "items": many }));
    assert_eq!(
        (options.options.len(), options.left_out),
        (MOST_OPTIONS, 1_000 - MOST_OPTIONS)
    );
    assert_eq!(options.to_json()["left_out"], 1_000 - MOST_OPTIONS);
    for odd in [
        json!(null),
        json!([]),
        json!({ "items": "text" }),
        json!({ "items": null }),
    ] {
        assert!(call(None).options(&odd).options.is_empty());
    }
}

//! Calls that are tried on pages: what was given, what services and tools answered, and what a program wrote.

use super::{Found, Places, Scene, found_on, shown_on};
use quaymaster_tests::Tab;
use serde_json::json;
use std::collections::BTreeMap;

/// A form that is sent, with the field that is given; then what the page with its outcome has to show whole.
pub(super) struct Try {
    page: String,
    /// The name of the field, and what is put in it.
    given: Option<(&'static str, String)>,
    shows: Vec<&'static str>,
}

/// Calls a tool of the service, tells what came of it, and shows what it was given.
fn program(places: &mut Places) -> String {
    let (said, returned) = (
        json!(places.put("line of a program", 3)),
        json!(places.put("result of a program", 8)),
    );
    format!(
        "console.log({said});\n\
         const found = await quaymaster.mcp_server_there.tool_1({{}});\n\
         return [{returned}, found];"
    )
}

/// `server` is the one with tools of the services.
pub(super) fn all(scene: &Scene, server: &str, places: &mut Places) -> Vec<Try> {
    let module = "/connectors/notes/modules/notes";
    vec![
        Try {
            page: format!("{module}/list_notes"),
            given: Some(("input.tag", places.put("input of a call that reads", 12))),
            shows: vec![
                "input of a call that reads",
                "text of a result",
                "name of a member of a result",
            ],
        },
        Try {
            page: format!("{module}/create_note"),
            given: Some((
                "input.text",
                places.put("input of a call that is refused", 39),
            )),
            shows: vec!["input of a call that is refused"],
        },
        Try {
            page: format!(
                "/servers/{}/try/slack__send_channel_message",
                scene.seeded.server
            ),
            given: Some(("input.text", places.put("input of a call of a tool", 2))),
            shows: vec!["input of a call of a tool"],
        },
        Try {
            page: format!("/servers/{server}/try/notes_there__list_notes"),
            given: Some(("input.tag", places.put("input of a tool that reads", 21))),
            shows: vec!["input of a tool that reads", "text of a result"],
        },
        Try {
            page: format!("/servers/{server}/try/mcp_server_there__tool_1"),
            given: None,
            shows: vec!["text of a tool's result"],
        },
        Try {
            page: format!("/servers/{}/try", scene.seeded.code_server),
            given: Some(("code", program(places))),
            shows: vec![
                "line of a program",
                "result of a program",
                "text of a tool's result",
            ],
        },
        Try {
            page: format!(
                "/workspaces/{}/flows/berth_note/try",
                scene.seeded.workspace
            ),
            given: None,
            shows: vec!["text in a result of a flow"],
        },
        // What is refused is shown again.
        Try {
            page: "/connectors/own/new".to_owned(),
            given: Some(("source", places.put("source that is none", 20))),
            shows: vec!["source that is none"],
        },
        Try {
            page: format!("/workspaces/{}/flows/new", scene.seeded.workspace),
            given: Some(("source", places.put("text of a flow that is none", 20))),
            shows: vec!["text of a flow that is none"],
        },
    ]
}

/// Fills the field that has this name, and what the call cannot do without; answers whether there is one.
const FILL: &str = r#"((name, text) => {
    const field = (name) => document.getElementsByName(name)[0];
    if (field("input.channel")) field("input.channel").value = "C2";
    const account = document.getElementById("account");
    if (account) account.selectedIndex = account.options.length - 1;
    if (field(name)) field(name).value = text;
    return Boolean(field(name));
})"#;

pub(super) async fn send(tab: &Tab, scene: &Scene, tries: &[Try], places: &Places) -> Found {
    let mut found = Found::new();
    for one in tries {
        let says = |line: &str| format!("a call at {} {line}", one.page);
        tab.open(&format!("{}{}", scene.desk.server.url, one.page))
            .await;
        let (name, text) = match &one.given {
            Some((name, text)) => (*name, text.as_str()),
            None => ("csrf", ""),
        };
        if one.given.is_some() {
            let fill = format!("{FILL}({}, {})", json!(name), json!(text));
            if tab.value(&fill).await != true {
                found.push(says(&format!("has no field {name}")));
                continue;
            }
        }
        tab.follow(&format!(
            "main form[method=post]:has([name='{name}']) button[type=submit]"
        ))
        .await;
        let complaints = tab.complaints().await;
        // What is refused is answered with 422, which the browser tells.
        let wrong = complaints
            .iter()
            .filter(|line| !line.contains("status of 422"));
        found.extend(wrong.map(|line| says(line)));
        found.extend(found_on(tab).await.iter().map(|line| says(line)));
        let (whole, other) = shown_on(tab, &places.paths()).await;
        found.extend(other.iter().map(|line| says(line)));
        let shows = BTreeMap::from([("its outcome", whole)]);
        let expected: Vec<(&str, &str)> = one
            .shows
            .iter()
            .map(|name| (*name, "its outcome"))
            .collect();
        found.extend(
            places
                .missing(&shows, &expected)
                .iter()
                .map(|line| says(line)),
        );
    }
    found
}

//! Flows and packs on the pages: written with problems shown at their lines, tried, changed, compared, rolled back,
//! switched off; secrets; a pack installed and removed.

use super::servers::look_closely;
use super::*;
use quaymaster_tests::{Database, Desk, Developer};

const GREET: &str = r#"flow: greet
title: Greet somebody
triggers: [{ mcp_tool: { description: Greets somebody., annotations: { readOnlyHint: true } } }]
input: { type: object, required: [name], properties: { name: { type: string } } }
steps:
  - id: known
    http: { get: "https://people.example.com/${{ .input.name }}" }
  - id: kind
    switch:
      - when: .steps.known.body.is_admin
        do: [{ id: admin, map: '"boss"' }]
      - do: [{ fail: { code: NOT_FOUND, message: Nobody } }]
return: '{ greeting: "Hello, \(.steps.kind)" }'
tests:
  - name: somebody known
    input: { name: Ada }
    mocks: { known: { returns: { body: { is_admin: true } } } }
    expect: { result: { greeting: "Hello, boss" } }
"#;

/// Puts a text into the editor, as pasting does.
async fn write(tab: &Tab, text: &str) {
    tab.value(&format!(
        "document.querySelector('#source').value = {}",
        json!(text)
    ))
    .await;
}

#[tokio::test]
async fn a_flow_is_written_tried_compared_and_rolled_back_on_the_pages() {
    let desk = Desk::open(Database::Sqlite).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    to_workspace(&tab).await;
    tab.follow(".subnav a[href$='/flows']").await;
    look_closely(&tab, "no flow").await;
    tab.follow("main a[href$='/flows/new']").await;
    tab.until_text(".steps", "map").await;
    look_closely(&tab, "a new flow").await;

    write(
        &tab,
        &GREET.replace(".steps.known.body", ".steps.knwon.body"),
    )
    .await;
    tab.follow("main button[value=check]").await;
    tab.until_text("#mistakes", "Line 10").await;
    tab.until_text("#mistakes", "knwon").await;
    look_closely(&tab, "a flow with a problem").await;
    write(&tab, &GREET.replace("Hello, boss", "Hello, chef")).await;
    tab.follow("main button[value=save]").await;
    tab.until_text("#mistakes", "somebody known").await;
    assert_eq!(tab.complaints().await.len(), 1, "only that it was refused");
    write(&tab, GREET).await;
    tab.follow("main button[value=check]").await;
    tab.until_text(".notice.done", "Its test passes.").await;
    tab.follow("main button[value=save]").await;
    tab.until_text("#notices", "The flow is saved").await;
    tab.until_text(".graph", "switch kind").await;
    tab.until_text(".graph", "fail").await;
    look_closely(&tab, "a flow").await;
    assert!(desk.mcp.tool_names().await.contains(&"greet".to_owned()));

    // Tried with the answers of its test.
    tab.follow("main a[href$='/flows/greet/try']").await;
    look_closely(&tab, "a flow to try").await;
    tab.follow("#try button[value=mocked]").await;
    tab.until_text("#outcome-text", "Hello, boss").await;
    tab.until_text("#steps", "known").await;
    look_closely(&tab, "a flow that was tried").await;
    tab.value("document.querySelector('#mocks').value = '{}'")
        .await;
    tab.follow("#try button[value=mocked]").await;
    tab.until_text("#mocks-error", "known has no answer").await;
    assert_eq!(tab.complaints().await.len(), 1, "only that it was refused");

    // A second version, compared and rolled back.
    tab.open(&format!(
        "{}/workspaces/{}/flows/greet",
        desk.server.url, desk.server.workspace
    ))
    .await;
    write(&tab, &GREET.replace("Greets somebody.", "Greets a person.")).await;
    tab.follow("main button[value=save]").await;
    tab.until_text("#notices", "The flow is saved").await;
    tab.follow("main a[href$='/versions']").await;
    tab.until_text("#versions", "Version 2").await;
    look_closely(&tab, "versions").await;
    tab.follow("#versions a[href$='/versions/1']").await;
    tab.until_text("#diff .added", "Greets a person.").await;
    tab.until_text("#diff .removed", "Greets somebody.").await;
    look_closely(&tab, "a version").await;
    tab.follow("main form button").await;
    tab.until_text("#notices", "That version runs").await;
    tab.until_text(".page-head", "version 1").await;

    // Runs.
    tab.follow("main a[href*='/flow-runs?flow=greet']").await;
    tab.until_text("#runs", "try").await;
    look_closely(&tab, "runs").await;
    tab.follow("#runs .row-link").await;
    tab.until_text("#steps", "kind").await;
    look_closely(&tab, "a run").await;

    // Switched off and deleted.
    tab.follow(".crumb a[href$='/flows']").await;
    tab.until_text("#flows", "greet").await;
    look_closely(&tab, "flows").await;
    tab.follow("#flows .cell-actions button").await;
    tab.until_text("#notices", "switched off").await;
    assert!(!desk.mcp.tool_names().await.contains(&"greet".to_owned()));
    tab.follow("#flows .row-link").await;
    tab.follow("main form[action$='/delete'] button").await;
    tab.until_text("#notices", "deleted").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn secrets_are_set_and_never_shown_again() {
    let desk = Desk::open(Database::Sqlite).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    let page = format!("/workspaces/{}/flow-secrets", desk.server.workspace);
    tab.open(&format!("{}{page}", desk.server.url)).await;
    look_closely(&tab, "no secret").await;
    tab.fill("#secret-name", "WEATHER_KEY").await;
    tab.fill("#secret-value", "s3cr3t-of-the-test").await;
    tab.follow("main .primary").await;
    tab.until_text("#secrets", "WEATHER_KEY").await;
    assert!(!has(&tab, "s3cr3t-of-the-test").await);
    look_closely(&tab, "secrets").await;
    tab.follow("#secrets .danger").await;
    tab.until_text("#notices", "The secret is deleted.").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_pack_is_installed_with_an_account_and_tools_of_choice_and_removed() {
    let desk = Developer::open(Database::Sqlite).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    let list = format!(
        "{}/workspaces/{}/packs",
        desk.server.url, desk.server.workspace
    );
    tab.open(&list).await;
    look_closely(&tab, "the packs").await;
    tab.follow("#packs a[href$='/packs/slack_digest']").await;
    tab.until_text("main", "No account is connected.").await;
    look_closely(&tab, "a pack without an account").await;

    desk.chat_account("main").await;
    tab.open(&format!("{list}/slack_digest")).await;
    look_closely(&tab, "a pack").await;
    tab.click("#flow-slack_send").await;
    tab.follow("main .primary").await;
    tab.until_text("#notices", "The tools are installed.").await;
    look_closely(&tab, "an installed pack").await;
    let agent = Mcp::open(&desk.server.endpoint, &desk.key).await;
    let names = agent.tool_names().await;
    assert!(names.contains(&"slack_digest".to_owned()), "{names:?}");
    assert!(!names.contains(&"slack_send".to_owned()), "{names:?}");

    tab.follow("main a[href$='/flows/slack_find_person']").await;
    let text = tab.value("document.querySelector('#source').value").await;
    let own = text
        .as_str()
        .unwrap()
        .replace("Find a person", "Find one of us");
    write(&tab, &own).await;
    tab.follow("main button[value=save]").await;
    tab.open(&format!("{list}/slack_digest")).await;
    tab.until_text("#pack-flows", "changed by hand").await;
    look_closely(&tab, "a pack with a change").await;
    tab.follow("main .destructive").await;
    tab.until_text("#notices", "The pack is removed.").await;
    let names = agent.tool_names().await;
    assert!(names.contains(&"slack_find_person".to_owned()), "{names:?}");
    assert!(!names.contains(&"slack_digest".to_owned()), "{names:?}");
    assert_eq!(tab.complaints().await, NOTHING);
}

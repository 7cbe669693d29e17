//! The editor of flows: steps as forms beside the text, what fits at the caret, and problems while one types.

use super::servers::look_closely;
use super::*;
use quaymaster_tests::{Database, Desk};

async fn editor(desk: &Desk, tab: &Tab) {
    let path = format!("/workspaces/{}/flows/new", desk.server.workspace);
    tab.open(&format!("{}{path}", desk.server.url)).await;
    tab.until_text(".steps", "map").await;
}

async fn source(tab: &Tab) -> String {
    let text = tab.value("document.querySelector('#source').value").await;
    text.as_str().unwrap().to_owned()
}

async fn choose(tab: &Tab, css: &str, value: &str) {
    let set = format!("document.querySelector('{css}').value = '{value}'");
    tab.value(&set).await;
}

#[tokio::test]
async fn a_flow_is_put_together_from_forms_of_its_steps() {
    let desk = Desk::open(Database::Sqlite).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    editor(&desk, &tab).await;

    // A step more, filled in, in front of the one that is there.
    choose(&tab, "#step-kind", "kv").await;
    tab.follow(".add-step button").await;
    tab.until_text("#step-form-title", "Step 2: kv").await;
    look_closely(&tab, "a step as a form").await;
    tab.fill("#step-id", "often").await;
    tab.value("document.querySelector('#step-kv').value = 'get: { key: times }'")
        .await;
    tab.follow("#step-form button[value='up.1']").await;
    tab.until_text("#step-form-title", "Step 1: kv").await;
    let text = source(&tab).await;
    let order = [
        text.find("id: often"),
        text.find("key: times"),
        text.find("id: name"),
    ];
    assert!(order.is_sorted() && order[0].is_some(), "{text}");

    // What is no YAML is told at its field, and stays there.
    tab.value("document.querySelector('#step-kv').value = '{ get: ['")
        .await;
    tab.follow("#step-form button[value='edit.0']").await;
    tab.until("document.querySelector('#step-kv-error')?.textContent.length > 10")
        .await;
    let kept = tab.value("document.querySelector('#step-kv').value").await;
    assert_eq!(kept, "{ get: [");
    assert_eq!(tab.complaints().await.len(), 1, "only that it was refused");
    tab.value("document.querySelector('#step-kv').value = 'get: { key: greeted }'")
        .await;

    // Saving takes what stands in the form.
    tab.follow("main button[value=save]").await;
    tab.until_text("#notices", "The flow is saved").await;
    assert!(source(&tab).await.contains("key: greeted"));
    look_closely(&tab, "a flow with steps to edit").await;
    tab.follow(".flow-steps .steps button[value='edit.0']")
        .await;
    tab.until_text("#step-form-title", "Step 1: kv").await;
    tab.follow("#step-form button[value='remove.0']").await;
    tab.until("!document.querySelector('#step-form')").await;
    tab.follow(".flow-steps .steps button[value='edit.0']")
        .await;
    tab.until_text("#step-form-title", "Step 1: map").await;
    tab.click("#step-form summary").await;
    tab.fill("#step-title", "In capitals").await;
    tab.follow("main button[value=save]").await;
    tab.until_text("#notices", "The flow is saved").await;
    assert!(source(&tab).await.contains("title: In capitals"));
    assert!(desk.mcp.tool_names().await.contains(&"greet".to_owned()));
}

#[tokio::test]
async fn the_forms_of_steps_work_without_scripts_and_lose_nothing() {
    let desk = Desk::open(Database::Sqlite).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    tab.forbid_scripts().await;
    editor(&desk, &tab).await;
    tab.follow(".flow-steps .steps button[value='edit.0']")
        .await;
    tab.until_text("#step-form-title", "Step 1: map").await;
    tab.value("document.querySelector('#step-title').value = 'Kept'")
        .await;
    // The text is no flow any more, so the form has no step to go to.
    tab.value("document.querySelector('#source').value = 'flow: ['")
        .await;
    tab.follow("#step-form button[value='edit.0']").await;
    tab.until_text("#notices", "cannot change it").await;
    assert_eq!(source(&tab).await.trim(), "flow: [");
    let kept = tab
        .value("document.querySelector('#step-title').value")
        .await;
    assert_eq!(kept, "Kept");
}

#[tokio::test]
async fn the_editor_says_what_fits_and_what_is_wrong_while_one_types() {
    let desk = Desk::open(Database::Sqlite).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    editor(&desk, &tab).await;
    tab.value("document.querySelector('#source').value = ''")
        .await;
    tab.fill("#source", "flow: one\ntitle: One\nst").await;
    tab.until_text("#completion", "steps").await;
    look_closely(&tab, "what fits").await;
    tab.click("#completion button").await;
    tab.until("document.querySelector('#source').value.includes('\\nsteps:')")
        .await;
    tab.fill(
        "#source",
        "flow: one\nsteps:\n  - id: a\n    map: .steps.nothing\n",
    )
    .await;
    // Nobody pressed anything.
    tab.until_text("#mistakes", "Line 4").await;
    tab.fill("#source", "flow: one\nsteps:\n  - id: [\n").await;
    tab.until_text("#mistakes", "Line").await;
    tab.until_text("#flow-steps", "cannot be read as a flow yet")
        .await;
    tab.fill("#source", "flow: one\nsteps:\n  - id: a\n    map: .input\n")
        .await;
    tab.until("!document.querySelector('#mistakes')").await;
    tab.until_text(".graph", "map").await;
    let has_focus = tab.value("document.activeElement.id").await;
    assert_eq!(has_focus, "source");
    assert_eq!(tab.complaints().await, NOTHING);
}

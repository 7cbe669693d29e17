//! Connectors that an organization writes in the page: wrong, right, changed, deleted, imported; and
//! one whose every text is an attack.

use super::looks::look;
use super::*;
use crate::definitions::NOTES;

/// Puts a text into the definition, as pasting does.
async fn paste(tab: &Tab, source: &str) {
    let source = json!(source);
    tab.value(&format!(
        "(document.getElementById('source').value = {source}, true)"
    ))
    .await;
}

/// Chooses a file that the page makes itself.
async fn choose(tab: &Tab, name: &str, text: &str) {
    let (name, text) = (json!(name), json!(text));
    tab.value(&format!(
        "(() => {{ const chosen = new DataTransfer();
            chosen.items.add(new File([{text}], {name}));
            document.getElementById('file').files = chosen.files; return true; }})()"
    ))
    .await;
}

/// The browser notes that an answer was no success, and nothing else.
async fn only_refused(tab: &Tab) {
    let complaints = tab.complaints().await;
    assert!(
        complaints.iter().all(|one| one.contains("status of 422")),
        "{complaints:?}"
    );
}

const SAVE: &str = "button[value='save']";

#[tokio::test]
async fn a_connector_is_written_checked_saved_changed_and_deleted() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.follow("nav.nav a[href='/connectors']").await;
    tab.follow("a[href='/connectors/own']").await;
    tab.until_text("main", "No connector of your own yet").await;
    look(&tab, "no connector of one's own").await;
    tab.follow("a[href='/connectors/own/new']").await;
    look(&tab, "a new definition").await;
    let wrong = NOTES.replace("path: /me}", "path: me}");
    paste(&tab, &wrong).await;
    tab.follow(SAVE).await;
    tab.until_text("#notices", "Nothing is saved").await;
    tab.until_text("#mistakes", "Line 17").await;
    tab.until_text("#mistakes pre", "get_me").await;
    only_refused(&tab).await;
    look(&tab, "a definition with a mistake").await;
    // What was written is still there.
    let kept = tab.value("document.getElementById('source').value").await;
    assert_eq!(kept, json!(wrong));
    paste(&tab, NOTES).await;
    tab.follow("button[value='check']").await;
    tab.until_text("main", "is fine: 1 modules, 3 calls").await;
    choose(&tab, "notes.yaml", NOTES).await;
    tab.follow(SAVE).await;
    assert_eq!(tab.path().await, "/connectors/notes");
    tab.until_text("#notices", "The connector is saved.").await;
    look(&tab, "a connector of one's own").await;

    tab.follow("a[href='/connectors/own/notes']").await;
    paste(
        &tab,
        &NOTES.replace("title: Notes\nsummary", "title: Better notes\nsummary"),
    )
    .await;
    tab.follow(SAVE).await;
    tab.until_text("h1", "Better notes").await;
    tab.until_text("#notices", "The definition is saved.").await;
    look(&tab, "a definition that is there").await;
    tab.open(&format!("{}/connectors/own", server.url)).await;
    tab.until_text("#own", "Better notes").await;
    look(&tab, "connectors of one's own").await;
    tab.follow("#own .cell-actions a").await;
    tab.follow("form[action$='/delete'] button").await;
    tab.until_text("#notices", "The connector is deleted.")
        .await;
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_document_is_uploaded_looked_at_and_saved() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.open(&format!("{}/connectors/own/import", server.url))
        .await;
    look(&tab, "importing").await;
    choose(&tab, "cat.json", "{\"what\": \"no document\"}").await;
    tab.fill("#key", "crane").await;
    tab.follow("main form button.primary").await;
    tab.until("document.querySelector('#file-error') !== null")
        .await;
    assert_eq!(
        tab.value("document.getElementById('key').value").await,
        "crane"
    );
    only_refused(&tab).await;
    look(&tab, "a document that is none").await;
    let document = crate::own_connectors::document("https://crane.example.com");
    choose(&tab, "crane.json", &document.to_string()).await;
    tab.follow("main form button.primary").await;
    tab.until_text("#report", "OpenAPI 3.0.3").await;
    look(&tab, "what became of a document").await;
    tab.follow(SAVE).await;
    assert_eq!(tab.path().await, "/connectors/crane");
    tab.until_text("#calls", "3 calls").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

/// Fits into the shortest text.
const ATTACK: &str = "<img src=x onerror=window.hit=1>";

/// Every text that people or agents read is an attack.
fn hostile() -> String {
    let quoted = format!("\"{ATTACK}\"");
    let out = format!("\"'\\\"><script>window.hit=1</script>{ATTACK}\"");
    format!(
        r#"quaymaster: 1
key: hostile
kind: rest
version: {quoted}
title: {quoted}
summary: {quoted}
docs_url: "https://x.example/'\"><script>window.hit=1</script>"
connection: {{url: {{title: {out}, help: {out}, example: {out}}}}}
base_url: "{{url}}/v1"
auth:
  - {{key: token, type: api_key, title: {out}, help: {out}, fields: {{token: {{title: {out}, help: {out}, secret: true}}}}, inject: {{header: {{authorization: "Bearer {{token}}"}}}}}}
  - {{key: other, type: api_key, title: {out}, fields: {{word: {{title: {out}, pattern: "[^<]*", default: {quoted}}}, code: {{secret: true}}}}, inject: {{header: {{x-code: "{{code}}{{word}}"}}}}}}
rate_limits: [{{requests: 5, per_s: 1, note: {out}}}]
enums: {{choices: [{{value: {out}, title: {out}}}]}}
modules:
  all:
    title: {quoted}
    summary: {out}
    actions:
      get_it:
        title: {quoted}
        summary: {out}
        method: GET
        path: "/<script>window.hit=1</script>/{{it}}"
        params: {{type: object, required: [it], properties: {{it: {{type: string, title: {out}, description: {out}, examples: [{out}], default: {out}}}, {out}: {{$enum: choices}}}}}}
        response: {{example: {{{out}: {out}}}}}
recipes:
  - {{title: {quoted}, action: get_it, with: {{it: {out}}}, note: {out}}}
  - {{title: "2 {ATTACK}", action: get_it, with: {{it: {out}}}}}
  - {{title: "3 {ATTACK}", action: get_it, with: {{it: {out}}}}}
"#
    )
    .replace("pattern: \"[^<]*\", default", "default")
}

#[tokio::test]
async fn a_hostile_definition_runs_in_no_browser() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.open(&format!("{}/connectors/own/new", server.url))
        .await;
    paste(&tab, &hostile()).await;
    tab.follow(SAVE).await;
    let told = tab.text("main").await;
    assert_eq!(tab.path().await, "/connectors/hostile", "{told}");
    for path in [
        "/connectors",
        "/connectors/own",
        "/connectors/own/hostile",
        "/connectors/hostile",
        "/connectors/hostile?auth=other",
        "/connectors/hostile/modules/all",
    ] {
        tab.open(&format!("{}{path}", server.url)).await;
        let hit = "window.hit === undefined && !document.querySelector('main img, main script')";
        assert_eq!(tab.value(hit).await, true, "{path}");
        assert!(has(&tab, "onerror").await, "{path} does not show it at all");
        look(&tab, path).await;
    }
    // A problem quotes what it is about.
    tab.open(&format!("{}/connectors/own/new", server.url))
        .await;
    paste(
        &tab,
        &hostile().replace("kind: rest", &format!("kind: \"{ATTACK}\"")),
    )
    .await;
    tab.follow(SAVE).await;
    tab.until_text("#mistakes", "onerror").await;
    let hit = "window.hit === undefined && !document.querySelector('main img, main script')";
    assert_eq!(tab.value(hit).await, true);
    only_refused(&tab).await;
}

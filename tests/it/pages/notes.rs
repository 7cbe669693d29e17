//! Skills and memory, as somebody with a browser uses them.

use super::looks::look;
use super::*;

/// Puts a text into a field, as pasting does.
async fn paste(tab: &Tab, field: &str, text: &str) {
    let (field, text) = (json!(field), json!(text));
    tab.value(&format!(
        "(document.getElementById({field}).value = {text}, true)"
    ))
    .await;
}

#[tokio::test]
async fn a_skill_is_written_given_a_file_restored_disabled_and_deleted() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.follow("nav.nav a[href='/skills']").await;
    tab.until_text("main", "No skill yet").await;
    look(&tab, "no skill").await;
    tab.follow("a[href='/skills/new']").await;
    look(&tab, "a new skill").await;
    tab.fill("#name", "refunds").await;
    paste(&tab, "description", "Decides about refunds.").await;
    paste(&tab, "system_prompt", "# Refunds\n\nBe kind.").await;
    paste(&tab, "service", "githup").await;
    tab.follow("form.panel button.primary").await;
    tab.until_text("#service-error", "There is no").await;
    // The browser notes that an answer was no success, and nothing else.
    let complaints = tab.complaints().await;
    assert!(
        complaints.iter().all(|one| one.contains("status of 422")),
        "{complaints:?}"
    );
    look(&tab, "a skill with a mistake").await;
    paste(&tab, "service", "github").await;
    tab.follow("form.panel button.primary").await;
    assert_eq!(tab.path().await, "/skills/refunds");
    tab.value(
        "(() => { const chosen = new DataTransfer();
            chosen.items.add(new File(['print(1)'], 'sum.py'));
            document.getElementById('file').files = chosen.files; return true; })()",
    )
    .await;
    tab.follow("form[action='/skills/refunds/files'] button")
        .await;
    tab.until_text("#files", "scripts/sum.py").await;
    look(&tab, "a skill").await;
    let key = server.api_key(&["read:data"]).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    let read = mcp.request(
        "resources/read",
        json!({ "uri": "skill://refunds/scripts/sum.py" }),
    );
    assert_eq!(read.await["result"]["contents"][0]["text"], "print(1)");
    tab.follow("form[action='/skills/refunds/versions/restore'] button")
        .await;
    tab.until_text("#versions", "restored version 1").await;
    assert!(!tab.text("#files").await.contains("sum.py"));
    tab.follow("nav.nav a[href='/skills']").await;
    look(&tab, "the list of skills").await;
    tab.follow("form[action='/skills/refunds/enable'] button")
        .await;
    tab.until_text("#skills", "disabled").await;
    let listed = mcp.request("resources/list", json!({})).await;
    assert_eq!(listed["result"]["resources"], json!([]));
    tab.follow("#skills .row-link").await;
    tab.follow("form[action='/skills/refunds/delete'] button")
        .await;
    tab.until_text("main", "No skill yet").await;
    tab.follow("a[href='/skills/import']").await;
    look(&tab, "importing a skill").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_note_is_written_found_changed_by_two_restored_and_redacted() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.follow("nav.nav a[href='/memory']").await;
    tab.until_text("main", "No note yet").await;
    look(&tab, "no note").await;
    tab.follow("a[href='/memory/new']").await;
    look(&tab, "a new note").await;
    tab.fill("#path", "projects/launch.md").await;
    paste(&tab, "note", "\nThe password is swordfish.\n").await;
    tab.follow("form.panel button.primary").await;
    tab.until_text("#notices", "The note is saved.").await;
    look(&tab, "a note").await;
    // What begins with an empty line still does.
    let content = tab.value("document.getElementById('note').value").await;
    assert_eq!(content, json!("\nThe password is swordfish.\n"));
    // An agent changes it while the page is open.
    let key = server.api_key(&["read:data", "write:tools"]).await;
    let mcp = Mcp::open(&server.endpoint, &key).await;
    let append =
        json!({ "command": "append", "path": "projects/launch.md", "content": "Monday\n" });
    mcp.call("write_memory", append).await.unwrap();
    paste(&tab, "note", "Friday").await;
    tab.follow("form.panel button.primary").await;
    tab.until_text("#notices", "somebody has changed it meanwhile")
        .await;
    let kept = tab.value("document.getElementById('note').value").await;
    assert_eq!(kept, json!("Friday"));
    let complaints = tab.complaints().await;
    assert!(
        complaints.iter().all(|one| one.contains("status of 422")),
        "{complaints:?}"
    );
    // The key is called so.
    tab.until_text("#versions", "Command line").await;
    // Told so, the person saves it all the same.
    tab.follow("form.panel button.primary").await;
    tab.until_text("#notices", "The note is saved.").await;
    tab.follow("form[action='/memory/redact'] button").await;
    tab.until_text("#versions", "redacted").await;
    look(&tab, "a note with a redacted version").await;
    tab.follow("nav.nav a[href='/memory']").await;
    tab.until_text("#notes", "projects/").await;
    look(&tab, "the list of notes").await;
    tab.fill("#query", "frid").await;
    tab.follow("form.search button").await;
    tab.until_text("#notes", "projects/launch.md").await;
    tab.follow("#notes .row-link").await;
    tab.follow("form[action='/memory/delete'] button").await;
    tab.until_text("main", "This note is deleted").await;
    look(&tab, "a deleted note").await;
    tab.follow("form[action='/memory/restore'] button").await;
    tab.until_text("#notices", "The note says that again.")
        .await;
    tab.follow("nav.nav a[href='/memory']").await;
    tab.click("#agents").await;
    tab.follow("form[action='/memory/settings'] button").await;
    tab.until("document.getElementById('agents').checked").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

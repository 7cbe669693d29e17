//! Files of a workspace in the browser: uploaded, looked at, edited, deleted.

use super::looks::look;
use super::*;

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

#[tokio::test]
async fn a_file_is_uploaded_looked_at_edited_and_deleted() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    to_workspace(&tab).await;
    tab.follow(".subnav a[href$='/files']").await;
    tab.until_text("#entries", "Nothing here yet").await;
    look(&tab, "no file").await;
    tab.fill("#new-directory", "notes").await;
    tab.follow("form[action$='/directory'] button").await;
    let long = format!("first line\n{}\n", "w".repeat(400));
    choose(&tab, &format!("{}.txt", "n".repeat(100)), &long).await;
    tab.click("form[data-progress] button").await;
    tab.until_text("#notices", "The file is in the workspace.")
        .await;
    look(&tab, "a directory").await;
    choose(&tab, &format!("{}.txt", "n".repeat(100)), "other").await;
    tab.click("form[data-progress] button").await;
    tab.until_text("#notices", "There is something of this name already.")
        .await;
    let complaints = tab.complaints().await;
    assert!(
        complaints.iter().all(|one| one.contains("status of 422")),
        "{complaints:?}"
    );
    tab.follow("#entries .row-link").await;
    tab.until_text("#contents", "first line").await;
    look(&tab, "a text").await;
    tab.follow(".page-actions a[href*='/edit?']").await;
    look(&tab, "an edit").await;
    tab.value("document.querySelector('#text').value += 'last line\\n'")
        .await;
    tab.follow("main form button.primary").await;
    tab.until_text("#notices", "The file is saved.").await;
    tab.until_text("#contents", "last line").await;
    let agent = Mcp::open(&server.endpoint, &server.token).await;
    let path = format!("notes/{}.txt", "n".repeat(100));
    let args = json!({ "path": path, "line_numbers": false });
    let read = agent.call("read_file", args).await.unwrap();
    assert_eq!(read["total_lines"], 3, "{read}");
    let gif = json!({ "path": "notes/a.gif", "encoding": "base64",
        "content": "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7" });
    agent.call("write_file", gif).await.unwrap();
    let base = format!("{}/workspaces/{}/files", server.url, server.workspace);
    tab.open(&format!("{base}/view?path=notes/a.gif")).await;
    tab.until("document.querySelector('#contents img').naturalWidth === 1")
        .await;
    look(&tab, "a picture").await;
    tab.click("[data-dialog='delete']").await;
    tab.follow("#delete .destructive").await;
    tab.until_text("#notices", "It is in the trash").await;
    assert!(!has(&tab, ">a.gif<").await);

    // The same without the script.
    tab.forbid_scripts().await;
    tab.open(&format!("{base}?path=notes")).await;
    tab.follow("#entries .row-link").await;
    tab.follow(".page-actions a[href*='/edit?']").await;
    tab.follow("main form button.primary").await;
    tab.until_text("#notices", "The file is saved.").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

//! Documents in the pages: uploaded, searched, looked at, deleted.

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
async fn a_document_that_is_too_large_for_its_form_goes_in_parts() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.open(&format!("{}/documents", server.url)).await;
    let page = format!(
        "'<!doctype html><!--' + 'x'.repeat({}) + '--><p>The avocet nests.'",
        33 << 20
    );
    let fill = async |name: &str| {
        let name = json!(name);
        tab.value(&format!(
            "(() => {{ const chosen = new DataTransfer();
                chosen.items.add(new File([{page}], {name}));
                document.getElementById('file').files = chosen.files; return true; }})()"
        ))
        .await;
        tab.fill("#folder", "birds").await;
        tab.click("main form[data-progress] button").await;
    };
    fill("large.html").await;
    tab.until_text("#notices", "The document is stored.").await;
    tab.until_text("#documents", "searchable").await;
    tab.until_text("#documents", "birds/large.html").await;
    assert_eq!(tab.path().await, "/documents");
    fill("large.html").await;
    tab.until_text(
        "#notices",
        "There is a document at birds/large.html already.",
    )
    .await;
    let complaints = tab.complaints().await;
    assert!(
        complaints.iter().all(|one| one.contains("status of 422")),
        "{complaints:?}"
    );
}

#[tokio::test]
async fn a_document_is_uploaded_searched_looked_at_and_deleted() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.follow("nav.nav a[href='/documents']").await;
    tab.until_text("main", "No document yet").await;
    look(&tab, "no document").await;
    choose(&tab, "rules.md", "# Rules\n\nThe crane stops at night.\n").await;
    tab.fill("#folder", "handbook").await;
    tab.click("main form[data-progress] button").await;
    tab.until_text("#notices", "The document is stored.").await;
    // The list renews itself until the document was read.
    tab.until_text("#documents", "searchable").await;
    look(&tab, "a list of documents").await;
    choose(&tab, "rules.md", "another").await;
    tab.fill("#folder", "handbook").await;
    tab.click("main form[data-progress] button").await;
    tab.until_text(
        "#notices",
        "There is a document at handbook/rules.md already.",
    )
    .await;
    let complaints = tab.complaints().await;
    assert!(
        complaints.iter().all(|one| one.contains("status of 422")),
        "{complaints:?}"
    );
    look(&tab, "a refused document").await;
    choose(&tab, "scan.png", "\u{0}\u{1}").await;
    tab.click("main form[data-progress] button").await;
    tab.until_text("#documents", "This kind of file is not read.")
        .await;
    look(&tab, "a failed document").await;
    tab.fill("#query", "cranes stopped").await;
    tab.follow("form.search button").await;
    tab.until_text("#found", "The crane stops at night.").await;
    look(&tab, "documents that were found").await;
    tab.follow("#found a").await;
    tab.until_text("#text", "The crane stops at night.").await;
    look(&tab, "a document").await;
    tab.follow("form[action$='/reindex'] button").await;
    tab.until_text("#notices", "It is read again.").await;
    tab.click("[data-dialog='delete']").await;
    tab.follow("#delete .destructive").await;
    assert_eq!(tab.path().await, "/documents");
    tab.until_text("#notices", "The document is deleted").await;
    assert!(!has(&tab, "handbook/rules.md").await);
    assert_eq!(tab.complaints().await, NOTHING);
}

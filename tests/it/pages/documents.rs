//! Documents in the pages: uploaded, searched, looked at, deleted.

use super::looks::look;
use super::*;
use crate::outside::{drafts_of_documents, until};
use quaymaster_tests::Person;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// For what comes soon, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

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

/// Uploads a file of this name that is too large for the form, into the folder `birds`.
async fn send_large(tab: &Tab, name: &str) {
    let name = json!(name);
    let page = format!(
        "'<!doctype html><!--' + 'x'.repeat({}) + '--><p>The avocet nests.'",
        33 << 20
    );
    tab.value(&format!(
        "(() => {{ const chosen = new DataTransfer();
            chosen.items.add(new File([{page}], {name}));
            document.getElementById('file').files = chosen.files; return true; }})()"
    ))
    .await;
    tab.fill("#folder", "birds").await;
    tab.click("main form[data-progress] button").await;
}

async fn trickle(streams: &mut [TcpStream]) -> std::io::Result<()> {
    for stream in streams {
        stream.write_all(b"#").await?;
    }
    Ok(())
}

/// As many documents on their way in as an organization may have at a time, until the task is aborted.
async fn take_all_places(server: &Server, key: &str) -> JoinHandle<()> {
    let host = server.url.strip_prefix("http://").unwrap();
    let mut held = Vec::new();
    for n in 0..4 {
        let head = format!(
            "POST /api/v1/documents?path=slow{n}.md HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\nContent-Length: 1000\r\n\r\n"
        );
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        held.push(stream);
    }
    let trickling = tokio::spawn(async move {
        while trickle(&mut held).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    until("they arrive", || {
        drafts_of_documents(server.data.path()).len() >= 4
    })
    .await;
    trickling
}

#[tokio::test]
async fn a_document_that_is_too_large_for_its_form_goes_in_parts() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.open(&format!("{}/documents", server.url)).await;
    send_large(&tab, "large.html").await;
    tab.until_text("#notices", "The document is stored.").await;
    tab.until_text("#documents", "searchable").await;
    tab.until_text("#documents", "birds/large.html").await;
    assert_eq!(tab.path().await, "/documents");
    send_large(&tab, "large.html").await;
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
async fn a_document_in_parts_waits_while_too_many_others_arrive() {
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.open(&format!("{}/documents", server.url)).await;
    let others = take_all_places(&server, &key).await;
    send_large(&tab, "large.html").await;
    let late = Instant::now() + PATIENCE;
    loop {
        let complaints = tab.complaints().await;
        if complaints.iter().any(|one| one.contains("status of 429")) {
            break;
        }
        assert_eq!(complaints, NOTHING);
        assert!(Instant::now() < late, "it was not asked to wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    others.abort();
    tab.until_text("#notices", "The document is stored.").await;
    tab.until_text("#documents", "birds/large.html").await;
    let complaints = tab.complaints().await;
    assert!(
        complaints.iter().all(|one| one.contains("status of 429")),
        "{complaints:?}"
    );
}

#[tokio::test]
async fn what_was_sent_stays_when_a_document_cannot_be_completed_for_the_moment() {
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let csrf = person.get("/documents").await.form("/sign-out");
    let about = [("name", "a.md"), ("size", "3")];
    let begun = person.send("/documents/uploads", &csrf, &about).await;
    let begun: Value = serde_json::from_str(&begun.html).unwrap();
    let part = begun["part"].as_str().unwrap().replace("{n}", "0");
    let put = reqwest::Client::new()
        .put(format!("{}{part}", server.url))
        .body("abc");
    assert_eq!(put.send().await.unwrap().status(), 200);
    let others = take_all_places(&server, &key).await;
    let complete = begun["complete"].as_str().unwrap();
    assert_eq!(person.send(complete, &csrf, &about).await.status, 429);
    let uploads = "/api/v1/documents/uploads";
    let (_, open) = server.rest(&key, "GET", uploads, None).await;
    assert_eq!(open["uploads"][0]["receivedBytes"], 3, "{open}");
    others.abort();
    let late = Instant::now() + PATIENCE;
    let done = loop {
        let answer = person.send(complete, &csrf, &about).await;
        if answer.status != 429 {
            break answer;
        }
        assert!(Instant::now() < late, "no place becomes free");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!((done.status, done.path.as_str()), (200, "/documents"));
    let rows = done.texts("#documents tbody tr");
    assert!(rows.iter().any(|row| row.contains("a.md")), "{rows:?}");

    // What does not pass ends the session: nobody goes on with it from a page.
    let begun = person.send(
        "/documents/uploads",
        &csrf,
        &[("name", "b.md"), ("size", "3")],
    );
    let begun: Value = serde_json::from_str(&begun.await.html).unwrap();
    let complete = begun["complete"].as_str().unwrap();
    assert_eq!(person.send(complete, &csrf, &about).await.status, 422);
    let (_, open) = server.rest(&key, "GET", uploads, None).await;
    assert_eq!(open["total"], 0, "{open}");
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

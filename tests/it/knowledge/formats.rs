//! Documents that different programs made.

use super::*;
use quaymaster_tests::script::{python, script_path};
use std::path::Path;
use tempfile::TempDir;
use tokio::process::Command;

/// Runs a program that must succeed.
async fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) {
    let done = Command::new(program)
        .args(arguments)
        .output()
        .await
        .unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stderr)
    );
}

async fn print_to_pdf(directory: &Path) {
    let page = directory.join("page.html");
    let html = "<h1>Printed page</h1><p>The kittiwake manifest lists every container.</p>";
    std::fs::write(&page, html).unwrap();
    let to = format!(
        "--print-to-pdf={}",
        directory.join("chromium.pdf").display()
    );
    let profile = format!("--user-data-dir={}", directory.join("profile").display());
    let page = format!("file://{}", page.display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        &profile,
        &to,
        &page,
    ];
    run("chromium", &arguments).await;
}

#[tokio::test]
async fn documents_of_several_programs_give_their_text_or_say_why_not() {
    let directory = TempDir::new().unwrap();
    let folder = directory.path().to_str().unwrap();
    run(python(), &[&script_path("documents.py"), folder]).await;
    print_to_pdf(directory.path()).await;
    let latin = b"K\xf6ln liegt am Rhein, und die M\xf6we fliegt \xfcber das Wasser.";
    std::fs::write(directory.path().join("latin.txt"), latin).unwrap();
    std::fs::write(directory.path().join("list.csv"), "ship,berth\nskua,7\n").unwrap();
    // What it is stands in its bytes, whatever its name says.
    std::fs::copy(
        directory.path().join("word.docx"),
        directory.path().join("renamed.txt"),
    )
    .unwrap();
    std::fs::write(
        directory.path().join("page2.html"),
        "<!doctype html><html><head><title>T</title><script>var osprey</script></head><body><h2>Locks</h2><p>The <b>plover</b> lock&nbsp;opens.</p></body></html>",
    )
    .unwrap();
    let Desk { server, key, mcp } = Desk::open(Database::Sqlite).await;
    for (name, words, heading) in [
        (
            "word.docx",
            "Lanterns of kind albatross burn from dusk. Grüße & <signs>.",
            "Quay rules > Night shift",
        ),
        ("word.docx", "Seven | 12 m", "Quay rules > Night shift"),
        ("renamed.txt", "first point", "Quay rules > Night shift"),
        ("excel.xlsx", "2026-03-14 | 4.25 | bittern", "Tides"),
        ("excel.xlsx", "cormorant | TRUE", "Crew & co"),
        (
            "slides.pptx",
            "Dredge the dunlin channel",
            "Slide 1: Harbour plan",
        ),
        (
            "slides.pptx",
            "Notes: Mention the egret",
            "Slide 1: Harbour plan",
        ),
        (
            "reportlab.pdf",
            "The fulmar crane lifts forty tonnes.",
            "Page 1",
        ),
        (
            "reportlab.pdf",
            "On the second page stands a gannet.",
            "Page 2",
        ),
        (
            "printable.pdf",
            "The fulmar crane lifts forty tonnes.",
            "Page 1",
        ),
        (
            "fpdf.pdf",
            "Mooring lines of the heron class are checked",
            "Page 1",
        ),
        (
            "chromium.pdf",
            "The kittiwake manifest lists every container.",
            "Page 1",
        ),
        ("page2.html", "The plover lock opens.", "Locks"),
        ("latin.txt", "Köln liegt am Rhein, und die Möwe", ""),
        ("list.csv", "skua,7", "ship,berth"),
    ] {
        let bytes = std::fs::read(directory.path().join(name)).unwrap();
        let about = format!("path={name}&replace=true");
        let (_, made) = upload(&server, &key, &about, bytes).await;
        let document = settled(&server, &key, made["document"]["id"].as_str().unwrap()).await;
        assert_eq!(document["state"], "indexed", "{document}");
        let path = format!("{DOCUMENTS}/{}/chunks", document["id"].as_str().unwrap());
        let (_, chunks) = server.rest(&key, "GET", &path, None).await;
        let chunks = chunks["chunks"].as_array().unwrap();
        let chunk = chunks
            .iter()
            .find(|one| one["text"].as_str().unwrap().contains(words));
        let chunk = chunk.unwrap_or_else(|| panic!("{words:?} is not in {name}: {chunks:?}"));
        assert_eq!(chunk["heading"], heading, "{name}");
        assert!(!document.to_string().contains("osprey"));
    }
    let results = found(&mcp, "albatross lantern").await;
    assert_eq!(results.len(), 2, "{results:?}");
    assert_eq!(found(&mcp, "osprey").await.len(), 0);
    for (name, reason) in [
        ("scan.pdf", "no_text"),
        ("locked.pdf", "encrypted"),
        ("locked.docx", "encrypted"),
    ] {
        let bytes = std::fs::read(directory.path().join(name)).unwrap();
        let document = add(&server, &key, name, bytes).await;
        let told = (document["state"].as_str(), document["reason"].as_str());
        assert_eq!(told, (Some("failed"), Some(reason)), "{document}");
        assert!(document["explanation"].as_str().unwrap().len() > 20);
        let uri = format!("drive://{}", document["id"].as_str().unwrap());
        let answer = mcp.request("resources/read", json!({ "uri": uri })).await;
        assert_eq!(answer["error"]["data"]["code"], "NOT_TEXT", "{answer}");
    }
}

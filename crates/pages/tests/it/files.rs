use axum::http::StatusCode;
use quaymaster_pages::FILE_SECURITY_POLICY;
use serde_json::json;

use crate::server::{Browser, Server};

/// What no name, text or picture may become on a page.
const HOSTILE: &str = "<script>alert(1)</script>";

async fn write(server: &Server, path: &str, content: &str) {
    let args = json!({ "path": path, "content": content, "create_parents": true });
    server
        .call(&server.token, "write_file", args)
        .await
        .unwrap();
}

async fn read(server: &Server, path: &str) -> String {
    let args = json!({ "path": path, "line_numbers": false });
    let read = server.call(&server.token, "read_file", args).await.unwrap();
    read["content"].as_str().unwrap().to_owned()
}

/// Opens the form of a file and sends it with this text.
async fn save(
    browser: &mut Browser<'_>,
    base: &str,
    path: &str,
    etag: &str,
    text: &str,
) -> StatusCode {
    let fields = [
        ("path", path),
        ("etag", etag),
        ("encoding", "utf-8"),
        ("text", text),
    ];
    browser
        .submit(&format!("{base}/edit"), &fields)
        .await
        .status
}

#[tokio::test]
async fn a_directory_leads_to_its_files_and_back() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let base = format!("{}/files", server.workspace_path());
    assert!(
        owner
            .get(&base)
            .await
            .text("#entries")
            .contains("Nothing here yet")
    );
    write(&server, "reports/2026/a b&c.md", "# One\n\n    two\n").await;
    write(&server, &format!("{HOSTILE}.txt").replace('/', ""), HOSTILE).await;
    let root = owner.get(&base).await;
    assert_eq!(root.status, StatusCode::OK);
    assert!(!root.body.contains(HOSTILE));
    let reports = root.addresses("#entries th a")[0].clone();
    let year = owner.get(&reports).await.addresses("#entries th a")[0].clone();
    let page = owner.get(&year).await;
    assert_eq!(page.text(".path [aria-current]"), "2026");
    assert_eq!(page.text("#entries th a"), "a b&c.md");
    let file = owner.get(&page.addresses("#entries th a")[0]).await;
    assert_eq!(file.text("h1"), "a b&c.md");
    let numbers = file.attribute(".lines tr:last-child .line-number", "data-number");
    assert_eq!(numbers.as_deref(), Some("3"));
    assert!(file.body.contains("<pre>    two</pre>"), "{}", file.body);
    let back = file.addresses(".crumb a:last-child")[0].clone();
    assert_eq!(back, year);
    for wrong in [
        "?path=..",
        "?path=no/such",
        "/view?path=none",
        "/view?path=../../key",
        "/raw?path=/etc/../..",
    ] {
        let page = owner.get(&format!("{base}{wrong}")).await;
        assert!(page.status.is_client_error(), "{wrong}: {}", page.status);
    }
    // A directory at the address of a file is shown as what it is.
    let moved = owner.get(&format!("{base}/view?path=reports")).await;
    assert_eq!(moved.location(), format!("{base}?path=reports"));
}

#[tokio::test]
async fn nothing_that_somebody_wrote_runs_in_the_browser() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let base = format!("{}/files", server.workspace_path());
    let svg = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    for (name, content) in [
        ("a.html", HOSTILE),
        ("a.svg", svg),
        ("a.png", HOSTILE),
        ("a.js", "alert(1)"),
    ] {
        write(&server, name, content).await;
        let raw = owner.get(&format!("{base}/raw?path={name}")).await;
        assert_eq!(raw.status, StatusCode::OK);
        assert_eq!(
            raw.header("content-type"),
            "application/octet-stream",
            "{name}"
        );
        assert!(
            raw.header("content-disposition").starts_with("attachment;"),
            "{name}"
        );
        assert_eq!(raw.header("content-security-policy"), FILE_SECURITY_POLICY);
        assert_eq!(raw.header("x-content-type-options"), "nosniff");
        assert_eq!(raw.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(raw.body, content);
        let page = owner.get(&format!("{base}/view?path={name}")).await;
        assert!(
            !page.body.contains(content) || !content.contains('<'),
            "{name}"
        );
        assert!(page.attribute("#contents img", "src").is_none(), "{name}");
    }
    // The smallest picture there is: by its bytes, whatever it is called.
    let gif = "R0lGODlhAQABAAAAACwAAAAAAQABAAAC";
    let args = json!({ "path": "x;y\"z.html", "content": gif, "encoding": "base64" });
    server
        .call(&server.token, "write_file", args)
        .await
        .unwrap();
    let page = owner.get(&format!("{base}/view?path=x%3By%22z.html")).await;
    let raw = page.attribute("#contents img", "src").unwrap();
    let download = format!("{raw}&download=yes");
    let raw = owner.get(&raw).await;
    assert_eq!(raw.header("content-type"), "image/gif");
    assert_eq!(raw.header("content-disposition"), "inline");
    let saved = owner.get(&download).await;
    assert_eq!(
        saved.header("content-disposition"),
        "attachment; filename*=UTF-8''x%3By%22z.html"
    );
}

#[tokio::test]
async fn an_edit_keeps_line_ends_and_never_another_change() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let base = format!("{}/files", server.workspace_path());
    write(&server, "a.txt", "\r\none\r\ntwo\r\n").await;
    let form = owner.get(&format!("{base}/edit?path=a.txt")).await;
    // A line end behind the tag is dropped by browsers, so there is one more.
    assert!(
        form.body.contains(">\n\r\none\r\ntwo\r\n</textarea>"),
        "{}",
        form.body
    );
    let etag = form.attribute("input[name=etag]", "value").unwrap();
    let saved = save(&mut owner, &base, "a.txt", &etag, "\r\none\r\nthree\r\n").await;
    assert_eq!(saved, StatusCode::SEE_OTHER);
    assert_eq!(read(&server, "a.txt").await, "\r\none\r\nthree\r\n");
    // Once more from the old form: refused, with what was typed and a way to go on.
    let fields = [
        ("path", "a.txt"),
        ("etag", &*etag),
        ("encoding", "utf-8"),
        ("text", "mine"),
    ];
    let stale = owner.submit(&format!("{base}/edit"), &fields).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(stale.text("textarea"), "mine");
    assert!(
        stale
            .text("#text-error")
            .contains("changed the file meanwhile")
    );
    assert_eq!(read(&server, "a.txt").await, "\r\none\r\nthree\r\n");
    let present = stale.attribute("input[name=etag]", "value").unwrap();
    assert_eq!(
        save(&mut owner, &base, "a.txt", &present, "mine").await,
        StatusCode::SEE_OTHER
    );
    assert_eq!(read(&server, "a.txt").await, "mine");
    for etag in ["", "*x", "sha256:00"] {
        let status = save(&mut owner, &base, "a.txt", etag, "lost").await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{etag:?}");
    }
    assert_eq!(read(&server, "a.txt").await, "mine");
    write(&server, "large.txt", &"long line ".repeat(30_000)).await;
    let large = owner.get(&format!("{base}/edit?path=large.txt")).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    let view = owner.get(&format!("{base}/view?path=large.txt")).await;
    assert_eq!(view.status, StatusCode::OK);
    assert!(!view.body.contains("/edit?"), "too large to edit here");
}

#[tokio::test]
async fn a_text_that_a_form_would_change_is_not_edited_here_and_the_page_says_why() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let base = format!("{}/files", server.workspace_path());
    // UTF-16, in which NUL is a character like others and not the sign of a program.
    let nul = "//5hAAAAYgAKAA==";
    for (name, content, encoding, why) in [
        (
            "mixed.txt",
            "one\r\ntwo\nthree\n",
            "utf-8",
            "different ways",
        ),
        ("lone.txt", "one\rtwo\n", "utf-8", "carriage returns"),
        ("both.txt", "one\r\r\ntwo\r\n", "utf-8", "carriage returns"),
        ("nul.txt", nul, "base64", "NUL"),
    ] {
        let args = json!({
            "path": name, "content": content, "encoding": encoding, "eol": "as_is",
        });
        server
            .call(&server.token, "write_file", args)
            .await
            .unwrap();
        let page = owner.get(&format!("{base}/view?path={name}")).await;
        assert_eq!(page.status, StatusCode::OK, "{name}");
        assert!(!page.body.contains("/edit?"), "{name}");
        assert!(
            page.text("#not-edited").contains(why),
            "{name}: {}",
            page.text("main")
        );
        let form = owner.get(&format!("{base}/edit?path={name}")).await;
        assert_eq!(form.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(
            form.text("main").contains(why),
            "{name}: {}",
            form.text("main")
        );
    }
    // All of one kind go through a form, and so does the last line without an end.
    for (name, content) in [("lf.txt", "one\ntwo"), ("crlf.txt", "one\r\ntwo\r\n")] {
        write(&server, name, content).await;
        let page = owner.get(&format!("{base}/view?path={name}")).await;
        assert!(page.body.contains("/edit?"), "{name}");
        assert_eq!(page.text("#not-edited"), "", "{name}");
    }
}

#[tokio::test]
async fn a_text_that_cannot_be_stored_stays_in_the_form() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let base = format!("{}/files", server.workspace_path());
    // Of one megabyte, two thirds.
    write(&server, "large.txt", &"0123456\n".repeat(90_000)).await;
    write(&server, "a.txt", "one\n").await;
    let form = owner.get(&format!("{base}/edit?path=a.txt")).await;
    let etag = form.attribute("input[name=etag]", "value").unwrap();
    let typed = "much more\n".repeat(50_000);
    let fields = [
        ("path", "a.txt"),
        ("etag", &*etag),
        ("encoding", "utf-8"),
        ("text", &*typed),
    ];
    let again = owner.submit(&format!("{base}/edit"), &fields).await;
    assert_eq!(again.status, StatusCode::INSUFFICIENT_STORAGE);
    assert!(!again.text("#text-error").is_empty());
    assert!(again.body.contains(&typed), "what was typed is there");
    assert_eq!(read(&server, "a.txt").await, "one\n");
}

#[tokio::test]
async fn files_are_made_moved_deleted_and_restored() {
    let server = Server::start().await;
    let mut member = {
        server.owner().await;
        server.member().await
    };
    let base = format!("{}/files", server.workspace_path());
    let made = member
        .submit(&format!("{base}/directory"), &[("path", ""), ("name", "a")])
        .await;
    assert_eq!(made.location(), format!("{base}?path=a"));
    let made = member
        .submit(&format!("{base}/new"), &[("path", "a"), ("name", "b.md")])
        .await;
    assert_eq!(made.location(), format!("{base}/edit?path=a/b.md"));
    for (verb, name, field) in [
        ("new", "b.md", "#new-file-error"),
        ("new", "../../x", "#new-file-error"),
        ("new", "", "#new-file-error"),
        ("directory", "b.md", "#new-directory-error"),
    ] {
        let again = member
            .submit(&format!("{base}/{verb}"), &[("path", "a"), ("name", name)])
            .await;
        assert_eq!(
            again.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{verb} {name}"
        );
        assert!(!again.text(field).is_empty(), "{verb} {name}");
    }
    let fields = [("path", "a/b.md"), ("to", "../c.md")];
    let again = member.submit(&format!("{base}/move"), &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!again.text("#rename-error").is_empty());
    let fields = [("path", "a/b.md"), ("to", "c/d.md")];
    let moved = member.submit(&format!("{base}/move"), &fields).await;
    assert_eq!(moved.location(), format!("{base}/view?path=c/d.md"));
    let gone = member
        .submit(&format!("{base}/delete"), &[("path", "c")])
        .await;
    assert_eq!(gone.location(), base);
    let overview = member.get(&server.workspace_path()).await;
    assert!(overview.text("#trash").contains("c/"));
    let item = overview
        .attribute("#trash input[name=item]", "value")
        .unwrap();
    let path = format!("{}/trash/restore", server.workspace_path());
    member.submit(&path, &[("item", &item)]).await;
    assert_eq!(read(&server, "c/d.md").await, "");
    let mut owner = server.browser();
    owner.sign_in("owner@example.com").await;
    let changes = owner
        .get("/activity/changes?action=file")
        .await
        .text("#changes");
    for action in [
        "file.written",
        "file.moved",
        "file.deleted",
        "file.directory_created",
    ] {
        assert!(changes.contains(action), "{action}: {changes}");
    }
}

#[tokio::test]
async fn another_organizations_files_are_not_there() {
    let server = Server::start().await;
    server.owner().await;
    write(&server, "a.txt", "ours").await;
    let (mut stranger, _) = server.stranger().await;
    let base = format!("{}/files", server.workspace_path());
    for path in [
        "",
        "/view?path=a.txt",
        "/raw?path=a.txt",
        "/edit?path=a.txt",
    ] {
        let page = stranger.get(&format!("{base}{path}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    for (verb, fields) in [
        ("edit", [("path", "a.txt"), ("etag", "*")]),
        ("new", [("path", ""), ("name", "b.txt")]),
        ("directory", [("path", ""), ("name", "b")]),
        ("move", [("path", "a.txt"), ("to", "b.txt")]),
        ("delete", [("path", "a.txt"), ("etag", "")]),
    ] {
        let page = stranger.submit(&format!("{base}/{verb}"), &fields).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{verb}");
    }
    assert_eq!(read(&server, "a.txt").await, "ours");
}

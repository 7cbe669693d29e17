use axum::http::StatusCode;
use serde_json::json;

use crate::server::{Browser, Server};

const DAY: i64 = 86_400;

/// The address of the link with this text.
async fn link(browser: &mut Browser<'_>, path: &str, css: &str) -> String {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
    let addresses = page.addresses(css);
    assert_eq!(addresses.len(), 1, "{css} on {path}");
    addresses[0].clone()
}

#[tokio::test]
async fn who_called_what_yesterday_is_two_clicks_from_home() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap();
    server.wait_seconds(DAY);
    let args = json!({ "path": "no.txt" });
    server
        .call(&server.token, "read_file", args)
        .await
        .unwrap_err();
    let activity = link(&mut owner, "/", ".nav a[href='/activity']").await;
    let yesterday = link(&mut owner, &activity, ".presets a:nth-child(3)").await;
    let page = owner.get(&yesterday).await;
    assert_eq!(page.text(".presets [aria-current]"), "Yesterday");
    let rows = page.text("#calls tbody");
    assert!(rows.starts_with("list_files OK Default token"), "{rows}");
    assert!(!rows.contains("read_file"), "{rows}");
    let today = link(&mut owner, &activity, ".presets a:nth-child(2)").await;
    let rows = owner.get(&today).await.text("#calls tbody");
    assert!(rows.starts_with("read_file NOT_FOUND"), "{rows}");
    assert!(!rows.contains("list_files"), "{rows}");
}

#[tokio::test]
async fn a_filter_shows_what_fits_and_pages_skip_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    for _ in 0..60 {
        server
            .call(&server.token, "list_files", json!({}))
            .await
            .unwrap();
    }
    let args = json!({ "path": "no.txt" });
    server
        .call(&server.token, "read_file", args)
        .await
        .unwrap_err();
    let failed = owner.get("/activity?outcome=failed").await;
    assert!(
        failed
            .text("#calls tbody")
            .starts_with("read_file NOT_FOUND")
    );
    let by_code = owner
        .get("/activity?outcome=NOT_FOUND&tool=read_file")
        .await;
    assert!(
        by_code
            .text("#calls tbody")
            .starts_with("read_file NOT_FOUND")
    );
    assert_eq!(by_code.text("#outcome [selected]"), "NOT_FOUND");
    let none = owner.get("/activity?outcome=ok&tool=read_file").await;
    assert!(none.text("#calls").starts_with("No such call"));
    // All of them began in the same microsecond, for the clock stands still.
    let first = owner.get("/activity?tool=list_files").await;
    let next = first.addresses("#calls .page-actions a");
    let second = owner.get(&next[0]).await;
    let rows = |text: String| text.matches("list_files").count();
    assert_eq!(rows(first.text("#calls tbody")), 50);
    assert_eq!(rows(second.text("#calls tbody")), 10);
    assert!(second.addresses("#calls .page-actions a").is_empty());
    for wrong in ["from=never", "credential=x", "before=1", "workspace=%27"] {
        let page = owner.get(&format!("/activity?{wrong}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn members_see_calls_and_administrators_changes_too() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap();
    let mut member = server.member().await;
    let page = member.get("/activity").await;
    assert!(page.text("#calls").contains("list_files"));
    assert!(
        page.addresses(".subnav a")
            .iter()
            .all(|href| href != "/activity/changes")
    );
    for path in ["/activity/changes", "/activity/changes/export?format=csv"] {
        assert_eq!(member.get(path).await.status, StatusCode::FORBIDDEN);
    }
    let changes = owner.get("/activity/changes?action=credential").await;
    assert!(
        changes.text("#changes").contains("credential.created"),
        "{}",
        changes.text("main")
    );
    assert!(!changes.text("#changes").contains("workspace.created"));
    // What was changed can be chosen, and nothing that never was.
    let nouns = changes.text("#action");
    assert!(
        nouns.contains("workspace") && !nouns.contains("partial"),
        "{nouns}"
    );
    let (mut stranger, _) = server.stranger().await;
    for path in ["/activity", "/usage", "/activity/export?format=csv"] {
        let page = stranger.get(path).await;
        assert!(!page.body.contains("list_files"), "{path}");
    }
}

#[tokio::test]
async fn a_file_has_every_row_and_no_formula() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    for _ in 0..520 {
        server.wait_seconds(1);
        let _ = server.call(&server.token, "list_files", json!({})).await;
    }
    server.wait_seconds(1);
    let _ = server.call(&server.token, "=1+1", json!({})).await;
    let file = owner.get("/activity/export?format=csv").await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"calls.csv\""
    );
    let lines: Vec<_> = file.body.lines().collect();
    assert_eq!(lines.len(), 522);
    assert!(lines[0].starts_with("id,started_at,tool,"), "{}", lines[0]);
    assert!(lines[1].contains(",\"'=1+1\","), "{}", lines[1]);
    let file = owner
        .get("/activity/export?format=jsonl&tool=list_files")
        .await;
    assert_eq!(file.body.lines().count(), 520);
    for line in file.body.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(
            (&row["tool"], &row["credential"]),
            (&json!("list_files"), &json!("Default token"))
        );
    }
    let wrong = owner.get("/activity/export?format=xls").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn charts_say_in_a_table_what_they_show() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let unused = owner.get("/usage").await;
    assert!(unused.text("#total").starts_with("Calls0 Failed0 0 %"));
    for path in ["a.txt", "b.txt", "c.txt"] {
        let args = json!({ "path": path });
        server
            .call(&server.token, "read_file", args)
            .await
            .unwrap_err();
    }
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap();
    for window in ["24h", "7d", "30d"] {
        let page = owner.get(&format!("/usage?window={window}")).await;
        let total = page.text("#total");
        assert!(total.starts_with("Calls4 Failed3 75.0 %"), "{total}");
        let tools = page.text("#tools tbody");
        assert!(tools.starts_with("read_file 3 3 100.0 %"), "{tools}");
        assert!(tools.contains("list_files 1 0 0.0 %"), "{tools}");
        let label = page.attribute("svg.plot", "aria-label").unwrap();
        assert!(
            label.starts_with("Calls over time: 4 in all, 3 failed"),
            "{label}"
        );
        assert!(
            page.text("#credentials tbody")
                .starts_with("Default token 4")
        );
    }
    let others = owner
        .get("/usage?workspace=ws_01arz3ndektsv4rrffq69g5fav")
        .await;
    assert!(others.text("#total").starts_with("Calls0"));
}

#[tokio::test]
async fn first_steps_tick_themselves_off_and_can_be_dismissed() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let page = owner.get("/").await;
    assert!(
        page.text("#steps").contains("0 of 4 done"),
        "{}",
        page.text("main")
    );
    server
        .call(&server.token, "list_files", json!({}))
        .await
        .unwrap();
    owner.invite("bo@example.com", "member").await;
    let page = owner.get("/").await;
    assert!(
        page.text("#steps").contains("2 of 4 done"),
        "{}",
        page.text("#steps")
    );
    assert!(page.text(".step.done").starts_with("Connect a client"));
    assert!(
        page.text("#recent tbody")
            .starts_with("list_files OK Default token")
    );
    assert!(
        page.text("#today").contains("1 call, 0 failed"),
        "{}",
        page.text("#today")
    );
    // A member has but one step, and it is done.
    let mut member = server.member().await;
    assert_eq!(member.get("/").await.text("#steps"), "");
    let done = owner.submit("/first-steps/dismiss", &[]).await;
    assert_eq!(done.location(), "/");
    assert_eq!(owner.get("/").await.text("#steps"), "");
    let changes = owner.get("/activity/changes?action=member").await;
    assert!(changes.text("#changes").contains("member.steps_dismissed"));
}

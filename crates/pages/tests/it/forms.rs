use axum::http::StatusCode;

use crate::server::Server;

#[tokio::test]
async fn a_form_without_the_token_of_its_page_changes_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, _) = server.stranger().await;
    let foreign = stranger.csrf().await;
    let actor = server.owner_actor().await;
    for csrf in ["", "0", foreign.as_str()] {
        for (path, name, value) in [
            ("/workspaces".to_owned(), "name", "new"),
            (format!("{}/cap", server.workspace_path()), "cap", "1"),
            (format!("{}/tokens", server.workspace_path()), "name", "new"),
            ("/settings".to_owned(), "organization", "New"),
            ("/settings/api-keys".to_owned(), "name", "new"),
            ("/sign-out".to_owned(), "x", ""),
        ] {
            let refused = owner.post(&path, &[("csrf", csrf), (name, value)]).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
            assert!(
                refused
                    .text("h1")
                    .starts_with("This form did not come from"),
                "{path}"
            );
        }
    }
    assert_eq!(server.app.workspaces(&actor).await.unwrap().len(), 1);
    assert_eq!(
        server.app.workspaces(&actor).await.unwrap()[0].daily_cap,
        100
    );
    let tokens = server
        .app
        .workspace_tokens(&actor, &server.workspace)
        .await
        .unwrap();
    assert_eq!(tokens.len(), 1);
    assert!(server.keys(&actor).await.is_empty());
    assert_eq!(owner.get("/").await.text(".brand"), "Harbour");
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let long = "x".repeat(65 * 1024);
    let refused = owner.submit("/settings", &[("organization", &long)]).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(owner.get("/").await.text(".brand"), "Harbour");
}

#[tokio::test]
async fn settings_are_changed_by_administrators_only() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let mut member = server.member().await;
    let refused = member
        .submit("/settings", &[("organization", "Mine")])
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let page = member.get("/settings").await;
    assert_eq!(
        page.text("#info-url"),
        "http://127.0.0.1:8080/api/v1/mcp/info"
    );
    assert!(page.attribute("#organization", "value").is_none());

    let wrong = owner.submit("/settings", &[("organization", " ")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!wrong.text("#organization-error").is_empty());
    let done = owner.submit("/settings", &[("organization", "Pier")]).await;
    assert_eq!(done.location(), "/settings");
    let page = owner.get("/settings").await;
    assert_eq!(page.text(".brand"), "Pier");
    assert_eq!(page.text("#notices"), "The organization has its new name.");
    assert_eq!(page.text("#endpoint"), "http://127.0.0.1:8080/mcp");
    for place in [
        "claude_desktop_config.json",
        "~/.cursor/mcp.json",
        "Any other client",
    ] {
        assert!(page.text("main").contains(place), "{place}");
    }
}

#[tokio::test]
async fn a_notice_comes_from_a_fixed_list() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let text = "Your account is locked".to_owned();
    owner.cookies.insert("quaymaster-notice".to_owned(), text);
    let page = owner.get("/").await;
    assert_eq!(page.text("#notices"), "");
    assert!(!page.body.contains("locked"));
}

#[tokio::test]
async fn what_people_type_is_shown_as_text() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let name = "<img src=x onerror=alert(1)>\"'&";
    owner.submit("/settings", &[("organization", name)]).await;
    let made = owner.submit("/workspaces", &[("name", name)]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    for path in ["/", "/settings", "/reference"] {
        let page = owner.get(path).await;
        assert_eq!(page.text(".brand"), name, "{path}");
        assert!(page.attribute("img", "src").is_none(), "{path}");
    }
}

#[tokio::test]
async fn a_text_stays_in_its_form_whatever_keeps_it_from_being_saved() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    // Somebody deleted the connector, or the note, meanwhile.
    let source = [("source", "key: kept\n")];
    let page = owner.submit("/connectors/own/gone", &source).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("key: kept"), "{}", page.body);
    let note = [
        ("path", "no/such.md"),
        ("content", "kept words"),
        ("etag", "sha256:00"),
    ];
    let page = owner.submit("/memory/file", &note).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("kept words"), "{}", page.body);
}

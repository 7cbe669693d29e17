use axum::http::StatusCode;
use serde_json::json;

use crate::connecting::{Client, LOCAL, WEB, parameter};
use crate::server::{PASSWORD, Server};

fn authorize(query: &str) -> String {
    format!("/authorize?{query}")
}

async fn nothing_is_connected(server: &Server) -> bool {
    let actor = server.owner_actor().await;
    let clients = server.app.connected_clients(&actor, &server.workspace);
    clients.await.unwrap().is_empty()
}

#[tokio::test]
async fn whoever_signs_in_with_a_password_comes_back_to_the_whole_question() {
    let server = Server::start().await;
    server.owner().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let wanted = authorize(&client.query(&[("more", &"%&+ ".repeat(500))]));
    assert!(wanted.len() > 5_000, "{}", wanted.len());
    let mut browser = server.browser();
    let asked = browser.get(&wanted).await;
    assert!(asked.location().starts_with("/sign-in?next=/authorize%3F"));
    let page = browser.get(asked.location()).await;
    let next = page.attribute("input[name=next]", "value").unwrap();
    assert_eq!(next, wanted);
    let fields = [
        ("email", "owner@example.com"),
        ("password", PASSWORD),
        ("next", &next),
    ];
    assert_eq!(browser.post("/sign-in", &fields).await.location(), wanted);
    assert_eq!(browser.get(&wanted).await.text("h1"), "Connect a client");
}

#[tokio::test]
async fn whoever_signs_in_first_by_a_link_says_who_they_are_and_comes_back() {
    let server = Server::start().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let wanted = authorize(&client.query(&[]));
    let mut browser = server.browser();
    let asked = browser.get(&wanted).await;
    browser.get(asked.location()).await;
    let signed_in = browser.post(&server.link, &[]).await;
    // A cookie has no semicolon, and a query does not mind.
    let kept = signed_in.location().to_owned();
    assert_eq!(parameter(&kept, "state"), parameter(&wanted, "state"));
    let welcome = browser.get(&kept).await.location().to_owned();
    let page = browser.get(&welcome).await;
    let next = page.attribute("input[name=next]", "value").unwrap();
    assert_eq!(next, kept);
    let wrong = [("name", ""), ("next", &*next)];
    let again = browser.submit("/welcome", &wrong).await;
    assert_eq!(again.attribute("input[name=next]", "value").unwrap(), next);
    let right = [
        ("name", "A person"),
        ("email", "owner@example.com"),
        ("password", PASSWORD),
        ("organization", "Harbour"),
        ("next", &next),
    ];
    let done = browser.submit("/welcome", &right).await;
    assert_eq!(done.location(), kept);
    assert_eq!(browser.get(&kept).await.text("h1"), "Connect a client");
    assert!(!browser.cookies.contains_key("quaymaster-next"));
}

#[tokio::test]
async fn a_way_back_leads_to_no_other_host_and_is_kept_for_one_sign_in() {
    let server = Server::start().await;
    let mut browser = server.browser();
    for next in ["//evil.example", "https://evil.example/", "/\\evil.example"] {
        browser
            .cookies
            .insert("quaymaster-next".to_owned(), next.to_owned());
        let actor = server.owner_actor().await;
        let link = server.app.create_sign_in_link(&actor.org, &actor.user);
        let link = secrecy::ExposeSecret::expose_secret(&link.await.unwrap()).to_owned();
        let (_, path) = link.split_once("8080").unwrap();
        assert_eq!(browser.post(path, &[]).await.location(), "/", "{next}");
        assert!(!browser.cookies.contains_key("quaymaster-next"));
        browser.cookies.clear();
    }
    server.owner().await;
    browser.get("/sign-in?next=/settings").await;
    assert_eq!(browser.cookies["quaymaster-next"], "/settings");
    let fields = [("email", "owner@example.com"), ("password", PASSWORD)];
    assert_eq!(browser.post("/sign-in", &fields).await.location(), "/");
    assert!(!browser.cookies.contains_key("quaymaster-next"));
}

#[tokio::test]
async fn somebody_else_can_sign_in_and_comes_back() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let wanted = authorize(&client.query(&[]));
    let page = owner.get(&wanted).await;
    let css = "form[action='/sign-out'] input[name=next]";
    let next = page.attribute(css, "value").unwrap();
    assert_eq!(next, wanted);
    let out = owner.submit("/sign-out", &[("next", &next)]).await;
    assert_eq!(out.location(), wanted);
    let sign_in = owner.get(out.location()).await;
    assert!(
        sign_in
            .location()
            .starts_with("/sign-in?next=/authorize%3F")
    );
    let page = owner.get(sign_in.location()).await;
    assert_eq!(page.text("#notices"), "You are signed out.");
    let next = page.attribute("input[name=next]", "value").unwrap();
    assert_eq!(next, wanted);
}

#[tokio::test]
async fn the_page_says_who_asks_and_where_the_answer_goes() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let name = "<b>Claude</b>";
    for (redirect, wanted) in [
        (WEB, "client.example Allow only if you use this site."),
        (LOCAL, "A program on this computer"),
        (
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "A program that opens cursor: addresses",
        ),
    ] {
        let client = Client::registered(&server, name, redirect);
        let page = owner.get(&authorize(&client.query(&[]))).await;
        assert_eq!(page.status, StatusCode::OK);
        let text = page.text("main");
        assert!(
            text.contains("<b>Claude</b> asks to use the files of a workspace of Harbour."),
            "{text}"
        );
        assert!(
            text.contains("This name is what the program says of itself."),
            "{text}"
        );
        assert!(text.contains("Signed in as owner@example.com"), "{text}");
        assert_eq!(page.text("#destination"), wanted);
        let warns = page.text(".notice.warning");
        assert_eq!(warns.is_empty(), redirect == WEB, "{warns}");
    }
}

#[tokio::test]
async fn the_form_of_the_page_leads_to_the_client_and_the_page_stands_in_no_frame() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", WEB);
    let page = owner.get(&authorize(&client.query(&[]))).await;
    let again = client.allow(&mut owner, &[("workspace", "")]).await;
    let usual = quaymaster_pages::CONTENT_SECURITY_POLICY;
    let wanted = usual.replace("form-action 'self'; ", "");
    assert!(wanted.contains("frame-ancestors 'none'") && wanted != usual);
    for page in [page, again] {
        assert_eq!(page.header("content-security-policy"), wanted);
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("cache-control"), "no-store");
        // A client may have opened it in a window, and waits for what that says.
        assert_eq!(page.header("cross-origin-opener-policy"), "");
    }
    for path in ["/settings", "/sign-in", "/authorize?client_id=x"] {
        let page = owner.get(path).await;
        assert_eq!(page.header("content-security-policy"), usual, "{path}");
    }
}

#[tokio::test]
async fn allowing_leads_to_the_client_with_a_code_for_that_workspace() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let page = owner.get(&authorize(&client.query(&[]))).await;
    let only = page.attribute("input[name=workspace][checked]", "value");
    let only = only.unwrap();
    assert_eq!(only, server.workspace.as_str());
    assert!(page.attribute("#write", "checked").is_some());

    let fields = [("workspace", &*only), ("write", "yes")];
    let allowed = client.allow(&mut owner, &fields).await;
    assert_eq!(allowed.status, StatusCode::SEE_OTHER);
    assert_eq!(allowed.header("cache-control"), "no-store");
    let location = allowed.location();
    assert!(
        location.starts_with(&format!("{LOCAL}?code=")),
        "{location}"
    );
    assert_eq!(parameter(location, "state").unwrap(), "s t&a%te;,\"");
    assert_eq!(parameter(location, "iss").unwrap(), "http://127.0.0.1:8080");
    let code = parameter(location, "code").unwrap();
    let token = client.exchange(&code).await;
    let file = json!({ "path": "a.txt", "content": "a" });
    server.call(&token, "write_file", file).await.unwrap();
    let files = server.call(&server.token, "list_files", json!({})).await;
    assert!(files.unwrap().to_string().contains("a.txt"));
}

#[tokio::test]
async fn without_the_tick_the_client_only_reads() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let token = client.connect(&mut owner, false).await;
    server.call(&token, "list_files", json!({})).await.unwrap();
    let file = json!({ "path": "a.txt", "content": "a" });
    server.call(&token, "write_file", file).await.unwrap_err();
}

#[tokio::test]
async fn a_client_that_asks_to_read_is_offered_no_more() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Reader", LOCAL);
    let query = client.query(&[("scope", "read:tools")]);
    let page = owner.get(&authorize(&query)).await;
    assert!(page.attribute("#read", "checked").is_some());
    assert!(page.attribute("#write", "type").is_none());
    // A field that the page does not have gives nothing more.
    let workspace = server.workspace.to_string();
    let fields = [
        ("query", &*query),
        ("answer", "allow"),
        ("workspace", &workspace),
        ("write", "yes"),
    ];
    let allowed = owner.submit("/authorize", &fields).await;
    let code = parameter(allowed.location(), "code").unwrap();
    let token = client.exchange(&code).await;
    let file = json!({ "path": "a.txt", "content": "a" });
    server.call(&token, "write_file", file).await.unwrap_err();
}

#[tokio::test]
async fn a_client_that_asks_to_write_only_gets_that_or_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Writer", LOCAL);
    let query = client.query(&[("scope", "write:tools")]);
    let page = owner.get(&authorize(&query)).await;
    assert!(page.attribute("#read", "type").is_none());
    let workspace = server.workspace.to_string();
    let fields = [
        ("query", &*query),
        ("answer", "allow"),
        ("workspace", &workspace),
    ];
    let again = owner.submit("/authorize", &fields).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!again.text("#access-error").is_empty());
    assert!(again.attribute("#write", "checked").is_none());
}

#[tokio::test]
async fn cancelling_tells_the_client_and_connects_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", WEB);
    let query = client.query(&[]);
    let fields = [("query", &*query), ("answer", "cancel")];
    let denied = owner.submit("/authorize", &fields).await;
    assert_eq!(denied.status, StatusCode::SEE_OTHER);
    let location = denied.location();
    assert!(location.starts_with(WEB), "{location}");
    assert_eq!(parameter(location, "error").unwrap(), "access_denied");
    assert_eq!(parameter(location, "state").unwrap(), "s t&a%te;,\"");
    assert_eq!(parameter(location, "iss").unwrap(), "http://127.0.0.1:8080");
    assert_eq!(parameter(location, "code"), None);
    assert!(nothing_is_connected(&server).await);
}

#[tokio::test]
async fn opening_the_page_grants_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let csrf = owner.csrf().await;
    let workspace = server.workspace.to_string();
    let query = client.query(&[
        ("answer", "allow"),
        ("workspace", &workspace),
        ("csrf", &csrf),
        ("write", "yes"),
    ]);
    for answer in [
        owner.get(&authorize(&query)).await,
        owner.head(&authorize(&query)).await,
    ] {
        assert_eq!((answer.status, answer.location()), (StatusCode::OK, ""));
    }
}

#[tokio::test]
async fn a_form_of_another_page_or_person_grants_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, _) = server.stranger().await;
    let foreign = stranger.csrf().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let query = client.query(&[]);
    let workspace = server.workspace.to_string();
    for answer in ["allow", "cancel"] {
        for csrf in ["", "0", &foreign] {
            let fields = [
                ("csrf", csrf),
                ("query", &query),
                ("answer", answer),
                ("workspace", &workspace),
            ];
            let refused = owner.post("/authorize", &fields).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN);
            assert_eq!(refused.location(), "");
        }
    }
    for answer in ["", "yes", "Allow"] {
        let fields = [
            ("query", &*query),
            ("answer", answer),
            ("workspace", &workspace),
        ];
        let refused = owner.submit("/authorize", &fields).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{answer}");
    }
}

#[tokio::test]
async fn a_workspace_of_somebody_else_cannot_be_granted() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let (mut stranger, theirs) = server.stranger().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let ours = server.workspace.to_string();
    for (browser, workspace) in [(&mut owner, theirs.as_str()), (&mut stranger, &*ours)] {
        let again = client.allow(browser, &[("workspace", workspace)]).await;
        assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!again.text("#workspace-error").is_empty());
        assert!(!again.text("main").contains(workspace));
    }
    assert!(nothing_is_connected(&server).await);
}

#[tokio::test]
async fn of_several_workspaces_one_must_be_chosen() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    owner.submit("/workspaces", &[("name", "Research")]).await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let page = owner.get(&authorize(&client.query(&[]))).await;
    assert!(page.text("#workspace").starts_with("Choose the workspace"));
    assert!(
        page.attribute("input[name=workspace][checked]", "id")
            .is_none()
    );
    let again = client.allow(&mut owner, &[("write", "yes")]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!again.text("#workspace-error").is_empty());
    let token = client.connect(&mut owner, true).await;
    server.call(&token, "list_files", json!({})).await.unwrap();
}

#[tokio::test]
async fn without_a_workspace_the_page_says_how_to_make_one() {
    let server = Server::start().await;
    let (mut stranger, _) = server.stranger_without_workspace().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let query = client.query(&[]);
    let page = stranger.get(&authorize(&query)).await;
    assert_eq!(page.text(".empty h2"), "No workspace yet");
    assert_eq!(page.attribute(".empty a", "href").unwrap(), "/");
    assert!(page.attribute("button[value=allow]", "type").is_none());
    let fields = [("query", &*query), ("answer", "cancel")];
    let denied = stranger.submit("/authorize", &fields).await;
    assert!(denied.location().starts_with(LOCAL));
}

#[tokio::test]
async fn a_question_that_names_no_client_is_told_to_the_person_and_sent_nowhere() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let elsewhere = client.query(&[]).replace("%2Fcallback", "%2Felsewhere");
    for query in [
        "",
        "client_id=dcr_x.y&redirect_uri=https%3A%2F%2Fevil.example%2F",
        "client_id=https%3A%2F%2F127.0.0.1%2Fclient.json",
        &elsewhere,
    ] {
        let fields = [("query", query), ("answer", "allow")];
        for told in [
            owner.get(&authorize(query)).await,
            owner.submit("/authorize", &fields).await,
        ] {
            assert_eq!(told.status, StatusCode::BAD_REQUEST, "{query}");
            assert_eq!(told.location(), "");
            assert!(!told.text("h1").is_empty());
            let usual = quaymaster_pages::CONTENT_SECURITY_POLICY;
            assert_eq!(told.header("content-security-policy"), usual);
        }
        // Nobody's server is asked for somebody who is not signed in; the rest is told to anybody.
        let unknown = server.browser().get(&authorize(query)).await;
        if query.starts_with("client_id=https") {
            assert!(unknown.location().starts_with("/sign-in"), "{query}");
        } else {
            assert_eq!(unknown.status, StatusCode::BAD_REQUEST, "{query}");
        }
    }
}

#[tokio::test]
async fn a_wrong_question_of_a_site_leads_back_to_it_by_a_link_only() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Site", WEB);
    let query = client.query(&[("resource", "https://evil.example/mcp")]);
    for told in [
        owner.get(&authorize(&query)).await,
        server.browser().get(&authorize(&query)).await,
    ] {
        assert_eq!(told.status, StatusCode::BAD_REQUEST);
        assert_eq!(told.location(), "");
        assert!(told.body.contains("invalid_target"), "{}", told.body);
        assert!(told.body.contains("Go back to client.example"));
        assert!(told.body.contains(&format!("href=\"{WEB}?error=")));
    }
}

#[tokio::test]
async fn a_wrong_question_of_a_known_client_goes_back_to_it() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let client = Client::registered(&server, "Editor", LOCAL);
    let query = client.query(&[]).replace("S256", "plain");
    let answer = owner.get(&authorize(&query)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert!(answer.location().starts_with(LOCAL));
    let error = parameter(answer.location(), "error");
    assert_eq!(error.unwrap(), "invalid_request");
    // What was changed between the page and its form is no other question.
    let fields = [
        ("query", &*query),
        ("answer", "allow"),
        ("workspace", server.workspace.as_str()),
    ];
    let posted = owner.submit("/authorize", &fields).await;
    assert_eq!(parameter(posted.location(), "code"), None);
}

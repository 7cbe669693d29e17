use axum::http::StatusCode;

use crate::server::{PASSWORD, Server};

#[tokio::test]
async fn opening_the_first_link_uses_nothing_up_and_the_button_works_once() {
    let server = Server::start().await;
    let mut browser = server.browser();
    for _ in 0..2 {
        let page = browser.get(&server.link).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.text("main").contains("opens your new server"),
            "{}",
            page.body
        );
        assert!(browser.cookies.is_empty());
    }
    let signed_in = browser.post(&server.link, &[]).await;
    assert_eq!(
        (signed_in.status, signed_in.location()),
        (StatusCode::SEE_OTHER, "/")
    );
    assert!(browser.cookies.contains_key("quaymaster"));

    let mut other = server.browser();
    let refused = other.post(&server.link, &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.text("h1"), "This link was already used");
    assert!(other.cookies.is_empty());
}

#[tokio::test]
async fn a_link_that_expired_or_never_was_signs_nobody_in() {
    let server = Server::start().await;
    server.wait_seconds(24 * 3_600 + 1);
    let mut browser = server.browser();
    assert_eq!(
        browser.get(&server.link).await.text("h1"),
        "This link has expired"
    );
    assert_eq!(
        browser.post(&server.link, &[]).await.status,
        StatusCode::FORBIDDEN
    );
    let half = server.link.split_once('.').unwrap().0;
    for path in [
        half.to_owned(),
        format!("{half}.wrong"),
        "/sign-in/link/%00".to_owned(),
    ] {
        assert_eq!(
            browser.get(&path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
        assert_eq!(
            browser.post(&path, &[]).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn somebody_new_is_asked_who_they_are_before_anything_else() {
    let server = Server::start().await;
    let mut browser = server.browser();
    browser.post(&server.link, &[]).await;
    for path in [
        "/",
        "/settings",
        "/settings/api-keys",
        &server.workspace_path(),
    ] {
        let wanted = match path {
            "/" => "/welcome".to_owned(),
            path => format!("/welcome?next={path}"),
        };
        assert_eq!(browser.get(path).await.location(), wanted);
    }
    let page = browser.get("/welcome").await;
    assert_eq!(
        page.attribute("#organization", "value").unwrap(),
        "My organization"
    );

    let wrong = [
        ("name", "N"),
        ("email", "n"),
        ("password", "short"),
        ("organization", ""),
    ];
    let again = browser.submit("/welcome", &wrong).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(again.text("#email-error"), "That is not an email address.");
    assert_eq!(again.attribute("#name", "value").unwrap(), "N");
    assert!(!again.body.contains("short"));

    let wrong = [
        ("name", "N"),
        ("email", "n@example.com"),
        ("password", PASSWORD),
    ];
    let again = browser.submit("/welcome", &wrong).await;
    assert_eq!(
        again.text("#organization-error"),
        "A name has 1 to 80 characters."
    );
    assert!(!again.body.contains(PASSWORD));

    let right = [&wrong[..], &[("organization", "Harbour")]].concat();
    assert_eq!(browser.submit("/welcome", &right).await.location(), "/");
    assert_eq!(browser.get("/").await.text(".brand"), "Harbour");
}

#[tokio::test]
async fn a_browser_left_open_cannot_be_given_another_password() {
    let server = Server::start().await;
    let mut browser = server.owner().await;
    assert_eq!(browser.get("/welcome").await.location(), "/");
    let fields = [
        ("name", "X"),
        ("email", "x@example.com"),
        ("password", "another password"),
        ("organization", "X"),
    ];
    assert_eq!(browser.submit("/welcome", &fields).await.location(), "/");
    let mut fresh = server.browser();
    let old = [("email", "owner@example.com"), ("password", PASSWORD)];
    assert_eq!(fresh.post("/sign-in", &old).await.location(), "/");
}

#[tokio::test]
async fn a_password_signs_in_and_leads_back_to_where_one_wanted_to_go() {
    let server = Server::start().await;
    server.owner().await;
    let mut browser = server.browser();
    let asked = browser.get("/settings?a=b").await;
    assert_eq!(asked.location(), "/sign-in?next=/settings%3Fa%3Db");
    let page = browser.get(asked.location()).await;
    let next = page.attribute("input[name=next]", "value").unwrap();
    assert_eq!(next, "/settings?a=b");

    let wrong = [
        ("email", "owner@example.com"),
        ("password", "wrong"),
        ("next", &next),
    ];
    let refused = browser.post("/sign-in", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        refused.attribute("#email", "value").unwrap(),
        "owner@example.com"
    );
    assert!(!browser.cookies.contains_key("quaymaster"));

    let right = [
        ("email", " Owner@Example.com"),
        ("password", PASSWORD),
        ("next", &next),
    ];
    assert_eq!(
        browser.post("/sign-in", &right).await.location(),
        "/settings?a=b"
    );
    assert_eq!(browser.get("/settings").await.status, StatusCode::OK);
    assert_eq!(
        browser.get("/sign-in?next=/settings").await.location(),
        "/settings"
    );
}

#[tokio::test]
async fn signing_in_never_leads_to_another_host() {
    let server = Server::start().await;
    server.owner().await;
    for next in [
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "evil.example",
    ] {
        let query: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let mut browser = server.browser();
        let page = browser.get(&format!("/sign-in?next={query}")).await;
        assert_eq!(
            page.attribute("input[name=next]", "value").unwrap(),
            "/",
            "{next:?}"
        );
        let fields = [
            ("email", "owner@example.com"),
            ("password", PASSWORD),
            ("next", next),
        ];
        assert_eq!(
            browser.post("/sign-in", &fields).await.location(),
            "/",
            "{next:?}"
        );
        let signed_in = browser.get(&format!("/sign-in?next={query}")).await;
        assert_eq!(signed_in.location(), "/", "{next:?}");
    }
}

#[tokio::test]
async fn another_site_cannot_sign_a_browser_in() {
    let server = Server::start().await;
    server.owner().await;
    let mut browser = server.browser();
    let fields = [("email", "owner@example.com"), ("password", PASSWORD)];
    for origin in ["https://evil.example", "null", "http://127.0.0.1:9999"] {
        let refused = browser.post_from("/sign-in", &fields, origin).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin}");
        let refused = browser.post_from(&server.link, &[], origin).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin}");
    }
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down_and_says_so() {
    let server = Server::start().await;
    let mut browser = server.browser();
    let fields = [("email", "owner@example.com"), ("password", "guess")];
    for _ in 0..20 {
        browser.post("/sign-in", &fields).await;
    }
    let refused = browser.post("/sign-in", &fields).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.text("#notices").contains("Too many attempts"));
}

#[tokio::test]
async fn the_cookie_is_for_this_server_alone() {
    let server = Server::start().await;
    let plain = server.browser().post(&server.link, &[]).await;
    let day = 86_400;
    let value = plain.header("set-cookie").split_once(';').unwrap().1;
    let wanted = format!(" Path=/; Max-Age={}; HttpOnly; SameSite=Lax", 14 * day);
    assert_eq!(value, wanted);

    let server = Server::at("https://quay.example.com:8080").await;
    let mut browser = server.browser();
    let origin = "https://quay.example.com:8080";
    let secure = browser.post_from(&server.link, &[], origin).await;
    assert!(
        secure
            .header("set-cookie")
            .starts_with("__Host-quaymaster=")
    );
    assert!(secure.header("set-cookie").ends_with("; Secure"));
    assert_eq!(browser.get("/").await.location(), "/welcome");
    let secret = browser.cookies.remove("__Host-quaymaster").unwrap();
    browser.cookies.insert("quaymaster".to_owned(), secret);
    assert_eq!(browser.get("/").await.location(), "/sign-in");
}

#[tokio::test]
async fn signing_out_ends_the_session_and_not_only_the_cookie() {
    let server = Server::start().await;
    let mut browser = server.owner().await;
    let kept = browser.cookies.clone();
    let out = browser.submit("/sign-out", &[]).await;
    assert_eq!(out.location(), "/sign-in");
    assert!(!browser.cookies.contains_key("quaymaster"));
    let page = browser.get("/sign-in").await;
    assert_eq!(page.text("#notices"), "You are signed out.");
    assert_eq!(
        browser.get("/sign-in").await.text("#notices"),
        "",
        "said once"
    );
    browser.cookies = kept;
    assert_eq!(browser.get("/").await.location(), "/sign-in");
}

#[tokio::test]
async fn a_session_ends_after_fourteen_days() {
    let server = Server::start().await;
    let mut browser = server.owner().await;
    server.wait_seconds(14 * 86_400 - 1);
    assert_eq!(browser.get("/").await.status, StatusCode::OK);
    server.wait_seconds(1);
    assert_eq!(browser.get("/").await.location(), "/sign-in");
}

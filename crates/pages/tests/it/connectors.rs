//! The catalog, connectors, and accounts from connecting to disconnecting.

use axum::http::StatusCode;
use serde_json::json;

use crate::server::{Answer, Browser, Server};
use crate::upstream::{KEY, Upstream};

const POWERDNS: &str = "/connectors/powerdns";

/// Sends the form of the page that connects an account.
async fn connect(browser: &mut Browser<'_>, url: &str, key: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("auth", "api_key"),
        ("field.url", url),
        ("field.api_key", key),
        ("local", "yes"),
    ];
    fields.extend(more);
    browser
        .submit("/connectors/powerdns/connect", &fields)
        .await
}

#[tokio::test]
async fn the_catalog_is_searched_and_shows_what_is_connected_first() {
    let server = Server::start().await;
    let upstream = Upstream::start().await;
    let mut owner = server.owner().await;
    let page = owner.get("/connectors").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.text("nav.nav [aria-current]"), "Connectors");
    assert_eq!(page.text("h2"), "Catalog");
    assert!(page.text(".cards").contains("PowerDNS"));

    let found = owner.get("/connectors?query=pull+requests").await;
    assert!(found.text(".cards").contains("GitHub"));
    assert!(!found.text(".cards").contains("PowerDNS"));
    let value = found.attribute("#query", "value");
    assert_eq!(value.as_deref(), Some("pull requests"));
    let found = owner.get("/connectors?query=&category=dns").await;
    assert!(found.text(".cards").contains("PowerDNS"));
    assert!(!found.text(".cards").contains("GitHub"));
    assert_eq!(found.text("#category [selected]"), "dns");
    let nothing = owner.get("/connectors?query=zzzzqqqq").await;
    assert!(nothing.text(".empty").contains("Nothing fits"));

    connect(&mut owner, &upstream.url, KEY, &[]).await;
    connect(&mut owner, &upstream.url, "wrong", &[]).await;
    let page = owner.get("/connectors").await;
    assert_eq!(page.text("h2"), "ConnectedNot connected");
    assert!(
        page.text("section:first-of-type .cards")
            .starts_with("PowerDNS")
    );
    assert_eq!(page.text(".status.failed"), "2 accounts, 1 with a problem");
}

#[tokio::test]
async fn an_account_is_connected_and_its_secret_never_shown() {
    let server = Server::start().await;
    let upstream = Upstream::start().await;
    let mut owner = server.owner().await;
    let page = owner.get(POWERDNS).await;
    assert!(page.text("#accounts").contains("No account yet"));
    let kind = page.attribute("#field-api_key", "type");
    assert_eq!(kind.as_deref(), Some("password"));
    assert!(page.attribute("#field-url", "required").is_some());
    assert!(page.attribute("#local", "checked").is_none());

    let more = [
        ("name", "harbour"),
        ("workspace", server.workspace.as_str()),
    ];
    let done = connect(&mut owner, &upstream.url, KEY, &more).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let path = done.location().to_owned();
    let page = owner.get(&path).await;
    assert_eq!(page.text("h1"), "powerdns:harbour");
    assert_eq!(
        page.text("#notices"),
        "The account is connected, and works."
    );
    assert_eq!(page.text("#account .status"), "ACTIVE");
    for wanted in ["4.9.3", &upstream.url, "Only", "Inside"] {
        assert!(page.text("#account .summary").contains(wanted), "{wanted}");
    }
    let url = page.attribute("#field-url", "value");
    assert_eq!(url.as_deref(), Some(upstream.url.as_str()));
    assert!(page.attribute("#field-api_key", "value").is_none());

    let connector = owner.get(POWERDNS).await;
    assert!(connector.text("#accounts").contains("powerdns:harbour"));
    for path in [&path, POWERDNS, "/connectors"] {
        assert!(!owner.get(path).await.body.contains(KEY), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_key_is_told_in_words_and_mended_on_the_page() {
    let server = Server::start().await;
    let upstream = Upstream::start().await;
    let mut owner = server.owner().await;
    let done = connect(&mut owner, &upstream.url, "no-such-key", &[]).await;
    let path = done.location().to_owned();
    let page = owner.get(&path).await;
    assert!(page.text("#notices").contains("it does not work yet"));
    assert_eq!(page.text("#account .status.failed"), "ERROR");
    let problem = page.text(".account-problem");
    assert!(problem.contains("Unauthorized"), "{problem}");
    assert!(!page.body.contains("no-such-key"));

    let verified = owner.submit(&format!("{path}/verify"), &[]).await;
    assert_eq!(verified.location(), path);
    assert!(
        owner
            .get(&path)
            .await
            .text("#notices")
            .contains("does not work")
    );

    let credentials = format!("{path}/credentials");
    let fields = [("field.url", upstream.url.as_str()), ("field.api_key", "")];
    let refused = owner.submit(&credentials, &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.text("#field-api_key-error").is_empty());
    let fields = [("field.url", upstream.url.as_str()), ("field.api_key", KEY)];
    let replaced = owner.submit(&credentials, &fields).await;
    assert_eq!(replaced.location(), path);
    let page = owner.get(&path).await;
    assert_eq!(
        page.text("#notices"),
        "The new credentials are stored, and work."
    );
    assert_eq!(page.text("#account .status"), "ACTIVE");
    let fields = [("from", "connector")];
    let verified = owner.submit(&format!("{path}/verify"), &fields).await;
    assert_eq!(verified.location(), POWERDNS);
    assert_eq!(
        owner.get(POWERDNS).await.text("#notices"),
        "The account works."
    );
}

#[tokio::test]
async fn what_is_wrong_in_the_form_stands_under_its_field_and_the_rest_is_kept() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let url = "http://ns1.example.com:8081";
    let typed = "typed-key-that-is-lost";
    for (more, input) in [
        (&[("name", "Main one")][..], "account-name"),
        (&[("field.nothing", "x")], ""),
    ] {
        let refused = connect(&mut owner, url, typed, more).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{more:?}");
        let kept = refused.attribute("#field-url", "value");
        assert_eq!(kept.as_deref(), Some(url));
        assert!(refused.attribute("#local", "checked").is_some());
        assert!(!refused.body.contains(typed), "{more:?}");
        assert!(!refused.text("#notices li").is_empty(), "{more:?}");
        if !input.is_empty() {
            assert!(!refused.text(&format!("#{input}-error")).is_empty());
        }
    }
    let refused = connect(&mut owner, "not an address", "", &[]).await;
    assert!(!refused.text(".error").is_empty());
    assert!(
        owner
            .get(POWERDNS)
            .await
            .text("#accounts")
            .contains("No account yet")
    );
}

#[tokio::test]
async fn names_are_unique_and_an_account_is_renamed_and_disconnected() {
    let server = Server::start().await;
    let upstream = Upstream::start().await;
    let mut owner = server.owner().await;
    let first = connect(&mut owner, &upstream.url, KEY, &[("name", "one")]).await;
    let path = first.location().to_owned();
    let taken = connect(&mut owner, &upstream.url, KEY, &[("name", "one")]).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(taken.text("#account-name-error").contains("already"));
    connect(&mut owner, &upstream.url, KEY, &[("name", "two")]).await;
    for wrong in ["two", "", "A b", "x:y"] {
        let refused = owner
            .submit(&format!("{path}/rename"), &[("name", wrong)])
            .await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
        assert!(!refused.text("#account-name-error").is_empty(), "{wrong}");
    }
    let renamed = owner
        .submit(&format!("{path}/rename"), &[("name", "three")])
        .await;
    assert_eq!(renamed.location(), path);
    assert_eq!(owner.get(&path).await.text("h1"), "powerdns:three");
    let gone = owner.submit(&format!("{path}/disconnect"), &[]).await;
    assert_eq!(gone.location(), POWERDNS);
    assert_eq!(owner.get(&path).await.status, StatusCode::NOT_FOUND);
    let accounts = owner.get(POWERDNS).await.text("#accounts .account");
    assert!(accounts.contains("powerdns:two") && !accounts.contains("three"));
}

#[tokio::test]
async fn the_form_is_that_of_the_chosen_way_to_sign_in() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    // OAuth stands first, and takes an app.
    let page = owner.get("/connectors/github").await;
    let chosen = page.attribute("#connect input[name=auth]", "value");
    assert_eq!(chosen.as_deref(), Some("token"));
    assert!(page.attribute("#local", "id").is_none());
    let page = owner.get("/connectors/github?auth=oauth2").await;
    let action = page.attribute("#connect form", "action");
    assert_eq!(action.as_deref(), Some("/connectors/github/oauth-app"));
    assert!(!page.text("#connect").contains("Sign in at GitHub"));
    let redirect = page.text("#redirect-uri");
    assert!(redirect.ends_with("/connections/callback"), "{redirect}");
    let set = [
        ("auth", "oauth2"),
        ("client_id", "ours"),
        ("client_secret", "hush"),
    ];
    owner.submit("/connectors/github/oauth-app", &set).await;
    let page = owner.get("/connectors/github?auth=oauth2").await;
    assert!(page.text("#connect").contains("Sign in at GitHub"));
    assert!(page.text("#connect").contains("another device"));
    assert!(!page.body.contains("hush"));
    let wrong = [
        ("auth", "oauth2"),
        ("client_id", ""),
        ("client_secret", "hush"),
    ];
    let refused = owner.submit("/connectors/github/oauth-app", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!refused.body.contains("hush"));
    // Off to the service, with a cookie for the way back.
    let begin = [("auth", "oauth2"), ("flow", "code")];
    let away = owner.submit("/connectors/github/authorize", &begin).await;
    let address = away.location().to_owned();
    assert!(
        address.starts_with("https://github.com/login/oauth/authorize?"),
        "{address}"
    );
    assert!(
        owner
            .cookies
            .keys()
            .any(|name| name.starts_with("quaymaster-aut_"))
    );
    let basic = owner.get("/connectors/transmission").await;
    assert!(basic.attribute("#field-username", "id").is_some());
    let open = owner.get("/connectors/transmission?auth=none").await;
    assert!(open.attribute("#field-username", "id").is_none());
    assert!(open.attribute("#field-url", "id").is_some());
}

#[tokio::test]
async fn every_connector_has_a_page_and_so_has_each_module() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let list = owner.get("/connectors").await;
    let connectors = list.addresses(".card > a");
    assert!(connectors.len() >= 6);
    for path in connectors {
        let page = owner.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        if path == "/connectors/mcp_server" {
            // What there is to call is each account's own.
            assert!(page.text("main").contains("found when it is connected"));
            continue;
        }
        assert!(page.text(".recipes").contains("\"service\""), "{path}");
        let modules = page.addresses(".module a");
        assert!(!modules.is_empty(), "{path}");
        for path in modules {
            let module = owner.get(&path).await;
            assert_eq!(module.status, StatusCode::OK, "{path}");
            assert!(!module.text(".operation h3").is_empty(), "{path}");
        }
    }
    for path in [
        "/connectors/x",
        "/connectors/%FF",
        "/connectors/github/modules/x",
    ] {
        assert_eq!(
            owner.get(path).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let close = owner.get("/connectors/githb").await;
    assert!(close.text("main").contains("Did you mean github"));
}

#[tokio::test]
async fn a_member_sees_accounts_and_changes_none() {
    let server = Server::start().await;
    let upstream = Upstream::start().await;
    let mut owner = server.owner().await;
    let done = connect(&mut owner, &upstream.url, KEY, &[]).await;
    let path = done.location().to_owned();
    let mut member = server.member().await;
    for path in [POWERDNS, &path] {
        let page = member.get(path).await;
        assert!(page.text("main").contains("ACTIVE"), "{path}");
        assert!(page.attribute("main form", "action").is_none(), "{path}");
    }
    for refused in every_change(&mut member, &path, &upstream).await {
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    let refused = connect(&mut member, &upstream.url, KEY, &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(owner.get(&path).await.text("#account .status"), "ACTIVE");
}

async fn every_change(browser: &mut Browser<'_>, path: &str, upstream: &Upstream) -> Vec<Answer> {
    let credentials = [("field.url", upstream.url.as_str()), ("field.api_key", KEY)];
    let mut answers = Vec::new();
    for (verb, fields) in [
        ("verify", &[][..]),
        ("rename", &[("name", "mine")]),
        ("credentials", &credentials),
        ("disconnect", &[]),
    ] {
        answers.push(browser.submit(&format!("{path}/{verb}"), fields).await);
    }
    answers
}

#[tokio::test]
async fn another_organization_reaches_no_account_and_no_workspace() {
    let server = Server::start().await;
    let upstream = Upstream::start().await;
    let mut owner = server.owner().await;
    let done = connect(&mut owner, &upstream.url, KEY, &[]).await;
    let path = done.location().to_owned();
    let (mut stranger, _) = server.stranger().await;
    assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND);
    for refused in every_change(&mut stranger, &path, &upstream).await {
        assert_eq!(refused.status, StatusCode::NOT_FOUND);
    }
    let more = [("workspace", server.workspace.as_str())];
    let refused = connect(&mut stranger, &upstream.url, KEY, &more).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let said = refused.text("#workspace-error");
    assert_eq!(said, "There is no such workspace.");
    let page = stranger.get(POWERDNS).await;
    assert!(page.text("#accounts").contains("No account yet"));
    assert_eq!(owner.get(&path).await.text("#account .status"), "ACTIVE");
}

#[tokio::test]
async fn what_a_hostile_service_says_of_itself_stays_text() {
    const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";
    let server = Server::start().await;
    let upstream = Upstream::calling_itself(HOSTILE).await;
    let mut owner = server.owner().await;
    let labelled = connect(&mut owner, &upstream.url, KEY, &[])
        .await
        .location()
        .to_owned();
    let failing = connect(&mut owner, &upstream.url, "wrong", &[])
        .await
        .location()
        .to_owned();
    // A form with a hostile value, a hostile name of a field, and a hostile name.
    let hostile = format!("field.{HOSTILE}");
    let typed = connect(&mut owner, HOSTILE, "", &[("name", HOSTILE)]).await;
    let strange = connect(&mut owner, HOSTILE, "x", &[(&hostile, HOSTILE)]).await;
    let pages = [
        owner.get(&labelled).await,
        owner.get(&failing).await,
        owner.get(POWERDNS).await,
        owner
            .get("/connectors?query=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
            .await,
        typed,
        strange,
    ];
    for (number, page) in pages.iter().enumerate() {
        assert!(
            page.attribute("img, main script", "src").is_none(),
            "{number}"
        );
        assert_eq!(page.text("script"), "", "{number}");
        assert!(page.attribute("[onerror]", "onerror").is_none(), "{number}");
    }
    assert!(
        pages[0]
            .text("#account")
            .contains("<script>alert(1)</script>")
    );
    assert!(
        pages[1]
            .text(".account-problem")
            .contains("<script>alert(1)</script>")
    );
}

#[tokio::test]
async fn recent_calls_show_the_account_and_what_its_service_answered() {
    let server = Server::start().await;
    let upstream = Upstream::start().await;
    let mut owner = server.owner().await;
    connect(&mut owner, &upstream.url, KEY, &[]).await;
    let only = server.workspace.to_string();
    let fields = [
        ("name", "agent"),
        ("scopes", "read:tools"),
        ("files", &only),
        ("expiry", "90"),
    ];
    let key = owner
        .submit("/settings/api-keys", &fields)
        .await
        .text("#key");
    let arguments = json!({
        "service": "powerdns",
        "method": "GET",
        "path": "/servers/localhost/config",
    });
    let refused = server
        .call(&key, "connector_execute", arguments)
        .await
        .unwrap_err();
    assert!(refused.contains("PowerDNS"), "{refused}");
    let page = owner.get(&server.workspace_path()).await;
    assert!(
        page.text("#calls").contains("powerdns:main"),
        "{}",
        page.text("#calls")
    );
    assert!(
        page.text("#calls").contains("service: 404"),
        "{}",
        page.text("#calls")
    );
}

//! Mail, by a real SMTP server in its three kinds.

use quaymaster_tests::script::{python, script_path};
use quaymaster_tests::{Database, Script, Server, Visitor};
use serde_json::Value;
use std::time::Duration;

const PASSWORD: &str = "p/w of the mail server";

/// A mail server, and a server that mails through it and believes its certificate by a variable.
async fn mailing(mode: &str, password: &str) -> (Script, Server) {
    mailing_that_believes(mode, password, "SSL_CERT_FILE").await
}

async fn mailing_that_believes(mode: &str, password: &str, file: &str) -> (Script, Server) {
    let mut inbox = Script::start(&python(), &[&script_path("smtp.py"), mode], "");
    let listening = inbox.step("listening").await;
    let port = &listening["port"];
    let account: String = form_urlencoded::byte_serialize(password.as_bytes()).collect();
    let account = format!("quay:{}@", account.replace('+', "%20"));
    let url = match mode {
        "smtps" => format!("smtps://{account}127.0.0.1:{port}"),
        "starttls" => format!("smtp://{account}127.0.0.1:{port}?tls=required"),
        _ => format!("smtp://127.0.0.1:{port}"),
    };
    let environment = [
        ("QUAYMASTER_MAIL_SMTP_URL", url.as_str()),
        ("QUAYMASTER_MAIL_FROM", "Quay <quay@example.com>"),
        (file, listening["certificate"].as_str().unwrap()),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let plain = environment[..2].to_vec();
    let environment = if mode == "plain" {
        plain
    } else {
        environment.to_vec()
    };
    let server = Server::start_in(Database::Sqlite, environment).await;
    (inbox, server)
}

/// The text of a mail, with the lines that were too long put together again (RFC 2045 §6.7).
fn text(mail: &Value) -> String {
    let text = mail["text"].as_str().unwrap().replace("\r\n", "\n");
    text.replace("=\n", "").replace("=3D", "=")
}

/// The path of the link in a mail.
fn link(mail: &Value, server: &Server) -> String {
    let text = text(mail);
    let found = text.lines().find_map(|line| line.strip_prefix(&server.url));
    found
        .unwrap_or_else(|| panic!("no link in {text}"))
        .to_owned()
}

#[tokio::test]
async fn an_invitation_is_mailed_to_the_address_and_shown_with_every_kind_of_server() {
    let system = "SSL_CERT_FILE";
    let own = "QUAYMASTER_EGRESS_CA_FILE";
    for (mode, file) in [
        ("plain", system),
        ("starttls", system),
        ("smtps", system),
        ("starttls", own),
        ("smtps", own),
    ] {
        let (mut inbox, server) = mailing_that_believes(mode, PASSWORD, file).await;
        let mut owner = Visitor::owner(&server).await;
        let fields = [("email", "bo@example.com"), ("role", "admin")];
        let page = owner.submit("/settings/invitations", &fields).await;
        assert!(
            page.body.contains("It was mailed to bo@example.com"),
            "{mode}: {}",
            page.body
        );
        let mail = inbox.step("mail").await;
        assert_eq!(mail["to"], serde_json::json!(["bo@example.com"]));
        assert_eq!(mail["sender"], "quay@example.com");
        assert_eq!(mail["tls"], mode != "plain", "{mail}");
        assert_eq!(mail["user"].as_str(), (mode != "plain").then_some("quay"));
        let written = text(&mail);
        for wanted in [
            "Subject: Join Harbour on Quaymaster",
            "A person invites you to Harbour on Quaymaster, as an administrator.",
            "It works once, for 7 days",
        ] {
            assert!(written.contains(wanted), "{mode} {wanted}: {written}");
        }
        let shown = page.text_of("link");
        let path = link(&mail, &server);
        assert_eq!(shown, format!("{}{path}", server.url));
        let mut bo = Visitor::unknown(&server.url);
        assert!(bo.get(&path).await.body.contains("Join Harbour"));
    }
}

#[tokio::test]
async fn what_cannot_be_mailed_is_shown_with_the_reason_and_stands() {
    let (inbox, server) = mailing("starttls", "a wrong password").await;
    let mut owner = Visitor::owner(&server).await;
    let fields = [("email", "bo@example.com"), ("role", "member")];
    let page = owner.submit("/settings/invitations", &fields).await;
    assert!(page.body.contains("The mail was not sent"), "{}", page.body);
    assert!(page.body.contains("refused the sign-in"), "{}", page.body);
    inbox.end_of_input().await;
    let fields = [("email", "cy@example.com"), ("role", "member")];
    let page = owner.submit("/settings/invitations", &fields).await;
    assert!(page.body.contains("does not answer"), "{}", page.body);
    let link = page.text_of("link");
    let path = link.strip_prefix(&server.url).unwrap();
    let mut cy = Visitor::unknown(&server.url);
    let fields = [("name", "Cy"), ("password", "correct horse battery")];
    assert_eq!(cy.post(path, &fields).await.location, "/");
    let log = std::fs::read_to_string(server.data.path().join("server.log")).unwrap();
    assert!(log.contains("a mail was not sent"), "{log}");
    for secret in [
        "a wrong password",
        "a%20wrong",
        "wrong+password",
        link.rsplit_once('.').unwrap().1,
    ] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }

    let (_inbox, server) = mailing("plain", "").await;
    let key = server.api_key(&["admin"]).await;
    let body = serde_json::json!({ "email": "refused@example.com", "role": "member" });
    let (status, made) = server
        .rest(&key, "POST", "/api/v1/invitations", Some(body))
        .await;
    assert_eq!((status, made["mail"].as_str()), (201, Some("failed")));
    let why = made["mailError"].as_str().unwrap();
    assert!(why.contains("no such mailbox"), "{why}");
    assert!(made["url"].as_str().unwrap().contains("/invitation/inv_"));
}

#[tokio::test]
async fn a_forgotten_password_is_mailed_a_link_and_the_page_tells_nobody_who_is_known() {
    let (mut inbox, server) = mailing("plain", "").await;
    Visitor::owner(&server).await;
    let mut person = Visitor::unknown(&server.url);
    let page = person.get("/sign-in").await;
    assert!(
        page.body.contains("href=\"/forgot-password\""),
        "{}",
        page.body
    );
    let mut ask = async |email: &str| {
        let page = person.post("/forgot-password", &[("email", email)]).await;
        assert_eq!(page.status, 200);
        page.body.replace(email, "ADDRESS")
    };
    let unknown = ask("nobody@example.com").await;
    let known = ask("owner@example.com").await;
    assert_eq!(known, unknown);
    let first = inbox.step("mail").await;
    assert_eq!(first["to"], serde_json::json!(["owner@example.com"]));
    assert!(text(&first).contains("If it was not you"));
    // Three mails an hour, however the address is spelled; a fourth is answered the same.
    let mut last = first.clone();
    for spelled in ["Owner@Example.com", "OWNER@example.com"] {
        assert_eq!(ask(spelled).await, unknown);
        last = inbox.step("mail").await;
    }
    for _ in 0..3 {
        assert_eq!(ask("owner@example.com").await, unknown);
    }
    inbox.is_silent(Duration::from_secs(2)).await;

    let mut anybody = Visitor::unknown(&server.url);
    let old = anybody.get(&link(&first, &server)).await;
    assert!(old.body.contains("no longer works"), "{}", old.body);
    let new = [("password", "another long password")];
    let set = anybody.post(&link(&last, &server), &new).await;
    assert_eq!(set.location, "/sign-in");
    let signed_in = anybody.sign_in("owner@example.com", "another long password");
    assert_eq!(signed_in.await.location, "/");
}

#[tokio::test]
async fn a_link_that_anybody_can_have_mailed_ends_none_that_an_administrator_made() {
    let (mut inbox, server) = mailing("plain", "").await;
    let mut owner = Visitor::owner(&server).await;
    owner.invite("bo@example.com", "member").await;
    inbox.step("mail").await;
    let key = owner.api_key(&["admin"], "").await;
    let (_, listed) = server.rest(&key, "GET", "/api/v1/members", None).await;
    let members = listed["members"].as_array().unwrap();
    let bo = members.iter().find(|one| one["role"] == "member").unwrap();
    let path = format!("/api/v1/members/{}/reset-link", bo["id"].as_str().unwrap());
    let (status, made) = server.rest(&key, "POST", &path, None).await;
    assert_eq!(status, 201, "{made}");
    let issued = made["url"].as_str().unwrap().strip_prefix(&server.url);
    let issued = issued.unwrap();

    let mut anybody = Visitor::unknown(&server.url);
    let fields = [("email", "bo@example.com")];
    let asked = anybody.post("/forgot-password", &fields).await;
    assert_eq!(asked.status, 200);
    let mailed = link(&inbox.step("mail").await, &server);
    for path in [issued, &mailed] {
        let page = anybody.get(path).await;
        assert!(page.body.contains("Set a new password"), "{}", page.body);
    }
    // Either sets the password, and with that the other is over.
    let new = [("password", "another long password")];
    assert_eq!(anybody.post(issued, &new).await.location, "/sign-in");
    let page = anybody.get(&mailed).await;
    assert!(page.body.contains("no longer works"), "{}", page.body);
}

#[tokio::test]
async fn an_invitation_is_mailed_also_when_its_maker_hung_up() {
    let (mut inbox, server) = mailing("plain", "").await;
    let key = server.api_key(&["admin"]).await;
    let made = reqwest::Client::new()
        .post(format!("{}/api/v1/invitations", server.url))
        .bearer_auth(&key)
        .json(&serde_json::json!({ "email": "slow@example.com", "role": "member" }))
        .timeout(Duration::from_millis(700))
        .send()
        .await;
    assert!(made.is_err_and(|error| error.is_timeout()));
    let mail = inbox.step("mail").await;
    assert_eq!(mail["to"], serde_json::json!(["slow@example.com"]));
}

#[tokio::test]
async fn a_wrong_address_of_the_mail_server_stops_the_start_and_is_not_repeated() {
    let data = tempfile::TempDir::new().unwrap();
    let environment = [
        (
            "QUAYMASTER_MAIL_SMTP_URL",
            "smtp://quay:hidden@mail.example.com",
        ),
        ("QUAYMASTER_MAIL_FROM", "quay@example.com"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let output = quaymaster_tests::cli(data.path(), &environment, &serve).await;
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("password and no TLS"), "{text}");
    assert!(!text.contains("hidden"), "{text}");
}

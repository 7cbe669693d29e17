//! Invitations of end users, by mail.

use quaymaster_tests::script::{python, script_path};
use quaymaster_tests::{Database, Developer, Script};
use serde_json::{Value, json};

/// A mail server, and a developer whose server mails through it.
async fn mailing() -> (Script, Developer) {
    let mut inbox = Script::start(&python(), &[&script_path("smtp.py"), "plain"], "");
    let listening = inbox.step("listening").await;
    let url = format!("smtp://127.0.0.1:{}", listening["port"]);
    let settings = [
        ("MAIL_SMTP_URL", url.as_str()),
        ("MAIL_FROM", "Quay <quay@example.com>"),
    ];
    let desk = Developer::open_with(Database::Sqlite, &settings).await;
    (inbox, desk)
}

fn to(email: &str) -> Value {
    json!({ "email": email, "integrationName": "slack" })
}

#[tokio::test]
async fn an_end_user_is_mailed_a_link_that_connects_their_account() {
    let (mut inbox, desk) = mailing().await;
    let id = desk.end_user("user_123").await;
    let path = format!("/end-users/{id}/invite");
    let invited = desk.did("POST", &path, Some(to("anna@example.com"))).await;
    assert_eq!(invited["emailSent"], true, "{invited}");
    let url = invited["connectUrl"].as_str().unwrap();
    for name in ["sessionId", "token", "expiresAt"] {
        assert!(invited[name].is_string(), "{invited}");
    }
    let mail = inbox.step("mail").await;
    assert_eq!(mail["to"], json!(["anna@example.com"]));
    let text = mail["text"].as_str().unwrap().replace("\r\n", "\n");
    let text = text.replace("=\n", "").replace("=3D", "=");
    assert!(text.contains(url), "{text}");
    assert!(text.contains("Slack"), "{text}");
    let events = desk.did("GET", "/events?limit=20", None).await;
    assert!(events.to_string().contains("anna@example.com"), "{events}");

    // What the mail server does not take is told, and the link stands.
    let refused = desk
        .did("POST", &path, Some(to("refused@example.com")))
        .await;
    assert_eq!(refused["emailSent"], false, "{refused}");
    assert!(
        refused["problem"]
            .as_str()
            .unwrap()
            .contains("no such mailbox"),
        "{refused}"
    );
    let link = refused["connectUrl"].as_str().unwrap();
    assert_eq!(reqwest::get(link).await.unwrap().status(), 200);

    desk.refused(400, "POST", &path, Some(to("no address")))
        .await;
    let nothing = Some(json!({ "email": "anna@example.com" }));
    desk.refused(400, "POST", &path, nothing.clone()).await;
    desk.integrate(json!({ "integrationName": "slack", "connectionStrategy": "per_user" }))
        .await;
    desk.did("POST", &path, nothing).await;
    let nobody = "/end-users/eu_01kahwz8x4m2q7r9s3t5v6w7y8/invite";
    desk.refused(404, "POST", nobody, Some(to("anna@example.com")))
        .await;
    // Two so far; the sixth in an hour is one too many.
    for _ in 0..3 {
        desk.did("POST", &path, Some(to("Anna@example.com"))).await;
    }
    let limited = desk
        .refused(429, "POST", &path, Some(to("anna@example.com")))
        .await;
    assert!(
        limited["details"]["retry_after_s"].as_i64().unwrap() > 60,
        "{limited}"
    );
}

#[tokio::test]
async fn without_a_mail_server_an_invitation_says_how_to_send_the_link() {
    let desk = Developer::open(Database::Sqlite).await;
    let id = desk.end_user("user_123").await;
    let path = format!("/end-users/{id}/invite");
    let refused = desk
        .refused(501, "POST", &path, Some(to("anna@example.com")))
        .await;
    let hint = refused["hint"].as_str().unwrap();
    assert!(hint.contains("connect-token"), "{refused}");
}

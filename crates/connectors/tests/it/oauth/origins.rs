//! Where the secret of an organization's app goes, and where nobody said that it may.

use super::{REDIRECT, app};
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::load;
use quaymaster_connectors::oauth::{AuthorizationServer, OAuthApp, ProblemKind};
use quaymaster_connectors::request::Account;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{Egress, Policy};
use secrecy::SecretString;
use std::collections::BTreeSet;

fn definition(token_url: &str) -> Definition {
    let text = format!(
        r#"quaymaster: 1
key: notes
kind: rest
version: "1"
title: Notes
summary: Notes of a team
connection:
  host: {{title: Host, default: notes.example.com}}
  url: {{title: Address, optional: true}}
base_url: "https://{{host}}/v1"
auth:
  - key: oauth2
    type: oauth2
    oauth2:
      grants: [authorization_code]
      authorize_url: "https://{{host}}/authorize"
      token_url: "{token_url}"
modules:
  notes:
    title: Notes
    actions:
      list_notes: {{title: List notes, method: GET, path: /notes}}
"#
    );
    load::parse(&text, "notes.yaml").unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// What becomes of a sign-in with these fields, and the origins that they choose.
fn begin(
    definition: &Definition,
    app: &OAuthApp,
    fields: &[(&str, &str)],
) -> (Result<String, Fault>, BTreeSet<String>) {
    let fields = fields.iter();
    let account = Account {
        auth: "oauth2".into(),
        fields: fields
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned().into()))
            .collect(),
        ..Account::default()
    };
    let egress = Egress::new(Policy::default()).unwrap();
    let server = AuthorizationServer::new(&egress, definition, &account, app).unwrap();
    let url = server.authorize_url(REDIRECT, &text(), &text());
    (url, server.chosen_origins())
}

fn text() -> SecretString {
    "text".to_owned().into()
}

fn meant_for(origins: &[&str]) -> OAuthApp {
    let origins = origins.iter().map(|origin| (*origin).to_owned());
    OAuthApp {
        origins: Some(origins.collect()),
        ..app()
    }
}

#[test]
fn a_secret_goes_where_the_definition_has_a_hand_in_the_host() {
    let elsewhere: &[(&str, &str)] = &[("host", "evil.example"), ("url", "https://evil.example")];
    for (token_url, fields) in [
        ("https://{host}/token", &[][..]),
        ("https://{host}/token", &[("host", "notes.example.com")][..]),
        ("https://id.example.com/token", elsewhere),
        ("https://id.example.com/{host}/token", elsewhere),
        ("https://{host}.example.com/token", elsewhere),
        ("https://{host}-eu.example.com:8443/token", elsewhere),
    ] {
        let (url, chosen) = begin(&definition(token_url), &meant_for(&[]), fields);
        assert!(url.is_ok(), "{token_url}: {url:?}");
        assert!(chosen.is_empty(), "{token_url}: {chosen:?}");
    }
}

#[test]
fn a_secret_goes_to_no_host_that_an_account_chose_unless_it_is_known() {
    for (token_url, fields, origin) in [
        (
            "https://{host}/token",
            ("host", "evil.example"),
            "https://evil.example",
        ),
        (
            "https://{host}/token",
            ("host", "notes.example.com:8443"),
            "https://notes.example.com:8443",
        ),
        (
            "https://{host}.com/token",
            ("host", "evil"),
            "https://evil.com",
        ),
        (
            "https://id-{host}/token",
            ("host", "evil.example"),
            "https://id-evil.example",
        ),
        (
            "{url}/token",
            ("url", "https://evil.example/.example.com"),
            "https://evil.example",
        ),
    ] {
        let definition = definition(token_url);
        let fields = [fields];
        for known in [&[][..], &["https://notes.example.com"][..]] {
            let (url, chosen) = begin(&definition, &meant_for(known), &fields);
            let fault = url.unwrap_err();
            assert_eq!(fault.code, Code::ConnectionRequired, "{token_url}");
            assert!(fault.message.contains(origin), "{}", fault.message);
            assert_eq!(Vec::from_iter(chosen), [origin], "{token_url}");
        }
        assert!(
            begin(&definition, &meant_for(&[origin]), &fields).0.is_ok(),
            "{token_url}"
        );
        // The account's own app, and one that has no secret.
        assert!(begin(&definition, &app(), &fields).0.is_ok());
        let public = OAuthApp {
            client_secret: None,
            ..meant_for(&[])
        };
        assert!(begin(&definition, &public, &fields).0.is_ok());
    }
}

#[tokio::test]
async fn nothing_is_sent_to_a_host_that_is_not_known() {
    let mut scene = super::Scene::of("", crate::upstream::json("{}")).await;
    scene.app = meant_for(&["https://notes.example.com"]);
    let server = scene.server();
    let problems = [
        server.exchange(&text(), REDIRECT, None).await.unwrap_err(),
        server.refresh(&text()).await.unwrap_err(),
        server.device_code().await.unwrap_err(),
        server.poll(&text()).await.unwrap_err(),
        server.revoke(&text(), "refresh_token").await.unwrap_err(),
    ];
    for problem in problems {
        assert_eq!(problem.kind, ProblemKind::Ours);
        assert_eq!(problem.fault.code, Code::ConnectionRequired);
    }
    assert!(scene.upstream.seen().is_empty());
}

//! Signing in at authorization servers, good ones and others.

mod origins;
mod others;

use crate::upstream::{Act, Canaries, Upstream, json, raw, reply};
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::load;
use quaymaster_connectors::oauth::{AuthorizationServer, OAuthApp, Problem, ProblemKind, Tokens};
use quaymaster_connectors::request::Account;
use quaymaster_egress::{Egress, Policy};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

const SECRET: &str = "the secret: of/the+app";
const CODE: &str = "code-that-nobody-sees";
const REFRESH: &str = "refresh-that-nobody-sees";
const REDIRECT: &str = "https://quay.example.com/connections/callback";

/// A definition whose account names its server, with changes to its `oauth2`.
fn definition(more: &str) -> Definition {
    let text = format!(
        r#"quaymaster: 1
key: notes
kind: rest
version: "1"
title: Notes
summary: Notes of a team
connection: {{url: {{title: Address}}}}
base_url: "{{url}}/v1"
auth:
  - key: oauth2
    type: oauth2
    oauth2:
      grants: [authorization_code, device_code, client_credentials]
      authorize_url: "{{url}}/authorize"
      token_url: "{{url}}/token"
      device_url: "{{url}}/device"
      revoke_url: "{{url}}/revoke"
{more}
modules:
  notes:
    title: Notes
    actions:
      list_notes: {{title: List notes, method: GET, path: /notes}}
"#
    );
    load::parse(&text, "notes.yaml").unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn account(url: &str) -> Account {
    Account {
        auth: "oauth2".into(),
        fields: BTreeMap::from([("url".into(), url.to_owned().into())]),
        local: true,
        ..Account::default()
    }
}

fn app() -> OAuthApp {
    OAuthApp {
        client_id: "client of ours".into(),
        client_secret: Some(SECRET.to_owned().into()),
        origins: None,
    }
}

/// A server that answers everything alike, and what asks it.
struct Scene {
    definition: Definition,
    account: Account,
    app: OAuthApp,
    egress: Egress,
    upstream: Upstream,
}

impl Scene {
    async fn of(more: &str, acts: Vec<Act>) -> Scene {
        let upstream = Upstream::start("127.77.31.1", move |_, _| acts.clone()).await;
        Scene {
            definition: definition(more),
            account: account(&upstream.url("")),
            app: app(),
            egress: Egress::new(Policy::default()).unwrap(),
            upstream,
        }
    }

    fn server(&self) -> AuthorizationServer<'_> {
        let Scene {
            definition,
            account,
            app,
            egress,
            ..
        } = self;
        AuthorizationServer::new(egress, definition, account, app).unwrap()
    }

    async fn refresh(&self) -> Result<Tokens, Problem> {
        self.server().refresh(&REFRESH.to_owned().into()).await
    }

    fn sent(&self) -> (BTreeMap<String, String>, String) {
        let seen = self.upstream.seen().pop().unwrap();
        let form = url::form_urlencoded::parse(seen.body.as_bytes());
        let form = form.into_owned().collect();
        (
            form,
            seen.header("authorization").unwrap_or_default().to_owned(),
        )
    }
}

fn shown(token: &SecretString) -> &str {
    token.expose_secret()
}

#[tokio::test]
async fn the_address_to_sign_in_at_has_state_challenge_scopes_and_the_definitions_own() {
    let more = "      scopes: {default: [read, write], separator: \",\"}\n      authorize_params: {access_type: offline, state: mine, client_id: other}";
    let scene = Scene::of(more, json("{}")).await;
    let state: SecretString = "aut_x.state".to_owned().into();
    let verifier: SecretString = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        .to_owned()
        .into();
    let url = scene
        .server()
        .authorize_url(REDIRECT, &state, &verifier)
        .unwrap();
    let url = Url::parse(&url).unwrap();
    assert_eq!(url.path(), "/authorize");
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let expected = [
        ("response_type", "code"),
        ("client_id", "client of ours"),
        ("redirect_uri", REDIRECT),
        ("scope", "read,write"),
        ("state", "aut_x.state"),
        // Of RFC 7636, Appendix B.
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
        ("access_type", "offline"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(pairs, expected);
    assert!(!url.as_str().contains(shown(&verifier)));

    let scene = Scene::of("      pkce: \"off\"", json("{}")).await;
    let url = scene
        .server()
        .authorize_url(REDIRECT, &state, &verifier)
        .unwrap();
    assert!(!url.contains("challenge"), "{url}");
}

#[tokio::test]
async fn a_code_is_exchanged_with_each_kind_of_client_authentication() {
    for (more, in_header, in_form) in [
        ("", true, false),
        ("      client_auth: body", false, true),
        ("      client_auth: none", false, false),
    ] {
        let good = r#"{"access_token":"a1","token_type":"Bearer","expires_in":"3600","refresh_token":"r1"}"#;
        let scene = Scene::of(more, json(good)).await;
        let verifier: SecretString = "v".repeat(43).into();
        let code: SecretString = CODE.to_owned().into();
        let tokens = scene
            .server()
            .exchange(&code, REDIRECT, Some(&verifier))
            .await
            .unwrap();
        assert_eq!(shown(&tokens.access_token), "a1");
        assert_eq!(tokens.refresh_token.as_ref().map(shown), Some("r1"));
        assert_eq!(tokens.expires_in, Some(3600));
        let (form, header) = scene.sent();
        assert_eq!(form["grant_type"], "authorization_code");
        assert_eq!((&*form["code"], &*form["redirect_uri"]), (CODE, REDIRECT));
        assert_eq!(form["code_verifier"], "v".repeat(43));
        // Encoded as in a form before it is encoded (RFC 6749 §2.3.1).
        let pair = "Y2xpZW50K29mK291cnM6dGhlK3NlY3JldCUzQStvZiUyRnRoZSUyQmFwcA==";
        assert_eq!(header == format!("Basic {pair}"), in_header, "{header}");
        assert_eq!(form.contains_key("client_secret"), in_form);
        assert_eq!(form.contains_key("client_id"), !in_header);
    }
}

#[tokio::test]
async fn a_public_client_names_itself_and_json_is_sent_to_those_who_read_nothing_else() {
    let good = r#"{"access_token":"a1"}"#;
    let mut scene = Scene::of("      token_format: json", json(good)).await;
    scene.app.client_secret = None;
    scene.refresh().await.unwrap();
    let seen = scene.upstream.seen().pop().unwrap();
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!(body["client_id"], "client of ours");
    assert_eq!(body["refresh_token"], REFRESH);
    assert!(seen.header("authorization").is_none());
}

#[tokio::test]
async fn answers_are_read_whatever_they_call_themselves() {
    let lifetime = "      refresh: {lifetime_s: 1800}";
    for (more, acts, life, refresh) in [
        // No `expires_in`, the wrong content type, a form, a byte order mark, a number as text.
        ("", json(r#"{"access_token":"a1"}"#), None, None),
        (
            lifetime,
            json(r#"{"access_token":"a1","expires_in":0}"#),
            Some(1800),
            None,
        ),
        (
            lifetime,
            json(r#"{"access_token":"a1","expires_in":null}"#),
            Some(1800),
            None,
        ),
        (
            "",
            reply(
                "200 OK\r\ncontent-type: text/html",
                r#"{"access_token":"a1","expires_in":60.5}"#,
            ),
            Some(60),
            None,
        ),
        (
            "",
            reply(
                "200 OK\r\ncontent-type: application/x-www-form-urlencoded",
                "access_token=a1&expires_in=28800&refresh_token=r%2B2&scope=repo",
            ),
            Some(28_800),
            Some("r+2"),
        ),
        (
            "",
            reply(
                "200 OK",
                "\u{feff}{\"access_token\":\"a1\",\"refresh_token\":\"\"}",
            ),
            None,
            None,
        ),
        (
            "",
            json(r#"{"ok":true,"authed_user":{"access_token":"a1","refresh_token":"r3"}}"#),
            None,
            Some("r3"),
        ),
    ] {
        let scene = Scene::of(more, acts).await;
        let tokens = scene.refresh().await.unwrap();
        assert_eq!(shown(&tokens.access_token), "a1");
        assert_eq!(tokens.expires_in, life);
        assert_eq!(tokens.refresh_token.as_ref().map(shown), refresh);
    }
}

#[tokio::test]
async fn fields_are_taken_from_the_answer_and_only_such_as_can_be_fields() {
    let more =
        "      fields_from_token: {site: /instance/url, team: /team/id, odd: /team, long: /long}";
    let long = "x".repeat(5_000);
    let body = format!(
        r#"{{"access_token":"a1","instance":{{"url":"https://eu.example.com"}},"team":{{"id":7}},"long":"{long}"}}"#
    );
    let scene = Scene::of(more, json(&body)).await;
    let fields = scene.refresh().await.unwrap().fields;
    let expected = [("site", "https://eu.example.com"), ("team", "7")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(fields, BTreeMap::from(expected));
}

#[tokio::test]
async fn every_error_says_whose_turn_it_is_and_tells_no_secret() {
    use ProblemKind as K;
    let echo = |code: &str| {
        // As careless servers do, it says what it was sent.
        let said = format!("{REFRESH} is bad, says {SECRET}\u{202e}\u{0}");
        let body = serde_json::json!({ "error": code, "error_description": said });
        reply(
            "400 Bad Request\r\ncontent-type: application/json",
            body.to_string(),
        )
    };
    for (acts, kind, retryable) in [
        (echo("invalid_grant"), K::Grant, false),
        (json(r#"{"error":"bad_refresh_token"}"#), K::Grant, false),
        (
            json(r#"{"ok":false,"error":"invalid_refresh_token"}"#),
            K::Grant,
            false,
        ),
        (echo("invalid_client"), K::Client, false),
        (echo("invalid_scope"), K::Client, false),
        (echo("redirect_uri_mismatch"), K::Client, false),
        (echo("something_of_theirs"), K::Refused, false),
        (echo(REFRESH), K::Refused, false),
        (
            json(r#"{"error":{"message":"No such app","status":"PERMISSION_DENIED"}}"#),
            K::Refused,
            false,
        ),
        (echo("temporarily_unavailable"), K::Down, true),
        (
            reply("401 No", "<html>who are you</html>"),
            K::Refused,
            false,
        ),
        (
            reply("503 Gone", "<html>gone fishing</html>"),
            K::Down,
            true,
        ),
        (reply("429 Slow", "{}"), K::Down, true),
        (
            reply("302 Found\r\nlocation: https://evil.example/", ""),
            K::Refused,
            false,
        ),
        (json("{}"), K::Down, true),
        (json(r#"{"access_token":""}"#), K::Down, true),
        (json(r#"{"access_token":"a\nb"}"#), K::Down, true),
        (json(r#"{"access_token":7}"#), K::Down, true),
        (json("[1,2"), K::Down, true),
        (
            reply(
                "200 OK\r\ncontent-type: text/html",
                "<html>access_token=a1</html>",
            ),
            K::Down,
            true,
        ),
        (
            raw("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"access"),
            K::Down,
            true,
        ),
        (vec![Act::Reset], K::Down, true),
        (raw("no http at all"), K::Down, true),
    ] {
        let scene = Scene::of("", acts).await;
        let problem = scene.refresh().await.unwrap_err();
        assert_eq!(
            (problem.kind, problem.fault.retryable),
            (kind, retryable),
            "{problem:?}"
        );
        let told = problem.fault.to_json().to_string();
        for secret in [REFRESH, SECRET, "\u{202e}", "\\u0000"] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(problem.fault.hint.is_some(), "{told}");
        // Nothing is asked twice: a refresh token may be good for one use only.
        assert_eq!(scene.upstream.seen().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_is_not_waited_for_for_ever_nor_read_to_its_end() {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n{\"access_token\":\"a1\",\"x\":\"";
    let mut acts = vec![Act::Write(head.into())];
    acts.push(Act::Forever(vec![b'x'; 65_536], Duration::ZERO));
    let scene = Scene::of("", acts).await;
    let problem = scene.refresh().await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Down);
    assert!(
        problem.fault.message.contains("262144 bytes"),
        "{problem:?}"
    );
}

#[tokio::test]
async fn a_server_inside_the_network_is_reached_only_where_the_account_names_it_and_is_local() {
    let good = json(r#"{"access_token":"a1"}"#);
    let mut scene = Scene::of("", good.clone()).await;
    scene.account.local = false;
    let problem = scene.refresh().await.unwrap_err();
    assert_eq!(problem.kind, ProblemKind::Down);
    assert!(!problem.fault.retryable, "{problem:?}");
    // A fixed address is the definition's word, not the administrator's.
    let canaries = Canaries::listen().await;
    let (address, _) = canaries.0[0];
    let mut scene = Scene::of("", good).await;
    let fixed = serde_json::to_value(&scene.definition).unwrap().to_string();
    let fixed = fixed.replace("{url}/token", &format!("https://{address}/token"));
    scene.definition = serde_json::from_str(&fixed).unwrap();
    scene.refresh().await.unwrap_err();
    assert!(scene.upstream.seen().is_empty());
    canaries.are_silent().await;
}

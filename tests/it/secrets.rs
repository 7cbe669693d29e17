//! Where secrets are not: database, log, answers.

use crate::outside::tree;
use crate::sending::{Session, hex_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

fn secret_of(text: &str) -> String {
    text.rsplit(['.', '=']).next().unwrap().to_owned()
}

/// The forms in which a secret could stand somewhere.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![secret.as_bytes().to_vec()];
    // Base64 of a text within a longer text looks one of three ways.
    for shift in 0..3 {
        let coded = STANDARD_NO_PAD.encode([vec![b' '; shift], secret.into()].concat());
        forms.push(coded.as_bytes()[4..coded.len() - 4].to_vec());
    }
    forms.push(hex_of(secret.as_bytes()).into_bytes());
    if secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let digit = |at: usize| u8::from_str_radix(&secret[at..at + 2], 16).unwrap();
        forms.push((0..32).map(|n| digit(2 * n)).collect());
    }
    forms
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    let first = wanted[0];
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(wanted) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

#[test]
fn the_search_finds_a_secret_in_every_form() {
    let secret = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let coded = STANDARD_NO_PAD.encode(format!("x{secret}yz"));
    let raw: Vec<u8> = forms(secret).pop().unwrap();
    for text in [secret.as_bytes(), coded.as_bytes(), &raw] {
        let text = [b"before", text, b"after"].concat();
        assert!(forms(secret).iter().any(|form| contains(&text, form)));
    }
    assert!(
        !forms(secret)
            .iter()
            .any(|form| contains(b"something else entirely", form))
    );
}

#[tokio::test]
async fn no_secret_stands_in_the_database_the_log_or_an_answer_that_does_not_show_it() {
    let settings = [("LOG", "trace"), ("CALLS_PER_SECOND", "10000")];
    let mut server = Server::start_with(Database::Sqlite, &settings).await;
    let key = server.api_key(&[]).await;
    let mut secrets = vec![
        secret_of(&server.token),
        secret_of(&server.sign_in_link),
        secret_of(&key),
    ];
    for _ in 0..5 {
        secrets.push(secret_of(
            server.cli_json(&["token", "create"]).await["token"]
                .as_str()
                .unwrap(),
        ));
    }
    let link = server.cli_json(&["sign-in"]).await;
    secrets.push(secret_of(link["sign_in_link"].as_str().unwrap()));
    let base = format!("/api/v1/workspaces/{}", server.workspace);
    let mut answers: Vec<Value> = Vec::new();
    for name in ["A", "B", "C"] {
        let new = Some(json!({ "name": name }));
        let (_, made) = server
            .rest(&key, "POST", &format!("{base}/tokens"), new)
            .await;
        secrets.push(secret_of(made["token"].as_str().unwrap()));
        let id = made["credential"]["id"].as_str().unwrap();
        let again = format!("{base}/tokens/{id}/regenerate");
        let (_, fresh) = server.rest(&key, "POST", &again, Some(json!({}))).await;
        secrets.push(secret_of(fresh["token"].as_str().unwrap()));
    }
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    for n in 0..3 {
        let link = mcp.call("get_reconnect_url", json!({})).await.unwrap();
        secrets.push(secret_of(link["url"].as_str().unwrap()));
        let session = Session::create(&mcp, json!({ "path": format!("u{n}"), "size": 3 })).await;
        secrets.push(secret_of(&session.template));
        // A good use, a bad one, and a page that does not know the link.
        session.put(0, b"abc".to_vec(), None).await;
        session.put(7, b"abc".to_vec(), None).await;
        server
            .rest(
                "",
                "GET",
                link["url"]
                    .as_str()
                    .unwrap()
                    .strip_prefix(&server.url)
                    .unwrap(),
                None,
            )
            .await;
        answers.push(
            mcp.call("get_upload_status", session.named())
                .await
                .unwrap(),
        );
        answers.push(
            mcp.call("complete_upload_session", session.named())
                .await
                .unwrap(),
        );
    }
    // Failures tell nothing of what was presented.
    let (id, right) = server.token.split_once('.').unwrap();
    let wrong = format!("{id}.{right}x");
    secrets.push(format!("{right}x"));
    for path in ["/mcp", "/api/v1/workspaces", &format!("/mcp?token={wrong}")] {
        let (status, answer) = server.rest(&wrong, "GET", path, None).await;
        assert_eq!(status, 401, "{path}");
        answers.push(answer);
    }
    let paths = ["", "/tokens", "/calls", "/connect", "/trash"].map(|end| format!("{base}{end}"));
    let more = [
        "/api/v1/api-keys",
        "/api/v1/events",
        "/api/v1/calls",
        "/api/v1/workspaces",
    ];
    for path in paths.iter().map(String::as_str).chain(more) {
        let (status, answer) = server.rest(&key, "GET", path, None).await;
        assert!([200, 404].contains(&status), "{path}: {answer}");
        answers.push(answer);
    }
    answers.push(server.cli_json(&["token", "list"]).await);
    let doctor = server.cli(&["doctor", "--json"]).await.stdout;
    answers.push(Value::String(String::from_utf8(doctor).unwrap()));
    let file = server.data.path().join("key");
    let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let sealing = std::fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(sealing.len(), 64);
    secrets.push(sealing);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    let mut places: Vec<(String, Vec<u8>)> = tree(server.data.path());
    server.stop().await;
    places.extend(tree(server.data.path()));
    places.retain(|(name, _)| name != "key");
    assert!(
        places
            .iter()
            .any(|(name, data)| name == "quaymaster.db-wal" && !data.is_empty())
    );
    assert!(
        places
            .iter()
            .any(|(name, data)| name == "server.log" && data.len() > 10_000)
    );
    for secret in &secrets {
        assert!(secret.len() >= 43, "{secret}");
        for form in forms(secret) {
            for (name, data) in &places {
                assert!(
                    !contains(data, &form),
                    "a secret stands in {name}: {secret}"
                );
            }
        }
        for answer in &answers {
            assert!(!answer.to_string().contains(secret.as_str()), "{answer}");
        }
    }
}

//! Behind a proxy, limits go by the client that the proxy names.

use quaymaster_tests::{Database, Server, Visitor};

/// The status of a wrong password of somebody who says to come from there.
async fn guess(server: &Server, from: &str) -> u16 {
    let mut person = Visitor::unknown(&server.url);
    person.headers.push(("x-forwarded-for", from.to_owned()));
    person
        .sign_in("owner@example.com", "a wrong password")
        .await
        .status
}

#[tokio::test]
async fn a_trusted_proxy_names_the_client_and_nobody_else_does() {
    let trusting = [("TRUSTED_PROXIES", r#"["127.0.0.0/8"]"#)];
    let server = Server::start_with(Database::Sqlite, &trusting).await;
    for _ in 0..20 {
        // What the client itself wrote stands further left, and changes nothing.
        assert_eq!(guess(&server, "198.51.100.7, 203.0.113.9").await, 422);
    }
    assert_eq!(guess(&server, "198.51.100.8, 203.0.113.9").await, 429);
    assert_eq!(guess(&server, "203.0.113.10").await, 422, "another client");
    let mut owner = Visitor::owner(&server).await;
    owner
        .headers
        .push(("x-forwarded-for", "203.0.113.11".to_owned()));
    let page = owner.sign_in("owner@example.com", quaymaster_tests::person::PASSWORD);
    assert_eq!(page.await.location, "/");
    let page = owner.get("/settings/account").await;
    assert!(page.body.contains("203.0.113.11"), "{}", page.body);

    let server = Server::start().await;
    for n in 0..20 {
        assert_eq!(guess(&server, &format!("203.0.113.{n}")).await, 422);
    }
    assert_eq!(guess(&server, "203.0.113.99").await, 429);
    let wrong = [("TRUSTED_PROXIES", r#"["somewhere"]"#)];
    let environment = wrong.map(|(name, value)| (format!("QUAYMASTER_{name}"), value.to_owned()));
    let data = tempfile::TempDir::new().unwrap();
    let refused = quaymaster_tests::cli(
        data.path(),
        &environment,
        &["serve", "--listen", "127.0.0.1:0"],
    );
    let refused = refused.await;
    assert!(!refused.status.success());
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(text.contains("trusted_proxies"), "{text}");
}

//! What may be asked at the authorization endpoint, and where answers go.

use super::{CALLBACK, Server, param, with, without};

#[tokio::test]
async fn questions_that_do_not_fit_are_answered_to_the_client_with_the_issuer() {
    let server = Server::start().await;
    let good = server.question();
    for (name, value, expected) in [
        ("response_type", "token", "unsupported_response_type"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("resource", "https://evil.example/mcp", "invalid_target"),
        ("resource", "http://127.0.0.1:8080/other", "invalid_target"),
        ("resource", "http://127.0.0.1:8080/mcp//", "invalid_target"),
        ("resource", "", "invalid_target"),
        ("scope", "admin", "invalid_scope"),
        ("scope", "everything", "invalid_scope"),
    ] {
        let question = with(good.clone(), name, value);
        assert_eq!(server.answered(&question).await, expected, "{name}={value}");
    }
    for name in ["response_type", "code_challenge", "code_challenge_method"] {
        let question = without(good.clone(), name);
        assert_eq!(
            server.answered(&question).await,
            "invalid_request",
            "{name}"
        );
    }
    let mut twice = good.clone();
    twice.push(("scope", "read:tools".into()));
    assert_eq!(server.answered(&twice).await, "invalid_request");
    let mut two_resources = good;
    two_resources.push(("resource", "https://evil.example/mcp".into()));
    assert_eq!(server.answered(&two_resources).await, "invalid_target");
}

#[tokio::test]
async fn an_answer_never_goes_to_an_address_that_is_not_registered() {
    let server = Server::start().await;
    let good = server.question();
    for address in [
        "https://evil.example/callback",
        "http://127.0.0.1:9000/other",
        "http://127.0.0.1:9000/callback/../evil",
        "http://127.0.0.1:9000/callback#x",
        "http://127.0.0.1:9000@evil.example/callback",
        "http://localhost:9000/callback",
        "javascript:alert(1)",
    ] {
        let question = with(good.clone(), "redirect_uri", address);
        assert!(server.told(&question).await, "{address}");
    }
    for (name, value) in [("client_id", "dcr_nobody"), ("client_id", "")] {
        assert!(
            server.told(&with(good.clone(), name, value)).await,
            "{value}"
        );
    }
    let mut forged = server.client.clone();
    forged.replace_range(6..7, if &forged[6..7] == "A" { "B" } else { "A" });
    assert!(server.told(&with(good.clone(), "client_id", &forged)).await);
    // A client with one address need not name it, and any local port is its own.
    let location = server
        .agreed(&without(good.clone(), "redirect_uri"), true)
        .await;
    assert!(location.starts_with(CALLBACK), "{location}");
    assert_eq!(param(&location, "state").unwrap(), "a state");
    assert_eq!(param(&location, "iss").unwrap(), "http://127.0.0.1:8080");
    let port = with(good, "redirect_uri", "http://127.0.0.1:54321/callback");
    let location = server.agreed(&port, true).await;
    assert!(location.starts_with("http://127.0.0.1:54321/callback?code="));
}

//! Codes against tokens.

use super::{RESOURCE, Server, error, param, with, without};

#[tokio::test]
async fn a_code_is_exchanged_for_tokens_that_are_good_at_the_endpoint_only() {
    let server = Server::start().await;
    let tokens = server.granted().await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 86_400);
    assert_eq!(tokens["scope"], "read:tools write:tools");
    assert!(server.is_good(&tokens).await);
    assert!(
        !server.is_good_at(&tokens, None).await,
        "REST is another audience"
    );
    assert_eq!(server.grants().await, 1);
    server.pass(24 * 3_600);
    assert!(!server.is_good(&tokens).await);
}

#[tokio::test]
async fn a_code_that_comes_again_is_refused_and_takes_its_tokens_with_it() {
    let server = Server::start().await;
    let code = server.code().await;
    let (_, tokens) = server.token(&server.exchange(&code)).await;
    assert!(server.is_good(&tokens).await);
    let again = server.token(&server.exchange(&code)).await;
    assert_eq!(error(&again), (400, "invalid_grant"));
    assert!(!server.is_good(&tokens).await);
    let refreshed = server.token(&server.refresh(&tokens)).await;
    assert_eq!(error(&refreshed), (400, "invalid_grant"));
    assert_eq!(server.grants().await, 0);
}

#[tokio::test]
async fn two_exchanges_of_one_code_at_once_leave_nobody_with_tokens() {
    let server = Server::start().await;
    let exchange = server.exchange(&server.code().await);
    let (one, two) = tokio::join!(server.token(&exchange), server.token(&exchange));
    let good = [&one, &two]
        .into_iter()
        .filter(|(status, _)| *status == 200);
    for (_, tokens) in good {
        assert!(!server.is_good(tokens).await);
    }
    assert!(one.0 == 400 || two.0 == 400, "{one:?} {two:?}");
    assert_eq!(server.grants().await, 0);
}

#[tokio::test]
async fn an_exchange_that_does_not_fit_its_question_is_refused() {
    let server = Server::start().await;
    let other = server.registered("Another client").await;
    let good = server.exchange(&server.code().await);
    let wrong_verifier = "x".repeat(43);
    for (name, value, expected) in [
        ("client_id", other.as_str(), "invalid_grant"),
        (
            "redirect_uri",
            "http://127.0.0.1:9001/callback",
            "invalid_grant",
        ),
        ("code_verifier", &wrong_verifier, "invalid_grant"),
        ("code_verifier", "short", "invalid_grant"),
        ("resource", "http://127.0.0.1:8080/other", "invalid_target"),
        ("resource", "https://evil.example/mcp", "invalid_target"),
        ("code", "oac_x.y", "invalid_grant"),
        ("grant_type", "password", "unsupported_grant_type"),
        ("grant_type", "client_credentials", "unsupported_grant_type"),
    ] {
        let answer = server.token(&with(good.clone(), name, value)).await;
        assert_eq!(error(&answer), (400, expected), "{name}={value}");
    }
    for (name, expected) in [
        ("code", (400, "invalid_request")),
        ("code_verifier", (400, "invalid_request")),
        ("grant_type", (400, "invalid_request")),
        ("client_id", (401, "invalid_client")),
    ] {
        let answer = server.token(&without(good.clone(), name)).await;
        assert_eq!(error(&answer), expected, "without {name}");
    }
    let mut twice = good.clone();
    twice.push(("code", "other".into()));
    assert_eq!(error(&server.token(&twice).await), (400, "invalid_request"));
    // None of this used the code up.
    let (status, tokens) = server.token(&good).await;
    assert_eq!(status, 200, "{tokens}");
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let server = Server::start().await;
    let exchange = server.exchange(&server.code().await);
    server.pass(61);
    assert_eq!(
        error(&server.token(&exchange).await),
        (400, "invalid_grant")
    );
    assert_eq!(server.grants().await, 0);
}

#[tokio::test]
async fn a_resource_with_or_without_a_slash_or_left_out_is_the_endpoint() {
    let server = Server::start().await;
    for resource in [
        RESOURCE,
        "http://127.0.0.1:8080/mcp/",
        "HTTP://127.0.0.1:8080/mcp",
    ] {
        let question = with(server.question(), "resource", resource);
        let code = param(&server.agreed(&question, true).await, "code").unwrap();
        let exchange = with(server.exchange(&code), "resource", resource);
        assert_eq!(server.token(&exchange).await.0, 200, "{resource}");
    }
    let question = without(server.question(), "resource");
    let code = param(&server.agreed(&question, true).await, "code").unwrap();
    let exchange = without(server.exchange(&code), "resource");
    let (_, tokens) = server.token(&exchange).await;
    assert!(server.is_good(&tokens).await);
}

//! Refresh tokens, and revocation by the client.

use super::{Server, error, param, text, with};
use serde_json::Value;

#[tokio::test]
async fn ten_refreshes_at_once_all_get_tokens() {
    let server = Server::start().await;
    let tokens = server.granted().await;
    let refresh = server.refresh(&tokens);
    let mut running = Vec::new();
    for _ in 0..10 {
        running.push(server.token(&refresh));
    }
    let answers = futures_util::future::join_all(running).await;
    for (status, tokens) in &answers {
        assert_eq!(*status, 200, "{tokens}");
        assert!(server.is_good(tokens).await);
    }
    // The grant is one, whatever the number of tokens.
    assert_eq!(server.grants().await, 1);
}

#[tokio::test]
async fn a_refresh_token_works_two_minutes_longer_and_then_ends_its_family() {
    let server = Server::start().await;
    let first = server.granted().await;
    let (_, second) = server.token(&server.refresh(&first)).await;
    server.pass(119);
    let (status, third) = server.token(&server.refresh(&first)).await;
    assert_eq!(status, 200, "{third}");
    server.pass(2);
    let late = server.token(&server.refresh(&first)).await;
    assert_eq!(error(&late), (400, "invalid_grant"));
    for tokens in [&first, &second, &third] {
        assert!(!server.is_good(tokens).await);
        let refreshed = server.token(&server.refresh(tokens)).await;
        assert_eq!(error(&refreshed), (400, "invalid_grant"));
    }
    assert_eq!(server.grants().await, 0);
}

#[tokio::test]
async fn a_refresh_token_gives_at_most_eleven_tokens_within_the_grace() {
    let server = Server::start().await;
    let refresh = server.refresh(&server.granted().await);
    let mut good = 0;
    for _ in 0..20 {
        good += u32::from(server.token(&refresh).await.0 == 200);
    }
    assert_eq!(good, 11);
    // Too many within the grace is a client gone wild, no theft.
    assert_eq!(server.grants().await, 1);
}

#[tokio::test]
async fn a_grant_that_is_refreshed_goes_on_and_one_that_is_not_ends_after_ninety_days() {
    let server = Server::start().await;
    let mut tokens = server.granted().await;
    for _ in 0..3 {
        server.pass(60 * 86_400);
        let (status, next) = server.token(&server.refresh(&tokens)).await;
        assert_eq!(status, 200, "{next}");
        tokens = next;
    }
    server.pass(90 * 86_400);
    let late = server.token(&server.refresh(&tokens)).await;
    assert_eq!(error(&late), (400, "invalid_grant"));
}

#[tokio::test]
async fn a_refresh_of_another_client_or_for_more_is_refused() {
    let server = Server::start().await;
    let other = server.registered("Another client").await;
    let question = server.question();
    let code = param(&server.agreed(&question, false).await, "code").unwrap();
    let (_, tokens) = server.token(&server.exchange(&code)).await;
    assert_eq!(tokens["scope"], "read:tools", "the person allowed no more");
    let refresh = server.refresh(&tokens);
    let foreign = with(refresh.clone(), "client_id", &other);
    assert_eq!(error(&server.token(&foreign).await), (400, "invalid_grant"));
    let more = with(refresh.clone(), "scope", "write:tools");
    assert_eq!(error(&server.token(&more).await), (400, "invalid_scope"));
    let elsewhere = with(refresh.clone(), "resource", "https://evil.example/mcp");
    assert_eq!(
        error(&server.token(&elsewhere).await),
        (400, "invalid_target")
    );
    let (_, same) = server
        .token(&with(refresh, "scope", "read:tools write:tools"))
        .await;
    assert_eq!(same["scope"], "read:tools");
}

#[tokio::test]
async fn a_public_client_revokes_its_tokens() {
    let server = Server::start().await;
    let tokens = server.granted().await;
    let (_, more) = server.token(&server.refresh(&tokens)).await;
    let revoke = |token: &Value, client: &str| {
        vec![("token", text(token)), ("client_id", client.to_owned())]
    };
    let other = server.registered("Another client").await;
    let foreign = server
        .post("/revoke", &revoke(&tokens["access_token"], &other))
        .await;
    assert_eq!(error(&foreign), (400, "invalid_grant"));
    // An access token goes alone.
    let one = revoke(&tokens["access_token"], &server.client);
    assert_eq!(server.post("/revoke", &one).await.0, 200);
    assert!(!server.is_good(&tokens).await);
    assert!(server.is_good(&more).await);
    // A refresh token takes everything with it.
    let all = revoke(&more["refresh_token"], &server.client);
    assert_eq!(server.post("/revoke", &all).await.0, 200);
    assert!(!server.is_good(&more).await);
    assert_eq!(server.grants().await, 0);
    // What is unknown is revoked.
    for unknown in ["nonsense", "oat_01.x", &text(&tokens["access_token"])] {
        let again = vec![("token", unknown.to_owned())];
        assert_eq!(server.post("/revoke", &again).await.0, 200);
    }
}

#[tokio::test]
async fn a_grant_is_refreshed_thirty_times_at_once_and_then_seldom() {
    let server = Server::start().await;
    let mut tokens = server.granted().await;
    let other = server.granted().await;
    let mut good = 0;
    for _ in 0..40 {
        let (status, next) = server.token(&server.refresh(&tokens)).await;
        if status == 200 {
            good += 1;
            tokens = next;
        } else {
            // No error that makes a client forget its tokens.
            assert_eq!(error(&(status, next)), (429, "too_many_requests"));
        }
    }
    assert!((30..=32).contains(&good), "{good}");
    assert!(server.is_good(&tokens).await);
    assert_eq!(server.grants().await, 2);
    let (status, _) = server.token(&server.refresh(&other)).await;
    assert_eq!(status, 200, "another grant has its own count");
}

#[tokio::test]
async fn guesses_of_a_token_are_counted_and_keep_nobody_from_the_right_one() {
    let server = Server::start().await;
    let tokens = server.granted().await;
    let right = text(&tokens["refresh_token"]);
    let (id, _) = right.split_once('.').unwrap();
    let guess = format!("{id}.{}", "A".repeat(43));
    let refresh = with(server.refresh(&tokens), "refresh_token", &guess);
    for _ in 0..20 {
        let refused = server.token(&refresh).await;
        assert_eq!(error(&refused), (400, "invalid_grant"));
    }
    let refused = server.token(&refresh).await;
    assert_eq!(error(&refused), (429, "too_many_requests"));
    let back = vec![("token", guess)];
    let refused = server.post("/revoke", &back).await;
    assert_eq!(error(&refused), (429, "too_many_requests"));
    let (status, next) = server.token(&server.refresh(&tokens)).await;
    assert_eq!(status, 200, "{next}");
}

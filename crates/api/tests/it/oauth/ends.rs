//! What ends with an access token, and what with its grant.

use super::{Server, text};
use quaymaster_core::caller::Audience;
use quaymaster_core::door::{Change, ChangeFeed};
use quaymaster_core::{Caller, Door as _};
use serde_json::Value;
use std::time::Duration;

const DAY: i64 = 24 * 3_600;
/// Longer than the second that the tests leave on the clock.
const SOON: Duration = Duration::from_secs(3);

async fn caller(server: &Server, tokens: &Value) -> Caller {
    let admitted = server.admitted(tokens, Some(Audience::Mcp)).await;
    admitted.unwrap()
}

async fn next(feed: &mut Box<dyn ChangeFeed>) -> Option<Option<Change>> {
    tokio::time::timeout(SOON, feed.next()).await.ok()
}

#[tokio::test]
async fn a_session_goes_on_when_its_client_refreshed_and_its_stream_ends_with_the_token() {
    let server = Server::start().await;
    let tokens = server.granted().await;
    let app = &server.product.app;
    // A second before the access token's end.
    server.pass(DAY - 1);
    let caller = caller(&server, &tokens).await;
    let mut session = app.changes(&caller);
    let stream = app.presented_ends(&caller);
    let (status, refreshed) = server.token(&server.refresh(&tokens)).await;
    assert_eq!(status, 200, "{refreshed}");
    tokio::time::timeout(SOON, stream)
        .await
        .expect("the stream ends");
    assert_eq!(next(&mut session).await, None, "nothing to be told");
    server.pass(1);
    assert!(!server.is_good(&tokens).await);
    assert!(server.is_good(&refreshed).await);
}

#[tokio::test]
async fn a_session_ends_with_a_grant_that_nobody_refreshed() {
    let server = Server::start().await;
    let tokens = server.granted().await;
    let caller = caller(&server, &tokens).await;
    server.pass(90 * DAY - 1);
    let mut session = server.product.app.changes(&caller);
    assert_eq!(next(&mut session).await, Some(Some(Change::Revoked)));
}

#[tokio::test]
async fn a_session_whose_grant_was_refreshed_goes_on_beyond_the_end_that_it_began_with() {
    let server = Server::start().await;
    let tokens = server.granted().await;
    let caller = caller(&server, &tokens).await;
    server.pass(90 * DAY - 1);
    let mut session = server.product.app.changes(&caller);
    let (status, _) = server.token(&server.refresh(&tokens)).await;
    assert_eq!(status, 200);
    // What is believed of the grant is half a second old.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(next(&mut session).await, None);
}

#[tokio::test]
async fn an_access_token_that_its_client_gives_back_ends_its_streams_alone() {
    let server = Server::start().await;
    let tokens = server.granted().await;
    let (_, other) = server.token(&server.refresh(&tokens)).await;
    let app = &server.product.app;
    let (ours, others) = (
        caller(&server, &tokens).await,
        caller(&server, &other).await,
    );
    let mut session = app.changes(&ours);
    let (stream, beside) = (app.presented_ends(&ours), app.presented_ends(&others));
    let give_back = vec![("token", text(&tokens["access_token"]))];
    let ((), (status, _)) = tokio::join!(
        async { tokio::time::timeout(SOON, stream).await.expect("it ends") },
        server.post("/revoke", &give_back)
    );
    assert_eq!(status, 200);
    assert!(!server.is_good(&tokens).await && server.is_good(&other).await);
    let late = app.presented_ends(&ours);
    tokio::time::timeout(SOON, late)
        .await
        .expect("a stream that was opened a moment too late ends, too");
    let beside = tokio::time::timeout(Duration::from_millis(300), beside);
    assert!(beside.await.is_err(), "the other token's stream goes on");
    let told = tokio::time::timeout(Duration::from_millis(300), session.next()).await;
    assert!(told.is_err(), "{told:?}");
}

//! What other nodes change.

use crate::Node;
use quaymaster_core::caller::Presented;
use quaymaster_core::clock::{Clock as _, SystemClock, SystemEntropy};
use quaymaster_core::door::{Change, Door as _};
use quaymaster_core::id::EventId;
use quaymaster_store::event::{EVENTS_A_PAGE, Event};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_revocation_behind_more_events_than_a_page_is_heard_at_once() {
    let node = Node::start().await;
    let presented = Presented {
        bearer: Some(node.first.token.token.clone()),
        ..Presented::default()
    };
    let caller = node.app.admit(presented).await.unwrap();
    let mut feed = node.app.changes(&caller);
    let event = |action: &str, credential| Event {
        id: EventId::fresh(&SystemClock, &SystemEntropy),
        at: SystemClock.now(),
        org: caller.org.clone(),
        workspace: None,
        credential,
        actor: "command line".to_owned(),
        action: action.to_owned(),
        details: json!({}),
    };
    let elsewhere = node.store().await;
    let mut tx = elsewhere.begin().await.unwrap();
    for _ in 0..=EVENTS_A_PAGE {
        tx.record(&event("user.signed_in", None)).await.unwrap();
    }
    let revoked = event("credential.revoked", Some(caller.credential.clone()));
    tx.record(&revoked).await.unwrap();
    tx.commit().await.unwrap();
    let heard = tokio::time::timeout(Duration::from_secs(10), feed.next()).await;
    assert_eq!(heard.unwrap(), Some(Change::Revoked));
}

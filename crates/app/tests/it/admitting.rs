//! What is said to a credential that is not admitted.

use crate::Node;
use quaymaster_core::Code;
use quaymaster_core::caller::{Audience, Presented, Refusal};
use quaymaster_core::door::Door as _;
use secrecy::ExposeSecret as _;

/// The refusal of a token, presented at the MCP endpoint.
async fn refused(node: &Node, token: &str) -> Refusal {
    let presented = Presented {
        audience: Some(Audience::Mcp),
        bearer: Some(token.to_owned().into()),
        address: "203.0.113.1".parse().ok(),
        ..Presented::default()
    };
    let refusal = node.app.admit(presented).await.unwrap_err();
    let challenge = refusal.challenge.as_deref().unwrap();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    assert!(challenge.contains("resource_metadata="), "{challenge}");
    refusal
}

#[tokio::test]
async fn a_token_that_was_good_once_is_no_guess_however_often_it_comes() {
    let node = Node::start().await;
    let token = node.first.token.token.expose_secret();
    let actor = node.app.organizations_at_command_line().await.unwrap();
    let actor = node.app.actor_at_command_line(&actor[0].id).await.unwrap();
    let credential = &node.first.token.credential.id;
    node.app.revoke(&actor, credential).await.unwrap();
    for _ in 0..50 {
        let refusal = refused(&node, token).await;
        assert_eq!(refusal.fault.code, Code::Unauthenticated);
        assert!(refusal.fault.message.contains("revoked"), "{refusal:?}");
    }
}

#[tokio::test]
async fn what_is_no_token_at_all_is_no_guess_and_a_wrong_secret_is() {
    let node = Node::start().await;
    let token = node.first.token.token.expose_secret();
    let (id, _) = token.split_once('.').unwrap();
    for n in 0..50 {
        let refusal = refused(&node, &format!("ghp_{n}")).await;
        assert_eq!(refusal.fault.code, Code::Unauthenticated);
    }
    for n in 0..25 {
        let refusal = refused(&node, &format!("{id}.{}", "x".repeat(40 + n))).await;
        let wanted = if n < 20 {
            Code::Unauthenticated
        } else {
            Code::RateLimited
        };
        assert_eq!(refusal.fault.code, wanted, "{n}");
    }
}

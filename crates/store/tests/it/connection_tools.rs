//! What was found at the servers of connections: kept, replaced, one organization's alone.

use crate::{NOW, Tenant, both, tenant};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::ConnectionId;
use quaymaster_store::Store;
use quaymaster_store::connection::{Connection, Secrets};
use quaymaster_store::connection_tools::ConnectionTools;
use std::collections::BTreeMap;

async fn connect(store: &Store, tenant: &Tenant) -> ConnectionId {
    let connection = Connection {
        id: ConnectionId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        workspace: None,
        end_user: None,
        integration: None,
        connector: "mcp_server".into(),
        name: "main".into(),
        external_id: None,
        display_name: None,
        label: None,
        auth: "none".into(),
        fields: BTreeMap::new(),
        is_local: false,
        destination: None,
        problem: None,
        user: tenant.user.clone(),
        created_at: NOW,
        verified_at: None,
        expires_at: None,
        renew_at: None,
        revision: 1,
    };
    let org = tenant.org.as_str();
    store.prepare_sealing(NOW, org).await.unwrap();
    let sealed = store
        .seal_connection(&tenant.org, &connection.id, &Secrets::new())
        .unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.add_connection(&connection, sealed).await.unwrap();
    tx.commit().await.unwrap();
    connection.id
}

fn found(connection: &ConnectionId, digest: &str) -> ConnectionTools {
    ConnectionTools {
        connection: connection.clone(),
        found: format!("{{\"tools\": [\"{digest} ✓\"]}}"),
        digest: digest.into(),
        accepted: BTreeMap::from([("a".into(), digest.into())]),
        found_at: NOW,
        changed_at: None,
    }
}

#[tokio::test]
async fn what_was_found_is_kept_replaced_and_gone_with_the_connection() {
    for place in both().await {
        let store = place.open().await;
        let (ours, theirs) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let connection = connect(&store, &ours).await;
        let nothing = store.connection_tools(&ours.org, &connection).await;
        assert!(nothing.unwrap().is_none());
        for digest in ["first", "second"] {
            let mut tx = store.begin().await.unwrap();
            let tools = found(&connection, digest);
            tx.keep_connection_tools(&ours.org, &tools).await.unwrap();
            tx.commit().await.unwrap();
        }
        // Another organization neither reads nor replaces it.
        let mut tx = store.begin().await.unwrap();
        let stray = found(&connection, "stray");
        tx.keep_connection_tools(&theirs.org, &stray).await.unwrap();
        tx.commit().await.unwrap();
        let other = store.connection_tools(&theirs.org, &connection).await;
        assert!(other.unwrap().is_none());
        assert!(
            store
                .connection_tool_digests(&theirs.org, None)
                .await
                .unwrap()
                .is_empty()
        );
        let kept = store.connection_tools(&ours.org, &connection).await;
        let kept = kept.unwrap().unwrap();
        assert_eq!(kept.found, "{\"tools\": [\"second ✓\"]}");
        assert_eq!(kept.accepted["a"], "second");
        assert_eq!((kept.found_at, kept.changed_at), (NOW, None));
        let digests = store
            .connection_tool_digests(&ours.org, None)
            .await
            .unwrap();
        assert_eq!(digests[&connection], "second");

        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_connection(&ours.org, &connection).await.unwrap());
        tx.commit().await.unwrap();
        let gone = store
            .connection_tool_digests(&ours.org, None)
            .await
            .unwrap();
        assert!(gone.is_empty());
    }
}

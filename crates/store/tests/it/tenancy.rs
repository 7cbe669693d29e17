use crate::{NOW, add, both, credential, session, tenant, workspace};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::secret::SecretDigest;
use quaymaster_store::credential::Origin;
use quaymaster_store::workspace::WorkspaceChange;

#[tokio::test]
async fn nothing_of_one_organization_is_found_by_another() {
    for place in both().await {
        let store = place.open().await;
        let (ours, theirs) = (tenant(&store, "ours").await, tenant(&store, "theirs").await);
        let token = credential(&theirs, Origin::Manual);
        add(&store, &token).await;
        assert!(
            store
                .workspace(&ours.org, &theirs.workspace)
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            store
                .credential(&ours.org, &token.id)
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            store
                .workspace_tokens(&ours.org, &theirs.workspace)
                .await
                .unwrap()
                .is_empty()
        );
        assert!(
            store
                .member(&ours.org, &theirs.user)
                .await
                .unwrap()
                .is_none()
        );
        let mut tx = store.begin().await.unwrap();
        assert!(
            !tx.revoke_credential(&ours.org, &token.id, NOW)
                .await
                .unwrap()
        );
        let change = WorkspaceChange {
            daily_cap: Some(1),
            ..WorkspaceChange::default()
        };
        assert!(
            !tx.update_workspace(&ours.org, &theirs.workspace, &change)
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn names_are_unique_in_an_organization_only() {
    for place in both().await {
        let store = place.open().await;
        let (one, _two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let mut twin = workspace(&one);
        twin.id = WorkspaceId::fresh(&SystemClock, &SystemEntropy);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.add_workspace(&twin).await.unwrap_err().is_duplicate());
    }
}

#[tokio::test]
async fn people_sign_in_by_an_address_in_any_case_and_sessions_end() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let mut tx = store.begin().await.unwrap();
        let ada = ("Ada", "Ada@Example.com", "$argon2id$x");
        assert!(
            tx.set_sign_in(&tenant.user, ada.0, ada.1, ada.2)
                .await
                .unwrap()
        );
        assert!(
            !tx.set_sign_in(&tenant.user, "Eve", "eve@example.com", ada.2)
                .await
                .unwrap()
        );
        let session = session(&tenant.org, &tenant.user, "cookie");
        tx.add_browser_session(&session).await.unwrap();
        tx.commit().await.unwrap();
        let found = store
            .sign_in_by_email("ADA@example.COM")
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.user, tenant.user);
        let secret = SecretDigest::of("cookie");
        assert!(
            store
                .browser_session(&secret, NOW.plus_seconds(9))
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            store
                .browser_session(&secret, NOW.plus_seconds(10))
                .await
                .unwrap()
                .is_none()
        );
        let mut tx = store.begin().await.unwrap();
        assert!(
            tx.end_browser_session(&tenant.user, &session.id)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        assert!(store.browser_session(&secret, NOW).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_changes_nothing() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let token = credential(&tenant, Origin::Manual);
        let mut tx = store.begin().await.unwrap();
        tx.add_credential(&token).await.unwrap();
        drop(tx);
        assert!(
            store
                .credential(&tenant.org, &token.id)
                .await
                .unwrap()
                .is_none()
        );
    }
}

#[tokio::test]
async fn one_of_many_processes_makes_the_first_organization() {
    for place in both().await {
        let store = place.open().await;
        let claim = async || {
            let mut tx = store.begin().await.unwrap();
            let claimed = tx.claim_first_start().await.unwrap();
            tx.commit().await.unwrap();
            claimed
        };
        let (a, b) = tokio::join!(claim(), claim());
        assert!(a ^ b);
    }
}

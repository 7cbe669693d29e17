use crate::{NOW, Tenant, add, both, credential, tenant};
use quaymaster_core::Scope;
use quaymaster_core::caller::Pick;
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::{FlowId, LinkId};
use quaymaster_core::secret::{SecretDigest, TokenKind};
use quaymaster_store::credential::{Credential, Origin};
use quaymaster_store::link::{Link, LinkTo};
use quaymaster_store::workspace::WorkspaceChange;
use std::sync::Arc;

#[tokio::test]
async fn a_credential_reads_back_as_it_was_written_and_is_revoked_once() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let made = credential(&tenant, Origin::Manual);
        add(&store, &made).await;
        let read = store
            .credential(&tenant.org, &made.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(format!("{read:?}"), format!("{made:?}"));
        let mut tx = store.begin().await.unwrap();
        assert!(
            tx.revoke_credential(&tenant.org, &made.id, NOW)
                .await
                .unwrap()
        );
        assert!(
            !tx.revoke_credential(&tenant.org, &made.id, NOW)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        let known = store.credential_to_admit(&made.id).await.unwrap().unwrap();
        assert_eq!(known.credential.revoked_at, Some(NOW));
        assert!(known.is_member);
        assert!(
            store
                .workspace_tokens(&tenant.org, &tenant.workspace)
                .await
                .unwrap()
                .is_empty()
        );
    }
}

#[tokio::test]
async fn a_workspace_has_one_living_default_token() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let first = credential(&tenant, Origin::Default);
        add(&store, &first).await;
        let second = credential(&tenant, Origin::Default);
        let mut tx = store.begin().await.unwrap();
        let error = tx.add_credential(&second).await.unwrap_err();
        assert!(error.is_duplicate(), "{error}");
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        tx.revoke_credential(&tenant.org, &first.id, NOW)
            .await
            .unwrap();
        tx.add_credential(&second).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_changed_credential_keeps_its_secret() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let made = credential(&tenant, Origin::Manual);
        add(&store, &made).await;
        let only_reading = [Scope::ReadTools].into_iter().collect();
        let mut tx = store.begin().await.unwrap();
        assert!(
            tx.update_credential(&tenant.org, &made.id, Some("Other"), None)
                .await
                .unwrap()
        );
        assert!(
            tx.update_credential(&tenant.org, &made.id, None, Some(only_reading))
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        store
            .touch_credentials(&[(made.id.clone(), NOW.plus_seconds(60))])
            .await
            .unwrap();
        let read = store
            .credential(&tenant.org, &made.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!((read.name.as_str(), read.scopes), ("Other", only_reading));
        assert_eq!(read.secret, Some(SecretDigest::of("secret")));
        assert_eq!(read.last_used_at, Some(NOW.plus_seconds(60)));
    }
}

#[tokio::test]
async fn of_two_who_use_a_link_at_once_one_succeeds() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let link = sign_in_link(&tenant);
        let mut tx = store.begin().await.unwrap();
        tx.add_link(&link).await.unwrap();
        tx.commit().await.unwrap();
        let use_it = async || {
            let mut tx = store.begin().await.unwrap();
            let used = tx.use_link(&link.id, NOW.plus_seconds(1)).await.unwrap();
            tx.commit().await.unwrap();
            used
        };
        let (first, second) = tokio::join!(use_it(), use_it());
        assert!(first ^ second);
        let read = store.link(&link.id).await.unwrap().unwrap();
        assert_eq!(read.to, link.to);
        assert!(read.used_at.is_some());
    }
}

#[tokio::test]
async fn an_expired_link_cannot_be_used() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let link = sign_in_link(&tenant);
        let mut tx = store.begin().await.unwrap();
        tx.add_link(&link).await.unwrap();
        assert!(!tx.use_link(&link.id, NOW.plus_seconds(600)).await.unwrap());
    }
}

/// Good for ten minutes.
fn sign_in_link(tenant: &Tenant) -> Link {
    Link {
        id: LinkId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        to: LinkTo::SignIn(tenant.user.clone()),
        secret: SecretDigest::of("secret"),
        created_at: NOW,
        expires_at: NOW.plus_seconds(600),
        used_at: None,
    }
}

/// A flow token of the tenant's workspace.
fn flow_token(tenant: &Tenant, flows: Pick) -> Credential {
    let mut token = credential(tenant, Origin::Manual);
    token.kind = TokenKind::FlowToken;
    token.flows = flows;
    token.in_url = true;
    token
}

#[tokio::test]
async fn a_flow_token_reads_back_and_its_name_is_its_own_while_it_lives() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let flow = FlowId::fresh(&SystemClock, &SystemEntropy);
        let first = flow_token(&tenant, Pick::Only(Arc::new([flow].into())));
        add(&store, &first).await;
        // A token of files may have the same name.
        add(&store, &credential(&tenant, Origin::Manual)).await;
        let read = store.flow_tokens(&tenant.org, &tenant.workspace).await;
        assert_eq!(format!("{:?}", read.unwrap()), format!("[{first:?}]"));
        let second = flow_token(&tenant, Pick::All);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.add_credential(&second).await.unwrap_err().is_duplicate());
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        tx.revoke_credential(&tenant.org, &first.id, NOW)
            .await
            .unwrap();
        tx.add_credential(&second).await.unwrap();
        tx.commit().await.unwrap();
        let read = store.flow_tokens(&tenant.org, &tenant.workspace).await;
        assert_eq!(format!("{:?}", read.unwrap()), format!("[{second:?}]"));
    }
}

#[tokio::test]
async fn one_workspace_of_all_organizations_is_open() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        assert!(store.open_workspace().await.unwrap().is_none());
        let require = |authentication| WorkspaceChange {
            requires_authentication: Some(authentication),
            ..WorkspaceChange::default()
        };
        let set = async |tenant: &Tenant, authentication| {
            let mut tx = store.begin().await.unwrap();
            tx.update_workspace(&tenant.org, &tenant.workspace, &require(authentication))
                .await?;
            tx.commit().await
        };
        set(&one, false).await.unwrap();
        set(&one, false).await.unwrap();
        let open = store.open_workspace().await.unwrap().unwrap();
        assert_eq!(open.id, one.workspace);
        assert!(set(&two, false).await.unwrap_err().is_duplicate());
        set(&one, true).await.unwrap();
        set(&two, false).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.delete_workspace(&two.org, &two.workspace, NOW)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        assert!(store.open_workspace().await.unwrap().is_none());
        set(&one, false).await.unwrap();
    }
}

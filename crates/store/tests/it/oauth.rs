use crate::audit::At;
use crate::{NOW, Tenant, both, credential, tenant};
use quaymaster_core::caller::Audience;
use quaymaster_core::clock::{Clock, SystemClock, SystemEntropy};
use quaymaster_core::id::{CodeId, CredentialId, FlowId, RefreshTokenId};
use quaymaster_core::mix::{Mix, Picked, ToolsetKey};
use quaymaster_core::secret::{Handle, SecretDigest, TokenKind};
use quaymaster_core::{Instant, Scopes};
use quaymaster_store::Store;
use quaymaster_store::credential::{Credential, Origin};
use quaymaster_store::oauth::{Code, Grace, GrantedClient, RefreshToken};
use std::sync::Arc;

const GRACE: Grace = Grace {
    seconds: 120,
    uses: 10,
};

fn client() -> GrantedClient {
    GrantedClient {
        client_id: "dcr_client".into(),
        redirect_uri: "https://a.example/cb".into(),
    }
}

async fn grant(store: &Store, tenant: &Tenant) -> Credential {
    let grant = Credential {
        kind: TokenKind::OAuthGrant,
        secret: None,
        ..credential(tenant, Origin::Consent)
    };
    let mut tx = store.begin().await.unwrap();
    tx.add_oauth_grant(&grant, &client()).await.unwrap();
    tx.commit().await.unwrap();
    grant
}

async fn code(store: &Store, tenant: &Tenant) -> Code {
    let handle = Handle::fresh(CodeId::fresh(&SystemClock, &SystemEntropy), &SystemEntropy);
    let code = Code {
        id: handle.id.clone(),
        secret: handle.digest(),
        org: tenant.org.clone(),
        user: tenant.user.clone(),
        workspace: tenant.workspace.clone(),
        scopes: Scopes::of_reading_tools(),
        mix: Mix {
            toolsets: Some([ToolsetKey::Files, ToolsetKey::Memory].into()),
            tools: Some(Arc::new(Picked {
                names: ["read_file".to_owned()].into(),
                flows: [FlowId::fresh(&SystemClock, &SystemEntropy)].into(),
            })),
        },
        audience: Audience::Mcp,
        client_id: "dcr_client".into(),
        client_name: "A client".into(),
        redirect_uri: "https://a.example/cb".into(),
        code_challenge: "challenge".into(),
        created_at: NOW,
        expires_at: NOW.plus_seconds(60),
        used_at: None,
        credential: None,
    };
    let mut tx = store.begin().await.unwrap();
    tx.add_oauth_code(&code).await.unwrap();
    tx.commit().await.unwrap();
    code
}

async fn refresh_token(store: &Store, grant: &CredentialId) -> RefreshToken {
    refresh_token_of(&SystemClock, store, grant).await
}

async fn refresh_token_of(clock: &dyn Clock, store: &Store, grant: &CredentialId) -> RefreshToken {
    let token = RefreshToken {
        id: RefreshTokenId::fresh(clock, &SystemEntropy),
        credential: grant.clone(),
        secret: SecretDigest::of("secret"),
        audience: Audience::Mcp,
        created_at: NOW,
        expires_at: NOW.plus_seconds(1_000),
        rotated_at: None,
    };
    let mut tx = store.begin().await.unwrap();
    tx.add_oauth_refresh_token(&token).await.unwrap();
    tx.commit().await.unwrap();
    token
}

async fn used(store: &Store, token: &RefreshToken, at: Instant) -> bool {
    let mut tx = store.begin().await.unwrap();
    let used = tx
        .use_oauth_refresh_token(&token.id, GRACE, at)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    used
}

#[tokio::test]
async fn a_grant_reads_back_with_its_client_until_it_is_revoked() {
    for place in both().await {
        let store = place.open().await;
        let ours = tenant(&store, "ours").await;
        let theirs = tenant(&store, "theirs").await;
        let made = grant(&store, &ours).await;
        let listed = store
            .oauth_grants(&ours.org, &ours.workspace, NOW)
            .await
            .unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(format!("{:?}", listed[0].0), format!("{made:?}"));
        assert_eq!(listed[0].1, client());
        let foreign = store.oauth_grants(&theirs.org, &ours.workspace, NOW).await;
        assert!(foreign.unwrap().is_empty());
        // It is no token of the workspace, which could be shown or regenerated.
        let tokens = store.workspace_tokens(&ours.org, &ours.workspace).await;
        assert!(tokens.unwrap().is_empty());
        let mut tx = store.begin().await.unwrap();
        tx.revoke_credential(&ours.org, &made.id, NOW)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let listed = store.oauth_grants(&ours.org, &ours.workspace, NOW).await;
        assert!(listed.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_code_is_used_once_and_in_time() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let first = grant(&store, &tenant).await;
        let second = grant(&store, &tenant).await;
        let in_time = code(&store, &tenant).await;
        let late = code(&store, &tenant).await;
        let mut tx = store.begin().await.unwrap();
        for (code, grant, at, good) in [
            (&in_time, &first, NOW.plus_seconds(59), true),
            (&in_time, &second, NOW.plus_seconds(59), false),
            (&late, &second, NOW.plus_seconds(60), false),
        ] {
            let used = tx.use_oauth_code(&code.id, &grant.id, at).await.unwrap();
            assert_eq!(used, good);
        }
        tx.commit().await.unwrap();
        let read = store.oauth_code(&in_time.id).await.unwrap().unwrap();
        assert_eq!(read.credential, Some(first.id));
        assert_eq!(read.used_at, Some(NOW.plus_seconds(59)));
        assert_eq!(read.scopes, Scopes::of_reading_tools());
        assert_eq!(read.mix, in_time.mix);
    }
}

#[tokio::test]
async fn a_refresh_token_is_used_within_its_grace_only() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let grant = grant(&store, &tenant).await;
        let token = refresh_token(&store, &grant.id).await;
        let admitted = store.credential_to_admit(&grant.id).await.unwrap().unwrap();
        let lives_until = admitted.credential.expires_at;
        assert_eq!(lives_until, Some(token.expires_at), "as long as its token");
        assert!(used(&store, &token, NOW.plus_seconds(500)).await);
        for again in 0..10 {
            assert!(used(&store, &token, NOW.plus_seconds(620)).await, "{again}");
        }
        assert!(
            !used(&store, &token, NOW.plus_seconds(620)).await,
            "too often"
        );
        let other = refresh_token(&store, &grant.id).await;
        assert!(used(&store, &other, NOW.plus_seconds(500)).await);
        assert!(
            !used(&store, &other, NOW.plus_seconds(621)).await,
            "too late"
        );
        let expired = refresh_token(&store, &grant.id).await;
        assert!(!used(&store, &expired, NOW.plus_seconds(1_000)).await);
    }
}

#[tokio::test]
async fn of_thirty_uses_at_once_eleven_are_good() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let grant = grant(&store, &tenant).await;
        let token = refresh_token(&store, &grant.id).await;
        let uses = (0..30).map(|_| used(&store, &token, NOW));
        let good = futures_util::future::join_all(uses).await;
        assert_eq!(good.into_iter().filter(|good| *good).count(), 11);
    }
}

#[tokio::test]
async fn a_grant_that_is_over_is_not_listed_and_forgotten_after_its_tokens() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        // It lives as long as its token: for a thousand seconds.
        let over = grant(&store, &tenant).await;
        let ten_days_on = At(NOW.plus_seconds(10 * 86_400));
        refresh_token_of(&ten_days_on, &store, &over.id).await;
        let revoked = grant(&store, &tenant).await;
        let alive = grant(&store, &tenant).await;
        let mut tx = store.begin().await.unwrap();
        tx.revoke_credential(&tenant.org, &revoked.id, NOW)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let listed = async |after: i64| {
            let now = NOW.plus_seconds(after);
            let listed = store.oauth_grants(&tenant.org, &tenant.workspace, now);
            let listed = listed.await.unwrap().into_iter();
            let mut ids: Vec<_> = listed.map(|(grant, _)| grant.id).collect();
            ids.sort();
            ids
        };
        let mut both = vec![over.id.clone(), alive.id.clone()];
        both.sort();
        assert_eq!(listed(999).await, both);
        assert_eq!(listed(1_000).await, std::slice::from_ref(&alive.id));

        let kept = async |days: i64| {
            store.sweep(NOW.plus_seconds(days * 86_400)).await.unwrap();
            let mut kept = Vec::new();
            for grant in [&over, &revoked, &alive] {
                let found = store.credential(&tenant.org, &grant.id).await.unwrap();
                let client = store.oauth_client(&grant.id).await.unwrap();
                assert_eq!(found.is_some(), client.is_some());
                kept.push(found.is_some());
            }
            kept
        };
        assert_eq!(kept(90).await, [true, true, true]);
        assert_eq!(kept(92).await, [true, false, true], "its token is younger");
        assert_eq!(kept(102).await, [false, false, true]);
        // A token of a workspace is no grant.
        let default = credential(&tenant, Origin::Default);
        crate::add(&store, &default).await;
        let mut tx = store.begin().await.unwrap();
        tx.revoke_credential(&tenant.org, &default.id, NOW)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        kept(200).await;
        let found = store.credential(&tenant.org, &default.id).await.unwrap();
        assert!(found.is_some());
    }
}

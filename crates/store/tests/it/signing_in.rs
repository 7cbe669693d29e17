//! Accounts that sign in by OAuth: apps, sign-ins under way, and who renews a token.

use super::*;
use quaymaster_core::id::{AuthorizationId, ConnectionId, OAuthAppId};
use quaymaster_store::authorization::{Authorization, Flow};
use quaymaster_store::connection::{Connection, Credentials, Secrets};
use quaymaster_store::oauth_app::OAuthApp;
use secrecy::ExposeSecret as _;
use std::collections::{BTreeMap, BTreeSet};

fn secrets(token: &str) -> Secrets {
    BTreeMap::from([("oauth.access_token".to_owned(), token.to_owned().into())])
}

async fn connection(store: &Store, tenant: &Tenant) -> Connection {
    let connection = Connection {
        id: ConnectionId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        workspace: None,
        end_user: None,
        integration: None,
        connector: "notes".into(),
        name: "main".into(),
        external_id: None,
        display_name: None,
        label: None,
        auth: "oauth2".into(),
        fields: BTreeMap::new(),
        is_local: false,
        destination: None,
        problem: None,
        user: tenant.user.clone(),
        created_at: NOW,
        verified_at: None,
        expires_at: Some(NOW),
        renew_at: Some(NOW),
        revision: 1,
    };
    store
        .prepare_sealing(NOW, tenant.org.as_str())
        .await
        .unwrap();
    let sealed = store
        .seal_connection(&tenant.org, &connection.id, &secrets("old"))
        .unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.add_connection(&connection, sealed).await.unwrap();
    tx.commit().await.unwrap();
    connection
}

fn authorization(tenant: &Tenant) -> Authorization {
    Authorization {
        id: AuthorizationId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        user: tenant.user.clone(),
        begun_by: tenant.user.to_string(),
        flow: Flow::Code,
        connector: "notes".into(),
        auth: "oauth2".into(),
        connection: None,
        name: Some("main".into()),
        workspace: Some(tenant.workspace.clone()),
        session: None,
        is_local: true,
        fields: BTreeMap::from([("url".to_owned(), "https://notes.example.com".to_owned())]),
        state: None,
        browser: None,
        device: None,
        created_at: NOW,
        expires_at: NOW.plus_seconds(600),
        used_at: None,
        connected: None,
        problem: None,
    }
}

async fn begin(store: &Store, tenant: &Tenant) -> Authorization {
    let new = authorization(tenant);
    store
        .prepare_sealing(NOW, tenant.org.as_str())
        .await
        .unwrap();
    let sealed = store
        .seal_authorization(&tenant.org, &new.id, &secrets("verifier"))
        .unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.add_authorization(&new, sealed).await.unwrap();
    tx.commit().await.unwrap();
    new
}

#[tokio::test]
async fn one_renews_a_token_and_whoever_comes_later_finds_it_renewed() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let made = connection(&store, &tenant).await;
        let (org, id) = (&tenant.org, &made.id);
        let lease = async |holder: &str, now: Instant| {
            let mut tx = store.begin().await.unwrap();
            let until = now.plus_seconds(60);
            let taken = tx
                .lease_renewal(org, id, 1, holder, now, until)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            taken
        };
        assert!(lease("a", NOW).await);
        assert!(!lease("b", NOW.plus_seconds(59)).await);
        // Whoever took it has died.
        assert!(lease("b", NOW.plus_seconds(60)).await);
        let mut tx = store.begin().await.unwrap();
        tx.return_renewal(org, id, "a").await.unwrap();
        tx.commit().await.unwrap();
        assert!(!lease("c", NOW.plus_seconds(61)).await);

        let renew = async |token: &str| {
            let fields = BTreeMap::new();
            let credentials = Credentials {
                fields: &fields,
                sealed: store.seal_connection(org, id, &secrets(token)).unwrap(),
                destination: None,
                expires_at: Some(NOW.plus_seconds(3_600)),
                renew_at: Some(NOW.plus_seconds(3_480)),
            };
            let mut tx = store.begin().await.unwrap();
            let renewed = tx.renew_connection(org, id, 1, credentials).await.unwrap();
            tx.commit().await.unwrap();
            renewed
        };
        assert!(renew("new").await);
        // The one that was thought dead comes back too late.
        assert!(!renew("late").await);
        assert!(!lease("d", NOW.plus_seconds(1_000)).await);
        let (now, held) = store.connection_in_full(org, id).await.unwrap().unwrap();
        assert_eq!(
            (now.revision, now.expires_at),
            (2, Some(NOW.plus_seconds(3_600)))
        );
        assert_eq!(held["oauth.access_token"].expose_secret(), "new");
        let all = store.connections_in_full(org, None).await.unwrap();
        assert_eq!(all[0].1["oauth.access_token"].expose_secret(), "new");

        let mut tx = store.begin().await.unwrap();
        assert!(!tx.renewal_failed(org, id, 1, "over", None).await.unwrap());
        assert!(
            tx.renewal_failed(org, id, 2, "refused", None)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        let now = store.connection(org, id).await.unwrap().unwrap();
        assert_eq!((now.revision, now.problem.as_deref()), (2, Some("refused")));
    }
}

#[tokio::test]
async fn a_sign_in_is_used_once_in_time_and_started_anew_until_then() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let new = begin(&store, &tenant).await;
        let digest = |text: &str| SecretDigest::of(text);
        let sealed = |text: &str| {
            let secrets = secrets(text);
            store
                .seal_authorization(&tenant.org, &new.id, &secrets)
                .unwrap()
        };
        let late = NOW.plus_seconds(600);
        let mut tx = store.begin().await.unwrap();
        let (state, browser) = (digest("state"), digest("browser"));
        assert!(
            tx.start_authorization(&new.id, &state, &browser, sealed("v1"), NOW)
                .await
                .unwrap()
        );
        assert!(
            !tx.start_authorization(&new.id, &state, &browser, sealed("v2"), late)
                .await
                .unwrap()
        );
        assert!(!tx.use_authorization(&new.id, late).await.unwrap());
        tx.commit().await.unwrap();
        let read = store.authorization(&new.id).await.unwrap().unwrap();
        assert_eq!((read.state, read.browser), (Some(state), Some(browser)));
        assert_eq!(read.fields, new.fields);
        assert_eq!(read.workspace, new.workspace);
        let held = store.authorization_secrets(&read).await.unwrap();
        assert_eq!(held["oauth.access_token"].expose_secret(), "v1");
        let mut tx = store.begin().await.unwrap();
        assert!(tx.use_authorization(&new.id, NOW).await.unwrap());
        assert!(!tx.use_authorization(&new.id, NOW).await.unwrap());
        assert!(
            !tx.start_authorization(&new.id, &state, &browser, sealed("v3"), NOW)
                .await
                .unwrap()
        );
        tx.end_authorization(&new.id, Err("no")).await.unwrap();
        tx.commit().await.unwrap();
        let read = store.authorization(&new.id).await.unwrap().unwrap();
        assert_eq!(read.problem.as_deref(), Some("no"));

        // Polls keep their distance.
        let device = begin(&store, &tenant).await;
        let mut tx = store.begin().await.unwrap();
        let next = NOW.plus_seconds(25);
        assert!(tx.take_poll(&device.id, NOW, next).await.unwrap());
        assert!(
            !tx.take_poll(&device.id, NOW.plus_seconds(24), next)
                .await
                .unwrap()
        );
        tx.set_poll(&device.id, 10, NOW.plus_seconds(10))
            .await
            .unwrap();
        assert!(
            tx.take_poll(&device.id, NOW.plus_seconds(10), next)
                .await
                .unwrap()
        );
        assert!(!tx.take_poll(&device.id, late, late).await.unwrap());
        tx.commit().await.unwrap();
        // Of today, so it stays; in two days it is forgotten.
        store.sweep(SystemClock.now()).await.unwrap();
        assert!(store.authorization(&device.id).await.unwrap().is_some());
        store
            .sweep(SystemClock.now().plus_seconds(2 * 86_400))
            .await
            .unwrap();
        assert!(store.authorization(&device.id).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn secrets_of_apps_and_sign_ins_survive_a_new_data_key() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        connection(&store, &one).await;
        let underway = begin(&store, &two).await;
        let app = |tenant: &Tenant, client: &str, secret: Option<&str>| OAuthApp {
            id: OAuthAppId::fresh(&SystemClock, &SystemEntropy),
            org: tenant.org.clone(),
            connector: "notes".into(),
            client_id: client.into(),
            secret: secret.map(|secret| secret.to_owned().into()),
            destinations: BTreeMap::from([("oauth2".to_owned(), "d".to_owned())]),
            origins: BTreeSet::from(["https://one.example".to_owned()]),
            user: tenant.user.clone(),
            changed_at: NOW,
        };
        let set = async |app: &OAuthApp| {
            store.prepare_sealing(NOW, app.org.as_str()).await.unwrap();
            let sealed = app.secret.as_ref();
            let sealed =
                sealed.map(|secret| store.seal_oauth_app(&app.org, &app.id, secret).unwrap());
            let mut tx = store.begin().await.unwrap();
            tx.set_oauth_app(app, sealed).await.unwrap();
            tx.commit().await.unwrap();
        };
        set(&app(&one, "first", Some("s1"))).await;
        set(&app(&one, "second", Some("s2"))).await;
        set(&app(&two, "public", None)).await;
        let more = ["https://one.example", "https://two.example"];
        let more = BTreeSet::from(more.map(str::to_owned));
        let mut tx = store.begin().await.unwrap();
        tx.add_oauth_app_origins(&one.org, "notes", &more)
            .await
            .unwrap();
        tx.add_oauth_app_origins(&one.org, "other", &more)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let before = store.verify_keys().await.unwrap();
        // A connection, an app, a sign-in.
        assert_eq!((before.sealed_values, before.unreadable), (3, 0));
        let after = store.rotate_data_key(NOW).await.unwrap();
        assert_eq!((after.sealed_values, after.unreadable), (3, 0));
        store.close().await;
        let store = place.open().await;
        let read = store.oauth_app(&one.org, "notes").await.unwrap().unwrap();
        assert_eq!(
            (
                read.client_id.as_str(),
                read.destinations["oauth2"].as_str()
            ),
            ("second", "d")
        );
        assert_eq!(read.origins, more);
        assert_eq!(read.secret.unwrap().expose_secret(), "s2");
        let read = store.oauth_app(&two.org, "notes").await.unwrap().unwrap();
        assert_eq!(read.origins.len(), 1, "of another organization");
        assert!(read.secret.is_none());
        assert!(store.oauth_app(&two.org, "other").await.unwrap().is_none());
        let held = store.authorization_secrets(&underway).await.unwrap();
        assert_eq!(held["oauth.access_token"].expose_secret(), "verifier");
    }
}

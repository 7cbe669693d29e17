//! The store on both databases: each test runs on SQLite and on the PostgreSQL cluster that
//! `QUAYMASTER_TEST_PG` names. Without it the tests fail; nothing is skipped.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod accounts;
mod action_replies;
mod audit;
mod calls;
mod connection_tools;
mod credentials;
mod documents;
mod flow_names;
mod flow_queue;
mod flows;
mod keys;
mod lists;
mod notes;
mod oauth;
mod packs;
mod signing_in;
mod sweeping;
mod tenancy;
mod upgrading;
mod uploads;
mod usage;

use quaymaster_core::caller::{Pick, Reach};
use quaymaster_core::clock::{Clock as _, SystemClock, SystemEntropy};
use quaymaster_core::id::{CredentialId, OrgId, SessionId, UserId, WorkspaceId};
use quaymaster_core::secret::{SecretDigest, TokenKind};
use quaymaster_core::{Instant, Scopes};
use quaymaster_store::Store;
use quaymaster_store::browser::BrowserSession;
use quaymaster_store::credential::{Credential, Origin};
use quaymaster_store::db::Location;
use quaymaster_store::keys::KeySource;
use quaymaster_store::org::Organization;
use quaymaster_store::user::Role;
use quaymaster_store::workspace::Workspace;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// Microseconds; any fixed instant does.
const NOW: Instant = Instant::from_micros(1_795_200_000_000_000);

/// One database of a test, which can be opened again.
struct Place {
    directory: TempDir,
    url: Option<String>,
}

impl Place {
    fn key_file(&self) -> std::path::PathBuf {
        self.directory.path().join("key")
    }

    async fn open(&self) -> Store {
        self.open_with(&self.key_file()).await.unwrap()
    }

    async fn open_with(&self, key: &Path) -> Result<Store, quaymaster_store::StoreError> {
        let file = self.directory.path().join("test.db");
        let location = match &self.url {
            Some(url) => Location::Url(url),
            None => Location::File(&file),
        };
        Store::open(location, KeySource::File(key.to_owned())).await
    }
}

/// A fresh SQLite file and a fresh PostgreSQL database.
async fn both() -> [Place; 2] {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let base = std::env::var("QUAYMASTER_TEST_PG")
        .expect("QUAYMASTER_TEST_PG is not set; run `cargo xtask test`");
    let name = format!(
        "s{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let made = tokio::process::Command::new("psql")
        .args([&base, "-q", "-c", &format!("CREATE DATABASE {name}")])
        .output()
        .await
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let (server, _) = base.rsplit_once('/').unwrap();
    let place = |url| Place {
        directory: TempDir::new().unwrap(),
        url,
    };
    [place(None), place(Some(format!("{server}/{name}")))]
}

/// An organization with its owner and one workspace.
struct Tenant {
    org: OrgId,
    user: UserId,
    workspace: WorkspaceId,
}

async fn tenant(store: &Store, name: &str) -> Tenant {
    let tenant = Tenant {
        org: OrgId::fresh(&SystemClock, &SystemEntropy),
        user: UserId::fresh(&SystemClock, &SystemEntropy),
        workspace: WorkspaceId::fresh(&SystemClock, &SystemEntropy),
    };
    let mut tx = store.begin().await.unwrap();
    let org = Organization {
        id: tenant.org.clone(),
        name: name.into(),
        created_at: NOW,
    };
    tx.add_organization(&org).await.unwrap();
    tx.add_user(&tenant.user, "Somebody", NOW).await.unwrap();
    tx.add_member(&tenant.org, &tenant.user, Role::Owner, NOW)
        .await
        .unwrap();
    tx.add_workspace(&workspace(&tenant)).await.unwrap();
    tx.commit().await.unwrap();
    tenant
}

fn workspace(tenant: &Tenant) -> Workspace {
    Workspace {
        id: tenant.workspace.clone(),
        org: tenant.org.clone(),
        name: "main".into(),
        slug: "main".into(),
        daily_cap: 1_000,
        quota_bytes: 1 << 30,
        requires_authentication: true,
        created_at: NOW,
    }
}

/// A browser that is signed in for ten seconds.
fn session(org: &OrgId, user: &UserId, cookie: &str) -> BrowserSession {
    BrowserSession {
        id: SessionId::fresh(&SystemClock, &SystemEntropy),
        secret: SecretDigest::of(cookie),
        user: user.clone(),
        org: org.clone(),
        agent: "Firefox on Linux".into(),
        address: Some("192.0.2.7".into()),
        created_at: NOW,
        expires_at: NOW.plus_seconds(10),
        last_seen_at: NOW,
    }
}

fn credential(tenant: &Tenant, origin: Origin) -> Credential {
    Credential {
        id: CredentialId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        kind: TokenKind::WorkspaceToken,
        name: "A token".into(),
        user: tenant.user.clone(),
        workspace: Some(tenant.workspace.clone()),
        server: None,
        end_user: None,
        flows: Pick::All,
        in_url: false,
        mix: quaymaster_core::mix::Mix::default(),
        origin,
        scopes: Scopes::of_tools(),
        reach: Reach::Organization,
        secret: Some(SecretDigest::of("secret")),
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

async fn add(store: &Store, credential: &Credential) {
    let mut tx = store.begin().await.unwrap();
    tx.add_credential(credential).await.unwrap();
    tx.commit().await.unwrap();
}

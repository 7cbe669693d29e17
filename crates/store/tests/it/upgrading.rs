//! A database of an earlier version.

use quaymaster_core::id::{CredentialId, OrgId};
use quaymaster_core::secret::{SecretDigest, TokenKind};
use quaymaster_store::Store;
use quaymaster_store::db::Location;
use quaymaster_store::keys::KeySource;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

const ORG: &str = "org_01arz3ndektsv4rrffq69g5fav";
const TOKEN: &str = "crd_01arz3ndektsv4rrffq69g5fav";
const GRANT: &str = "crd_01arz3ndektsv4rrffq69g5faw";

/// One credential of files, and one with rows elsewhere that refer to it.
const ROWS: &str = "
    INSERT INTO organizations (id, name, created_at) VALUES ('ORG', 'one', 1);
    INSERT INTO users (id, name, created_at) VALUES ('usr_01arz3ndektsv4rrffq69g5fav', 'Ada', 1);
    INSERT INTO workspaces (id, org_id, name, slug, daily_cap, quota_bytes, created_at)
        VALUES ('ws_01arz3ndektsv4rrffq69g5fav', 'ORG', 'main', 'main', 1, 1, 1);
    INSERT INTO credentials (id, org_id, kind, name, user_id, workspace_id, origin, scopes, secret_sha256, created_at)
        VALUES ('TOKEN', 'ORG', 'workspace_token', 'A token', 'usr_01arz3ndektsv4rrffq69g5fav',
            'ws_01arz3ndektsv4rrffq69g5fav', 'default', '[\"read:tools\"]', x'SECRET', 7);
    INSERT INTO credentials (id, org_id, kind, name, user_id, workspace_id, origin, scopes, created_at)
        VALUES ('GRANT', 'ORG', 'oauth_grant', 'A client', 'usr_01arz3ndektsv4rrffq69g5fav',
            'ws_01arz3ndektsv4rrffq69g5fav', 'consent', '[\"read:tools\"]', 7);
    INSERT INTO oauth_clients (credential_id, client_id, redirect_uri) VALUES ('GRANT', 'client', 'https://a.example/');
";

/// In PostgreSQL the table of credentials was changed in its place; in SQLite it was made anew.
#[tokio::test]
async fn credentials_of_before_flow_tokens_are_all_there_afterwards() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("test.db");
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .create_if_missing(true)
        .foreign_keys(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let all = sqlx::migrate!("migrations/sqlite");
    all.run_to(44, &pool).await.unwrap();
    let SecretDigest(digest) = SecretDigest::of("secret");
    let rows = ROWS
        .replace("ORG", ORG)
        .replace("TOKEN", TOKEN)
        .replace("GRANT", GRANT)
        .replace("SECRET", &quaymaster_core::hex(&digest));
    sqlx::raw_sql(sqlx::AssertSqlSafe(rows))
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;

    let key = KeySource::File(directory.path().join("key"));
    let store = Store::open(Location::File(&file), key).await.unwrap();
    let (org, id): (OrgId, CredentialId) = (ORG.parse().unwrap(), TOKEN.parse().unwrap());
    let token = store.credential(&org, &id).await.unwrap().unwrap();
    assert_eq!(token.kind, TokenKind::WorkspaceToken);
    assert_eq!(token.secret, Some(SecretDigest::of("secret")));
    assert_eq!(
        (token.name.as_str(), token.created_at.micros()),
        ("A token", 7)
    );
    assert!(!token.in_url);
    let workspace = token.workspace.unwrap();
    let grants = store
        .oauth_grants(&org, &workspace, token.created_at)
        .await
        .unwrap();
    assert_eq!(grants.len(), 1);
    assert!(store.open_workspace().await.unwrap().is_none());
}

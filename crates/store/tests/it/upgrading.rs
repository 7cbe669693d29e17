//! A database of an earlier version.

use crate::{Place, both};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::{CredentialId, FlowId, OrgId, UploadId, WorkspaceId};
use quaymaster_core::secret::{SecretDigest, TokenKind};
use quaymaster_store::Store;
use quaymaster_store::db::Location;
use quaymaster_store::installed_pack::GivenFlow;
use quaymaster_store::keys::KeySource;
use quaymaster_store::upload::{Destination, Upload, UploadState};
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};
use std::collections::{BTreeMap, BTreeSet};

const ORG: &str = "org_01arz3ndektsv4rrffq69g5fav";
const TOKEN: &str = "crd_01arz3ndektsv4rrffq69g5fav";
const GRANT: &str = "crd_01arz3ndektsv4rrffq69g5faw";
const WORKSPACE: &str = "ws_01arz3ndektsv4rrffq69g5fav";

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

const FLOW: &str = "flow_01arz3ndektsv4rrffq69g5fav";
const KEY: &str = "crd_01arz3ndektsv4rrffq69g5fax";

/// A token and a key that have one flow by the name of its tool, and a pack that gave two, of which one is gone.
const BY_NAME: &str = r#"
    INSERT INTO organizations (id, name, created_at) VALUES ('ORG', 'one', 1);
    INSERT INTO users (id, name, created_at) VALUES ('usr_01arz3ndektsv4rrffq69g5fav', 'Ada', 1);
    INSERT INTO workspaces (id, org_id, name, slug, daily_cap, quota_bytes, created_at)
        VALUES ('WORKSPACE', 'ORG', 'main', 'main', 1, 1, 1);
    INSERT INTO flows (id, org_id, workspace_id, name, tool, title, enabled, durable, version, versions, created_at, updated_at)
        VALUES ('FLOW', 'ORG', 'WORKSPACE', 'weather_now', 'weather', 'Weather', TRUE, FALSE, 1, 1, 1, 1);
    INSERT INTO credentials (id, org_id, kind, name, user_id, workspace_id, origin, scopes, created_at, toolsets, tools)
        VALUES ('TOKEN', 'ORG', 'workspace_token', 'A token', 'usr_01arz3ndektsv4rrffq69g5fav', 'WORKSPACE', 'manual',
            '["read:tools"]', 7, '["files","flows"]', '["read_file","weather"]');
    INSERT INTO credentials (id, org_id, kind, name, user_id, origin, scopes, created_at, toolsets, tools)
        VALUES ('KEY', 'ORG', 'api_key', 'A key', 'usr_01arz3ndektsv4rrffq69g5fav', 'manual', '["read:tools"]', 7,
            '["flows"]', '["weather"]');
    INSERT INTO installed_packs (workspace_id, pack, org_id, version, vars, flows, made_by, installed_at, updated_at)
        VALUES ('WORKSPACE', 'weather', 'ORG', '1.0.0', '{}', '{"weather_now":"a digest","weather_gone":"another"}', 'x', 1, 1);
    INSERT INTO installed_packs (workspace_id, pack, org_id, version, vars, flows, made_by, installed_at, updated_at)
        VALUES ('WORKSPACE', 'web_pages', 'ORG', '1.0.0', '{}', '{"web_check":"a digest"}', 'x', 1, 1);
"#;

/// Makes a database of a version, with rows.
async fn fill(place: &Place, version: i64, rows: String) {
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(rows));
    match &place.url {
        Some(url) => {
            let pool = PgPool::connect(url).await.unwrap();
            let all = sqlx::migrate!("migrations/postgres");
            all.run_to(version, &pool).await.unwrap();
            rows.execute(&pool).await.unwrap();
            pool.close().await;
        }
        None => {
            let options = SqliteConnectOptions::new()
                .filename(place.directory.path().join("test.db"))
                .create_if_missing(true)
                .foreign_keys(true);
            let pool = SqlitePool::connect_with(options).await.unwrap();
            let all = sqlx::migrate!("migrations/sqlite");
            all.run_to(version, &pool).await.unwrap();
            rows.execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
}

#[tokio::test]
async fn what_named_a_flow_before_flows_could_be_renamed_has_it_by_its_id() {
    for place in both().await {
        let rows = BY_NAME
            .replace("WORKSPACE", WORKSPACE)
            .replace("ORG", ORG)
            .replace("FLOW", FLOW)
            .replace("TOKEN", TOKEN)
            .replace("KEY", KEY);
        fill(&place, 56, rows).await;
        let store = place.open().await;
        let (org, workspace): (OrgId, WorkspaceId) =
            (ORG.parse().unwrap(), WORKSPACE.parse().unwrap());
        let flow: FlowId = FLOW.parse().unwrap();
        for (id, names) in [(TOKEN, vec!["read_file".to_owned()]), (KEY, Vec::new())] {
            let found = store.credential(&org, &id.parse().unwrap()).await.unwrap();
            let picked = found.unwrap().mix.tools.unwrap();
            assert_eq!(picked.names, BTreeSet::from_iter(names));
            assert_eq!(picked.flows, BTreeSet::from([flow.clone()]));
        }
        let packs = store.installed_packs(&org, &workspace).await.unwrap();
        let given = GivenFlow {
            flow,
            digest: "a digest".into(),
        };
        assert_eq!(
            packs[0].flows,
            BTreeMap::from([("weather_now".into(), given)])
        );
        assert!(packs[1].flows.is_empty());
        assert_eq!(packs[0].left_out, None);
    }
}

const UPLOAD: &str = "upl_01arz3ndektsv4rrffq69g5fav";

/// An open session of a file, one of whose parts is there, and one that is over.
const UPLOADS: &str = "
    INSERT INTO organizations (id, name, created_at) VALUES ('ORG', 'one', 1);
    INSERT INTO users (id, name, created_at) VALUES ('usr_01arz3ndektsv4rrffq69g5fav', 'Ada', 1);
    INSERT INTO workspaces (id, org_id, name, slug, daily_cap, quota_bytes, created_at)
        VALUES ('WORKSPACE', 'ORG', 'main', 'main', 1, 1, 1);
    INSERT INTO credentials (id, org_id, kind, name, user_id, workspace_id, origin, scopes, created_at)
        VALUES ('TOKEN', 'ORG', 'workspace_token', 'A token', 'usr_01arz3ndektsv4rrffq69g5fav', 'WORKSPACE', 'manual',
            '[\"read:tools\"]', 7);
    INSERT INTO uploads (id, org_id, workspace_id, credential_id, path, size, part_size, part_count, mime, sha256,
            overwrite, if_match, idempotency_key, state, created_at, expires_at, final_sha256, result)
        VALUES ('UPLOAD', 'ORG', 'WORKSPACE', 'TOKEN', 'a/b.bin', 20, 8, 3, 'image/png', 'aa', TRUE, '*', 'key', 'open', 5, 6,
            NULL, NULL);
    INSERT INTO uploads (id, org_id, workspace_id, credential_id, path, size, part_size, part_count, overwrite, state,
            created_at, expires_at, final_sha256, result)
        VALUES ('upl_01arz3ndektsv4rrffq69g5faw', 'ORG', 'WORKSPACE', 'TOKEN', 'c', 1, 8, 1, FALSE, 'completed', 5, 6, 'bb', '{}');
    INSERT INTO upload_parts (upload_id, n, size, sha256) VALUES ('UPLOAD', 1, 8, 'cc');
";

/// In PostgreSQL the tables were changed in their place; in SQLite they were made anew.
#[tokio::test]
async fn sessions_of_before_documents_came_in_parts_are_all_there_with_their_parts() {
    for place in both().await {
        let rows = UPLOADS
            .replace("WORKSPACE", WORKSPACE)
            .replace("ORG", ORG)
            .replace("TOKEN", TOKEN)
            .replace("UPLOAD", UPLOAD);
        fill(&place, 57, rows).await;
        let store = place.open().await;
        let (org, token): (OrgId, CredentialId) = (ORG.parse().unwrap(), TOKEN.parse().unwrap());
        let found = store.upload_by_key(&org, &token, "key").await.unwrap();
        let open = found.unwrap();
        let destination = Destination::File {
            workspace: WORKSPACE.parse().unwrap(),
            credential: token.clone(),
        };
        assert_eq!(
            (open.id.as_str(), &open.destination),
            (UPLOAD, &destination)
        );
        assert_eq!(
            (
                open.path.as_str(),
                open.size,
                open.part_size,
                open.part_count
            ),
            ("a/b.bin", 20, 8, 3)
        );
        assert_eq!(
            (open.mime.as_deref(), open.sha256.as_deref()),
            (Some("image/png"), Some("aa"))
        );
        assert_eq!(
            (open.overwrite, open.if_match.as_deref(), open.state),
            (true, Some("*"), UploadState::Open)
        );
        assert_eq!((open.created_at.micros(), open.expires_at.micros()), (5, 6));
        let parts = store.upload_parts(&open.id).await.unwrap();
        let parts: Vec<_> = parts.iter().map(|part| (part.n, part.size)).collect();
        assert_eq!(parts, [(1, 8)]);
        let done = "upl_01arz3ndektsv4rrffq69g5faw".parse().unwrap();
        let done = store.upload(&org, &token, &done).await.unwrap().unwrap();
        assert_eq!(
            (
                done.state,
                done.final_sha256.as_deref(),
                done.result.as_deref()
            ),
            (UploadState::Completed, Some("bb"), Some("{}"))
        );
        // What kept two sessions of one key apart still does.
        let mut tx = store.begin().await.unwrap();
        let twin = Upload {
            id: UploadId::fresh(&SystemClock, &SystemEntropy),
            ..open.clone()
        };
        assert!(tx.add_upload(&twin).await.unwrap_err().is_duplicate());
    }
}

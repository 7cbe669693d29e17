//! Forgetting what is past its time.

use crate::db::{Store, StoreError};
use quaymaster_core::Instant;
use quaymaster_core::id::{
    AccessTokenId, AuthorizationId, CallId, CodeId, InvitationId, LinkId, RefreshTokenId, ResetId,
    UploadId,
};

/// Rows a transaction; more would hold the write lock for too long.
const BATCH: i64 = 1_000;
const DAY_SECONDS: i64 = 86_400;
/// Audit rows. Events of credentials and settings are few, and stay.
const CALL_DAYS: i64 = 90;
/// Ended upload sessions: repeated completions get their answer for a week.
const UPLOAD_DAYS: i64 = 14;
const LINK_DAYS: i64 = 7;
const INVITATION_DAYS: i64 = 30;
const RESET_DAYS: i64 = 7;
/// Sign-ins of accounts end within half an hour.
const AUTHORIZATION_DAYS: i64 = 1;
/// Codes and refresh tokens are kept for as long as a refresh token can live: until then one that
/// comes back tells of a theft.
const OAUTH_DAYS: i64 = 91;
const ACCESS_DAYS: i64 = 2;

impl Store {
    /// Deletes old rows in small batches. How many went.
    pub async fn sweep(&self, now: Instant) -> Result<u64, StoreError> {
        // Ids sort by time, so no index on the time itself is needed.
        const CALLS: &str = "DELETE FROM calls WHERE id IN (SELECT id FROM calls WHERE id < $1 ORDER BY id LIMIT $2)";
        const UPLOADS: &str = "DELETE FROM uploads WHERE id IN (SELECT id FROM uploads \
             WHERE id < $1 AND state NOT IN ('open', 'completing') ORDER BY id LIMIT $2)";
        const LINKS: &str = "DELETE FROM links WHERE id IN (SELECT id FROM links WHERE id < $1 ORDER BY id LIMIT $2)";
        const INVITATIONS: &str = "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE id < $1 ORDER BY id LIMIT $2)";
        const RESETS: &str = "DELETE FROM password_resets WHERE id IN (SELECT id FROM password_resets WHERE id < $1 ORDER BY id LIMIT $2)";
        const CODES: &str = "DELETE FROM oauth_codes WHERE id IN (SELECT id FROM oauth_codes WHERE id < $1 ORDER BY id LIMIT $2)";
        const ACCESS: &str = "DELETE FROM oauth_access_tokens WHERE id IN (SELECT id FROM oauth_access_tokens WHERE id < $1 ORDER BY id LIMIT $2)";
        const REFRESH: &str = "DELETE FROM oauth_refresh_tokens WHERE id IN (SELECT id FROM oauth_refresh_tokens WHERE id < $1 ORDER BY id LIMIT $2)";
        const AUTHORIZATIONS: &str = "DELETE FROM authorizations WHERE id IN (SELECT id FROM authorizations WHERE id < $1 ORDER BY id LIMIT $2)";
        let days_ago = |days: i64| now.plus_seconds(-days * DAY_SECONDS);
        let mut gone = 0;
        for (sql, before) in [
            (CALLS, CallId::first_at(days_ago(CALL_DAYS)).to_string()),
            (
                UPLOADS,
                UploadId::first_at(days_ago(UPLOAD_DAYS)).to_string(),
            ),
            (LINKS, LinkId::first_at(days_ago(LINK_DAYS)).to_string()),
            (
                INVITATIONS,
                InvitationId::first_at(days_ago(INVITATION_DAYS)).to_string(),
            ),
            (RESETS, ResetId::first_at(days_ago(RESET_DAYS)).to_string()),
            (
                AUTHORIZATIONS,
                AuthorizationId::first_at(days_ago(AUTHORIZATION_DAYS)).to_string(),
            ),
            (CODES, CodeId::first_at(days_ago(OAUTH_DAYS)).to_string()),
            (
                ACCESS,
                AccessTokenId::first_at(days_ago(ACCESS_DAYS)).to_string(),
            ),
            (
                REFRESH,
                RefreshTokenId::first_at(days_ago(OAUTH_DAYS)).to_string(),
            ),
        ] {
            loop {
                let mut tx = self.begin().await?;
                let batch = within!(tx, conn => {
                    sqlx::query(sql).bind(&before).bind(BATCH).execute(conn).await?.rows_affected()
                });
                tx.commit().await?;
                gone += batch;
                if batch < BATCH.cast_unsigned() {
                    break;
                }
            }
        }
        Ok(gone + self.sweep_grants(days_ago(OAUTH_DAYS)).await?)
    }

    /// Deletes OAuth grants that ended before then, with the clients behind them, once nothing that
    /// tells of them is left. Other credentials are few, and stay.
    async fn sweep_grants(&self, before: Instant) -> Result<u64, StoreError> {
        macro_rules! ended {
            () => {
                "SELECT c.id FROM credentials c WHERE c.kind = 'oauth_grant' \
                 AND (c.expires_at < $1 OR c.revoked_at < $1) \
                 AND NOT EXISTS (SELECT 1 FROM oauth_codes o WHERE o.credential_id = c.id) \
                 AND NOT EXISTS (SELECT 1 FROM oauth_access_tokens a WHERE a.credential_id = c.id) \
                 AND NOT EXISTS (SELECT 1 FROM oauth_refresh_tokens r WHERE r.credential_id = c.id) \
                 AND NOT EXISTS (SELECT 1 FROM links l WHERE l.credential_id = c.id) \
                 AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.credential_id = c.id) \
                 ORDER BY c.id LIMIT $2"
            };
        }
        const CLIENTS: &str = concat!(
            "DELETE FROM oauth_clients WHERE credential_id IN (",
            ended!(),
            ")"
        );
        const GRANTS: &str = concat!("DELETE FROM credentials WHERE id IN (", ended!(), ")");
        let mut gone = 0;
        loop {
            let mut tx = self.begin().await?;
            let batch = within!(tx, conn => {
                sqlx::query(CLIENTS).bind(before.micros()).bind(BATCH).execute(&mut *conn).await?;
                sqlx::query(GRANTS)
                    .bind(before.micros())
                    .bind(BATCH)
                    .execute(conn)
                    .await?
                    .rows_affected()
            });
            tx.commit().await?;
            gone += batch;
            if batch < BATCH.cast_unsigned() {
                return Ok(gone);
            }
        }
    }
}

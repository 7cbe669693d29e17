//! Forgetting what is past its time.

use crate::call_counts::hour_of;
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
/// Calls counted by the hour; those by the day are kept as long as calls.
const HOURLY_DAYS: i64 = 9;
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
/// Rows that can be large.
const SMALL_BATCH: i64 = 50;
/// Versions of a memory file but for its last twenty, and files that were deleted.
const MEMORY_DAYS: i64 = 30;
/// Runs of flows, and how many of one flow are kept however young they are.
const RUN_DAYS: i64 = 30;
const RUNS_OF_FLOW: i64 = 1_000;

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
        self.sweep_call_counts(now).await?;
        gone += self.sweep_memory(days_ago(MEMORY_DAYS)).await?;
        gone += self.sweep_skill_contents(days_ago(1)).await?;
        gone += self.sweep_flows(days_ago(RUN_DAYS), now).await?;
        Ok(gone + self.sweep_grants(days_ago(OAUTH_DAYS)).await?)
    }

    /// Counts go hour by hour as they grow old, so there are never many at once.
    async fn sweep_call_counts(&self, now: Instant) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM call_counts WHERE hours = $1 AND start_hour < $2";
        let mut tx = self.begin().await?;
        for (hours, days) in [(1, HOURLY_DAYS), (24, CALL_DAYS)] {
            let before = hour_of(now.plus_seconds(-days * DAY_SECONDS));
            within!(tx, conn => {
                sqlx::query(SQL).bind(hours).bind(before).execute(conn).await?;
            });
        }
        tx.commit().await
    }

    /// Runs a deletion, whose `$1` is an instant and `$2` how many rows, until nothing is left of it.
    async fn sweep_all(&self, sql: &'static str, before: Instant) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let mut tx = self.begin().await?;
            let batch = within!(tx, conn => {
                sqlx::query(sql)
                    .bind(before.micros())
                    .bind(SMALL_BATCH)
                    .execute(conn)
                    .await?
                    .rows_affected()
            });
            tx.commit().await?;
            gone += batch;
            if batch < SMALL_BATCH.cast_unsigned() {
                return Ok(gone);
            }
        }
    }

    async fn sweep_memory(&self, before: Instant) -> Result<u64, StoreError> {
        const FILES: &str = "DELETE FROM memory_files WHERE seq IN (SELECT seq FROM memory_files \
             WHERE deleted_at < $1 ORDER BY seq LIMIT $2)";
        const VERSIONS: &str = "DELETE FROM memory_versions WHERE (file_id, version) IN (\
             SELECT v.file_id, v.version FROM memory_versions v JOIN memory_files f ON f.id = v.file_id \
             WHERE v.written_at < $1 AND v.version <= f.version - 20 LIMIT $2)";
        Ok(self.sweep_all(FILES, before).await? + self.sweep_all(VERSIONS, before).await?)
    }

    async fn sweep_skill_contents(&self, before: Instant) -> Result<u64, StoreError> {
        const SQL: &str = "DELETE FROM skill_contents WHERE (org_id, sha256) IN (\
             SELECT c.org_id, c.sha256 FROM skill_contents c WHERE c.written_at < $1 AND NOT EXISTS (\
             SELECT 1 FROM skill_files f WHERE f.org_id = c.org_id AND f.sha256 = c.sha256) LIMIT $2)";
        self.sweep_all(SQL, before).await
    }

    /// Runs that ended and are old or too many, and what flows kept for a while.
    async fn sweep_flows(&self, before: Instant, now: Instant) -> Result<u64, StoreError> {
        const OLD: &str = "DELETE FROM flow_runs WHERE id IN (SELECT id FROM flow_runs \
             WHERE ended_at < $1 ORDER BY id LIMIT $2)";
        const KEPT: &str = "DELETE FROM flow_kv WHERE (workspace_id, key) IN (SELECT workspace_id, key FROM flow_kv \
             WHERE expires_at < $1 LIMIT $2)";
        const CACHED: &str = "DELETE FROM flow_cache WHERE (workspace_id, key) IN (\
             SELECT workspace_id, key FROM flow_cache WHERE expires_at < $1 LIMIT $2)";
        let mut gone = self.sweep_all(OLD, before).await? + self.sweep_all(KEPT, now).await?;
        gone += self.sweep_all(CACHED, now).await?;
        gone += self.sweep_many_runs().await?;
        Ok(gone)
    }

    async fn sweep_many_runs(&self) -> Result<u64, StoreError> {
        const FLOWS: &str = "SELECT flow_id FROM flow_runs GROUP BY flow_id HAVING COUNT(*) > $1";
        const RUNS: &str = "DELETE FROM flow_runs WHERE id IN (SELECT id FROM flow_runs WHERE flow_id = $1 \
             AND ended_at IS NOT NULL AND id < (SELECT id FROM flow_runs WHERE flow_id = $1 ORDER BY id DESC \
             LIMIT 1 OFFSET $2) ORDER BY id LIMIT $3)";
        let flows = reading!(self, pool => {
            sqlx::query_scalar::<_, String>(FLOWS).bind(RUNS_OF_FLOW).fetch_all(pool).await?
        });
        let mut gone = 0;
        for flow in flows {
            loop {
                let mut tx = self.begin().await?;
                let batch = within!(tx, conn => {
                    sqlx::query(RUNS)
                        .bind(&flow)
                        .bind(RUNS_OF_FLOW - 1)
                        .bind(SMALL_BATCH)
                        .execute(conn)
                        .await?
                        .rows_affected()
                });
                tx.commit().await?;
                gone += batch;
                if batch < SMALL_BATCH.cast_unsigned() {
                    break;
                }
            }
        }
        Ok(gone)
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

//! Forgetting what is past its time; what memory and skills keep is in `sweep_contents`.
//!
//! What is due is found by a read. A transaction, which SQLite has one of at a time, deletes so many rows by their keys, and
//! looks once more at what may have changed meanwhile. When nothing is due nothing is written.

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
/// Replies to actions with an idempotency key.
const REPLY_DAYS: i64 = 1;
/// Rows that can be large.
pub(crate) const SMALL_BATCH: i64 = 50;
/// Versions of a memory file but for its last twenty, and files that were deleted.
const MEMORY_DAYS: i64 = 30;
/// Runs of flows, and how many of one flow are kept however young they are.
const RUN_DAYS: i64 = 30;
const RUNS_OF_FLOW: i64 = 1_000;

/// What is past its time, by ids, which sort by time. `$1` of the first is the first id that stays, `$2` how many rows: the
/// last id that goes, or none. `$1` of the second is that one.
macro_rules! by_id {
    ($table:literal) => {
        by_id!($table, "")
    };
    ($table:literal, $and:literal) => {
        (
            concat!(
                "SELECT MAX(id) FROM (SELECT id FROM ",
                $table,
                " WHERE id < $1",
                $and,
                " ORDER BY id LIMIT $2) AS due"
            ),
            concat!("DELETE FROM ", $table, " WHERE id <= $1", $and),
        )
    };
}

/// The same by an instant of theirs.
macro_rules! by_time {
    ($table:literal, $at:literal) => {
        (
            concat!(
                "SELECT MAX(",
                $at,
                ") FROM (SELECT ",
                $at,
                " FROM ",
                $table,
                " WHERE ",
                $at,
                " < $1 ORDER BY ",
                $at,
                " LIMIT $2) AS due"
            ),
            concat!("DELETE FROM ", $table, " WHERE ", $at, " <= $1"),
        )
    };
}

impl Store {
    /// Deletes old rows in small batches. How many went.
    pub async fn sweep(&self, now: Instant) -> Result<u64, StoreError> {
        const ENDED: (&str, &str) = by_id!("uploads", " AND state NOT IN ('open', 'completing')");
        let days_ago = |days: i64| now.plus_seconds(-days * DAY_SECONDS);
        let mut gone = 0;
        for (sql, before) in [
            (
                by_id!("calls"),
                CallId::first_at(days_ago(CALL_DAYS)).to_string(),
            ),
            (ENDED, UploadId::first_at(days_ago(UPLOAD_DAYS)).to_string()),
            (
                by_id!("links"),
                LinkId::first_at(days_ago(LINK_DAYS)).to_string(),
            ),
            (
                by_id!("invitations"),
                InvitationId::first_at(days_ago(INVITATION_DAYS)).to_string(),
            ),
            (
                by_id!("password_resets"),
                ResetId::first_at(days_ago(RESET_DAYS)).to_string(),
            ),
            (
                by_id!("authorizations"),
                AuthorizationId::first_at(days_ago(AUTHORIZATION_DAYS)).to_string(),
            ),
            (
                by_id!("oauth_codes"),
                CodeId::first_at(days_ago(OAUTH_DAYS)).to_string(),
            ),
            (
                by_id!("oauth_access_tokens"),
                AccessTokenId::first_at(days_ago(ACCESS_DAYS)).to_string(),
            ),
            (
                by_id!("oauth_refresh_tokens"),
                RefreshTokenId::first_at(days_ago(OAUTH_DAYS)).to_string(),
            ),
        ] {
            gone += self.sweep_by_id(sql, &before).await?;
        }
        self.sweep_call_counts(now).await?;
        // Those of calls and of events go alike, whose ids do not sort together.
        let changes = by_time!("file_changes", "at");
        gone += self.sweep_by_time(changes, days_ago(CALL_DAYS)).await?;
        let replies = by_time!("action_replies", "begun_at");
        gone += self.sweep_by_time(replies, days_ago(REPLY_DAYS)).await?;
        gone += self.sweep_memory(days_ago(MEMORY_DAYS)).await?;
        gone += self.sweep_skill_contents(days_ago(1)).await?;
        gone += self.sweep_flows(days_ago(RUN_DAYS), now).await?;
        Ok(gone + self.sweep_grants(days_ago(OAUTH_DAYS)).await?)
    }

    async fn sweep_by_id(
        &self,
        (find, delete): (&'static str, &'static str),
        before: &str,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let last = reading!(self, pool => {
                sqlx::query_scalar::<_, Option<String>>(find)
                    .bind(before)
                    .bind(BATCH)
                    .fetch_one(pool)
                    .await?
            });
            let Some(last) = last else { return Ok(gone) };
            let mut tx = self.begin().await?;
            gone += within!(tx, conn => {
                sqlx::query(delete).bind(&last).execute(conn).await?.rows_affected()
            });
            tx.commit().await?;
        }
    }

    /// What has no id that sorts by time; see [`Store::sweep_by_id`].
    async fn sweep_by_time(
        &self,
        (find, delete): (&'static str, &'static str),
        before: Instant,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let last = reading!(self, pool => {
                sqlx::query_scalar::<_, Option<i64>>(find)
                    .bind(before.micros())
                    .bind(BATCH)
                    .fetch_one(pool)
                    .await?
            });
            let Some(last) = last else { return Ok(gone) };
            let mut tx = self.begin().await?;
            gone += within!(tx, conn => {
                sqlx::query(delete).bind(last).execute(conn).await?.rows_affected()
            });
            tx.commit().await?;
        }
    }

    /// Counts go hour by hour as they grow old, so there are never many at once.
    async fn sweep_call_counts(&self, now: Instant) -> Result<(), StoreError> {
        const FIND: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM call_counts WHERE hours = $1 AND start_hour < $2 LIMIT 1) AS due";
        const SQL: &str = "DELETE FROM call_counts WHERE hours = $1 AND start_hour < $2";
        for (hours, days) in [(1, HOURLY_DAYS), (24, CALL_DAYS)] {
            let before = hour_of(now.plus_seconds(-days * DAY_SECONDS));
            let due = reading!(self, pool => {
                sqlx::query_scalar::<_, i64>(FIND).bind(hours).bind(before).fetch_one(pool).await?
            });
            if due == 0 {
                continue;
            }
            let mut tx = self.begin().await?;
            within!(tx, conn => {
                sqlx::query(SQL).bind(hours).bind(before).execute(conn).await?;
            });
            tx.commit().await?;
        }
        Ok(())
    }

    /// Deletes rows with keys of two parts until none is due. `$1` of `find` is an instant and `$2` how many rows; `$1` and `$2`
    /// of `delete` are the key, `$3` is the instant.
    async fn sweep_found(
        &self,
        find: &'static str,
        delete: &'static str,
        before: Instant,
    ) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let due = reading!(self, pool => {
                sqlx::query_as::<_, (String, String)>(find)
                    .bind(before.micros())
                    .bind(SMALL_BATCH)
                    .fetch_all(pool)
                    .await?
            });
            if due.is_empty() {
                return Ok(gone);
            }
            let mut tx = self.begin().await?;
            let mut batch = 0;
            for (first, second) in &due {
                batch += within!(tx, conn => {
                    sqlx::query(delete)
                        .bind(first)
                        .bind(second)
                        .bind(before.micros())
                        .execute(conn)
                        .await?
                        .rows_affected()
                });
            }
            tx.commit().await?;
            gone += batch;
            // What others keep changing comes next time.
            if batch == 0 || (due.len() as i64) < SMALL_BATCH {
                return Ok(gone);
            }
        }
    }

    /// Runs that ended and are old or too many, and what flows kept for a while.
    async fn sweep_flows(&self, before: Instant, now: Instant) -> Result<u64, StoreError> {
        const OLD: &str =
            "SELECT flow_id, id FROM flow_runs WHERE ended_at < $1 ORDER BY ended_at LIMIT $2";
        const RUN: &str = "DELETE FROM flow_runs WHERE flow_id = $1 AND id = $2 AND ended_at < $3";
        const KEPT: &str = "SELECT workspace_id, key FROM flow_kv WHERE expires_at < $1 ORDER BY expires_at LIMIT $2";
        const KEY: &str =
            "DELETE FROM flow_kv WHERE workspace_id = $1 AND key = $2 AND expires_at < $3";
        const CACHED: &str = "SELECT workspace_id, key FROM flow_cache WHERE expires_at < $1 ORDER BY expires_at LIMIT $2";
        const OUTPUT: &str =
            "DELETE FROM flow_cache WHERE workspace_id = $1 AND key = $2 AND expires_at < $3";
        let mut gone = self.sweep_found(OLD, RUN, before).await?;
        gone += self.sweep_found(KEPT, KEY, now).await?;
        gone += self.sweep_found(CACHED, OUTPUT, now).await?;
        gone += self.sweep_many_runs().await?;
        Ok(gone)
    }

    async fn sweep_many_runs(&self) -> Result<u64, StoreError> {
        const FLOWS: &str = "SELECT flow_id FROM flow_runs GROUP BY flow_id HAVING COUNT(*) > $1";
        const RUNS: &str = "SELECT id FROM flow_runs WHERE flow_id = $1 \
             AND ended_at IS NOT NULL AND id < (SELECT id FROM flow_runs WHERE flow_id = $1 ORDER BY id DESC \
             LIMIT 1 OFFSET $2) ORDER BY id LIMIT $3";
        // What ended stays so.
        const RUN: &str = "DELETE FROM flow_runs WHERE flow_id = $1 AND id = $2";
        let flows = reading!(self, pool => {
            sqlx::query_scalar::<_, String>(FLOWS).bind(RUNS_OF_FLOW).fetch_all(pool).await?
        });
        let mut gone = 0;
        for flow in flows {
            loop {
                let due = reading!(self, pool => {
                    sqlx::query_scalar::<_, String>(RUNS)
                        .bind(&flow)
                        .bind(RUNS_OF_FLOW - 1)
                        .bind(SMALL_BATCH)
                        .fetch_all(pool)
                        .await?
                });
                if due.is_empty() {
                    break;
                }
                let mut tx = self.begin().await?;
                for run in &due {
                    within!(tx, conn => {
                        sqlx::query(RUN).bind(&flow).bind(run).execute(conn).await?;
                    });
                }
                tx.commit().await?;
                gone += due.len() as u64;
            }
        }
        Ok(gone)
    }

    /// Deletes OAuth grants that ended before then, with the clients behind them, once nothing that
    /// tells of them is left. Other credentials are few, and stay.
    async fn sweep_grants(&self, before: Instant) -> Result<u64, StoreError> {
        const ENDED: &str = "SELECT c.id FROM credentials c WHERE c.kind = 'oauth_grant' \
             AND (c.expires_at < $1 OR c.revoked_at < $1) \
             AND NOT EXISTS (SELECT 1 FROM oauth_codes o WHERE o.credential_id = c.id) \
             AND NOT EXISTS (SELECT 1 FROM oauth_access_tokens a WHERE a.credential_id = c.id) \
             AND NOT EXISTS (SELECT 1 FROM oauth_refresh_tokens r WHERE r.credential_id = c.id) \
             AND NOT EXISTS (SELECT 1 FROM links l WHERE l.credential_id = c.id) \
             AND NOT EXISTS (SELECT 1 FROM uploads u WHERE u.credential_id = c.id) \
             ORDER BY c.id LIMIT $2";
        const CLIENT: &str = "DELETE FROM oauth_clients WHERE credential_id = $1";
        // One that ended so long ago does not come back.
        const GRANT: &str = "DELETE FROM credentials WHERE id = $1";
        let mut gone = 0;
        loop {
            let due = reading!(self, pool => {
                sqlx::query_scalar::<_, String>(ENDED)
                    .bind(before.micros())
                    .bind(SMALL_BATCH)
                    .fetch_all(pool)
                    .await?
            });
            if due.is_empty() {
                return Ok(gone);
            }
            let mut tx = self.begin().await?;
            for grant in &due {
                within!(tx, conn => {
                    sqlx::query(CLIENT).bind(grant).execute(&mut *conn).await?;
                    sqlx::query(GRANT).bind(grant).execute(conn).await?;
                });
            }
            tx.commit().await?;
            gone += due.len() as u64;
        }
    }
}

//! Outputs that steps of a workspace's flows keep for a while, so as not to ask again.

use crate::db::{Store, StoreError};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};
use serde_json::Value;

/// Bytes of all outputs of a workspace, keys included. When there are more, the oldest go.
pub const MOST_CACHE_BYTES: i64 = 16 << 20;
/// Of one output: one that is larger is asked for each time.
const MOST_OF_ONE: i64 = 1 << 20;

impl Store {
    /// What is kept under a key and has not expired.
    pub async fn flow_cached(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        key: &str,
        now: Instant,
    ) -> Result<Option<Value>, StoreError> {
        const SQL: &str = "SELECT value FROM flow_cache WHERE org_id = $1 AND workspace_id = $2 AND key = $3 \
             AND expires_at > $4";
        let text = reading!(self, pool => {
            sqlx::query_scalar::<_, String>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(key)
                .bind(now.micros())
                .fetch_optional(pool)
                .await?
        });
        text.map(|text| Ok(serde_json::from_str(&text)?))
            .transpose()
    }

    /// Keeps an output, over what is there and in the place of the oldest ones. `false` when it is too
    /// large for that.
    pub async fn keep_flow_cache(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        key: &str,
        value: &Value,
        (now, expires_at): (Instant, Instant),
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO flow_cache (org_id, workspace_id, key, value, size, kept_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (workspace_id, key) DO UPDATE SET \
             value = excluded.value, size = excluded.size, kept_at = excluded.kept_at, \
             expires_at = excluded.expires_at";
        const SUM: &str = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM flow_cache WHERE org_id = $1 AND workspace_id = $2";
        // Each with all that are younger.
        const OLDEST: &str = "DELETE FROM flow_cache WHERE org_id = $1 AND workspace_id = $2 AND key IN (\
             SELECT key FROM (SELECT key, SUM(size) OVER (ORDER BY kept_at DESC, key DESC) AS bytes \
             FROM flow_cache WHERE org_id = $1 AND workspace_id = $2) younger WHERE bytes > $3)";
        let text = value.to_string();
        let size = i64::try_from(text.len() + key.len()).unwrap_or(i64::MAX);
        if size > MOST_OF_ONE {
            return Ok(false);
        }
        let mut tx = self.begin().await?;
        within!(tx, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(key)
                .bind(text)
                .bind(size)
                .bind(now.micros())
                .bind(expires_at.micros())
                .execute(&mut *conn)
                .await?;
            let kept = sqlx::query_scalar::<_, i64>(SUM)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_one(&mut *conn)
                .await?;
            if kept > MOST_CACHE_BYTES {
                sqlx::query(OLDEST)
                    .bind(org.as_str())
                    .bind(workspace.as_str())
                    .bind(MOST_CACHE_BYTES)
                    .execute(conn)
                    .await?;
            }
        });
        tx.commit().await?;
        Ok(true)
    }
}

//! What flows of a workspace remember, by key, for as long as they said.

use crate::db::{Store, StoreError};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};
use serde_json::Value;

/// Bytes of all values of a workspace, keys included.
pub const MOST_KV_BYTES: i64 = 16 << 20;

impl Store {
    /// What is kept under a key and has not expired.
    pub async fn flow_kv(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        key: &str,
        now: Instant,
    ) -> Result<Option<Value>, StoreError> {
        const SQL: &str = "SELECT value FROM flow_kv WHERE org_id = $1 AND workspace_id = $2 AND key = $3 \
             AND (expires_at IS NULL OR expires_at > $4)";
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

    /// Keeps a value, over what is there. `false` when the workspace would keep too much; then nothing
    /// changes.
    pub async fn set_flow_kv(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        key: &str,
        value: &Value,
        expires_at: Option<Instant>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO flow_kv (org_id, workspace_id, key, value, size, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (workspace_id, key) DO UPDATE SET \
             value = excluded.value, size = excluded.size, expires_at = excluded.expires_at";
        const SUM: &str = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM flow_kv WHERE org_id = $1 AND workspace_id = $2";
        let text = value.to_string();
        let size = i64::try_from(text.len() + key.len()).unwrap_or(i64::MAX);
        let mut tx = self.begin().await?;
        let kept = within!(tx, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(key)
                .bind(text)
                .bind(size)
                .bind(expires_at.map(Instant::micros))
                .execute(&mut *conn)
                .await?;
            sqlx::query_scalar::<_, i64>(SUM)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_one(conn)
                .await?
        });
        if kept > MOST_KV_BYTES {
            return Ok(false);
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whether something was there.
    pub async fn delete_flow_kv(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        key: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str =
            "DELETE FROM flow_kv WHERE org_id = $1 AND workspace_id = $2 AND key = $3";
        let mut tx = self.begin().await?;
        let rows = within!(tx, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(key)
                .execute(conn)
                .await?
                .rows_affected()
        });
        tx.commit().await?;
        Ok(rows == 1)
    }
}

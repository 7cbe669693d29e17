//! What came of actions that were asked for with an idempotency key.

use crate::db::{Store, StoreError};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};
use serde_json::Value;

/// An action that was asked for before.
#[derive(Debug, Clone)]
pub struct AskedBefore {
    /// SHA-256 of what was asked for.
    pub asked: Vec<u8>,
    pub begun_at: Instant,
    /// None while it runs, and when the server stopped during it.
    pub reply: Option<Value>,
}

impl Store {
    /// Takes a key for an action that is about to run; what has it already, if something has.
    pub async fn begin_action(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        key: &str,
        asked: &[u8],
        now: Instant,
    ) -> Result<Option<AskedBefore>, StoreError> {
        const TAKE: &str = "INSERT INTO action_replies (org_id, workspace_id, key, asked, begun_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace_id, key) DO NOTHING";
        const FIND: &str = "SELECT asked, begun_at, reply FROM action_replies \
             WHERE org_id = $1 AND workspace_id = $2 AND key = $3";
        let mut tx = self.begin().await?;
        let found = within!(tx, conn => loop {
            let taken = sqlx::query(TAKE)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(key)
                .bind(asked)
                .bind(now.micros())
                .execute(&mut *conn)
                .await?
                .rows_affected();
            if taken == 1 {
                break None;
            }
            let row = sqlx::query_as::<_, (Vec<u8>, i64, Option<String>)>(FIND)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(key)
                .fetch_optional(&mut *conn)
                .await?;
            if row.is_some() {
                break row;
            }
            // Freed between the two: it can be taken now.
        });
        tx.commit().await?;
        let Some((asked, begun_at, reply)) = found else {
            return Ok(None);
        };
        Ok(Some(AskedBefore {
            asked,
            begun_at: Instant::from_micros(begun_at),
            reply: reply.map(|text| serde_json::from_str(&text)).transpose()?,
        }))
    }

    /// Keeps what came of an action; with none the key is free again.
    pub async fn end_action(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        key: &str,
        reply: Option<&Value>,
    ) -> Result<(), StoreError> {
        const KEEP: &str = "UPDATE action_replies SET reply = $4 \
             WHERE org_id = $1 AND workspace_id = $2 AND key = $3";
        const FREE: &str = "DELETE FROM action_replies \
             WHERE org_id = $1 AND workspace_id = $2 AND key = $3";
        let mut tx = self.begin().await?;
        within!(tx, conn => {
            let query = match reply {
                Some(_) => sqlx::query(KEEP),
                None => sqlx::query(FREE),
            };
            let query = query.bind(org.as_str()).bind(workspace.as_str()).bind(key);
            let query = match reply {
                Some(reply) => query.bind(reply.to_string()),
                None => query,
            };
            query.execute(conn).await?;
        });
        tx.commit().await
    }
}

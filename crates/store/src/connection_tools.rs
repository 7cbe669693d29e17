//! The tools that the MCP servers of connections offer, as they were found. No secret: what a server
//! tells of itself, cleaned.

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{ConnectionId, EndUserId, OrgId, WorkspaceId};
use std::collections::BTreeMap;

/// What was found at the server of a connection.
#[derive(Debug, Clone)]
pub struct ConnectionTools {
    pub connection: ConnectionId,
    /// JSON; its shape is the writer's.
    pub found: String,
    /// Of what was found.
    pub digest: String,
    /// Digests of the tools by name, as an administrator last accepted them: when the account was
    /// connected, unless later.
    pub accepted: BTreeMap<String, String>,
    pub found_at: Instant,
    /// When they last became others.
    pub changed_at: Option<Instant>,
}

#[derive(sqlx::FromRow)]
struct Row {
    connection_id: String,
    found: String,
    digest: String,
    accepted: String,
    found_at: i64,
    changed_at: Option<i64>,
}

impl TryFrom<Row> for ConnectionTools {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(ConnectionTools {
            connection: id(&row.connection_id)?,
            found: row.found,
            digest: row.digest,
            accepted: serde_json::from_str(&row.accepted)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            found_at: Instant::from_micros(row.found_at),
            changed_at: row.changed_at.map(Instant::from_micros),
        })
    }
}

impl Store {
    pub async fn connection_tools(
        &self,
        org: &OrgId,
        connection: &ConnectionId,
    ) -> Result<Option<ConnectionTools>, StoreError> {
        const SQL: &str = "SELECT connection_id, found, digest, accepted, found_at, changed_at \
             FROM connection_tools WHERE org_id = $1 AND connection_id = $2";
        self.row_of::<Row, _>(SQL, org, connection.as_str()).await
    }

    /// The digests of all that was found for an organization's own connections or those of one end
    /// user, by connection.
    pub async fn connection_tool_digests(
        &self,
        org: &OrgId,
        end_user: Option<&EndUserId>,
    ) -> Result<BTreeMap<ConnectionId, String>, StoreError> {
        const SQL: &str = "SELECT found.connection_id, found.digest FROM connection_tools found \
             JOIN connections own ON own.id = found.connection_id \
             WHERE found.org_id = $1 AND COALESCE(own.end_user_id, '') = $2";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String)>(SQL)
                .bind(org.as_str())
                .bind(end_user.map_or("", EndUserId::as_str))
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(|(connection, digest)| Ok((id(&connection)?, digest)))
            .collect()
    }
}

impl Tx {
    /// The workspaces whose hosted servers have what was found for a connection, in no order.
    pub async fn workspaces_with_tools_of(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
    ) -> Result<Vec<WorkspaceId>, StoreError> {
        const SQL: &str = "SELECT on_it.workspace_id FROM ( \
             SELECT workspace_id FROM integrations WHERE org_id = $1 AND connection_id = $2 \
             UNION SELECT servers.workspace_id FROM server_tools \
             JOIN servers ON servers.id = server_tools.server_id \
             WHERE server_tools.org_id = $1 AND server_tools.connection_id = $2) on_it \
             WHERE EXISTS (SELECT 1 FROM connection_tools WHERE org_id = $1 AND connection_id = $2)";
        let rows = within!(self, conn => {
            sqlx::query_as::<_, (String,)>(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .fetch_all(conn)
                .await?
        });
        rows.into_iter()
            .map(|(workspace,)| id(&workspace))
            .collect()
    }

    /// Keeps what was found in the place of what was found before.
    pub async fn keep_connection_tools(
        &mut self,
        org: &OrgId,
        tools: &ConnectionTools,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO connection_tools (connection_id, org_id, found, digest, accepted, found_at, changed_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (connection_id) DO UPDATE SET found = excluded.found, digest = excluded.digest, \
             accepted = excluded.accepted, found_at = excluded.found_at, changed_at = excluded.changed_at \
             WHERE connection_tools.org_id = excluded.org_id";
        let accepted = serde_json::to_string(&tools.accepted)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(tools.connection.as_str())
                .bind(org.as_str())
                .bind(&tools.found)
                .bind(&tools.digest)
                .bind(accepted)
                .bind(tools.found_at.micros())
                .bind(tools.changed_at.map(Instant::micros))
                .execute(conn)
                .await?;
        });
        Ok(())
    }
}

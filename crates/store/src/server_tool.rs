//! Tools that were picked by hand for a hosted server.

use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{ConnectionId, IntegrationId, OrgId, PartialId, ServerId, ServerToolId};
use serde_json::{Map, Value};

#[derive(Debug, Clone)]
pub struct ServerTool {
    pub id: ServerToolId,
    pub org: OrgId,
    pub server: ServerId,
    /// The integration that it stands on; its alias is the tool's.
    pub integration: IntegrationId,
    /// The key of the action; unique for an integration in the server.
    pub action: String,
    /// Instead of what the integration says.
    pub connection: Option<ConnectionId>,
    pub display_name: Option<String>,
    pub description: Option<String>,
    /// Inputs for when the agent gives none.
    pub input_defaults: Map<String, Value>,
    /// In the order in which they are laid over each other; none lets the workspace's default
    /// partials hold.
    pub partials: Option<Vec<PartialId>>,
    pub sort_order: i64,
    pub created_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    server_id: String,
    integration_id: String,
    action: String,
    connection_id: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    input_defaults: String,
    partial_ids: Option<String>,
    sort_order: i64,
    created_at: i64,
}

impl TryFrom<Row> for ServerTool {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let partials = row.partial_ids.as_deref();
        Ok(ServerTool {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            server: id(&row.server_id)?,
            integration: id(&row.integration_id)?,
            action: row.action,
            connection: optional_id(row.connection_id.as_deref())?,
            display_name: row.display_name,
            description: row.description,
            input_defaults: serde_json::from_str(&row.input_defaults)?,
            partials: partials.map(serde_json::from_str).transpose()?,
            sort_order: row.sort_order,
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, server_id, integration_id, action, connection_id, display_name, description, \
         input_defaults, partial_ids, sort_order, created_at FROM server_tools "
    };
}

impl Store {
    /// Those of a server, in the order that people gave them, then by age.
    pub async fn server_tools(
        &self,
        org: &OrgId,
        server: &ServerId,
    ) -> Result<Vec<ServerTool>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND server_id = $2 ORDER BY sort_order, created_at, id"
        );
        self.rows_of::<Row, _>(SQL, org, server.as_str()).await
    }

    /// The tools of servers that name a partial.
    pub async fn server_tools_with(
        &self,
        org: &OrgId,
        partial: &PartialId,
    ) -> Result<Vec<ServerTool>, StoreError> {
        // Ids have no characters that LIKE or JSON would read otherwise, but the `_` in them, which
        // stands for itself as well.
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND partial_ids LIKE $2 ORDER BY id"
        );
        self.rows_of::<Row, _>(SQL, org, &format!("%\"{partial}\"%"))
            .await
    }
}

impl Tx {
    pub async fn add_server_tool(&mut self, tool: &ServerTool) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO server_tools (id, org_id, server_id, integration_id, action, \
             connection_id, display_name, description, input_defaults, partial_ids, sort_order, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        let defaults = serde_json::to_string(&tool.input_defaults)?;
        let partials = tool.partials.as_ref();
        let partials = partials.map(serde_json::to_string).transpose()?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(tool.id.as_str())
                .bind(tool.org.as_str())
                .bind(tool.server.as_str())
                .bind(tool.integration.as_str())
                .bind(&tool.action)
                .bind(tool.connection.as_ref().map(ConnectionId::as_str))
                .bind(&tool.display_name)
                .bind(&tool.description)
                .bind(defaults)
                .bind(partials)
                .bind(tool.sort_order)
                .bind(tool.created_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Writes everything that can change: integration, connection, display name, description,
    /// defaults, partials, order. `false` when there is no such tool.
    pub async fn update_server_tool(&mut self, tool: &ServerTool) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE server_tools SET integration_id = $3, connection_id = $4, display_name = $5, \
             description = $6, input_defaults = $7, partial_ids = $8, sort_order = $9 \
             WHERE org_id = $1 AND id = $2";
        let defaults = serde_json::to_string(&tool.input_defaults)?;
        let partials = tool.partials.as_ref();
        let partials = partials.map(serde_json::to_string).transpose()?;
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(tool.org.as_str())
                .bind(tool.id.as_str())
                .bind(tool.integration.as_str())
                .bind(tool.connection.as_ref().map(ConnectionId::as_str))
                .bind(&tool.display_name)
                .bind(&tool.description)
                .bind(defaults)
                .bind(partials)
                .bind(tool.sort_order)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// `false` when there is no such tool.
    pub async fn delete_server_tool(
        &mut self,
        org: &OrgId,
        tool: &ServerToolId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM server_tools WHERE org_id = $1 AND id = $2";
        self.of_one(SQL, org, tool.as_str()).await
    }
}

//! The hosted servers that have the tools of flows as well, as the current versions name them.

use crate::db::{Store, StoreError, Tx, id};
use crate::flow::Flow;
use quaymaster_core::id::{FlowId, OrgId, ServerId, WorkspaceId};
use std::collections::BTreeMap;

impl Store {
    /// Of each flow of a workspace that names some, whether it is switched on or not.
    pub async fn flow_servers(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<BTreeMap<FlowId, Vec<ServerId>>, StoreError> {
        const SQL: &str = "SELECT s.flow_id, s.server_id FROM flow_servers s JOIN flows f ON f.id = s.flow_id \
             WHERE f.org_id = $1 AND f.workspace_id = $2 ORDER BY s.flow_id, s.server_id";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String)>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_all(pool)
                .await?
        });
        let mut all: BTreeMap<FlowId, Vec<ServerId>> = BTreeMap::new();
        for (flow, server) in rows {
            all.entry(id(&flow)?).or_default().push(id(&server)?);
        }
        Ok(all)
    }
}

impl Tx {
    /// Puts these in the place of all servers of a flow. One that is gone by now, or of another
    /// workspace, is left out.
    pub async fn set_flow_servers(
        &mut self,
        flow: &Flow,
        servers: &[ServerId],
    ) -> Result<(), StoreError> {
        const GONE: &str = "DELETE FROM flow_servers WHERE org_id = $1 AND flow_id = $2";
        const SQL: &str = "INSERT INTO flow_servers (flow_id, server_id, org_id) SELECT $1, s.id, s.org_id \
             FROM servers s WHERE s.id = $2 AND s.org_id = $3 AND s.workspace_id = $4";
        within!(self, conn => {
            sqlx::query(GONE)
                .bind(flow.org.as_str())
                .bind(flow.id.as_str())
                .execute(&mut *conn)
                .await?;
            for server in servers {
                sqlx::query(SQL)
                    .bind(flow.id.as_str())
                    .bind(server.as_str())
                    .bind(flow.org.as_str())
                    .bind(flow.workspace.as_str())
                    .execute(&mut *conn)
                    .await?;
            }
        });
        self.flows_changed(&flow.org, &flow.workspace).await
    }
}

//! Integrations: connectors that are switched on in a workspace, each under an alias.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{ConnectionId, IntegrationId, OrgId, WorkspaceId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Whose account a call uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The one connection that the integration names.
    #[default]
    Fixed,
    /// The end user's own.
    PerUser,
    /// The end user's own, and the one that the integration names for whoever has none.
    PerUserWithFallback,
}

impl Strategy {
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::Fixed => "fixed",
            Strategy::PerUser => "per_user",
            Strategy::PerUserWithFallback => "per_user_with_fallback",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "fixed" => Ok(Strategy::Fixed),
            "per_user" => Ok(Strategy::PerUser),
            "per_user_with_fallback" => Ok(Strategy::PerUserWithFallback),
            other => Err(StoreError::Corrupt(format!("strategy {other:?}"))),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Integration {
    pub id: IntegrationId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// The connector's key.
    pub connector: String,
    /// Unique in the workspace; what tools and code call it by.
    pub alias: String,
    pub strategy: Strategy,
    /// The connector's way to sign in that end users are offered; none is any.
    pub auth: Option<String>,
    /// None when it was taken away, or the connector needs none.
    pub connection: Option<ConnectionId>,
    pub display_name: Option<String>,
    /// The keys of the actions that are switched on; none is all.
    pub enabled_actions: Option<Vec<String>>,
    /// It was made because a server's tool needed it, and gets each action that a tool needs.
    pub is_implied: bool,
    /// Kept for clients of the API; nothing here acts on it.
    pub settings: Map<String, Value>,
    pub sort_order: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: String,
    connector: String,
    alias: String,
    strategy: String,
    auth: Option<String>,
    connection_id: Option<String>,
    display_name: Option<String>,
    enabled_actions: Option<String>,
    is_implied: bool,
    settings: String,
    sort_order: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<Row> for Integration {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let enabled = row.enabled_actions.as_deref();
        Ok(Integration {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            connector: row.connector,
            alias: row.alias,
            strategy: Strategy::read(&row.strategy)?,
            auth: row.auth,
            connection: optional_id(row.connection_id.as_deref())?,
            display_name: row.display_name,
            enabled_actions: enabled.map(serde_json::from_str).transpose()?,
            is_implied: row.is_implied,
            settings: serde_json::from_str(&row.settings)?,
            sort_order: row.sort_order,
            created_at: Instant::from_micros(row.created_at),
            updated_at: Instant::from_micros(row.updated_at),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, workspace_id, connector, alias, strategy, auth, connection_id, display_name, \
         enabled_actions, is_implied, settings, sort_order, created_at, updated_at FROM integrations "
    };
}

impl Store {
    /// Those of a workspace, in the order that people gave them, then by age.
    pub async fn integrations(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Integration>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND workspace_id = $2 ORDER BY sort_order, created_at, id"
        );
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    /// A page of those with the words in their alias, name or connector, or of all, in the same order; and
    /// how many there are in all pages.
    pub async fn integrations_page(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Integration>, i64), StoreError> {
        let mut clauses = Clauses::of_workspace(org, workspace);
        clauses.words(&["alias", "display_name", "connector"], words);
        let total = self.count_of("integrations", &clauses).await?;
        let page = self.page_of::<Row, _>(
            columns!(),
            clauses,
            "sort_order, created_at, id",
            limit,
            offset,
        );
        Ok((page.await?, total))
    }

    /// What a workspace calls so.
    pub async fn integration_called(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        alias: &str,
    ) -> Result<Option<Integration>, StoreError> {
        let mut clauses = Clauses::of_workspace(org, workspace);
        clauses.text("alias =", Some(alias), "");
        let found = self.page_of::<Row, _>(columns!(), clauses, "id", 1, 0);
        Ok(found.await?.pop())
    }

    /// The first of a connector in a workspace, in the order of people.
    pub async fn integration_of(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        connector: &str,
    ) -> Result<Option<Integration>, StoreError> {
        let mut clauses = Clauses::of_workspace(org, workspace);
        clauses.text("connector =", Some(connector), "");
        let order = "sort_order, created_at, id";
        let found = self.page_of::<Row, _>(columns!(), clauses, order, 1, 0);
        Ok(found.await?.pop())
    }

    /// The names that a workspace has taken: this one, and those that begin with it and `_`.
    pub async fn aliases_like(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        alias: &str,
    ) -> Result<BTreeSet<String>, StoreError> {
        const SQL: &str = "SELECT alias FROM integrations WHERE org_id = $1 AND workspace_id = $2 \
             AND (alias = $3 OR alias LIKE $4 ESCAPE '\\')";
        let numbered = format!(r"{}\_%", alias.replace('_', r"\_"));
        let rows = reading!(self, pool => {
            sqlx::query_scalar::<_, String>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(alias)
                .bind(numbered)
                .fetch_all(pool)
                .await?
        });
        Ok(rows.into_iter().collect())
    }

    pub async fn integration(
        &self,
        org: &OrgId,
        integration: &IntegrationId,
    ) -> Result<Option<Integration>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 AND id = $2");
        self.row_of::<Row, _>(SQL, org, integration.as_str()).await
    }
}

impl Tx {
    pub async fn add_integration(&mut self, integration: &Integration) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO integrations (id, org_id, workspace_id, connector, alias, strategy, auth, \
             connection_id, display_name, enabled_actions, is_implied, settings, sort_order, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
        let enabled = integration.enabled_actions.as_ref();
        let enabled = enabled.map(serde_json::to_string).transpose()?;
        let settings = serde_json::to_string(&integration.settings)?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(integration.id.as_str())
                .bind(integration.org.as_str())
                .bind(integration.workspace.as_str())
                .bind(&integration.connector)
                .bind(&integration.alias)
                .bind(integration.strategy.name())
                .bind(&integration.auth)
                .bind(integration.connection.as_ref().map(ConnectionId::as_str))
                .bind(&integration.display_name)
                .bind(enabled)
                .bind(integration.is_implied)
                .bind(settings)
                .bind(integration.sort_order)
                .bind(integration.created_at.micros())
                .bind(integration.updated_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Writes everything that can change: alias, strategy, auth, connection, display name, actions,
    /// settings, order. `false` when there is no such integration.
    pub async fn update_integration(
        &mut self,
        integration: &Integration,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE integrations SET alias = $3, strategy = $4, auth = $5, connection_id = $6, \
             display_name = $7, enabled_actions = $8, is_implied = $9, settings = $10, sort_order = $11, updated_at = $12 \
             WHERE org_id = $1 AND id = $2";
        let enabled = integration.enabled_actions.as_ref();
        let enabled = enabled.map(serde_json::to_string).transpose()?;
        let settings = serde_json::to_string(&integration.settings)?;
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(integration.org.as_str())
                .bind(integration.id.as_str())
                .bind(&integration.alias)
                .bind(integration.strategy.name())
                .bind(&integration.auth)
                .bind(integration.connection.as_ref().map(ConnectionId::as_str))
                .bind(&integration.display_name)
                .bind(enabled)
                .bind(integration.is_implied)
                .bind(settings)
                .bind(integration.sort_order)
                .bind(integration.updated_at.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// With the tools of servers that stand on it, and the partials for it. `false` when there is no
    /// such integration.
    pub async fn delete_integration(
        &mut self,
        org: &OrgId,
        integration: &IntegrationId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM integrations WHERE org_id = $1 AND id = $2";
        self.of_one(SQL, org, integration.as_str()).await
    }

    /// Tells every server of a workspace that what it is made of changed.
    pub async fn touch_servers(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE servers SET revision = revision + 1 WHERE org_id = $1 AND workspace_id = $2";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .execute(conn)
                .await?;
        });
        Ok(())
    }
}

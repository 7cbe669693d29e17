//! Partials: saved inputs of an action. Enforced ones are locked and hidden.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id, optional_id};
use crate::integration::Integration;
use quaymaster_core::Instant;
use quaymaster_core::id::{IntegrationId, OrgId, PartialId, WorkspaceId};
use serde_json::{Map, Value};

#[derive(Debug, Clone)]
pub struct Partial {
    pub id: PartialId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// The connector's key.
    pub connector: String,
    /// Only for this integration of the connector; none is all of them.
    pub integration: Option<IntegrationId>,
    /// Only for this action; none is all of them.
    pub action: Option<String>,
    /// Unique among those of the connector in the workspace.
    pub name: String,
    pub description: Option<String>,
    pub values: Map<String, Value>,
    /// Keys of `values` that nobody can override or see.
    pub enforced: Vec<String>,
    /// It holds for every tool that names no partials of its own.
    pub is_default: bool,
    pub created_at: Instant,
    pub updated_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: String,
    connector: String,
    integration_id: Option<String>,
    action: Option<String>,
    name: String,
    description: Option<String>,
    inputs: String,
    enforced: String,
    is_default: bool,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<Row> for Partial {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Partial {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            connector: row.connector,
            integration: optional_id(row.integration_id.as_deref())?,
            action: row.action,
            name: row.name,
            description: row.description,
            values: serde_json::from_str(&row.inputs)?,
            enforced: serde_json::from_str(&row.enforced)?,
            is_default: row.is_default,
            created_at: Instant::from_micros(row.created_at),
            updated_at: Instant::from_micros(row.updated_at),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, workspace_id, connector, integration_id, action, name, description, inputs, \
         enforced, is_default, created_at, updated_at FROM partials "
    };
}

impl Store {
    /// Those of a workspace, oldest first: the order in which they are laid over each other.
    pub async fn partials(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Partial>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND workspace_id = $2 ORDER BY created_at, id"
        );
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    /// A page of those with the words in their name, description, action or connector, or of all: what
    /// is for the same integration stands together, oldest first. And how many there are in all pages.
    pub async fn partials_page(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Partial>, i64), StoreError> {
        // As in the index `partials_in_order`.
        const ORDER: &str = "connector, COALESCE(integration_id, ''), created_at, id";
        let mut clauses = Clauses::of_workspace(org, workspace);
        clauses.words(&["name", "description", "action", "connector"], words);
        let total = self.count_of("partials", &clauses).await?;
        let page = self.page_of::<Row, _>(columns!(), clauses, ORDER, limit, offset);
        Ok((page.await?, total))
    }

    /// Those that tools of an action can name, oldest first, at most so many.
    pub async fn partials_for(
        &self,
        integration: &Integration,
        action: &str,
        limit: i64,
    ) -> Result<Vec<Partial>, StoreError> {
        let mut clauses = Clauses::of_workspace(&integration.org, &integration.workspace);
        clauses.text("connector =", Some(&integration.connector), "");
        let own = integration.id.as_str();
        clauses.text(
            "(integration_id IS NULL OR integration_id =",
            Some(own),
            ")",
        );
        clauses.text("(action IS NULL OR action =", Some(action), ")");
        self.page_of::<Row, _>(columns!(), clauses, "created_at, id", limit, 0)
            .await
    }

    pub async fn partial(
        &self,
        org: &OrgId,
        partial: &PartialId,
    ) -> Result<Option<Partial>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 AND id = $2");
        self.row_of::<Row, _>(SQL, org, partial.as_str()).await
    }
}

impl Tx {
    pub async fn add_partial(&mut self, partial: &Partial) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO partials (id, org_id, workspace_id, connector, integration_id, action, \
             name, description, inputs, enforced, is_default, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let values = serde_json::to_string(&partial.values)?;
        let enforced = serde_json::to_string(&partial.enforced)?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(partial.id.as_str())
                .bind(partial.org.as_str())
                .bind(partial.workspace.as_str())
                .bind(&partial.connector)
                .bind(partial.integration.as_ref().map(IntegrationId::as_str))
                .bind(&partial.action)
                .bind(&partial.name)
                .bind(&partial.description)
                .bind(values)
                .bind(enforced)
                .bind(partial.is_default)
                .bind(partial.created_at.micros())
                .bind(partial.updated_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Writes everything that can change: name, description, values, enforced keys, whether it is a
    /// default. `false` when there is no such partial.
    pub async fn update_partial(&mut self, partial: &Partial) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE partials SET name = $3, description = $4, inputs = $5, enforced = $6, \
             is_default = $7, updated_at = $8 WHERE org_id = $1 AND id = $2";
        let values = serde_json::to_string(&partial.values)?;
        let enforced = serde_json::to_string(&partial.enforced)?;
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(partial.org.as_str())
                .bind(partial.id.as_str())
                .bind(&partial.name)
                .bind(&partial.description)
                .bind(values)
                .bind(enforced)
                .bind(partial.is_default)
                .bind(partial.updated_at.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// `false` when there is no such partial.
    pub async fn delete_partial(
        &mut self,
        org: &OrgId,
        partial: &PartialId,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM partials WHERE org_id = $1 AND id = $2";
        self.of_one(SQL, org, partial.as_str()).await
    }
}

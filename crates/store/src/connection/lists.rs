//! Connections of an organization, where not all are needed.

use super::{Connection, Counts, Row};
use crate::clauses::Clauses;
use crate::db::{Store, StoreError};
use quaymaster_core::id::{OrgId, WorkspaceId};
use std::collections::HashMap;

fn usable(org: &OrgId, workspace: Option<&WorkspaceId>, connector: &str) -> Clauses {
    let mut clauses = Clauses::of(org);
    clauses.text("connector =", Some(connector), "");
    // As in the index `connections_own`.
    clauses.holds("end_user_id IS NULL");
    let workspace = workspace.map(WorkspaceId::as_str);
    clauses.text("(workspace_id IS NULL OR workspace_id =", workspace, ")");
    clauses
}

impl Store {
    /// A page of the organization's own of one connector whose names or label have the words in them, by
    /// name; and how many there are.
    pub async fn connections_page(
        &self,
        org: &OrgId,
        connector: &str,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Connection>, i64), StoreError> {
        const SELECT: &str = without_secrets!("");
        let mut clauses = Clauses::of(org);
        clauses.text("connector =", Some(connector), "");
        // As in the index `connections_own`.
        clauses.holds("end_user_id IS NULL");
        clauses.words(&["name", "label", "display_name"], words);
        let total = self.count_of("connections", &clauses).await?;
        let page = self.page_of::<Row, _>(SELECT, clauses, "name, id", limit, offset);
        Ok((page.await?, total))
    }

    /// The organization's own of one connector, by name, at most so many; where a workspace is given, those
    /// that calls from there can use.
    pub async fn usable_connections(
        &self,
        org: &OrgId,
        workspace: Option<&WorkspaceId>,
        connector: &str,
        limit: i64,
    ) -> Result<Vec<Connection>, StoreError> {
        const SELECT: &str = without_secrets!("");
        let clauses = usable(org, workspace, connector);
        self.page_of::<Row, _>(SELECT, clauses, "name, id", limit, 0)
            .await
    }

    /// Those among them that have a text as their id, external id or name.
    pub async fn usable_connections_named(
        &self,
        org: &OrgId,
        workspace: Option<&WorkspaceId>,
        connector: &str,
        named: &str,
    ) -> Result<Vec<Connection>, StoreError> {
        const SELECT: &str = without_secrets!("");
        let mut clauses = usable(org, workspace, connector);
        clauses.text("", Some(named), " IN (id, external_id, name)");
        self.page_of::<Row, _>(SELECT, clauses, "name, id", i64::MAX, 0)
            .await
    }

    /// The first by name that works of each connector that a workspace has no integration of.
    pub async fn unswitched_connections(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Connection>, StoreError> {
        // Of connectors that are on, no account is read; those of others in the order of `connections_own`.
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM (SELECT DISTINCT connector AS service FROM connections \
             WHERE org_id = $1 AND end_user_id IS NULL) own CROSS JOIN connections \
             WHERE NOT EXISTS (SELECT 1 FROM integrations WHERE org_id = $1 AND workspace_id = $2 \
             AND connector = own.service) \
             AND id = (SELECT id FROM connections WHERE org_id = $1 AND connector = own.service \
             AND end_user_id IS NULL AND problem IS NULL AND (workspace_id IS NULL OR workspace_id = $2) \
             ORDER BY name, id LIMIT 1) ORDER BY connector"
        );
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    /// How many of the organization's own each connector has that has some.
    pub async fn connection_counts(
        &self,
        org: &OrgId,
    ) -> Result<HashMap<String, Counts>, StoreError> {
        // Each part has an index with all that it reads: `connections_own`, `connections_failing`.
        const SQL: &str = "SELECT connector, COUNT(*), 0 FROM connections \
             WHERE org_id = $1 AND end_user_id IS NULL GROUP BY connector UNION ALL \
             SELECT connector, 0, COUNT(*) FROM connections \
             WHERE org_id = $1 AND end_user_id IS NULL AND problem IS NOT NULL GROUP BY connector";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, i64, i64)>(SQL)
                .bind(org.as_str())
                .fetch_all(pool)
                .await?
        });
        let mut counts = HashMap::<String, Counts>::new();
        for (connector, all, broken) in rows {
            let counted = counts.entry(connector).or_default();
            counted.all += usize::try_from(all).unwrap_or(0);
            counted.broken += usize::try_from(broken).unwrap_or(0);
        }
        Ok(counts)
    }

    /// Some of the organization's own that do not work, by connector and name; and how many there are.
    pub async fn failing_connections(
        &self,
        org: &OrgId,
        limit: i64,
    ) -> Result<(Vec<Connection>, i64), StoreError> {
        const SELECT: &str = without_secrets!("");
        let mut clauses = Clauses::of(org);
        // As in the index `connections_failing`.
        clauses.holds("end_user_id IS NULL AND problem IS NOT NULL");
        let total = self.count_of("connections", &clauses).await?;
        let some = self.page_of::<Row, _>(SELECT, clauses, "connector, name, id", limit, 0);
        Ok((some.await?, total))
    }
}

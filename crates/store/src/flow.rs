//! Flows of workspaces: which there are, and their versions.
//!
//! A version never changes; the current one is a pointer. Every change that somebody could see raises
//! the revision of the workspace in the same transaction, so that nobody has to read a list to know
//! that it is the same.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowId, OrgId, WorkspaceId};
use std::collections::{BTreeMap, BTreeSet};

/// A flow with what its current version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub id: FlowId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// Unique in the workspace. It changes with the text of the current version, so whatever names a flow
    /// for good does it by its id.
    pub name: String,
    /// What agents call it, unique in the workspace; none when it is no tool.
    pub tool: Option<String>,
    pub title: String,
    pub enabled: bool,
    /// Every step is journalled, and a run goes on after a crash.
    pub durable: bool,
    /// The version that runs.
    pub version: i64,
    /// How many versions there were: the next one is one more.
    pub versions: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowVersion {
    /// From 1.
    pub version: i64,
    pub tool: Option<String>,
    pub title: String,
    pub durable: bool,
    /// As it was written; empty in lists.
    pub source: String,
    /// SHA-256 of the source; 64 hexadecimal digits.
    pub digest: String,
    /// Id of a person or credential, or `command line`.
    pub made_by: String,
    pub made_at: Instant,
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: String,
    org_id: String,
    workspace_id: String,
    name: String,
    tool: Option<String>,
    title: String,
    enabled: bool,
    durable: bool,
    version: i64,
    versions: i64,
    created_at: i64,
    updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    version: i64,
    tool: Option<String>,
    title: String,
    durable: bool,
    source: String,
    digest: String,
    made_by: String,
    made_at: i64,
}

impl TryFrom<Row> for Flow {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Flow {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            name: row.name,
            tool: row.tool,
            title: row.title,
            enabled: row.enabled,
            durable: row.durable,
            version: row.version,
            versions: row.versions,
            created_at: Instant::from_micros(row.created_at),
            updated_at: Instant::from_micros(row.updated_at),
        })
    }
}

impl From<VersionRow> for FlowVersion {
    fn from(row: VersionRow) -> Self {
        FlowVersion {
            version: row.version,
            tool: row.tool,
            title: row.title,
            durable: row.durable,
            source: row.source,
            digest: row.digest,
            made_by: row.made_by,
            made_at: Instant::from_micros(row.made_at),
        }
    }
}

/// What a row is read from; with an argument, of a table of that name.
macro_rules! columns {
    ($of:literal) => {
        concat!(
            $of,
            "id, ",
            $of,
            "org_id, ",
            $of,
            "workspace_id, ",
            $of,
            "name, ",
            $of,
            "tool, ",
            $of,
            "title, ",
            $of,
            "enabled, ",
            $of,
            "durable, ",
            $of,
            "version, ",
            $of,
            "versions, ",
            $of,
            "created_at, ",
            $of,
            "updated_at"
        )
    };
    () => {
        concat!("SELECT ", columns!(""), " FROM flows ")
    };
}
pub(crate) use columns;

impl Store {
    /// Those of a workspace, by name.
    pub async fn flows(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Flow>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND workspace_id = $2 ORDER BY name"
        );
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    /// A page of those with the words in their name, title or tool, or of all, by name; and how many there
    /// are in all pages.
    pub async fn flows_page(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Flow>, i64), StoreError> {
        let mut clauses = Clauses::of_workspace(org, workspace);
        clauses.words(&["name", "title", "tool"], words);
        let total = self.count_of("flows", &clauses).await?;
        let page = self.page_of::<Row, _>(columns!(), clauses, "name", limit, offset);
        Ok((page.await?, total))
    }

    pub async fn flow(&self, org: &OrgId, flow: &FlowId) -> Result<Option<Flow>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 AND id = $2");
        self.row_of::<Row, _>(SQL, org, flow.as_str()).await
    }

    /// Those of a workspace that have one of the names or ids.
    pub async fn flows_among(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        names: &BTreeSet<&str>,
        ids: &BTreeSet<&FlowId>,
    ) -> Result<Vec<Flow>, StoreError> {
        let by_name = self
            .flows_with(org, workspace, "name", names.iter())
            .await?;
        let by_id = self.flows_with(org, workspace, "id", ids.iter()).await?;
        let known: BTreeSet<FlowId> = by_name.iter().map(|flow| flow.id.clone()).collect();
        let others = by_id.into_iter().filter(|flow| !known.contains(&flow.id));
        Ok(by_name.into_iter().chain(others).collect())
    }

    async fn flows_with(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        column: &'static str,
        values: impl ExactSizeIterator<Item = impl ToString>,
    ) -> Result<Vec<Flow>, StoreError> {
        if values.len() == 0 {
            return Ok(Vec::new());
        }
        let mut clauses = Clauses::of_workspace(org, workspace);
        clauses.one_of(column, values);
        self.page_of::<Row, _>(columns!(), clauses, "name", i64::MAX, 0)
            .await
    }

    pub async fn flow_named(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        name: &str,
    ) -> Result<Option<Flow>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND workspace_id = $2 AND name = $3"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(name)
                .fetch_optional(pool)
                .await?
        });
        row.map(Flow::try_from).transpose()
    }

    /// The revisions of an organization's workspaces that ever had a flow.
    pub async fn flow_revisions(
        &self,
        org: &OrgId,
    ) -> Result<BTreeMap<WorkspaceId, i64>, StoreError> {
        const SQL: &str = "SELECT workspace_id, revision FROM flow_revisions WHERE org_id = $1";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, i64)>(SQL).bind(org.as_str()).fetch_all(pool).await?
        });
        rows.into_iter()
            .map(|(workspace, revision)| Ok((id(&workspace)?, revision)))
            .collect()
    }

    /// Newest first, without their texts, which can be large together.
    pub async fn flow_versions(
        &self,
        org: &OrgId,
        flow: &FlowId,
    ) -> Result<Vec<FlowVersion>, StoreError> {
        const SQL: &str = "SELECT version, tool, title, durable, '' AS source, digest, made_by, made_at \
             FROM flow_versions WHERE org_id = $1 AND flow_id = $2 ORDER BY version DESC";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, VersionRow>(SQL)
                .bind(org.as_str())
                .bind(flow.as_str())
                .fetch_all(pool)
                .await?
        });
        Ok(rows.into_iter().map(FlowVersion::from).collect())
    }

    pub async fn flow_version(
        &self,
        org: &OrgId,
        flow: &FlowId,
        version: i64,
    ) -> Result<Option<FlowVersion>, StoreError> {
        const SQL: &str = "SELECT version, tool, title, durable, source, digest, made_by, made_at \
             FROM flow_versions WHERE org_id = $1 AND flow_id = $2 AND version = $3";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, VersionRow>(SQL)
                .bind(org.as_str())
                .bind(flow.as_str())
                .bind(version)
                .fetch_optional(pool)
                .await?
        });
        Ok(row.map(FlowVersion::from))
    }
}

impl Tx {
    /// How many flows a workspace has.
    pub async fn count_flows(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM flows WHERE org_id = $1 AND workspace_id = $2";
        Ok(within!(self, conn => {
            sqlx::query_scalar::<_, i64>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_one(conn)
                .await?
        }))
    }

    pub async fn add_flow(&mut self, flow: &Flow, first: &FlowVersion) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO flows (id, org_id, workspace_id, name, tool, title, enabled, durable, version, \
             versions, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(flow.id.as_str())
                .bind(flow.org.as_str())
                .bind(flow.workspace.as_str())
                .bind(&flow.name)
                .bind(&flow.tool)
                .bind(&flow.title)
                .bind(flow.enabled)
                .bind(flow.durable)
                .bind(flow.version)
                .bind(flow.versions)
                .bind(flow.created_at.micros())
                .bind(flow.updated_at.micros())
                .execute(conn)
                .await?;
        });
        self.add_version_of_flow(&flow.org, &flow.id, first).await?;
        self.flows_changed(&flow.org, &flow.workspace).await
    }

    /// Makes a new version the current one, if no other came in between and the current one is the flow's still;
    /// `false` otherwise. `name` is the one that its text has. A duplicate when another flow has the name or that
    /// of its tool, as with [`Tx::add_flow`].
    pub async fn add_flow_version(
        &mut self,
        flow: &Flow,
        name: &str,
        version: &FlowVersion,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flows SET version = $3, versions = $3, title = $4, durable = $5, updated_at = $6, \
             tool = $7, name = $8 WHERE org_id = $1 AND id = $2 AND versions = $3 - 1 AND version = $9";
        let moved = within!(self, conn => {
            sqlx::query(SQL)
                .bind(flow.org.as_str())
                .bind(flow.id.as_str())
                .bind(version.version)
                .bind(&version.title)
                .bind(version.durable)
                .bind(version.made_at.micros())
                .bind(&version.tool)
                .bind(name)
                .bind(flow.version)
                .execute(conn)
                .await?
                .rows_affected()
        });
        if moved == 1 {
            self.add_version_of_flow(&flow.org, &flow.id, version)
                .await?;
            self.flows_changed(&flow.org, &flow.workspace).await?;
        }
        Ok(moved == 1)
    }

    /// Makes an older version the current one. `name` is the one that its text has. `false` when there is
    /// no such flow or version, or the current one is the flow's no longer; a duplicate as with
    /// [`Tx::add_flow_version`].
    pub async fn set_flow_version(
        &mut self,
        flow: &Flow,
        name: &str,
        version: i64,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flows SET version = $3, updated_at = $4, name = $5, \
             tool = (SELECT v.tool FROM flow_versions v WHERE v.flow_id = flows.id AND v.version = $3), \
             title = (SELECT v.title FROM flow_versions v WHERE v.flow_id = flows.id AND v.version = $3), \
             durable = (SELECT v.durable FROM flow_versions v WHERE v.flow_id = flows.id AND v.version = $3) \
             WHERE org_id = $1 AND id = $2 AND version = $6 AND EXISTS \
             (SELECT 1 FROM flow_versions v WHERE v.flow_id = flows.id AND v.version = $3)";
        let moved = within!(self, conn => {
            sqlx::query(SQL)
                .bind(flow.org.as_str())
                .bind(flow.id.as_str())
                .bind(version)
                .bind(now.micros())
                .bind(name)
                .bind(flow.version)
                .execute(conn)
                .await?
                .rows_affected()
        });
        if moved == 1 {
            self.flows_changed(&flow.org, &flow.workspace).await?;
        }
        Ok(moved == 1)
    }

    async fn add_version_of_flow(
        &mut self,
        org: &OrgId,
        flow: &FlowId,
        version: &FlowVersion,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO flow_versions (flow_id, org_id, version, title, durable, source, digest, \
             made_by, made_at, tool) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(flow.as_str())
                .bind(org.as_str())
                .bind(version.version)
                .bind(&version.title)
                .bind(version.durable)
                .bind(&version.source)
                .bind(&version.digest)
                .bind(&version.made_by)
                .bind(version.made_at.micros())
                .bind(&version.tool)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Forgets versions up to `version`, but for the current one.
    pub async fn forget_flow_versions(
        &mut self,
        org: &OrgId,
        flow: &FlowId,
        version: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM flow_versions WHERE org_id = $1 AND flow_id = $2 AND version <= $3 \
             AND version <> (SELECT f.version FROM flows f WHERE f.id = $2)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(flow.as_str())
                .bind(version)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when there is no such flow, or it was so already.
    pub async fn enable_flow(
        &mut self,
        flow: &Flow,
        enabled: bool,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flows SET enabled = $3, updated_at = $4 \
             WHERE org_id = $1 AND id = $2 AND enabled <> $3";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(flow.org.as_str())
                .bind(flow.id.as_str())
                .bind(enabled)
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        if changed == 1 {
            self.flows_changed(&flow.org, &flow.workspace).await?;
        }
        Ok(changed == 1)
    }

    /// `false` when there is no such flow. Its versions, triggers and runs go with it.
    pub async fn delete_flow(&mut self, flow: &Flow) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM flows WHERE org_id = $1 AND id = $2";
        let gone = self.of_one(SQL, &flow.org, flow.id.as_str()).await?;
        if gone {
            self.flows_changed(&flow.org, &flow.workspace).await?;
        }
        Ok(gone)
    }

    /// What callers see of the flows of a workspace changed.
    pub(crate) async fn flows_changed(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO flow_revisions (workspace_id, org_id, revision) VALUES ($2, $1, 1) \
             ON CONFLICT (workspace_id) DO UPDATE SET revision = flow_revisions.revision + 1";
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

//! Workspaces.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};

#[derive(Debug, Clone)]
pub struct Workspace {
    pub id: WorkspaceId,
    pub org: OrgId,
    /// Unique in the organization.
    pub name: String,
    /// The name as it stands in addresses and tool names; unique in the organization.
    pub slug: String,
    /// Tool calls a UTC day.
    pub daily_cap: i64,
    /// Bytes of files, uploads and trash.
    pub quota_bytes: i64,
    /// Whether its flows are called by nobody without a credential. At most one workspace of the
    /// installation has it off.
    pub requires_authentication: bool,
    pub created_at: Instant,
}

/// What may be changed of a workspace; what is absent stays as it is at the very moment of the
/// change, so that two who change different things do not undo each other.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceChange {
    pub name: Option<String>,
    pub slug: Option<String>,
    pub daily_cap: Option<i64>,
    pub quota_bytes: Option<i64>,
    /// Off is a duplicate when another workspace of the installation has it off.
    pub requires_authentication: Option<bool>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    name: String,
    slug: String,
    daily_cap: i64,
    quota_bytes: i64,
    requires_authentication: bool,
    created_at: i64,
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, name, slug, daily_cap, quota_bytes, requires_authentication, created_at FROM workspaces "
    };
}

impl TryFrom<Row> for Workspace {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Workspace {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            name: row.name,
            slug: row.slug,
            daily_cap: row.daily_cap,
            quota_bytes: row.quota_bytes,
            requires_authentication: row.requires_authentication,
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

impl Store {
    pub async fn workspace(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Option<Workspace>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL"
        );
        self.row_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    /// The workspaces of an organization, oldest first.
    pub async fn workspaces(&self, org: &OrgId) -> Result<Vec<Workspace>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND deleted_at IS NULL ORDER BY created_at, id"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).fetch_all(pool).await?
        });
        rows.into_iter().map(Workspace::try_from).collect()
    }

    /// A page of those whose name or slug has the words in it, oldest first; and how many there are.
    pub async fn workspaces_page(
        &self,
        org: &OrgId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Workspace>, i64), StoreError> {
        let mut clauses = Clauses::of(org);
        clauses.holds("deleted_at IS NULL");
        clauses.words(&["name", "slug"], words);
        let total = self.count_of("workspaces", &clauses).await?;
        let page = self.page_of::<Row, _>(columns!(), clauses, "created_at, id", limit, offset);
        Ok((page.await?, total))
    }

    /// Those that have a text as their id, slug or name, oldest first.
    pub async fn workspaces_named(
        &self,
        org: &OrgId,
        named: &str,
    ) -> Result<Vec<Workspace>, StoreError> {
        let mut clauses = Clauses::of(org);
        clauses.holds("deleted_at IS NULL");
        clauses.text("", Some(named), " IN (id, slug, name)");
        self.page_of::<Row, _>(columns!(), clauses, "created_at, id", i64::MAX, 0)
            .await
    }

    /// The workspace whose flows need no credential, of whichever organization: whoever presents
    /// nothing is of none.
    pub async fn open_workspace(&self) -> Result<Option<Workspace>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE NOT requires_authentication AND deleted_at IS NULL"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).fetch_optional(pool).await?
        });
        row.map(Workspace::try_from).transpose()
    }
}

impl Tx {
    pub async fn add_workspace(&mut self, workspace: &Workspace) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO workspaces (id, org_id, name, slug, daily_cap, quota_bytes, \
             requires_authentication, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(workspace.id.as_str())
                .bind(workspace.org.as_str())
                .bind(&workspace.name)
                .bind(&workspace.slug)
                .bind(workspace.daily_cap)
                .bind(workspace.quota_bytes)
                .bind(workspace.requires_authentication)
                .bind(workspace.created_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Changes a workspace. `false` when the organization has no such workspace.
    pub async fn update_workspace(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
        change: &WorkspaceChange,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE workspaces SET name = COALESCE($3, name), slug = COALESCE($4, slug), \
             daily_cap = COALESCE($5, daily_cap), quota_bytes = COALESCE($6, quota_bytes), \
             requires_authentication = COALESCE($7, requires_authentication) \
             WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(&change.name)
                .bind(&change.slug)
                .bind(change.daily_cap)
                .bind(change.quota_bytes)
                .bind(change.requires_authentication)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Takes a workspace away with what is in it: flows, packs, servers, integrations, partials, end users, their
    /// connections and its own. Its credentials are revoked before. `false` when the organization has
    /// no such workspace.
    pub async fn delete_workspace(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const WITHIN: [&str; 14] = [
            "DELETE FROM own_packs WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM installed_packs WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM flows WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM flow_revisions WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM flow_secrets WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM flow_kv WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM action_replies WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM flow_cache WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM connect_sessions WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM servers WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM partials WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM integrations WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM connections WHERE org_id = $1 AND workspace_id = $2",
            "DELETE FROM end_users WHERE org_id = $1 AND workspace_id = $2",
        ];
        // The id is a name that nobody else has.
        const SQL: &str = "UPDATE workspaces SET deleted_at = $3, name = id, slug = id \
             WHERE org_id = $1 AND id = $2 AND deleted_at IS NULL";
        let changed = within!(self, conn => {
            for sql in WITHIN {
                sqlx::query(sql)
                    .bind(org.as_str())
                    .bind(workspace.as_str())
                    .execute(&mut *conn)
                    .await?;
            }
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }
}

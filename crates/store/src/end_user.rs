//! End users: the persons of a developer's own product, known in a workspace by the developer's id,
//! and members of the organization who sign in to hosted servers themselves.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{EndUserId, OrgId, UserId, WorkspaceId};
use serde_json::{Map, Value};

#[derive(Debug, Clone)]
pub struct EndUser {
    pub id: EndUserId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// The developer's own id of the person, or the id of the member; unique in the workspace.
    pub external_id: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    /// The developer's own notes. Never shown to agents.
    pub metadata: Map<String, Value>,
    /// The member of the organization that this is. Only they sign in as it.
    pub user: Option<UserId>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// What changes at an end user; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct EndUserChange {
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub metadata: Option<Map<String, Value>>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: String,
    external_id: String,
    display_name: Option<String>,
    email: Option<String>,
    metadata: String,
    user_id: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<Row> for EndUser {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(EndUser {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            external_id: row.external_id,
            display_name: row.display_name,
            email: row.email,
            metadata: serde_json::from_str(&row.metadata)?,
            user: optional_id(row.user_id.as_deref())?,
            created_at: Instant::from_micros(row.created_at),
            updated_at: Instant::from_micros(row.updated_at),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, workspace_id, external_id, display_name, email, metadata, user_id, created_at, \
         updated_at FROM end_users "
    };
}

fn fitting(org: &OrgId, workspace: &WorkspaceId, words: &str) -> Clauses {
    let mut clauses = Clauses::of_workspace(org, workspace);
    clauses.words(&["external_id", "display_name", "email"], words);
    clauses
}

impl Store {
    /// Those of a workspace with the words in their external id, name or address, or all; oldest first.
    pub async fn end_users(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<EndUser>, StoreError> {
        let clauses = fitting(org, workspace, words);
        self.page_of::<Row, _>(columns!(), clauses, "created_at, id", limit, offset)
            .await
    }

    pub async fn count_end_users(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        words: &str,
    ) -> Result<i64, StoreError> {
        let clauses = fitting(org, workspace, words);
        self.count_of("end_users", &clauses).await
    }

    pub async fn end_user(
        &self,
        org: &OrgId,
        end_user: &EndUserId,
    ) -> Result<Option<EndUser>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 AND id = $2");
        self.row_of::<Row, _>(SQL, org, end_user.as_str()).await
    }

    pub async fn end_user_by_external_id(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        external_id: &str,
    ) -> Result<Option<EndUser>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND workspace_id = $2 AND external_id = $3"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(external_id)
                .fetch_optional(pool)
                .await?
        });
        row.map(EndUser::try_from).transpose()
    }

    /// The end user that a member is in a workspace.
    pub async fn end_user_of_member(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        user: &UserId,
    ) -> Result<Option<EndUser>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND workspace_id = $2 AND user_id = $3"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(user.as_str())
                .fetch_optional(pool)
                .await?
        });
        row.map(EndUser::try_from).transpose()
    }
}

impl Tx {
    pub async fn add_end_user(&mut self, end_user: &EndUser) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO end_users (id, org_id, workspace_id, external_id, display_name, email, \
             metadata, created_at, updated_at, user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
        let metadata = serde_json::to_string(&end_user.metadata)?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(end_user.id.as_str())
                .bind(end_user.org.as_str())
                .bind(end_user.workspace.as_str())
                .bind(&end_user.external_id)
                .bind(&end_user.display_name)
                .bind(&end_user.email)
                .bind(metadata)
                .bind(end_user.created_at.micros())
                .bind(end_user.updated_at.micros())
                .bind(end_user.user.as_ref().map(UserId::as_str))
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when there is no such end user.
    pub async fn update_end_user(
        &mut self,
        org: &OrgId,
        end_user: &EndUserId,
        change: &EndUserChange,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE end_users SET display_name = COALESCE($3, display_name), \
             email = COALESCE($4, email), metadata = COALESCE($5, metadata), updated_at = $6 \
             WHERE org_id = $1 AND id = $2";
        let metadata = change.metadata.as_ref();
        let metadata = metadata.map(serde_json::to_string).transpose()?;
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(end_user.as_str())
                .bind(&change.display_name)
                .bind(&change.email)
                .bind(metadata)
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// With the person's connections and connect sessions. `false` when there is no such end user.
    pub async fn delete_end_user(
        &mut self,
        org: &OrgId,
        end_user: &EndUserId,
    ) -> Result<bool, StoreError> {
        const SESSIONS: &str =
            "DELETE FROM connect_sessions WHERE org_id = $1 AND end_user_id = $2";
        const CONNECTIONS: &str = "DELETE FROM connections WHERE org_id = $1 AND end_user_id = $2";
        const SQL: &str = "DELETE FROM end_users WHERE org_id = $1 AND id = $2";
        let gone = within!(self, conn => {
            let mut gone = 0;
            for sql in [SESSIONS, CONNECTIONS, SQL] {
                gone = sqlx::query(sql)
                    .bind(org.as_str())
                    .bind(end_user.as_str())
                    .execute(&mut *conn)
                    .await?
                    .rows_affected();
            }
            gone
        });
        Ok(gone == 1)
    }
}

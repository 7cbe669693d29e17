//! Packs that were given to a workspace, by their texts; what is installed of them is in
//! [`installed_pack`](crate::installed_pack).

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnPack {
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// The id that the pack has in its text; unique in the workspace.
    pub pack: String,
    pub title: String,
    /// As it was given, YAML or JSON.
    pub source: String,
    /// Id of a person or credential, or `command line`.
    pub made_by: String,
    pub updated_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    org_id: String,
    workspace_id: String,
    pack: String,
    title: String,
    source: String,
    made_by: String,
    updated_at: i64,
}

impl TryFrom<Row> for OwnPack {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(OwnPack {
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            pack: row.pack,
            title: row.title,
            source: row.source,
            made_by: row.made_by,
            updated_at: Instant::from_micros(row.updated_at),
        })
    }
}

impl Store {
    /// Those of a workspace, by their ids.
    pub async fn own_packs(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<OwnPack>, StoreError> {
        const SQL: &str = "SELECT org_id, workspace_id, pack, title, source, made_by, updated_at FROM own_packs \
             WHERE org_id = $1 AND workspace_id = $2 ORDER BY pack";
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }

    pub async fn own_pack(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        pack: &str,
    ) -> Result<Option<OwnPack>, StoreError> {
        const SQL: &str = "SELECT org_id, workspace_id, pack, title, source, made_by, updated_at FROM own_packs \
             WHERE org_id = $1 AND workspace_id = $2 AND pack = $3";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(pack)
                .fetch_optional(pool)
                .await?
        });
        row.map(OwnPack::try_from).transpose()
    }
}

impl Tx {
    pub async fn count_own_packs(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM own_packs WHERE org_id = $1 AND workspace_id = $2";
        Ok(within!(self, conn => {
            sqlx::query_scalar::<_, i64>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_one(conn)
                .await?
        }))
    }

    /// Keeps a pack, over what the workspace had under its id.
    pub async fn put_own_pack(&mut self, pack: &OwnPack) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO own_packs (workspace_id, pack, org_id, title, source, made_by, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (workspace_id, pack) DO UPDATE SET title = excluded.title, source = excluded.source, \
             made_by = excluded.made_by, updated_at = excluded.updated_at";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(pack.workspace.as_str())
                .bind(&pack.pack)
                .bind(pack.org.as_str())
                .bind(&pack.title)
                .bind(&pack.source)
                .bind(&pack.made_by)
                .bind(pack.updated_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when the workspace does not have it.
    pub async fn remove_own_pack(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
        pack: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str =
            "DELETE FROM own_packs WHERE org_id = $1 AND workspace_id = $2 AND pack = $3";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(pack)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }
}

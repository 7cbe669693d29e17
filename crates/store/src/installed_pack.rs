//! Packs that a workspace has: what was chosen, and the text that each flow was given, so that a
//! change by hand is told from one of the pack.

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowId, OrgId, WorkspaceId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledPack {
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// The id that the pack has in its file; unique in the workspace.
    pub pack: String,
    /// Of the pack, when its flows were last written.
    pub version: String,
    /// What was chosen, by variable. Secrets are not in it.
    pub vars: BTreeMap<String, String>,
    /// By the name that a flow has in the pack. In the workspace it may have got another one.
    pub flows: BTreeMap<String, GivenFlow>,
    /// The flows that were chosen not to be had when the pack was last written, by their names in it; none where
    /// an earlier version of the program did not write it down.
    pub left_out: Option<BTreeSet<String>>,
    /// Id of a person or credential, or `command line`.
    pub made_by: String,
    pub installed_at: Instant,
    pub updated_at: Instant,
}

/// A flow that a pack gave a workspace. It may be gone by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenFlow {
    pub flow: FlowId,
    /// SHA-256 of the text that it was given, under the name that it has in the pack; 64 hexadecimal digits.
    pub digest: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    org_id: String,
    workspace_id: String,
    pack: String,
    version: String,
    vars: String,
    flows: String,
    left_out: Option<String>,
    made_by: String,
    installed_at: i64,
    updated_at: i64,
}

impl TryFrom<Row> for InstalledPack {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(InstalledPack {
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            pack: row.pack,
            version: row.version,
            vars: serde_json::from_str(&row.vars)?,
            flows: serde_json::from_str(&row.flows)?,
            left_out: row
                .left_out
                .as_deref()
                .map(serde_json::from_str)
                .transpose()?,
            made_by: row.made_by,
            installed_at: Instant::from_micros(row.installed_at),
            updated_at: Instant::from_micros(row.updated_at),
        })
    }
}

impl Store {
    /// Those of a workspace, by the id of the pack.
    pub async fn installed_packs(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<InstalledPack>, StoreError> {
        const SQL: &str = "SELECT org_id, workspace_id, pack, version, vars, flows, left_out, made_by, installed_at, updated_at \
             FROM installed_packs WHERE org_id = $1 AND workspace_id = $2 ORDER BY pack";
        self.rows_of::<Row, _>(SQL, org, workspace.as_str()).await
    }
}

impl Tx {
    /// Writes what is known of an installed pack, over what was; who installed it, and when, stays.
    pub async fn put_installed_pack(&mut self, pack: &InstalledPack) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO installed_packs (workspace_id, pack, org_id, version, vars, flows, made_by, \
             installed_at, updated_at, left_out) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (workspace_id, pack) DO UPDATE SET version = excluded.version, vars = excluded.vars, \
             flows = excluded.flows, left_out = excluded.left_out, updated_at = excluded.updated_at";
        let vars = serde_json::to_string(&pack.vars)?;
        let flows = serde_json::to_string(&pack.flows)?;
        let left_out = pack.left_out.as_ref().map(serde_json::to_string);
        let left_out = left_out.transpose()?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(pack.workspace.as_str())
                .bind(&pack.pack)
                .bind(pack.org.as_str())
                .bind(&pack.version)
                .bind(vars)
                .bind(flows)
                .bind(&pack.made_by)
                .bind(pack.installed_at.micros())
                .bind(pack.updated_at.micros())
                .bind(left_out)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when the workspace does not have it.
    pub async fn remove_installed_pack(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
        pack: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str =
            "DELETE FROM installed_packs WHERE org_id = $1 AND workspace_id = $2 AND pack = $3";
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

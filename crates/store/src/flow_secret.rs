//! Secrets that flows of a workspace put into requests. Each is one sealed value, bound to its row and
//! organization.

use crate::db::{Store, StoreError, Tx, id};
use crate::seal::Place;
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowSecretId, OrgId, WorkspaceId};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::BTreeMap;

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowSecret {
    pub id: FlowSecretId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    /// Unique in the workspace.
    pub name: String,
    /// Id of a person or credential, or `command line`.
    pub made_by: String,
    pub changed_at: Instant,
}

fn place<'a>(org: &'a str, row: &'a str) -> Place<'a> {
    Place {
        table: "flow_secrets",
        column: "secret",
        row,
        org,
    }
}

impl Store {
    /// Those of a workspace, by name.
    pub async fn flow_secrets(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<FlowSecret>, StoreError> {
        const SQL: &str = "SELECT id, name, made_by, changed_at FROM flow_secrets \
             WHERE org_id = $1 AND workspace_id = $2 ORDER BY name";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, String, i64)>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(|(secret, name, made_by, at)| {
                Ok(FlowSecret {
                    id: id(&secret)?,
                    org: org.clone(),
                    workspace: workspace.clone(),
                    name,
                    made_by,
                    changed_at: Instant::from_micros(at),
                })
            })
            .collect()
    }

    /// All secrets of a workspace, opened, by name.
    pub async fn open_flow_secrets(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<BTreeMap<String, SecretString>, StoreError> {
        const SQL: &str =
            "SELECT id, name, secret FROM flow_secrets WHERE org_id = $1 AND workspace_id = $2";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, Vec<u8>)>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_all(pool)
                .await?
        });
        let mut secrets = BTreeMap::new();
        for (row, name, sealed) in rows {
            let opened = self.opened_flow_secret(org, &row, &sealed).await?;
            secrets.insert(name, opened);
        }
        Ok(secrets)
    }

    /// One secret of a workspace, opened.
    pub async fn open_flow_secret(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        name: &str,
    ) -> Result<Option<SecretString>, StoreError> {
        const SQL: &str = "SELECT id, secret FROM flow_secrets WHERE org_id = $1 AND workspace_id = $2 AND name = $3";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, (String, Vec<u8>)>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(name)
                .fetch_optional(pool)
                .await?
        });
        match row {
            Some((row, sealed)) => Ok(Some(self.opened_flow_secret(org, &row, &sealed).await?)),
            None => Ok(None),
        }
    }

    async fn opened_flow_secret(
        &self,
        org: &OrgId,
        row: &str,
        sealed: &[u8],
    ) -> Result<SecretString, StoreError> {
        let plain = self.unseal(place(org.as_str(), row), sealed).await?;
        let text = String::from_utf8(plain);
        let text = text.map_err(|_| StoreError::Corrupt("a secret of a flow".into()))?;
        Ok(text.into())
    }

    /// Seals a secret ([`Store::prepare_sealing`] comes before).
    pub fn seal_flow_secret(
        &self,
        secret: &FlowSecret,
        value: &SecretString,
    ) -> Result<Vec<u8>, StoreError> {
        let plain = value.expose_secret().as_bytes();
        self.seal(place(secret.org.as_str(), secret.id.as_str()), plain)
    }
}

impl Tx {
    /// Puts a secret in the place of the one of that name, if any. Whether it is new.
    pub async fn set_flow_secret(
        &mut self,
        secret: &FlowSecret,
        sealed: Vec<u8>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "INSERT INTO flow_secrets (id, org_id, workspace_id, name, secret, made_by, changed_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let was = self
            .remove_flow_secret(&secret.org, &secret.workspace, &secret.name)
            .await?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(secret.id.as_str())
                .bind(secret.org.as_str())
                .bind(secret.workspace.as_str())
                .bind(&secret.name)
                .bind(sealed)
                .bind(&secret.made_by)
                .bind(secret.changed_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(!was)
    }

    /// How many secrets a workspace has.
    pub async fn count_flow_secrets(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<i64, StoreError> {
        const SQL: &str =
            "SELECT COUNT(*) FROM flow_secrets WHERE org_id = $1 AND workspace_id = $2";
        Ok(within!(self, conn => {
            sqlx::query_scalar::<_, i64>(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .fetch_one(conn)
                .await?
        }))
    }

    /// `false` when there was none.
    pub async fn remove_flow_secret(
        &mut self,
        org: &OrgId,
        workspace: &WorkspaceId,
        name: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str =
            "DELETE FROM flow_secrets WHERE org_id = $1 AND workspace_id = $2 AND name = $3";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(name)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }
}

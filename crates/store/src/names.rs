//! What is shown beside ids: names, external ids, counts.

use crate::db::{AnyRow, Store, StoreError, id};
use quaymaster_core::id::{
    ConnectionId, CredentialId, EndUserId, FlowId, IntegrationId, OrgId, PartialId, ServerId,
    UserId, WorkspaceId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

impl Store {
    /// Names of credentials, revoked ones too. Those of another organization have none.
    pub async fn credential_names(
        &self,
        org: &OrgId,
        ids: &BTreeSet<CredentialId>,
    ) -> Result<Vec<(CredentialId, String)>, StoreError> {
        const SQL: &str = "SELECT id, name FROM credentials WHERE org_id = $1 AND id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    /// Whose credentials those are.
    pub async fn credential_owners(
        &self,
        org: &OrgId,
        ids: &BTreeSet<CredentialId>,
    ) -> Result<BTreeSet<UserId>, StoreError> {
        const SQL: &str = "SELECT id, user_id FROM credentials WHERE org_id = $1 AND id IN";
        let owners = self.by_ids::<_, String>(SQL, "", org, ids).await?;
        owners.iter().map(|(_, owner)| id(owner)).collect()
    }

    /// Names of members. Who left has none.
    pub async fn member_names(
        &self,
        org: &OrgId,
        ids: &BTreeSet<UserId>,
    ) -> Result<Vec<(UserId, String)>, StoreError> {
        const SQL: &str = "SELECT m.user_id, u.name FROM members m JOIN users u ON u.id = m.user_id \
             WHERE m.org_id = $1 AND m.user_id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    pub async fn flow_names(
        &self,
        org: &OrgId,
        ids: &BTreeSet<FlowId>,
    ) -> Result<Vec<(FlowId, String)>, StoreError> {
        const SQL: &str = "SELECT id, name FROM flows WHERE org_id = $1 AND id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    pub async fn server_names(
        &self,
        org: &OrgId,
        ids: &BTreeSet<ServerId>,
    ) -> Result<Vec<(ServerId, String)>, StoreError> {
        const SQL: &str = "SELECT id, name FROM servers WHERE org_id = $1 AND id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    /// The developer's own ids of end users.
    pub async fn external_ids(
        &self,
        org: &OrgId,
        ids: &BTreeSet<EndUserId>,
    ) -> Result<Vec<(EndUserId, String)>, StoreError> {
        const SQL: &str = "SELECT id, external_id FROM end_users WHERE org_id = $1 AND id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    /// Names of workspaces. One that is deleted has none.
    pub async fn workspace_names(
        &self,
        org: &OrgId,
        ids: &BTreeSet<WorkspaceId>,
    ) -> Result<Vec<(WorkspaceId, String)>, StoreError> {
        const SQL: &str =
            "SELECT id, name FROM workspaces WHERE org_id = $1 AND deleted_at IS NULL AND id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    /// What integrations are called.
    pub async fn integration_aliases(
        &self,
        org: &OrgId,
        ids: &BTreeSet<IntegrationId>,
    ) -> Result<Vec<(IntegrationId, String)>, StoreError> {
        const SQL: &str = "SELECT id, alias FROM integrations WHERE org_id = $1 AND id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    pub async fn partial_names(
        &self,
        org: &OrgId,
        ids: &BTreeSet<PartialId>,
    ) -> Result<Vec<(PartialId, String)>, StoreError> {
        const SQL: &str = "SELECT id, name FROM partials WHERE org_id = $1 AND id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    /// Connections of the organization as `connector:name`; those of end users have none.
    pub async fn connection_addresses(
        &self,
        org: &OrgId,
        ids: &BTreeSet<ConnectionId>,
    ) -> Result<Vec<(ConnectionId, String)>, StoreError> {
        const SQL: &str = "SELECT id, connector || ':' || name FROM connections \
             WHERE org_id = $1 AND end_user_id IS NULL AND id IN";
        self.by_ids(SQL, "", org, ids).await
    }

    /// How many connections each of the end users has that has some.
    pub async fn end_user_connections(
        &self,
        org: &OrgId,
        ids: &BTreeSet<EndUserId>,
    ) -> Result<BTreeMap<EndUserId, i64>, StoreError> {
        const SQL: &str =
            "SELECT end_user_id, COUNT(*) FROM connections WHERE org_id = $1 AND end_user_id IN";
        let counted = self.by_ids(SQL, "GROUP BY end_user_id", org, ids).await?;
        Ok(counted.into_iter().collect())
    }

    async fn by_ids<T, N>(
        &self,
        sql: &'static str,
        behind: &'static str,
        org: &OrgId,
        ids: &BTreeSet<T>,
    ) -> Result<Vec<(T, N)>, StoreError>
    where
        T: ToString + FromStr,
        T::Err: std::fmt::Display,
        (String, N): AnyRow,
    {
        // Both databases take more placeholders than this.
        const AT_ONCE: usize = 1_000;
        let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let mut all = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let places: Vec<_> = (2..some.len() + 2).map(|n| format!("${n}")).collect();
            let sql = format!("{sql} ({}) {behind}", places.join(", "));
            let rows = reading!(self, pool => {
                let mut query = sqlx::query_as::<_, (String, N)>(sqlx::AssertSqlSafe(sql));
                query = query.bind(org.as_str());
                for one in some {
                    query = query.bind(one);
                }
                query.fetch_all(pool).await?
            });
            for (known, found) in rows {
                all.push((id(&known)?, found));
            }
        }
        Ok(all)
    }
}

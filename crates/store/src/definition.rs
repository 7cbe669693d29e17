//! Definitions of connectors that belong to one organization.
//!
//! Whoever adds or replaces one takes [`Tx::lock_organization`](crate::db::Tx) first: how many
//! there are, and which keys are taken, is looked at before.

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{DefinitionId, OrgId, UserId};

/// A definition without its source.
#[derive(Debug, Clone)]
pub struct OwnDefinition {
    pub id: DefinitionId,
    pub org: OrgId,
    /// Unique in the organization; never changes.
    pub key: String,
    /// What lists say of it, as JSON.
    pub entry: String,
    /// Counts replacements, from 1.
    pub revision: i64,
    /// Who wrote it as it is now.
    pub user: UserId,
    pub created_at: Instant,
    pub updated_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    key: String,
    entry: String,
    revision: i64,
    user_id: String,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<Row> for OwnDefinition {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(OwnDefinition {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            key: row.key,
            entry: row.entry,
            revision: row.revision,
            user: id(&row.user_id)?,
            created_at: Instant::from_micros(row.created_at),
            updated_at: Instant::from_micros(row.updated_at),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, key, entry, revision, user_id, created_at, updated_at FROM definitions "
    };
}

impl Store {
    /// All of an organization, by key.
    pub async fn definitions(&self, org: &OrgId) -> Result<Vec<OwnDefinition>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 ORDER BY key");
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).fetch_all(pool).await?
        });
        rows.into_iter().map(OwnDefinition::try_from).collect()
    }

    /// Ids and revisions of all of an organization, by key: whether anything changed.
    pub async fn definition_revisions(
        &self,
        org: &OrgId,
    ) -> Result<Vec<(DefinitionId, i64)>, StoreError> {
        const SQL: &str = "SELECT id, revision FROM definitions WHERE org_id = $1 ORDER BY key";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, i64)>(SQL).bind(org.as_str()).fetch_all(pool).await?
        });
        rows.into_iter()
            .map(|(row, revision)| Ok((id(&row)?, revision)))
            .collect()
    }

    pub async fn definition(
        &self,
        org: &OrgId,
        key: &str,
    ) -> Result<Option<OwnDefinition>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE org_id = $1 AND key = $2");
        self.row_of::<Row, _>(SQL, org, key).await
    }

    /// The YAML of a definition as it is in that revision.
    pub async fn definition_source(
        &self,
        org: &OrgId,
        definition: &DefinitionId,
        revision: i64,
    ) -> Result<Option<String>, StoreError> {
        const SQL: &str =
            "SELECT source FROM definitions WHERE org_id = $1 AND id = $2 AND revision = $3";
        Ok(reading!(self, pool => {
            sqlx::query_scalar::<_, String>(SQL)
                .bind(org.as_str())
                .bind(definition.as_str())
                .bind(revision)
                .fetch_optional(pool)
                .await?
        }))
    }
}

impl Tx {
    /// Keys and entries of all of an organization, by key, as they are in this very transaction.
    pub async fn definition_entries(
        &mut self,
        org: &OrgId,
    ) -> Result<Vec<(String, String)>, StoreError> {
        const SQL: &str = "SELECT key, entry FROM definitions WHERE org_id = $1 ORDER BY key";
        Ok(within!(self, conn => {
            sqlx::query_as::<_, (String, String)>(SQL)
                .bind(org.as_str())
                .fetch_all(conn)
                .await?
        }))
    }

    pub async fn add_definition(
        &mut self,
        definition: &OwnDefinition,
        source: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO definitions (id, org_id, key, source, entry, revision, user_id, \
             created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(definition.id.as_str())
                .bind(definition.org.as_str())
                .bind(&definition.key)
                .bind(source)
                .bind(&definition.entry)
                .bind(definition.revision)
                .bind(definition.user.as_str())
                .bind(definition.created_at.micros())
                .bind(definition.updated_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when there is no such definition, or it is in another revision than that.
    pub async fn replace_definition(
        &mut self,
        was: &OwnDefinition,
        source: &str,
        entry: &str,
        user: &UserId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE definitions SET source = $4, entry = $5, user_id = $6, updated_at = $7, \
             revision = revision + 1 WHERE org_id = $1 AND id = $2 AND revision = $3";
        let replaced = within!(self, conn => {
            sqlx::query(SQL)
                .bind(was.org.as_str())
                .bind(was.id.as_str())
                .bind(was.revision)
                .bind(source)
                .bind(entry)
                .bind(user.as_str())
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(replaced == 1)
    }

    /// `false` when there is no such definition.
    pub async fn delete_definition(&mut self, org: &OrgId, key: &str) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM definitions WHERE org_id = $1 AND key = $2";
        self.of_one(SQL, org, key).await
    }
}

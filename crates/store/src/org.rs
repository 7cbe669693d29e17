//! Organizations.

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::OrgId;

#[derive(Debug, Clone)]
pub struct Organization {
    pub id: OrgId,
    pub name: String,
    pub created_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    created_at: i64,
}

impl TryFrom<Row> for Organization {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Organization {
            id: id(&row.id)?,
            name: row.name,
            created_at: Instant::from_micros(row.created_at),
        })
    }
}

impl Store {
    pub async fn organization(&self, org: &OrgId) -> Result<Option<Organization>, StoreError> {
        const SQL: &str = "SELECT id, name, created_at FROM organizations WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).fetch_optional(pool).await?
        });
        row.map(Organization::try_from).transpose()
    }

    /// Every organization, oldest first. For the operator at the command line.
    pub async fn organizations(&self) -> Result<Vec<Organization>, StoreError> {
        const SQL: &str = "SELECT id, name, created_at FROM organizations ORDER BY created_at, id";
        let rows = reading!(self, pool => sqlx::query_as::<_, Row>(SQL).fetch_all(pool).await?);
        rows.into_iter().map(Organization::try_from).collect()
    }
}

impl Tx {
    pub async fn add_organization(&mut self, org: &Organization) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO organizations (id, name, created_at) VALUES ($1, $2, $3)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.id.as_str())
                .bind(&org.name)
                .bind(org.created_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    pub async fn rename_organization(&mut self, org: &OrgId, name: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE organizations SET name = $2 WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(org.as_str()).bind(name).execute(conn).await?;
        });
        Ok(())
    }
}

impl Tx {
    /// `true` for the one process that may make the first organization.
    pub async fn claim_first_start(&mut self) -> Result<bool, StoreError> {
        const SQL: &str =
            "INSERT INTO meta (name, value) VALUES ('first_start', 'done') ON CONFLICT DO NOTHING";
        let added = within!(self, conn => sqlx::query(SQL).execute(conn).await?.rows_affected());
        Ok(added == 1)
    }
}

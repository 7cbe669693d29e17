//! The renewal of access tokens: one node at a time, by a lease in the connection's row.

use crate::connection::{Credentials, corrupt};
use crate::db::{StoreError, Tx};
use quaymaster_core::Instant;
use quaymaster_core::id::{ConnectionId, OrgId};

impl Tx {
    /// Takes the right to renew the credentials of this revision, until then. `false` when another
    /// has it, or the credentials changed.
    pub async fn lease_renewal(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
        revision: i64,
        holder: &str,
        now: Instant,
        until: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE connections SET renewing_by = $4, renewing_until = $5 \
             WHERE org_id = $1 AND id = $2 AND revision = $3 \
             AND (renewing_until IS NULL OR renewing_until <= $6)";
        let taken = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .bind(revision)
                .bind(holder)
                .bind(until.micros())
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(taken == 1)
    }

    /// Stores renewed credentials in the place of those of `revision`, and gives the lease back.
    /// `false` when somebody replaced those meanwhile, who is right.
    pub async fn renew_connection(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
        revision: i64,
        new: Credentials<'_>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE connections SET fields = $4, secrets = $5, expires_at = $6, \
             renew_at = $7, problem = NULL, revision = revision + 1, renewing_by = NULL, \
             renewing_until = NULL WHERE org_id = $1 AND id = $2 AND revision = $3";
        let fields = serde_json::to_string(new.fields).map_err(|error| corrupt(&error))?;
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .bind(revision)
                .bind(fields)
                .bind(new.sealed)
                .bind(new.expires_at.map(Instant::micros))
                .bind(new.renew_at.map(Instant::micros))
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Says why the credentials of `revision` cannot be renewed, and gives the lease back. With
    /// `sealed`, what is of no use any more is not in it. `false` when somebody replaced those
    /// meanwhile.
    pub async fn renewal_failed(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
        revision: i64,
        problem: &str,
        sealed: Option<Vec<u8>>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE connections SET problem = $4, secrets = COALESCE($5, secrets), \
             revision = revision + $6, renewing_by = NULL, renewing_until = NULL \
             WHERE org_id = $1 AND id = $2 AND revision = $3";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .bind(revision)
                .bind(problem)
                .bind(&sealed)
                .bind(i64::from(sealed.is_some()))
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Gives a lease back without having renewed anything.
    pub async fn return_renewal(
        &mut self,
        org: &OrgId,
        connection: &ConnectionId,
        holder: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE connections SET renewing_by = NULL, renewing_until = NULL \
             WHERE org_id = $1 AND id = $2 AND renewing_by = $3";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(connection.as_str())
                .bind(holder)
                .execute(conn)
                .await?;
        });
        Ok(())
    }
}

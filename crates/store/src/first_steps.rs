//! What an organization has done of the first steps, and who no longer wants to see them.

use crate::db::{Store, StoreError, Tx};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, UserId};

/// What the database tells of each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct StepsDone {
    /// Some credential was used.
    pub client: bool,
    pub account: bool,
    pub server: bool,
    pub pack: bool,
    /// There is somebody else, or an invitation.
    pub colleague: bool,
    /// This member dismissed them.
    pub dismissed: bool,
}

impl Store {
    pub async fn steps_done(&self, org: &OrgId, user: &UserId) -> Result<StepsDone, StoreError> {
        const SQL: &str = "SELECT \
             EXISTS (SELECT 1 FROM credentials WHERE org_id = $1 AND last_used_at IS NOT NULL) AS client, \
             EXISTS (SELECT 1 FROM connections WHERE org_id = $1) AS account, \
             EXISTS (SELECT 1 FROM servers WHERE org_id = $1) AS server, \
             EXISTS (SELECT 1 FROM installed_packs WHERE org_id = $1) AS pack, \
             (EXISTS (SELECT 1 FROM members WHERE org_id = $1 AND user_id <> $2) \
              OR EXISTS (SELECT 1 FROM invitations WHERE org_id = $1)) AS colleague, \
             EXISTS (SELECT 1 FROM members WHERE org_id = $1 AND user_id = $2 \
              AND steps_dismissed_at IS NOT NULL) AS dismissed";
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, StepsDone>(SQL)
                .bind(org.as_str())
                .bind(user.as_str())
                .fetch_one(pool)
                .await?
        }))
    }
}

impl Tx {
    /// `false` when the user is no member.
    pub async fn dismiss_steps(
        &mut self,
        org: &OrgId,
        user: &UserId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str =
            "UPDATE members SET steps_dismissed_at = $3 WHERE org_id = $1 AND user_id = $2";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(user.as_str())
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }
}

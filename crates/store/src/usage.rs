//! Calls counted against a workspace's daily cap.
//!
//! A node leases calls in blocks, and the lease is committed before the first of them is made. So
//! the sum of leases is never over the cap, whatever is killed when; a crash loses the rest of one
//! block, a graceful stop gives it back.

use crate::clauses::{Arg, Clauses};
use crate::db::{Store, StoreError, Tx, id};
use crate::workspace::Workspace;
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};
use std::collections::HashMap;

/// Largest block: what a crash can cost. A lease is a commit that calls wait for, so it should not
/// be needed often.
const MOST: i64 = 1_024;
/// A block is this share of what is left.
const SHARE: i64 = 64;

/// What the database tells of a workspace's use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Calls leased on the day, by all nodes.
    pub leased: i64,
    pub last_call_at: Option<Instant>,
}

impl Store {
    /// Leases a block of calls of `day`: a small share of what is left, at least one.
    /// Zero when the cap, as it stands in this very transaction, is used up.
    pub async fn lease_calls(&self, workspace: &WorkspaceId, day: i64) -> Result<i64, StoreError> {
        const OPEN: &str = "INSERT INTO daily_usage (workspace_id, day, leased) VALUES ($1, $2, 0) \
             ON CONFLICT DO NOTHING";
        // The row is locked by the update, so two nodes never lease the same calls.
        const TOUCH: &str = "UPDATE daily_usage SET leased = leased \
             WHERE workspace_id = $1 AND day = $2 RETURNING leased";
        const CAP: &str = "SELECT daily_cap FROM workspaces WHERE id = $1";
        const TAKE: &str =
            "UPDATE daily_usage SET leased = leased + $3 WHERE workspace_id = $1 AND day = $2";
        let mut tx = self.begin().await?;
        let block = within!(tx, conn => {
            sqlx::query(OPEN).bind(workspace.as_str()).bind(day).execute(&mut *conn).await?;
            let leased = sqlx::query_scalar::<_, i64>(TOUCH)
                .bind(workspace.as_str())
                .bind(day)
                .fetch_one(&mut *conn)
                .await?;
            let cap = sqlx::query_scalar::<_, i64>(CAP)
                .bind(workspace.as_str())
                .fetch_one(&mut *conn)
                .await?;
            let left = (cap - leased).max(0);
            let block = (left / SHARE).clamp(1, MOST).min(left);
            if block > 0 {
                sqlx::query(TAKE)
                    .bind(workspace.as_str())
                    .bind(day)
                    .bind(block)
                    .execute(&mut *conn)
                    .await?;
            }
            block
        });
        tx.commit().await?;
        Ok(block)
    }

    /// Gives back what was leased and not used.
    pub async fn return_calls(
        &self,
        workspace: &WorkspaceId,
        day: i64,
        unused: i64,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        tx.return_calls(workspace, day, unused).await?;
        tx.commit().await
    }

    /// What there is to see of some workspaces of an organization.
    pub async fn workspaces_seen(
        &self,
        org: &OrgId,
        workspaces: &[Workspace],
        day: i64,
    ) -> Result<HashMap<WorkspaceId, Seen>, StoreError> {
        if workspaces.is_empty() {
            return Ok(HashMap::new());
        }
        let mut clauses = Clauses::by("w.org_id", org);
        clauses.one_of("w.id", workspaces.iter().map(|one| &one.id));
        clauses.args.push(Arg::Number(day));
        let sql = format!(
            "SELECT w.id, \
             (SELECT u.leased FROM daily_usage u WHERE u.workspace_id = w.id AND u.day = ${}), \
             (SELECT MAX(c.started_at) FROM calls c WHERE c.workspace_id = w.id) \
             FROM workspaces w {}",
            clauses.args.len(),
            clauses.sql
        );
        let rows = reading!(self, pool => {
            let query = sqlx::query_as::<_, (String, Option<i64>, Option<i64>)>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_all(pool).await?
        });
        let seen = |(workspace, leased, last): (String, Option<i64>, Option<i64>)| {
            let seen = Seen {
                leased: leased.unwrap_or(0),
                last_call_at: last.map(Instant::from_micros),
            };
            Ok((id(&workspace)?, seen))
        };
        rows.into_iter().map(seen).collect()
    }

    /// Calls leased on `day`, by all nodes.
    pub async fn leased_calls(&self, workspace: &WorkspaceId, day: i64) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT leased FROM daily_usage WHERE workspace_id = $1 AND day = $2";
        let leased = reading!(self, pool => {
            sqlx::query_scalar::<_, i64>(SQL)
                .bind(workspace.as_str())
                .bind(day)
                .fetch_optional(pool)
                .await?
        });
        Ok(leased.unwrap_or(0))
    }
}

impl Tx {
    async fn return_calls(
        &mut self,
        workspace: &WorkspaceId,
        day: i64,
        unused: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "UPDATE daily_usage SET leased = leased - $3 WHERE workspace_id = $1 AND day = $2";
        within!(self, conn => {
            sqlx::query(SQL).bind(workspace.as_str()).bind(day).bind(unused).execute(conn).await?;
        });
        Ok(())
    }
}

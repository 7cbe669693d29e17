//! The queue of runs: rows with leases.
//!
//! Whoever works on a run holds a lease of its row, which is renewed; one whose lease ran out has lost
//! it, and what it writes then changes nothing. A run that only waits is put off: its row says when
//! somebody shall go on with it, and nobody holds it until then. Whose turn it is, see
//! [`crate::flow_turn`].

use crate::db::{Store, StoreError, Tx};
use crate::flow_run::{Run, RunState, text};
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowId, OrgId, RunId};
use serde_json::Value;

/// A durable run that somebody works on.
#[derive(Debug, Clone)]
pub struct LeasedRun {
    pub run: Run,
    pub lease: String,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    pub state: RunState,
    pub output: Option<Value>,
    pub error: Option<Value>,
    pub at: Instant,
}

impl Store {
    /// Ends the leases of all runs, of every organization: for a server that has the database to
    /// itself, when it starts.
    pub async fn end_run_leases(&self) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE flow_runs SET lease_until = 0 WHERE state = 'running'";
        let mut tx = self.begin().await?;
        within!(tx, conn => { sqlx::query(SQL).execute(conn).await?; });
        tx.commit().await?;
        Ok(())
    }

    /// Whether the lease is still held; then it is for longer.
    pub async fn renew_run_lease(
        &self,
        leased: &LeasedRun,
        until: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flow_runs SET lease_until = $3 WHERE id = $1 AND lease = $2 AND state = 'running'";
        let held = (leased.run.id.as_str(), leased.lease.as_str());
        self.begin().await?.renew_lease(SQL, held, until).await
    }

    /// Lets somebody else go on with a durable run at once: this node stops.
    pub async fn give_run_back(&self, leased: &LeasedRun, now: Instant) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE flow_runs SET lease_until = $3, attempts = attempts - CASE WHEN durable THEN 1 ELSE 0 END \
             WHERE id = $1 AND lease = $2";
        let mut tx = self.begin().await?;
        within!(tx, conn => {
            sqlx::query(SQL)
                .bind(leased.run.id.as_str())
                .bind(&leased.lease)
                .bind(now.micros() - 1)
                .execute(conn)
                .await?;
        });
        tx.commit().await?;
        Ok(())
    }

    /// Puts a run off until then: nobody holds it meanwhile, and it is not begun once more for that.
    pub async fn put_run_off(&self, leased: &LeasedRun, until: Instant) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE flow_runs SET state = 'ready', next_at = $3, lease = NULL, lease_until = NULL, \
             attempts = attempts - 1 WHERE id = $1 AND lease = $2";
        let mut tx = self.begin().await?;
        within!(tx, conn => {
            sqlx::query(SQL)
                .bind(leased.run.id.as_str())
                .bind(&leased.lease)
                .bind(until.micros())
                .execute(conn)
                .await?;
        });
        tx.commit().await?;
        Ok(())
    }

    /// How many runs of an organization have not ended; those above `most` are not counted.
    pub async fn open_runs(&self, org: &OrgId, most: i64) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM flow_runs WHERE org_id = $1 \
             AND state IN ('ready', 'running') LIMIT $2) counted";
        Ok(reading!(self, pool => {
            sqlx::query_scalar::<_, i64>(SQL)
                .bind(org.as_str())
                .bind(most)
                .fetch_one(pool)
                .await?
        }))
    }

    /// Whether a flow has a run that has not ended.
    pub async fn has_open_run(&self, org: &OrgId, flow: &FlowId) -> Result<bool, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM flow_runs WHERE org_id = $1 AND flow_id = $2 \
             AND state IN ('ready', 'running')";
        let count = reading!(self, pool => {
            sqlx::query_scalar::<_, i64>(SQL)
                .bind(org.as_str())
                .bind(flow.as_str())
                .fetch_one(pool)
                .await?
        });
        Ok(count > 0)
    }
}

impl Tx {
    /// Whether a lease is still held, in this very transaction.
    pub async fn holds_run(&mut self, leased: &LeasedRun) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flow_runs SET lease = lease WHERE id = $1 AND lease = $2";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(leased.run.id.as_str())
                .bind(&leased.lease)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }

    /// Ends a durable run. `false` when the lease is another's by now.
    pub async fn end_run(&mut self, leased: &LeasedRun, end: &RunEnd) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flow_runs SET state = $3, output = $4, error = $5, ended_at = $6, lease = NULL, \
             lease_until = NULL, next_at = NULL WHERE id = $1 AND lease = $2";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(leased.run.id.as_str())
                .bind(&leased.lease)
                .bind(end.state.name())
                .bind(text(end.output.as_ref()))
                .bind(text(end.error.as_ref()))
                .bind(end.at.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }

    /// Cancels a run that has not ended: whoever works on it loses its lease. `false` when there is none.
    pub async fn cancel_run(
        &mut self,
        org: &OrgId,
        run: &RunId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flow_runs SET state = 'cancelled', ended_at = $3, lease = NULL, lease_until = NULL, \
             next_at = NULL WHERE org_id = $1 AND id = $2 AND state IN ('ready', 'running')";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(run.as_str())
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }
}

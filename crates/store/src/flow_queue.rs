//! The queue of runs: rows with leases.
//!
//! Whoever works on a run holds a lease of its row, which is renewed; one whose lease ran out has lost
//! it, and what it writes then changes nothing. A run that only waits is put off: its row says when
//! somebody shall go on with it, and nobody holds it until then.

use crate::db::{Store, StoreError, Tx};
use crate::flow_run::{Row, Run, RunState, columns, text};
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowId, OrgId, RunId};
use serde_json::Value;
use std::collections::HashMap;

/// Runs that are due and looked at together, and how often at most for one look.
const PAGE: i64 = 128;
const MOST_PAGES: usize = 100;

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

    /// Takes the runs that are due, of all organizations, the longest due first and at most so many in
    /// all: for the node itself. Those whose lease ran out are due again. No organization has more than
    /// `of_one` under way, and no flow more than it may.
    pub async fn lease_runs(
        &self,
        lease: &str,
        now: Instant,
        until: Instant,
        of_one: i64,
        in_all: usize,
    ) -> Result<Vec<LeasedRun>, StoreError> {
        const SQL: &str = concat!(
            "UPDATE flow_runs SET state = 'running', lease = $2, lease_until = $4, attempts = attempts + 1, \
             begun_at = COALESCE(begun_at, $3) WHERE id = $1 \
             AND ((state = 'ready' AND next_at <= $3) OR (state = 'running' AND lease_until < $3)) RETURNING ",
            columns!()
        );
        let due = self.runs_to_take(now, of_one, in_all).await?;
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        let mut rows = Vec::with_capacity(due.len());
        within!(tx, conn => {
            for run in &due {
                // None where another node was quicker.
                rows.extend(
                    sqlx::query_as::<_, Row>(SQL)
                        .bind(run)
                        .bind(lease)
                        .bind(now.micros())
                        .bind(until.micros())
                        .fetch_optional(&mut *conn)
                        .await?,
                );
            }
        });
        tx.commit().await?;
        rows.into_iter()
            .map(|row| {
                Ok(LeasedRun {
                    run: row.try_into()?,
                    lease: lease.to_owned(),
                })
            })
            .collect()
    }

    /// Looked for before the transaction, which keeps others from writing (SQLite).
    async fn runs_to_take(
        &self,
        now: Instant,
        of_one: i64,
        in_all: usize,
    ) -> Result<Vec<String>, StoreError> {
        // `state IN …` is what the partial indexes say.
        macro_rules! under_way {
            () => {
                " FROM flow_runs WHERE state IN ('ready', 'running') AND state = 'running' AND lease_until >= $1 "
            };
        }
        const UNDER_WAY: &str = concat!(
            "SELECT org_id, flow_id, COUNT(*), MIN(at_once)",
            under_way!(),
            "GROUP BY org_id, flow_id"
        );
        const DUE: &str = concat!(
            "SELECT id, org_id, flow_id, at_once, next_at FROM flow_runs WHERE state IN ('ready', 'running') \
             AND ((state = 'ready' AND next_at <= $1) OR (state = 'running' AND lease_until < $1)) \
             AND (next_at, id) > ($4, $5) AND org_id NOT IN (SELECT org_id",
            under_way!(),
            "GROUP BY org_id HAVING COUNT(*) >= $2) AND flow_id NOT IN (SELECT flow_id",
            under_way!(),
            "GROUP BY flow_id HAVING COUNT(*) >= MIN(at_once)) ORDER BY next_at, id LIMIT $3"
        );
        let under_way = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, i64, i64)>(UNDER_WAY)
                .bind(now.micros())
                .fetch_all(pool)
                .await?
        });
        let mut orgs: HashMap<String, i64> = HashMap::new();
        let mut flows: HashMap<String, (i64, i64)> = HashMap::new();
        for (org, flow, count, at_once) in under_way {
            *orgs.entry(org).or_default() += count;
            flows.insert(flow, (count, at_once));
        }
        let mut taken = Vec::new();
        let mut behind = (i64::MIN, String::new());
        // What is too many of its organization or flow holds up nobody behind it.
        for _ in 0..MOST_PAGES {
            let due = reading!(self, pool => {
                sqlx::query_as::<_, (String, String, String, i64, i64)>(DUE)
                    .bind(now.micros())
                    .bind(of_one)
                    .bind(PAGE)
                    .bind(behind.0)
                    .bind(&behind.1)
                    .fetch_all(pool)
                    .await?
            });
            let count = due.len() as i64;
            for (run, org, flow, at_once, next_at) in due {
                behind = (next_at, run.clone());
                let of_org = orgs.entry(org).or_default();
                let (of_flow, most) = flows.entry(flow).or_insert((0, at_once));
                *most = at_once.min(*most);
                if taken.len() < in_all && *of_org < of_one && *of_flow < *most {
                    *of_org += 1;
                    *of_flow += 1;
                    taken.push(run);
                }
            }
            if count < PAGE || taken.len() >= in_all {
                break;
            }
        }
        Ok(taken)
    }

    /// Whether the lease is still held; then it is for longer.
    pub async fn renew_run_lease(
        &self,
        leased: &LeasedRun,
        until: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flow_runs SET lease_until = $3 WHERE id = $1 AND lease = $2";
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

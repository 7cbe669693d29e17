//! How flows are used: what is remembered of their runs, in one row for each flow.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, id};
use crate::flow_run::RunState;
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowId, OrgId, RunId};
use std::collections::{BTreeMap, BTreeSet};

/// The runs of a flow that are remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowUse {
    pub runs: u64,
    pub failed: u64,
    pub last: Option<LastRun>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    pub run: RunId,
    pub state: RunState,
    pub started_at: Instant,
}

impl Store {
    /// Of those of some flows that ever ran.
    pub async fn flow_uses(
        &self,
        org: &OrgId,
        flows: &BTreeSet<FlowId>,
    ) -> Result<BTreeMap<FlowId, FlowUse>, StoreError> {
        if flows.is_empty() {
            return Ok(BTreeMap::new());
        }
        let mut clauses = Clauses::of(org);
        clauses.one_of("flow_id", flows);
        // The index `flow_runs_by_flow` has all that is counted.
        let sql = format!(
            "SELECT u.flow_id, u.runs, u.failed, r.id, r.state, r.started_at FROM (SELECT flow_id, \
             COUNT(*) AS runs, SUM(CASE WHEN state = 'failed' THEN 1 ELSE 0 END) AS failed, MAX(id) AS last \
             FROM flow_runs {} GROUP BY flow_id) u JOIN flow_runs r ON r.id = u.last",
            clauses.sql
        );
        let rows = reading!(self, pool => {
            let query = sqlx::query_as::<_, (String, i64, i64, String, String, i64)>(
                sqlx::AssertSqlSafe(sql),
            );
            bound!(query, clauses.args).fetch_all(pool).await?
        });
        rows.into_iter()
            .map(|(flow, runs, failed, run, state, at)| {
                let last = LastRun {
                    run: id(&run)?,
                    state: RunState::read(&state)?,
                    started_at: Instant::from_micros(at),
                };
                let used = FlowUse {
                    runs: runs.unsigned_abs(),
                    failed: failed.unsigned_abs(),
                    last: Some(last),
                };
                Ok((id(&flow)?, used))
            })
            .collect()
    }
}

//! Runs of flows and what each of their steps did. Secrets are masked before anything comes here.
//!
//! A run that is not durable is written once, when it has ended. A durable one is written before it
//! begins, and whoever works on it holds a lease of its row, which is renewed; one whose lease ran out
//! has lost it, and what it writes then changes nothing.

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowId, OrgId, RunId, WorkspaceId};
use serde::Serialize;
use serde_json::Value;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It waits for somebody who begins it.
    Ready,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl RunState {
    pub const ALL: [RunState; 5] = [
        RunState::Ready,
        RunState::Running,
        RunState::Done,
        RunState::Failed,
        RunState::Cancelled,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            RunState::Ready => "ready",
            RunState::Running => "running",
            RunState::Done => "done",
            RunState::Failed => "failed",
            RunState::Cancelled => "cancelled",
        }
    }

    pub(crate) fn read(name: &str) -> Result<Self, StoreError> {
        RunState::ALL
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| StoreError::Corrupt(format!("run state {name:?}")))
    }

    /// Whether nothing happens any more.
    pub const fn is_over(self) -> bool {
        !matches!(self, RunState::Ready | RunState::Running)
    }
}

/// One execution of a version of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    pub id: RunId,
    pub org: OrgId,
    pub workspace: WorkspaceId,
    pub flow: FlowId,
    pub version: i64,
    /// `mcp`, `rest`, `page`, `try`, `flow`, `cron` or `webhook`.
    pub started_by: String,
    /// Id of the credential or person.
    pub caller: String,
    pub state: RunState,
    pub input: Value,
    pub output: Option<Value>,
    /// The fault.
    pub error: Option<Value>,
    pub started_at: Instant,
    pub ended_at: Option<Instant>,
    pub durable: bool,
    /// How often it was begun.
    pub attempts: i64,
}

/// What one step of a run did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunStep {
    /// Where it stands, for example `low[3].stock`.
    pub path: String,
    pub kind: String,
    /// `started`, `done`, `failed` or `skipped`.
    pub state: String,
    pub attempts: i64,
    pub input: Option<Value>,
    pub output: Option<Value>,
    pub error: Option<Value>,
    pub started_at: Instant,
    pub duration_us: i64,
}

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

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: String,
    flow_id: String,
    version: i64,
    started_by: String,
    caller: String,
    state: String,
    input: String,
    output: Option<String>,
    error: Option<String>,
    started_at: i64,
    ended_at: Option<i64>,
    durable: bool,
    attempts: i64,
}

#[derive(sqlx::FromRow)]
struct StepRow {
    path: String,
    kind: String,
    state: String,
    attempts: i64,
    input: Option<String>,
    output: Option<String>,
    error: Option<String>,
    started_at: i64,
    duration_us: i64,
}

fn json(text: Option<String>) -> Result<Option<Value>, StoreError> {
    text.map(|text| Ok(serde_json::from_str(&text)?))
        .transpose()
}

fn text(value: Option<&Value>) -> Option<String> {
    value.map(Value::to_string)
}

impl TryFrom<Row> for Run {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Run {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: id(&row.workspace_id)?,
            flow: id(&row.flow_id)?,
            version: row.version,
            started_by: row.started_by,
            caller: row.caller,
            state: RunState::read(&row.state)?,
            input: serde_json::from_str(&row.input)?,
            output: json(row.output)?,
            error: json(row.error)?,
            started_at: Instant::from_micros(row.started_at),
            ended_at: row.ended_at.map(Instant::from_micros),
            durable: row.durable,
            attempts: row.attempts,
        })
    }
}

impl TryFrom<StepRow> for RunStep {
    type Error = StoreError;
    fn try_from(row: StepRow) -> Result<Self, StoreError> {
        Ok(RunStep {
            path: row.path,
            kind: row.kind,
            state: row.state,
            attempts: row.attempts,
            input: json(row.input)?,
            output: json(row.output)?,
            error: json(row.error)?,
            started_at: Instant::from_micros(row.started_at),
            duration_us: row.duration_us,
        })
    }
}

macro_rules! columns {
    () => {
        "id, org_id, workspace_id, flow_id, version, started_by, caller, state, input, output, error, \
         started_at, ended_at, durable, attempts "
    };
}

impl Store {
    /// The runs of a workspace, or of one of its flows, newest first; only those older than `before`.
    pub async fn flow_runs(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        flow: Option<&FlowId>,
        before: Option<&RunId>,
        limit: i64,
    ) -> Result<Vec<Run>, StoreError> {
        const ALL: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM flow_runs WHERE org_id = $1 AND workspace_id = $2 AND $3 = '' AND ($4 = '' OR id < $4) ORDER BY id DESC LIMIT $5"
        );
        const OF_FLOW: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM flow_runs WHERE org_id = $1 AND workspace_id = $2 AND flow_id = $3 AND ($4 = '' OR id < $4) ORDER BY id DESC LIMIT $5"
        );
        let sql = if flow.is_some() { OF_FLOW } else { ALL };
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(sql)
                .bind(org.as_str())
                .bind(workspace.as_str())
                .bind(flow.map_or("", FlowId::as_str))
                .bind(before.map_or("", RunId::as_str))
                .bind(limit)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Run::try_from).collect()
    }

    pub async fn flow_run(&self, org: &OrgId, run: &RunId) -> Result<Option<Run>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            columns!(),
            "FROM flow_runs WHERE org_id = $1 AND id = $2"
        );
        self.row_of::<Row, _>(SQL, org, run.as_str()).await
    }

    /// In the order in which they began.
    pub async fn flow_run_steps(
        &self,
        org: &OrgId,
        run: &RunId,
    ) -> Result<Vec<RunStep>, StoreError> {
        const SQL: &str = "SELECT path, kind, state, attempts, input, output, error, started_at, duration_us \
             FROM flow_run_steps WHERE org_id = $1 AND run_id = $2 ORDER BY started_at, path";
        self.rows_of::<StepRow, _>(SQL, org, run.as_str()).await
    }

    /// Ends the leases of all runs, of every organization: for a server that has the database to
    /// itself, when it starts.
    pub async fn end_run_leases(&self) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE flow_runs SET lease_until = 0 WHERE state = 'running'";
        let mut tx = self.begin().await?;
        within!(tx, conn => { sqlx::query(SQL).execute(conn).await?; });
        tx.commit().await?;
        Ok(())
    }

    /// Takes the next run that is due, of any organization: for the node itself. Those whose lease ran
    /// out are due again.
    pub async fn lease_run(
        &self,
        lease: &str,
        now: Instant,
        until: Instant,
        most: i64,
    ) -> Result<Option<LeasedRun>, StoreError> {
        // The condition stands there twice: of two that saw the same row, the second finds it changed (PostgreSQL).
        const SQL: &str = concat!(
            "UPDATE flow_runs SET state = 'running', lease = $1, lease_until = $3, attempts = attempts + 1 \
             WHERE id = (SELECT id FROM flow_runs WHERE ((state = 'ready' AND next_at <= $2) \
             OR (state = 'running' AND lease_until < $2)) AND org_id NOT IN (SELECT org_id FROM flow_runs \
             WHERE state IN ('ready', 'running') AND state = 'running' AND lease_until >= $2 \
             GROUP BY org_id HAVING COUNT(*) >= $4) ORDER BY next_at, id LIMIT 1) \
             AND ((state = 'ready' AND next_at <= $2) OR (state = 'running' AND lease_until < $2)) RETURNING ",
            columns!()
        );
        let mut tx = self.begin().await?;
        let row = within!(tx, conn => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(lease)
                .bind(now.micros())
                .bind(until.micros())
                .bind(most)
                .fetch_optional(conn)
                .await?
        });
        tx.commit().await?;
        row.map(|row| {
            Ok(LeasedRun {
                run: row.try_into()?,
                lease: lease.to_owned(),
            })
        })
        .transpose()
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
    /// Writes a run that has ended, with all its steps, or one that is to be begun.
    pub async fn add_run(&mut self, run: &Run, steps: &[RunStep]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO flow_runs (id, org_id, workspace_id, flow_id, version, started_by, caller, \
             state, input, output, error, started_at, ended_at, durable, attempts, next_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(run.id.as_str())
                .bind(run.org.as_str())
                .bind(run.workspace.as_str())
                .bind(run.flow.as_str())
                .bind(run.version)
                .bind(&run.started_by)
                .bind(&run.caller)
                .bind(run.state.name())
                .bind(run.input.to_string())
                .bind(text(run.output.as_ref()))
                .bind(text(run.error.as_ref()))
                .bind(run.started_at.micros())
                .bind(run.ended_at.map(Instant::micros))
                .bind(run.durable)
                .bind(run.attempts)
                .bind((run.state == RunState::Ready).then_some(run.started_at.micros()))
                .execute(conn)
                .await?;
        });
        for step in steps {
            self.put_run_step(&run.org, &run.id, step).await?;
        }
        Ok(())
    }

    /// Writes what is known of a step, over what was.
    pub async fn put_run_step(
        &mut self,
        org: &OrgId,
        run: &RunId,
        step: &RunStep,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO flow_run_steps (run_id, org_id, path, kind, state, attempts, input, output, \
             error, started_at, duration_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (run_id, path) DO UPDATE SET kind = excluded.kind, state = excluded.state, \
             attempts = excluded.attempts, input = excluded.input, output = excluded.output, error = excluded.error, \
             started_at = excluded.started_at, duration_us = excluded.duration_us";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(run.as_str())
                .bind(org.as_str())
                .bind(&step.path)
                .bind(&step.kind)
                .bind(&step.state)
                .bind(step.attempts)
                .bind(text(step.input.as_ref()))
                .bind(text(step.output.as_ref()))
                .bind(text(step.error.as_ref()))
                .bind(step.started_at.micros())
                .bind(step.duration_us)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

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

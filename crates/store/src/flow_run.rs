//! Runs of flows and what each of their steps did. Secrets are masked before anything comes here.
//!
//! A run that somebody waits for is written once, when it has ended; others before they begin, see
//! [`crate::flow_queue`].

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowId, OrgId, RunId, WorkspaceId};
use serde::Serialize;
use serde_json::Value;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It waits for somebody who begins it, or goes on with it.
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
    /// What expressions see as `.caller`; none of runs of earlier versions of this program.
    pub shown_caller: Option<Value>,
    /// Who may ask how far it is; none where nobody called.
    pub owner: Option<String>,
    pub state: RunState,
    /// Null in lists.
    pub input: Value,
    /// None in lists.
    pub output: Option<Value>,
    /// The fault.
    pub error: Option<Value>,
    pub started_at: Instant,
    /// When somebody began it for the first time.
    pub begun_at: Option<Instant>,
    pub ended_at: Option<Instant>,
    pub durable: bool,
    /// How often it was begun.
    pub attempts: i64,
    /// How many runs of its flow may be under way while it is.
    pub at_once: i64,
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

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    id: String,
    org_id: String,
    workspace_id: String,
    flow_id: String,
    version: i64,
    started_by: String,
    caller: String,
    shown_caller: Option<String>,
    owner: Option<String>,
    state: String,
    input: String,
    output: Option<String>,
    error: Option<String>,
    started_at: i64,
    begun_at: Option<i64>,
    ended_at: Option<i64>,
    durable: bool,
    attempts: i64,
    at_once: i64,
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

pub(crate) fn text(value: Option<&Value>) -> Option<String> {
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
            shown_caller: json(row.shown_caller)?,
            owner: row.owner,
            state: RunState::read(&row.state)?,
            input: serde_json::from_str(&row.input)?,
            output: json(row.output)?,
            error: json(row.error)?,
            started_at: Instant::from_micros(row.started_at),
            begun_at: row.begun_at.map(Instant::from_micros),
            ended_at: row.ended_at.map(Instant::from_micros),
            durable: row.durable,
            attempts: row.attempts,
            at_once: row.at_once,
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

/// What a row is read from; with an argument, what stands in the places of input and output.
macro_rules! columns {
    () => {
        columns!("input, output")
    };
    // Of lists, which can be long.
    ("") => {
        columns!("'null' AS input, NULL AS output")
    };
    ($values:literal) => {
        concat!(
            "id, org_id, workspace_id, flow_id, version, started_by, caller, shown_caller, owner, state, error, ",
            "started_at, begun_at, ended_at, durable, attempts, at_once, ",
            $values,
            " "
        )
    };
}
pub(crate) use columns;

impl Store {
    /// The runs of a workspace, or of one of its flows, newest first; only those older than `before`.
    /// Without their inputs and outputs.
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
            columns!(""),
            "FROM flow_runs WHERE org_id = $1 AND workspace_id = $2 AND $3 = '' AND ($4 = '' OR id < $4) ORDER BY id DESC LIMIT $5"
        );
        const OF_FLOW: &str = concat!(
            "SELECT ",
            columns!(""),
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
}

impl Tx {
    /// Writes a run that has ended, with all its steps, or one that is to be begun.
    pub async fn add_run(&mut self, run: &Run, steps: &[RunStep]) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO flow_runs (id, org_id, workspace_id, flow_id, version, started_by, caller, \
             state, input, output, error, started_at, ended_at, durable, attempts, next_at, shown_caller, owner, \
             begun_at, at_once) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
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
                .bind(text(run.shown_caller.as_ref()))
                .bind(&run.owner)
                .bind(run.begun_at.map(Instant::micros))
                .bind(run.at_once)
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
}

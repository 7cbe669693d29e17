//! What starts flows besides calls: schedules and webhooks, as their current versions say.

use crate::db::{Store, StoreError, Tx, id};
use crate::flow::Flow;
use quaymaster_core::Instant;
use quaymaster_core::id::WorkspaceId;

/// What starts a flow besides calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowTrigger {
    /// Where it stands among the triggers of the version.
    pub n: i64,
    pub what: Starts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Starts {
    /// A schedule, and when it is due; none while the flow is disabled.
    Cron(Option<Instant>),
    /// The path of a webhook, unique in the workspace.
    Webhook(String),
}

/// A schedule whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueFlow {
    pub flow: Flow,
    /// Which of the flow's triggers it is.
    pub n: i64,
    /// When it was to start.
    pub at: Instant,
}

#[derive(sqlx::FromRow)]
struct DueRow {
    n: i64,
    next_at: i64,
    #[sqlx(flatten)]
    flow: crate::flow::Row,
}

impl Store {
    /// The flow behind a webhook, of any organization: whoever calls one has no credential of ours.
    pub async fn flow_of_webhook(
        &self,
        workspace: &WorkspaceId,
        path: &str,
    ) -> Result<Option<(Flow, i64)>, StoreError> {
        const TRIGGER: &str =
            "SELECT flow_id, org_id, n FROM flow_triggers WHERE workspace_id = $1 AND path = $2";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, i64)>(TRIGGER)
                .bind(workspace.as_str())
                .bind(path)
                .fetch_optional(pool)
                .await?
        });
        let Some((flow, org, n)) = row else {
            return Ok(None);
        };
        let found = self.flow(&id(&org)?, &id(&flow)?).await?;
        Ok(found.map(|flow| (flow, n)))
    }

    /// The schedules that are due, of any organization, the longest due first: for the node itself.
    /// `behind` is the last one of the page before.
    pub async fn due_flows(
        &self,
        now: Instant,
        behind: Option<&DueFlow>,
        limit: i64,
    ) -> Result<Vec<DueFlow>, StoreError> {
        const SQL: &str = concat!(
            "SELECT t.n, t.next_at, ",
            crate::flow::columns!("f."),
            " FROM flow_triggers t JOIN flows f ON f.id = t.flow_id \
             WHERE t.next_at <= $1 AND (t.next_at, t.flow_id, t.n) > ($2, $3, $4) \
             ORDER BY t.next_at, t.flow_id, t.n LIMIT $5"
        );
        let (at, flow, n) = behind.map_or((i64::MIN, "", 0), |behind| {
            (behind.at.micros(), behind.flow.id.as_str(), behind.n)
        });
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, DueRow>(SQL)
                .bind(now.micros())
                .bind(at)
                .bind(flow)
                .bind(n)
                .bind(limit)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(|row| {
                Ok(DueFlow {
                    flow: row.flow.try_into()?,
                    n: row.n,
                    at: Instant::from_micros(row.next_at),
                })
            })
            .collect()
    }
}

impl Tx {
    /// Puts these in the place of all triggers of a flow.
    pub async fn set_flow_triggers(
        &mut self,
        flow: &Flow,
        triggers: &[FlowTrigger],
    ) -> Result<(), StoreError> {
        const GONE: &str = "DELETE FROM flow_triggers WHERE org_id = $1 AND flow_id = $2";
        const SQL: &str = "INSERT INTO flow_triggers (flow_id, n, org_id, workspace_id, kind, path, next_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        within!(self, conn => {
            sqlx::query(GONE)
                .bind(flow.org.as_str())
                .bind(flow.id.as_str())
                .execute(&mut *conn)
                .await?;
            for trigger in triggers {
                let (kind, path, next_at) = match &trigger.what {
                    Starts::Cron(next) => ("cron", None, next.map(Instant::micros)),
                    Starts::Webhook(path) => ("webhook", Some(path.as_str()), None),
                };
                sqlx::query(SQL)
                    .bind(flow.id.as_str())
                    .bind(trigger.n)
                    .bind(flow.org.as_str())
                    .bind(flow.workspace.as_str())
                    .bind(kind)
                    .bind(path)
                    .bind(next_at)
                    .execute(&mut *conn)
                    .await?;
            }
        });
        Ok(())
    }

    /// Takes a schedule that is due, and says when it is due next. `false` when another node took it, or
    /// the flow changed.
    pub async fn take_due_flow(
        &mut self,
        due: &DueFlow,
        next: Option<Instant>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flow_triggers SET next_at = $5 \
             WHERE org_id = $1 AND flow_id = $2 AND n = $3 AND next_at = $4";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(due.flow.org.as_str())
                .bind(due.flow.id.as_str())
                .bind(due.n)
                .bind(due.at.micros())
                .bind(next.map(Instant::micros))
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }
}

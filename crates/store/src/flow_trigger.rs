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
    pub async fn due_flows(
        &self,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<(Flow, i64, Instant)>, StoreError> {
        const SQL: &str = "SELECT flow_id, org_id, n, next_at FROM flow_triggers \
             WHERE next_at <= $1 ORDER BY next_at, flow_id LIMIT $2";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, i64, i64)>(SQL)
                .bind(now.micros())
                .bind(limit)
                .fetch_all(pool)
                .await?
        });
        let mut due = Vec::with_capacity(rows.len());
        for (flow, org, n, at) in rows {
            if let Some(flow) = self.flow(&id(&org)?, &id(&flow)?).await? {
                due.push((flow, n, Instant::from_micros(at)));
            }
        }
        Ok(due)
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

    /// Takes a schedule that was due at `at`, and says when it is due next. `false` when another node
    /// took it, or the flow changed.
    pub async fn take_due_flow(
        &mut self,
        flow: &Flow,
        n: i64,
        at: Instant,
        next: Option<Instant>,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE flow_triggers SET next_at = $5 \
             WHERE org_id = $1 AND flow_id = $2 AND n = $3 AND next_at = $4";
        let rows = within!(self, conn => {
            sqlx::query(SQL)
                .bind(flow.org.as_str())
                .bind(flow.id.as_str())
                .bind(n)
                .bind(at.micros())
                .bind(next.map(Instant::micros))
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }
}

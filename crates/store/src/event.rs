//! Management and credential events: the record of who changed what, and what nodes follow to
//! drop what they have cached.

use crate::clauses::{Arg, Clauses};
use crate::db::{Db, Store, StoreError, Tx, id, optional_id};
use crate::position::Position;
use quaymaster_core::Instant;
use quaymaster_core::id::{CredentialId, EventId, OrgId, WorkspaceId};
use serde_json::Value;
use std::collections::BTreeSet;

/// Events of one look.
pub const EVENTS_A_PAGE: usize = 10_000;
/// Events among which the choices of a filter are looked for.
const CHOOSING: i64 = 1_000;

#[derive(Debug, Clone)]
pub struct Event {
    pub id: EventId,
    pub at: Instant,
    pub org: OrgId,
    pub workspace: Option<WorkspaceId>,
    /// The credential that it is about.
    pub credential: Option<CredentialId>,
    /// Who did it: an id, or `command line`.
    pub actor: String,
    /// Noun and past participle, for example `credential.revoked`.
    pub action: String,
    /// Never a secret.
    pub details: Value,
}

/// Which events. What is empty is not asked for.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    pub workspace: Option<WorkspaceId>,
    /// Who did it, as events say it.
    pub actor: Option<String>,
    /// A whole action, or its noun.
    pub action: Option<String>,
    /// From this instant on.
    pub from: Option<Instant>,
    /// Before this instant.
    pub to: Option<Instant>,
    /// The end of the page before.
    pub before: Option<Position>,
}

impl Event {
    pub fn position(&self) -> Position {
        Position {
            at: self.at,
            id: self.id.to_string(),
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    at: i64,
    org_id: String,
    workspace_id: Option<String>,
    credential_id: Option<String>,
    actor: String,
    action: String,
    details: String,
}

impl TryFrom<Row> for Event {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Event {
            id: id(&row.id)?,
            at: Instant::from_micros(row.at),
            org: id(&row.org_id)?,
            workspace: optional_id(row.workspace_id.as_deref())?,
            credential: optional_id(row.credential_id.as_deref())?,
            actor: row.actor,
            action: row.action,
            details: serde_json::from_str(&row.details)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        })
    }
}

impl Store {
    /// Events of every organization since then, oldest first, at most [`EVENTS_A_PAGE`]; of that
    /// very instant only those behind `after`, the last one of the page before. For the node itself.
    pub async fn events_since(
        &self,
        at: Instant,
        after: Option<&EventId>,
    ) -> Result<Vec<Event>, StoreError> {
        const SQL: &str = "SELECT id, at, org_id, workspace_id, credential_id, actor, action, details \
             FROM events WHERE at >= $1 AND (at > $1 OR id > $2) ORDER BY at, id LIMIT $3";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(at.micros())
                .bind(after.map_or("", EventId::as_str))
                .bind(EVENTS_A_PAGE as i64)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(Event::try_from).collect()
    }

    /// What the newest events of an organization are about, by name, and who made them.
    pub async fn event_choices(
        &self,
        org: &OrgId,
    ) -> Result<(BTreeSet<String>, BTreeSet<String>), StoreError> {
        const SQL: &str = "SELECT DISTINCT action, actor FROM \
             (SELECT action, actor FROM events WHERE org_id = $1 ORDER BY at DESC LIMIT $2) AS newest";
        let rows: Vec<(String, String)> = reading!(self, pool => {
            sqlx::query_as(SQL)
                .bind(org.as_str())
                .bind(CHOOSING)
                .fetch_all(pool)
                .await?
        });
        let (actions, actors): (Vec<_>, BTreeSet<_>) = rows.into_iter().unzip();
        let nouns = actions.iter().filter_map(|action| action.split('.').next());
        Ok((nouns.map(str::to_owned).collect(), actors))
    }

    /// Events of an organization that fit, newest first.
    pub async fn events(
        &self,
        org: &OrgId,
        filter: &EventFilter,
        limit: i64,
    ) -> Result<Vec<Event>, StoreError> {
        let mut clauses = Clauses::of(org);
        let workspace = filter.workspace.as_ref().map(WorkspaceId::as_str);
        clauses.text("workspace_id =", workspace, "");
        clauses.text("actor =", filter.actor.as_deref(), "");
        let action = filter.action.as_deref();
        let noun = action.filter(|action| !action.contains('.'));
        let noun = noun.map(|noun| format!("{noun}."));
        let starts = match &self.db {
            Db::Sqlite { .. } => "instr(action,",
            Db::Postgres(_) => "strpos(action,",
        };
        clauses.text(starts, noun.as_deref(), ") = 1");
        let whole = action.filter(|action| action.contains('.'));
        clauses.text("action =", whole, "");
        clauses.within(
            ["at >=", "at <", "(at, id) < ("],
            filter.from,
            filter.to,
            filter.before.as_ref(),
        );
        clauses.args.push(Arg::Number(limit));
        let sql = format!(
            "SELECT id, at, org_id, workspace_id, credential_id, actor, action, details \
             FROM events {} ORDER BY at DESC, id DESC LIMIT ${}",
            clauses.sql,
            clauses.args.len()
        );
        let rows = reading!(self, pool => {
            let query = sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_all(pool).await?
        });
        rows.into_iter().map(Event::try_from).collect()
    }
}

impl Tx {
    pub async fn record(&mut self, event: &Event) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO events (id, at, org_id, workspace_id, credential_id, actor, action, details) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(event.id.as_str())
                .bind(event.at.micros())
                .bind(event.org.as_str())
                .bind(event.workspace.as_ref().map(WorkspaceId::as_str))
                .bind(event.credential.as_ref().map(CredentialId::as_str))
                .bind(&event.actor)
                .bind(&event.action)
                .bind(event.details.to_string())
                .execute(conn)
                .await?;
        });
        Ok(())
    }
}

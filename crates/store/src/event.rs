//! Management and credential events: the record of who changed what, and what nodes follow to
//! drop what they have cached.

use crate::db::{Store, StoreError, Tx, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{CredentialId, EventId, OrgId, WorkspaceId};
use serde_json::Value;

/// Events of one look.
pub const EVENTS_A_PAGE: usize = 10_000;

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

    /// The newest events of an organization, newest first.
    pub async fn events(&self, org: &OrgId, limit: i64) -> Result<Vec<Event>, StoreError> {
        const SQL: &str = "SELECT id, at, org_id, workspace_id, credential_id, actor, action, details \
             FROM events WHERE org_id = $1 ORDER BY at DESC, id DESC LIMIT $2";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).bind(limit).fetch_all(pool).await?
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

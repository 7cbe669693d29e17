//! One row a tool call, written in batches.

use crate::db::{Db, Store, StoreError, id, optional_id};
use quaymaster_core::Instant;
use quaymaster_core::id::{CallId, CredentialId, OrgId, UserId, WorkspaceId};
use serde::Serialize;

/// What is kept of a call. Arguments and results are not: they can hold secrets.
#[derive(Debug, Clone)]
pub struct CallRow {
    pub id: CallId,
    pub org: OrgId,
    pub workspace: Option<WorkspaceId>,
    pub credential: CredentialId,
    pub user: Option<UserId>,
    pub tool: String,
    /// The way it came, for example `mcp-session`.
    pub source: String,
    /// The client's name as it told it.
    pub client: Option<String>,
    pub started_at: Instant,
    pub duration_us: i64,
    /// `answered`, or `dropped` when nobody waited for the answer any more.
    pub transport: String,
    /// `result`, or `error` when the protocol itself refused the call.
    pub protocol: String,
    /// `OK` or the code of the fault.
    pub outcome: String,
    /// The connected accounts that it used, as `service:account`, with commas between.
    pub accounts: Option<String>,
    /// The last HTTP status of their service.
    pub upstream_status: Option<i64>,
}

/// The row as both databases unpack it from JSON.
#[derive(Serialize)]
struct Packed<'a> {
    id: &'a str,
    org_id: &'a str,
    workspace_id: Option<&'a str>,
    credential_id: &'a str,
    user_id: Option<&'a str>,
    tool: &'a str,
    source: &'a str,
    client: Option<&'a str>,
    started_at: i64,
    duration_us: i64,
    transport: &'a str,
    protocol: &'a str,
    outcome: &'a str,
    accounts: Option<&'a str>,
    upstream_status: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: Option<String>,
    credential_id: String,
    user_id: Option<String>,
    tool: String,
    source: String,
    client: Option<String>,
    started_at: i64,
    duration_us: i64,
    transport: String,
    protocol: String,
    outcome: String,
    accounts: Option<String>,
    upstream_status: Option<i64>,
}

impl TryFrom<Row> for CallRow {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(CallRow {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            workspace: optional_id(row.workspace_id.as_deref())?,
            credential: id(&row.credential_id)?,
            user: optional_id(row.user_id.as_deref())?,
            tool: row.tool,
            source: row.source,
            client: row.client,
            started_at: Instant::from_micros(row.started_at),
            duration_us: row.duration_us,
            transport: row.transport,
            protocol: row.protocol,
            outcome: row.outcome,
            accounts: row.accounts,
            upstream_status: row.upstream_status,
        })
    }
}

const INTO: &str = "INSERT INTO calls (id, org_id, workspace_id, credential_id, user_id, tool, source, client, \
     started_at, duration_us, transport, protocol, outcome, accounts, upstream_status) ";

impl Store {
    /// Writes a batch of rows with one statement.
    pub async fn add_calls(&self, rows: &[CallRow]) -> Result<(), StoreError> {
        const SQLITE: &str = "SELECT value ->> 'id', value ->> 'org_id', value ->> 'workspace_id', \
             value ->> 'credential_id', value ->> 'user_id', value ->> 'tool', value ->> 'source', \
             value ->> 'client', value ->> 'started_at', value ->> 'duration_us', \
             value ->> 'transport', value ->> 'protocol', value ->> 'outcome', \
             value ->> 'accounts', value ->> 'upstream_status' FROM json_each($1)";
        const POSTGRES: &str = "SELECT id, org_id, workspace_id, credential_id, user_id, tool, source, client, \
             started_at, duration_us, transport, protocol, outcome, accounts, upstream_status FROM jsonb_to_recordset($1::jsonb) AS r \
             (id text, org_id text, workspace_id text, credential_id text, user_id text, tool text, \
             source text, client text, started_at bigint, duration_us bigint, transport text, \
             protocol text, outcome text, accounts text, upstream_status bigint)";
        if rows.is_empty() {
            return Ok(());
        }
        let packed: Vec<_> = rows
            .iter()
            .map(|row| Packed {
                id: row.id.as_str(),
                org_id: row.org.as_str(),
                workspace_id: row.workspace.as_ref().map(WorkspaceId::as_str),
                credential_id: row.credential.as_str(),
                user_id: row.user.as_ref().map(UserId::as_str),
                tool: &row.tool,
                source: &row.source,
                client: row.client.as_deref(),
                started_at: row.started_at.micros(),
                duration_us: row.duration_us,
                transport: &row.transport,
                protocol: &row.protocol,
                outcome: &row.outcome,
                accounts: row.accounts.as_deref(),
                upstream_status: row.upstream_status,
            })
            .collect();
        let batch = serde_json::to_string(&packed)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        match &self.db {
            Db::Sqlite { write, .. } => {
                let sql = sqlx::AssertSqlSafe(format!("{INTO}{SQLITE}"));
                sqlx::query(sql).bind(batch).execute(write).await?;
            }
            Db::Postgres(pool) => {
                let sql = sqlx::AssertSqlSafe(format!("{INTO}{POSTGRES}"));
                sqlx::query(sql).bind(batch).execute(pool).await?;
            }
        }
        Ok(())
    }

    /// The newest calls of a workspace, or of the whole organization, newest first. `before` is
    /// the start of the last call of the page before.
    pub async fn recent_calls(
        &self,
        org: &OrgId,
        workspace: Option<&WorkspaceId>,
        before: Option<Instant>,
        limit: i64,
    ) -> Result<Vec<CallRow>, StoreError> {
        const SQL: &str = "SELECT id, org_id, workspace_id, credential_id, user_id, tool, source, client, \
             started_at, duration_us, transport, protocol, outcome, accounts, upstream_status FROM calls \
             WHERE org_id = $1 AND ($2 IS NULL OR workspace_id = $2) AND started_at < $3 \
             ORDER BY started_at DESC, id DESC LIMIT $4";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(workspace.map(WorkspaceId::as_str))
                .bind(before.map_or(i64::MAX, Instant::micros))
                .bind(limit)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(CallRow::try_from).collect()
    }
}

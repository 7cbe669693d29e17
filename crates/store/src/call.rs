//! One row a tool call, written in batches.

use crate::clauses::{Arg, Clauses};
use crate::db::{Db, Store, StoreError, id, optional_id};
use crate::file_change::{self, Changing, FileChange};
use crate::position::Position;
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
    /// The paths of its workspace that it changed. Written with the call, and not read with it.
    pub files: Vec<FileChange>,
}

/// Which calls. What is empty is not asked for.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    pub workspace: Option<WorkspaceId>,
    /// Only calls that counted to some workspace.
    pub is_of_workspaces: bool,
    pub tool: Option<String>,
    pub credential: Option<CredentialId>,
    pub user: Option<UserId>,
    /// `service:account`, or a service for all its accounts.
    pub account: Option<String>,
    pub ended: Option<Ended>,
    /// From this instant on.
    pub from: Option<Instant>,
    /// Before this instant.
    pub to: Option<Instant>,
    /// The end of the page before.
    pub before: Option<Position>,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    Well,
    Failed,
    /// With this code.
    With(String),
}

impl CallRow {
    pub fn failed(&self) -> bool {
        self.outcome != "OK"
    }

    pub fn position(&self) -> Position {
        Position {
            at: self.started_at,
            id: self.id.to_string(),
        }
    }
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
            files: Vec::new(),
        })
    }
}

const INTO: &str = "INSERT INTO calls (id, org_id, workspace_id, credential_id, user_id, tool, source, client, \
     started_at, duration_us, transport, protocol, outcome, accounts, upstream_status) ";

impl Store {
    /// Writes a batch of rows with one statement, and counts them by the hour.
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
        let from = match &self.db {
            Db::Sqlite { .. } => SQLITE,
            Db::Postgres(_) => POSTGRES,
        };
        let sql = format!("{INTO}{from}");
        let mut tx = self.begin().await?;
        within!(tx, conn => {
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(batch).execute(conn).await?;
        });
        tx.count_calls(rows).await?;
        let changes = rows.iter().filter_map(|row| {
            let of = Changing {
                id: row.id.as_str(),
                org: &row.org,
                workspace: row.workspace.as_ref()?,
                at: row.started_at,
                action: &row.tool,
                actor: row.credential.as_str(),
            };
            Some(file_change::packed(of, &row.files))
        });
        tx.add_file_changes(&changes.flatten().collect::<Vec<_>>())
            .await?;
        tx.commit().await
    }

    /// Calls that fit, newest first.
    pub async fn calls(
        &self,
        org: &OrgId,
        filter: &CallFilter,
        limit: i64,
    ) -> Result<Vec<CallRow>, StoreError> {
        let mut clauses = self.clauses_of(org, filter);
        clauses.args.push(Arg::Number(limit));
        let sql = format!(
            "SELECT id, org_id, workspace_id, credential_id, user_id, tool, source, client, \
             started_at, duration_us, transport, protocol, outcome, accounts, upstream_status \
             FROM calls {} ORDER BY started_at DESC, id DESC LIMIT ${}",
            clauses.sql,
            clauses.args.len()
        );
        let rows = reading!(self, pool => {
            let query = sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_all(pool).await?
        });
        rows.into_iter().map(CallRow::try_from).collect()
    }

    fn clauses_of(&self, org: &OrgId, filter: &CallFilter) -> Clauses {
        let mut clauses = Clauses::of(org);
        let workspace = filter.workspace.as_ref().map(WorkspaceId::as_str);
        clauses.text("workspace_id =", workspace, "");
        if filter.is_of_workspaces {
            clauses.holds("workspace_id IS NOT NULL");
        }
        clauses.text("tool =", filter.tool.as_deref(), "");
        let credential = filter.credential.as_ref().map(CredentialId::as_str);
        clauses.text("credential_id =", credential, "");
        clauses.text("user_id =", filter.user.as_ref().map(UserId::as_str), "");
        let account = filter.account.as_deref().map(|account| {
            // A service alone stands for all its accounts.
            let end = if account.contains(':') { "," } else { ":" };
            format!(",{account}{end}")
        });
        let within = match &self.db {
            Db::Sqlite { .. } => "instr(',' || accounts || ',',",
            Db::Postgres(_) => "strpos(',' || accounts || ',',",
        };
        clauses.text(within, account.as_deref(), ") > 0");
        match &filter.ended {
            None => {}
            Some(Ended::Well) => clauses.holds("outcome = 'OK'"),
            Some(Ended::Failed) => clauses.holds("outcome <> 'OK'"),
            Some(Ended::With(code)) => {
                // Said twice, so that the index of what failed serves.
                clauses.holds("outcome <> 'OK'");
                clauses.text("outcome =", Some(code), "");
            }
        }
        clauses.within(
            ["started_at >=", "started_at <", "(started_at, id) < ("],
            filter.from,
            filter.to,
            filter.before.as_ref(),
        );
        clauses
    }
}

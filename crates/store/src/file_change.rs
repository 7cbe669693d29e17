//! Which files of a workspace were changed, when and by whom. What agents changed comes with their calls
//! and goes with them; what people changed comes with the event about it; what statements over a database
//! changed stands alone, since the file may be in another workspace than the call. Contents are not kept.

use crate::clauses::{Arg, Clauses};
use crate::db::{Store, StoreError, Tx, TxInner};
use crate::event::Event;
use crate::position::Position;
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};
use serde::Serialize;

/// A path that a call or a person changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChange {
    pub path: String,
    /// Where it was moved or copied to, or came from.
    pub other: Option<String>,
    /// Of its content since.
    pub etag: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChangeRow {
    /// Of the call or event, or made of it.
    pub id: String,
    pub at: Instant,
    /// The tool, or the action of the event, for example `file.written`.
    pub action: String,
    /// The credential, the connection of a statement, or who did it as events say it.
    pub actor: String,
    pub other: Option<String>,
    pub etag: Option<String>,
}

impl FileChangeRow {
    pub fn position(&self) -> Position {
        Position {
            at: self.at,
            id: self.id.clone(),
        }
    }
}

/// What the changes of one call or event have in common.
#[derive(Clone, Copy)]
pub struct Changing<'a> {
    pub id: &'a str,
    pub org: &'a OrgId,
    pub workspace: &'a WorkspaceId,
    pub at: Instant,
    pub action: &'a str,
    pub actor: &'a str,
}

/// A row as both databases unpack it from JSON.
#[derive(Serialize)]
pub(crate) struct Packed<'a> {
    id: String,
    org_id: &'a str,
    workspace_id: &'a str,
    path: &'a str,
    at: i64,
    action: &'a str,
    actor: &'a str,
    other: Option<&'a str>,
    etag: Option<&'a str>,
}

pub(crate) fn packed<'a>(
    of: Changing<'a>,
    files: &'a [FileChange],
) -> impl Iterator<Item = Packed<'a>> {
    files.iter().enumerate().map(move |(n, file)| Packed {
        id: match n {
            0 => of.id.to_owned(),
            n => format!("{}_{n}", of.id),
        },
        org_id: of.org.as_str(),
        workspace_id: of.workspace.as_str(),
        path: &file.path,
        at: of.at.micros(),
        action: of.action,
        actor: of.actor,
        other: file.other.as_deref(),
        etag: file.etag.as_deref(),
    })
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    at: i64,
    action: String,
    actor: String,
    other: Option<String>,
    etag: Option<String>,
}

impl Store {
    /// The changes of a path, newest first.
    pub async fn file_changes(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        path: &str,
        before: Option<&Position>,
        limit: i64,
    ) -> Result<Vec<FileChangeRow>, StoreError> {
        let mut clauses = Clauses::of(org);
        clauses.text("workspace_id =", Some(workspace.as_str()), "");
        clauses.text("path =", Some(path), "");
        clauses.within(["at >=", "at <", "(at, id) < ("], None, None, before);
        clauses.args.push(Arg::Number(limit));
        let sql = format!(
            "SELECT id, at, action, actor, other, etag FROM file_changes {} ORDER BY at DESC, id DESC LIMIT ${}",
            clauses.sql,
            clauses.args.len()
        );
        let rows = reading!(self, pool => {
            let query = sqlx::query_as::<_, Row>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_all(pool).await?
        });
        let row = |row: Row| FileChangeRow {
            id: row.id,
            at: Instant::from_micros(row.at),
            action: row.action,
            actor: row.actor,
            other: row.other,
            etag: row.etag,
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

impl Tx {
    /// What a person changed, beside the event about it.
    pub async fn record_files(
        &mut self,
        event: &Event,
        files: &[FileChange],
    ) -> Result<(), StoreError> {
        let Some(workspace) = &event.workspace else {
            return Ok(());
        };
        let of = Changing {
            id: event.id.as_str(),
            org: &event.org,
            workspace,
            at: event.at,
            action: &event.action,
            actor: &event.actor,
        };
        let rows: Vec<_> = packed(of, files).collect();
        self.add_file_changes(&rows).await
    }

    /// What a statement changed.
    pub async fn record_file(
        &mut self,
        of: Changing<'_>,
        file: FileChange,
    ) -> Result<(), StoreError> {
        let files = [file];
        let rows: Vec<_> = packed(of, &files).collect();
        self.add_file_changes(&rows).await
    }

    /// All of them with one statement.
    pub(crate) async fn add_file_changes(&mut self, rows: &[Packed<'_>]) -> Result<(), StoreError> {
        const INTO: &str = "INSERT INTO file_changes (id, org_id, workspace_id, path, at, action, actor, other, etag) ";
        const SQLITE: &str = "SELECT value ->> 'id', value ->> 'org_id', value ->> 'workspace_id', \
             value ->> 'path', value ->> 'at', value ->> 'action', value ->> 'actor', value ->> 'other', \
             value ->> 'etag' FROM json_each($1)";
        const POSTGRES: &str = "SELECT id, org_id, workspace_id, path, at, action, actor, other, etag \
             FROM jsonb_to_recordset($1::jsonb) AS r (id text, org_id text, workspace_id text, path text, \
             at bigint, action text, actor text, other text, etag text)";
        if rows.is_empty() {
            return Ok(());
        }
        let batch =
            serde_json::to_string(rows).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let from = match &self.inner {
            TxInner::Sqlite(_) => SQLITE,
            TxInner::Postgres(_) => POSTGRES,
        };
        let sql = format!("{INTO}{from}");
        within!(self, conn => {
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(batch).execute(conn).await?;
        });
        Ok(())
    }
}

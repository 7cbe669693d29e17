//! Calls and changes as a file: read page by page while it is sent, so that nothing is held whole.

use super::{CallFilter, CallRow, Event, EventFilter, name_or_id, seen_by};
use crate::App;
use crate::actor::{Actor, Admin};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use quaymaster_core::Fault;
use quaymaster_core::id::{CredentialId, OrgId, UserId};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows of a file. Whoever needs more asks again for what is before the last row.
pub const EXPORT_ROWS: usize = 100_000;
/// Rows read at a time.
const PAGE: i64 = 500;

/// What a file is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180, with a head.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

impl Format {
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Csv => "text/csv; charset=utf-8",
            Format::JsonLines => "application/jsonl; charset=utf-8",
        }
    }

    /// The end of a file's name.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::JsonLines => "jsonl",
        }
    }

    /// `csv` or `jsonl`.
    pub fn from_name(name: &str) -> Option<Self> {
        [Format::Csv, Format::JsonLines]
            .into_iter()
            .find(|format| format.extension() == name)
    }
}

const CALL_COLUMNS: [&str; 17] = [
    "id",
    "started_at",
    "tool",
    "outcome",
    "duration_us",
    "workspace_id",
    "workspace",
    "credential_id",
    "credential",
    "user_id",
    "user",
    "client",
    "source",
    "accounts",
    "upstream_status",
    "transport",
    "protocol",
];

const EVENT_COLUMNS: [&str; 8] = [
    "id",
    "at",
    "action",
    "actor",
    "workspace_id",
    "workspace",
    "credential_id",
    "details",
];

/// What stands beside ids.
struct Names {
    workspaces: BTreeMap<String, String>,
    people: HashMap<UserId, String>,
    credentials: BTreeMap<CredentialId, String>,
}

struct Reading<F> {
    app: App,
    org: OrgId,
    filter: F,
    format: Format,
    names: Names,
    is_first: bool,
    left: usize,
}

impl<F> Reading<F> {
    /// Looks up the names in some calls that no calls before had.
    async fn know(&mut self, rows: &[CallRow]) -> Result<(), Fault> {
        let Names {
            people,
            credentials,
            ..
        } = &mut self.names;
        let ids = rows.iter().map(|row| row.credential.clone());
        let unknown = ids.filter(|id| !credentials.contains_key(id));
        let unknown: BTreeSet<_> = unknown.collect();
        if !unknown.is_empty() {
            credentials.extend(self.app.credential_names(&self.org, unknown).await?);
        }
        let ids = rows.iter().filter_map(|row| row.user.clone());
        let unknown: BTreeSet<_> = ids.filter(|id| !people.contains_key(id)).collect();
        if !unknown.is_empty() {
            people.extend(self.app.member_names(&self.org, unknown).await?);
        }
        Ok(())
    }

    /// The text of a page, and whether it is the last one.
    fn text(&mut self, columns: &[&str], rows: Vec<Value>) -> (String, bool) {
        let mut text = String::new();
        if std::mem::take(&mut self.is_first) && self.format == Format::Csv {
            text.push_str(&columns.join(","));
            text.push_str("\r\n");
        }
        let is_last = rows.len() < PAGE.unsigned_abs() as usize;
        for row in rows.into_iter().take(self.left) {
            self.left -= 1;
            match self.format {
                Format::JsonLines => {
                    text.push_str(&without_nothing(row).to_string());
                    text.push('\n');
                }
                Format::Csv => {
                    let cells = columns.iter().map(|column| cell(&row[*column]));
                    text.push_str(&cells.collect::<Vec<_>>().join(","));
                    text.push_str("\r\n");
                }
            }
        }
        (text, is_last || self.left == 0)
    }
}

impl App {
    /// The calls that fit, newest first, at most [`EXPORT_ROWS`].
    pub async fn export_calls(
        &self,
        actor: &Actor,
        filter: CallFilter,
        format: Format,
    ) -> Result<impl Stream<Item = Result<String, Fault>> + Send + 'static, Fault> {
        self.flush_audit().await;
        let reading = self
            .reading(&actor.org, seen_by(actor, filter), format)
            .await?;
        Ok(try_unfold(Some(reading), |reading| async move {
            let Some(mut reading) = reading else {
                return Ok(None);
            };
            let store = &reading.app.store;
            let rows = store.calls(&reading.org, &reading.filter, PAGE).await?;
            reading.filter.before = rows.last().map(CallRow::position);
            reading.know(&rows).await?;
            let rows = rows.iter().map(|row| call(row, &reading.names));
            let rows = rows.collect();
            let (text, is_last) = reading.text(&CALL_COLUMNS, rows);
            Ok(Some((text, (!is_last).then_some(reading))))
        }))
    }

    /// The changes that fit, newest first, at most [`EXPORT_ROWS`].
    pub async fn export_events(
        &self,
        admin: &Admin,
        filter: EventFilter,
        format: Format,
    ) -> Result<impl Stream<Item = Result<String, Fault>> + Send + 'static, Fault> {
        let reading = self.reading(&admin.org, filter, format).await?;
        Ok(try_unfold(Some(reading), |reading| async move {
            let Some(mut reading) = reading else {
                return Ok(None);
            };
            let store = &reading.app.store;
            let rows = store.events(&reading.org, &reading.filter, PAGE).await?;
            reading.filter.before = rows.last().map(Event::position);
            let rows = rows.iter().map(|row| event(row, &reading.names));
            let rows = rows.collect();
            let (text, is_last) = reading.text(&EVENT_COLUMNS, rows);
            Ok(Some((text, (!is_last).then_some(reading))))
        }))
    }

    async fn reading<F>(
        &self,
        org: &OrgId,
        filter: F,
        format: Format,
    ) -> Result<Reading<F>, Fault> {
        let names = Names {
            workspaces: self.workspace_names(org).await?,
            people: HashMap::new(),
            credentials: BTreeMap::new(),
        };
        Ok(Reading {
            app: self.clone(),
            org: org.clone(),
            filter,
            format,
            names,
            is_first: true,
            left: EXPORT_ROWS,
        })
    }
}

fn call(row: &CallRow, names: &Names) -> Value {
    let workspace = row.workspace.as_ref().map(ToString::to_string);
    json!({
        "id": row.id,
        "started_at": row.started_at,
        "tool": row.tool,
        "outcome": row.outcome,
        "duration_us": row.duration_us,
        "workspace": workspace.as_ref().and_then(|id| names.workspaces.get(id)),
        "workspace_id": workspace,
        "credential": name_or_id(&names.credentials, &row.credential),
        "credential_id": row.credential,
        "user": row.user.as_ref().and_then(|id| names.people.get(id)),
        "user_id": row.user,
        "client": row.client,
        "source": row.source,
        "accounts": row.accounts,
        "upstream_status": row.upstream_status,
        "transport": row.transport,
        "protocol": row.protocol,
    })
}

fn event(row: &Event, names: &Names) -> Value {
    let workspace = row.workspace.as_ref().map(ToString::to_string);
    json!({
        "id": row.id,
        "at": row.at,
        "action": row.action,
        "actor": row.actor,
        "workspace": workspace.as_ref().and_then(|id| names.workspaces.get(id)),
        "workspace_id": workspace,
        "credential_id": row.credential,
        "details": row.details,
    })
}

fn without_nothing(row: Value) -> Value {
    match row {
        Value::Object(fields) => {
            let fields: Map<_, _> = fields
                .into_iter()
                .filter(|(_, one)| !one.is_null())
                .collect();
            Value::Object(fields)
        }
        other => other,
    }
}

/// With an apostrophe before what a spreadsheet would run as a formula: at the beginning, and behind
/// what one of another language may take for the end of a cell.
fn harmless(text: &str) -> String {
    let begins = |rest: &str| {
        let rest = rest.trim_start_matches(['"', ' ']);
        rest.starts_with(['=', '+', '-', '@'])
    };
    let mut safe = String::with_capacity(text.len() + 1);
    if begins(text) || text.starts_with(['\t', '\r', '\n']) {
        safe.push('\'');
    }
    for (at, c) in text.char_indices() {
        safe.push(c);
        if matches!(c, ';' | '\t' | '\r' | '\n') && begins(&text[at + 1..]) {
            safe.push('\'');
        }
    }
    safe
}

/// A cell of CSV. Names of tools and clients are whatever a stranger chose, so none is a formula.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => return number.to_string(),
        other => other.to_string(),
    };
    let text = harmless(&text);
    if text.contains([',', ';', '"', '\r', '\n', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_none_leaves_its_place() {
        for (text, wanted) in [
            ("list_files", "list_files"),
            ("=1+1", "\"'=1+1\""),
            ("+1", "\"'+1\""),
            ("-1", "\"'-1\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t'=1\""),
            ("a;=1+1", "\"a;'=1+1\""),
            ("a; \"@b\"", "\"a;' \"\"@b\"\"\""),
            ("a;b", "\"a;b\""),
            ("2026-01-02;-", "\"2026-01-02;'-\""),
            ("a,b", "\"a,b\""),
            ("a \"b\"\n=c", "\"a \"\"b\"\"\n'=c\""),
        ] {
            assert_eq!(cell(&json!(text)), wanted);
        }
        assert_eq!(cell(&json!(-5)), "-5");
        assert_eq!(cell(&Value::Null), "");
        assert_eq!(cell(&json!({ "a": 1 })), "\"{\"\"a\"\":1}\"");
    }
}

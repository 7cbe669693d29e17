//! `/activity`: tool calls, changes, and both as files.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use quaymaster_app::activity::{
    CallChoices, CallFilter, CallRow, Ended, Event, EventFilter, Format, name_or_id,
};
use quaymaster_app::{Actor, App};
use quaymaster_core::id::{UserId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use serde_json::Value;

use super::answer::{Stop, shown};
use super::looking::{Looking, any, of_workspaces, read_id};
use super::person::{Administrator, Person};
use super::writers::Writers;
use crate::views::{ActivityPage, ActivityRow, ChangeRow, ChangesPage, Choice, Filter, Narrowing};

const CALLS: &str = "/activity";
const CHANGES: &str = "/activity/changes";
/// Rows of a page.
const ROWS: i64 = 50;
/// Characters of a value in the details of a change.
const LONGEST_VALUE: usize = 120;

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    Query(looking): Query<Looking>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let filter = call_filter(&looking)?;
    let mut calls = app.calls(actor, &filter, ROWS + 1).await?;
    let next = cut(&mut calls).then(|| calls.last().map(CallRow::position));
    let choices = app.call_choices(actor).await?;
    let page = ActivityPage {
        is_admin: actor.role.administers(),
        filter: filter_of_calls(&app, actor, &looking, choices).await?,
        next: next
            .flatten()
            .map(|at| looking.to(CALLS, &[("before", &at.to_string())])),
        calls: rows(&app, actor, calls, &looking).await?,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn export(
    State(app): State<App>,
    person: Person,
    Query(looking): Query<Looking>,
) -> Result<Response, Stop> {
    let format = format_of(&looking)?;
    let filter = call_filter(&looking)?;
    let rows = app.export_calls(&person.actor, filter, format).await?;
    Ok(file("calls", format, Body::from_stream(rows)))
}

pub(super) async fn changes(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    Query(looking): Query<Looking>,
) -> Result<Response, Stop> {
    let filter = event_filter(&looking)?;
    let mut events = app.events(&admin, &filter, ROWS + 1).await?;
    let next = cut(&mut events).then(|| events.last().map(Event::position));
    let actors: Vec<_> = events.iter().map(|event| event.actor.as_str()).collect();
    let workspaces = events.iter().filter_map(|event| event.workspace.clone());
    let names = Names::of(&app, &admin, &actors, workspaces).await?;
    let choices = app.event_choices(&admin).await?;
    let of_people = people_choices(choices.people, &looking.actor);
    let nouns = choices.nouns.into_iter().map(|noun| {
        let label = noun.replace('_', " ");
        (noun, label)
    });
    let workspaces = of_workspaces(&app, &admin, &looking.workspace).await?;
    let page = ChangesPage {
        filter: looking.filter(
            CHANGES,
            vec![
                narrowing("workspace", "Workspace", workspaces),
                narrowing("actor", "Person", of_people),
                narrowing("action", "What", any(nouns, &looking.action)),
            ],
            app.now(),
        ),
        next: next
            .flatten()
            .map(|at| looking.to(CHANGES, &[("before", &at.to_string())])),
        changes: events
            .into_iter()
            .map(|event| change(event, &names))
            .collect(),
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn export_changes(
    State(app): State<App>,
    Administrator { admin, .. }: Administrator,
    Query(looking): Query<Looking>,
) -> Result<Response, Stop> {
    let format = format_of(&looking)?;
    let filter = event_filter(&looking)?;
    let rows = app.export_events(&admin, filter, format).await?;
    Ok(file("changes", format, Body::from_stream(rows)))
}

fn file(name: &str, format: Format, body: Body) -> Response {
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.extension());
    let head = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (head, body).into_response()
}

fn format_of(looking: &Looking) -> Result<Format, Fault> {
    Format::from_name(&looking.format).ok_or_else(|| {
        Fault::new(Code::InvalidArg, "A file is csv or jsonl.").hint("Use the links of the page.")
    })
}

/// Takes what belongs to the next page away: whether there is one.
fn cut<T>(rows: &mut Vec<T>) -> bool {
    let most = usize::try_from(ROWS).unwrap_or(0);
    let has_more = rows.len() > most;
    rows.truncate(most);
    has_more
}

fn call_filter(looking: &Looking) -> Result<CallFilter, Fault> {
    let (from, to) = looking.days()?;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(CallFilter {
        workspace: read_id(&looking.workspace)?,
        is_of_workspaces: false,
        tool: text(&looking.tool),
        credential: read_id(&looking.credential)?,
        user: read_id(&looking.user)?,
        account: text(&looking.account),
        ended: match looking.outcome.as_str() {
            "" => None,
            "ok" => Some(Ended::Well),
            "failed" => Some(Ended::Failed),
            code => Some(Ended::With(code.to_owned())),
        },
        from,
        to,
        before: looking.before()?,
    })
}

fn event_filter(looking: &Looking) -> Result<EventFilter, Fault> {
    let (from, to) = looking.days()?;
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(EventFilter {
        workspace: read_id(&looking.workspace)?,
        actor: text(&looking.actor),
        action: text(&looking.action),
        from,
        to,
        before: looking.before()?,
    })
}

fn narrowing(key: &'static str, label: &'static str, choices: Vec<Choice>) -> Narrowing {
    Narrowing {
        key,
        label,
        choices,
    }
}

async fn filter_of_calls(
    app: &App,
    actor: &Actor,
    looking: &Looking,
    known: CallChoices,
) -> Result<Filter, Fault> {
    let same = |one: String| (one.clone(), one);
    let tools = any(known.tools.into_iter().map(same), &looking.tool);
    let credentials = known.credentials.into_iter();
    let credentials = credentials.map(|(id, name)| (id.to_string(), name));
    let accounts = any(known.accounts.into_iter().map(same), &looking.account);
    let outcomes = [("ok", "Went well"), ("failed", "Failed")];
    let outcomes = outcomes.map(|(value, label)| (value.to_owned(), label.to_owned()));
    let workspaces = of_workspaces(app, actor, &looking.workspace).await?;
    let narrowings = vec![
        narrowing("workspace", "Workspace", workspaces),
        narrowing("tool", "Tool", tools),
        narrowing(
            "credential",
            "Credential",
            any(credentials, &looking.credential),
        ),
        narrowing(
            "user",
            "Person",
            people_choices(known.people, &looking.user),
        ),
        narrowing("account", "Account", accounts),
        narrowing("outcome", "Outcome", any(outcomes, &looking.outcome)),
    ];
    Ok(looking.filter(CALLS, narrowings, app.now()))
}

fn people_choices(people: Vec<(UserId, String)>, chosen: &str) -> Vec<Choice> {
    let people = people.into_iter();
    any(people.map(|(id, name)| (id.to_string(), name)), chosen)
}

/// What stands in the place of ids.
struct Names {
    writers: Writers,
    workspaces: BTreeMap<WorkspaceId, String>,
}

impl Names {
    async fn of(
        app: &App,
        actor: &Actor,
        writers: &[&str],
        workspaces: impl Iterator<Item = WorkspaceId>,
    ) -> Result<Names, Fault> {
        Ok(Names {
            workspaces: app.names_of_workspaces(actor, workspaces).await?,
            writers: Writers::of(app, actor, writers).await?,
        })
    }

    /// A workspace by name, or by id when it is gone.
    fn workspace(&self, id: &WorkspaceId) -> String {
        name_or_id(&self.workspaces, id)
    }
}

/// Calls as pages show them.
pub(super) async fn rows(
    app: &App,
    actor: &Actor,
    calls: Vec<CallRow>,
    looking: &Looking,
) -> Result<Vec<ActivityRow>, Fault> {
    let credentials = calls.iter().map(|row| row.credential.as_str());
    let people = calls.iter().filter_map(|row| row.user.as_ref());
    let ids: Vec<_> = credentials.chain(people.map(UserId::as_str)).collect();
    let workspaces = calls.iter().filter_map(|row| row.workspace.clone());
    let names = Names::of(app, actor, &ids, workspaces).await?;
    let calls = calls.into_iter();
    Ok(calls.map(|row| call(row, &names, looking)).collect())
}

fn call(row: CallRow, names: &Names, looking: &Looking) -> ActivityRow {
    let credential = names.writers.credential(&row.credential);
    let person = row.user.as_ref().map(|user| names.writers.person(user));
    ActivityRow {
        at: row.started_at,
        tool_href: looking.to(CALLS, &[("tool", &row.tool)]),
        credential_href: looking.to(CALLS, &[("credential", row.credential.as_str())]),
        failed: row.failed(),
        tool: row.tool,
        accounts: row.accounts.map(|accounts| accounts.replace(',', ", ")),
        outcome: row.outcome,
        upstream_status: row.upstream_status,
        person: person.filter(|person| *person != credential),
        credential,
        workspace: row.workspace.map(|id| names.workspace(&id)),
        client: row.client,
        source: row.source,
        duration_ms: row.duration_us.max(0).cast_unsigned() / 1_000,
    }
}

fn change(event: Event, names: &Names) -> ChangeRow {
    let details = match event.details {
        Value::Object(fields) => fields,
        _ => serde_json::Map::new(),
    };
    let value = |value: Value| {
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        match text.char_indices().nth(LONGEST_VALUE) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    };
    ChangeRow {
        at: event.at,
        action: event.action,
        actor: names.writers.name(&event.actor),
        workspace: event.workspace.map(|id| names.workspace(&id)),
        details: details
            .into_iter()
            .filter(|(_, one)| !one.is_null())
            .map(|(name, one)| (name.replace('_', " "), value(one)))
            .collect(),
    }
}

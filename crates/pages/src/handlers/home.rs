//! `/`: first steps, what goes on, the list of workspaces, and making one.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use quaymaster_app::activity::CallFilter;
use quaymaster_app::call_usage::Window;
use quaymaster_app::caps::{self, InUse};
use quaymaster_app::connections::Connection;
use quaymaster_app::first_steps::Step;
use quaymaster_app::{Actor, App};
use quaymaster_core::{Code, Fault};

use super::answer::{Stop, shown};
use super::looking::Looking;
use super::paged::Asked;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, activity, tokens, usage, workspace};
use crate::views::pager::ROWS;
use crate::views::{BarChart, Failing, FailingRow, Field, HomePage, StepRow, Usage, WorkspaceRow};

/// Rows of the lists on the page.
const NEWEST: i64 = 8;
const FAILING: i64 = 20;

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let create = person.actor.role.administers().then(Field::default);
    let page = page(&app, person, create, asked).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct NewWorkspace {
    name: String,
}

impl Form for NewWorkspace {
    fn read(fields: &Fields) -> Self {
        NewWorkspace {
            name: fields.text("name"),
        }
    }
}

/// Answers with the first token of the workspace, which is shown here or never.
pub(super) async fn create(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<NewWorkspace>,
) -> Result<Response, Stop> {
    match pages.app.create_workspace(&admin, &form.name, None).await {
        Ok((workspace, fresh)) => {
            tokens::shown_once(&pages.app, person, &workspace, &fresh, false).await
        }
        Err(fault)
            if matches!(
                fault.code,
                Code::InvalidArg | Code::AlreadyExists | Code::SlugExists
            ) =>
        {
            let wrong = Field::wrong(form.name, fault.message);
            let page = page(&pages.app, person, Some(wrong), Asked::default()).await?;
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// Shows the first steps no more.
pub(super) async fn dismiss_steps(
    State(pages): State<Pages>,
    person: Person,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.dismiss_first_steps(&person.actor).await?;
    Ok(Redirect::to("/").into_response())
}

async fn page(
    app: &App,
    person: Person,
    create: Option<Field>,
    asked: Asked,
) -> Result<HomePage, Fault> {
    let actor = &person.actor;
    let (some, total) = app
        .workspaces_in_use(actor, &asked.query, ROWS, asked.offset())
        .await?;
    let steps = steps(app, actor).await?;
    let row = |one: InUse| WorkspaceRow {
        id: one.workspace.id.to_string(),
        endpoint: app.settings().endpoint(),
        calls: calls(&one.usage),
        last_call_at: one.last_call_at,
        name: one.workspace.name,
    };
    let workspaces = some.into_iter().map(row).collect();
    let (slots, measure) = app.calls_over_time(actor, Window::Today).await?;
    let recent = app.calls(actor, &CallFilter::default(), NEWEST).await?;
    Ok(HomePage {
        steps,
        pager: asked.pager("/", total),
        query: asked.query,
        workspaces,
        create,
        today: usage::figures(measure),
        calls: BarChart::new(&usage::moments(slots), Window::Today.slots().1),
        failing: failing(app, actor).await?,
        recent: activity::rows(app, actor, recent, &Looking::default()).await?,
        layout: person.layout,
    })
}

async fn steps(app: &App, actor: &Actor) -> Result<Vec<StepRow>, Fault> {
    let known = app.first_steps(actor).await?;
    if !known.are_open() {
        return Ok(Vec::new());
    }
    let (first, _) = app.workspaces_page(actor, "", 1, 0).await?;
    let first = first.first();
    let workspace = first.map_or_else(|| "/".to_owned(), |one| workspace::path(&one.id));
    let row = |(step, is_done): (Step, bool)| {
        let (title, help, href) = match step {
            Step::ConnectClient => (
                "Connect a client",
                "Copy the lines for Claude, Cursor, VS Code or another client. Done when it calls a tool.",
                workspace.clone(),
            ),
            Step::ConnectAccount => (
                "Connect an account",
                "Choose a service, so that agents can use it without ever seeing its credentials.",
                "/connectors".to_owned(),
            ),
            Step::MakeServer => (
                "Make a server",
                "An endpoint of its own with just the tools that you pick.",
                format!("{}/servers", workspace.trim_end_matches('/')),
            ),
            Step::InstallPack => (
                "Install a pack",
                "Ready-made flows for a service, which become tools of your agents at once.",
                match first {
                    Some(_) => format!("{workspace}/packs"),
                    None => "/".to_owned(),
                },
            ),
            Step::InviteSomebody => (
                "Invite somebody",
                "Others of your team, as members or administrators.",
                "/settings/members".to_owned(),
            ),
        };
        StepRow {
            title,
            help,
            href,
            is_done,
        }
    };
    Ok(known.steps.into_iter().map(row).collect())
}

/// Accounts of the organization that do not work. Those of end users are on their own pages.
async fn failing(app: &App, actor: &Actor) -> Result<Failing, Fault> {
    let (some, total) = app.failing_connections(actor, FAILING).await?;
    let row = |one: Connection| {
        Some(FailingRow {
            id: one.id.to_string(),
            address: format!("{}:{}", one.connector, one.name),
            problem: one.problem?,
        })
    };
    Ok(Failing {
        more: (total - FAILING).max(0).cast_unsigned(),
        rows: some.into_iter().filter_map(row).collect(),
    })
}

/// Calls of the day against the daily cap.
pub(super) fn calls(usage: &caps::Usage) -> Usage {
    Usage {
        used: usage.used.max(0).cast_unsigned(),
        limit: usage.cap.max(0).cast_unsigned(),
    }
}

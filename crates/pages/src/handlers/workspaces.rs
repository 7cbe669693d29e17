//! `/`, the list of workspaces, and making one.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::{App, caps};
use quaymaster_core::{Code, Fault};

use super::Pages;
use super::answer::{Stop, shown};
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::tokens;
use crate::views::{Field, Usage, WorkspaceRow, WorkspacesPage};

pub(super) async fn read(State(app): State<App>, person: Person) -> Result<Response, Stop> {
    let create = person.actor.role.administers().then(Field::default);
    let page = page(&app, person, create).await?;
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
        Ok((workspace, fresh)) => Ok(tokens::shown_once(
            &pages.app, person, &workspace, &fresh, false,
        )),
        Err(fault)
            if matches!(
                fault.code,
                Code::InvalidArg | Code::AlreadyExists | Code::SlugExists
            ) =>
        {
            let wrong = Field::wrong(form.name, fault.message);
            let page = page(&pages.app, person, Some(wrong)).await?;
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

async fn page(app: &App, person: Person, create: Option<Field>) -> Result<WorkspacesPage, Fault> {
    let mut rows = Vec::new();
    for workspace in app.workspaces(&person.actor).await? {
        let last = app
            .recent_calls(&person.actor, Some(&workspace.id), None, 1)
            .await?;
        rows.push(WorkspaceRow {
            id: workspace.id.to_string(),
            endpoint: app.settings().endpoint(),
            calls: calls(&app.usage(&workspace).await?),
            last_call_at: last.first().map(|call| call.started_at),
            name: workspace.name,
        });
    }
    Ok(WorkspacesPage {
        layout: person.layout,
        workspaces: rows,
        create,
    })
}

/// Calls of the day against the daily cap.
pub(super) fn calls(usage: &caps::Usage) -> Usage {
    Usage {
        used: usage.used.max(0).cast_unsigned(),
        limit: usage.cap.max(0).cast_unsigned(),
    }
}

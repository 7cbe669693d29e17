//! `/authorize`: what an OAuth client asks of a person, and what they answer (RFC 6749 §4.1).
//!
//! Only the button of the page grants anything. Nothing is looked up or fetched for somebody who is
//! not signed in, and the question that comes back with the form is checked again.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use quaymaster_app::App;
use quaymaster_app::oauth::authorize::{Asked, Granted, Unasked};
use quaymaster_core::{Code, Fault, Scope};

use super::answer::{LeadsAway, Stop, field_of, shown};
use super::api_keys;
use super::person::Person;
use super::posted::{Fields, Form, Posted};
use crate::views::{ConsentPage, WorkspaceChoice};

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    RawQuery(query): RawQuery,
) -> Result<Response, Stop> {
    let query = query.unwrap_or_default();
    let asked = asked(&app, &query).await?;
    let page = page(&app, person, &asked, query).await?;
    Ok(consent(StatusCode::OK, &page))
}

pub(super) struct Decision {
    /// The question: the query that the page was opened with.
    query: String,
    /// `allow` or `cancel`.
    answer: String,
    workspace: String,
    write: bool,
}

impl Form for Decision {
    fn read(fields: &Fields) -> Self {
        Decision {
            query: fields.text("query"),
            answer: fields.text("answer"),
            workspace: fields.text("workspace"),
            write: fields.one("write") == "yes",
        }
    }
}

pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    Posted(form): Posted<Decision>,
) -> Result<Response, Stop> {
    let asked = asked(&app, &form.query).await?;
    match form.answer.as_str() {
        "allow" => {}
        "cancel" => return Ok(Redirect::to(&app.authorization_denied(&asked)).into_response()),
        _ => {
            let fault = Fault::invalid_arg("/answer", "enum", "Allow it, or cancel.")
                .hint("Go back and use the buttons of the page.");
            return Err(fault.into());
        }
    }
    let granted = match form.workspace.parse() {
        Ok(workspace) => {
            let granted = Granted {
                workspace,
                write: form.write,
            };
            app.authorization_granted(&person.actor, &asked, &granted)
                .await
        }
        Err(_) => Err(Fault::invalid_arg(
            "/workspace",
            "required",
            "Choose the workspace that the client shall use.",
        )),
    };
    let fault = match granted {
        Ok(location) => return Ok(Redirect::to(&location).into_response()),
        Err(fault) => fault,
    };
    let mut page = page(&app, person, &asked, form.query).await?;
    page.chosen = Some(form.workspace);
    page.write = page.write.map(|_| form.write);
    match (fault.code, field_of(&fault)) {
        (Code::InvalidArg, Some("/write")) => page.write_error = Some(fault.message),
        // Deleted since the page was opened, or never one of theirs.
        (Code::NotFound, _) | (Code::InvalidArg, Some("/workspace")) => {
            page.workspace_error = Some(fault.message);
        }
        _ => return Err(fault.into()),
    }
    Ok(consent(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// The question, when a person may be asked.
async fn asked(app: &App, query: &str) -> Result<Asked, Stop> {
    app.authorization_asked(query)
        .await
        .map_err(|unasked| match unasked {
            Unasked::Told(fault) => fault.into(),
            Unasked::Answered(location) => Stop::Elsewhere(location),
        })
}

fn consent(status: StatusCode, page: &ConsentPage) -> Response {
    let mut response = shown(status, page);
    response.extensions_mut().insert(LeadsAway);
    response
}

async fn page(
    app: &App,
    person: Person,
    asked: &Asked,
    query: String,
) -> Result<ConsentPage, Fault> {
    let workspaces = api_keys::workspaces(app, &person.actor).await?;
    let chosen = match &workspaces[..] {
        [WorkspaceChoice { id, .. }] => Some(id.clone()),
        _ => None,
    };
    Ok(ConsentPage {
        query,
        client: asked.client.name.clone(),
        vouched_by: asked.client.vouched_by.clone(),
        destination: asked.redirect_uri.destination(),
        workspaces,
        chosen,
        workspace_error: None,
        may_create: person.actor.role.administers(),
        reads: asked.scopes.has(Scope::ReadTools),
        write: asked.scopes.has(Scope::WriteTools).then_some(true),
        write_error: None,
        layout: person.layout,
    })
}

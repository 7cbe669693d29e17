//! `/authorize`: what an OAuth client asks of a person, and what they answer (RFC 6749 §4.1).
//!
//! Only the button of the page grants anything. Nothing is fetched for somebody who is not signed
//! in, and the question that comes back with the form is checked again.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use quaymaster_app::App;
use quaymaster_app::oauth::authorize::{Asked, Granted, Unasked};
use quaymaster_app::oauth::redirect::Destination;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault, Scope};

use super::answer::{LeadsAway, Stop, field_of, shown};
use super::connections::said;
use super::mixing::Ticked;
use super::person::{Person, Visitor};
use super::posted::{Fields, Form, Posted};
use super::{choosing, mixing};
use crate::views::{ConsentPage, ErrorPage, OneOf};

const KIND: TokenKind = TokenKind::OAuthGrant;

pub(super) async fn read(
    State(app): State<App>,
    person: Result<Person, Stop>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Response, Stop> {
    let query = query.unwrap_or_default();
    // A question that nobody can answer is told before anybody signs in for it.
    let asker = person.as_ref().ok().map(|person| &person.actor.user);
    match (app.authorization_asked(&query, asker).await, person) {
        (Ok(asked), Ok(person)) => {
            let page = page(&app, person, &asked, query).await?;
            Ok(consent(StatusCode::OK, &page))
        }
        (Ok(_) | Err(Unasked::SignInFirst), Err(sign_in)) => Err(sign_in),
        (Err(unasked), _) => refused(unasked, visitor),
    }
}

pub(super) struct Decision {
    /// The question: the query that the page was opened with.
    query: String,
    /// `allow` or `cancel`.
    answer: String,
    workspace: String,
    write: bool,
    mix: Option<Ticked>,
}

impl Form for Decision {
    const MOST: usize = mixing::MOST;
    fn read(fields: &Fields) -> Self {
        Decision {
            query: fields.text("query"),
            answer: fields.text("answer"),
            workspace: fields.text("workspace"),
            write: fields.one("write") == "yes",
            mix: Ticked::read(fields),
        }
    }
}

pub(super) async fn submit(
    State(app): State<App>,
    person: Person,
    visitor: Visitor,
    Posted(form): Posted<Decision>,
) -> Result<Response, Stop> {
    let asked = match app
        .authorization_asked(&form.query, Some(&person.actor.user))
        .await
    {
        Ok(asked) => asked,
        Err(unasked) => return refused(unasked, visitor),
    };
    match form.answer.as_str() {
        "allow" => {}
        "cancel" => return Ok(Redirect::to(&app.authorization_denied(&asked)).into_response()),
        _ => {
            let fault = Fault::invalid_arg("/answer", "enum", "Allow it, or cancel.")
                .hint("Go back and use the buttons of the page.");
            return Err(fault.into());
        }
    }
    let named = choosing::workspace(&app, &person.actor, &form.workspace).await;
    let (workspace, unknown) = match named {
        Ok(found) => (found.map(|found| found.id), None),
        Err(fault) if fault.code == Code::InvalidArg => (None, Some(fault)),
        Err(fault) => return Err(fault.into()),
    };
    // A hosted server has its own tools.
    let ticked = form.mix.as_ref().filter(|_| asked.server.is_none());
    let of_mix = mixing::asked(&app, &person.actor, KIND, workspace.as_ref(), ticked).await;
    let granted = match (unknown, of_mix) {
        (Some(fault), _) | (None, Err(fault)) => Err(fault),
        (None, Ok(ticked)) => {
            let granted = Granted {
                workspace: workspace.clone(),
                write: form.write,
                ticked,
            };
            app.authorization_granted(&person.actor, &asked, &granted)
                .await
        }
    };
    let fault = match granted {
        Ok(location) => return Ok(Redirect::to(&location).into_response()),
        Err(fault) => fault,
    };
    let mix = match &asked.server {
        Some(_) => None,
        None => Some(mixing::picker(&app, &person.actor, KIND, workspace.as_ref(), ticked).await?),
    };
    let mut page = page(&app, person, &asked, form.query).await?;
    page.mix = mix;
    page.workspaces.put(&form.workspace);
    page.write = page.write.map(|_| form.write);
    match (fault.code, field_of(&fault)) {
        _ if page.mix.is_some()
            && (mixing::is_about(&fault) || fault.code == Code::ScopeDenied) =>
        {
            if let Some(mix) = &mut page.mix {
                mix.error = Some(said(fault));
            }
        }
        (Code::InvalidArg, Some("/write")) => page.write_error = Some(fault.message),
        // Deleted since the page was opened, or never one of theirs.
        (Code::NotFound, _) | (Code::InvalidArg, Some("/workspace")) if page.server.is_none() => {
            page.workspace_error = Some(fault.message);
        }
        _ => return Err(fault.into()),
    }
    Ok(consent(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// Why nobody is asked. A program on this computer hears of it at once; for a site of the web the
/// person follows a link, since anybody may have registered it.
fn refused(unasked: Unasked, visitor: Visitor) -> Result<Response, Stop> {
    let answered = match unasked {
        Unasked::Told(fault) => return Err(fault.into()),
        Unasked::SignInFirst => return Err(Stop::Elsewhere("/sign-in".to_owned())),
        Unasked::Answered(answered) => answered,
    };
    let Destination::Host(host) = answered.destination else {
        return Err(Stop::Elsewhere(answered.location));
    };
    let status = StatusCode::BAD_REQUEST;
    let page = ErrorPage {
        layout: visitor.layout,
        status: status.as_u16(),
        code: Some(answered.error.code.name().to_owned()),
        message: answered.error.description,
        hint: Some(
            "The program that sent you here asked for something that cannot be granted.".to_owned(),
        ),
        back_href: answered.location,
        back_label: format!("Go back to {host}"),
    };
    Ok(shown(status, &page))
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
    let server = match &asked.server {
        Some(server) => Some(app.server_asked(&person.actor, server).await?),
        None => None,
    };
    let workspaces = match &server {
        Some(_) => OneOf::default(),
        None => choosing::workspaces(app, &person.actor).await?,
    };
    // The flows of which workspace, is known when one is chosen.
    let at: Option<WorkspaceId> = workspaces.value().parse().ok();
    let mix = match &server {
        Some(_) => None,
        None => Some(mixing::picker(app, &person.actor, KIND, at.as_ref(), None).await?),
    };
    Ok(ConsentPage {
        query,
        client: asked.client.name.clone(),
        vouched_by: asked.client.vouched_by.clone(),
        destination: asked.redirect_uri.destination(),
        server,
        workspaces,
        workspace_error: None,
        may_create: person.actor.role.administers(),
        reads: asked.scopes.has(Scope::ReadTools),
        write: asked.scopes.has(Scope::WriteTools).then_some(true),
        write_error: None,
        mix,
        layout: person.layout,
    })
}

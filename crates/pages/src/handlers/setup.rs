//! `/setup/{token}`: somebody without an account here connects an account of theirs. Opening the
//! link uses nothing up, connecting does.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::REFRESH;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::connect_sessions::{FailedLink, Invited, LINK_IN_USE};
use quaymaster_app::connections::{self, Connection};
use quaymaster_app::connectors::{Way, ways};
use quaymaster_core::id::ConnectSessionId;
use quaymaster_core::{Code, Fault};

use super::Pages;
use super::answer::{At, LeadsAway, Stop, shown};
use super::connectors::Chosen;
use super::person::Visitor;
use super::posted::{Fields, Form, PostedOutside};
use super::{authorizations, connections as accounts};
use crate::views::{SetupForm, SetupPage, SetupState, WayChoice};

pub(super) async fn read(
    State(app): State<App>,
    visitor: Visitor,
    At(token): At<String>,
    chosen: Result<Query<Chosen>, QueryRejection>,
) -> Result<Response, Stop> {
    let chosen = chosen.map(|Query(chosen)| chosen).unwrap_or_default();
    let page = page(&app, visitor, token, &chosen.auth).await?;
    let status = match page.state {
        SetupState::Gone => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    };
    Ok(leading_away(status, &page))
}

pub(super) struct Account {
    auth: String,
    fields: connections::Fields,
}

impl Form for Account {
    fn read(fields: &Fields) -> Self {
        Account {
            auth: fields.text("auth"),
            fields: connections::Fields(fields.below(accounts::PREFIX)),
        }
    }
}

pub(super) async fn connect(
    State(pages): State<Pages>,
    visitor: Visitor,
    At(token): At<String>,
    PostedOutside(form): PostedOutside<Account>,
) -> Result<Response, Stop> {
    let connected = pages
        .app
        .connect_by_link(&token, Some(form.auth.clone()), form.fields.clone());
    let fault = match connected.await {
        Ok((session, connection)) => {
            return Ok(done(&pages, visitor, &connection, &session.id).await?);
        }
        Err(fault) => fault,
    };
    refused(&pages, visitor, token, &form, fault).await
}

/// Somebody goes to the service to sign in there, and comes back to the page that ends every sign-in.
pub(super) async fn sign_in(
    State(pages): State<Pages>,
    visitor: Visitor,
    At(token): At<String>,
    PostedOutside(form): PostedOutside<Account>,
) -> Result<Response, Stop> {
    let begun = pages
        .app
        .begin_by_link(&token, Some(form.auth.clone()), form.fields.clone());
    match begun.await {
        Ok(begun) => authorizations::away(&pages, &begun.id).await,
        Err(fault) => refused(&pages, visitor, token, &form, fault).await,
    }
}

/// The account is connected: the person goes on where they came from.
pub(super) async fn done(
    pages: &Pages,
    visitor: Visitor,
    connection: &Connection,
    session: &ConnectSessionId,
) -> Result<Response, Fault> {
    let (service, next) = pages.app.after_link(connection, session).await?;
    let page = SetupPage {
        layout: visitor.layout,
        token: String::new(),
        state: SetupState::Done {
            service,
            label: connection.label.clone(),
            next: next.clone(),
        },
    };
    Ok(going_on(shown(StatusCode::OK, &page), next))
}

/// Nothing came of a sign-in at the service: the person goes on where the developer wants to tell them, or
/// tries again.
pub(super) fn failed(visitor: Visitor, link: FailedLink) -> Response {
    let page = SetupPage {
        layout: visitor.layout,
        token: link.token,
        state: SetupState::Failed {
            service: link.service,
            problem: link.problem,
            next: link.next.clone(),
        },
    };
    going_on(shown(StatusCode::OK, &page), link.next)
}

/// Not a redirect: browsers hold those of a form to this site's own policy.
fn going_on(mut response: Response, next: Option<String>) -> Response {
    let next = next.and_then(|url| HeaderValue::from_str(&format!("0; url={url}")).ok());
    if let Some(next) = next {
        response.headers_mut().insert(REFRESH, next);
    }
    response
}

/// The form again, with what was wrong.
async fn refused(
    pages: &Pages,
    visitor: Visitor,
    token: String,
    form: &Account,
    fault: Fault,
) -> Result<Response, Stop> {
    if fault.has_detail(LINK_IN_USE) {
        let page = SetupPage {
            layout: visitor.layout,
            token,
            state: SetupState::InUse,
        };
        return Ok(shown(StatusCode::CONFLICT, &page));
    }
    if fault.code == Code::NotFound {
        let page = page(&pages.app, visitor, token, "").await?;
        return Ok(shown(StatusCode::NOT_FOUND, &page));
    }
    if !matches!(
        fault.code,
        Code::InvalidArg | Code::AlreadyExists | Code::UpstreamError
    ) {
        return Err(fault.into());
    }
    let mut page = page(&pages.app, visitor, token, &form.auth).await?;
    if let SetupState::Asks(again) = &mut page.state {
        accounts::keep(&mut again.inputs, &form.fields);
        again.error = accounts::place(&mut again.inputs, fault);
    }
    Ok(leading_away(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// Its form may lead to the service.
fn leading_away(status: StatusCode, page: &SetupPage) -> Response {
    let mut response = shown(status, page);
    response.extensions_mut().insert(LeadsAway);
    response
}

async fn page(
    app: &App,
    visitor: Visitor,
    token: String,
    chosen: &str,
) -> Result<SetupPage, Fault> {
    let state = match app.invited_to_connect(&token).await {
        Ok(invited) => SetupState::Asks(form(&invited, chosen)),
        Err(fault) if fault.code == Code::NotFound => SetupState::Gone,
        Err(fault) => return Err(fault),
    };
    Ok(SetupPage {
        layout: visitor.layout,
        token,
        state,
    })
}

fn form(invited: &Invited, chosen: &str) -> SetupForm {
    let definition = &invited.definition;
    let mut all = ways(definition);
    if let Some(only) = &invited.session.auth {
        all.retain(|way| way.key == *only);
    }
    let shown = all
        .iter()
        .find(|way| way.key == chosen)
        .or_else(|| all.iter().find(|way| way.is_typed()))
        .or(all.first());
    let docs = definition.docs_url.clone();
    SetupForm {
        service: definition.title.clone(),
        organization: invited.organization.clone(),
        expires_at: invited.session.expires_at,
        docs_url: docs.filter(|url| url.starts_with("https://")),
        way: shown.map(|way| way.key.clone()).unwrap_or_default(),
        is_typed: shown.is_none_or(Way::is_typed),
        help: shown.and_then(|way| way.help.clone()),
        inputs: shown.map(accounts::inputs).unwrap_or_default(),
        error: None,
        ways: all
            .into_iter()
            .map(|way| WayChoice {
                key: way.key,
                title: way.title,
            })
            .collect(),
    }
}

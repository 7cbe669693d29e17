//! `/invitation/{id}`: opening it uses nothing up, joining does.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use quaymaster_app::App;
use quaymaster_app::links::LinkState;
use quaymaster_core::{Code, Fault};

use super::answer::{self, At, Stop, field_of, shown};
use super::members::label_of;
use super::notice::Notice;
use super::person::{AskedBy, Newcomer, Visitor};
use super::posted::{Fields, Form, Posted, PostedOutside};
use super::{Pages, cookie, local};
use crate::views::{Field, InvitationPage, InvitationState, Invited};

pub(super) async fn read(
    State(app): State<App>,
    visitor: Visitor,
    At(id): At<String>,
) -> Result<Response, Stop> {
    let page = page(&app, visitor, id).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Newly {
    name: String,
    password: String,
}

impl Form for Newly {
    fn read(fields: &Fields) -> Self {
        Newly {
            name: fields.text("name"),
            password: fields.text("password"),
        }
    }
}

/// Somebody new joins.
pub(super) async fn join(
    State(pages): State<Pages>,
    visitor: Visitor,
    AskedBy(browser): AskedBy,
    At(id): At<String>,
    PostedOutside(form): PostedOutside<Newly>,
) -> Result<Response, Stop> {
    if visitor.is_signed_in {
        // The page of somebody signed in has no such form.
        let page = page(&pages.app, visitor, id).await?;
        return Ok(shown(StatusCode::FORBIDDEN, &page));
    }
    let joined = pages
        .app
        .accept_as_new(&id, &form.name, form.password, &browser);
    let fault = match joined.await {
        Ok(secret) => {
            let mut response = answer::done(&pages, "/", Notice::Joined);
            cookie::add(&mut response, &cookie::signed_in(&pages.app, &secret));
            return Ok(response);
        }
        Err(fault) => fault,
    };
    let status = match fault.code {
        Code::InvalidArg => StatusCode::UNPROCESSABLE_ENTITY,
        // Meanwhile used, taken back, or the address has an account now: the page says which.
        Code::Forbidden | Code::AlreadyExists => StatusCode::FORBIDDEN,
        _ => return Err(fault.into()),
    };
    let mut page = page(&pages.app, visitor, id).await?;
    if let InvitationState::New {
        name,
        password_error,
        ..
    } = &mut page.state
    {
        *name = Field::new(form.name);
        match field_of(&fault) {
            Some("/name") => name.error = Some(fault.message),
            Some("/password") => *password_error = Some(fault.message),
            _ => return Err(fault.into()),
        }
    }
    Ok(shown(status, &page))
}

/// Somebody who is signed in joins.
pub(super) async fn accept(
    State(pages): State<Pages>,
    newcomer: Newcomer,
    At(id): At<String>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    match pages.app.accept_as(&newcomer.browser, &id).await {
        Ok(()) => Ok(Redirect::to("/").into_response()),
        Err(fault) if fault.code == Code::AlreadyExists => Err(fault.into()),
        Err(fault) if fault.code == Code::Forbidden => {
            let visitor = Visitor::from(newcomer);
            let page = page(&pages.app, visitor, id).await?;
            Ok(shown(StatusCode::FORBIDDEN, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

async fn page(app: &App, visitor: Visitor, id: String) -> Result<InvitationPage, Fault> {
    let link = app.invitation(&id).await?;
    let invitation = link.named.invitation;
    let about = Invited {
        organization: link.named.organization,
        role: label_of(invitation.role),
        inviter: link.named.inviter,
        email: invitation.email,
        expires_at: invitation.expires_at,
    };
    let user = visitor.layout.user.as_ref();
    let state = match link.state {
        LinkState::Expired => InvitationState::Expired,
        LinkState::Used => InvitationState::Used,
        LinkState::Withdrawn => InvitationState::Withdrawn,
        LinkState::Good => match user {
            Some(user) if user.email == about.email => InvitationState::Accept { about },
            Some(_) => InvitationState::SomebodyElse { about },
            None if link.has_account => InvitationState::SignIn {
                about,
                next: local::leading_to("/sign-in", &format!("/invitation/{id}")),
            },
            None => InvitationState::New {
                about,
                name: Field::default(),
                password_error: None,
            },
        },
    };
    Ok(InvitationPage {
        layout: visitor.layout,
        id,
        state,
    })
}

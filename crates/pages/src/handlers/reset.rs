//! `/reset/{id}`: opening it uses nothing up, setting the password does. `/forgot-password` asks
//! for such a link.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::account::Made;
use quaymaster_app::links::LinkState;
use quaymaster_core::{Code, Fault};

use super::Pages;
use super::answer::{self, At, Stop, field_of, shown};
use super::notice::Notice;
use super::person::{AskedBy, Visitor};
use super::posted::{Fields, Form, PostedOutside};
use crate::views::{Field, ForgotPage, ResetPage, ResetState};

pub(super) async fn read(
    State(app): State<App>,
    visitor: Visitor,
    At(id): At<String>,
) -> Result<Response, Stop> {
    let page = page(&app, visitor, id).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct NewPassword {
    password: String,
    made: Made,
}

impl Form for NewPassword {
    fn read(fields: &Fields) -> Self {
        NewPassword {
            password: fields.text("password"),
            made: made(fields),
        }
    }
}

/// Whether what was made in the person's name is to go, too.
pub(super) fn made(fields: &Fields) -> Made {
    match fields.one("revoke") {
        "yes" => Made::Revoked,
        _ => Made::Kept,
    }
}

pub(super) async fn submit(
    State(pages): State<Pages>,
    visitor: Visitor,
    At(id): At<String>,
    PostedOutside(form): PostedOutside<NewPassword>,
) -> Result<Response, Stop> {
    let notice = match form.made {
        Made::Kept => Notice::PasswordSet,
        Made::Revoked => Notice::PasswordSetAndRevoked,
    };
    let done = pages.app.use_reset(&id, form.password, form.made).await;
    let fault = match done {
        Ok(()) => return Ok(answer::done(&pages, "/sign-in", notice)),
        Err(fault) => fault,
    };
    let status = match fault.code {
        Code::InvalidArg => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Forbidden => StatusCode::FORBIDDEN,
        _ => return Err(fault.into()),
    };
    let mut page = page(&pages.app, visitor, id).await?;
    if let ResetState::Ready {
        password_error,
        revoke,
        ..
    } = &mut page.state
        && field_of(&fault) == Some("/password")
    {
        *password_error = Some(fault.message);
        *revoke = form.made == Made::Revoked;
    }
    Ok(shown(status, &page))
}

async fn page(app: &App, visitor: Visitor, id: String) -> Result<ResetPage, Fault> {
    let link = app.reset_link(&id).await?;
    Ok(ResetPage {
        layout: visitor.layout,
        id,
        state: match link.state {
            LinkState::Good => ResetState::Ready {
                email: link.email,
                revoke: false,
                password_error: None,
            },
            LinkState::Expired => ResetState::Expired,
            LinkState::Used => ResetState::Used,
            LinkState::Withdrawn => ResetState::Withdrawn,
        },
    })
}

/// Only where the server sends mail.
pub(super) async fn forgot(State(app): State<App>, visitor: Visitor) -> Result<Response, Stop> {
    if !app.sends_mail() {
        return Err(answer::no_page().into());
    }
    Ok(shown(StatusCode::OK, &asking(visitor)))
}

pub(super) struct Forgotten {
    email: String,
}

impl Form for Forgotten {
    fn read(fields: &Fields) -> Self {
        Forgotten {
            email: fields.text("email"),
        }
    }
}

/// The same answer whether somebody has the address or not.
pub(super) async fn ask(
    State(app): State<App>,
    visitor: Visitor,
    AskedBy(browser): AskedBy,
    PostedOutside(form): PostedOutside<Forgotten>,
) -> Result<Response, Stop> {
    let mut page = asking(visitor);
    page.email = Field::new(form.email.trim());
    let status = match app.forgot_password(&form.email, &browser) {
        Ok(()) => {
            page.asked = true;
            StatusCode::OK
        }
        Err(fault) if fault.code == Code::RateLimited => {
            page.refused = Some(fault.message);
            StatusCode::TOO_MANY_REQUESTS
        }
        Err(fault) => return Err(fault.into()),
    };
    Ok(shown(status, &page))
}

fn asking(visitor: Visitor) -> ForgotPage {
    ForgotPage {
        layout: visitor.layout,
        email: Field::default(),
        asked: false,
        refused: None,
    }
}

//! `/welcome`: who you are, asked once after the first sign-in.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use quaymaster_core::Code;

use super::answer::{Stop, field_of, shown};
use super::person::Newcomer;
use super::posted::{Fields, Form, Posted};
use super::{Pages, local};
use crate::views::{Field, WelcomePage};

pub(super) async fn read(newcomer: Newcomer, RawQuery(query): RawQuery) -> Response {
    let next = local::next_of(query.as_deref());
    if newcomer.browser.member.has_password {
        return Redirect::to(&next).into_response();
    }
    let page = WelcomePage {
        organization: Field::new(newcomer.layout.organization.clone().unwrap_or_default()),
        layout: newcomer.layout,
        name: Field::default(),
        email: Field::default(),
        password_error: None,
        refused: None,
        next,
    };
    shown(StatusCode::OK, &page)
}

pub(super) struct Introduction {
    name: String,
    email: String,
    password: String,
    organization: String,
    next: String,
}

impl Form for Introduction {
    fn read(fields: &Fields) -> Self {
        Introduction {
            name: fields.text("name"),
            email: fields.text("email"),
            password: fields.text("password"),
            organization: fields.text("organization"),
            next: fields.text("next"),
        }
    }
}

pub(super) async fn submit(
    State(pages): State<Pages>,
    newcomer: Newcomer,
    Posted(form): Posted<Introduction>,
) -> Result<Response, Stop> {
    let next = local::path(&form.next);
    if newcomer.browser.member.has_password {
        // Whoever finds a browser signed in must not set another password with it.
        return Ok(Redirect::to(next).into_response());
    }
    let organization = Some(form.organization.as_str());
    let set_up = pages
        .app
        .set_up_user(
            &newcomer.actor,
            &form.name,
            &form.email,
            form.password,
            organization,
        )
        .await;
    let Err(fault) = set_up else {
        return Ok(Redirect::to(next).into_response());
    };
    let field = match fault.code {
        Code::AlreadyExists => Some("/email"),
        Code::InvalidArg => field_of(&fault),
        _ => return Err(fault.into()),
    };
    let mut page = WelcomePage {
        layout: newcomer.layout,
        name: Field::new(form.name),
        email: Field::new(form.email),
        password_error: None,
        organization: Field::new(form.organization),
        refused: None,
        next: next.to_owned(),
    };
    let place = match field {
        Some("/name") => &mut page.name.error,
        Some("/email") => &mut page.email.error,
        Some("/password") => &mut page.password_error,
        Some("/organization") => &mut page.organization.error,
        _ => &mut page.refused,
    };
    *place = Some(fault.message);
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

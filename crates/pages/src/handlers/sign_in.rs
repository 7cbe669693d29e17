//! `/sign-in` and `/sign-out`.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use quaymaster_core::Code;

use super::answer::{self, Stop, shown};
use super::notice::Notice;
use super::person::{AskedBy, Newcomer, Visitor};
use super::posted::{Fields, Form, Posted, PostedOutside};
use super::{Pages, cookie, local, way_back};
use crate::views::{Field, SignInPage};

pub(super) async fn read(
    State(pages): State<Pages>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let next = local::next_of(query.as_deref());
    if visitor.is_signed_in {
        return Redirect::to(&next).into_response();
    }
    let page = SignInPage {
        layout: visitor.layout,
        email: Field::default(),
        password_error: None,
        refused: None,
        next: next.clone(),
        mails: pages.app.sends_mail(),
    };
    let mut response = shown(StatusCode::OK, &page);
    way_back::remember(&pages.app, &mut response, &next);
    response
}

pub(super) struct Credentials {
    email: String,
    password: String,
    next: String,
}

impl Form for Credentials {
    fn read(fields: &Fields) -> Self {
        Credentials {
            email: fields.text("email"),
            password: fields.text("password"),
            next: fields.text("next"),
        }
    }
}

pub(super) async fn submit(
    State(pages): State<Pages>,
    visitor: Visitor,
    AskedBy(browser): AskedBy,
    PostedOutside(form): PostedOutside<Credentials>,
) -> Result<Response, Stop> {
    let next = local::path(&form.next);
    let signed_in = pages
        .app
        .sign_in_by_password(&form.email, form.password, &browser)
        .await;
    let fault = match signed_in {
        Ok(secret) => {
            let mut response = Redirect::to(next).into_response();
            cookie::add(&mut response, &cookie::signed_in(&pages.app, &secret));
            way_back::forget(&pages.app, &mut response);
            return Ok(response);
        }
        Err(fault) => fault,
    };
    let status = match fault.code {
        // Not 401, which would need a challenge that browsers answer with a dialog of their own.
        Code::Unauthenticated => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ => return Err(fault.into()),
    };
    let page = SignInPage {
        layout: visitor.layout,
        next: next.to_owned(),
        email: Field::new(form.email),
        password_error: None,
        refused: Some(fault.message),
        mails: pages.app.sends_mail(),
    };
    Ok(shown(status, &page))
}

pub(super) struct SignOut {
    /// Where to go on; to the sign-in page when it is empty.
    next: String,
}

impl Form for SignOut {
    fn read(fields: &Fields) -> Self {
        SignOut {
            next: fields.text("next"),
        }
    }
}

pub(super) async fn sign_out(
    State(pages): State<Pages>,
    newcomer: Newcomer,
    Posted(form): Posted<SignOut>,
) -> Result<Response, Stop> {
    pages.app.sign_out(&newcomer.browser.session).await?;
    let next = match form.next.as_str() {
        "" => "/sign-in",
        next => local::path(next),
    };
    let mut response = answer::done(&pages, next, Notice::SignedOut);
    cookie::add(&mut response, &cookie::signed_out(&pages.app));
    Ok(response)
}

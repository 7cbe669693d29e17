//! `/settings/account`: name and password, signed-in browsers, organizations.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use quaymaster_app::App;
use quaymaster_app::account::Made;
use quaymaster_app::browsers::BrowserSession;
use quaymaster_app::members::AfterLeaving;
use quaymaster_app::organizations::Membership;
use quaymaster_core::id::{OrgId, SessionId};
use quaymaster_core::{Code, Fault};

use super::answer::{self, At, Stop, field_of, shown};
use super::members::label_of;
use super::notice::Notice;
use super::person::Person;
use super::posted::{Fields, Form, Posted};
use super::{Pages, cookie, local, reset};
use crate::views::{AccountPage, BrowserRow, Field, Flash, OrganizationRow, Tone};

const PATH: &str = "/settings/account";

pub(super) async fn read(State(app): State<App>, person: Person) -> Result<Response, Stop> {
    let page = page(&app, person).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct NewName {
    name: String,
}

impl Form for NewName {
    fn read(fields: &Fields) -> Self {
        NewName {
            name: fields.text("name"),
        }
    }
}

pub(super) async fn rename(
    State(pages): State<Pages>,
    person: Person,
    Posted(form): Posted<NewName>,
) -> Result<Response, Stop> {
    match pages.app.rename_user(&person.browser, &form.name).await {
        Ok(()) => Ok(answer::done(&pages, PATH, Notice::NameSet)),
        Err(fault) if fault.code == Code::InvalidArg => {
            let mut page = page(&pages.app, person).await?;
            page.name = Field::wrong(form.name, fault.message);
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) struct NewPassword {
    current: String,
    password: String,
    made: Made,
}

impl Form for NewPassword {
    fn read(fields: &Fields) -> Self {
        NewPassword {
            current: fields.text("current"),
            password: fields.text("password"),
            made: reset::made(fields),
        }
    }
}

pub(super) async fn change_password(
    State(pages): State<Pages>,
    person: Person,
    Posted(form): Posted<NewPassword>,
) -> Result<Response, Stop> {
    let changed =
        pages
            .app
            .change_password(&person.browser, form.current, form.password, form.made);
    let notice = match form.made {
        Made::Kept => Notice::PasswordChanged,
        Made::Revoked => Notice::PasswordChangedAndRevoked,
    };
    let fault = match changed.await {
        Ok(()) => return Ok(answer::done(&pages, PATH, notice)),
        Err(fault) => fault,
    };
    let status = match fault.code {
        Code::InvalidArg => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        _ => return Err(fault.into()),
    };
    let mut page = page(&pages.app, person).await?;
    page.revoke = form.made == Made::Revoked;
    if field_of(&fault) == Some("/password") {
        page.password_error = Some(fault.message);
    } else {
        page.current_error = Some(fault.message);
    }
    Ok(shown(status, &page))
}

pub(super) async fn sign_out_browser(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<SessionId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.end_browser(&person.browser, &id).await?;
    if id == person.browser.session.id {
        let mut response = answer::done(&pages, "/sign-in", Notice::SignedOut);
        cookie::add(&mut response, &cookie::signed_out(&pages.app));
        return Ok(response);
    }
    Ok(answer::done(&pages, PATH, Notice::BrowserSignedOut))
}

pub(super) async fn sign_out_others(
    State(pages): State<Pages>,
    person: Person,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.end_other_browsers(&person.browser).await?;
    Ok(answer::done(&pages, PATH, Notice::BrowsersSignedOut))
}

pub(super) struct Switch {
    next: String,
}

impl Form for Switch {
    fn read(fields: &Fields) -> Self {
        Switch {
            next: fields.text("next"),
        }
    }
}

pub(super) async fn switch(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<OrgId>,
    Posted(form): Posted<Switch>,
) -> Result<Response, Stop> {
    pages.app.switch_organization(&person.browser, &id).await?;
    if form.next.is_empty() {
        return Ok(answer::done(&pages, "/", Notice::Switched));
    }
    Ok(Redirect::to(local::path(&form.next)).into_response())
}

pub(super) async fn leave(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<OrgId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    match pages.app.leave_in_browser(&person.browser, &id).await {
        Ok(AfterLeaving::SignedIn) => Ok(answer::done(&pages, PATH, Notice::Left)),
        Ok(AfterLeaving::SignedOut) => {
            let mut response = answer::done(&pages, "/sign-in", Notice::LeftLast);
            cookie::add(&mut response, &cookie::signed_out(&pages.app));
            Ok(response)
        }
        Err(fault) if fault.code == Code::Forbidden => {
            let mut page = page(&pages.app, person).await?;
            page.layout.flash = Some(refused(fault));
            Ok(shown(StatusCode::FORBIDDEN, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// What a rule says against it, at the top of the page that was asked from.
pub(super) fn refused(fault: Fault) -> Flash {
    let message = match fault.hint {
        Some(hint) => format!("{} {hint}", fault.message),
        None => fault.message,
    };
    Flash {
        tone: Tone::Failed,
        message,
    }
}

async fn page(app: &App, person: Person) -> Result<AccountPage, Fault> {
    let browser = &person.browser;
    let this = &browser.session;
    let browser_row = |session: BrowserSession| BrowserRow {
        is_this: session.id == this.id,
        id: session.id.to_string(),
        agent: session.agent,
        address: session.address,
        signed_in_at: session.created_at,
        last_seen_at: session.last_seen_at,
    };
    let organization_row = |one: Membership| OrganizationRow {
        is_this: one.org == this.org,
        id: one.org.to_string(),
        name: one.name,
        role: label_of(one.role),
        joined_at: one.joined_at,
    };
    let browsers = app.browsers(browser).await?;
    let organizations = app.organizations_of(browser).await?;
    Ok(AccountPage {
        name: Field::new(&browser.member.name),
        email: browser.member.email.clone().unwrap_or_default(),
        current_error: None,
        password_error: None,
        revoke: false,
        browsers: browsers.into_iter().map(browser_row).collect(),
        organizations: organizations.into_iter().map(organization_row).collect(),
        layout: person.layout,
    })
}

//! Accounts that sign in at their service: the organization's app, the way there, and the way back.
//!
//! The browser that is sent to a service keeps a cookie for that one sign-in, and nobody else's way
//! back completes it.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use quaymaster_app::App;
use quaymaster_app::connections::{
    Aim, Author, Authorization, Callback, Flow, NewConnection, Started,
};
use quaymaster_core::id::{AuthorizationId, ConnectionId};
use quaymaster_core::{Code, Fault};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::answer::{self, At, LeadsAway, Stop, field_of, shown};
use super::connectors::NewAccount;
use super::notice::Notice;
use super::person::{Administrator, Person, Visitor};
use super::posted::{Fields, Form, Posted};
use super::{Pages, choosing, connections as accounts, connectors, cookie, paged, setup};
use crate::views::address::segment;
use crate::views::{AuthorizationPage, DeviceView, Field, Underway};

/// As long as a sign-in may take.
const COOKIE_SECONDS: i64 = 600;

pub(super) struct NewApp {
    auth: String,
    client_id: String,
    client_secret: String,
}

impl Form for NewApp {
    fn read(fields: &Fields) -> Self {
        NewApp {
            auth: fields.text("auth"),
            client_id: fields.text("client_id"),
            client_secret: fields.text("client_secret"),
        }
    }
}

pub(super) async fn set_app(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(key): At<String>,
    Posted(form): Posted<NewApp>,
) -> Result<Response, Stop> {
    let secret = SecretString::from(form.client_secret);
    let secret = (!secret.expose_secret().is_empty()).then_some(secret);
    let set = pages
        .app
        .set_oauth_app(&admin, &key, &form.client_id, secret);
    let Err(fault) = set.await else {
        let path = connectors::path(&key);
        let path = format!("{path}?auth={}", segment(&form.auth));
        return Ok(answer::done(&pages, &path, Notice::OAuthAppSet));
    };
    if fault.code != Code::InvalidArg {
        return Err(fault.into());
    }
    let mut page = connectors::page(
        &pages.app,
        person,
        &key,
        &form.auth,
        paged::Asked::default(),
    )
    .await?;
    let again = page.connecting.as_mut().ok_or_else(Fault::internal)?;
    match (field_of(&fault), again.signing_in.as_mut()) {
        (Some("/client_id"), Some(app)) => {
            app.client_id = Field::wrong(form.client_id, accounts::said(fault));
        }
        (Some("/client_secret"), Some(app)) => {
            app.client_id = Field::new(form.client_id);
            app.secret_error = Some(accounts::said(fault));
        }
        _ => again.error = Some(accounts::said(fault)),
    }
    Ok(connectors::leading_away(
        StatusCode::UNPROCESSABLE_ENTITY,
        &page,
    ))
}

pub(super) struct NewSignIn {
    account: NewAccount,
    flow: Option<Flow>,
}

impl Form for NewSignIn {
    fn read(fields: &Fields) -> Self {
        NewSignIn {
            account: NewAccount::read(fields),
            flow: flow(fields),
        }
    }
}

fn flow(fields: &Fields) -> Option<Flow> {
    match fields.one("flow") {
        "code" => Some(Flow::Code),
        "device" => Some(Flow::Device),
        _ => None,
    }
}

pub(super) async fn begin(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(key): At<String>,
    Posted(form): Posted<NewSignIn>,
) -> Result<Response, Stop> {
    let NewSignIn { account, flow } = form;
    let workspace = match choosing::workspace(&pages.app, &admin, &account.workspace).await {
        Ok(found) => found.map(|found| found.id),
        Err(fault) => return connectors::again(&pages, person, &key, account, fault).await,
    };
    let name = account.name.trim();
    let aim = Aim::New(Box::new(NewConnection {
        connector: key.clone(),
        name: (!name.is_empty()).then(|| name.to_owned()),
        auth: Some(account.auth.clone()),
        fields: account.fields.clone(),
        workspace,
        is_local: account.is_local,
        ..NewConnection::default()
    }));
    let author = Author::from(&admin);
    match pages.app.begin_authorization(&author, aim, flow).await {
        Ok(begun) => go_on(&pages, &begun).await,
        Err(fault) => connectors::again(&pages, person, &key, account, fault).await,
    }
}

pub(super) struct Again {
    flow: Option<Flow>,
}

impl Form for Again {
    fn read(fields: &Fields) -> Self {
        Again { flow: flow(fields) }
    }
}

pub(super) async fn begin_again(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<ConnectionId>,
    Posted(form): Posted<Again>,
) -> Result<Response, Stop> {
    let author = Author::from(&admin);
    let begun = pages
        .app
        .begin_authorization(&author, Aim::Again(id), form.flow)
        .await?;
    go_on(&pages, &begun).await
}

/// To the service, or to the page with the code for another device.
async fn go_on(pages: &Pages, begun: &Authorization) -> Result<Response, Stop> {
    match begun.flow {
        Flow::Code => away(pages, &begun.id).await,
        Flow::Device => Ok(Redirect::to(&path(&begun.id)).into_response()),
    }
}

pub(super) async fn away(pages: &Pages, id: &AuthorizationId) -> Result<Response, Stop> {
    let Started { url, browser } = pages.app.start_authorization(id).await?;
    let mut response = Redirect::to(&url).into_response();
    let name = cookie_of(id.as_str());
    let kept = cookie::write(&pages.app, &name, browser.expose_secret(), COOKIE_SECONDS);
    cookie::add(&mut response, &kept);
    Ok(response)
}

/// One for each sign-in, so that two windows do not get into each other's way.
fn cookie_of(id: &str) -> String {
    format!("quaymaster-{id}")
}

fn path(id: &AuthorizationId) -> String {
    format!("/connections/authorize/{}", segment(id.as_str()))
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<AuthorizationId>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let mut found = app.authorization(actor, &id).await?;
    let is_own = found.user == actor.user && actor.role.administers();
    if is_own && found.flow == Flow::Device {
        found = app.poll_authorization(&id).await?;
    }
    let connector = app.connector(actor, &found.connector).await?;
    let underway = match (&found.connected, &found.problem) {
        (Some(connected), _) => Underway::Done {
            account: accounts::path(connected),
        },
        (None, Some(problem)) => Underway::Failed {
            problem: problem.clone(),
        },
        (None, None) if found.expires_at <= app.now() || found.used_at.is_some() => {
            Underway::Failed {
                problem: "Nobody signed in in time.".to_owned(),
            }
        }
        (None, None) => match found.device {
            Some(device) => Underway::OnDevice(DeviceView {
                user_code: device.user_code,
                address: device
                    .verification_uri_complete
                    .unwrap_or_else(|| device.verification_uri.clone()),
                shown_address: device.verification_uri,
                seconds: device.interval.max(2),
            }),
            None if is_own => Underway::ToGo,
            None => Underway::NotYours,
        },
    };
    let page = AuthorizationPage {
        layout: person.layout,
        id: found.id.to_string(),
        connector_key: connector.definition.key.clone(),
        connector_title: connector.definition.title.clone(),
        underway,
    };
    let mut response = shown(StatusCode::OK, &page);
    response.extensions_mut().insert(LeadsAway);
    Ok(response)
}

/// Only whoever began it is sent to the service: an account is not connected by somebody who was
/// given a link.
pub(super) async fn go(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<AuthorizationId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let found = pages.app.authorization(&admin, &id).await?;
    if found.user != admin.user {
        let message = "Somebody else began this sign-in.";
        return Err(Fault::new(Code::Forbidden, message)
            .hint("Begin your own on the page of the connector.")
            .into());
    }
    away(&pages, &id).await
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Back {
    state: String,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    iss: Option<String>,
}

pub(super) async fn callback(
    State(pages): State<Pages>,
    visitor: Visitor,
    headers: HeaderMap,
    back: Result<Query<Back>, QueryRejection>,
) -> Result<Response, Stop> {
    // What cannot be read is no way back from anywhere.
    let back = back.map(|Query(back)| back).unwrap_or_default();
    let id = back.state.split('.').next().unwrap_or_default().to_owned();
    let name = cookie_of(&id);
    let browser = cookie::read(&pages.app, &headers, &name).map(str::to_owned);
    let back = Callback {
        state: back.state,
        code: back.code.map(SecretString::from),
        error: back.error,
        error_description: back.error_description,
        iss: back.iss,
    };
    let browser = browser.as_deref();
    let completed = pages.app.complete_authorization(back, browser).await;
    let completed = match (completed, id.parse(), browser) {
        (Ok(completed), ..) => completed,
        (Err(fault), Ok(id), Some(browser)) => {
            return match pages.app.failed_link(&id, browser).await? {
                Some(link) => Ok(setup::failed(visitor, link)),
                None => Err(fault.into()),
            };
        }
        (Err(fault), ..) => return Err(fault.into()),
    };
    let of_link = match id.parse() {
        Ok(id) => pages.app.session_of_authorization(&id).await?,
        Err(_) => None,
    };
    if let Some(session) = of_link {
        let mut response = setup::done(&pages, visitor, &completed, &session).await?;
        cookie::add(&mut response, &cookie::write(&pages.app, &name, "", 0));
        return Ok(response);
    }
    let notice = match (&completed.problem, completed.verified_at) {
        (Some(_), _) => Notice::AccountSaved,
        (None, Some(_)) => Notice::AccountConnected,
        (None, None) => Notice::AccountUntried,
    };
    let mut response = answer::done(&pages, &accounts::path(&completed.id), notice);
    cookie::add(&mut response, &cookie::write(&pages.app, &name, "", 0));
    Ok(response)
}

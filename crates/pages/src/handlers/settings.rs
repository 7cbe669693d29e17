//! `/settings`: the organization's name, and how to reach the server.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::connect_lines::TOKEN_PLACEHOLDER;
use quaymaster_app::isolation::{told_of_javascript, told_of_python};
use quaymaster_core::Code;

use super::answer::{self, Stop, shown};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, connect};
use crate::views::{Field, SettingsPage};

pub(super) async fn read(State(app): State<App>, person: Person) -> Response {
    let name = person.layout.organization.clone().unwrap_or_default();
    shown(StatusCode::OK, &page(&app, person, Field::new(name)))
}

pub(super) struct NewName {
    organization: String,
}

impl Form for NewName {
    fn read(fields: &Fields) -> Self {
        NewName {
            organization: fields.text("organization"),
        }
    }
}

pub(super) async fn rename(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<NewName>,
) -> Result<Response, Stop> {
    let renamed = pages.app.rename_organization(&admin, &form.organization);
    match renamed.await {
        Ok(()) => Ok(answer::done(&pages, "/settings", Notice::Renamed)),
        Err(fault) if fault.code == Code::InvalidArg => {
            let wrong = Field::wrong(form.organization, fault.message);
            let page = page(&pages.app, person, wrong);
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

/// How programs are held on this machine, as far as it was tried.
fn isolation(app: &App) -> Vec<String> {
    let Some(tried) = app.isolation() else {
        return vec!["It is being tried how this machine holds them.".to_owned()];
    };
    let (Ok(javascript) | Err(javascript)) = told_of_javascript(&tried.javascript);
    let (Ok(python) | Err(python)) = told_of_python(&tried.python);
    vec![
        format!("JavaScript: {javascript}"),
        format!("Python: {python}"),
    ]
}

fn page(app: &App, person: Person, organization: Field) -> SettingsPage {
    let settings = app.settings();
    SettingsPage {
        organization,
        may_edit: person.actor.role.administers(),
        public_url: settings.public_url.clone(),
        endpoint: settings.endpoint(),
        info_url: format!("{}/api/v1/mcp/info", settings.public_url),
        isolation: isolation(app),
        connect: connect::without_token(app),
        placeholder: TOKEN_PLACEHOLDER,
        layout: person.layout,
    }
}

//! `/workspaces/{id}/flow-secrets`: secrets of flows set and deleted, never shown.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::{Actor, App};
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::{Code, Fault};
use secrecy::SecretString;

use super::answer::{self, At, Stop, field_of, shown};
use super::connections::said;
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::writers::Writers;
use super::{Pages, place};
use crate::views::{Field, FlowSecretRow, FlowSecretsPage, Layout};

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
) -> Result<Response, Stop> {
    let page = page(&app, &person.actor, person.layout, &id).await?;
    Ok(shown(StatusCode::OK, &page))
}

async fn page(
    app: &App,
    actor: &Actor,
    layout: Layout,
    id: &WorkspaceId,
) -> Result<FlowSecretsPage, Fault> {
    let place = place::find(app, actor, id).await?;
    let secrets = app.flow_secrets(actor, id).await?;
    let ids: Vec<_> = secrets
        .iter()
        .map(|secret| secret.made_by.as_str())
        .collect();
    let writers = Writers::of(app, actor, &ids).await?;
    let secrets = secrets.into_iter();
    Ok(FlowSecretsPage {
        secrets: secrets
            .map(|secret| FlowSecretRow {
                name: secret.name,
                made_by: writers.name(&secret.made_by),
                changed_at: secret.changed_at,
            })
            .collect(),
        name: Field::default(),
        value_error: None,
        error: None,
        place,
        layout,
    })
}

pub(super) struct Given {
    name: String,
    value: SecretString,
}

impl Form for Given {
    fn read(fields: &Fields) -> Self {
        Given {
            name: fields.one("name").trim().to_owned(),
            value: fields.text("value").into(),
        }
    }
}

pub(super) async fn set(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Given>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    let set = app
        .set_flow_secret(&admin, &id, &form.name, &form.value)
        .await;
    let Err(fault) = set else {
        let place = place::find(app, &admin, &id).await?;
        let path = format!("{}/flow-secrets", place.path());
        return Ok(answer::done(&pages, &path, Notice::SecretSet));
    };
    if !matches!(fault.code, Code::InvalidArg | Code::QuotaExceeded) {
        return Err(fault.into());
    }
    let mut page = page(app, &admin, person.layout, &id).await?;
    page.name.value = form.name;
    match field_of(&fault) {
        Some("/name") => page.name.error = Some(said(fault)),
        Some("/value") => page.value_error = Some(said(fault)),
        _ => page.error = Some(said(fault)),
    }
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(super) struct OneSecret {
    name: String,
}

impl Form for OneSecret {
    fn read(fields: &Fields) -> Self {
        OneSecret {
            name: fields.text("name"),
        }
    }
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<OneSecret>,
) -> Result<Response, Stop> {
    let place = place::find(&pages.app, &admin, &id).await?;
    pages
        .app
        .delete_flow_secret(&admin, &id, &form.name)
        .await?;
    let path = format!("{}/flow-secrets", place.path());
    Ok(answer::done(&pages, &path, Notice::SecretDeleted))
}

//! `/workspaces/{id}/end-users` and `/end-users/{id}`: the people of a developer's own product.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::end_users::{self, NewEndUser};
use quaymaster_core::id::{EndUserId, WorkspaceId};
use quaymaster_core::{Code, Fault};

use super::answer::{self, At, Stop, field_of, no_page, shown};
use super::connections::said;
use super::notice::Notice;
use super::paged::Asked;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, choosing, place};
use crate::views::address::segment;
use crate::views::pager::ROWS;
use crate::views::{
    EndUserAccount, EndUserForm, EndUserPage, EndUserRow, EndUsersPage, Field, SetupLinkView,
};

pub(super) async fn list(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let page = list_page(&app, &admin, person, &id, asked).await?;
    Ok(shown(StatusCode::OK, &page))
}

async fn list_page(
    app: &App,
    admin: &quaymaster_app::Admin,
    person: Person,
    id: &WorkspaceId,
    asked: Asked,
) -> Result<EndUsersPage, Fault> {
    let place = place::find(app, admin, id).await?;
    let offset = asked.offset();
    let (end_users, total) = app.end_users(admin, id, &asked.query, ROWS, offset).await?;
    let row = |row: end_users::EndUserRow| EndUserRow {
        id: row.end_user.id.to_string(),
        external_id: row.end_user.external_id,
        name: row.end_user.display_name,
        email: row.end_user.email,
        accounts: row.connections,
        created_at: row.end_user.created_at,
    };
    Ok(EndUsersPage {
        end_users: end_users.into_iter().map(row).collect(),
        pager: asked.pager(&path(id), total),
        layout: person.layout,
        place,
        query: asked.query,
        form: EndUserForm::default(),
    })
}

fn path(id: &WorkspaceId) -> String {
    format!("/workspaces/{}/end-users", segment(id.as_str()))
}

pub(super) struct Given {
    external_id: String,
    name: String,
    email: String,
}

impl Form for Given {
    fn read(fields: &Fields) -> Self {
        let trimmed = |name| fields.one(name).trim().to_owned();
        Given {
            external_id: trimmed("external_id"),
            name: trimmed("name"),
            email: trimmed("email"),
        }
    }
}

pub(super) async fn create(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Posted(given): Posted<Given>,
) -> Result<Response, Stop> {
    let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
    let new = NewEndUser {
        external_id: given.external_id.clone(),
        display_name: filled(&given.name),
        email: filled(&given.email),
        ..NewEndUser::default()
    };
    let fault = match pages.app.create_end_user(&admin, &id, new).await {
        Ok(made) => {
            let path = format!("/end-users/{}", segment(made.id.as_str()));
            return Ok(answer::done(&pages, &path, Notice::EndUserMade));
        }
        Err(fault) => fault,
    };
    let mut form = EndUserForm {
        external_id: Field::new(given.external_id),
        name: Field::new(given.name),
        email: Field::new(given.email),
        error: None,
    };
    match (fault.code, field_of(&fault)) {
        (Code::AlreadyExists, _) | (_, Some("/external_id")) => {
            form.external_id.error = Some(said(fault));
        }
        (_, Some("/display_name")) => form.name.error = Some(said(fault)),
        (_, Some("/email")) => form.email.error = Some(said(fault)),
        (Code::InvalidArg, _) => form.error = Some(said(fault)),
        _ => return Err(fault.into()),
    }
    let mut page = list_page(&pages.app, &admin, person, &id, Asked::default()).await?;
    page.form = form;
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(super) async fn read(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<EndUserId>,
) -> Result<Response, Stop> {
    let page = page(&app, &admin, person, &id).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct For {
    integration: String,
}

impl Form for For {
    fn read(fields: &Fields) -> Self {
        For {
            integration: fields.text("integration"),
        }
    }
}

/// The page that shows a link, which whoever has it can use.
pub(super) async fn link(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<EndUserId>,
    Posted(form): Posted<For>,
) -> Result<Response, Stop> {
    let mut page = page(&app, &admin, person, &id).await?;
    page.integrations.put(&form.integration);
    let workspace = page.place.id.parse().map_err(|_| Stop::from(no_page()))?;
    let named = app.integration_named(&admin, &workspace, form.integration.trim());
    let integration = match named.await {
        Ok(found) => found,
        Err(fault) if fault.code == Code::NotFound => {
            page.integration_error = Some("The workspace has no such integration.".to_owned());
            return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
        }
        Err(fault) => return Err(fault.into()),
    };
    let made = app
        .end_user_link(&admin, &id, Some(&integration.id), None, None)
        .await?;
    page.link = Some(SetupLinkView {
        url: made.url,
        expires_at: made.expires_at,
        alias: integration.alias,
    });
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<EndUserId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let end_user = pages.app.end_user(&admin, &id).await?;
    pages.app.delete_end_user(&admin, &id).await?;
    let list = path(&end_user.workspace);
    Ok(answer::done(&pages, &list, Notice::EndUserDeleted))
}

async fn page(
    app: &App,
    admin: &quaymaster_app::Admin,
    person: Person,
    id: &EndUserId,
) -> Result<EndUserPage, Fault> {
    let end_user = app.end_user(admin, id).await?;
    let accounts = app.end_user_accounts(admin, id).await?;
    let integrations = choosing::integrations(app, admin, &end_user.workspace, true).await?;
    Ok(EndUserPage {
        place: place::find(app, admin, &end_user.workspace).await?,
        layout: person.layout,
        id: id.to_string(),
        external_id: end_user.external_id,
        name: end_user.display_name,
        email: end_user.email,
        created_at: end_user.created_at,
        accounts: accounts
            .into_iter()
            .map(|one| EndUserAccount {
                connector: one.connector,
                name: one.name,
                label: one.label,
                problem: one.problem,
                connected_at: one.created_at,
            })
            .collect(),
        integrations,
        integration_error: None,
        link: None,
    })
}

//! `/workspaces/{id}`: the page of one workspace, its cap and its deleted files.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::trash::EntryType;
use quaymaster_app::workspaces::WorkspaceChange;
use quaymaster_app::{Actor, App, activity};
use quaymaster_core::id::{CredentialId, TrashId, WorkspaceId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault};

use super::answer::{self, At, Stop, shown};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, connect, connected_clients, home, mixing, place, tokens};
use crate::views::address::segment;
use crate::views::{CallRow, Field, Flash, TokenForm, Tone, TrashRow, Usage, WorkspacePage};

const CALLS: i64 = 25;
/// Deleted files on the page, newest first. Older ones are restored by agents and the API.
const DELETED: usize = 100;

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
) -> Result<Response, Stop> {
    let page = page(&app, person, &id).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct NewCap {
    cap: String,
}

impl Form for NewCap {
    fn read(fields: &Fields) -> Self {
        NewCap {
            cap: fields.text("cap"),
        }
    }
}

pub(super) async fn set_cap(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<NewCap>,
) -> Result<Response, Stop> {
    let set = match form.cap.trim().parse() {
        Ok(cap) => {
            let change = WorkspaceChange {
                daily_cap: Some(cap),
                ..WorkspaceChange::default()
            };
            pages.app.update_workspace(&admin, &id, change).await
        }
        Err(_) => Err(Fault::invalid_arg(
            "/daily_cap",
            "type",
            "A daily cap is a whole number of calls.",
        )),
    };
    match set {
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::CapSet)),
        Err(fault) if fault.code == Code::InvalidArg => {
            let mut page = page(&pages.app, person, &id).await?;
            page.cap = Some(Field::wrong(form.cap, fault.message));
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) struct Deleted {
    item: String,
}

impl Form for Deleted {
    fn read(fields: &Fields) -> Self {
        Deleted {
            item: fields.text("item"),
        }
    }
}

pub(super) async fn restore(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Deleted>,
) -> Result<Response, Stop> {
    let restored = match form.item.parse::<TrashId>() {
        Ok(item) => pages.app.restore(&person.actor, &id, item, None).await,
        Err(_) => Err(Fault::not_found("Nothing deleted has that id.")),
    };
    match restored {
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::Restored)),
        // Somebody else restored it, or something new is in its place.
        Err(fault) if matches!(fault.code, Code::NotFound | Code::AlreadyExists) => {
            let mut page = page(&pages.app, person, &id).await?;
            page.layout.flash = Some(Flash {
                tone: Tone::Failed,
                message: fault.message,
            });
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) fn path(id: &WorkspaceId) -> String {
    format!("/workspaces/{}", segment(id.as_str()))
}

/// The page with empty forms.
pub(super) async fn page(
    app: &App,
    person: Person,
    id: &WorkspaceId,
) -> Result<WorkspacePage, Fault> {
    let actor = &person.actor;
    let workspace = app.workspace(actor, id).await?;
    let calls = app.usage(&workspace).await?;
    let storage = app.storage(actor, id).await?;
    let recent = app.recent_calls(actor, id, CALLS).await?;
    let credentials = recent.iter().map(|row| row.credential.clone());
    let names = app.credential_names(&actor.org, credentials).await?;
    let is_admin = actor.role.administers();
    Ok(WorkspacePage {
        place: place::of(actor, &workspace),
        id: workspace.id.to_string(),
        endpoint: app.settings().endpoint(),
        connect: connect::without_token(app),
        tokens: tokens::rows(app, actor, id).await?,
        token_form: Some(TokenForm {
            mix: mixing::picker(app, actor, TokenKind::WorkspaceToken, Some(id), None).await?,
            ..TokenForm::default()
        }),
        clients: connected_clients::rows(app, actor, id).await?,
        calls: home::calls(&calls),
        resets_at: calls.reset_at,
        cap: is_admin.then(|| Field::new(workspace.daily_cap.to_string())),
        storage: Usage {
            used: storage.used_bytes,
            limit: storage.quota_bytes.max(0).cast_unsigned(),
        },
        recent: recent.into_iter().map(|row| call(row, &names)).collect(),
        trash: trash(app, actor, id).await?,
        name: workspace.name,
        layout: person.layout,
    })
}

fn call(row: activity::CallRow, names: &BTreeMap<CredentialId, String>) -> CallRow {
    let failed = row.failed();
    CallRow {
        at: row.started_at,
        tool: row.tool,
        credential: activity::name_or_id(names, &row.credential),
        failed,
        client: row.client,
        outcome: row.outcome,
        duration_ms: row.duration_us.max(0).cast_unsigned() / 1_000,
        source: row.source,
        // With a place to break between them.
        accounts: row.accounts.map(|accounts| accounts.replace(',', ", ")),
        upstream_status: row.upstream_status,
    }
}

async fn trash(app: &App, actor: &Actor, id: &WorkspaceId) -> Result<Vec<TrashRow>, Fault> {
    let items = app.trash(actor, id).await?;
    let newest = items.into_iter().rev().take(DELETED);
    Ok(newest
        .map(|item| TrashRow {
            id: item.id.to_string(),
            path: item.path,
            is_directory: item.kind == EntryType::Directory,
            size: item.bytes,
            deleted_at: item.deleted_at,
            kept_until: Some(item.restorable_until),
        })
        .collect())
}

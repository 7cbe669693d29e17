//! `/settings/api-keys`: listed, made and revoked.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::activity::name_or_id;
use quaymaster_app::credentials::{self, Credential, Fresh, NewApiKey};
use quaymaster_app::workspaces::Workspace;
use quaymaster_app::{Actor, App};
use quaymaster_core::caller::Reach;
use quaymaster_core::id::{CredentialId, WorkspaceId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault, Scope, Scopes};
use secrecy::ExposeSecret as _;

use super::answer::{self, At, Stop, field_of, shown};
use super::connections::said;
use super::mixing::Ticked;
use super::notice::Notice;
use super::paged::Asked;
use super::person::Person;
use super::posted::{Fields, Form, Posted};
use super::{Pages, choosing, connect, mixing, writers};
use crate::views::pager::ROWS;
use crate::views::{ApiKeyForm, ApiKeyRow, ApiKeysPage, Expiry, Field, FreshKeyPage};

const PATH: &str = "/settings/api-keys";
const KIND: TokenKind = TokenKind::ApiKey;

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let workspaces = choosing::workspaces(&app, &person.actor).await?;
    let mut form = ApiKeyForm::new(person.actor.scopes, workspaces);
    let files = form.files.value().parse().ok();
    form.mix = mixing::picker(&app, &person.actor, KIND, files.as_ref(), None).await?;
    let page = page(&app, person, asked, form).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct NewKey {
    name: String,
    /// None when one of them is unknown.
    scopes: Option<Scopes>,
    /// The id, slug or name of a workspace; empty for none.
    files: String,
    /// The same, of the workspaces that it manages; empty for the organization.
    only: Vec<String>,
    expiry: Option<Expiry>,
    mix: Option<Ticked>,
}

impl Form for NewKey {
    const MOST: usize = mixing::MOST;
    fn read(fields: &Fields) -> Self {
        NewKey {
            name: fields.text("name"),
            scopes: fields
                .all("scopes")
                .map(|scope| scope.parse::<Scope>().ok())
                .collect(),
            files: fields.text("files"),
            only: fields
                .all("only")
                .flat_map(str::lines)
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty())
                .collect(),
            expiry: Expiry::from_value(fields.one("expiry")),
            mix: Ticked::read(fields),
        }
    }
}

pub(super) async fn create(
    State(app): State<App>,
    person: Person,
    Posted(form): Posted<NewKey>,
) -> Result<Response, Stop> {
    let (Some(scopes), Some(expiry)) = (form.scopes, form.expiry) else {
        return Err(no_such_choice());
    };
    let actor = &person.actor;
    let (files, files_error) = at_field(choosing::workspace(&app, actor, &form.files).await)?;
    let (only, only_error) = at_field(choosing::some_workspaces(&app, actor, &form.only).await)?;
    let chosen = files.as_ref().map(|workspace| &workspace.id);
    let ticked = form.mix.as_ref();
    // Without the workspaces that were meant, there is no key.
    let made = if files_error.is_some() || only_error.is_some() {
        Ok(None)
    } else {
        let new = NewApiKey {
            name: form.name.clone(),
            scopes: Some(scopes),
            expires: match expiry.days() {
                Some(days) => credentials::Expiry::Days(days),
                None => credentials::Expiry::Never,
            },
            ..NewApiKey::default()
        };
        make(&app, actor, new, &only, chosen, ticked)
            .await
            .map(Some)
    };
    let fault = match made {
        Ok(Some(fresh)) => {
            let key = fresh.token.expose_secret();
            let files = files.filter(|_| only.is_empty());
            let page = FreshKeyPage {
                layout: person.layout,
                name: fresh.credential.name.clone(),
                key: key.to_owned(),
                scopes: fresh.credential.scopes,
                expires_at: fresh.credential.expires_at,
                only: listed(only.into_iter().map(|workspace| workspace.name)),
                files: files.map(|workspace| workspace.name),
                size: mixing::size(&app, &fresh.credential).await?,
                connect: connect::with_token(&app, key),
            };
            return Ok(shown(StatusCode::OK, &page));
        }
        Ok(None) => None,
        Err(fault) => Some(fault),
    };
    let workspaces = choosing::workspaces(&app, &person.actor).await?;
    let mut again = ApiKeyForm {
        name: Field::new(form.name),
        ticked: scopes,
        files_error,
        expiry,
        mix: mixing::picker(&app, &person.actor, KIND, chosen, ticked).await?,
        ..ApiKeyForm::new(person.actor.scopes, workspaces)
    };
    again.files.put(form.files.trim());
    again.only.put(&form.only, only_error);
    if let Some(fault) = fault {
        match (fault.code, field_of(&fault)) {
            _ if mixing::is_about(&fault) => again.mix.error = Some(said(fault)),
            (Code::InvalidArg, Some("/name")) => again.name.error = Some(fault.message),
            (Code::InvalidArg, Some("/scopes")) | (Code::ScopeDenied, _) => {
                again.scopes_error = Some(fault.message);
            }
            _ => return Err(fault.into()),
        }
    }
    let page = page(&app, person, Asked::default(), again).await?;
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// What a field names, or why it names nothing.
fn at_field<T: Default>(found: Result<T, Fault>) -> Result<(T, Option<String>), Fault> {
    match found {
        Ok(found) => Ok((found, None)),
        Err(fault) if fault.code == Code::InvalidArg => Ok((T::default(), Some(said(fault)))),
        Err(fault) => Err(fault),
    }
}

/// A key of these workspaces, which has neither files nor tools; without any, one of the organization.
async fn make(
    app: &App,
    actor: &Actor,
    mut new: NewApiKey,
    only: &[Workspace],
    files: Option<&WorkspaceId>,
    ticked: Option<&Ticked>,
) -> Result<Fresh, Fault> {
    if only.is_empty() {
        new.ticked = mixing::asked(app, actor, KIND, files, ticked).await?;
        new.files = files.cloned();
    } else {
        let ids = only.iter().map(|workspace| workspace.id.clone());
        new.reach = Reach::Workspaces(Arc::new(ids.collect()));
    }
    app.create_api_key(actor, new).await
}

/// Names in a sentence; none for no name.
fn listed(names: impl Iterator<Item = String>) -> Option<String> {
    let names: Vec<String> = names.collect();
    (!names.is_empty()).then(|| names.join(", "))
}

pub(super) async fn revoke(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<CredentialId>,
    Query(asked): Query<Asked>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let key = pages.app.api_key(&person.actor, id.as_str()).await?;
    pages.app.revoke(&person.actor, &key.id).await?;
    Ok(answer::done(&pages, &asked.back(PATH), Notice::KeyRevoked))
}

fn no_such_choice() -> Stop {
    Fault::invalid_arg("/", "enum", "The form has a choice that does not exist.")
        .hint("Go back and send the form of the page.")
        .into()
}

/// The key as far as it may be shown again.
fn without_secret(id: &CredentialId) -> String {
    let bare = id.as_str().trim_start_matches(CredentialId::PREFIX);
    format!("sk-org-{}…", bare.trim_start_matches('_'))
}

async fn page(
    app: &App,
    person: Person,
    asked: Asked,
    form: ApiKeyForm,
) -> Result<ApiKeysPage, Fault> {
    let actor = &person.actor;
    let (keys, total) = app.api_keys(actor, ROWS, asked.offset()).await?;
    let people = app
        .member_names(&actor.org, keys.iter().map(|key| key.user.clone()))
        .await?;
    let named = keys.iter().flat_map(|key| {
        let only = match &key.reach {
            Reach::Organization => None,
            Reach::Workspaces(ids) => Some(&**ids),
        };
        let only = only.into_iter().flatten();
        key.workspace.iter().chain(only).cloned()
    });
    let named: Vec<WorkspaceId> = named.collect();
    let names = app.names_of_workspaces(actor, named).await?;
    let now = app.now();
    let name_of = |id: &WorkspaceId| name_or_id(&names, id);
    let row = |key: Credential| ApiKeyRow {
        shown: without_secret(&key.id),
        owner: writers::name_of(&people, &key.user),
        expired: key.is_expired(now),
        only: match &key.reach {
            Reach::Organization => None,
            Reach::Workspaces(ids) => listed(ids.iter().map(name_of)),
        },
        files: key.workspace.as_ref().map(name_of),
        mix: mixing::said(&key.mix),
        id: key.id.to_string(),
        name: key.name,
        scopes: key.scopes,
        created_at: key.created_at,
        expires_at: key.expires_at,
        last_used_at: key.last_used_at,
    };
    Ok(ApiKeysPage {
        layout: person.layout,
        pager: asked.pager(PATH, total),
        keys: keys.into_iter().map(row).collect(),
        form,
    })
}

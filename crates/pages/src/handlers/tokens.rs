//! `/workspaces/{id}/tokens`: made, replaced and revoked; and the `.env` file of a fresh one.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use quaymaster_app::connect_lines;
use quaymaster_app::credentials::{Credential, Fresh, NewWorkspaceToken, Origin};
use quaymaster_app::workspaces::Workspace;
use quaymaster_app::{Actor, App};
use quaymaster_core::id::{CredentialId, WorkspaceId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault, Scope};
use secrecy::ExposeSecret as _;

use super::answer::{self, At, Stop, shown};
use super::connections::said;
use super::mixing::Ticked;
use super::notice::Notice;
use super::person::Person;
use super::posted::{Fields, Form, Posted};
use super::{Pages, connect, mixing, workspace, writers};
use crate::views::{Access, Field, FreshTokenPage, TokenForm, TokenRow};

pub(super) struct NewToken {
    name: String,
    access: String,
    mix: Option<Ticked>,
}

impl Form for NewToken {
    const MOST: usize = mixing::MOST;
    fn read(fields: &Fields) -> Self {
        NewToken {
            name: fields.text("name"),
            access: fields.text("access"),
            mix: Ticked::read(fields),
        }
    }
}

pub(super) async fn create(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<NewToken>,
) -> Result<Response, Stop> {
    let access = Access::from_value(&form.access).ok_or_else(|| {
        Fault::invalid_arg("/access", "enum", "Choose what the token may do.")
            .hint("Go back and send the form of the page.")
    })?;
    let kind = TokenKind::WorkspaceToken;
    let ticked = form.mix.as_ref();
    let asked = mixing::asked(&app, &person.actor, kind, Some(&id), ticked).await;
    let made = match asked {
        Ok(ticked) => {
            let new = NewWorkspaceToken {
                name: form.name.clone(),
                read_only: access == Access::ReadOnly,
                ticked,
            };
            app.create_workspace_token(&person.actor, &id, new).await
        }
        Err(fault) => Err(fault),
    };
    match made {
        Ok(fresh) => {
            let workspace = app.workspace(&person.actor, &id).await?;
            shown_once(&app, person, &workspace, &fresh, false).await
        }
        Err(fault) if matches!(fault.code, Code::InvalidArg | Code::ScopeDenied) => {
            let mut mix = mixing::picker(&app, &person.actor, kind, Some(&id), ticked).await?;
            let mut page = workspace::page(&app, person, &id).await?;
            let name = if mixing::is_about(&fault) || fault.code == Code::ScopeDenied {
                mix.error = Some(said(fault));
                Field::new(form.name)
            } else {
                Field::wrong(form.name, fault.message)
            };
            page.token_form = Some(TokenForm { name, access, mix });
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) async fn regenerate(
    State(app): State<App>,
    person: Person,
    At((id, token)): At<(WorkspaceId, CredentialId)>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let workspace = app.workspace(&person.actor, &id).await?;
    let old = token_of(&app, &person.actor, &id, &token).await?;
    if old.kind != TokenKind::WorkspaceToken {
        return Err(unknown_token().into());
    }
    let fresh = app.regenerate(&person.actor, &token).await?;
    shown_once(&app, person, &workspace, &fresh, true).await
}

pub(super) async fn revoke(
    State(pages): State<Pages>,
    person: Person,
    At((id, token)): At<(WorkspaceId, CredentialId)>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    token_of(&pages.app, &person.actor, &id, &token).await?;
    pages.app.revoke(&person.actor, &token).await?;
    Ok(answer::done(
        &pages,
        &workspace::path(&id),
        Notice::TokenRevoked,
    ))
}

pub(super) struct Shown {
    token: String,
}

impl Form for Shown {
    fn read(fields: &Fields) -> Self {
        Shown {
            token: fields.text("token"),
        }
    }
}

/// A token is at most this long, in bytes.
const LONGEST: usize = 200;

/// The page that shows a token sends it back for the file: we do not have it any more.
pub(super) async fn env_file(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Shown>,
) -> Result<Response, Stop> {
    app.workspace(&person.actor, &id).await?;
    // A line end would add a variable of somebody else's choice.
    let token: String = form.token.chars().filter(char::is_ascii_graphic).collect();
    if token.is_empty() || token.len() > LONGEST {
        return Err(
            Fault::invalid_arg("/token", "length", "That is not a token.")
                .hint("Create a token and download the file from the page that shows it.")
                .into(),
        );
    }
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"quaymaster.env\"",
        ),
    ];
    let file = connect_lines::env_file(&app.settings().endpoint(), &token);
    Ok((headers, file).into_response())
}

/// The page with the token, which is never shown again.
pub(super) async fn shown_once(
    app: &App,
    person: Person,
    workspace: &Workspace,
    fresh: &Fresh,
    replaced: bool,
) -> Result<Response, Stop> {
    let token = fresh.token.expose_secret();
    let page = FreshTokenPage {
        layout: person.layout,
        workspace_id: workspace.id.to_string(),
        workspace_name: workspace.name.clone(),
        name: fresh.credential.name.clone(),
        access: access_of(&fresh.credential),
        token: token.to_owned(),
        replaced,
        size: mixing::size(app, &fresh.credential).await?,
        connect: connect::with_token(app, token),
    };
    Ok(shown(StatusCode::OK, &page))
}

/// The rows of the table of tokens.
pub(super) async fn rows(
    app: &App,
    actor: &Actor,
    workspace: &WorkspaceId,
) -> Result<Vec<TokenRow>, Fault> {
    let tokens = app.workspace_tokens(actor, workspace).await?;
    let people = app
        .member_names(&actor.org, tokens.iter().map(|token| token.user.clone()))
        .await?;
    let row = |token: Credential| TokenRow {
        id: token.id.to_string(),
        kind: token.origin.name().to_owned(),
        is_default: token.origin == Origin::Default,
        may_change: actor.role.administers() || token.user == actor.user,
        access: access_of(&token),
        mix: mixing::said(&token.mix),
        created_by: writers::name_of(&people, &token.user),
        created_at: token.created_at,
        last_used_at: token.last_used_at,
        name: token.name,
    };
    Ok(tokens.into_iter().map(row).collect())
}

pub(super) fn access_of(token: &Credential) -> Access {
    if token.scopes.has(Scope::WriteTools) {
        Access::ReadWrite
    } else {
        Access::ReadOnly
    }
}

/// The live token, when it is one of this workspace.
async fn token_of(
    app: &App,
    actor: &Actor,
    workspace: &WorkspaceId,
    id: &CredentialId,
) -> Result<Credential, Fault> {
    let tokens = app.workspace_tokens(actor, workspace).await?;
    tokens
        .into_iter()
        .find(|token| token.id == *id)
        .ok_or_else(unknown_token)
}

fn unknown_token() -> Fault {
    Fault::not_found("The workspace has no such token, or it was revoked before.")
}

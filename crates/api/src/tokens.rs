//! Tokens of a workspace: listed, made, changed, revoked, regenerated.

use crate::auth::{Administrator, Person};
use crate::credentials::{Revoked, named};
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Change, Json, Path, Query, nullable};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::credentials::{CredentialChange, Fresh, NewWorkspaceToken};
use quaymaster_app::mixing::{MixChange, Ticked};
use quaymaster_app::{Actor, App, Credential};
use quaymaster_core::id::{CredentialId, OrgId, UserId, WorkspaceId};
use quaymaster_core::mix::ToolsetKey;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Fault, Instant, Scope, Scopes};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = WorkspaceToken)]
pub(crate) struct TokenView {
    #[schema(value_type = String)]
    id: CredentialId,
    #[schema(value_type = String)]
    org_id: OrgId,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<WorkspaceId>,
    /// Who made it.
    #[schema(value_type = String)]
    user_id: UserId,
    name: String,
    /// `default` for the workspace's one default token, `manual`, or `reconnect` when it was made
    /// by a reconnect link.
    origin: &'static str,
    /// Whether it sees only the tools that change nothing.
    read_only: bool,
    #[schema(value_type = Vec<String>)]
    scopes: Scopes,
    /// The toolsets that were ticked for it; absent when it has those that such a credential usually has.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    toolsets: Option<BTreeSet<ToolsetKey>>,
    /// The tools that it has and no others; absent when it has all of its toolsets.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<BTreeSet<String>>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// Exact to a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Instant>,
}

impl TokenView {
    async fn of(app: &App, credential: Credential) -> Result<Self, Fault> {
        let tools = app.ticked_tools(&credential).await?;
        Ok(TokenView {
            id: credential.id,
            org_id: credential.org,
            workspace_id: credential.workspace,
            user_id: credential.user,
            name: credential.name,
            origin: credential.origin.name(),
            read_only: !credential.scopes.has(Scope::WriteTools),
            scopes: credential.scopes,
            toolsets: credential.mix.toolsets,
            tools,
            created_at: credential.created_at,
            last_used_at: credential.last_used_at,
        })
    }
}

/// A token with its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct FreshToken {
    credential: TokenView,
    /// What a client presents as `Authorization: Bearer`. Shown once.
    token: String,
}

impl FreshToken {
    pub(crate) async fn of(app: &App, fresh: Fresh) -> Result<Self, Fault> {
        Ok(FreshToken {
            credential: TokenView::of(app, fresh.credential).await?,
            token: fresh.token.expose_secret().to_owned(),
        })
    }
}

/// The live tokens of a workspace, without API keys that also reach its files.
async fn all(app: &App, actor: &Actor, workspace: &WorkspaceId) -> Result<Vec<Credential>, Fault> {
    let mut all = app.workspace_tokens(actor, workspace).await?;
    all.retain(|credential| credential.kind == TokenKind::WorkspaceToken);
    Ok(all)
}

/// The token that a path names, when it is one of that workspace's.
async fn token_of(
    app: &App,
    actor: &Actor,
    (workspace, token): &(String, String),
) -> Result<CredentialId, Fault> {
    let workspace = find(app, actor, workspace).await?;
    named(
        all(app, actor, &workspace.id).await?,
        token,
        "The workspace has no such token, or it was revoked before.",
        "/api/v1/workspaces/{id}/tokens",
    )
}

fn scopes_of(read_only: bool) -> Scopes {
    if read_only {
        Scopes::of_reading_tools()
    } else {
        Scopes::of_tools()
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct TokenList {
    tokens: Vec<TokenView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists a workspace's tokens
///
/// The default one first, then the newest. Revoked ones are left out.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/tokens", tag = "Workspace tokens",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), Paging),
    responses((status = 200, description = "A page of tokens.", body = TokenList), Faults)
)]
pub(crate) async fn list_tokens(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<TokenList>> {
    let workspace = find(&app, &actor, &id).await?;
    let (page, total) = paging.cut(all(&app, &actor, &workspace.id).await?)?;
    let mut tokens = Vec::new();
    for token in page {
        tokens.push(TokenView::of(&app, token).await?);
    }
    Ok(axum::Json(TokenList { tokens, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewToken {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Whether it shall see only the tools that change nothing. Default: no.
    read_only: Option<bool>,
    /// Toolsets that it shall have, as GET /api/v1/toolsets names them. Without them, files.
    /// With more than files and flows it acts for the person who makes it.
    #[schema(min_items = 1)]
    toolsets: Option<Vec<String>>,
    /// Names of the tools that it shall have and no others. Without them, all of its toolsets, also
    /// those that are added later.
    #[schema(min_items = 1, max_items = 1000)]
    tools: Option<Vec<String>>,
}

/// Makes a token of a workspace
///
/// Tokens never expire; revoke one to end it.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/tokens", tag = "Workspace tokens",
    security(("bearer" = ["admin"])), request_body = NewToken,
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 201, description = "The token, shown once.", body = FreshToken), Faults)
)]
pub(crate) async fn create_token(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Json(new): Json<NewToken>,
) -> Answer<(StatusCode, axum::Json<FreshToken>)> {
    let workspace = find(&app, &actor, &id).await?;
    let new = NewWorkspaceToken {
        name: new.name,
        read_only: new.read_only.unwrap_or(false),
        ticked: Ticked {
            toolsets: new.toolsets,
            tools: new.tools,
        },
    };
    let fresh = app
        .create_workspace_token(&actor, &workspace.id, new)
        .await
        .map_err(ApiError::about_body)?;
    let fresh = FreshToken::of(&app, fresh).await?;
    Ok((StatusCode::CREATED, axum::Json(fresh)))
}

/// What is absent stays.
#[expect(
    clippy::option_option,
    reason = "three states: absent, null, something"
)]
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeToken {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    read_only: Option<bool>,
    /// Toolsets that it shall have from now on, as GET /api/v1/toolsets names them; null for those that
    /// such a credential usually has.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, deserialize_with = "nullable")]
    toolsets: Option<Option<Vec<String>>>,
    /// Names of the tools that it shall have from now on and no others; null for all of its toolsets. Of
    /// a credential that has single tools it is sent with `toolsets`.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(default, deserialize_with = "nullable")]
    tools: Option<Option<Vec<String>>>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneToken {
    credential: TokenView,
}

/// Changes a token of a workspace
///
/// Connected clients are told when their list of tools changes. Needs an administrator. What acts for
/// the person who made it gets more of theirs from nobody else.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{id}/tokens/{credentialId}", tag = "Workspace tokens",
    security(("bearer" = ["admin"])), request_body = ChangeToken,
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("credentialId" = String, Path, description = "Id of the token."),
    ),
    responses((status = 200, description = "The token as it is now.", body = OneToken), Faults)
)]
pub(crate) async fn update_token(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<(String, String)>,
    Change(change): Change<ChangeToken>,
) -> Answer<axum::Json<OneToken>> {
    let id = token_of(&app, &admin, &path).await?;
    let change = CredentialChange {
        name: change.name,
        scopes: change.read_only.map(scopes_of),
        mix: MixChange {
            toolsets: change.toolsets,
            tools: change.tools,
        },
    };
    let changed = app
        .update_credential(&admin, &id, change)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(OneToken {
        credential: TokenView::of(&app, changed).await?,
    }))
}

/// Revokes a token of a workspace
///
/// It is dead when the answer arrives, and its open streams end.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/tokens/{credentialId}", tag = "Workspace tokens",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("credentialId" = String, Path, description = "Id of the token."),
    ),
    responses((status = 200, description = "The token is dead.", body = Revoked), Faults)
)]
pub(crate) async fn revoke_token(
    State(app): State<App>,
    Person(actor): Person,
    Path(path): Path<(String, String)>,
) -> Answer<axum::Json<Revoked>> {
    let id = token_of(&app, &actor, &path).await?;
    app.revoke(&actor, &id).await?;
    Ok(Revoked::of(id))
}

/// Replaces a token of a workspace
///
/// The new one has another id and may do the same. The old one is dead when the answer arrives.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/tokens/{credentialId}/regenerate",
    tag = "Workspace tokens", security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("credentialId" = String, Path, description = "Id of the token."),
    ),
    responses((status = 200, description = "The new token, shown once.", body = FreshToken), Faults)
)]
pub(crate) async fn regenerate_token(
    State(app): State<App>,
    Person(actor): Person,
    Path(path): Path<(String, String)>,
) -> Answer<axum::Json<FreshToken>> {
    let id = token_of(&app, &actor, &path).await?;
    let fresh = app.regenerate(&actor, &id).await?;
    Ok(axum::Json(FreshToken::of(&app, fresh).await?))
}

/// Replaces a workspace's default token
///
/// Makes it when there is none.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/tokens/default/regenerate",
    tag = "Workspace tokens", security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 200, description = "The new token, shown once.", body = FreshToken), Faults)
)]
pub(crate) async fn regenerate_default_token(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<axum::Json<FreshToken>> {
    let workspace = find(&app, &actor, &id).await?;
    let fresh = app.regenerate_default_token(&actor, &workspace.id).await?;
    Ok(axum::Json(FreshToken::of(&app, fresh).await?))
}

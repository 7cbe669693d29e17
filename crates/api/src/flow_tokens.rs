//! Flow tokens of a workspace: listed, made, changed, revoked.

use crate::auth::{Administrator, Person};
use crate::credentials::{Revoked, named};
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Change, Json, Path, Query, nullable};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::credentials::{CredentialChange, Expiry, Fresh};
use quaymaster_app::flow_tokens::NewFlowToken;
use quaymaster_app::mixing::{MixChange, Ticked};
use quaymaster_app::{Actor, App, Credential};
use quaymaster_core::caller::Pick;
use quaymaster_core::id::{CredentialId, FlowId, UserId, WorkspaceId};
use quaymaster_core::mix::ToolsetKey;
use quaymaster_core::{Fault, Instant};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FlowToken)]
pub(crate) struct FlowTokenView {
    #[schema(value_type = String)]
    id: CredentialId,
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<WorkspaceId>,
    /// Who made it.
    #[schema(value_type = String)]
    user_id: UserId,
    name: String,
    /// Ids of the flows that it reaches; absent when it reaches all of its workspace.
    #[schema(value_type = Option<Vec<String>>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    flows: Option<BTreeSet<FlowId>>,
    /// Whether it is taken from an address, as `?token=`, too.
    in_url: bool,
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
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Instant>,
    /// Exact to a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Instant>,
}

impl FlowTokenView {
    async fn of(app: &App, credential: Credential) -> Result<Self, Fault> {
        let tools = app.ticked_tools(&credential).await?;
        Ok(FlowTokenView {
            id: credential.id,
            workspace_id: credential.workspace,
            user_id: credential.user,
            name: credential.name,
            flows: match credential.flows {
                Pick::All => None,
                Pick::Only(flows) => Some(BTreeSet::clone(&flows)),
            },
            in_url: credential.in_url,
            toolsets: credential.mix.toolsets,
            tools,
            created_at: credential.created_at,
            expires_at: credential.expires_at,
            last_used_at: credential.last_used_at,
        })
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FlowTokenList {
    flow_tokens: Vec<FlowTokenView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists a workspace's flow tokens
///
/// Newest first. Revoked ones are left out.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/flow-tokens", tag = "Flow tokens",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace."), Paging),
    responses((status = 200, description = "A page of tokens.", body = FlowTokenList), Faults)
)]
pub(crate) async fn list_flow_tokens(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<FlowTokenList>> {
    let workspace = find(&app, &actor, &id).await?;
    let (page, total) = paging.cut(app.flow_tokens(&actor, &workspace.id).await?)?;
    let mut flow_tokens = Vec::new();
    for token in page {
        flow_tokens.push(FlowTokenView::of(&app, token).await?);
    }
    Ok(axum::Json(FlowTokenList { flow_tokens, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateFlowToken {
    /// Unique among the live flow tokens of the workspace: one for each client.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Ids or names of the flows that it shall reach. Without them it reaches all of its workspace, also
    /// those that are made later.
    #[schema(min_items = 1, max_items = 500)]
    flows: Option<Vec<String>>,
    /// Whether it may be used in an address, as `?token=`. Addresses end up in logs and histories.
    /// Say yes for clients that send no headers.
    #[serde(default)]
    in_url: bool,
    /// Without it, the token does not expire.
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
    /// Toolsets that it shall have, as GET /api/v1/toolsets names them. Without them, flows.
    /// With more than files and flows it acts for the person who makes it.
    #[schema(min_items = 1)]
    toolsets: Option<Vec<String>>,
    /// Names of the tools that it shall have and no others. Without them, all of its toolsets, also
    /// those that are added later.
    #[schema(min_items = 1, max_items = 1000)]
    tools: Option<Vec<String>>,
}

/// A flow token with its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FreshFlowToken {
    flow_token: FlowTokenView,
    /// What a client presents as `Authorization: Bearer`, or as `?token=`. Shown once.
    token: String,
    /// The address of the endpoint, without the token.
    endpoint: String,
}

/// Makes a flow token
///
/// It calls flows of the workspace as tools at `/mcp`, and is good for nothing else unless more toolsets
/// are named.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/flow-tokens", tag = "Flow tokens",
    security(("bearer" = ["admin"])), request_body = CreateFlowToken,
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 201, description = "The token, shown once.", body = FreshFlowToken), Faults)
)]
pub(crate) async fn create_flow_token(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Json(new): Json<CreateFlowToken>,
) -> Answer<(StatusCode, axum::Json<FreshFlowToken>)> {
    let workspace = find(&app, &actor, &id).await?;
    let new = NewFlowToken {
        name: new.name,
        flows: new.flows,
        in_url: new.in_url,
        expires: new.expires_in_days.map_or(Expiry::Never, Expiry::Days),
        ticked: Ticked {
            toolsets: new.toolsets,
            tools: new.tools,
        },
    };
    let Fresh { credential, token } = app
        .create_flow_token(&actor, &workspace.id, new)
        .await
        .map_err(ApiError::about_body)?;
    let fresh = FreshFlowToken {
        flow_token: FlowTokenView::of(&app, credential).await?,
        token: token.expose_secret().to_owned(),
        endpoint: app.settings().endpoint(),
    };
    Ok((StatusCode::CREATED, axum::Json(fresh)))
}

/// The flow token that a path names, when it is one of that workspace's.
async fn token_of(
    app: &App,
    actor: &Actor,
    (workspace, token): &(String, String),
) -> Result<CredentialId, Fault> {
    let workspace = find(app, actor, workspace).await?;
    named(
        app.flow_tokens(actor, &workspace.id).await?,
        token,
        "The workspace has no such flow token, or it was revoked before.",
        "/api/v1/workspaces/{id}/flow-tokens",
    )
}

/// What is absent stays.
#[expect(
    clippy::option_option,
    reason = "three states: absent, null, something"
)]
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeFlowToken {
    /// Unique among the live flow tokens of the workspace.
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
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
#[serde(rename_all = "camelCase")]
pub(crate) struct OneFlowToken {
    flow_token: FlowTokenView,
}

/// Changes a flow token
///
/// Connected clients are told when their list of tools changes. Needs an administrator. What acts for
/// the person who made it gets more of theirs from nobody else.
#[utoipa::path(
    patch, path = "/api/v1/workspaces/{id}/flow-tokens/{credentialId}", tag = "Flow tokens",
    security(("bearer" = ["admin"])), request_body = ChangeFlowToken,
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("credentialId" = String, Path, description = "Id of the token."),
    ),
    responses((status = 200, description = "The token as it is now.", body = OneFlowToken), Faults)
)]
pub(crate) async fn update_flow_token(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(path): Path<(String, String)>,
    Change(change): Change<ChangeFlowToken>,
) -> Answer<axum::Json<OneFlowToken>> {
    let id = token_of(&app, &admin, &path).await?;
    let change = CredentialChange {
        name: change.name,
        scopes: None,
        mix: MixChange {
            toolsets: change.toolsets,
            tools: change.tools,
        },
    };
    let changed = app
        .update_credential(&admin, &id, change)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(OneFlowToken {
        flow_token: FlowTokenView::of(&app, changed).await?,
    }))
}

/// Revokes a flow token
///
/// It is dead when the answer arrives, and its open streams end.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/flow-tokens/{credentialId}", tag = "Flow tokens",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("credentialId" = String, Path, description = "Id of the token."),
    ),
    responses((status = 200, description = "The token is dead.", body = Revoked), Faults)
)]
pub(crate) async fn revoke_flow_token(
    State(app): State<App>,
    Person(actor): Person,
    Path(path): Path<(String, String)>,
) -> Answer<axum::Json<Revoked>> {
    let id = token_of(&app, &actor, &path).await?;
    app.revoke(&actor, &id).await?;
    Ok(Revoked::of(id))
}

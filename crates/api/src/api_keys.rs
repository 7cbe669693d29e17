//! API keys: listed, made, changed, revoked, regenerated.

use crate::auth::{Administrator, Person};
use crate::credentials::Revoked;
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Change, Json, Path, Query, instant, nullable};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::credentials::{CredentialChange, Expiry, Fresh, NewApiKey};
use quaymaster_app::mixing::{MixChange, Ticked};
use quaymaster_app::{Actor, App, Credential};
use quaymaster_core::caller::Reach;
use quaymaster_core::id::{CredentialId, OrgId, UserId, WorkspaceId};
use quaymaster_core::mix::ToolsetKey;
use quaymaster_core::{Fault, Instant, Scopes};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKey)]
pub(crate) struct ApiKeyView {
    #[schema(value_type = String)]
    id: CredentialId,
    #[schema(value_type = String)]
    org_id: OrgId,
    /// Whom the key acts as.
    #[schema(value_type = String)]
    user_id: UserId,
    name: String,
    /// How the key begins.
    key_prefix: String,
    #[schema(value_type = Vec<String>)]
    scopes: Scopes,
    permissions: Permissions,
    /// The workspace whose file tools the key sees.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<WorkspaceId>,
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

impl ApiKeyView {
    async fn of(app: &App, credential: Credential) -> Result<Self, Fault> {
        let tools = app.ticked_tools(&credential).await?;
        Ok(ApiKeyView {
            key_prefix: key_prefix(&credential.id),
            id: credential.id,
            org_id: credential.org,
            user_id: credential.user,
            name: credential.name,
            scopes: credential.scopes,
            permissions: credential.reach.into(),
            files: credential.workspace,
            toolsets: credential.mix.toolsets,
            tools,
            created_at: credential.created_at,
            expires_at: credential.expires_at,
            last_used_at: credential.last_used_at,
        })
    }
}

fn key_prefix(id: &CredentialId) -> String {
    let start = id
        .as_str()
        .trim_start_matches(CredentialId::PREFIX)
        .trim_start_matches('_');
    format!("sk-org-{}", start.chars().take(6).collect::<String>())
}

/// A key with its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FreshApiKey {
    api_key: ApiKeyView,
    /// What a client presents as `Authorization: Bearer`. Shown once.
    plain_key: String,
}

impl FreshApiKey {
    async fn of(app: &App, fresh: Fresh) -> Result<Self, Fault> {
        Ok(FreshApiKey {
            api_key: ApiKeyView::of(app, fresh.credential).await?,
            plain_key: fresh.token.expose_secret().to_owned(),
        })
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiKeyList {
    api_keys: Vec<ApiKeyView>,
    /// How many there are in all pages.
    total: i64,
}

/// Lists API keys
///
/// Newest first. An administrator sees all of the organization, a member their own. Revoked ones
/// are left out.
#[utoipa::path(
    get, path = "/api/v1/api-keys", tag = "API keys",
    security(("bearer" = ["admin"])), params(Paging),
    responses((status = 200, description = "A page of keys.", body = ApiKeyList), Faults)
)]
pub(crate) async fn list_api_keys(
    State(app): State<App>,
    Person(actor): Person,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<ApiKeyList>> {
    let (limit, offset) = paging.checked()?;
    let (page, total) = app.api_keys(&actor, limit, offset).await?;
    let mut api_keys = Vec::new();
    for key in page {
        api_keys.push(ApiKeyView::of(&app, key).await?);
    }
    Ok(axum::Json(ApiKeyList { api_keys, total }))
}

/// At most one of `expiresAt`, `expiresInDays` and `neverExpires`; without any, the key is good
/// for 90 days.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateApiKey {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Without it, all that its creator has.
    #[schema(value_type = Option<Vec<String>>, example = json!(["read:tools", "write:tools"]))]
    scopes: Option<Scopes>,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "instant")]
    expires_at: Option<Instant>,
    #[schema(minimum = 1, maximum = 3650)]
    expires_in_days: Option<u32>,
    never_expires: Option<bool>,
    /// Of what the key is good: of all of its organization unless said otherwise.
    permissions: Option<Permissions>,
    /// Id or slug of a workspace whose file tools the key shall see.
    files: Option<String>,
    /// Toolsets that it shall have, as GET /api/v1/toolsets names them. Without them, all of them.
    #[schema(min_items = 1)]
    toolsets: Option<Vec<String>>,
    /// Names of the tools that it shall have and no others. Without them, all of its toolsets, also
    /// those that are added later.
    #[schema(min_items = 1, max_items = 1000)]
    tools: Option<Vec<String>>,
}

/// Of what a key is good.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ApiKeyPermissions)]
pub(crate) struct Permissions {
    scope: PermissionScope,
    /// Ids or slugs, with the scope `workspace`.
    #[schema(min_items = 1, max_items = 100)]
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_ids: Option<Vec<String>>,
    /// Taken and of no effect: there are no approvals yet.
    #[schema(value_type = Option<Object>)]
    #[serde(rename = "approvals", skip_serializing)]
    _approvals: Option<Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ApiKeyPermissionScope)]
pub(crate) enum PermissionScope {
    Org,
    /// It manages these workspaces, finds nothing of others, names no accounts of everybody, and calls no
    /// tools itself.
    Workspace,
}

impl From<Reach> for Permissions {
    fn from(reach: Reach) -> Self {
        let workspaces = match &reach {
            Reach::Organization => None,
            Reach::Workspaces(ids) => Some(ids.iter().map(ToString::to_string).collect()),
        };
        Permissions {
            scope: match reach {
                Reach::Organization => PermissionScope::Org,
                Reach::Workspaces(_) => PermissionScope::Workspace,
            },
            workspace_ids: workspaces,
            _approvals: None,
        }
    }
}

impl Permissions {
    async fn reach(&self, app: &App, actor: &Actor) -> Result<Reach, Fault> {
        let named = self.workspace_ids.as_deref().unwrap_or_default();
        match self.scope {
            PermissionScope::Org if named.is_empty() => Ok(Reach::Organization),
            PermissionScope::Workspace if (1..=100).contains(&named.len()) => {
                let mut ids = BTreeSet::new();
                for named in named {
                    ids.insert(find(app, actor, named).await?.id);
                }
                Ok(Reach::Workspaces(Arc::new(ids)))
            }
            _ => Err(Fault::invalid_arg(
                "/permissions/workspaceIds",
                "oneOf",
                "The scope workspace has 1 to 100 workspaceIds, the scope org none.",
            )),
        }
    }
}

impl CreateApiKey {
    fn expiry(&self) -> Result<Expiry, Fault> {
        let never = self.never_expires == Some(true);
        match (self.expires_at, self.expires_in_days, never) {
            (None, None, false) => Ok(Expiry::default()),
            (Some(at), None, false) => Ok(Expiry::At(at)),
            (None, Some(days), false) => Ok(Expiry::Days(days)),
            (None, None, true) => Ok(Expiry::Never),
            _ => Err(Fault::invalid_arg(
                "",
                "oneOf",
                "Send only one of expiresAt, expiresInDays and neverExpires.",
            )),
        }
    }
}

/// Makes an API key
///
/// It acts as whoever makes it, with no more scopes than they have.
#[utoipa::path(
    post, path = "/api/v1/api-keys", tag = "API keys",
    security(("bearer" = ["admin"])), request_body = CreateApiKey,
    responses((status = 201, description = "The key, shown once.", body = FreshApiKey), Faults)
)]
pub(crate) async fn create_api_key(
    State(app): State<App>,
    Person(actor): Person,
    Json(new): Json<CreateApiKey>,
) -> Answer<(StatusCode, axum::Json<FreshApiKey>)> {
    let expires = new.expiry()?;
    let reach = match &new.permissions {
        Some(permissions) => permissions.reach(&app, &actor).await?,
        None => Reach::Organization,
    };
    let files = match &new.files {
        Some(named) => Some(find(&app, &actor, named).await?.id),
        None => None,
    };
    let new = NewApiKey {
        name: new.name,
        scopes: new.scopes,
        expires,
        files,
        ticked: Ticked {
            toolsets: new.toolsets,
            tools: new.tools,
        },
        reach,
    };
    let fresh = app
        .create_api_key(&actor, new)
        .await
        .map_err(ApiError::about_body)?;
    let fresh = FreshApiKey::of(&app, fresh).await?;
    Ok((StatusCode::CREATED, axum::Json(fresh)))
}

/// What is absent stays.
#[expect(
    clippy::option_option,
    reason = "three states: absent, null, something"
)]
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeApiKey {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<Scopes>,
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
pub(crate) struct OneApiKey {
    api_key: ApiKeyView,
}

/// Changes an API key
///
/// Connected clients are told when their list of tools changes. Needs an administrator. A key
/// acts as its user, so only they give it more scopes and tools; others may take some away.
#[utoipa::path(
    patch, path = "/api/v1/api-keys/{id}", tag = "API keys",
    security(("bearer" = ["admin"])), request_body = ChangeApiKey,
    params(("id" = String, Path, description = "Id of the key.")),
    responses((status = 200, description = "The key as it is now.", body = OneApiKey), Faults)
)]
pub(crate) async fn update_api_key(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
    Change(change): Change<ChangeApiKey>,
) -> Answer<axum::Json<OneApiKey>> {
    let id = app.api_key(&admin, &id).await?.id;
    let change = CredentialChange {
        name: change.name,
        scopes: change.scopes,
        mix: MixChange {
            toolsets: change.toolsets,
            tools: change.tools,
        },
    };
    let changed = app
        .update_credential(&admin, &id, change)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(OneApiKey {
        api_key: ApiKeyView::of(&app, changed).await?,
    }))
}

/// Revokes an API key
///
/// It is dead when the answer arrives, and its open streams end.
#[utoipa::path(
    delete, path = "/api/v1/api-keys/{id}", tag = "API keys",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the key.")),
    responses((status = 200, description = "The key is dead.", body = Revoked), Faults)
)]
pub(crate) async fn revoke_api_key(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<axum::Json<Revoked>> {
    let id = app.api_key(&actor, &id).await?.id;
    app.revoke(&actor, &id).await?;
    Ok(Revoked::of(id))
}

/// Replaces an API key
///
/// The new one has another id, may do the same and is good for as long as the old one was made
/// for. The old one is dead when the answer arrives.
#[utoipa::path(
    post, path = "/api/v1/api-keys/{id}/regenerate", tag = "API keys",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the key.")),
    responses((status = 200, description = "The new key, shown once.", body = FreshApiKey), Faults)
)]
pub(crate) async fn regenerate_api_key(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<axum::Json<FreshApiKey>> {
    let id = app.api_key(&actor, &id).await?.id;
    let fresh = app.regenerate(&actor, &id).await?;
    Ok(axum::Json(FreshApiKey::of(&app, fresh).await?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_is_how_the_key_begins() {
        let id: CredentialId = "crd_01kahwz8x4m2q7r9s3t5v6w7y8".parse().unwrap();
        assert_eq!(key_prefix(&id), "sk-org-01kahw");
    }
}

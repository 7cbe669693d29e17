//! End users: the persons of a developer's own product, and links by which they connect accounts.

use crate::auth::{Administrator, Person, Within};
use crate::connections::ConnectionView;
use crate::error::{Answer, ApiError, Faults};
use crate::integrations;
use crate::paging::Paging;
use crate::read::{Change, Json, Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::connect_sessions::SetupLink;
use quaymaster_app::end_users::{EndUser, EndUserChange, EndUserRow, NewEndUser};
use quaymaster_app::mail::Delivery;
use quaymaster_app::{Actor, App};
use quaymaster_core::id::{ConnectSessionId, EndUserId, WorkspaceId};
use quaymaster_core::{Fault, Instant, ManagementName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

/// A person of a developer's own product, or a member who signs in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EndUser)]
pub(crate) struct EndUserView {
    #[schema(value_type = String)]
    id: EndUserId,
    #[schema(value_type = String)]
    workspace_id: WorkspaceId,
    /// The developer's own id, or the member's user id; unique in the workspace.
    external_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[schema(value_type = Object)]
    metadata: Map<String, Value>,
    connection_count: i64,
    /// `external`: a person of the developer's product. `member`: a member of the organization, whose
    /// user id is the external id; only they call as this end user.
    #[serde(rename = "type")]
    kind: &'static str,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl From<EndUserRow> for EndUserView {
    fn from(row: EndUserRow) -> Self {
        let end_user = row.end_user;
        EndUserView {
            id: end_user.id,
            workspace_id: end_user.workspace,
            external_id: end_user.external_id,
            display_name: end_user.display_name,
            email: end_user.email,
            metadata: end_user.metadata,
            connection_count: row.connections,
            kind: match end_user.user {
                Some(_) => "member",
                None => "external",
            },
            created_at: end_user.created_at,
            updated_at: end_user.updated_at,
        }
    }
}

fn id_of(named: &str) -> Result<EndUserId, Fault> {
    named.parse().map_err(|_| {
        Fault::not_found("There is no such end user.")
            .called(ManagementName::EndUserNotFound)
            .hint("GET /api/v1/end-users lists them.")
    })
}

async fn shown(app: &App, actor: &Actor, end_user: EndUser) -> Result<OneEndUser, Fault> {
    let accounts = app.end_user_accounts(actor, &end_user.id).await?;
    let row = EndUserRow {
        end_user,
        connections: accounts.len() as i64,
    };
    Ok(OneEndUser {
        end_user: row.into(),
    })
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct LookedEndUsers {
    /// Id or slug of the workspace.
    workspace_id: String,
    /// Only those with this text in their external id, name or address.
    query: Option<String>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// How many to leave out at the start.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndUserList {
    end_users: Vec<EndUserView>,
    /// How many there are in all pages.
    total: i64,
}

/// Lists end users
///
/// Oldest first.
#[utoipa::path(
    get, path = "/api/v1/end-users", tag = "End users",
    security(("bearer" = ["admin"])), params(LookedEndUsers),
    responses((status = 200, description = "A page of end users.", body = EndUserList), Faults)
)]
pub(crate) async fn list_end_users(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Query(looked): Query<LookedEndUsers>,
) -> Answer<axum::Json<EndUserList>> {
    let workspace = find(&app, &actor, &looked.workspace_id).await?;
    let (limit, offset) = Paging::new(looked.limit, looked.offset).checked()?;
    let query = looked.query.as_deref().unwrap_or_default();
    let (page, total) = app
        .end_users(&actor, &workspace.id, query, limit, offset)
        .await?;
    let end_users = page.into_iter().map(EndUserView::from).collect();
    Ok(axum::Json(EndUserList { end_users, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateEndUser {
    /// Id or slug of the workspace.
    workspace_id: String,
    #[schema(min_length = 1, max_length = 255)]
    external_id: String,
    #[schema(max_length = 120)]
    display_name: Option<String>,
    email: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OneEndUser {
    end_user: EndUserView,
}

/// Makes an end user
///
/// With the user id of a member as external id it is that member, who then connects accounts of
/// their own by signing in to hosted servers. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/end-users", tag = "End users",
    security(("bearer" = ["admin"])), request_body = CreateEndUser,
    responses((status = 201, description = "The end user.", body = OneEndUser), Faults)
)]
pub(crate) async fn create_end_user(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Json(new): Json<CreateEndUser>,
) -> Answer<(StatusCode, axum::Json<OneEndUser>)> {
    let workspace = find(&app, &admin, &new.workspace_id).await?;
    let new = NewEndUser {
        external_id: new.external_id,
        display_name: new.display_name,
        email: new.email,
        metadata: new.metadata.unwrap_or_default(),
    };
    let made = app
        .create_end_user(&admin, &workspace.id, new)
        .await
        .map_err(ApiError::about_body)?;
    Ok((
        StatusCode::CREATED,
        axum::Json(shown(&app, &admin, made).await?),
    ))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndUserWithAccounts {
    end_user: EndUserView,
    connections: Vec<ConnectionView>,
}

/// Reads an end user
///
/// With the accounts that the person has connected.
#[utoipa::path(
    get, path = "/api/v1/end-users/{id}", tag = "End users",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the end user.")),
    responses((status = 200, description = "The end user.", body = EndUserWithAccounts), Faults)
)]
pub(crate) async fn read_end_user(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Path(id): Path<String>,
) -> Answer<axum::Json<EndUserWithAccounts>> {
    let end_user = app.end_user(&actor, &id_of(&id)?).await?;
    let accounts = app.end_user_accounts(&actor, &end_user.id).await?;
    let row = EndUserRow {
        end_user,
        connections: accounts.len() as i64,
    };
    Ok(axum::Json(EndUserWithAccounts {
        end_user: row.into(),
        connections: accounts.into_iter().map(ConnectionView::from).collect(),
    }))
}

/// What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ChangeEndUser {
    #[schema(max_length = 120)]
    display_name: Option<String>,
    email: Option<String>,
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

/// Changes an end user
///
/// Needs an administrator.
#[utoipa::path(
    patch, path = "/api/v1/end-users/{id}", tag = "End users",
    security(("bearer" = ["admin"])), request_body = ChangeEndUser,
    params(("id" = String, Path, description = "Id of the end user.")),
    responses((status = 200, description = "The end user as it is now.", body = OneEndUser), Faults)
)]
pub(crate) async fn update_end_user(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Change(change): Change<ChangeEndUser>,
) -> Answer<axum::Json<OneEndUser>> {
    let change = EndUserChange {
        display_name: change.display_name,
        email: change.email,
        metadata: change.metadata,
    };
    let changed = app
        .update_end_user(&admin, &id_of(&id)?, change)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(shown(&app, &admin, changed).await?))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedEndUser {
    deleted: bool,
    #[schema(value_type = String)]
    id: EndUserId,
    /// How many accounts of the person went, too.
    connections_deleted: usize,
}

/// Deletes an end user
///
/// Accounts, links, tokens and servers that were made for the person go, too. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/end-users/{id}", tag = "End users",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the end user.")),
    responses((status = 200, description = "They are gone.", body = DeletedEndUser), Faults)
)]
pub(crate) async fn delete_end_user(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
) -> Answer<axum::Json<DeletedEndUser>> {
    let id = id_of(&id)?;
    let connections_deleted = app.delete_end_user(&admin, &id).await?;
    Ok(axum::Json(DeletedEndUser {
        deleted: true,
        id,
        connections_deleted,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct AskEndUser {
    /// Key of the connector; or `workspaceIntegrationId`.
    integration_name: Option<String>,
    /// Id of the integration that the account is for.
    workspace_integration_id: Option<String>,
    /// Seconds for which the link is good; a day unless said otherwise.
    #[schema(minimum = 60, maximum = 2_592_000)]
    expires_in: Option<i64>,
}

/// A link that a person opens to connect an account, without an account here. It works once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LinkView {
    connect_url: String,
    /// By which `GET /api/v1/connect/session/{id}` tells how far it is.
    #[schema(value_type = String)]
    session_id: ConnectSessionId,
    /// By which `POST /api/v1/connect/session/poll` tells how far it is.
    token: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl From<SetupLink> for LinkView {
    fn from(link: SetupLink) -> Self {
        LinkView {
            connect_url: link.url,
            session_id: link.session,
            token: link.token,
            expires_at: link.expires_at,
        }
    }
}

/// Makes a link for an end user
///
/// Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/end-users/{id}/connect-token", tag = "End users",
    security(("bearer" = ["admin"])), request_body = AskEndUser,
    params(("id" = String, Path, description = "Id of the end user.")),
    responses((status = 200, description = "The link.", body = LinkView), Faults)
)]
pub(crate) async fn create_end_user_link(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(asked): Json<AskEndUser>,
) -> Answer<axum::Json<LinkView>> {
    let integration = asked.workspace_integration_id.as_deref();
    let integration = integration.map(integrations::id_of).transpose()?;
    let link = app
        .end_user_link(
            &admin,
            &id_of(&id)?,
            integration.as_ref(),
            asked.integration_name.as_deref(),
            asked.expires_in,
        )
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(link.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct InviteEndUser {
    /// Where the mail goes.
    email: String,
    /// Key of the connector; or `workspaceIntegrationId`; or neither, where the workspace has one
    /// integration that uses accounts of end users.
    integration_name: Option<String>,
    /// Id of the integration that the account is for.
    workspace_integration_id: Option<String>,
    /// Seconds for which the link is good; a day unless said otherwise.
    #[schema(minimum = 60, maximum = 2_592_000)]
    expires_in: Option<i64>,
}

/// A link that was mailed to an end user.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EndUserInvitation {
    #[serde(flatten)]
    link: LinkView,
    /// Whether the mail server took it. The link works in any case.
    email_sent: bool,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Mails an end user a link to connect an account
///
/// An organization sends at most 100 an hour, and one address is sent at most 5. A server without a
/// mail server answers 501. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/end-users/{id}/invite", tag = "End users",
    security(("bearer" = ["admin"])), request_body = InviteEndUser,
    params(("id" = String, Path, description = "Id of the end user.")),
    responses((status = 200, description = "The link, and whether it was sent.", body = EndUserInvitation), Faults)
)]
pub(crate) async fn invite_end_user(
    State(app): State<App>,
    Within(Administrator(admin)): Within<Administrator>,
    Path(id): Path<String>,
    Json(asked): Json<InviteEndUser>,
) -> Answer<axum::Json<EndUserInvitation>> {
    let end_user = app.end_user(&admin, &id_of(&id)?).await?;
    let integration = asked.workspace_integration_id.as_deref();
    let integration = integration.map(integrations::id_of).transpose()?;
    let new = app
        .session_for(
            &admin,
            &end_user,
            integration.as_ref(),
            asked.integration_name.as_deref(),
            asked.expires_in,
        )
        .await
        .map_err(ApiError::about_body)?;
    let invited = app
        .invite_end_user(&admin, &end_user, &asked.email, new)
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(EndUserInvitation {
        email_sent: invited.delivery == Delivery::Sent,
        problem: match invited.delivery {
            Delivery::Failed(why) => Some(why),
            Delivery::Sent | Delivery::NotConfigured => None,
        },
        link: invited.link.into(),
    }))
}

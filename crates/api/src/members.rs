//! Members of the organization: listed, given another role, removed, given a link to set a new
//! password.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Json, Path, Query};
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::members::{Member, Role};
use quaymaster_core::id::UserId;
use quaymaster_core::{Fault, Instant};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a member may do: `owner` everything, `admin` all but what is about owners, `member` use
/// workspaces and make keys and tokens of their own.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Role)]
pub(crate) enum RoleName {
    Owner,
    Admin,
    Member,
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => RoleName::Owner,
            Role::Admin => RoleName::Admin,
            Role::Member => RoleName::Member,
        }
    }
}

impl From<RoleName> for Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Owner => Role::Owner,
            RoleName::Admin => Role::Admin,
            RoleName::Member => Role::Member,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Member)]
pub(crate) struct MemberView {
    /// Id of the user.
    #[schema(value_type = String)]
    id: UserId,
    name: String,
    /// Absent until the person signed in for the first time.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    role: RoleName,
    #[schema(value_type = String, format = DateTime)]
    joined_at: Instant,
    /// In a browser, exact to a minute.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen_at: Option<Instant>,
}

impl From<Member> for MemberView {
    fn from(member: Member) -> Self {
        MemberView {
            id: member.user,
            name: member.name,
            email: member.email,
            role: member.role.into(),
            joined_at: member.joined_at,
            last_seen_at: member.last_seen_at,
        }
    }
}

/// What cannot be an id names nobody.
fn user_of(id: &str) -> Result<UserId, Fault> {
    id.parse().map_err(|_| {
        Fault::not_found("The organization has no such member.")
            .hint("GET /api/v1/members lists them.")
    })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MemberList {
    members: Vec<MemberView>,
    /// How many there are in all pages.
    total: i64,
}

/// Lists the members
///
/// Owners first, then by time of joining.
#[utoipa::path(
    get, path = "/api/v1/members", tag = "Members",
    security(("bearer" = ["admin"])), params(Paging),
    responses((status = 200, description = "A page of members.", body = MemberList), Faults)
)]
pub(crate) async fn list_members(
    State(app): State<App>,
    Person(actor): Person,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<MemberList>> {
    let (limit, offset) = paging.checked()?;
    let (page, total) = app.members(&actor, "", limit, offset).await?;
    let members = page.into_iter().map(MemberView::from).collect();
    Ok(axum::Json(MemberList { members, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeMember {
    role: RoleName,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneMember {
    member: MemberView,
}

/// Gives a member another role
///
/// Only an owner changes owners and makes somebody one; the last owner stays one. Needs an
/// administrator.
#[utoipa::path(
    patch, path = "/api/v1/members/{id}", tag = "Members",
    security(("bearer" = ["admin"])), request_body = ChangeMember,
    params(("id" = String, Path, description = "Id of the user.")),
    responses((status = 200, description = "The member as it is now.", body = OneMember), Faults)
)]
pub(crate) async fn update_member(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
    Json(change): Json<ChangeMember>,
) -> Answer<axum::Json<OneMember>> {
    let user = user_of(&id)?;
    let member = app
        .change_role(&admin, &user, change.role.into())
        .await
        .map_err(ApiError::about_body)?;
    Ok(axum::Json(OneMember {
        member: member.into(),
    }))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RemovedMember {
    deleted: bool,
    #[schema(value_type = String)]
    id: UserId,
    /// API keys and workspace tokens that stopped working.
    revoked_credentials: usize,
}

/// Removes a member, or leaves
///
/// Their API keys, the workspace tokens that they made and their browsers' sessions are dead when
/// the answer arrives. Anybody may leave with their own id; to remove others needs an
/// administrator, to remove owners an owner. The last owner stays.
#[utoipa::path(
    delete, path = "/api/v1/members/{id}", tag = "Members",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the user.")),
    responses((status = 200, description = "No member any more.", body = RemovedMember), Faults)
)]
pub(crate) async fn remove_member(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<axum::Json<RemovedMember>> {
    let id = user_of(&id)?;
    let revoked_credentials = if actor.user == id {
        app.leave(&actor).await?
    } else {
        app.remove_member(&actor.admin()?, &id).await?
    };
    Ok(axum::Json(RemovedMember {
        deleted: true,
        id,
        revoked_credentials,
    }))
}

/// A link with which somebody sets a new password.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResetLink {
    /// Shown once. Whoever opens it chooses the password.
    url: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

/// Makes a link that sets a new password
///
/// It works once, for an hour, replaces one made before, and ends all browser sessions of the
/// person when it is used. Only an owner gets one for an owner, nobody for themselves nor for
/// somebody who is also a member of another organization. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/members/{id}/reset-link", tag = "Members",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the user.")),
    responses((status = 201, description = "The link, shown once.", body = ResetLink), Faults)
)]
pub(crate) async fn create_reset_link(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
) -> Answer<(StatusCode, axum::Json<ResetLink>)> {
    let link = app.issue_reset(&admin, &user_of(&id)?).await?;
    let made = ResetLink {
        url: link.url.expose_secret().to_owned(),
        expires_at: link.expires_at,
    };
    Ok((StatusCode::CREATED, axum::Json(made)))
}

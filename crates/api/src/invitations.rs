//! Invitations: listed, made, revoked.

use crate::auth::Administrator;
use crate::error::{Answer, ApiError, Faults};
use crate::members::RoleName;
use crate::paging::Paging;
use crate::read::{Json, Path, Query};
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::invitations::{FreshInvitation, Invitation, NamedInvitation};
use quaymaster_app::mail::Delivery;
use quaymaster_core::id::{InvitationId, UserId};
use quaymaster_core::{Fault, Instant};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invitation)]
pub(crate) struct InvitationView {
    #[schema(value_type = String)]
    id: InvitationId,
    email: String,
    role: RoleName,
    /// Id of the user who invited.
    #[schema(value_type = String)]
    invited_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl From<Invitation> for InvitationView {
    fn from(invitation: Invitation) -> Self {
        InvitationView {
            id: invitation.id,
            email: invitation.email,
            role: invitation.role.into(),
            invited_by: invitation.invited_by,
            created_at: invitation.created_at,
            expires_at: invitation.expires_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct InvitationList {
    invitations: Vec<InvitationView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists invitations
///
/// Those that may still be accepted, newest first. Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/invitations", tag = "Members",
    security(("bearer" = ["admin"])), params(Paging),
    responses((status = 200, description = "A page of invitations.", body = InvitationList), Faults)
)]
pub(crate) async fn list_invitations(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<InvitationList>> {
    let (page, total) = paging.cut(app.invitations(&admin).await?)?;
    let view = |named: NamedInvitation| named.invitation.into();
    let invitations = page.into_iter().map(view).collect();
    Ok(axum::Json(InvitationList { invitations, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvitation {
    #[schema(max_length = 254, example = "bo@example.com")]
    email: String,
    role: RoleName,
}

/// What became of the mail with the link.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MailState {
    /// This server sends no mail.
    NotConfigured,
    Sent,
    Failed,
}

/// An invitation with its link.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MadeInvitation {
    invitation: InvitationView,
    /// What the invited person opens. Shown once.
    url: String,
    mail: MailState,
    /// Why the mail was not sent. The invitation stands, and its link works.
    #[serde(skip_serializing_if = "Option::is_none")]
    mail_error: Option<String>,
}

impl From<FreshInvitation> for MadeInvitation {
    fn from(fresh: FreshInvitation) -> Self {
        let (mail, mail_error) = match fresh.delivery {
            Delivery::NotConfigured => (MailState::NotConfigured, None),
            Delivery::Sent => (MailState::Sent, None),
            Delivery::Failed(why) => (MailState::Failed, Some(why)),
        };
        MadeInvitation {
            invitation: fresh.invitation.into(),
            url: fresh.url.expose_secret().to_owned(),
            mail,
            mail_error,
        }
    }
}

/// Invites an address
///
/// The link works once, for 7 days, for that address alone; one made before stops working. Only an
/// owner invites owners. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/invitations", tag = "Members",
    security(("bearer" = ["admin"])), request_body = NewInvitation,
    responses((status = 201, description = "The invitation; its link is shown once.", body = MadeInvitation), Faults)
)]
pub(crate) async fn create_invitation(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(new): Json<NewInvitation>,
) -> Answer<(StatusCode, axum::Json<MadeInvitation>)> {
    let fresh = app
        .invite(&admin, &new.email, new.role.into())
        .await
        .map_err(ApiError::about_body)?;
    Ok((StatusCode::CREATED, axum::Json(fresh.into())))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RevokedInvitation {
    deleted: bool,
    #[schema(value_type = String)]
    id: InvitationId,
}

/// Revokes an invitation
///
/// Its link stops working. Only an owner revokes an invitation of an owner. Needs an
/// administrator.
#[utoipa::path(
    delete, path = "/api/v1/invitations/{id}", tag = "Members",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the invitation.")),
    responses((status = 200, description = "The link is dead.", body = RevokedInvitation), Faults)
)]
pub(crate) async fn revoke_invitation(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
) -> Answer<axum::Json<RevokedInvitation>> {
    let id: InvitationId = id.parse().map_err(|_| {
        Fault::not_found("There is no such invitation.").hint("GET /api/v1/invitations lists them.")
    })?;
    app.revoke_invitation(&admin, &id).await?;
    Ok(axum::Json(RevokedInvitation { deleted: true, id }))
}

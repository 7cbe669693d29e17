//! `/settings/invitations`: made and revoked; they are listed with the members.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::invitations::NamedInvitation;
use quaymaster_app::mail::Delivery;
use quaymaster_app::members::Role;
use quaymaster_app::{Admin, App};
use quaymaster_core::id::InvitationId;
use quaymaster_core::{Code, Fault};
use secrecy::ExposeSecret as _;

use super::Pages;
use super::answer::{self, At, Stop, shown};
use super::members::{self, choice_of, given_by, label_of, no_such_role};
use super::notice::Notice;
use super::paged::Asked;
use super::person::Administrator;
use super::posted::{Fields, Form, Posted};
use crate::views::{Field, FreshLinkPage, InvitationRow, Inviting, LinkKind, Mail};

pub(super) struct NewInvitation {
    email: String,
    role: Option<Role>,
}

impl Form for NewInvitation {
    fn read(fields: &Fields) -> Self {
        NewInvitation {
            email: fields.text("email"),
            role: Role::from_name(fields.one("role")),
        }
    }
}

/// Answers with the link, which is shown here or never.
pub(super) async fn create(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<NewInvitation>,
) -> Result<Response, Stop> {
    let role = form.role.ok_or_else(no_such_role)?;
    let fault = match pages.app.invite(&admin, &form.email, role).await {
        Ok(fresh) => {
            let page = FreshLinkPage {
                layout: person.layout,
                kind: LinkKind::Invitation {
                    email: fresh.invitation.email,
                    role: label_of(role),
                    mail: match fresh.delivery {
                        Delivery::NotConfigured => Mail::None,
                        Delivery::Sent => Mail::Sent,
                        Delivery::Failed(why) => Mail::Failed(why),
                    },
                },
                url: fresh.url.expose_secret().to_owned(),
                expires_at: fresh.invitation.expires_at,
            };
            return Ok(shown(StatusCode::OK, &page));
        }
        Err(fault) => fault,
    };
    if !matches!(fault.code, Code::InvalidArg | Code::AlreadyExists) {
        return Err(fault.into());
    }
    let mut page = members::page(&pages.app, person, Asked::default()).await?;
    let wrong = Field::wrong(form.email, fault.message);
    page.inviting = Some(self::form(&pages.app, &admin, wrong, role).await?);
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(super) async fn revoke(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<InvitationId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.revoke_invitation(&admin, &id).await?;
    Ok(answer::done(
        &pages,
        "/settings/members",
        Notice::InvitationRevoked,
    ))
}

/// Who is invited, and the form to invite.
pub(super) async fn form(
    app: &App,
    admin: &Admin,
    email: Field,
    role: Role,
) -> Result<Inviting, Fault> {
    let row = |named: NamedInvitation| InvitationRow {
        id: named.invitation.id.to_string(),
        email: named.invitation.email,
        role: label_of(named.invitation.role),
        inviter: named.inviter,
        created_at: named.invitation.created_at,
        expires_at: named.invitation.expires_at,
        may_revoke: admin.role.may_give(named.invitation.role),
    };
    let pending = app.invitations(admin).await?;
    Ok(Inviting {
        pending: pending.into_iter().map(row).collect(),
        email,
        roles: given_by(admin.role),
        role: choice_of(role).value,
        mails: app.sends_mail(),
    })
}

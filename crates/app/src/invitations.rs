//! Invitations: an administrator asks an address to join, by a link that works once.
//!
//! Whoever has the link and the address's account, or makes it, joins. Opening a link uses nothing
//! up: mail scanners open links, too.

use crate::App;
use crate::account::{address_taken, checked_email, checked_password};
use crate::actor::Admin;
use crate::browsers::Browser;
use crate::credentials::checked_name;
use crate::links::{LinkState, no_link, spent_link};
use crate::mail::Delivery;
use crate::members::role_in;
use crate::sign_in::SignedIn;
use crate::wired::duplicate_or;
use quaymaster_core::id::{InvitationId, UserId};
use quaymaster_core::secret::{self, SecretDigest};
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_store::Tx;
pub use quaymaster_store::invitation::{Invitation, NamedInvitation};
use quaymaster_store::member::Role;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

const DAYS: i64 = 7;
/// Of one organization: each may send a mail to a stranger.
const MOST_AN_HOUR: i64 = 100;

/// An invitation with its link, which is shown once.
pub struct FreshInvitation {
    pub invitation: Invitation,
    pub url: SecretString,
    pub delivery: Delivery,
}

/// What the page of a link shows.
#[derive(Debug, Clone)]
pub struct InvitationLink {
    pub named: NamedInvitation,
    pub state: LinkState,
    /// Whether the address is somebody's who can sign in, and has to.
    pub has_account: bool,
}

impl App {
    /// Invites an address. What it was sent before stops working. Runs as its own task: a mail goes
    /// out also when whoever asked for it has gone away.
    pub async fn invite(
        &self,
        admin: &Admin,
        email: &str,
        role: Role,
    ) -> Result<FreshInvitation, Fault> {
        let (app, admin, email) = (self.clone(), admin.clone(), email.to_owned());
        let task = self
            .tasks
            .spawn(async move { app.invited(&admin, &email, role).await });
        task.await.unwrap_or_else(|_| Err(Fault::internal()))
    }

    async fn invited(
        &self,
        admin: &Admin,
        email: &str,
        role: Role,
    ) -> Result<FreshInvitation, Fault> {
        let email = checked_email(email)?;
        let now = self.now();
        let secret = secret::fresh(&*self.entropy);
        let invitation = Invitation {
            id: InvitationId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            email,
            role,
            invited_by: admin.user.clone(),
            secret: SecretDigest::of(secret.expose_secret()),
            created_at: now,
            expires_at: now.plus_seconds(DAYS * 86_400),
            accepted_at: None,
            revoked_at: None,
        };
        let event = self.event(
            &admin.org,
            &admin.label,
            "invitation.created",
            json!({ "invitation": invitation.id, "email": invitation.email, "role": role.name() }),
        );
        let known = self
            .store
            .member_by_email(&admin.org, &invitation.email)
            .await?;
        if known.is_some() {
            return Err(Fault::new(
                Code::AlreadyExists,
                "Somebody with that address is a member already.",
            ));
        }
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        let mine = role_in(&mut tx, admin).await?;
        let since = now.plus_seconds(-3_600);
        if tx.invitations_since(&admin.org, since).await? >= MOST_AN_HOUR {
            return Err(Fault::new(
                Code::RateLimited,
                format!("An organization makes at most {MOST_AN_HOUR} invitations an hour."),
            )
            .detail("retry_after_s", 3_600));
        }
        let before = tx
            .revoke_invitation_to(&admin.org, &invitation.email, now)
            .await?;
        if !mine.may_give(role) || before.is_some_and(|before| !mine.may_give(before)) {
            return Err(owners_only());
        }
        tx.add_invitation(&invitation).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        let url: SecretString = format!(
            "{}/invitation/{}.{}",
            self.settings.public_url,
            invitation.id,
            secret.expose_secret()
        )
        .into();
        let inviter = self.store.member(&admin.org, &admin.user).await?;
        let inviter = inviter.map_or_else(|| "An administrator".to_owned(), |member| member.name);
        let organization = self.organization_name(&admin.org).await?;
        let letter = crate::mail::invitation(&inviter, &organization, role, &url, DAYS);
        let delivery = self.deliver(&invitation.email, letter).await;
        Ok(FreshInvitation {
            invitation,
            url,
            delivery,
        })
    }

    /// Those that may still be accepted, newest first.
    pub async fn invitations(&self, admin: &Admin) -> Result<Vec<NamedInvitation>, Fault> {
        Ok(self
            .store
            .pending_invitations(&admin.org, self.now())
            .await?)
    }

    pub async fn revoke_invitation(&self, admin: &Admin, id: &InvitationId) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        let mine = role_in(&mut tx, admin).await?;
        let revoked = tx.revoke_invitation(&admin.org, id, self.now()).await?;
        let (email, role) = revoked.ok_or_else(|| {
            Fault::not_found("There is no such invitation, or it was used or revoked before.")
        })?;
        if !mine.may_give(role) {
            return Err(owners_only());
        }
        let event = self.event(
            &admin.org,
            &admin.label,
            "invitation.revoked",
            json!({ "invitation": id, "email": email }),
        );
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What `<id>.<secret>` invites to, without using it up.
    pub async fn invitation(&self, text: &str) -> Result<InvitationLink, Fault> {
        let (id, secret) = text.split_once('.').ok_or_else(no_link)?;
        let id: InvitationId = id.parse().map_err(|_| no_link())?;
        let named = self.store.invitation(&id).await?.ok_or_else(no_link)?;
        if !named.invitation.secret.matches(secret) {
            return Err(no_link());
        }
        let known = self.store.user_by_email(&named.invitation.email).await?;
        Ok(InvitationLink {
            state: state_of(&named.invitation, self.now()),
            // Who is a member nowhere cannot sign in, and has nothing that could be taken over.
            has_account: known.is_some_and(|user| user.memberships > 0),
            named,
        })
    }

    /// Joins as somebody new, who chooses name and password. Answers the cookie's secret.
    pub async fn accept_as_new(
        &self,
        text: &str,
        name: &str,
        password: String,
        browser: &Browser,
    ) -> Result<SecretString, Fault> {
        let link = self.invitation(text).await?;
        if link.state != LinkState::Good {
            return Err(spent_link());
        }
        if link.has_account {
            return Err(sign_in_first());
        }
        let name = checked_name(name)?;
        checked_password(&password)?;
        let digest = self.passwords.digest(password).await?;
        let invitation = &link.named.invitation;
        let now = self.now();
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&invitation.org).await?;
        if !tx.accept_invitation(&invitation.id, now).await? {
            return Err(spent_link());
        }
        let user = match tx.locked_user_by_email(&invitation.email).await? {
            Some(known) if known.memberships > 0 => return Err(sign_in_first()),
            Some(known) => {
                tx.rename_user(&known.id, &name).await?;
                tx.set_password(&known.id, &digest).await?;
                self.lock_out(&mut tx, &known.id, None).await?;
                known.id
            }
            None => {
                let user = UserId::fresh(&*self.clock, &*self.entropy);
                tx.add_user(&user, &name, now).await?;
                tx.set_sign_in(&user, &name, &invitation.email, &digest)
                    .await
                    .map_err(|error| duplicate_or(error, address_taken))?;
                user
            }
        };
        self.join(&mut tx, invitation, &user).await?;
        let (session, cookie) = self.fresh_session(&invitation.org, &user, browser);
        tx.add_browser_session(&session).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(cookie)
    }

    /// Joins as the person who is signed in, whose address was invited. Their browser shows the
    /// new organization from now on.
    pub async fn accept_as(&self, person: &SignedIn, text: &str) -> Result<(), Fault> {
        let link = self.invitation(text).await?;
        let invitation = &link.named.invitation;
        if person.member.email.as_deref() != Some(&invitation.email) {
            return Err(Fault::new(
                Code::Forbidden,
                "This invitation is for another address than yours.",
            )
            .hint("Sign out and open the link again."));
        }
        let user = &person.member.user;
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&invitation.org).await?;
        if !tx.accept_invitation(&invitation.id, self.now()).await? {
            return Err(spent_link());
        }
        tx.lock_user(user).await?;
        if tx.role_of(&invitation.org, user).await?.is_some() {
            return Err(Fault::new(
                Code::AlreadyExists,
                "You are a member of this organization already.",
            ));
        }
        self.join(&mut tx, invitation, user).await?;
        self.move_session(&mut tx, person, &invitation.org).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    async fn join(&self, tx: &mut Tx, invitation: &Invitation, user: &UserId) -> Result<(), Fault> {
        let org = &invitation.org;
        // A credential that was being made while its maker was removed must not come to life.
        self.revoke_all_of(tx, org, user, user.as_str()).await?;
        tx.add_member(org, user, invitation.role, self.now())
            .await?;
        let event = self.event(
            org,
            user.as_str(),
            "member.joined",
            json!({
                "user": user,
                "email": invitation.email,
                "role": invitation.role.name(),
                "invitation": invitation.id,
            }),
        );
        tx.record(&event).await?;
        Ok(())
    }
}

fn state_of(invitation: &Invitation, now: Instant) -> LinkState {
    if invitation.accepted_at.is_some() {
        LinkState::Used
    } else if invitation.revoked_at.is_some() {
        LinkState::Withdrawn
    } else if invitation.expires_at <= now {
        LinkState::Expired
    } else {
        LinkState::Good
    }
}

fn owners_only() -> Fault {
    Fault::new(Code::Forbidden, "Only an owner invites owners.")
        .hint("Ask an owner of the organization.")
}

fn sign_in_first() -> Fault {
    Fault::new(
        Code::Forbidden,
        "This address has an account already. Sign in with it to join.",
    )
}

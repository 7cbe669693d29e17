//! Links that set a new password: issued by an administrator, by the operator, or asked for on the
//! sign-in page and mailed.
//!
//! Such a link takes an account over, so an administrator gets none for an owner, nor for somebody
//! who is a member elsewhere: what they reach there is not the administrator's. Both are asked
//! again when the link is used, because an hour has passed.

use crate::App;
use crate::account::{Made, checked_password};
use crate::actor::Admin;
use crate::browsers::Browser;
use crate::links::{LinkState, no_link, spent_link};
use crate::members::no_such_member;
use crate::reconnect::FreshLink;
use quaymaster_core::id::{OrgId, ResetId, UserId};
use quaymaster_core::secret::{self, SecretDigest};
use quaymaster_core::{Code, Fault};
use quaymaster_store::Tx;
use quaymaster_store::reset::{Reset, ResetOrigin};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

const HOURS: i64 = 1;
/// To one address.
const MAILS_AN_HOUR: i64 = 3;

/// What the page of a link shows.
#[derive(Debug, Clone)]
pub struct ResetLink {
    pub state: LinkState,
    /// Whose password it sets.
    pub email: String,
}

impl App {
    /// Makes a link that sets a new password of a member. It replaces the one before.
    pub async fn issue_reset(&self, admin: &Admin, user: &UserId) -> Result<FreshLink, Fault> {
        if admin.user == *user {
            return Err(Fault::new(
                Code::Forbidden,
                "Your own password is changed with the present one.",
            )
            .hint("Use Settings, Account; or ask another administrator for a link."));
        }
        let origin = ResetOrigin::Administrator {
            org: admin.org.clone(),
            user: admin.user.clone(),
        };
        let (reset, secret) = self.fresh_reset(user, origin);
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        tx.lock_user(user).await?;
        check_reach(&mut tx, &admin.org, &admin.user, user).await?;
        if tx.password_hash(user).await?.is_none() {
            return Err(has_no_password());
        }
        tx.end_resets(user, reset.created_at).await?;
        tx.add_reset(&reset).await?;
        let event = self.event(
            &admin.org,
            &admin.label,
            "reset_link.created",
            json!({ "user": user }),
        );
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(self.reset_url(&reset, &secret))
    }

    /// The same for the operator, who may reset everybody.
    pub async fn issue_reset_at_command_line(
        &self,
        org: &OrgId,
        user: &UserId,
    ) -> Result<FreshLink, Fault> {
        let (reset, secret) = self.fresh_reset(user, ResetOrigin::Operator);
        let mut tx = self.store.begin().await?;
        tx.lock_user(user).await?;
        if tx.password_hash(user).await?.is_none() {
            return Err(has_no_password());
        }
        tx.end_resets(user, reset.created_at).await?;
        tx.add_reset(&reset).await?;
        let event = self.event(
            org,
            "command line",
            "reset_link.created",
            json!({ "user": user }),
        );
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(self.reset_url(&reset, &secret))
    }

    /// How a link stands, without using it up: mail scanners open links, too.
    pub async fn reset_link(&self, text: &str) -> Result<ResetLink, Fault> {
        let reset = self.reset_of(text).await?;
        let mut state = if reset.used_at.is_some() {
            LinkState::Used
        } else if reset.replaced_at.is_some() {
            LinkState::Withdrawn
        } else if reset.expires_at <= self.now() {
            LinkState::Expired
        } else {
            LinkState::Good
        };
        if state == LinkState::Good
            && let ResetOrigin::Administrator { org, user } = &reset.origin
        {
            let mut tx = self.store.begin().await?;
            if check_reach(&mut tx, org, user, &reset.user).await.is_err() {
                state = LinkState::Withdrawn;
            }
        }
        let email = self.store.email(&reset.user).await?;
        Ok(ResetLink {
            state,
            email: email.unwrap_or_default(),
        })
    }

    /// Sets the new password and ends all sessions of the person. What else ends, they say: whoever
    /// only forgot the password wants their programs to go on.
    pub async fn use_reset(&self, text: &str, password: String, made: Made) -> Result<(), Fault> {
        let link = self.reset_link(text).await?;
        if link.state != LinkState::Good {
            return Err(spent_link());
        }
        checked_password(&password)?;
        let reset = self.reset_of(text).await?;
        let digest = self.passwords.digest(password).await?;
        let mut orgs = self.to_lock(&reset.user, made).await?;
        if let ResetOrigin::Administrator { org, .. } = &reset.origin {
            orgs.push(org.clone());
            orgs.sort();
        }
        let mut tx = self.store.begin().await?;
        for org in &orgs {
            tx.lock_organization(org).await?;
        }
        if let ResetOrigin::Administrator { org, user } = &reset.origin {
            tx.lock_user(&reset.user).await?;
            check_reach(&mut tx, org, user, &reset.user)
                .await
                .map_err(|_| spent_link())?;
        } else {
            tx.lock_user(&reset.user).await?;
        }
        if !tx.use_reset(&reset.id, self.now()).await? {
            return Err(spent_link());
        }
        tx.set_password(&reset.user, &digest).await?;
        self.lock_out(&mut tx, &reset.user, None).await?;
        let mut details = match &reset.origin {
            ResetOrigin::Administrator { user, .. } => {
                json!({ "by": "administrator", "issued_by": user })
            }
            ResetOrigin::Operator => json!({ "by": "command line" }),
            ResetOrigin::Mail => json!({ "by": "mail" }),
        };
        if made == Made::Revoked {
            details["credentials"] = json!(self.disown(&mut tx, &reset.user).await?);
        }
        self.record_of_user(&mut tx, &reset.user, "user.password_reset", &details)
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// Mails a link to whoever has the address. Answers at once and always the same, so that
    /// nobody learns which addresses are known; the work is done behind the answer.
    pub fn forgot_password(&self, email: &str, browser: &Browser) -> Result<(), Fault> {
        if self.mailer.is_none() {
            return Err(Fault::not_found("This server sends no mail."));
        }
        let email = email.trim().to_lowercase();
        let about = if email.len() > 254 { "" } else { &email };
        if self.reset_requests.one_more(browser.address, about) {
            return Err(
                Fault::new(Code::RateLimited, "Too many attempts. Wait a minute.")
                    .detail("retry_after_s", 60),
            );
        }
        // Whoever asks too often, from many places, waits for the next: the queue stays short.
        let Ok(permit) = self.reset_room.clone().try_acquire_owned() else {
            tracing::warn!("too many password resets are asked for at once; one was left out");
            return Ok(());
        };
        let (app, email) = (self.clone(), about.to_owned());
        self.tasks.spawn(async move {
            if let Err(fault) = app.mail_reset(&email).await {
                tracing::warn!(%fault, "a link to reset a password was not mailed");
            }
            drop(permit);
        });
        Ok(())
    }

    async fn mail_reset(&self, email: &str) -> Result<(), Fault> {
        let Some(found) = self.store.sign_in_by_email(email).await? else {
            return Ok(());
        };
        let (reset, secret) = self.fresh_reset(&found.user, ResetOrigin::Mail);
        let since = reset.created_at.plus_seconds(-3_600);
        let mut tx = self.store.begin().await?;
        tx.lock_user(&found.user).await?;
        if tx.mailed_resets_since(&found.user, since).await? >= MAILS_AN_HOUR {
            return Ok(());
        }
        tx.end_mailed_resets(&found.user, reset.created_at).await?;
        tx.add_reset(&reset).await?;
        let details = json!({ "user": found.user, "by": "mail" });
        let event = self.event(
            &found.org,
            found.user.as_str(),
            "reset_link.created",
            details,
        );
        tx.record(&event).await?;
        tx.commit().await?;
        let link = self.reset_url(&reset, &secret);
        let letter = crate::mail::reset(&link.url, HOURS);
        // A failure is in the log; there is nobody here to tell.
        self.deliver(email, letter).await;
        Ok(())
    }

    fn fresh_reset(&self, user: &UserId, origin: ResetOrigin) -> (Reset, SecretString) {
        let secret = secret::fresh(&*self.entropy);
        let now = self.now();
        let reset = Reset {
            id: ResetId::fresh(&*self.clock, &*self.entropy),
            user: user.clone(),
            origin,
            secret: SecretDigest::of(secret.expose_secret()),
            created_at: now,
            expires_at: now.plus_seconds(HOURS * 3_600),
            used_at: None,
            replaced_at: None,
        };
        (reset, secret)
    }

    fn reset_url(&self, reset: &Reset, secret: &SecretString) -> FreshLink {
        let url = &self.settings.public_url;
        FreshLink {
            url: format!("{url}/reset/{}.{}", reset.id, secret.expose_secret()).into(),
            expires_at: reset.expires_at,
        }
    }

    async fn reset_of(&self, text: &str) -> Result<Reset, Fault> {
        let (id, secret) = text.split_once('.').ok_or_else(no_link)?;
        let id: ResetId = id.parse().map_err(|_| no_link())?;
        let reset = self.store.reset(&id).await?.ok_or_else(no_link)?;
        if reset.secret.matches(secret) {
            Ok(reset)
        } else {
            Err(no_link())
        }
    }
}

/// Whether somebody may set the password of a member of their organization.
async fn check_reach(
    tx: &mut Tx,
    org: &OrgId,
    issuer: &UserId,
    user: &UserId,
) -> Result<(), Fault> {
    let theirs = tx.role_of(org, user).await?.ok_or_else(no_such_member)?;
    let mine = tx.role_of(org, issuer).await?;
    if !mine.is_some_and(|mine| mine.may_give(theirs)) {
        return Err(Fault::new(
            Code::Forbidden,
            "Only an owner resets the password of an owner.",
        )
        .hint("Ask an owner of the organization."));
    }
    if tx.organizations_of(user).await?.len() > 1 {
        return Err(Fault::new(
            Code::Forbidden,
            "This person is also a member of another organization, so their password is not yours to reset.",
        )
        .hint(
            "They can use \"Forgot password\" on the sign-in page where mail is set up; else the \
             operator runs `quaymaster sign-in --reset`.",
        ));
    }
    Ok(())
}

fn has_no_password() -> Fault {
    Fault::new(
        Code::Forbidden,
        "This person has not chosen a password yet.",
    )
    .hint("The operator makes a sign-in link with `quaymaster sign-in`.")
}

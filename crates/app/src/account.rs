//! What a person changes about themselves: name and password; and who they are, said once after
//! the first sign-in.

use crate::App;
use crate::actor::Actor;
use crate::credentials::checked_name;
use crate::organizations::checked_organization;
use crate::sign_in::SignedIn;
use crate::wired::duplicate_or;
use quaymaster_core::id::{OrgId, SessionId, UserId};
use quaymaster_core::{Code, Fault};
use quaymaster_store::Tx;
use serde_json::{Value, json};

/// Shortest password that is taken, in characters.
pub const PASSWORD_MIN: usize = 12;

/// What becomes of what was made in a person's name, when they set another password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// Keys, tokens and connected clients go on: programs of the person use them.
    Kept,
    /// Somebody else may have had the password, and nobody can tell what they made.
    Revoked,
}

/// An address in lower case. What it is for is checked by mail or by the person, not here.
pub(crate) fn checked_email(email: &str) -> Result<String, Fault> {
    let email = email.trim();
    let plausible = email
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if !plausible
        || email.len() > 254
        || email.contains(|c: char| c.is_whitespace() || c.is_control())
    {
        return Err(Fault::invalid_arg(
            "/email",
            "format",
            "That is not an email address.",
        ));
    }
    Ok(email.to_lowercase())
}

pub(crate) fn checked_password(password: &str) -> Result<(), Fault> {
    if password.chars().count() < PASSWORD_MIN || password.len() > 1_024 {
        return Err(Fault::invalid_arg(
            "/password",
            "minLength",
            format!("A password has at least {PASSWORD_MIN} characters."),
        ));
    }
    Ok(())
}

impl App {
    /// Sets name, address and password of somebody who signed in by a link for the first time.
    pub async fn set_up_user(
        &self,
        actor: &Actor,
        name: &str,
        email: &str,
        password: String,
        organization: Option<&str>,
    ) -> Result<(), Fault> {
        let name = checked_name(name)?;
        let email = checked_email(email)?;
        checked_password(&password)?;
        let organization = organization.map(checked_organization).transpose()?;
        let digest = self.passwords.digest(password).await?;
        let event = self.event(
            &actor.org,
            &actor.label,
            "user.set_up",
            json!({ "email": email }),
        );
        let mut tx = self.store.begin().await?;
        let set = tx
            .set_sign_in(&actor.user, &name, &email, &digest)
            .await
            .map_err(|error| duplicate_or(error, address_taken))?;
        if !set {
            return Err(Fault::new(
                Code::AlreadyExists,
                "This account has an address and a password already.",
            ));
        }
        if let Some(organization) = organization
            && actor.role.administers()
        {
            tx.rename_organization(&actor.org, &organization).await?;
        }
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    pub async fn rename_user(&self, person: &SignedIn, name: &str) -> Result<(), Fault> {
        let name = checked_name(name)?;
        let user = &person.member.user;
        let mut tx = self.store.begin().await?;
        tx.rename_user(user, &name).await?;
        self.record_of_user(&mut tx, user, "user.updated", &json!({ "name": name }))
            .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Sets another password. The browser that asks stays signed in; all others of the person are
    /// signed out, and links that would let somebody in are dead. What else ends, the person says.
    pub async fn change_password(
        &self,
        person: &SignedIn,
        current: String,
        new: String,
        made: Made,
    ) -> Result<(), Fault> {
        checked_password(&new)?;
        let user = &person.member.user;
        // By user and not by address: whoever sits at a browser that was left open may guess only
        // so often, wherever they go with it.
        let attempt = self.password_guesses.attempt(None, user.as_str())?;
        let known = self.store.password_hash(user).await?;
        if !self.passwords.matches(current, known.clone()).await? {
            return Err(wrong_password());
        }
        attempt.take_back();
        let digest = self.passwords.digest(new).await?;
        let orgs = self.to_lock(user, made).await?;
        let mut tx = self.store.begin().await?;
        for org in &orgs {
            tx.lock_organization(org).await?;
        }
        tx.lock_user(user).await?;
        if tx.password_hash(user).await? != known {
            // Changed from elsewhere in this moment: what was checked is the password no more.
            return Err(wrong_password());
        }
        tx.set_password(user, &digest).await?;
        self.lock_out(&mut tx, user, Some(&person.session.id))
            .await?;
        let mut details = json!({});
        if made == Made::Revoked {
            details["credentials"] = json!(self.disown(&mut tx, user).await?);
        }
        self.record_of_user(&mut tx, user, "user.password_changed", &details)
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// The organizations to lock before the person, in one order everywhere. None when nothing but
    /// the person changes.
    pub(crate) async fn to_lock(&self, user: &UserId, made: Made) -> Result<Vec<OrgId>, Fault> {
        if made == Made::Kept {
            return Ok(Vec::new());
        }
        let all = self.store.memberships(user).await?;
        let mut orgs: Vec<OrgId> = all.into_iter().map(|one| one.org).collect();
        orgs.sort();
        Ok(orgs)
    }

    /// Ends what was made in a person's name, in all their organizations: API keys, workspace
    /// tokens, connected clients, and the invitations and reset links that let others in. How many
    /// credentials it were. Browsers and the person's own links are [`App::lock_out`]'s.
    pub(crate) async fn disown(&self, tx: &mut Tx, user: &UserId) -> Result<usize, Fault> {
        let now = self.now();
        let mut ended = 0;
        for org in tx.organizations_of(user).await? {
            ended += self.revoke_all_of(tx, &org, user, user.as_str()).await?;
            tx.revoke_invitations_by(&org, user, None, now).await?;
        }
        tx.end_resets_issued_by(user, now).await?;
        Ok(ended)
    }

    /// Ends what a former password opened by itself: browsers, all or all but one, and the links
    /// that would let somebody in. What was made in a browser goes on, unless [`App::disown`] ends it.
    pub(crate) async fn lock_out(
        &self,
        tx: &mut Tx,
        user: &UserId,
        but: Option<&SessionId>,
    ) -> Result<(), Fault> {
        let now = self.now();
        tx.end_browser_sessions(user, but).await?;
        tx.end_resets(user, now).await?;
        tx.end_sign_in_links(user, now).await?;
        Ok(())
    }

    /// Records what a person did with their account in each of their organizations.
    pub(crate) async fn record_of_user(
        &self,
        tx: &mut Tx,
        user: &UserId,
        action: &str,
        details: &Value,
    ) -> Result<(), Fault> {
        for org in tx.organizations_of(user).await? {
            let event = self.event(&org, user.as_str(), action, details.clone());
            tx.record(&event).await?;
        }
        Ok(())
    }
}

pub(crate) fn address_taken() -> Fault {
    Fault::new(
        Code::AlreadyExists,
        "Somebody signs in with that address already.",
    )
}

fn wrong_password() -> Fault {
    Fault::invalid_arg("/current", "const", "That is not your present password.")
}

//! People in browsers: sign-in links, passwords, sessions, and the tokens against forged forms.

use crate::App;
use crate::actor::Actor;
use crate::credentials::checked_name;
use crate::organizations::checked_organization;
use hmac::{Hmac, KeyInit as _, Mac as _};
use quaymaster_core::id::{LinkId, OrgId, UserId};
use quaymaster_core::secret::{self, SecretDigest};
use quaymaster_core::{Code, Fault, Instant, hex};
use quaymaster_store::browser::BrowserSession;
use quaymaster_store::link::{Link, LinkTo};
use quaymaster_store::user::Member;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::Sha256;
use std::net::IpAddr;

/// A signed-in browser stays signed in for this long.
pub const SESSION_SECONDS: i64 = 14 * 86_400;
/// A sign-in link printed by the operator's own server.
pub const LINK_SECONDS: i64 = 24 * 3_600;

/// A person whose browser is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub member: Member,
    pub session: BrowserSession,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    Good,
    Used,
    Expired,
}

/// What the page shows before somebody uses a sign-in link.
#[derive(Debug, Clone)]
pub struct SignInLink {
    pub state: LinkState,
    /// Whom it signs in; none when that person has no address yet.
    pub email: Option<String>,
}

pub(crate) fn state_of(link: &Link, now: Instant) -> LinkState {
    if link.used_at.is_some() {
        LinkState::Used
    } else if link.expires_at <= now {
        LinkState::Expired
    } else {
        LinkState::Good
    }
}

impl App {
    /// Makes a sign-in link for a user. The text is the whole address, shown once.
    pub async fn create_sign_in_link(
        &self,
        org: &OrgId,
        user: &UserId,
    ) -> Result<SecretString, Fault> {
        let secret = secret::fresh(&*self.entropy);
        let now = self.now();
        let link = Link {
            id: LinkId::fresh(&*self.clock, &*self.entropy),
            org: org.clone(),
            to: LinkTo::SignIn(user.clone()),
            secret: SecretDigest::of(secret.expose_secret()),
            created_at: now,
            expires_at: now.plus_seconds(LINK_SECONDS),
            used_at: None,
        };
        let event = self.event(
            org,
            "command line",
            "sign_in_link.created",
            json!({ "user": user.as_str() }),
        );
        let mut tx = self.store.begin().await?;
        tx.add_link(&link).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        let url = &self.settings.public_url;
        Ok(format!("{url}/sign-in/link/{}.{}", link.id, secret.expose_secret()).into())
    }

    /// How a sign-in link stands, without using it up: mail scanners open links, too.
    pub async fn sign_in_link(&self, text: &str) -> Result<SignInLink, Fault> {
        let link = self.link_of(text).await?;
        let LinkTo::SignIn(user) = &link.to else {
            return Err(no_link());
        };
        let member = self.store.member(&link.org, user).await?;
        Ok(SignInLink {
            state: state_of(&link, self.now()),
            email: member.and_then(|member| member.email),
        })
    }

    /// Uses a sign-in link up. Answers the cookie's secret.
    pub async fn sign_in_by_link(&self, text: &str) -> Result<SecretString, Fault> {
        let link = self.link_of(text).await?;
        let LinkTo::SignIn(user) = &link.to else {
            return Err(no_link());
        };
        let mut tx = self.store.begin().await?;
        if !tx.use_link(&link.id, self.now()).await? {
            return Err(spent_link());
        }
        let (session, cookie) = self.fresh_session(&link.org, user);
        tx.add_browser_session(&session).await?;
        let event = self.event(
            &link.org,
            user.as_str(),
            "user.signed_in",
            json!({ "by": "link" }),
        );
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(cookie)
    }

    /// Signs in with address and password. The answer takes as long and says the same whether the
    /// address or the password is wrong.
    pub async fn sign_in_by_password(
        &self,
        email: &str,
        password: String,
        address: Option<IpAddr>,
    ) -> Result<SecretString, Fault> {
        let email = email.trim().to_lowercase();
        let too_many = || Fault::new(Code::RateLimited, "Too many attempts. Wait a minute.");
        if self.password_guesses.is_over(address, &email) {
            return Err(too_many());
        }
        let found = self.store.sign_in_by_email(&email).await?;
        let digest = found.as_ref().and_then(|found| found.password_hash.clone());
        let good = self.passwords.matches(password, digest).await;
        let Some(found) = found.filter(|_| good) else {
            if self.password_guesses.one_more(address, Some(&email)) {
                return Err(too_many());
            }
            return Err(Fault::new(
                Code::Unauthenticated,
                "The email address or the password is wrong.",
            ));
        };
        let (session, cookie) = self.fresh_session(&found.org, &found.user);
        let event = self.event(
            &found.org,
            found.user.as_str(),
            "user.signed_in",
            json!({ "by": "password" }),
        );
        let mut tx = self.store.begin().await?;
        tx.add_browser_session(&session).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(cookie)
    }

    /// Whose browser it is, by the cookie's secret.
    pub async fn signed_in(&self, cookie: &str) -> Result<Option<SignedIn>, Fault> {
        let digest = SecretDigest::of(cookie);
        let Some(session) = self.store.browser_session(&digest, self.now()).await? else {
            return Ok(None);
        };
        let member = self.store.member(&session.org, &session.user).await?;
        Ok(member.map(|member| SignedIn { member, session }))
    }

    pub async fn sign_out(&self, session: &BrowserSession) -> Result<(), Fault> {
        let event = self.event(
            &session.org,
            session.user.as_str(),
            "user.signed_out",
            json!({}),
        );
        let mut tx = self.store.begin().await?;
        tx.end_browser_session(&session.secret).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

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
        if password.chars().count() < 12 || password.len() > 1_024 {
            return Err(Fault::invalid_arg(
                "/password",
                "minLength",
                "A password has at least 12 characters.",
            ));
        }
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
            .set_sign_in(&actor.user, &name, email, &digest)
            .await
            .map_err(|error| {
                crate::wired::duplicate_or(error, || {
                    Fault::new(
                        Code::AlreadyExists,
                        "Somebody signs in with that address already.",
                    )
                })
            })?;
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

    /// A token that only this session's own pages contain: HMAC-SHA-256 of the session (the
    /// signed double-submit pattern).
    pub fn csrf_token(&self, session: &BrowserSession) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.csrf[..]) else {
            return String::new();
        };
        mac.update(&session.secret.0);
        hex(&mac.finalize().into_bytes())
    }

    pub fn csrf_is_good(&self, session: &BrowserSession, presented: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        let wanted = self.csrf_token(session);
        !wanted.is_empty() && bool::from(wanted.as_bytes().ct_eq(presented.as_bytes()))
    }

    /// The link that `<id>.<secret>` names.
    pub(crate) async fn link_of(&self, text: &str) -> Result<Link, Fault> {
        let (id, secret) = text.split_once('.').ok_or_else(no_link)?;
        let id: LinkId = id.parse().map_err(|_| no_link())?;
        let link = self.store.link(&id).await?.ok_or_else(no_link)?;
        if link.secret.matches(secret) {
            Ok(link)
        } else {
            Err(no_link())
        }
    }

    fn fresh_session(&self, org: &OrgId, user: &UserId) -> (BrowserSession, SecretString) {
        let cookie = secret::fresh(&*self.entropy);
        let now = self.now();
        let session = BrowserSession {
            secret: SecretDigest::of(cookie.expose_secret()),
            user: user.clone(),
            org: org.clone(),
            created_at: now,
            expires_at: now.plus_seconds(SESSION_SECONDS),
        };
        (session, cookie)
    }
}

pub(crate) fn no_link() -> Fault {
    Fault::not_found("There is no such link.").hint("Ask for a new one.")
}

pub(crate) fn spent_link() -> Fault {
    Fault::new(Code::Forbidden, "This link was used before or has expired.")
        .hint("Ask for a new one.")
}

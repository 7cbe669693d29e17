//! People in browsers: sign-in links, passwords, sessions, and the tokens against forged forms.

use crate::App;
use crate::browsers::Browser;
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
    /// Taken back, or replaced by a newer one.
    Withdrawn,
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
    pub async fn sign_in_by_link(
        &self,
        text: &str,
        browser: &Browser,
    ) -> Result<SecretString, Fault> {
        let link = self.link_of(text).await?;
        let LinkTo::SignIn(user) = &link.to else {
            return Err(no_link());
        };
        let (session, cookie) = self.fresh_session(&link.org, user, browser);
        let mut tx = self.store.begin().await?;
        tx.lock_user(user).await?;
        if tx.role_of(&link.org, user).await?.is_none() {
            // Taken out of the organization since the link was made.
            return Err(no_link());
        }
        if !tx.use_link(&link.id, self.now()).await? {
            return Err(spent_link());
        }
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

    /// Signs in with address and password, to the organization that the person used last. The
    /// answer takes as long and says the same whether the address or the password is wrong.
    pub async fn sign_in_by_password(
        &self,
        email: &str,
        password: String,
        browser: &Browser,
    ) -> Result<SecretString, Fault> {
        let email = email.trim().to_lowercase();
        // What is too long to be an address is counted as one and the same.
        let about = if email.len() > 254 { "" } else { &email };
        let attempt = self.password_guesses.attempt(browser.address, about)?;
        let found = self.store.sign_in_by_email(about).await?;
        let digest = found.as_ref().and_then(|found| found.password_hash.clone());
        let good = self.passwords.matches(password, digest.clone()).await;
        let Some(found) = found.filter(|_| good) else {
            return Err(wrong_pair());
        };
        attempt.was_right();
        let (session, cookie) = self.fresh_session(&found.org, &found.user, browser);
        let event = self.event(
            &found.org,
            found.user.as_str(),
            "user.signed_in",
            json!({ "by": "password" }),
        );
        let mut tx = self.store.begin().await?;
        tx.lock_user(&found.user).await?;
        if tx.password_hash(&found.user).await? != digest {
            // Changed in this moment, which ended all sessions: none may begin with the old one.
            return Err(wrong_pair());
        }
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
        if member.is_some() {
            self.touch(&session).await;
        }
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
        tx.end_browser_session(&session.user, &session.id).await?;
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
}

fn wrong_pair() -> Fault {
    Fault::new(
        Code::Unauthenticated,
        "The email address or the password is wrong.",
    )
}

pub(crate) fn no_link() -> Fault {
    Fault::not_found("There is no such link.").hint("Ask for a new one.")
}

pub(crate) fn spent_link() -> Fault {
    Fault::new(Code::Forbidden, "This link was used before or has expired.")
        .hint("Ask for a new one.")
}

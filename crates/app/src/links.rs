//! Links that work once: how they stand, and those that sign somebody in. Opening one uses nothing
//! up: mail scanners open links, too.

use crate::App;
use crate::browsers::Browser;
use quaymaster_core::id::{LinkId, OrgId, UserId};
use quaymaster_core::secret::{self, SecretDigest};
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_store::link::{Link, LinkTo};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

/// A sign-in link printed by the operator's own server.
pub const LINK_SECONDS: i64 = 24 * 3_600;

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

pub(crate) fn no_link() -> Fault {
    Fault::not_found("There is no such link.").hint("Ask for a new one.")
}

pub(crate) fn spent_link() -> Fault {
    Fault::new(Code::Forbidden, "This link was used before or has expired.")
        .hint("Ask for a new one.")
}

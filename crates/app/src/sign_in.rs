//! People in browsers: passwords and sessions.

use crate::App;
use crate::browsers::Browser;
use crate::password;
use quaymaster_core::secret::SecretDigest;
use quaymaster_core::{Code, Fault};
use quaymaster_store::browser::BrowserSession;
use quaymaster_store::user::Member;
use secrecy::SecretString;
use serde_json::json;

/// A person whose browser is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn {
    pub member: Member,
    pub session: BrowserSession,
}

impl App {
    /// Signs in with address and password, to the organization that the person used last. The
    /// answer takes as long and says the same whether the address or the password is wrong.
    /// `UNAVAILABLE` when too many people sign in at once.
    pub async fn sign_in_by_password(
        &self,
        email: &str,
        password: String,
        browser: &Browser,
    ) -> Result<SecretString, Fault> {
        if password.len() > password::LONGEST {
            // Nobody's, so it is neither counted nor kept while others are looked at.
            return Err(wrong_pair());
        }
        let email = email.trim().to_lowercase();
        // What is too long to be an address is counted as one and the same.
        let about = if email.len() > 254 { "" } else { &email };
        let attempt = self.password_guesses.attempt(browser.address, about)?;
        let found = self.store.sign_in_by_email(about).await?;
        let digest = found.as_ref().and_then(|found| found.password_hash.clone());
        let good = match self.passwords.matches(password, digest.clone()).await {
            Ok(good) => good,
            Err(busy) => {
                attempt.take_back();
                return Err(busy);
            }
        };
        let Some(found) = found.filter(|_| good) else {
            return Err(wrong_pair());
        };
        attempt.take_back();
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
}

fn wrong_pair() -> Fault {
    Fault::new(
        Code::Unauthenticated,
        "The email address or the password is wrong.",
    )
}

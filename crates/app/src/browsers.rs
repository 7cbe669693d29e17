//! The browsers that a person is signed in with: listed, and signed out from afar.
//!
//! Sessions are read from the database with each request, so that one that was ended is over
//! everywhere at once.

use crate::App;
use crate::sign_in::SignedIn;
use quaymaster_core::Fault;
use quaymaster_core::id::{OrgId, SessionId, UserId};
use quaymaster_core::secret::{self, SecretDigest};
pub use quaymaster_store::browser::BrowserSession;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::net::IpAddr;

/// A signed-in browser stays signed in for this long.
pub const SESSION_SECONDS: i64 = 14 * 86_400;
/// A session that was used is written down at most so often.
const TOUCH_SECONDS: i64 = 60;

/// What is known of a browser that asks.
#[derive(Debug, Clone, Default)]
pub struct Browser {
    pub address: Option<IpAddr>,
    /// The header `User-Agent`.
    pub agent: Option<String>,
}

impl App {
    /// The browsers of a person, the last one seen first.
    pub async fn browsers(&self, person: &SignedIn) -> Result<Vec<BrowserSession>, Fault> {
        let user = &person.member.user;
        Ok(self.store.browser_sessions(user, self.now()).await?)
    }

    /// Signs one browser of the person out; it may be the one that asks.
    pub async fn end_browser(&self, person: &SignedIn, session: &SessionId) -> Result<(), Fault> {
        let event = self.event(
            &person.member.org,
            person.member.user.as_str(),
            "user.signed_out",
            json!({ "session": session.as_str() }),
        );
        let mut tx = self.store.begin().await?;
        if !tx.end_browser_session(&person.member.user, session).await? {
            return Err(Fault::not_found(
                "There is no such browser, or it was signed out before.",
            ));
        }
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Signs every browser of the person out but the one that asks. How many those were.
    pub async fn end_other_browsers(&self, person: &SignedIn) -> Result<u64, Fault> {
        let member = &person.member;
        let mut tx = self.store.begin().await?;
        tx.lock_user(&member.user).await?;
        let ended = tx
            .end_browser_sessions(&member.user, Some(&person.session.id))
            .await?;
        let event = self.event(
            &member.org,
            member.user.as_str(),
            "user.signed_out",
            json!({ "browsers": ended }),
        );
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Remembers that the session was used, at most once a minute. A database that cannot write is
    /// no reason to refuse a page.
    pub(crate) async fn touch(&self, session: &BrowserSession) {
        let now = self.now();
        if now.seconds_since(session.last_seen_at) < TOUCH_SECONDS {
            return;
        }
        let touched = async {
            let mut tx = self.store.begin().await?;
            tx.touch_browser_session(session, now).await?;
            tx.commit().await
        };
        if let Err(error) = touched.await {
            tracing::warn!(%error, "when a browser was last seen was not written down");
        }
    }

    /// A session that is not stored yet, and its cookie's secret.
    pub(crate) fn fresh_session(
        &self,
        org: &OrgId,
        user: &UserId,
        browser: &Browser,
    ) -> (BrowserSession, SecretString) {
        let cookie = secret::fresh(&*self.entropy);
        let now = self.now();
        let session = BrowserSession {
            id: SessionId::fresh(&*self.clock, &*self.entropy),
            secret: SecretDigest::of(cookie.expose_secret()),
            user: user.clone(),
            org: org.clone(),
            agent: readable(browser.agent.as_deref().unwrap_or_default()),
            address: browser
                .address
                .map(|address| address.to_canonical().to_string()),
            created_at: now,
            expires_at: now.plus_seconds(SESSION_SECONDS),
            last_seen_at: now,
        };
        (session, cookie)
    }
}

/// The program and the system of a `User-Agent`, as in `Firefox on Linux`. Browsers name their
/// ancestors too, so the order matters.
fn readable(agent: &str) -> String {
    const PROGRAMS: [(&str, &str); 8] = [
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 8] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
        ("BSD", "BSD"),
    ];
    let first = |names: [(&str, &'static str); 8]| {
        let found = names.into_iter().find(|(part, _)| agent.contains(part));
        found.map(|(_, name)| name)
    };
    match (first(PROGRAMS), first(SYSTEMS)) {
        (Some(program), Some(system)) => format!("{program} on {system}"),
        (Some(program), None) => program.to_owned(),
        (None, Some(system)) => format!("A browser on {system}"),
        (None, None) => {
            // Scripts name themselves at the start: `curl/8.5.0`.
            let name: String = agent
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
                .take(30)
                .collect();
            if name.is_empty() {
                "An unknown browser".to_owned()
            } else {
                name
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_told_by_its_program_and_its_system() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari on macOS",
            ),
            ("curl/8.5.0", "curl"),
            ("", "An unknown browser"),
            ("<script>", "An unknown browser"),
        ] {
            assert_eq!(readable(agent), name, "{agent}");
        }
    }
}

//! Sessions of the versions with a handshake: whose they are, and when they end.
//!
//! `rmcp` knows sessions by their id alone and ends idle ones even under an open stream, so both
//! are decided here.

use quaymaster_core::id::CredentialId;
use rmcp::transport::streamable_http_server::SessionManager as _;
use rmcp::transport::streamable_http_server::session::SessionId;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Open sessions of one credential; the one unused for longest makes room for a new one.
const MOST: usize = 32;
/// A session without an open stream ends after this long without a request.
const IDLE: Duration = Duration::from_hours(8);

pub(crate) struct Sessions {
    pub(crate) manager: Arc<LocalSessionManager>,
    bound: Mutex<HashMap<SessionId, Bound>>,
}

struct Bound {
    credential: CredentialId,
    used: Instant,
    streams: usize,
    /// Whether somebody tells its client of changes.
    followed: bool,
}

impl Sessions {
    pub(crate) fn new() -> Arc<Self> {
        let mut manager = LocalSessionManager::default();
        manager.session_config.keep_alive = None;
        Arc::new(Sessions {
            manager: Arc::new(manager),
            bound: Mutex::default(),
        })
    }

    fn bound(&self) -> std::sync::MutexGuard<'_, HashMap<SessionId, Bound>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the session is open and belongs to the credential.
    pub(crate) fn belongs_to(&self, session: &str, credential: &CredentialId) -> bool {
        match self.bound().get_mut(session) {
            Some(bound) if bound.credential == *credential => {
                bound.used = Instant::now();
                true
            }
            _ => false,
        }
    }

    /// Binds a session that was just opened, and ends the oldest when there are too many.
    pub(crate) async fn bind(&self, session: SessionId, credential: CredentialId) {
        let surplus = {
            let mut bound = self.bound();
            let mut own: Vec<_> = bound
                .iter()
                .filter(|(_, other)| other.credential == credential)
                .map(|(id, other)| (other.streams > 0, other.used, id.clone()))
                .collect();
            own.sort_unstable_by_key(|(streaming, used, _)| (*streaming, *used));
            bound.insert(
                session,
                Bound {
                    credential,
                    used: Instant::now(),
                    streams: 0,
                    followed: false,
                },
            );
            let surplus = (own.len() + 1).saturating_sub(MOST);
            own.into_iter()
                .take(surplus)
                .map(|(_, _, id)| id)
                .collect::<Vec<_>>()
        };
        for session in surplus {
            self.end(&session).await;
        }
    }

    /// Whether this is the first time that somebody asks to follow an open session; a client may
    /// say `notifications/initialized` more than once.
    pub(crate) fn follow(&self, session: &str) -> bool {
        self.bound()
            .get_mut(session)
            .is_some_and(|bound| !std::mem::replace(&mut bound.followed, true))
    }

    pub(crate) async fn end(&self, session: &SessionId) {
        self.bound().remove(session);
        if let Err(error) = self.manager.close_session(session).await {
            tracing::debug!(%error, "a session was closed already");
        }
    }

    /// Counts an open stream for as long as the answer lives.
    pub(crate) fn stream(self: &Arc<Self>, session: SessionId) -> OpenStream {
        if let Some(bound) = self.bound().get_mut(&session) {
            bound.streams += 1;
        }
        OpenStream {
            sessions: self.clone(),
            session,
        }
    }

    /// Ends sessions that nobody used for long.
    pub(crate) async fn reap(&self) {
        let idle: Vec<_> = self
            .bound()
            .iter()
            .filter(|(_, bound)| bound.streams == 0 && bound.used.elapsed() > IDLE)
            .map(|(id, _)| id.clone())
            .collect();
        for session in idle {
            self.end(&session).await;
        }
    }
}

pub(crate) struct OpenStream {
    sessions: Arc<Sessions>,
    session: SessionId,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        if let Some(bound) = self.sessions.bound().get_mut(&self.session) {
            bound.streams = bound.streams.saturating_sub(1);
            bound.used = Instant::now();
        }
    }
}

//! Sessions of the versions with a handshake: whose they are, and when they end.
//!
//! `rmcp` knows sessions by their id alone and ends idle ones even under an open stream, so both
//! are decided here.

use crate::changes::notification;
use crate::wishes::Wishes;
use quaymaster_core::door::{Change, ChangeFeed};
use quaymaster_core::id::CredentialId;
use rmcp::transport::streamable_http_server::SessionManager as _;
use rmcp::transport::streamable_http_server::session::SessionId;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::{Peer, RoleServer};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Open sessions of one credential; the one unused for longest makes room for a new one.
const MOST: usize = 32;
/// A session without an open stream ends after this long without a request.
const IDLE: Duration = Duration::from_hours(8);

pub(crate) struct Sessions {
    pub(crate) manager: Arc<LocalSessionManager>,
    bound: Mutex<HashMap<SessionId, Bound>>,
    /// Sessions that were not bound at the last look: their client hung up while it opened them.
    strays: Mutex<HashSet<SessionId>>,
}

struct Bound {
    credential: CredentialId,
    used: Instant,
    streams: usize,
    /// The client, once it said `notifications/initialized`: from then on it may be told things.
    client: Option<Client>,
    /// Cancelled when the session ends.
    ended: CancellationToken,
}

#[derive(Clone)]
struct Client {
    peer: Peer<RoleServer>,
    wishes: Arc<Wishes>,
}

impl Sessions {
    pub(crate) fn new() -> Arc<Self> {
        let mut manager = LocalSessionManager::default();
        manager.session_config.keep_alive = None;
        Arc::new(Sessions {
            manager: Arc::new(manager),
            bound: Mutex::default(),
            strays: Mutex::default(),
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

    /// Binds a session that was just opened and follows the changes that concern it; ends the
    /// oldest when there are too many.
    pub(crate) async fn bind(
        self: &Arc<Self>,
        session: SessionId,
        credential: CredentialId,
        changes: Box<dyn ChangeFeed>,
    ) {
        let ended = CancellationToken::new();
        tokio::spawn(follow(
            self.clone(),
            session.clone(),
            changes,
            ended.clone(),
        ));
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
                    client: None,
                    ended,
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

    /// The session's client is ready to be told things. Saying so twice changes nothing.
    pub(crate) fn is_ready(&self, session: &str, peer: Peer<RoleServer>, wishes: Arc<Wishes>) {
        if let Some(bound) = self.bound().get_mut(session) {
            bound.client.get_or_insert(Client { peer, wishes });
        }
    }

    fn client(&self, session: &SessionId) -> Option<Client> {
        self.bound().get(session)?.client.clone()
    }

    pub(crate) async fn end(&self, session: &SessionId) {
        if let Some(bound) = self.bound().remove(session) {
            bound.ended.cancel();
        }
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

    /// Ends sessions that nobody used for long, and those that nobody owns.
    pub(crate) async fn reap(&self) {
        let open: HashSet<SessionId> = self.manager.sessions.read().await.keys().cloned().collect();
        let (over, unowned) = {
            let bound = self.bound();
            let idle = |bound: &Bound| bound.streams == 0 && bound.used.elapsed() > IDLE;
            let over: Vec<_> = bound
                .iter()
                .filter(|(id, bound)| !open.contains(*id) || idle(bound))
                .map(|(id, _)| id.clone())
                .collect();
            let unowned: HashSet<_> = open
                .into_iter()
                .filter(|id| !bound.contains_key(id))
                .collect();
            (over, unowned)
        };
        let strays = std::mem::replace(
            &mut *self.strays.lock().unwrap_or_else(PoisonError::into_inner),
            unowned.clone(),
        );
        for session in over.iter().chain(unowned.intersection(&strays)) {
            self.end(session).await;
        }
    }
}

/// Tells a session's client of changes, and ends the session with its credential.
async fn follow(
    sessions: Arc<Sessions>,
    session: SessionId,
    mut changes: Box<dyn ChangeFeed>,
    ended: CancellationToken,
) {
    loop {
        let change = tokio::select! {
            change = changes.next() => change,
            () = ended.cancelled() => return,
        };
        let Some(change) = change else {
            return;
        };
        let Some(notification) = notification(&change) else {
            return sessions.end(&session).await;
        };
        let Some(client) = sessions.client(&session) else {
            continue;
        };
        if matches!(&change, Change::Updated(uri) if !client.wishes.watches(uri)) {
            continue;
        }
        if let Err(error) = client.peer.send_notification(notification).await {
            tracing::debug!(%error, "a client was not told of a change");
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

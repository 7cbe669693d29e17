//! How the server of a connection is spoken to: found out once, kept in memory, never shared.

use crate::request::{Account, Built};
use http::HeaderValue;
use quaymaster_egress::{Egress, Request};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// The version without sessions.
pub(super) const STATELESS: &str = "2026-07-28";
/// Those with sessions that are understood, the newest first; it is the one that is asked for.
pub(super) const WITH_SESSIONS: [&str; 4] =
    ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
/// Connections that are remembered at most.
const MOST: usize = 1_000;
/// A session that nobody used for so long is ended.
const IDLE: Duration = Duration::from_mins(10);
/// How long taking leave may take.
const GOODBYE: Duration = Duration::from_secs(3);

pub(super) enum Era {
    /// `initialize` came first; the server may have given an id.
    Sessions {
        version: &'static str,
        id: Option<HeaderValue>,
    },
    /// Every request stands for itself.
    Stateless,
}

/// What was agreed with a server.
pub(super) struct Session {
    pub(super) era: Era,
    /// What the server calls itself.
    pub(super) server: Option<String>,
    pub(super) has_tools: bool,
    /// Ids of requests: no two that are under way have the same.
    next: AtomicU64,
    /// What ends it.
    goodbye: Option<(Egress, Built)>,
}

impl Session {
    pub(super) fn new(
        era: Era,
        server: Option<String>,
        has_tools: bool,
        goodbye: Option<(Egress, Built)>,
    ) -> Session {
        Session {
            era,
            server,
            has_tools,
            next: AtomicU64::new(1),
            goodbye,
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn has_id(&self) -> bool {
        matches!(&self.era, Era::Sessions { id: Some(_), .. })
    }

    /// Tells the server that it is over. A server that does not care changes nothing.
    async fn end(&self) {
        let Some((egress, built)) = &self.goodbye else {
            return;
        };
        let mut request = Request::new(built.verb.clone(), built.url.as_str())
            .timeout(GOODBYE)
            .max_body(64 * 1024);
        for (name, value) in &built.headers {
            request = request.header(name.clone(), value.clone());
        }
        if let Err(error) = egress.send(request).await {
            tracing::debug!(%error, "a session was not ended");
        }
    }
}

/// The place of a connection's session.
pub(crate) struct Slot {
    /// Of the credentials: with others it is another session.
    of: u64,
    used: Mutex<Instant>,
    /// Only one opens at a time.
    pub(super) opening: tokio::sync::Mutex<()>,
    session: Mutex<Option<Arc<Session>>>,
    /// The server said, or showed, that its tools are others now.
    changed: AtomicBool,
}

impl Slot {
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        session.clone()
    }

    pub(super) fn put(&self, session: Arc<Session>) {
        let mut own = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        *own = Some(session);
    }

    /// Forgets a session that the server no longer knows, unless there is a new one already.
    pub(super) fn forget(&self, session: &Arc<Session>) {
        let mut own = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if own.as_ref().is_some_and(|own| Arc::ptr_eq(own, session)) {
            *own = None;
        }
    }

    pub(super) fn tools_changed(&self) {
        self.changed.store(true, Ordering::Relaxed);
    }

    fn idle(&self, now: Instant) -> Duration {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        now.saturating_duration_since(*used)
    }
}

/// The sessions of all connections.
#[derive(Default)]
pub(crate) struct Sessions {
    all: Mutex<HashMap<String, Arc<Slot>>>,
    hasher: RandomState,
}

impl Sessions {
    /// The place of a connection's session. What is idle, and what belongs to other credentials, is
    /// ended on the way.
    pub(super) fn slot(&self, connection: &str, account: &Account) -> Arc<Slot> {
        let of = self.of(account);
        let now = Instant::now();
        let mut ended = Vec::new();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, slot| {
            let stays = slot.idle(now) < IDLE;
            if !stays {
                ended.push(slot.clone());
            }
            stays
        });
        let known = all.get(connection).filter(|slot| slot.of == of).cloned();
        let slot = known.unwrap_or_else(|| {
            let slot = Arc::new(Slot {
                of,
                used: Mutex::new(now),
                opening: tokio::sync::Mutex::default(),
                session: Mutex::default(),
                changed: AtomicBool::new(false),
            });
            ended.extend(all.insert(connection.to_owned(), slot.clone()));
            if all.len() > MOST {
                let oldest = all.iter().max_by_key(|(_, slot)| slot.idle(now));
                let oldest = oldest.map(|(name, _)| name.clone());
                ended.extend(oldest.and_then(|name| all.remove(&name)));
            }
            slot
        });
        *slot.used.lock().unwrap_or_else(PoisonError::into_inner) = now;
        drop(all);
        for slot in ended {
            if let Some(session) = slot.session() {
                tokio::spawn(async move { session.end().await });
            }
        }
        slot
    }

    /// Whether the tools of a connection are others than were found; asked once.
    pub(crate) fn take_changed(&self, connection: &str) -> bool {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = all.get(connection);
        slot.is_some_and(|slot| slot.changed.swap(false, Ordering::Relaxed))
    }

    /// Ends a connection's session, or all.
    pub(crate) async fn end(&self, connection: Option<&str>) {
        let slots: Vec<Arc<Slot>> = {
            let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            match connection {
                Some(connection) => all.remove(connection).into_iter().collect(),
                None => all.drain().map(|(_, slot)| slot).collect(),
            }
        };
        let mut ending = JoinSet::new();
        for session in slots.iter().filter_map(|slot| slot.session()) {
            ending.spawn(async move { session.end().await });
        }
        while ending.join_next().await.is_some() {}
    }

    /// Keyed anew in each process: it tells nothing of the credentials.
    fn of(&self, account: &Account) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        account.auth.hash(&mut hasher);
        account.local.hash(&mut hasher);
        for (name, value) in &account.fields {
            name.hash(&mut hasher);
            value.expose_secret().hash(&mut hasher);
        }
        let token = account.access_token.as_ref();
        token.map(ExposeSecret::expose_secret).hash(&mut hasher);
        hasher.finish()
    }
}

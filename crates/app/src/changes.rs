//! Follows the events of all nodes: drops what is cached about what changed, and tells open
//! streams. Changes of this node are looked at immediately, those of others within half a second.

use crate::App;
use quaymaster_core::door::{Change, ChangeFeed, Fut};
use quaymaster_core::id::{CredentialId, EventId};
use quaymaster_core::{Caller, Instant};
use quaymaster_store::event::{EVENTS_A_PAGE, Event};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, broadcast};
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_millis(500);
/// Looked back each time: a transaction that began earlier may be seen later, and clocks of nodes
/// differ.
const OVERLAP_SECONDS: i64 = 30;

pub(crate) struct Changes {
    signals: broadcast::Sender<Signal>,
    seen: Mutex<Seen>,
}

struct Seen {
    from: Instant,
    ids: HashMap<EventId, Instant>,
}

#[derive(Debug, Clone)]
struct Signal {
    credential: Arc<CredentialId>,
    change: Change,
}

impl Changes {
    pub(crate) fn starting_at(now: Instant) -> Self {
        let (signals, _) = broadcast::channel(256);
        let seen = Seen {
            from: now.plus_seconds(-OVERLAP_SECONDS),
            ids: HashMap::new(),
        };
        Changes {
            signals,
            seen: Mutex::new(seen),
        }
    }
}

impl App {
    /// Call after the commit of a change.
    pub(crate) async fn changed(&self) {
        // Looked at here and now, so that whoever made the change sees it done: a revoked token
        // is dead when the answer to the revocation arrives.
        self.look_at_events().await;
    }

    pub(crate) async fn follow_events(self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.stop.cancelled() => return,
            }
            self.look_at_events().await;
        }
    }

    async fn look_at_events(&self) {
        let mut seen = self.changes.seen.lock().await;
        let events = match self.store.events_since(seen.from).await {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(%error, "events could not be read");
                return;
            }
        };
        // A full page may have cut the newest off: the next look goes on from its end.
        let cut_at = (events.len() >= EVENTS_A_PAGE)
            .then(|| events.last().map(|event| event.at))
            .flatten();
        let fresh: Vec<Event> = events
            .into_iter()
            .filter(|event| !seen.ids.contains_key(&event.id))
            .collect();
        for event in fresh {
            seen.ids.insert(event.id.clone(), event.at);
            self.apply(&event).await;
        }
        let from = self.now().plus_seconds(-OVERLAP_SECONDS);
        let from = cut_at.map_or(from, |end| end.min(from));
        seen.from = from;
        seen.ids.retain(|_, at| *at >= from);
    }

    async fn apply(&self, event: &Event) {
        if let Some(workspace) = &event.workspace {
            self.callers.forget_workspace(workspace);
            if event.action == "workspace.updated" {
                self.return_lease(workspace).await;
            }
        }
        if let Some(credential) = &event.credential {
            self.callers.forget_credential(credential);
            let change = match event.action.as_str() {
                "credential.revoked" => Change::Revoked,
                "credential.updated" => Change::Tools,
                _ => return,
            };
            let signal = Signal {
                credential: Arc::new(credential.clone()),
                change,
            };
            // Nobody listening is fine.
            let _ = self.changes.signals.send(signal);
        }
    }

    pub(crate) fn feed(&self, caller: &Caller) -> Box<dyn ChangeFeed> {
        Box::new(Feed {
            app: self.clone(),
            unsure: true,
            credential: caller.credential.clone(),
            ends_at: caller.expires_at.map(|at| {
                let left = u64::try_from(at.micros() - self.now().micros()).unwrap_or(0);
                tokio::time::Instant::now() + Duration::from_micros(left)
            }),
            signals: self.changes.signals.subscribe(),
            stop: self.stop.clone(),
        })
    }
}

struct Feed {
    app: App,
    /// A signal may have been missed: before we listened, or because there were too many.
    unsure: bool,
    credential: CredentialId,
    /// When the credential expires.
    ends_at: Option<tokio::time::Instant>,
    signals: broadcast::Receiver<Signal>,
    stop: CancellationToken,
}

impl Feed {
    /// The next change; of several that wait, one is told, and the end before all others.
    async fn wait(&mut self) -> Option<Change> {
        loop {
            if std::mem::take(&mut self.unsure)
                && matches!(self.app.is_alive(&self.credential).await, Ok(false))
            {
                return Some(Change::Revoked);
            }
            let expiry = async {
                match self.ends_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let received = tokio::select! {
                received = self.signals.recv() => received,
                () = expiry => return Some(Change::Revoked),
                () = self.stop.cancelled() => return None,
            };
            let mut change = match received {
                Ok(signal) if *signal.credential == self.credential => signal.change,
                Ok(_) => continue,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.unsure = true;
                    if matches!(self.app.is_alive(&self.credential).await, Ok(false)) {
                        return Some(Change::Revoked);
                    }
                    Change::Tools
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            while let Ok(more) = self.signals.try_recv() {
                if *more.credential == self.credential && more.change == Change::Revoked {
                    change = Change::Revoked;
                }
            }
            return Some(change);
        }
    }
}

impl ChangeFeed for Feed {
    fn next(&mut self) -> Fut<'_, Option<Change>> {
        Box::pin(self.wait())
    }
}

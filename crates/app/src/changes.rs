//! Follows the events of all nodes: drops what is cached about what changed, and tells open
//! streams. Changes of this node are looked at immediately, those of others within half a second.

use crate::App;
use quaymaster_core::Instant;
use quaymaster_core::door::Change;
use quaymaster_core::id::{AccessTokenId, CredentialId, EventId, OrgId, WorkspaceId};
use quaymaster_store::event::{EVENTS_A_PAGE, Event};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, broadcast};

/// The action of an event by which a client gave one access token back.
pub(crate) const ACCESS_ENDED: &str = "access_token.revoked";

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

/// What feeds are told. Each looks for what is its own.
#[derive(Debug, Clone)]
pub(crate) struct Signal {
    pub(crate) whom: Whom,
    pub(crate) what: Told,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    Credential(Arc<CredentialId>),
    /// Anonymous callers of a workspace.
    AnonymousOf(Arc<WorkspaceId>),
    /// Callers of hosted servers of a workspace.
    ServersOf(Arc<WorkspaceId>),
    /// Callers who see the flows of a workspace, or of all of them where none is named.
    FlowsOf(Arc<OrgId>, Option<Arc<WorkspaceId>>),
    /// Callers who see the skills of an organization.
    SkillsOf(Arc<OrgId>),
    /// Callers who see the documents of an organization.
    KnowledgeOf(Arc<OrgId>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    Changed(Change),
    /// One access token of the credential was revoked, and nothing else.
    AccessEnded(AccessTokenId),
}

impl Changes {
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.signals.subscribe()
    }

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
        let (mut at, mut after) = (seen.from, None);
        loop {
            let events = match self.store.events_since(at, after.as_ref()).await {
                Ok(events) => events,
                Err(error) => {
                    tracing::warn!(%error, "events could not be read");
                    return;
                }
            };
            // A full page may have cut the newest off.
            let is_last = events.len() < EVENTS_A_PAGE;
            for event in events {
                if seen.ids.insert(event.id.clone(), event.at).is_none() {
                    self.apply(&event).await;
                }
                (at, after) = (event.at, Some(event.id));
            }
            if is_last {
                break;
            }
        }
        let from = self.now().plus_seconds(-OVERLAP_SECONDS);
        seen.from = from;
        seen.ids.retain(|_, at| *at >= from);
    }

    async fn apply(&self, event: &Event) {
        let noun = event.action.split('.').next().unwrap_or_default();
        if matches!(noun, "connection" | "end_user") {
            self.callers.forget_accounts(&event.org);
        }
        if noun == "document" {
            self.tell(
                Whom::KnowledgeOf(Arc::new(event.org.clone())),
                Told::Changed(Change::Resources),
            );
        }
        if noun == "end_user" {
            self.callers.forget_members(&event.org);
        }
        if noun == "definition" {
            self.callers.forget_definitions(&event.org);
            // A definition that leads elsewhere stops its accounts.
            self.callers.forget_accounts(&event.org);
            self.callers.forget_servers(&event.org);
        }
        if matches!(noun, "server" | "server_tool" | "integration" | "partial") {
            self.callers.doubt_servers(&event.org);
            if let Some(workspace) = &event.workspace {
                self.tell(
                    Whom::ServersOf(Arc::new(workspace.clone())),
                    Told::Changed(Change::Tools),
                );
            }
        }
        if matches!(noun, "flow" | "workspace") {
            // The name of a workspace stands in front of its tools where there are several.
            let one = event.workspace.clone().filter(|_| noun == "flow");
            self.callers.doubt_flows(&event.org);
            self.tell(
                Whom::FlowsOf(Arc::new(event.org.clone()), one.map(Arc::new)),
                Told::Changed(Change::Tools),
            );
        }
        if noun == "skill" {
            self.callers.doubt_shelf(&event.org);
            self.tell(
                Whom::SkillsOf(Arc::new(event.org.clone())),
                Told::Changed(Change::Resources),
            );
        }
        if let Some(workspace) = &event.workspace {
            self.callers.forget_workspace(workspace);
            if event.action == "workspace.updated" {
                self.return_lease(workspace).await;
                if event.details["requires_authentication"] == true {
                    self.end_anonymous(workspace);
                }
            }
            if event.action == "workspace.deleted" {
                self.end_anonymous(workspace);
                self.callers.forget_first_workspace(&event.org);
                self.callers.forget_accounts(&event.org);
                self.callers.forget_servers(&event.org);
            }
        }
        if let Some(credential) = &event.credential {
            self.callers.forget_credential(credential);
            let what = match event.action.as_str() {
                "credential.revoked" => Told::Changed(Change::Revoked),
                "credential.updated" => Told::Changed(Change::Tools),
                ACCESS_ENDED => {
                    let Some(token) = access_token_of(event) else {
                        return;
                    };
                    self.callers.forget_access_token(&token);
                    Told::AccessEnded(token)
                }
                _ => return,
            };
            let whom = Whom::Credential(Arc::new(credential.clone()));
            self.tell(whom.clone(), what);
            // Other toolsets have other resources.
            if event.action == "credential.updated" && event.details.get("toolsets").is_some() {
                self.tell(whom, Told::Changed(Change::Resources));
            }
        }
    }

    /// Ends what anonymous callers of a workspace have open.
    fn end_anonymous(&self, workspace: &WorkspaceId) {
        self.tell(
            Whom::AnonymousOf(Arc::new(workspace.clone())),
            Told::Changed(Change::Revoked),
        );
    }

    fn tell(&self, whom: Whom, what: Told) {
        // Nobody listening is fine.
        let _ = self.changes.signals.send(Signal { whom, what });
    }
}

/// The access token in the details of an event that ends it.
fn access_token_of(event: &Event) -> Option<AccessTokenId> {
    event.details["access_token"].as_str()?.parse().ok()
}

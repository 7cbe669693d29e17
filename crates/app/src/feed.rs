//! What an open stream is told: the changes of its credential, and the end of the access token that
//! opened it.
//!
//! A session lives as long as its credential, so that it goes on when a client refreshed its grant.

use crate::App;
use crate::changes::{Signal, Told, Whom};
use crate::documents::has_resources;
use crate::flows::shelf::Watching;
use crate::skills::shelf::sees_skills;
use quaymaster_core::caller::Access;
use quaymaster_core::door::{Change, ChangeFeed, Fut};
use quaymaster_core::id::{CredentialId, OrgId, WorkspaceId};
use quaymaster_core::{Caller, Instant};
use std::future::pending;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::CancellationToken;

impl App {
    pub(crate) fn feed(&self, caller: &Caller) -> Box<dyn ChangeFeed> {
        Box::new(Feed {
            app: self.clone(),
            unsure: true,
            is_other: false,
            credential: caller.credential.clone(),
            anonymous_of: caller.anonymous().cloned(),
            servers_of: caller.hosted().map(|(_, workspace)| workspace.clone()),
            flows: Watching::of(caller),
            org: caller.org.clone(),
            skills_of: sees_skills(caller).then(|| caller.org.clone()),
            waiting: Vec::new(),
            knowledge_of: has_resources(caller).then(|| caller.org.clone()),
            ends_at: caller.expires_at.map(|at| self.on_the_timer(at)),
            signals: self.changes.subscribe(),
            stop: self.stop.clone(),
        })
    }

    /// Waits until the access token that was presented has expired or was revoked. What has none
    /// ends with its credential.
    pub(crate) fn end_of_access(&self, caller: &Caller) -> Fut<'static, ()> {
        let Some(access) = caller.access.clone() else {
            return Box::pin(pending());
        };
        let signals = self.changes.subscribe();
        let app = self.clone();
        Box::pin(async move { app.access_ends(access, signals).await })
    }

    async fn access_ends(self, access: Access, mut signals: broadcast::Receiver<Signal>) {
        let ends_at = self.on_the_timer(access.expires_at);
        let ended = Told::AccessEnded(access.token.clone());
        // It may have been revoked before we listened.
        let mut unsure = true;
        loop {
            if std::mem::take(&mut unsure)
                && matches!(self.access_token(&access.token).await, Ok(None))
            {
                return;
            }
            tokio::select! {
                received = signals.recv() => match received {
                    Ok(signal) if signal.what == ended => return,
                    Ok(_) => {}
                    Err(RecvError::Lagged(_)) => unsure = true,
                    Err(RecvError::Closed) => return,
                },
                () = tokio::time::sleep_until(ends_at) => return,
            }
        }
    }

    fn on_the_timer(&self, at: Instant) -> tokio::time::Instant {
        let left = u64::try_from(at.micros() - self.now().micros()).unwrap_or(0);
        tokio::time::Instant::now() + Duration::from_micros(left)
    }
}

struct Feed {
    app: App,
    /// A signal may have been missed: before we listened, or because there were too many.
    unsure: bool,
    /// What the caller may do was changed, so they may see what they did not see.
    is_other: bool,
    credential: CredentialId,
    /// The open workspace of an anonymous caller, who has no credential.
    anonymous_of: Option<WorkspaceId>,
    /// The workspace of the caller's hosted server.
    servers_of: Option<WorkspaceId>,
    flows: Watching,
    org: OrgId,
    /// The organization whose skills the caller sees.
    skills_of: Option<OrgId>,
    /// Changes that came together and were not told yet, each once.
    waiting: Vec<Change>,
    /// The organization whose documents the caller sees.
    knowledge_of: Option<OrgId>,
    /// When the credential expires, as far as we know: a refresh puts the end of a grant off.
    ends_at: Option<tokio::time::Instant>,
    signals: broadcast::Receiver<Signal>,
    stop: CancellationToken,
}

impl Feed {
    /// The next change; what came several times is told once, and the end before all others.
    async fn wait(&mut self) -> Option<Change> {
        loop {
            if std::mem::take(&mut self.unsure) && self.is_over().await {
                return Some(Change::Revoked);
            }
            self.gather();
            if self.is_other {
                self.look_anew().await;
                self.is_other = false;
            }
            if self.waiting.contains(&Change::Revoked) {
                return Some(Change::Revoked);
            }
            if !self.waiting.is_empty() {
                return Some(self.waiting.remove(0));
            }
            let expiry = async {
                match self.ends_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => pending().await,
                }
            };
            let received = tokio::select! {
                received = self.signals.recv() => received,
                () = expiry => {
                    if self.was_prolonged().await {
                        continue;
                    }
                    return Some(Change::Revoked);
                }
                () = self.stop.cancelled() => return None,
            };
            match received {
                Ok(signal) => self.note(signal),
                Err(RecvError::Lagged(_)) => {
                    self.unsure = true;
                    self.is_other = true;
                    self.waiting = self.everything();
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// What else has come already.
    fn gather(&mut self) {
        loop {
            match self.signals.try_recv() {
                Ok(signal) => self.note(signal),
                Err(TryRecvError::Lagged(_)) => {
                    self.unsure = true;
                    self.is_other = true;
                    self.waiting = self.everything();
                }
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn note(&mut self, signal: Signal) {
        self.is_other |= matches!(&signal.whom, Whom::Credential(one) if **one == self.credential);
        if let Told::Changed(change) = signal.what
            && self.concerns(&signal.whom)
            && !self.waiting.contains(&change)
        {
            self.waiting.push(change);
        }
    }

    /// Whose changes concern the caller from now on.
    async fn look_anew(&mut self) {
        let Ok(Some(caller)) = self.app.living(&self.credential).await else {
            return;
        };
        self.flows = Watching::of(&caller);
        self.skills_of = sees_skills(&caller).then(|| caller.org.clone());
        self.knowledge_of = has_resources(&caller).then(|| caller.org.clone());
    }

    /// What may have changed when signals were missed.
    fn everything(&self) -> Vec<Change> {
        let reads = self.skills_of.is_some() || self.knowledge_of.is_some();
        let resources = reads.then_some(Change::Resources);
        [Change::Tools].into_iter().chain(resources).collect()
    }

    fn concerns(&self, whom: &Whom) -> bool {
        match whom {
            Whom::Credential(credential) => **credential == self.credential,
            Whom::AnonymousOf(workspace) => self.anonymous_of.as_ref() == Some(&**workspace),
            Whom::ServersOf(workspace) => self.servers_of.as_ref() == Some(&**workspace),
            Whom::FlowsOf(org, changed) => **org == self.org && self.flows.sees(changed.as_deref()),
            Whom::SkillsOf(org) => self.skills_of.as_ref() == Some(&**org),
            Whom::KnowledgeOf(org) => self.knowledge_of.as_ref() == Some(&**org),
        }
    }

    async fn is_over(&self) -> bool {
        let goes_on = match &self.anonymous_of {
            Some(workspace) => self.app.is_open(workspace).await,
            None => self.app.is_alive(&self.credential).await,
        };
        matches!(goes_on, Ok(false))
    }

    /// Whether the credential goes on although its end as we knew it has come.
    async fn was_prolonged(&mut self) -> bool {
        let Ok(Some(caller)) = self.app.living(&self.credential).await else {
            return false;
        };
        self.ends_at = caller.expires_at.map(|at| self.app.on_the_timer(at));
        true
    }
}

impl ChangeFeed for Feed {
    fn next(&mut self) -> Fut<'_, Option<Change>> {
        Box::pin(self.wait())
    }
}

//! The daily cap of tool calls of a workspace.
//!
//! Calls are leased from the database in blocks before they are made (see
//! [`quaymaster_store::usage`]), so the common call touches no database and the cap is never over,
//! whatever is killed when.

use crate::App;
use crate::actor::Actor;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_store::workspace::Workspace;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Default)]
pub(crate) struct Caps {
    leases: Mutex<HashMap<WorkspaceId, Arc<tokio::sync::Mutex<Lease>>>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Lease {
    day: i64,
    left: i64,
}

impl Caps {
    fn lease(&self, workspace: &WorkspaceId) -> Arc<tokio::sync::Mutex<Lease>> {
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.entry(workspace.clone()).or_default().clone()
    }

    fn all(&self) -> Vec<(WorkspaceId, Arc<tokio::sync::Mutex<Lease>>)> {
        let leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases
            .iter()
            .map(|(id, lease)| (id.clone(), lease.clone()))
            .collect()
    }
}

/// A workspace's calls of the current UTC day against its cap.
#[derive(Debug, Clone, Serialize)]
pub struct Usage {
    pub used: i64,
    pub cap: i64,
    pub reset_at: Instant,
}

/// A workspace as the first page lists it.
#[derive(Debug, Clone)]
pub struct InUse {
    pub workspace: Workspace,
    pub usage: Usage,
    pub last_call_at: Option<Instant>,
}

/// `leased` is what all nodes have taken today, this one's lease with it.
fn used_of(workspace: &Workspace, lease: &Lease, leased: i64, now: Instant) -> Usage {
    let unused = if lease.day == now.utc_day() {
        lease.left
    } else {
        0
    };
    Usage {
        used: (leased - unused).max(0),
        cap: workspace.daily_cap,
        reset_at: now.next_utc_day(),
    }
}

impl App {
    /// Counts one call, or refuses it with `DAILY_CAP`.
    pub(crate) async fn count_call(&self, workspace: &Workspace) -> Result<(), Fault> {
        let lease = self.caps.lease(&workspace.id);
        let mut lease = lease.lock().await;
        // Taken after waiting: at midnight nobody shall come with yesterday's.
        let now = self.now();
        if lease.day != now.utc_day() {
            *lease = Lease {
                day: now.utc_day(),
                left: 0,
            };
        }
        if lease.left == 0 {
            lease.left = self.store.lease_calls(&workspace.id, lease.day).await?;
        }
        if lease.left == 0 {
            return Err(over(workspace, now));
        }
        lease.left -= 1;
        Ok(())
    }

    /// Takes back what was counted for something that did not happen.
    pub(crate) async fn uncount_call(&self, workspace: &WorkspaceId) {
        let lease = self.caps.lease(workspace);
        let mut lease = lease.lock().await;
        if lease.day == self.now().utc_day() {
            lease.left += 1;
        }
    }

    /// A page of the workspaces of the organization, as of [`workspaces_page`](App::workspaces_page), with
    /// their usage, in as many questions for many as for one; and how many there are.
    pub async fn workspaces_in_use(
        &self,
        actor: &Actor,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<InUse>, i64), Fault> {
        // A person looks for the call made a moment ago.
        self.flush_audit().await;
        let (workspaces, total) = self.workspaces_page(actor, words, limit, offset).await?;
        let now = self.now();
        let mut leases = Vec::with_capacity(workspaces.len());
        for workspace in &workspaces {
            leases.push(self.caps.lease(&workspace.id).lock_owned().await);
        }
        let mut seen = self
            .store
            .workspaces_seen(&actor.org, &workspaces, now.utc_day())
            .await?;
        let in_use = workspaces.into_iter().zip(&leases);
        let in_use = in_use.map(|(workspace, lease)| {
            let seen = seen.remove(&workspace.id).unwrap_or_default();
            InUse {
                usage: used_of(&workspace, lease, seen.leased, now),
                last_call_at: seen.last_call_at,
                workspace,
            }
        });
        Ok((in_use.collect(), total))
    }

    pub async fn usage(&self, workspace: &Workspace) -> Result<Usage, Fault> {
        let now = self.now();
        let lease = self.caps.lease(&workspace.id);
        let lease = lease.lock().await;
        let leased = self
            .store
            .leased_calls(&workspace.id, now.utc_day())
            .await?;
        Ok(used_of(workspace, &lease, leased, now))
    }

    /// Gives a workspace's lease back, so that a changed cap holds from the next call on.
    pub(crate) async fn return_lease(&self, workspace: &WorkspaceId) {
        let lease = self.caps.lease(workspace);
        let mut lease = lease.lock().await;
        if lease.left == 0 {
            return;
        }
        match self
            .store
            .return_calls(workspace, lease.day, lease.left)
            .await
        {
            Ok(()) => lease.left = 0,
            Err(error) => tracing::warn!(%error, %workspace, "a lease of calls was not given back"),
        }
    }

    pub(crate) async fn return_leases(&self) {
        for (workspace, _) in self.caps.all() {
            self.return_lease(&workspace).await;
        }
    }
}

fn over(workspace: &Workspace, now: Instant) -> Fault {
    let reset_at = now.next_utc_day();
    Fault::new(
        Code::DailyCap,
        format!(
            "The workspace {} has used its {} tool calls of today.",
            workspace.name, workspace.daily_cap
        ),
    )
    .hint(format!(
        "Wait until {reset_at}, or ask an administrator to raise the cap."
    ))
    .detail("reset_at", reset_at.to_string())
    .detail("cap", workspace.daily_cap)
    .detail("retry_after_s", reset_at.seconds_since(now))
}

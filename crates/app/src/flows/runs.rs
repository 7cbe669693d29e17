//! What is kept of runs: listed, read, cancelled.

use super::kept::{MOST_BYTES, Room};
use crate::App;
use crate::actor::{Actor, Admin};
use hmac::{Hmac, KeyInit as _, Mac as _};
use quaymaster_core::id::{RunId, WorkspaceId};
use quaymaster_core::{Caller, Fault, hex};
pub use quaymaster_store::flow_run::{Run, RunState, RunStep};
use serde_json::json;
use sha2::Sha256;

/// Bytes of what is shown of the steps of a run.
const SHOWN: usize = 16 << 20;

/// A run with what its steps did.
#[derive(Debug, Clone)]
pub struct RunInFull {
    pub run: Run,
    /// The name of the flow.
    pub flow: String,
    /// In the order in which they began.
    pub steps: Vec<RunStep>,
}

fn no_run() -> Fault {
    Fault::not_found("The workspace has no such run, or it is too long ago.")
        .hint("Runs are kept for 30 days, and the last 1,000 of each flow.")
}

impl App {
    /// Newest first, of a workspace or of one of its flows, without inputs and outputs; only those older
    /// than `before`.
    pub async fn flow_runs(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        flow: Option<&str>,
        before: Option<&RunId>,
        limit: i64,
    ) -> Result<Vec<Run>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        self.past_runs.settle(self).await;
        let flow = match flow {
            Some(named) => Some(self.flow_named(actor, workspace, named).await?.id),
            None => None,
        };
        Ok(self
            .store
            .flow_runs(&actor.org, workspace, flow.as_ref(), before, limit)
            .await?)
    }

    pub async fn flow_run(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        run: &RunId,
    ) -> Result<RunInFull, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        self.past_runs.settle(self).await;
        let found = self.store.flow_run(&actor.org, run).await?;
        let run = found
            .filter(|run| run.workspace == *workspace)
            .ok_or_else(no_run)?;
        let flow = self.store.flow(&actor.org, &run.flow).await?;
        let flow = flow.map(|flow| flow.name).ok_or_else(no_run)?;
        let mut steps = self.store.flow_run_steps(&actor.org, &run.id).await?;
        // A durable run that goes on keeps all of it.
        let mut room = Room::new(MOST_BYTES, SHOWN);
        for step in &mut steps {
            step.input = step.input.take().map(|value| room.cut(value));
            step.output = step.output.take().map(|value| room.cut(value));
        }
        Ok(RunInFull { run, flow, steps })
    }

    /// Whose runs a caller reads: those that its credential began. Anonymous callers are told apart by
    /// where they come from, for which a code stands that only this instance can make.
    pub(crate) fn run_owner(&self, caller: &Caller) -> Result<String, Fault> {
        if caller.anonymous().is_none() {
            return Ok(caller.credential.to_string());
        }
        let mac = Hmac::<Sha256>::new_from_slice(&self.owner_key[..]);
        let mut mac = mac.map_err(|_| Fault::internal())?;
        mac.update(caller.credential.as_str().as_bytes());
        Ok(hex(&mac.finalize().into_bytes()))
    }

    /// Ends a durable run that is under way; its steps up to here are not undone.
    pub async fn cancel_flow_run(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        run: &RunId,
    ) -> Result<RunInFull, Fault> {
        let known = self.flow_run(admin, workspace, run).await?;
        let mut tx = self.store.begin().await?;
        if tx.cancel_run(&admin.org, run, self.now()).await? {
            let details = json!({ "run": run, "flow": known.flow });
            self.record_flow(&mut tx, admin, workspace, "flow_run.cancelled", details)
                .await?;
            tx.commit().await?;
            self.changed().await;
        }
        self.flow_run(admin, workspace, run).await
    }
}

//! The queue: runs that are begun by whoever is free, and those who wait for their end.

use super::kept::must_be_small;
use super::running::at_once;
use super::shelf::Ready;
use crate::App;
use quaymaster_core::id::{OrgId, RunId};
use quaymaster_core::tool::{JsonObject, Progress};
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_store::flow_run::{Run, RunState};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Runs of one organization that are in the queue or under way.
pub(super) const MOST_OPEN: i64 = 10_000;
/// When it is worth while to try again.
const FULL_SECONDS: u64 = 10;
/// Looks for the ends of runs of other nodes.
const LOOK: Duration = Duration::from_secs(1);

/// How a run came to wait.
pub(crate) struct Waiting<'a> {
    pub(crate) started_by: &'static str,
    /// Id of a credential or person, or what started it.
    pub(crate) label: &'a str,
    /// What expressions see as `.caller`.
    pub(crate) caller: Value,
    /// Whose it is to read.
    pub(crate) owner: Option<String>,
    /// When it was to begin; now where that is not said.
    pub(crate) due: Option<Instant>,
}

/// Where clients on this node are told how far runs are.
#[derive(Default)]
pub(crate) struct Watched(Mutex<HashMap<RunId, Arc<dyn Progress>>>);

impl Watched {
    pub(super) fn of(&self, run: &RunId) -> Option<Arc<dyn Progress>> {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched.get(run).cloned()
    }

    /// Until the answer is dropped.
    fn watch(&self, run: &RunId, progress: Arc<dyn Progress>) -> Watching<'_> {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watched.insert(run.clone(), progress.clone());
        Watching {
            all: self,
            run: run.clone(),
            progress,
        }
    }
}

/// Somebody who waits, also when they hang up.
struct Watching<'a> {
    all: &'a Watched,
    run: RunId,
    progress: Arc<dyn Progress>,
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        let mut watched = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may wait for the same run by now.
        let own = watched.get(&self.run);
        if own.is_some_and(|one| Arc::ptr_eq(one, &self.progress)) {
            watched.remove(&self.run);
        }
    }
}

fn full() -> Fault {
    Fault::new(
        Code::RateLimited,
        format!("{MOST_OPEN} runs of flows of this organization wait or are under way already, and no more are taken."),
    )
    .hint("Send it again in a moment. If that goes on: start flows less often, let them do less, or have an administrator cancel runs that nobody needs.")
    .detail("retry_after_s", FULL_SECONDS)
}

impl App {
    pub(super) fn waiting_run(&self, ready: &Ready, input: Value, waiting: Waiting<'_>) -> Run {
        let flow = &ready.flow;
        Run {
            id: RunId::fresh(&*self.clock, &*self.entropy),
            org: flow.org.clone(),
            workspace: flow.workspace.clone(),
            flow: flow.id.clone(),
            version: flow.version,
            started_by: waiting.started_by.to_owned(),
            caller: waiting.label.to_owned(),
            shown_caller: Some(waiting.caller),
            owner: waiting.owner,
            state: RunState::Ready,
            input,
            output: None,
            error: None,
            started_at: waiting.due.unwrap_or_else(|| self.now()),
            begun_at: None,
            ended_at: None,
            durable: flow.durable,
            attempts: 0,
            at_once: at_once(&ready.prepared).into(),
        }
    }

    /// Has a flow run by whoever is free, and answers at once.
    pub(crate) async fn enqueue_flow(
        &self,
        ready: &Ready,
        input: JsonObject,
        waiting: Waiting<'_>,
    ) -> Result<RunId, Fault> {
        must_be_small(&input)?;
        if self.store.open_runs(&ready.flow.org, MOST_OPEN).await? >= MOST_OPEN {
            return Err(full());
        }
        let run = self.waiting_run(ready, Value::Object(input), waiting);
        let mut tx = self.store.begin().await?;
        tx.add_run(&run, &[]).await?;
        tx.commit().await?;
        self.run_wake.notify_one();
        Ok(run.id)
    }

    /// Waits until a run has ended, at most so long; none when it goes on.
    pub(crate) async fn await_run(
        &self,
        org: &OrgId,
        run: &RunId,
        patience: Duration,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<Option<Run>, Fault> {
        let _watching = progress.map(|progress| self.watched.watch(run, progress));
        let waited = tokio::time::timeout(patience, async {
            loop {
                let ended = self.run_ended.notified();
                let found = self.store.flow_run(org, run).await?;
                let found = found.ok_or_else(|| {
                    Fault::not_found("The run was deleted together with its flow.")
                })?;
                if found.state.is_over() {
                    return Ok(found);
                }
                // Another node may run it.
                let _ = tokio::time::timeout(LOOK, ended).await;
            }
        });
        waited.await.ok().transpose()
    }
}

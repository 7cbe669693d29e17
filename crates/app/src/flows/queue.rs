//! The queue: runs that are begun by whoever is free, and those who wait for their end.

use super::kept::must_be_small;
use super::running::at_once;
use super::shelf::Ready;
use super::together::Together;
use crate::App;
use quaymaster_core::id::{OrgId, RunId};
use quaymaster_core::tool::{JsonObject, Progress};
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_store::flow_run::{Run, RunState};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Runs of one organization that are in the queue or under way.
const MOST_OPEN: i64 = 10_000;
/// When it is worth while to try again.
const FULL_SECONDS: u64 = 10;
/// How long a count of open runs is believed.
const COUNTED: Duration = Duration::from_secs(1);
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

/// Who on this node waits for runs: they are told how far one is, and of its end.
#[derive(Default)]
pub(crate) struct Watched(Mutex<HashMap<RunId, Watchers>>);

/// Those who wait for one run.
#[derive(Default)]
struct Watchers {
    count: usize,
    ended: Arc<Notify>,
    /// Of whoever came last.
    progress: Option<Arc<dyn Progress>>,
}

impl Watched {
    pub(super) fn of(&self, run: &RunId) -> Option<Arc<dyn Progress>> {
        self.all().get(run)?.progress.clone()
    }

    pub(super) fn ended(&self, run: &RunId) {
        if let Some(watchers) = self.all().get(run) {
            watchers.ended.notify_waiters();
        }
    }

    /// Until the answer is dropped.
    fn watch(&self, run: &RunId, progress: Option<Arc<dyn Progress>>) -> Watching<'_> {
        let mut all = self.all();
        let watchers = all.entry(run.clone()).or_default();
        watchers.count += 1;
        watchers.progress = progress.clone().or(watchers.progress.take());
        Watching {
            all: self,
            run: run.clone(),
            ended: watchers.ended.clone(),
            progress,
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<RunId, Watchers>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits, also when they hang up.
struct Watching<'a> {
    all: &'a Watched,
    run: RunId,
    ended: Arc<Notify>,
    progress: Option<Arc<dyn Progress>>,
}

impl Drop for Watching<'_> {
    fn drop(&mut self) {
        let mut all = self.all.all();
        let Some(watchers) = all.get_mut(&self.run) else {
            return;
        };
        watchers.count -= 1;
        // Somebody else may wait for the same run by now.
        let is_own = match (&watchers.progress, &self.progress) {
            (Some(last), Some(own)) => Arc::ptr_eq(last, own),
            _ => false,
        };
        if is_own {
            watchers.progress = None;
        }
        if watchers.count == 0 {
            all.remove(&self.run);
        }
    }
}

/// How many runs organizations have that have not ended, counted now and then: counting costs more than
/// a run.
#[derive(Default)]
pub(crate) struct OpenRuns(Mutex<HashMap<OrgId, (std::time::Instant, i64)>>);

impl OpenRuns {
    /// Counts one more, where the count is fresh: how many there are with it.
    fn one_more(&self, org: &OrgId) -> Option<i64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, open) = all.get_mut(org)?;
        (at.elapsed() < COUNTED).then(|| {
            *open += 1;
            *open
        })
    }

    fn set(&self, org: &OrgId, open: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, (at, _)| at.elapsed() < COUNTED);
        all.insert(org.clone(), (std::time::Instant::now(), open));
    }
}

/// Runs that are written into the queue.
pub(crate) fn new_runs() -> Together<Run> {
    Together::new(|app, runs| Box::pin(app.write_new_runs(runs)))
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
        self.make_room_for_run(&ready.flow.org).await?;
        let run = self.waiting_run(ready, Value::Object(input), waiting);
        let id = run.id.clone();
        self.new_runs.write(self, run).await?;
        self.run_wake.notify_one();
        Ok(id)
    }

    async fn write_new_runs(&self, runs: &[Run]) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        for run in runs {
            tx.add_run(run, &[]).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Counts one more run of an organization, unless it has too many.
    pub(super) async fn make_room_for_run(&self, org: &OrgId) -> Result<(), Fault> {
        let open = match self.open_runs.one_more(org) {
            Some(open) => open,
            None => {
                let open = self.store.open_runs(org, MOST_OPEN).await? + 1;
                self.open_runs.set(org, open);
                open
            }
        };
        if open > MOST_OPEN {
            Err(full())
        } else {
            Ok(())
        }
    }

    /// Waits until a run has ended, at most so long; none when it goes on.
    pub(crate) async fn await_run(
        &self,
        org: &OrgId,
        run: &RunId,
        patience: Duration,
        progress: Option<Arc<dyn Progress>>,
    ) -> Result<Option<Run>, Fault> {
        let watching = self.watched.watch(run, progress);
        let waited = tokio::time::timeout(patience, async {
            loop {
                let ended = watching.ended.notified();
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

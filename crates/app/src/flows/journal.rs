//! What a run's steps did: kept in memory and written when the run ends, or, of a durable run, written
//! step by step under its lease, so that it goes on after a crash.

use super::host::after;
use super::kept::{self, Room};
use crate::App;
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::format::Flow;
use quaymaster_flows::host::{Mark, Recalled, Request};
use quaymaster_store::flow_queue::LeasedRun;
use quaymaster_store::flow_run::RunStep;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as Monotonic};

/// Bytes of what is kept of one input or output of a run that is not durable, and of all of a run. Of a
/// durable one all is kept while it goes on.
const KEPT_OF_STEP: usize = 16 * 1024;
const KEPT_OF_RUN: usize = 1024 * 1024;
/// Steps that are kept; those behind them run all the same.
const MOST_STEPS: usize = 2_000;

const STARTED: &str = "started";
const DONE: &str = "done";
const FAILED: &str = "failed";
const SKIPPED: &str = "skipped";

pub(super) struct Journal {
    notes: Mutex<Notes>,
    /// What the steps of the flow do, by their ids.
    kinds: HashMap<String, &'static str>,
    durable: Option<LeasedRun>,
}

struct Notes {
    steps: Vec<RunStep>,
    by_path: HashMap<String, usize>,
    since: HashMap<String, Monotonic>,
    room: Room,
}

impl Default for Notes {
    fn default() -> Self {
        Notes {
            steps: Vec::new(),
            by_path: HashMap::new(),
            since: HashMap::new(),
            room: Room::new(KEPT_OF_STEP, KEPT_OF_RUN),
        }
    }
}

impl Journal {
    pub(super) fn of(flow: &Flow) -> Self {
        let mut kinds = HashMap::new();
        flow.every_step(&mut |step| {
            if let (Some(id), Some(kind)) = (&step.id, step.kind()) {
                kinds.insert(id.clone(), kind.name());
            }
        });
        Journal {
            notes: Mutex::default(),
            kinds,
            durable: None,
        }
    }

    /// Of a run that may have been begun before: `steps` are what is known of it.
    pub(super) fn resumed(flow: &Flow, leased: LeasedRun, steps: Vec<RunStep>) -> Self {
        let journal = Journal {
            durable: Some(leased),
            ..Journal::of(flow)
        };
        let mut notes = journal.notes();
        for step in steps {
            let index = notes.steps.len();
            notes.by_path.insert(step.path.clone(), index);
            notes.steps.push(step);
        }
        drop(notes);
        journal
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All steps, in the order in which they began.
    pub(super) fn take(&self) -> Vec<RunStep> {
        std::mem::take(&mut self.notes().steps)
    }

    /// The steps of a durable run that keep more than is needed once it has ended, without that.
    pub(super) fn take_large(&self) -> Vec<RunStep> {
        let mut steps = self.take();
        steps.retain(|step| step.output.as_ref().is_some_and(kept::is_large));
        for step in &mut steps {
            step.output = step.output.take().map(kept::cut);
        }
        steps
    }

    /// When a wait is over that is to take so long: what was noted when it began, if it began before.
    pub(super) async fn end_of_wait(
        &self,
        app: &App,
        path: &str,
        whole: Duration,
    ) -> Result<Instant, StepFault> {
        if let Some(known) = self.noted_end(path) {
            return Ok(known);
        }
        let end = after(app.now(), whole);
        let mark = Mark::Begun {
            attempt: 1,
            input: &json!({ "until": end }),
        };
        self.record(app, path, mark, &Value::clone).await?;
        Ok(end)
    }

    fn noted_end(&self, path: &str) -> Option<Instant> {
        let notes = self.notes();
        let step = notes.steps.get(*notes.by_path.get(path)?)?;
        if step.state != STARTED {
            return None;
        }
        serde_json::from_value(step.input.as_ref()?["until"].clone()).ok()
    }

    /// What a step of another flow does is known when it does it.
    pub(super) fn asks(&self, path: &str, request: &Request) {
        let kind = match request {
            Request::Http(_) => "http",
            Request::Call(_) => "call",
            Request::Mcp(_) => "mcp",
            Request::Sql(_) => "sql",
            Request::Python(_) => "python",
            Request::Kv(_) => "kv",
        };
        let mut notes = self.notes();
        if let Some(index) = notes.by_path.get(path).copied()
            && let Some(step) = notes.steps.get_mut(index)
        {
            kind.clone_into(&mut step.kind);
        }
    }

    pub(super) fn recall(&self, path: &str) -> Recalled {
        let notes = self.notes();
        let step = notes.by_path.get(path);
        let Some(step) = step.and_then(|index| notes.steps.get(*index)) else {
            return Recalled::Nothing;
        };
        match &*step.state {
            STARTED => Recalled::Begun,
            DONE => Recalled::Done(step.output.clone().unwrap_or_default()),
            FAILED => {
                let fault = step.error.clone().map(serde_json::from_value);
                match fault {
                    Some(Ok(fault)) => Recalled::Failed(fault),
                    _ => Recalled::Nothing,
                }
            }
            // Whether its `if` says no is asked again.
            _ => Recalled::Nothing,
        }
    }

    pub(super) async fn record(
        &self,
        app: &App,
        path: &str,
        mark: Mark<'_>,
        redact: &(dyn Fn(&Value) -> Value + Send + Sync),
    ) -> Result<(), StepFault> {
        let Some(step) = self.note(app, path, mark, redact) else {
            return Ok(());
        };
        let Some(leased) = &self.durable else {
            return Ok(());
        };
        let written = async {
            let mut tx = app.store.begin().await?;
            if !tx.holds_run(leased).await? {
                return Ok(false);
            }
            tx.put_run_step(&leased.run.org, &leased.run.id, &step)
                .await?;
            tx.commit().await?;
            Ok::<_, Fault>(true)
        };
        if written.await? {
            return Ok(());
        }
        Err(StepFault::new(
            Code::Unavailable,
            "The run was cancelled, or another node goes on with it.",
        ))
    }

    /// The step as it is now; none when there is no room for it.
    fn note(
        &self,
        app: &App,
        path: &str,
        mark: Mark<'_>,
        redact: &(dyn Fn(&Value) -> Value + Send + Sync),
    ) -> Option<RunStep> {
        let is_durable = self.durable.is_some();
        let mut notes = self.notes();
        let index = match notes.by_path.get(path) {
            Some(index) => *index,
            None if notes.steps.len() >= MOST_STEPS && !is_durable => return None,
            None => {
                let index = notes.steps.len();
                notes.by_path.insert(path.to_owned(), index);
                notes.steps.push(RunStep {
                    path: path.to_owned(),
                    kind: self.kind(path).to_owned(),
                    state: STARTED.to_owned(),
                    attempts: 0,
                    input: None,
                    output: None,
                    error: None,
                    started_at: app.now(),
                    duration_us: 0,
                });
                index
            }
        };
        let kept = |value: &Value, notes: &mut Notes| {
            let value = redact(value);
            if is_durable {
                return value;
            }
            notes.room.cut(value)
        };
        match mark {
            Mark::Begun { attempt, input } => {
                let input = kept::cut(kept(input, &mut notes));
                notes
                    .since
                    .entry(path.to_owned())
                    .or_insert_with(Monotonic::now);
                let step = notes.steps.get_mut(index)?;
                step.attempts = i64::from(attempt);
                step.input = (!input.is_null()).then_some(input);
                STARTED.clone_into(&mut step.state);
            }
            Mark::Skipped => SKIPPED.clone_into(&mut notes.steps.get_mut(index)?.state),
            Mark::Done { output } => {
                let output = kept(output, &mut notes);
                let step = notes.steps.get_mut(index)?;
                step.output = Some(output);
                DONE.clone_into(&mut step.state);
            }
            Mark::Failed { fault } => {
                let fault = serde_json::to_value(fault).unwrap_or_default();
                let fault = kept(&fault, &mut notes);
                let step = notes.steps.get_mut(index)?;
                step.error = Some(fault);
                FAILED.clone_into(&mut step.state);
            }
        }
        let since = notes.since.get(path).copied();
        let step = notes.steps.get_mut(index)?;
        if step.state != STARTED {
            step.duration_us = match since {
                Some(since) => i64::try_from(since.elapsed().as_micros()).unwrap_or(i64::MAX),
                // It began before the run was put off or stopped.
                None => app.now().micros() - step.started_at.micros(),
            };
        }
        is_durable.then(|| step.clone())
    }

    /// By the id at the end of the path.
    fn kind(&self, path: &str) -> &'static str {
        let last = path.rsplit('.').next().unwrap_or(path);
        let id = last.split('[').next().unwrap_or(last);
        self.kinds.get(id).copied().unwrap_or_default()
    }
}

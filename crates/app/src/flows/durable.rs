//! Runs that wait in the database for somebody who begins them: those of durable flows, and those that
//! nobody waits for.
//!
//! The queue is the table. A node holds a lease of what it runs and renews it; after kill -9 the lease
//! runs out and somebody else, or the same server started again, goes on with the run: steps that are
//! done are not done again. A run that is not durable ends as failed then. A durable run that does
//! nothing but wait is put off: nobody holds it until the first of its waits is over.

use super::ends::Ended;
use super::host::RunHost;
use super::journal::Journal;
use super::running::{acting, at_once, clean, shown_run};
use super::{kept, schedule};
use crate::App;
use crate::guard::Trace;
use quaymaster_core::id::CredentialId;
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_flows::run::{Start, run};
use quaymaster_store::flow_queue::{LeasedRun, RunEnd};
use quaymaster_store::flow_run::{RunState, RunStep};
use quaymaster_store::flow_turn::Places;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Runs of all flows that a node works on at the same time.
const AT_A_TIME: usize = 32;
/// Of those, what one organization may take: runs that wait for long hold up nobody else.
const OF_ONE: i64 = 16;
const LEASE_SECONDS: i64 = 30;
const RENEW: Duration = Duration::from_secs(10);
/// Looks for runs of other nodes, and for leases that ran out.
const LOOK: Duration = Duration::from_secs(1);
/// From one look to the next, also when much happens.
const BETWEEN: Duration = Duration::from_millis(10);
/// Asks again whether a flow has room for one more run.
const ROOM: Duration = Duration::from_millis(200);
/// After something of ours did not work.
const PAUSE: Duration = Duration::from_secs(5);
/// A run with which the server itself was killed so often is not begun again.
const MOST_ATTEMPTS: i64 = 10;

/// What came of going on with a run.
enum Outcome {
    /// Its result, and the steps that are to be written with it.
    Ended(Result<Value, Fault>, Vec<RunStep>),
    /// It only waits.
    PutOff(Instant),
}

/// What is to be written of a run that nobody works on any more.
enum Became {
    Ended(Arc<Ended>),
    PutOff(Instant),
}

impl App {
    /// Starts to run what waits and what is due. For the server, not for commands beside it.
    pub async fn start_flows(&self) -> Result<(), Fault> {
        if !self.store.is_shared() {
            // Nobody else works on them: whoever did was killed.
            self.store.end_run_leases().await?;
        }
        self.tasks.spawn(self.clone().run_what_waits());
        self.tasks.spawn(self.clone().follow_schedules());
        Ok(())
    }

    async fn run_what_waits(self) {
        let room = Arc::new(Semaphore::new(AT_A_TIME));
        loop {
            // One is free, and with it all that are free by now.
            let Ok(permit) = room.clone().acquire_owned().await else {
                return;
            };
            let mut permits = vec![permit];
            permits.extend(std::iter::from_fn(|| room.clone().try_acquire_owned().ok()));
            // Runs that come and places that get free meanwhile are seen together.
            let pause = tokio::time::sleep(BETWEEN);
            let wait = match self.lease_next(permits.len()).await {
                Ok(leased) => {
                    let is_all = leased.len() < permits.len();
                    for (leased, permit) in leased.into_iter().zip(permits) {
                        self.tasks.spawn(self.clone().run_in_place(leased, permit));
                    }
                    if is_all { LOOK } else { Duration::ZERO }
                }
                Err(fault) => {
                    tracing::warn!(%fault, "runs of flows were not looked for");
                    PAUSE
                }
            };
            tokio::select! {
                () = self.run_wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.stop.cancelled() => return,
            }
            pause.await;
        }
    }

    async fn run_in_place(self, leased: LeasedRun, place: OwnedSemaphorePermit) {
        let run = leased.run.id.clone();
        self.run_leased(leased).await;
        self.watched.ended(&run);
        drop(place);
        // Others may have waited for its turn.
        self.run_wake.notify_one();
    }

    async fn lease_next(&self, most: usize) -> Result<Vec<LeasedRun>, Fault> {
        if self.stop.is_cancelled() {
            return Ok(Vec::new());
        }
        let now = self.now();
        let lease = self.fresh_call_id().to_string();
        let places = Places {
            lease: &lease,
            until: now.plus_seconds(LEASE_SECONDS),
            of_one: OF_ONE,
            in_all: most,
        };
        Ok(self.store.lease_runs(now, places).await?)
    }

    async fn run_leased(&self, leased: LeasedRun) {
        let outcome = tokio::select! {
            outcome = self.go_on(&leased) => outcome,
            // Cancelled, or another node's by now.
            () = self.keep_run(&leased) => return,
            () = self.stop.cancelled() => {
                if let Err(error) = self.store.give_run_back(&leased, self.now()).await {
                    tracing::warn!(%error, run = %leased.run.id, "a run was not given back");
                }
                return;
            }
        };
        let what = match outcome {
            Ok(Outcome::PutOff(until)) => Became::PutOff(until),
            Ok(Outcome::Ended(result, steps)) => self.ended(&leased, result, steps),
            Err(fault) => self.ended(&leased, Err(fault), Vec::new()),
        };
        tokio::select! {
            () = self.write_what_became(&leased, &what) => {}
            // Nobody took it meanwhile, unless the lease is lost.
            () = self.keep_run(&leased) => {}
            () = self.stop.cancelled() => {}
        }
    }

    /// Goes on until it is written: what was done is not to be done again because the database was away.
    async fn write_what_became(&self, leased: &LeasedRun, what: &Became) {
        loop {
            let written = match what {
                Became::PutOff(until) => {
                    let put_off = self.store.put_run_off(leased, *until).await;
                    put_off.map_err(Fault::from)
                }
                Became::Ended(ended) => self.run_ends.write(self, ended.clone()).await,
            };
            let Err(fault) = written else {
                return;
            };
            tracing::warn!(%fault, run = %leased.run.id, "what became of a run was not written");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Runs what is left of a run.
    async fn go_on(&self, leased: &LeasedRun) -> Result<Outcome, Fault> {
        let record = &leased.run;
        if record.attempts > 1 && !record.durable {
            return Err(
                interrupted("The server was stopped while the run was under way.")
                    .hint("Set `durable: true` for flows that shall go on after a crash."),
            );
        }
        if record.attempts > MOST_ATTEMPTS {
            return Err(interrupted(
                "The server was stopped again and again while the run was under way.",
            ));
        }
        let gone = || {
            Fault::not_found("The flow or this version of it is gone, or cannot be read any more.")
        };
        let flow = self.store.flow(&record.org, &record.flow).await?;
        let mut flow = flow.ok_or_else(gone)?;
        flow.version = record.version;
        let ready = self.flow_ready(&flow).await?.ok_or_else(gone)?;
        let prepared = &ready.prepared;
        // To the run it is called what its version says, whatever its name is by now.
        flow.name.clone_from(&prepared.flow().flow);
        // Calls that somebody waits for are no rows of the queue, and may have taken the room of the flow.
        let asked = self.now();
        let _room = loop {
            match self.run_limits.take(&flow.id, at_once(prepared)) {
                Ok(room) => break room,
                Err(_) => tokio::time::sleep(ROOM).await,
            }
        };
        let waited = self.now().micros() - asked.micros();
        let journal = if record.durable {
            let known = self.store.flow_run_steps(&record.org, &record.id).await?;
            Journal::resumed(prepared.flow(), leased.clone(), known)
        } else {
            Journal::of(prepared.flow())
        };
        let credential: Option<CredentialId> = record.caller.parse().ok();
        // Nobody's, where nobody called.
        let credential = match credential {
            Some(credential) => credential,
            None => CredentialId::fresh(&*self.clock, &*self.entropy),
        };
        let host = RunHost::new(
            self.clone(),
            flow.workspace.clone(),
            acting(&flow, &credential),
            Trace::default(),
            self.watched.of(&record.id),
            journal,
        );
        let input = match &record.input {
            Value::Object(input) => input.clone(),
            _ => JsonObject::new(),
        };
        let start = Start {
            input,
            run: shown_run(&record.id, &flow, &record.started_by, record.started_at),
            caller: match &record.shown_caller {
                Some(shown) => shown.clone(),
                None => schedule::shown(&record.started_by, &record.caller),
            },
            spent: record.begun_at.map_or(Duration::ZERO, |begun| {
                let micros = self.now().micros() - begun.micros() - waited;
                Duration::from_micros(u64::try_from(micros).unwrap_or(0))
            }),
        };
        let result = tokio::select! {
            biased;
            result = run(prepared, start, &host) => result,
            until = host.doing.only_waits(), if record.durable => return Ok(Outcome::PutOff(until)),
        };
        let result = clean(&host, result.map_err(|fault| fault.to_fault()));
        let steps = if record.durable {
            host.journal.take_large()
        } else {
            host.journal.take()
        };
        Ok(Outcome::Ended(result, steps))
    }

    fn ended(
        &self,
        leased: &LeasedRun,
        result: Result<Value, Fault>,
        steps: Vec<RunStep>,
    ) -> Became {
        let end = RunEnd {
            state: match &result {
                Ok(_) => RunState::Done,
                Err(_) => RunState::Failed,
            },
            error: result.as_ref().err().map(Fault::to_json),
            output: result.ok().map(kept::cut),
            at: self.now(),
        };
        let leased = leased.clone();
        Became::Ended(Arc::new(Ended { leased, end, steps }))
    }

    /// Renews the lease until it is lost.
    async fn keep_run(&self, leased: &LeasedRun) {
        let mut good_until = self.now().plus_seconds(LEASE_SECONDS);
        loop {
            tokio::time::sleep(RENEW).await;
            let until = self.now().plus_seconds(LEASE_SECONDS);
            match self.store.renew_run_lease(leased, until).await {
                Ok(true) => good_until = until,
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, run = %leased.run.id, "a lease was not renewed");
                    if self.now() >= good_until {
                        return;
                    }
                }
            }
        }
    }
}

fn interrupted(message: &str) -> Fault {
    Fault::new(Code::FlowError, message)
}

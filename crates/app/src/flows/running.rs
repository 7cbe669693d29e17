//! One run of a flow, from its input to its record.

use super::host::RunHost;
use super::journal::Journal;
use super::kept::{cut, must_be_small};
use super::together::Together;
use crate::App;
use crate::guard::Trace;
use quaymaster_core::caller::{Grant, Reach, Who};
use quaymaster_core::id::{CredentialId, FlowId, RunId, UserId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::tool::{JsonObject, Progress};
use quaymaster_core::{Caller, Code, Fault, Instant, Scopes};
use quaymaster_flows::fault::RunFault;
use quaymaster_flows::format::Mocks;
use quaymaster_flows::prepared::Prepared;
use quaymaster_flows::run::{Start, run};
use quaymaster_store::flow::Flow;
use quaymaster_store::flow_run::{Run, RunState, RunStep};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// Runs of a flow at the same time, unless the flow says otherwise.
const USUAL_CONCURRENCY: u32 = 20;

/// What is run, for whom.
pub(crate) struct Starting {
    pub(crate) flow: Flow,
    pub(crate) prepared: Arc<Prepared>,
    /// Fits the flow's schema, with defaults filled in.
    pub(crate) input: JsonObject,
    /// `mcp`, `rest`, `page`, `try`, `cron` or `webhook`.
    pub(crate) started_by: &'static str,
    /// Whom the record names.
    pub(crate) label: String,
    /// What expressions see as `.caller`.
    pub(crate) caller: Value,
    /// Whose the record is to read.
    pub(crate) owner: Option<String>,
    pub(crate) trace: Trace,
    pub(crate) progress: Option<Arc<dyn Progress>>,
    pub(crate) cancel: CancellationToken,
    /// Answers in the places of steps, by their ids.
    pub(crate) mocks: HashMap<String, Mocks>,
}

/// How many runs of a flow there may be at the same time.
pub(super) fn at_once(prepared: &Prepared) -> u32 {
    let most = prepared.flow().limits.concurrency;
    most.unwrap_or(USUAL_CONCURRENCY)
}

/// How many runs of each flow there are on this node.
#[derive(Default)]
pub(crate) struct RunLimits(Arc<Mutex<HashMap<FlowId, u32>>>);

/// Room for one run, given back when it is dropped.
pub(super) struct Room {
    runs: Arc<Mutex<HashMap<FlowId, u32>>>,
    flow: FlowId,
}

impl RunLimits {
    pub(super) fn take(&self, flow: &FlowId, most: u32) -> Result<Room, Fault> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = runs.entry(flow.clone()).or_default();
        if *count >= most {
            return Err(Fault::new(
                Code::RateLimited,
                format!("{most} runs of this flow are under way already."),
            )
            .hint("Try again in a moment, or raise `limits.concurrency` of the flow.")
            .detail("retry_after_s", 1));
        }
        *count += 1;
        Ok(Room {
            runs: self.0.clone(),
            flow: flow.clone(),
        })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = runs.get_mut(&self.flow) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                runs.remove(&self.flow);
            }
        }
    }
}

/// Whom expressions see as `.caller`: who called, never by what secret.
pub(crate) fn shown_caller(caller: &Caller) -> Value {
    let kind = match &caller.who {
        Who::User(_) => "user",
        Who::Anonymous(_) => "anonymous",
        _ => "token",
    };
    json!({ "kind": kind, "credential": caller.principal(), "user": caller.user() })
}

/// The same of a person who tries a flow.
pub(super) fn shown_person(user: &UserId) -> Value {
    json!({ "kind": "user", "credential": null, "user": user })
}

/// As whom a flow of the workspace calls connectors: with the accounts of the organization and of the
/// workspace, whoever called the flow.
pub(super) fn acting(flow: &Flow, credential: &CredentialId) -> Caller {
    Caller {
        org: flow.org.clone(),
        who: Who::Workspace(flow.workspace.clone()),
        credential: credential.clone(),
        kind: TokenKind::WorkspaceToken,
        scopes: Scopes::of_tools(),
        reach: Reach::Organization,
        grants: vec![Grant::Catalog, Grant::Files(flow.workspace.clone())],
        tools: None,
        expires_at: None,
        access: None,
    }
}

/// How a run ended, with what is kept of it.
pub(super) struct Ended {
    pub(super) run: RunId,
    pub(super) result: Result<Value, Fault>,
    pub(super) record: Run,
    pub(super) steps: Vec<RunStep>,
}

/// What is kept of a run that has ended.
pub(crate) struct Past(pub(super) Run, pub(super) Vec<RunStep>);

/// Runs that are written when they have ended. The flow of one may be gone by then; what it answered is
/// good all the same.
pub(crate) fn past_runs() -> Together<Past> {
    Together::new(|app, runs| Box::pin(app.write_past(runs)))
}

impl App {
    /// Runs a flow to its end. What it did is written soon after.
    pub(crate) async fn run_flow(
        &self,
        credential: &CredentialId,
        starting: Starting,
    ) -> Result<(RunId, Value), Fault> {
        let ended = self.run_unrecorded(credential, starting).await?;
        let past = Past(ended.record, ended.steps);
        self.past_runs.write_soon(self, past).await;
        ended.result.map(|value| (ended.run, value))
    }

    /// Writes what runs did that nobody wrote before.
    async fn write_past(&self, runs: &[Past]) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        for Past(record, steps) in runs {
            tx.add_run(record, steps).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The outer fault says that nothing was run.
    pub(super) async fn run_unrecorded(
        &self,
        credential: &CredentialId,
        starting: Starting,
    ) -> Result<Ended, Fault> {
        let Starting {
            flow,
            prepared,
            input,
            started_by,
            label,
            caller,
            owner,
            trace,
            progress,
            cancel,
            mocks,
        } = starting;
        must_be_small(&input)?;
        let _room = self.run_limits.take(&flow.id, at_once(&prepared))?;
        let id = RunId::fresh(&*self.clock, &*self.entropy);
        let started_at = self.now();
        let host = RunHost::new(
            self.clone(),
            flow.workspace.clone(),
            acting(&flow, credential),
            trace,
            progress,
            Journal::of(prepared.flow()),
        )
        .with_mocks(mocks);
        let start = Start {
            input: input.clone(),
            run: shown_run(&id, &flow, started_by, started_at),
            caller: caller.clone(),
            ..Start::default()
        };
        let result = tokio::select! {
            result = run(&prepared, start, &host) => result.map_err(|fault: RunFault| fault.to_fault()),
            () = cancel.cancelled() => Err(Fault::new(Code::Timeout, "The run was cancelled by its caller.")),
        };
        let result = clean(&host, result);
        let mut kept_input = Value::Object(input);
        host.redact(&mut kept_input);
        let state = match &result {
            Ok(_) => RunState::Done,
            Err(_) if cancel.is_cancelled() => RunState::Cancelled,
            Err(_) => RunState::Failed,
        };
        let record = Run {
            id: id.clone(),
            org: flow.org.clone(),
            workspace: flow.workspace.clone(),
            flow: flow.id.clone(),
            version: flow.version,
            started_by: started_by.to_owned(),
            caller: label,
            shown_caller: Some(caller),
            owner,
            state,
            input: kept_input,
            output: result.as_ref().ok().cloned().map(cut),
            error: result.as_ref().err().map(Fault::to_json),
            started_at,
            begun_at: Some(started_at),
            ended_at: Some(self.now()),
            durable: false,
            attempts: 1,
            at_once: at_once(&prepared).into(),
        };
        Ok(Ended {
            run: id,
            result,
            record,
            steps: host.journal.take(),
        })
    }
}

/// What expressions see as `.run`.
pub(super) fn shown_run(id: &RunId, flow: &Flow, started_by: &str, at: Instant) -> Value {
    json!({
        "id": id, "flow": flow.name, "version": flow.version, "started_by": started_by, "started_at": at,
    })
}

/// No secret leaves by a result or a fault.
pub(super) fn clean(host: &RunHost, result: Result<Value, Fault>) -> Result<Value, Fault> {
    match result {
        Ok(mut value) => {
            host.redact(&mut value);
            Ok(value)
        }
        Err(mut fault) => {
            host.redact_fault(&mut fault);
            Err(fault)
        }
    }
}

//! The flows of a caller's workspaces as tools, and `get_run` for those that take long.

use super::{READS, Tool, structured};
use crate::App;
use crate::flows::Starting;
use crate::flows::queue::Waiting;
use crate::flows::running::shown_caller;
use crate::flows::shelf::Offered;
use crate::guard::Admitted;
use quaymaster_core::Fault;
use quaymaster_core::id::RunId;
use quaymaster_core::tool::{Content, JsonObject, Source, ToolResult};
use quaymaster_flows::format::Mode;
use quaymaster_store::flow_run::{Run, RunState};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// How long a caller waits for a durable run. Clients give up after a minute.
const PATIENCE: Duration = Duration::from_secs(45);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetRun {
    /// As the tool answered it.
    #[schemars(length(min = 1, max = 64))]
    run_id: String,
    /// Seconds to wait for the end of the run, 0 to 45; 0 unless said otherwise.
    #[serde(default)]
    #[schemars(range(max = 45))]
    wait_s: Option<u64>,
}

/// For callers of durable flows.
pub(super) fn get_run() -> Result<Tool, Fault> {
    let tool = Tool::new::<GetRun, super::Open>(
        "get_run",
        "Get a run",
        "How far a run is that a tool answered with {run_id, state}: state is ready, running, done, failed or \
         cancelled. Pass wait_s to wait for its end.",
        READS,
        |app, admitted, request| Box::pin(read_run(app, admitted, request)),
    )?;
    Ok(tool.without_output_schema())
}

async fn read_run(app: &App, admitted: Admitted, request: GetRun) -> Result<ToolResult, Fault> {
    let caller = admitted.caller();
    let nothing = || {
        Fault::not_found("There is no such run, or it is too long ago.")
            .hint("Runs are kept for 30 days.")
    };
    let id: RunId = request.run_id.parse().map_err(|_| nothing())?;
    let owner = app.run_owner(caller)?;
    app.past_runs.settle(app).await;
    let run = app.store.flow_run(&caller.org, &id).await?;
    let run = run.filter(|run| run.owner.as_ref() == Some(&owner));
    let mut run = run.ok_or_else(nothing)?;
    if !app.flows_for(caller).await?.sees(caller, &run.flow) {
        return Err(nothing());
    }
    let wait = Duration::from_secs(request.wait_s.unwrap_or(0)).min(PATIENCE);
    if !run.state.is_over() && !wait.is_zero() {
        let progress = admitted.call().ctx.progress.clone();
        if let Some(ended) = app.await_run(&caller.org, &id, wait, progress).await? {
            run = ended;
        }
    }
    structured(&shown(&run))
}

/// A run for whoever called its flow.
fn shown(run: &Run) -> Value {
    let mut shown = json!({
        "run_id": run.id, "state": run.state.name(), "started_at": run.started_at,
    });
    if let Some(members) = shown.as_object_mut() {
        members.extend(run.ended_at.map(|at| ("ended_at".to_owned(), json!(at))));
        members.extend(run.output.clone().map(|value| ("result".to_owned(), value)));
        members.extend(run.error.clone().map(|value| ("error".to_owned(), value)));
    }
    shown
}

/// Runs an admitted call of a flow.
pub(crate) async fn run(
    app: &App,
    admitted: &Admitted,
    offered: &Offered,
) -> Result<ToolResult, Fault> {
    let (caller, call) = (admitted.caller(), admitted.call());
    let (ready, principal) = (&offered.ready, caller.principal());
    let input = ready.prepared.input(JsonObject::clone(&call.args))?;
    let started_by = match call.source {
        Source::Mcp(_) | Source::Code => "mcp",
        Source::Rest => "rest",
        Source::Page => "page",
    };
    let owner = Some(app.run_owner(caller)?);
    if ready.is_later() {
        let waiting = Waiting {
            started_by,
            label: principal.as_str(),
            caller: shown_caller(caller),
            owner,
            due: None,
        };
        let run = app.enqueue_flow(ready, input, waiting).await?;
        let tool = ready.prepared.flow().tool();
        if tool.is_some_and(|tool| tool.mode == Mode::Async) {
            return goes_on(&run);
        }
        return durable(app, admitted, run).await;
    }
    let starting = Starting {
        flow: ready.flow.clone(),
        prepared: ready.prepared.clone(),
        input,
        started_by,
        label: principal.to_string(),
        caller: shown_caller(caller),
        owner,
        trace: admitted.trace().clone(),
        progress: call.ctx.progress.clone(),
        cancel: call.ctx.cancel.clone(),
        mocks: HashMap::new(),
    };
    let (_, value) = app.run_flow(&caller.credential, starting).await?;
    let structured = offered.def.output.is_some() || is_program(admitted);
    Ok(result(value, structured))
}

/// The result of a durable run, or where it is found.
async fn durable(app: &App, admitted: &Admitted, run: RunId) -> Result<ToolResult, Fault> {
    let org = &admitted.caller().org;
    let progress = admitted.call().ctx.progress.clone();
    let cancel = &admitted.call().ctx.cancel;
    let waited = tokio::select! {
        waited = app.await_run(org, &run, PATIENCE, progress) => waited?,
        // The run goes on: nobody waits for it any more.
        () = cancel.cancelled() => None,
    };
    match waited {
        None => goes_on(&run),
        Some(Run {
            state: RunState::Done,
            output,
            ..
        }) => Ok(result(output.unwrap_or_default(), is_program(admitted))),
        Some(Run { error, .. }) => {
            let fault = error.map(serde_json::from_value::<Fault>);
            Err(match fault {
                Some(Ok(fault)) => fault,
                _ => Fault::new(quaymaster_core::Code::FlowError, "The run was cancelled."),
            }
            .detail("run_id", run.as_str()))
        }
    }
}

fn goes_on(run: &RunId) -> Result<ToolResult, Fault> {
    structured(&json!({
        "run_id": run, "state": "running",
        "next": "The run goes on. Call get_run with this run_id and wait_s.",
    }))
}

/// Whether a program of code mode called, which takes the value itself and no text of it.
fn is_program(admitted: &Admitted) -> bool {
    admitted.call().source == Source::Code
}

/// The value as JSON, and structured where the flow says of what shape it is. A text is itself.
fn result(value: Value, structured: bool) -> ToolResult {
    let text = match &value {
        Value::String(text) if !structured => text.clone(),
        other => other.to_string(),
    };
    ToolResult {
        content: vec![Content::Text(text)],
        structured: structured.then_some(value),
    }
}

//! `/workspaces/{id}/flow-runs`: runs of flows, with what their steps did.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::flows::runs::{Run, RunStep};
use quaymaster_core::Instant;
use quaymaster_core::id::{RunId, WorkspaceId};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{self, At, Stop, shown};
use super::connectors::pretty;
use super::notice::Notice;
use super::outcome::cut;
use super::person::{Administrator, Person};
use super::posted::Posted;
use super::writers::Writers;
use super::{Pages, place};
use crate::views::{FlowRunPage, FlowRunsPage, RunRow, RunStepRow};

/// Runs of a page.
const MOST: i64 = 50;

#[derive(Default, Deserialize)]
pub(super) struct Looked {
    #[serde(default)]
    flow: Option<String>,
    #[serde(default)]
    before: Option<RunId>,
}

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    looked: Result<Query<Looked>, QueryRejection>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let place = place::find(&app, actor, &id).await?;
    let looked = looked.map(|Query(looked)| looked).unwrap_or_default();
    let flow = looked.flow.filter(|flow| !flow.is_empty());
    let runs = app
        .flow_runs(actor, &id, flow.as_deref(), looked.before.as_ref(), MOST)
        .await?;
    let flows = runs.iter().map(|run| run.flow.clone());
    let names = app.flow_names(&actor.org, flows).await?;
    let is_full = i64::try_from(runs.len()).is_ok_and(|count| count == MOST);
    let next = runs
        .last()
        .filter(|_| is_full)
        .map(|run| run.id.to_string());
    let runs = runs.into_iter().map(|run| {
        let name = names.get(&run.flow).cloned().unwrap_or_default();
        row(run, name)
    });
    let page = FlowRunsPage {
        runs: runs.collect(),
        next,
        flow,
        place,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) fn row(run: Run, flow: String) -> RunRow {
    let code = run.error.as_ref().and_then(|error| error["code"].as_str());
    RunRow {
        id: run.id.to_string(),
        flow,
        version: run.version,
        code: code.map(str::to_owned),
        started_by: run.started_by,
        state: run.state.name(),
        at: run.started_at,
        took: run.ended_at.map(|ended| took(run.started_at, ended)),
    }
}

/// In milliseconds.
fn took(started: Instant, ended: Instant) -> u64 {
    u64::try_from(ended.millis() - started.millis()).unwrap_or(0)
}

pub(super) fn step(step: RunStep) -> RunStepRow {
    let text = |value: Option<Value>| value.map(|value| cut(pretty(&value)).0);
    RunStepRow {
        path: step.path,
        kind: step.kind,
        state: step.state,
        attempts: step.attempts,
        took: u64::try_from(step.duration_us / 1_000).unwrap_or(0),
        input: text(step.input),
        output: text(step.output),
        error: text(step.error),
    }
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At((id, run)): At<(WorkspaceId, RunId)>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let place = place::find(&app, actor, &id).await?;
    let full = app.flow_run(actor, &id, &run).await?;
    let writers = Writers::of(&app, actor, &[&full.run.caller]).await?;
    let text = |value: &Value| cut(pretty(value)).0;
    let page = FlowRunPage {
        caller: writers.name(&full.run.caller),
        durable: full.run.durable,
        attempts: full.run.attempts,
        ended_at: full.run.ended_at,
        input: text(&full.run.input),
        output: full.run.output.as_ref().map(text),
        error: full.run.error.as_ref().map(text),
        steps: full.steps.into_iter().map(step).collect(),
        row: row(full.run, full.flow),
        place,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn cancel(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At((id, run)): At<(WorkspaceId, RunId)>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let place = place::find(&pages.app, &admin, &id).await?;
    pages.app.cancel_flow_run(&admin, &id, &run).await?;
    let path = format!("{}/flow-runs/{run}", place.path());
    Ok(answer::done(&pages, &path, Notice::RunCancelled))
}

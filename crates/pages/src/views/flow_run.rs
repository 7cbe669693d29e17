//! Runs of flows: their list, and one with what its steps did.

use askama::Template;

use super::address::segment;
use super::amount::Amount;
use super::flow::{RunRow, RunStepRow, path_of};
use super::layout::Layout;
use super::moment::Shown;
use super::place::Place;
use quaymaster_core::Instant;

/// `/workspaces/{id}/flow-runs`.
#[derive(Debug, Clone, Template)]
#[template(path = "flow_runs.html")]
pub struct FlowRunsPage {
    pub layout: Layout,
    pub place: Place,
    /// Only those of this flow.
    pub flow: Option<String>,
    pub runs: Vec<RunRow>,
    /// The last of a full page.
    pub next: Option<String>,
}

impl FlowRunsPage {
    pub fn next_path(&self) -> Option<String> {
        let before = segment(self.next.as_ref()?);
        let path = format!("{}/flow-runs?before={before}", self.place.path());
        Some(match &self.flow {
            Some(flow) => format!("{path}&flow={}", segment(flow)),
            None => path,
        })
    }
}

/// `/workspaces/{id}/flow-runs/{run}`: a button posts to `/cancel`.
#[derive(Debug, Clone, Template)]
#[template(path = "flow_run.html")]
pub struct FlowRunPage {
    pub layout: Layout,
    pub place: Place,
    pub row: RunRow,
    /// Whom it ran for.
    pub caller: String,
    pub durable: bool,
    pub attempts: i64,
    pub ended_at: Option<Instant>,
    /// JSON.
    pub input: String,
    pub output: Option<String>,
    pub error: Option<String>,
    pub steps: Vec<RunStepRow>,
}

impl FlowRunPage {
    pub fn flow_path(&self) -> String {
        path_of(&self.place, &self.row.flow)
    }

    /// Whether there is something to cancel.
    pub fn is_open(&self) -> bool {
        self.durable && matches!(self.row.state, "ready" | "running")
    }
}

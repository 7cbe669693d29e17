//! Flows of a workspace: their list, the page on which one is written, and the one on which it is tried.

use askama::Template;

use super::address::segment;
use super::amount::Amount;
use super::flow_graph::{Graph, StepRow};
use super::flow_step::{OpenStep, StepForms};
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::own_connector::Mistake;
use super::pager::Pager;
use super::place::Place;
use super::trying::{TriedOutcome, TryInput};
use quaymaster_core::Instant;

/// `/workspaces/{id}/flows`: asks itself with `query` and `page`.
#[derive(Debug, Clone, Template)]
#[template(path = "flows.html")]
pub struct FlowsPage {
    pub layout: Layout,
    pub place: Place,
    pub query: String,
    pub flows: Vec<FlowRow>,
    pub pager: Pager,
}

#[derive(Debug, Clone)]
pub struct FlowRow {
    /// Part of its path.
    pub name: String,
    pub title: String,
    pub enabled: bool,
    /// What agents call it; none when it is no tool.
    pub tool: Option<String>,
    pub durable: bool,
    pub version: i64,
    pub last: Option<LastRun>,
    /// Runs that are remembered, and how many of them failed.
    pub runs: u64,
    pub failed: u64,
}

#[derive(Debug, Clone)]
pub struct LastRun {
    pub id: String,
    pub state: &'static str,
    pub at: Instant,
}

impl FlowRow {
    pub fn path(&self, place: &Place) -> String {
        path_of(place, &self.name)
    }
}

/// The path of a flow's page.
pub fn path_of(place: &Place, name: &str) -> String {
    format!("{}/flows/{}", place.path(), segment(name))
}

/// `/workspaces/{id}/flows/new` and `/workspaces/{id}/flows/{name}`: posts `source` or `file`, `version`, the
/// fields of an open step and `do` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "flow.html")]
pub struct FlowPage {
    pub layout: Layout,
    pub place: Place,
    /// None for a new one.
    pub saved: Option<SavedFlow>,
    pub source: String,
    /// The text as it was drawn; none when it cannot be read.
    pub drawn: Option<DrawnFlow>,
    /// None where the steps are changed in the text alone.
    pub steps: Option<StepForms>,
    pub mistakes: Vec<Mistake>,
    pub tests: Vec<TestRow>,
    /// Why the whole was refused.
    pub error: Option<String>,
    /// What was found when it was only checked and is fine.
    pub fine: Option<String>,
}

impl FlowPage {
    /// Says what version the text was made from, where somebody knows. What it was until now.
    pub fn based_on(&mut self, version: Option<i64>) -> Option<i64> {
        let saved = self.saved.as_mut()?;
        let before = saved.base;
        saved.base = version.unwrap_or(before);
        Some(before)
    }
}

/// A flow that is there already.
#[derive(Debug, Clone)]
pub struct SavedFlow {
    pub name: String,
    pub title: String,
    pub description: String,
    pub enabled: bool,
    pub version: i64,
    /// The version that the text was made from.
    pub base: i64,
    pub triggers: Vec<String>,
    /// Those that have its tool besides `/mcp`, while it is on.
    pub servers: Vec<FlowServerRow>,
    /// Servers that the text names and that do not have it.
    pub unknown_servers: Vec<String>,
    /// The newest, at most a few.
    pub runs: Vec<RunRow>,
}

/// A hosted server.
#[derive(Debug, Clone)]
pub struct FlowServerRow {
    /// Of its page.
    pub path: String,
    pub name: String,
}

#[derive(Debug, Clone)]
pub struct DrawnFlow {
    pub rows: Vec<StepRow>,
    /// What runs when a step fails.
    pub catch: Vec<StepRow>,
    pub graph: Graph,
}

/// One of the flow's own tests.
#[derive(Debug, Clone)]
pub struct TestRow {
    pub name: String,
    pub passed: bool,
    pub message: Option<String>,
}

impl FlowPage {
    /// Where the form goes.
    pub fn path(&self) -> String {
        match &self.saved {
            Some(saved) => path_of(&self.place, &saved.name),
            None => path_of(&self.place, "new"),
        }
    }

    pub fn failed_tests(&self) -> usize {
        self.tests.iter().filter(|test| !test.passed).count()
    }

    pub fn problems(&self) -> Vec<Problem> {
        let found = problems_of_text(
            "flow",
            self.error.as_ref(),
            self.mistakes.len(),
            self.failed_tests(),
        );
        let open = self.steps.iter().filter_map(|steps| steps.open.as_ref());
        let fields = open.flat_map(OpenStep::problems);
        found.into_iter().chain(fields).collect()
    }
}

/// What is wrong with a text that has tests in it; `what` it is.
pub(super) fn problems_of_text(
    what: &str,
    error: Option<&String>,
    mistakes: usize,
    failed_tests: usize,
) -> Vec<Problem> {
    let whole = error.map(|message| Problem {
        input: None,
        message: message.clone(),
    });
    let found = match (mistakes, failed_tests) {
        (0, 0) => None,
        (0, 1) => Some(format!("One of the {what}'s tests fails.")),
        (0, count) => Some(format!("{count} of the {what}'s tests fail.")),
        (1, _) => Some(format!("There is a problem in the {what}.")),
        (count, _) => Some(format!("There are {count} problems in the {what}.")),
    };
    let found = found.map(|message| Problem {
        input: Some("mistakes".into()),
        message,
    });
    whole.into_iter().chain(found).collect()
}

/// A run in a list.
#[derive(Debug, Clone)]
pub struct RunRow {
    pub id: String,
    pub flow: String,
    pub version: i64,
    pub started_by: String,
    pub state: &'static str,
    /// Of a failure.
    pub code: Option<String>,
    pub at: Instant,
    /// In milliseconds; none while it runs.
    pub took: Option<u64>,
}

impl RunRow {
    pub fn path(&self, place: &Place) -> String {
        format!("{}/flow-runs/{}", place.path(), segment(&self.id))
    }

    pub fn failed(&self) -> bool {
        self.state == "failed"
    }
}

/// `/workspaces/{id}/flows/{name}/try`: posts `input.*`, `mocks` and `do` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "flow_try.html")]
pub struct FlowTryPage {
    pub layout: Layout,
    pub place: Place,
    pub name: String,
    pub title: String,
    pub description: String,
    pub inputs: Vec<TryInput>,
    /// Answers in the places of steps, as JSON.
    pub mocks: Field,
    /// Steps that reach something.
    pub reaching: Vec<String>,
    pub error: Option<String>,
    pub outcome: Option<TriedOutcome>,
    pub took: u64,
    pub steps: Vec<RunStepRow>,
}

impl FlowTryPage {
    pub fn path(&self) -> String {
        path_of(&self.place, &self.name)
    }

    pub fn problems(&self) -> Vec<Problem> {
        let inputs = self.inputs.iter().enumerate();
        let inputs = inputs.map(|(at, input)| (format!("input-{at}"), input.field.error.as_ref()));
        let mocks = ("mocks".to_owned(), self.mocks.error.as_ref());
        form::problems(self.error.as_ref(), inputs.chain([mocks]))
    }
}

/// What one step of a run did.
#[derive(Debug, Clone)]
pub struct RunStepRow {
    /// Where it stands, for example `low[3].stock`.
    pub path: String,
    pub kind: String,
    /// `started`, `done`, `failed` or `skipped`.
    pub state: String,
    pub attempts: i64,
    /// In milliseconds.
    pub took: u64,
    /// JSON.
    pub input: Option<String>,
    pub output: Option<String>,
    pub error: Option<String>,
}

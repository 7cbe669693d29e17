//! The first page: first steps, what goes on today, and the workspaces.

use askama::Template;
use quaymaster_core::Instant;

use super::activity::ActivityRow;
use super::amount::Amount;
use super::chart::{BarChart, Figures};
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::pager::Pager;
use super::workspace::Usage;

/// `/`: asks itself with `query` and `page`; posts `name` to `/workspaces`.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    pub layout: Layout,
    /// What is left of the first steps; empty when they are done or dismissed.
    pub steps: Vec<StepRow>,
    /// What workspaces are searched for; empty for all.
    pub query: String,
    pub pager: Pager,
    pub workspaces: Vec<WorkspaceRow>,
    /// The form to create one; none for those who may not.
    pub create: Option<Field>,
    /// Calls of today in UTC.
    pub today: Figures,
    pub calls: BarChart,
    pub failing: Failing,
    /// The newest calls, newest first.
    pub recent: Vec<ActivityRow>,
}

/// One of the first steps.
#[derive(Debug, Clone)]
pub struct StepRow {
    pub title: &'static str,
    pub help: &'static str,
    /// Where it is taken.
    pub href: String,
    pub is_done: bool,
}

/// Accounts that do not work.
#[derive(Debug, Clone, Default)]
pub struct Failing {
    pub rows: Vec<FailingRow>,
    /// How many there are besides.
    pub more: u64,
}

/// A connected account that does not work.
#[derive(Debug, Clone)]
pub struct FailingRow {
    pub id: String,
    /// How agents name it.
    pub address: String,
    pub problem: String,
}

#[derive(Debug, Clone)]
pub struct WorkspaceRow {
    pub id: String,
    pub name: String,
    pub endpoint: String,
    /// Calls today against the daily cap.
    pub calls: Usage,
    pub last_call_at: Option<Instant>,
}

impl HomePage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            None,
            self.create
                .iter()
                .map(|name| ("workspace-name", name.error.as_ref())),
        )
    }

    pub fn steps_done(&self) -> usize {
        self.steps.iter().filter(|step| step.is_done).count()
    }
}

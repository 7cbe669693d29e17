//! Versions of a flow: their list, and one beside the version that runs.

use askama::Template;

use super::flow::path_of;
use super::layout::Layout;
use super::moment::Shown;
use super::place::Place;
use quaymaster_core::Instant;

/// `/workspaces/{id}/flows/{name}/versions`.
#[derive(Debug, Clone, Template)]
#[template(path = "flow_versions.html")]
pub struct FlowVersionsPage {
    pub layout: Layout,
    pub place: Place,
    pub name: String,
    pub title: String,
    pub versions: Vec<FlowVersionRow>,
}

#[derive(Debug, Clone)]
pub struct FlowVersionRow {
    pub version: i64,
    pub title: String,
    pub made_by: String,
    pub made_at: Instant,
    pub is_current: bool,
}

impl FlowVersionsPage {
    pub fn path(&self) -> String {
        path_of(&self.place, &self.name)
    }
}

/// `/workspaces/{id}/flows/{name}/versions/{version}`: a button posts to `/restore`.
#[derive(Debug, Clone, Template)]
#[template(path = "flow_version.html")]
pub struct FlowVersionPage {
    pub layout: Layout,
    pub place: Place,
    pub name: String,
    pub title: String,
    pub row: FlowVersionRow,
    /// The version that it is compared with; none for the first.
    pub against: Option<i64>,
    pub diff: Vec<DiffLine>,
    pub source: String,
}

/// A line of two texts beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiffLine {
    /// `same`, `added`, `removed`, or `gap` for lines that are left out.
    pub class: &'static str,
    pub before: Option<usize>,
    pub after: Option<usize>,
    pub text: String,
}

impl DiffLine {
    pub fn sign(&self) -> &'static str {
        match self.class {
            "added" => "+",
            "removed" => "-",
            _ => " ",
        }
    }
}

impl FlowVersionPage {
    pub fn path(&self) -> String {
        path_of(&self.place, &self.name)
    }
}

//! Packs: their list, and one with what is chosen for it.

use askama::Template;

use super::address::segment;
use super::flow::path_of;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::place::{Choice, Place};
use super::reference::{Paragraph, Span};
use crate::openapi::paragraphs;
use quaymaster_core::Instant;

/// `/workspaces/{id}/packs`.
#[derive(Debug, Clone, Template)]
#[template(path = "packs.html")]
pub struct PacksPage {
    pub layout: Layout,
    pub place: Place,
    pub packs: Vec<PackCard>,
}

#[derive(Debug, Clone)]
pub struct PackCard {
    /// Part of its path.
    pub id: String,
    pub title: String,
    pub summary: String,
    pub flows: usize,
    pub is_installed: bool,
    /// It has newer flows than the workspace.
    pub is_older: bool,
}

impl PackCard {
    fn about(&self) -> Vec<Paragraph> {
        paragraphs(&self.summary)
    }
}

/// `/workspaces/{id}/packs/{pack}`: posts `var.*`, `secret.*`, `flow` and `replace_changed` to itself, and a button to
/// `/remove`.
#[derive(Debug, Clone, Template)]
#[template(path = "pack.html")]
pub struct PackPage {
    pub layout: Layout,
    pub place: Place,
    pub id: String,
    pub title: String,
    pub version: String,
    pub description: String,
    pub installed: Option<PackInstalled>,
    pub is_older: bool,
    pub variables: Vec<PackVariable>,
    pub flows: Vec<PackFlowRow>,
    pub error: Option<String>,
    /// Why the choice of flows was refused.
    pub flows_error: Option<String>,
}

impl PackPage {
    fn about(&self) -> Vec<Paragraph> {
        paragraphs(&self.description)
    }
}

#[derive(Debug, Clone)]
pub struct PackInstalled {
    pub version: String,
    pub made_by: String,
    pub updated_at: Instant,
}

/// What is chosen once for all flows.
#[derive(Debug, Clone)]
pub struct PackVariable {
    pub name: String,
    pub title: String,
    pub help: String,
    pub kind: PackVariableKind,
    pub field: Field,
}

#[derive(Debug, Clone)]
pub enum PackVariableKind {
    Text,
    /// A secret, and whether it is set.
    Secret(bool),
    /// One of these accounts of a connector.
    Account(String, Vec<Choice>),
}

#[derive(Debug, Clone)]
pub struct PackFlowRow {
    pub name: String,
    pub title: String,
    pub description: String,
    pub reads: bool,
    pub is_destructive: bool,
    pub is_ticked: bool,
    /// What the workspace calls it; none while it does not have it.
    pub own_name: Option<String>,
    /// What is to be known of it: for example that it was changed by hand.
    pub state: Option<&'static str>,
}

impl PackFlowRow {
    /// What the workspace calls it, where that is another name than the pack's.
    fn renamed(&self) -> Option<&str> {
        self.own_name.as_deref().filter(|own| *own != self.name)
    }
}

impl PackPage {
    pub fn path(&self) -> String {
        format!("{}/packs/{}", self.place.path(), segment(&self.id))
    }

    pub fn has_changed(&self) -> bool {
        self.flows
            .iter()
            .any(|flow| flow.state == Some("changed by hand"))
    }

    /// Whether every account that is needed can be chosen.
    pub fn is_ready(&self) -> bool {
        self.variables.iter().all(|variable| match &variable.kind {
            PackVariableKind::Account(_, accounts) => !accounts.is_empty(),
            _ => true,
        })
    }

    pub fn flow_path(&self, name: &str) -> String {
        path_of(&self.place, name)
    }

    pub fn problems(&self) -> Vec<Problem> {
        if !self.place.is_admin {
            return Vec::new();
        }
        let variables = self.variables.iter();
        let variables =
            variables.map(|one| (format!("var-{}", one.name), one.field.error.as_ref()));
        let flows = ("pack-flows".to_owned(), self.flows_error.as_ref());
        form::problems(self.error.as_ref(), variables.chain([flows]))
    }
}

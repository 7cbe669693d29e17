//! Packs: their list, one with what is chosen for it, and the page on which a workspace is given one of its own.

use askama::Template;

use super::address::segment;
use super::flow::{TestRow, path_of, problems_of_text};
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::own_connector::Mistake;
use super::place::{OneOf, Place};
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
    pub tested: PackTestedHow,
    /// The workspace was given it.
    pub is_own: bool,
    pub is_installed: bool,
    /// It has newer flows than the workspace.
    pub is_older: bool,
}

/// How a pack says that it was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackTestedHow {
    Live,
    Mocks,
    None,
}

impl PackTestedHow {
    pub const fn label(self) -> &'static str {
        match self {
            PackTestedHow::Live => "Tested live",
            PackTestedHow::Mocks => "Tested with mocks alone",
            PackTestedHow::None => "Not tested",
        }
    }

    pub const fn sentence(self) -> &'static str {
        match self {
            PackTestedHow::Live => "Its tools were run against the real service.",
            PackTestedHow::Mocks => {
                "Its tests run with answers that are made up. Its tools were not run against the real service."
            }
            PackTestedHow::None => "It does not say that anybody has tested it.",
        }
    }
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
    pub tested: PackTestedHow,
    /// The workspace was given it.
    pub is_own: bool,
    pub installed: Option<PackInstalled>,
    pub is_older: bool,
    pub variables: Vec<PackVariable>,
    pub flows: Vec<PackFlowRow>,
    /// Flows that the workspace has from it, and that it has no longer.
    pub dropped: Vec<PackDropped>,
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

/// A flow that a pack had.
#[derive(Debug, Clone)]
pub struct PackDropped {
    /// What the workspace calls it.
    pub name: String,
    /// Somebody changed it by hand.
    pub is_changed: bool,
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
    Account(String, OneOf),
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

    /// Whether something would be lost with the pack that somebody changed by hand.
    pub fn keeps_changed(&self) -> bool {
        self.has_changed() || self.dropped.iter().any(|flow| flow.is_changed)
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

/// `/workspaces/{id}/own-packs`: posts `source` or `file`, `pack` and `do` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "own_pack.html")]
pub struct OwnPackPage {
    pub layout: Layout,
    pub place: Place,
    /// The id of the pack whose text is changed; none for a new one.
    pub changed: Option<String>,
    pub source: String,
    pub mistakes: Vec<Mistake>,
    pub tests: Vec<TestRow>,
    /// Why the whole was refused.
    pub error: Option<String>,
    /// What was found when it was only checked and is fine.
    pub fine: Option<String>,
}

impl OwnPackPage {
    pub fn path(&self) -> String {
        format!("{}/own-packs", self.place.path())
    }

    pub fn failed_tests(&self) -> usize {
        self.tests.iter().filter(|test| !test.passed).count()
    }

    pub fn problems(&self) -> Vec<Problem> {
        problems_of_text(
            "pack",
            self.error.as_ref(),
            self.mistakes.len(),
            self.failed_tests(),
        )
    }
}

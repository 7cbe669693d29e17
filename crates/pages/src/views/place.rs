//! Where in a workspace a page is.

use super::address::segment;
use super::reference::Paragraph;
use crate::openapi::paragraphs;

/// The workspace that a page belongs to, for its navigation.
#[derive(Debug, Clone)]
pub struct Place {
    pub id: String,
    pub name: String,
    /// Whether the person administers it, and sees what only administrators do.
    pub is_admin: bool,
}

impl Place {
    pub fn path(&self) -> String {
        format!("/workspaces/{}", segment(&self.id))
    }
}

/// One of several things to choose.
#[derive(Debug, Clone)]
pub struct Choice {
    pub value: String,
    pub label: String,
    /// Under it, where there is room.
    pub help: String,
    pub is_chosen: bool,
}

impl Choice {
    pub fn new(value: &str, label: impl Into<String>, is_chosen: bool) -> Self {
        Choice {
            value: value.to_owned(),
            label: label.into(),
            help: String::new(),
            is_chosen,
        }
    }

    #[must_use]
    pub fn with_help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }
}

/// An action that can be ticked.
#[derive(Debug, Clone)]
pub struct Tick {
    /// What the form sends.
    pub value: String,
    pub title: String,
    /// As agents name it.
    pub name: String,
    pub summary: String,
    pub reads: bool,
    pub is_destructive: bool,
    pub is_ticked: bool,
}

impl Tick {
    pub(super) fn about(&self) -> Vec<Paragraph> {
        paragraphs(&self.summary)
    }
}

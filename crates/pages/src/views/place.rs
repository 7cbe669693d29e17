//! Where in a workspace a page is.

use super::address::segment;
use super::form::Field;
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

/// One of several: chosen from a list, or written where the list would be too long.
#[derive(Debug, Clone, Default)]
pub struct OneOf {
    /// None where it is written.
    pub choices: Vec<Choice>,
    /// The text that is written.
    pub written: Option<String>,
}

impl OneOf {
    pub fn listed(choices: impl IntoIterator<Item = Choice>) -> Self {
        OneOf {
            choices: choices.into_iter().collect(),
            written: None,
        }
    }

    pub fn written(text: impl Into<String>) -> Self {
        OneOf {
            choices: Vec::new(),
            written: Some(text.into()),
        }
    }

    /// With a choice in front that stands for nothing, which an empty text does where it is written.
    #[must_use]
    pub fn or(mut self, nothing: impl Into<String>) -> Self {
        if self.written.is_none() {
            let is_chosen = self.choices.iter().all(|one| !one.is_chosen);
            self.choices.insert(0, Choice::new("", nothing, is_chosen));
        }
        self
    }

    /// Chooses or writes what a form says.
    pub fn put(&mut self, value: &str) {
        for choice in &mut self.choices {
            choice.is_chosen = choice.value == value;
        }
        if let Some(written) = &mut self.written {
            value.clone_into(written);
        }
    }

    /// What is chosen or written; empty for nothing.
    pub fn value(&self) -> &str {
        let chosen = self.choices.iter().find(|one| one.is_chosen);
        let chosen = chosen.map(|one| &*one.value);
        self.written.as_deref().or(chosen).unwrap_or_default()
    }

    /// Whether there is nothing to choose.
    pub fn is_empty(&self) -> bool {
        self.choices.is_empty() && self.written.is_none()
    }
}

/// Several of many: ticked in a list, or written one to a line where the list would be too long.
#[derive(Debug, Clone, Default)]
pub struct SomeOf {
    /// None where they are written.
    pub choices: Vec<Choice>,
    pub written: Option<Field>,
    pub error: Option<String>,
}

impl SomeOf {
    /// None of what one could be chosen from.
    pub fn of(one: &OneOf) -> Self {
        let mut choices = one.choices.clone();
        for choice in &mut choices {
            choice.is_chosen = false;
        }
        SomeOf {
            choices,
            written: one.written.as_ref().map(|_| Field::default()),
            error: None,
        }
    }

    /// Ticks or writes what a form says, and why it cannot be used.
    pub fn put(&mut self, named: &[String], error: Option<String>) {
        for choice in &mut self.choices {
            choice.is_chosen = named.contains(&choice.value);
        }
        if let Some(written) = &mut self.written {
            written.value = named.join("\n");
            written.error.clone_from(&error);
        }
        self.error = error;
    }

    /// Whether something is ticked, written or wrong.
    pub fn is_used(&self) -> bool {
        let is_written = self.written.as_ref().is_some_and(|of| !of.value.is_empty());
        is_written || self.error.is_some() || self.choices.iter().any(|one| one.is_chosen)
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

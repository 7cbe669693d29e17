//! The page on which a person tries a call of a connector.

use askama::Template;

use super::connector::ActionView;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::place::OneOf;
use super::reference::Span;

/// `/connectors/{key}/modules/{module}/{action}`: posts `account` and `input.*` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "trying.html")]
pub struct TryingPage {
    pub layout: Layout,
    pub connector_key: String,
    pub connector_title: String,
    pub module_key: String,
    pub module_title: String,
    pub action_key: String,
    pub action: ActionView,
    /// None of them stands for no account, or for all at once, where that can be.
    pub accounts: OneOf,
    pub account_error: Option<String>,
    pub inputs: Vec<TryInput>,
    /// Why the whole was refused before it was called.
    pub error: Option<String>,
    /// What came of the call.
    pub outcome: Option<TriedOutcome>,
}

/// Something that a person gives, made from the schema of the action's inputs.
#[derive(Debug, Clone)]
pub struct TryInput {
    /// As the schema has it; the form field is `input.<name>`.
    pub name: String,
    pub kind: InputKind,
    pub help: String,
    pub is_required: bool,
    pub field: Field,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputKind {
    Text,
    Number,
    /// One of these values, each as JSON.
    Choice(Vec<String>),
    Json,
}

/// A result or a fault.
#[derive(Debug, Clone)]
pub struct TriedOutcome {
    /// `OK` or the code of the fault.
    pub code: String,
    pub failed: bool,
    /// What the service answered with.
    pub status: Option<u64>,
    /// Of a fault.
    pub message: Option<String>,
    pub hint: Option<String>,
    /// JSON of the result, or of the fault's details.
    pub text: Option<String>,
    /// Whether there is more than is shown.
    pub is_cut: bool,
}

impl TryInput {
    pub fn is_text(&self) -> bool {
        self.kind == InputKind::Text
    }

    pub fn is_number(&self) -> bool {
        self.kind == InputKind::Number
    }

    pub fn choices(&self) -> Option<&[String]> {
        match &self.kind {
            InputKind::Choice(choices) => Some(choices),
            _ => None,
        }
    }
}

impl TryingPage {
    /// Where the form goes.
    pub fn path(&self) -> String {
        let segment = super::address::segment;
        format!(
            "/connectors/{}/modules/{}/{}",
            segment(&self.connector_key),
            segment(&self.module_key),
            segment(&self.action_key)
        )
    }

    /// Whether there is anything to call it with.
    pub fn is_open(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// What to write for an account, where there are many.
    pub fn how_account(&self) -> &'static str {
        if self.action.reads {
            "Write its name; left empty, all accounts are called."
        } else {
            "Write its name."
        }
    }

    pub fn problems(&self) -> Vec<Problem> {
        let inputs = self.inputs.iter().enumerate();
        let inputs = inputs.map(|(at, input)| (format!("input-{at}"), input.field.error.as_ref()));
        let account = ("account".to_owned(), self.account_error.as_ref());
        form::problems(self.error.as_ref(), std::iter::once(account).chain(inputs))
    }
}

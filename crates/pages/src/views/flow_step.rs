//! The steps of a flow as forms beside its text. Their fields are sent with the text.

use super::form::{Field, Problem};

/// What can be done with the steps.
#[derive(Debug, Clone, Default)]
pub struct StepForms {
    /// The form that is open.
    pub open: Option<OpenStep>,
    /// What a new step can do, with a sentence about it.
    pub kinds: Vec<(&'static str, String)>,
}

#[derive(Debug, Clone)]
pub struct OpenStep {
    /// From 0.
    pub at: usize,
    /// Of the steps, so that the last one is not moved down.
    pub count: usize,
    pub kind: String,
    /// The step as JSON, so that a field counts that was changed here, and what was changed in the text stays.
    pub was: String,
    /// What the step has, and what it may have besides.
    pub fields: Vec<StepFieldView>,
    pub more: Vec<StepFieldView>,
}

#[derive(Debug, Clone)]
pub struct StepFieldView {
    /// As `http.get`. The input is called `step.http.get`.
    pub key: String,
    pub help: String,
    pub field: Field,
    /// Lines of the input; one is no text area.
    pub rows: usize,
    /// It takes YAML, and not just a text.
    pub is_yaml: bool,
    pub choices: Vec<String>,
}

impl StepFieldView {
    pub fn id(&self) -> String {
        format!("step-{}", self.key.replace('.', "-"))
    }
}

impl OpenStep {
    pub fn is_last(&self) -> bool {
        self.at + 1 >= self.count
    }

    /// Whether a mistake lies among what is folded away.
    pub fn is_wrong_below(&self) -> bool {
        self.more.iter().any(|one| one.field.error.is_some())
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = Problem> {
        let all = self.fields.iter().chain(&self.more);
        all.filter_map(|one| {
            Some(Problem {
                input: Some(one.id().into()),
                message: format!("{}: {}", one.key, one.field.error.as_ref()?),
            })
        })
    }
}

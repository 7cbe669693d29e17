//! Form fields that remember what was typed and say what is wrong with it.

use std::borrow::Cow;

/// One input: what stands in it, and the error under it.
#[derive(Debug, Clone, Default)]
pub struct Field {
    pub value: String,
    pub error: Option<String>,
}

impl Field {
    pub fn new(value: impl Into<String>) -> Self {
        Field {
            value: value.into(),
            error: None,
        }
    }

    /// What was typed, and why it cannot be used.
    pub fn wrong(value: impl Into<String>, error: impl Into<String>) -> Self {
        Field {
            value: value.into(),
            error: Some(error.into()),
        }
    }
}

/// A line of the summary of errors at the top of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The id of the input to go to; none when the whole form was refused.
    pub input: Option<Cow<'static, str>>,
    pub message: String,
}

/// Collects problems in the order of the page.
pub(crate) fn problems<'a, Id: Into<Cow<'static, str>>>(
    whole: Option<&'a String>,
    fields: impl IntoIterator<Item = (Id, Option<&'a String>)>,
) -> Vec<Problem> {
    let whole = whole.map(|message| Problem {
        input: None,
        message: message.clone(),
    });
    let fields = fields.into_iter().filter_map(|(input, error)| {
        error.map(|message| Problem {
            input: Some(input.into()),
            message: message.clone(),
        })
    });
    whole.into_iter().chain(fields).collect()
}

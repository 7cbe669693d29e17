//! Connected accounts: as cards of a connector, and each on a page of its own.

use askama::Template;
use quaymaster_core::Instant;

use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;

/// An account as it is now.
#[derive(Debug, Clone)]
pub struct AccountCard {
    /// Part of its path.
    pub id: String,
    pub name: String,
    /// How agents name it: `github:work`.
    pub address: String,
    /// What the service calls it.
    pub label: Option<String>,
    /// Why it does not work.
    pub problem: Option<String>,
    /// How it signs in.
    pub way: String,
    /// Name of the only workspace that reaches it.
    pub workspace: Option<String>,
    pub is_local: bool,
    pub connected_by: String,
    pub connected_at: Instant,
    /// None when it was never tried.
    pub verified_at: Option<Instant>,
}

impl AccountCard {
    pub const fn status(&self) -> &'static str {
        match self.problem {
            Some(_) => "ERROR",
            None => "ACTIVE",
        }
    }
}

/// Something that a person types in, made from the definition of a connector.
#[derive(Debug, Clone)]
pub struct InputRow {
    /// As the definition says it; the form field is `field.<name>`.
    pub name: String,
    pub title: String,
    pub help: String,
    pub example: Option<String>,
    /// A regular expression; browsers that cannot read it leave it to the server.
    pub pattern: Option<String>,
    /// Never sent back to the browser.
    pub is_secret: bool,
    pub is_required: bool,
    pub field: Field,
}

impl InputRow {
    pub fn id(&self) -> String {
        format!("field-{}", self.name)
    }

    /// The line under the input.
    pub fn under(&self) -> String {
        let optional = if self.is_required { "" } else { "Optional." };
        let example = match &self.example {
            Some(example) => format!("For example {example}"),
            None => String::new(),
        };
        let ended = |text: &str| match text.chars().last() {
            None | Some('.' | '…') => text.to_owned(),
            Some(_) => format!("{text}."),
        };
        let parts = [optional.to_owned(), ended(&self.help), example];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(" ")
    }
}

/// How a person can sign in at the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flows {
    pub in_browser: bool,
    pub on_device: bool,
}

/// `/connections/{id}`: posts nothing to `/verify` and `/disconnect`, `name` to `/rename`, `field.*`
/// to `/credentials`, `flow` to `/authorize`.
#[derive(Debug, Clone, Template)]
#[template(path = "connection.html")]
pub struct ConnectionPage {
    pub layout: Layout,
    pub connector_key: String,
    pub connector_title: String,
    pub account: AccountCard,
    /// Titles and values of what is not secret.
    pub fields: Vec<(String, String)>,
    /// None for connectors whose calls their definitions list.
    pub tools: Option<ToolList>,
    /// None for those who may not change it.
    pub changing: Option<Changing>,
}

/// What the MCP server of an account offers.
#[derive(Debug, Clone)]
pub struct ToolList {
    pub tools: Vec<ToolRow>,
    /// None when it was never asked with success.
    pub found_at: Option<Instant>,
    /// There are more, or some that cannot be called.
    pub is_partial: bool,
    /// `3 added: a, b, c`, for each kind of change since the tools were last accepted.
    pub changes: Vec<String>,
}

/// A tool as its server tells of it.
#[derive(Debug, Clone)]
pub struct ToolRow {
    pub name: String,
    pub title: String,
    pub description: Option<String>,
    pub reads: bool,
    pub is_destructive: bool,
    /// It is another than was last accepted.
    pub is_changed: bool,
}

/// The forms that change an account.
#[derive(Debug, Clone)]
pub struct Changing {
    pub name: Field,
    pub inputs: Vec<InputRow>,
    /// How the account signs in again, in the place of new credentials.
    pub flows: Option<Flows>,
    /// Where a person gets the credentials.
    pub help: Option<String>,
    /// Why new credentials were refused as a whole.
    pub error: Option<String>,
    /// Whether its server may be inside the network while the account says that it is not.
    pub is_kept_outside: bool,
}

impl ConnectionPage {
    pub fn signs_in_again(&self) -> bool {
        let changing = self.changing.as_ref();
        changing.is_some_and(|changing| changing.flows.is_some())
    }

    pub fn problems(&self) -> Vec<Problem> {
        let Some(form) = &self.changing else {
            return Vec::new();
        };
        let inputs = form.inputs.iter();
        let inputs = inputs.map(|input| (input.id(), input.field.error.as_ref()));
        let name = ("account-name".to_owned(), form.name.error.as_ref());
        form::problems(form.error.as_ref(), std::iter::once(name).chain(inputs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(help: &str, example: Option<&str>, is_required: bool) -> String {
        InputRow {
            name: "token".into(),
            title: "Token".into(),
            help: help.into(),
            example: example.map(str::to_owned),
            pattern: None,
            is_secret: false,
            is_required,
            field: Field::default(),
        }
        .under()
    }

    #[test]
    fn what_stands_under_an_input_reads_as_sentences() {
        assert_eq!(under("", None, true), "");
        assert_eq!(
            under("Without /api", Some("http://nas"), false),
            "Optional. Without /api. For example http://nas"
        );
        assert_eq!(under("It ends.", None, true), "It ends.");
    }
}

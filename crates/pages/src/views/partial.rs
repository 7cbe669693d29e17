//! Partials: those of a workspace, and one of them.

use askama::Template;

use super::address::segment;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::pager::Pager;
use super::place::{Choice, OneOf, Place};
use super::trying::TryInput;

/// `/workspaces/{id}/partials`: asks itself with `query` and `page`.
#[derive(Debug, Clone, Template)]
#[template(path = "partials.html")]
pub struct PartialsPage {
    pub layout: Layout,
    pub place: Place,
    pub query: String,
    /// What of them is on this page.
    pub groups: Vec<PartialGroup>,
    pub pager: Pager,
    /// Whether there is an integration that one can be made for.
    pub has_integrations: bool,
}

/// The partials of one integration, or those of a connector for all of its integrations.
#[derive(Debug, Clone)]
pub struct PartialGroup {
    pub title: String,
    pub partials: Vec<PartialRow>,
}

#[derive(Debug, Clone)]
pub struct PartialRow {
    /// Part of its path.
    pub id: String,
    pub name: String,
    /// Key of the only action that it is for.
    pub action: Option<String>,
    /// Each key, and whether it is enforced.
    pub keys: Vec<(String, bool)>,
    pub is_default: bool,
}

/// `/workspaces/{id}/partials/new`: asks itself with `integration` and then with `action`.
#[derive(Debug, Clone, Template)]
#[template(path = "partial_choice.html")]
pub struct PartialChoicePage {
    pub layout: Layout,
    pub place: Place,
    pub integrations: OneOf,
    pub error: Option<String>,
    /// Those of the chosen integration.
    pub actions: Option<Vec<Choice>>,
}

impl PartialChoicePage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(None, [("integration", self.error.as_ref())])
    }
}

/// A new partial at `/workspaces/{id}/partials/new/{integration}` and one at `/partials/{id}`: posts
/// `name`, `description`, `action`, `input.*`, `enforced`s, `default`; or `values` and `locked`.
#[derive(Debug, Clone, Template)]
#[template(path = "partial.html")]
pub struct PartialPage {
    pub layout: Layout,
    pub place: Place,
    /// None for a new one.
    pub id: Option<String>,
    /// Where the form goes.
    pub path: String,
    /// For what it is: an integration, in words.
    pub subject: String,
    /// Key of the only action that it is for.
    pub action: Option<String>,
    pub name: Field,
    pub description: Field,
    /// Made from the schema of the action; none when it is for all actions.
    pub inputs: Option<Vec<PartialInput>>,
    /// As JSON, for all actions.
    pub values: Field,
    /// Enforced keys of these, with commas between them.
    pub locked: Field,
    pub is_default: bool,
    /// Why the whole was refused.
    pub error: Option<String>,
}

#[derive(Debug, Clone)]
pub struct PartialInput {
    pub input: TryInput,
    pub is_enforced: bool,
}

impl PartialPage {
    pub fn problems(&self) -> Vec<Problem> {
        let own = [
            ("name".to_owned(), self.name.error.as_ref()),
            ("values".to_owned(), self.values.error.as_ref()),
            ("locked".to_owned(), self.locked.error.as_ref()),
        ];
        let inputs = self.inputs.iter().flatten().enumerate();
        let inputs =
            inputs.map(|(at, row)| (format!("input-{at}"), row.input.field.error.as_ref()));
        form::problems(self.error.as_ref(), own.into_iter().chain(inputs))
    }

    /// Where it is deleted.
    pub fn delete_path(&self) -> Option<String> {
        let id = self.id.as_ref()?;
        Some(format!("/partials/{}/delete", segment(id)))
    }
}

//! The tools of a hosted server: the picker, and one picked tool.

use askama::Template;

use super::address::segment;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::place::{Choice, OneOf, Place, Tick};
use super::reference::Span;
use super::trying::TryInput;

/// `/servers/{id}/tools`: asks itself with `query`, and with `open` for one group alone; posts `query`,
/// `opened`s, `tool`s and `shown`s to itself, with `open` to look only, or `follow`.
#[derive(Debug, Clone, Template)]
#[template(path = "picker.html")]
pub struct PickerPage {
    pub layout: Layout,
    pub place: Place,
    pub server_id: String,
    pub server_name: String,
    pub is_picked: bool,
    pub query: String,
    /// How many tools are picked, shown here or not.
    pub picked: usize,
    pub groups: Vec<PickerGroup>,
    /// There are too many integrations to look through what they can do.
    pub is_many: bool,
    /// Integrations that the page has no room for.
    pub more: usize,
    /// What was ticked or unticked before the search, and is not shown now.
    pub kept: Vec<Kept>,
    /// Why the whole was refused.
    pub error: Option<String>,
}

/// A tick that is not saved yet.
#[derive(Debug, Clone)]
pub struct Kept {
    pub value: String,
    pub is_ticked: bool,
}

/// An integration with what can be ticked of it.
#[derive(Debug, Clone, Default)]
pub struct PickerGroup {
    /// Of the integration, or of the account.
    pub id: String,
    pub alias: String,
    pub title: String,
    /// The account, where the connector is not switched on yet: a tick does that.
    pub account: Option<String>,
    /// How many actions there are, and how many of them are ticked.
    pub count: usize,
    pub ticked: usize,
    /// Some ticks are not as they were saved.
    pub is_changed: bool,
    /// None while it is folded.
    pub ticks: Vec<Tick>,
}

impl PickerGroup {
    pub fn is_open(&self) -> bool {
        !self.ticks.is_empty()
    }
}

impl PickerPage {
    /// What the search looks for.
    pub fn caption(&self) -> &'static str {
        if self.is_many {
            "Alias or connector of an integration"
        } else {
            "What a tool does"
        }
    }

    pub fn placeholder(&self) -> &'static str {
        if self.is_many {
            "Alias or connector of an integration"
        } else {
            "What a tool does, or its name"
        }
    }

    pub fn server_path(&self) -> String {
        format!("/servers/{}", segment(&self.server_id))
    }

    pub fn path(&self) -> String {
        format!("{}/tools", self.server_path())
    }

    /// Where the ticks of a folded group are.
    pub fn opening(&self, group: &PickerGroup) -> String {
        let (query, id) = (segment(&self.query), segment(&group.id));
        format!("{}?query={query}&open={id}", self.path())
    }

    pub fn has_folded(&self) -> bool {
        self.groups.iter().any(|group| !group.is_open())
    }

    pub fn problems(&self) -> Vec<Problem> {
        form::problems(self.error.as_ref(), std::iter::empty::<(&'static str, _)>())
    }
}

/// `/servers/{id}/tools/{tool}`: posts `title`, `description`, `account`, `input.*`, `which` and
/// `partial`s or `named_partials` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "server_tool.html")]
pub struct ServerToolPage {
    pub layout: Layout,
    pub place: Place,
    pub server_id: String,
    pub server_name: String,
    pub id: String,
    /// What agents call.
    pub name: String,
    pub alias: String,
    /// In CODE mode a tool is called by programs only.
    pub is_code: bool,
    /// As the connector says it.
    pub usual_title: String,
    pub usual_description: String,
    pub title: Field,
    pub description: Field,
    pub accounts: OneOf,
    pub account_error: Option<String>,
    /// Inputs for when the agent gives none.
    pub defaults: Vec<TryInput>,
    /// The workspace's default partials, or the ticked ones.
    pub which: Vec<Choice>,
    /// Those that fit the action; none where their names are written.
    pub partials: Vec<Choice>,
    /// The names of those that hold, one a line, where there are too many for a list.
    pub named_partials: Option<Field>,
    pub partials_error: Option<String>,
    /// Why the whole was refused.
    pub error: Option<String>,
}

impl ServerToolPage {
    /// What to write for an account, where there are many.
    pub fn how_account(&self) -> String {
        format!(
            "Write its name; left empty, it is what the integration {} says.",
            self.alias
        )
    }

    pub fn has_defaults(&self) -> bool {
        let mut all = self.defaults.iter().map(|input| &input.field);
        all.any(|field| !field.value.is_empty() || field.error.is_some())
    }

    pub fn server_path(&self) -> String {
        format!("/servers/{}", segment(&self.server_id))
    }

    pub fn path(&self) -> String {
        format!("{}/tools/{}", self.server_path(), segment(&self.id))
    }

    pub fn problems(&self) -> Vec<Problem> {
        let defaults = self.defaults.iter().enumerate();
        let defaults =
            defaults.map(|(at, input)| (format!("input-{at}"), input.field.error.as_ref()));
        let own = [
            ("tool-title".to_owned(), self.title.error.as_ref()),
            (
                "tool-description".to_owned(),
                self.description.error.as_ref(),
            ),
            ("account".to_owned(), self.account_error.as_ref()),
            ("partials".to_owned(), self.partials_error.as_ref()),
        ];
        form::problems(self.error.as_ref(), own.into_iter().chain(defaults))
    }
}

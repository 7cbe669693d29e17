//! The integrations of a workspace: the list, choosing a connector, and one of them.

use askama::Template;

use super::connector::ConnectorCard;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::pager::Pager;
use super::place::{Choice, OneOf, Place, Tick};
use super::reference::Span;

/// `/workspaces/{id}/integrations`: asks itself with `query` and `page`.
#[derive(Debug, Clone, Template)]
#[template(path = "integrations.html")]
pub struct IntegrationsPage {
    pub layout: Layout,
    pub place: Place,
    pub query: String,
    pub integrations: Vec<IntegrationRow>,
    pub pager: Pager,
}

#[derive(Debug, Clone)]
pub struct IntegrationRow {
    /// Part of its path.
    pub id: String,
    pub connector: String,
    pub alias: String,
    /// Whose accounts calls use, in words.
    pub strategy: String,
    /// The account that it names.
    pub account: Option<String>,
    /// How many actions are switched on; none is all.
    pub actions: Option<usize>,
}

/// `/workspaces/{id}/integrations/new`: asks itself with `query`.
#[derive(Debug, Clone, Template)]
#[template(path = "integration_choice.html")]
pub struct IntegrationChoicePage {
    pub layout: Layout,
    pub place: Place,
    pub query: String,
    /// With accounts.
    pub connected: Vec<ConnectorCard>,
    pub others: Vec<ConnectorCard>,
    /// How many there are that are not shown.
    pub more: usize,
}

impl IntegrationChoicePage {
    pub fn href(&self, key: &str) -> String {
        format!("{}/integrations/new/{key}", self.place.path())
    }
}

/// `/workspaces/{id}/integrations/new/{connector}` and `/workspaces/{id}/integrations/{id}`: posts
/// `alias`, `strategy`, `account`, `actions` and `action`s to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "integration.html")]
pub struct IntegrationPage {
    pub layout: Layout,
    pub place: Place,
    /// None for a new one.
    pub id: Option<String>,
    pub connector: String,
    pub title: String,
    pub alias: Field,
    pub strategies: Vec<Choice>,
    pub accounts: OneOf,
    /// Whether the connector has accounts that the workspace reaches.
    pub has_accounts: bool,
    pub account_error: Option<String>,
    /// All actions, or the ticked ones.
    pub which: Vec<Choice>,
    pub actions: Vec<Tick>,
    pub actions_error: Option<String>,
    /// Why the whole was refused.
    pub error: Option<String>,
}

impl IntegrationPage {
    /// Where the form goes.
    pub fn path(&self) -> String {
        let path = self.place.path();
        match &self.id {
            Some(id) => format!("{path}/integrations/{id}"),
            None => format!("{path}/integrations/new/{}", self.connector),
        }
    }

    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            self.error.as_ref(),
            [
                ("alias", self.alias.error.as_ref()),
                ("account", self.account_error.as_ref()),
                ("actions", self.actions_error.as_ref()),
            ],
        )
    }
}

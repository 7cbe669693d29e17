//! The connector catalog, the page of a connector, and that of one of its modules.

use askama::Template;

use super::address::segment;
use super::connection::{AccountCard, Flows, InputRow};
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::pager::Pager;
use super::place::OneOf;
use super::reference::{Paragraph, Row, Span};

/// `/connectors`: asks itself with `query` and `category`.
#[derive(Debug, Clone, Template)]
#[template(path = "connectors.html")]
pub struct ConnectorsPage {
    pub layout: Layout,
    /// What was asked for; empty for everything.
    pub query: String,
    /// The chosen category; empty for all.
    pub category: String,
    pub categories: Vec<String>,
    /// With accounts.
    pub connected: Vec<ConnectorCard>,
    pub others: Vec<ConnectorCard>,
    /// How many there are that are not shown.
    pub more: usize,
    /// Whether the person may write connectors.
    pub may_write: bool,
}

#[derive(Debug, Clone)]
pub struct ConnectorCard {
    /// Part of its path.
    pub key: String,
    pub title: String,
    pub summary: String,
    pub categories: Vec<String>,
    pub accounts: usize,
    /// How many of them do not work.
    pub broken: usize,
    /// The organization wrote it.
    pub is_own: bool,
}

impl ConnectorsPage {
    /// Whether somebody looks for something.
    pub fn is_search(&self) -> bool {
        !self.query.is_empty() || !self.category.is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.connected.is_empty() && self.others.is_empty()
    }
}

/// `/connectors/{key}`: asks itself with `auth`, and with `query` and `page` of the accounts; posts `auth`, `name`, `workspace`, `local` and `field.*` to `/{key}/connect`;
/// with `flow` to `/{key}/authorize`; `auth`, `client_id` and `client_secret` to `/{key}/oauth-app`.
#[derive(Debug, Clone, Template)]
#[template(path = "connector.html")]
pub struct ConnectorPage {
    pub layout: Layout,
    pub key: String,
    pub title: String,
    pub summary: String,
    pub categories: Vec<String>,
    pub tested: TestedHow,
    pub version: String,
    /// The organization wrote it, and the person may change it.
    pub may_edit: bool,
    /// Only https.
    pub docs_url: Option<String>,
    /// What the accounts are searched for; empty for all.
    pub query: String,
    pub pager: Pager,
    pub accounts: Vec<AccountCard>,
    /// None for those who may not connect accounts.
    pub connecting: Option<Connecting>,
    pub modules: Vec<ModuleView>,
    pub recipes: Vec<RecipeView>,
    /// In words.
    pub limits: Vec<String>,
}

/// How a definition was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TestedHow {
    Live,
    Schema,
    None,
}

impl TestedHow {
    pub const fn label(self) -> &'static str {
        match self {
            TestedHow::Live => "Tested live",
            TestedHow::Schema => "Checked against documentation",
            TestedHow::None => "Not tested",
        }
    }

    pub const fn sentence(self) -> &'static str {
        match self {
            TestedHow::Live => "Its calls were made to the real service.",
            TestedHow::Schema => {
                "Its requests were compared with the service’s documentation, and not sent to the service."
            }
            TestedHow::None => "Nobody has tried its calls yet.",
        }
    }
}

/// The form that connects an account.
#[derive(Debug, Clone)]
pub struct Connecting {
    pub ways: Vec<WayChoice>,
    /// The key of the way that is shown.
    pub way: String,
    /// Where a person gets the credentials.
    pub help: Option<String>,
    /// How accounts sign in at the service; none when filling in the form connects one.
    pub signing_in: Option<SigningIn>,
    pub inputs: Vec<InputRow>,
    pub name: Field,
    /// The workspace that alone reaches the account, or none.
    pub workspaces: OneOf,
    pub workspace_error: Option<String>,
    /// Whether the service may be inside the network; none where that makes no sense.
    pub is_local: Option<bool>,
    /// Why the whole was refused.
    pub error: Option<String>,
}

/// An account that signs in at the service, by the organization's app there.
#[derive(Debug, Clone)]
pub struct SigningIn {
    pub flows: Flows,
    /// What is registered with the app.
    pub redirect_uri: String,
    /// Whether the organization has an app.
    pub has_app: bool,
    /// Whether that app has a secret, which stays unless another is entered.
    pub has_secret: bool,
    pub client_id: Field,
    pub secret_error: Option<String>,
}

impl SigningIn {
    pub const fn under_secret(&self) -> &'static str {
        if self.has_secret {
            "Stored sealed. Left empty, the present one stays."
        } else {
            "Stored sealed and never shown again. Public clients have none."
        }
    }
}

/// A way to sign in.
#[derive(Debug, Clone)]
pub struct WayChoice {
    pub key: String,
    pub title: String,
}

impl Connecting {
    pub fn shows(&self, way: &WayChoice) -> bool {
        self.way == way.key
    }

    /// Whether there is all that connecting an account takes.
    pub fn can_begin(&self) -> bool {
        self.signing_in.as_ref().is_none_or(|app| app.has_app)
    }
}

impl ConnectorPage {
    pub fn problems(&self) -> Vec<Problem> {
        let Some(form) = &self.connecting else {
            return Vec::new();
        };
        let inputs = form.inputs.iter();
        let inputs = inputs.map(|input| (input.id(), input.field.error.as_ref()));
        let below = [
            ("account-name".to_owned(), form.name.error.as_ref()),
            ("workspace".to_owned(), form.workspace_error.as_ref()),
        ];
        let app = form.signing_in.iter().flat_map(|app| {
            [
                ("client-id".to_owned(), app.client_id.error.as_ref()),
                ("client-secret".to_owned(), app.secret_error.as_ref()),
            ]
        });
        form::problems(form.error.as_ref(), app.chain(inputs).chain(below))
    }

    pub fn path(&self) -> String {
        format!("/connectors/{}", segment(&self.key))
    }

    /// How agents name an account of it.
    pub fn address(&self, name: &str) -> String {
        format!("{}:{name}", self.key)
    }
}

#[derive(Debug, Clone)]
pub struct ModuleView {
    /// Part of its path.
    pub key: String,
    pub title: String,
    pub summary: Vec<Paragraph>,
    pub actions: Vec<ActionView>,
}

/// A callable operation in a list.
#[derive(Debug, Clone)]
pub struct ActionView {
    pub title: String,
    pub summary: Vec<Paragraph>,
    /// The verb, where calls have one.
    pub verb: Option<String>,
    /// The path, or the name of the method.
    pub target: String,
    pub reads: bool,
    pub is_destructive: bool,
}

impl ActionView {
    /// The class that colours the verb.
    pub fn verb_class(&self) -> String {
        self.verb
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase()
    }

    pub const fn nature(&self) -> &'static str {
        match (self.reads, self.is_destructive) {
            (true, _) => "reads",
            (false, true) => "destroys",
            (false, false) => "changes",
        }
    }
}

/// An example of a call.
#[derive(Debug, Clone)]
pub struct RecipeView {
    pub title: String,
    /// The arguments of `connector_execute`.
    pub arguments: String,
    pub note: Vec<Paragraph>,
}

/// `/connectors/{key}/modules/{module}`.
#[derive(Debug, Clone, Template)]
#[template(path = "connector_module.html")]
pub struct ModulePage {
    pub layout: Layout,
    pub connector_key: String,
    pub connector_title: String,
    /// Part of its path.
    pub key: String,
    pub title: String,
    pub summary: Vec<Paragraph>,
    pub actions: Vec<ActionInFull>,
    pub recipes: Vec<RecipeView>,
}

#[derive(Debug, Clone)]
pub struct ActionInFull {
    /// Part of the path of the page that tries it.
    pub key: String,
    pub action: ActionView,
    pub inputs: Vec<Row>,
    /// An example of the result.
    pub example: Option<String>,
    pub is_binary: bool,
}

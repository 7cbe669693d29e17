//! API keys: the table, the form, and the page that shows a fresh one once.

use askama::Template;
use quaymaster_core::{Instant, Scope, Scopes};

use super::connect::Connect;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::mix::{ListSize, MixPicker};
use super::moment::Shown;
use super::pager::Pager;
use super::place::{OneOf, SomeOf};

/// How long a new key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Expiry {
    Days7,
    Days30,
    #[default]
    Days90,
    Days365,
    Never,
}

impl Expiry {
    pub const ALL: [Expiry; 5] = [
        Expiry::Days7,
        Expiry::Days30,
        Expiry::Days90,
        Expiry::Days365,
        Expiry::Never,
    ];

    /// Days from now; none for a key that does not expire.
    pub const fn days(self) -> Option<u32> {
        match self {
            Expiry::Days7 => Some(7),
            Expiry::Days30 => Some(30),
            Expiry::Days90 => Some(90),
            Expiry::Days365 => Some(365),
            Expiry::Never => None,
        }
    }

    /// The value of the form field `expiry`.
    pub const fn value(self) -> &'static str {
        match self {
            Expiry::Days7 => "7",
            Expiry::Days30 => "30",
            Expiry::Days90 => "90",
            Expiry::Days365 => "365",
            Expiry::Never => "never",
        }
    }

    /// From the value of the form field.
    pub fn from_value(value: &str) -> Option<Self> {
        Expiry::ALL
            .into_iter()
            .find(|expiry| expiry.value() == value)
    }

    pub const fn label(self) -> &'static str {
        match self {
            Expiry::Days7 => "7 days",
            Expiry::Days30 => "30 days",
            Expiry::Days90 => "90 days",
            Expiry::Days365 => "365 days",
            Expiry::Never => "Never",
        }
    }
}

/// `/settings/api-keys`: posts `name`, `scopes` (repeated), `only` (workspaces: repeated, or one to a
/// line), `files` (the id of a workspace, or empty), `expiry` to the same path.
#[derive(Debug, Clone, Template)]
#[template(path = "api_keys.html")]
pub struct ApiKeysPage {
    pub layout: Layout,
    pub keys: Vec<ApiKeyRow>,
    pub pager: Pager,
    pub form: ApiKeyForm,
}

#[derive(Debug, Clone)]
pub struct ApiKeyRow {
    /// Id of the key, part of its path.
    pub id: String,
    /// The key with its secret left out: `sk-org-…`.
    pub shown: String,
    pub name: String,
    /// Name of the person whose key it is.
    pub owner: String,
    pub scopes: Scopes,
    /// Names of the workspaces that it manages; none for the whole organization.
    pub only: Option<String>,
    /// Name of the workspace whose file tools it sees.
    pub files: Option<String>,
    /// What was ticked for it; none for all toolsets.
    pub mix: Option<String>,
    pub created_at: Instant,
    pub expires_at: Option<Instant>,
    pub expired: bool,
    pub last_used_at: Option<Instant>,
}

#[derive(Debug, Clone)]
pub struct ApiKeyForm {
    pub name: Field,
    /// Those that the person may give.
    pub offered: Scopes,
    /// Those with a tick.
    pub ticked: Scopes,
    pub scopes_error: Option<String>,
    /// The workspaces that the key manages; none of them for the whole organization.
    pub only: SomeOf,
    /// The workspace whose files the key is given, or none.
    pub files: OneOf,
    pub files_error: Option<String>,
    pub mix: MixPicker,
    pub expiry: Expiry,
}

impl ApiKeyForm {
    /// The empty form: reading and calling tools is ticked, and the only workspace is chosen.
    pub fn new(offered: Scopes, workspaces: OneOf) -> Self {
        let usual = [Scope::ReadTools, Scope::WriteTools, Scope::ReadData];
        ApiKeyForm {
            name: Field::default(),
            offered,
            ticked: usual
                .into_iter()
                .filter(|scope| offered.has(*scope))
                .collect(),
            scopes_error: None,
            only: SomeOf::of(&workspaces),
            files: workspaces.or("None"),
            files_error: None,
            mix: MixPicker::default(),
            expiry: Expiry::default(),
        }
    }

    /// The scopes that are shown, with whether each has a tick.
    pub fn choices(&self) -> Vec<(Scope, bool)> {
        let ticked: Vec<Scope> = self.ticked.iter().collect();
        Scope::ALL
            .into_iter()
            .filter(|scope| self.offered.has(*scope))
            .map(|scope| (scope, ticked.contains(&scope)))
            .collect()
    }
}

impl ApiKeysPage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            None,
            [
                ("key-name", self.form.name.error.as_ref()),
                ("scopes", self.form.scopes_error.as_ref()),
                ("only", self.form.only.error.as_ref()),
                ("files", self.form.files_error.as_ref()),
                ("mix", self.form.mix.error.as_ref()),
            ],
        )
    }
}

/// Answer to the POST that made a key. The secret stands here and nowhere else.
#[derive(Debug, Clone, Template)]
#[template(path = "fresh_key.html")]
pub struct FreshKeyPage {
    pub layout: Layout,
    pub name: String,
    /// `sk-org-<id>.<secret>`
    pub key: String,
    pub scopes: Scopes,
    pub expires_at: Option<Instant>,
    /// Names of the workspaces that it manages; none for the whole organization.
    pub only: Option<String>,
    /// Name of the workspace whose file tools it sees.
    pub files: Option<String>,
    /// Its list of tools.
    pub size: ListSize,
    /// With the key filled in.
    pub connect: Connect,
}

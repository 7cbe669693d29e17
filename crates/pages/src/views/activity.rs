//! What was called and what was changed, with filters.

use askama::Template;
use quaymaster_core::Instant;

use super::amount::Amount;
use super::layout::Layout;
use super::moment::Shown;
use super::place::Choice;

/// A link that stands for a choice.
#[derive(Debug, Clone)]
pub struct Preset {
    pub label: String,
    pub href: String,
    pub is_current: bool,
}

/// One select of the filter.
#[derive(Debug, Clone)]
pub struct Narrowing {
    /// The form field, and the id of the select.
    pub key: &'static str,
    pub label: &'static str,
    pub choices: Vec<Choice>,
}

/// The filter of a list by time.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Where the form leads.
    pub path: &'static str,
    pub presets: Vec<Preset>,
    pub narrowings: Vec<Narrowing>,
    /// Days in UTC, as `2026-11-25`; empty for none.
    pub from: String,
    pub to: String,
    /// Whether anything is asked for.
    pub is_set: bool,
    /// The same rows as files: label and address.
    pub files: Vec<(&'static str, String)>,
}

impl Filter {
    /// Whether more than a time is chosen.
    pub fn is_narrowed(&self) -> bool {
        let chosen = |one: &Choice| one.is_chosen && !one.value.is_empty();
        self.narrowings
            .iter()
            .any(|one| one.choices.iter().any(chosen))
    }
}

/// `/activity`.
#[derive(Debug, Clone, Template)]
#[template(path = "activity.html")]
pub struct ActivityPage {
    pub layout: Layout,
    pub is_admin: bool,
    pub filter: Filter,
    /// Newest first.
    pub calls: Vec<ActivityRow>,
    /// Where older ones are.
    pub next: Option<String>,
}

/// A tool call. Links lead to calls like it.
#[derive(Debug, Clone)]
pub struct ActivityRow {
    pub at: Instant,
    pub tool: String,
    pub tool_href: String,
    pub accounts: Option<String>,
    pub outcome: String,
    pub failed: bool,
    pub upstream_status: Option<i64>,
    pub credential: String,
    pub credential_href: String,
    /// Name of the person.
    pub person: Option<String>,
    pub workspace: Option<String>,
    pub client: Option<String>,
    pub source: String,
    pub duration_ms: u64,
}

/// `/activity/changes`.
#[derive(Debug, Clone, Template)]
#[template(path = "changes.html")]
pub struct ChangesPage {
    pub layout: Layout,
    pub filter: Filter,
    /// Newest first.
    pub changes: Vec<ChangeRow>,
    /// Where older ones are.
    pub next: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ChangeRow {
    pub at: Instant,
    /// Noun and past participle.
    pub action: String,
    /// Name of the person or credential.
    pub actor: String,
    pub workspace: Option<String>,
    /// Names and values.
    pub details: Vec<(String, String)>,
}

//! A person's own account: name, password, signed-in browsers, organizations.

use askama::Template;
use quaymaster_core::Instant;

use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;

/// `/settings/account`: posts `name` to `/name`, `current`, `password` and `revoke` (`yes`) to
/// `/password`, nothing to the paths of browsers and organizations.
#[derive(Debug, Clone, Template)]
#[template(path = "account.html")]
pub struct AccountPage {
    pub layout: Layout,
    pub name: Field,
    pub email: String,
    /// The errors under the two passwords; what was typed is never sent back.
    pub current_error: Option<String>,
    pub password_error: Option<String>,
    /// Whether it is ticked that keys, tokens and connected clients go with the old password.
    pub revoke: bool,
    /// The last one seen first.
    pub browsers: Vec<BrowserRow>,
    /// The last one used first.
    pub organizations: Vec<OrganizationRow>,
}

#[derive(Debug, Clone)]
pub struct BrowserRow {
    /// Id of the session, part of its path.
    pub id: String,
    /// What it is, for example `Firefox on Linux`.
    pub agent: String,
    /// Where it signed in from.
    pub address: Option<String>,
    pub signed_in_at: Instant,
    pub last_seen_at: Instant,
    /// The browser that asks.
    pub is_this: bool,
}

#[derive(Debug, Clone)]
pub struct OrganizationRow {
    /// Part of its paths.
    pub id: String,
    pub name: String,
    /// The person's role in it, as a word.
    pub role: &'static str,
    pub joined_at: Instant,
    /// The one that the pages show.
    pub is_this: bool,
}

impl AccountPage {
    pub const PASSWORD_MIN: usize = super::WelcomePage::PASSWORD_MIN;

    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            None,
            [
                ("name", self.name.error.as_ref()),
                ("current", self.current_error.as_ref()),
                ("password", self.password_error.as_ref()),
            ],
        )
    }
}

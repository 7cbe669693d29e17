//! Settings of the organization, and how to connect to this server.

use askama::Template;

use super::connect::Connect;
use super::form::{self, Field, Problem};
use super::layout::Layout;

/// `/settings`: an administrator posts `organization`.
#[derive(Debug, Clone, Template)]
#[template(path = "settings.html")]
pub struct SettingsPage {
    pub layout: Layout,
    pub organization: Field,
    /// Whether the person may change it.
    pub may_edit: bool,
    pub public_url: String,
    /// The MCP endpoint, `<public_url>/mcp`.
    pub endpoint: String,
    /// With a placeholder where the key goes.
    pub connect: Connect,
}

impl SettingsPage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(None, [("organization", self.organization.error.as_ref())])
    }
}

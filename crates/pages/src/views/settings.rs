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
    /// `<public_url>/api/v1/mcp/info`, which needs no credential.
    pub info_url: String,
    /// How programs of agents are held, a sentence each. For administrators.
    pub isolation: Vec<String>,
    /// With the placeholder where the token goes.
    pub connect: Connect,
    pub placeholder: &'static str,
}

impl SettingsPage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(None, [("organization", self.organization.error.as_ref())])
    }
}

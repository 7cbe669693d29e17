//! The settings of a workspace: whether its flows need a credential, and its flow tokens.

use askama::Template;
use quaymaster_core::Instant;

use super::connect::Connect;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::mix::{ListSize, MixPicker};
use super::moment::Shown;
use super::place::{Choice, Place};

/// `/workspaces/{id}/settings`.
#[derive(Debug, Clone, Template)]
#[template(path = "workspace_settings.html")]
pub struct WorkspaceSettingsPage {
    pub layout: Layout,
    pub place: Place,
    /// The MCP endpoint, `<public_url>/mcp`.
    pub endpoint: String,
    pub requires_authentication: bool,
    /// Why the switch could not be moved.
    pub refused: Option<String>,
    /// Newest first.
    pub tokens: Vec<FlowTokenRow>,
    pub form: FlowTokenForm,
    /// Without a token where none is needed, else with a placeholder.
    pub connect: Connect,
}

impl WorkspaceSettingsPage {
    pub fn problems(&self) -> Vec<Problem> {
        let switch = [("require", self.refused.as_ref())];
        let name = [("flow-token-name", self.form.name.error.as_ref())];
        let named = self.form.named_flows.as_ref();
        let named = named.map(|named| ("named-flows", named.error.as_ref()));
        let mix = [("mix", self.form.mix.error.as_ref())];
        form::problems(None, switch.into_iter().chain(name).chain(named).chain(mix))
    }
}

/// One flow token.
#[derive(Debug, Clone)]
pub struct FlowTokenRow {
    /// Id of the credential, part of its paths.
    pub id: String,
    pub name: String,
    /// The flows that it names; none when it reaches all.
    pub flows: Option<usize>,
    pub in_url: bool,
    /// What was ticked for it; none for flows.
    pub mix: Option<String>,
    /// Whether the person may revoke it: their own, or any for an administrator.
    pub may_change: bool,
    pub created_by: String,
    pub created_at: Instant,
    pub last_used_at: Option<Instant>,
    pub expires_at: Option<Instant>,
}

/// The form below the table: posts `name`, `flows` for each that is ticked or `named_flows`, and `in_url` when it is.
#[derive(Debug, Clone, Default)]
pub struct FlowTokenForm {
    pub name: Field,
    /// The flows of the workspace; none ticked means all.
    pub flows: Vec<Choice>,
    /// Their names instead, where a page has no room for so many ticks.
    pub named_flows: Option<Field>,
    pub in_url: bool,
    pub mix: MixPicker,
}

/// Answer to the POST that made a flow token. The secret stands here and nowhere else.
#[derive(Debug, Clone, Template)]
#[template(path = "fresh_flow_token.html")]
pub struct FreshFlowTokenPage {
    pub layout: Layout,
    pub place: Place,
    pub name: String,
    /// `at_<id>.<secret>`
    pub token: String,
    pub in_url: bool,
    /// Its list of tools.
    pub size: ListSize,
    /// With the token filled in.
    pub connect: Connect,
}

//! Secrets of the flows of a workspace.

use askama::Template;

use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::place::Place;
use quaymaster_core::Instant;

/// `/workspaces/{id}/flow-secrets`: posts `name` and `value` to itself, and buttons to `/delete`.
#[derive(Debug, Clone, Template)]
#[template(path = "flow_secrets.html")]
pub struct FlowSecretsPage {
    pub layout: Layout,
    pub place: Place,
    pub secrets: Vec<FlowSecretRow>,
    pub name: Field,
    /// Why the value was refused. It is never shown again.
    pub value_error: Option<String>,
    pub error: Option<String>,
}

#[derive(Debug, Clone)]
pub struct FlowSecretRow {
    pub name: String,
    pub made_by: String,
    pub changed_at: Instant,
}

impl FlowSecretsPage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            self.error.as_ref(),
            [
                ("secret-name", self.name.error.as_ref()),
                ("secret-value", self.value_error.as_ref()),
            ],
        )
    }
}

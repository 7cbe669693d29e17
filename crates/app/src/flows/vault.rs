//! The secrets of a workspace, opened for one run.

use crate::App;
use quaymaster_connectors::redact::Redactor;
use quaymaster_core::id::{OrgId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::host::Text;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// They are put in where bytes leave, and taken out of what comes back.
#[derive(Default)]
pub(super) struct Opened {
    secrets: BTreeMap<String, SecretString>,
    redactor: Redactor,
}

impl Opened {
    pub(super) async fn of(
        app: &App,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Opened, Fault> {
        let secrets = app.opened_flow_secrets(org, workspace).await?;
        let plain = secrets.values().map(secrecy::ExposeSecret::expose_secret);
        Ok(Opened {
            redactor: Redactor::new(plain),
            secrets,
        })
    }

    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.secrets
            .get(name)
            .map(secrecy::ExposeSecret::expose_secret)
    }

    pub(super) fn fill(&self, text: &Text) -> Result<String, StepFault> {
        text.fill(|name| self.get(name)).map_err(|name| {
            StepFault::new(
                Code::ConnectionRequired,
                format!("The workspace has no secret {name}, which the flow uses."),
            )
            .hint("An administrator sets it on the page of the workspace's secrets, or by PUT /api/v1/workspaces/{id}/flow-secrets/{name}.")
        })
    }
}

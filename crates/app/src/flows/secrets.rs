//! Secrets that flows of a workspace put into requests by `${{ secret.NAME }}`. Written, replaced,
//! deleted; never read back.

use crate::App;
use crate::actor::{Actor, Admin};
use quaymaster_core::id::{FlowSecretId, OrgId, WorkspaceId};
use quaymaster_core::{Code, Fault};
pub use quaymaster_store::flow_secret::FlowSecret;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use std::collections::BTreeMap;

/// Of one secret.
const MOST_BYTES: usize = 8 * 1024;
/// Of a workspace.
const MOST_SECRETS: i64 = 200;

/// `^[A-Z][A-Z0-9_]{0,63}$`, as the format has it.
fn checked_secret_name(name: &str) -> Result<(), Fault> {
    let fits = name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if fits {
        return Ok(());
    }
    Err(Fault::invalid_arg(
        "/name",
        "pattern",
        "The name of a secret has 1 to 64 capital letters, digits and underscores, and begins with a letter.",
    )
    .hint("For example WEATHER_KEY, which a flow uses as ${{ secret.WEATHER_KEY }}."))
}

fn no_secret() -> Fault {
    Fault::not_found("The workspace has no such secret.")
        .hint("GET /api/v1/workspaces/{id}/flow-secrets lists their names.")
}

impl App {
    /// By name, without their values.
    pub async fn flow_secrets(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<FlowSecret>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        Ok(self.store.flow_secrets(&actor.org, workspace).await?)
    }

    /// Sets a secret, over the one of that name. Whether it is new.
    pub async fn set_flow_secret(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        name: &str,
        value: &SecretString,
    ) -> Result<(FlowSecret, bool), Fault> {
        self.believed_workspace(&admin.org, workspace).await?;
        checked_secret_name(name)?;
        let bytes = value.expose_secret().len();
        if bytes == 0 || bytes > MOST_BYTES {
            return Err(Fault::invalid_arg(
                "/value",
                "length",
                format!("A secret has 1 to {MOST_BYTES} bytes."),
            ));
        }
        let secret = FlowSecret {
            id: FlowSecretId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: workspace.clone(),
            name: name.to_owned(),
            made_by: admin.label.clone(),
            changed_at: self.now(),
        };
        self.store
            .prepare_sealing(self.now(), admin.org.as_str())
            .await?;
        let sealed = self.store.seal_flow_secret(&secret, value)?;
        let mut event = self.event(
            &admin.org,
            &admin.label,
            "flow_secret.set",
            json!({ "secret": name }),
        );
        event.workspace = Some(workspace.clone());
        let mut tx = self.store.begin().await?;
        let is_new = tx.set_flow_secret(&secret, sealed).await?;
        if tx.count_flow_secrets(&admin.org, workspace).await? > MOST_SECRETS {
            return Err(Fault::new(
                Code::QuotaExceeded,
                format!("A workspace has at most {MOST_SECRETS} secrets."),
            )
            .hint("Delete one that no flow uses."));
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok((secret, is_new))
    }

    pub async fn delete_flow_secret(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        name: &str,
    ) -> Result<(), Fault> {
        self.believed_workspace(&admin.org, workspace).await?;
        let mut event = self.event(
            &admin.org,
            &admin.label,
            "flow_secret.deleted",
            json!({ "secret": name }),
        );
        event.workspace = Some(workspace.clone());
        let mut tx = self.store.begin().await?;
        if !tx.remove_flow_secret(&admin.org, workspace, name).await? {
            return Err(no_secret());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// All of a workspace, opened, for a run.
    pub(crate) async fn opened_flow_secrets(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<BTreeMap<String, SecretString>, Fault> {
        Ok(self.store.open_flow_secrets(org, workspace).await?)
    }
}

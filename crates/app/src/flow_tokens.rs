//! Flow tokens: what a client presents to call the flows of a workspace as tools.

use crate::App;
use crate::actor::Actor;
use crate::credentials::{Credential, Expiry, Fresh, Origin, checked_name, flows_alone};
use crate::mixing::Ticked;
use quaymaster_core::caller::Pick;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::schema::shorten;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Fault, Scopes};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Flows that one token names; whoever wants more lets it reach all.
const MOST_FLOWS: usize = 500;

/// What a new flow token shall be.
#[derive(Debug, Clone)]
pub struct NewFlowToken {
    /// Unique among the live ones of the workspace.
    pub name: String,
    /// Ids or names of the flows that it reaches, one at least; without them, all that the workspace
    /// has at any time.
    pub flows: Option<Vec<String>>,
    /// Whether it is taken from an address, too, where logs and histories keep it.
    pub in_url: bool,
    pub expires: Expiry,
    pub ticked: Ticked,
}

impl App {
    pub async fn create_flow_token(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        new: NewFlowToken,
    ) -> Result<Fresh, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let name = checked_name(&new.name)?;
        let expires_at = new.expires.from(self.now())?;
        let flows = match new.flows {
            Some(named) => self.named_flows(actor, workspace, &named).await?,
            None => Pick::All,
        };
        let scopes = Scopes::of_tools();
        let mut fresh = self.fresh(actor, TokenKind::FlowToken, name, Origin::Manual, scopes);
        fresh.credential.workspace = Some(workspace.clone());
        fresh.credential.expires_at = expires_at;
        fresh.credential.flows = flows;
        fresh.credential.in_url = new.in_url;
        self.put_mix(&mut fresh.credential, &new.ticked).await?;
        flows_alone(&fresh.credential)?;
        let mut tx = self.store.begin().await?;
        self.add(&mut tx, actor, &fresh.credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(fresh)
    }

    /// The flow tokens of a workspace that are not revoked, newest first.
    pub async fn flow_tokens(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Credential>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        Ok(self.store.flow_tokens(&actor.org, workspace).await?)
    }

    async fn named_flows(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        named: &[String],
    ) -> Result<Pick, Fault> {
        if named.is_empty() || named.len() > MOST_FLOWS {
            let message = format!("A token names 1 to {MOST_FLOWS} flows.");
            return Err(Fault::invalid_arg("/flows", "length", message)
                .hint("Leave the flows out for a token that reaches all of its workspace."));
        }
        let known = self.store.flows(&actor.org, workspace).await?;
        let mut flows = BTreeSet::new();
        for (n, text) in named.iter().enumerate() {
            let found = known
                .iter()
                .find(|flow| flow.id.as_str() == text || flow.name == *text);
            let found = found.ok_or_else(|| {
                let message = format!("The workspace has no flow {:?}.", shorten(text));
                let names = known.iter().map(|flow| &*flow.name);
                Fault::invalid_arg(&format!("/flows/{n}"), "enum", message)
                    .meant(&did_you_mean(text, names, 3))
            })?;
            flows.insert(found.id.clone());
        }
        Ok(Pick::Only(Arc::new(flows)))
    }
}

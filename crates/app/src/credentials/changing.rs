//! What a credential is called and may do, changed while clients use it.

use super::{checked_name, flows_alone, told_of, unknown_credential};
use crate::actor::Admin;
use crate::mixing::MixChange;
use crate::{App, wired};
use quaymaster_core::id::CredentialId;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault, Scope, Scopes};
use quaymaster_store::credential::Credential;
use serde_json::json;

/// What shall be different; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct CredentialChange {
    pub name: Option<String>,
    pub scopes: Option<Scopes>,
    pub mix: MixChange,
}

impl App {
    /// Changes what a credential is called and may do. What acts as somebody else can only get
    /// less. Connected clients are told.
    pub async fn update_credential(
        &self,
        admin: &Admin,
        id: &CredentialId,
        change: CredentialChange,
    ) -> Result<Credential, Fault> {
        let before = self.credential_of(admin, id).await?;
        let name = change.name.as_deref().map(checked_name).transpose()?;
        let mut next = before.clone();
        if let Some(scopes) = change.scopes {
            check_scopes(admin, &before, scopes)?;
            // The scope of data follows from the toolsets, but for an API key.
            let data = before.kind != TokenKind::ApiKey && before.scopes.has(Scope::ReadData);
            let data = data.then_some(Scope::ReadData);
            next.scopes = scopes.iter().chain(data).collect();
        }
        let mix_changes = change.mix.is_some();
        if mix_changes {
            self.change_mix(admin, &mut next, change.mix).await?;
            flows_alone(&next)?;
        }
        let scopes =
            (change.scopes.is_some() || next.scopes != before.scopes).then_some(next.scopes);
        let mut details = json!({ "name": name, "scopes": scopes });
        if mix_changes {
            details["toolsets"] = json!(null);
            details["tools"] = json!(null);
            told_of(&mut details, &next.mix);
        }
        let mut event = self.event(&admin.org, &admin.label, "credential.updated", details);
        event.credential = Some(id.clone());
        let mut tx = self.store.begin().await?;
        let changed = tx
            .update_credential(&admin.org, id, name.as_deref(), scopes)
            .await
            .map_err(|error| {
                wired::duplicate_or(error, || {
                    Fault::new(
                        Code::AlreadyExists,
                        "The workspace has a flow token of that name already.",
                    )
                    .hint("Choose another name, so that each client can be told from the others.")
                })
            })?;
        if !changed {
            return Err(unknown_credential());
        }
        if mix_changes {
            tx.put_mix(&admin.org, id, &next.mix).await?;
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        self.credential_of(admin, id).await
    }
}

fn check_scopes(admin: &Admin, credential: &Credential, scopes: Scopes) -> Result<(), Fault> {
    let most = match credential.kind {
        TokenKind::ApiKey => admin.scopes,
        TokenKind::WorkspaceToken
        | TokenKind::OAuthGrant
        | TokenKind::ServerToken
        | TokenKind::FlowToken => Scopes::of_tools(),
    };
    if scopes.is_empty() || !scopes.within(most) {
        let message = "These scopes do not fit the credential.";
        return Err(Fault::invalid_arg("/scopes", "enum", message).detail("allowed", json!(most)));
    }
    let acts_as_another = !matches!(
        credential.kind,
        TokenKind::WorkspaceToken | TokenKind::ServerToken | TokenKind::FlowToken
    ) && credential.user != admin.user;
    if acts_as_another && !scopes.within(credential.scopes) {
        return Err(Fault::new(
            Code::Forbidden,
            "This key acts as somebody else, so only they give it more scopes.",
        )
        .hint("You may take scopes away, or let them make another key.")
        .detail("allowed", json!(credential.scopes)));
    }
    Ok(())
}

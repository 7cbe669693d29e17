//! API keys, workspace tokens, flow tokens and OAuth grants: made, listed, regenerated, changed, revoked.

mod changing;
mod expiry;

pub use changing::CredentialChange;
pub use expiry::Expiry;

use crate::actor::Actor;
use crate::mixing::Ticked;
use crate::{App, wired};
use quaymaster_core::caller::{Pick, Reach};
use quaymaster_core::id::{CredentialId, FlowId, ServerId, WorkspaceId};
use quaymaster_core::mix::{Mix, ToolsetKey};
use quaymaster_core::secret::{self, SecretDigest, Token, TokenKind};
use quaymaster_core::{Code, Fault, Instant, Scopes};
use quaymaster_store::Tx;
pub use quaymaster_store::credential::{Credential, Origin};
pub use quaymaster_store::oauth::GrantedClient;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A credential with its token, which is shown once.
pub struct Fresh {
    pub credential: Credential,
    pub token: SecretString,
}

/// An OAuth client that a person connected, with what it was granted.
#[derive(Debug, Clone)]
pub struct ConnectedClient {
    pub credential: Credential,
    pub client: GrantedClient,
    /// The name of the hosted server that it is connected to; none has the workspace's files.
    pub server: Option<String>,
}

/// What a new API key shall be.
#[derive(Debug, Clone, Default)]
pub struct NewApiKey {
    pub name: String,
    /// Without it, its creator's.
    pub scopes: Option<Scopes>,
    pub expires: Expiry,
    /// The workspace whose file tools it shall see besides.
    pub files: Option<WorkspaceId>,
    pub ticked: Ticked,
    /// The workspaces that it manages. One of single workspaces has no tools.
    pub reach: Reach,
}

/// What a new token of a workspace shall be.
#[derive(Debug, Clone, Default)]
pub struct NewWorkspaceToken {
    pub name: String,
    /// It sees the tools that change nothing.
    pub read_only: bool,
    pub ticked: Ticked,
}

pub(crate) fn checked_name(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 80 || name.chars().any(char::is_control) {
        return Err(Fault::invalid_arg(
            "/name",
            "length",
            "A name has 1 to 80 characters.",
        ));
    }
    Ok(name.to_owned())
}

impl App {
    pub async fn create_api_key(&self, actor: &Actor, new: NewApiKey) -> Result<Fresh, Fault> {
        let scopes = new.scopes.unwrap_or(actor.scopes);
        if scopes.is_empty() {
            return Err(Fault::invalid_arg(
                "/scopes",
                "minItems",
                "A key needs at least one scope.",
            ));
        }
        if let Some(workspace) = &new.files {
            self.believed_workspace(&actor.org, workspace).await?;
        }
        if !new.reach.is_whole() && (new.files.is_some() || new.ticked != Ticked::default()) {
            let message = "A key of single workspaces is for the management API, and has no tools.";
            return Err(Fault::invalid_arg("/permissions", "not", message)
                .hint("Leave files, toolsets and tools out, or make a key of the organization."));
        }
        let expires_at = new.expires.from(self.now())?;
        let mut fresh = self.fresh(
            actor,
            TokenKind::ApiKey,
            checked_name(&new.name)?,
            Origin::Manual,
            scopes,
        );
        fresh.credential.workspace = new.files;
        fresh.credential.reach = new.reach;
        fresh.credential.expires_at = expires_at;
        self.put_mix(&mut fresh.credential, &new.ticked).await?;
        let mut tx = self.store.begin().await?;
        self.add(&mut tx, actor, &fresh.credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(fresh)
    }

    /// Makes a token of a workspace.
    pub async fn create_workspace_token(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        new: NewWorkspaceToken,
    ) -> Result<Fresh, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let mut fresh = self.fresh_workspace_token(
            actor,
            workspace,
            checked_name(&new.name)?,
            Origin::Manual,
            new.read_only,
        );
        self.put_mix(&mut fresh.credential, &new.ticked).await?;
        let mut tx = self.store.begin().await?;
        self.add(&mut tx, actor, &fresh.credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(fresh)
    }

    /// Makes a read-only token of a workspace that dies by itself after a minute, for whoever tries
    /// the installation and may be cut off before revoking it.
    pub async fn create_probe_token(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        name: &str,
    ) -> Result<Fresh, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let name = checked_name(name)?;
        let mut fresh = self.fresh_workspace_token(actor, workspace, name, Origin::Manual, true);
        fresh.credential.expires_at = Some(self.now().plus_seconds(60));
        let mut tx = self.store.begin().await?;
        self.add(&mut tx, actor, &fresh.credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(fresh)
    }

    /// Makes the workspace's default token, or replaces it: the one before is dead at once.
    pub async fn regenerate_default_token(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Fresh, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let old = self
            .store
            .workspace_tokens(&actor.org, workspace)
            .await?
            .into_iter()
            .find(|token| token.origin == Origin::Default);
        match old {
            Some(old) => self.regenerate(actor, &old.id).await,
            None => {
                let fresh = self.fresh_workspace_token(
                    actor,
                    workspace,
                    "Default token".into(),
                    Origin::Default,
                    false,
                );
                let mut tx = self.store.begin().await?;
                self.add(&mut tx, actor, &fresh.credential).await?;
                tx.commit().await?;
                self.changed().await;
                Ok(fresh)
            }
        }
    }

    /// Replaces a credential by one that may do the same, with another id and secret. The old one
    /// is dead at once, and with it its sessions and uploads.
    pub async fn regenerate(&self, actor: &Actor, id: &CredentialId) -> Result<Fresh, Fault> {
        let old = self.credential_of(actor, id).await?;
        if old.kind == TokenKind::OAuthGrant {
            return Err(Fault::new(
                Code::InvalidArg,
                "A client that was connected gets its tokens by itself, not by hand.",
            )
            .hint("Revoke it, and connect again from the client."));
        }
        if old.kind == TokenKind::ApiKey && old.user != actor.user {
            return Err(Fault::new(
                Code::Forbidden,
                "This key acts as somebody else, so only they can have a new secret for it.",
            )
            .hint("Revoke it, and let them make another."));
        }
        let now = self.now();
        let mut fresh = self.fresh(actor, old.kind, old.name.clone(), old.origin, old.scopes);
        fresh.credential.user = old.user.clone();
        fresh.credential.workspace = old.workspace.clone();
        fresh.credential.server = old.server.clone();
        fresh.credential.end_user = old.end_user.clone();
        fresh.credential.flows = old.flows.clone();
        fresh.credential.in_url = old.in_url;
        fresh.credential.reach = old.reach.clone();
        fresh.credential.mix = old.mix.clone();
        fresh.credential.expires_at = old.expires_at.map(|at| {
            // As long as it was made for, from now on.
            Instant::from_micros(now.micros() + at.micros() - old.created_at.micros())
        });
        let mut tx = self.store.begin().await?;
        self.revoke_within(&mut tx, actor, &old).await?;
        self.add(&mut tx, actor, &fresh.credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(fresh)
    }

    pub async fn revoke(&self, actor: &Actor, id: &CredentialId) -> Result<(), Fault> {
        let credential = self.credential_of(actor, id).await?;
        let mut tx = self.store.begin().await?;
        self.revoke_within(&mut tx, actor, &credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// A page of the live API keys, newest first, and how many there are in all pages: an administrator
    /// sees all of the organization, a member their own.
    pub async fn api_keys(
        &self,
        actor: &Actor,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Credential>, i64), Fault> {
        let only = (!actor.role.administers()).then_some(&actor.user);
        let total = self.store.count_api_keys(&actor.org, only).await?;
        let page = self.store.api_keys(&actor.org, only, limit, offset);
        Ok((page.await?, total))
    }

    /// A live API key that the actor sees. `NOT_FOUND` also for what cannot be an id.
    pub async fn api_key(&self, actor: &Actor, id: &str) -> Result<Credential, Fault> {
        let found = match id.parse() {
            Ok(id) => self.credential_of(actor, &id).await,
            Err(_) => Err(unknown_credential()),
        };
        match found {
            Ok(key) if key.kind == TokenKind::ApiKey => Ok(key),
            Err(fault) if fault.code != Code::NotFound => Err(fault),
            _ => Err(
                Fault::not_found("There is no such API key, or it was revoked before.")
                    .hint("GET /api/v1/api-keys lists them."),
            ),
        }
    }

    pub async fn workspace_tokens(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Credential>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        Ok(self.store.workspace_tokens(&actor.org, workspace).await?)
    }

    /// The OAuth clients that people of the organization connected to a workspace, newest first.
    pub async fn connected_clients(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<ConnectedClient>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let grants = self
            .store
            .oauth_grants(&actor.org, workspace, self.now())
            .await?;
        let servers = grants.iter().filter_map(|(grant, _)| grant.server.clone());
        let servers = servers.collect();
        let servers = self.store.server_names(&actor.org, &servers).await?;
        let servers: BTreeMap<_, _> = servers.into_iter().collect();
        let name_of = |id: &ServerId| servers.get(id).cloned();
        Ok(grants
            .into_iter()
            .map(|(credential, client)| ConnectedClient {
                server: credential.server.as_ref().and_then(name_of),
                credential,
                client,
            })
            .collect())
    }

    /// A live credential that the actor may change: their own, or any for an administrator.
    async fn credential_of(&self, actor: &Actor, id: &CredentialId) -> Result<Credential, Fault> {
        let found = self.store.credential(&actor.org, id).await?;
        found
            .filter(|credential| credential.revoked_at.is_none())
            .filter(|credential| actor.role.administers() || credential.user == actor.user)
            .ok_or_else(unknown_credential)
    }

    pub(crate) async fn revoke_within(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        credential: &Credential,
    ) -> Result<(), Fault> {
        if !tx
            .revoke_credential(&actor.org, &credential.id, self.now())
            .await?
        {
            return Err(unknown_credential());
        }
        let mut event = self.event(
            &actor.org,
            &actor.label,
            "credential.revoked",
            json!({ "name": credential.name }),
        );
        event.credential = Some(credential.id.clone());
        tx.record(&event).await?;
        Ok(())
    }

    pub(crate) async fn add(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        credential: &Credential,
    ) -> Result<(), Fault> {
        // Here, where every way to a new credential passes.
        if !credential.scopes.within(actor.scopes) {
            return Err(Fault::new(
                Code::ScopeDenied,
                "A key cannot have more scopes than whoever makes it.",
            )
            .hint("Make one with the scopes that you have.")
            .detail("allowed", json!(actor.scopes)));
        }
        tx.add_credential(credential).await.map_err(|error| {
            wired::duplicate_or(error, || match credential.kind {
                TokenKind::FlowToken => Fault::new(
                    Code::AlreadyExists,
                    format!("There is a flow token named {} already.", credential.name),
                )
                .hint("Choose another name, so that each client can be told from the others."),
                _ => Fault::new(
                    Code::AlreadyExists,
                    "The workspace has a default token already.",
                )
                .hint("Regenerate it instead."),
            })
        })?;
        let mut details = json!({
            "name": credential.name,
            "scopes": credential.scopes,
            "origin": credential.origin.name(),
            "expires_at": credential.expires_at,
        });
        told_of(&mut details, &credential.mix);
        let mut event = self.event(&actor.org, &actor.label, "credential.created", details);
        event.credential = Some(credential.id.clone());
        tx.record(&event).await?;
        Ok(())
    }

    pub(crate) fn fresh_workspace_token(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        name: String,
        origin: Origin,
        read_only: bool,
    ) -> Fresh {
        let scopes = if read_only {
            Scopes::of_reading_tools()
        } else {
            Scopes::of_tools()
        };
        let mut fresh = self.fresh(actor, TokenKind::WorkspaceToken, name, origin, scopes);
        fresh.credential.workspace = Some(workspace.clone());
        fresh
    }

    pub(crate) fn fresh(
        &self,
        actor: &Actor,
        kind: TokenKind,
        name: String,
        origin: Origin,
        scopes: Scopes,
    ) -> Fresh {
        let id = CredentialId::fresh(&*self.clock, &*self.entropy);
        let secret = secret::fresh(&*self.entropy);
        let digest = SecretDigest::of(secret.expose_secret());
        let token = Token {
            kind,
            credential: id.clone(),
            secret,
        }
        .reveal();
        let credential = Credential {
            id,
            org: actor.org.clone(),
            kind,
            name,
            user: actor.user.clone(),
            workspace: None,
            server: None,
            end_user: None,
            flows: Pick::All,
            in_url: false,
            mix: Mix::default(),
            origin,
            scopes,
            reach: Reach::Organization,
            secret: Some(digest),
            created_at: self.now(),
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        };
        Fresh { credential, token }
    }
}

/// What may be used in an address calls flows and nothing else, whatever was ticked.
pub(crate) fn flows_alone(credential: &Credential) -> Result<(), Fault> {
    let mut toolsets = credential.mix.toolsets.iter().flatten();
    if credential.in_url && toolsets.any(|key| *key != ToolsetKey::Flows) {
        let message = "A token that may be used in an address calls flows and nothing else.";
        return Err(Fault::invalid_arg("/toolsets", "enum", message)
            .hint("Addresses end up in logs: take the other toolsets away, or let the token be used in a header only."));
    }
    Ok(())
}

/// What was ticked, in the details of an event.
pub(crate) fn told_of(details: &mut Value, mix: &Mix) {
    if let Some(toolsets) = &mix.toolsets {
        details["toolsets"] = json!(toolsets);
    }
    if let Some(tools) = mix.tools.as_deref() {
        let flows = tools.flows.iter().map(FlowId::as_str);
        let all = tools.names.iter().map(String::as_str).chain(flows);
        details["tools"] = all.collect();
    }
}

fn unknown_credential() -> Fault {
    Fault::not_found("There is no such credential, or it was revoked before.")
}

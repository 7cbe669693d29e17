//! Who signs clients in to hosted servers, and as which end user.
//!
//! A member of the organization may sign in to any server that takes OAuth, unless it is made for
//! one end user: then only the member who is that one. With `per_user` integrations a call uses the
//! accounts of the end user that the member is in the server's workspace. Administrators become one
//! by signing in; others too where `endUserAccess` is `open`, else an administrator makes them one,
//! with the member's id as external id. Which end user that is, is asked anew at each call, so that
//! it holds for grants which were given before.

use crate::App;
use crate::actor::Actor;
use quaymaster_core::id::{EndUserId, UserId};
use quaymaster_core::{Code, Fault};
use quaymaster_store::end_user::EndUser;
use quaymaster_store::server::{EndUserAccess, Mode, Server};
use quaymaster_store::{StoreError, Tx};
use serde_json::{Map, json};

/// A hosted server as the consent page shows it.
#[derive(Debug, Clone)]
pub struct ServerAsked {
    pub name: String,
    pub workspace: String,
    /// Programs call its tools.
    pub is_code: bool,
}

impl App {
    /// The server that a client asks for, for somebody who may sign in to it.
    pub async fn server_asked(&self, actor: &Actor, server: &Server) -> Result<ServerAsked, Fault> {
        self.may_sign_in_to(actor, server).await?;
        let workspace = self
            .believed_workspace(&actor.org, &server.workspace)
            .await?;
        Ok(ServerAsked {
            name: server.name.clone(),
            workspace: workspace.name.clone(),
            is_code: server.mode == Mode::Code,
        })
    }

    pub(super) async fn may_sign_in_to(&self, actor: &Actor, server: &Server) -> Result<(), Fault> {
        if server.org != actor.org {
            return Err(
                Fault::not_found("Your organization has no such server.").hint(
                    "Switch to the organization that it is of, then start again from the client.",
                ),
            );
        }
        match self.signs_in(server, &actor.user).await? {
            Some(_) => Ok(()),
            None => Err(Fault::new(
                Code::Forbidden,
                "This server is for one person, and that is somebody else.",
            )
            .hint("Ask an administrator for a server without an end user.")),
        }
    }

    /// Who a member is at a server: an end user, or none; nothing when they may not sign in to it.
    pub(crate) async fn signs_in(
        &self,
        server: &Server,
        user: &UserId,
    ) -> Result<Option<Option<EndUserId>>, Fault> {
        let own = self
            .store
            .end_user_of_member(&server.org, &server.workspace, user)
            .await?
            .map(|own| own.id);
        let fits = server.end_user.is_none() || server.end_user == own;
        Ok(fits.then_some(own))
    }

    /// Makes the member an end user of the server's workspace, where signing in does that.
    pub(super) async fn become_end_user(
        &self,
        actor: &Actor,
        server: &Server,
    ) -> Result<(), Fault> {
        let becomes = actor.role.administers() || server.end_user_access == EndUserAccess::Open;
        let known = self
            .store
            .end_user_of_member(&actor.org, &server.workspace, &actor.user)
            .await?;
        if known.is_some() || !becomes {
            return Ok(());
        }
        let member = self.store.member(&actor.org, &actor.user).await?;
        let member = member.ok_or_else(|| {
            Fault::new(
                Code::Forbidden,
                "You are no longer a member of this organization.",
            )
        })?;
        let now = self.now();
        let end_user = EndUser {
            id: EndUserId::fresh(&*self.clock, &*self.entropy),
            org: actor.org.clone(),
            workspace: server.workspace.clone(),
            external_id: member.user.to_string(),
            display_name: Some(member.name),
            email: member.email,
            metadata: Map::new(),
            user: Some(member.user),
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.store.begin().await?;
        match tx.add_end_user(&end_user).await {
            // Two clients were signed in at once.
            Err(error) if error.is_duplicate() => return Ok(()),
            added => added?,
        }
        self.record_end_user(&mut tx, actor, &end_user).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    pub(crate) async fn record_end_user(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        end_user: &EndUser,
    ) -> Result<(), StoreError> {
        let details = json!({
            "end_user": end_user.id,
            "external_id": end_user.external_id,
            "user": end_user.user,
        });
        let mut event = self.event(&actor.org, &actor.label, "end_user.created", details);
        event.workspace = Some(end_user.workspace.clone());
        tx.record(&event).await
    }
}

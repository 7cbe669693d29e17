//! Reconnect links: an agent asks for one, the owner signs in, confirms, and gets a fresh token
//! for another client. No other credential is touched.

use crate::App;
use crate::actor::Actor;
use crate::credentials::Fresh;
use crate::links::{LinkState, no_link, spent_link, state_of};
use crate::organizations::Membership;
use quaymaster_core::id::{LinkId, WorkspaceId};
use quaymaster_core::secret::{self, SecretDigest};
use quaymaster_core::{Caller, Code, Fault, Instant};
use quaymaster_store::credential::Origin;
use quaymaster_store::link::{Link, LinkTo};
use quaymaster_store::workspace::Workspace;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

const MINUTES: i64 = 10;
const MOST_AN_HOUR: i64 = 5;

/// A fresh link and when it ends.
pub struct FreshLink {
    pub url: SecretString,
    pub expires_at: Instant,
}

/// What the page shows before somebody confirms.
#[derive(Debug, Clone)]
pub struct Reconnect {
    pub workspace: Workspace,
    pub client_name: Option<String>,
    pub requested_at: Instant,
    pub expires_at: Instant,
    pub state: LinkState,
}

impl App {
    pub(crate) async fn create_reconnect_link(
        &self,
        caller: &Caller,
        workspace: &WorkspaceId,
        client_name: Option<String>,
    ) -> Result<FreshLink, Fault> {
        let now = self.now();
        let recent = self
            .store
            .reconnect_links_since(&caller.org, workspace, now.plus_seconds(-3_600))
            .await?;
        if recent >= MOST_AN_HOUR {
            return Err(Fault::new(
                Code::RateLimited,
                format!("A workspace gets {MOST_AN_HOUR} reconnect links an hour."),
            )
            .hint("Use one of the links made before, or wait.")
            .detail("retry_after_s", 3_600));
        }
        let secret = secret::fresh(&*self.entropy);
        let link = Link {
            id: LinkId::fresh(&*self.clock, &*self.entropy),
            org: caller.org.clone(),
            to: LinkTo::Reconnect {
                workspace: workspace.clone(),
                asked_by: caller.credential.clone(),
                client_name,
            },
            secret: SecretDigest::of(secret.expose_secret()),
            created_at: now,
            expires_at: now.plus_seconds(MINUTES * 60),
            used_at: None,
        };
        let mut event = self.event(
            &caller.org,
            caller.credential.as_str(),
            "reconnect_link.created",
            json!({}),
        );
        event.workspace = Some(workspace.clone());
        let mut tx = self.store.begin().await?;
        tx.add_link(&link).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        let url = &self.settings.public_url;
        Ok(FreshLink {
            url: format!("{url}/reconnect/{}.{}", link.id, secret.expose_secret()).into(),
            expires_at: link.expires_at,
        })
    }

    /// What a reconnect link is for. A member of another organization is told whose it is not.
    pub async fn reconnect(&self, actor: &Actor, text: &str) -> Result<Reconnect, Fault> {
        let link = self.link_of(text).await?;
        let LinkTo::Reconnect {
            workspace,
            client_name,
            ..
        } = &link.to
        else {
            return Err(no_link());
        };
        if link.org != actor.org {
            return Err(Fault::new(
                Code::Forbidden,
                "This link belongs to a workspace of another organization.",
            )
            .hint("Sign in as somebody who owns the workspace."));
        }
        let workspace = self.workspace(actor, workspace).await?;
        let state = state_of(&link, self.now());
        Ok(Reconnect {
            workspace,
            client_name: client_name.clone(),
            requested_at: link.created_at,
            expires_at: link.expires_at,
            state,
        })
    }

    /// The organization of a reconnect link, when the person is a member of it as well as of the
    /// one that their browser shows.
    pub async fn reconnect_elsewhere(
        &self,
        actor: &Actor,
        text: &str,
    ) -> Result<Option<Membership>, Fault> {
        let link = self.link_of(text).await?;
        let all = self.store.memberships(&actor.user).await?;
        Ok(all
            .into_iter()
            .find(|membership| membership.org == link.org && link.org != actor.org))
    }

    /// Uses the link up and makes a credential of its own for the client that asked.
    pub async fn confirm_reconnect(
        &self,
        actor: &Actor,
        text: &str,
    ) -> Result<(Workspace, Fresh), Fault> {
        let asked = self.reconnect(actor, text).await?;
        let link = self.link_of(text).await?;
        let name = asked
            .client_name
            .map_or("Reconnected client".to_owned(), |client| {
                format!("Reconnected: {client}")
            });
        let fresh =
            self.fresh_workspace_token(actor, &asked.workspace.id, name, Origin::Reconnect, false);
        let mut tx = self.store.begin().await?;
        if !tx.use_link(&link.id, self.now()).await? {
            return Err(spent_link());
        }
        self.add(&mut tx, actor, &fresh.credential).await?;
        tx.commit().await?;
        self.changed().await;
        Ok((asked.workspace, fresh))
    }
}

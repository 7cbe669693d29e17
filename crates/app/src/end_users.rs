//! End users: the persons of a developer's own product, in whose name servers call; and members of
//! the organization, who sign in themselves and in whose name nobody else calls.

mod invitations;

pub use invitations::Invited;

use crate::App;
use crate::actor::{Actor, Admin};
use crate::connections::Connection;
use crate::wired;
use quaymaster_core::id::{EndUserId, UserId, WorkspaceId};
use quaymaster_core::{Code, Fault, ManagementName};
pub use quaymaster_store::end_user::{EndUser, EndUserChange};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a new end user shall be.
#[derive(Debug, Clone, Default)]
pub struct NewEndUser {
    pub external_id: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub metadata: Map<String, Value>,
}

/// An end user with how many accounts they have connected.
#[derive(Debug, Clone)]
pub struct EndUserRow {
    pub end_user: EndUser,
    pub connections: i64,
}

const MOST_METADATA: usize = 16 * 1024;

fn unknown() -> Fault {
    Fault::not_found("There is no such end user.")
        .called(ManagementName::EndUserNotFound)
        .hint("GET /api/v1/end-users lists them.")
}

pub(crate) fn checked_text(
    field: &str,
    text: &str,
    most: usize,
    what: &str,
) -> Result<String, Fault> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(Fault::invalid_arg(
            field,
            "length",
            format!("{what} has 1 to {most} characters."),
        ));
    }
    Ok(text.to_owned())
}

pub(crate) fn checked_email(email: &str) -> Result<String, Fault> {
    let plain = !email.chars().any(|c| c.is_control() || c.is_whitespace());
    let (name, host) = email.rsplit_once('@').unwrap_or_default();
    if plain && !name.is_empty() && host.contains('.') && email.len() <= 254 {
        return Ok(email.to_owned());
    }
    Err(Fault::invalid_arg(
        "/email",
        "format",
        "That is no address of mail.",
    ))
}

fn checked_metadata(metadata: &Map<String, Value>) -> Result<(), Fault> {
    let length = serde_json::to_string(metadata).map_or(usize::MAX, |text| text.len());
    if length <= MOST_METADATA {
        return Ok(());
    }
    Err(Fault::invalid_arg(
        "/metadata",
        "maxLength",
        "The metadata of an end user has at most 16 KiB of JSON.",
    ))
}

impl App {
    /// A page of those of a workspace with the words in their external id, name or address, or of all,
    /// oldest first; and how many there are in all pages.
    pub async fn end_users(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<EndUserRow>, i64), Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let (store, org) = (&self.store, &actor.org);
        let total = store.count_end_users(org, workspace, words).await?;
        let page = store
            .end_users(org, workspace, words, limit, offset)
            .await?;
        let ids = page.iter().map(|one| one.id.clone()).collect();
        let mut counted = store.end_user_connections(org, &ids).await?;
        let rows = page.into_iter().map(|end_user| EndUserRow {
            connections: counted.remove(&end_user.id).unwrap_or(0),
            end_user,
        });
        Ok((rows.collect(), total))
    }

    /// The developer's own ids of end users.
    pub async fn external_ids(
        &self,
        actor: &Actor,
        ids: impl IntoIterator<Item = EndUserId>,
    ) -> Result<BTreeMap<EndUserId, String>, Fault> {
        let ids = ids.into_iter().collect();
        let known = self.store.external_ids(&actor.org, &ids).await?;
        Ok(known.into_iter().collect())
    }

    pub async fn end_user(&self, actor: &Actor, id: &EndUserId) -> Result<EndUser, Fault> {
        let found = self.store.end_user(&actor.org, id).await?;
        found
            .filter(|end_user| actor.reaches(Some(&end_user.workspace)))
            .ok_or_else(unknown)
    }

    /// An end user of a workspace by our id or the developer's.
    pub async fn end_user_named(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        named: &str,
    ) -> Result<EndUser, Fault> {
        if let Ok(id) = named.parse::<EndUserId>() {
            let found = self.store.end_user(&actor.org, &id).await?;
            if let Some(found) = found.filter(|found| found.workspace == *workspace) {
                return Ok(found);
            }
        }
        let found = self
            .store
            .end_user_by_external_id(&actor.org, workspace, named)
            .await?;
        found.ok_or_else(unknown)
    }

    pub async fn end_user_accounts(
        &self,
        actor: &Actor,
        id: &EndUserId,
    ) -> Result<Vec<Connection>, Fault> {
        Ok(self.store.connections(&actor.org, Some(id)).await?)
    }

    pub async fn create_end_user(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        new: NewEndUser,
    ) -> Result<EndUser, Fault> {
        self.believed_workspace(&admin.org, workspace).await?;
        checked_metadata(&new.metadata)?;
        let external_id = checked_text("/external_id", &new.external_id, 255, "An external id")?;
        let user = self.member_named(admin, &external_id).await?;
        let now = self.now();
        let end_user = EndUser {
            id: EndUserId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: workspace.clone(),
            external_id,
            display_name: new
                .display_name
                .map(|name| checked_text("/display_name", &name, 120, "A display name"))
                .transpose()?,
            email: new.email.as_deref().map(checked_email).transpose()?,
            metadata: new.metadata,
            user,
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.store.begin().await?;
        tx.add_end_user(&end_user).await.map_err(|error| {
            wired::duplicate_or(error, || {
                let message = format!(
                    "The workspace has an end user {:?} already.",
                    end_user.external_id
                );
                Fault::new(Code::AlreadyExists, message)
            })
        })?;
        self.record_end_user(&mut tx, admin, &end_user).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(end_user)
    }

    /// The member whose id an external id is: who has one like that must be a member.
    async fn member_named(
        &self,
        admin: &Admin,
        external_id: &str,
    ) -> Result<Option<UserId>, Fault> {
        let Ok(user) = external_id.parse::<UserId>() else {
            return Ok(None);
        };
        match self.store.member(&admin.org, &user).await? {
            Some(member) => Ok(Some(member.user)),
            None => Err(Fault::invalid_arg(
                "/external_id",
                "const",
                "That is the id of a user, and nobody in the organization has it.",
            )
            .hint("GET /api/v1/members lists the members; your own ids look otherwise.")),
        }
    }

    /// Refuses to act for a member who is somebody else: their accounts are theirs.
    pub(crate) async fn may_act_for(&self, actor: &Actor, id: &EndUserId) -> Result<(), Fault> {
        let end_user = self.end_user(actor, id).await?;
        if end_user.user.is_none_or(|user| user == actor.user) {
            return Ok(());
        }
        Err(Fault::new(
            Code::Forbidden,
            "This end user is a member of the organization, and nobody else uses their accounts.",
        )
        .hint("They sign a client in to a hosted server themselves, by OAuth."))
    }

    pub async fn update_end_user(
        &self,
        admin: &Admin,
        id: &EndUserId,
        mut change: EndUserChange,
    ) -> Result<EndUser, Fault> {
        let end_user = self.end_user(admin, id).await?;
        if let Some(name) = &change.display_name {
            change.display_name = Some(checked_text("/display_name", name, 120, "A display name")?);
        }
        if let Some(email) = &change.email {
            change.email = Some(checked_email(email)?);
        }
        if let Some(metadata) = &change.metadata {
            checked_metadata(metadata)?;
        }
        let details = json!({ "end_user": id });
        let mut event = self.event(&admin.org, &admin.label, "end_user.updated", details);
        event.workspace = Some(end_user.workspace);
        let mut tx = self.store.begin().await?;
        if !tx
            .update_end_user(&admin.org, id, &change, self.now())
            .await?
        {
            return Err(unknown());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.end_user(admin, id).await
    }

    /// With everything that is the person's: accounts, links, tokens, and servers made for them. How
    /// many accounts went.
    pub async fn delete_end_user(&self, admin: &Admin, id: &EndUserId) -> Result<usize, Fault> {
        let end_user = self.end_user(admin, id).await?;
        let accounts = self.store.connections(&admin.org, Some(id)).await?.len();
        let servers = self
            .store
            .servers(&admin.org, Some(&end_user.workspace))
            .await?;
        for server in servers
            .iter()
            .filter(|server| server.end_user.as_ref() == Some(id))
        {
            self.delete_server(admin, &server.id).await?;
        }
        let tokens = self.store.end_user_tokens(&admin.org, id).await?;
        let mut tx = self.store.begin().await?;
        for token in &tokens {
            self.revoke_within(&mut tx, admin, token).await?;
        }
        if !tx.delete_end_user(&admin.org, id).await? {
            return Err(unknown());
        }
        let details = json!({ "end_user": id, "external_id": end_user.external_id });
        let mut event = self.event(&admin.org, &admin.label, "end_user.deleted", details);
        event.workspace = Some(end_user.workspace);
        tx.record(&event).await?;
        tx.commit().await?;
        self.callers.forget_accounts(&admin.org);
        self.changed().await;
        Ok(accounts)
    }
}

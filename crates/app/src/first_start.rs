//! The first start on an empty database: an organization, its owner, a first workspace.

use crate::credentials::Fresh;
use crate::{Actor, App};
use quaymaster_core::caller::Reach;
use quaymaster_core::id::{OrgId, UserId};
use quaymaster_core::{Fault, Scopes};
use quaymaster_store::org::Organization;
use quaymaster_store::user::Role;
use quaymaster_store::workspace::Workspace;
use secrecy::SecretString;
use serde_json::json;

/// What the first start made. Both secrets are shown once.
pub struct FirstStart {
    pub workspace: Workspace,
    pub token: Fresh,
    pub sign_in_link: SecretString,
}

impl App {
    /// Makes the first organization when there is none. `None` on every later start.
    pub async fn first_start(&self) -> Result<Option<FirstStart>, Fault> {
        if !self.store.organizations().await?.is_empty() {
            return Ok(None);
        }
        let now = self.now();
        let org = Organization {
            id: OrgId::fresh(&*self.clock, &*self.entropy),
            name: "My organization".into(),
            created_at: now,
        };
        let user = UserId::fresh(&*self.clock, &*self.entropy);
        let event = self.event(&org.id, "command line", "organization.created", json!({}));
        let mut tx = self.store.begin().await?;
        if !tx.claim_first_start().await? {
            // Another process was faster by a moment.
            return Ok(None);
        }
        tx.add_organization(&org).await?;
        tx.add_user(&user, "Owner", now).await?;
        tx.add_member(&org.id, &user, Role::Owner, now).await?;
        tx.record(&event).await?;
        // All in one transaction: a start that is cut off here starts anew.
        let owner = Actor {
            org: org.id.clone(),
            user: user.clone(),
            role: Role::Owner,
            scopes: Scopes::all(),
            reach: Reach::Organization,
            label: "command line".into(),
        };
        let (workspace, token) = self.add_workspace(&mut tx, &owner, "main", None).await?;
        tx.commit().await?;
        self.changed().await;
        let sign_in_link = self.create_sign_in_link(&org.id, &user).await?;
        Ok(Some(FirstStart {
            workspace,
            token,
            sign_in_link,
        }))
    }

    /// Every organization, oldest first.
    pub async fn organizations_at_command_line(&self) -> Result<Vec<Organization>, Fault> {
        Ok(self.store.organizations().await?)
    }

    /// The organization that the operator means: the named one, or the only one.
    pub async fn organization_at_command_line(
        &self,
        named: Option<&str>,
    ) -> Result<Organization, Fault> {
        let mut all = self.store.organizations().await?;
        if let Some(named) = named {
            return all
                .into_iter()
                .find(|org| org.id.as_str() == named || org.name == named)
                .ok_or_else(|| Fault::not_found(format!("There is no organization {named:?}.")));
        }
        if all.len() == 1 {
            return Ok(all.remove(0));
        }
        let names: Vec<_> = all.iter().map(|org| org.name.as_str()).collect();
        Err(
            Fault::invalid_arg("/org", "required", "There are several organizations.")
                .hint(format!("Name one of: {}.", names.join(", "))),
        )
    }
}

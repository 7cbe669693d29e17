//! Organizations: their names, and the several ones of one person.

use crate::App;
use crate::actor::Admin;
use crate::credentials::checked_name;
use crate::sign_in::SignedIn;
use quaymaster_core::id::{OrgId, UserId};
use quaymaster_core::{Code, Fault};
use quaymaster_store::Tx;
pub use quaymaster_store::member::Membership;
use quaymaster_store::member::Role;
pub use quaymaster_store::org::Organization;
use secrecy::SecretString;
use serde_json::json;

/// The rule of names, told of the field `organization`.
pub(crate) fn checked_organization(name: &str) -> Result<String, Fault> {
    checked_name(name).map_err(|fault| Fault::invalid_arg("/organization", "length", fault.message))
}

impl App {
    pub async fn organization_name(&self, org: &OrgId) -> Result<String, Fault> {
        let found = self.store.organization(org).await?;
        Ok(found
            .ok_or_else(|| Fault::not_found("There is no such organization."))?
            .name)
    }

    pub async fn rename_organization(&self, admin: &Admin, name: &str) -> Result<(), Fault> {
        let name = checked_organization(name)?;
        let event = self.event(
            &admin.org,
            &admin.label,
            "organization.updated",
            json!({ "name": name }),
        );
        let mut tx = self.store.begin().await?;
        tx.rename_organization(&admin.org, &name).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The organizations of a person, the one that they used last first.
    pub async fn organizations_of(&self, person: &SignedIn) -> Result<Vec<Membership>, Fault> {
        Ok(self.store.memberships(&person.member.user).await?)
    }

    /// Lets the browser of a person show another of their organizations from now on.
    pub async fn switch_organization(&self, person: &SignedIn, org: &OrgId) -> Result<(), Fault> {
        let user = &person.member.user;
        let event = self.event(
            org,
            user.as_str(),
            "user.signed_in",
            json!({ "by": "switch" }),
        );
        let mut tx = self.store.begin().await?;
        tx.lock_user(user).await?;
        if tx.role_of(org, user).await?.is_none() {
            return Err(Fault::not_found(
                "You are not a member of such an organization.",
            ));
        }
        self.move_session(&mut tx, person, org).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Moves the session, and remembers the organization as the one used last.
    pub(crate) async fn move_session(
        &self,
        tx: &mut Tx,
        person: &SignedIn,
        org: &OrgId,
    ) -> Result<(), Fault> {
        if !tx.move_browser_session(&person.session.id, org).await? {
            return Err(Fault::new(Code::Unauthenticated, "You are signed out."));
        }
        let mut session = person.session.clone();
        session.org = org.clone();
        tx.touch_browser_session(&session, self.now()).await?;
        Ok(())
    }

    /// Makes an organization with an owner: somebody who has this address already, or somebody new
    /// who says who they are after the first sign-in. For the operator. With the owner's sign-in
    /// link.
    pub async fn create_organization(
        &self,
        name: &str,
        owner: Option<&str>,
    ) -> Result<(Organization, SecretString), Fault> {
        let name = checked_name(name)?;
        let now = self.now();
        let known = match owner {
            None => None,
            Some(email) => Some(self.store.user_by_email(email.trim()).await?.ok_or_else(
                || {
                    Fault::not_found(format!("Nobody signs in with the address {email:?}."))
                        .hint("Leave the owner out: the link asks whoever opens it who they are.")
                },
            )?),
        };
        if self
            .store
            .organizations()
            .await?
            .iter()
            .any(|org| org.name == name)
        {
            return Err(Fault::new(
                Code::AlreadyExists,
                format!("There is an organization {name:?} already."),
            ));
        }
        let org = Organization {
            id: OrgId::fresh(&*self.clock, &*self.entropy),
            name,
            created_at: now,
        };
        let event = self.event(
            &org.id,
            "command line",
            "organization.created",
            json!({ "name": org.name }),
        );
        let mut tx = self.store.begin().await?;
        tx.add_organization(&org).await?;
        let user = match known {
            Some(known) => known.id,
            None => {
                let user = UserId::fresh(&*self.clock, &*self.entropy);
                tx.add_user(&user, "Owner", now).await?;
                user
            }
        };
        tx.add_member(&org.id, &user, Role::Owner, now).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        let link = self.create_sign_in_link(&org.id, &user).await?;
        Ok((org, link))
    }
}

//! The members of an organization: listed, given another role, removed; leaving.
//!
//! Every rule is checked in the transaction of the change, behind the lock of the organization:
//! roles may have changed since the request began, and two changes at once, each right for itself,
//! could leave an organization without an owner.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::sign_in::SignedIn;
use quaymaster_core::id::{OrgId, UserId};
use quaymaster_core::{Code, Fault};
use quaymaster_store::Tx;
pub use quaymaster_store::member::{Member, Role};
use serde_json::json;
use std::collections::HashMap;

/// Where the browser that left an organization is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AfterLeaving {
    /// It shows an organization that is left.
    SignedIn,
    SignedOut,
}

impl App {
    /// A page of the members with the words in their name or address, or of all, and how many there are
    /// in all pages. Owners first, then by time of joining.
    pub async fn members(
        &self,
        actor: &Actor,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Member>, i64), Fault> {
        let total = self.store.count_members(&actor.org, words).await?;
        let page = self.store.members(&actor.org, words, limit, offset);
        Ok((page.await?, total))
    }

    /// The member who signs in with an address.
    pub async fn member_by_email(
        &self,
        actor: &Actor,
        email: &str,
    ) -> Result<Option<Member>, Fault> {
        let email = email.trim().to_lowercase();
        Ok(self.store.member_by_email(&actor.org, &email).await?)
    }

    pub async fn member(&self, actor: &Actor, user: &UserId) -> Result<Member, Fault> {
        let found = self.store.member(&actor.org, user).await?;
        found.ok_or_else(no_such_member)
    }

    /// Whether nobody else could take over as the owner.
    pub async fn has_one_owner(&self, actor: &Actor) -> Result<bool, Fault> {
        let first = self.store.members(&actor.org, "", 2, 0).await?;
        let owners = first.iter().filter(|one| one.role == Role::Owner);
        Ok(owners.count() < 2)
    }

    /// Names of the members among some people.
    pub async fn member_names(
        &self,
        org: &OrgId,
        ids: impl IntoIterator<Item = UserId>,
    ) -> Result<HashMap<UserId, String>, Fault> {
        let ids = ids.into_iter().collect();
        let known = self.store.member_names(org, &ids).await?;
        Ok(known.into_iter().collect())
    }

    /// Gives a member another role.
    pub async fn change_role(
        &self,
        admin: &Admin,
        user: &UserId,
        role: Role,
    ) -> Result<Member, Fault> {
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        let was = self.standing(&mut tx, admin, user, Some(role)).await?;
        if was != role {
            needs_an_owner(&mut tx, &admin.org, was).await?;
            tx.set_role(&admin.org, user, role).await?;
            if !role.may_give(was) {
                // They gave out no more than they may give, and from now on they may give less.
                tx.revoke_invitations_by(&admin.org, user, Some(role), self.now())
                    .await?;
            }
            let event = self.event(
                &admin.org,
                &admin.label,
                "member.updated",
                json!({ "user": user, "role": role.name(), "was": was.name() }),
            );
            tx.record(&event).await?;
        }
        tx.commit().await?;
        self.changed().await;
        let changed = self.store.member(&admin.org, user).await?;
        changed.ok_or_else(no_such_member)
    }

    /// Takes a member out of the organization. Their API keys, the workspace tokens that they made
    /// and their browsers' sessions of this organization end at once. How many credentials did.
    pub async fn remove_member(&self, admin: &Admin, user: &UserId) -> Result<usize, Fault> {
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        let was = self.standing(&mut tx, admin, user, None).await?;
        needs_an_owner(&mut tx, &admin.org, was).await?;
        let ended = self
            .take_out(&mut tx, &admin.org, user, &admin.label, "member.removed")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(ended)
    }

    /// Leaves an organization, by API. What [`App::remove_member`] ends ends, too.
    pub async fn leave(&self, actor: &Actor) -> Result<usize, Fault> {
        let mut tx = self.store.begin().await?;
        let ended = self
            .leave_within(&mut tx, &actor.org, &actor.user, &actor.label)
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(ended)
    }

    /// Leaves an organization, in a browser. If the browser shows that one, it goes on with
    /// another of the person's organizations, when there is one.
    pub async fn leave_in_browser(
        &self,
        person: &SignedIn,
        org: &OrgId,
    ) -> Result<AfterLeaving, Fault> {
        let user = &person.member.user;
        let used_last_first = self.store.memberships(user).await?;
        let mut tx = self.store.begin().await?;
        let mut after = AfterLeaving::SignedIn;
        tx.lock_organization(org).await?;
        tx.lock_user(user).await?;
        if person.session.org == *org {
            // As it is behind the lock: they may have been taken out of another one since.
            let left = tx.organizations_of(user).await?;
            let next = used_last_first
                .iter()
                .map(|one| &one.org)
                .find(|one| *one != org && left.contains(one));
            match next {
                Some(next) => self.move_session(&mut tx, person, next).await?,
                None => after = AfterLeaving::SignedOut,
            }
        }
        self.leave_within(&mut tx, org, user, user.as_str()).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(after)
    }

    async fn leave_within(
        &self,
        tx: &mut Tx,
        org: &OrgId,
        user: &UserId,
        label: &str,
    ) -> Result<usize, Fault> {
        tx.lock_organization(org).await?;
        let was = tx.role_of(org, user).await?.ok_or_else(no_such_member)?;
        needs_an_owner(tx, org, was).await?;
        self.take_out(tx, org, user, label, "member.left").await
    }

    /// The role of a member, provided that the actor may change it, to `becomes` if it is a role.
    pub(crate) async fn standing(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        user: &UserId,
        becomes: Option<Role>,
    ) -> Result<Role, Fault> {
        let mine = role_in(tx, actor).await?;
        let theirs = tx.role_of(&actor.org, user).await?;
        let theirs = theirs.ok_or_else(no_such_member)?;
        if mine.may_give(theirs) && becomes.is_none_or(|role| mine.may_give(role)) {
            return Ok(theirs);
        }
        Err(Fault::new(
            Code::Forbidden,
            "Only an owner changes owners, and makes somebody one.",
        )
        .hint("Ask an owner of the organization."))
    }

    async fn take_out(
        &self,
        tx: &mut Tx,
        org: &OrgId,
        user: &UserId,
        label: &str,
        action: &str,
    ) -> Result<usize, Fault> {
        let now = self.now();
        tx.lock_user(user).await?;
        let ended = self.revoke_all_of(tx, org, user, label).await?;
        tx.revoke_invitations_by(org, user, None, now).await?;
        tx.end_browser_sessions_in(org, user).await?;
        tx.remove_member(org, user).await?;
        let event = self.event(
            org,
            label,
            action,
            json!({ "user": user, "credentials": ended }),
        );
        tx.record(&event).await?;
        Ok(ended)
    }

    /// Revokes the credentials of a user in an organization. Each gets its event, by which every
    /// node forgets what it believes of it and ends its streams.
    pub(crate) async fn revoke_all_of(
        &self,
        tx: &mut Tx,
        org: &OrgId,
        user: &UserId,
        label: &str,
    ) -> Result<usize, Fault> {
        let revoked = tx.revoke_credentials_of(org, user, self.now()).await?;
        for (credential, name) in &revoked {
            let details = json!({ "name": name });
            let mut event = self.event(org, label, "credential.revoked", details);
            event.credential = Some(credential.clone());
            tx.record(&event).await?;
        }
        Ok(revoked.len())
    }
}

/// The actor's role as it is now, which must administer the organization.
pub(crate) async fn role_in(tx: &mut Tx, actor: &Actor) -> Result<Role, Fault> {
    let role = tx.role_of(&actor.org, &actor.user).await?;
    role.filter(|role| role.administers()).ok_or_else(|| {
        Fault::new(
            Code::Forbidden,
            "You no longer administer this organization.",
        )
    })
}

async fn needs_an_owner(tx: &mut Tx, org: &OrgId, was: Role) -> Result<(), Fault> {
    if was == Role::Owner && tx.owners(org).await? <= 1 {
        return Err(Fault::new(
            Code::Forbidden,
            "An organization has at least one owner, and this is the last one.",
        )
        .hint("Make somebody else an owner first."));
    }
    Ok(())
}

pub(crate) fn no_such_member() -> Fault {
    Fault::not_found("The organization has no such member.")
}

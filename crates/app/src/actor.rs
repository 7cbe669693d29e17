//! Who does something through the management API, the pages or the command line.

use crate::App;
use quaymaster_core::caller::Reach;
use quaymaster_core::id::{OrgId, UserId, WorkspaceId};
use quaymaster_core::{Caller, Code, Fault, ManagementName, Scope, Scopes};
use quaymaster_store::user::Role;

/// A member of an organization who does something in it.
#[derive(Debug, Clone)]
pub struct Actor {
    pub org: OrgId,
    pub user: UserId,
    pub role: Role,
    /// What the actor may pass on to a new API key.
    pub scopes: Scopes,
    /// What is of a workspace that is not in here is as if it were not there.
    pub reach: Reach,
    /// What events say of who it was: an id, or `command line`.
    pub label: String,
}

/// An [`Actor`] who administers the organization. Use cases that need one take this type.
#[derive(Debug, Clone)]
pub struct Admin(Actor);

impl std::ops::Deref for Admin {
    type Target = Actor;
    fn deref(&self) -> &Actor {
        &self.0
    }
}

impl Actor {
    pub fn admin(self) -> Result<Admin, Fault> {
        if self.role.administers() && self.scopes.has(Scope::Admin) {
            return Ok(Admin(self));
        }
        Err(Fault::new(
            Code::Forbidden,
            "Only an administrator of the organization may do this.",
        )
        .hint("Ask an owner or administrator."))
    }

    /// Refuses a service inside the network to whoever manages single workspaces.
    pub(crate) fn may_reach_inside(&self, is_local: bool) -> Result<(), Fault> {
        if !is_local || self.reach.is_whole() {
            return Ok(());
        }
        let message = "A key of single workspaces connects no service inside the network.";
        Err(Fault::new(Code::Forbidden, message)
            .called(ManagementName::AuthScopeDenied)
            .hint("Connect it with a key of the organization."))
    }

    fn of_role(org: OrgId, user: UserId, role: Role, label: String) -> Self {
        let scopes = if role.administers() {
            Scopes::all()
        } else {
            Scopes::all()
                .iter()
                .filter(|scope| *scope != Scope::Admin)
                .collect()
        };
        Actor {
            org,
            user,
            role,
            scopes,
            reach: Reach::Organization,
            label,
        }
    }

    /// Whether something of a workspace, or of the whole organization, is there for the actor.
    pub(crate) fn reaches(&self, workspace: Option<&WorkspaceId>) -> bool {
        match workspace {
            Some(workspace) => self.reach.has(workspace),
            None => self.reach.is_whole(),
        }
    }

    /// Refuses to make what [`reaches`](Actor::reaches) would not find again.
    pub(crate) fn must_reach(&self, workspace: Option<&WorkspaceId>) -> Result<(), Fault> {
        if self.reaches(workspace) {
            return Ok(());
        }
        Err(Fault::new(
            Code::Forbidden,
            "This key makes accounts of its own workspaces only.",
        )
        .called(ManagementName::AuthScopeDenied)
        .hint("Name the workspace, with the scope WORKSPACE or USER."))
    }
}

impl App {
    /// The person behind a signed-in browser.
    pub async fn actor_of_user(&self, org: &OrgId, user: &UserId) -> Result<Actor, Fault> {
        let member = self.store.member(org, user).await?.ok_or_else(|| {
            Fault::new(
                Code::Forbidden,
                "You are no longer a member of this organization.",
            )
        })?;
        let label = member.user.to_string();
        Ok(Actor::of_role(member.org, member.user, member.role, label))
    }

    /// The person whom an API key acts as, for the management API.
    pub async fn actor_of_caller(&self, caller: &Caller) -> Result<Actor, Fault> {
        caller.needs(Scope::Admin)?;
        self.actor_behind(caller).await
    }

    /// The person whom an API key acts as, with no more than the key's scopes.
    pub async fn actor_behind(&self, caller: &Caller) -> Result<Actor, Fault> {
        let user = caller.user().ok_or_else(|| {
            Fault::new(
                Code::Forbidden,
                "A token without a person does not reach the management API.",
            )
            .hint("Use an API key.")
        })?;
        let mut actor = self.actor_of_user(&caller.org, user).await?;
        actor.scopes = actor
            .scopes
            .iter()
            .filter(|scope| caller.scopes.has(*scope))
            .collect();
        actor.reach = caller.reach.clone();
        actor.label = caller.credential.to_string();
        Ok(actor)
    }

    /// The owner of an organization, for the operator at the command line.
    pub async fn actor_at_command_line(&self, org: &OrgId) -> Result<Admin, Fault> {
        let owner = self
            .store
            .members(org, "", 1, 0)
            .await?
            .into_iter()
            .find(|first| first.role == Role::Owner)
            .ok_or_else(|| Fault::not_found("The organization has no owner."))?;
        Actor::of_role(owner.org, owner.user, owner.role, "command line".into()).admin()
    }
}

//! What was called and what was changed: looked for, and taken out as a file.
//!
//! Members see calls of the organization's workspaces; calls that counted to none, and changes, are for
//! administrators.

mod export;

pub use export::{EXPORT_ROWS, Format};

use crate::App;
use crate::actor::{Actor, Admin};
use crate::trying::{credential_of_person, person_of_credential};
use quaymaster_core::Fault;
use quaymaster_core::caller::anonymous_id;
use quaymaster_core::id::{CredentialId, OrgId, UserId, WorkspaceId};
pub use quaymaster_store::call::{CallFilter, CallRow, Ended};
use quaymaster_store::call_counts::{HourFilter, Part, hour_of};
pub use quaymaster_store::event::{Event, EventFilter};
pub use quaymaster_store::position::Position;
use std::collections::{BTreeMap, BTreeSet};

/// Rows of one page.
const MOST: i64 = 500;
/// How far back choices of a filter look, and how many of a kind there are.
const CHOICE_DAYS: i64 = 30;
const CHOICES: i64 = 100;

/// What calls can be told apart by.
#[derive(Debug, Clone, Default)]
pub struct CallChoices {
    pub tools: Vec<String>,
    /// By name.
    pub credentials: Vec<(CredentialId, String)>,
    /// Whose credentials those are, by name.
    pub people: Vec<(UserId, String)>,
    /// As `service:account`.
    pub accounts: Vec<String>,
}

/// What changes can be told apart by.
#[derive(Debug, Clone, Default)]
pub struct EventChoices {
    pub nouns: BTreeSet<String>,
    /// By name.
    pub people: Vec<(UserId, String)>,
}

impl App {
    /// Calls that fit, newest first; at most 500.
    pub async fn calls(
        &self,
        actor: &Actor,
        filter: &CallFilter,
        limit: i64,
    ) -> Result<Vec<CallRow>, Fault> {
        // A person looks for the call made a moment ago.
        self.flush_audit().await;
        let filter = seen_by(actor, filter.clone());
        let limit = limit.clamp(1, MOST);
        Ok(self.store.calls(&actor.org, &filter, limit).await?)
    }

    /// The newest calls of a workspace, newest first.
    pub async fn recent_calls(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        limit: i64,
    ) -> Result<Vec<CallRow>, Fault> {
        let filter = CallFilter {
            workspace: Some(workspace.clone()),
            ..CallFilter::default()
        };
        self.calls(actor, &filter, limit).await
    }

    /// Changes that fit, newest first; at most 500.
    pub async fn events(
        &self,
        admin: &Admin,
        filter: &EventFilter,
        limit: i64,
    ) -> Result<Vec<Event>, Fault> {
        let limit = limit.clamp(1, MOST);
        Ok(self.store.events(&admin.org, filter, limit).await?)
    }

    /// What the organization's newest changes are about, and who made them.
    pub async fn event_choices(&self, admin: &Admin) -> Result<EventChoices, Fault> {
        let (nouns, actors) = self.store.event_choices(&admin.org).await?;
        let people = actors.iter().filter_map(|actor| actor.parse().ok());
        let people = self.by_name(&admin.org, &people.collect()).await?;
        Ok(EventChoices { nouns, people })
    }

    /// Those of some people who are members, by name.
    async fn by_name(
        &self,
        org: &OrgId,
        people: &BTreeSet<UserId>,
    ) -> Result<Vec<(UserId, String)>, Fault> {
        let mut people = self.store.member_names(org, people).await?;
        people.sort_by_key(|(_, name)| name.to_lowercase());
        Ok(people)
    }

    /// What was called in the last thirty days, most called first, but for the credentials: those by name.
    pub async fn call_choices(&self, actor: &Actor) -> Result<CallChoices, Fault> {
        self.flush_audit().await;
        let to_hour = hour_of(self.now().next_utc_day());
        let filter = HourFilter {
            workspace: None,
            is_of_workspaces: !actor.role.administers(),
            from_hour: to_hour - CHOICE_DAYS * 24,
            to_hour,
            by_days: true,
        };
        let called = |part| self.store.called(&actor.org, &filter, part, CHOICES);
        let mut tools = called(Part::Tool).await?;
        tools.sort();
        let ids = called(Part::Credential).await?;
        let ids: BTreeSet<CredentialId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let names = self.credential_names(&actor.org, ids.clone()).await?;
        let named = ids.iter().map(|id| (id.clone(), name_or_id(&names, id)));
        let mut credentials: Vec<_> = named.collect();
        credentials.sort_by_key(|(_, name)| name.to_lowercase());
        let mut people = self.store.credential_owners(&actor.org, &ids).await?;
        people.extend(ids.iter().filter_map(person_of_credential));
        let sets = called(Part::Accounts).await?;
        let accounts: BTreeSet<_> = sets.iter().flat_map(|set| set.split(',')).collect();
        Ok(CallChoices {
            tools,
            credentials,
            people: self.by_name(&actor.org, &people).await?,
            accounts: accounts.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Names of credentials, revoked ones too, of persons who called from a page, and of callers without
    /// a credential.
    pub async fn credential_names(
        &self,
        org: &OrgId,
        ids: impl IntoIterator<Item = CredentialId>,
    ) -> Result<BTreeMap<CredentialId, String>, Fault> {
        let ids: BTreeSet<_> = ids.into_iter().collect();
        let known = self.store.credential_names(org, &ids).await?;
        let mut names: BTreeMap<_, _> = known.into_iter().collect();
        let unknown = ids.iter().filter(|id| !names.contains_key(id));
        let people: BTreeSet<_> = unknown.filter_map(person_of_credential).collect();
        if people.is_empty() {
            return Ok(names);
        }
        for (user, name) in self.store.member_names(org, &people).await? {
            names.insert(credential_of_person(&user)?, name);
        }
        if names.len() < ids.len() {
            for workspace in self.store.workspaces(org).await? {
                let id = anonymous_id(&workspace.id, None);
                if ids.contains(&id) {
                    names.insert(id, "Anonymous".to_owned());
                }
            }
        }
        Ok(names)
    }

    /// Names of the organization's workspaces by id.
    async fn workspace_names(&self, org: &OrgId) -> Result<BTreeMap<String, String>, Fault> {
        let all = self.store.workspaces(org).await?;
        Ok(all
            .into_iter()
            .map(|one| (one.id.to_string(), one.name))
            .collect())
    }
}

/// The filter with no more than the actor sees.
fn seen_by(actor: &Actor, filter: CallFilter) -> CallFilter {
    CallFilter {
        is_of_workspaces: filter.is_of_workspaces || !actor.role.administers(),
        ..filter
    }
}

/// What something is called; its id when nobody knows any more.
pub fn name_or_id<I: Ord + ToString>(names: &BTreeMap<I, String>, id: &I) -> String {
    names.get(id).cloned().unwrap_or_else(|| id.to_string())
}

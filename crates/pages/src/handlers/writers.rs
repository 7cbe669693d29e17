//! Who wrote something, as people call them.

use std::collections::{BTreeMap, HashMap};

use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use quaymaster_core::id::{CredentialId, UserId};

/// Names of the members and of the credentials among some ids.
pub(super) struct Writers {
    you: UserId,
    people: HashMap<UserId, String>,
    credentials: BTreeMap<CredentialId, String>,
}

impl Writers {
    pub(super) async fn of(app: &App, actor: &Actor, ids: &[&str]) -> Result<Self, Fault> {
        let people: Vec<_> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let credentials: Vec<_> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        Ok(Writers {
            you: actor.user.clone(),
            people: app.member_names(&actor.org, people).await?,
            credentials: app.credential_names(&actor.org, credentials).await?,
        })
    }

    /// Those who are gone are told by their ids.
    pub(super) fn name(&self, id: &str) -> String {
        let person = id.parse().ok().and_then(|user: UserId| {
            let is_you = user == self.you;
            is_you
                .then(|| "You".to_owned())
                .or_else(|| self.people.get(&user).cloned())
        });
        let credential = || {
            let credential = id.parse().ok()?;
            self.credentials.get(&credential).cloned()
        };
        person.or_else(credential).unwrap_or_else(|| id.to_owned())
    }
}

/// A member among some, whose names are known.
pub(super) fn name_of(people: &HashMap<UserId, String>, user: &UserId) -> String {
    people
        .get(user)
        .cloned()
        .unwrap_or_else(|| "a former member".to_owned())
}

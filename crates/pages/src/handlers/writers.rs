//! Who did something, as people call them.

use std::collections::{BTreeMap, HashMap};

use quaymaster_app::activity::name_or_id;
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

    /// What is no id of a person or credential is told as it is.
    pub(super) fn name(&self, id: &str) -> String {
        match (id.parse::<UserId>(), id.parse::<CredentialId>()) {
            (Ok(user), _) if user == self.you => "You".to_owned(),
            (Ok(user), _) => self.person(&user),
            (_, Ok(credential)) => self.credential(&credential),
            _ => id.to_owned(),
        }
    }

    pub(super) fn person(&self, user: &UserId) -> String {
        name_of(&self.people, user)
    }

    pub(super) fn credential(&self, id: &CredentialId) -> String {
        name_or_id(&self.credentials, id)
    }
}

/// A member among some, whose names are known.
pub(super) fn name_of(people: &HashMap<UserId, String>, user: &UserId) -> String {
    people
        .get(user)
        .cloned()
        .unwrap_or_else(|| "a former member".to_owned())
}

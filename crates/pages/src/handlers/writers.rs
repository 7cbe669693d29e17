//! Who wrote something, as people call them.

use std::collections::HashMap;

use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;

/// Names of members and of API keys by their ids.
pub(super) struct Writers(HashMap<String, String>);

impl Writers {
    pub(super) async fn of(app: &App, actor: &Actor) -> Result<Self, Fault> {
        let mut names = HashMap::new();
        for member in app.members(actor).await? {
            let name = if member.user == actor.user {
                "You".to_owned()
            } else {
                member.name
            };
            names.insert(member.user.to_string(), name);
        }
        for key in app.api_keys(actor).await? {
            names.insert(key.id.to_string(), format!("API key {}", key.name));
        }
        Ok(Writers(names))
    }

    /// Those who are gone, and keys of others, are told by their ids.
    pub(super) fn name(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }
}

//! Partials: saved inputs of actions. Enforced ones are locked and hidden from agents.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::catalog::Usable;
use crate::end_users::checked_text;
use crate::hosted::layer;
use crate::integrations::{connector_key, unknown_integration};
use crate::server_tools::checked_action;
use crate::wired;
use quaymaster_connectors::definition::Kind;
use quaymaster_connectors::params::input_schema;
use quaymaster_connectors::request::Prepared;
use quaymaster_connectors::surface::Preset;
use quaymaster_core::id::{IntegrationId, PartialId, WorkspaceId};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault, ManagementName};
use quaymaster_store::Tx;
use quaymaster_store::integration::Integration;
pub use quaymaster_store::partial::Partial;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What a new partial shall be.
#[derive(Debug, Clone, Default)]
pub struct NewPartial {
    pub connector: String,
    /// Only for this integration.
    pub integration: Option<IntegrationId>,
    /// Only for the integration with this alias.
    pub alias: Option<String>,
    /// Only for this action.
    pub action: Option<String>,
    pub name: String,
    pub description: Option<String>,
    pub values: Map<String, Value>,
    pub enforced: Vec<String>,
    pub is_default: bool,
}

/// What changes at a partial; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct PartialChange {
    pub name: Option<String>,
    pub description: Option<String>,
    pub values: Option<Map<String, Value>>,
    pub enforced: Option<Vec<String>>,
    pub is_default: Option<bool>,
}

const MOST_VALUES: usize = 64 * 1024;

fn unknown() -> Fault {
    Fault::not_found("There is no such partial.")
        .called(ManagementName::PartialNotFound)
        .hint("GET /api/v1/partials lists them.")
}

impl App {
    /// Those of a workspace, oldest first.
    pub async fn partials(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Partial>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        Ok(self.store.partials(&actor.org, workspace).await?)
    }

    /// Those that tools of an action can name, oldest first, at most so many.
    pub async fn partials_for(
        &self,
        actor: &Actor,
        integration: &Integration,
        action: &str,
        limit: i64,
    ) -> Result<Vec<Partial>, Fault> {
        self.believed_workspace(&actor.org, &integration.workspace)
            .await?;
        Ok(self.store.partials_for(integration, action, limit).await?)
    }

    /// Names of some partials; one that is gone has none.
    pub async fn partial_names(
        &self,
        actor: &Actor,
        ids: impl IntoIterator<Item = PartialId>,
    ) -> Result<BTreeMap<PartialId, String>, Fault> {
        let ids = ids.into_iter().collect();
        let known = self.store.partial_names(&actor.org, &ids).await?;
        Ok(known.into_iter().collect())
    }

    /// A page of those with the words in their name, description, action or connector, or of all: what is
    /// for the same integration stands together, oldest first. And how many there are in all pages.
    pub async fn partials_page(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Partial>, i64), Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let page = self
            .store
            .partials_page(&actor.org, workspace, words, limit, offset);
        Ok(page.await?)
    }

    pub async fn partial(&self, actor: &Actor, id: &PartialId) -> Result<Partial, Fault> {
        let found = self.store.partial(&actor.org, id).await?;
        found
            .filter(|partial| actor.reaches(Some(&partial.workspace)))
            .ok_or_else(unknown)
    }

    pub async fn create_partial(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        new: NewPartial,
    ) -> Result<Partial, Fault> {
        self.believed_workspace(&admin.org, workspace).await?;
        let connector = connector_key(&new.connector);
        let integration = match (&new.integration, &new.alias) {
            (None, None) => None,
            (id, alias) => {
                let all = self.store.integrations(&admin.org, workspace).await?;
                let found = all.into_iter().find(|one| {
                    one.connector == connector
                        && id.as_ref().is_none_or(|id| one.id == *id)
                        && alias.as_ref().is_none_or(|alias| one.alias == *alias)
                });
                Some(found.ok_or_else(unknown_integration)?.id)
            }
        };
        let now = self.now();
        let partial = Partial {
            id: PartialId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: workspace.clone(),
            connector,
            integration,
            action: new.action,
            name: checked_text("/name", &new.name, 80, "A name")?,
            description: new.description,
            values: new.values,
            enforced: new.enforced,
            is_default: new.is_default,
            created_at: now,
            updated_at: now,
        };
        self.check_partial(&partial).await?;
        let mut tx = self.store.begin().await?;
        tx.add_partial(&partial)
            .await
            .map_err(|error| wired::duplicate_or(error, || name_taken(&partial.name)))?;
        self.partial_changed(&mut tx, admin, &partial, "partial.created")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(partial)
    }

    pub async fn update_partial(
        &self,
        admin: &Admin,
        id: &PartialId,
        change: PartialChange,
    ) -> Result<Partial, Fault> {
        let mut partial = self.partial(admin, id).await?;
        if let Some(name) = &change.name {
            partial.name = checked_text("/name", name, 80, "A name")?;
        }
        if let Some(description) = change.description {
            partial.description = Some(description);
        }
        if let Some(values) = change.values {
            partial.values = values;
        }
        if let Some(enforced) = change.enforced {
            partial.enforced = enforced;
        }
        if let Some(is_default) = change.is_default {
            partial.is_default = is_default;
        }
        self.check_partial(&partial).await?;
        self.refuse_conflicts_on_tools(&partial).await?;
        partial.updated_at = self.now();
        let mut tx = self.store.begin().await?;
        let changed = tx
            .update_partial(&partial)
            .await
            .map_err(|error| wired::duplicate_or(error, || name_taken(&partial.name)))?;
        if !changed {
            return Err(unknown());
        }
        self.partial_changed(&mut tx, admin, &partial, "partial.updated")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(partial)
    }

    /// The other partials of each tool that names this one must agree with what it is now.
    async fn refuse_conflicts_on_tools(&self, partial: &Partial) -> Result<(), Fault> {
        let tools = self
            .store
            .server_tools_with(&partial.org, &partial.id)
            .await?;
        if tools.is_empty() {
            return Ok(());
        }
        let all = self
            .store
            .partials(&partial.org, &partial.workspace)
            .await?;
        for tool in &tools {
            let named = tool.partials.iter().flatten();
            let together: Vec<&Partial> = named
                .filter_map(|id| {
                    if *id == partial.id {
                        return Some(partial);
                    }
                    all.iter().find(|one| one.id == *id)
                })
                .collect();
            refuse_conflicts(&together)?;
        }
        Ok(())
    }

    /// One that tools name is not taken from them: what it locks would be open.
    pub async fn delete_partial(&self, admin: &Admin, id: &PartialId) -> Result<(), Fault> {
        let partial = self.partial(admin, id).await?;
        let users = self.store.server_tools_with(&admin.org, id).await?.len();
        if users > 0 {
            return Err(Fault::new(
                Code::AlreadyExists,
                format!("{users} tools of servers use this partial, and would lose what it locks."),
            )
            .hint("Give these tools other partialIds first.")
            .detail("tools", users));
        }
        let mut tx = self.store.begin().await?;
        if !tx.delete_partial(&admin.org, id).await? {
            return Err(unknown());
        }
        self.partial_changed(&mut tx, admin, &partial, "partial.deleted")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    async fn partial_changed(
        &self,
        tx: &mut Tx,
        admin: &Admin,
        partial: &Partial,
        action: &str,
    ) -> Result<(), Fault> {
        tx.touch_servers(&admin.org, &partial.workspace).await?;
        // The values may be what somebody wants to keep from others: events name the keys only.
        let keys: Vec<&String> = partial.values.keys().collect();
        let details = json!({
            "partial": partial.id,
            "name": partial.name,
            "connector": partial.connector,
            "keys": keys,
            "enforced": partial.enforced,
        });
        let mut event = self.event(&admin.org, &admin.label, action, details);
        event.workspace = Some(partial.workspace.clone());
        tx.record(&event).await?;
        Ok(())
    }

    /// The connector as the integrations have it for which the partial is.
    async fn with_tools_for(
        &self,
        partial: &Partial,
        usable: &Usable,
    ) -> Result<Arc<Prepared>, Fault> {
        let mut connections = BTreeSet::new();
        if usable.definition().kind == Kind::Mcp {
            let all = self
                .store
                .integrations(&partial.org, &partial.workspace)
                .await?;
            let ours = all.into_iter().filter(|one| {
                let only = partial.integration.as_ref();
                one.connector == partial.connector && only.is_none_or(|only| *only == one.id)
            });
            connections.extend(ours.filter_map(|one| one.connection));
        }
        self.over_connections(usable, &partial.org, &connections)
            .await
    }

    /// Its action and keys exist, what it enforces it has, and no other default enforces otherwise.
    async fn check_partial(&self, partial: &Partial) -> Result<(), Fault> {
        let usable = self.usable(&partial.org, &partial.connector).await?;
        let with_tools = self.with_tools_for(partial, &usable).await?;
        let definition = with_tools.definition();
        let length = serde_json::to_string(&partial.values).map_or(usize::MAX, |text| text.len());
        if length > MOST_VALUES {
            return Err(Fault::invalid_arg(
                "/values",
                "maxLength",
                "The values of a partial have at most 64 KiB of JSON.",
            ));
        }
        if let Some(key) = partial
            .enforced
            .iter()
            .find(|key| !partial.values.contains_key(*key))
        {
            return Err(Fault::invalid_arg(
                "/enforced_keys",
                "enum",
                format!("The key {key:?} is enforced and has no value."),
            )
            .hint("Give it a value in values."));
        }
        if let Some(action) = &partial.action {
            checked_action(definition, action)?;
            let (_, _, found) = definition.action(action).ok_or_else(Fault::internal)?;
            let schema = input_schema(definition, found);
            let known: BTreeSet<&str> = schema
                .get("properties")
                .and_then(Value::as_object)
                .map(|map| map.keys().map(String::as_str).collect())
                .unwrap_or_default();
            let stray = partial
                .values
                .keys()
                .find(|key| !known.contains(key.as_str()));
            if let Some(stray) = stray {
                let message = format!("{action} has no input {stray:?}.");
                let fault = Fault::invalid_arg(
                    &format!("/values/{stray}"),
                    "additionalProperties",
                    message,
                );
                return Err(fault.meant(&did_you_mean(stray, known.iter().copied(), 1)));
            }
        }
        if !partial.is_default {
            return Ok(());
        }
        let others = self
            .store
            .partials(&partial.org, &partial.workspace)
            .await?;
        let meets = |other: &&Partial| {
            let same = |a: Option<&str>, b: Option<&str>| a.is_none() || b.is_none() || a == b;
            other.is_default
                && other.id != partial.id
                && other.connector == partial.connector
                && same(other.action.as_deref(), partial.action.as_deref())
                && same(
                    other.integration.as_ref().map(IntegrationId::as_str),
                    partial.integration.as_ref().map(IntegrationId::as_str),
                )
        };
        for other in others.iter().filter(meets) {
            refuse_conflicts(&[other, partial])?;
        }
        Ok(())
    }
}

/// Partials that are laid over each other must not enforce one key with different values.
pub(crate) fn refuse_conflicts(partials: &[&Partial]) -> Result<(), Fault> {
    let preset = Preset {
        defaults: Map::new(),
        partials: partials.iter().map(|partial| layer(partial)).collect(),
    };
    let conflicts = preset.conflicts();
    if conflicts.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = partials.iter().map(|partial| &*partial.name).collect();
    Err(Fault::new(
        Code::AlreadyExists,
        format!(
            "The partials {} enforce {} with different values.",
            names.join(", "),
            conflicts.join(", ")
        ),
    )
    .hint("Let one of them enforce it.")
    .detail("keys", conflicts))
}

fn name_taken(name: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("A partial of that connector is called {name:?} already."),
    )
}

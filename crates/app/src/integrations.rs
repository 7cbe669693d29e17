//! Integrations: connectors switched on in a workspace, each under an alias of its own.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::catalog::Usable;
use crate::end_users::checked_text;
use crate::server_tools::checked_action;
use crate::wired;
use quaymaster_connectors::definition::{Auth, AuthKind, Definition};
use quaymaster_connectors::surface;
use quaymaster_core::id::{ConnectionId, IntegrationId, OrgId, WorkspaceId};
use quaymaster_core::{Code, Fault, ManagementName};
use quaymaster_store::Tx;
use quaymaster_store::connection::Connection;
pub use quaymaster_store::integration::{Integration, Strategy};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a new integration shall be.
#[derive(Debug, Clone, Default)]
pub struct NewIntegration {
    /// The connector's key.
    pub connector: String,
    /// The connector's key unless said otherwise.
    pub alias: Option<String>,
    pub strategy: Strategy,
    pub auth: Option<String>,
    /// An id, external id or name of a connection.
    pub connection: Option<String>,
    pub display_name: Option<String>,
    pub enabled_actions: Option<Vec<String>>,
    pub settings: Map<String, Value>,
    pub sort_order: Option<i64>,
}

/// What changes at an integration: what is absent stays; `Some(None)` takes away.
#[derive(Debug, Clone, Default)]
pub struct IntegrationChange {
    pub alias: Option<String>,
    pub strategy: Option<Strategy>,
    pub auth: Option<Option<String>>,
    pub connection: Option<Option<String>>,
    pub display_name: Option<Option<String>>,
    pub enabled_actions: Option<Option<Vec<String>>>,
    pub settings: Option<Map<String, Value>>,
    pub sort_order: Option<i64>,
}

const MOST_SETTINGS: usize = 16 * 1024;

pub(crate) fn unknown_integration() -> Fault {
    Fault::not_found("There is no such integration in the workspace.")
        .hint("GET /api/v1/workspaces/{id}/integrations lists them.")
}

/// Connectors are named with hyphens as well as with underscores.
pub fn connector_key(named: &str) -> String {
    named.trim().to_ascii_lowercase().replace('-', "_")
}

fn checked_alias(alias: &str) -> Result<(), Fault> {
    surface::check_alias(alias)?;
    // What follows the first `__` is the action, in every name of a tool.
    if alias.contains("__") || alias.ends_with('_') {
        return Err(Fault::invalid_arg(
            "/alias",
            "pattern",
            "An alias has no two underscores in a row and none at its end: they part it from the action in names of tools.",
        ));
    }
    Ok(())
}

/// Every action exists; the fault names the first that does not.
fn checked_actions(definition: &Definition, actions: &[String]) -> Result<(), Fault> {
    for (index, key) in actions.iter().enumerate() {
        checked_action(definition, key).map_err(|fault| Fault {
            hint: fault.hint,
            ..Fault::invalid_arg(&format!("/enabled_actions/{index}"), "enum", fault.message)
        })?;
    }
    Ok(())
}

pub(crate) fn checked_auth(definition: &Definition, auth: Option<&String>) -> Result<(), Fault> {
    let Some(auth) = auth else { return Ok(()) };
    if definition.auth.iter().any(|way| way.key == *auth) {
        return Ok(());
    }
    Err(no_such_way(definition))
}

pub(crate) fn no_such_way(definition: &Definition) -> Fault {
    let known: Vec<&str> = definition.auth.iter().map(|way| &*way.key).collect();
    Fault::invalid_arg(
        "/auth_method_key",
        "enum",
        format!("{} signs in by {}.", definition.title, known.join(" or ")),
    )
}

fn checked_settings(settings: &Map<String, Value>) -> Result<(), Fault> {
    let length = serde_json::to_string(settings).map_or(usize::MAX, |text| text.len());
    if length <= MOST_SETTINGS {
        return Ok(());
    }
    Err(Fault::invalid_arg(
        "/settings",
        "maxLength",
        "The settings have at most 16 KiB of JSON.",
    ))
}

impl App {
    /// Those of a workspace, in the order that people gave them.
    pub async fn integrations(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Integration>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        Ok(self.store.integrations(&actor.org, workspace).await?)
    }

    /// A page of those with the words in their alias, name or connector, or of all, in the same order; and
    /// how many there are in all pages.
    pub async fn integrations_page(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Integration>, i64), Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let page = self
            .store
            .integrations_page(&actor.org, workspace, words, limit, offset);
        Ok(page.await?)
    }

    /// What some integrations are called.
    pub async fn integration_aliases(
        &self,
        actor: &Actor,
        ids: impl IntoIterator<Item = IntegrationId>,
    ) -> Result<BTreeMap<IntegrationId, String>, Fault> {
        let ids = ids.into_iter().collect();
        let known = self.store.integration_aliases(&actor.org, &ids).await?;
        Ok(known.into_iter().collect())
    }

    pub async fn integration(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &IntegrationId,
    ) -> Result<Integration, Fault> {
        let found = self.store.integration(&actor.org, id).await?;
        let found = found.filter(|found| found.workspace == *workspace);
        found.ok_or_else(unknown_integration)
    }

    /// The integration that a person means by its id or alias.
    pub async fn integration_named(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        named: &str,
    ) -> Result<Integration, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        if let Ok(id) = named.parse() {
            return self.integration(actor, workspace, &id).await;
        }
        let called = self.store.integration_called(&actor.org, workspace, named);
        called.await?.ok_or_else(unknown_integration)
    }

    /// The first integration of a connector.
    pub async fn integration_of(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        connector: &str,
    ) -> Result<Option<Integration>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let first = self.store.integration_of(&actor.org, workspace, connector);
        Ok(first.await?)
    }

    /// The connector's key, or the first one with a number behind it that the workspace has not taken.
    pub async fn free_alias(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        connector: &str,
    ) -> Result<String, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let taken = self.store.aliases_like(&actor.org, workspace, connector);
        let taken = taken.await?;
        let numbered = (2..).map(|number| format!("{connector}_{number}"));
        let mut aliases = std::iter::once(connector.to_owned()).chain(numbered);
        let free = aliases.find(|alias| !taken.contains(alias));
        Ok(free.unwrap_or_default())
    }

    pub async fn create_integration(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        new: NewIntegration,
    ) -> Result<Integration, Fault> {
        self.believed_workspace(&admin.org, workspace).await?;
        let connector = connector_key(&new.connector);
        let usable = self.usable(&admin.org, &connector).await?;
        let definition = usable.definition();
        checked_auth(definition, new.auth.as_ref())?;
        checked_settings(&new.settings)?;
        let connection = match &new.connection {
            Some(named) => Some(
                self.fixed_connection(admin, workspace, &connector, named)
                    .await?,
            ),
            None if new.strategy == Strategy::Fixed && !opens(definition) => {
                return Err(Fault::invalid_arg(
                    "/connection_id",
                    "required",
                    "The strategy fixed needs the connection that all calls use.",
                )
                .hint("GET /api/v1/connections lists them; per_user needs none."));
            }
            None => None,
        };
        let actions = new.enabled_actions.as_deref().unwrap_or_default();
        self.check_actions(&usable, &admin.org, connection.as_ref(), actions)
            .await?;
        let now = self.now();
        let integration = Integration {
            id: IntegrationId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: workspace.clone(),
            alias: new.alias.unwrap_or_else(|| connector.clone()),
            connector,
            strategy: new.strategy,
            auth: new.auth,
            connection,
            display_name: new
                .display_name
                .map(|name| checked_text("/display_name", &name, 120, "A display name"))
                .transpose()?,
            enabled_actions: new.enabled_actions,
            is_implied: false,
            settings: new.settings,
            sort_order: new.sort_order.unwrap_or(0),
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.store.begin().await?;
        self.add_integration(&mut tx, admin, &integration).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(integration)
    }

    pub(crate) async fn add_integration(
        &self,
        tx: &mut Tx,
        admin: &Admin,
        integration: &Integration,
    ) -> Result<(), Fault> {
        checked_alias(&integration.alias)?;
        self.alias_is_free(integration).await?;
        tx.add_integration(integration)
            .await
            .map_err(|error| wired::duplicate_or(error, || alias_taken(&integration.alias)))?;
        self.integration_changed(tx, admin, integration, "integration.created")
            .await
    }

    /// Programs write `-` as `_`, so aliases that differ in that alone would be one name.
    async fn alias_is_free(&self, integration: &Integration) -> Result<(), Fault> {
        let (org, workspace) = (&integration.org, &integration.workspace);
        let named = surface::code_name(&integration.alias);
        let others = self.store.integrations(org, workspace).await?;
        let clash = others
            .iter()
            .find(|one| one.id != integration.id && surface::code_name(&one.alias) == named);
        clash.map_or(Ok(()), |one| Err(alias_taken(&one.alias)))
    }

    /// Records the change, and tells the servers of the workspace.
    pub(crate) async fn integration_changed(
        &self,
        tx: &mut Tx,
        admin: &Admin,
        integration: &Integration,
        action: &str,
    ) -> Result<(), Fault> {
        tx.touch_servers(&admin.org, &integration.workspace).await?;
        let details = json!({
            "integration": integration.id,
            "connector": integration.connector,
            "alias": integration.alias,
            "strategy": integration.strategy,
            "connection": integration.connection,
        });
        let mut event = self.event(&admin.org, &admin.label, action, details);
        event.workspace = Some(integration.workspace.clone());
        tx.record(&event).await?;
        Ok(())
    }

    pub async fn update_integration(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        id: &IntegrationId,
        change: IntegrationChange,
    ) -> Result<Integration, Fault> {
        let mut integration = self.integration(admin, workspace, id).await?;
        let usable = self.usable(&admin.org, &integration.connector).await?;
        let definition = usable.definition();
        // Forms say the alias that there is, which may be older than a rule.
        if let Some(alias) = change.alias.filter(|alias| *alias != integration.alias) {
            checked_alias(&alias)?;
            integration.alias = alias;
            self.alias_is_free(&integration).await?;
        }
        if let Some(strategy) = change.strategy {
            integration.strategy = strategy;
        }
        if let Some(auth) = change.auth {
            checked_auth(definition, auth.as_ref())?;
            integration.auth = auth;
        }
        if let Some(connection) = change.connection {
            integration.connection = match connection {
                Some(named) => Some(
                    self.fixed_connection(admin, workspace, &integration.connector, &named)
                        .await?,
                ),
                None => None,
            };
        }
        if let Some(actions) = change.enabled_actions {
            let connection = integration.connection.as_ref();
            let wanted = actions.as_deref().unwrap_or_default();
            self.check_actions(&usable, &admin.org, connection, wanted)
                .await?;
            integration.enabled_actions = actions;
            // Somebody decided now: tools do not widen it by themselves any more.
            integration.is_implied = false;
        }
        if let Some(name) = change.display_name {
            integration.display_name = name
                .map(|name| checked_text("/display_name", &name, 120, "A display name"))
                .transpose()?;
        }
        if let Some(settings) = change.settings {
            checked_settings(&settings)?;
            integration.settings = settings;
        }
        if let Some(order) = change.sort_order {
            integration.sort_order = order;
        }
        if integration.strategy == Strategy::Fixed
            && integration.connection.is_none()
            && !opens(definition)
        {
            return Err(Fault::invalid_arg(
                "/connection_id",
                "required",
                "The strategy fixed needs the connection that all calls use.",
            ));
        }
        integration.updated_at = self.now();
        let mut tx = self.store.begin().await?;
        let changed = tx
            .update_integration(&integration)
            .await
            .map_err(|error| wired::duplicate_or(error, || alias_taken(&integration.alias)))?;
        if !changed {
            return Err(unknown_integration());
        }
        self.integration_changed(&mut tx, admin, &integration, "integration.updated")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(integration)
    }

    /// With the tools that servers have of it, and its partials.
    pub async fn delete_integration(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        id: &IntegrationId,
    ) -> Result<(), Fault> {
        let integration = self.integration(admin, workspace, id).await?;
        let mut tx = self.store.begin().await?;
        if !tx.delete_integration(&admin.org, id).await? {
            return Err(unknown_integration());
        }
        self.integration_changed(&mut tx, admin, &integration, "integration.deleted")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// Every action exists: in the definition, or at the server of the connection.
    async fn check_actions(
        &self,
        usable: &Usable,
        org: &OrgId,
        connection: Option<&ConnectionId>,
        actions: &[String],
    ) -> Result<(), Fault> {
        if actions.is_empty() {
            return Ok(());
        }
        let connections = connection.into_iter().cloned().collect();
        let prepared = self.over_connections(usable, org, &connections).await?;
        checked_actions(prepared.definition(), actions)
    }

    /// A connection that every call of an integration may use: the organization's, for whom it is there, or
    /// the workspace's own, of that connector; by id, external id or name.
    pub(crate) async fn fixed_connection(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        connector: &str,
        named: &str,
    ) -> Result<ConnectionId, Fault> {
        let called = self.accounts_called(actor, Some(workspace), connector, named);
        let called = called.await?;
        let is_id = |one: &&Connection| one.id.as_str() == named;
        let is_external = |one: &&Connection| one.external_id.as_deref() == Some(named);
        let found = called.iter().find(is_id);
        let found = found.or_else(|| called.iter().find(is_external));
        if let Some(found) = found.or(called.first()) {
            return Ok(found.id.clone());
        }
        let all = self
            .usable_accounts(actor, Some(workspace), connector, i64::MAX)
            .await?;
        let candidates: Vec<&str> = all.iter().map(|one| one.id.as_str()).take(20).collect();
        Err(Fault::new(
            Code::UnknownInstance,
            format!("The workspace reaches no connection {named:?} of {connector}."),
        )
        .hint("GET /api/v1/connections lists them.")
        .detail("candidates", candidates))
    }
}

/// The way without credentials, of a service that has one. A file has none to sign in with either, and is nobody's
/// before somebody said which one it is.
pub(crate) fn open_way(definition: &Definition) -> Option<&Auth> {
    if definition.is_file() {
        return None;
    }
    definition
        .auth
        .iter()
        .find(|way| way.kind == AuthKind::None)
}

pub(crate) fn opens(definition: &Definition) -> bool {
    open_way(definition).is_some()
}

/// Refuses an action that is not among those of an integration.
pub(crate) fn must_be_on(integration: &Integration, action: &str) -> Result<(), Fault> {
    match &integration.enabled_actions {
        Some(actions) if !actions.iter().any(|one| one == action) => Err(Fault::new(
            Code::Forbidden,
            format!(
                "The action {action} is not switched on for {}.",
                integration.alias
            ),
        )
        .called(ManagementName::ActionNotAllowed)
        .hint("Add it to enabledActions of the integration, or leave the list out.")
        .detail("enabled_actions", actions.clone())),
        _ => Ok(()),
    }
}

fn alias_taken(alias: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("The workspace has an integration with the alias {alias:?} already."),
    )
    .called(ManagementName::AliasConflict)
    .hint("Choose another alias.")
}

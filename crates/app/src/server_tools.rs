//! The tools of hosted servers that were picked by hand.

mod named;

pub(crate) use named::{checked_action, chosen, fitting_partials};

use crate::App;
use crate::actor::{Actor, Admin};
use crate::hosted::{Hosted, Part};
use crate::integrations::{connector_key, must_be_on, opens, unknown_integration};
use crate::servers::unknown_server;
use crate::wired;
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::surface::What;
use quaymaster_core::id::{ConnectionId, IntegrationId, PartialId, ServerId, ServerToolId};
use quaymaster_core::tool::ToolDef;
use quaymaster_core::{Code, Fault};
use quaymaster_store::Tx;
use quaymaster_store::integration::{Integration, Strategy};
use quaymaster_store::server::Server;
pub use quaymaster_store::server_tool::ServerTool;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// What a new tool shall be.
#[derive(Debug, Clone, Default)]
pub struct NewTool {
    pub connector: String,
    pub alias: Option<String>,
    pub action: String,
    /// An id, external id or name of a connection.
    pub connection: Option<String>,
    pub display_name: Option<String>,
    pub description: Option<String>,
    pub input_defaults: Map<String, Value>,
    /// Ids or names of partials.
    pub partials: Option<Vec<String>>,
    pub sort_order: Option<i64>,
}

/// What changes at a tool: what is absent stays; `Some(None)` takes away.
#[derive(Debug, Clone, Default)]
pub struct ToolChange {
    pub alias: Option<String>,
    pub connection: Option<Option<String>>,
    pub display_name: Option<Option<String>>,
    pub description: Option<Option<String>>,
    pub input_defaults: Option<Map<String, Value>>,
    /// `Some(None)` lets the default partials hold.
    pub partials: Option<Option<Vec<String>>>,
    pub sort_order: Option<i64>,
}

/// A tool of a server, picked by hand or followed from the workspace.
#[derive(Debug, Clone)]
pub struct ToolRow {
    /// None for a tool that the server has because its workspace has it.
    pub tool: Option<ServerTool>,
    pub integration: Integration,
    pub action: String,
    /// As agents see it.
    pub def: ToolDef,
    pub connection: Option<ConnectionId>,
    pub partials: Option<Vec<PartialId>>,
}

/// A part of the tools of a server.
#[derive(Debug, Default)]
pub struct ToolsPage {
    pub rows: Vec<ToolRow>,
    /// How many fit, on all pages.
    pub fitting: usize,
    /// How many there are.
    pub all: usize,
}

/// Switches an action on where tools decide what is on; else it must be on. `true` when the
/// integration changed.
fn widen(integration: &mut Integration, action: &str) -> Result<bool, Fault> {
    let Err(off) = must_be_on(integration, action) else {
        return Ok(false);
    };
    match &mut integration.enabled_actions {
        Some(actions) if integration.is_implied => {
            actions.push(action.to_owned());
            Ok(true)
        }
        _ => Err(off),
    }
}

fn twice(action: &str, alias: &str) -> Fault {
    let message = format!("The server has the action {action} of {alias} already.");
    Fault::new(Code::AlreadyExists, message).hint("Use another integrationAlias.")
}

fn unknown_tool() -> Fault {
    Fault::not_found("The server has no such tool.")
        .hint("GET /api/v1/mcp/servers/{id}/tools lists them.")
}

impl App {
    /// The tools of a server, in the order of its list. Companions are made, and not among them.
    pub async fn server_tools(&self, actor: &Actor, id: &ServerId) -> Result<Vec<ToolRow>, Fault> {
        let page = self.server_tools_page(actor, id, |_, _| true, usize::MAX, 0);
        Ok(page.await?.rows)
    }

    /// A page of the tools of a server that fit, which is asked of a tool and its integration's alias.
    pub async fn server_tools_page(
        &self,
        actor: &Actor,
        id: &ServerId,
        fits: impl Fn(&ToolDef, &str) -> bool,
        limit: usize,
        offset: usize,
    ) -> Result<ToolsPage, Fault> {
        self.server(actor, id).await?;
        let picked = self.store.server_tools(&actor.org, id).await?;
        let picked: HashMap<(&IntegrationId, &str), &ServerTool> = picked
            .iter()
            .map(|one| ((&one.integration, &*one.action), one))
            .collect();
        let hosted = self.hosted(&actor.org, id).await?;
        let mut page = ToolsPage::default();
        for tool in &hosted.tools {
            let What::Action(action) = &tool.what else {
                continue;
            };
            page.all += 1;
            let integration = &hosted.parts[tool.part].integration;
            if !fits(&tool.def, &integration.alias) {
                continue;
            }
            page.fitting += 1;
            if page.fitting <= offset || page.rows.len() >= limit {
                continue;
            }
            let own = picked.get(&(&integration.id, action)).copied();
            let usual = || integration.connection.clone();
            page.rows.push(ToolRow {
                tool: own.cloned(),
                integration: integration.clone(),
                action: action.clone(),
                def: tool.def.clone(),
                connection: tool.connection.clone().or_else(usual),
                partials: own.and_then(|own| own.partials.clone()),
            });
        }
        Ok(page)
    }

    /// What the integrations of a server are called, in its order.
    pub async fn server_aliases(&self, actor: &Actor, id: &ServerId) -> Result<Vec<String>, Fault> {
        self.server(actor, id).await?;
        let hosted = self.hosted(&actor.org, id).await?;
        let aliases = hosted.aliases().into_iter().map(str::to_owned);
        Ok(aliases.collect())
    }

    /// Picks a tool. The integration that it needs is made where the workspace has none.
    pub async fn add_server_tool(
        &self,
        admin: &Admin,
        id: &ServerId,
        new: NewTool,
    ) -> Result<ToolRow, Fault> {
        let mut server = self.server(admin, id).await?;
        let connector = connector_key(&new.connector);
        let usable = self.usable(&admin.org, &connector).await?;
        let definition = usable.definition();
        let connection = match &new.connection {
            Some(named) => Some(
                self.fixed_connection(admin, &server.workspace, &connector, named)
                    .await?,
            ),
            None => None,
        };
        let known = self
            .store
            .integrations(&admin.org, &server.workspace)
            .await?;
        let found = chosen(&known, &connector, new.alias.as_deref())?;
        let own = connection.iter();
        let own = own.chain(found.and_then(|found| found.connection.as_ref()));
        let own = own.cloned().collect();
        let with_tools = self.over_connections(&usable, &admin.org, &own).await?;
        let action = checked_action(with_tools.definition(), &new.action)?;
        let (mut integration, is_new) = match found {
            Some(found) => (found.clone(), false),
            None => (
                self.implied(admin, &server, definition, &new, connection.clone())?,
                true,
            ),
        };
        let widened = widen(&mut integration, &action)?;
        let partials = self
            .named_partials(&server, &integration, &action, new.partials)
            .await?;
        let tool = ServerTool {
            id: ServerToolId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            server: server.id.clone(),
            integration: integration.id.clone(),
            action,
            connection: connection.filter(|own| integration.connection.as_ref() != Some(own)),
            display_name: new.display_name,
            description: new.description,
            input_defaults: new.input_defaults,
            partials,
            sort_order: new.sort_order.unwrap_or(0),
            created_at: self.now(),
        };
        let mut tx = self.store.begin().await?;
        if is_new {
            self.add_integration(&mut tx, admin, &integration).await?;
        } else if widened {
            tx.update_integration(&integration).await?;
            self.integration_changed(&mut tx, admin, &integration, "integration.updated")
                .await?;
        }
        tx.add_server_tool(&tool).await.map_err(|error| {
            wired::duplicate_or(error, || twice(&tool.action, &integration.alias))
        })?;
        server.is_picked = true;
        self.tool_changed(&mut tx, admin, &server, &tool, "server_tool.created")
            .await?;
        tx.commit().await?;
        self.changed().await;
        self.tool_row(admin, id, &tool.id).await
    }

    pub async fn update_server_tool(
        &self,
        admin: &Admin,
        id: &ServerId,
        tool: &ServerToolId,
        change: ToolChange,
    ) -> Result<ToolRow, Fault> {
        let server = self.server(admin, id).await?;
        let mut tool = self.picked(&server, tool).await?;
        let known = self
            .store
            .integrations(&admin.org, &server.workspace)
            .await?;
        let of = |id: &IntegrationId| known.iter().find(|one| one.id == *id).cloned();
        let mut integration = of(&tool.integration).ok_or_else(unknown_integration)?;
        if let Some(alias) = &change.alias {
            let other = known
                .iter()
                .find(|one| one.alias == *alias && one.connector == integration.connector);
            integration = other.cloned().ok_or_else(unknown_integration)?;
            tool.integration = integration.id.clone();
        }
        let widened = widen(&mut integration, &tool.action)?;
        if let Some(named) = &change.connection {
            let connector = &integration.connector;
            tool.connection = match named {
                Some(named) => Some(
                    self.fixed_connection(admin, &server.workspace, connector, named)
                        .await?,
                ),
                None => None,
            };
        }
        if change.alias.is_some() || change.connection.is_some() {
            // Another account of an MCP server may have other tools.
            let usable = self.usable(&admin.org, &integration.connector).await?;
            let own = tool.connection.iter().chain(&integration.connection);
            let own = own.cloned().collect();
            let with_tools = self.over_connections(&usable, &admin.org, &own).await?;
            checked_action(with_tools.definition(), &tool.action)?;
        }
        if let Some(name) = change.display_name {
            tool.display_name = name;
        }
        if let Some(description) = change.description {
            tool.description = description;
        }
        if let Some(defaults) = change.input_defaults {
            tool.input_defaults = defaults;
        }
        // Those that it has must fit the other integration as well.
        let moved = change.alias.is_some();
        let kept = tool.partials.as_ref().filter(|_| moved);
        let kept = kept.map(|ids| Some(ids.iter().map(ToString::to_string).collect()));
        if let Some(partials) = change.partials.or(kept) {
            let action = tool.action.clone();
            tool.partials = self
                .named_partials(&server, &integration, &action, partials)
                .await?;
        }
        if let Some(order) = change.sort_order {
            tool.sort_order = order;
        }
        let mut tx = self.store.begin().await?;
        if widened {
            tx.update_integration(&integration).await?;
            self.integration_changed(&mut tx, admin, &integration, "integration.updated")
                .await?;
        }
        let updated = tx.update_server_tool(&tool).await.map_err(|error| {
            wired::duplicate_or(error, || twice(&tool.action, &integration.alias))
        })?;
        if !updated {
            return Err(unknown_tool());
        }
        self.tool_changed(&mut tx, admin, &server, &tool, "server_tool.updated")
            .await?;
        tx.commit().await?;
        self.changed().await;
        self.tool_row(admin, id, &tool.id).await
    }

    pub async fn delete_server_tool(
        &self,
        admin: &Admin,
        id: &ServerId,
        tool: &ServerToolId,
    ) -> Result<(), Fault> {
        let server = self.server(admin, id).await?;
        let tool = self.picked(&server, tool).await?;
        let mut tx = self.store.begin().await?;
        if !tx.delete_server_tool(&admin.org, &tool.id).await? {
            return Err(unknown_tool());
        }
        self.tool_changed(&mut tx, admin, &server, &tool, "server_tool.deleted")
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    async fn picked(&self, server: &Server, id: &ServerToolId) -> Result<ServerTool, Fault> {
        let all = self.store.server_tools(&server.org, &server.id).await?;
        all.into_iter()
            .find(|tool| tool.id == *id)
            .ok_or_else(unknown_tool)
    }

    async fn tool_row(
        &self,
        actor: &Actor,
        server: &ServerId,
        id: &ServerToolId,
    ) -> Result<ToolRow, Fault> {
        let rows = self.server_tools(actor, server).await?;
        let found = rows
            .into_iter()
            .find(|row| row.tool.as_ref().is_some_and(|tool| tool.id == *id));
        found.ok_or_else(unknown_tool)
    }

    /// The integration that a tool needs and the workspace lacks.
    fn implied(
        &self,
        admin: &Admin,
        server: &Server,
        definition: &Definition,
        new: &NewTool,
        connection: Option<ConnectionId>,
    ) -> Result<Integration, Fault> {
        if connection.is_none() && server.end_user.is_none() && !opens(definition) {
            return Err(Fault::invalid_arg(
                "/connection_id",
                "required",
                format!(
                    "The workspace has no integration of {} yet.",
                    definition.title
                ),
            )
            .hint("Pass connectionId, or add the integration to the workspace first."));
        }
        let now = self.now();
        Ok(Integration {
            id: IntegrationId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: server.workspace.clone(),
            connector: definition.key.clone(),
            alias: new.alias.clone().unwrap_or_else(|| definition.key.clone()),
            strategy: match (&connection, &server.end_user) {
                (None, Some(_)) => Strategy::PerUser,
                _ => Strategy::Fixed,
            },
            auth: None,
            connection,
            display_name: None,
            enabled_actions: Some(vec![new.action.clone()]),
            is_implied: true,
            settings: Map::new(),
            sort_order: 0,
            created_at: now,
            updated_at: now,
        })
    }

    /// Partials by id or name, all of which fit the action and each other.
    pub(crate) async fn named_partials(
        &self,
        server: &Server,
        integration: &Integration,
        action: &str,
        named: Option<Vec<String>>,
    ) -> Result<Option<Vec<PartialId>>, Fault> {
        let Some(named) = named else { return Ok(None) };
        let all = self.store.partials(&server.org, &server.workspace).await?;
        let found = fitting_partials(&all, integration, action, &named)?;
        Ok(Some(
            found.iter().map(|partial| partial.id.clone()).collect(),
        ))
    }

    /// Records the change and raises the server's revision.
    async fn tool_changed(
        &self,
        tx: &mut Tx,
        admin: &Admin,
        server: &Server,
        tool: &ServerTool,
        action: &str,
    ) -> Result<(), Fault> {
        if !tx.update_server(server).await? {
            return Err(unknown_server());
        }
        let details = json!({ "server": server.id, "tool": tool.id, "action": tool.action });
        let mut event = self.event(&admin.org, &admin.label, action, details);
        event.workspace = Some(server.workspace.clone());
        tx.record(&event).await?;
        Ok(())
    }
}

impl Hosted {
    /// For messages about what a server has.
    pub(crate) fn aliases(&self) -> Vec<&str> {
        let aliases = self
            .parts
            .iter()
            .map(|part: &Part| part.integration.alias.as_str());
        aliases.collect()
    }
}

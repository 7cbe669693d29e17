//! Which actions a hosted server can have, all of its picks at once, and what its list of tools costs
//! a model to read.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::integrations::connector_key;
use crate::server_tools::{ToolRow, checked_action};
use crate::servers::unknown_server;
use crate::toolsets::code;
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::params::input_schema;
use quaymaster_connectors::surface;
use quaymaster_core::Fault;
use quaymaster_core::id::{ConnectionId, IntegrationId, ServerId, ServerToolId, WorkspaceId};
use quaymaster_core::tool::{JsonObject, ToolDef};
use quaymaster_store::integration::Integration;
use quaymaster_store::server_tool::ServerTool;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// A server has at most so many picked tools.
const MOST_PICKED: usize = 1_000;

/// An integration of a workspace with the actions that servers can have of it.
#[derive(Debug, Clone)]
pub struct Offered {
    pub integration: Integration,
    /// What its connector is called.
    pub title: String,
    pub actions: Vec<OfferedAction>,
}

#[derive(Debug, Clone)]
pub struct OfferedAction {
    pub key: String,
    pub title: String,
    pub summary: Option<String>,
    /// It changes nothing.
    pub reads: bool,
    pub is_destructive: bool,
}

/// One action of one integration.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pick {
    pub integration: IntegrationId,
    pub action: String,
}

/// What the tools of a server cost a model that reads their list, estimated in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolListSize {
    /// How many tools there are in TOOLS mode, companions and those of flows too.
    pub tools: usize,
    /// How many of them are of flows.
    pub flow_tools: usize,
    /// Integrations of the workspace whose actions the server has no room for.
    pub left_out: usize,
    pub tools_mode_tokens: usize,
    pub code_mode_tokens: usize,
}

fn of_definition(definition: &Definition, only: Option<&[String]>) -> Vec<OfferedAction> {
    let modules = definition.modules.values();
    let actions = modules.flat_map(|module| module.actions.iter());
    actions
        .filter(|(key, _)| only.is_none_or(|only| only.contains(key)))
        .map(|(key, action)| OfferedAction {
            key: key.clone(),
            title: action.title.clone(),
            summary: action.summary.clone(),
            reads: action.reads(),
            is_destructive: action.destructive == Some(true),
        })
        .collect()
}

/// A tool as a list of them has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    input_schema: &'a JsonObject,
}

/// What a list of tools costs a model that reads it, estimated in tokens.
pub(crate) fn cost<'a>(defs: impl IntoIterator<Item = &'a ToolDef>) -> usize {
    let listed = defs.into_iter().map(|def| Listed {
        name: &def.name,
        title: &def.title,
        description: &def.description,
        input_schema: &def.input,
    });
    let listed: Vec<Listed<'_>> = listed.collect();
    // Texts and schemas of JSON: there is nothing in them that could not be written.
    surface::tokens(&serde_json::to_string(&listed).unwrap_or_default())
}

impl App {
    /// What servers of a workspace can have: at most so many of its integrations, in their order, with the
    /// words in their alias, name or connector; and how many of those there are.
    pub async fn offered_actions(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
    ) -> Result<(Vec<Offered>, i64), Fault> {
        let page = self.integrations_page(actor, workspace, words, limit, 0);
        let (integrations, total) = page.await?;
        Ok((self.offered(integrations).await, total))
    }

    async fn offered(&self, integrations: Vec<Integration>) -> Vec<Offered> {
        let mut all = Vec::with_capacity(integrations.len());
        for integration in integrations {
            // What tools made by themselves they also widen by themselves.
            let only = integration.enabled_actions.as_deref();
            let only = only.filter(|_| !integration.is_implied);
            match self.prepared_of(&integration, &[]).await {
                Ok(prepared) => all.push(Offered {
                    title: prepared.definition().title.clone(),
                    actions: of_definition(prepared.definition(), only),
                    integration,
                }),
                // Its definition was taken away: that hides no others.
                Err(fault) => tracing::warn!(%fault, "an integration was left out"),
            }
        }
        all
    }

    /// All actions of a connector; those of an MCP server as one of its accounts finds them.
    pub async fn connector_actions(
        &self,
        actor: &Actor,
        connector: &str,
        connection: Option<&ConnectionId>,
    ) -> Result<Vec<OfferedAction>, Fault> {
        let usable = self.usable(&actor.org, &connector_key(connector)).await?;
        let connections = connection.into_iter().cloned().collect();
        let prepared = self
            .over_connections(&usable, &actor.org, &connections)
            .await?;
        Ok(of_definition(prepared.definition(), None))
    }

    /// JSON Schema of all inputs that an action takes, those too that partials lock.
    pub async fn action_inputs(
        &self,
        actor: &Actor,
        integration: &Integration,
        connection: Option<&ConnectionId>,
        action: &str,
    ) -> Result<Map<String, Value>, Fault> {
        let usable = self.usable(&actor.org, &integration.connector).await?;
        let own = integration.connection.iter().chain(connection);
        let prepared = self
            .over_connections(&usable, &actor.org, &own.cloned().collect())
            .await?;
        let definition = prepared.definition();
        checked_action(definition, action)?;
        let (_, _, found) = definition.action(action).ok_or_else(Fault::internal)?;
        Ok(input_schema(definition, found))
    }

    /// The tools that were picked by hand, also those whose action is not there at present.
    pub async fn picked_server_tools(
        &self,
        actor: &Actor,
        id: &ServerId,
    ) -> Result<Vec<ServerTool>, Fault> {
        self.server(actor, id).await?;
        Ok(self.store.server_tools(&actor.org, id).await?)
    }

    pub async fn tool_list_size(
        &self,
        actor: &Actor,
        id: &ServerId,
    ) -> Result<ToolListSize, Fault> {
        let server = self.server(actor, id).await?;
        let hosted = self.hosted(&actor.org, id).await?;
        let flows = self.flows_of_org(&actor.org).await?;
        let (flow_tools, flow_tokens) = self.flow_cost_of(&flows, &server);
        Ok(ToolListSize {
            tools: hosted.tools.len() + flow_tools,
            flow_tools,
            left_out: hosted.left_out,
            tools_mode_tokens: hosted.tokens().await? + flow_tokens,
            code_mode_tokens: cost(&code::listed()[..]),
        })
    }

    /// Makes these the tools of a server, or lets it follow its workspace again. Tools that stay keep
    /// what was set for them.
    pub async fn pick_server_tools(
        &self,
        admin: &Admin,
        id: &ServerId,
        picks: Option<Vec<Pick>>,
    ) -> Result<Vec<ToolRow>, Fault> {
        let mut server = self.server(admin, id).await?;
        let present = self.store.server_tools(&admin.org, id).await?;
        let mut seen = HashSet::new();
        let named = picks.iter().flatten().enumerate();
        let wanted: Vec<(usize, &Pick)> = named.filter(|(_, pick)| seen.insert(*pick)).collect();
        if wanted.len() > MOST_PICKED {
            return Err(Fault::invalid_arg(
                "/tools",
                "maxItems",
                format!("A server has at most {MOST_PICKED} picked tools."),
            )
            .hint("Let it follow its workspace, or set its mode to CODE."));
        }
        let is_of = |tool: &ServerTool, pick: &Pick| {
            tool.integration == pick.integration && tool.action == pick.action
        };
        let (kept, gone): (Vec<&ServerTool>, Vec<&ServerTool>) = present
            .iter()
            .partition(|tool| wanted.iter().any(|(_, pick)| is_of(tool, pick)));
        let added = wanted
            .iter()
            .filter(|(_, pick)| !kept.iter().any(|tool| is_of(tool, pick)));
        // Behind those that stay, in the order in which they were named.
        let last = kept.iter().map(|tool| tool.sort_order).max();
        let first = last.map_or(0, |last| last.saturating_add(1));
        let named: HashSet<&IntegrationId> =
            wanted.iter().map(|(_, pick)| &pick.integration).collect();
        let mut all = self
            .store
            .integrations(&admin.org, &server.workspace)
            .await?;
        all.retain(|integration| named.contains(&integration.id));
        let all = self.offered(all).await;
        let mut widened: Vec<Integration> = Vec::new();
        let now = self.now();
        let mut tools = Vec::new();
        for ((index, pick), order) in added.zip(first..) {
            let of = all
                .iter()
                .find(|one| one.integration.id == pick.integration);
            let has = |one: &&Offered| one.actions.iter().any(|action| action.key == pick.action);
            let integration = of.filter(has).map(|one| &one.integration).ok_or_else(|| {
                Fault::invalid_arg(
                    &format!("/tools/{index}"),
                    "enum",
                    format!("The workspace has no integration with the action {:?}.", pick.action),
                )
                .hint("Somebody may have changed it. GET /api/v1/workspaces/{id}/integrations lists them.")
            })?;
            let lacks = |actions: &Vec<String>| !actions.contains(&pick.action);
            if integration.enabled_actions.as_ref().is_some_and(lacks) {
                let at = widened.iter().position(|one| one.id == integration.id);
                let at = at.unwrap_or_else(|| {
                    widened.push(integration.clone());
                    widened.len() - 1
                });
                if let Some(actions) = &mut widened[at].enabled_actions {
                    actions.push(pick.action.clone());
                }
            }
            tools.push(ServerTool {
                id: ServerToolId::fresh(&*self.clock, &*self.entropy),
                org: admin.org.clone(),
                server: server.id.clone(),
                integration: integration.id.clone(),
                action: pick.action.clone(),
                connection: None,
                display_name: None,
                description: None,
                input_defaults: Map::new(),
                partials: None,
                sort_order: order,
                created_at: now,
            });
        }
        server.is_picked = picks.is_some();
        server.updated_at = now;
        let details = json!({
            "server": server.id, "is_picked": server.is_picked,
            "added": tools.len(), "removed": gone.len(),
        });
        let mut event = self.event(&admin.org, &admin.label, "server.tools_picked", details);
        event.workspace = Some(server.workspace.clone());
        let mut tx = self.store.begin().await?;
        for integration in &widened {
            tx.update_integration(integration).await?;
            self.integration_changed(&mut tx, admin, integration, "integration.updated")
                .await?;
        }
        for tool in gone {
            tx.delete_server_tool(&admin.org, &tool.id).await?;
        }
        for tool in &tools {
            tx.add_server_tool(tool).await.map_err(|error| {
                crate::wired::duplicate_or(error, || {
                    Fault::new(
                        quaymaster_core::Code::AlreadyExists,
                        "Somebody else changes the tools of this server at the same moment.",
                    )
                    .hint("Look at them again, and save again.")
                })
            })?;
        }
        if !tx.update_server(&server).await? {
            return Err(unknown_server());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        self.server_tools(admin, id).await
    }
}

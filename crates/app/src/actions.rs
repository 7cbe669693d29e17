//! Single actions for programs of developers: run one, and ask which values an input can have.
//!
//! - `once`: one with an idempotency key

mod once;

use crate::App;
use crate::actor::Actor;
use crate::hosted::{Hosted, Saved, layer};
use crate::integrations::{connector_key, must_be_on};
use crate::server_tools::{checked_action, chosen, fitting_partials};
use once::{Once, checked_key, digest};
use quaymaster_connectors::surface::{Preset, What};
use quaymaster_core::id::{ConnectionId, EndUserId, IntegrationId, ServerId, WorkspaceId};
use quaymaster_core::tool::{Call, Ctx, JsonObject, Outcome, Source, ToolResult};
use quaymaster_core::{Caller, Fault, ManagementName};
use quaymaster_store::integration::{Integration, Strategy};
use quaymaster_store::server::{AuthMode, EndUserAccess, Mode, Server};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Which action of which integration, and over whose account.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub connector: String,
    pub action: String,
    pub integration: Option<IntegrationId>,
    pub alias: Option<String>,
    /// An id, external id or name of a connection.
    pub connection: Option<String>,
    /// Our id or the developer's.
    pub end_user: Option<String>,
    /// Ids or names; none lets the default ones hold.
    pub partials: Option<Vec<String>>,
    /// The same request with the same key runs an action that writes once, for a day.
    pub idempotency_key: Option<String>,
}

/// A call of one action, found and not yet admitted.
pub(crate) struct Acting {
    pub(crate) hosted: Hosted,
    pub(crate) index: usize,
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) end_user: Option<EndUserId>,
    pub(crate) idempotency_key: Option<String>,
}

impl Acting {
    /// Whether it can be done once more when nobody knows what came of it: the definition says that twice is
    /// no more than once, or it is a statement over a file, which changes all or nothing.
    fn may_repeat(&self) -> bool {
        let tool = &self.hosted.tools[self.index];
        let What::Action(key) = &tool.what else {
            return true;
        };
        let definition = self.hosted.parts[tool.part].definition();
        let found = definition.action(key);
        definition.is_file() || found.is_some_and(|(_, _, action)| action.idempotent == Some(true))
    }
}

impl App {
    /// Runs one action. It passes the guard like any call, and counts to the workspace.
    pub async fn execute_action(
        &self,
        caller: &Caller,
        actor: &Actor,
        workspace: &WorkspaceId,
        wanted: &Wanted,
        input: JsonObject,
    ) -> Result<ToolResult, Fault> {
        let key = wanted.idempotency_key.as_deref().map(checked_key);
        let key = key.transpose()?;
        let acting = self.acting(actor, workspace, wanted, None).await?;
        let reads = acting.hosted.tools[acting.index].reads;
        match key {
            Some(key) if !reads => {
                let asked = Once {
                    workspace: workspace.clone(),
                    key,
                    digest: digest(wanted, &input),
                };
                self.run_once(caller, acting, input, asked).await
            }
            _ => self.run_acting(caller, acting, input).await,
        }
    }

    /// Which values an input of an action can have: `{options: [{value, label}], …}`.
    pub async fn property_options(
        &self,
        caller: &Caller,
        actor: &Actor,
        workspace: &WorkspaceId,
        wanted: &Wanted,
        property: &str,
        input: JsonObject,
    ) -> Result<ToolResult, Fault> {
        let acting = self
            .acting(actor, workspace, wanted, Some(property))
            .await?;
        self.run_acting(caller, acting, input).await
    }

    async fn run_acting(
        &self,
        caller: &Caller,
        acting: Acting,
        input: JsonObject,
    ) -> Result<ToolResult, Fault> {
        let call = Call {
            tool: acting.hosted.tools[acting.index].def.name.to_string(),
            args: Arc::new(input),
            source: Source::Rest,
            answers: None,
            ctx: Ctx::new(self.fresh_call_id(), self.now()),
        };
        match self
            .call_guarded(caller, call, Some(Arc::new(acting)))
            .await?
        {
            Outcome::Done(result) => Ok(result),
            Outcome::Ask(..) => Err(Fault::internal()),
        }
    }

    async fn acting(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        wanted: &Wanted,
        property: Option<&str>,
    ) -> Result<Acting, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let connector = connector_key(&wanted.connector);
        let usable = self.usable(&actor.org, &connector).await?;
        let known = self.store.integrations(&actor.org, workspace).await?;
        let found = match &wanted.integration {
            Some(id) => known
                .iter()
                .find(|one| one.id == *id && one.connector == connector),
            None => chosen(&known, &connector, wanted.alias.as_deref())?,
        };
        let mut integration = match found {
            Some(found) => found.clone(),
            // An action needs no integration when the call itself says which account it uses.
            None if wanted.integration.is_none() && wanted.alias.is_none() => {
                self.passing(actor, workspace, &connector)
            }
            None => {
                return Err(Fault::not_found(
                    "The workspace has no such integration of that connector.",
                ));
            }
        };
        let connection = match &wanted.connection {
            Some(named) => Some(
                self.fixed_connection(actor, workspace, &connector, named)
                    .await?,
            ),
            None => None,
        };
        if connection.is_some() {
            // Whose tools are meant, at an MCP server.
            integration.connection.clone_from(&connection);
        }
        let own = integration.connection.iter().cloned().collect();
        let with_tools = self.over_connections(&usable, &actor.org, &own).await?;
        let action = checked_action(with_tools.definition(), &wanted.action)?;
        must_be_on(&integration, &action)?;
        let end_user = match &wanted.end_user {
            Some(named) => {
                let found = self.end_user_named(actor, workspace, named).await?.id;
                self.may_act_for(actor, &found).await?;
                Some(found)
            }
            None => None,
        };
        let preset = match &wanted.partials {
            Some(named) => {
                let all = self.store.partials(&actor.org, workspace).await?;
                let found = fitting_partials(&all, &integration, &action, named)?;
                Some(Preset {
                    defaults: Map::new(),
                    partials: found.into_iter().map(layer).collect(),
                })
            }
            None => None,
        };
        let mut hosted = self
            .passing_server(actor, workspace, integration, &action)
            .await?;
        let index = hosted
            .tools
            .iter()
            .position(|tool| match (&tool.what, property) {
                (What::Action(key), None) => *key == action,
                (
                    What::Companion {
                        property: of,
                        for_actions,
                        ..
                    },
                    Some(property),
                ) => of == property && for_actions.contains(&action),
                _ => false,
            });
        let index = index.ok_or_else(|| no_options(&action, property.unwrap_or_default()))?;
        if let Some(preset) = preset {
            hosted.tools[index].preset = preset;
        }
        Ok(Acting {
            hosted,
            index,
            connection,
            end_user,
            idempotency_key: wanted.idempotency_key.clone(),
        })
    }

    /// An integration for one call: nothing is stored.
    fn passing(&self, actor: &Actor, workspace: &WorkspaceId, connector: &str) -> Integration {
        let now = self.now();
        Integration {
            id: IntegrationId::fresh(&*self.clock, &*self.entropy),
            org: actor.org.clone(),
            workspace: workspace.clone(),
            connector: connector.to_owned(),
            alias: connector.to_owned(),
            strategy: Strategy::Fixed,
            auth: None,
            connection: None,
            display_name: None,
            enabled_actions: None,
            is_implied: true,
            settings: Map::new(),
            sort_order: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// A server for one call, with the one integration and the action's own companions.
    async fn passing_server(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        mut integration: Integration,
        action: &str,
    ) -> Result<Hosted, Fault> {
        integration.enabled_actions = Some(vec![action.to_owned()]);
        let now = self.now();
        let server = Server {
            id: ServerId::fresh(&*self.clock, &*self.entropy),
            org: actor.org.clone(),
            workspace: workspace.clone(),
            name: String::new(),
            description: None,
            mode: Mode::Tools,
            settings: Map::new(),
            auth_mode: AuthMode::Bearer,
            end_user_access: EndUserAccess::Restricted,
            end_user: None,
            is_picked: false,
            user: actor.user.clone(),
            revision: 0,
            created_at: now,
            updated_at: now,
        };
        let saved = Saved::new(self.store.partials(&actor.org, workspace).await?);
        let part = self.part_of(integration, Vec::new(), &saved.into()).await?;
        Ok(Hosted::new(server, vec![part]))
    }
}

fn no_options(action: &str, property: &str) -> Fault {
    Fault::invalid_arg(
        "/property_name",
        "x-select",
        format!("The input {property:?} of {action} has no values to look up."),
    )
    .called(ManagementName::NotDropdown)
    .hint("GET /api/v1/integrations tells which inputs have them.")
}

/// What a result of an action holds, without the words around it.
pub fn output_of(result: ToolResult) -> Value {
    match result.structured {
        Some(Value::Object(mut members)) => {
            let data = members.remove("data");
            data.unwrap_or(Value::Object(members))
        }
        Some(other) => other,
        None => Value::Null,
    }
}

//! An integration with what a hosted server has of it.

use crate::integrations::must_be_on;
use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::request::Prepared;
use quaymaster_connectors::surface::{OwnTexts, Partial as Layer, Preset, Switched, What};
use quaymaster_core::id::{ConnectionId, PartialId};
use quaymaster_store::integration::Integration;
use quaymaster_store::partial::Partial;
use quaymaster_store::server_tool::ServerTool;
use std::collections::HashMap;
use std::sync::Arc;

/// The partials of a workspace, kept once for all integrations of a server.
#[derive(Default)]
pub(crate) struct Saved {
    all: HashMap<PartialId, Partial>,
    /// Those that hold for tools which name none, by connector, in the order in which they are laid over
    /// each other.
    usual: HashMap<String, Vec<PartialId>>,
}

impl Saved {
    pub(crate) fn new(partials: Vec<Partial>) -> Self {
        let mut saved = Saved::default();
        for partial in partials {
            if partial.is_default {
                let usual = saved.usual.entry(partial.connector.clone()).or_default();
                usual.push(partial.id.clone());
            }
            saved.all.insert(partial.id.clone(), partial);
        }
        saved
    }

    /// One that tools of an integration can name.
    fn known(&self, integration: &Integration, id: &PartialId) -> Option<&Partial> {
        let found = self.all.get(id)?;
        let only = found.integration.as_ref();
        let fits = found.connector == integration.connector
            && only.is_none_or(|only| *only == integration.id);
        fits.then_some(found)
    }

    /// Those that hold for tools of an integration which name none.
    fn usual<'s>(&'s self, integration: &'s Integration) -> impl Iterator<Item = &'s Partial> {
        let ids = self.usual.get(&integration.connector);
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.known(integration, id))
    }
}

pub(crate) struct Part {
    pub(crate) integration: Integration,
    pub(crate) prepared: Arc<Prepared>,
    /// The keys of its actions that the server has; none is all.
    pub(crate) actions: Option<Vec<String>>,
    /// Those that were picked by hand, by the key of the action.
    picked: HashMap<String, ServerTool>,
    saved: Arc<Saved>,
}

impl Part {
    pub(super) fn new(
        integration: Integration,
        prepared: Arc<Prepared>,
        picked: Vec<ServerTool>,
        saved: Arc<Saved>,
    ) -> Self {
        // A partial that is gone may have locked something: its tool is gone as well.
        let whole = |tool: &ServerTool| {
            let mut named = tool.partials.iter().flatten();
            named.all(|id| saved.known(&integration, id).is_some())
        };
        let by_hand = !picked.is_empty();
        let picked: HashMap<String, ServerTool> = picked
            .into_iter()
            .filter(whole)
            .map(|tool| (tool.action.clone(), tool))
            .collect();
        let actions = if by_hand {
            // What is off in the workspace is off for everybody, whoever picked it.
            let is_on = |tool: &&ServerTool| must_be_on(&integration, &tool.action).is_ok();
            let mut tools: Vec<&ServerTool> = picked.values().filter(is_on).collect();
            tools.sort_by(|a, b| (a.sort_order, &a.id).cmp(&(b.sort_order, &b.id)));
            Some(tools.iter().map(|tool| tool.action.clone()).collect())
        } else {
            integration.enabled_actions.clone()
        };
        Part {
            integration,
            prepared,
            actions,
            picked,
            saved,
        }
    }

    /// How many actions the server has of it, at most.
    pub(super) fn size(&self) -> usize {
        let all = self.definition().modules.values();
        let all = all.map(|module| module.actions.len()).sum();
        self.actions.as_ref().map_or(all, |own| own.len().min(all))
    }

    pub(crate) fn definition(&self) -> &Definition {
        self.prepared.definition()
    }

    /// The name by which an MCP server knows the tool that is this action.
    pub(crate) fn tool_of_server(&self, action: &str) -> Option<String> {
        let definition = self.definition();
        let (_, _, found) = definition.action(action)?;
        let is_mcp = definition.kind == Kind::Mcp;
        found.rpc.clone().filter(|_| is_mcp)
    }

    /// What holds for an action before the agent says anything.
    pub(crate) fn preset(&self, action: &str) -> Preset {
        let picked = self.picked.get(action);
        let named = picked.and_then(|tool| tool.partials.as_ref());
        let partials: Vec<&Partial> = match named {
            Some(ids) => ids
                .iter()
                .filter_map(|id| self.saved.known(&self.integration, id))
                .collect(),
            None => self.saved.usual(&self.integration).collect(),
        };
        let of_action = |partial: &&&Partial| {
            let only = partial.action.as_deref();
            only.is_none_or(|only| only == action)
        };
        Preset {
            defaults: picked
                .map(|tool| tool.input_defaults.clone())
                .unwrap_or_default(),
            partials: partials
                .iter()
                .filter(of_action)
                .map(|one| layer(one))
                .collect(),
        }
    }

    /// Runs something over the integration as the pure functions of the surface know it.
    pub(crate) fn switched<T>(&self, run: impl FnOnce(&Switched<'_>) -> T) -> T {
        let presets = |action: &str| self.preset(action);
        let display = |action: &str| self.display(action);
        run(&self.as_switched(&presets, &display))
    }

    pub(super) fn as_switched<'a>(
        &'a self,
        presets: &'a dyn Fn(&str) -> Preset,
        display: &'a dyn Fn(&str) -> Option<OwnTexts>,
    ) -> Switched<'a> {
        Switched {
            alias: &self.integration.alias,
            definition: self.definition(),
            actions: self.actions.as_deref(),
            presets,
            display,
        }
    }

    pub(super) fn display(&self, action: &str) -> Option<OwnTexts> {
        let tool = self.picked.get(action)?;
        Some((tool.display_name.clone(), tool.description.clone()))
    }

    pub(super) fn connection(&self, what: &What) -> Option<ConnectionId> {
        let of = |action: &String| self.picked.get(action)?.connection.clone();
        match what {
            What::Action(action) => of(action),
            What::Companion { for_actions, .. } => for_actions.iter().find_map(of),
        }
    }
}

pub(crate) fn layer(partial: &Partial) -> Layer {
    Layer {
        name: partial.name.clone(),
        values: partial.values.clone(),
        enforced: partial.enforced.iter().cloned().collect(),
    }
}

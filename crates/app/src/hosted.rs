//! A hosted server as its callers see it: what its workspace has switched on, under the names and
//! with the inputs that agents get.
//!
//! It is put together when something that it is made of changed, which the server's revision tells,
//! and kept until then.

use crate::App;
use crate::admit::{fresh, last};
use crate::integrations::must_be_on;
use crate::toolsets::code;
use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::request::Prepared;
use quaymaster_connectors::surface::{self, Index, Partial as Layer, Preset, Switched, What};
use quaymaster_core::Fault;
use quaymaster_core::id::{ConnectionId, IntegrationId, OrgId, PartialId, ServerId, WorkspaceId};
use quaymaster_core::schema::Checker;
use quaymaster_core::tool::{JsonObject, ToolDef};
use quaymaster_sandbox::Namespace;
use quaymaster_store::integration::Integration;
use quaymaster_store::partial::Partial;
use quaymaster_store::server::{Mode, Server};
use quaymaster_store::server_tool::ServerTool;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

pub(crate) struct Hosted {
    pub(crate) server: Server,
    pub(crate) parts: Vec<Part>,
    /// Everything that can be called, in the order of the list.
    pub(crate) tools: Vec<HostedTool>,
    /// By every name that is understood: that of the list, and longer or older ones.
    names: HashMap<String, usize>,
    /// What `tools/list` answers.
    pub(crate) listed: Arc<[ToolDef]>,
    index: OnceLock<Index>,
}

/// An integration with its definition.
pub(crate) struct Part {
    pub(crate) integration: Integration,
    pub(crate) prepared: Arc<Prepared>,
    /// The keys of its actions that the server has; none is all.
    pub(crate) actions: Option<Vec<String>>,
    /// Those that were picked by hand, by the key of the action.
    picked: HashMap<String, ServerTool>,
    /// The partials that hold for tools which name none.
    usual: Vec<Partial>,
    /// All partials that a tool of it can name.
    known: HashMap<PartialId, Partial>,
}

/// A tool's own title and description, where somebody gave it some.
type Display = Option<(Option<String>, Option<String>)>;

pub(crate) struct HostedTool {
    pub(crate) def: ToolDef,
    pub(crate) part: usize,
    pub(crate) what: What,
    pub(crate) preset: Preset,
    /// Instead of the integration's.
    pub(crate) connection: Option<ConnectionId>,
    pub(crate) reads: bool,
    /// What it is called behind its alias, in programs.
    pub(crate) called: String,
    /// From names that vendors of models accept to the inputs' own, where they differ.
    renamed: BTreeMap<String, String>,
    /// Of a companion; an action's schema is compiled once for all servers.
    checker: OnceLock<Result<Checker, String>>,
}

impl Hosted {
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// The tool of an action or companion, as programs name it.
    pub(crate) fn tool_of(&self, alias: &str, called: &str) -> Option<&HostedTool> {
        self.tools.iter().find(|tool| {
            let own = &self.parts[tool.part].integration.alias;
            surface::code_name(own) == alias && tool.called == called
        })
    }

    /// What programs can call.
    pub(crate) fn namespaces(&self) -> Vec<Namespace> {
        let of = |index| self.tools.iter().filter(move |tool| tool.part == index);
        let parts = self.parts.iter().enumerate();
        parts
            .map(|(index, part)| Namespace {
                alias: surface::code_name(&part.integration.alias),
                actions: of(index).map(|tool| tool.called.clone()).collect(),
            })
            .collect()
    }

    /// Makes the index of searches, where that was not done: over thousands of actions it takes long, so
    /// on a thread that may be held up.
    pub(crate) async fn make_index(self: &Arc<Self>) {
        if self.index.get().is_none() {
            let hosted = self.clone();
            // A panic there comes again where the index is used.
            let _ = tokio::task::spawn_blocking(move || {
                hosted.index();
            })
            .await;
        }
    }

    /// For searching, made when the first search comes.
    pub(crate) fn index(&self) -> &Index {
        self.index.get_or_init(|| self.switched(Index::new))
    }

    /// Runs something over all integrations as the pure functions of the surface know them.
    pub(crate) fn switched<T>(&self, run: impl FnOnce(&[Switched<'_>]) -> T) -> T {
        type Presets<'a> = Box<dyn Fn(&str) -> Preset + 'a>;
        type Displays<'a> = Box<dyn Fn(&str) -> Display + 'a>;
        let words: Vec<(Presets<'_>, Displays<'_>)> = self
            .parts
            .iter()
            .map(|part| -> (Presets<'_>, Displays<'_>) {
                (
                    Box::new(|action: &str| part.preset(action)),
                    Box::new(|action: &str| part.display(action)),
                )
            })
            .collect();
        let all: Vec<Switched<'_>> = self
            .parts
            .iter()
            .zip(&words)
            .map(|(part, (presets, display))| part.as_switched(presets, display))
            .collect();
        run(&all)
    }

    pub(crate) fn part(&self, alias: &str) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| part.integration.alias == alias)
    }
}

impl HostedTool {
    /// What an agent gave, under the names of the action, with what is saved laid over it.
    pub(crate) fn whole(&self, given: &JsonObject) -> Result<JsonObject, Fault> {
        let renamed = given.iter().map(|(name, value)| {
            let own = self.renamed.get(name).unwrap_or(name);
            (own.clone(), value.clone())
        });
        self.preset.merge(renamed.collect())
    }

    /// Whether arguments fit, once what is saved for the tool was laid over them.
    pub(crate) fn check(&self, hosted: &Hosted, args: &JsonObject) -> Result<(), Fault> {
        match &self.what {
            What::Action(action) => {
                let inputs = self.whole(args)?;
                hosted.parts[self.part].prepared.check(action, &inputs)
            }
            What::Companion { .. } => self
                .checker
                .get_or_init(|| Checker::new(&self.def.input))
                .as_ref()
                .map_err(|error| {
                    tracing::error!(error, tool = %self.def.name, "a companion's schema does not compile");
                    Fault::internal()
                })?
                .check(args),
        }
    }
}

impl Part {
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
            Some(ids) => ids.iter().filter_map(|id| self.known.get(id)).collect(),
            None => self.usual.iter().collect(),
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

    fn as_switched<'a>(
        &'a self,
        presets: &'a dyn Fn(&str) -> Preset,
        display: &'a dyn Fn(&str) -> Display,
    ) -> Switched<'a> {
        Switched {
            alias: &self.integration.alias,
            definition: self.definition(),
            actions: self.actions.as_deref(),
            presets,
            display,
        }
    }

    fn display(&self, action: &str) -> Display {
        let tool = self.picked.get(action)?;
        Some((tool.display_name.clone(), tool.description.clone()))
    }

    fn connection(&self, what: &What) -> Option<ConnectionId> {
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

impl App {
    /// A server of the organization, believed for half a second.
    pub(crate) async fn hosted(&self, org: &OrgId, id: &ServerId) -> Result<Arc<Hosted>, Fault> {
        let map = &self.callers.servers;
        if let Some(known) = fresh(map, id)
            && known.server.org == *org
        {
            return Ok(known);
        }
        let before = self.callers.generation();
        let found = self.store.server(org, id).await?;
        let server = found.ok_or_else(|| Fault::not_found("There is no such server."))?;
        let same = last(map, id).filter(|known| known.server.revision == server.revision);
        let hosted = match same {
            Some(known) => known,
            None => Arc::new(self.put_together(server).await?),
        };
        self.callers
            .remember(map, before, id.clone(), hosted.clone());
        Ok(hosted)
    }

    async fn put_together(&self, server: Server) -> Result<Hosted, Fault> {
        let (org, workspace) = (&server.org, &server.workspace);
        let picked = self.store.server_tools(org, &server.id).await?;
        let picked = server.is_picked.then_some(picked);
        let parts = self.parts_of(org, workspace, picked).await?;
        Ok(Hosted::new(server, parts))
    }

    /// What a workspace has switched on, or what picked tools stand on.
    pub(crate) async fn parts_of(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        picked: Option<Vec<ServerTool>>,
    ) -> Result<Vec<Part>, Fault> {
        let integrations = self.store.integrations(org, workspace).await?;
        let partials = self.store.partials(org, workspace).await?;
        let by_hand = picked.is_some();
        let mut of_integration: HashMap<IntegrationId, Vec<ServerTool>> = HashMap::new();
        for tool in picked.into_iter().flatten() {
            of_integration
                .entry(tool.integration.clone())
                .or_default()
                .push(tool);
        }
        let mut parts = Vec::new();
        for integration in integrations {
            let tools = of_integration.remove(&integration.id).unwrap_or_default();
            if by_hand && tools.is_empty() {
                continue;
            }
            // Its definition was taken away: nobody else's tools suffer.
            match self.part_of(integration, tools, &partials).await {
                Ok(part) => parts.push(part),
                Err(fault) => tracing::warn!(%fault, "an integration was left out"),
            }
        }
        Ok(parts)
    }

    /// An integration with what a server has of it.
    pub(crate) async fn part_of(
        &self,
        integration: Integration,
        picked: Vec<ServerTool>,
        partials: &[Partial],
    ) -> Result<Part, Fault> {
        let usable = self
            .usable(&integration.org, &integration.connector)
            .await?;
        // For the kind `mcp`: what the servers of these have. Whose account an end user connects is
        // not known before they call.
        let own = picked.iter().filter_map(|tool| tool.connection.clone());
        let connections = integration.connection.iter().cloned().chain(own).collect();
        let prepared = self
            .over_connections(&usable, &integration.org, &connections)
            .await?;
        Ok(Part::new(integration, prepared, picked, partials))
    }
}

impl Part {
    fn new(
        integration: Integration,
        prepared: Arc<Prepared>,
        picked: Vec<ServerTool>,
        partials: &[Partial],
    ) -> Self {
        let ours = |partial: &&Partial| {
            let only = partial.integration.as_ref();
            partial.connector == integration.connector
                && only.is_none_or(|only| *only == integration.id)
        };
        let known: HashMap<PartialId, Partial> = partials
            .iter()
            .filter(ours)
            .map(|partial| (partial.id.clone(), partial.clone()))
            .collect();
        let usual = partials.iter().filter(ours).filter(|one| one.is_default);
        let usual = usual.cloned().collect();
        // A partial that is gone may have locked something: its tool is gone as well.
        let whole = |tool: &ServerTool| {
            let mut named = tool.partials.iter().flatten();
            named.all(|id| known.contains_key(id))
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
            usual,
            known,
        }
    }
}

impl Hosted {
    pub(crate) fn new(server: Server, parts: Vec<Part>) -> Self {
        let mut tools: Vec<HostedTool> = Vec::new();
        let mut names = HashMap::new();
        for (index, part) in parts.iter().enumerate() {
            for tool in part.switched(surface::tools) {
                let preset = match &tool.what {
                    What::Action(action) => part.preset(action),
                    What::Companion { .. } => Preset::default(),
                };
                let reads = match &tool.what {
                    What::Action(key) => part
                        .definition()
                        .action(key)
                        .is_some_and(|(_, _, action)| action.reads()),
                    What::Companion { .. } => true,
                };
                let at = tools.len();
                let own = [Some(tool.name.name.clone()), tool.name.long.clone()];
                for name in own.into_iter().flatten().chain(tool.hidden.iter().cloned()) {
                    names.entry(name).or_insert(at);
                }
                let long = tool.name.long.as_ref().unwrap_or(&tool.name.name);
                let called = long.strip_prefix(&format!("{}__", tool.alias));
                let called = called.unwrap_or(long).to_owned();
                let renamed = match &tool.what {
                    What::Action(key) => {
                        let plain = part.switched(|switched| switched.inputs(key));
                        plain
                            .as_ref()
                            .map(surface::original_names)
                            .unwrap_or_default()
                    }
                    What::Companion { .. } => BTreeMap::new(),
                };
                tools.push(HostedTool {
                    called,
                    renamed,
                    connection: part.connection(&tool.what),
                    def: ToolDef {
                        name: tool.name.name.into(),
                        title: tool.title.into(),
                        description: tool.description,
                        input: Arc::new(tool.input),
                        output: tool.output.map(Arc::new),
                        nature: tool.nature,
                    },
                    part: index,
                    what: tool.what,
                    preset,
                    reads,
                    checker: OnceLock::new(),
                });
            }
        }
        let listed = match server.mode {
            Mode::Tools => tools.iter().map(|tool| tool.def.clone()).collect(),
            Mode::Code => code::listed(),
        };
        Hosted {
            server,
            parts,
            tools,
            names,
            listed,
            index: OnceLock::new(),
        }
    }
}

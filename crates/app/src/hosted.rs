//! A hosted server as its callers see it: what its workspace has switched on, under the names and
//! with the inputs that agents get.
//!
//! It is put together when something that it is made of changed, which the server's revision tells,
//! and kept until then.

mod part;

pub(crate) use part::{Part, Saved, layer};

use crate::App;
use crate::admit::{fresh, last};
use crate::flows::off_the_threads;
use crate::picking::cost;
use crate::toolsets::code;
use quaymaster_connectors::request::Prepared;
use quaymaster_connectors::surface::{self, Index, OwnTexts, Preset, Switched, What};
use quaymaster_core::Fault;
use quaymaster_core::id::{ConnectionId, IntegrationId, OrgId, ServerId};
use quaymaster_core::schema::Checker;
use quaymaster_core::tool::{JsonObject, ToolDef};
use quaymaster_sandbox::Namespace;
use quaymaster_store::integration::Integration;
use quaymaster_store::server::{Mode, Server};
use quaymaster_store::server_tool::ServerTool;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

/// A server has at most so many actions: each is kept in memory with its schema. Integrations that come
/// behind them in the order of the workspace are left out.
const MOST_ACTIONS: usize = 20_000;

pub(crate) struct Hosted {
    pub(crate) server: Server,
    pub(crate) parts: Vec<Part>,
    /// Everything that can be called, in the order of the list.
    pub(crate) tools: Vec<HostedTool>,
    /// By every name that is understood: that of the list, and longer or older ones.
    names: HashMap<String, usize>,
    /// What `tools/list` answers.
    pub(crate) listed: Arc<[ToolDef]>,
    /// Integrations of the workspace that there is no room for.
    pub(crate) left_out: usize,
    index: OnceLock<Index>,
    tokens: OnceLock<usize>,
}

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

    /// What the list of its own tools costs a model in TOOLS mode, counted when somebody asks for the
    /// first time.
    pub(crate) async fn tokens(self: &Arc<Self>) -> Result<usize, Fault> {
        if let Some(known) = self.tokens.get() {
            return Ok(*known);
        }
        let hosted = self.clone();
        off_the_threads(move || {
            *hosted
                .tokens
                .get_or_init(|| cost(hosted.tools.iter().map(|tool| &tool.def)))
        })
        .await
    }

    /// Runs something over all integrations as the pure functions of the surface know them.
    pub(crate) fn switched<T>(&self, run: impl FnOnce(&[Switched<'_>]) -> T) -> T {
        type Presets<'a> = Box<dyn Fn(&str) -> Preset + 'a>;
        type Displays<'a> = Box<dyn Fn(&str) -> Option<OwnTexts> + 'a>;
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
        self.callers.remember_server(before, hosted.clone());
        Ok(hosted)
    }

    /// What a workspace has switched on, or what picked tools stand on.
    async fn put_together(&self, server: Server) -> Result<Hosted, Fault> {
        let (org, workspace) = (&server.org, &server.workspace);
        let mut of_integration: HashMap<IntegrationId, Vec<ServerTool>> = HashMap::new();
        if server.is_picked {
            for tool in self.store.server_tools(org, &server.id).await? {
                let own = of_integration.entry(tool.integration.clone());
                own.or_default().push(tool);
            }
        }
        let integrations = self.store.integrations(org, workspace).await?;
        let saved = Arc::new(Saved::new(self.store.partials(org, workspace).await?));
        let (mut parts, mut size, mut left_out) = (Vec::new(), 0, 0);
        for integration in integrations {
            let tools = of_integration.remove(&integration.id).unwrap_or_default();
            if server.is_picked && tools.is_empty() {
                continue;
            }
            if left_out > 0 {
                left_out += 1;
                continue;
            }
            match self.part_of(integration, tools, &saved).await {
                Ok(part) if size + part.size() > MOST_ACTIONS => left_out += 1,
                Ok(part) => {
                    size += part.size();
                    parts.push(part);
                }
                // Its definition was taken away: nobody else's tools suffer.
                Err(fault) => tracing::warn!(%fault, "an integration was left out"),
            }
        }
        if left_out > 0 {
            tracing::warn!(server = %server.id, left_out, "a server has no room for some integrations");
        }
        // Thousands of schemas take a while.
        let mut hosted = off_the_threads(move || Hosted::new(server, parts)).await?;
        hosted.left_out = left_out;
        Ok(hosted)
    }

    /// An integration with what a server has of it.
    pub(crate) async fn part_of(
        &self,
        integration: Integration,
        picked: Vec<ServerTool>,
        saved: &Arc<Saved>,
    ) -> Result<Part, Fault> {
        let prepared = self.prepared_of(&integration, &picked).await?;
        Ok(Part::new(integration, prepared, picked, saved.clone()))
    }

    /// What the connector of an integration can do; of the kind `mcp`, what the servers of its accounts
    /// have. Whose account an end user connects is not known before they call.
    pub(crate) async fn prepared_of(
        &self,
        integration: &Integration,
        picked: &[ServerTool],
    ) -> Result<Arc<Prepared>, Fault> {
        let (org, connector) = (&integration.org, &integration.connector);
        let usable = self.usable(org, connector).await?;
        let own = picked.iter().filter_map(|tool| tool.connection.clone());
        let connections = integration.connection.iter().cloned().chain(own).collect();
        self.over_connections(&usable, org, &connections).await
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
            left_out: 0,
            index: OnceLock::new(),
            tokens: OnceLock::new(),
        }
    }
}

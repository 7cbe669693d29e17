//! The flows of an organization that are switched on, ready to run, and the tools that they are.
//!
//! Made when something changed, which the revisions of the workspaces tell, and kept until then: a list
//! of tools comes from memory. A run keeps the version that it began with.

use super::as_tool::{is_later, tool_of};
use super::in_programs::InPrograms;
use super::reading;
use super::schedule::Schedule;
use crate::App;
use crate::admit::{fresh, last};
use crate::picking::cost;
use quaymaster_connectors::surface::tool_name;
use quaymaster_core::caller::{Grant, Pick};
use quaymaster_core::id::{FlowId, OrgId, ServerId, WorkspaceId};
use quaymaster_core::tool::{JsonObject, ToolDef};
use quaymaster_core::{Caller, Fault, Scope};
use quaymaster_flows::format::Trigger;
use quaymaster_flows::prepared::Prepared;
use quaymaster_store::flow::Flow;
use quaymaster_store::workspace::Workspace;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

/// A flow that is switched on.
pub(crate) struct Ready {
    pub(crate) flow: Flow,
    pub(crate) prepared: Arc<Prepared>,
    /// As its own workspace's callers see it; none when it is no tool.
    tool: Option<ToolDef>,
    /// By their places among the triggers.
    schedules: HashMap<i64, Schedule>,
}

impl Ready {
    pub(super) fn new(flow: Flow, prepared: Prepared) -> Self {
        let tool = tool_of(&prepared);
        let mut schedules = HashMap::new();
        for (n, trigger) in (0..).zip(&prepared.flow().triggers) {
            if let Trigger::Cron(cron) = trigger {
                schedules.extend(Schedule::of(cron).map(|schedule| (n, schedule)));
            }
        }
        Ready {
            flow,
            prepared: Arc::new(prepared),
            tool,
            schedules,
        }
    }

    pub(super) fn schedule(&self, n: i64) -> Option<&Schedule> {
        self.schedules.get(&n)
    }

    pub(super) fn schedules(&self) -> impl Iterator<Item = &Schedule> {
        self.schedules.values()
    }

    /// Whether its tool answers before a run may have ended.
    pub(crate) fn is_later(&self) -> bool {
        is_later(self.prepared.flow())
    }
}

/// A flow as a tool under the name that a caller knows.
pub(crate) struct Offered {
    pub(crate) ready: Arc<Ready>,
    pub(crate) def: ToolDef,
    tokens: OnceLock<usize>,
}

impl Offered {
    pub(crate) fn scope(&self) -> Scope {
        if self.def.nature.read_only {
            Scope::ReadTools
        } else {
            Scope::WriteTools
        }
    }

    pub(crate) fn workspace(&self) -> &WorkspaceId {
        &self.ready.flow.workspace
    }

    /// What it costs a model that reads the list, counted when somebody asks for the first time.
    pub(crate) fn tokens(&self) -> usize {
        let count = || cost([&self.def]);
        *self.tokens.get_or_init(count)
    }

    /// Whether it was ticked for the caller. What was not is as if it were not there.
    fn is_picked(&self, caller: &Caller) -> bool {
        caller.picks_flow(&self.ready.flow.id, &self.def.name)
    }

    /// Whether arguments fit, once defaults are filled in.
    pub(crate) fn check(&self, args: &JsonObject) -> Result<(), Fault> {
        self.ready.prepared.input(args.clone()).map(|_| ())
    }
}

/// The tools of one workspace, of all, or on a hosted server.
#[derive(Default)]
struct View {
    tools: Vec<Arc<Offered>>,
    /// By the name of the list, and by the longer one that it stands for.
    names: HashMap<String, usize>,
}

impl View {
    fn add(&mut self, ready: &Arc<Ready>, prefix: Option<&str>) {
        let Some(tool) = &ready.tool else { return };
        let mut def = tool.clone();
        let index = self.tools.len();
        if let Some(prefix) = prefix {
            let own = tool_name(prefix, &tool.name);
            def.name = own.name.into();
            self.names.extend(own.long.map(|long| (long, index)));
        }
        self.names.insert(def.name.to_string(), index);
        self.tools.push(Arc::new(Offered {
            ready: ready.clone(),
            def,
            tokens: OnceLock::new(),
        }));
    }

    /// All of them, and `get_run` behind them where some take long.
    fn defs<'v>(&'v self, get_run: &'v ToolDef) -> impl Iterator<Item = &'v ToolDef> {
        let takes_long = self.tools.iter().any(|offered| offered.ready.is_later());
        let get_run = takes_long.then_some(get_run);
        self.tools.iter().map(|offered| &offered.def).chain(get_run)
    }
}

struct Room {
    slug: String,
    revision: i64,
    /// By name.
    flows: BTreeMap<String, Arc<Ready>>,
    view: View,
    /// What hosted servers of the workspace show.
    servers: BTreeMap<ServerId, Shown>,
}

/// The flows on a hosted server.
#[derive(Default)]
struct Shown {
    view: View,
    /// Made for the first program.
    in_programs: OnceLock<Arc<InPrograms>>,
}

#[derive(Default)]
pub(crate) struct OrgFlows {
    rooms: BTreeMap<WorkspaceId, Arc<Room>>,
    /// Whether the organization has several workspaces.
    several: bool,
    /// Of all workspaces; their slugs stand in front if there are several.
    all: View,
}

/// Which flows a caller has as tools.
#[derive(Clone, Copy)]
enum Span<'a> {
    /// Those of every workspace of the organization.
    Organization,
    Workspace(&'a WorkspaceId, &'a Pick),
    /// Those that name a hosted server of the workspace.
    Server(&'a WorkspaceId, &'a ServerId),
}

impl Span<'_> {
    fn has(self, flow: &FlowId) -> bool {
        match self {
            Span::Organization | Span::Server(..) => true,
            Span::Workspace(_, pick) => pick.has(flow),
        }
    }
}

fn span(caller: &Caller) -> Option<Span<'_>> {
    if let Some((server, workspace)) = caller.hosted() {
        return Some(Span::Server(workspace, server));
    }
    if let Some((workspace, pick)) = caller.flows() {
        return Some(Span::Workspace(workspace, pick));
    }
    caller.has(&Grant::AllFlows).then_some(Span::Organization)
}

/// Whose flows a caller sees, which is whose changes are told.
pub(crate) enum Watching {
    Nothing,
    Workspace(WorkspaceId),
    /// Those of all workspaces.
    Organization,
}

impl Watching {
    pub(crate) fn of(caller: &Caller) -> Watching {
        match span(caller) {
            None => Watching::Nothing,
            Some(Span::Organization) => Watching::Organization,
            Some(Span::Workspace(workspace, _) | Span::Server(workspace, _)) => {
                Watching::Workspace(workspace.clone())
            }
        }
    }

    /// `changed` is the workspace; every one of them without it.
    pub(crate) fn sees(&self, changed: Option<&WorkspaceId>) -> bool {
        match self {
            Watching::Nothing => false,
            Watching::Organization => true,
            Watching::Workspace(own) => changed.is_none_or(|changed| changed == own),
        }
    }
}

impl OrgFlows {
    fn view(&self, span: Span<'_>) -> Option<&View> {
        match span {
            Span::Organization => Some(&self.all),
            Span::Workspace(workspace, _) => Some(&self.rooms.get(workspace)?.view),
            Span::Server(workspace, server) => Some(&self.shown(workspace, server)?.view),
        }
    }

    fn shown(&self, workspace: &WorkspaceId, server: &ServerId) -> Option<&Shown> {
        self.rooms.get(workspace)?.servers.get(server)
    }

    /// The tools on a hosted server, whoever calls it.
    pub(crate) fn on_server(
        &self,
        workspace: &WorkspaceId,
        server: &ServerId,
    ) -> impl Iterator<Item = &Arc<Offered>> {
        let shown = self.shown(workspace, server);
        shown.into_iter().flat_map(|shown| &shown.view.tools)
    }

    /// The same as agents see them, and `get_run` behind them where some take long.
    pub(crate) fn defs_on_server<'a>(
        &'a self,
        workspace: &WorkspaceId,
        server: &ServerId,
        get_run: &'a ToolDef,
    ) -> impl Iterator<Item = &'a ToolDef> {
        let shown = self.shown(workspace, server);
        let defs = move |shown: &'a Shown| shown.view.defs(get_run);
        shown.into_iter().flat_map(defs)
    }

    /// The same as programs know them; none when there are none.
    pub(crate) fn in_programs(
        &self,
        workspace: &WorkspaceId,
        server: &ServerId,
        get_run: &ToolDef,
    ) -> Option<&Arc<InPrograms>> {
        let shown = self.shown(workspace, server)?;
        let made = || Arc::new(InPrograms::new(shown.view.defs(get_run)));
        Some(shown.in_programs.get_or_init(made))
    }

    fn seen<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a Arc<Offered>> {
        let span = span(caller);
        let view = span.and_then(|span| self.view(span));
        view.into_iter()
            .flat_map(|view| &view.tools)
            .filter(move |offered| span.is_some_and(|span| span.has(&offered.ready.flow.id)))
            .filter(move |offered| offered.is_picked(caller))
    }

    /// The tools of a caller, as far as the scopes go.
    pub(crate) fn listed<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a ToolDef> {
        self.offered(caller).map(|offered| &offered.def)
    }

    /// The same with the flows that they are.
    pub(crate) fn offered<'a>(
        &'a self,
        caller: &'a Caller,
    ) -> impl Iterator<Item = &'a Arc<Offered>> {
        self.seen(caller)
            .filter(|offered| caller.scopes.has(offered.scope()))
    }

    pub(crate) fn find(&self, caller: &Caller, name: &str) -> Option<Arc<Offered>> {
        let span = span(caller)?;
        let view = self.view(span)?;
        let found = view.tools.get(*view.names.get(name)?)?;
        let is_seen = span.has(&found.ready.flow.id) && found.is_picked(caller);
        is_seen.then(|| found.clone())
    }

    /// Whether some run may take longer than its caller waits.
    pub(crate) fn has_later(&self, caller: &Caller) -> bool {
        self.seen(caller).any(|offered| offered.ready.is_later())
    }

    /// Whether a flow is one of the caller's tools.
    pub(crate) fn sees(&self, caller: &Caller, flow: &FlowId) -> bool {
        self.seen(caller)
            .any(|offered| offered.ready.flow.id == *flow)
    }

    /// A flow of a workspace.
    pub(crate) fn named(&self, workspace: &WorkspaceId, name: &str) -> Option<&Arc<Ready>> {
        self.rooms.get(workspace)?.flows.get(name)
    }
}

impl App {
    /// The same as far as the caller can see any of it.
    pub(crate) async fn flows_for(&self, caller: &Caller) -> Result<Arc<OrgFlows>, Fault> {
        match span(caller) {
            Some(_) => self.flows_of_org(&caller.org).await,
            None => Ok(Arc::default()),
        }
    }

    /// What is switched on in an organization, believed for half a second.
    pub(crate) async fn flows_of_org(&self, org: &OrgId) -> Result<Arc<OrgFlows>, Fault> {
        let map = &self.callers.flows;
        if let Some(known) = fresh(map, org) {
            return Ok(known);
        }
        let before = self.callers.generation();
        let revisions = self.store.flow_revisions(org).await?;
        let known = last(map, org);
        let all = if revisions.is_empty() {
            // Whoever has no flow pays one small query.
            known.unwrap_or_default()
        } else {
            let workspaces = self.store.workspaces(org).await?;
            match known.filter(|known| known.is_of(&workspaces, &revisions)) {
                Some(known) => known,
                None => {
                    let known = last(map, org);
                    let all = self.gather_flows(workspaces, &revisions, known.as_deref());
                    Arc::new(all.await?)
                }
            }
        };
        self.callers.remember(map, before, org.clone(), all.clone());
        Ok(all)
    }

    async fn gather_flows(
        &self,
        workspaces: Vec<Workspace>,
        revisions: &BTreeMap<WorkspaceId, i64>,
        known: Option<&OrgFlows>,
    ) -> Result<OrgFlows, Fault> {
        let several = workspaces.len() > 1;
        let mut all = OrgFlows {
            several,
            ..OrgFlows::default()
        };
        for workspace in workspaces {
            let Some(revision) = revisions.get(&workspace.id) else {
                continue;
            };
            let before = known.and_then(|known| known.rooms.get(&workspace.id));
            let room = match before {
                Some(room) if room.revision == *revision && room.slug == workspace.slug => {
                    room.clone()
                }
                _ => Arc::new(
                    self.gather_room(&workspace, *revision, before.map(|room| &room.flows))
                        .await?,
                ),
            };
            let prefix = several.then_some(&*workspace.slug);
            for ready in room.flows.values() {
                all.all.add(ready, prefix);
            }
            all.rooms.insert(workspace.id, room);
        }
        Ok(all)
    }

    async fn gather_room(
        &self,
        workspace: &Workspace,
        revision: i64,
        known: Option<&BTreeMap<String, Arc<Ready>>>,
    ) -> Result<Room, Fault> {
        let mut room = Room {
            slug: workspace.slug.clone(),
            revision,
            flows: BTreeMap::new(),
            view: View::default(),
            servers: BTreeMap::new(),
        };
        let on = self
            .store
            .flow_servers(&workspace.org, &workspace.id)
            .await?;
        for flow in self.store.flows(&workspace.org, &workspace.id).await? {
            if !flow.enabled {
                continue;
            }
            let same = known
                .and_then(|known| known.get(&flow.name))
                .filter(|ready| ready.flow == flow)
                .cloned();
            let ready = match same {
                Some(ready) => Some(ready),
                None => self.made_ready(flow).await?,
            };
            if let Some(ready) = ready {
                room.view.add(&ready, None);
                for server in on.get(&ready.flow.id).into_iter().flatten() {
                    let shown = room.servers.entry(server.clone()).or_default();
                    shown.view.add(&ready, None);
                }
                room.flows.insert(ready.flow.name.clone(), ready);
            }
        }
        Ok(room)
    }

    /// A flow in the version that it names; none when its text is no flow to this program any more. That
    /// of the shelf where it is the same.
    pub(super) async fn flow_ready(&self, flow: &Flow) -> Result<Option<Arc<Ready>>, Fault> {
        let all = self.flows_of_org(&flow.org).await?;
        let known = all
            .named(&flow.workspace, &flow.name)
            .filter(|ready| (&ready.flow.id, ready.flow.version) == (&flow.id, flow.version));
        match known {
            Some(ready) => Ok(Some(ready.clone())),
            None => self.made_ready(flow.clone()).await,
        }
    }

    /// A flow in its current version; none when its text is no flow to this program any more.
    async fn made_ready(&self, flow: Flow) -> Result<Option<Arc<Ready>>, Fault> {
        let version = self
            .store
            .flow_version(&flow.org, &flow.id, flow.version)
            .await?;
        // It was changed at this moment: the next look finds it.
        let Some(version) = version else {
            return Ok(None);
        };
        let source = version.source;
        let read = reading::off_the_threads(move || reading::prepared(&source));
        match read.await? {
            Ok(prepared) => Ok(Some(Arc::new(Ready::new(flow, prepared)))),
            Err(problems) => {
                let first = problems.first().map(ToString::to_string);
                tracing::warn!(flow = %flow.id, version = flow.version, problem = first, "a flow was left out");
                Ok(None)
            }
        }
    }
}

impl OrgFlows {
    /// Whether nothing changed since: workspaces, their slugs, and what is in them.
    fn is_of(&self, workspaces: &[Workspace], revisions: &BTreeMap<WorkspaceId, i64>) -> bool {
        let with_flows = workspaces
            .iter()
            .filter(|workspace| revisions.contains_key(&workspace.id));
        self.several == (workspaces.len() > 1)
            && with_flows.clone().count() == self.rooms.len()
            && with_flows.clone().all(|workspace| {
                self.rooms.get(&workspace.id).is_some_and(|room| {
                    room.slug == workspace.slug
                        && Some(&room.revision) == revisions.get(&workspace.id)
                })
            })
    }
}

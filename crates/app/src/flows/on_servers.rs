//! Flows whose tools hosted servers have as well: which servers a text means, and who shows what.
//!
//! A text names them, and a save remembers which ones they are: another server that is called the same
//! later shows nothing that was not saved for it.

use super::shelf::OrgFlows;
use super::{FlowInFull, reading};
use crate::App;
use crate::actor::Actor;
use crate::picking::cost;
use quaymaster_core::Fault;
use quaymaster_core::id::{OrgId, ServerId, WorkspaceId};
use quaymaster_core::schema::shorten;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::tool::ToolDef;
use quaymaster_flows::format::{self, Trigger};
use quaymaster_flows::load::{Problem, Text, saved};
use quaymaster_store::flow::Flow;
use quaymaster_store::server::{Mode, Server};

/// The servers besides `/mcp` that have a flow's tool, while the flow is on.
#[derive(Debug, Clone, Default)]
pub struct FlowServers {
    /// Newest first.
    pub shown: Vec<Server>,
    /// What its text names and what is none of them: a server that is gone or is called otherwise by
    /// now, or that came after the flow was saved.
    pub unknown: Vec<String>,
}

/// A flow that a hosted server shows.
#[derive(Debug, Clone)]
pub struct ServerFlow {
    pub flow: Flow,
    /// As agents see it.
    pub def: ToolDef,
}

/// The servers that a text names.
#[derive(Default)]
pub(super) struct Named {
    pub(super) servers: Vec<ServerId>,
    /// What is wrong with others, by their places in the list.
    wrong: Vec<(usize, String)>,
}

impl Named {
    /// What is wrong, at its places in the text.
    pub(super) async fn problems(
        self,
        flow: &format::Flow,
        source: &str,
    ) -> Result<Vec<Problem>, Fault> {
        if self.wrong.is_empty() {
            return Ok(Vec::new());
        }
        let is_tool = |trigger: &Trigger| matches!(trigger, Trigger::McpTool(_));
        let trigger = flow.triggers.iter().position(is_tool).unwrap_or_default();
        let source = source.to_owned();
        reading::off_the_threads(move || {
            let text = Text::new(&source, "");
            let placed = self.wrong.into_iter().map(|(index, message)| {
                let (trigger, index) = (trigger.to_string(), index.to_string());
                let at = ["triggers", &trigger, "mcp_tool", "servers", &index];
                text.problem_at(&at, message)
            });
            placed.collect()
        })
        .await
    }
}

/// The names of servers that a flow's trigger has.
fn names(flow: &format::Flow) -> &[String] {
    let tool = flow.tool();
    tool.map(|tool| tool.servers.as_slice()).unwrap_or_default()
}

/// The one server of a workspace that a name or id means, or why there is none.
fn meant<'a>(all: &'a [Server], named: &str) -> Result<&'a Server, String> {
    if let Some(server) = all.iter().find(|server| server.id.as_str() == named) {
        return Ok(server);
    }
    let mut called = all.iter().filter(|server| server.name == named);
    let shown = shorten(named);
    match (called.next(), called.next()) {
        (Some(server), None) => Ok(server),
        (Some(_), Some(_)) => Err(format!(
            "Several servers of the workspace are called {shown:?}. Write the id of the one that is meant."
        )),
        (None, _) => {
            let known = all.iter().map(|server| server.name.as_str());
            let close = did_you_mean(named, known, 1);
            let close = close
                .first()
                .map_or_else(String::new, |name| format!(" Did you mean {name:?}?"));
            Err(format!(
                "The workspace has no hosted server {shown:?}.{close}"
            ))
        }
    }
}

impl App {
    /// Which servers of a workspace a flow names.
    pub(super) async fn servers_named(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        flow: &format::Flow,
    ) -> Result<Named, Fault> {
        let mut named = Named::default();
        if names(flow).is_empty() {
            return Ok(named);
        }
        let all = self.store.servers(org, Some(workspace)).await?;
        for (index, name) in names(flow).iter().enumerate() {
            match meant(&all, name) {
                Ok(server) if named.servers.contains(&server.id) => {}
                Ok(server) => named.servers.push(server.id.clone()),
                Err(message) => named.wrong.push((index, message)),
            }
        }
        Ok(named)
    }

    /// The servers that have a flow's tool, and what its text names in vain.
    pub async fn servers_of_flow(
        &self,
        actor: &Actor,
        full: &FlowInFull,
    ) -> Result<FlowServers, Fault> {
        let flow = &full.flow;
        let on = self.store.flow_servers(&actor.org, &flow.workspace).await?;
        let on = on.get(&flow.id).map(Vec::as_slice).unwrap_or_default();
        let source = full.current.source.clone();
        let text = reading::off_the_threads(move || saved(&source)).await?;
        let named = text.as_ref().map(names).unwrap_or_default();
        if on.is_empty() && named.is_empty() {
            return Ok(FlowServers::default());
        }
        let mut all = self
            .store
            .servers(&actor.org, Some(&flow.workspace))
            .await?;
        let is_shown = |name: &&String| meant(&all, name).is_ok_and(|one| on.contains(&one.id));
        let unknown = named.iter().filter(|name| !is_shown(name));
        let unknown = unknown.cloned().collect();
        all.retain(|server| on.contains(&server.id));
        Ok(FlowServers {
            shown: all,
            unknown,
        })
    }

    /// The first flows that a server shows, by name, at most so many; and how many there are.
    pub async fn server_flows(
        &self,
        actor: &Actor,
        server: &Server,
        most: usize,
    ) -> Result<(Vec<ServerFlow>, usize), Fault> {
        let all = self.flows_of_org(&actor.org).await?;
        let shown = || all.on_server(&server.workspace, &server.id);
        let first = shown().take(most).map(|offered| ServerFlow {
            flow: offered.ready.flow.clone(),
            def: offered.def.clone(),
        });
        Ok((first.collect(), shown().count()))
    }

    /// A page of what agents see of a server and what fits, companions and flows too; and how many fit.
    pub async fn server_surface(
        &self,
        actor: &Actor,
        id: &ServerId,
        fits: impl Fn(&ToolDef) -> bool,
        most: usize,
        offset: usize,
    ) -> Result<(Vec<ToolDef>, usize), Fault> {
        let server = self.server(actor, id).await?;
        let hosted = self.hosted(&actor.org, id).await?;
        let flows = match server.mode {
            Mode::Tools => self.flow_tools_of(&*self.flows_of_org(&actor.org).await?, &server),
            Mode::Code => Vec::new(),
        };
        let (mut page, mut fitting) = (Vec::new(), 0);
        for def in hosted.listed.iter().chain(&flows).filter(|def| fits(def)) {
            if fitting >= offset && page.len() < most {
                page.push(def.clone());
            }
            fitting += 1;
        }
        Ok((page, fitting))
    }

    /// What the flows of a server add to its list, `get_run` too where some take long.
    pub(crate) fn flow_tools_of(&self, all: &OrgFlows, server: &Server) -> Vec<ToolDef> {
        let get_run = &self.toolsets.get_run.def;
        let defs = all.defs_on_server(&server.workspace, &server.id, get_run);
        defs.cloned().collect()
    }

    /// How many those are, and what they cost a model that reads the list.
    pub(crate) fn flow_cost_of(&self, all: &OrgFlows, server: &Server) -> (usize, usize) {
        let get_run = &self.toolsets.get_run.def;
        let count = all.defs_on_server(&server.workspace, &server.id, get_run);
        let shown = || all.on_server(&server.workspace, &server.id);
        let (count, own) = (count.count(), shown().count());
        let tokens: usize = shown().map(|offered| offered.tokens()).sum();
        let has_get_run = count > own;
        (
            count,
            tokens + if has_get_run { cost([get_run]) } else { 0 },
        )
    }
}

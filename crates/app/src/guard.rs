//! The guard: every tool call, by whatever way it came, passes here, in this order: authenticate →
//! rate limit → scope and tool list → input schema → approval → daily cap → run → audit.
//!
//! Authentication happened when the [`Caller`] was made.

use crate::App;
use crate::actions::Acting;
use crate::admit::last;
use crate::flows::shelf::{Offered, OrgFlows};
use crate::hosted::{Hosted, HostedTool};
use crate::toolsets::hosted::Calling;
use crate::toolsets::{Tool, code, flows, hosted};
use quaymaster_core::caller::{Presented, Refusal};
use quaymaster_core::door::{About, ChangeFeed, Door, Fut, Listed};
use quaymaster_core::fault::UNKNOWN_TOOL;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::resource::{Contents, ResourceDef, SkillDef, TemplateDef};
use quaymaster_core::schema::shorten;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::tool::{Call, Era, Outcome, Source, ToolDef};
use quaymaster_core::{Caller, Code, Fault, Scope};
use quaymaster_store::call::CallRow;
use quaymaster_store::server::Mode;
use quaymaster_store::workspace::Workspace;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant as Monotonic;

/// A call that passed the guard. Only this module makes one, so no toolset can be reached around
/// it.
pub struct Admitted {
    caller: Arc<Caller>,
    call: Call,
    workspace: Arc<Workspace>,
    trace: Trace,
}

/// What a call reached outside, for its audit row.
#[derive(Clone, Default)]
pub(crate) struct Trace(Arc<Mutex<Reached>>);

#[derive(Default)]
struct Reached {
    accounts: Vec<String>,
    status: Option<u16>,
}

impl Trace {
    /// Notes that a connected account was used, and what its service answered.
    pub(crate) fn reached(&self, account: String, status: Option<u16>) {
        let mut reached = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !reached.accounts.contains(&account) && reached.accounts.len() < MOST_ACCOUNTS {
            reached.accounts.push(account);
        }
        reached.status = status.or(reached.status);
    }
}

/// Told of one call.
const MOST_ACCOUNTS: usize = 100;

impl Admitted {
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    /// The workspace whose files the caller reaches, or the one that its calls count to.
    pub(crate) fn workspace(&self) -> &Arc<Workspace> {
        &self.workspace
    }

    /// Notes for the audit that a connected account was used, and what its service answered.
    pub(crate) fn reached(&self, account: String, status: Option<u16>) {
        self.trace.reached(account, status);
    }

    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }
}

/// In the details of a refusal by the rate limit.
const LIMITED: &str = "calls_per_second";

enum Approval {
    Allowed,
}

impl App {
    /// Runs a call as its own task: a client that goes away does not stop it.
    pub(crate) async fn call_guarded(
        &self,
        caller: &Caller,
        call: Call,
        acting: Option<Arc<Acting>>,
    ) -> Result<Outcome, Fault> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let (app, caller) = (self.clone(), Arc::new(caller.clone()));
        self.tasks.spawn(async move {
            let begun = Monotonic::now();
            let mut row = row_of(&caller, &call);
            let answer = app.admit_and_run(caller, call, acting, &mut row).await;
            row.duration_us = i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX);
            if let Err(fault) = &answer {
                fault.code.name().clone_into(&mut row.outcome);
                if fault.has_detail(UNKNOWN_TOOL) {
                    "error".clone_into(&mut row.protocol);
                }
            }
            let limited = matches!(&answer, Err(fault) if fault.has_detail(LIMITED));
            if sender.send(answer).is_err() {
                "dropped".clone_into(&mut row.transport);
            }
            if limited {
                // A row each would be the very flood that the limit stops.
                tracing::debug!(credential = %row.credential, "calls are limited");
                return;
            }
            app.audit(row).await;
        });
        // The task panicked: its answer is lost, the server goes on.
        receiver.await.unwrap_or_else(|_| Err(Fault::internal()))
    }

    async fn admit_and_run(
        &self,
        caller: Arc<Caller>,
        call: Call,
        acting: Option<Arc<Acting>>,
        row: &mut CallRow,
    ) -> Result<Outcome, Fault> {
        // Ahead of the checks: refused calls cost something, too.
        self.rates.one_more(&caller.credential)?;
        let tool = match &acting {
            Some(acting) => Found::Acting(acting),
            None => self.find_tool(&caller, &call).await?,
        };
        tool.check(self, &caller, &call).await?;
        match Self::approval(&caller, &call) {
            Approval::Allowed => {}
        }
        let of_hosted = caller.hosted().map(|(_, workspace)| workspace);
        let of = of_hosted.or(caller.flows().map(|(workspace, _)| workspace));
        let of = acting
            .as_ref()
            .map(|acting| &acting.hosted.server.workspace)
            .or(of);
        let of = tool.workspace().or(of);
        let workspace = match of.or(caller.files()) {
            Some(workspace) => self.believed_workspace(&caller.org, workspace).await?,
            None => self.first_workspace(&caller.org).await?,
        };
        row.workspace = Some(workspace.id.clone());
        self.count_call(&workspace).await?;
        let trace = Trace::default();
        let admitted = Admitted {
            caller,
            call,
            workspace,
            trace: trace.clone(),
        };
        let answer = tool.run(self, admitted).await;
        let reached = trace.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !reached.accounts.is_empty() {
            row.accounts = Some(reached.accounts.join(","));
            row.upstream_status = reached.status.map(i64::from);
        }
        if let (Found::BuiltIn(tool), Ok(outcome)) = (&tool, &answer) {
            row.files = self.files_changed(&tool.def, outcome);
        }
        answer
    }

    /// Whether somebody must approve the call first. There are no policies that ask for it yet.
    fn approval(_caller: &Caller, _call: &Call) -> Approval {
        Approval::Allowed
    }

    async fn find_tool(&self, caller: &Caller, call: &Call) -> Result<Found<'_>, Fault> {
        let name = call.tool.as_str();
        let Some((server, _)) = caller.hosted() else {
            // What was not ticked is as if it were not there.
            let picked = |tool: &&Tool| caller.picks(&tool.def.name);
            if let Some(tool) = self.toolsets.find(caller, name).filter(picked) {
                return Ok(Found::BuiltIn(tool));
            }
            let flows = self.flows_for(caller).await?;
            if let Some(found) = self.find_flow(&flows, caller, name) {
                return Ok(found);
            }
            let built_in = self.toolsets.listed(caller);
            let known = built_in.iter().filter(|def| caller.picks(&def.name));
            let known = known.chain(flows.listed(caller));
            let close = did_you_mean(name, known.map(|def| &*def.name), 3);
            return Err(no_tool(name, &close));
        };
        let hosted = self.hosted(&caller.org, server).await?;
        // In code mode, the tools behind the three are for programs.
        let by_name = hosted.server.mode == Mode::Tools || call.source == Source::Code;
        if by_name && let Some(index) = hosted.index_of(name) {
            return Ok(Found::Hosted(hosted, index));
        }
        if hosted.server.mode == Mode::Code
            && call.source != Source::Code
            && let Some(tool) = self.toolsets.code.find(name)
        {
            return Ok(Found::Code(hosted, tool));
        }
        let flows = self.flows_for(caller).await?;
        if by_name && let Some(found) = self.find_flow(&flows, caller, name) {
            return Ok(found);
        }
        let known = hosted.tools.iter().map(|tool| &tool.def);
        let known = known.chain(flows.listed(caller));
        let close = did_you_mean(name, known.map(|def| &*def.name), 3);
        Err(no_tool(name, &close))
    }

    /// One of the caller's flows, or `get_run` where some take long.
    fn find_flow(&self, flows: &OrgFlows, caller: &Caller, name: &str) -> Option<Found<'_>> {
        if let Some(offered) = flows.find(caller, name) {
            return Some(Found::Flow(offered));
        }
        let get_run = &self.toolsets.get_run;
        let is_meant = get_run.def.name == name && caller.picks(name) && flows.has_later(caller);
        is_meant.then_some(Found::BuiltIn(get_run))
    }

    /// A list with the caller's flows behind it, and `get_run` where some take long.
    fn with_flows(&self, own: Arc<[ToolDef]>, flows: &OrgFlows, caller: &Caller) -> Arc<[ToolDef]> {
        let mut listed = flows.listed(caller).peekable();
        if listed.peek().is_none() {
            return own;
        }
        let get_run = flows.has_later(caller).then(|| &self.toolsets.get_run.def);
        let get_run = get_run.filter(|_| caller.scopes.has(Scope::ReadTools));
        let get_run = get_run.filter(|def| caller.picks(&def.name));
        own.iter().chain(listed).chain(get_run).cloned().collect()
    }
}

/// The tool that a call means, with what the guard needs to admit it.
enum Found<'a> {
    BuiltIn(&'a Tool),
    Hosted(Arc<Hosted>, usize),
    Code(Arc<Hosted>, &'a code::Tool),
    /// One action that the management API was asked for, which has a scope of its own.
    Acting(&'a Acting),
    Flow(Arc<Offered>),
}

impl Found<'_> {
    /// The workspace that calls count to, where the tool says it.
    fn workspace(&self) -> Option<&WorkspaceId> {
        match self {
            Found::Flow(offered) => Some(offered.workspace()),
            _ => None,
        }
    }

    /// Scope and input schema.
    async fn check(&self, app: &App, caller: &Caller, call: &Call) -> Result<(), Fault> {
        match self {
            Found::BuiltIn(tool) => {
                tool.needs.before_reading(caller)?;
                tool.checker.check(&call.args)?;
                tool.needs.of_call(app, caller, call).await
            }
            Found::Hosted(hosted, index) => {
                let tool = &hosted.tools[*index];
                caller.needs(tool.scope())?;
                tool.check(hosted, &call.args)
            }
            Found::Code(_, tool) => {
                // Whoever may only read may run a program, too: each of its calls is asked.
                caller.needs(Scope::ReadTools)?;
                tool.checker.check(&call.args)
            }
            Found::Acting(acting) => {
                caller.needs(Scope::ConnectorGateway)?;
                acting.hosted.tools[acting.index].check(&acting.hosted, &call.args)
            }
            Found::Flow(offered) => {
                caller.needs(offered.scope())?;
                offered.check(&call.args)
            }
        }
    }

    async fn run(&self, app: &App, admitted: Admitted) -> Result<Outcome, Fault> {
        match self {
            Found::BuiltIn(tool) => tool.run(app, admitted).await,
            Found::Hosted(hosted, index) => {
                let end_user = admitted.caller.end_user().cloned();
                let calling = Calling {
                    hosted,
                    tool: &hosted.tools[*index],
                    connection: None,
                    end_user: end_user.as_ref(),
                    idempotency_key: None,
                };
                hosted::run(app, &admitted, &calling)
                    .await
                    .map(Outcome::Done)
            }
            Found::Acting(acting) => {
                let calling = Calling {
                    hosted: &acting.hosted,
                    tool: &acting.hosted.tools[acting.index],
                    connection: acting.connection.as_ref(),
                    end_user: acting.end_user.as_ref(),
                    idempotency_key: acting.idempotency_key.as_deref(),
                };
                hosted::run(app, &admitted, &calling)
                    .await
                    .map(Outcome::Done)
            }
            Found::Code(hosted, tool) => code::run(app, admitted, hosted, tool)
                .await
                .map(Outcome::Done),
            Found::Flow(offered) => flows::run(app, &admitted, offered).await.map(Outcome::Done),
        }
    }
}

impl HostedTool {
    pub(crate) fn scope(&self) -> Scope {
        if self.reads {
            Scope::ReadTools
        } else {
            Scope::WriteTools
        }
    }
}

fn no_tool(name: &str, close: &[impl AsRef<str>]) -> Fault {
    let shown = shorten(name);
    Fault::not_found(format!("There is no tool {shown:?}."))
        .detail(UNKNOWN_TOOL, shown)
        .hint("List the tools to see which there are.")
        .meant(close)
}

/// The audit row of a call that goes well; what differs is set when it ends.
fn row_of(caller: &Caller, call: &Call) -> CallRow {
    // What strangers tell of themselves is kept short.
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(64).collect();
    CallRow {
        id: call.ctx.id.clone(),
        org: caller.org.clone(),
        workspace: None,
        credential: caller.principal(),
        user: caller.user().cloned(),
        tool: short(&call.tool),
        source: call.source.name().to_owned(),
        client: call.ctx.client.as_deref().map(short),
        started_at: call.ctx.started,
        duration_us: 0,
        transport: "answered".to_owned(),
        protocol: "result".to_owned(),
        outcome: "OK".to_owned(),
        accounts: None,
        upstream_status: None,
        files: Vec::new(),
    }
}

impl Door for App {
    fn admit(&self, presented: Presented) -> Fut<'_, Result<Caller, Refusal>> {
        Box::pin(self.admit_presented(presented))
    }

    fn about(&self, caller: &Caller) -> About {
        About {
            name: self.settings.server_name.clone(),
            title: self.settings.server_title.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instructions: self.toolsets.instructions(caller),
            offers: App::offers(caller),
        }
    }

    fn tools<'a>(&'a self, caller: &'a Caller) -> Fut<'a, Result<Arc<[ToolDef]>, Fault>> {
        Box::pin(async move {
            let lists = [Scope::ReadTools, Scope::WriteTools, Scope::ReadData];
            if !lists.iter().any(|scope| caller.scopes.has(*scope)) {
                return Err(Fault::new(
                    Code::ScopeDenied,
                    "Listing tools needs the scope read:tools, write:tools or read:data.",
                ));
            }
            let Some((server, _)) = caller.hosted() else {
                let mut built_in = self.toolsets.listed(caller);
                if caller.tools.is_some() {
                    let picked = built_in.iter().filter(|def| caller.picks(&def.name));
                    built_in = picked.cloned().collect();
                }
                let flows = self.flows_for(caller).await?;
                return Ok(self.with_flows(built_in, &flows, caller));
            };
            let hosted = self.hosted(&caller.org, server).await?;
            if hosted.server.mode == Mode::Code {
                return Ok(hosted.listed.clone());
            }
            let all = caller.scopes.has(Scope::ReadTools) && caller.scopes.has(Scope::WriteTools);
            let own = if all {
                hosted.listed.clone()
            } else {
                let tools = hosted.tools.iter();
                let scoped = tools.filter(|tool| caller.scopes.has(tool.scope()));
                scoped.map(|tool| tool.def.clone()).collect()
            };
            let flows = self.flows_for(caller).await?;
            Ok(self.with_flows(own, &flows, caller))
        })
    }

    fn call<'a>(&'a self, caller: &'a Caller, call: Call) -> Fut<'a, Result<Outcome, Fault>> {
        Box::pin(self.call_guarded(caller, call, None))
    }

    fn resources<'a>(
        &'a self,
        caller: &'a Caller,
        era: Era,
        cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<ResourceDef>, Fault>> {
        Box::pin(self.resources_of(caller, era, cursor))
    }

    fn templates<'a>(
        &'a self,
        caller: &'a Caller,
        _: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<TemplateDef>, Fault>> {
        Box::pin(self.templates_of(caller))
    }

    fn read<'a>(
        &'a self,
        caller: &'a Caller,
        uri: &'a str,
    ) -> Fut<'a, Result<Vec<Contents>, Fault>> {
        Box::pin(self.read_resource(caller, uri))
    }

    fn skills<'a>(
        &'a self,
        caller: &'a Caller,
        cursor: Option<&'a str>,
    ) -> Fut<'a, Result<Listed<SkillDef>, Fault>> {
        Box::pin(self.skill_entries(caller, cursor))
    }

    fn skill<'a>(&'a self, caller: &'a Caller, uri: &'a str) -> Fut<'a, Result<SkillDef, Fault>> {
        Box::pin(self.skill_entry(caller, uri))
    }

    fn changes(&self, caller: &Caller) -> Box<dyn ChangeFeed> {
        self.feed(caller)
    }

    fn presented_ends(&self, caller: &Caller) -> Fut<'static, ()> {
        self.end_of_access(caller)
    }

    fn step_up(&self, caller: &Caller, tool: &str) -> Option<Refusal> {
        let fault = match caller.hosted() {
            Some((server, _)) => {
                let hosted = last(&self.callers.servers, server)?;
                let known = hosted.server.mode == Mode::Tools && hosted.server.org == caller.org;
                let index = known.then(|| hosted.index_of(tool)).flatten()?;
                caller.needs(hosted.tools[index].scope()).err()?
            }
            None => {
                let tool = self.toolsets.find(caller, tool)?;
                // What was not ticked is not had by more scopes either.
                caller.picks(&tool.def.name).then_some(())?;
                tool.needs.before_reading(caller).err()?
            }
        };
        Some(self.too_narrow(caller, fault))
    }
}

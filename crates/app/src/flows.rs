//! Flows of a workspace: steps as data that become tools.
//!
//! A save makes a new version or nothing: the text is read strictly, every expression is compiled, and
//! the flow's own tests run with made-up answers before anything is stored. The version before stays
//! what runs until the transaction that moves the pointer has committed, and a run that began with it
//! ends with it.
//!
//! - `reading`, `saving`: from a text to a version; `renaming`: whether one may have another name; [`secrets`]
//! - `shelf`: what is switched on, as its callers see it; `as_tool`: one of them; `on_servers`: which hosted servers have it as well; `in_programs`:
//!   what their programs read about it
//! - `queue`: runs that are begun by whoever is free
//! - `running`: one run, over `host`, the port of the interpreter: `expressions`, `http`, `services`, `python`, `vault`, `rates`;
//!   `journal`: what its steps did; `kept`: how much of that is kept; [`runs`]: who reads it
//! - `durable`: runs of the queue, which go on after a crash; `doing`: whether one only waits; `schedule`, [`webhooks`]: what starts flows besides
//!   calls
//! - `outline`, `uses`: for people who look at flows
//! - [`trying`]: a run by hand, with answers that are made up or real

mod as_tool;
mod doing;
mod durable;
mod ends;
mod expressions;
mod host;
mod http;
pub(crate) mod in_programs;
mod journal;
mod kept;
mod on_servers;
mod outline;
mod python;
pub(crate) mod queue;
mod rates;
mod reading;
mod renaming;
pub(crate) mod running;
pub mod runs;
mod saving;
mod schedule;
pub mod secrets;
mod services;
pub(crate) mod shelf;
mod together;
pub mod trying;
mod uses;
mod vault;
pub mod webhooks;

pub use on_servers::{FlowServers, ServerFlow};
pub use outline::{FlowExample, FlowOutline, OutlineList, OutlineStep, outline};
pub use quaymaster_flows::load::MOST_BYTES as MOST_TEXT;
pub use quaymaster_flows::step_form;
pub use quaymaster_store::flow::{Flow, FlowVersion};
pub use reading::{Checked, TestOutcome};
pub use saving::{Saved, SavedAs};
pub use uses::FlowUse;

pub(crate) use ends::{RunEnds, run_ends};
pub(crate) use expressions::OfTests;
pub(crate) use queue::{OpenRuns, Watched, new_runs};
pub(crate) use rates::FlowRates;
pub(crate) use reading::{failed_tests, in_time, off_the_threads, wrong};
pub(crate) use running::{Past, RunLimits, Starting, past_runs};
pub(crate) use saving::digest;
pub(crate) use together::Together;

use crate::App;
use crate::actor::{Actor, Admin};
use quaymaster_core::id::{FlowId, OrgId, WorkspaceId};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault};
use quaymaster_store::Tx;
use serde_json::json;
use std::collections::BTreeMap;

/// A flow with its current version.
#[derive(Debug, Clone)]
pub struct FlowInFull {
    pub flow: Flow,
    pub current: FlowVersion,
}

/// The JSON Schema of the format, as text.
pub fn format_schema() -> String {
    quaymaster_flows::published::text()
}

fn no_version(version: i64) -> Fault {
    Fault::not_found(format!("The flow has no version {version}."))
        .hint("List its versions; the last 100 are kept.")
}

impl App {
    /// By name.
    pub async fn flows(&self, actor: &Actor, workspace: &WorkspaceId) -> Result<Vec<Flow>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        Ok(self.store.flows(&actor.org, workspace).await?)
    }

    /// Names of flows that runs are of. Deleted ones have none.
    pub async fn flow_names(
        &self,
        org: &OrgId,
        flows: impl IntoIterator<Item = FlowId>,
    ) -> Result<BTreeMap<FlowId, String>, Fault> {
        let ids = flows.into_iter().collect();
        let known = self.store.flow_names(org, &ids).await?;
        Ok(known.into_iter().collect())
    }

    /// A page of those with the words in their name, title or tool, or of all, by name; and how many there
    /// are in all pages.
    pub async fn flows_page(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Flow>, i64), Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let page = self
            .store
            .flows_page(&actor.org, workspace, words, limit, offset);
        Ok(page.await?)
    }

    pub async fn flow(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        named: &str,
    ) -> Result<FlowInFull, Fault> {
        let flow = self.flow_named(actor, workspace, named).await?;
        let current = self
            .store
            .flow_version(&actor.org, &flow.id, flow.version)
            .await?;
        let current = current.ok_or_else(|| no_version(flow.version))?;
        Ok(FlowInFull { flow, current })
    }

    /// A flow of the workspace by its id or name.
    pub(crate) async fn flow_named(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        named: &str,
    ) -> Result<Flow, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let found = match named.parse::<FlowId>() {
            Ok(id) => self.store.flow(&actor.org, &id).await?,
            Err(_) => self.store.flow_named(&actor.org, workspace, named).await?,
        };
        if let Some(flow) = found.filter(|flow| flow.workspace == *workspace) {
            return Ok(flow);
        }
        let all = self.store.flows(&actor.org, workspace).await?;
        let close = did_you_mean(named, all.iter().map(|flow| &*flow.name), 3);
        let shown = quaymaster_core::schema::shorten(named);
        Err(
            Fault::not_found(format!("The workspace has no flow {shown:?}."))
                .hint("List the flows to see which there are.")
                .meant(&close),
        )
    }

    /// Newest first, without their texts.
    pub async fn flow_versions(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        named: &str,
    ) -> Result<Vec<FlowVersion>, Fault> {
        let flow = self.flow_named(actor, workspace, named).await?;
        Ok(self.store.flow_versions(&actor.org, &flow.id).await?)
    }

    pub async fn flow_version(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        named: &str,
        version: i64,
    ) -> Result<FlowVersion, Fault> {
        let flow = self.flow_named(actor, workspace, named).await?;
        let found = self
            .store
            .flow_version(&actor.org, &flow.id, version)
            .await?;
        found.ok_or_else(|| no_version(version))
    }

    /// Makes an older version the one that runs, with the name that the flow had in it. Versions after it
    /// stay.
    pub async fn roll_flow_back(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        named: &str,
        version: i64,
    ) -> Result<FlowInFull, Fault> {
        let flow = self.flow_named(admin, workspace, named).await?;
        let old = self
            .store
            .flow_version(&admin.org, &flow.id, version)
            .await?
            .ok_or_else(|| no_version(version))?;
        let prepared = reading::prepared(&old.source).map_err(|problems| {
            reading::wrong("flow", &problems).hint(
                "This version was written for an older program. Mend its text and save it anew.",
            )
        })?;
        self.check_name(&flow, prepared.flow()).await?;
        let name = &prepared.flow().flow;
        // Going back is for when something is wrong, so servers that are gone do not stop it.
        let meant = self.servers_named(&admin.org, workspace, prepared.flow());
        let servers = meant.await?.servers;
        let mut tx = self.store.begin().await?;
        let moved = tx.set_flow_version(&flow, name, version, self.now()).await;
        match moved {
            Ok(true) => {}
            Ok(false) => return Err(changed_meanwhile(flow.version)),
            Err(error) => {
                return Err(crate::wired::duplicate_or(error, || {
                    saving::tool_taken(prepared.flow())
                }));
            }
        }
        self.set_triggers(&mut tx, &flow, flow.enabled, prepared.flow())
            .await?;
        tx.set_flow_servers(&flow, &servers).await?;
        let details = json!({ "flow": flow.id, "name": name, "version": version });
        let details = renaming::renamed(details, &flow.name, name);
        self.record_flow(&mut tx, admin, workspace, "flow.rolled_back", details)
            .await?;
        tx.commit().await?;
        self.changed().await;
        self.flow(admin, workspace, flow.id.as_str()).await
    }

    pub async fn enable_flow(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        named: &str,
        enabled: bool,
    ) -> Result<FlowInFull, Fault> {
        let full = self.flow(admin, workspace, named).await?;
        let flow = &full.flow;
        let mut tx = self.store.begin().await?;
        if tx.enable_flow(flow, enabled, self.now()).await? {
            if let Ok(prepared) = reading::prepared(&full.current.source) {
                self.set_triggers(&mut tx, flow, enabled, prepared.flow())
                    .await?;
            }
            let action = if enabled {
                "flow.enabled"
            } else {
                "flow.disabled"
            };
            let details = json!({ "flow": flow.id, "name": flow.name });
            self.record_flow(&mut tx, admin, workspace, action, details)
                .await?;
            tx.commit().await?;
            self.changed().await;
        }
        // It may have got another name meanwhile.
        self.flow(admin, workspace, flow.id.as_str()).await
    }

    /// With its versions and runs. Runs that are under way end as they would have.
    pub async fn delete_flow(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        named: &str,
    ) -> Result<Flow, Fault> {
        let flow = self.flow_named(admin, workspace, named).await?;
        let mut tx = self.store.begin().await?;
        if !tx.delete_flow(&flow).await? {
            return Err(Fault::not_found("The flow is gone already."));
        }
        let details = json!({ "flow": flow.id, "name": flow.name, "version": flow.version });
        self.record_flow(&mut tx, admin, workspace, "flow.deleted", details)
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(flow)
    }

    async fn record_flow(
        &self,
        tx: &mut Tx,
        admin: &Admin,
        workspace: &WorkspaceId,
        action: &str,
        details: serde_json::Value,
    ) -> Result<(), Fault> {
        let mut event = self.event(&admin.org, &admin.label, action, details);
        event.workspace = Some(workspace.clone());
        tx.record(&event).await?;
        Ok(())
    }
}

fn changed_meanwhile(now: i64) -> Fault {
    Fault::new(
        Code::PreconditionFailed,
        "Somebody else has changed the flow meanwhile.",
    )
    .hint("Read it again, and change it as it is now.")
    .detail("version", now)
}

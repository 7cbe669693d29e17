//! Packs: several flows that come together, with what they share chosen once.
//!
//! What a pack brings is flows like any other: they have versions, can be changed, and say in `vars` what was
//! chosen. A workspace remembers which text each of them was given, so that one that somebody changed by hand is left
//! alone when the pack is written again. Installing is done flow by flow, and what was written is remembered after each:
//! whoever was interrupted installs once more.
//!
//! - `shipped`: the packs in the program; `text`: from a pack to the texts of its flows
//! - `putting`: installing, choosing others, upgrading; `choosing`: what may be chosen

mod choosing;
mod putting;
pub(crate) mod shipped;
mod text;

pub use choosing::PackChoice;
pub use putting::{Became, PutFlow, PutPack};
pub use quaymaster_flows::pack::{Variable, VariableType};
pub use quaymaster_store::installed_pack::InstalledPack;
pub use shipped::Shipped;

use crate::App;
use crate::actor::{Actor, Admin};
use quaymaster_core::Fault;
use quaymaster_core::id::{OrgId, WorkspaceId};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_store::flow::Flow;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// A pack as a workspace sees it.
#[derive(Debug, Clone)]
pub struct PackSeen {
    pub shipped: &'static Shipped,
    pub installed: Option<InstalledPack>,
    /// In the order of the pack.
    pub flows: Vec<PackFlow>,
    /// Secrets of the pack that the workspace has.
    pub secrets: BTreeSet<String>,
}

/// A flow of a pack.
#[derive(Debug, Clone)]
pub struct PackFlow {
    /// In the pack.
    pub name: String,
    /// In the workspace, where it may have got another one; none while the workspace does not have it from
    /// the pack.
    pub own_name: Option<String>,
    pub title: String,
    /// What agents read.
    pub description: String,
    pub read_only: bool,
    pub destructive: bool,
    pub state: PackFlowState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PackFlowState {
    /// The workspace does not have it.
    Absent,
    /// The workspace has another flow of this name.
    Taken,
    /// As the pack has it.
    Same,
    /// As an earlier version of the pack had it.
    Older,
    /// Somebody changed it by hand.
    Changed,
}

impl PackFlowState {
    pub const fn name(self) -> &'static str {
        match self {
            PackFlowState::Absent => "absent",
            PackFlowState::Taken => "taken",
            PackFlowState::Same => "same",
            PackFlowState::Older => "older",
            PackFlowState::Changed => "changed",
        }
    }

    /// Whether the workspace has the flow from the pack.
    pub const fn is_there(self) -> bool {
        matches!(
            self,
            PackFlowState::Same | PackFlowState::Older | PackFlowState::Changed
        )
    }
}

impl PackSeen {
    /// Whether the program has a newer pack than the workspace.
    pub fn is_older(&self) -> bool {
        let Some(installed) = &self.installed else {
            return false;
        };
        installed.version != self.shipped.pack.version
            || self
                .flows
                .iter()
                .any(|flow| flow.state == PackFlowState::Older)
    }
}

/// What became of the flows of a pack that was removed.
#[derive(Debug, Clone, Default)]
pub struct RemovedPack {
    pub deleted: Vec<String>,
    /// Changed by hand; they are flows of the workspace's own now.
    pub kept: Vec<String>,
}

/// A flow of the workspace that the pack gave it, or that has a name of the pack's.
struct Standing {
    flow: Flow,
    /// Of its current text, under the name that it has in the pack.
    digest: String,
}

impl App {
    /// Every pack of the program, by id.
    pub async fn packs(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<PackSeen>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let all = shipped::all()?;
        let mut installed = self.installed_packs(&actor.org, workspace).await?;
        let mut seen = Vec::with_capacity(all.len());
        for pack in all {
            let installed = installed.remove(&pack.pack.id);
            seen.push(
                self.see_pack(&actor.org, workspace, pack, installed)
                    .await?,
            );
        }
        Ok(seen)
    }

    pub async fn pack(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<PackSeen, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let pack = shipped_pack(id)?;
        let mut installed = self.installed_packs(&actor.org, workspace).await?;
        let installed = installed.remove(&pack.pack.id);
        self.see_pack(&actor.org, workspace, pack, installed).await
    }

    /// Takes a pack away: its flows are deleted, but for those that were changed by hand, if they shall be
    /// kept. Secrets stay, since other flows may use them.
    pub async fn remove_pack(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        id: &str,
        keep_changed: bool,
    ) -> Result<RemovedPack, Fault> {
        let seen = self.pack(admin, workspace, id).await?;
        if seen.installed.is_none() {
            return Err(Fault::not_found(format!(
                "The workspace does not have the pack {id:?}."
            )));
        }
        let mut removed = RemovedPack::default();
        for flow in seen.flows {
            let Some(name) = flow.own_name else {
                continue;
            };
            if keep_changed && flow.state == PackFlowState::Changed {
                removed.kept.push(name);
                continue;
            }
            self.delete_flow(admin, workspace, &name).await?;
            removed.deleted.push(name);
        }
        let details = json!({ "pack": id, "deleted": removed.deleted, "kept": removed.kept });
        let mut event = self.event(&admin.org, &admin.label, "pack.removed", details);
        event.workspace = Some(workspace.clone());
        let mut tx = self.store.begin().await?;
        tx.remove_installed_pack(&admin.org, workspace, id).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(removed)
    }

    async fn installed_packs(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<BTreeMap<String, InstalledPack>, Fault> {
        let all = self.store.installed_packs(org, workspace).await?;
        Ok(all.into_iter().map(|one| (one.pack.clone(), one)).collect())
    }

    /// By the name in the pack, the flow of the workspace that the pack gave it, also under another name by
    /// now, or else the one that has this name.
    async fn standing_flows(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        pack: &Shipped,
        installed: Option<&InstalledPack>,
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        let all = self.store.flows(org, workspace).await?;
        let mut standing = BTreeMap::new();
        for name in pack.flows().map(|flow| &flow.flow) {
            let given = installed.and_then(|installed| installed.flows.get(name));
            let given = given.and_then(|given| all.iter().find(|flow| flow.id == given.flow));
            let Some(flow) = given.or_else(|| all.iter().find(|flow| flow.name == *name)) else {
                continue;
            };
            let version = self.store.flow_version(org, &flow.id, flow.version).await?;
            let digest = match version {
                Some(version) if flow.name == *name => version.digest,
                Some(version) => text::digest(&text::named(&version.source, name)),
                None => String::new(),
            };
            let flow = flow.clone();
            standing.insert(name.clone(), Standing { flow, digest });
        }
        Ok(standing)
    }

    async fn see_pack(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        pack: &'static Shipped,
        installed: Option<InstalledPack>,
    ) -> Result<PackSeen, Fault> {
        let standing = self
            .standing_flows(org, workspace, pack, installed.as_ref())
            .await?;
        let vars = installed.as_ref().map(|installed| &installed.vars);
        let flows = pack.flows().map(|flow| {
            let there = standing.get(&flow.flow);
            let given = installed.as_ref().and_then(|one| one.flows.get(&flow.flow));
            let given =
                given.filter(|given| there.is_some_and(|there| there.flow.id == given.flow));
            let state = match (there, given) {
                (None, _) => PackFlowState::Absent,
                (Some(_), None) => PackFlowState::Taken,
                (Some(there), Some(given)) if there.digest != given.digest => {
                    PackFlowState::Changed
                }
                (Some(there), Some(_)) => {
                    let text = pack.text(&flow.flow, vars.unwrap_or(&BTreeMap::new()));
                    if text::digest(&text) == there.digest {
                        PackFlowState::Same
                    } else {
                        PackFlowState::Older
                    }
                }
            };
            let own = there.filter(|_| state.is_there());
            let tool = flow.tool();
            let description = tool.and_then(|tool| tool.description.as_ref());
            let description = description.or(flow.description.as_ref());
            PackFlow {
                name: flow.flow.clone(),
                own_name: own.map(|there| there.flow.name.clone()),
                title: flow.title.clone().unwrap_or_else(|| flow.flow.clone()),
                description: description.cloned().unwrap_or_default().trim().to_owned(),
                read_only: tool.is_some_and(|tool| tool.annotations.read_only_hint),
                destructive: tool.is_some_and(|tool| {
                    tool.annotations.destructive_hint && !tool.annotations.read_only_hint
                }),
                state,
            }
        });
        let flows = flows.collect();
        let wanted: BTreeSet<&str> = pack.secrets().collect();
        let secrets = self.store.flow_secrets(org, workspace).await?;
        let secrets = secrets.into_iter().map(|secret| secret.name);
        Ok(PackSeen {
            shipped: pack,
            installed,
            flows,
            secrets: secrets.filter(|name| wanted.contains(&**name)).collect(),
        })
    }
}

/// A pack of the program.
fn shipped_pack(id: &str) -> Result<&'static Shipped, Fault> {
    let all = shipped::all()?;
    if let Some(found) = all.iter().find(|pack| pack.pack.id == id) {
        return Ok(found);
    }
    let close = did_you_mean(id, all.iter().map(|pack| &*pack.pack.id), 3);
    let shown = quaymaster_core::schema::shorten(id);
    Err(Fault::not_found(format!("There is no pack {shown:?}."))
        .hint("List the packs to see which there are.")
        .meant(&close))
}

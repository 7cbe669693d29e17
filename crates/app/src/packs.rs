//! Packs: several flows that come together, with what they share chosen once.
//!
//! What a pack brings is flows like any other: they have versions, can be changed, and say in `vars` what was
//! chosen. A workspace remembers which text each of them was given, so that one that somebody changed by hand is left
//! alone when the pack is written again. Installing is done flow by flow, and what was written is remembered after each:
//! whoever was interrupted installs once more.
//!
//! - `shipped`: the packs in the program; `own`: those that a workspace was given
//! - `putting`: installing, choosing others, upgrading; `choosing`: what may be chosen

mod choosing;
mod own;
mod putting;
pub(crate) mod shipped;

pub use choosing::PackChoice;
pub use own::AddedPack;
pub use putting::{Became, PutFlow, PutPack};
pub use quaymaster_flows::pack::{PackInFull, PackTested, Variable, VariableType};
pub use quaymaster_store::installed_pack::InstalledPack;

use crate::App;
use crate::actor::{Actor, Admin};
use crate::flows::digest;
use own::Known;
use quaymaster_core::Fault;
use quaymaster_core::id::{OrgId, WorkspaceId};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_flows::pack::named;
use quaymaster_store::flow::Flow;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A pack as a workspace sees it.
#[derive(Debug, Clone)]
pub struct PackSeen {
    /// As it is now: that of the program, or the text that the workspace was given.
    pub full: Arc<PackInFull>,
    /// The workspace was given it.
    pub is_own: bool,
    pub installed: Option<InstalledPack>,
    /// In the order of the pack.
    pub flows: Vec<PackFlow>,
    /// Flows that the workspace has from the pack as it was, and that the pack has no longer.
    pub dropped: Vec<DroppedFlow>,
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
    /// The workspace has the pack and not this flow of it, because somebody left it out or took it away. One that is
    /// new in the pack, or that was not written yet when something went wrong, is none of these.
    pub is_left_out: bool,
}

/// A flow that a pack had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedFlow {
    /// In the pack as it was.
    pub name: String,
    /// In the workspace.
    pub own_name: String,
    /// Somebody changed it by hand.
    pub is_changed: bool,
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
    /// Whether there is a newer pack than the workspace has installed.
    pub fn is_older(&self) -> bool {
        let Some(installed) = &self.installed else {
            return false;
        };
        installed.version != self.full.pack.version
            || !self.dropped.is_empty()
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

/// A flow of the workspace that the pack gave it, also as it was before, or that has a name of the pack's.
struct Standing {
    flow: Flow,
    /// Of its current text, under the name that it has or had in the pack.
    digest: String,
}

/// What a workspace has that packs are compared with.
struct Holds {
    /// Those that some packs brought, or that have a name of theirs.
    flows: Vec<Flow>,
    /// Names.
    secrets: BTreeSet<String>,
    /// By the id of the pack.
    installed: BTreeMap<String, InstalledPack>,
}

impl App {
    /// Every pack of the program, and those that the workspace was given, by id.
    pub async fn packs(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<PackSeen>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let all = self.known_packs(&actor.org, workspace).await?;
        let holds = self.holds(&actor.org, workspace, &all).await?;
        let mut packs = Vec::with_capacity(all.len());
        for pack in all {
            let (seen, _) = self.see_pack(&actor.org, pack, &holds).await?;
            packs.push(seen);
        }
        Ok(packs)
    }

    pub async fn pack(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<PackSeen, Fault> {
        let (seen, _) = self.pack_and_flows(actor, workspace, id).await?;
        Ok(seen)
    }

    /// With the flows that are there of it.
    async fn pack_and_flows(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<(PackSeen, BTreeMap<String, Standing>), Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let Some(pack) = self.known_pack(&actor.org, workspace, id).await? else {
            return Err(self.no_such_pack(&actor.org, workspace, id).await?);
        };
        let one = std::slice::from_ref(&pack);
        let holds = self.holds(&actor.org, workspace, one).await?;
        self.see_pack(&actor.org, pack, &holds).await
    }

    /// Takes a pack away: its flows are deleted, but for those that were changed by hand, if they shall be
    /// kept, and so is the text of one that the workspace was given. Secrets stay, since other flows may use them.
    pub async fn remove_pack(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        id: &str,
        keep_changed: bool,
    ) -> Result<RemovedPack, Fault> {
        let (seen, standing) = self.pack_and_flows(admin, workspace, id).await?;
        if seen.installed.is_none() && !seen.is_own {
            return Err(Fault::not_found(format!(
                "The workspace does not have the pack {id:?}."
            )));
        }
        let mut removed = RemovedPack::default();
        for (name, given) in seen.installed.iter().flat_map(|one| &one.flows) {
            let there = standing.get(name);
            let Some(there) = there.filter(|there| there.flow.id == given.flow) else {
                continue;
            };
            let own_name = there.flow.name.clone();
            if keep_changed && there.digest != given.digest {
                removed.kept.push(own_name);
                continue;
            }
            self.delete_flow(admin, workspace, there.flow.id.as_str())
                .await?;
            removed.deleted.push(own_name);
        }
        let details = json!({ "pack": id, "deleted": removed.deleted, "kept": removed.kept });
        let mut event = self.event(&admin.org, &admin.label, "pack.removed", details);
        event.workspace = Some(workspace.clone());
        let mut tx = self.store.begin().await?;
        tx.remove_installed_pack(&admin.org, workspace, id).await?;
        tx.remove_own_pack(&admin.org, workspace, id).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(removed)
    }

    async fn holds(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        packs: &[Known],
    ) -> Result<Holds, Fault> {
        let secrets = self.store.flow_secrets(org, workspace).await?;
        let installed = self.store.installed_packs(org, workspace).await?;
        let own = packs.iter().flat_map(|known| &known.full.pack.flows);
        let before = installed.iter().flat_map(|one| &one.flows);
        let names = own.map(|flow| &*flow.flow);
        let names = names
            .chain(before.clone().map(|(name, _)| &**name))
            .collect();
        let ids = before.map(|(_, given)| &given.flow).collect();
        let flows = self.store.flows_among(org, workspace, &names, &ids).await?;
        let installed = installed.into_iter();
        Ok(Holds {
            flows,
            secrets: secrets.into_iter().map(|secret| secret.name).collect(),
            installed: installed.map(|one| (one.pack.clone(), one)).collect(),
        })
    }

    /// By the name in the pack, the flow of the workspace that the pack gave it, also under another name by
    /// now, or else the one that has this name. Of names that the pack has no longer, only what it gave.
    async fn standing_flows(
        &self,
        org: &OrgId,
        all: &[Flow],
        full: &PackInFull,
        installed: Option<&InstalledPack>,
    ) -> Result<BTreeMap<String, Standing>, Fault> {
        let flows = full.pack.flows.iter();
        let now: BTreeSet<&String> = flows.map(|flow| &flow.flow).collect();
        let before = installed.into_iter().flat_map(|one| one.flows.keys());
        let names: BTreeSet<&String> = now.iter().copied().chain(before).collect();
        let mut standing = BTreeMap::new();
        for name in names {
            let given = installed.and_then(|installed| installed.flows.get(name));
            let given = given.and_then(|given| all.iter().find(|flow| flow.id == given.flow));
            let is_now = now.contains(name);
            let called = || all.iter().find(|flow| is_now && flow.name == *name);
            let Some(flow) = given.or_else(called) else {
                continue;
            };
            let version = self.store.flow_version(org, &flow.id, flow.version).await?;
            let digest = match version {
                Some(version) if flow.name == *name => version.digest,
                Some(version) => digest(&named(&version.source, name)),
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
        pack: Known,
        holds: &Holds,
    ) -> Result<(PackSeen, BTreeMap<String, Standing>), Fault> {
        let Known { full, is_own } = pack;
        let installed = holds.installed.get(&full.pack.id).cloned();
        let standing = self
            .standing_flows(org, &holds.flows, &full, installed.as_ref())
            .await?;
        let none = BTreeMap::new();
        let vars = installed
            .as_ref()
            .map_or(&none, |installed| &installed.vars);
        let flows = full.pack.flows.iter().map(|flow| {
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
                    if digest(&full.text(&flow.flow, vars)) == there.digest {
                        PackFlowState::Same
                    } else {
                        PackFlowState::Older
                    }
                }
            };
            let is_left_out = !state.is_there()
                && installed.as_ref().is_some_and(|one| {
                    let left_out = one.left_out.as_ref();
                    one.flows.contains_key(&flow.flow)
                        || left_out.is_none_or(|left_out| left_out.contains(&flow.flow))
                });
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
                is_left_out,
            }
        });
        let flows: Vec<PackFlow> = flows.collect();
        let given = installed.iter().flat_map(|one| &one.flows);
        let dropped = given
            .filter(|(name, _)| flows.iter().all(|flow| flow.name != **name))
            .filter_map(|(name, given)| {
                let there = standing.get(name)?;
                Some(DroppedFlow {
                    name: name.clone(),
                    own_name: there.flow.name.clone(),
                    is_changed: there.digest != given.digest,
                })
            });
        let dropped = dropped.collect();
        let secrets = full.secrets().filter(|name| holds.secrets.contains(*name));
        let secrets = secrets.map(str::to_owned).collect();
        let seen = PackSeen {
            full,
            is_own,
            installed,
            flows,
            dropped,
            secrets,
        };
        Ok((seen, standing))
    }

    /// Names packs that are alike.
    async fn no_such_pack(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<Fault, Fault> {
        let all = self.known_packs(org, workspace).await?;
        let close = did_you_mean(id, all.iter().map(|one| &*one.full.pack.id), 3);
        let shown = quaymaster_core::schema::shorten(id);
        let fault = Fault::not_found(format!("There is no pack {shown:?}."));
        Ok(fault
            .hint("List the packs to see which there are.")
            .meant(&close))
    }
}

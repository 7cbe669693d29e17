//! Writing the flows of a pack: at first, with another choice, and in a newer version.

use super::choosing::{chosen_flows, chosen_secrets};
use super::{InstalledPack, PackChoice, PackFlowState, PackSeen, Standing};
use crate::App;
use crate::actor::Admin;
use crate::flows::digest;
use quaymaster_core::id::{FlowId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use quaymaster_flows::pack::named;
use quaymaster_store::installed_pack::GivenFlow;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What writing a pack did.
#[derive(Debug, Clone)]
pub struct PutPack {
    pub pack: PackSeen,
    /// The workspace did not have it.
    pub is_new: bool,
    /// Those that the pack has no longer, then in its order.
    pub flows: Vec<PutFlow>,
}

#[derive(Debug, Clone)]
pub struct PutFlow {
    /// In the pack.
    pub name: String,
    pub became: Became,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    Created,
    Updated,
    Unchanged,
    /// It was changed by hand and stays so.
    Kept,
    Removed,
}

impl Became {
    pub const fn name(self) -> &'static str {
        match self {
            Became::Created => "created",
            Became::Updated => "updated",
            Became::Unchanged => "unchanged",
            Became::Kept => "kept",
            Became::Removed => "removed",
        }
    }
}

/// What has to be done for one flow.
enum Plan {
    Create(String),
    Update(String, FlowId, Replaced),
    /// It has this text already.
    Adopt(String, FlowId),
    Keep,
    /// The same, as a flow of the workspace's own.
    LetGo,
    Remove(FlowId),
}

/// What is there before a flow is written.
struct Replaced {
    /// What the flow is called by now, and stays.
    name: String,
    version: i64,
}

impl App {
    /// Gives the workspace the flows of a pack as it is now, with what was chosen.
    pub async fn put_pack(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        id: &str,
        choice: &PackChoice,
    ) -> Result<PutPack, Fault> {
        let (seen, standing) = self.pack_and_flows(admin, workspace, id).await?;
        let vars = self.chosen_vars(admin, workspace, &seen, choice).await?;
        let chosen = chosen_flows(&seen, choice)?;
        let secrets = chosen_secrets(&seen, choice)?;
        let plans = plans(&seen, choice, &vars, &chosen, &standing)?;
        if plans
            .iter()
            .any(|(_, plan)| matches!(plan, Plan::Remove(_)))
        {
            self.check_texts(admin, workspace, &plans).await?;
        }
        for (name, value) in secrets {
            self.set_flow_secret(admin, workspace, name, value).await?;
        }
        let mut row = self.row(admin, workspace, &seen, vars, &chosen);
        self.begin_pack(admin, &seen, &row).await?;
        let mut done = Vec::new();
        for (name, plan) in plans {
            let became = self
                .carry_out(admin, workspace, &name, plan, &mut row)
                .await
                .map_err(|fault| {
                    fault
                        .detail("flow", name.clone())
                        .detail("done", said(&done))
                })?;
            let mut tx = self.store.begin().await?;
            tx.put_installed_pack(&row).await?;
            tx.commit().await?;
            done.push(PutFlow { name, became });
        }
        Ok(PutPack {
            pack: self.pack(admin, workspace, id).await?,
            is_new: seen.installed.is_none(),
            flows: done,
        })
    }

    /// A flow that is deleted does not come back, so a text that would not be saved is found before.
    async fn check_texts(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        plans: &[(String, Plan)],
    ) -> Result<(), Fault> {
        for (name, plan) in plans {
            let text = match plan {
                Plan::Create(text) => text.clone(),
                Plan::Update(text, _, there) => named(text, &there.name),
                Plan::Adopt(..) | Plan::Keep | Plan::LetGo | Plan::Remove(_) => continue,
            };
            let good = self.good_flow(&admin.org, workspace, &text).await;
            good.map_err(|fault| fault.detail("flow", name.clone()))?;
        }
        Ok(())
    }

    /// The workspace has the pack from now on, whatever becomes of its flows.
    async fn begin_pack(
        &self,
        admin: &Admin,
        seen: &PackSeen,
        row: &InstalledPack,
    ) -> Result<(), Fault> {
        let action = match seen.installed {
            None => "pack.installed",
            Some(_) => "pack.changed",
        };
        let details = json!({ "pack": row.pack, "version": row.version, "variables": row.vars });
        let mut event = self.event(&admin.org, &admin.label, action, details);
        event.workspace = Some(row.workspace.clone());
        let mut tx = self.store.begin().await?;
        tx.put_installed_pack(row).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    fn row(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        seen: &PackSeen,
        vars: BTreeMap<String, String>,
        chosen: &BTreeSet<String>,
    ) -> InstalledPack {
        let before = seen.installed.as_ref();
        let names = seen.flows.iter().map(|flow| &flow.name);
        let left_out = names.filter(|name| !chosen.contains(*name)).cloned();
        InstalledPack {
            org: admin.org.clone(),
            workspace: workspace.clone(),
            pack: seen.full.pack.id.clone(),
            version: seen.full.pack.version.clone(),
            vars,
            flows: before.map(|row| row.flows.clone()).unwrap_or_default(),
            left_out: Some(left_out.collect()),
            made_by: admin.label.clone(),
            installed_at: self.now(),
            updated_at: self.now(),
        }
    }

    async fn carry_out(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        name: &str,
        plan: Plan,
        row: &mut InstalledPack,
    ) -> Result<Became, Fault> {
        let (text, flow, became) = match plan {
            Plan::Keep => return Ok(Became::Kept),
            Plan::LetGo => {
                row.flows.remove(name);
                return Ok(Became::Kept);
            }
            Plan::Remove(flow) => {
                self.delete_flow(admin, workspace, flow.as_str()).await?;
                row.flows.remove(name);
                return Ok(Became::Removed);
            }
            Plan::Adopt(text, flow) => (text, flow, Became::Unchanged),
            Plan::Create(text) => {
                let made = self.create_flow(admin, workspace, &text, true).await?;
                (text, made.flow.id, Became::Created)
            }
            Plan::Update(text, flow, there) => {
                let own = named(&text, &there.name);
                self.put_flow(admin, workspace, flow.as_str(), &own, Some(there.version))
                    .await?;
                (text, flow, Became::Updated)
            }
        };
        let digest = digest(&text);
        row.flows
            .insert(name.to_owned(), GivenFlow { flow, digest });
        Ok(became)
    }
}

fn said(done: &[PutFlow]) -> serde_json::Value {
    let done = done.iter();
    done.map(|flow| json!({ "flow": flow.name, "became": flow.became.name() }))
        .collect()
}

/// What is to be done, first about what the pack has no longer, then in its order; nothing when a name is taken.
fn plans(
    seen: &PackSeen,
    choice: &PackChoice,
    vars: &BTreeMap<String, String>,
    chosen: &BTreeSet<String>,
    standing: &BTreeMap<String, Standing>,
) -> Result<Vec<(String, Plan)>, Fault> {
    let dropped = seen.dropped.iter().filter_map(|flow| {
        let id = &standing.get(&flow.name)?.flow.id;
        // It may have got the name that the pack has for it by now.
        let has_name = seen.flows.iter().any(|now| now.name == flow.own_name);
        let plan = if flow.is_changed || has_name {
            Plan::LetGo
        } else {
            Plan::Remove(id.clone())
        };
        Some((flow.name.clone(), plan))
    });
    let mut plans: Vec<(String, Plan)> = dropped.collect();
    let mut taken = Vec::new();
    for flow in &seen.flows {
        let may_write = choice.replace_changed || flow.state != PackFlowState::Changed;
        let Some(there) = standing.get(&flow.name) else {
            if chosen.contains(&flow.name) {
                let text = seen.full.text(&flow.name, vars);
                plans.push((flow.name.clone(), Plan::Create(text)));
            }
            continue;
        };
        if !chosen.contains(&flow.name) {
            if flow.state.is_there() {
                let plan = if may_write {
                    Plan::Remove(there.flow.id.clone())
                } else {
                    Plan::Keep
                };
                plans.push((flow.name.clone(), plan));
            }
            continue;
        }
        let text = seen.full.text(&flow.name, vars);
        let plan = if there.digest == digest(&text) {
            Plan::Adopt(text, there.flow.id.clone())
        } else if flow.state == PackFlowState::Taken {
            taken.push(flow.name.clone());
            continue;
        } else if may_write {
            let replaced = Replaced {
                name: there.flow.name.clone(),
                version: there.flow.version,
            };
            Plan::Update(text, there.flow.id.clone(), replaced)
        } else {
            Plan::Keep
        };
        plans.push((flow.name.clone(), plan));
    }
    if taken.is_empty() {
        return Ok(plans);
    }
    let message = format!(
        "The workspace has flows of its own with names of the pack's: {}.",
        taken.join(", ")
    );
    Err(Fault::new(Code::AlreadyExists, message)
        .hint("Delete them, or leave these flows of the pack out.")
        .detail("flows", taken))
}

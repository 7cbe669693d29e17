//! From a text to a version of a flow.

use super::renaming::{name_taken, renamed};
use super::schedule::Schedule;
use super::{FlowInFull, changed_meanwhile};
use crate::App;
use crate::actor::Admin;
use crate::wired::duplicate_or;
use quaymaster_core::hex;
use quaymaster_core::id::{FlowId, ServerId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use quaymaster_flows::format::{self, Trigger};
use quaymaster_flows::prepared::Prepared;
use quaymaster_store::Tx;
use quaymaster_store::flow::{Flow, FlowVersion};
use quaymaster_store::flow_trigger::{FlowTrigger, Starts};
use serde_json::json;
use sha2::{Digest as _, Sha256};

/// Of a workspace.
const MOST_FLOWS: i64 = 2_000;
/// Of a flow.
const MOST_VERSIONS: i64 = 100;

/// What became of a flow that was saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SavedAs {
    Created,
    Updated,
    /// The text is that of the current version, the servers that it names are the same, and nothing was
    /// done.
    Unchanged,
}

#[derive(Debug, Clone)]
pub struct Saved {
    pub flow: FlowInFull,
    pub what: SavedAs,
}

/// Whether a save may meet a flow of its name.
enum Meets<'a> {
    Nothing,
    /// This one, or nothing; and the version that was read, if the writer says it.
    This(&'a str, Option<i64>),
}

/// SHA-256 of a text, by which versions are compared; 64 hexadecimal digits.
pub(crate) fn digest(source: &str) -> String {
    hex(&Sha256::digest(source.as_bytes()))
}

pub(super) fn tool_taken(flow: &format::Flow) -> Fault {
    let name = flow.tool_name().unwrap_or_default();
    Fault::new(
        Code::AlreadyExists,
        format!("Another flow of the workspace is the tool {name:?} already."),
    )
    .hint("Give the tool another name in `triggers`, `mcp_tool`, `name`.")
}

fn path_taken() -> Fault {
    Fault::new(
        Code::AlreadyExists,
        "Another flow of the workspace has a webhook with this path already.",
    )
    .hint("Choose another `path`.")
}

impl App {
    /// Makes a flow that there is not yet.
    pub async fn create_flow(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        source: &str,
        enabled: bool,
    ) -> Result<FlowInFull, Fault> {
        let saved = self
            .save_flow(admin, workspace, source, enabled, Meets::Nothing)
            .await?;
        Ok(saved.flow)
    }

    /// Makes a new version of the flow of that name or id, or makes the flow. A text with another name
    /// gives it to the flow. `if_version` is the version that was read; another one by now refuses the
    /// change.
    pub async fn put_flow(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        named: &str,
        source: &str,
        if_version: Option<i64>,
    ) -> Result<Saved, Fault> {
        let meets = Meets::This(named, if_version);
        self.save_flow(admin, workspace, source, true, meets).await
    }

    async fn save_flow(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        source: &str,
        enabled: bool,
        meets: Meets<'_>,
    ) -> Result<Saved, Fault> {
        self.believed_workspace(&admin.org, workspace).await?;
        let (prepared, servers) = self.good_flow(&admin.org, workspace, source).await?;
        let name = &prepared.flow().flow;
        if let Some(tool) = prepared.flow().tool_name()
            && self.toolsets.has_built_in(tool)
        {
            return Err(Fault::new(
                Code::AlreadyExists,
                format!("{tool:?} is a tool of the server itself."),
            )
            .hint("Give the tool another name in `triggers`, `mcp_tool`, `name`."));
        }
        let known = match &meets {
            Meets::This(named, _) if named.parse::<FlowId>().is_ok() => {
                Some(self.flow_named(admin, workspace, named).await?)
            }
            Meets::This(named, _) => self.store.flow_named(&admin.org, workspace, named).await?,
            Meets::Nothing => self.store.flow_named(&admin.org, workspace, name).await?,
        };
        let version = FlowVersion {
            version: known.as_ref().map_or(1, |flow| flow.versions + 1),
            tool: prepared.flow().tool_name().map(str::to_owned),
            title: prepared
                .flow()
                .title
                .clone()
                .unwrap_or_else(|| name.clone()),
            durable: prepared.flow().durable,
            source: source.to_owned(),
            digest: digest(source),
            made_by: admin.label.clone(),
            made_at: self.now(),
        };
        match (known, meets) {
            (Some(_), Meets::Nothing) => {
                Err(name_taken(name).hint("Change it by PUT, or give the new one another name."))
            }
            (Some(flow), Meets::This(_, if_version)) => {
                if if_version.is_some_and(|version| version != flow.version) {
                    return Err(changed_meanwhile(flow.version));
                }
                self.check_name(&flow, prepared.flow()).await?;
                self.save_version(admin, flow, version, &prepared, &servers)
                    .await
            }
            (None, Meets::This(named, _)) if named != name => Err(misnamed(named, name)),
            (None, Meets::This(_, Some(_))) => Err(Fault::not_found(format!(
                "The workspace has no flow {name:?} any more."
            ))),
            (None, _) => {
                self.save_new(admin, workspace, enabled, version, &prepared, &servers)
                    .await
            }
        }
    }

    async fn save_new(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        enabled: bool,
        version: FlowVersion,
        prepared: &Prepared,
        servers: &[ServerId],
    ) -> Result<Saved, Fault> {
        let flow = Flow {
            id: FlowId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: workspace.clone(),
            name: prepared.flow().flow.clone(),
            tool: version.tool.clone(),
            title: version.title.clone(),
            enabled,
            durable: version.durable,
            version: 1,
            versions: 1,
            created_at: version.made_at,
            updated_at: version.made_at,
        };
        let mut tx = self.store.begin().await?;
        if tx.count_flows(&admin.org, workspace).await? >= MOST_FLOWS {
            return Err(Fault::new(
                Code::QuotaExceeded,
                format!("A workspace has at most {MOST_FLOWS} flows."),
            )
            .hint("Delete one that nobody uses."));
        }
        let added = tx.add_flow(&flow, &version).await;
        added.map_err(|error| duplicate_or(error, || tool_taken(prepared.flow())))?;
        self.set_triggers(&mut tx, &flow, enabled, prepared.flow())
            .await?;
        tx.set_flow_servers(&flow, servers).await?;
        let details = json!({ "flow": flow.id, "name": flow.name, "version": 1 });
        self.record_flow(&mut tx, admin, workspace, "flow.created", details)
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(Saved {
            flow: FlowInFull {
                flow,
                current: version,
            },
            what: SavedAs::Created,
        })
    }

    async fn save_version(
        &self,
        admin: &Admin,
        flow: Flow,
        version: FlowVersion,
        prepared: &Prepared,
        servers: &[ServerId],
    ) -> Result<Saved, Fault> {
        let current = self
            .store
            .flow_version(&admin.org, &flow.id, flow.version)
            .await?;
        if let Some(current) = current.filter(|current| current.digest == version.digest) {
            let what = self.set_servers_anew(admin, &flow, servers).await?;
            return Ok(Saved {
                flow: FlowInFull { flow, current },
                what,
            });
        }
        let name = &prepared.flow().flow;
        let mut tx = self.store.begin().await?;
        let added = tx.add_flow_version(&flow, name, &version).await;
        let added = added.map_err(|error| duplicate_or(error, || tool_taken(prepared.flow())))?;
        if !added {
            return Err(changed_meanwhile(flow.version));
        }
        tx.forget_flow_versions(&admin.org, &flow.id, version.version - MOST_VERSIONS)
            .await?;
        self.set_triggers(&mut tx, &flow, flow.enabled, prepared.flow())
            .await?;
        tx.set_flow_servers(&flow, servers).await?;
        let details = json!({ "flow": flow.id, "name": name, "version": version.version });
        let details = renamed(details, &flow.name, name);
        self.record_flow(&mut tx, admin, &flow.workspace, "flow.updated", details)
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(Saved {
            flow: FlowInFull {
                flow: Flow {
                    name: name.clone(),
                    version: version.version,
                    versions: version.version,
                    tool: version.tool.clone(),
                    title: version.title.clone(),
                    durable: version.durable,
                    updated_at: version.made_at,
                    ..flow
                },
                current: version,
            },
            what: SavedAs::Updated,
        })
    }

    /// The same text may mean other servers than when it was saved, for example one that was made anew.
    async fn set_servers_anew(
        &self,
        admin: &Admin,
        flow: &Flow,
        servers: &[ServerId],
    ) -> Result<SavedAs, Fault> {
        let before = self.store.flow_servers(&admin.org, &flow.workspace).await?;
        let before = before.get(&flow.id).map(Vec::as_slice).unwrap_or_default();
        if before.len() == servers.len() && before.iter().all(|one| servers.contains(one)) {
            return Ok(SavedAs::Unchanged);
        }
        let mut tx = self.store.begin().await?;
        tx.set_flow_servers(flow, servers).await?;
        let details = json!({ "flow": flow.id, "name": flow.name, "version": flow.version });
        self.record_flow(&mut tx, admin, &flow.workspace, "flow.updated", details)
            .await?;
        tx.commit().await?;
        self.changed().await;
        Ok(SavedAs::Updated)
    }

    /// What starts the flow besides calls, as the version that runs from now on says.
    pub(super) async fn set_triggers(
        &self,
        tx: &mut Tx,
        flow: &Flow,
        enabled: bool,
        format: &format::Flow,
    ) -> Result<(), Fault> {
        let mut triggers = Vec::new();
        for (n, trigger) in (0..).zip(&format.triggers) {
            let what = match trigger {
                Trigger::McpTool(_) => continue,
                Trigger::Cron(cron) => {
                    let schedule = Schedule::of(cron).filter(|_| enabled);
                    let next = schedule.and_then(|schedule| schedule.next_after(self.now()));
                    Starts::Cron(next)
                }
                Trigger::Webhook(webhook) => Starts::Webhook(webhook.path.clone()),
            };
            triggers.push(FlowTrigger { n, what });
        }
        let set = tx.set_flow_triggers(flow, &triggers).await;
        set.map_err(|error| duplicate_or(error, path_taken))
    }
}

fn misnamed(named: &str, name: &str) -> Fault {
    let named = quaymaster_core::schema::shorten(named);
    Fault::invalid_arg(
        "/source",
        "const",
        format!("The text is of a flow {name:?}, and the workspace has no flow {named:?} to get that name."),
    )
    .hint("To make a flow, save its text under the name that it has.")
}

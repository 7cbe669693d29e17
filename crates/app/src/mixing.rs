//! Any mix: which toolsets and tools a credential can be given, what their list costs a model, and
//! what was ticked, checked.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::admit::{caller_of, toolsets_of, usual};
use crate::credentials::Origin;
use crate::flows::shelf::Offered;
use crate::picking::cost;
use quaymaster_core::id::{FlowId, WorkspaceId};
use quaymaster_core::mix::{Mix, Picked, ToolsetKey};
use quaymaster_core::schema::shorten;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::tool::ToolDef;
use quaymaster_core::{Caller, Code, Door as _, Fault, Scope, Scopes};
use quaymaster_store::credential::Credential;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Tools that one credential names; whoever wants more gives whole toolsets.
const MOST_TOOLS: usize = 1_000;

/// What somebody ticked, by name and not checked yet. Without either, a credential has what its kind
/// usually has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticked {
    pub toolsets: Option<Vec<String>>,
    /// The tools that it shall have and no others.
    pub tools: Option<Vec<String>>,
}

/// What shall be ticked from now on: absent stays as it is, and nothing inside takes the ticks away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MixChange {
    pub toolsets: Option<Option<Vec<String>>>,
    pub tools: Option<Option<Vec<String>>>,
}

impl MixChange {
    pub fn is_some(&self) -> bool {
        self.toolsets.is_some() || self.tools.is_some()
    }
}

/// A toolset that can be ticked.
#[derive(Debug, Clone)]
pub struct MixGroup {
    pub key: ToolsetKey,
    /// Whether a credential of this kind has it when nobody ticks anything.
    pub is_usual: bool,
    pub tools: Vec<MixTool>,
}

#[derive(Debug, Clone)]
pub struct MixTool {
    pub name: String,
    pub title: String,
    /// It changes nothing.
    pub reads: bool,
    pub is_destructive: bool,
    /// What it costs a model that reads the list, estimated in tokens.
    pub tokens: usize,
}

/// A tool that a credential can be given.
enum Possible {
    Own(ToolDef),
    Flow(Arc<Offered>),
}

impl Possible {
    fn def(&self) -> &ToolDef {
        match self {
            Possible::Own(def) => def,
            Possible::Flow(offered) => &offered.def,
        }
    }

    /// The flow that it is.
    fn flow(&self) -> Option<&FlowId> {
        match self {
            Possible::Own(_) => None,
            Possible::Flow(offered) => Some(&offered.ready.flow.id),
        }
    }

    fn tokens(&self) -> usize {
        match self {
            Possible::Own(def) => cost([def]),
            Possible::Flow(offered) => offered.tokens(),
        }
    }

    fn is_in(&self, picked: &Picked) -> bool {
        let name = &self.def().name;
        match self.flow() {
            Some(flow) => picked.has_flow(flow, name),
            None => picked.has(name),
        }
    }
}

/// What a list of tools costs a model that reads it, estimated in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListCost {
    pub tools: usize,
    pub tokens: usize,
}

impl From<&Possible> for MixTool {
    fn from(tool: &Possible) -> Self {
        let def = tool.def();
        MixTool {
            name: def.name.to_string(),
            title: def.title.to_string(),
            reads: def.nature.read_only,
            is_destructive: def.nature.destructive,
            tokens: tool.tokens(),
        }
    }
}

impl App {
    /// What a credential of that kind can be given, at a workspace where it has one.
    pub async fn mix_offered(
        &self,
        actor: &Actor,
        kind: TokenKind,
        workspace: Option<&WorkspaceId>,
    ) -> Result<Vec<MixGroup>, Fault> {
        let fresh = self.fresh(actor, kind, String::new(), Origin::Manual, Scopes::all());
        let mut credential = fresh.credential;
        credential.workspace = workspace.cloned();
        let usual = usual(kind);
        let all = self.all_of(&credential).await?.into_iter();
        Ok(all
            .map(|(key, tools)| MixGroup {
                key,
                is_usual: usual.contains(&key),
                tools: tools.iter().map(MixTool::from).collect(),
            })
            .collect())
    }

    /// What the list of a credential's tools costs.
    pub async fn list_cost(&self, credential: &Credential) -> Result<ListCost, Fault> {
        let caller = caller_of(credential.clone());
        let lists = [Scope::ReadTools, Scope::WriteTools, Scope::ReadData];
        // A key of single workspaces is turned away where tools are.
        if !caller.reach.is_whole() || !lists.iter().any(|scope| caller.scopes.has(*scope)) {
            return Ok(ListCost {
                tools: 0,
                tokens: 0,
            });
        }
        let defs = self.tools(&caller).await?;
        Ok(ListCost {
            tools: defs.len(),
            tokens: if defs.is_empty() { 0 } else { cost(&*defs) },
        })
    }

    /// The single tools that were ticked for a credential, by the names that its callers know them by now.
    pub async fn ticked_tools(
        &self,
        credential: &Credential,
    ) -> Result<Option<BTreeSet<String>>, Fault> {
        let Some(picked) = credential.mix.tools.as_deref() else {
            return Ok(None);
        };
        let mut names = picked.names.clone();
        if !picked.flows.is_empty() {
            let all = self.all_of(credential).await?;
            let all = all.into_iter().flat_map(|(_, tools)| tools);
            let ticked = all.filter(|tool| tool.flow().is_some() && tool.is_in(picked));
            names.extend(ticked.map(|tool| tool.def().name.to_string()));
        }
        Ok(Some(names))
    }

    /// Every toolset with its tools, whatever the scopes: which of them a credential has is ticked.
    async fn all_of(
        &self,
        credential: &Credential,
    ) -> Result<Vec<(ToolsetKey, Vec<Possible>)>, Fault> {
        let mut whole = credential.clone();
        whole.mix = Mix {
            toolsets: Some(ToolsetKey::ALL.into_iter().collect()),
            tools: None,
        };
        whole.scopes = Scopes::all();
        let caller: Caller = caller_of(whole);
        let flows = self.flows_for(&caller).await?;
        let of_flows = || -> Vec<Possible> {
            let own = flows.offered(&caller).cloned().map(Possible::Flow);
            let get_run = flows.has_later(&caller);
            let get_run = get_run.then(|| Possible::Own(self.toolsets.get_run.def.clone()));
            own.chain(get_run).collect()
        };
        let of = |key| match key {
            ToolsetKey::Flows => of_flows(),
            key => self.toolsets.of(key).cloned().map(Possible::Own).collect(),
        };
        Ok(ToolsetKey::ALL.map(|key| (key, of(key))).into())
    }

    /// Gives a credential what was ticked, when all of it is there. What shows data gets the scope for
    /// it, but for API keys, whose scopes are chosen.
    pub(crate) async fn put_mix(
        &self,
        credential: &mut Credential,
        ticked: &Ticked,
    ) -> Result<(), Fault> {
        if let Some(names) = &ticked.toolsets {
            credential.mix.toolsets = Some(read_toolsets(names, credential)?);
        }
        if let Some(names) = &ticked.tools {
            let toolsets = toolsets_of(credential);
            let mut all = self.all_of(credential).await?;
            all.retain(|(key, _)| toolsets.contains(key));
            if credential.workspace.is_none() {
                all.retain(|(key, _)| *key != ToolsetKey::Files);
            }
            let known: Vec<&Possible> = all.iter().flat_map(|(_, tools)| tools).collect();
            let tools = read_tools(names, &known)?;
            // One that has tools, and none of them is named, would show its resources still. Skills have
            // none, and stay where somebody named them.
            let has_skills = credential.mix.toolsets.is_some();
            let has_some = |of: &[Possible]| of.iter().any(|tool| tool.is_in(&tools));
            let kept = all
                .iter()
                .filter(|(key, of)| (*key == ToolsetKey::Skills && has_skills) || has_some(of))
                .map(|(key, _)| *key);
            credential.mix.toolsets = Some(kept.collect());
            credential.mix.tools = Some(Arc::new(tools));
        }
        if credential.kind != TokenKind::ApiKey {
            let is_data = toolsets_of(credential).into_iter().any(ToolsetKey::is_data);
            let data = is_data.then_some(Scope::ReadData);
            credential.scopes = credential.scopes.iter().chain(data).collect();
        }
        Ok(())
    }

    /// Ticks anew. What acts as somebody else gets no more of what is theirs.
    pub(crate) async fn change_mix(
        &self,
        admin: &Admin,
        credential: &mut Credential,
        change: MixChange,
    ) -> Result<(), Fault> {
        let before = credential.clone();
        if change.tools.is_none() && before.mix.tools.is_some() {
            let message = "It has single tools of its toolsets, which change with them.";
            return Err(Fault::invalid_arg("/tools", "required", message)
                .hint("Send `tools`, too: the names that it shall have, or null for all tools of its toolsets."));
        }
        let mut ticked = Ticked::default();
        credential.mix = Mix::default();
        match change.toolsets {
            Some(toolsets) => ticked.toolsets = toolsets,
            None => credential.mix.toolsets.clone_from(&before.mix.toolsets),
        }
        ticked.tools = change.tools.flatten();
        if credential.kind != TokenKind::ApiKey {
            let scopes = credential.scopes.iter();
            credential.scopes = scopes.filter(|one| *one != Scope::ReadData).collect();
        }
        self.put_mix(credential, &ticked).await?;
        if !credential
            .scopes
            .within(before.scopes.iter().chain(admin.scopes.iter()).collect())
        {
            return Err(Fault::new(
                Code::ScopeDenied,
                "A credential cannot get more scopes than whoever changes it.",
            )
            .hint("Leave out the toolsets that show data, or let somebody with read:data do it.")
            .detail("allowed", json!(admin.scopes)));
        }
        if before.user != admin.user && !self.has_no_more(&before, credential).await? {
            return Err(Fault::new(
                Code::Forbidden,
                "This credential acts as somebody else, so only they give it more.",
            )
            .hint("You may take toolsets and tools away, or let them make another."));
        }
        Ok(())
    }

    /// Whether a credential reaches nothing new in the name of its person. Files and flows of tokens are
    /// a workspace's.
    async fn has_no_more(&self, before: &Credential, after: &Credential) -> Result<bool, Fault> {
        let of_workspace = matches!(
            before.kind,
            TokenKind::WorkspaceToken | TokenKind::FlowToken
        );
        let had = toolsets_of(before);
        let mut theirs = toolsets_of(after);
        theirs.retain(|key| !of_workspace || key.is_of_person());
        if !theirs.is_subset(&had) {
            return Ok(false);
        }
        let Some(own) = &before.mix.tools else {
            return Ok(true);
        };
        let mut all = self.all_of(after).await?;
        all.retain(|(key, _)| theirs.contains(key));
        let has = |tool: &&Possible| match &after.mix.tools {
            Some(tools) => tool.is_in(tools),
            None => true,
        };
        let mut of_theirs = all.iter().flat_map(|(_, tools)| tools).filter(has);
        Ok(of_theirs.all(|tool| tool.is_in(own)))
    }
}

fn read_toolsets(names: &[String], credential: &Credential) -> Result<BTreeSet<ToolsetKey>, Fault> {
    let mut keys = BTreeSet::new();
    for (n, name) in names.iter().enumerate() {
        let at = format!("/toolsets/{n}");
        let key = ToolsetKey::read(name, &at)?;
        if key == ToolsetKey::Files && credential.workspace.is_none() {
            let message = "The toolset files needs a workspace.";
            return Err(Fault::invalid_arg(&at, "enum", message)
                .hint("Name one in `files`, or leave the toolset out."));
        }
        keys.insert(key);
    }
    if credential.kind == TokenKind::ApiKey && credential.workspace.is_some() {
        // Naming the workspace asked for its files.
        keys.insert(ToolsetKey::Files);
    }
    if keys.is_empty() {
        let message = "A credential needs at least one toolset.";
        return Err(Fault::invalid_arg("/toolsets", "minItems", message)
            .hint("Leave them out for those that it usually has."));
    }
    Ok(keys)
}

/// Tools by their names; flows by their ids, too.
fn read_tools(names: &[String], known: &[&Possible]) -> Result<Picked, Fault> {
    if names.is_empty() || names.len() > MOST_TOOLS {
        let message = format!("A credential names 1 to {MOST_TOOLS} tools.");
        return Err(Fault::invalid_arg("/tools", "length", message)
            .hint("Leave them out for all tools of its toolsets."));
    }
    let mut picked = Picked::default();
    for (n, name) in names.iter().enumerate() {
        let is_meant = |tool: &&&Possible| {
            let by_id = tool.flow().is_some_and(|id| id.as_str() == name);
            by_id || *tool.def().name == **name
        };
        match known.iter().find(is_meant) {
            Some(tool) => match tool.flow() {
                Some(flow) => _ = picked.flows.insert(flow.clone()),
                None => _ = picked.names.insert(name.clone()),
            },
            None => {
                let message = format!("Its toolsets have no tool {:?}.", shorten(name));
                let fault = Fault::invalid_arg(&format!("/tools/{n}"), "enum", message)
                    .hint("GET /api/v1/toolsets lists the tools of each toolset.");
                let names = known.iter().map(|tool| &*tool.def().name);
                return Err(fault.meant(&did_you_mean(name, names, 3)));
            }
        }
    }
    Ok(picked)
}

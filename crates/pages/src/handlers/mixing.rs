//! The part of a form that chooses toolsets and tools: shown, and read. `/mix` has what it had no room for.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::credentials::Credential;
use quaymaster_app::mixing::{self, MixTool};
use quaymaster_app::{Actor, App};
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::mix::{Mix, Picked, ToolsetKey};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault};
use serde::Deserialize;

use super::answer::{Stop, field_of, shown};
use super::person::Person;
use super::posted::Fields;
use crate::views::{ListSize, MixGroup, MixPicker, MixTick, SingleToolsPage};

/// Single tools of a toolset that a page has room for. More come when somebody opens them.
const ROOM: usize = 40;
/// Bytes of a form with the picker in it: every flow is a tool.
pub(super) const MOST: usize = 512 * 1024;

/// What was ticked.
pub(super) struct Ticked {
    toolsets: Vec<String>,
    tools: Vec<String>,
    /// Every tool that could be ticked.
    shown: Vec<String>,
}

impl Ticked {
    /// None of a form without the picker.
    pub(super) fn read(fields: &Fields) -> Option<Self> {
        let all = |name: &str| fields.all(name).map(str::to_owned).collect();
        (fields.one("mix") == "yes").then(|| Ticked {
            toolsets: all("toolsets"),
            tools: all("tools"),
            shown: all("shown_tools"),
        })
    }

    fn has(&self, key: ToolsetKey) -> bool {
        self.toolsets.iter().any(|name| name == key.name())
    }

    /// Something of a toolset was unticked.
    fn changes(&self, group: &mixing::MixGroup) -> bool {
        group.tools.iter().any(|tool| self.leaves_out(&tool.name))
    }

    /// One that came since the page was opened is not left out by anybody.
    fn leaves_out(&self, tool: &str) -> bool {
        self.shown.iter().any(|name| name == tool) && !self.tools.iter().any(|name| name == tool)
    }
}

/// Whether another field of the form decides on a toolset.
fn decided_by(kind: TokenKind, key: ToolsetKey) -> Option<&'static str> {
    (kind == TokenKind::ApiKey && key == ToolsetKey::Files).then_some("files")
}

pub(super) async fn picker(
    app: &App,
    actor: &Actor,
    kind: TokenKind,
    workspace: Option<&WorkspaceId>,
    ticked: Option<&Ticked>,
) -> Result<MixPicker, Fault> {
    let groups = app.mix_offered(actor, kind, workspace).await?;
    let group = |group: mixing::MixGroup| {
        let key = group.key;
        let decided_by = decided_by(kind, key);
        // Which of its flows a flow token reaches is another part of its form.
        let is_apart = kind == TokenKind::FlowToken && key == ToolsetKey::Flows;
        let is_changed = ticked.is_some_and(|ticked| ticked.changes(&group));
        let is_folded = !is_apart && !is_changed && group.tools.len() > ROOM;
        let tick = |tool: &MixTool| {
            tick(
                tool,
                ticked.is_none_or(|ticked| !ticked.leaves_out(&tool.name)),
            )
        };
        MixGroup {
            key: key.name().to_owned(),
            title: key.title().to_owned(),
            help: key.sentence().to_owned(),
            is_ticked: match (decided_by, ticked) {
                (Some(_), _) => workspace.is_some(),
                (None, Some(ticked)) => ticked.has(key),
                (None, None) => group.is_usual,
            },
            decided_by,
            count: group.tools.len() as u64,
            tokens: group.tools.iter().map(|tool| tool.tokens as u64).sum(),
            tools: if is_apart || is_folded {
                Vec::new()
            } else {
                group.tools.iter().map(tick).collect()
            },
            folded: is_folded.then(|| address(kind, key, workspace)),
        }
    };
    Ok(MixPicker {
        groups: groups.into_iter().map(group).collect(),
        is_open: ticked.is_some(),
        error: None,
    })
}

fn tick(tool: &MixTool, is_ticked: bool) -> MixTick {
    MixTick {
        is_ticked,
        name: tool.name.clone(),
        title: tool.title.clone(),
        reads: tool.reads,
        is_destructive: tool.is_destructive,
        tokens: tool.tokens as u64,
    }
}

/// The kinds of credential whose form has the picker, by their names in an address.
const KINDS: [(&str, TokenKind); 4] = [
    ("api-key", TokenKind::ApiKey),
    ("workspace-token", TokenKind::WorkspaceToken),
    ("client", TokenKind::OAuthGrant),
    ("flow-token", TokenKind::FlowToken),
];

/// Where the single tools of a toolset are.
fn address(kind: TokenKind, key: ToolsetKey, workspace: Option<&WorkspaceId>) -> String {
    let kind = KINDS.iter().find(|(_, own)| *own == kind);
    let (kind, key) = (kind.map_or("", |(name, _)| name), key.name());
    let workspace = workspace.map_or("", WorkspaceId::as_str);
    format!("/mix?kind={kind}&toolset={key}&workspace={workspace}")
}

#[derive(Deserialize)]
pub(super) struct Asked {
    kind: String,
    toolset: String,
    workspace: String,
}

/// The single tools of one toolset, all ticked.
pub(super) async fn single_tools(
    State(app): State<App>,
    person: Person,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Stop> {
    let unknown = || Stop::from(Fault::not_found("There is no such toolset."));
    let Query(asked) = asked.map_err(|_| unknown())?;
    let kind = KINDS.iter().find(|(name, _)| *name == asked.kind);
    let (_, kind) = kind.ok_or_else(unknown)?;
    let workspace: Option<WorkspaceId> = match &*asked.workspace {
        "" => None,
        id => Some(id.parse().map_err(|_| unknown())?),
    };
    if let Some(workspace) = &workspace {
        app.workspace(&person.actor, workspace).await?;
    }
    let groups = app.mix_offered(&person.actor, *kind, workspace.as_ref());
    let mut groups = groups.await?.into_iter();
    let found = groups.find(|group| group.key.name() == asked.toolset);
    let found = found.ok_or_else(unknown)?;
    let group = MixGroup {
        key: found.key.name().to_owned(),
        title: found.key.title().to_owned(),
        tools: found.tools.iter().map(|tool| tick(tool, true)).collect(),
        ..MixGroup::default()
    };
    Ok(shown(StatusCode::OK, &SingleToolsPage { group }))
}

/// What the form asks for. As long as nothing was changed, that is what such a credential usually has.
pub(super) async fn asked(
    app: &App,
    actor: &Actor,
    kind: TokenKind,
    workspace: Option<&WorkspaceId>,
    ticked: Option<&Ticked>,
) -> Result<mixing::Ticked, Fault> {
    let Some(ticked) = ticked else {
        return Ok(mixing::Ticked::default());
    };
    let groups = app.mix_offered(actor, kind, workspace).await?;
    let is_chosen = |group: &&mixing::MixGroup| match decided_by(kind, group.key) {
        Some(_) => workspace.is_some(),
        None => ticked.has(group.key),
    };
    let is_as_usual = groups.iter().all(|group| {
        decided_by(kind, group.key).is_some() || ticked.has(group.key) == group.is_usual
    });
    let of_chosen = groups.iter().filter(is_chosen);
    let of_chosen: Vec<&str> = of_chosen
        .flat_map(|group| &group.tools)
        .map(|tool| tool.name.as_str())
        .collect();
    let is_known = |name: &&String| {
        let mut all = groups.iter().flat_map(|group| &group.tools);
        all.any(|tool| tool.name == **name)
    };
    let kept = of_chosen.iter().filter(|name| !ticked.leaves_out(name));
    let mut tools: Vec<String> = kept.map(|name| (*name).to_owned()).collect();
    let is_whole = tools.len() == of_chosen.len();
    // What is not there is told, not dropped.
    let gone = ticked.tools.iter().filter(|name| !is_known(name));
    let gone: Vec<String> = gone.cloned().collect();
    if is_as_usual && is_whole && gone.is_empty() {
        return Ok(mixing::Ticked::default());
    }
    let mut toolsets = ticked.toolsets.clone();
    if kind == TokenKind::ApiKey && workspace.is_some() {
        toolsets.push(ToolsetKey::Files.name().to_owned());
    }
    if is_whole && gone.is_empty() {
        return Ok(mixing::Ticked {
            toolsets: Some(toolsets),
            tools: None,
        });
    }
    tools.extend(gone);
    if tools.is_empty() {
        return Err(Fault::invalid_arg(
            "/tools",
            "minItems",
            "Tick at least one tool.",
        ));
    }
    Ok(mixing::Ticked {
        toolsets: Some(toolsets),
        tools: Some(tools),
    })
}

/// Whether a refusal is about what was ticked.
pub(super) fn is_about(fault: &Fault) -> bool {
    let of_picker = |field: &str| field.starts_with("/toolsets") || field.starts_with("/tools");
    fault.code == Code::InvalidArg && field_of(fault).is_some_and(of_picker)
}

/// What was ticked for a credential, in a few words; none for what its kind usually has.
pub(super) fn said(mix: &Mix) -> Option<String> {
    let toolsets = mix.toolsets.as_ref()?.iter().map(|key| key.title());
    let toolsets: Vec<&str> = toolsets.collect();
    let toolsets = toolsets.join(", ");
    Some(match mix.tools.as_deref().map(Picked::count) {
        None => toolsets,
        Some(1) => format!("{toolsets}: 1 tool"),
        Some(count) => format!("{toolsets}: {count} tools"),
    })
}

pub(super) async fn size(app: &App, credential: &Credential) -> Result<ListSize, Fault> {
    let cost = app.list_cost(credential).await?;
    Ok(ListSize {
        tools: cost.tools as u64,
        tokens: cost.tokens as u64,
    })
}

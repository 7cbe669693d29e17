//! The toolsets that a credential can be given, and what their tools cost a model to read.

use crate::auth::Person;
use crate::error::{Answer, Faults};
use crate::read::Query;
use crate::workspaces::find;
use axum::Json;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::mixing::{MixGroup, MixTool};
use quaymaster_core::secret::TokenKind;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CredentialKind)]
pub(crate) enum Kind {
    #[default]
    ApiKey,
    WorkspaceToken,
    FlowToken,
}

impl From<Kind> for TokenKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::ApiKey => TokenKind::ApiKey,
            Kind::WorkspaceToken => TokenKind::WorkspaceToken,
            Kind::FlowToken => TokenKind::FlowToken,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// For which kind of credential. Default: `api_key`.
    #[param(inline)]
    kind: Option<Kind>,
    /// Id or slug of the workspace of the credential, whose flows are listed. An API key has those of
    /// all workspaces.
    workspace: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ToolsetList {
    toolsets: Vec<ToolsetView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Toolset)]
pub(crate) struct ToolsetView {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Whether such a credential has it when none is named.
    usual: bool,
    tools: Vec<ToolsetTool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolsetTool {
    name: String,
    title: String,
    read_only: bool,
    destructive: bool,
    /// What it costs a model that reads the list of tools, estimated in tokens.
    tokens: usize,
}

impl From<MixTool> for ToolsetTool {
    fn from(tool: MixTool) -> Self {
        ToolsetTool {
            name: tool.name,
            title: tool.title,
            read_only: tool.reads,
            destructive: tool.is_destructive,
            tokens: tool.tokens,
        }
    }
}

impl From<MixGroup> for ToolsetView {
    fn from(group: MixGroup) -> Self {
        ToolsetView {
            name: group.key.name(),
            title: group.key.title(),
            description: group.key.sentence(),
            usual: group.is_usual,
            tools: group.tools.into_iter().map(ToolsetTool::from).collect(),
        }
    }
}

/// Lists the toolsets that a credential can be given
///
/// With the tools of each and what they cost a model to read.
#[utoipa::path(
    get, path = "/api/v1/toolsets", tag = "Tools",
    security(("bearer" = ["admin"])), params(Asked),
    responses((status = 200, description = "The toolsets.", body = ToolsetList), Faults)
)]
pub(crate) async fn list_toolsets(
    State(app): State<App>,
    Person(actor): Person,
    Query(asked): Query<Asked>,
) -> Answer<Json<ToolsetList>> {
    let workspace = match &asked.workspace {
        Some(named) => Some(find(&app, &actor, named).await?.id),
        None => None,
    };
    let kind = asked.kind.unwrap_or_default().into();
    let groups = app.mix_offered(&actor, kind, workspace.as_ref()).await?;
    let toolsets = groups.into_iter().map(ToolsetView::from).collect();
    Ok(Json(ToolsetList { toolsets }))
}

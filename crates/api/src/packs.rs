//! Packs: several flows that are installed together. Listed, added as texts, installed, changed and upgraded, removed.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, ApiError, Faults};
use crate::flows::{TEXT, outcome, refused};
use crate::read::{Json, Path, Query};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::packs::{
    InstalledPack, PackChoice, PackFlow, PackSeen, PackTested, PutPack, Variable, VariableType,
};
use quaymaster_core::Instant;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Something that is chosen once for all flows of a pack.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PackVariable)]
pub(crate) struct VariableView {
    name: String,
    /// `string`, `connection` or `secret`.
    r#type: &'static str,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// What it is when nothing is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
    /// Of a connection: the key of the connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// What was chosen; of a connection its name, of a secret nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// Of a secret: whether the workspace has it.
    is_set: bool,
}

impl VariableView {
    fn of(name: &str, variable: &Variable, seen: &PackSeen) -> Self {
        let installed = seen.installed.as_ref();
        let value = installed.and_then(|installed| installed.vars.get(name).cloned());
        VariableView {
            name: name.to_owned(),
            r#type: match variable.r#type {
                VariableType::String => "string",
                VariableType::Connection => "connection",
                VariableType::Secret => "secret",
            },
            title: variable.title.clone(),
            description: variable.description.clone(),
            default: variable.default.clone(),
            service: variable.service.clone(),
            is_set: value.is_some() || seen.secrets.contains(name),
            value,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PackFlow)]
pub(crate) struct PackFlowView {
    /// In the pack.
    name: String,
    /// In the workspace, where it may have got another one; absent while the workspace does not have it from
    /// the pack.
    #[serde(skip_serializing_if = "Option::is_none")]
    own_name: Option<String>,
    title: String,
    /// What agents read.
    description: String,
    read_only: bool,
    /// `absent`; `taken` when the workspace has another flow of this name; `same`; `older` when the pack has
    /// a newer text by now; `changed` when somebody changed it by hand.
    state: &'static str,
    /// The workspace has the pack without it, because somebody left it out or took it away.
    left_out: bool,
}

impl From<PackFlow> for PackFlowView {
    fn from(flow: PackFlow) -> Self {
        PackFlowView {
            name: flow.name,
            own_name: flow.own_name,
            title: flow.title,
            description: flow.description,
            read_only: flow.read_only,
            state: flow.state.name(),
            left_out: flow.is_left_out,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstalledPack)]
pub(crate) struct InstalledView {
    /// The version whose flows were written last.
    version: String,
    /// Id of a person or credential.
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    installed_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
}

impl From<InstalledPack> for InstalledView {
    fn from(installed: InstalledPack) -> Self {
        InstalledView {
            version: installed.version,
            made_by: installed.made_by,
            installed_at: installed.installed_at,
            updated_at: installed.updated_at,
        }
    }
}

/// How a pack says that it was tried: `live` when a test runs its flows against the real service, `mocks` when every
/// flow has tests, whose answers are made up, and nothing else was tried, `none` when it says neither.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = PackTested)]
pub(crate) enum PackTestedName {
    Live,
    Mocks,
    None,
}

impl From<PackTested> for PackTestedName {
    fn from(tested: PackTested) -> Self {
        match tested {
            PackTested::Live => PackTestedName::Live,
            PackTested::Mocks => PackTestedName::Mocks,
            PackTested::None => PackTestedName::None,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Pack)]
pub(crate) struct PackView {
    id: String,
    title: String,
    /// Of the pack as it is now: that of the program, or the text that the workspace was given.
    version: String,
    description: String,
    tested: PackTestedName,
    /// The workspace was given it; the others come with the program.
    own: bool,
    variables: Vec<VariableView>,
    flows: Vec<PackFlowView>,
    /// The names, in the workspace, of flows that it has from the pack as it was, and that the pack has no longer.
    /// Installing it anew deletes them, but for those that were changed by hand.
    dropped: Vec<String>,
    /// Absent when the workspace does not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    installed: Option<InstalledView>,
    /// What is installed is older than the pack.
    is_older: bool,
}

impl From<PackSeen> for PackView {
    fn from(seen: PackSeen) -> Self {
        let pack = &seen.full.pack;
        let variables = pack.variables.iter();
        PackView {
            id: pack.id.clone(),
            title: pack.title.clone(),
            version: pack.version.clone(),
            description: pack.description.trim().to_owned(),
            tested: pack.tested.into(),
            own: seen.is_own,
            variables: variables
                .map(|(name, variable)| VariableView::of(name, variable, &seen))
                .collect(),
            is_older: seen.is_older(),
            dropped: seen
                .dropped
                .iter()
                .map(|one| one.own_name.clone())
                .collect(),
            flows: seen.flows.into_iter().map(PackFlowView::from).collect(),
            installed: seen.installed.map(InstalledView::from),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PackList {
    packs: Vec<PackView>,
    total: usize,
}

/// Lists packs
///
/// Those of the program and those that the workspace was given, with what is installed of each.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/packs", tag = "Packs",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 200, description = "All packs, by id.", body = PackList), Faults)
)]
pub(crate) async fn list_packs(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<axum::Json<PackList>> {
    let workspace = find(&app, &actor, &id).await?;
    let packs = app.packs(&actor, &workspace.id).await?;
    let packs: Vec<PackView> = packs.into_iter().map(PackView::from).collect();
    Ok(axum::Json(PackList {
        total: packs.len(),
        packs,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPack {
    /// The text of the pack, YAML or JSON of the format `quaymaster/v1`.
    source: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct AddedPackAnswer {
    /// `created`, `updated`, or `unchanged` when the text is the one that the workspace has.
    outcome: &'static str,
    pack: PackView,
}

/// Adds a pack of your own
///
/// Its text is read strictly, every expression is compiled and the tests of its flows run first; if anything is wrong,
/// the answer is 422 with every place in `details.problems` or `details.tests`, and nothing is kept. Nothing is installed
/// either: that is a PUT of the pack. A text with the id of a pack that the workspace was given before replaces it, and
/// what is installed is upgraded by the next PUT. The ids of the program's packs are taken (409). Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/packs", tag = "Packs",
    security(("bearer" = ["admin"])), request_body = NewPack,
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses(
        (status = 200, description = "The pack with its new text.", body = AddedPackAnswer),
        (status = 201, description = "The pack, which is new.", body = AddedPackAnswer),
        Faults
    )
)]
pub(crate) async fn add_pack(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
    Json(new): Json<NewPack, TEXT>,
) -> Answer<(StatusCode, axum::Json<AddedPackAnswer>)> {
    let workspace = find(&app, &admin, &id).await?;
    let added = app
        .add_pack(&admin, &workspace.id, &new.source)
        .await
        .map_err(refused)?;
    let (status, outcome) = outcome(added.what);
    let pack = added.pack.into();
    Ok((status, axum::Json(AddedPackAnswer { outcome, pack })))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OnePack {
    pack: PackView,
    /// The text of a pack that the workspace was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
}

/// Reads a pack
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/packs/{pack}", tag = "Packs",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("pack" = String, Path, description = "Id of the pack."),
    ),
    responses((status = 200, description = "With what the workspace has of it.", body = OnePack), Faults)
)]
pub(crate) async fn read_pack(
    State(app): State<App>,
    Person(actor): Person,
    Path((id, pack)): Path<(String, String)>,
) -> Answer<axum::Json<OnePack>> {
    let workspace = find(&app, &actor, &id).await?;
    let seen = app.pack(&actor, &workspace.id, &pack).await?;
    let source = app.own_pack_source(&actor, &workspace.id, &pack).await?;
    let pack = seen.into();
    Ok(axum::Json(OnePack { pack, source }))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct PutPackBody {
    /// Values of the types `string` and `connection`, by name; a connection is the name of an account. What is
    /// left out stays as it was.
    variables: BTreeMap<String, String>,
    /// Values of the type `secret`, by name. They become secrets of the workspace.
    secrets: BTreeMap<String, String>,
    /// The names of the flows to have, as the pack has them; left out, those that are there, and all at first.
    flows: Option<Vec<String>>,
    /// Flows that were changed by hand are written over, too.
    replace_changed: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PutPackFlow)]
pub(crate) struct PutFlowView {
    /// In the pack, as it is or was.
    name: String,
    /// `created`, `updated`, `unchanged`, `kept` when it was changed by hand, or `removed`.
    became: &'static str,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct PutPackAnswer {
    pack: PackView,
    /// What became of each flow that the workspace has or had.
    flows: Vec<PutFlowView>,
}

impl From<PutPack> for PutPackAnswer {
    fn from(put: PutPack) -> Self {
        let flows = put.flows.into_iter();
        PutPackAnswer {
            pack: put.pack.into(),
            flows: flows
                .map(|flow| PutFlowView {
                    name: flow.name,
                    became: flow.became.name(),
                })
                .collect(),
        }
    }
}

/// Installs, changes or upgrades a pack
///
/// Gives the workspace the flows as the pack has them now, with what is chosen. The same call installs it, adds and
/// takes away flows, chooses another account, and brings the flows of a newer version. Flows that were changed by
/// hand stay as they are unless `replaceChanged` is set. Needs an administrator.
#[utoipa::path(
    put, path = "/api/v1/workspaces/{id}/packs/{pack}", tag = "Packs",
    security(("bearer" = ["admin"])), request_body = PutPackBody,
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("pack" = String, Path, description = "Id of the pack."),
    ),
    responses(
        (status = 200, description = "The pack as it is now, and what was done.", body = PutPackAnswer),
        (status = 201, description = "It is new in the workspace.", body = PutPackAnswer),
        Faults
    )
)]
pub(crate) async fn put_pack(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, pack)): Path<(String, String)>,
    Json(body): Json<PutPackBody>,
) -> Answer<(StatusCode, axum::Json<PutPackAnswer>)> {
    let workspace = find(&app, &admin, &id).await?;
    let secrets = body.secrets.into_iter();
    let choice = PackChoice {
        variables: body.variables,
        secrets: secrets
            .map(|(name, value)| (name, SecretString::from(value)))
            .collect(),
        flows: body.flows.map(|flows| flows.into_iter().collect()),
        replace_changed: body.replace_changed,
    };
    let put = app
        .put_pack(&admin, &workspace.id, &pack, &choice)
        .await
        .map_err(ApiError::about_body)?;
    let status = if put.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, axum::Json(put.into())))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HowToRemove {
    /// Flows that were changed by hand stay, as flows of the workspace's own, unless this is false.
    #[param(default = true)]
    keep_changed: Option<bool>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedPackAnswer {
    removed: bool,
    id: String,
    /// The names of the flows that are gone, as the workspace had them.
    deleted: Vec<String>,
    /// The names of those that stay.
    kept: Vec<String>,
}

/// Removes a pack
///
/// Its flows are deleted with their versions and runs, but for those that were changed by hand, and so is the text of a
/// pack that the workspace was given. Secrets stay, since other flows may use them. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/workspaces/{id}/packs/{pack}", tag = "Packs",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Id or slug of the workspace."),
        ("pack" = String, Path, description = "Id of the pack."),
        HowToRemove,
    ),
    responses((status = 200, description = "It is gone.", body = RemovedPackAnswer), Faults)
)]
pub(crate) async fn remove_pack(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, pack)): Path<(String, String)>,
    Query(how): Query<HowToRemove>,
) -> Answer<axum::Json<RemovedPackAnswer>> {
    let workspace = find(&app, &admin, &id).await?;
    let removed = app
        .remove_pack(
            &admin,
            &workspace.id,
            &pack,
            how.keep_changed.unwrap_or(true),
        )
        .await?;
    Ok(axum::Json(RemovedPackAnswer {
        removed: true,
        id: pack,
        deleted: removed.deleted,
        kept: removed.kept,
    }))
}

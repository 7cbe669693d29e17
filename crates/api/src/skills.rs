//! Skills: written, changed, enabled, imported, exported; their versions. Their files are in `skill_files`.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Change, Json, Path, Query, nullable};
use axum::extract::State;
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use quaymaster_app::App;
use quaymaster_app::skills::format::Document;
use quaymaster_app::skills::{
    Import, NewSkill, SkillChange, SkillFile, SkillInFull, SkillRow, SkillVersion,
};
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A body that carries a system prompt of 256 KiB, however its characters are escaped.
const PROMPT: usize = 2 << 20;
/// A body that carries an archive of 16 MiB as base64.
const ARCHIVE: usize = 23 << 20;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Skill)]
pub(crate) struct SkillView {
    /// What agents call it: `skill://{name}` over MCP.
    name: String,
    description: String,
    /// Key of the connector whose call it explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// Agents see it.
    enabled: bool,
    /// The version that is read, from 1.
    version: i64,
    /// SHA-256 over paths and contents of all files.
    digest: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// Id of the person or credential that made the current version.
    made_by: String,
}

impl From<SkillRow> for SkillView {
    fn from(row: SkillRow) -> Self {
        SkillView {
            name: row.name,
            description: row.description,
            service: row.service,
            enabled: row.enabled,
            version: row.version,
            digest: row.digest,
            created_at: row.created_at,
            updated_at: row.updated_at,
            made_by: row.made_by,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = SkillFile)]
pub(crate) struct FileView {
    /// From the skill's root.
    pub(crate) path: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub(crate) digest: String,
    /// In bytes.
    pub(crate) size: i64,
    pub(crate) executable: bool,
}

impl From<SkillFile> for FileView {
    fn from(file: SkillFile) -> Self {
        FileView {
            digest: format!("sha256:{}", file.sha256),
            path: file.path,
            size: file.size,
            executable: file.executable,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SkillInFull)]
pub(crate) struct FullView {
    #[serde(flatten)]
    skill: SkillView,
    system_prompt: String,
    /// Other members of the frontmatter of `SKILL.md`.
    #[schema(value_type = Object)]
    frontmatter: JsonObject,
    /// By path, `SKILL.md` included.
    files: Vec<FileView>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneSkill {
    skill: FullView,
}

impl From<SkillInFull> for OneSkill {
    fn from(skill: SkillInFull) -> Self {
        OneSkill {
            skill: FullView {
                skill: skill.row.into(),
                system_prompt: skill.system_prompt,
                frontmatter: skill.frontmatter,
                files: skill.files.into_iter().map(FileView::from).collect(),
            },
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SkillList {
    skills: Vec<SkillView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists the organization's skills
///
/// By name, enabled or not.
#[utoipa::path(
    get, path = "/api/v1/skills", tag = "Skills",
    security(("bearer" = ["admin"])), params(Paging),
    responses((status = 200, description = "A page of skills.", body = SkillList), Faults)
)]
pub(crate) async fn list_skills(
    State(app): State<App>,
    Person(actor): Person,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<SkillList>> {
    let (page, total) = paging.cut(app.skills(&actor).await?)?;
    let skills = page.into_iter().map(SkillView::from).collect();
    Ok(axum::Json(SkillList { skills, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateSkill {
    /// It never changes again.
    #[schema(pattern = "^[a-z0-9]+(-[a-z0-9]+)*$", max_length = 64)]
    name: String,
    /// What it does and when to use it; clients choose by it.
    #[schema(min_length = 1, max_length = 1024)]
    description: String,
    system_prompt: String,
    /// Key of a connector: a hint how to call it is added to the system prompt.
    service: Option<String>,
    /// Other members of the frontmatter: `license`, `compatibility`, `metadata`, `allowed-tools`.
    #[schema(value_type = Option<Object>)]
    frontmatter: Option<JsonObject>,
    /// Agents see it at once unless this is false.
    enabled: Option<bool>,
}

/// Creates a skill
///
/// Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/skills", tag = "Skills",
    security(("bearer" = ["admin"])), request_body = CreateSkill,
    responses((status = 201, description = "The skill.", body = OneSkill), Faults)
)]
pub(crate) async fn create_skill(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(new): Json<CreateSkill, PROMPT>,
) -> Answer<(StatusCode, axum::Json<OneSkill>)> {
    let new = NewSkill {
        document: Document {
            name: new.name,
            description: new.description,
            system_prompt: new.system_prompt,
            service: new.service,
            frontmatter: new.frontmatter.unwrap_or_default(),
        },
        enabled: new.enabled.unwrap_or(true),
    };
    let made = app.add_skill(&admin, new).await;
    let made = made.map_err(ApiError::about_body)?;
    Ok((StatusCode::CREATED, axum::Json(made.into())))
}

/// Reads a skill
#[utoipa::path(
    get, path = "/api/v1/skills/{id}", tag = "Skills",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Name of the skill.")),
    responses((status = 200, description = "The skill.", body = OneSkill), Faults)
)]
pub(crate) async fn read_skill(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<axum::Json<OneSkill>> {
    Ok(axum::Json(app.skill(&actor, &id).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpdateSkill {
    #[schema(min_length = 1, max_length = 1024)]
    description: Option<String>,
    system_prompt: Option<String>,
    /// Null binds no service.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    #[expect(
        clippy::option_option,
        reason = "three states: absent, null, something"
    )]
    service: Option<Option<String>>,
    /// In the place of what is there.
    #[schema(value_type = Option<Object>)]
    frontmatter: Option<JsonObject>,
    enabled: Option<bool>,
    /// The version that was read; when the skill has another by now, nothing is changed.
    if_version: Option<i64>,
}

/// Changes a skill
///
/// Whatever changes its text makes a new version. Needs an administrator.
#[utoipa::path(
    patch, path = "/api/v1/skills/{id}", tag = "Skills",
    security(("bearer" = ["admin"])), request_body = UpdateSkill,
    params(("id" = String, Path, description = "Name of the skill.")),
    responses((status = 200, description = "The skill as it is now.", body = OneSkill), Faults)
)]
pub(crate) async fn update_skill(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
    Change(change): Change<UpdateSkill, PROMPT>,
) -> Answer<axum::Json<OneSkill>> {
    let change = SkillChange {
        description: change.description,
        system_prompt: change.system_prompt,
        service: change.service,
        frontmatter: change.frontmatter,
        enabled: change.enabled,
        if_version: change.if_version,
    };
    let changed = app.update_skill(&admin, &id, change).await;
    Ok(axum::Json(changed.map_err(ApiError::about_body)?.into()))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DeletedSkill {
    deleted: bool,
    name: String,
}

/// Deletes a skill
///
/// Its versions and files go with it. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/skills/{id}", tag = "Skills",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Name of the skill.")),
    responses((status = 200, description = "It is gone.", body = DeletedSkill), Faults)
)]
pub(crate) async fn delete_skill(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(name): Path<String>,
) -> Answer<axum::Json<DeletedSkill>> {
    app.delete_skill(&admin, &name).await?;
    Ok(axum::Json(DeletedSkill {
        deleted: true,
        name,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ImportSkill {
    /// The folder of a skill as a zip archive, as base64: `SKILL.md` and at most 511 files beside it,
    /// 16 MiB in all.
    zip_base64: String,
    /// Key of a connector, instead of what the skill says; empty binds none.
    service: Option<String>,
    /// Agents see it at once unless this is false.
    enabled: Option<bool>,
    /// A skill of the same name gets a new version; without this, it is left alone.
    replace: Option<bool>,
}

/// Imports a skill
///
/// In the open Agent Skills format. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/skills/import", tag = "Skills",
    security(("bearer" = ["admin"])), request_body = ImportSkill,
    responses((status = 201, description = "The skill.", body = OneSkill), Faults)
)]
pub(crate) async fn import_skill(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(asked): Json<ImportSkill, ARCHIVE>,
) -> Answer<(StatusCode, axum::Json<OneSkill>)> {
    let archive = STANDARD
        .decode(asked.zip_base64)
        .map_err(|_| Fault::invalid_arg("/zipBase64", "base64", "The archive is not base64."))?;
    let import = Import {
        archive,
        service: asked.service,
        replace: asked.replace.unwrap_or(false),
        enabled: asked.enabled.unwrap_or(true),
    };
    let made = app.import_skill(&admin, import).await;
    let made = made.map_err(ApiError::about_body)?;
    Ok((StatusCode::CREATED, axum::Json(made.into())))
}

/// Exports a skill
///
/// The folder as a zip archive, which other programs that know Agent Skills can use.
#[utoipa::path(
    get, path = "/api/v1/skills/{id}/export", tag = "Skills",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Name of the skill.")),
    responses((status = 200, description = "A zip archive.", content_type = "application/zip", body = Vec<u8>), Faults)
)]
pub(crate) async fn export_skill(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<impl IntoResponse> {
    let archive = app.export_skill(&actor, &id).await?;
    // The skill is there, so its name is letters, digits and hyphens.
    let file = format!("attachment; filename=\"{id}.zip\"");
    Ok((
        [
            (CONTENT_TYPE, "application/zip".to_owned()),
            (CONTENT_DISPOSITION, file),
        ],
        archive,
    ))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SkillVersion)]
pub(crate) struct VersionView {
    version: i64,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    digest: String,
    /// What it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    made_at: Instant,
}

impl From<SkillVersion> for VersionView {
    fn from(version: SkillVersion) -> Self {
        VersionView {
            version: version.version,
            description: version.description,
            service: version.service,
            digest: version.digest,
            note: version.note,
            made_by: version.made_by,
            made_at: version.made_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SkillVersionList {
    versions: Vec<VersionView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists the versions of a skill
///
/// Newest first; the last 100 are kept.
#[utoipa::path(
    get, path = "/api/v1/skills/{id}/versions", tag = "Skills",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Name of the skill."), Paging),
    responses((status = 200, description = "A page of versions.", body = SkillVersionList), Faults)
)]
pub(crate) async fn list_skill_versions(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<SkillVersionList>> {
    let (page, total) = paging.cut(app.skill_versions(&actor, &id).await?)?;
    let versions = page.into_iter().map(VersionView::from).collect();
    Ok(axum::Json(SkillVersionList { versions, total }))
}

/// Restores a version of a skill
///
/// Makes a new version with the same bytes. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/skills/{id}/versions/{version}/restore", tag = "Skills",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Name of the skill."),
        ("version" = i64, Path, description = "The version."),
    ),
    responses((status = 200, description = "The skill as it is now.", body = OneSkill), Faults)
)]
pub(crate) async fn restore_skill_version(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, version)): Path<(String, i64)>,
) -> Answer<axum::Json<OneSkill>> {
    let skill = app.restore_skill_version(&admin, &id, version).await?;
    Ok(axum::Json(skill.into()))
}

/// Text, or base64 of what is none.
pub(crate) fn content_of(bytes: Vec<u8>) -> (Option<String>, Option<String>) {
    match String::from_utf8(bytes) {
        Ok(text) => (Some(text), None),
        Err(error) => (None, Some(STANDARD.encode(error.as_bytes()))),
    }
}

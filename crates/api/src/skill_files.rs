//! The files of a skill, beside its `SKILL.md`.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, ApiError, Faults};
use crate::read::{Json, Path};
use crate::skills::{FileView, OneSkill, content_of};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quaymaster_app::App;
use quaymaster_app::skills::archive::Packed;
use quaymaster_core::Fault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A body that carries a file of 16 MiB as base64.
const FILE: usize = 23 << 20;

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SkillFileContent {
    #[serde(flatten)]
    file: FileView,
    mime: String,
    /// The content, when it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The content as base64, when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

/// Reads a file of a skill
///
/// `SKILL.md` is the document that agents read.
#[utoipa::path(
    get, path = "/api/v1/skills/{id}/files/{*path}", tag = "Skills",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Name of the skill."),
        ("path" = String, Path, description = "Path from the skill's root, with slashes."),
    ),
    responses((status = 200, description = "The file.", body = SkillFileContent), Faults)
)]
pub(crate) async fn read_skill_file(
    State(app): State<App>,
    Person(actor): Person,
    Path((id, path)): Path<(String, String)>,
) -> Answer<axum::Json<SkillFileContent>> {
    let (file, mime, bytes) = app.skill_file(&actor, &id, &path).await?;
    let (text, base64) = content_of(bytes);
    Ok(axum::Json(SkillFileContent {
        file: file.into(),
        mime,
        text,
        base64,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PutSkillFile {
    text: Option<String>,
    /// Instead of `text`.
    base64: Option<String>,
    executable: Option<bool>,
}

/// Writes a file of a skill
///
/// Over what is at the path. Makes a new version of the skill. Needs an administrator.
#[utoipa::path(
    put, path = "/api/v1/skills/{id}/files/{*path}", tag = "Skills",
    security(("bearer" = ["admin"])), request_body = PutSkillFile,
    params(
        ("id" = String, Path, description = "Name of the skill."),
        ("path" = String, Path, description = "Path from the skill's root, with slashes."),
    ),
    responses((status = 200, description = "The skill as it is now.", body = OneSkill), Faults)
)]
pub(crate) async fn put_skill_file(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, path)): Path<(String, String)>,
    Json(new): Json<PutSkillFile, FILE>,
) -> Answer<axum::Json<OneSkill>> {
    let bytes = match (new.text, new.base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(base64)) => STANDARD
            .decode(base64)
            .map_err(|_| Fault::invalid_arg("/base64", "base64", "The content is not base64."))?,
        _ => {
            let message = "Give either text or base64.";
            return Err(Fault::invalid_arg("", "oneOf", message).into());
        }
    };
    let file = Packed {
        path,
        bytes,
        executable: new.executable.unwrap_or(false),
    };
    let skill = app.put_skill_file(&admin, &id, file).await;
    Ok(axum::Json(skill.map_err(ApiError::about_body)?.into()))
}

/// Deletes a file of a skill
///
/// Makes a new version of the skill. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/skills/{id}/files/{*path}", tag = "Skills",
    security(("bearer" = ["admin"])),
    params(
        ("id" = String, Path, description = "Name of the skill."),
        ("path" = String, Path, description = "Path from the skill's root, with slashes."),
    ),
    responses((status = 200, description = "The skill as it is now.", body = OneSkill), Faults)
)]
pub(crate) async fn delete_skill_file(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path((id, path)): Path<(String, String)>,
) -> Answer<axum::Json<OneSkill>> {
    let skill = app.delete_skill_file(&admin, &id, &path).await?;
    Ok(axum::Json(skill.into()))
}

//! What memory files said before: listed, restored, redacted.

use crate::auth::{MemoryReader, MemoryWriter};
use crate::error::{Answer, Faults};
use crate::memory::{WrittenView, written};
use crate::paging::Paging;
use crate::read::{Json, Query};
use axum::extract::State;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::memory::{MemoryVersion, etag};
use quaymaster_core::Instant;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MemoryVersion)]
pub(crate) struct VersionView {
    version: i64,
    /// The path at that time.
    path: String,
    /// `created`, `edited`, `renamed`, `restored` or `deleted`.
    change: &'static str,
    /// Absent when there is nothing to read: it is a deletion, or was redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    size: i64,
    written_by: String,
    #[schema(value_type = String, format = DateTime)]
    written_at: Instant,
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted_at: Option<Instant>,
}

impl From<MemoryVersion> for VersionView {
    fn from(version: MemoryVersion) -> Self {
        VersionView {
            version: version.version,
            path: version.path,
            change: version.change.name(),
            etag: version.content.is_some().then(|| etag(&version.sha256)),
            size: version.size,
            written_by: version.written_by,
            written_at: version.written_at,
            redacted_at: version.redacted_at,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfFile {
    /// Path of the file, which may be deleted.
    path: String,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// How many to leave out at the start.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MemoryVersionList {
    versions: Vec<VersionView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists the versions of a memory file
///
/// Newest first. They are kept for 30 days, and the last 20 for longer.
#[utoipa::path(
    get, path = "/api/v1/memory/versions", tag = "Memory",
    security(("bearer" = ["read:data"])), params(OfFile),
    responses((status = 200, description = "A page of versions.", body = MemoryVersionList), Faults)
)]
pub(crate) async fn list_memory_versions(
    State(app): State<App>,
    MemoryReader(reader): MemoryReader,
    Query(of): Query<OfFile>,
) -> Answer<axum::Json<MemoryVersionList>> {
    let all = app.memory_versions(&reader, &of.path).await?;
    let (page, total) = Paging::new(of.limit, of.offset).cut(all)?;
    let versions = page.into_iter().map(VersionView::from).collect();
    Ok(axum::Json(MemoryVersionList { versions, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OneVersion {
    path: String,
    version: i64,
    /// The etag that was read, or `*`.
    if_match: Option<String>,
}

/// Restores a version of a memory file
///
/// Also of one that was deleted. Makes a new version.
#[utoipa::path(
    post, path = "/api/v1/memory/restore", tag = "Memory",
    security(("bearer" = ["read:data", "write:tools"])), request_body = OneVersion,
    responses(
        (status = 200, description = "It says that again.", body = WrittenView),
        (status = 201, description = "It is there again.", body = WrittenView),
        Faults
    )
)]
pub(crate) async fn restore_memory_version(
    State(app): State<App>,
    MemoryWriter(writer): MemoryWriter,
    Json(asked): Json<OneVersion>,
) -> Answer<Response> {
    let if_match = asked.if_match.as_deref();
    let done = app.restore_memory(&writer, &asked.path, asked.version, if_match);
    Ok(written(done.await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedactVersion {
    path: String,
    version: i64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Redacted {
    /// How many versions said the same.
    redacted: u64,
}

/// Redacts a version of a memory file
///
/// What it said is gone from the history for good, wherever it stands there; who wrote it when stays.
#[utoipa::path(
    post, path = "/api/v1/memory/redact", tag = "Memory",
    security(("bearer" = ["read:data", "write:tools"])), request_body = RedactVersion,
    responses((status = 200, description = "It is redacted.", body = Redacted), Faults)
)]
pub(crate) async fn redact_memory_version(
    State(app): State<App>,
    MemoryWriter(writer): MemoryWriter,
    Json(asked): Json<RedactVersion>,
) -> Answer<axum::Json<Redacted>> {
    let redacted = app
        .redact_memory(&writer, &asked.path, asked.version)
        .await?;
    Ok(axum::Json(Redacted { redacted }))
}

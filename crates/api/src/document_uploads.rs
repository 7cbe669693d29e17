//! Upload sessions of documents: begun, filled part by part at `/u/…` ([`parts`](crate::parts)), completed or aborted.

use crate::auth::Administrator;
use crate::documents::OneDocument;
use crate::error::{Answer, ApiError, Faults};
use crate::paging::Paging;
use crate::read::{Json, Path, Query};
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::uploads::{DocumentUpload, NewDocumentUpload};
use quaymaster_core::Instant;
use quaymaster_core::id::UploadId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An upload session of a document.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = DocumentUpload)]
pub(crate) struct UploadView {
    id: String,
    path: String,
    title: String,
    /// Whether a document at that path gets the bytes.
    replace: bool,
    /// `open`, `completed`, `aborted` or `expired`.
    state: String,
    /// Bytes of the whole document.
    size: i64,
    /// Bytes of each part but the last.
    part_size: i64,
    part_count: i64,
    /// Bytes of the parts that arrived.
    received_bytes: i64,
    /// Ranges of numbers, for example `3-7,9`; empty when all are there.
    missing_parts: String,
    /// While it is open: PUT the bytes of part `{n}` here, counted from 0, up to 8 at a time and in any order. The address
    /// itself is the permission. A `Content-Digest: sha-256=:…:` is checked; a part that is sent again replaces the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    part_url_template: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// A day after the last part, and a week after its beginning at the latest.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    /// Id of the document that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    document_id: Option<String>,
}

impl UploadView {
    fn of(app: &App, upload: DocumentUpload) -> Self {
        let public = &app.settings().public_url;
        UploadView {
            id: upload.id.to_string(),
            path: upload.path,
            title: upload.title,
            replace: upload.replace,
            state: upload.state.name().to_owned(),
            size: upload.size,
            part_size: upload.part_size,
            part_count: upload.part_count,
            received_bytes: upload.received_bytes,
            missing_parts: upload.missing_parts,
            part_url_template: upload.part_path.map(|path| format!("{public}{path}")),
            created_at: upload.created_at,
            expires_at: upload.expires_at,
            document_id: upload.document.map(|document| document.to_string()),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = OneDocumentUpload)]
pub(crate) struct OneUpload {
    upload: UploadView,
}

impl OneUpload {
    fn of(app: &App, upload: DocumentUpload) -> Self {
        let upload = UploadView::of(app, upload);
        OneUpload { upload }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = DocumentUploadList)]
pub(crate) struct UploadList {
    uploads: Vec<UploadView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists open upload sessions of documents
///
/// Oldest first. Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/documents/uploads", tag = "Documents",
    security(("bearer" = ["admin"])), params(Paging),
    responses((status = 200, description = "A page of sessions.", body = UploadList), Faults)
)]
pub(crate) async fn list_document_uploads(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<UploadList>> {
    let (page, total) = paging.cut(app.document_uploads(&admin).await?)?;
    let told = page.into_iter().map(|upload| UploadView::of(&app, upload));
    let uploads = told.collect();
    Ok(axum::Json(UploadList { uploads, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewDocumentUpload)]
pub(crate) struct NewUpload {
    /// For example `handbook/rules.pdf`: at most 512 bytes.
    path: String,
    /// Without one, the name in the path.
    #[serde(default)]
    title: Option<String>,
    /// A document at that path gets these bytes, and keeps its id. Without this it is refused.
    #[serde(default)]
    replace: bool,
    /// Bytes of the whole document.
    #[schema(minimum = 0)]
    size: i64,
    /// SHA-256 of the whole document, 64 hexadecimal digits; checked at completion.
    #[serde(default)]
    sha256: Option<String>,
}

/// Begins to upload a document in parts
///
/// For documents that one request cannot carry, and for connections that break: what arrived stays, also when the server is
/// started again. Send the parts to `partUrlTemplate`, then complete the session. Its bytes count as if they were there
/// until it is completed, aborted or expired. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/documents/uploads", tag = "Documents",
    security(("bearer" = ["admin"])), request_body = NewUpload,
    responses((status = 201, description = "The session.", body = OneUpload), Faults)
)]
pub(crate) async fn create_document_upload(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(new): Json<NewUpload>,
) -> Answer<(StatusCode, axum::Json<OneUpload>)> {
    let new = NewDocumentUpload {
        path: new.path,
        title: new.title,
        replace: new.replace,
        size: new.size,
        sha256: new.sha256,
    };
    let made = app.create_document_upload(&admin, new).await;
    let upload = made.map_err(ApiError::about_body)?;
    Ok((StatusCode::CREATED, axum::Json(OneUpload::of(&app, upload))))
}

/// Reads an upload session of a document
///
/// Which parts are missing, and what became of it; for two weeks after its beginning. Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/documents/uploads/{id}", tag = "Documents",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the session.")),
    responses((status = 200, description = "The session.", body = OneUpload), Faults)
)]
pub(crate) async fn read_document_upload(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<UploadId>,
) -> Answer<axum::Json<OneUpload>> {
    let upload = app.document_upload(&admin, &id).await?;
    Ok(axum::Json(OneUpload::of(&app, upload)))
}

/// Completes an upload session of a document
///
/// Makes the document when all parts are there. When it fails the session stays open, unless it has expired. A repeat makes
/// nothing and answers the same document, as it is by then. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/documents/uploads/{id}/complete", tag = "Documents",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the session.")),
    responses((status = 200, description = "The document.", body = OneDocument), Faults)
)]
pub(crate) async fn complete_document_upload(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<UploadId>,
) -> Answer<axum::Json<OneDocument>> {
    let document = app.complete_document_upload(&admin, &id).await?;
    Ok(axum::Json(document.into()))
}

/// Aborts an upload session of a document
///
/// Ends it without a document and frees what was sent. Once more changes nothing. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/documents/uploads/{id}", tag = "Documents",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the session.")),
    responses((status = 200, description = "The session, which is over.", body = OneUpload), Faults)
)]
pub(crate) async fn abort_document_upload(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<UploadId>,
) -> Answer<axum::Json<OneUpload>> {
    let upload = app.abort_document_upload(&admin, &id).await?;
    Ok(axum::Json(OneUpload::of(&app, upload)))
}

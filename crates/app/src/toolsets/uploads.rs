//! Upload sessions: files too large for a tool's argument arrive by plain HTTP.

use super::{ADDS, DESTROYS_ONCE, READS, Tool, structured};
use crate::App;
use crate::guard::Admitted;
use crate::uploads::{NewUpload, missing_parts};
use quaymaster_core::tool::{Content, ToolResult};
use quaymaster_core::{Fault, Instant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Parts told by one `get_upload_status`.
const PAGE: usize = 500;
const MOST_PARALLEL: u32 = 8;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateUploadSession {
    /// Where the file shall be.
    #[schemars(length(min = 1, max = 4096))]
    path: String,
    /// Bytes of the whole file, at most 5 GiB.
    #[schemars(range(min = 0, max = 5_368_709_120_u64))]
    size: u64,
    /// SHA-256 of the whole file, 64 hexadecimal digits; checked at completion.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    sha256: Option<String>,
    /// Media type. Default: by content.
    #[serde(default)]
    #[schemars(length(max = 255))]
    mime: Option<String>,
    /// Replace a file that is there.
    #[serde(default)]
    overwrite: bool,
    /// Etag of the file to replace, or `*`: it must exist.
    #[serde(default)]
    if_match: Option<String>,
    /// The same key gives the same session again, after an answer was lost.
    #[serde(default)]
    #[schemars(length(min = 1, max = 64))]
    idempotency_key: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CreateUploadSessionResult {
    upload_id: String,
    /// Bytes of each part but the last.
    part_size: i64,
    part_count: i64,
    /// PUT the bytes of part n here; n counts from 0.
    part_url_template: String,
    /// Headers to send with each part.
    headers: BTreeMap<String, String>,
    expires_at: Instant,
    max_parallel: u32,
    curl_example: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetUploadStatus {
    upload_id: String,
    /// Go on where the page before ended.
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Part {
    n: i64,
    size: i64,
    sha256: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GetUploadStatusResult {
    upload_id: String,
    path: String,
    /// open, completing, completed, aborted or expired
    state: String,
    size: i64,
    received_bytes: i64,
    /// Parts that arrived, 500 a page.
    parts: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Ranges of numbers, for example `3-7,9`; empty when all are there.
    missing_parts: String,
    expires_at: Instant,
    /// The answer of the completion.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CompleteUploadSession {
    upload_id: String,
    /// SHA-256 of the whole file, 64 hexadecimal digits, when not given before.
    #[serde(default)]
    #[schemars(regex(pattern = "^[0-9a-fA-F]{64}$"))]
    sha256: Option<String>,
    /// Etag that the file to replace must still have, or `*`.
    #[serde(default)]
    if_match: Option<String>,
}

/// The stored answer is returned as it is; this describes its shape.
#[derive(Debug, Serialize, JsonSchema)]
struct CompleteUploadSessionResult {
    upload_id: String,
    path: String,
    etag: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_etag: Option<String>,
    size: u64,
    mime: String,
    replaced: bool,
    completed_at: Instant,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AbortUploadSession {
    upload_id: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AbortUploadSessionResult {
    upload_id: String,
    state: String,
}

pub(super) fn tools() -> Result<Vec<Tool>, Fault> {
    Ok(vec![
        Tool::new::<CreateUploadSession, CreateUploadSessionResult>(
            "create_upload_session",
            "Create an upload session",
            "Begins the upload of a file of up to 5 GiB. Send each part with an HTTP PUT to part_url_template \
             (n from 0; up to 8 at a time; the address itself is the permission), then call \
             complete_upload_session. The answer has a curl line.",
            ADDS,
            |app, admitted, request| Box::pin(create(app, admitted, request)),
        )?,
        Tool::new::<GetUploadStatus, GetUploadStatusResult>(
            "get_upload_status",
            "Get the status of an upload",
            "Tells which parts of an upload arrived and which are missing.",
            READS,
            |app, admitted, request| Box::pin(status(app, admitted, request)),
        )?,
        Tool::new::<CompleteUploadSession, CompleteUploadSessionResult>(
            "complete_upload_session",
            "Complete an upload",
            "Checks that all parts are there, and moves the file to its place. Calling it again answers the same.",
            DESTROYS_ONCE,
            |app, admitted, request| Box::pin(complete(app, admitted, request)),
        )?,
        Tool::new::<AbortUploadSession, AbortUploadSessionResult>(
            "abort_upload_session",
            "Abort an upload",
            "Ends an upload session and frees what was sent.",
            DESTROYS_ONCE,
            |app, admitted, request| Box::pin(abort(app, admitted, request)),
        )?,
    ])
}

async fn create(
    app: &App,
    admitted: Admitted,
    request: CreateUploadSession,
) -> Result<ToolResult, Fault> {
    for (pointer, text) in [
        ("/mime", &request.mime),
        ("/if_match", &request.if_match),
        ("/idempotency_key", &request.idempotency_key),
    ] {
        if text
            .as_ref()
            .is_some_and(|text| text.chars().any(char::is_control))
        {
            return Err(Fault::invalid_arg(
                pointer,
                "pattern",
                "Control characters do not belong here.",
            ));
        }
    }
    let new = NewUpload {
        path: request.path,
        size: request.size,
        sha256: request.sha256,
        mime: request.mime,
        overwrite: request.overwrite,
        if_match: request.if_match,
        idempotency_key: request.idempotency_key,
    };
    let upload = app
        .create_upload(admitted.caller(), admitted.workspace(), new)
        .await?;
    let template = app.part_url_template(&upload.id)?;
    let headers = BTreeMap::from([(
        "Content-Type".to_owned(),
        "application/octet-stream".to_owned(),
    )]);
    let curl_example = format!(
        "split -b {} -a 5 -d FILE part. && for n in $(seq 0 {}); do curl -fsS -X PUT --data-binary \
         @part.$(printf %05d $n) -H 'Content-Type: application/octet-stream' \"{}\"; done",
        upload.part_size,
        upload.part_count - 1,
        template.replace("{n}", "$n"),
    );
    structured(&CreateUploadSessionResult {
        upload_id: upload.id.to_string(),
        part_size: upload.part_size,
        part_count: upload.part_count,
        part_url_template: template,
        headers,
        expires_at: upload.expires_at,
        max_parallel: MOST_PARALLEL,
        curl_example,
    })
}

async fn status(
    app: &App,
    admitted: Admitted,
    request: GetUploadStatus,
) -> Result<ToolResult, Fault> {
    // Settles what a crash interrupted, before the state is told.
    app.home(admitted.workspace()).await?;
    let upload = app.upload_of(admitted.caller(), &request.upload_id).await?;
    let after = match &request.cursor {
        None => -1,
        Some(cursor) => cursor.parse::<i64>().map_err(|_| {
            Fault::invalid_arg(
                "/cursor",
                "format",
                "This cursor is not one of get_upload_status.",
            )
        })?,
    };
    let parts = app.upload_parts(&upload.id).await?;
    let page: Vec<Part> = parts
        .iter()
        .filter(|part| part.n > after)
        .take(PAGE)
        .map(|part| Part {
            n: part.n,
            size: part.size,
            sha256: part.sha256.clone(),
        })
        .collect();
    let last = page.last().map(|part| part.n);
    let more = last.is_some_and(|last| parts.iter().any(|part| part.n > last));
    structured(&GetUploadStatusResult {
        upload_id: upload.id.to_string(),
        path: upload.path.clone(),
        state: upload.state.name().to_owned(),
        size: upload.size,
        received_bytes: parts.iter().map(|part| part.size).sum(),
        next_cursor: last.filter(|_| more).map(|last| last.to_string()),
        missing_parts: missing_parts(&upload, &parts),
        parts: page,
        expires_at: upload.expires_at,
        result: upload
            .result
            .as_deref()
            .and_then(|text| serde_json::from_str(text).ok()),
    })
}

async fn complete(
    app: &App,
    admitted: Admitted,
    request: CompleteUploadSession,
) -> Result<ToolResult, Fault> {
    let upload = app.upload_of(admitted.caller(), &request.upload_id).await?;
    let answer = app
        .complete_upload(
            admitted.workspace(),
            &upload.id,
            request.sha256,
            request.if_match,
            admitted.call().ctx.clone(),
        )
        .await?;
    let value = serde_json::from_str(&answer).map_err(|_| Fault::internal())?;
    Ok(ToolResult {
        content: vec![Content::Text(answer)],
        structured: Some(value),
    })
}

async fn abort(
    app: &App,
    admitted: Admitted,
    request: AbortUploadSession,
) -> Result<ToolResult, Fault> {
    let upload = app.upload_of(admitted.caller(), &request.upload_id).await?;
    app.abort_upload(admitted.workspace(), &upload.id).await?;
    structured(&AbortUploadSessionResult {
        upload_id: upload.id.to_string(),
        state: "aborted".to_owned(),
    })
}

//! Parts of uploads by plain HTTP: `PUT /u/{id}/parts/{n}?t=` and `HEAD /u/{id}?t=`.
//!
//! The address is the permission, so there is no bearer token here; who has the address may fill
//! the upload and nothing else. A part is streamed to the disk and never held whole in memory.
//! Faults have the shape that tools answer, since an agent's `curl` reads them.

use crate::arriving::{WHOLE, piece};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{head, put};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, EXPECT, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use http_body_util::BodyExt as _;
use quaymaster_app::App;
use quaymaster_app::uploads::{Receiver, part_length};
use quaymaster_core::{Code, Fault, hex};
use serde::Serialize;
use std::time::Duration;

/// What is still read of a refused part, and for how long: a client that is cut off while it sends
/// does not see the refusal.
const READ_ON: i64 = 32 * 1024 * 1024;
const READ_ON_FOR: Duration = Duration::from_secs(10);

/// Takes parts. It owns every path under `/u`.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/u/{id}/parts/{n}", put(send_part))
        .route("/u/{id}", head(read_progress))
        .method_not_allowed_fallback(wrong_method)
        .layer(axum::middleware::map_response(protected))
        .with_state(app)
}

#[derive(Serialize)]
struct Part {
    n: i64,
    size: i64,
    /// Lower-case hexadecimal.
    sha256: String,
}

struct Refused(Fault);

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Refused(fault)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}

async fn send_part(
    State(app): State<App>,
    Path((id, n)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    mut body: Body,
) -> Result<Json<Part>, Refused> {
    let sent = take_part(&app, &id, &n, &uri, &headers, &mut body).await;
    // A client that asked before it sends (RFC 9110 §10.1.1) gets its answer anyway, and one that
    // stalled has had its time.
    if let Err(fault) = &sent
        && fault.code != Code::Timeout
        && !headers.contains_key(EXPECT)
    {
        let _ = tokio::time::timeout(READ_ON_FOR, read_on(&headers, &mut body)).await;
    }
    Ok(Json(sent?))
}

async fn read_on(headers: &HeaderMap, body: &mut Body) {
    if content_length(headers).is_some_and(|length| length > READ_ON) {
        return;
    }
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await
        && read <= READ_ON
    {
        read += frame.data_ref().map_or(0, |data| data.len() as i64);
    }
}

async fn take_part(
    app: &App,
    id: &str,
    n: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Part, Fault> {
    let (upload, _) = app.upload_at(id, &signature(uri)).await?;
    // What is no number names no part; -1 is never one.
    let n = n.parse().unwrap_or(-1);
    let length = part_length(&upload, n)?;
    // Refused before the part that may be there already is given up.
    if let Some(announced) = content_length(headers) {
        check_length(n, length, announced)?;
    }
    let digest = content_digest(headers)?;
    let receiver = app.receive_part(&upload, n, digest).await?;
    match tokio::time::timeout(WHOLE, receive(receiver, body)).await {
        Ok(received) => received,
        Err(_) => Err(Fault::new(
            Code::Timeout,
            "The part took longer than an hour to arrive.",
        )
        .hint("Send it again over a faster connection.")),
    }
}

/// Streams a body into a part.
async fn receive(mut receiver: Receiver, body: &mut Body) -> Result<Part, Fault> {
    let length = receiver.length();
    let mut received = 0;
    while let Some(bytes) = piece(body, "part").await? {
        received += i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        if received > length {
            return Err(too_long(length));
        }
        receiver = receiver.write(bytes).await?;
    }
    let part = receiver.finish().await?;
    Ok(Part {
        n: part.n,
        size: part.size,
        sha256: part.sha256,
    })
}

async fn read_progress(
    State(app): State<App>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<[(HeaderName, HeaderValue); 3], Refused> {
    let (upload, parts) = app.upload_at(&id, &signature(&uri)).await?;
    let received: i64 = parts.iter().map(|part| part.size).sum();
    Ok([
        (
            HeaderName::from_static("upload-state"),
            HeaderValue::from_static(upload.state.name()),
        ),
        (
            HeaderName::from_static("upload-received"),
            HeaderValue::from(received),
        ),
        (
            HeaderName::from_static("upload-size"),
            HeaderValue::from(upload.size),
        ),
    ])
}

async fn wrong_method() -> Response {
    let fault = Fault::new(Code::InvalidArg, "This path does not know that method.")
        .hint("PUT sends a part; HEAD of the upload tells how far it is.");
    (StatusCode::METHOD_NOT_ALLOWED, Json(fault)).into_response()
}

/// The parameter `t`; what is absent matches nothing.
fn signature(uri: &Uri) -> String {
    let query = uri.query().unwrap_or_default();
    let found = query.split('&').find_map(|pair| pair.strip_prefix("t="));
    found.unwrap_or_default().to_owned()
}

fn content_length(headers: &HeaderMap) -> Option<i64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn check_length(n: i64, length: i64, announced: i64) -> Result<(), Fault> {
    if announced > length {
        return Err(too_long(length));
    }
    if announced < length {
        let message = format!("Part {n} has {length} bytes; {announced} are announced.");
        return Err(Fault::invalid_arg("/body", "minLength", message)
            .hint("Send the part whole.")
            .detail("expected", length)
            .detail("received", announced));
    }
    Ok(())
}

fn too_long(length: i64) -> Fault {
    Fault::new(
        Code::TooLarge,
        format!("The part has {length} bytes; more are announced or arrived."),
    )
    .hint("Send exactly the bytes of the part.")
    .detail("limit", length)
}

/// The SHA-256 of `Content-Digest` (RFC 9530 §2) in lower-case hexadecimal. Other algorithms are
/// passed over, as §5 allows.
fn content_digest(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let values = headers.get_all("content-digest").iter();
    let members = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let Some(coded) = members
        .filter_map(|member| member.trim().strip_prefix("sha-256="))
        .next_back()
    else {
        return Ok(None);
    };
    let digest = coded
        .strip_prefix(':')
        .and_then(|coded| coded.strip_suffix(':'))
        .and_then(|coded| STANDARD.decode(coded).ok())
        .filter(|digest| digest.len() == 32);
    let Some(digest) = digest else {
        let message = "The header Content-Digest does not read.";
        return Err(Fault::invalid_arg("/content-digest", "format", message)
            .hint("Send Content-Digest: sha-256=:<base64 of 32 bytes>: or leave it out."));
    };
    Ok(Some(hex(&digest)))
}

async fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &'static str) -> Result<Option<String>, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert("content-digest", HeaderValue::from_static(value));
        content_digest(&headers)
    }

    #[test]
    fn a_digest_is_read_as_rfc_9530_writes_it() {
        // The digest of `{"hello": "world"}` and a line end, from appendix B of the RFC.
        let wanted = "5f8f04f6a3a892aaabbddb6cf273894493773960d4a325b105fee46eef4304f1";
        for value in [
            "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
            "sha-512=:AAAA:, sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:",
        ] {
            assert_eq!(read(value).unwrap().as_deref(), Some(wanted));
        }
        assert_eq!(read("md5=:AAAA:").unwrap(), None);
        for value in ["sha-256=:AAAA:", "sha-256=abc", "sha-256=:!:"] {
            assert_eq!(read(value).unwrap_err().code, Code::InvalidArg, "{value}");
        }
    }
}

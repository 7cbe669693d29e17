//! The files that pages load, embedded in the binary.
//!
//! An address carries the hash of the content, `/assets/<hash>/<name>`, so that browsers may keep
//! the answer forever and still see every change at once. A development build reads the files from
//! the source folder at each request.

use std::borrow::Cow;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/"]
struct Files;

/// The pictures of the guides.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../docs/screenshots/"]
#[include = "workspace-light.webp"]
#[include = "workspace-dark.webp"]
#[include = "api-keys-light.webp"]
#[include = "api-keys-dark.webp"]
#[include = "flow-light.webp"]
#[include = "flow-dark.webp"]
#[include = "server-light.webp"]
#[include = "server-dark.webp"]
#[include = "playground-tool-light.webp"]
#[include = "playground-tool-dark.webp"]
#[include = "members-light.webp"]
#[include = "members-dark.webp"]
struct Pictures;

/// One file as it is sent.
#[derive(Debug, Clone)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub content_type: &'static str,
    /// The first 64 bits of the SHA-256 of the bytes, in hexadecimal.
    pub hash: String,
}

impl Asset {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let file = Files::get(name).or_else(|| Pictures::get(name))?;
        let digest = file.metadata.sha256_hash();
        let head = digest
            .first_chunk()
            .map_or(0, |head| u64::from_be_bytes(*head));
        Some(Asset {
            bytes: file.data,
            content_type: content_type(name),
            hash: format!("{head:016x}"),
        })
    }

    /// A strong validator (RFC 9110 §8.8.3).
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.hash)
    }
}

/// The address of an asset for use in a page; of an unknown name, one that answers 404.
pub fn url(name: &str) -> String {
    let hash = Asset::named(name).map_or_else(|| "unknown".to_owned(), |asset| asset.hash);
    format!("/assets/{hash}/{name}")
}

/// Names of all assets but pictures.
pub fn names() -> impl Iterator<Item = Cow<'static, str>> {
    Files::iter()
}

/// Answers `/assets/{hash}/{name}`, and `/favicon.ico` for those who ask without reading the page.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/assets/{hash}/{name}", get(serve))
        .route(
            "/favicon.ico",
            get(|| async { axum::response::Redirect::temporary(&url("favicon.svg")) }),
        )
}

async fn serve(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(asset) = Asset::named(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if asset.hash != hash {
        // A page from before an upgrade: the new file is not what it was written for.
        return StatusCode::NOT_FOUND.into_response();
    }
    let etag = asset.etag();
    let known = headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|sent| lists(sent, &etag));
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(asset.bytes))
    };
    let out = response.headers_mut();
    if !known {
        out.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(asset.content_type),
        );
    }
    if let Ok(etag) = HeaderValue::try_from(etag) {
        out.insert(header::ETAG, etag);
    }
    out.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    out.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Whether `If-None-Match` names the validator, compared weakly (RFC 9110 §13.1.2).
fn lists(sent: &HeaderValue, etag: &str) -> bool {
    sent.to_str().is_ok_and(|sent| {
        sent.split(',')
            .map(str::trim)
            .any(|one| one == "*" || one.trim_start_matches("W/") == etag)
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("webp") => "image/webp",
        _ => "application/octet-stream",
    }
}

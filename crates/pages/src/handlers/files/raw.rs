//! The bytes of a file. A file is whatever an agent or a stranger wrote, and comes from the address where
//! people are signed in: nothing in it may run. So only pictures made of points are shown by the browser,
//! by the type that their first bytes have; all else is taken away as bytes. Both are sent in a sandbox.

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use quaymaster_app::App;
use quaymaster_core::id::WorkspaceId;

use super::Where;
use crate::handlers::answer::{At, OfStrangers, Stop};
use crate::handlers::person::Person;
use crate::views::address::segment;

/// What a browser may show. Not SVG, which has scripts.
pub(super) const INLINE: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

pub(in crate::handlers) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Query(looking): Query<Where>,
) -> Result<Response, Stop> {
    let file = app.take_away(&person.actor, &id, looking.path).await?;
    let is_image = !file.is_text && INLINE.contains(&file.mime.as_str());
    let kind = if is_image {
        file.mime.clone()
    } else {
        "application/octet-stream".to_owned()
    };
    let disposition = if is_image && looking.download.is_empty() {
        "inline".to_owned()
    } else {
        // RFC 6266: every byte but plain ones is escaped, so a name cannot end the header.
        format!("attachment; filename*=UTF-8''{}", segment(&file.name))
    };
    let head = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CONTENT_LENGTH, file.size.to_string()),
    ];
    let mut response = (head, Body::from_stream(file.bytes())).into_response();
    let headers = response.headers_mut();
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    response.extensions_mut().insert(OfStrangers);
    Ok(response)
}

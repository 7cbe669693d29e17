//! From requests to pages.

use axum::Router;
use quaymaster_app::App;
use serde_json::Value;

/// Every page and what pages load. `openapi` is the document behind `/reference`.
pub fn router(app: App, openapi: Value) -> Router {
    let _ = openapi;
    crate::assets::router().with_state(app)
}

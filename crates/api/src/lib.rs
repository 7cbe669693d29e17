//! The management API under `/api/v1`, and `/health`.

mod health;
mod info;
mod state;

use axum::Router;
use quaymaster_app::App;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use state::ProtocolInfo;

/// The API over the product.
pub fn router(app: App, protocol: ProtocolInfo) -> Router {
    let (router, document) = documented().split_for_parts();
    let state = state::ApiState {
        app,
        protocol: Arc::new(protocol),
        document: document.to_json().unwrap_or_default().into(),
    };
    router.with_state(state)
}

/// The OpenAPI 3.1 document of [`router`].
pub fn openapi() -> utoipa::openapi::OpenApi {
    documented().into_openapi()
}

fn documented() -> OpenApiRouter<state::ApiState> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(info::read_info))
}

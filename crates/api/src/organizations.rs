//! Organizations, made by the operator's own backend with its service key.

use crate::auth::ServiceKey;
use crate::error::{Answer, ApiError, Faults};
use crate::read::Json;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_core::Instant;
use quaymaster_core::id::OrgId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateOrganization {
    /// Unique on the server.
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// Answered as it came; organizations are told apart by id and name.
    slug: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Organization)]
pub(crate) struct OrganizationView {
    #[schema(value_type = String)]
    id: OrgId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MadeOrganization {
    org: OrganizationView,
}

/// Makes an organization
///
/// For the operator's own backend, with the header `X-Service-Key`. With that header and `X-Org-ID`
/// every other call acts in that organization, so that its first API key can be made.
#[utoipa::path(
    post, path = "/api/v1/orgs", tag = "Organizations",
    security(("serviceKey" = [])), request_body = CreateOrganization,
    responses((status = 201, description = "The organization.", body = MadeOrganization), Faults)
)]
pub(crate) async fn create_organization(
    State(app): State<App>,
    ServiceKey(key): ServiceKey,
    Json(new): Json<CreateOrganization>,
) -> Answer<(StatusCode, axum::Json<MadeOrganization>)> {
    let made = app
        .create_organization_of_service(&key, &new.name)
        .await
        .map_err(ApiError::about_body)?;
    let org = OrganizationView {
        id: made.id,
        name: made.name,
        slug: new.slug,
        created_at: made.created_at,
    };
    Ok((StatusCode::CREATED, axum::Json(MadeOrganization { org })))
}

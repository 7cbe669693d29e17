//! The organization's own apps at the services' authorization servers. No answer has a secret.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::read::{Json, Path};
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::connections::OAuthApp;
use quaymaster_core::Instant;
use quaymaster_core::id::{OAuthAppId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An app, without its secret.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OAuthApp)]
pub(crate) struct AppView {
    #[schema(value_type = String)]
    id: OAuthAppId,
    client_id: String,
    /// Whether it has a secret.
    has_secret: bool,
    /// Who set it last.
    #[schema(value_type = String)]
    user_id: UserId,
    #[schema(value_type = String, format = DateTime)]
    changed_at: Instant,
}

impl From<OAuthApp> for AppView {
    fn from(app: OAuthApp) -> Self {
        AppView {
            id: app.id,
            client_id: app.client_id,
            has_secret: app.secret.is_some(),
            user_id: app.user,
            changed_at: app.changed_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OneOAuthApp {
    /// None when the organization has set none.
    #[serde(skip_serializing_if = "Option::is_none")]
    oauth_app: Option<AppView>,
    /// What has to be registered at the service.
    redirect_uri: String,
}

/// Reads the app of a connector
///
/// The app that the organization registered at the service, so that accounts can sign in there.
#[utoipa::path(
    get, path = "/api/v1/connectors/{key}/oauth-app", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("key" = String, Path, description = "Key of the connector.")),
    responses((status = 200, description = "The app, if there is one.", body = OneOAuthApp), Faults)
)]
pub(crate) async fn read_oauth_app(
    State(app): State<App>,
    Person(actor): Person,
    Path(key): Path<String>,
) -> Answer<axum::Json<OneOAuthApp>> {
    let found = app.oauth_app(&actor, &key).await?;
    Ok(axum::Json(OneOAuthApp {
        oauth_app: found.map(AppView::from),
        redirect_uri: app.redirect_uri(),
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SetOAuthApp {
    client_id: String,
    /// Without it, that of the same client id stays; an app that never had one is a public client.
    client_secret: Option<String>,
}

/// Sets the app of a connector
///
/// Accounts that are connected already sign in by it from then on. Needs an administrator.
#[utoipa::path(
    put, path = "/api/v1/connectors/{key}/oauth-app", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = SetOAuthApp,
    params(("key" = String, Path, description = "Key of the connector.")),
    responses((status = 200, description = "The app as it is now.", body = OneOAuthApp), Faults)
)]
pub(crate) async fn set_oauth_app(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(key): Path<String>,
    Json(new): Json<SetOAuthApp>,
) -> Answer<axum::Json<OneOAuthApp>> {
    let secret = new.client_secret.map(Into::into);
    let set = app
        .set_oauth_app(&admin, &key, &new.client_id, secret)
        .await?;
    Ok(axum::Json(OneOAuthApp {
        oauth_app: Some(set.into()),
        redirect_uri: app.redirect_uri(),
    }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RemovedOAuthApp {
    deleted: bool,
}

/// Removes the app of a connector
///
/// Accounts that signed in by it work until their tokens end. Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/connectors/{key}/oauth-app", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("key" = String, Path, description = "Key of the connector.")),
    responses((status = 200, description = "It is gone.", body = RemovedOAuthApp), Faults)
)]
pub(crate) async fn remove_oauth_app(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(key): Path<String>,
) -> Answer<axum::Json<RemovedOAuthApp>> {
    app.remove_oauth_app(&admin, &key).await?;
    Ok(axum::Json(RemovedOAuthApp { deleted: true }))
}

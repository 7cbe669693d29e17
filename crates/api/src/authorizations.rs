//! Accounts that sign in at their service: begun here, and looked after until they are connected.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::read::{Json, Path};
use crate::workspaces::find;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::connections::{Aim, Author, Authorization, Fields, Flow, NewConnection};
use quaymaster_core::id::{AuthorizationId, ConnectionId};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// How somebody signs in: `code` in their browser, `device` on any other device.
#[derive(Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SignInFlow)]
pub(crate) enum FlowName {
    Code,
    Device,
}

impl From<Flow> for FlowName {
    fn from(flow: Flow) -> Self {
        match flow {
            Flow::Code => FlowName::Code,
            Flow::Device => FlowName::Device,
        }
    }
}

impl From<FlowName> for Flow {
    fn from(name: FlowName) -> Self {
        match name {
            FlowName::Code => Flow::Code,
            FlowName::Device => Flow::Device,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = AuthorizationStatus)]
pub(crate) enum Status {
    Pending,
    Completed,
    Failed,
    Expired,
}

/// A sign-in at a service that is under way, or what came of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Authorization)]
pub(crate) struct AuthorizationView {
    #[schema(value_type = String)]
    id: AuthorizationId,
    /// Key of the connector.
    connector: String,
    flow: FlowName,
    status: Status,
    /// The page where whoever began it goes on.
    url: String,
    /// What is entered at `verificationUri`, with the flow `device`.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_uri: Option<String>,
    /// The same address with the code in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    verification_uri_complete: Option<String>,
    /// Seconds between two polls.
    #[serde(skip_serializing_if = "Option::is_none")]
    interval_s: Option<i64>,
    /// The connection that came of it.
    #[schema(value_type = Option<String>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_id: Option<ConnectionId>,
    /// Why nothing came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

impl AuthorizationView {
    fn of(app: &App, one: Authorization) -> Self {
        let status = match (&one.connected, &one.problem) {
            (Some(_), _) => Status::Completed,
            (None, Some(_)) => Status::Failed,
            (None, None) if one.expires_at <= app.now() => Status::Expired,
            (None, None) => Status::Pending,
        };
        let device = one.device;
        let public_url = &app.settings().public_url;
        AuthorizationView {
            url: format!("{public_url}/connections/authorize/{}", one.id),
            id: one.id,
            connector: one.connector,
            flow: one.flow.into(),
            status,
            interval_s: device.as_ref().map(|device| device.interval),
            user_code: device.as_ref().map(|device| device.user_code.clone()),
            verification_uri: device.as_ref().map(|one| one.verification_uri.clone()),
            verification_uri_complete: device.and_then(|one| one.verification_uri_complete),
            connection_id: one.connected,
            problem: one.problem,
            created_at: one.created_at,
            expires_at: one.expires_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneAuthorization {
    authorization: AuthorizationView,
}

impl OneAuthorization {
    fn of(app: &App, one: Authorization) -> axum::Json<Self> {
        let authorization = AuthorizationView::of(app, one);
        axum::Json(OneAuthorization { authorization })
    }
}

/// What cannot be an id names no sign-in.
fn id_of(named: &str) -> Result<AuthorizationId, Fault> {
    named.parse().map_err(|_| {
        Fault::not_found("There is no such sign-in.")
            .hint("POST /api/v1/connections/authorizations begins one.")
    })
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BeginAuthorization {
    /// Key of the connector, for a new account.
    connector: Option<String>,
    /// Id of a connection that signs in again; it keeps its name and fields.
    connection_id: Option<String>,
    /// How agents name the account; without one `main`, or the first free of `main-2`, `main-3`.
    #[schema(pattern = "^[a-z0-9_-]{1,40}$")]
    name: Option<String>,
    /// Key of the way to sign in; without one the connector's first.
    auth: Option<String>,
    /// What the way to sign in asks for, by name.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// Id or slug of a workspace: only its calls reach the account.
    workspace: Option<String>,
    /// The service is inside the network.
    is_local: Option<bool>,
    /// Without one the way's usual one.
    flow: Option<FlowName>,
}

/// Begins a sign-in at a service
///
/// Whoever begins it opens `url` and signs in; with the flow `device` they enter `userCode` at
/// `verificationUri` instead, while this API or the page is asked whether they did. Only the person
/// whom the key acts as can go on from the page. Needs an administrator, and the organization's app
/// for the connector.
#[utoipa::path(
    post, path = "/api/v1/connections/authorizations", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = BeginAuthorization,
    responses((status = 201, description = "The sign-in.", body = OneAuthorization), Faults)
)]
pub(crate) async fn begin_authorization(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(new): Json<BeginAuthorization>,
) -> Answer<(StatusCode, axum::Json<OneAuthorization>)> {
    let flow = new.flow.map(Flow::from);
    let aim = match (new.connector, new.connection_id) {
        (Some(connector), None) => Aim::New(Box::new(NewConnection {
            connector,
            name: new.name,
            auth: new.auth,
            fields: Fields(new.fields),
            workspace: match &new.workspace {
                Some(named) => Some(find(&app, &admin, named).await?.id),
                None => None,
            },
            is_local: new.is_local.unwrap_or(false),
            ..NewConnection::default()
        })),
        (None, Some(id)) => Aim::Again(
            id.parse()
                .map_err(|_| Fault::not_found("There is no such connection."))?,
        ),
        _ => {
            let message = "Name either a connector or a connection.";
            return Err(Fault::invalid_arg("/connector", "oneOf", message).into());
        }
    };
    let begun = app
        .begin_authorization(&Author::from(&admin), aim, flow)
        .await?;
    Ok((StatusCode::CREATED, OneAuthorization::of(&app, begun)))
}

/// Reads a sign-in
#[utoipa::path(
    get, path = "/api/v1/connections/authorizations/{id}", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the sign-in.")),
    responses((status = 200, description = "The sign-in.", body = OneAuthorization), Faults)
)]
pub(crate) async fn read_authorization(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<axum::Json<OneAuthorization>> {
    let found = app.authorization(&actor, &id_of(&id)?).await?;
    Ok(OneAuthorization::of(&app, found))
}

/// Asks whether a sign-in on another device is done
///
/// The service is asked at most as often as it allows; in between the answer is what was last heard.
/// Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/connections/authorizations/{id}/poll", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id of the sign-in.")),
    responses((status = 200, description = "The sign-in as it is now.", body = OneAuthorization), Faults)
)]
pub(crate) async fn poll_authorization(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
) -> Answer<axum::Json<OneAuthorization>> {
    let found = app.authorization(&admin, &id_of(&id)?).await?;
    let polled = app.poll_authorization(&found.id).await?;
    Ok(OneAuthorization::of(&app, polled))
}

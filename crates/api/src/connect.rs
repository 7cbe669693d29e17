//! What a person pastes into a client to connect it to a workspace.

use crate::auth::Person;
use crate::error::{Answer, Faults};
use crate::read::Path;
use crate::workspaces::find;
use axum::Json;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::connect_lines::{TOKEN_PLACEHOLDER, Target, connect_lines, sign_in_lines};
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectLines {
    /// The MCP endpoint.
    endpoint: String,
    lines: Vec<Line>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ConnectLine)]
pub(crate) struct Line {
    client: &'static str,
    /// `command` for a shell line, `file` for text of a configuration file, `url` for an address.
    kind: &'static str,
    /// Where it goes.
    place: String,
    /// Has `<token>` where a token of the workspace belongs: tokens are shown only when they are
    /// made. Clients that sign in by themselves need none.
    text: String,
}

/// Says how to connect a client to a workspace
#[utoipa::path(
    get, path = "/api/v1/workspaces/{id}/connect-lines", tag = "Workspaces",
    security(("bearer" = ["admin"])),
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 200, description = "A line or file for each client.", body = ConnectLines), Faults)
)]
pub(crate) async fn list_connect_lines(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
) -> Answer<Json<ConnectLines>> {
    find(&app, &actor, &id).await?;
    let endpoint = app.settings().endpoint();
    let target = Target {
        name: &app.settings().server_name,
        endpoint: &endpoint,
        token: Some(TOKEN_PLACEHOLDER),
        program: None,
    };
    let lines = sign_in_lines(target.name, target.endpoint)
        .into_iter()
        .chain(connect_lines(target))
        .map(|line| Line {
            client: line.client,
            kind: line.kind,
            place: line.place,
            text: line.text,
        })
        .collect();
    Ok(Json(ConnectLines { endpoint, lines }))
}

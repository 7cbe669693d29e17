//! `get_reconnect_url`: a link for the person behind a workspace.

use super::{ADDS, Tool, structured};
use crate::App;
use crate::guard::Admitted;
use quaymaster_core::tool::ToolResult;
use quaymaster_core::{Fault, Instant};
use schemars::JsonSchema;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GetReconnectUrl {
    /// What to call the client that shall be connected, for example `Cursor`.
    #[serde(default)]
    #[schemars(length(max = 64))]
    client_name: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct GetReconnectUrlResult {
    /// Give it to the person; it holds no token.
    url: String,
    expires_at: Instant,
    single_use: bool,
}

pub(super) fn tools() -> Result<Vec<Tool>, Fault> {
    Ok(vec![Tool::new::<GetReconnectUrl, GetReconnectUrlResult>(
        "get_reconnect_url",
        "Get a reconnect link",
        "Makes a link by which the workspace's owner connects a client (again). They sign in, confirm the \
         workspace and get a fresh token to paste. It works once, for ten minutes. Show it to the person.",
        ADDS,
        |app, admitted, request| Box::pin(run(app, admitted, request)),
    )?])
}

async fn run(app: &App, admitted: Admitted, request: GetReconnectUrl) -> Result<ToolResult, Fault> {
    let client_name = request
        .client_name
        .map(|name| {
            name.chars()
                .filter(|c| !c.is_control())
                .collect::<String>()
                .trim()
                .to_owned()
        })
        .filter(|name| !name.is_empty());
    let link = app
        .create_reconnect_link(admitted.caller(), &admitted.workspace().id, client_name)
        .await?;
    structured(&GetReconnectUrlResult {
        url: link.url.expose_secret().to_owned(),
        expires_at: link.expires_at,
        single_use: true,
    })
}

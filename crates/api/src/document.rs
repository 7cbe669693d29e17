//! The OpenAPI document: what the handlers do not say themselves, and where it is served.

use crate::error::{FAULT, FaultBody};
use crate::state::ApiState;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Ref,
    ResponseBuilder,
};

/// The document before any operation is added.
pub(crate) fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Quaymaster")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "The management API. JSON fields are in camel case, instants are RFC 3339 in UTC. \
             Every failed request answers with one shape; `fault` and `code` name what went wrong.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "An API key that starts with `sk-org-`. Management needs the scope `admin`, tools the \
             scope `chat`.",
        ))
        .build();
    let fault = ResponseBuilder::new()
        .description("Why the request was refused; `code` and the HTTP status belong together.")
        .content(
            "application/json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name(FAULT)))
                .build(),
        )
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme(
            "serviceKey",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
                "X-Service-Key",
                "The operator's own key. Off unless it is configured.",
            ))),
        )
        .schema_from::<FaultBody<'_>>()
        .response(FAULT, fault)
        .build();
    let groups = GROUPS.map(|(name, description)| {
        TagBuilder::new()
            .name(name)
            .description(Some(description))
            .build()
    });
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .tags(Some(groups))
        .build()
}

/// The groups of operations, in the order of the reference page.
const GROUPS: [(&str, &str); 22] = [
    ("Server", "What anybody may ask."),
    (
        "Workspaces",
        "Workspaces, what is used of them, and how clients are connected to them.",
    ),
    (
        "Workspace tokens",
        "Credentials that reach the file tools of one workspace and nothing else.",
    ),
    (
        "Flow tokens",
        "Credentials that call the flows of one workspace as tools and nothing else.",
    ),
    (
        "Connected clients",
        "OAuth clients that people connected to a workspace by signing in.",
    ),
    (
        "Files",
        "The files of a workspace, for people and their programs. Agents use the file tools.",
    ),
    (
        "Trash",
        "What was deleted in a workspace and can come back.",
    ),
    (
        "API keys",
        "Credentials that act as a user of the organization.",
    ),
    (
        "Organizations",
        "Made by the operator's own backend, with the service key of the configuration.",
    ),
    (
        "Members",
        "The people of the organization, and who is invited to it.",
    ),
    (
        "Connectors",
        "Outside services that agents can call, and the accounts that are connected to them.",
    ),
    (
        "Integrations",
        "Connectors that are switched on in a workspace, saved inputs of their actions, and single calls.",
    ),
    (
        "MCP servers",
        "MCP servers over the integrations of a workspace, their tools and tokens.",
    ),
    (
        "End users",
        "The persons of a developer's own product, and links by which they connect accounts.",
    ),
    (
        "Skills",
        "Instructions with scripts, in the open Agent Skills format, which agents read as resources.",
    ),
    (
        "Memory",
        "Notes that agents and people keep by path: each person's own, and the organization's.",
    ),
    (
        "Documents",
        "The knowledge base that agents search: files of the organization, and the text in them.",
    ),
    (
        "Flows",
        "Steps as data that become tools of a workspace: their versions, runs and secrets.",
    ),
    (
        "Packs",
        "Flows that are installed together, with the accounts and keys that they share.",
    ),
    ("Later", "What is not there yet and answers 501."),
    ("Activity", "Tool calls, and who changed what."),
    (
        "Tools",
        "The tools that a credential sees over MCP, over REST.",
    ),
];

/// A variable that takes the rest of a path is named like any other: OpenAPI has no such variables.
pub(crate) fn name_variables(document: &mut OpenApi) {
    let paths = std::mem::take(&mut document.paths.paths);
    let named = paths
        .into_iter()
        .map(|(path, item)| (path.replace("{*", "{"), item));
    document.paths.paths = named.collect();
}

/// Reads this document
///
/// Needs no credential.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "Server",
    responses((status = 200, description = "OpenAPI 3.1.", body = Object))
)]
pub(crate) async fn read_document(State(state): State<ApiState>) -> Response {
    (
        [(CONTENT_TYPE, "application/json")],
        state.document.to_string(),
    )
        .into_response()
}

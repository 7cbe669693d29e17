//! The management API under `/api/v1`, and `/health`.
//!
//! An endpoint is read from top to bottom: request, response, handler. Who may is the type of an
//! extractor in the handler's signature.
//!
//! Invariants: every route but [`OPEN_PATHS`] takes one of the extractors of `auth`, so that none
//! is open by accident; every route is in the document, because only documented handlers can be
//! mounted; every failure is one shape, `error::ApiError`; nothing here knows the protocol or the
//! database.
//!
//! - `auth`: who may; `read`: bodies, queries and paths, read strictly; `paging`, `exported`: long lists; `arriving`: bodies that are files; `error`;
//!   `credentials`, `problems`: what several nouns answer alike
//! - `document`: the OpenAPI document; `state`: what handlers can reach
//! - one file a noun: `health`, `info`, `workspaces`, `tokens`, `flow_tokens`, `connected_clients`, `connect`, `files`, `trash`, `api_keys`,
//!   `organizations`, `members`, `invitations`, `connectors`, `connections`, `connection_tools`, `authorizations`, `oauth_apps`, `integrations`, `integration_metadata`, `partials`, `actions`, `end_users`,
//!   `connect_sessions`, `documents`, `document_uploads`, `flows`, `flow_drafts`, `flow_runs`, `flow_secrets`, `packs`, `servers`, `server_tokens`, `server_tools`, `picking`, `code`, `later`, `skills`, `skill_files`, `memory`, `memory_versions`, `calls`, `events`, `usage`, `first_steps`, `search`, `tools`, `toolsets`; [`parts`] has a
//!   router of its own, whose addresses are signed, and so has [`oauth`], whose addresses are those
//!   of its RFCs, and [`hooks`], whose senders prove themselves

mod actions;
mod api_keys;
mod arriving;
mod auth;
mod authorizations;
mod calls;
mod code;
mod connect;
mod connect_sessions;
mod connected_clients;
mod connection_tools;
mod connections;
mod connectors;
mod credentials;
mod document;
mod document_uploads;
mod documents;
mod end_users;
mod error;
mod events;
mod exported;
mod files;
mod first_steps;
mod flow_drafts;
mod flow_runs;
mod flow_secrets;
mod flow_tokens;
mod flows;
mod health;
pub mod hooks;
mod info;
mod integration_metadata;
mod integrations;
mod invitations;
mod later;
mod members;
mod memory;
mod memory_versions;
pub mod oauth;
mod oauth_apps;
mod organizations;
mod packs;
mod paging;
mod partials;
pub mod parts;
mod picking;
mod problems;
mod read;
mod search;
mod server_tokens;
mod server_tools;
mod servers;
mod skill_files;
mod skills;
mod state;
mod tokens;
mod tools;
mod toolsets;
mod trash;
mod usage;
mod workspaces;

use axum::Router;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::any;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use quaymaster_app::App;
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa::openapi::server::Server;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use state::ApiState;
pub use state::ProtocolInfo;

/// The paths that need no credential.
pub const OPEN_PATHS: [&str; 4] = [
    "/health",
    "/api/v1/mcp/info",
    "/api/v1/openapi.json",
    "/api/v1/schemas/flow.json",
];

/// The API over the product. It owns every path under `/api`; what it does not know answers 404.
pub fn router(app: App, protocol: ProtocolInfo) -> Router {
    let (router, mut document) = documented().split_for_parts();
    document::name_variables(&mut document);
    document.servers = Some(vec![Server::new(&app.settings().public_url)]);
    let state = ApiState {
        app,
        protocol: Arc::new(protocol),
        document: json_of(&document).into(),
    };
    router
        .route("/api", any(error::unknown_path))
        .route("/api/", any(error::unknown_path))
        .route("/api/{*path}", any(error::unknown_path))
        .method_not_allowed_fallback(error::wrong_method)
        .layer(map_response(protected))
        .with_state(state)
}

/// The OpenAPI 3.1 document of [`router`], which names no server.
pub fn openapi() -> OpenApi {
    let mut document = documented().into_openapi();
    document::name_variables(&mut document);
    document
}

fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::with_openapi(document::frame())
        .routes(routes!(health::health))
        .routes(routes!(info::read_info))
        .routes(routes!(document::read_document))
        .routes(routes!(
            workspaces::list_workspaces,
            workspaces::create_workspace
        ))
        .routes(routes!(
            workspaces::read_workspace,
            workspaces::update_workspace,
            workspaces::delete_workspace
        ))
        .routes(routes!(connect::list_connect_lines))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::update_token, tokens::revoke_token))
        .routes(routes!(tokens::regenerate_token))
        .routes(routes!(tokens::regenerate_default_token))
        .routes(routes!(
            flow_tokens::list_flow_tokens,
            flow_tokens::create_flow_token
        ))
        .routes(routes!(
            flow_tokens::update_flow_token,
            flow_tokens::revoke_flow_token
        ))
        .routes(routes!(connected_clients::list_connected_clients))
        .routes(routes!(connected_clients::revoke_connected_client))
        .routes(routes!(files::list_files, files::delete_file))
        .routes(routes!(files::read_file, files::write_file))
        .routes(routes!(files::create_directory))
        .routes(routes!(files::move_file))
        .routes(routes!(files::read_file_history))
        .routes(routes!(trash::list_trash))
        .routes(routes!(trash::purge_trash))
        .routes(routes!(trash::restore_trash))
        .routes(routes!(api_keys::list_api_keys, api_keys::create_api_key))
        .routes(routes!(api_keys::update_api_key, api_keys::revoke_api_key))
        .routes(routes!(api_keys::regenerate_api_key))
        .routes(routes!(members::list_members))
        .routes(routes!(members::update_member, members::remove_member))
        .routes(routes!(members::create_reset_link))
        .routes(routes!(
            invitations::list_invitations,
            invitations::create_invitation
        ))
        .routes(routes!(invitations::revoke_invitation))
        .routes(routes!(connectors::list_connectors))
        .routes(routes!(
            connectors::own::list_own_connectors,
            connectors::own::add_own_connector
        ))
        .routes(routes!(connectors::own::check_own_connector))
        .routes(routes!(connectors::own::import_own_connector))
        .routes(routes!(
            connectors::own::read_own_connector,
            connectors::own::replace_own_connector,
            connectors::own::delete_own_connector
        ))
        .routes(routes!(connectors::read_connector))
        .routes(routes!(connectors::modules::read_connector_module))
        .routes(routes!(
            connections::list_connections,
            connections::create_connection
        ))
        .routes(routes!(
            connections::read_connection,
            connections::rename_connection,
            connections::disconnect_account
        ))
        .routes(routes!(connections::resolve_connection))
        .routes(routes!(authorizations::begin_authorization))
        .routes(routes!(authorizations::read_authorization))
        .routes(routes!(authorizations::poll_authorization))
        .routes(routes!(
            oauth_apps::read_oauth_app,
            oauth_apps::set_oauth_app,
            oauth_apps::remove_oauth_app
        ))
        .routes(routes!(connections::verify_connection))
        .routes(routes!(connections::replace_credentials))
        .routes(routes!(connection_tools::list_connection_tools))
        .routes(routes!(connection_tools::accept_connection_tools))
        .routes(routes!(calls::list_workspace_calls))
        .routes(routes!(calls::list_calls))
        .routes(routes!(events::list_events))
        .routes(routes!(usage::read_usage))
        .routes(routes!(search::search))
        .routes(routes!(first_steps::read_first_steps))
        .routes(routes!(first_steps::dismiss_first_steps))
        .routes(routes!(
            integrations::list_integrations,
            integrations::add_integration
        ))
        .routes(routes!(
            integrations::update_integration,
            integrations::remove_integration
        ))
        .routes(routes!(partials::list_partials, partials::create_partial))
        .routes(routes!(
            partials::read_partial,
            partials::update_partial,
            partials::delete_partial
        ))
        .routes(routes!(partials::set_default_partial))
        .routes(routes!(
            end_users::list_end_users,
            end_users::create_end_user
        ))
        .routes(routes!(
            end_users::read_end_user,
            end_users::update_end_user,
            end_users::delete_end_user
        ))
        .routes(routes!(end_users::create_end_user_link))
        .routes(routes!(end_users::invite_end_user))
        .routes(routes!(connect_sessions::create_connect_token))
        .routes(routes!(connect_sessions::read_connect_session))
        .routes(routes!(connect_sessions::poll_connect_session))
        .routes(routes!(servers::list_servers, servers::create_server))
        .routes(routes!(
            servers::read_server,
            servers::update_server,
            servers::delete_server
        ))
        .routes(routes!(server_tokens::regenerate_server_token))
        .routes(routes!(server_tokens::create_access_token))
        .routes(routes!(server_tokens::create_oauth_token))
        .routes(routes!(
            server_tools::list_server_tools,
            server_tools::add_server_tool
        ))
        .routes(routes!(picking::pick_server_tools))
        .routes(routes!(picking::read_tool_list_size))
        .routes(routes!(picking::call_server_tool))
        .routes(routes!(
            server_tools::update_server_tool,
            server_tools::delete_server_tool
        ))
        .routes(routes!(code::read_declarations))
        .routes(routes!(code::execute_code))
        .routes(routes!(actions::execute_action))
        .routes(routes!(actions::list_property_options))
        .routes(routes!(actions::resolve_property))
        .routes(routes!(integration_metadata::list_integration_metadata))
        .routes(routes!(integration_metadata::read_oauth_status))
        .routes(routes!(
            later::list_approval_policies,
            later::create_approval_policy
        ))
        .routes(routes!(later::test_approval_policy))
        .routes(routes!(
            later::read_approval_policy,
            later::update_approval_policy,
            later::delete_approval_policy
        ))
        .routes(routes!(later::list_approvals))
        .routes(routes!(later::read_approval))
        .routes(routes!(later::approve))
        .routes(routes!(later::reject))
        .routes(routes!(later::cancel_approval))
        .routes(routes!(later::list_triggers))
        .routes(routes!(later::enable_trigger))
        .routes(routes!(later::disable_trigger))
        .routes(routes!(later::test_trigger))
        .routes(routes!(skills::list_skills, skills::create_skill))
        .routes(routes!(skills::import_skill))
        .routes(routes!(
            skills::read_skill,
            skills::update_skill,
            skills::delete_skill
        ))
        .routes(routes!(skills::export_skill))
        .routes(routes!(skills::list_skill_versions))
        .routes(routes!(skills::restore_skill_version))
        .routes(routes!(
            skill_files::read_skill_file,
            skill_files::put_skill_file,
            skill_files::delete_skill_file
        ))
        .routes(routes!(memory::list_memory_files))
        .routes(routes!(
            memory::read_memory_file,
            memory::put_memory_file,
            memory::delete_memory_file
        ))
        .routes(routes!(memory::rename_memory_file))
        .routes(routes!(
            memory::read_memory_settings,
            memory::set_memory_settings
        ))
        .routes(routes!(memory_versions::list_memory_versions))
        .routes(routes!(memory_versions::restore_memory_version))
        .routes(routes!(memory_versions::redact_memory_version))
        .routes(routes!(documents::list_documents, documents::add_document))
        .routes(routes!(documents::search_documents))
        .routes(routes!(documents::reindex_documents))
        .routes(routes!(
            documents::read_one_document,
            documents::delete_document
        ))
        .routes(routes!(documents::list_document_chunks))
        .routes(routes!(
            document_uploads::list_document_uploads,
            document_uploads::create_document_upload
        ))
        .routes(routes!(
            document_uploads::read_document_upload,
            document_uploads::abort_document_upload
        ))
        .routes(routes!(document_uploads::complete_document_upload))
        .routes(routes!(documents::reindex_document))
        .routes(routes!(flows::list_flows, flows::create_flow))
        .routes(routes!(
            flows::read_flow,
            flows::put_flow,
            flows::delete_flow
        ))
        .routes(routes!(flows::enable_flow))
        .routes(routes!(flows::disable_flow))
        .routes(routes!(flows::roll_flow_back))
        .routes(routes!(flows::list_flow_versions))
        .routes(routes!(flows::read_flow_version))
        .routes(routes!(flow_drafts::validate_flow))
        .routes(routes!(flow_drafts::try_flow))
        .routes(routes!(flow_drafts::read_flow_schema))
        .routes(routes!(flow_runs::list_flow_runs))
        .routes(routes!(flow_runs::read_flow_run))
        .routes(routes!(flow_runs::cancel_flow_run))
        .routes(routes!(flow_secrets::list_flow_secrets))
        .routes(routes!(
            flow_secrets::set_flow_secret,
            flow_secrets::delete_flow_secret
        ))
        .routes(routes!(packs::list_packs, packs::add_pack))
        .routes(routes!(
            packs::read_pack,
            packs::put_pack,
            packs::remove_pack
        ))
        .routes(routes!(organizations::create_organization))
        .routes(routes!(tools::list_tools))
        .routes(routes!(toolsets::list_toolsets))
        .routes(routes!(tools::call_tool))
}

fn json_of(document: &OpenApi) -> String {
    document.to_json().unwrap_or_else(|error| {
        tracing::error!(%error, "the OpenAPI document does not serialize");
        "{}".to_owned()
    })
}

/// Answers hold what only one caller may see, and tokens: no cache keeps them, no browser guesses
/// their type.
async fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

//! From requests to pages: one file per noun, each endpoint from top to bottom.
//!
//! Invariants: who may is a type in a handler's signature ([`person`]); a form is read by
//! [`posted`] only, which checks where it came from; every answer leaves through
//! [`answer::finish`], which sets the headers and draws the error page; secrets stand only in the
//! answer to the POST that made them.

mod account;
mod activity;
mod answer;
mod api_keys;
mod authorizations;
mod authorize;
mod choosing;
mod connect;
mod connected_clients;
mod connection_tools;
mod connections;
mod connectors;
mod cookie;
mod documents;
mod end_users;
mod files;
mod flow_runs;
mod flow_secrets;
mod flow_steps;
mod flow_tries;
mod flow_versions;
mod flows;
mod guides;
mod home;
mod inputs;
mod integrations;
mod invitation;
mod invitations;
mod local;
mod looking;
mod members;
mod memory;
mod mistakes;
mod mixing;
mod notice;
mod outcome;
mod own_connectors;
mod own_packs;
mod packs;
mod paged;
mod partials;
mod person;
mod picker;
mod place;
mod playground;
mod posted;
mod reconnect;
mod reference;
mod reset;
mod search;
mod server_tools;
mod servers;
mod settings;
mod setup;
mod sign_in;
mod sign_in_link;
mod skills;
mod tokens;
mod trying;
mod unswitched;
mod usage;
mod way_back;
mod welcome;
mod workspace;
mod workspace_settings;
mod writers;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::FromRef;
use axum::middleware;
use axum::routing::{get, post};
use quaymaster_app::App;
use serde_json::{Value, json};

use crate::openapi::from_openapi;
use crate::views::ReferenceView;

/// What every handler can reach.
#[derive(Clone)]
struct Pages {
    app: App,
    reference: Arc<Reference>,
}

/// Read when somebody looks for the first time: that takes longer than all else of a start.
type Reference = LazyLock<Arc<ReferenceView>, Box<dyn FnOnce() -> Arc<ReferenceView> + Send>>;

impl FromRef<Pages> for App {
    fn from_ref(pages: &Pages) -> App {
        pages.app.clone()
    }
}

impl FromRef<Pages> for Arc<ReferenceView> {
    fn from_ref(pages: &Pages) -> Self {
        Arc::clone(LazyLock::force(&pages.reference))
    }
}

/// Every page and what pages load. `openapi` is the document behind `/reference`.
///
/// Has the fallback of the whole server: a page for people, a JSON fault below the paths of
/// programs. Requests should come with `ConnectInfo<SocketAddr>`, which limits on guessing
/// passwords go by.
pub fn router(app: App, openapi: impl FnOnce() -> Value + Send + 'static) -> Router {
    let url = app.settings().public_url.clone();
    let read = move || {
        let mut openapi = openapi();
        // The committed document is of no server in particular; its examples are pasted on this one.
        if let Some(document) = openapi.as_object_mut() {
            document
                .entry("servers")
                .or_insert_with(|| json!([{ "url": url }]));
        }
        Arc::new(from_openapi(&openapi))
    };
    let pages = Pages {
        app,
        reference: Arc::new(LazyLock::new(Box::new(read))),
    };
    Router::new()
        .merge(of_servers())
        .merge(of_flows())
        .route("/sign-in", get(sign_in::read).post(sign_in::submit))
        .route(
            "/sign-in/link/{id}",
            get(sign_in_link::read).post(sign_in_link::submit),
        )
        .route("/sign-out", post(sign_in::sign_out))
        .route("/forgot-password", get(reset::forgot).post(reset::ask))
        .route("/reset/{id}", get(reset::read).post(reset::submit))
        .route(
            "/invitation/{id}",
            get(invitation::read).post(invitation::join),
        )
        .route("/invitation/{id}/accept", post(invitation::accept))
        .route("/welcome", get(welcome::read).post(welcome::submit))
        .route("/", get(home::read))
        .route("/first-steps/dismiss", post(home::dismiss_steps))
        .route("/workspaces", post(home::create))
        .route("/workspaces/{id}", get(workspace::read))
        .route("/workspaces/{id}/cap", post(workspace::set_cap))
        .route("/workspaces/{id}/trash/restore", post(workspace::restore))
        .route("/workspaces/{id}/files", get(files::list))
        .route("/workspaces/{id}/files/view", get(files::view))
        .route("/workspaces/{id}/files/history", get(files::history))
        .route("/workspaces/{id}/files/raw", get(files::raw))
        .route(
            "/workspaces/{id}/files/edit",
            get(files::edit).post(files::save),
        )
        .route("/workspaces/{id}/files/new", post(files::create))
        .route(
            "/workspaces/{id}/files/directory",
            post(files::make_directory),
        )
        .route("/workspaces/{id}/files/upload", post(files::upload))
        .route("/workspaces/{id}/files/move", post(files::rename))
        .route("/workspaces/{id}/files/delete", post(files::delete))
        .route("/workspaces/{id}/env", post(tokens::env_file))
        .route("/workspaces/{id}/tokens", post(tokens::create))
        .route(
            "/workspaces/{id}/tokens/{token}/regenerate",
            post(tokens::regenerate),
        )
        .route(
            "/workspaces/{id}/tokens/{token}/revoke",
            post(tokens::revoke),
        )
        .route(
            "/workspaces/{id}/connected-clients/{client}/revoke",
            post(connected_clients::revoke),
        )
        .route("/workspaces/{id}/settings", get(workspace_settings::read))
        .route(
            "/workspaces/{id}/authentication",
            post(workspace_settings::switch),
        )
        .route(
            "/workspaces/{id}/flow-tokens",
            post(workspace_settings::create),
        )
        .route(
            "/workspaces/{id}/flow-tokens/{token}/revoke",
            post(workspace_settings::revoke),
        )
        .route("/setup/{token}", get(setup::read).post(setup::connect))
        .route("/setup/{token}/sign-in", post(setup::sign_in))
        .route("/connectors", get(connectors::list))
        .route("/connectors/own", get(own_connectors::list))
        .route(
            "/connectors/own/new",
            get(own_connectors::write).post(own_connectors::add),
        )
        .route(
            "/connectors/own/import",
            get(own_connectors::choose).post(own_connectors::import),
        )
        .route(
            "/connectors/own/{key}",
            get(own_connectors::read).post(own_connectors::replace),
        )
        .route("/connectors/own/{key}/delete", post(own_connectors::delete))
        .route("/connectors/{key}", get(connectors::read))
        .route("/connectors/{key}/connect", post(connectors::connect))
        .route(
            "/connectors/{key}/modules/{module}",
            get(connectors::module),
        )
        .route("/connectors/{key}/oauth-app", post(authorizations::set_app))
        .route("/connectors/{key}/authorize", post(authorizations::begin))
        .route(
            "/connections/authorize/{id}",
            get(authorizations::read).post(authorizations::go),
        )
        .route("/connections/callback", get(authorizations::callback))
        .route(
            "/connections/{id}/authorize",
            post(authorizations::begin_again),
        )
        .route(
            "/connectors/{key}/modules/{module}/{action}",
            get(trying::read).post(trying::submit),
        )
        .route("/connections/{id}", get(connections::read))
        .route("/connections/{id}/verify", post(connections::verify))
        .route("/connections/{id}/rename", post(connections::rename))
        .route(
            "/connections/{id}/tools/accept",
            post(connection_tools::accept),
        )
        .route("/connections/{id}/credentials", post(connections::replace))
        .route(
            "/connections/{id}/disconnect",
            post(connections::disconnect),
        )
        .route("/skills", get(skills::list))
        .route("/skills/new", get(skills::write).post(skills::add))
        .route("/skills/import", get(skills::choose).post(skills::import))
        .route("/skills/{name}", get(skills::read).post(skills::change))
        .route("/skills/{name}/enable", post(skills::enable))
        .route("/skills/{name}/delete", post(skills::delete))
        .route("/skills/{name}/export", get(skills::export))
        .route("/skills/{name}/files", post(skills::add_file))
        .route("/skills/{name}/files/delete", post(skills::delete_file))
        .route("/skills/{name}/versions/restore", post(skills::restore))
        .route("/memory", get(memory::list))
        .route("/memory/new", get(memory::write).post(memory::add))
        .route("/memory/file", get(memory::read).post(memory::change))
        .route("/memory/rename", post(memory::rename))
        .route("/memory/delete", post(memory::delete))
        .route("/memory/restore", post(memory::restore))
        .route("/memory/redact", post(memory::redact))
        .route("/memory/settings", post(memory::set))
        .route("/documents", get(documents::list).post(documents::upload))
        .route("/documents/reindex", post(documents::reindex_all))
        .route("/documents/uploads", post(documents::begin))
        .route(
            "/documents/uploads/{id}/complete",
            post(documents::complete),
        )
        .route("/documents/{id}", get(documents::read))
        .route("/documents/{id}/reindex", post(documents::reindex))
        .route("/documents/{id}/delete", post(documents::delete))
        .route("/activity", get(activity::read))
        .route("/activity/export", get(activity::export))
        .route("/activity/changes", get(activity::changes))
        .route("/activity/changes/export", get(activity::export_changes))
        .route("/usage", get(usage::read))
        .route("/search", get(search::read))
        .route("/settings", get(settings::read).post(settings::rename))
        .route("/settings/account", get(account::read))
        .route("/settings/account/name", post(account::rename))
        .route("/settings/account/password", post(account::change_password))
        .route(
            "/settings/account/browsers/sign-out-others",
            post(account::sign_out_others),
        )
        .route(
            "/settings/account/browsers/{id}/sign-out",
            post(account::sign_out_browser),
        )
        .route(
            "/settings/account/organizations/{id}/switch",
            post(account::switch),
        )
        .route(
            "/settings/account/organizations/{id}/leave",
            post(account::leave),
        )
        .route("/settings/members", get(members::read))
        .route("/settings/members/{id}/role", post(members::change_role))
        .route("/settings/members/{id}/remove", post(members::remove))
        .route(
            "/settings/members/{id}/reset-link",
            post(members::reset_link),
        )
        .route("/settings/invitations", post(invitations::create))
        .route(
            "/settings/invitations/{id}/revoke",
            post(invitations::revoke),
        )
        .route(
            "/settings/api-keys",
            get(api_keys::read).post(api_keys::create),
        )
        .route("/settings/api-keys/{id}/revoke", post(api_keys::revoke))
        .route(
            "/reconnect/{id}",
            get(reconnect::read).post(reconnect::confirm),
        )
        .route("/mix", get(mixing::single_tools))
        .route("/authorize", get(authorize::read).post(authorize::submit))
        .route("/guides", get(guides::list))
        .route("/guides/{name}", get(guides::read))
        .route("/reference", get(reference::list))
        .route("/reference/{operation}", get(reference::read))
        .fallback(answer::nothing_here)
        .method_not_allowed_fallback(answer::wrong_method)
        .layer(middleware::from_fn_with_state(
            pages.clone(),
            answer::finish,
        ))
        .merge(crate::assets::router())
        .with_state(pages)
}

/// Integrations, hosted servers, partials and end users.
fn of_servers() -> Router<Pages> {
    Router::new()
        .route("/workspaces/{id}/integrations", get(integrations::list))
        .route(
            "/workspaces/{id}/integrations/new",
            get(integrations::choose),
        )
        .route(
            "/workspaces/{id}/integrations/new/{connector}",
            get(integrations::draft).post(integrations::add),
        )
        .route(
            "/workspaces/{id}/integrations/{integration}",
            get(integrations::read).post(integrations::save),
        )
        .route(
            "/workspaces/{id}/integrations/{integration}/remove",
            post(integrations::remove),
        )
        .route(
            "/workspaces/{id}/servers",
            get(servers::list).post(servers::create),
        )
        .route("/servers/{id}", get(servers::read))
        .route("/servers/{id}/settings", post(servers::save))
        .route("/servers/{id}/token", post(servers::rotate))
        .route("/servers/{id}/delete", post(servers::delete))
        .route(
            "/servers/{id}/tools",
            get(picker::choose).post(picker::pick),
        )
        .route(
            "/servers/{id}/tools/{tool}",
            get(server_tools::read).post(server_tools::save),
        )
        .route(
            "/servers/{id}/tools/{tool}/remove",
            post(server_tools::remove),
        )
        .route(
            "/servers/{id}/try",
            get(playground::read).post(playground::run),
        )
        .route(
            "/servers/{id}/try/{tool}",
            get(playground::read_tool).post(playground::call_tool),
        )
        .route("/workspaces/{id}/partials", get(partials::list))
        .route("/workspaces/{id}/partials/new", get(partials::choose))
        .route(
            "/workspaces/{id}/partials/new/{integration}",
            get(partials::draft).post(partials::create),
        )
        .route("/partials/{id}", get(partials::read).post(partials::save))
        .route("/partials/{id}/delete", post(partials::delete))
        .route(
            "/workspaces/{id}/end-users",
            get(end_users::list).post(end_users::create),
        )
        .route("/end-users/{id}", get(end_users::read))
        .route("/end-users/{id}/link", post(end_users::link))
        .route("/end-users/{id}/delete", post(end_users::delete))
}

/// Flows, their versions, runs and secrets, and packs.
fn of_flows() -> Router<Pages> {
    Router::new()
        .route("/workspaces/{id}/flows", get(flows::list))
        .route(
            "/workspaces/{id}/flows/new",
            get(flows::write).post(flows::add),
        )
        .route(
            "/workspaces/{id}/flows/{flow}",
            get(flows::read).post(flows::change),
        )
        .route("/workspaces/{id}/flows/{flow}/enable", post(flows::enable))
        .route("/workspaces/{id}/flows/{flow}/delete", post(flows::delete))
        .route(
            "/workspaces/{id}/flows/{flow}/try",
            get(flow_tries::read).post(flow_tries::run),
        )
        .route(
            "/workspaces/{id}/flows/{flow}/versions",
            get(flow_versions::list),
        )
        .route(
            "/workspaces/{id}/flows/{flow}/versions/{version}",
            get(flow_versions::read),
        )
        .route(
            "/workspaces/{id}/flows/{flow}/versions/{version}/restore",
            post(flow_versions::restore),
        )
        .route("/workspaces/{id}/flow-runs", get(flow_runs::list))
        .route("/workspaces/{id}/flow-runs/{run}", get(flow_runs::read))
        .route(
            "/workspaces/{id}/flow-runs/{run}/cancel",
            post(flow_runs::cancel),
        )
        .route(
            "/workspaces/{id}/flow-secrets",
            get(flow_secrets::list).post(flow_secrets::set),
        )
        .route(
            "/workspaces/{id}/flow-secrets/delete",
            post(flow_secrets::delete),
        )
        .route("/workspaces/{id}/packs", get(packs::list))
        .route(
            "/workspaces/{id}/own-packs",
            get(own_packs::write).post(own_packs::add),
        )
        .route(
            "/workspaces/{id}/packs/{pack}",
            get(packs::read).post(packs::put),
        )
        .route("/workspaces/{id}/packs/{pack}/remove", post(packs::remove))
}

//! `/workspaces/{id}/servers` and `/servers/{id}`: hosted servers made, changed and deleted.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::credentials::{Fresh, Origin};
use quaymaster_app::flows::ServerFlow;
use quaymaster_app::server_tools::ToolRow;
use quaymaster_app::servers::{AuthMode, Mode, NewServer, Server, ServerChange};
use quaymaster_app::{Actor, App};
use quaymaster_core::id::{ServerId, WorkspaceId};
use quaymaster_core::tool::ToolDef;
use quaymaster_core::{Code, Fault};
use secrecy::ExposeSecret as _;

use super::answer::{self, At, Stop, field_of, shown};
use super::connections::said;
use super::notice::Notice;
use super::paged::Asked;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, connect, place};
use crate::views::address::segment;
use crate::views::pager::ROWS;
use crate::views::{
    Choice, Field, FreshServerTokenPage, Place, ServerFlowRow, ServerForm, ServerPage, ServerRow,
    ServerTokenRow, ServerToolRow, ServersPage, flow_path,
};

const MODES: [(Mode, &str, &str); 2] = [
    (Mode::Tools, "TOOLS", "Every action is a tool of its own."),
    (
        Mode::Code,
        "CODE",
        "Three tools search, document and run all actions by programs. The list stays short, however many actions there are.",
    ),
];
const AUTH_MODES: [(AuthMode, &str, &str); 3] = [
    (
        AuthMode::OauthAndBearer,
        "Signing in, or a token",
        "Whichever the client can do.",
    ),
    (
        AuthMode::Bearer,
        "Only a token",
        "In the header Authorization of every request.",
    ),
    (
        AuthMode::Oauth,
        "Only signing in",
        "The server has no token.",
    ),
];

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let page = list_page(&app, person, &id, asked).await?;
    Ok(shown(StatusCode::OK, &page))
}

async fn list_page(
    app: &App,
    person: Person,
    id: &WorkspaceId,
    asked: Asked,
) -> Result<ServersPage, Fault> {
    let actor = &person.actor;
    let place = place::find(app, actor, id).await?;
    let (servers, total) = app
        .servers_page(actor, id, &asked.query, ROWS, asked.offset())
        .await?;
    let people = servers.iter().filter_map(|one| one.end_user.clone());
    let people = app.external_ids(actor, people).await?;
    let row = |server: Server| ServerRow {
        endpoint: app.settings().endpoint_of(&server.id),
        id: server.id.to_string(),
        mode: server.mode.name(),
        is_picked: server.is_picked,
        end_user: server.end_user.and_then(|id| people.get(&id).cloned()),
        created_at: server.created_at,
        name: server.name,
    };
    let empty = form("", "", Mode::Tools, AuthMode::OauthAndBearer, "");
    Ok(ServersPage {
        form: place.is_admin.then_some(empty),
        servers: servers.into_iter().map(row).collect(),
        pager: asked.pager(&format!("{}/servers", place.path()), total),
        query: asked.query,
        place,
        layout: person.layout,
    })
}

fn form(name: &str, about: &str, mode: Mode, auth: AuthMode, end_user: &str) -> ServerForm {
    let modes = MODES
        .iter()
        .map(|(own, label, help)| Choice::new(own.name(), *label, *own == mode).with_help(help));
    let auth_modes = AUTH_MODES
        .iter()
        .map(|(own, label, help)| Choice::new(own.name(), *label, *own == auth).with_help(help));
    ServerForm {
        name: Field::new(name),
        description: Field::new(about),
        modes: modes.collect(),
        auth_modes: auth_modes.collect(),
        end_user: Field::new(end_user),
        error: None,
    }
}

pub(super) struct Given {
    name: String,
    description: String,
    mode: String,
    auth_mode: String,
    end_user: String,
}

impl Form for Given {
    fn read(fields: &Fields) -> Self {
        Given {
            name: fields.text("name"),
            description: fields.text("description").trim().to_owned(),
            mode: fields.text("mode"),
            auth_mode: fields.text("auth_mode"),
            end_user: fields.text("end_user").trim().to_owned(),
        }
    }
}

impl Given {
    fn modes(&self) -> Result<(Mode, AuthMode), Fault> {
        let mode = MODES.iter().find(|(own, _, _)| own.name() == self.mode);
        let auth = AUTH_MODES
            .iter()
            .find(|(own, _, _)| own.name() == self.auth_mode);
        match (mode, auth) {
            (Some((mode, _, _)), Some((auth, _, _))) => Ok((*mode, *auth)),
            _ => Err(
                Fault::invalid_arg("/mode", "enum", "Choose one of the modes.")
                    .hint("Go back and send the form of the page."),
            ),
        }
    }

    fn end_user(&self) -> Option<String> {
        (!self.end_user.is_empty()).then(|| self.end_user.clone())
    }

    /// The form as it was sent, and what is wrong with it.
    fn refused(&self, fault: Fault) -> Result<ServerForm, Fault> {
        let known = [Code::InvalidArg, Code::AlreadyExists, Code::NotFound];
        if !known.contains(&fault.code) {
            return Err(fault);
        }
        let (mode, auth) = self.modes()?;
        let mut form = form(&self.name, &self.description, mode, auth, &self.end_user);
        match field_of(&fault) {
            Some("/name") => form.name.error = Some(said(fault)),
            _ if fault.code == Code::NotFound && self.end_user().is_some() => {
                form.end_user.error =
                    Some("The workspace has no such end user. Make the end user first.".to_owned());
            }
            _ if fault.code == Code::AlreadyExists => form.end_user.error = Some(fault.message),
            _ => form.error = Some(said(fault)),
        }
        Ok(form)
    }
}

pub(super) async fn create(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Posted(given): Posted<Given>,
) -> Result<Response, Stop> {
    // Before the end user, whose absence is another matter.
    pages.app.workspace(&admin, &id).await?;
    let (mode, auth_mode) = given.modes()?;
    let new = NewServer {
        name: given.name.clone(),
        mode,
        auth_mode,
        end_user: given.end_user(),
        ..NewServer::default()
    };
    match pages.app.create_server(&admin, &id, new).await {
        Ok((server, Some(fresh))) => fresh_token(&pages.app, person, &server, &fresh, false).await,
        Ok((server, None)) => Ok(answer::done(&pages, &path(&server.id), Notice::ServerMade)),
        Err(fault) => {
            let form = given.refused(fault)?;
            let mut page = list_page(&pages.app, person, &id, Asked::default()).await?;
            page.form = Some(form);
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

/// The page with the token, which is never shown again.
async fn fresh_token(
    app: &App,
    person: Person,
    server: &Server,
    fresh: &Fresh,
    replaced: bool,
) -> Result<Response, Stop> {
    let token = fresh.token.expose_secret();
    let endpoint = app.settings().endpoint_of(&server.id);
    let page = FreshServerTokenPage {
        place: place::find(app, &person.actor, &server.workspace).await?,
        layout: person.layout,
        id: server.id.to_string(),
        name: server.name.clone(),
        connect: connect::of_server(&server.name, &endpoint, Some(token), false),
        token: token.to_owned(),
        endpoint,
        replaced,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<ServerId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let page = page(&app, person, &id, asked).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn save(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<ServerId>,
    Posted(given): Posted<Given>,
) -> Result<Response, Stop> {
    let present = pages.app.server(&admin, &id).await?;
    let (mode, auth_mode) = given.modes()?;
    let before = end_user_of(&pages.app, &admin, &present).await?;
    let change = ServerChange {
        name: Some(given.name.clone()),
        description: Some(Some(given.description.clone()).filter(|text| !text.is_empty())),
        mode: Some(mode),
        auth_mode: Some(auth_mode),
        end_user: (given.end_user() != before).then(|| given.end_user()),
        ..ServerChange::default()
    };
    match pages.app.update_server(&admin, &id, change).await {
        Ok((server, Some(fresh))) => fresh_token(&pages.app, person, &server, &fresh, true).await,
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::ServerSaved)),
        Err(fault) => {
            let form = given.refused(fault)?;
            let mut page = page(&pages.app, person, &id, Asked::default()).await?;
            page.form = Some(form);
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
    }
}

pub(super) async fn rotate(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<ServerId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let (server, fresh) = app.regenerate_server_token(&admin, &id).await?;
    fresh_token(&app, person, &server, &fresh, true).await
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<ServerId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let server = pages.app.server(&admin, &id).await?;
    pages.app.delete_server(&admin, &id).await?;
    let list = format!("/workspaces/{}/servers", segment(server.workspace.as_str()));
    Ok(answer::done(&pages, &list, Notice::ServerDeleted))
}

pub(super) fn path(id: &ServerId) -> String {
    format!("/servers/{}", segment(id.as_str()))
}

/// The external id of the end user that a server is of.
async fn end_user_of(app: &App, actor: &Actor, server: &Server) -> Result<Option<String>, Fault> {
    match &server.end_user {
        Some(id) => Ok(Some(app.end_user(actor, id).await?.external_id)),
        None => Ok(None),
    }
}

async fn page(app: &App, person: Person, id: &ServerId, asked: Asked) -> Result<ServerPage, Fault> {
    let actor = &person.actor;
    let server = app.server(actor, id).await?;
    let place = place::find(app, actor, &server.workspace).await?;
    let fits = |def: &ToolDef, alias: &str| asked.fits(&[&*def.name, &*def.title, alias].join(" "));
    let [most, offset] = asked.span();
    let tools = app.server_tools_page(actor, id, fits, most, offset).await?;
    let size = app.tool_list_size(actor, id).await?;
    let end_user = end_user_of(app, actor, &server).await?;
    let token = if place.is_admin {
        let tokens = app.server_tokens(actor, id).await?;
        let own = tokens.into_iter().find(|one| one.origin == Origin::Default);
        own.map(|token| ServerTokenRow {
            created_at: token.created_at,
            last_used_at: token.last_used_at,
        })
    } else {
        None
    };
    let endpoint = app.settings().endpoint_of(id);
    let takes_tokens = server.auth_mode.takes_tokens();
    let signs_in = server.auth_mode != AuthMode::Bearer;
    let now = form(
        &server.name,
        server.description.as_deref().unwrap_or_default(),
        server.mode,
        server.auth_mode,
        end_user.as_deref().unwrap_or_default(),
    );
    let connect = if takes_tokens {
        connect::of_server(&server.name, &endpoint, None, signs_in)
    } else {
        connect::signing_in(&server.name, &endpoint)
    };
    let (flows, flows_total) = app.server_flows(actor, &server, most).await?;
    Ok(ServerPage {
        pager: asked.pager_of(&path(id), tools.fitting),
        companions: size.tools.saturating_sub(tools.all + size.flow_tools),
        flows: flows
            .into_iter()
            .map(|shown| flow_row(shown, &place))
            .collect(),
        flows_total,
        left_out: size.left_out,
        tools_total: tools.all,
        tools: tools
            .rows
            .into_iter()
            .map(|row| tool_row(row, id, place.is_admin))
            .collect(),
        query: asked.query,
        form: place.is_admin.then_some(now),
        place,
        id: id.to_string(),
        name: server.name,
        description: server.description,
        mode: server.mode.name(),
        is_picked: server.is_picked,
        end_user,
        connect,
        protocol: app.settings().protocol_of(id),
        endpoint,
        tools_tokens: size.tools_mode_tokens as u64,
        code_tokens: size.code_mode_tokens as u64,
        token,
        takes_tokens,
        layout: person.layout,
    })
}

fn flow_row(shown: ServerFlow, place: &Place) -> ServerFlowRow {
    ServerFlowRow {
        path: flow_path(place, &shown.flow.name),
        name: shown.def.name.into_owned(),
        title: shown.def.title.into_owned(),
        reads: shown.def.nature.read_only,
        is_destructive: shown.def.nature.destructive,
    }
}

fn tool_row(row: ToolRow, server: &ServerId, is_admin: bool) -> ServerToolRow {
    let own = row.tool.filter(|_| is_admin);
    ServerToolRow {
        path: own.map(|tool| format!("{}/tools/{}", path(server), segment(tool.id.as_str()))),
        name: row.def.name.into_owned(),
        title: row.def.title.into_owned(),
        alias: row.integration.alias,
        reads: row.def.nature.read_only,
        is_destructive: row.def.nature.destructive,
    }
}

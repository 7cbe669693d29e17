//! `/servers/{id}/tools`: which tools a hosted server has.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::picking::{Offered, OfferedAction, Pick};
use quaymaster_app::server_tools::ServerTool;
use quaymaster_app::servers::Server;
use quaymaster_app::{Admin, App};
use quaymaster_core::id::{ConnectionId, ServerId};
use quaymaster_core::{Code, Fault};
use serde::Deserialize;

use super::answer::{self, At, Stop, shown};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::servers::path;
use super::{Pages, place, unswitched};
use crate::views::{PickerGroup, PickerPage, Tick};

/// With fewer actions than that, all groups are open.
const FEW: usize = 120;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    query: String,
}

pub(super) async fn choose(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<ServerId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Stop> {
    let Asked { query } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let page = picker(&app, &admin, person, &id, query).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Chosen {
    is_follow: bool,
    tools: Vec<String>,
    shown: Vec<String>,
}

impl Form for Chosen {
    // Some hundreds of actions, each named once or twice.
    const MOST: usize = 1024 * 1024;
    fn read(fields: &Fields) -> Self {
        Chosen {
            is_follow: !fields.one("follow").is_empty(),
            tools: fields.all("tool").map(str::to_owned).collect(),
            shown: fields.all("shown").map(str::to_owned).collect(),
        }
    }
}

pub(super) async fn pick(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<ServerId>,
    Posted(form): Posted<Chosen>,
) -> Result<Response, Stop> {
    if form.is_follow {
        pages.app.pick_server_tools(&admin, &id, None).await?;
        return Ok(answer::done(&pages, &path(&id), Notice::ServerFollows));
    }
    let server = pages.app.server(&admin, &id).await?;
    let mut picks = Vec::new();
    // What the form did not show stays as it is.
    for tool in picked(&pages.app, &admin, &server).await? {
        let pick = Pick {
            integration: tool.integration,
            action: tool.action,
        };
        if !form.shown.contains(&spelled(&pick)) {
            picks.push(pick);
        }
    }
    let mut unswitched = Vec::new();
    for value in &form.tools {
        match read_pick(value)? {
            Ticked::Of(pick) => picks.push(pick),
            Ticked::OfAccount(connection, action) => unswitched.push((connection, action)),
        }
    }
    if picks.is_empty() && unswitched.is_empty() && !server.is_picked {
        let mut page = picker(&pages.app, &admin, person, &id, String::new()).await?;
        page.error = Some("Tick at least one tool, or leave the server as it is.".to_owned());
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let app = &pages.app;
    let saved = match unswitched::switch_on(app, &admin, &server, unswitched).await {
        Ok(switched) => {
            picks.extend(switched);
            app.pick_server_tools(&admin, &id, Some(picks)).await
        }
        Err(fault) => Err(fault),
    };
    match saved {
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::ToolsPicked)),
        Err(fault) if matches!(fault.code, Code::InvalidArg | Code::AlreadyExists) => {
            let mut page = picker(&pages.app, &admin, person, &id, String::new()).await?;
            page.error = Some(fault.message);
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

fn spelled(pick: &Pick) -> String {
    format!("{}/{}", pick.integration, pick.action)
}

/// What a tick stands for.
enum Ticked {
    Of(Pick),
    /// Of an account whose connector is not switched on yet.
    OfAccount(ConnectionId, String),
}

fn read_pick(value: &str) -> Result<Ticked, Fault> {
    let parts = value.split_once('/');
    let ticked = parts.and_then(|(of, action)| {
        let action = action.to_owned();
        if let Ok(connection) = of.parse() {
            return Some(Ticked::OfAccount(connection, action));
        }
        let integration = of.parse().ok()?;
        Some(Ticked::Of(Pick {
            integration,
            action,
        }))
    });
    ticked.ok_or_else(|| {
        Fault::invalid_arg("/tool", "format", "That is no tool.")
            .hint("Go back and send the form of the page.")
    })
}

/// The tools that were picked by hand.
async fn picked(app: &App, admin: &Admin, server: &Server) -> Result<Vec<ServerTool>, Fault> {
    if !server.is_picked {
        return Ok(Vec::new());
    }
    app.picked_server_tools(admin, &server.id).await
}

async fn picker(
    app: &App,
    admin: &Admin,
    person: Person,
    id: &ServerId,
    query: String,
) -> Result<PickerPage, Fault> {
    let server = app.server(admin, id).await?;
    let tools = picked(app, admin, &server).await?;
    let all = app.offered_actions(admin, &server.workspace).await?;
    let words = Words::of(&query);
    let group = |offered: Offered| {
        let integration = offered.integration;
        let ticks = offered.actions.into_iter().filter_map(|action| {
            let mut own = tools.iter();
            let is_ticked =
                own.any(|tool| tool.integration == integration.id && tool.action == action.key);
            let of = integration.id.as_str();
            words.tick(of, &integration.alias, &offered.title, action, is_ticked)
        });
        PickerGroup {
            ticks: ticks.collect(),
            alias: integration.alias.clone(),
            title: offered.title.clone(),
            account: None,
            is_open: false,
        }
    };
    let of_account = |account: unswitched::Account| {
        let connection = account.connection;
        let ticks = account.actions.into_iter().filter_map(|action| {
            let of = connection.id.as_str();
            words.tick(of, &connection.connector, &account.title, action, false)
        });
        PickerGroup {
            ticks: ticks.collect(),
            account: Some(format!("{}:{}", connection.connector, connection.name)),
            alias: connection.connector.clone(),
            title: account.title.clone(),
            is_open: false,
        }
    };
    let unswitched = unswitched::accounts(app, admin, &server.workspace).await?;
    let groups = all.into_iter().map(group);
    let groups = groups.chain(unswitched.into_iter().map(of_account));
    let mut groups: Vec<PickerGroup> = groups.filter(|group| !group.ticks.is_empty()).collect();
    let count: usize = groups.iter().map(|group| group.ticks.len()).sum();
    for group in &mut groups {
        group.is_open = !query.is_empty() || count <= FEW || group.ticked() > 0;
    }
    Ok(PickerPage {
        layout: person.layout,
        place: place::find(app, admin, &server.workspace).await?,
        server_id: id.to_string(),
        server_name: server.name,
        is_picked: server.is_picked,
        query,
        picked: tools.len(),
        groups,
        error: None,
    })
}

/// What the search asks for.
struct Words(Vec<String>);

impl Words {
    fn of(query: &str) -> Words {
        let words = query.split_whitespace().map(str::to_lowercase);
        Words(words.map(|word| word.replace('_', " ")).collect())
    }

    /// The tick of an action of an integration or account, when it fits.
    fn tick(
        &self,
        of: &str,
        alias: &str,
        title: &str,
        action: OfferedAction,
        is_ticked: bool,
    ) -> Option<Tick> {
        let summary = action.summary.as_deref().unwrap_or_default();
        let texts = [alias, title, &action.key, &action.title, summary];
        let whole = texts.join(" ").to_lowercase().replace('_', " ");
        let value = format!("{of}/{}", action.key);
        let fits = self.0.iter().all(|word| whole.contains(word));
        fits.then(|| place::tick(value, action.key.clone(), action, is_ticked))
    }
}

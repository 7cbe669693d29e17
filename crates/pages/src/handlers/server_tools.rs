//! `/servers/{id}/tools`: which tools a hosted server has, and what is set for one of them.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::picking::{Offered, Pick};
use quaymaster_app::server_tools::{ServerTool, ToolChange};
use quaymaster_app::servers::{Mode, Server};
use quaymaster_app::{Admin, App};
use quaymaster_core::id::{ServerId, ServerToolId};
use quaymaster_core::{Code, Fault};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{self, At, Stop, shown};
use super::connections::said;
use super::inputs::{self, inputs_of, place_of, read_inputs};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::servers::path;
use super::{Pages, place};
use crate::views::{Choice, Field, PickerGroup, PickerPage, ServerToolPage};

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

pub(super) struct Ticked {
    is_follow: bool,
    tools: Vec<String>,
    shown: Vec<String>,
}

impl Form for Ticked {
    // Some hundreds of actions, each named once or twice.
    const MOST: usize = 1024 * 1024;
    fn read(fields: &Fields) -> Self {
        Ticked {
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
    Posted(form): Posted<Ticked>,
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
    for value in &form.tools {
        picks.push(read_pick(value)?);
    }
    if picks.is_empty() && !server.is_picked {
        let mut page = picker(&pages.app, &admin, person, &id, String::new()).await?;
        page.error = Some("Tick at least one tool, or leave the server as it is.".to_owned());
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    match pages.app.pick_server_tools(&admin, &id, Some(picks)).await {
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

fn read_pick(value: &str) -> Result<Pick, Fault> {
    let parts = value.split_once('/');
    let pick = parts.and_then(|(integration, action)| {
        Some(Pick {
            integration: integration.parse().ok()?,
            action: action.to_owned(),
        })
    });
    pick.ok_or_else(|| {
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
    let words: Vec<String> = query.split_whitespace().map(str::to_lowercase).collect();
    let fits = |texts: &[&str]| {
        let whole = texts.join(" ").to_lowercase().replace('_', " ");
        words
            .iter()
            .all(|word| whole.contains(&word.replace('_', " ")))
    };
    let group = |offered: Offered| {
        let integration = offered.integration;
        let ticks = offered.actions.into_iter().filter_map(|action| {
            let summary = action.summary.as_deref().unwrap_or_default();
            let texts = [
                &integration.alias,
                &offered.title,
                &action.key,
                &action.title,
                summary,
            ];
            if !fits(&texts) {
                return None;
            }
            let mut own = tools.iter();
            let is_ticked =
                own.any(|tool| tool.integration == integration.id && tool.action == action.key);
            let value = format!("{}/{}", integration.id, action.key);
            let name = action.key.clone();
            Some(place::tick(value, name, action, is_ticked))
        });
        PickerGroup {
            ticks: ticks.collect(),
            alias: integration.alias.clone(),
            title: offered.title.clone(),
            is_open: false,
        }
    };
    let groups = all.into_iter().map(group);
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

pub(super) async fn read(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At((id, tool)): At<(ServerId, ServerToolId)>,
) -> Result<Response, Stop> {
    let Opened { page, .. } = open(&app, &admin, person, &id, &tool).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Set {
    title: String,
    description: String,
    account: String,
    defaults: BTreeMap<String, String>,
    is_usual: bool,
    partials: Vec<String>,
}

impl Form for Set {
    fn read(fields: &Fields) -> Self {
        Set {
            title: fields.text("title").trim().to_owned(),
            description: fields.text("description").trim().to_owned(),
            account: fields.text("account"),
            defaults: fields.below(inputs::PREFIX),
            is_usual: fields.one("which") != "ticked",
            partials: fields.all("partial").map(str::to_owned).collect(),
        }
    }
}

pub(super) async fn save(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At((id, tool)): At<(ServerId, ServerToolId)>,
    Posted(set): Posted<Set>,
) -> Result<Response, Stop> {
    let Opened { mut page, schema } = open(&pages.app, &admin, person, &id, &tool).await?;
    page.title = Field::new(&set.title);
    page.description = Field::new(&set.description);
    for choice in &mut page.accounts {
        choice.is_chosen = choice.value == set.account;
    }
    page.which = which(set.is_usual);
    for choice in &mut page.partials {
        choice.is_chosen = set.partials.contains(&choice.value);
    }
    let defaults = read_inputs(&mut page.defaults, &schema, &set.defaults, false);
    if page.has_errors() {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
    let change = ToolChange {
        connection: Some(filled(&set.account)),
        display_name: Some(filled(&set.title)),
        description: Some(filled(&set.description)),
        input_defaults: Some(defaults),
        partials: Some((!set.is_usual).then(|| set.partials.clone())),
        ..ToolChange::default()
    };
    let saved = pages
        .app
        .update_server_tool(&admin, &id, &tool, change)
        .await;
    let Err(fault) = saved else {
        return Ok(answer::done(&pages, &path(&id), Notice::ToolSaved));
    };
    match fault.code {
        Code::UnknownInstance => page.account_error = Some(fault.message),
        Code::AlreadyExists => page.partials_error = Some(said(fault)),
        Code::InvalidArg => {
            if let Some(unplaced) = place_of(&mut page.defaults, fault) {
                page.error = Some(said(unplaced));
            }
        }
        _ => return Err(fault.into()),
    }
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(super) async fn remove(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At((id, tool)): At<(ServerId, ServerToolId)>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.delete_server_tool(&admin, &id, &tool).await?;
    Ok(answer::done(&pages, &path(&id), Notice::ToolRemoved))
}

struct Opened {
    page: ServerToolPage,
    /// Of the action's inputs.
    schema: Value,
}

async fn open(
    app: &App,
    admin: &Admin,
    person: Person,
    id: &ServerId,
    tool: &ServerToolId,
) -> Result<Opened, Fault> {
    let server = app.server(admin, id).await?;
    let rows = app.server_tools(admin, id).await?;
    let row = rows
        .into_iter()
        .find(|row| row.tool.as_ref().is_some_and(|own| own.id == *tool));
    let gone = || Fault::not_found("The server has no such tool.");
    let row = row.ok_or_else(gone)?;
    let own = row.tool.ok_or_else(gone)?;
    let integration = row.integration;
    let connection = own.connection.as_ref();
    let schema = app
        .action_inputs(admin, &integration, connection, &own.action)
        .await?;
    let schema = Value::Object(schema);
    let mut defaults = inputs_of(&schema);
    inputs::fill(&mut defaults, &own.input_defaults);
    let actions = app
        .connector_actions(admin, &integration.connector, row.connection.as_ref())
        .await?;
    let action = actions.into_iter().find(|action| action.key == own.action);
    let connector = &integration.connector;
    let mut accounts =
        place::accounts(app, admin, &server.workspace, connector, connection).await?;
    let usual = format!("What the integration {} says", integration.alias);
    accounts.insert(0, Choice::new("", usual, connection.is_none()));
    let all = app.partials(admin, &server.workspace).await?;
    let fitting = all.into_iter().filter(|partial| {
        partial.connector == *connector
            && partial
                .integration
                .as_ref()
                .is_none_or(|only| *only == integration.id)
            && partial
                .action
                .as_ref()
                .is_none_or(|only| *only == own.action)
    });
    let partials = fitting.map(|partial| {
        let named = own.partials.as_ref();
        let is_chosen = named.is_some_and(|named| named.contains(&partial.id));
        let keys: Vec<&str> = partial.values.keys().map(String::as_str).collect();
        Choice::new(partial.id.as_str(), partial.name, is_chosen).with_help(&keys.join(", "))
    });
    let usual_title = action.as_ref().map(|action| action.title.clone());
    let page = ServerToolPage {
        layout: person.layout,
        place: place::find(app, admin, &server.workspace).await?,
        server_id: id.to_string(),
        server_name: server.name,
        id: tool.to_string(),
        name: row.def.name.into_owned(),
        is_code: server.mode == Mode::Code,
        usual_title: usual_title.unwrap_or_else(|| own.action.clone()),
        usual_description: action.and_then(|action| action.summary).unwrap_or_default(),
        title: Field::new(own.display_name.clone().unwrap_or_default()),
        description: Field::new(own.description.clone().unwrap_or_default()),
        accounts,
        account_error: None,
        defaults,
        which: which(own.partials.is_none()),
        partials: partials.collect(),
        partials_error: None,
        error: None,
        alias: integration.alias,
    };
    Ok(Opened { page, schema })
}

fn which(is_usual: bool) -> Vec<Choice> {
    vec![
        Choice::new("usual", "The default ones of the workspace", is_usual)
            .with_help("Those that are marked as default for the action."),
        Choice::new("ticked", "Only those ticked below", !is_usual)
            .with_help("With none ticked, none holds. A later one wins over an earlier one."),
    ]
}

impl ServerToolPage {
    fn has_errors(&self) -> bool {
        self.defaults
            .iter()
            .any(|input| input.field.error.is_some())
    }
}

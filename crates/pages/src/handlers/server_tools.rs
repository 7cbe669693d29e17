//! `/servers/{id}/tools/{tool}`: what is set for one tool of a hosted server.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::server_tools::ToolChange;
use quaymaster_app::servers::Mode;
use quaymaster_app::{Admin, App};
use quaymaster_core::id::{ServerId, ServerToolId};
use quaymaster_core::{Code, Fault};
use serde_json::Value;

use super::answer::{self, At, Stop, shown};
use super::connections::said;
use super::inputs::{self, inputs_of, place_of, read_inputs};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::servers::path;
use super::{Pages, place};
use crate::views::{Choice, Field, ServerToolPage};

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

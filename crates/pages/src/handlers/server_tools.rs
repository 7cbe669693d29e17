//! `/servers/{id}/tools/{tool}`: what is set for one tool of a hosted server.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::integrations::Integration;
use quaymaster_app::partials::Partial;
use quaymaster_app::server_tools::{ServerTool, ToolChange};
use quaymaster_app::servers::Mode;
use quaymaster_app::{Admin, App};
use quaymaster_core::id::{ServerId, ServerToolId};
use quaymaster_core::{Code, Fault};
use serde_json::Value;

use super::answer::{self, At, Stop, field_of, shown};
use super::choosing::ROOM;
use super::connections::said;
use super::inputs::{self, inputs_of, place_of, read_inputs};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::servers::path;
use super::{Pages, choosing, place};
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
    named_partials: String,
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
            named_partials: fields.text("named_partials"),
        }
    }
}

impl Set {
    /// Names or ids.
    fn partials(&self) -> Vec<String> {
        let named = self.named_partials.lines().map(str::trim);
        let named = named.filter(|name| !name.is_empty());
        let ticked = self.partials.iter().map(String::as_str);
        ticked.chain(named).map(str::to_owned).collect()
    }
}

pub(super) async fn save(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At((id, tool)): At<(ServerId, ServerToolId)>,
    Posted(set): Posted<Set>,
) -> Result<Response, Stop> {
    let opened = open(&pages.app, &admin, person, &id, &tool).await?;
    let Opened {
        mut page,
        schema,
        connector,
    } = opened;
    page.title = Field::new(&set.title);
    page.description = Field::new(&set.description);
    page.accounts.put(&set.account);
    page.which = which(set.is_usual, page.named_partials.is_some());
    for choice in &mut page.partials {
        choice.is_chosen = set.partials.contains(&choice.value);
    }
    if let Some(named) = &mut page.named_partials {
        *named = Field::new(&set.named_partials);
    }
    let defaults = read_inputs(&mut page.defaults, &schema, &set.defaults, false);
    if page.has_errors() {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let filled = |text: &String| (!text.is_empty()).then(|| text.clone());
    let workspace = page.place.id.parse().map_err(|_| Fault::internal())?;
    let app = &pages.app;
    let account = choosing::account(app, &admin, &workspace, &connector, &set.account).await?;
    let change = ToolChange {
        connection: Some(account),
        display_name: Some(filled(&set.title)),
        description: Some(filled(&set.description)),
        input_defaults: Some(defaults),
        partials: Some((!set.is_usual).then(|| set.partials())),
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
        // One that is gone, or a name that nobody has.
        Code::NotFound => page.partials_error = Some(fault.message),
        Code::InvalidArg if field_of(&fault).is_some_and(|at| at.starts_with("/partial_ids")) => {
            page.partials_error = Some(fault.message);
        }
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
    /// The key of its connector.
    connector: String,
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
    let accounts =
        choosing::accounts(app, admin, Some(&server.workspace), connector, connection).await?;
    let accounts = accounts.or(format!("What the integration {} says", integration.alias));
    let (partials, named_partials) = partials(app, admin, &integration, &own).await?;
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
        which: which(own.partials.is_none(), named_partials.is_some()),
        partials,
        named_partials,
        partials_error: None,
        error: None,
        alias: integration.alias,
    };
    let connector = integration.connector;
    Ok(Opened {
        page,
        schema,
        connector,
    })
}

/// The partials that the tool can have, and instead of them the names of those that it has, where there
/// are too many.
async fn partials(
    app: &App,
    admin: &Admin,
    integration: &Integration,
    tool: &ServerTool,
) -> Result<(Vec<Choice>, Option<Field>), Fault> {
    let all = app
        .partials_for(admin, integration, &tool.action, ROOM + 1)
        .await?;
    let own = tool.partials.as_deref().unwrap_or_default();
    if all.len() as i64 > ROOM {
        let names = app.partial_names(admin, own.iter().cloned()).await?;
        let names = own.iter().filter_map(|id| names.get(id));
        let names: Vec<&str> = names.map(String::as_str).collect();
        return Ok((Vec::new(), Some(Field::new(names.join("\n")))));
    }
    let choice = |partial: Partial| {
        let keys: Vec<&str> = partial.values.keys().map(String::as_str).collect();
        let is_chosen = own.contains(&partial.id);
        Choice::new(partial.id.as_str(), partial.name, is_chosen).with_help(&keys.join(", "))
    };
    Ok((all.into_iter().map(choice).collect(), None))
}

fn which(is_usual: bool, is_written: bool) -> Vec<Choice> {
    let only = if is_written {
        "Only those written below"
    } else {
        "Only those ticked below"
    };
    vec![
        Choice::new("usual", "The default ones of the workspace", is_usual)
            .with_help("Those that are marked as default for the action."),
        Choice::new("ticked", only, !is_usual)
            .with_help("Without any, none holds. A later one wins over an earlier one."),
    ]
}

impl ServerToolPage {
    fn has_errors(&self) -> bool {
        self.defaults
            .iter()
            .any(|input| input.field.error.is_some())
    }
}

//! `/servers/{id}/try`: a person calls a hosted server's tools, or runs a program, as an agent would.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::as_server::{EXECUTE, FLOWS};
use quaymaster_app::servers::{Mode, Server};
use quaymaster_core::id::ServerId;
use quaymaster_core::tool::{JsonObject, ToolDef};
use quaymaster_core::{Code, Fault};
use serde::Deserialize;
use serde_json::Value;

use super::answer::{At, Stop, shown};
use super::connectors::pretty;
use super::inputs::{PREFIX, inputs_of, place_of, read_inputs};
use super::outcome::{cut, of_fault, of_result};
use super::paged::Asked;
use super::person::Person;
use super::posted::{Fields, Form, Posted};
use super::{place, servers};
use crate::views::{
    Declared, Field, PlaygroundPage, PlaygroundTool, ProgramPage, Ran, RanCall, ToolCallPage,
    TriedOutcome,
};

/// Bytes that the declarations of a page take together; others come when somebody opens them.
const ROOM: usize = 56 * 1024;
const MOST_ALIASES: usize = 100;
const EXAMPLE: &str = "return await Promise.all([\n  // quaymaster.<alias>.<action>(input)\n]);\n";

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Opening {
    /// The alias whose actions are shown.
    open: String,
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<ServerId>,
    Query(asked): Query<Asked>,
    Query(opened): Query<Opening>,
) -> Result<Response, Stop> {
    let server = app.server(&person.actor, &id).await?;
    if server.mode == Mode::Code {
        let page = program(&app, person, server, EXAMPLE.to_owned(), &opened.open).await?;
        return Ok(shown(StatusCode::OK, &page));
    }
    let fits = |def: &ToolDef| asked.fits(&[&*def.name, &*def.title, &*def.description].join(" "));
    let [most, offset] = asked.span();
    let page = app.server_surface(&person.actor, &id, fits, most, offset);
    let (tools, total) = page.await?;
    let pager = asked.pager_of(&format!("{}/try", servers::path(&id)), total);
    let page = PlaygroundPage {
        place: place::find(&app, &person.actor, &server.workspace).await?,
        layout: person.layout,
        server_id: id.to_string(),
        server_name: server.name,
        pager,
        tools: tools.iter().map(tool).collect(),
        query: asked.query,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn tool(def: &ToolDef) -> PlaygroundTool {
    PlaygroundTool {
        name: def.name.to_string(),
        title: def.title.to_string(),
        reads: def.nature.read_only,
        is_destructive: def.nature.destructive,
    }
}

pub(super) async fn read_tool(
    State(app): State<App>,
    person: Person,
    At((id, name)): At<(ServerId, String)>,
) -> Result<Response, Stop> {
    let Opened { page, .. } = open(&app, person, &id, &name).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Tried {
    inputs: BTreeMap<String, String>,
}

impl Form for Tried {
    const MOST: usize = 1024 * 1024;
    fn read(fields: &Fields) -> Self {
        Tried {
            inputs: fields.below(PREFIX),
        }
    }
}

pub(super) async fn call_tool(
    State(app): State<App>,
    person: Person,
    At((id, name)): At<(ServerId, String)>,
    Posted(form): Posted<Tried>,
) -> Result<Response, Stop> {
    let actor = person.actor.clone();
    let Opened { mut page, schema } = open(&app, person, &id, &name).await?;
    let args = read_inputs(&mut page.inputs, &schema, &form.inputs, true);
    if page.inputs.iter().any(|input| input.field.error.is_some()) {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let mut status = StatusCode::OK;
    match app.try_tool(&actor, &id, &name, args).await {
        Ok(result) => page.outcome = Some(of_result(&result)),
        Err(fault) => match place_of(&mut page.inputs, fault) {
            None => status = StatusCode::UNPROCESSABLE_ENTITY,
            Some(fault) => page.outcome = Some(of_fault(&fault)),
        },
    }
    Ok(shown(status, &page))
}

struct Opened {
    page: ToolCallPage,
    /// Of what agents pass.
    schema: Value,
}

async fn open(app: &App, person: Person, id: &ServerId, name: &str) -> Result<Opened, Fault> {
    let actor = &person.actor;
    let server = app.server(actor, id).await?;
    let is_it = |def: &ToolDef| def.name == name;
    let (found, _) = app.server_surface(actor, id, is_it, 1, 0).await?;
    let def = found.first().ok_or_else(|| {
        Fault::not_found("The server has no such tool.")
            .hint("Its playground lists those that it has.")
    })?;
    let schema = Value::Object(def.input.as_ref().clone());
    let page = ToolCallPage {
        place: place::find(app, actor, &server.workspace).await?,
        layout: person.layout,
        server_id: id.to_string(),
        server_name: server.name,
        tool: tool(def),
        description: def.description.clone(),
        inputs: inputs_of(&schema),
        error: None,
        outcome: None,
    };
    Ok(Opened { page, schema })
}

pub(super) struct Program {
    code: String,
    /// Somebody looks at what an integration has, and runs nothing.
    open: String,
}

impl Form for Program {
    // A program has at most 256 KiB, which a form spells out.
    const MOST: usize = 1024 * 1024;
    fn read(fields: &Fields) -> Self {
        Program {
            code: fields.text("code"),
            open: fields.text("open"),
        }
    }
}

pub(super) async fn run(
    State(app): State<App>,
    person: Person,
    At(id): At<ServerId>,
    Posted(form): Posted<Program>,
) -> Result<Response, Stop> {
    let actor = person.actor.clone();
    let server = app.server(&actor, &id).await?;
    if server.mode != Mode::Code {
        return Err(Fault::new(
            Code::InvalidArg,
            "Programs run over servers in CODE mode, and this one is in TOOLS mode.",
        )
        .hint("Set its mode to CODE, or call one of its tools.")
        .into());
    }
    let mut page = program(&app, person, server, form.code.clone(), &form.open).await?;
    if !form.open.is_empty() {
        return Ok(shown(StatusCode::OK, &page));
    }
    if form.code.trim().is_empty() {
        page.code.error = Some("A program has at least one line.".to_owned());
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let args = JsonObject::from_iter([("code".to_owned(), form.code.into())]);
    page.ran = Some(match app.try_tool(&actor, &id, EXECUTE, args).await {
        Ok(result) => {
            let said = result.structured.clone().unwrap_or_default();
            let (text, is_cut) = cut(pretty(&said["result"]));
            let outcome = TriedOutcome {
                text: Some(text),
                is_cut,
                ..of_result(&result)
            };
            ran(outcome, &said)
        }
        Err(fault) => {
            let said = fault.details.clone().unwrap_or_default();
            let mut outcome = of_fault(&fault);
            if let Some(error) = said.get("error") {
                outcome.text = Some(pretty(error));
            }
            ran(outcome, &said)
        }
    });
    Ok(shown(StatusCode::OK, &page))
}

/// The console and the calls, from what the tool answers.
fn ran(outcome: TriedOutcome, said: &Value) -> Ran {
    let list = |name: &str| said[name].as_array().into_iter().flatten();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let took = |value: &Value| value.as_f64().map(|ms| format!("{ms} ms"));
    let calls = list("calls").map(|call| RanCall {
        name: text(&call["name"]),
        result: text(&call["result"]),
        took: took(&call["ms"]).unwrap_or_default(),
    });
    Ran {
        console: list("logs").map(line).collect(),
        calls: calls.collect(),
        took: took(&said["ms"]),
        outcome,
    }
}

/// A line of the console, with its level where that says something.
fn line(log: &Value) -> String {
    let text = log["text"].as_str().unwrap_or_default();
    match log["level"].as_str() {
        None | Some("log") => text.to_owned(),
        Some(level) => format!("{level}: {text}"),
    }
}

async fn program(
    app: &App,
    person: Person,
    server: Server,
    code: String,
    open: &str,
) -> Result<ProgramPage, Fault> {
    let actor = &person.actor;
    let all = app.server_aliases(actor, &server.id).await?;
    let count = all.len();
    // What was asked for is not among those that are left out.
    let shown = all.into_iter().enumerate();
    let shown = shown.filter(|(at, alias)| *at < MOST_ALIASES || alias == open);
    let mut aliases: Vec<String> = shown.map(|(_, alias)| alias).collect();
    let more = count - aliases.len();
    if app.server_flows(actor, &server, 0).await?.1 > 0 {
        aliases.push(FLOWS.to_owned());
    }
    let mut room = ROOM;
    let mut declarations = Vec::new();
    for alias in aliases {
        let is_open = alias == open;
        let mut text = None;
        if is_open || (open.is_empty() && room > 0) {
            let all = app.declarations(actor, &server.id, &alias).await?;
            let fits = all.len() <= room;
            // Behind the first one that does not fit, none is made to be thrown away.
            room = if fits { room - all.len() } else { 0 };
            text = Some(all).filter(|_| fits || is_open);
        }
        declarations.push(Declared {
            alias,
            text,
            is_open,
        });
    }
    Ok(ProgramPage {
        place: place::find(app, actor, &server.workspace).await?,
        layout: person.layout,
        server_id: server.id.to_string(),
        server_name: server.name,
        code: Field::new(code),
        declarations,
        more,
        ran: None,
    })
}

//! `/workspaces/{id}/flows`: flows listed, written, checked, switched on and off, deleted. Trying them is in
//! `flow_tries`, their versions in `flow_versions`, runs in `flow_runs`.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::flows::{
    Checked, FlowInFull, FlowOutline, FlowServers, FlowUse, MOST_TEXT, OutlineStep, outline,
};
use quaymaster_app::servers::Server;
use quaymaster_app::{Actor, App};
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::{Code, Fault};

use super::answer::{self, At, Stop, shown, status_of_form};
use super::connections::said;
use super::flow_runs;
use super::flow_steps::{self, Act, Filled, Unfit};
use super::mistakes::found;
use super::notice::Notice;
use super::paged::Asked;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, place, servers};
use crate::views::flow_graph::{StepList, StepView, draw as graph, rows};
use crate::views::pager::ROWS;
use crate::views::{
    DrawnFlow, FlowPage, FlowRow, FlowServerRow, FlowsPage, LastRun, Layout, Place, SavedFlow,
    flow_path,
};

/// Runs on the page of a flow.
const LATEST: i64 = 5;

const EXAMPLE: &str = r#"flow: greet
title: Greet somebody
triggers:
  - mcp_tool:
      description: Greets a person by name. Use it when somebody wants to be greeted.
      annotations: { readOnlyHint: true, openWorldHint: false }
input:
  type: object
  required: [name]
  properties:
    name: { type: string, minLength: 1, description: "Whom to greet: Ada" }
output:
  type: object
  required: [greeting]
  properties:
    greeting: { type: string }
steps:
  - id: name
    map: .input.name | ascii_upcase
return: '{ greeting: "Hello, \(.steps.name)" }'
tests:
  - name: a name in capitals
    input: { name: Ada }
    expect: { result: { greeting: "Hello, ADA" } }
"#;

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let place = place::find(&app, actor, &id).await?;
    let (flows, total) = app
        .flows_page(actor, &id, &asked.query, ROWS, asked.offset())
        .await?;
    let shown_ones = flows.iter().map(|flow| flow.id.clone());
    let mut uses = app.flow_uses(actor, shown_ones).await?;
    let flows = flows.into_iter().map(|flow| {
        let used = uses.remove(&flow.id).unwrap_or_default();
        FlowRow {
            name: flow.name,
            title: flow.title,
            enabled: flow.enabled,
            tool: flow.tool,
            durable: flow.durable,
            version: flow.version,
            runs: used.runs,
            failed: used.failed,
            last: last_run(used),
        }
    });
    let page = FlowsPage {
        flows: flows.collect(),
        pager: asked.pager(&format!("{}/flows", place.path()), total),
        query: asked.query,
        place,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn last_run(used: FlowUse) -> Option<LastRun> {
    let last = used.last?;
    Some(LastRun {
        id: last.run.to_string(),
        state: last.state.name(),
        at: last.started_at,
    })
}

fn empty(layout: Layout, place: Place, source: String) -> FlowPage {
    FlowPage {
        layout,
        place,
        saved: None,
        steps: None,
        drawn: None,
        source,
        mistakes: Vec::new(),
        tests: Vec::new(),
        error: None,
        fine: None,
    }
}

/// Draws the text that the page shows, if it can be read.
pub(super) fn draw(page: &mut FlowPage) {
    page.drawn = outline(&page.source).map(|outline| {
        let steps = views(&outline.steps);
        let first = outline
            .triggers
            .first()
            .map_or("called by flows", String::as_str);
        DrawnFlow {
            rows: rows(&steps),
            catch: rows(&views(&outline.catch)),
            graph: graph(&steps, first, "result"),
        }
    });
}

fn views(steps: &[OutlineStep]) -> Vec<StepView> {
    let view = |step: &OutlineStep| StepView {
        name: step.title.clone().or(step.id.clone()).unwrap_or_default(),
        kind: step.kind,
        detail: step.detail.clone(),
        when: step.when.clone(),
        lists: step
            .lists
            .iter()
            .map(|list| StepList {
                label: list.label.clone(),
                steps: views(&list.steps),
            })
            .collect(),
    };
    steps.iter().map(view).collect()
}

pub(super) async fn write(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
) -> Result<Response, Stop> {
    let place = place::find(&app, &admin, &id).await?;
    let mut page = empty(person.layout, place, EXAMPLE.to_owned());
    flow_steps::offer(&mut page, None);
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At((id, name)): At<(WorkspaceId, String)>,
) -> Result<Response, Stop> {
    let mut page = page_of(&app, &person.actor, person.layout, &id, &name).await?;
    if page.place.is_admin {
        flow_steps::offer(&mut page, None);
    } else {
        draw(&mut page);
    }
    Ok(shown(StatusCode::OK, &page))
}

/// A flow as it is.
async fn page_of(
    app: &App,
    actor: &Actor,
    layout: Layout,
    id: &WorkspaceId,
    name: &str,
) -> Result<FlowPage, Fault> {
    let place = place::find(app, actor, id).await?;
    let full = app.flow(actor, id, name).await?;
    let runs = app
        .flow_runs(actor, id, Some(full.flow.id.as_str()), None, LATEST)
        .await?;
    let servers = app.servers_of_flow(actor, &full).await?;
    let mut page = empty(layout, place, full.current.source.clone());
    let outlined = outline(&page.source).unwrap_or_default();
    page.saved = Some(saved(full, outlined, servers));
    if let Some(saved) = &mut page.saved {
        let name = saved.name.clone();
        saved.runs = runs
            .into_iter()
            .map(|run| flow_runs::row(run, name.clone()))
            .collect();
    }
    Ok(page)
}

fn saved(full: FlowInFull, outline: FlowOutline, servers: FlowServers) -> SavedFlow {
    let row = |server: Server| FlowServerRow {
        path: servers::path(&server.id),
        name: server.name,
    };
    SavedFlow {
        servers: servers.shown.into_iter().map(row).collect(),
        unknown_servers: servers.unknown,
        name: full.flow.name,
        title: full.flow.title,
        description: outline.description,
        enabled: full.flow.enabled,
        version: full.flow.version,
        base: full.flow.version,
        triggers: outline.triggers,
        runs: Vec::new(),
    }
}

pub(super) struct Written {
    source: String,
    version: Option<i64>,
    act: Act,
    filled: Option<Filled>,
}

impl Form for Written {
    /// Also as an encoded form, in which a byte can be three.
    const MOST: usize = 3 * MOST_TEXT + 64 * 1024;

    fn read(fields: &Fields) -> Self {
        Written {
            source: fields.source(),
            version: fields.one("version").parse().ok(),
            act: Act::read(fields.one("do"), fields.one("kind")),
            filled: fields.one("step").parse().ok().map(|at| Filled {
                at,
                was: fields.text("was"),
                given: fields.below("step."),
            }),
        }
    }
}

pub(super) async fn add(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let place = place::find(&pages.app, &admin, &id).await?;
    let mut page = empty(person.layout, place.clone(), form.source.clone());
    if let Some(done) = by_forms(&mut page, &form) {
        return Ok(done);
    }
    let source = page.source.clone();
    let checked = match pages.app.check_flow(&admin, &id, &source).await {
        Ok(checked) => checked,
        Err(fault) => return Ok(refused(page, fault)),
    };
    if form.act == Act::Check || !checked.is_good() {
        return Ok(told(page, checked, form.act == Act::Check));
    }
    match pages.app.create_flow(&admin, &id, &source, true).await {
        Ok(made) => Ok(answer::done(
            &pages,
            &flow_path(&place, &made.flow.name),
            Notice::FlowSaved,
        )),
        Err(fault) => Ok(refused(page, fault)),
    }
}

pub(super) async fn change(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At((id, name)): At<(WorkspaceId, String)>,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    let mut page = page_of(app, &admin, person.layout, &id, &name).await?;
    page.source.clone_from(&form.source);
    // What was changed meanwhile is not replaced because the page was drawn again.
    let current = page.based_on(form.version);
    if let Some(done) = by_forms(&mut page, &form) {
        return Ok(done);
    }
    let source = page.source.clone();
    let checked = match app.check_flow(&admin, &id, &source).await {
        Ok(checked) => checked,
        Err(fault) => return Ok(refused(page, fault)),
    };
    if form.act == Act::Check || !checked.is_good() {
        return Ok(told(page, checked, form.act == Act::Check));
    }
    match app
        .put_flow(&admin, &id, &name, &source, form.version)
        .await
    {
        Ok(saved) => {
            let path = flow_path(&page.place, &saved.flow.flow.name);
            Ok(answer::done(&pages, &path, Notice::FlowSaved))
        }
        Err(fault) => {
            if fault.code == Code::PreconditionFailed {
                // Whoever saves again has been told.
                page.based_on(current);
            }
            Ok(refused(page, fault))
        }
    }
}

/// What was filled in becomes the text of the page. The answer, unless the text is to be checked or saved.
fn by_forms(page: &mut FlowPage, form: &Written) -> Option<Response> {
    match flow_steps::apply(page, form.filled.as_ref()) {
        Ok(()) => {}
        // What is wrong with the text is just what is asked.
        Err(Unfit::Text) if form.act == Act::Check => {
            page.error = None;
            return None;
        }
        Err(_) => return Some(shown(StatusCode::UNPROCESSABLE_ENTITY, page)),
    }
    let open = match flow_steps::act(&page.source, &form.act) {
        None => {
            flow_steps::stay(page, form.filled.as_ref());
            return None;
        }
        Some(Ok((source, open))) => {
            page.source = source;
            open
        }
        Some(Err(why)) => {
            page.error = Some(why.to_owned());
            None
        }
    };
    flow_steps::offer(page, open);
    let status = match page.error {
        None => StatusCode::OK,
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Some(shown(status, page))
}

/// What was found of a text that is not saved.
fn told(mut page: FlowPage, checked: Checked, only_check: bool) -> Response {
    let found = found("flow", &page.source, checked, only_check);
    page.fine = found.fine;
    page.mistakes = found.mistakes;
    page.tests = found.tests;
    shown(found.status, &page)
}

/// The page with what was written, whatever the reason is that it was not saved.
fn refused(mut page: FlowPage, fault: Fault) -> Response {
    let status = status_of_form(&fault);
    page.error = Some(said(fault));
    shown(status, &page)
}

pub(super) struct Enabling {
    enabled: bool,
    from_list: bool,
}

impl Form for Enabling {
    fn read(fields: &Fields) -> Self {
        Enabling {
            enabled: !fields.one("enabled").is_empty(),
            from_list: fields.one("from") == "list",
        }
    }
}

pub(super) async fn enable(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At((id, name)): At<(WorkspaceId, String)>,
    Query(asked): Query<Asked>,
    Posted(form): Posted<Enabling>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    let place = place::find(app, &admin, &id).await?;
    app.enable_flow(&admin, &id, &name, form.enabled).await?;
    let notice = if form.enabled {
        Notice::FlowEnabled
    } else {
        Notice::FlowDisabled
    };
    let path = if form.from_list {
        asked.back(&format!("{}/flows", place.path()))
    } else {
        flow_path(&place, &name)
    };
    Ok(answer::done(&pages, &path, notice))
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At((id, name)): At<(WorkspaceId, String)>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let place = place::find(&pages.app, &admin, &id).await?;
    pages.app.delete_flow(&admin, &id, &name).await?;
    let path = format!("{}/flows", place.path());
    Ok(answer::done(&pages, &path, Notice::FlowDeleted))
}

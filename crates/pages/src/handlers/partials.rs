//! `/workspaces/{id}/partials` and `/partials/{id}`: saved inputs of actions.

use std::collections::BTreeMap;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::integrations::Integration;
use quaymaster_app::partials::{NewPartial, Partial, PartialChange};
use quaymaster_app::{Admin, App};
use quaymaster_core::id::{IntegrationId, PartialId, WorkspaceId};
use quaymaster_core::schema::shorten;
use quaymaster_core::{Code, Fault};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::answer::{self, At, Stop, field_of, shown};
use super::connections::said;
use super::connectors::pretty;
use super::inputs::{self, inputs_of, read_inputs};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, choosing, paged, place};
use crate::views::address::segment;
use crate::views::pager::ROWS;
use crate::views::{
    Choice, Field, Flash, PartialChoicePage, PartialGroup, PartialInput, PartialPage, PartialRow,
    PartialsPage, Tone,
};

pub(super) async fn list(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Query(asked): Query<paged::Asked>,
) -> Result<Response, Stop> {
    let place = place::find(&app, &admin, &id).await?;
    let (partials, total) = app
        .partials_page(&admin, &id, &asked.query, ROWS, asked.offset())
        .await?;
    let own = partials.iter().filter_map(|one| one.integration.clone());
    let aliases = app.integration_aliases(&admin, own).await?;
    let mut groups: Vec<PartialGroup> = Vec::new();
    for partial in partials {
        let alias = partial.integration.as_ref();
        let alias = alias.and_then(|own| aliases.get(own).cloned());
        let title = subject(alias, &partial.connector);
        let row = row(partial);
        match groups.iter_mut().find(|group| group.title == title) {
            Some(group) => group.partials.push(row),
            None => groups.push(PartialGroup {
                title,
                partials: vec![row],
            }),
        }
    }
    let (_, integrations) = app.integrations_page(&admin, &id, "", 1, 0).await?;
    let page = PartialsPage {
        pager: asked.pager(&format!("{}/partials", place.path()), total),
        query: asked.query,
        layout: person.layout,
        place,
        groups,
        has_integrations: integrations > 0,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn row(partial: Partial) -> PartialRow {
    let enforced = partial.enforced;
    let keys = partial.values.into_iter().map(|(key, _)| {
        let is_enforced = enforced.contains(&key);
        (key, is_enforced)
    });
    PartialRow {
        id: partial.id.to_string(),
        name: partial.name,
        action: partial.action,
        keys: keys.collect(),
        is_default: partial.is_default,
    }
}

/// What a partial is for.
fn subject(alias: Option<String>, connector: &str) -> String {
    alias.unwrap_or_else(|| format!("every integration of {connector}"))
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    integration: String,
    /// A key; empty for all actions.
    action: Option<String>,
}

/// Chooses for what; with both, goes on to the form.
pub(super) async fn choose(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Stop> {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let place = place::find(&app, &admin, &id).await?;
    let mut integrations = choosing::integrations(&app, &admin, &id, false).await?;
    let mut error = None;
    let chosen = match asked.integration.trim() {
        "" => None,
        named => match app.integration_named(&admin, &id, named).await {
            Ok(found) => Some(found),
            Err(fault) if fault.code == Code::NotFound => {
                error = Some(format!(
                    "The workspace has no integration {}.",
                    shorten(named)
                ));
                None
            }
            Err(fault) => return Err(fault.into()),
        },
    };
    let chosen = chosen.as_ref();
    integrations.put(match (chosen, &integrations.written) {
        (Some(one), None) => one.id.as_str(),
        (Some(one), Some(_)) => &one.alias,
        (None, _) => asked.integration.trim(),
    });
    let actions = match chosen {
        Some(one) => {
            let all = app
                .connector_actions(&admin, &one.connector, one.connection.as_ref())
                .await?;
            let enabled = |key: &String| {
                let only = one.enabled_actions.as_ref();
                one.is_implied || only.is_none_or(|only| only.contains(key))
            };
            let all = all.into_iter().filter(|action| enabled(&action.key));
            let all = all.map(|action| {
                let label = format!("{} ({})", action.title, action.key);
                Choice::new(&action.key, label, false)
            });
            let every = Choice::new("", "All actions", false);
            Some(all.chain([every]).collect::<Vec<Choice>>())
        }
        None => None,
    };
    // The chosen action may be one of another integration, when both were changed at once.
    let is_known = |key: &&String| {
        let mut all = actions.iter().flatten();
        all.any(|choice: &Choice| choice.value == **key)
    };
    if let (Some(chosen), Some(action)) = (chosen, asked.action.as_ref().filter(is_known)) {
        let own = draft_path(&id, &chosen.id);
        return Err(Stop::Elsewhere(match action.as_str() {
            "" => own,
            action => format!("{own}?action={}", segment(action)),
        }));
    }
    let page = PartialChoicePage {
        layout: person.layout,
        place,
        integrations,
        error,
        actions,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn draft_path(workspace: &WorkspaceId, integration: &IntegrationId) -> String {
    let (workspace, integration) = (segment(workspace.as_str()), segment(integration.as_str()));
    format!("/workspaces/{workspace}/partials/new/{integration}")
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct OfAction {
    action: String,
}

pub(super) async fn draft(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At((id, integration)): At<(WorkspaceId, IntegrationId)>,
    asked: Result<Query<OfAction>, QueryRejection>,
) -> Result<Response, Stop> {
    let OfAction { action } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let action = (!action.is_empty()).then_some(action);
    let found = app.integration(&admin, &id, &integration).await?;
    let Opened { page, .. } = open(&app, &admin, person, Subject::New(found, action)).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Given {
    name: String,
    description: String,
    action: String,
    inputs: BTreeMap<String, String>,
    enforced: Vec<String>,
    values: String,
    locked: String,
    is_default: bool,
}

impl Form for Given {
    const MOST: usize = 256 * 1024;
    fn read(fields: &Fields) -> Self {
        Given {
            name: fields.text("name"),
            description: fields.text("description").trim().to_owned(),
            action: fields.text("action"),
            inputs: fields.below(inputs::PREFIX),
            enforced: fields.all("enforced").map(str::to_owned).collect(),
            values: fields.text("values"),
            locked: fields.text("locked"),
            is_default: !fields.one("default").is_empty(),
        }
    }
}

pub(super) async fn create(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At((id, integration)): At<(WorkspaceId, IntegrationId)>,
    Posted(given): Posted<Given>,
) -> Result<Response, Stop> {
    let found = pages.app.integration(&admin, &id, &integration).await?;
    let action = (!given.action.is_empty()).then(|| given.action.clone());
    let subject = Subject::New(found.clone(), action.clone());
    let mut opened = open(&pages.app, &admin, person, subject).await?;
    let Some((values, enforced)) = read_values(&mut opened, &given) else {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &opened.page));
    };
    let new = NewPartial {
        connector: found.connector,
        integration: Some(integration),
        action,
        name: given.name.clone(),
        description: (!given.description.is_empty()).then(|| given.description.clone()),
        values,
        enforced,
        is_default: given.is_default,
        ..NewPartial::default()
    };
    match pages.app.create_partial(&admin, &id, new).await {
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::PartialSaved)),
        Err(fault) => again(opened.page, fault),
    }
}

pub(super) async fn read(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<PartialId>,
) -> Result<Response, Stop> {
    let partial = app.partial(&admin, &id).await?;
    let Opened { page, .. } = open(&app, &admin, person, Subject::Present(partial)).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn save(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<PartialId>,
    Posted(given): Posted<Given>,
) -> Result<Response, Stop> {
    let partial = pages.app.partial(&admin, &id).await?;
    let workspace = partial.workspace.clone();
    let mut opened = open(&pages.app, &admin, person, Subject::Present(partial)).await?;
    let Some((values, enforced)) = read_values(&mut opened, &given) else {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &opened.page));
    };
    let change = PartialChange {
        name: Some(given.name.clone()),
        description: Some(given.description.clone()),
        values: Some(values),
        enforced: Some(enforced),
        is_default: Some(given.is_default),
    };
    match pages.app.update_partial(&admin, &id, change).await {
        Ok(_) => Ok(answer::done(
            &pages,
            &path(&workspace),
            Notice::PartialSaved,
        )),
        Err(fault) => again(opened.page, fault),
    }
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<PartialId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let partial = pages.app.partial(&admin, &id).await?;
    match pages.app.delete_partial(&admin, &id).await {
        Ok(()) => {
            let list = path(&partial.workspace);
            Ok(answer::done(&pages, &list, Notice::PartialDeleted))
        }
        Err(fault) if fault.code == Code::AlreadyExists => {
            let opened = open(&pages.app, &admin, person, Subject::Present(partial)).await?;
            let mut page = opened.page;
            page.layout.flash = Some(Flash {
                tone: Tone::Failed,
                message: said(fault),
            });
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

fn path(id: &WorkspaceId) -> String {
    format!("/workspaces/{}/partials", segment(id.as_str()))
}

enum Subject {
    /// For an integration, and for one of its actions or all.
    New(Integration, Option<String>),
    Present(Partial),
}

struct Opened {
    page: PartialPage,
    /// Of the action's inputs.
    schema: Value,
}

async fn open(app: &App, admin: &Admin, person: Person, about: Subject) -> Result<Opened, Fault> {
    let (workspace, integration, action, present) = match about {
        Subject::New(one, action) => (one.workspace.clone(), Some(one), action, None),
        Subject::Present(one) => {
            let found = match &one.integration {
                Some(only) => Some(app.integration(admin, &one.workspace, only).await?),
                None => {
                    app.integration_of(admin, &one.workspace, &one.connector)
                        .await?
                }
            };
            (one.workspace.clone(), found, one.action.clone(), Some(one))
        }
    };
    let mut schema = Value::Null;
    let mut rows = None;
    if let (Some(integration), Some(action)) = (&integration, &action) {
        match app.action_inputs(admin, integration, None, action).await {
            Ok(found) => schema = Value::Object(found),
            // The definition has it no more: what is saved is still shown, and can be deleted.
            Err(fault) if fault.code == Code::NotFound && present.is_some() => {}
            Err(fault) => return Err(fault),
        }
    }
    if schema.is_object() {
        let mut made = inputs_of(&schema);
        if let Some(one) = &present {
            inputs::fill(&mut made, &one.values);
        }
        let enforced = present.as_ref().map(|one| one.enforced.as_slice());
        let row = |input: crate::views::TryInput| PartialInput {
            is_enforced: enforced.is_some_and(|all| all.contains(&input.name)),
            input,
        };
        rows = Some(made.into_iter().map(row).collect());
    }
    let path = match (&present, &integration) {
        (Some(one), _) => format!("/partials/{}", segment(one.id.as_str())),
        (None, Some(one)) => draft_path(&workspace, &one.id),
        (None, None) => String::new(),
    };
    let subject = match (&present, &integration) {
        (Some(one), _) if one.integration.is_none() => {
            format!("every integration of {}", one.connector)
        }
        (_, Some(one)) => one.alias.clone(),
        (one, None) => one
            .as_ref()
            .map(|one| one.connector.clone())
            .unwrap_or_default(),
    };
    let values = present
        .as_ref()
        .map(|one| Value::Object(one.values.clone()));
    let locked = present.as_ref().map(|one| one.enforced.join(", "));
    let page = PartialPage {
        layout: person.layout,
        place: place::find(app, admin, &workspace).await?,
        id: present.as_ref().map(|one| one.id.to_string()),
        path,
        subject,
        action,
        name: Field::new(
            present
                .as_ref()
                .map(|one| one.name.clone())
                .unwrap_or_default(),
        ),
        description: Field::new(
            present
                .as_ref()
                .and_then(|one| one.description.clone())
                .unwrap_or_default(),
        ),
        inputs: rows,
        values: Field::new(values.as_ref().map_or_else(|| "{}".to_owned(), pretty)),
        locked: Field::new(locked.unwrap_or_default()),
        is_default: present.is_some_and(|one| one.is_default),
        error: None,
    };
    Ok(Opened { page, schema })
}

/// Puts what was given into the page. The values and the enforced keys, unless something is wrong.
fn read_values(opened: &mut Opened, given: &Given) -> Option<(Map<String, Value>, Vec<String>)> {
    let page = &mut opened.page;
    page.name = Field::new(&given.name);
    page.description = Field::new(&given.description);
    page.values = Field::new(&given.values);
    page.locked = Field::new(&given.locked);
    page.is_default = given.is_default;
    let Some(rows) = &mut page.inputs else {
        let locked = given.locked.split(',').map(str::trim);
        let locked = locked.filter(|key| !key.is_empty()).map(str::to_owned);
        return match serde_json::from_str(&given.values) {
            Ok(Value::Object(values)) => Some((values, locked.collect())),
            _ => {
                page.values.error = Some("That is no JSON object.".to_owned());
                None
            }
        };
    };
    let mut made: Vec<_> = rows.iter().map(|row| row.input.clone()).collect();
    let values = read_inputs(&mut made, &opened.schema, &given.inputs, false);
    for (row, mut input) in rows.iter_mut().zip(made) {
        row.is_enforced = given.enforced.contains(&input.name);
        if row.is_enforced && input.field.error.is_none() && !values.contains_key(&input.name) {
            input.field.error = Some("What is locked needs a value.".to_owned());
        }
        row.input = input;
    }
    let is_wrong = rows.iter().any(|row| row.input.field.error.is_some());
    (!is_wrong).then(|| (values, given.enforced.clone()))
}

/// The page with what is wrong, at the field that it is about.
fn again(mut page: PartialPage, fault: Fault) -> Result<Response, Stop> {
    if !matches!(fault.code, Code::InvalidArg | Code::AlreadyExists) {
        return Err(fault.into());
    }
    let pointer = field_of(&fault).unwrap_or_default().to_owned();
    let conflicts = fault
        .details
        .as_ref()
        .and_then(|details| details["keys"].as_array());
    let mut keys: Vec<String> = conflicts
        .into_iter()
        .flatten()
        .filter_map(|key| key.as_str().map(str::to_owned))
        .collect();
    keys.extend(pointer.strip_prefix("/values/").map(str::to_owned));
    let message = said(fault.clone());
    let mut rows = page.inputs.iter_mut().flatten();
    if let Some(row) = rows.find(|row| keys.contains(&row.input.name)) {
        row.input.field.error = Some(message);
    } else if pointer == "/name" || (fault.code == Code::AlreadyExists && keys.is_empty()) {
        page.name.error = Some(message);
    } else if page.inputs.is_none() && (!keys.is_empty() || pointer.starts_with("/values")) {
        page.values.error = Some(message);
    } else if page.inputs.is_none() && pointer.starts_with("/enforced") {
        page.locked.error = Some(message);
    } else {
        page.error = Some(message);
    }
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

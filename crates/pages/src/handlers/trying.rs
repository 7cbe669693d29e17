//! `/connectors/{key}/modules/{module}/{action}`: tries a call with an account.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::connectors::{ActionInFull, AuthKind};
use quaymaster_app::trying::Trial;
use quaymaster_core::id::ConnectionId;
use serde_json::Value;

use super::Pages;
use super::answer::{At, Stop, no_page, shown};
use super::connectors::action;
use super::inputs::{PREFIX, inputs_of, place_of, read_inputs};
use super::outcome::{of_fault, of_result};
use super::person::Person;
use super::posted::{Fields, Form, Posted};
use crate::views::{AccountToTry, TryingPage};

type Place = (String, String, String);

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(place): At<Place>,
) -> Result<Response, Stop> {
    let Opened { page, .. } = open(&app, person, place).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Tried {
    account: String,
    inputs: BTreeMap<String, String>,
}

impl Form for Tried {
    fn read(fields: &Fields) -> Self {
        Tried {
            account: fields.text("account"),
            inputs: fields.below(PREFIX),
        }
    }
}

pub(super) async fn submit(
    State(pages): State<Pages>,
    person: Person,
    At(place): At<Place>,
    Posted(form): Posted<Tried>,
) -> Result<Response, Stop> {
    let actor = person.actor.clone();
    let (connector, _, key) = place.clone();
    let Opened { mut page, schema } = open(&pages.app, person, place).await?;
    for account in &mut page.accounts {
        account.is_chosen = account.id == form.account;
    }
    let account: Option<ConnectionId> = match form.account.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| Stop::from(no_page()))?),
    };
    let inputs = read_inputs(&mut page.inputs, &schema, &form.inputs, true);
    if page.inputs.iter().any(|input| input.field.error.is_some()) {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let trial = Trial {
        connector,
        action: key,
        account,
        inputs,
    };
    let mut status = StatusCode::OK;
    match pages.app.try_call(&actor, trial).await {
        Ok(result) => page.outcome = Some(of_result(&result)),
        Err(fault) => match place_of(&mut page.inputs, fault) {
            None => status = StatusCode::UNPROCESSABLE_ENTITY,
            Some(fault) => page.outcome = Some(of_fault(&fault)),
        },
    }
    Ok(shown(status, &page))
}

struct Opened {
    page: TryingPage,
    /// Of the inputs.
    schema: Value,
}

/// The page with an empty form.
async fn open(app: &App, person: Person, place: Place) -> Result<Opened, Stop> {
    let (key, module, wanted) = place;
    let actor = &person.actor;
    let module = app.connector_module(actor, &key, &module).await?;
    let mut actions = module.actions.into_iter();
    let found = actions.find(|one| one.row.key == wanted);
    let ActionInFull { row, inputs, .. } = found.ok_or_else(no_page)?;
    let definition = &module.definition;
    let connections = app.connections(actor).await?;
    let mut accounts: Vec<AccountToTry> = connections
        .into_iter()
        .filter(|one| one.connector == definition.key)
        .map(|one| AccountToTry {
            id: one.id.to_string(),
            address: format!("{}:{}", one.connector, one.name),
            has_problem: one.problem.is_some(),
            is_chosen: false,
        })
        .collect();
    let is_public = definition
        .auth
        .iter()
        .any(|auth| auth.kind == AuthKind::None);
    let without_one = match accounts.len() {
        0 if is_public && definition.connection.is_empty() => Some("No account"),
        2.. if row.reads => Some("All accounts, as an agent that names none"),
        _ => None,
    };
    if let (None, Some(first)) = (without_one, accounts.first_mut()) {
        first.is_chosen = true;
    }
    let schema = Value::Object(inputs);
    let page = TryingPage {
        connector_key: definition.key.clone(),
        connector_title: definition.title.clone(),
        module_key: module.key,
        module_title: module.title,
        action_key: row.key.clone(),
        action: action(row),
        accounts,
        without_one,
        inputs: inputs_of(&schema),
        error: None,
        outcome: None,
        layout: person.layout,
    };
    Ok(Opened { page, schema })
}

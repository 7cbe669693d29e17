//! `/connectors/{key}/modules/{module}/{action}`: tries a call with an account.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::connectors::{ActionInFull, AuthKind};
use quaymaster_app::trying::Trial;
use serde_json::Value;

use super::answer::{At, Stop, no_page, shown};
use super::connectors::action;
use super::inputs::{PREFIX, inputs_of, place_of, read_inputs};
use super::outcome::{of_fault, of_result};
use super::person::Person;
use super::posted::{Fields, Form, Posted};
use super::{Pages, choosing};
use crate::views::TryingPage;

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
    page.accounts.put(&form.account);
    let named = choosing::bare(&connector, &form.account);
    let account = match named {
        "" => None,
        named => {
            let found = pages.app.account_named(&actor, None, &connector, named);
            let found = found.await?.map(|found| found.id);
            if found.is_none() {
                page.account_error = Some(format!("{} has no such account.", page.connector_title));
            }
            found
        }
    };
    let inputs = read_inputs(&mut page.inputs, &schema, &form.inputs, true);
    let is_wrong = page.inputs.iter().any(|input| input.field.error.is_some());
    if is_wrong || page.account_error.is_some() {
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
    let mut accounts = choosing::accounts(app, actor, None, &definition.key, None).await?;
    let is_public = definition
        .auth
        .iter()
        .any(|auth| auth.kind == AuthKind::None);
    let is_written = accounts.written.is_some();
    match accounts.choices.as_mut_slice() {
        _ if is_written => {}
        [] if is_public && definition.connection.is_empty() => accounts = accounts.or("No account"),
        [_, _, ..] if row.reads => {
            accounts = accounts.or("All accounts, as an agent that names none");
        }
        [first, ..] => first.is_chosen = true,
        [] => {}
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
        account_error: None,
        inputs: inputs_of(&schema),
        error: None,
        outcome: None,
        layout: person.layout,
    };
    Ok(Opened { page, schema })
}

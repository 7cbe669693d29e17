//! `/workspaces/{id}/integrations`: connectors switched on, changed and switched off.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::connectors::Wanted;
use quaymaster_app::integrations::{
    Integration, IntegrationChange, NewIntegration, Strategy, connector_key,
};
use quaymaster_core::id::{IntegrationId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use serde::Deserialize;

use super::answer::{self, At, Stop, field_of, shown};
use super::connections::said;
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, choosing, connectors, paged, place};
use crate::views::address::segment;
use crate::views::pager::ROWS;
use crate::views::{
    Choice, Field, IntegrationChoicePage, IntegrationPage, IntegrationRow, IntegrationsPage,
};

/// Connectors on the page that chooses one; search finds the others.
const MOST: usize = 60;
const STRATEGIES: [(Strategy, &str, &str); 3] = [
    (
        Strategy::Fixed,
        "One account for everybody",
        "The account below, whoever calls.",
    ),
    (
        Strategy::PerUser,
        "Each end user’s own",
        "Calls for an end user use what that person connected, and nothing else.",
    ),
    (
        Strategy::PerUserWithFallback,
        "The end user’s own, else the one below",
        "Who has connected none uses the account below.",
    ),
];

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Query(asked): Query<paged::Asked>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let place = place::find(&app, actor, &id).await?;
    let (integrations, total) = app
        .integrations_page(actor, &id, &asked.query, ROWS, asked.offset())
        .await?;
    let accounts = integrations.iter().filter_map(|one| one.connection.clone());
    let accounts = app.connection_addresses(actor, accounts).await?;
    let row = |one: Integration| IntegrationRow {
        id: one.id.to_string(),
        strategy: label(one.strategy).to_owned(),
        account: one
            .connection
            .and_then(|account| accounts.get(&account).cloned()),
        actions: one.enabled_actions.map(|actions| actions.len()),
        connector: one.connector,
        alias: one.alias,
    };
    let page = IntegrationsPage {
        integrations: integrations.into_iter().map(row).collect(),
        pager: asked.pager(&format!("{}/integrations", place.path()), total),
        query: asked.query,
        place,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn label(strategy: Strategy) -> &'static str {
    let known = STRATEGIES.iter().find(|(own, _, _)| *own == strategy);
    known.map_or("", |(_, label, _)| label)
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    query: String,
}

pub(super) async fn choose(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Stop> {
    let Asked { query } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let place = place::find(&app, &admin, &id).await?;
    let wanted = Wanted {
        query: Some(query.clone()),
        ..Wanted::default()
    };
    let found = app.connectors(&admin, &wanted).await?;
    let more = found.len().saturating_sub(MOST);
    let (connected, others): (Vec<_>, Vec<_>) = found
        .into_iter()
        .take(MOST)
        .partition(|row| row.accounts > 0);
    let page = IntegrationChoicePage {
        layout: person.layout,
        place,
        query,
        connected: connected.into_iter().map(connectors::card).collect(),
        others: others.into_iter().map(connectors::card).collect(),
        more,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Given {
    alias: String,
    strategy: String,
    account: String,
    is_all: bool,
    actions: Vec<String>,
}

impl Form for Given {
    const MOST: usize = 1024 * 1024;
    fn read(fields: &Fields) -> Self {
        Given {
            alias: fields.text("alias").trim().to_owned(),
            strategy: fields.text("strategy"),
            account: fields.text("account"),
            is_all: fields.one("which") != "ticked",
            actions: fields.all("action").map(str::to_owned).collect(),
        }
    }
}

impl Given {
    fn strategy(&self) -> Result<Strategy, Fault> {
        let known = STRATEGIES
            .iter()
            .find(|(own, _, _)| own.name() == self.strategy);
        known.map(|(own, _, _)| *own).ok_or_else(|| {
            Fault::invalid_arg("/strategy", "enum", "Choose whose account calls use.")
                .hint("Go back and send the form of the page.")
        })
    }

    fn actions(&self) -> Option<Vec<String>> {
        (!self.is_all).then(|| self.actions.clone())
    }
}

pub(super) async fn draft(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At((id, connector)): At<(WorkspaceId, String)>,
) -> Result<Response, Stop> {
    let page = page(&app, person, &admin, &id, Subject::New(connector)).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn add(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At((id, connector)): At<(WorkspaceId, String)>,
    Posted(given): Posted<Given>,
) -> Result<Response, Stop> {
    let key = connector_key(&connector);
    let account = choosing::account(&pages.app, &admin, &id, &key, &given.account).await?;
    let new = NewIntegration {
        connector: connector.clone(),
        alias: Some(given.alias.clone()),
        strategy: given.strategy()?,
        connection: account,
        enabled_actions: given.actions(),
        ..NewIntegration::default()
    };
    match pages.app.create_integration(&admin, &id, new).await {
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::IntegrationAdded)),
        Err(fault) => {
            let page = page(&pages.app, person, &admin, &id, Subject::New(connector)).await?;
            again(page, &given, fault)
        }
    }
}

pub(super) async fn read(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At((id, integration)): At<(WorkspaceId, IntegrationId)>,
) -> Result<Response, Stop> {
    let found = app.integration(&admin, &id, &integration).await?;
    let page = page(&app, person, &admin, &id, Subject::Present(Box::new(found))).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn save(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At((id, integration)): At<(WorkspaceId, IntegrationId)>,
    Posted(given): Posted<Given>,
) -> Result<Response, Stop> {
    let present = pages.app.integration(&admin, &id, &integration).await?;
    let actions = given.actions();
    let same = match (&actions, &present.enabled_actions) {
        (None, None) => true,
        (Some(new), Some(old)) => new.len() == old.len() && new.iter().all(|one| old.contains(one)),
        _ => false,
    };
    let (app, connector) = (&pages.app, &present.connector);
    let account = choosing::account(app, &admin, &id, connector, &given.account).await?;
    let change = IntegrationChange {
        alias: Some(given.alias.clone()),
        strategy: Some(given.strategy()?),
        connection: Some(account),
        // Saying it again would stop tools from widening it by themselves.
        enabled_actions: (!same).then_some(actions),
        ..IntegrationChange::default()
    };
    let saved = pages
        .app
        .update_integration(&admin, &id, &integration, change)
        .await;
    match saved {
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::IntegrationSaved)),
        Err(fault) => {
            let page = page(
                &pages.app,
                person,
                &admin,
                &id,
                Subject::Present(Box::new(present)),
            )
            .await?;
            again(page, &given, fault)
        }
    }
}

pub(super) async fn remove(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At((id, integration)): At<(WorkspaceId, IntegrationId)>,
    Query(asked): Query<paged::Asked>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages
        .app
        .delete_integration(&admin, &id, &integration)
        .await?;
    Ok(answer::done(
        &pages,
        &asked.back(&path(&id)),
        Notice::IntegrationRemoved,
    ))
}

fn path(id: &WorkspaceId) -> String {
    format!("/workspaces/{}/integrations", segment(id.as_str()))
}

enum Subject {
    /// The key of a connector.
    New(String),
    Present(Box<Integration>),
}

async fn page(
    app: &App,
    person: Person,
    actor: &quaymaster_app::Admin,
    id: &WorkspaceId,
    subject: Subject,
) -> Result<IntegrationPage, Fault> {
    let place = place::find(app, actor, id).await?;
    let (key, present) = match subject {
        Subject::New(key) => (connector_key(&key), None),
        Subject::Present(one) => (one.connector.clone(), Some(*one)),
    };
    let title = app.connector_title(&actor.org, &key).await?;
    let own = present.as_ref().and_then(|one| one.connection.as_ref());
    let mut accounts = choosing::accounts(app, actor, Some(id), &key, own).await?;
    let has_accounts = !accounts.is_empty();
    let strategy = present.as_ref().map(|one| one.strategy);
    let strategy = strategy.unwrap_or(Strategy::Fixed);
    if let (None, Some(first)) = (&present, accounts.choices.first_mut()) {
        first.is_chosen = true;
    }
    let accounts = accounts.or("None");
    let actions = app.connector_actions(actor, &key, own).await?;
    let enabled = present.as_ref().and_then(|one| one.enabled_actions.clone());
    let alias = match &present {
        Some(one) => one.alias.clone(),
        None => app.free_alias(actor, id, &key).await?,
    };
    let ticks = actions.into_iter().map(|action| {
        let is_ticked = enabled
            .as_ref()
            .is_some_and(|all| all.contains(&action.key));
        place::tick(action.key.clone(), action.key.clone(), action, is_ticked)
    });
    Ok(IntegrationPage {
        layout: person.layout,
        place,
        id: present.map(|one| one.id.to_string()),
        connector: key,
        title,
        alias: Field::new(alias),
        strategies: strategies(strategy),
        accounts,
        has_accounts,
        account_error: None,
        which: which(enabled.is_none()),
        actions: ticks.collect(),
        actions_error: None,
        error: None,
    })
}

fn strategies(chosen: Strategy) -> Vec<Choice> {
    let choice = |(strategy, label, help): &(Strategy, &str, &str)| {
        Choice::new(strategy.name(), *label, *strategy == chosen).with_help(help)
    };
    STRATEGIES.iter().map(choice).collect()
}

fn which(is_all: bool) -> Vec<Choice> {
    vec![
        Choice::new("all", "All actions", is_all).with_help("New ones of the connector, too."),
        Choice::new("ticked", "Only those ticked below", !is_all)
            .with_help("Servers cannot have any other."),
    ]
}

/// The page with what was given, and what is wrong with it.
fn again(mut page: IntegrationPage, given: &Given, fault: Fault) -> Result<Response, Stop> {
    let known = [Code::InvalidArg, Code::AlreadyExists, Code::UnknownInstance];
    if !known.contains(&fault.code) {
        return Err(fault.into());
    }
    page.alias = Field::new(&given.alias);
    for choice in &mut page.strategies {
        choice.is_chosen = choice.value == given.strategy;
    }
    page.accounts.put(&given.account);
    page.which = which(given.is_all);
    for tick in &mut page.actions {
        tick.is_ticked = given.actions.contains(&tick.value);
    }
    match field_of(&fault) {
        _ if fault.code == Code::AlreadyExists => page.alias.error = Some(said(fault)),
        Some("/alias") => page.alias.error = Some(fault.message),
        Some("/connection_id") => page.account_error = Some(fault.message),
        _ if fault.code == Code::UnknownInstance => page.account_error = Some(fault.message),
        Some(pointer) if pointer.starts_with("/enabled_actions") => {
            page.actions_error = Some(said(fault));
        }
        _ => page.error = Some(said(fault)),
    }
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

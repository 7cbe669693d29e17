//! `/connectors`: the catalog, a connector, one of its modules, and the form that connects an
//! account. The accounts themselves are in [`connections`](super::connections).

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::connections::{self, NewConnection};
use quaymaster_app::connectors::{
    self, ActionRow, Connector, ConnectorRow, RateLimit, Recipe, Tested, Wanted, Way,
};
use quaymaster_app::{Actor, App};
use quaymaster_core::{Code, Fault};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{self, At, LeadsAway, Stop, field_of, shown};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, choosing, connections as accounts, paged};
use crate::openapi::{paragraphs, rows};
use crate::views::address::segment;
use crate::views::pager::ROWS;
use crate::views::reference::Paragraph;
use crate::views::{
    ActionInFull, ActionView, Connecting, ConnectorCard, ConnectorPage, ConnectorsPage, Field,
    ModulePage, ModuleView, OneOf, RecipeView, SigningIn, TestedHow, WayChoice,
};

/// On one page; search finds the others.
const MOST: usize = 300;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    query: String,
    category: String,
}

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Stop> {
    // What cannot be read asks for nothing.
    let Asked { query, category } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let wanted = Wanted {
        query: Some(query.clone()),
        category: Some(category.clone()),
        connected: None,
    };
    let found = app.connectors(&person.actor, &wanted).await?;
    let more = found.len().saturating_sub(MOST);
    let (connected, others): (Vec<_>, Vec<_>) = found
        .into_iter()
        .take(MOST)
        .partition(|row| row.accounts > 0);
    let page = ConnectorsPage {
        may_write: person.actor.role.administers(),
        layout: person.layout,
        query,
        category,
        categories: app.connector_categories(&person.actor).await?,
        connected: connected.into_iter().map(card).collect(),
        others: others.into_iter().map(card).collect(),
        more,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) fn card(row: ConnectorRow) -> ConnectorCard {
    ConnectorCard {
        key: row.key,
        title: row.title,
        summary: row.summary,
        categories: row.categories,
        accounts: row.accounts,
        broken: row.broken,
        is_own: row.is_own,
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    /// The key of a way to sign in.
    pub(super) auth: String,
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(key): At<String>,
    chosen: Result<Query<Chosen>, QueryRejection>,
    Query(asked): Query<paged::Asked>,
) -> Result<Response, Stop> {
    let chosen = chosen.map(|Query(chosen)| chosen).unwrap_or_default();
    let page = page(&app, person, &key, &chosen.auth, asked).await?;
    Ok(leading_away(StatusCode::OK, &page))
}

/// The page, whose form leads to the service where accounts sign in there.
pub(super) fn leading_away(status: StatusCode, page: &ConnectorPage) -> Response {
    let mut response = shown(status, page);
    let connecting = page.connecting.as_ref();
    if connecting.is_some_and(|form| form.signing_in.is_some()) {
        response.extensions_mut().insert(LeadsAway);
    }
    response
}

pub(super) struct NewAccount {
    pub(super) auth: String,
    pub(super) name: String,
    /// The id, slug or name of a workspace; empty for all.
    pub(super) workspace: String,
    pub(super) is_local: bool,
    pub(super) fields: connections::Fields,
}

impl Form for NewAccount {
    fn read(fields: &Fields) -> Self {
        NewAccount {
            auth: fields.text("auth"),
            name: fields.text("name"),
            workspace: fields.text("workspace"),
            is_local: !fields.one("local").is_empty(),
            fields: connections::Fields(fields.below(accounts::PREFIX)),
        }
    }
}

pub(super) async fn connect(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(key): At<String>,
    Posted(form): Posted<NewAccount>,
) -> Result<Response, Stop> {
    let workspace = match choosing::workspace(&pages.app, &admin, &form.workspace).await {
        Ok(found) => found.map(|found| found.id),
        Err(fault) => return again(&pages, person, &key, form, fault).await,
    };
    let name = form.name.trim();
    let new = NewConnection {
        connector: key.clone(),
        name: (!name.is_empty()).then(|| name.to_owned()),
        auth: Some(form.auth.clone()),
        fields: form.fields.clone(),
        workspace,
        is_local: form.is_local,
        ..NewConnection::default()
    };
    let fault = match pages.app.connect_account(&admin, new).await {
        Ok(made) => {
            let notice = match (&made.problem, made.verified_at) {
                (Some(_), _) => Notice::AccountSaved,
                (None, Some(_)) => Notice::AccountConnected,
                (None, None) => Notice::AccountUntried,
            };
            return Ok(answer::done(&pages, &accounts::path(&made.id), notice));
        }
        Err(fault) => fault,
    };
    again(&pages, person, &key, form, fault).await
}

/// The page with what was typed in, and what is wrong with it.
pub(super) async fn again(
    pages: &Pages,
    person: Person,
    key: &str,
    form: NewAccount,
    fault: Fault,
) -> Result<Response, Stop> {
    if !matches!(fault.code, Code::InvalidArg | Code::AlreadyExists) {
        return Err(fault.into());
    }
    let mut page = page(&pages.app, person, key, &form.auth, paged::Asked::default()).await?;
    let again = page.connecting.as_mut().ok_or_else(Fault::internal)?;
    again.name = Field::new(form.name);
    again.workspaces.put(form.workspace.trim());
    again.is_local = again.is_local.map(|_| form.is_local);
    accounts::keep(&mut again.inputs, &form.fields);
    if fault.code == Code::AlreadyExists || field_of(&fault) == Some("/name") {
        again.name.error = Some(accounts::said(fault));
    } else if field_of(&fault) == Some("/workspace") {
        again.workspace_error = Some(accounts::said(fault));
    } else if let Some(unplaced) = accounts::place(&mut again.inputs, fault) {
        again.error = Some(unplaced);
    }
    Ok(leading_away(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

pub(super) async fn module(
    State(app): State<App>,
    person: Person,
    At((key, module)): At<(String, String)>,
) -> Result<Response, Stop> {
    let module = app.connector_module(&person.actor, &key, &module).await?;
    let service = module.definition.key.clone();
    let actions = module.actions.into_iter().map(|full| ActionInFull {
        inputs: rows(&Value::Object(full.inputs)),
        example: full.example.as_ref().map(pretty),
        is_binary: full.is_binary,
        key: full.row.key.clone(),
        action: action(full.row),
    });
    let page = ModulePage {
        actions: actions.collect(),
        layout: person.layout,
        connector_title: module.definition.title.clone(),
        key: module.key,
        title: module.title,
        summary: prose(module.summary.as_deref()),
        recipes: recipes(&service, module.recipes),
        connector_key: service,
    };
    Ok(shown(StatusCode::OK, &page))
}

/// Where a connector is.
pub(super) fn path(key: &str) -> String {
    format!("/connectors/{}", segment(key))
}

/// The page with an empty form for a way to sign in; for the first that can be filled in when no
/// such way was chosen.
pub(super) async fn page(
    app: &App,
    person: Person,
    key: &str,
    way: &str,
    asked: paged::Asked,
) -> Result<ConnectorPage, Fault> {
    let actor = &person.actor;
    let connector = app.connector(actor, key).await?;
    let ways = connector.ways();
    let shown = ways
        .iter()
        .find(|one| one.key == way)
        .or_else(|| ways.iter().find(|one| one.is_typed()))
        .or(ways.first());
    let connecting = match shown {
        Some(way) if actor.role.administers() => {
            let workspaces = choosing::workspaces(app, actor).await?;
            let mut form = form(&connector, &ways, way, workspaces);
            if !way.is_typed() {
                form.signing_in = Some(signing_in(app, actor, key, way).await?);
            }
            Some(form)
        }
        _ => None,
    };
    let may_edit = connector.is_own && actor.role.administers();
    let definition = connector.definition;
    let (some, total) = app
        .connector_accounts_page(actor, &definition.key, &asked.query, ROWS, asked.offset())
        .await?;
    let cards = accounts::cards(app, actor, &ways, &some).await?;
    let docs = definition.docs_url.clone();
    Ok(ConnectorPage {
        layout: person.layout,
        key: definition.key.clone(),
        title: definition.title.clone(),
        summary: definition.summary.clone(),
        categories: definition.categories.clone(),
        tested: match definition.tested {
            Tested::Live => TestedHow::Live,
            Tested::Schema => TestedHow::Schema,
            Tested::None => TestedHow::None,
        },
        version: definition.version.clone(),
        may_edit,
        docs_url: docs.filter(|url| url.starts_with("https://")),
        pager: asked.pager(&path(&definition.key), total),
        query: asked.query,
        accounts: cards,
        connecting,
        modules: connector.modules.into_iter().map(module_view).collect(),
        recipes: recipes(&definition.key, connector.recipes),
        limits: definition.rate_limits.iter().map(limit).collect(),
    })
}

fn form(connector: &Connector, ways: &[Way], way: &Way, mut workspaces: OneOf) -> Connecting {
    // It is for all of them, unless somebody says otherwise.
    workspaces.put("");
    let choice = |way: &Way| WayChoice {
        key: way.key.clone(),
        title: way.title.clone(),
    };
    Connecting {
        ways: ways.iter().map(choice).collect(),
        way: way.key.clone(),
        help: way.help.clone(),
        signing_in: None,
        inputs: accounts::inputs(way),
        name: Field::default(),
        workspaces: workspaces.or("All workspaces"),
        workspace_error: None,
        is_local: connector.may_be_local().then_some(false),
        error: None,
    }
}

async fn signing_in(app: &App, actor: &Actor, key: &str, way: &Way) -> Result<SigningIn, Fault> {
    let known = app.oauth_app(actor, key).await?;
    Ok(SigningIn {
        flows: accounts::flows(way),
        redirect_uri: app.redirect_uri(),
        has_app: known.is_some(),
        has_secret: known.as_ref().is_some_and(|known| known.secret.is_some()),
        client_id: Field::new(known.map(|known| known.client_id).unwrap_or_default()),
        secret_error: None,
    })
}

fn module_view(module: connectors::ModuleRow) -> ModuleView {
    ModuleView {
        key: module.key,
        title: module.title,
        summary: prose(module.summary.as_deref()),
        actions: module.actions.into_iter().map(action).collect(),
    }
}

pub(super) fn action(row: ActionRow) -> ActionView {
    let (verb, target) = parted(&row.call);
    ActionView {
        verb,
        target,
        title: row.title,
        summary: prose(row.summary.as_deref()),
        reads: row.reads,
        is_destructive: row.is_destructive,
    }
}

fn prose(text: Option<&str>) -> Vec<Paragraph> {
    text.map(paragraphs).unwrap_or_default()
}

/// `VERB /path` in two; the name of a method is one.
fn parted(call: &str) -> (Option<String>, String) {
    match call.split_once(' ') {
        Some((verb, path)) if path.starts_with('/') => (Some(verb.to_owned()), path.to_owned()),
        _ => (None, call.to_owned()),
    }
}

/// Recipes as the arguments of `connector_execute`.
fn recipes(service: &str, recipes: Vec<Recipe>) -> Vec<RecipeView> {
    let view = |recipe: Recipe| {
        let (verb, target) = parted(&recipe.call);
        let mut arguments = Map::new();
        arguments.insert("service".to_owned(), json!(service));
        arguments.insert("module".to_owned(), json!(recipe.module));
        match verb {
            Some(verb) => {
                arguments.insert("method".to_owned(), json!(verb));
                arguments.insert("path".to_owned(), json!(target));
            }
            None => {
                arguments.insert("method".to_owned(), json!(target));
            }
        }
        let parts = [("query", recipe.query), ("body", recipe.body)];
        for (name, part) in parts {
            if let Some(part) = part {
                arguments.insert(name.to_owned(), part);
            }
        }
        RecipeView {
            title: recipe.title,
            arguments: pretty(&Value::Object(arguments)),
            note: prose(recipe.note.as_deref()),
        }
    };
    recipes.into_iter().map(view).collect()
}

pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn limit(limit: &RateLimit) -> String {
    let within = match limit.per_s {
        1 => "a second".to_owned(),
        60 => "a minute".to_owned(),
        3_600 => "an hour".to_owned(),
        86_400 => "a day".to_owned(),
        seconds => format!("in {seconds} seconds"),
    };
    let of = match &limit.module {
        Some(module) => format!(" of {module}"),
        None => String::new(),
    };
    let note = limit.note.as_deref().map(|note| format!(" {note}"));
    let requests = limit.requests;
    let calls = if requests == 1 { "call" } else { "calls" };
    format!(
        "{requests} {calls}{of} {within}.{}",
        note.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_parted_from_its_path_and_a_method_stays_whole() {
        let parted = |call| {
            let (verb, target) = parted(call);
            (verb.unwrap_or_default(), target)
        };
        assert_eq!(parted("GET /a b"), ("GET".into(), "/a b".into()));
        assert_eq!(
            parted("crm.deal.list"),
            (String::new(), "crm.deal.list".into())
        );
        assert_eq!(parted("say hello"), (String::new(), "say hello".into()));
    }

    #[test]
    fn a_limit_reads_as_a_sentence() {
        let said = |requests, per_s, module: Option<&str>| {
            limit(&RateLimit {
                requests,
                per_s,
                module: module.map(str::to_owned),
                note: None,
            })
        };
        assert_eq!(said(30, 60, Some("search")), "30 calls of search a minute.");
        assert_eq!(said(1, 5, None), "1 call in 5 seconds.");
    }
}

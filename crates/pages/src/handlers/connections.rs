//! `/connections/{id}`: a connected account, verified, renamed, given new credentials,
//! disconnected. Secrets go in and never come out.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::activity::name_or_id;
use quaymaster_app::connections::{self, Connection, Flow};
use quaymaster_app::connectors::{Connector, Way};
use quaymaster_app::{Actor, App};
use quaymaster_core::id::{ConnectionId, WorkspaceId};
use quaymaster_core::{Code, Fault};

use super::answer::{self, At, LeadsAway, Stop, field_of, shown};
use super::notice::Notice;
use super::paged::Asked;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, connection_tools, connectors, writers};
use crate::views::address::segment;
use crate::views::pattern::for_browsers;
use crate::views::{AccountCard, Changing, ConnectionPage, Field, Flows, InputRow};

/// In front of the names of a definition's fields, so that they cannot be taken for others.
pub(super) const PREFIX: &str = "field.";

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<ConnectionId>,
) -> Result<Response, Stop> {
    let page = page(&app, person, &id).await?;
    let mut response = shown(StatusCode::OK, &page);
    if page.signs_in_again() {
        response.extensions_mut().insert(LeadsAway);
    }
    Ok(response)
}

pub(super) struct Verify {
    /// Whether it was asked from the page of the connector.
    from_connector: bool,
}

impl Form for Verify {
    fn read(fields: &Fields) -> Self {
        Verify {
            from_connector: fields.one("from") == "connector",
        }
    }
}

pub(super) async fn verify(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<ConnectionId>,
    Query(asked): Query<Asked>,
    Posted(form): Posted<Verify>,
) -> Result<Response, Stop> {
    let verified = pages.app.verify_connection(&admin, &id).await?;
    let notice = match (&verified.problem, verified.verified_at) {
        (Some(_), _) => Notice::AccountFails,
        (None, Some(_)) => Notice::AccountWorks,
        (None, None) => Notice::AccountUntried,
    };
    let path = if form.from_connector {
        asked.back(&connectors::path(&verified.connector))
    } else {
        path(&id)
    };
    Ok(answer::done(&pages, &path, notice))
}

pub(super) struct NewName {
    name: String,
}

impl Form for NewName {
    fn read(fields: &Fields) -> Self {
        NewName {
            name: fields.text("name"),
        }
    }
}

pub(super) async fn rename(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<ConnectionId>,
    Posted(form): Posted<NewName>,
) -> Result<Response, Stop> {
    let name = form.name.trim();
    match pages.app.rename_connection(&admin, &id, name).await {
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::AccountRenamed)),
        Err(fault) if matches!(fault.code, Code::InvalidArg | Code::AlreadyExists) => {
            let mut page = page(&pages.app, person, &id).await?;
            let again = page.changing.as_mut().ok_or_else(Fault::internal)?;
            again.name = Field::wrong(form.name, said(fault));
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) struct NewCredentials {
    fields: connections::Fields,
}

impl Form for NewCredentials {
    fn read(fields: &Fields) -> Self {
        NewCredentials {
            fields: connections::Fields(fields.below(PREFIX)),
        }
    }
}

pub(super) async fn replace(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<ConnectionId>,
    Posted(form): Posted<NewCredentials>,
) -> Result<Response, Stop> {
    let replaced = pages.app.replace_credentials(&admin, &id, &form.fields);
    match replaced.await {
        Ok(replaced) => {
            let notice = match (&replaced.problem, replaced.verified_at) {
                (Some(_), _) => Notice::CredentialsFail,
                (None, Some(_)) => Notice::CredentialsReplaced,
                (None, None) => Notice::AccountUntried,
            };
            Ok(answer::done(&pages, &path(&id), notice))
        }
        Err(fault) if fault.code == Code::InvalidArg => {
            let mut page = page(&pages.app, person, &id).await?;
            let again = page.changing.as_mut().ok_or_else(Fault::internal)?;
            keep(&mut again.inputs, &form.fields);
            again.error = place(&mut again.inputs, fault);
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) async fn disconnect(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<ConnectionId>,
    Query(asked): Query<Asked>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let connection = pages.app.connection(&admin, &id).await?;
    pages.app.disconnect_account(&admin, &id).await?;
    let path = asked.back(&connectors::path(&connection.connector));
    Ok(answer::done(&pages, &path, Notice::AccountDisconnected))
}

pub(super) fn path(id: &ConnectionId) -> String {
    format!("/connections/{}", segment(id.as_str()))
}

/// The page with forms that have what is not secret.
async fn page(app: &App, person: Person, id: &ConnectionId) -> Result<ConnectionPage, Fault> {
    let actor = &person.actor;
    let connection = app.connection(actor, id).await?;
    let connector = app.connector(actor, &connection.connector).await?;
    let ways = connector.ways();
    let way = ways.iter().find(|way| way.key == connection.auth);
    let mut cards = cards(app, actor, &ways, std::slice::from_ref(&connection)).await?;
    let account = cards.pop().ok_or_else(Fault::internal)?;
    let title_of = |name: &str| {
        let fields = way.into_iter().flat_map(|way| &way.fields);
        let mut own = fields.filter(|(own, _)| own == name);
        let title = own.next().and_then(|(_, field)| field.title.clone());
        title.unwrap_or_else(|| name.to_owned())
    };
    let fields = connection.fields.iter();
    Ok(ConnectionPage {
        connector_key: connector.definition.key.clone(),
        connector_title: connector.definition.title.clone(),
        account,
        fields: fields
            .map(|(name, value)| (title_of(name), value.clone()))
            .collect(),
        tools: connection_tools::of(app, actor, &connector, id).await?,
        changing: actor
            .role
            .administers()
            .then(|| changing(&connector, &connection, way)),
        layout: person.layout,
    })
}

fn changing(connector: &Connector, connection: &Connection, way: Option<&Way>) -> Changing {
    let mut inputs = way.map(inputs).unwrap_or_default();
    for input in inputs.iter_mut().filter(|input| !input.is_secret) {
        let known = connection.fields.get(&input.name);
        input.field = Field::new(known.cloned().unwrap_or_default());
    }
    Changing {
        name: Field::new(&connection.name),
        inputs,
        flows: way.filter(|way| !way.is_typed()).map(flows),
        help: way.and_then(|way| way.help.clone()),
        error: None,
        is_kept_outside: connector.may_be_local() && !connection.is_local,
    }
}

/// The accounts of a connector as they are shown.
pub(super) async fn cards(
    app: &App,
    actor: &Actor,
    ways: &[Way],
    connections: &[Connection],
) -> Result<Vec<AccountCard>, Fault> {
    if connections.is_empty() {
        return Ok(Vec::new());
    }
    let people = app
        .member_names(&actor.org, connections.iter().map(|one| one.user.clone()))
        .await?;
    let reached = connections.iter().filter_map(|one| one.workspace.clone());
    let workspaces = app.names_of_workspaces(actor, reached).await?;
    let name_of = |id: &WorkspaceId| name_or_id(&workspaces, id);
    let title_of = |key: &str| {
        let known = ways.iter().find(|way| way.key == key);
        known.map_or_else(|| key.to_owned(), |way| way.title.clone())
    };
    let card = |one: &Connection| AccountCard {
        id: one.id.to_string(),
        name: one.name.clone(),
        address: format!("{}:{}", one.connector, one.name),
        label: one.label.clone(),
        problem: one.problem.clone(),
        way: title_of(&one.auth),
        workspace: one.workspace.as_ref().map(name_of),
        is_local: one.is_local,
        connected_by: writers::name_of(&people, &one.user),
        connected_at: one.created_at,
        verified_at: one.verified_at,
    };
    Ok(connections.iter().map(card).collect())
}

/// How a person signs in at the service.
pub(super) fn flows(way: &Way) -> Flows {
    Flows {
        in_browser: way.flows.contains(&Flow::Code),
        on_device: way.flows.contains(&Flow::Device),
    }
}

/// The empty inputs of a way to sign in.
pub(super) fn inputs(way: &Way) -> Vec<InputRow> {
    let input = |(name, field): &(String, quaymaster_app::connectors::Field)| InputRow {
        name: name.clone(),
        title: field.title.clone().unwrap_or_else(|| name.clone()),
        help: field.help.clone().unwrap_or_default(),
        example: field.example.clone(),
        pattern: field.pattern.as_deref().map(for_browsers),
        is_secret: field.secret,
        is_required: !field.optional && field.default.is_none(),
        field: Field::new(match (&field.default, field.secret) {
            (Some(default), false) => default.as_str(),
            _ => "",
        }),
    };
    way.fields.iter().map(input).collect()
}

/// Keeps what was typed in, except secrets.
pub(super) fn keep(inputs: &mut [InputRow], typed: &connections::Fields) {
    for input in inputs.iter_mut().filter(|input| !input.is_secret) {
        if let Some(value) = typed.0.get(&input.name) {
            input.field = Field::new(value);
        }
    }
}

/// Puts a refusal under the input that it is about; what is about none comes back.
pub(super) fn place(inputs: &mut [InputRow], fault: Fault) -> Option<String> {
    let name = field_of(&fault).and_then(|pointer| pointer.strip_prefix("/fields/"));
    let input = name.and_then(|name| inputs.iter_mut().find(|input| input.name == name));
    match input {
        Some(input) => {
            input.field.error = Some(said(fault));
            None
        }
        None => Some(said(fault)),
    }
}

/// A refusal with what to do about it.
pub(super) fn said(fault: Fault) -> String {
    match fault.hint {
        Some(hint) => format!("{} {hint}", fault.message),
        None => fault.message,
    }
}

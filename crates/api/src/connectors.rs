//! The connector catalog: found, and read with the ways to sign in, the calls and the accounts. What
//! can be called is in [`modules`], those of the organization's own in [`own`].

use crate::auth::Person;
use crate::authorizations::FlowName;
use crate::connections::ConnectionView;
use crate::error::{Answer, Faults};
use crate::paging::Paging;
use crate::read::{Path, Query};
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::connections::Connection;
use quaymaster_app::connectors::{AuthKind, Connector, ConnectorRow, Field, Tested, Wanted, Way};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

pub(crate) mod modules;
pub(crate) mod own;

use modules::{ModuleView, RateLimitView, RecipeView};

/// How a definition was tried: `live` against the real service, `schema` by comparing every request
/// with the service's documentation, `none` not at all.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Tested)]
pub(crate) enum TestedName {
    Live,
    Schema,
    None,
}

impl From<Tested> for TestedName {
    fn from(tested: Tested) -> Self {
        match tested {
            Tested::Live => TestedName::Live,
            Tested::Schema => TestedName::Schema,
            Tested::None => TestedName::None,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Connector)]
pub(crate) struct ConnectorView {
    /// The name by which agents call it.
    key: String,
    title: String,
    /// One line of at most 34 characters.
    summary: String,
    categories: Vec<String>,
    tested: TestedName,
    /// Of the definition.
    version: String,
    /// Whether the organization has an account.
    connected: bool,
    /// How many accounts it has.
    accounts: usize,
    /// The organization wrote it.
    own: bool,
}

impl From<ConnectorRow> for ConnectorView {
    fn from(row: ConnectorRow) -> Self {
        ConnectorView {
            key: row.key,
            title: row.title,
            summary: row.summary,
            categories: row.categories,
            tested: row.tested.into(),
            version: row.version,
            connected: row.accounts > 0,
            accounts: row.accounts,
            own: row.is_own,
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Looked {
    /// What it is for, in plain words.
    #[serde(default, deserialize_with = "words")]
    query: Option<String>,
    #[serde(default, deserialize_with = "words")]
    category: Option<String>,
    /// Only those with accounts, or only those without.
    connected: Option<bool>,
    /// How many at most.
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// How many to leave out at the start.
    #[param(minimum = 0, default = 0)]
    offset: Option<i64>,
}

/// Words of a query string, where `365` and `true` are words too.
fn words<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    })
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectorList {
    connectors: Vec<ConnectorView>,
    /// How many there are in all pages.
    total: usize,
}

/// Lists connectors
///
/// Those with accounts first; with a `query`, the best of each part first.
#[utoipa::path(
    get, path = "/api/v1/connectors", tag = "Connectors",
    security(("bearer" = ["admin"])), params(Looked),
    responses((status = 200, description = "A page of connectors.", body = ConnectorList), Faults)
)]
pub(crate) async fn list_connectors(
    State(app): State<App>,
    Person(actor): Person,
    Query(looked): Query<Looked>,
) -> Answer<axum::Json<ConnectorList>> {
    let paging = Paging::new(looked.limit, looked.offset);
    let wanted = Wanted {
        query: looked.query,
        category: looked.category,
        connected: looked.connected,
    };
    let (page, total) = paging.cut(app.connectors(&actor, &wanted).await?)?;
    let connectors = page.into_iter().map(ConnectorView::from).collect();
    Ok(axum::Json(ConnectorList { connectors, total }))
}

/// Something to type in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConnectorField)]
pub(crate) struct FieldView {
    /// Its name in `fields` of a connection.
    name: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// Sealed when it arrives, and never answered.
    secret: bool,
    required: bool,
    /// A regular expression that the whole value fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<String>,
    /// What stands for an absent value.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<String>,
}

impl From<(String, Field)> for FieldView {
    fn from((name, field): (String, Field)) -> Self {
        FieldView {
            title: field.title.unwrap_or_else(|| name.clone()),
            name,
            help: field.help,
            secret: field.secret,
            required: !field.optional && field.default.is_none(),
            pattern: field.pattern,
            example: field.example,
            default: field.default,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SignInType)]
pub(crate) enum WayKind {
    /// The service is open.
    None,
    /// Keys or tokens.
    ApiKey,
    /// A user name and a password (RFC 7617).
    Basic,
    Oauth2,
}

impl From<AuthKind> for WayKind {
    fn from(kind: AuthKind) -> Self {
        match kind {
            AuthKind::None => WayKind::None,
            AuthKind::ApiKey => WayKind::ApiKey,
            AuthKind::Basic => WayKind::Basic,
            AuthKind::Oauth2 => WayKind::Oauth2,
        }
    }
}

/// A way to sign in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SignInWay)]
pub(crate) struct WayView {
    /// The value of `auth` of a connection.
    key: String,
    #[serde(rename = "type")]
    kind: WayKind,
    title: String,
    /// Where to get the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    /// Everything that a connection needs, the service's own address included.
    fields: Vec<FieldView>,
    /// Whether `POST /api/v1/connections` takes it.
    connectable: bool,
    /// How accounts sign in at the service, the usual way first:
    /// `POST /api/v1/connections/authorizations` begins it.
    flows: Vec<FlowName>,
}

impl From<Way> for WayView {
    fn from(way: Way) -> Self {
        WayView {
            connectable: way.is_typed(),
            key: way.key,
            kind: way.kind.into(),
            title: way.title,
            help: way.help,
            fields: way.fields.into_iter().map(FieldView::from).collect(),
            flows: way.flows.into_iter().map(FlowName::from).collect(),
        }
    }
}

/// A connector with everything but the inputs of its actions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConnectorInFull {
    #[serde(flatten)]
    connector: ConnectorView,
    #[serde(skip_serializing_if = "Option::is_none")]
    docs_url: Option<String>,
    /// Seconds for which what is said here may be kept.
    ttl: u32,
    /// The ways to sign in; an account uses one.
    auth: Vec<WayView>,
    /// Whether an account names the host, which can then be inside the network (`isLocal`).
    may_be_local: bool,
    modules: Vec<ModuleView>,
    recipes: Vec<RecipeView>,
    rate_limits: Vec<RateLimitView>,
    connections: Vec<ConnectionView>,
}

impl ConnectorInFull {
    fn of(connector: Connector, accounts: Vec<Connection>) -> Self {
        let definition = &connector.definition;
        let view = ConnectorView {
            key: definition.key.clone(),
            title: definition.title.clone(),
            summary: definition.summary.clone(),
            categories: definition.categories.clone(),
            tested: definition.tested.into(),
            version: definition.version.clone(),
            connected: !accounts.is_empty(),
            accounts: accounts.len(),
            own: connector.is_own,
        };
        ConnectorInFull {
            connector: view,
            docs_url: definition.docs_url.clone(),
            ttl: definition.ttl,
            auth: connector.ways().into_iter().map(WayView::from).collect(),
            may_be_local: connector.may_be_local(),
            rate_limits: definition
                .rate_limits
                .iter()
                .map(RateLimitView::from)
                .collect(),
            modules: connector
                .modules
                .into_iter()
                .map(ModuleView::from)
                .collect(),
            recipes: connector
                .recipes
                .into_iter()
                .map(RecipeView::from)
                .collect(),
            connections: accounts.into_iter().map(ConnectionView::from).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneConnector {
    connector: ConnectorInFull,
}

/// Reads a connector
///
/// With the ways to sign in, the calls and the organization's accounts.
#[utoipa::path(
    get, path = "/api/v1/connectors/{key}", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("key" = String, Path, description = "Key of the connector.")),
    responses((status = 200, description = "The connector.", body = OneConnector), Faults)
)]
pub(crate) async fn read_connector(
    State(app): State<App>,
    Person(actor): Person,
    Path(key): Path<String>,
) -> Answer<axum::Json<OneConnector>> {
    let connector = app.connector(&actor, &key).await?;
    let accounts = app
        .connector_accounts(&actor, &connector.definition.key)
        .await?;
    Ok(axum::Json(OneConnector {
        connector: ConnectorInFull::of(connector, accounts),
    }))
}

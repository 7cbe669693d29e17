//! The three tools of connectors: the catalog, a service's passport, and the call.

pub(crate) mod accounts;
mod execute;
pub(crate) mod upstream;

pub(crate) use accounts::{Reached, reached};
pub(crate) use execute::{AT_ONCE, data_of, of_account, shown_media, text_of};

use super::{ADDS, Open, READS, Tool, structured};
use crate::App;
use crate::connections::Connected;
use crate::guard::Admitted;
use quaymaster_connectors::definition::Kind;
use quaymaster_connectors::passport::{self, Asked};
use quaymaster_connectors::resolve;
use quaymaster_core::Fault;
use quaymaster_core::tool::{Content, Nature, ToolResult};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) const INSTRUCTIONS: &str = "list_services tells which outside services there are and which are connected. \
     describe_service is the passport of one: call it without a module for the index, then with one for its calls. \
     connector_execute makes the call. Recipes are examples; a path that is not listed is tried, too.";

const CALLS_OUT: Nature = Nature {
    open_world: true,
    ..ADDS
};
const LOOKS_OUT: Nature = Nature {
    open_world: false,
    ..READS
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListServices {
    /// Only services that fit these words, for example `send a message` or `crm`.
    #[serde(default)]
    #[schemars(length(max = 200))]
    query: Option<String>,
    /// Only this category.
    #[serde(default)]
    #[schemars(length(max = 64))]
    category: Option<String>,
    /// `text`, the usual and shorter one, or `json`.
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DescribeService {
    /// The key of a service, as `list_services` tells it, for example `github`.
    #[schemars(length(min = 1, max = 128))]
    service: String,
    /// A module of the index, for all its calls.
    #[serde(default)]
    #[schemars(length(max = 128))]
    module: Option<String>,
}

pub(super) fn tools() -> Result<Vec<Tool>, Fault> {
    Ok(vec![
        Tool::new::<ListServices, Open>(
            "list_services",
            "List services",
            "The catalog of outside services: a key and one line for each, the connected ones first. Start \
             here. Pass query to find a service by what it does.",
            LOOKS_OUT,
            |app, admitted, request| Box::pin(list(app, admitted, request)),
        )?
        .without_output_schema(),
        Tool::new::<DescribeService, Open>(
            "describe_service",
            "Describe a service",
            "The passport of one service. Without a module: its modules, recipes, rate limits, field hints, \
             pagination, and accounts. With a module: every call of it with its inputs. version and ttl (in \
             seconds) say how long it may be kept.",
            LOOKS_OUT,
            |app, admitted, request| Box::pin(describe(app, admitted, request)),
        )?
        .without_output_schema(),
        Tool::new::<execute::ConnectorExecute, Open>(
            "connector_execute",
            "Call a service",
            "Calls a connected service. REST: module, method (GET, POST, …), path, and query or body. RPC: \
             leave path empty and pass the name of the method in method, its parameters in body. With several \
             accounts, a read without one asks all of them and a write must name one: service:account or \
             instance_id. The result is {data, meta}; hints stand in meta.",
            CALLS_OUT,
            |app, admitted, request| Box::pin(execute::run(app, admitted, request)),
        )?
        .without_output_schema()
        .that_reads_when(execute::reads),
    ])
}

/// The services for which the caller reaches an account, or that need none.
async fn connected(app: &App, admitted: &Admitted) -> Result<BTreeSet<String>, Fault> {
    let accounts = accounts::reached(app, admitted.caller()).await?;
    let keys = accounts
        .iter()
        .map(|account| account.connection.connector.clone());
    Ok(keys.collect())
}

async fn list(app: &App, admitted: Admitted, request: ListServices) -> Result<ToolResult, Fault> {
    let connected = connected(app, &admitted).await?;
    let is_connected = |key: &str| connected.contains(key);
    let asked = Asked {
        query: request.query,
        category: request.category,
    };
    let catalog = app.catalog_of(&admitted.caller().org).await?;
    let entries = catalog.entries();
    if request.format == Format::Json {
        return structured(&passport::list_structured(entries, &is_connected, &asked));
    }
    let text = passport::list(entries, &is_connected, &asked);
    Ok(ToolResult {
        content: vec![Content::Text(text)],
        structured: None,
    })
}

async fn describe(
    app: &App,
    admitted: Admitted,
    request: DescribeService,
) -> Result<ToolResult, Fault> {
    let org = &admitted.caller().org;
    let catalog = app.catalog_of(org).await?;
    let addressed = resolve::service(&request.service, catalog.keys())?;
    let key = addressed.key;
    let definition = app.definition(org, &key).await?;
    let module = request.module.as_deref();
    let reached = accounts::of_service(app, admitted.caller(), &key).await?;
    if definition.kind == Kind::Mcp {
        let named = addressed.account.as_deref();
        let passport = upstream::described(app, &definition, &reached, named, module).await?;
        return structured(&passport);
    }
    let mut passport = passport::describe(&definition, module)?;
    let accounts: Vec<Value> = reached.iter().map(Connected::shown).collect();
    if let Value::Object(members) = &mut passport {
        members.insert("accounts".to_owned(), accounts.into());
    }
    structured(&passport)
}

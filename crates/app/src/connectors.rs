//! The catalog as people see it: connectors found and read, with the organization's accounts.
//!
//! What agents read of the same definitions is the passport.

use crate::App;
use crate::actor::Actor;
use crate::catalog::unknown;
use crate::connections::{Flow, flows, is_of_client};
use quaymaster_connectors::catalog::{Entry, ranked};
use quaymaster_connectors::params::input_schema;
use quaymaster_connectors::passport::describe;
use quaymaster_core::Fault;
use quaymaster_core::id::OrgId;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_store::connection::Counts;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

// The words of a definition, so that a door needs nothing below this crate.
pub use quaymaster_connectors::definition::{
    Auth, AuthKind, Definition, Field, Kind, RateLimit, Tested,
};

/// What of the catalog somebody looks for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Plain words.
    pub query: Option<String>,
    pub category: Option<String>,
    /// Only those with accounts, or only those without.
    pub connected: Option<bool>,
}

/// A connector in a list.
#[derive(Debug, Clone)]
pub struct ConnectorRow {
    pub key: String,
    pub title: String,
    /// At most 34 characters.
    pub summary: String,
    pub categories: Vec<String>,
    pub tested: Tested,
    pub version: String,
    /// How many accounts the organization has.
    pub accounts: usize,
    /// How many of them do not work.
    pub broken: usize,
    /// The organization wrote it.
    pub is_own: bool,
}

/// One connector.
#[derive(Debug, Clone)]
pub struct Connector {
    pub definition: Arc<Definition>,
    /// The organization wrote it.
    pub is_own: bool,
    pub modules: Vec<ModuleRow>,
    pub recipes: Vec<Recipe>,
}

#[derive(Debug, Clone)]
pub struct ModuleRow {
    pub key: String,
    pub title: String,
    pub summary: Option<String>,
    pub actions: Vec<ActionRow>,
}

#[derive(Debug, Clone)]
pub struct ActionRow {
    pub key: String,
    pub title: String,
    pub summary: Option<String>,
    /// How agents call it: `VERB /path`, or the name of a method.
    pub call: String,
    /// It changes nothing.
    pub reads: bool,
    pub is_destructive: bool,
}

/// An action with what it takes and answers.
#[derive(Debug, Clone)]
pub struct ActionInFull {
    pub row: ActionRow,
    /// JSON Schema 2020-12 of an object.
    pub inputs: Map<String, Value>,
    /// Of the result, shortened.
    pub example: Option<Value>,
    /// It answers bytes.
    pub is_binary: bool,
}

/// A module with its actions in full.
#[derive(Debug, Clone)]
pub struct ModuleInFull {
    pub definition: Arc<Definition>,
    pub key: String,
    pub title: String,
    pub summary: Option<String>,
    pub actions: Vec<ActionInFull>,
    /// Those of its actions.
    pub recipes: Vec<Recipe>,
}

/// An example of a call, as the parts that `connector_execute` takes.
#[derive(Debug, Clone, Deserialize)]
pub struct Recipe {
    pub title: String,
    pub module: String,
    pub action: String,
    /// With the path filled in.
    pub call: String,
    pub query: Option<Value>,
    pub body: Option<Value>,
    pub note: Option<String>,
}

/// A way to sign in, with all that a person types in for it.
#[derive(Debug, Clone)]
pub struct Way {
    pub key: String,
    pub title: String,
    pub kind: AuthKind,
    /// Where a person gets the credentials.
    pub help: Option<String>,
    /// In order; those of the connector itself (for example its host) come first.
    pub fields: Vec<(String, Field)>,
    /// How a person signs in at the service, the usual way first; empty when an account is connected
    /// by filling in the fields.
    pub flows: Vec<Flow>,
}

impl Way {
    /// Whether an account can be connected by filling in the fields.
    pub fn is_typed(&self) -> bool {
        self.flows.is_empty()
    }
}

impl Connector {
    pub fn ways(&self) -> Vec<Way> {
        ways(&self.definition)
    }

    /// Whether its server can stand inside the network: an account names the host.
    pub fn may_be_local(&self) -> bool {
        may_be_local(&self.definition)
    }
}

/// The ways to sign in to a connector.
pub fn ways(definition: &Definition) -> Vec<Way> {
    let shared = || {
        let fields = definition.connection.iter();
        fields.map(|(name, field)| (name.clone(), field.clone()))
    };
    let way = |auth: &Auth| {
        let own = auth.fields.iter();
        let own = own.map(|(name, field)| (name.clone(), field.clone()));
        let mut fields: Vec<(String, Field)> = shared().chain(own).collect();
        let implied = implied_fields(auth).into_iter();
        fields.extend(implied.map(|(name, field)| (name.to_owned(), field)));
        Way {
            key: auth.key.clone(),
            title: auth.title.clone().unwrap_or_else(|| usual_title(auth.kind)),
            kind: auth.kind,
            help: auth.help.clone(),
            fields,
            flows: flows(auth),
        }
    };
    definition.auth.iter().map(way).collect()
}

/// The fields that a way to sign in has without its definition saying so.
pub(crate) fn implied_fields(auth: &Auth) -> Vec<(&'static str, Field)> {
    let field = |title: &str, secret: bool| Field {
        title: Some(title.to_owned()),
        secret,
        ..Field::default()
    };
    let implied = match auth.kind {
        // RFC 7617 names them.
        AuthKind::Basic => vec![
            ("username", field("User name", false)),
            ("password", field("Password", true)),
        ],
        // RFC 6749 §2.3.1 does.
        AuthKind::Oauth2 if is_of_client(auth) => vec![
            ("client_id", field("Client id", false)),
            ("client_secret", field("Client secret", true)),
        ],
        _ => Vec::new(),
    };
    let own = implied.into_iter();
    own.filter(|(name, _)| !auth.fields.contains_key(*name))
        .collect()
}

fn usual_title(kind: AuthKind) -> String {
    match kind {
        AuthKind::None => "No sign-in",
        AuthKind::ApiKey => "API key",
        AuthKind::Basic => "User name and password",
        AuthKind::Oauth2 => "OAuth",
    }
    .to_owned()
}

/// Whether an account names the host that requests go to.
pub fn may_be_local(definition: &Definition) -> bool {
    let modules = definition.modules.values();
    let others = modules.filter_map(|module| module.base_url.as_ref());
    let mut all = std::iter::once(&definition.base_url).chain(others);
    !definition.is_file() && all.any(|url| url.names().next().is_some())
}

impl App {
    /// The connectors there are: those with accounts first, each part in the order of its keys, or
    /// best first when there is a query.
    pub async fn connectors(
        &self,
        actor: &Actor,
        wanted: &Wanted,
    ) -> Result<Vec<ConnectorRow>, Fault> {
        let accounts = self.connection_counts(actor).await?;
        let counted = |key: &str| accounts.get(key).copied().unwrap_or_default();
        let is_connected = |key: &str| counted(key).all > 0;
        let filled = |text: &Option<String>| {
            let text = text.as_deref().map(str::trim).unwrap_or_default();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let category = filled(&wanted.category);
        let catalog = self.catalog_of(&actor.org).await?;
        let entries = catalog.entries().into_iter().filter(|entry| {
            let mut own = entry.categories.iter();
            category
                .as_deref()
                .is_none_or(|wanted| own.any(|own| own.eq_ignore_ascii_case(wanted)))
        });
        let entries = entries.filter(|entry| {
            let connected = is_connected(&entry.key);
            wanted.connected.is_none_or(|wanted| wanted == connected)
        });
        let found: Vec<&Entry> = match filled(&wanted.query) {
            Some(query) => ranked(entries, &query),
            None => entries.collect(),
        };
        let (mine, others): (Vec<&Entry>, Vec<&Entry>) = found
            .into_iter()
            .partition(|entry| is_connected(&entry.key));
        let rows = mine.into_iter().chain(others);
        let row = |entry: &Entry| ConnectorRow {
            is_own: catalog.own(&entry.key).is_some(),
            ..row(entry, counted(&entry.key))
        };
        Ok(rows.map(row).collect())
    }

    /// What a connector is called, for pages of somebody without an account here.
    pub async fn connector_title(&self, org: &OrgId, key: &str) -> Result<String, Fault> {
        Ok(self.definition(org, key).await?.title.clone())
    }

    /// All categories, sorted.
    pub async fn connector_categories(&self, actor: &Actor) -> Result<Vec<String>, Fault> {
        let catalog = self.catalog_of(&actor.org).await?;
        let entries = catalog.entries().into_iter();
        let all: BTreeSet<&String> = entries.flat_map(|entry| &entry.categories).collect();
        Ok(all.into_iter().cloned().collect())
    }

    /// A connector with its modules and recipes.
    pub async fn connector(&self, actor: &Actor, key: &str) -> Result<Connector, Fault> {
        let definition = self.named_connector(actor, key).await?;
        let passport = describe(&definition, None)?;
        let catalog = self.catalog_of(&actor.org).await?;
        Ok(Connector {
            is_own: catalog.own(&definition.key).is_some(),
            modules: modules(&definition, &passport),
            recipes: recipes(&passport),
            definition,
        })
    }

    /// A module of a connector, with the inputs of its actions.
    pub async fn connector_module(
        &self,
        actor: &Actor,
        key: &str,
        module: &str,
    ) -> Result<ModuleInFull, Fault> {
        let definition = self.named_connector(actor, key).await?;
        let Some(found) = definition.modules.get(module) else {
            let known = definition.modules.keys().map(String::as_str);
            let close = did_you_mean(module, known, 3);
            let fault = Fault::not_found(format!("{} has no module {module:?}.", definition.title));
            return Err(with_close(fault, &close));
        };
        let passport = describe(&definition, None)?;
        let rows = modules(&definition, &passport);
        let row = rows.into_iter().find(|row| row.key == module);
        let row = row.ok_or_else(Fault::internal)?;
        let actions = row.actions.into_iter().filter_map(|row| {
            let action = found.actions.get(&row.key)?;
            Some(ActionInFull {
                inputs: input_schema(&definition, action),
                example: action.response.example.clone(),
                is_binary: action.response.binary,
                row,
            })
        });
        let mut recipes = recipes(&passport);
        recipes.retain(|recipe| recipe.module == module);
        Ok(ModuleInFull {
            actions: actions.collect(),
            key: row.key,
            title: row.title,
            summary: row.summary,
            recipes,
            definition,
        })
    }

    /// The definition, or a fault that names close ones.
    async fn named_connector(&self, actor: &Actor, key: &str) -> Result<Arc<Definition>, Fault> {
        let catalog = self.catalog_of(&actor.org).await?;
        if !catalog.keys().any(|known| known == key) {
            let close = did_you_mean(key, catalog.keys(), 3);
            return Err(with_close(unknown(key), &close));
        }
        self.definition(&actor.org, key).await
    }
}

/// With what somebody may have meant.
pub(crate) fn with_close(fault: Fault, close: &[String]) -> Fault {
    if close.is_empty() {
        fault
    } else {
        fault.meant(close).detail("did_you_mean", close)
    }
}

fn row(entry: &Entry, accounts: Counts) -> ConnectorRow {
    ConnectorRow {
        key: entry.key.clone(),
        title: entry.title.clone(),
        summary: entry.summary.clone(),
        categories: entry.categories.clone(),
        tested: entry.tested,
        version: entry.version.clone(),
        accounts: accounts.all,
        broken: accounts.broken,
        is_own: false,
    }
}

/// The modules, with the calls as the passport spells them.
fn modules(definition: &Definition, passport: &Value) -> Vec<ModuleRow> {
    let row = |(name, module): (&String, &quaymaster_connectors::definition::Module)| {
        let calls = &passport["modules"][name]["calls"];
        let actions = module.actions.iter().enumerate();
        let actions = actions.map(|(index, (key, action))| ActionRow {
            key: key.clone(),
            title: action.title.clone(),
            summary: action.summary.clone(),
            call: calls[index].as_str().unwrap_or(key).to_owned(),
            reads: action.reads(),
            is_destructive: action.destructive == Some(true),
        });
        ModuleRow {
            key: name.clone(),
            title: module.title.clone(),
            summary: module.summary.clone(),
            actions: actions.collect(),
        }
    };
    definition.modules.iter().map(row).collect()
}

pub(crate) fn recipes(passport: &Value) -> Vec<Recipe> {
    let all = passport["recipes"].as_array().into_iter().flatten();
    all.filter_map(|recipe| Recipe::deserialize(recipe).ok())
        .collect()
}

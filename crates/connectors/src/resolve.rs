//! From what an agent asks for, in its own spelling, to what is called; and what it may have meant.

mod methods;
mod paths;
mod pattern;

use crate::definition::{Definition, Kind, Module, Verb};
use crate::request::Invocation;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Suggestions at once.
const MOST_SUGGESTIONS: usize = 3;
/// Paths or methods shown at once.
const MOST_SHOWN: usize = 30;
/// Services named in a hint.
const MOST_SERVICES: usize = 40;

/// A service and the account that was named with it: `ozon:second`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressed {
    pub key: String,
    pub account: Option<String>,
}

/// What to call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resolved {
    pub module: Option<String>,
    /// The key of the action; none for what the definition does not list.
    pub action: Option<String>,
    /// What stands in the path in the places of the action's names, decoded.
    pub path_values: Map<String, Value>,
    pub verb: Option<Verb>,
    /// The name of the RPC method or of the upstream's tool.
    pub rpc: Option<String>,
    /// As it was given, with a slash in front.
    pub path: Option<String>,
    /// Whether it changes nothing: as the action says, else by the verb. An unlisted method may
    /// change anything.
    pub reads: bool,
    pub hints: Hints,
}

impl Resolved {
    /// The call of what `query` and `body` of `connector_execute` say besides.
    pub fn invocation(&self, query: Map<String, Value>, body: Option<Value>) -> Invocation {
        Invocation {
            module: self.module.clone(),
            action: self.action.clone(),
            inputs: self.path_values.clone(),
            verb: self.verb,
            path: self.path.clone(),
            query,
            body,
            rpc: self.rpc.clone(),
            ..Invocation::default()
        }
    }
}

/// What the caller may have meant; goes into the `meta` of the result.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Hints {
    /// Listed calls that look like this one, best first, at most three.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path_did_you_mean: Vec<String>,
    /// What the module lists, as `VERB /path`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub available_paths: Vec<String>,
    /// Listed methods that look like this one, best first, at most three.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub method_did_you_mean: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Hints {
    pub fn is_empty(&self) -> bool {
        *self == Hints::default()
    }
}

/// The service of a name, which may be written with capitals and hyphens and may name an account
/// behind a colon. Otherwise `UNKNOWN_SERVICE`, whose hint says what there is.
pub fn service<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Result<Addressed, Fault> {
    let (service, account) = match name.split_once(':') {
        Some((service, account)) => (service.trim(), Some(account.trim())),
        None => (name.trim(), None),
    };
    let account = account
        .filter(|account| !account.is_empty())
        .map(str::to_owned);
    let known: Vec<&str> = known.collect();
    let same = spelled(service);
    if let Some(key) = known.iter().find(|key| **key == service || **key == same) {
        return Ok(Addressed {
            key: (*key).to_owned(),
            account,
        });
    }
    let close = did_you_mean(service, known.iter().copied(), MOST_SUGGESTIONS);
    let mut some: Vec<&str> = known.iter().copied().take(MOST_SERVICES).collect();
    if known.len() > some.len() {
        some.push("…");
    }
    let meant = match close.as_slice() {
        [] => String::new(),
        close => format!("Did you mean {}? ", close.join(", ")),
    };
    let hint = format!(
        "{meant}Known services: {}. Find others with list_services.",
        some.join(", ")
    );
    let shown = quaymaster_core::schema::shorten(service);
    Err(Fault::new(
        Code::UnknownService,
        format!("There is no service {shown:?}."),
    )
    .hint(hint)
    .detail("did_you_mean", close))
}

/// The account of a name, exactly as it is called: nobody writes into another one by a slip.
/// Otherwise `UNKNOWN_INSTANCE` with `details.candidates`, and `details.did_you_mean`.
pub fn account<'k>(
    service: &str,
    name: &str,
    known: impl Iterator<Item = &'k str>,
) -> Result<&'k str, Fault> {
    let known: Vec<&str> = known.collect();
    if let Some(account) = known.iter().find(|account| **account == name) {
        return Ok(account);
    }
    let close = did_you_mean(name, known.iter().copied(), MOST_SUGGESTIONS);
    let hint = match close.first() {
        Some(first) => format!("Did you mean {service}:{first}?"),
        None if known.is_empty() => "No account is connected.".to_owned(),
        None => format!("Connected accounts: {}.", known.join(", ")),
    };
    let shown = quaymaster_core::schema::shorten(name);
    Err(Fault::new(
        Code::UnknownInstance,
        format!("{service} has no account {shown:?}."),
    )
    .hint(hint)
    .detail("candidates", json!(known))
    .detail("did_you_mean", close))
}

/// The module of a name. Otherwise `INVALID_ARG` with `details.did_you_mean` and
/// `details.known_modules`.
pub fn module<'d>(definition: &'d Definition, name: &str) -> Result<(&'d str, &'d Module), Fault> {
    let found = definition
        .modules
        .get_key_value(name)
        .or_else(|| definition.modules.get_key_value(&spelled(name)));
    if let Some((key, module)) = found {
        return Ok((key, module));
    }
    let known = definition.modules.keys().map(String::as_str);
    let close = did_you_mean(name, known, MOST_SUGGESTIONS);
    let shown = quaymaster_core::schema::shorten(name);
    let message = format!("{} has no module {shown:?}.", definition.key);
    let fault =
        Fault::invalid_arg("/module", "enum", message).detail("did_you_mean", close.clone());
    Err(with_modules(definition, fault).hint(match close.first() {
        Some(first) => format!("Did you mean {first:?}?"),
        None => format!("Known modules: {}.", module_names(definition).join(", ")),
    }))
}

/// What `module`, `method` and `path` of a call mean. Unlisted paths go on, with hints; unknown
/// modules, verbs and methods do not.
pub fn call(
    definition: &Definition,
    module: Option<&str>,
    method: &str,
    path: Option<&str>,
) -> Result<Resolved, Fault> {
    let given = |text: Option<&'_ str>| {
        text.map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let (module, path) = (given(module), given(path));
    let module = match &module {
        Some(name) => Some(self::module(definition, name)?),
        None if definition.modules.len() == 1 => definition
            .modules
            .first()
            .map(|(name, module)| (name.as_str(), module)),
        None => None,
    };
    if definition.kind == Kind::Rest {
        paths::call(definition, module, method.trim(), path.as_deref())
    } else {
        methods::call(definition, module, method.trim(), path.as_deref())
    }
}

/// As keys are written: small, with underscores.
fn spelled(name: &str) -> String {
    name.trim().to_lowercase().replace(['-', ' '], "_")
}

fn module_names(definition: &Definition) -> Vec<&str> {
    definition.modules.keys().map(String::as_str).collect()
}

fn with_modules(definition: &Definition, fault: Fault) -> Fault {
    fault.detail("known_modules", json!(module_names(definition)))
}

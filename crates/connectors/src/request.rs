//! From a definition, an account and inputs to one request. Pure: nothing is sent here.
//!
//! Every URL is made by [`address`], so that credentials, which are put in last, go nowhere but to
//! the connector's own origin and path. What an agent gives can neither replace nor read them.

mod account;
mod address;
mod body;
mod encode;
mod inject;
mod plan;
mod remote;
mod rest;
mod upstream;

pub use account::Account;
pub(crate) use account::Signer;
pub(crate) use address::{Base, is_allowed_host};
pub(crate) use inject::field_of as header_field;
pub(crate) use plan::Known;
pub use plan::Prepared;
pub(crate) use upstream::{ToolCall, message, sentinel, tool_call};

use crate::definition::{ContentType, Definition, Kind, Module, Verb};
use body::Body;
use bytes::Bytes;
use encode::Pairs;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value};
use std::fmt;
use url::Url;

/// What to call, and with what. Either an action with `inputs`, or an action or none with the parts
/// of a request as somebody wrote them.
#[derive(Debug, Clone, Default)]
pub struct Invocation {
    /// The key of the module, whose `base_url` holds when no action is named.
    pub module: Option<String>,
    /// The key of the action.
    pub action: Option<String>,
    /// Inputs by name. They go where the action's schema says; beside a `path` they are only
    /// checked, as what the path holds already.
    pub inputs: Map<String, Value>,
    /// Instead of the action's.
    pub verb: Option<Verb>,
    /// The path behind `base_url`, without a query. Instead of the action's.
    pub path: Option<String>,
    pub query: Map<String, Value>,
    /// Members beside the inputs, or a whole body; the parameters of an RPC method; `query` and
    /// `variables` of GraphQL.
    pub body: Option<Value>,
    pub headers: Vec<(String, String)>,
    /// The name of an RPC method, or of an upstream's tool. Instead of the action's.
    pub rpc: Option<String>,
    /// List the tools of an upstream MCP server instead of calling one; all else stays empty.
    pub discover: bool,
    /// Several RPC calls in one request, where the definition's `batch` names no method. The answer
    /// is a list in their order; all else in here but the query and headers stays empty.
    pub batch: Vec<Invocation>,
}

/// A request that is ready to be sent. `Debug` shows the verb only: the rest holds credentials.
#[derive(Clone)]
pub struct Built {
    pub verb: Method,
    pub url: Url,
    /// Credentials in it are marked sensitive.
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Where its credentials may go.
    pub(crate) base: Base,
}

impl fmt::Debug for Built {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Built")
            .field("verb", &self.verb)
            .finish_non_exhaustive()
    }
}

/// The parts of a request before credentials are in it.
struct Draft {
    verb: Verb,
    path: String,
    query: Pairs,
    headers: HeaderMap,
    body: Body,
    content_type: ContentType,
}

/// Builds the request. Inputs that do not fit the action's schema are `INVALID_ARG`, an account
/// that lacks a field is `CONNECTION_REQUIRED`.
pub fn build(prepared: &Prepared, account: &Account, call: &Invocation) -> Result<Built, Fault> {
    let definition: &Definition = prepared.definition();
    let signer = Signer::new(definition, account)?;
    let known = call
        .action
        .as_deref()
        .map(|key| prepared.known(key))
        .transpose()?;
    let module = match (known, &call.module) {
        (Some(known), _) => Some(known.module),
        (None, Some(key)) => Some(module(definition, key)?),
        (None, None) => None,
    };
    let own_base = module.and_then(|module| module.base_url.as_ref());
    let base = Base::resolve(own_base.unwrap_or(&definition.base_url), signer)?;
    let draft = match definition.kind {
        _ if !call.batch.is_empty() => remote::batch(prepared, signer, call)?,
        Kind::Rest => rest::draft(known, call)?,
        Kind::Rpc => remote::rpc(definition, signer, known, call)?,
        Kind::Graphql => remote::graphql(definition, known, call)?,
        Kind::Mcp => upstream::draft(definition, known, call)?,
        Kind::Sql => {
            let message = format!("{} is not called by requests of HTTP.", definition.title);
            return Err(Fault::new(Code::NotImplemented, message));
        }
    };
    inject::sign(
        signer,
        base,
        draft,
        &definition.defaults.headers,
        &call.headers,
    )
}

/// The same call at another address of the service's, which an answer named as its next page.
/// The address decides path and query; `None` when it may not see the credentials.
pub(crate) fn at(
    prepared: &Prepared,
    account: &Account,
    first: &Built,
    url: &Url,
) -> Result<Option<Built>, Fault> {
    let definition: &Definition = prepared.definition();
    if !first.base.holds(url) && !is_allowed_host(&definition.allow_hosts, url) {
        return Ok(None);
    }
    let signer = Signer::new(definition, account)?;
    let mut built = first.clone();
    built.url = url.clone();
    built.url.set_fragment(None);
    inject::sign_query(signer, &mut built.url)?;
    Ok(Some(built))
}

fn module<'a>(definition: &'a Definition, key: &str) -> Result<&'a Module, Fault> {
    definition.modules.get(key).ok_or_else(|| {
        let known = definition.modules.keys().map(String::as_str);
        let message = format!("{} has no module {key:?}.", definition.title);
        Fault::invalid_arg("/module", "module", message).hint(format!(
            "Known modules: {}.",
            known.collect::<Vec<_>>().join(", ")
        ))
    })
}

fn push_header(headers: &mut HeaderMap, name: &str, value: &Value) -> Result<(), Fault> {
    let Some(text) = encode::plain(value) else {
        return Ok(());
    };
    let (name, value) = header(name, &text)?;
    headers.insert(name, value);
    Ok(())
}

/// A header that somebody other than the definition's author gives.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Fault> {
    let wrong = |why: String| {
        Fault::invalid_arg(&format!("/{name}"), "header", why)
            .hint("A header holds no line breaks and no control characters.")
    };
    let known = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| wrong(format!("{name:?} is no name of a header.")))?;
    let value = HeaderValue::from_str(value).map_err(|_| {
        wrong(format!(
            "The value of {known} has characters that no header can hold."
        ))
    })?;
    Ok((known, value))
}

fn needed(name: &str, what: &str) -> Fault {
    Fault::invalid_arg(
        &format!("/{name}"),
        "required",
        format!("{name} is missing."),
    )
    .hint(format!("Give {what}."))
}

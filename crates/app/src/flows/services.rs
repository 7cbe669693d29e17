//! What steps of the kinds `call` and `mcp` reach: connectors with the accounts of the organization and
//! of the flow's workspace, found as `connector_execute` finds them.

use crate::App;
use crate::connections::Connected;
use crate::guard::Trace;
use crate::integrations::{connector_key, must_be_on};
use crate::invoke::Target;
use crate::server_tools::checked_action;
use crate::toolsets::catalog::accounts::{self, Chosen, Reached};
use crate::toolsets::catalog::{AT_ONCE, data_of, of_account, upstream};
use futures_util::stream::{self, StreamExt as _};
use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::request::Invocation;
use quaymaster_connectors::resolve::{self, Resolved};
use quaymaster_connectors::send::{Answer, Failure, FailureKind};
use quaymaster_core::door::Fut;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Caller, Code, Fault};
use quaymaster_flows::host::SqlQuery;
use quaymaster_store::integration::Integration;
use serde_json::{Value, json};
use std::sync::Arc;

/// Asks every account, each for itself.
const ALL: &str = "all";

/// A call of a connector, with all expressions filled in.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServiceCall {
    /// The connector's key, or the alias of an integration of the workspace.
    pub(crate) service: String,
    pub(crate) account: Option<String>,
    /// The key of an action and its inputs; otherwise a method and mostly a path.
    pub(crate) action: Option<String>,
    pub(crate) inputs: JsonObject,
    pub(crate) module: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) query: JsonObject,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
}

/// Whose accounts are used, and where that is noted.
#[derive(Clone, Copy)]
pub(crate) struct Reaching<'a> {
    pub(crate) app: &'a App,
    /// Sees the catalog, and the accounts of the workspace whose files it has.
    pub(crate) caller: &'a Caller,
    pub(crate) workspace: &'a WorkspaceId,
    pub(crate) trace: &'a Trace,
}

fn refused(fault: Fault) -> Failure {
    let kind = match fault.code {
        Code::ConnectionRequired => FailureKind::Auth,
        _ => FailureKind::Refused,
    };
    Failure {
        kind,
        fault,
        status: None,
        retries: 0,
    }
}

/// `{status, headers, body}` of one answer. Half of one would be taken for the whole.
fn shown(answer: Answer) -> Result<Value, Failure> {
    if let Some(cut) = answer.meta.truncated {
        let message = format!(
            "The answer has {} bytes, and a step takes {} at most.",
            cut.bytes, cut.limit
        );
        let fault = Fault::new(Code::FlowError, message)
            .hint("Ask for less, for example with a filter or a smaller page.");
        return Err(Failure {
            kind: FailureKind::Upstream,
            fault,
            status: Some(answer.status),
            retries: 0,
        });
    }
    let headers = answer.meta.headers.clone().unwrap_or_else(|| json!({}));
    let (body, _) = data_of(answer.data);
    let mut shown = json!({ "status": answer.status, "headers": headers, "body": body });
    if let (Some(members), Some(next)) = (shown.as_object_mut(), answer.meta.next) {
        members.insert("next".to_owned(), next);
    }
    Ok(shown)
}

impl Reaching<'_> {
    /// Calls a service. Answers `{status, headers, body}`; of all accounts the body is a list with
    /// `{account, data}` or `{account, error}` of each.
    pub(crate) async fn call(self, call: ServiceCall) -> Result<Value, Failure> {
        let found = self.service(&call).await.map_err(refused)?;
        let key = found.definition.key.clone();
        self.found_call(found, call).await.map_err(|mut failure| {
            if failure.fault.code == Code::ConnectionRequired
                && !failure.fault.has_detail("setup_url")
            {
                failure.fault = self.app.must_reconnect(&key, failure.fault);
            }
            failure
        })
    }

    /// Calls a tool of an upstream MCP server. Answers `{structured, text, content}`.
    pub(crate) async fn tool(
        self,
        connection: &str,
        tool: &str,
        arguments: JsonObject,
    ) -> Result<Value, Failure> {
        let service = self.server(connection, Kind::Mcp);
        let service = service.await.map_err(refused)?;
        let call = ServiceCall {
            service,
            account: Some(account_of(connection).to_owned()),
            method: Some(tool.to_owned()),
            body: Some(Value::Object(arguments)),
            ..ServiceCall::default()
        };
        let mut answer = self.call(call).await?;
        Ok(as_tool(answer["body"].take()))
    }

    /// Sends one statement to a database. Answers `{columns, rows, affected}`.
    pub(crate) async fn query(self, asked: &SqlQuery) -> Result<Value, Failure> {
        let service = self.server(&asked.connection, Kind::Sql);
        let inputs = json!({
            "query": asked.query, "params": asked.params, "max_rows": asked.max_rows,
        });
        let call = ServiceCall {
            service: service.await.map_err(refused)?,
            account: Some(account_of(&asked.connection).to_owned()),
            action: Some(if asked.read_only { "query" } else { "execute" }.to_owned()),
            inputs: inputs.as_object().cloned().unwrap_or_default(),
            ..ServiceCall::default()
        };
        let mut answer = self.call(call).await?;
        Ok(answer["body"].take())
    }

    /// The service of a connection of that kind, by its name, id, or `service:name`.
    async fn server(self, connection: &str, kind: Kind) -> Result<String, Fault> {
        let noun = match kind {
            Kind::Sql => "database",
            _ => "MCP server",
        };
        let wanted = account_of(connection);
        let service = connection.split_once(':').map(|(service, _)| service);
        let reached = accounts::reached(self.app, self.caller).await?;
        let mut servers: Vec<&Connected> = Vec::new();
        for account in reached.iter() {
            let key = &account.connection.connector;
            if service.is_none_or(|service| connector_key(service) == *key)
                && let Ok(definition) = self.app.definition(&self.caller.org, key).await
                && definition.kind == kind
            {
                servers.push(account);
            }
        }
        let named: Vec<&&Connected> = servers
            .iter()
            .filter(|one| one.connection.name == wanted || one.connection.id.as_str() == wanted)
            .collect();
        match named.as_slice() {
            [only] => Ok(only.connection.connector.clone()),
            [] => {
                let known: Vec<String> = servers.iter().map(|one| one.address()).collect();
                let close = did_you_mean(connection, known.iter().map(String::as_str), 3);
                let shown = quaymaster_core::schema::shorten(connection);
                Err(Fault::new(
                    Code::UnknownInstance,
                    format!("No {noun} is connected under the name {shown:?}."),
                )
                .hint("An administrator connects it on the page of its connector.")
                .meant(&close)
                .detail("candidates", known))
            }
            several => {
                let candidates: Vec<String> = several.iter().map(|one| one.address()).collect();
                Err(Fault::new(
                    Code::InvalidArg,
                    format!(
                        "Several connected accounts of the kind {noun} have the name {wanted:?}."
                    ),
                )
                .hint("Write the service in front, as details.candidates has them.")
                .detail("candidates", candidates))
            }
        }
    }

    async fn service(self, call: &ServiceCall) -> Result<Found, Fault> {
        let org = &self.caller.org;
        let (name, suffix) = match call.service.split_once(':') {
            Some((name, account)) => (name, Some(account.trim().to_owned())),
            None => (call.service.as_str(), None),
        };
        let known = self.app.store.integrations(org, self.workspace).await?;
        let integration = known
            .into_iter()
            .find(|one| one.alias == name.trim() && !one.is_implied);
        let key = match &integration {
            Some(integration) => integration.connector.clone(),
            None => {
                let catalog = self.app.catalog_of(org).await?;
                resolve::service(name, catalog.keys())?.key
            }
        };
        let own = integration
            .as_ref()
            .and_then(|one| one.connection.as_ref())
            .map(ToString::to_string);
        Ok(Found {
            definition: self.app.definition(org, &key).await?,
            account: call.account.clone().or(suffix).or(own),
            integration,
        })
    }

    async fn found_call(self, found: Found, call: ServiceCall) -> Result<Value, Failure> {
        let (definition, account) = (&found.definition, found.account.as_deref());
        let all = account == Some(ALL);
        let named = account.filter(|_| !all);
        let reached = accounts::of_service(self.app, self.caller, &definition.key).await;
        let mut reached = reached.map_err(refused)?;
        let method = call.action.as_deref().or(call.method.as_deref());
        let method = method.unwrap_or_default();
        let resolved = if definition.kind == Kind::Mcp {
            let asked = upstream::Asked {
                module: call.module.as_deref(),
                method,
                path: None,
                account: named,
            };
            upstream::resolved(self.app, self.caller, definition, &mut reached, asked).await
        } else if let Some(action) = &call.action {
            listed(definition, action)
        } else {
            resolve::call(
                definition,
                call.module.as_deref(),
                method,
                call.path.as_deref(),
            )
        };
        let resolved = resolved.map_err(refused)?;
        if let (Some(integration), Some(action)) = (&found.integration, &resolved.action) {
            must_be_on(integration, action).map_err(refused)?;
        }
        // Whoever says `all` means it, also of a call that changes something.
        let reads = resolved.reads || all;
        let chosen = accounts::choose(definition, &reached, named, None, reads).map_err(refused)?;
        let invocation = invocation(definition, &resolved, call);
        match chosen {
            Chosen::One(account) if !all => shown(self.to(account.target(), &invocation).await?),
            Chosen::Nobody => {
                let account = accounts::nobody(definition);
                // Limits are kept apart for each organization, whose definitions may differ.
                let id = format!("{}/{}", self.caller.org, definition.key);
                let target = Target {
                    org: &self.caller.org,
                    connector: &definition.key,
                    name: "open",
                    id: &id,
                    account: &account,
                    destination: None,
                    connected: None,
                    tools: None,
                };
                shown(self.to(target, &invocation).await?)
            }
            Chosen::One(_) | Chosen::All => Ok(self.to_all(&reached, &invocation).await),
        }
    }

    async fn to_all(self, reached: &Reached, invocation: &Invocation) -> Value {
        let mut asked: Vec<Fut<'_, Value>> = Vec::new();
        for account in reached.iter() {
            let answer = self.to(account.target(), invocation);
            asked.push(Box::pin(async { of_account(account, answer.await) }));
        }
        let answers: Vec<Value> = stream::iter(asked).buffered(AT_ONCE).collect().await;
        json!({ "status": 200, "headers": {}, "body": answers })
    }

    async fn to(self, target: Target<'_>, call: &Invocation) -> Result<Answer, Failure> {
        let answer = self.app.invoke(target, call, 0).await;
        let status = match &answer {
            Ok(answer) => Some(answer.status),
            Err(failure) => failure.status,
        };
        let address = format!("{}:{}", target.connector, target.name);
        self.trace.reached(address, status);
        answer
    }
}

struct Found {
    definition: Arc<Definition>,
    /// Of the workspace, when the step named its alias.
    integration: Option<Integration>,
    account: Option<String>,
}

/// A name, without the service in front.
fn account_of(connection: &str) -> &str {
    connection
        .split_once(':')
        .map_or(connection, |(_, account)| account)
        .trim()
}

/// An action of the definition, as if it had been found by its path.
fn listed(definition: &Definition, action: &str) -> Result<Resolved, Fault> {
    let key = checked_action(definition, action)?;
    let (module, _, found) = definition.action(&key).ok_or_else(Fault::internal)?;
    Ok(Resolved {
        module: Some(module.to_owned()),
        reads: found.reads(),
        action: Some(key),
        ..Resolved::default()
    })
}

fn invocation(definition: &Definition, resolved: &Resolved, call: ServiceCall) -> Invocation {
    let is_mcp = definition.kind == Kind::Mcp;
    if call.action.is_some() && !is_mcp {
        return Invocation {
            action: resolved.action.clone(),
            inputs: call.inputs,
            headers: call.headers,
            ..Invocation::default()
        };
    }
    let body = match call.action {
        Some(_) => Some(Value::Object(call.inputs)),
        None => call.body,
    };
    let mut invocation = resolved.invocation(call.query, body);
    invocation.headers = call.headers;
    if is_mcp && resolved.rpc.is_some() {
        // Accounts of one MCP server or another may have a tool under different keys.
        invocation.action = None;
    }
    invocation
}

/// The result of a tool in its three forms, of which not all need be there.
fn as_tool(data: Value) -> Value {
    match data {
        Value::Object(mut members) if members.contains_key("content") => {
            let content = members.remove("content").unwrap_or_default();
            let texts: Vec<&str> = content
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|block| block["text"].as_str())
                .collect();
            let text = texts.join("\n");
            let structured = members.remove("structured").unwrap_or_default();
            json!({ "structured": structured, "text": text, "content": content })
        }
        Value::String(text) => {
            let content = json!([{ "type": "text", "text": text }]);
            json!({ "structured": null, "text": text, "content": content })
        }
        data => {
            let text = data.to_string();
            let content = json!([{ "type": "text", "text": text }]);
            json!({ "structured": data, "text": text, "content": content })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tools_result_has_all_three_forms() {
        let plain = as_tool(json!("hello"));
        assert_eq!(plain["text"], "hello");
        assert_eq!(plain["content"][0]["text"], "hello");
        let structured = as_tool(json!({ "a": 1 }));
        assert_eq!(structured["structured"], json!({ "a": 1 }));
        let blocks = json!([{ "type": "text", "text": "a" }, { "type": "resource_link" }]);
        let mixed = as_tool(json!({ "content": blocks, "structured": [1] }));
        assert_eq!(mixed["text"], "a");
        assert_eq!(mixed["structured"], json!([1]));
        assert_eq!(mixed["content"], blocks);
    }

    #[test]
    fn a_connection_is_named_with_or_without_its_service() {
        assert_eq!(account_of("linear:second"), "second");
        assert_eq!(account_of("second"), "second");
    }
}

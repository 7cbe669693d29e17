//! `connector_execute`: one executor for every service.

use super::accounts::{self, Chosen, Reached};
use super::upstream;
use crate::App;
use crate::connections::Connected;
use crate::guard::Admitted;
use crate::invoke::Target;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt as _};
use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::request::Invocation;
use quaymaster_connectors::resolve::{self, Resolved};
use quaymaster_connectors::send::{Answer, Data, Failure, Media};
use quaymaster_core::door::Fut;
use quaymaster_core::tool::{Call, Content, ToolResult};
use quaymaster_core::{Caller, Code, Fault};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Accounts that are asked at the same time.
pub(crate) const AT_ONCE: usize = 10;
/// An image or sound that comes along; larger ones are told and left out.
const MOST_EMBEDDED: usize = 3 * 1024 * 1024;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ConnectorExecute {
    /// The key of a service, with the account behind a colon where there are several: `ozon:second`.
    #[schemars(length(min = 1, max = 128))]
    service: String,
    /// A module of the service, as its passport lists it.
    #[serde(default)]
    #[schemars(length(max = 128))]
    module: Option<String>,
    /// REST: the verb. RPC: the name of the method.
    #[schemars(length(min = 1, max = 200))]
    method: String,
    /// REST: the path. RPC: left out.
    #[serde(default)]
    #[schemars(length(max = 4096))]
    path: Option<String>,
    /// The body of a call that writes, or the parameters of an RPC method.
    #[serde(default)]
    body: Option<Value>,
    /// Parameters of the query, and those inputs that are headers.
    #[serde(default)]
    query: Option<Map<String, Value>>,
    /// The account, by its `instance_id` or name, when there are several.
    #[serde(default)]
    #[schemars(length(max = 128))]
    instance_id: Option<String>,
    /// How many pages of a list to read and put together, 1 to 20.
    #[serde(default)]
    #[schemars(range(min = 1, max = 20))]
    pages: Option<u32>,
}

/// A call that was understood, before its account is chosen.
struct Understood {
    definition: Arc<Definition>,
    resolved: Resolved,
    /// The account behind the colon.
    account: Option<String>,
    /// Those that have the call, where accounts have different ones.
    having: Option<Reached>,
}

async fn understood(
    app: &App,
    caller: &Caller,
    request: &ConnectorExecute,
) -> Result<Understood, Fault> {
    let (definition, account) = addressed(app, caller, request).await?;
    let asked = asked(request, account.as_deref());
    if definition.kind == Kind::Mcp {
        let mut reached = accounts::of_service(app, caller, &definition.key).await?;
        let resolved = upstream::resolved(app, caller, &definition, &mut reached, asked).await?;
        return Ok(Understood {
            definition,
            resolved,
            account,
            having: Some(reached),
        });
    }
    Ok(Understood {
        resolved: resolve::call(&definition, asked.module, asked.method, asked.path)?,
        definition,
        account,
        having: None,
    })
}

/// The definition that is meant, and the account behind the colon.
async fn addressed(
    app: &App,
    caller: &Caller,
    request: &ConnectorExecute,
) -> Result<(Arc<Definition>, Option<String>), Fault> {
    let catalog = app.catalog_of(&caller.org).await?;
    let addressed = resolve::service(&request.service, catalog.keys())?;
    let definition = app.definition(&caller.org, &addressed.key).await?;
    Ok((definition, addressed.account))
}

fn asked<'a>(request: &'a ConnectorExecute, account: Option<&'a str>) -> upstream::Asked<'a> {
    upstream::Asked {
        module: request.module.as_deref(),
        method: &request.method,
        path: request.path.as_deref(),
        account: account.or(request.instance_id.as_deref()),
    }
}

/// Without the account behind the colon, as keys are written.
fn key_of(service: &str) -> String {
    let key = service.split(':').next().unwrap_or_default();
    key.trim().to_lowercase().replace(['-', ' '], "_")
}

/// Whether a call only reads, for its scope.
pub(super) fn reads<'a>(
    app: &'a App,
    caller: &'a Caller,
    call: &'a Call,
) -> Fut<'a, Result<bool, Fault>> {
    Box::pin(async move {
        let request = super::super::read_arguments(&call.args)?;
        let (definition, account) = addressed(app, caller, &request).await?;
        let asked = asked(&request, account.as_deref());
        if definition.kind != Kind::Mcp {
            let resolved = resolve::call(&definition, asked.module, asked.method, asked.path)?;
            return Ok(resolved.reads);
        }
        let mut reached = accounts::of_service(app, caller, &definition.key).await?;
        match upstream::known(app, &definition, &mut reached, asked).await {
            // What a server never spoke of may change anything.
            Ok(resolved) => Ok(resolved.is_some_and(|resolved| resolved.reads)),
            // Told with the way to the page when the call runs, which then sends nothing.
            Err(fault) if fault.code == Code::ConnectionRequired => Ok(true),
            Err(fault) => Err(fault),
        }
    })
}

pub(super) async fn run(
    app: &App,
    admitted: Admitted,
    request: ConnectorExecute,
) -> Result<ToolResult, Fault> {
    let must_connect = |fault: Fault, key: &str| match fault.code {
        Code::ConnectionRequired if !fault.has_detail("setup_url") => {
            app.must_reconnect(key, fault)
        }
        _ => fault,
    };
    let understood = understood(app, admitted.caller(), &request).await;
    let understood = understood.map_err(|fault| must_connect(fault, &key_of(&request.service)))?;
    let (definition, resolved) = (&understood.definition, &understood.resolved);
    let reached = match understood.having {
        Some(having) => having,
        None => accounts::of_service(app, admitted.caller(), &definition.key).await?,
    };
    let chosen = accounts::choose(
        definition,
        &reached,
        understood.account.as_deref(),
        request.instance_id.as_deref(),
        resolved.reads,
    )
    .map_err(|fault| must_connect(fault, &definition.key))?;
    let more_pages = request.pages.unwrap_or(1).saturating_sub(1);
    let mut call = resolved.invocation(request.query.unwrap_or_default(), request.body);
    if definition.kind == Kind::Mcp && resolved.rpc.is_some() {
        // Accounts of one MCP server or another may have a tool under different keys.
        call.action = None;
    }
    let calling = Calling {
        app,
        admitted: &admitted,
        call: &call,
        more_pages,
    };
    match chosen {
        Chosen::One(account) => {
            let answer = calling.to(account.target()).await;
            let answer = answer.map_err(|failure| failure.fault)?;
            shown(answer, &account.target(), resolved)
        }
        Chosen::Nobody => {
            let account = accounts::nobody(definition);
            // Limits are kept apart for each organization, whose definitions may differ.
            let org = &admitted.caller().org;
            let id = format!("{org}/{}", definition.key);
            let target = Target {
                org,
                connector: &definition.key,
                name: "open",
                id: &id,
                account: &account,
                destination: None,
                connected: None,
                tools: None,
            };
            let answer = calling.to(target).await;
            let answer = answer.map_err(|failure| failure.fault)?;
            shown(answer, &target, resolved)
        }
        Chosen::All => {
            let mut asked: Vec<Fut<'_, Value>> = Vec::new();
            for account in reached.iter() {
                let answer = calling.to(account.target());
                asked.push(Box::pin(async { of_account(account, answer.await) }));
            }
            let answers: Vec<Value> = stream::iter(asked).buffered(AT_ONCE).collect().await;
            let meta = json!({
                "service": definition.key,
                "accounts": answers.len(),
                "hints": resolved.hints,
            });
            Ok(text_of(&json!({ "data": answers, "meta": meta })))
        }
    }
}

/// One call, for as many accounts as it concerns.
struct Calling<'a> {
    app: &'a App,
    admitted: &'a Admitted,
    call: &'a Invocation,
    more_pages: u32,
}

impl Calling<'_> {
    async fn to(&self, target: Target<'_>) -> Result<Answer, Failure> {
        let answer = self.app.invoke(target, self.call, self.more_pages).await;
        let status = match &answer {
            Ok(answer) => Some(answer.status),
            Err(failure) => failure.status,
        };
        let address = format!("{}:{}", target.connector, target.name);
        self.admitted.reached(address, status);
        answer
    }
}

/// One of several accounts: its result or its fault.
pub(crate) fn of_account(account: &Connected, answer: Result<Answer, Failure>) -> Value {
    let mut shown = json!({
        "account": account.connection.name,
        "instance_id": account.connection.id,
    });
    let Value::Object(members) = &mut shown else {
        return shown;
    };
    match answer {
        Ok(answer) => {
            let meta = json!(answer.meta);
            members.insert("data".to_owned(), data_of(answer.data).0);
            members.insert("meta".to_owned(), meta);
        }
        Err(failure) => {
            members.insert("error".to_owned(), failure.fault.to_json());
        }
    }
    shown
}

/// `{data, meta}`, since clients hide the protocol's own place for metadata.
fn shown(answer: Answer, target: &Target<'_>, resolved: &Resolved) -> Result<ToolResult, Fault> {
    let mut meta = json!({
        "service": target.connector,
        "account": target.name,
        "upstream_status": answer.status,
    });
    let more = serde_json::to_value(&answer.meta).map_err(|_| Fault::internal())?;
    let hints = serde_json::to_value(&resolved.hints).map_err(|_| Fault::internal())?;
    if let (Value::Object(meta), Value::Object(more), Value::Object(hints)) =
        (&mut meta, more, hints)
    {
        meta.extend(more);
        meta.extend(hints);
    }
    let (data, media) = data_of(answer.data);
    let mut result = text_of(&json!({ "data": data, "meta": meta }));
    result.content.extend(media);
    result.content.extend(shown_media(answer.media));
    Ok(result)
}

/// The pictures and sounds that came with an answer, as long as they are not too large together.
pub(crate) fn shown_media(all: Vec<Media>) -> Vec<Content> {
    let mut left = MOST_EMBEDDED;
    let mut shown = Vec::new();
    for one in all {
        if one.bytes.len() <= left {
            left -= one.bytes.len();
            let (_, media) = data_of(Data::Bytes {
                bytes: one.bytes,
                media_type: one.media_type,
            });
            shown.extend(media);
        }
    }
    shown
}

/// What an answer is in JSON, and the block that shows it when it is a picture or sound.
pub(crate) fn data_of(data: Data) -> (Value, Option<Content>) {
    match data {
        Data::Value(value) => (value, None),
        Data::Text(text) => (Value::String(text), None),
        Data::Bytes { bytes, media_type } => {
            let about = json!({ "media_type": media_type, "bytes": bytes.len() });
            if bytes.len() > MOST_EMBEDDED {
                return (about, None);
            }
            let mime = media_type;
            let data = STANDARD.encode(&bytes);
            match mime.split('/').next() {
                Some("image") => (about, Some(Content::Image { data, mime })),
                Some("audio") => (about, Some(Content::Audio { data, mime })),
                _ => (
                    json!({ "media_type": mime, "bytes": bytes.len(), "base64": data }),
                    None,
                ),
            }
        }
    }
}

pub(crate) fn text_of(value: &Value) -> ToolResult {
    ToolResult {
        content: vec![Content::Text(value.to_string())],
        structured: Some(value.clone()),
    }
}

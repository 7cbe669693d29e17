//! Messages to an upstream MCP server.

use super::account::{Account, Signer};
use super::address::Base;
use super::body::Body;
use super::plan::unknown_method;
use super::{Built, Draft, Invocation, Known, inject, needed, push_header};
use crate::definition::{ContentType, Definition, Verb};
use crate::params::Part;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, Method};
use quaymaster_core::Fault;
use serde_json::{Map, Value, json};

/// The longest name of a tool (2025-11-25, tool names).
const LONGEST_NAME: usize = 128;
/// In a schema: the input is repeated in a header (SEP-2243).
const REPEATED: &str = "x-mcp-header";

/// A call of a tool, checked.
#[derive(Debug, Clone)]
pub(crate) struct ToolCall {
    pub(crate) name: String,
    pub(crate) arguments: Map<String, Value>,
    /// Inputs that a definition says are headers.
    pub(crate) headers: HeaderMap,
    /// Inputs that are headers as well, by the name that the server's schema gives them.
    pub(crate) repeated: Vec<(String, String)>,
}

/// The tool and its arguments. Inputs that do not fit its schema are `INVALID_ARG`.
pub(crate) fn tool_call(
    definition: &Definition,
    known: Option<Known<'_>>,
    call: &Invocation,
) -> Result<ToolCall, Fault> {
    let action = known.map(|known| known.action);
    let renamed = call
        .action
        .as_deref()
        .and_then(|key| definition.mcp.as_ref()?.names.get(key));
    let own = action.and_then(|action| action.rpc.as_deref());
    let name = renamed.map(String::as_str).or(own).or(call.rpc.as_deref());
    let name = name
        .or(call.action.as_deref())
        .ok_or_else(|| needed("method", "the name of a tool"))?;
    if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(unknown_method(definition, name));
    }
    let mut arguments = call.inputs.clone();
    arguments.extend(call.query.clone());
    match &call.body {
        Some(Value::Object(members)) => arguments.extend(members.clone()),
        None | Some(Value::Null) => {}
        Some(_) => {
            let message = "The arguments of a tool are an object.";
            return Err(
                Fault::invalid_arg("/body", "type", message).hint("Give them by name, in `body`.")
            );
        }
    }
    let mut headers = HeaderMap::new();
    let mut repeated = Vec::new();
    if let Some(known) = known {
        known.plan.complete(&mut arguments);
        known.plan.check(&arguments)?;
        let mut within = Map::new();
        for (input, value) in arguments {
            if known.plan.place(&input, Part::Body).part == Part::Headers {
                push_header(&mut headers, &input, &value)?;
            } else {
                within.insert(input, value);
            }
        }
        arguments = within;
        let schema = Value::Object(known.action.params.clone());
        repeat(&schema, &Value::Object(arguments.clone()), &mut repeated);
    }
    Ok(ToolCall {
        name: name.to_owned(),
        arguments,
        headers,
        repeated,
    })
}

/// Plain values whose schema, reached through `properties` alone, has a header for them.
fn repeat(schema: &Value, value: &Value, found: &mut Vec<(String, String)>) {
    let (Some(Value::Object(schemas)), Value::Object(values)) = (schema.get("properties"), value)
    else {
        return;
    };
    for (name, schema) in schemas {
        let Some(value) = values.get(name) else {
            continue;
        };
        let text = match value {
            Value::String(text) => Some(text.clone()),
            Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
            _ => None,
        };
        let header = schema.get(REPEATED).and_then(Value::as_str);
        if let (Some(header), Some(text)) = (header, text) {
            found.push((header.to_owned(), text));
        }
        repeat(schema, value, found);
    }
}

/// A text as the value of such a header: as it is when a header can hold it, else in base64
/// between marks.
pub(crate) fn sentinel(text: &str) -> String {
    let is_plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim() == text
        && !(text.starts_with("=?base64?") && text.ends_with("?="));
    if is_plain {
        text.to_owned()
    } else {
        format!("=?base64?{}?=", STANDARD.encode(text))
    }
}

/// A message with these headers of the protocol, or without a body what opens or ends something.
pub(crate) fn message(
    definition: &Definition,
    account: &Account,
    verb: Method,
    headers: HeaderMap,
    body: Option<Value>,
) -> Result<Built, Fault> {
    let signer = Signer::new(definition, account)?;
    let base = Base::resolve(&definition.base_url, signer)?;
    let draft = Draft {
        verb: Verb::Post,
        path: path(definition),
        query: Vec::new(),
        headers,
        body: Body::of(body),
        content_type: ContentType::Json,
    };
    let mut built = inject::sign(signer, base, draft, &definition.defaults.headers, &[])?;
    built.verb = verb;
    Ok(built)
}

fn path(definition: &Definition) -> String {
    let mcp = definition.mcp.as_ref();
    mcp.map(|mcp| mcp.path.clone()).unwrap_or_default()
}

/// The call as one message, outside any session.
pub(super) fn draft(
    definition: &Definition,
    known: Option<Known<'_>>,
    call: &Invocation,
) -> Result<Draft, Fault> {
    let call = tool_call(definition, known, call)?;
    let params = json!({ "name": call.name, "arguments": call.arguments });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    Ok(Draft {
        verb: Verb::Post,
        path: path(definition),
        query: Vec::new(),
        headers: call.headers,
        body: Body::of(Some(message)),
        content_type: ContentType::Json,
    })
}

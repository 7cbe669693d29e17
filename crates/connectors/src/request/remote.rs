//! Calls that are not REST: envelopes of remote procedure calls, and GraphQL.

use super::body::Body;
use super::encode::{self, Pairs};
use super::plan::{Prepared, unknown_method};
use super::{Draft, Invocation, Known, Signer, inject, needed, push_header, rest};
use crate::definition::{ContentType, Definition, Envelope, Positional, Rpc, Verb, push_segment};
use crate::params::Part;
use http::HeaderMap;
use quaymaster_core::Fault;
use serde_json::{Map, Value, json};

const LONGEST_METHOD: usize = 200;

/// Parameters of a call and what goes beside its envelope.
struct Parameters {
    value: Value,
    query: Pairs,
    headers: HeaderMap,
}

/// Several calls as one list of envelopes, whose ids are their places from 1 on.
pub(super) fn batch(
    prepared: &Prepared,
    signer: Signer<'_>,
    call: &Invocation,
) -> Result<Draft, Fault> {
    let definition: &Definition = prepared.definition();
    let rpc = definition.rpc.as_ref();
    let most = rpc
        .filter(|rpc| rpc.envelope == Envelope::Jsonrpc2)
        .and_then(|rpc| rpc.batch.as_ref())
        .filter(|batch| batch.method.is_none())
        .map_or(0, |batch| batch.max as usize);
    if call.batch.len() > most {
        let message = format!(
            "{} takes at most {most} calls in one request.",
            definition.title
        );
        return Err(Fault::invalid_arg("/batch", "maxItems", message).hint("Send them apart."));
    }
    let mut envelopes = Vec::with_capacity(call.batch.len());
    let mut path = String::new();
    for (at, one) in call.batch.iter().enumerate() {
        let known = one
            .action
            .as_deref()
            .map(|key| prepared.known(key))
            .transpose()?;
        let draft = self::rpc(definition, signer, known, one)?;
        if let Body::Members(mut members) = draft.body {
            members.insert("id".into(), (at + 1).into());
            envelopes.push(Value::Object(members));
        }
        path = draft.path;
    }
    let mut query = Pairs::new();
    for (name, value) in &call.query {
        encode::push_pairs(&mut query, name, value, encode::Style::default());
    }
    Ok(Draft {
        verb: Verb::Post,
        path,
        query,
        headers: HeaderMap::new(),
        body: Body::Json(Value::Array(envelopes)),
        content_type: ContentType::Json,
    })
}

pub(super) fn rpc(
    definition: &Definition,
    signer: Signer<'_>,
    known: Option<Known<'_>>,
    call: &Invocation,
) -> Result<Draft, Fault> {
    let rpc = definition.rpc.as_ref().ok_or_else(Fault::internal)?;
    let action = known.map(|known| known.action);
    let method = call.rpc.as_deref().or_else(|| action?.rpc.as_deref());
    let method = method.ok_or_else(|| needed("method", "the name of a method"))?;
    let is_named = !method.is_empty()
        && method.len() <= LONGEST_METHOD
        && method
            .chars()
            .all(|c| c.is_alphanumeric() || "._-/:".contains(c));
    if !is_named {
        return Err(unknown_method(definition, method));
    }
    if let Some(known) = known.filter(|known| known.action.path.is_some()) {
        return carried(known, call);
    }
    let Parameters {
        value,
        mut query,
        headers,
    } = parameters(known, call)?;
    let verb = action
        .and_then(|action| action.method)
        .unwrap_or(Verb::Post);
    let mut path = rpc.path.clone();
    let body = match rpc.envelope {
        Envelope::Jsonrpc2 => {
            let params = arranged(rpc, signer, known, value)?;
            enveloped(
                rpc,
                json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }),
            )
        }
        Envelope::MethodArguments => {
            enveloped(rpc, json!({ "method": method, "arguments": value }))
        }
        Envelope::Path => {
            if method
                .split('/')
                .any(|part| matches!(part, "" | "." | ".."))
            {
                return Err(unknown_method(definition, method));
            }
            for part in method.split('/') {
                path.push('/');
                push_segment(&mut path, part);
            }
            path.push_str(&rpc.suffix);
            match value {
                Value::Object(members) if verb.has_query() => {
                    for (name, value) in &members {
                        let style = known.map(|known| known.plan.place(name, Part::Query).style);
                        encode::push_pairs(&mut query, name, value, style.unwrap_or_default());
                    }
                    Body::None
                }
                Value::Object(mut members) => {
                    members.extend(rpc.members.clone());
                    Body::Members(members)
                }
                other => Body::of(Some(other)),
            }
        }
    };
    let content_type = action.map(|action| action.content_type).unwrap_or_default();
    let mut body = body;
    body.write_form(content_type, known);
    Ok(Draft {
        verb,
        path: path.replace("//", "/"),
        query,
        headers,
        body,
        content_type,
    })
}

/// A method that a verb and a path of its own carry. All its parameters are given together, as those
/// of other methods, and the request has them where the action's schema says.
fn carried(known: Known<'_>, call: &Invocation) -> Result<Draft, Fault> {
    let mut inputs = call.inputs.clone();
    match &call.body {
        Some(Value::Object(members)) => inputs.extend(members.clone()),
        None | Some(Value::Null) => {}
        Some(_) => {
            let message = "The parameters of this method have names.";
            return Err(Fault::invalid_arg("/body", "type", message)
                .hint("Give an object; describe_service shows its members."));
        }
    }
    let call = Invocation {
        inputs,
        query: call.query.clone(),
        ..Invocation::default()
    };
    rest::draft(Some(known), &call)
}

pub(super) fn graphql(
    definition: &Definition,
    known: Option<Known<'_>>,
    call: &Invocation,
) -> Result<Draft, Fault> {
    let path = definition
        .graphql
        .as_ref()
        .map_or("", |graphql| &graphql.path);
    let own = known.and_then(|known| known.action.query.as_deref());
    let (members, headers) = match (own, &call.body) {
        (Some(query), _) => {
            let Parameters { value, headers, .. } = parameters(known, call)?;
            (json!({ "query": query, "variables": value }), headers)
        }
        (None, Some(body)) if body.get("query").is_some_and(Value::is_string) => {
            (body.clone(), HeaderMap::new())
        }
        (None, _) => return Err(needed("query", "a GraphQL document as `query` of the body")),
    };
    Ok(Draft {
        verb: Verb::Post,
        path: path.to_owned(),
        query: Pairs::new(),
        headers,
        body: Body::of(Some(members)),
        content_type: ContentType::Json,
    })
}

/// The inputs, checked; those that are headers are taken out. Parameters of a
/// method that is not listed are what the body says.
fn parameters(known: Option<Known<'_>>, call: &Invocation) -> Result<Parameters, Fault> {
    let mut query = Pairs::new();
    let mut headers = HeaderMap::new();
    for (name, value) in &call.query {
        let place = known.map(|known| known.plan.place(name, Part::Query));
        if place.is_some_and(|place| place.part == Part::Headers) {
            push_header(&mut headers, name, value)?;
        } else {
            encode::push_pairs(&mut query, name, value, encode::Style::default());
        }
    }
    let value = match (&call.body, known) {
        (Some(other), _) if !other.is_object() => other.clone(),
        (body, known) => {
            let mut inputs = call.inputs.clone();
            if let Some(Value::Object(members)) = body {
                inputs.extend(members.clone());
            }
            if let Some(known) = known {
                known.plan.complete(&mut inputs);
                known.plan.check(&inputs)?;
                inputs = beside(known, inputs, &mut headers)?;
            }
            Value::Object(inputs)
        }
    };
    Ok(Parameters {
        value,
        query,
        headers,
    })
}

/// Takes out the inputs that are headers.
fn beside(
    known: Known<'_>,
    inputs: Map<String, Value>,
    headers: &mut HeaderMap,
) -> Result<Map<String, Value>, Fault> {
    let mut within = Map::new();
    for (name, value) in inputs {
        if known.plan.place(&name, Part::Body).part == Part::Headers {
            push_header(headers, &name, &value)?;
        } else {
            within.insert(name, value);
        }
    }
    Ok(within)
}

/// Named parameters as they are; positional ones as a list in the order of `x-order`, with the
/// credentials in front. What is not given between others is its default, else null.
fn arranged(
    rpc: &Rpc,
    signer: Signer<'_>,
    known: Option<Known<'_>>,
    value: Value,
) -> Result<Value, Fault> {
    let first = inject::rpc_first(signer)?.map(Value::String);
    if rpc.params == Positional::Named && first.is_none() {
        return Ok(value);
    }
    let mut list: Vec<Value> = first.into_iter().collect();
    match (value, known) {
        (Value::Array(items), _) => list.extend(items),
        (Value::Object(mut inputs), known) => {
            let positions = known.map_or(&[][..], |known| &known.plan.positions);
            let given = positions
                .iter()
                .rposition(|(name, _)| inputs.contains_key(name));
            for (name, instead) in &positions[..given.map_or(0, |last| last + 1)] {
                list.push(inputs.remove(name).unwrap_or_else(|| instead.clone()));
            }
            if let Some(name) = inputs.keys().next() {
                let message = format!("{name} has no place among the positional parameters.");
                return Err(
                    Fault::invalid_arg(&format!("/{name}"), "x-order", message).hint(
                        "Give the parameters as a list in `body`, in the order of the method's.",
                    ),
                );
            }
        }
        (other, _) => list.push(other),
    }
    Ok(Value::Array(list))
}

fn enveloped(rpc: &Rpc, envelope: Value) -> Body {
    let mut members = rpc.members.clone();
    if let Value::Object(own) = envelope {
        members.extend(own);
    }
    Body::Members(members)
}

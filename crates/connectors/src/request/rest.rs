//! A verb and a path, with the inputs where they belong.

use super::body::Body;
use super::encode::{self, Pairs};
use super::plan::typed;
use super::{Draft, Invocation, Known, address, needed, push_header};
use crate::definition::{Action, ContentType, Verb, push_segment};
use crate::params::{PLACE, Part};
use http::HeaderMap;
use quaymaster_core::Fault;
use serde_json::{Map, Value};

pub(super) fn draft(known: Option<Known<'_>>, call: &Invocation) -> Result<Draft, Fault> {
    let action = known.map(|known| known.action);
    let verb = call
        .verb
        .or_else(|| action?.method)
        .ok_or_else(|| needed("method", "an HTTP method such as GET"))?;
    let content_type = action.map(|action| action.content_type).unwrap_or_default();
    let mut draft = Draft {
        verb,
        path: String::new(),
        query: Pairs::new(),
        headers: HeaderMap::new(),
        body: Body::of(call.body.clone()),
        content_type,
    };
    match (known, &call.path) {
        (Some(known), None) => fill(known, call, &mut draft)?,
        (Some(known), Some(path)) => {
            as_written(known, call, &mut draft)?;
            draft.path = path.clone();
        }
        (None, Some(path)) => draft.path = path.clone(),
        (None, None) => return Err(needed("path", "a path such as those of describe_service")),
    }
    for (name, value) in &call.query {
        let place = known.map(|known| known.plan.place(name, Part::Query));
        if place.is_some_and(|place| place.part == Part::Headers) {
            push_header(&mut draft.headers, name, value)?;
            continue;
        }
        let style = place.map(|place| place.style).unwrap_or_default();
        encode::push_pairs(&mut draft.query, name, value, style);
    }
    Ok(draft)
}

/// Checks what somebody wrote as a request of a known action, and puts what stands elsewhere
/// than it goes into its place.
fn as_written(known: Known<'_>, call: &Invocation, draft: &mut Draft) -> Result<(), Fault> {
    let mut all = match &call.body {
        Some(Value::Object(members)) => members.clone(),
        _ => Map::new(),
    };
    for (name, value) in call.query.iter().chain(&call.inputs) {
        all.insert(name.clone(), typed(known.action, name, value));
    }
    let given = all.len();
    known.plan.complete(&mut all);
    let completed = all.len() > given;
    if let Some(name) = known.plan.entire_body()
        && let Some(body) = &call.body
    {
        all.insert(name.to_owned(), body.clone());
    }
    known.plan.check(&all)?;
    let unsaid = |name: &str| {
        let in_body = call
            .body
            .as_ref()
            .is_some_and(|body| body.get(name).is_some());
        !in_body && !call.query.contains_key(name) && !call.inputs.contains_key(name)
    };
    if completed {
        for (name, value) in known.plan.consts().filter(|(name, _)| unsaid(name)) {
            let place = known.plan.place(name, Part::Body);
            match place.part {
                Part::Query => encode::push_pairs(&mut draft.query, name, value, place.style),
                Part::Headers => push_header(&mut draft.headers, name, value)?,
                Part::Body => draft.body.insert(name, value.clone()),
                Part::Path | Part::EntireBody => {}
            }
        }
    }
    settle(known, draft)
}

/// Headers out of the body; a text as it is; a body without members where there is to be one.
fn settle(known: Known<'_>, draft: &mut Draft) -> Result<(), Fault> {
    if let Body::Members(members) = &mut draft.body
        && known.plan.entire_body().is_none()
    {
        for name in known.plan.headers() {
            if let Some(value) = members.remove(name) {
                push_header(&mut draft.headers, name, &value)?;
            }
        }
        if draft.content_type == ContentType::Text
            && let Some(text) = members.remove("text")
        {
            draft.body = Body::Text(encode::plain(&text).unwrap_or_default().into_owned());
        }
    }
    if matches!(draft.body, Body::None) && wants_body(draft.verb, known.action) {
        draft.body = Body::Members(Map::new());
    }
    draft.body.write_form(draft.content_type, Some(known));
    Ok(())
}

/// Puts the inputs of an action where they belong.
fn fill(known: Known<'_>, call: &Invocation, draft: &mut Draft) -> Result<(), Fault> {
    let Known { action, plan, .. } = known;
    let mut inputs = call.inputs.clone();
    plan.complete(&mut inputs);
    plan.check(&inputs)?;
    let path = action.path.as_ref();
    let path = path.ok_or_else(|| needed("path", "a path such as those of describe_service"))?;
    draft.path = path.write(|name, written| {
        let value = inputs.get(name).and_then(encode::plain);
        let value = value.ok_or_else(|| needed(name, "a text or a number"))?;
        push_path_value(written, name, &value, plan.place(name, Part::Path).style)
    })?;
    let unlisted = if draft.verb.has_query() {
        Part::Query
    } else {
        Part::Body
    };
    let mut members = Map::new();
    let mut entire = None;
    for (name, value) in inputs {
        let place = plan.place(&name, unlisted);
        match place.part {
            Part::Path => {}
            Part::Query => encode::push_pairs(&mut draft.query, &name, &value, place.style),
            Part::Headers => push_header(&mut draft.headers, &name, &value)?,
            Part::Body => {
                members.insert(name, value);
            }
            Part::EntireBody => entire = Some(value),
        }
    }
    if draft.content_type == ContentType::Text
        && let Some(text) = members.remove("text")
    {
        draft.body = Body::Text(encode::plain(&text).unwrap_or_default().into_owned());
        return Ok(());
    }
    draft.body = match (entire, std::mem::replace(&mut draft.body, Body::None)) {
        (Some(entire), _) => Body::of(Some(entire)),
        (None, Body::Members(beside)) => {
            members.extend(beside);
            Body::Members(members)
        }
        (None, whole @ (Body::Json(_) | Body::Text(_))) if members.is_empty() => whole,
        (None, _) if members.is_empty() && !wants_body(draft.verb, action) => Body::None,
        (None, _) => Body::Members(members),
    };
    draft.body.write_form(draft.content_type, Some(known));
    Ok(())
}

/// A request with a body that happens to have no members still has one: `{}`.
fn wants_body(verb: Verb, action: &Action) -> bool {
    let declared = action.params.get("properties").and_then(Value::as_object);
    let path = action.path.as_ref();
    let in_path = |name: &str| path.is_some_and(|path| path.names().any(|own| own == name));
    !verb.has_query()
        && declared.is_some_and(|all| {
            all.iter().any(|(name, schema)| {
                !in_path(name) && schema.get(PLACE).is_none_or(|at| at == "body")
            })
        })
}

fn push_path_value(
    written: &mut String,
    name: &str,
    value: &str,
    style: encode::Style,
) -> Result<(), Fault> {
    let refused = |why: &str| {
        let message = format!("{name} stands in a path, so it can be neither {why}.");
        Fault::invalid_arg(&format!("/{name}"), "path", message).hint("Give the name or id alone.")
    };
    if value.is_empty() || address::has_dots(value) {
        return Err(refused("empty nor have a part that is only dots"));
    }
    if value.contains(char::is_control) {
        return Err(refused("empty nor have control characters in it"));
    }
    if style != encode::Style::Segments {
        push_segment(written, value);
        return Ok(());
    }
    for (at, segment) in value.trim_matches('/').split('/').enumerate() {
        if segment.is_empty() {
            return Err(refused("empty nor have two slashes in a row"));
        }
        if at > 0 {
            written.push('/');
        }
        push_segment(written, segment);
    }
    Ok(())
}

//! What the answer to a connector's own verifying request says of an account.

use quaymaster_connectors::definition::{AuthKind, Definition, Verify};
use quaymaster_connectors::send::{Answer, Data, Failure};
use quaymaster_core::Fault;
use serde_json::Value;

/// What the service calls the account, if it does; else the problem with what to do about it.
pub(super) fn of(
    definition: &Definition,
    auth: &str,
    verify: &Verify,
    answer: Result<Answer, Failure>,
) -> Result<Option<String>, String> {
    let answer = answer.map_err(|failure| said(&failure.fault))?;
    let signs_in = definition
        .auth
        .iter()
        .any(|way| way.key == auth && way.kind != AuthKind::None);
    if signs_in && is_to_a_stranger(&answer.data, verify.needs.as_deref()) {
        return Err(format!(
            "{} does not know the account's credentials. Give it new ones.",
            definition.title
        ));
    }
    let (Data::Value(value), Some(at)) = (&answer.data, &verify.label) else {
        return Ok(None);
    };
    Ok(value.pointer(at).and_then(label_of))
}

/// Whether an answer lacks what one to somebody known has.
fn is_to_a_stranger(data: &Data, needs: Option<&str>) -> bool {
    needs.is_some_and(|needs| match data {
        Data::Value(value) => value.pointer(needs).is_none_or(Value::is_null),
        Data::Text(_) | Data::Bytes { .. } => true,
    })
}

/// The problem with what to do about it.
pub(crate) fn said(fault: &Fault) -> String {
    let message = fault.message.trim_end();
    // The end may be the service's own words.
    let end = if message.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    match &fault.hint {
        Some(hint) => format!("{message}{end} {hint}"),
        None => message.to_owned(),
    }
}

/// What a service calls an account, in a line.
fn label_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    (!text.is_empty()).then_some(text)
}

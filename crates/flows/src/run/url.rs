//! Addresses with values in them: a value never leaves the part of the address that it stands in.

use super::fill::Values;
use crate::fault::StepFault;
use crate::template::{Part, Template, written};
use std::fmt::Write as _;

/// The address of a request.
pub(super) fn address(template: &Template, values: &Values) -> Result<String, StepFault> {
    if let Some(program) = template.alone() {
        let address = written(values.of(program));
        if !address.starts_with("https://") && !address.starts_with("http://") {
            return Err(StepFault::flow(
                "The address of the request is none: it begins neither with https:// nor with http://.",
            ));
        }
        return Ok(address);
    }
    let address = filled(template, values, has_host)?;
    if has_host(&address) || address.contains("://") {
        return Ok(address);
    }
    Err(StepFault::flow("The address of the request has no host."))
}

/// A path as a connector has it.
pub(super) fn path(template: &Template, values: &Values) -> Result<String, StepFault> {
    match template.alone() {
        Some(program) => Ok(written(values.of(program))),
        None => filled(template, values, |_| true),
    }
}

/// Whether scheme and host are complete.
fn has_host(address: &str) -> bool {
    let behind = address.split_once("://").map(|(_, behind)| behind);
    behind.is_some_and(|behind| behind.contains(['/', '?', '#']))
}

/// Values are percent-encoded once `complete` says so of what stands before them; before, they are the
/// flow's own variables.
fn filled(
    template: &Template,
    values: &Values,
    complete: impl Fn(&str) -> bool,
) -> Result<String, StepFault> {
    let mut address = String::new();
    let mut has_values = false;
    for part in template.parts() {
        match part {
            Part::Text(text) => address.push_str(text),
            Part::Program(program) => {
                let value = written(values.of(program));
                if complete(&address) {
                    has_values = true;
                    encode(&value, &mut address);
                } else {
                    address.push_str(&value);
                }
            }
            Part::Secret(_) => {}
        }
    }
    // Whoever reads an address takes such segments out, and with them those before (WHATWG URL §4.4).
    let path = address.split(['?', '#']).next().unwrap_or_default();
    if has_values && path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(StepFault::flow(
            "A value of only dots stands in the path of the address, which would lead elsewhere.",
        ));
    }
    Ok(address)
}

/// Everything but unreserved characters is encoded (RFC 3986 §2.3).
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                into.push(char::from(byte));
            }
            _ => {
                let _ = write!(into, "%{byte:02X}");
            }
        }
    }
}

//! What came of a call that a person tried.

use quaymaster_core::Fault;
use quaymaster_core::tool::{Content, ToolResult};

use super::connectors::pretty;
use crate::views::TriedOutcome;

/// Of a result, in bytes: a browser draws more slowly than an agent reads.
const MOST_SHOWN: usize = 200 * 1024;

pub(super) fn of_result(result: &ToolResult) -> TriedOutcome {
    let text = match &result.structured {
        Some(value) => pretty(value),
        None => result
            .content
            .iter()
            .find_map(|block| match block {
                Content::Text(text) => Some(text.clone()),
                _ => None,
            })
            .unwrap_or_default(),
    };
    let status = result.structured.as_ref();
    let status = status.and_then(|value| value["meta"]["upstream_status"].as_u64());
    let (text, is_cut) = cut(text);
    TriedOutcome {
        code: "OK".to_owned(),
        failed: false,
        status,
        message: None,
        hint: None,
        text: Some(text),
        is_cut,
    }
}

pub(super) fn of_fault(fault: &Fault) -> TriedOutcome {
    let details = fault.details.as_ref();
    let cut = details.map(|details| cut(pretty(details)));
    let is_cut = cut.as_ref().is_some_and(|(_, is_cut)| *is_cut);
    TriedOutcome {
        code: fault.code.name().to_owned(),
        failed: true,
        status: details.and_then(|details| details["upstream_status"].as_u64()),
        message: Some(fault.message.clone()),
        hint: fault.hint.clone(),
        text: cut.map(|(text, _)| text),
        is_cut,
    }
}

pub(super) fn cut(mut text: String) -> (String, bool) {
    let is_cut = text.len() > MOST_SHOWN;
    if is_cut {
        text.truncate(text.floor_char_boundary(MOST_SHOWN));
    }
    (text, is_cut)
}

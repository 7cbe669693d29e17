//! One operation as an action.

use super::answers::answer;
use super::inputs::{Inputs, inputs};
use super::openapi::Found;
use super::paging;
use super::schema::Schemas;
use super::shrink;
use super::words::{line, sentence, snake, spoken};
use crate::definition::{Action, Verb};

/// Words with which names of operations begin that take something away.
const DESTROYS: [&str; 8] = [
    "delete",
    "remove",
    "destroy",
    "purge",
    "revoke",
    "terminate",
    "erase",
    "wipe",
];

/// The action of an operation, or why there is none. `limit`: bytes of its inputs' schema.
pub(super) fn action(
    schemas: &mut Schemas,
    found: &Found<'_>,
    limit: usize,
) -> Result<Action, String> {
    let verb = Verb::parse(&found.verb).ok_or_else(|| {
        format!(
            "the format has no verb {}",
            line(&found.verb.to_ascii_uppercase(), 20)
        )
    })?;
    let answer = answer(found, schemas.dialect);
    let Inputs {
        mut params,
        path,
        content_type,
    } = inputs(schemas, found, verb, answer.accept.as_deref())?;
    match shrink::fit(&mut params, limit) {
        Ok(None) => {}
        Ok(Some(told)) => schemas.change(told),
        Err(bytes) => {
            return Err(format!(
                "the schema of its inputs has {bytes} bytes and cannot be cut to {limit}"
            ));
        }
    }
    let reads = matches!(verb, Verb::Get | Verb::Head);
    let destroys = verb == Verb::Delete || takes_away(found);
    let pagination = if reads {
        paging::infer(&params, &answer)
    } else {
        None
    };
    if reads && destroys {
        schemas.change("Its name says that it takes something away, so it counts as a write.");
    }
    let deprecated = found.spot.flag("deprecated");
    let (title, summary) = said(found, deprecated);
    Ok(Action {
        title,
        summary,
        method: Some(verb),
        path: Some(path),
        rpc: None,
        query: None,
        params,
        content_type,
        read_only: (reads && destroys).then_some(false),
        destructive: destroys.then_some(true),
        // RFC 9110 §9.2.2
        idempotent: matches!(verb, Verb::Put | Verb::Delete).then_some(true),
        pagination,
        response: answer.response,
    })
}

fn takes_away(found: &Found<'_>) -> bool {
    let begins = |text: &str| {
        let words = snake(text);
        DESTROYS.iter().any(|word| {
            words
                .strip_prefix(word)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
    };
    let id = found.id.unwrap_or_default();
    let last = found
        .path
        .trim_end_matches('/')
        .rsplit(['/', ':'])
        .next()
        .unwrap_or_default();
    // An id may begin with what it belongs to: `repos/delete`, `chat.delete`.
    id.split(['/', '.', ':']).any(begins) || (!last.contains('{') && begins(last))
}

/// Title and summary, both in one line.
fn said(found: &Found<'_>, deprecated: bool) -> (String, Option<String>) {
    let text = |word: &str| found.spot.text(word).or_else(|| found.item.text(word));
    let summary = text("summary")
        .map(|text| line(text, 80))
        .unwrap_or_default();
    let summary = summary.trim_end_matches('.');
    let description = text("description").unwrap_or_default();
    let mut title = summary.to_owned();
    if title.is_empty() {
        title = line(sentence(description), 80);
    }
    if title.is_empty() {
        title = line(&spoken(found.id.unwrap_or(&found.path)), 80);
    }
    if title.is_empty() {
        title = format!(
            "{} {}",
            found.verb.to_ascii_uppercase(),
            line(&found.path, 60)
        );
    }
    let more = line(description, 300);
    let says_more = !more.is_empty() && more.trim_end_matches('.') != title;
    let summary = match (deprecated, says_more) {
        (true, true) => Some(format!("Deprecated. {more}")),
        (true, false) => Some("Deprecated.".to_owned()),
        (false, true) => Some(more),
        (false, false) => None,
    };
    (title, summary)
}

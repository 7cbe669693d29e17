//! Modules and their actions.

use super::{defaults, schema, text};
use crate::definition::{Action, ContentType, Definition, Envelope, Kind, Template, Verb};
use quaymaster_yaml::{Report, Spot};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(definition: &Definition, root: &Spot, report: &mut Report) {
    let all = root.key("modules");
    report.unless(
        !definition.modules.is_empty(),
        &all,
        "A connector has at least one module.",
    );
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, module) in &definition.modules {
        let at = all.key(name);
        report.unless(
            is_word(name, 40),
            &at,
            format!("{name:?} is no name of a module: small letters, digits and `_`."),
        );
        text::one_line(&module.title, 80, &at.key("title"), report);
        report.unless(
            !module.actions.is_empty() || definition.kind == Kind::Mcp,
            &at.key("actions"),
            "A module has at least one action.",
        );
        for (key, action) in &module.actions {
            if report.is_full() {
                return;
            }
            let at = at.key("actions").key(key);
            report.unless(
                is_word(key, 64),
                &at,
                format!(
                    "{key:?} is no key of an action: small letters, digits and `_`, at most 64."
                ),
            );
            if let Some(other) = seen.insert(key, name) {
                report.say(
                    &at,
                    format!("The module {other:?} has an action {key:?} too; keys are unique in the whole connector."),
                );
            }
            self::action(definition, action, &at, report);
        }
    }
}

fn is_word(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn action(definition: &Definition, action: &Action, at: &Spot, report: &mut Report) {
    text::one_line(&action.title, 80, &at.key("title"), report);
    shape(definition.kind, action, at, report);
    schema::check(definition, action, &at.key("params"), report);
    if definition.kind == Kind::Rest || action.path.is_some() {
        path(action, at, report);
        places(action, at, report);
    }
    if definition.kind == Kind::Rpc && action.path.is_some() {
        let in_path = definition
            .rpc
            .as_ref()
            .is_some_and(|rpc| rpc.envelope == Envelope::Path);
        report.unless(
            in_path,
            &at.key("path"),
            "Only the envelope `path` has methods with a path of their own.",
        );
        report.unless(
            action.method.is_some(),
            at,
            "A method with a path of its own needs `method`, the verb of the request.",
        );
    }
    if let Some(query) = &action.query {
        let changes = query.trim_start().starts_with("mutation");
        report.unless(
            !(changes && action.reads()),
            &at.key("read_only"),
            "A mutation changes something.",
        );
        report.unless(!query.trim().is_empty(), &at.key("query"), "It is empty.");
    }
    let deletes = matches!(action.method, Some(Verb::Delete | Verb::Put | Verb::Patch));
    report.unless(
        !(deletes && action.read_only == Some(true)),
        &at.key("read_only"),
        "PUT, PATCH and DELETE change something.",
    );
    report.unless(
        !(action.reads() && action.destructive == Some(true)),
        &at.key("destructive"),
        "What only reads destroys nothing.",
    );
    report.unless(
        action.content_type != ContentType::Text
            || schema::properties(action).any(|(name, _)| name == "text"),
        &at.key("content_type"),
        "The type `text` sends the parameter `text`, which is not there.",
    );
    let response = &action.response;
    let at_response = at.key("response");
    report.unless(
        response
            .status
            .is_none_or(|status| (200..400).contains(&status)),
        &at_response.key("status"),
        "It is the status of success, 200 to 399.",
    );
    text::pointer(
        response.result.as_deref(),
        &at_response.key("result"),
        report,
    );
    report.unless(
        !(response.binary && response.example.is_some()),
        &at_response.key("example"),
        "Bytes have no example.",
    );
    if let Some(pagination) = &action.pagination {
        defaults::paging(pagination, &at.key("pagination"), report);
    }
}

/// Which keys an action of each kind has.
fn shape(kind: Kind, action: &Action, at: &Spot, report: &mut Report) {
    let (needed, name): (&[&str], _) = match kind {
        Kind::Rest => (&["method", "path"], "rest"),
        Kind::Rpc => (&["rpc"], "rpc"),
        Kind::Graphql => (&["query"], "graphql"),
        Kind::Mcp => (&[], "mcp"),
        Kind::Sql => (&["rpc"], "sql"),
    };
    for (key, there) in [
        ("method", action.method.is_some()),
        ("path", action.path.is_some()),
        ("rpc", action.rpc.is_some()),
        ("query", action.query.is_some()),
    ] {
        let wanted = needed.contains(&key);
        report.unless(
            there || !wanted,
            at,
            format!("An action of the kind `{name}` needs `{key}`."),
        );
        let possible = wanted
            || matches!(
                (kind, key),
                (Kind::Mcp, "rpc") | (Kind::Rpc, "method" | "path")
            );
        report.unless(
            !there || possible,
            &at.key(key),
            format!("An action of the kind `{name}` has no `{key}`."),
        );
    }
    report.unless(
        action
            .rpc
            .as_deref()
            .is_none_or(|rpc| !rpc.trim().is_empty()),
        &at.key("rpc"),
        "It is empty.",
    );
    if kind == Kind::Sql {
        let reads = match action.rpc.as_deref() {
            Some("query") => Some(true),
            Some("execute") => Some(false),
            _ => None,
        };
        report.unless(
            reads.is_some(),
            &at.key("rpc"),
            "An action of the kind `sql` is `query` or `execute`.",
        );
        report.unless(
            reads.is_none_or(|reads| reads == action.reads()),
            &at.key("read_only"),
            "`rpc: query` is `read_only: true`, and `rpc: execute` is not.",
        );
    }
}

fn path(action: &Action, at: &Spot, report: &mut Report) {
    let Some(template) = &action.path else {
        return;
    };
    let at = at.key("path");
    let text = template.as_str();
    report.unless(text.starts_with('/'), &at, "A path begins with `/`.");
    report.unless(
        !text.contains(['?', '#', '\\', ' ']),
        &at,
        "A path holds neither `?`, `#`, `\\` nor spaces: inputs of the query stand in `params`, fixed ones as `const`.",
    );
    let segments: Vec<&str> = text.split('/').skip(1).collect();
    let last = segments.len().saturating_sub(1);
    report.unless(
        segments.iter().enumerate().all(|(index, segment)| {
            !matches!(*segment, "." | "..") && (!segment.is_empty() || index == last)
        }),
        &at,
        "A path has no empty segments, `.` or `..`.",
    );
    let required = schema::required(action);
    let mut seen = BTreeSet::new();
    for name in template.names() {
        if !seen.insert(name) {
            continue;
        }
        let Some((_, property)) = schema::properties(action).find(|(known, _)| *known == name)
        else {
            report.say(
                &at,
                format!("{{{name}}} stands in the path, so `params` needs a property {name:?}."),
            );
            continue;
        };
        report.unless(
            required.contains(name),
            &at,
            format!("{{{name}}} stands in the path, so {name:?} has to be in `required`."),
        );
        let kind = property.get("type").and_then(serde_json::Value::as_str);
        report.unless(
            !matches!(kind, Some("object" | "array" | "null")),
            &at,
            format!("{{{name}}} stands in the path, so it is a text or a number."),
        );
    }
}

/// Where parameters are sent.
fn places(action: &Action, at: &Spot, report: &mut Report) {
    let in_path: BTreeSet<&str> = action.path.iter().flat_map(Template::names).collect();
    for (name, property) in schema::properties(action) {
        let at = at.key("params").key("properties").key(name);
        let place = property
            .get(crate::params::PLACE)
            .and_then(serde_json::Value::as_str);
        let Some(place) = place else {
            continue;
        };
        let at = at.key(crate::params::PLACE);
        match place {
            "path" => report.unless(
                in_path.contains(name),
                &at,
                format!("{{{name}}} does not stand in the path."),
            ),
            "body" | "entire_body" => report.unless(
                !matches!(action.method, Some(Verb::Get | Verb::Head)),
                &at,
                "GET and HEAD have no body.",
            ),
            "header" => text::header(name, &at, report),
            "query" => {}
            other => report.say(
                &at,
                format!("{other:?} is no place: path, query, header, body or entire_body."),
            ),
        }
        report.unless(
            place == "path" || !in_path.contains(name),
            &at,
            format!("{{{name}}} stands in the path."),
        );
    }
}

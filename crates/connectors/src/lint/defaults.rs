//! What all actions share: headers, repeats, errors, paging; and limits and RPC.

use super::text;
use crate::definition::{Definition, Pagination, PaginationKind, Rpc};
use quaymaster_yaml::{Report, Spot};

pub(super) fn check(definition: &Definition, root: &Spot, report: &mut Report) {
    let defaults = &definition.defaults;
    let at = root.key("defaults");
    for (name, value) in &defaults.headers {
        let at = at.key("headers").key(name);
        text::header(name, &at, report);
        report.unless(
            http::HeaderValue::from_str(value).is_ok(),
            &at,
            "Headers hold visible ASCII characters only.",
        );
        let lower = name.to_ascii_lowercase();
        report.unless(
            !matches!(
                lower.as_str(),
                "authorization" | "cookie" | "proxy-authorization"
            ),
            &at,
            "A definition holds no credentials; say in `auth` where they go.",
        );
    }
    report.unless(
        defaults
            .timeout_s
            .is_none_or(|seconds| (1..=300).contains(&seconds)),
        &at.key("timeout_s"),
        "It is 1 to 300 seconds.",
    );
    retry(definition, &at.key("retry"), report);
    let errors = &defaults.errors;
    for (key, place) in [
        ("when", &errors.when),
        ("code", &errors.code),
        ("message", &errors.message),
        ("details", &errors.details),
    ] {
        text::pointer(place.as_deref(), &at.key("errors").key(key), report);
    }
    if let Some(holds) = &errors.auth_when {
        let at = at.key("errors").key("auth_when").key("at");
        text::pointer(Some(&holds.at), &at, report);
    }
    if let Some(holds) = &errors.unless {
        let at = at.key("errors").key("unless").key("at");
        text::pointer(Some(&holds.at), &at, report);
    }
    report.unless(
        (errors.auth_codes.is_empty() && errors.retry_codes.is_empty()) || errors.code.is_some(),
        &at.key("errors"),
        "`auth_codes` and `retry_codes` need `code`: where an answer says its code.",
    );
    text::pointer(defaults.result.as_deref(), &at.key("result"), report);
    if let Some(pagination) = &defaults.pagination {
        paging(pagination, &at.key("pagination"), report);
    }
    for (index, limit) in definition.rate_limits.iter().enumerate() {
        let at = root.key("rate_limits").item(index);
        report.unless(
            limit.requests > 0 && limit.per_s > 0,
            &at,
            "`requests` and `per_s` are at least 1.",
        );
        if let Some(module) = &limit.module {
            report.unless(
                definition.modules.contains_key(module),
                &at.key("module"),
                format!("There is no module {module:?}."),
            );
        }
    }
    if let Some(rpc) = &definition.rpc {
        self::rpc(rpc, &root.key("rpc"), report);
    }
    for (key, path) in [
        (
            "graphql",
            definition.graphql.as_ref().map(|graphql| &graphql.path),
        ),
        ("mcp", definition.mcp.as_ref().map(|mcp| &mcp.path)),
    ] {
        if let Some(path) = path {
            inner_path(path, &root.key(key).key("path"), report);
        }
    }
}

fn retry(definition: &Definition, at: &Spot, report: &mut Report) {
    let retry = &definition.defaults.retry;
    for (index, status) in retry.statuses.iter().enumerate() {
        report.unless(
            (400..600).contains(status),
            &at.key("statuses").item(index),
            format!("{status} is no status of an error."),
        );
    }
    report.unless(retry.max <= 5, &at.key("max"), "At most 5 times.");
    for (index, wait) in retry.wait.iter().enumerate() {
        let at = at.key("wait").item(index);
        report.unless(
            wait.header.is_some() != wait.body.is_some(),
            &at,
            "It says either `header` or `body`.",
        );
        text::pointer(wait.body.as_deref(), &at.key("body"), report);
        if let Some(header) = &wait.header {
            text::header(header, &at.key("header"), report);
        }
        if let Some(when) = &wait.when {
            text::header(&when.header, &at.key("when").key("header"), report);
        }
    }
}

/// What each type of paging needs.
pub(super) fn paging(pagination: &Pagination, at: &Spot, report: &mut Report) {
    use PaginationKind as Kind;
    let (param, next, key) = match pagination.kind {
        Kind::None | Kind::Link => (false, false, false),
        Kind::Cursor => (true, true, false),
        Kind::Offset | Kind::Page => (true, false, false),
        Kind::NextUrl | Kind::Header => (false, true, false),
        Kind::Keyset => (true, false, true),
    };
    for (name, needed, there, why) in [
        (
            "param",
            param,
            pagination.param.is_some(),
            "the parameter that names the next page",
        ),
        (
            "next",
            next,
            pagination.next.is_some(),
            "where the answer says what the next page is",
        ),
        (
            "key",
            key,
            pagination.key.is_some(),
            "where the last item says it",
        ),
    ] {
        report.unless(
            !needed || there,
            at,
            format!("This type of paging needs `{name}`: {why}."),
        );
    }
    for (name, place) in [
        ("items", &pagination.items),
        ("total", &pagination.total),
        ("more", &pagination.more),
        ("key", &pagination.key),
    ] {
        text::pointer(place.as_deref(), &at.key(name), report);
    }
    if let Some(next) = &pagination.next {
        let at = at.key("next");
        if pagination.kind == Kind::Header {
            text::header(next, &at, report);
        } else {
            text::pointer(Some(next), &at, report);
        }
    }
    if let Some(size) = &pagination.page_size {
        let most = size.max.unwrap_or(u32::MAX);
        report.unless(
            size.default
                .is_none_or(|default| (1..=most).contains(&default)),
            &at.key("page_size").key("default"),
            "It is at least 1 and at most `max`.",
        );
    }
}

fn rpc(rpc: &Rpc, at: &Spot, report: &mut Report) {
    inner_path(&rpc.path, &at.key("path"), report);
    if let Some(handshake) = &rpc.handshake {
        text::header(
            &handshake.header,
            &at.key("handshake").key("header"),
            report,
        );
        report.unless(
            (400..500).contains(&handshake.status),
            &at.key("handshake").key("status"),
            "It is the status of a refusal, 400 to 499.",
        );
    }
    if let Some(batch) = &rpc.batch {
        report.unless(
            batch.max > 1,
            &at.key("batch").key("max"),
            "It is at least 2.",
        );
    }
    for name in ["jsonrpc", "id", "method", "params"] {
        report.unless(
            !rpc.members.contains_key(name),
            &at.key("members").key(name),
            format!("The envelope sets `{name}` itself."),
        );
    }
}

fn inner_path(path: &str, at: &Spot, report: &mut Report) {
    report.unless(
        path.is_empty() || (path.starts_with('/') && !path.contains(['?', '#', '{'])),
        at,
        "It begins with `/` and holds neither `?`, `#` nor fields.",
    );
}

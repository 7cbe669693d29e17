//! What a step asks for, and how.

use super::refers::Scope;
use super::{address, span, text};
use crate::format::{
    Call, Defaults, Http, HttpAuth, Kind, Kv, OnUnknown, Python, Retry, Span, Sql, Step,
    StepDefault, SubFlow,
};
use crate::template::{Shape, Template};
use indexmap::IndexMap;
use quaymaster_yaml::{Report, Spot};

const A_DAY: u64 = 86_400;
const VERBS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

pub(super) fn defaults(defaults: &Defaults, at: &Spot, report: &mut Report) {
    let kinds: [(&str, &Option<StepDefault>); 4] = [
        ("http", &defaults.http),
        ("call", &defaults.call),
        ("mcp", &defaults.mcp),
        ("sql", &defaults.sql),
    ];
    for (name, of) in kinds {
        let Some(of) = of else { continue };
        let at = at.key(name);
        span(of.timeout, super::LONGEST, &at.key("timeout"), report);
        if let Some(retry) = &of.retry {
            check_retry(retry, &at.key("retry"), report);
        }
    }
}

fn check_retry(retry: &Retry, at: &Spot, report: &mut Report) {
    report.unless(
        (1..=10).contains(&retry.max),
        &at.key("max"),
        "It is 1 to 10.",
    );
    span(Some(retry.backoff.longest), 300, &at.key("backoff"), report);
}

/// What a step of this kind may say for itself.
pub(super) fn options(
    step: &Step,
    kind: Kind<'_>,
    scope: &Scope<'_>,
    at: &Spot,
    report: &mut Report,
) {
    let asks = matches!(
        kind,
        Kind::Http(_) | Kind::Call(_) | Kind::Mcp(_) | Kind::Sql(_) | Kind::Python(_)
    );
    let works = asks || matches!(kind, Kind::Flow(_));
    let name = kind.name();
    let mut only = |key: &str, there: bool, fits: bool, what: &str| {
        report.unless(
            !there || fits,
            &at.key(key),
            format!("`{key}` is for {what}, not for `{name}`."),
        );
    };
    let outside = "steps that ask somebody: http, call, mcp, sql, python and flow";
    only("timeout", step.timeout.is_some(), works, outside);
    only("retry", step.retry.is_some(), works, outside);
    only("cache", step.cache.is_some(), works, outside);
    only("rate_limit", step.rate_limit.is_some(), works, outside);
    let sends = matches!(kind, Kind::Http(_) | Kind::Call(_));
    only(
        "idempotency_key",
        step.idempotency_key.is_some(),
        sends,
        "http and call",
    );
    let unknown = step.on_unknown.is_some_and(|on| on == OnUnknown::Retry);
    only(
        "on_unknown",
        unknown,
        asks && scope.flow.durable,
        "steps of durable flows that ask somebody",
    );
    let ends = matches!(kind, Kind::Return(_));
    only(
        "on_error",
        step.on_error.is_some(),
        !ends,
        "steps that go on",
    );

    span(step.timeout, super::LONGEST, &at.key("timeout"), report);
    if let Some(retry) = &step.retry {
        check_retry(retry, &at.key("retry"), report);
    }
    if let Some(cache) = &step.cache {
        let at = at.key("cache");
        span(Some(cache.ttl), 30 * A_DAY, &at.key("ttl"), report);
        if let Some(key) = &cache.key {
            scope.template(key, false, &at.key("key"), report);
        }
    }
    if let Some(limit) = &step.rate_limit {
        let at = at.key("rate_limit");
        report.unless(limit.max > 0, &at.key("max"), "It is at least 1.");
        span(Some(limit.per), A_DAY, &at.key("per"), report);
        if let Some(key) = &limit.key {
            scope.template(key, false, &at.key("key"), report);
        }
    }
    if let Some(key) = &step.idempotency_key {
        scope.template(key, false, &at.key("idempotency_key"), report);
    }
}

/// The kinds that have no steps within them.
pub(super) fn check(kind: Kind<'_>, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    let at = at.key(kind.name());
    match kind {
        Kind::Http(http) => check_http(http, scope, &at, report),
        Kind::Call(call) => check_call(call, scope, &at, report),
        Kind::Mcp(mcp) => {
            filled(&mcp.connection, scope, &at.key("connection"), report);
            report.unless(
                !mcp.tool.is_empty(),
                &at.key("tool"),
                "The name of a tool is missing.",
            );
            members(&mcp.arguments, scope, &at.key("arguments"), report);
        }
        Kind::Sql(sql) => check_sql(sql, scope, &at, report),
        Kind::Flow(flow) => check_flow(flow, scope, &at, report),
        Kind::Map(program) => scope.program(program, &at, report),
        Kind::Python(python) => check_python(python, scope, &at, report),
        Kind::Kv(kv) => check_kv(kv, scope, &at, report),
        Kind::Wait(wait) => {
            scope.template(wait, false, &at, report);
            if let Some(text) = wait.plain() {
                let seconds = text.parse::<f64>().is_ok_and(|seconds| seconds >= 0.0);
                report.unless(
                    seconds || Span::parse(text).is_some(),
                    &at,
                    format!("{text:?} is no length of time; write for example \"2s\"."),
                );
            }
        }
        _ => {}
    }
}

fn members(map: &IndexMap<String, Shape>, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    for (name, value) in map {
        scope.shape(value, &at.key(name), report);
    }
}

/// A template that must come to something.
fn filled(template: &Template, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    report.unless(!template.as_str().trim().is_empty(), at, "It is empty.");
    scope.template(template, false, at, report);
}

fn check_http(http: &Http, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    let verbs: Vec<_> = http.verbs().collect();
    let [(verb, url)] = verbs.as_slice() else {
        report.say(at, "A request has one verb: get, head, post, put, patch or delete, and the address behind it.");
        return;
    };
    let verb_at = at.key(&verb.to_ascii_lowercase());
    let mut secrets = false;
    for value in http.query.values().chain(http.headers.values()) {
        value.each(&[], &mut |_, template| {
            secrets |= template.secrets().next().is_some();
        });
    }
    if let Some(auth) = &http.auth {
        let templates: &[&Template] = match auth {
            HttpAuth::Bearer(token) => &[token],
            HttpAuth::Basic { user, password } => &[user, password],
        };
        for template in templates {
            secrets |= template.secrets().next().is_some();
            scope.template(template, true, &at.key("auth"), report);
        }
    }
    scope.template(url, false, &verb_at, report);
    address::check(url, secrets, &verb_at, report);
    for (name, value) in &http.query {
        scope.shape_with(value, true, &at.key("query").key(name), report);
    }
    for (name, value) in &http.headers {
        let at = at.key("headers").key(name);
        if let Err(message) = text::header(name) {
            report.say(&at, message);
        }
        report.unless(
            !matches!(value, Shape::List(_) | Shape::Map(_)),
            &at,
            "A header is a text.",
        );
        scope.shape_with(value, true, &at, report);
    }
    let bodies = [
        ("body", http.body.is_some()),
        ("form", http.form.is_some()),
        ("text", http.text.is_some()),
    ];
    let there: Vec<&str> = bodies
        .iter()
        .filter(|(_, there)| *there)
        .map(|(name, _)| *name)
        .collect();
    if let [_, second, ..] = there.as_slice() {
        report.say(
            &at.key(second),
            format!(
                "A request has one body; this one has {}.",
                there.join(" and ")
            ),
        );
    }
    if let ([first, ..], "GET" | "HEAD") = (there.as_slice(), *verb) {
        report.say(
            &at.key(first),
            format!("A request with {verb} has no body."),
        );
    }
    if let Some(body) = &http.body {
        scope.shape(body, &at.key("body"), report);
    }
    members(
        http.form.as_ref().unwrap_or(&IndexMap::new()),
        scope,
        &at.key("form"),
        report,
    );
    if let Some(text) = &http.text {
        scope.template(text, false, &at.key("text"), report);
    }
    for (index, status) in http.accept.iter().enumerate() {
        report.unless(
            (400..=599).contains(status),
            &at.key("accept").item(index),
            "It is a status of 400 to 599; others are no failures anyway.",
        );
    }
}

fn check_call(call: &Call, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    report.unless(
        text::is_part_of_path(&call.service),
        &at.key("service"),
        format!("{:?} is no connector and no alias.", call.service),
    );
    if let Some(account) = &call.account {
        filled(account, scope, &at.key("account"), report);
    }
    let by_path = [
        ("module", call.module.is_some()),
        ("method", call.method.is_some()),
        ("path", call.path.is_some()),
        ("query", !call.query.is_empty()),
        ("headers", !call.headers.is_empty()),
        ("body", call.body.is_some()),
    ];
    if call.action.is_some() {
        for (key, there) in by_path {
            report.unless(!there, &at.key(key), format!("A call has `action` and `with`, or `method` and `path`; `{key}` belongs to the second."));
        }
    } else {
        report.unless(
            call.with.is_empty(),
            &at.key("with"),
            "`with` belongs to `action`.",
        );
        report.unless(
            call.path.is_some(),
            at,
            "A call has `action` and `with`, or `method` and `path`.",
        );
    }
    if let Some(method) = &call.method {
        report.unless(
            VERBS.contains(&method.as_str()),
            &at.key("method"),
            format!("{method:?} is no verb. There are: {}.", VERBS.join(", ")),
        );
    }
    if let Some(path) = &call.path {
        filled(path, scope, &at.key("path"), report);
    }
    members(&call.with, scope, &at.key("with"), report);
    members(&call.query, scope, &at.key("query"), report);
    members(&call.headers, scope, &at.key("headers"), report);
    if let Some(body) = &call.body {
        scope.shape(body, &at.key("body"), report);
    }
}

fn check_sql(sql: &Sql, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    filled(&sql.connection, scope, &at.key("connection"), report);
    let query = &sql.query;
    report.unless(
        !query.trim().is_empty(),
        &at.key("query"),
        "The query is empty.",
    );
    report.unless(
        !query.contains("${{"),
        &at.key("query"),
        "No expressions here: whoever calls the flow could write SQL. Write :name and give it in `params`.",
    );
    for (name, value) in &sql.params {
        let at = at.key("params").key(name);
        report.unless(
            query.contains(&format!(":{name}")),
            &at,
            format!("The query has no :{name}."),
        );
        scope.shape(value, &at, report);
    }
    report.unless(
        sql.max_rows.is_none_or(|rows| (1..=10_000).contains(&rows)),
        &at.key("max_rows"),
        "It is 1 to 10000.",
    );
}

fn check_flow(flow: &SubFlow, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    report.unless(
        text::is_name(&flow.name),
        &at.key("name"),
        format!("{:?} is no name of a flow. {}", flow.name, text::NAME),
    );
    members(&flow.input, scope, &at.key("input"), report);
}

fn check_python(python: &Python, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    report.unless(
        !python.code.trim().is_empty(),
        &at.key("code"),
        "There is no code.",
    );
    report.unless(
        python.code.len() <= crate::expression::LONGEST,
        &at.key("code"),
        format!(
            "The code has more than {} bytes.",
            crate::expression::LONGEST
        ),
    );
    report.unless(
        !python.code.contains("${{"),
        &at.key("code"),
        "No expressions here: whoever calls the flow could write code. Give values in `input`.",
    );
    if let Some(input) = &python.input {
        scope.shape(input, &at.key("input"), report);
    }
}

fn check_kv(kv: &Kv, scope: &Scope<'_>, at: &Spot, report: &mut Report) {
    match kv {
        Kv::Get { key } => filled(key, scope, &at.key("get").key("key"), report),
        Kv::Delete { key } => filled(key, scope, &at.key("delete").key("key"), report),
        Kv::Set { key, value, ttl } => {
            let at = at.key("set");
            filled(key, scope, &at.key("key"), report);
            scope.shape(value, &at.key("value"), report);
            span(*ttl, 366 * A_DAY, &at.key("ttl"), report);
        }
    }
}

//! All programs of a flow, with the keys that lead to them.

use super::Flow;
use super::step::{HttpAuth, Kind, Kv, Step};
use crate::expression::Program;
use crate::template::{Shape, Template};

/// A list of keys, from the top of the flow.
pub type Path = Vec<String>;

type Visit<'v, 'a> = &'v mut dyn FnMut(Path, &'a Template);

impl Flow {
    /// Every program of the flow and its place, for whoever asks jq about them.
    pub fn programs(&self) -> Vec<(Path, &Program)> {
        let mut found = Vec::new();
        steps(&self.steps, &key(&[], "steps"), &mut found);
        steps(&self.catch, &key(&[], "catch"), &mut found);
        if let Some(program) = &self.r#return {
            found.push((key(&[], "return"), program));
        }
        found
    }
}

fn steps<'a>(list: &'a [Step], at: &[String], found: &mut Vec<(Path, &'a Program)>) {
    for (index, step) in list.iter().enumerate() {
        let at = key(at, &index.to_string());
        if let Some(program) = &step.r#if {
            found.push((key(&at, "if"), program));
        }
        step.templates(&at, &mut |path, template| {
            found.extend(template.programs().map(|program| (path.clone(), program)));
        });
        match step.kind() {
            Some(Kind::Map(program)) => found.push((key(&at, "map"), program)),
            Some(Kind::Return(program)) => found.push((key(&at, "return"), program)),
            Some(Kind::Switch(cases)) => {
                for (index, case) in cases.iter().enumerate() {
                    let at = key(&key(&at, "switch"), &index.to_string());
                    found.extend(case.when.iter().map(|program| (key(&at, "when"), program)));
                }
            }
            Some(Kind::ForEach(each)) => {
                let at = key(&at, "for_each");
                found.push((key(&at, "in"), &each.r#in));
                found.extend(
                    each.r#yield
                        .iter()
                        .map(|program| (key(&at, "yield"), program)),
                );
            }
            _ => {}
        }
        for (keys, inner) in step.inner() {
            let mut at = at.clone();
            at.extend(keys);
            steps(inner, &at, found);
        }
    }
}

fn key(at: &[String], name: &str) -> Path {
    let mut path = at.to_vec();
    path.push(name.to_owned());
    path
}

impl Step {
    /// Every program of the step itself, not of those within it.
    pub(crate) fn own_programs(&self) -> Vec<&Program> {
        let mut found = Vec::new();
        self.templates(&[], &mut |_, template| found.extend(template.programs()));
        found
    }

    /// Every template of the step itself, not of those within it, with the keys that lead to it.
    pub(crate) fn templates<'a>(&'a self, at: &[String], visit: Visit<'_, 'a>) {
        let one = |name: &str, template: Option<&'a Template>, visit: Visit<'_, 'a>| {
            if let Some(template) = template {
                visit(key(at, name), template);
            }
        };
        one("idempotency_key", self.idempotency_key.as_ref(), visit);
        if let Some(key_of) = self.cache.as_ref().and_then(|cache| cache.key.as_ref()) {
            visit(key(&key(at, "cache"), "key"), key_of);
        }
        if let Some(key_of) = self
            .rate_limit
            .as_ref()
            .and_then(|limit| limit.key.as_ref())
        {
            visit(key(&key(at, "rate_limit"), "key"), key_of);
        }
        let Some(kind) = self.kind() else { return };
        let at = key(at, kind.name());
        match kind {
            Kind::Http(http) => {
                for (verb, address) in http.verbs() {
                    visit(key(&at, &verb.to_ascii_lowercase()), address);
                }
                shapes(&http.query, &key(&at, "query"), visit);
                shapes(&http.headers, &key(&at, "headers"), visit);
                match &http.auth {
                    Some(HttpAuth::Bearer(token)) => visit(key(&at, "auth"), token),
                    Some(HttpAuth::Basic { user, password }) => {
                        visit(key(&at, "auth"), user);
                        visit(key(&at, "auth"), password);
                    }
                    None => {}
                }
                if let Some(body) = &http.body {
                    shape(body, &key(&at, "body"), visit);
                }
                if let Some(form) = &http.form {
                    shapes(form, &key(&at, "form"), visit);
                }
                if let Some(text) = &http.text {
                    visit(key(&at, "text"), text);
                }
            }
            Kind::Call(call) => {
                if let Some(account) = &call.account {
                    visit(key(&at, "account"), account);
                }
                if let Some(path) = &call.path {
                    visit(key(&at, "path"), path);
                }
                shapes(&call.with, &key(&at, "with"), visit);
                shapes(&call.query, &key(&at, "query"), visit);
                shapes(&call.headers, &key(&at, "headers"), visit);
                if let Some(body) = &call.body {
                    shape(body, &key(&at, "body"), visit);
                }
            }
            Kind::Mcp(mcp) => {
                visit(key(&at, "connection"), &mcp.connection);
                shapes(&mcp.arguments, &key(&at, "arguments"), visit);
            }
            Kind::Sql(sql) => {
                visit(key(&at, "connection"), &sql.connection);
                shapes(&sql.params, &key(&at, "params"), visit);
            }
            Kind::Flow(flow) => shapes(&flow.input, &key(&at, "input"), visit),
            Kind::Python(python) => {
                if let Some(input) = &python.input {
                    shape(input, &key(&at, "input"), visit);
                }
            }
            Kind::Kv(Kv::Get { key: name }) => visit(key(&at, "get"), name),
            Kind::Kv(Kv::Delete { key: name }) => visit(key(&at, "delete"), name),
            Kind::Kv(Kv::Set {
                key: name, value, ..
            }) => {
                visit(key(&at, "set"), name);
                shape(value, &key(&key(&at, "set"), "value"), visit);
            }
            Kind::Wait(wait) => visit(at, wait),
            Kind::Fail(fail) => {
                visit(key(&at, "message"), &fail.message);
                if let Some(hint) = &fail.hint {
                    visit(key(&at, "hint"), hint);
                }
                if let Some(details) = &fail.details {
                    shape(details, &key(&at, "details"), visit);
                }
            }
            Kind::Map(_)
            | Kind::If(..)
            | Kind::Switch(_)
            | Kind::ForEach(_)
            | Kind::Parallel(_)
            | Kind::Return(_) => {}
        }
    }
}

fn shape<'a>(shape: &'a Shape, at: &[String], visit: Visit<'_, 'a>) {
    shape.each(at, &mut |path, template| visit(path.to_vec(), template));
}

fn shapes<'a>(members: &'a indexmap::IndexMap<String, Shape>, at: &[String], visit: Visit<'_, 'a>) {
    for (name, value) in members {
        shape(value, &key(at, name), visit);
    }
}

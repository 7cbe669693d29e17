//! Compares answers with the document.

use crate::product::Answer;
use http::Method;
use quaymaster_core::schema::Checker;
use serde_json::{Value, json};
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(quaymaster_api::openapi()).unwrap());

/// Panics when the document does not describe the answer. What answers on paths and methods that
/// are in no document must be a fault.
pub(crate) fn check(method: &Method, path: &str, answer: &Answer) {
    let fault = &DOCUMENT["components"]["responses"]["Fault"];
    let response = operation(method, path).map_or(fault, |operation| {
        let responses = &operation["responses"];
        let status = answer.status.as_str();
        let found = responses.get(status).or_else(|| responses.get("default"));
        let found = found.unwrap_or_else(|| panic!("{method} {path} never answers {status}"));
        if found.get("$ref").is_some() {
            fault
        } else {
            found
        }
    });
    let schema = json!({
        "allOf": [response["content"]["application/json"]["schema"]],
        "components": DOCUMENT["components"],
    });
    let checker = Checker::new(schema.as_object().unwrap()).unwrap();
    let body = answer.body.as_object().unwrap();
    if let Err(fault) = checker.check(body) {
        panic!(
            "{method} {path}: {fault} {:#} {:#}",
            fault.to_json(),
            answer.body
        );
    }
}

/// The operation whose path fits best: with the fewest variables.
fn operation(method: &Method, path: &str) -> Option<&'static Value> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let template = paths
        .keys()
        .filter(|template| fits(template, path))
        .min_by_key(|template| template.matches('{').count())?;
    paths[template].get(method.as_str().to_lowercase())
}

fn fits(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

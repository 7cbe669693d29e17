//! The operations of the published document, with what it says of each.

use quaymaster_tests::Developer;
use serde_json::Value;
use std::cmp::Reverse;

/// Who may ask.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Access {
    Anybody,
    /// The operator's backend, with a key of its own.
    Operator,
    /// Credentials that have all of these scopes.
    Scopes(Vec<String>),
}

/// A field of a query or a body.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) is_required: bool,
    pub(super) schema: Value,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) method: String,
    /// With variables in braces.
    pub(super) path: String,
    pub(super) access: Access,
    pub(super) needs_administrator: bool,
    /// Answers 501 and nothing else yet.
    pub(super) is_to_come: bool,
    pub(super) query: Vec<Field>,
    /// Those of a body of JSON.
    pub(super) body: Option<Vec<Field>>,
    pub(super) takes_bytes: bool,
    pub(super) takes_etag: bool,
}

impl Operation {
    /// Method and path, as lists of exceptions write them.
    pub(super) fn name(&self) -> String {
        let path = self.path.strip_prefix("/api/v1").unwrap_or(&self.path);
        format!("{} {path}", self.method)
    }

    pub(super) fn reads(&self) -> bool {
        self.method == "GET"
    }

    /// What deletes comes last, inner things before those that they are in.
    fn turn(&self) -> (usize, Reverse<usize>, String) {
        let order = ["GET", "PUT", "PATCH", "POST", "DELETE"];
        let method = order.iter().position(|verb| *verb == self.method);
        let method = method.unwrap_or_else(|| panic!("{}", self.name()));
        let depth = if self.method == "DELETE" {
            self.path.matches('/').count()
        } else {
            0
        };
        (method, Reverse(depth), self.path.clone())
    }
}

/// All of them, in an order in which one after the other can be tried.
pub(super) async fn operations(desk: &Developer) -> Vec<Operation> {
    let document = desk.did("GET", "/openapi.json", None).await;
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, about) in item.as_object().unwrap() {
            all.push(operation(&document, &verb.to_uppercase(), path, about));
        }
    }
    all.sort_by_cached_key(Operation::turn);
    all
}

fn operation(document: &Value, method: &str, path: &str, about: &Value) -> Operation {
    let parameters = |place: &'static str| {
        let all = about["parameters"].as_array().into_iter().flatten();
        all.filter(move |one| one["in"] == place)
    };
    let query = parameters("query").map(|one| Field {
        name: text(&one["name"]),
        is_required: one["required"] == true,
        schema: resolved(document, &one["schema"]).clone(),
    });
    let json = &about["requestBody"]["content"]["application/json"];
    let body = json.is_object().then(|| fields(document, &json["schema"]));
    let description = about["description"].as_str().unwrap_or_default();
    let words: Vec<&str> = description.split_whitespace().collect();
    let responses = about["responses"].as_object().unwrap();
    Operation {
        method: method.to_owned(),
        path: path.to_owned(),
        access: access(about),
        needs_administrator: words.join(" ").contains("Needs an administrator"),
        is_to_come: responses.contains_key("501")
            && !responses.keys().any(|status| status.starts_with('2')),
        query: query.collect(),
        takes_bytes: about["requestBody"].is_object() && body.is_none(),
        body,
        takes_etag: parameters("header").any(|one| one["name"] == "If-Match"),
    }
}

fn access(about: &Value) -> Access {
    let security = &about["security"][0];
    if security.is_null() {
        Access::Anybody
    } else if security["serviceKey"].is_array() {
        Access::Operator
    } else {
        Access::Scopes(texts(&security["bearer"]))
    }
}

fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let schema = resolved(document, schema);
    let required = texts(&schema["required"]);
    let properties = schema["properties"].as_object().into_iter().flatten();
    let fields = properties.map(|(name, field)| Field {
        name: name.clone(),
        is_required: required.contains(name),
        schema: resolved(document, field).clone(),
    });
    fields.collect()
}

/// What a schema refers to, and of something that may be null what else it may be.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return resolved(document, &document["components"]["schemas"][name]);
    }
    let mut kinds = schema["oneOf"].as_array().into_iter().flatten();
    match kinds.find(|kind| kind["type"] != "null") {
        Some(kind) => resolved(document, kind),
        None => schema,
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text).collect()
}

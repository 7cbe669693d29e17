//! The text fields of the published document: strings in the bodies and queries of whatever changes something.

use serde_json::{Value, json};

/// What is asked for, with the fields of it that take any text as far as the document says.
pub(super) struct Route {
    pub(super) method: String,
    /// Below `/api/v1`, with variables in braces.
    pub(super) path: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// Member after member; `*` stands for the members of a map, `-` for those of a list.
    Body(Vec<String>),
    Query(String),
    /// The last variable of the path, where whoever asks chooses it.
    Path,
}

impl Field {
    pub(super) fn name(&self) -> String {
        match self {
            Field::Body(members) => members.join("."),
            Field::Query(name) => format!("?{name}"),
            Field::Path => "{path}".to_owned(),
        }
    }
}

impl Route {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

pub(super) fn read(document: &Value) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in ["post", "put", "patch"] {
            let operation = &item[method];
            if operation.is_null() {
                continue;
            }
            let fields = of(document, operation, method == "put" && path.ends_with('}'));
            if !fields.is_empty() {
                routes.push(Route {
                    method: method.to_uppercase(),
                    path: path.trim_start_matches("/api/v1").to_owned(),
                    fields,
                });
            }
        }
    }
    routes
}

fn of(document: &Value, operation: &Value, names_its_path: bool) -> Vec<Field> {
    let mut found = Vec::new();
    let bodies = operation["requestBody"]["content"].as_object();
    for (_, body) in bodies.into_iter().flatten() {
        gather(
            document,
            &body["schema"],
            &mut Vec::new(),
            &mut Vec::new(),
            &mut found,
        );
    }
    let parameters = operation["parameters"].as_array();
    for parameter in parameters.into_iter().flatten() {
        if parameter["in"] == "query" && is_text(resolved(document, &parameter["schema"])) {
            let name = parameter["name"].as_str().unwrap_or_default();
            found.push(Field::Query(name.to_owned()));
        }
    }
    if names_its_path {
        found.push(Field::Path);
    }
    found
}

fn resolved<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(at) => resolved(
            document,
            document
                .pointer(at.trim_start_matches('#'))
                .expect("a schema"),
        ),
        None => schema,
    }
}

fn is_text(schema: &Value) -> bool {
    let types = &schema["type"];
    let says_text = types == "string"
        || types
            .as_array()
            .is_some_and(|all| all.contains(&json!("string")));
    says_text && schema["enum"].is_null()
}

/// `seen` are the references on the way, since a schema may lead back to itself.
fn gather(
    document: &Value,
    schema: &Value,
    at: &mut Vec<String>,
    seen: &mut Vec<String>,
    found: &mut Vec<Field>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        if !seen.iter().any(|known| known == reference) {
            seen.push(reference.to_owned());
            gather(document, resolved(document, schema), at, seen, found);
            seen.pop();
        }
        return;
    }
    for kind in ["allOf", "oneOf", "anyOf"] {
        for one in schema[kind].as_array().into_iter().flatten() {
            gather(document, one, at, seen, found);
        }
    }
    let field = Field::Body(at.clone());
    if is_text(schema) && !at.is_empty() && !found.contains(&field) {
        found.push(field);
    }
    let mut below = |name: &str, schema: &Value| {
        at.push(name.to_owned());
        gather(document, schema, at, seen, found);
        at.pop();
    };
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        below(name, member);
    }
    for (name, kind) in [("*", "additionalProperties"), ("-", "items")] {
        if schema[kind].is_object() {
            below(name, &schema[kind]);
        }
    }
}

/// Writes a text into a body, which gets what is not there on the way.
pub(super) fn set(body: &mut Value, members: &[String], text: &str) {
    let Some((name, rest)) = members.split_first() else {
        *body = json!(text);
        return;
    };
    if name == "-" {
        if !body.is_array() {
            *body = json!([]);
        }
        let list = body.as_array_mut().expect("a list");
        if list.is_empty() {
            list.push(Value::Null);
        }
        set(&mut list[0], rest, text);
        return;
    }
    if !body.is_object() {
        *body = json!({});
    }
    let map = body.as_object_mut().expect("a map");
    let name = match (name.as_str(), map.keys().next()) {
        ("*", Some(first)) => first.clone(),
        ("*", None) => "text".to_owned(),
        _ => name.clone(),
    };
    set(map.entry(name).or_insert(Value::Null), rest, text);
}

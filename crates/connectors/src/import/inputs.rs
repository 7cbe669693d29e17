//! The inputs of an operation: parameters and body as one schema, each in its place.

mod body;
mod style;

use super::openapi::Found;
use super::path;
use super::refs::Spot;
use super::schema::{Dialect, Schemas};
use super::words::line;
use crate::definition::{ContentType, Template, Verb};
use crate::lint::text::is_of_transport;
use serde_json::{Map, Value, json};

/// More parameters have no operation that anybody calls.
const MOST: usize = 300;

/// What a request is made of.
pub(super) struct Inputs {
    pub(super) params: Map<String, Value>,
    pub(super) path: Template,
    pub(super) content_type: ContentType,
}

/// Inputs by name, as they are collected.
#[derive(Default)]
struct Draft {
    properties: Map<String, Value>,
    required: Vec<String>,
}

impl Draft {
    fn has(&self, name: &str) -> bool {
        self.properties.contains_key(name)
    }

    fn put(&mut self, name: &str, schema: Map<String, Value>, required: bool) {
        let mut schema = schema;
        if !required && let Some(value) = schema.remove("const") {
            // A const is sent with every call; this one is to be chosen.
            schema.insert("enum".to_owned(), json!([value]));
        }
        self.properties.insert(name.to_owned(), schema.into());
        if required && !self.required.iter().any(|own| own == name) {
            self.required.push(name.to_owned());
        }
    }
}

/// A parameter of the document.
struct Parameter<'d> {
    name: &'d str,
    spot: Spot<'d>,
}

/// The inputs of an operation, or why it cannot be called. `accept` is a media type to ask for.
pub(super) fn inputs(
    schemas: &mut Schemas,
    found: &Found<'_>,
    verb: Verb,
    accept: Option<&str>,
) -> Result<Inputs, String> {
    let Sorted {
        query,
        headers,
        in_path,
        body,
    } = sorted(schemas, found)?;
    let mut draft = Draft::default();
    let cut = path::read(&found.path)?;
    for (name, value) in &cut.query {
        let mut schema = Map::new();
        schema.insert("const".to_owned(), value.as_str().into());
        if !verb.has_query() {
            schema.insert("x-in".to_owned(), "query".into());
        }
        draft.put(name, schema, true);
    }
    for parameter in &query {
        style::query(schemas, &mut draft, parameter, verb)?;
    }
    for parameter in &headers {
        header(schemas, &mut draft, parameter);
    }
    if let Some(accept) = accept
        && !draft
            .properties
            .keys()
            .any(|name| name.eq_ignore_ascii_case("accept"))
    {
        draft.put("accept", constant_header(accept), true);
    }
    let members = body::read(schemas, found, verb, body)?;
    let content_type = members.content_type;
    let taken = |name: &str, draft: &Draft| {
        draft.has(name) || members.properties.iter().any(|(own, ..)| own == name)
    };
    let mut template = String::new();
    let mut used: Vec<(&str, String)> = Vec::new();
    for piece in &cut.pieces {
        let name = match piece {
            path::Piece::Text(text) => {
                template.push_str(text);
                continue;
            }
            path::Piece::Name(name) => name,
        };
        let known = used.iter().find(|(own, _)| own == &name.as_str());
        let called = match known {
            Some((_, called)) => called.clone(),
            None => {
                let parameter = in_path.iter().find(|parameter| parameter.name == name);
                let schema = style::in_path(schemas, name, parameter, cut.is_wide(name));
                let mut called = path::input(name);
                if taken(&called, &draft) {
                    called = format!("path_{called}");
                }
                while taken(&called, &draft) {
                    called.push('_');
                }
                if called != *name {
                    schemas.change(format!(
                        "{} in the path is called {called}.",
                        line(name, 60)
                    ));
                }
                draft.put(&called, schema, true);
                used.push((name, called.clone()));
                called
            }
        };
        template.push('{');
        template.push_str(&called);
        template.push('}');
    }
    for parameter in &in_path {
        if !used.iter().any(|(name, _)| *name == parameter.name) {
            schemas.change(format!(
                "{} does not stand in the path and is left out.",
                line(parameter.name, 60)
            ));
        }
    }
    members.add(schemas, &mut draft)?;
    let mut params = Map::new();
    if !draft.properties.is_empty() {
        params.insert("type".to_owned(), "object".into());
        if !draft.required.is_empty() {
            params.insert("required".to_owned(), draft.required.into());
        }
        params.insert("properties".to_owned(), draft.properties.into());
    }
    let path =
        Template::parse(&template).map_err(|error| format!("its path cannot be read: {error}"))?;
    Ok(Inputs {
        params,
        path,
        content_type,
    })
}

fn constant_header(value: &str) -> Map<String, Value> {
    let mut schema = Map::new();
    schema.insert("const".to_owned(), value.into());
    schema.insert("x-in".to_owned(), "header".into());
    schema
}

/// Parameters by their place.
struct Sorted<'d> {
    query: Vec<Parameter<'d>>,
    headers: Vec<Parameter<'d>>,
    in_path: Vec<Parameter<'d>>,
    /// Of 2.0: `body` and `formData`.
    body: Vec<Parameter<'d>>,
}

fn sorted<'d>(schemas: &mut Schemas, found: &Found<'d>) -> Result<Sorted<'d>, String> {
    let mut sorted = Sorted {
        query: Vec::new(),
        headers: Vec::new(),
        in_path: Vec::new(),
        body: Vec::new(),
    };
    // Those of the operation stand in the place of those of its path.
    let all = found
        .spot
        .items("parameters")
        .chain(found.item.items("parameters"));
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for spot in all.take(MOST) {
        let spot = spot
            .resolved()
            .map_err(|why| format!("a parameter cannot be read: {why}"))?;
        let (Some(name), Some(place)) = (spot.text("name"), spot.text("in")) else {
            schemas.change("A parameter without a name or place is left out.");
            continue;
        };
        if seen.contains(&(name, place)) {
            continue;
        }
        seen.push((name, place));
        let parameter = Parameter { name, spot };
        match place {
            "query" => sorted.query.push(parameter),
            "header" => sorted.headers.push(parameter),
            "path" => sorted.in_path.push(parameter),
            "body" | "formData" if schemas.dialect == Dialect::V2 => sorted.body.push(parameter),
            other => {
                let what = if other == "cookie" {
                    "a cookie".to_owned()
                } else {
                    format!("at {:?}", line(other, 40))
                };
                if spot.flag("required") {
                    return Err(format!(
                        "its parameter {:?} is {what}, which the format cannot say",
                        line(name, 60)
                    ));
                }
                schemas.change(format!(
                    "The parameter {:?} is {what} and is left out.",
                    line(name, 60)
                ));
            }
        }
    }
    Ok(sorted)
}

/// The schema of a parameter, with what is said beside it. True when it is written as JSON.
fn schema(schemas: &mut Schemas, spot: Spot<'_>) -> (Map<String, Value>, bool) {
    let content = spot
        .named("content")
        .next()
        .and_then(|(_, media)| media.get("schema"));
    let (inner, as_json) = match (schemas.dialect, spot.get("schema"), content) {
        (Dialect::V2, ..) => (Some(spot), false),
        (_, Some(schema), _) => (Some(schema), false),
        (_, None, content) => (content, content.is_some()),
    };
    let mut made = match inner.map(|inner| schemas.write(inner)) {
        Some(Value::Object(made)) => made,
        _ => Map::new(),
    };
    if schemas.dialect != Dialect::V2 {
        let mut left = 40;
        if let Some(example) = spot.node.get("example").map(|node| node.value(&mut left))
            && left > 0
            && !made.contains_key("examples")
        {
            made.insert(
                "examples".to_owned(),
                json!([super::schema::clean(example)]),
            );
        }
        if let Some(text) = spot
            .text("description")
            .map(|text| line(text, 400))
            .filter(|text| !text.is_empty())
        {
            made.insert("description".to_owned(), text.into());
        }
        if spot.flag("deprecated") {
            made.insert("deprecated".to_owned(), json!(true));
        }
    }
    (made, as_json)
}

fn header(schemas: &mut Schemas, draft: &mut Draft, parameter: &Parameter<'_>) {
    let lower = parameter.name.to_ascii_lowercase();
    if ["accept", "content-type"].contains(&lower.as_str()) {
        // The document says them elsewhere (OpenAPI 3.1, Parameter Object).
        return;
    }
    let signs = ["authorization", "cookie", "proxy-authorization"].contains(&lower.as_str());
    if signs || is_of_transport(&lower) || http::HeaderName::from_bytes(lower.as_bytes()).is_err() {
        let why = if signs {
            "signing in fills it"
        } else {
            "the transport sets it"
        };
        schemas.change(format!(
            "The header {} is left out: {why}.",
            line(parameter.name, 60)
        ));
        return;
    }
    let (mut made, _) = schema(schemas, parameter.spot);
    style::as_text(
        schemas,
        parameter.name,
        &mut made,
        "its values separated by commas",
    );
    made.insert("x-in".to_owned(), "header".into());
    // Names of headers are the same in every case, names of inputs are not.
    let mut name = parameter.name.to_owned();
    if draft.has(&name) {
        name = lower;
    }
    if draft.has(&name) {
        name = name.to_ascii_uppercase();
    }
    if draft.has(&name) {
        schemas.change(format!(
            "The header {} is left out: its name is taken.",
            line(parameter.name, 60)
        ));
        return;
    }
    draft.put(&name, made, parameter.spot.flag("required"));
}

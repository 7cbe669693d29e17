//! Google Discovery documents, rewritten as OpenAPI, so that there is one way on from there.
//!
//! The format is described at developers.google.com/discovery/v1/reference/apis.

use super::refs::Spot;
use super::tree::Node;
use super::words::line;
use serde_json::{Map, Value, json};

/// As deep as resources and schemas are nested.
const DEEPEST: usize = 60;
/// Parameters that every method has and that help whoever calls.
const COMMON: [&str; 1] = ["fields"];

pub(super) fn is_one(root: Spot<'_>) -> bool {
    root.text("kind") == Some("discovery#restDescription")
        || root.text("discoveryVersion").is_some()
}

/// The document as OpenAPI 3.0, each method with its own entry below `paths`: several have the same.
pub(super) fn rewritten(root: Spot<'_>) -> Node {
    let mut paths: Vec<(String, Node)> = Vec::new();
    methods(root, root, &mut Vec::new(), &mut paths);
    let schemas = root.named("schemas");
    let schemas = schemas.map(|(name, spot)| (name.to_owned(), schema(spot, 0)));
    let mut ways = Map::new();
    let scopes = root.get("auth").and_then(|auth| auth.get("oauth2"));
    if let Some(oauth2) = scopes {
        let scopes = oauth2.named("scopes");
        let scopes = scopes.map(|(name, spot)| {
            (
                name.to_owned(),
                spot.text("description").unwrap_or_default().into(),
            )
        });
        let scopes: Map<String, Value> = scopes.collect();
        ways.insert(
            "oauth2".to_owned(),
            json!({ "type": "oauth2", "flows": { "authorizationCode": {
                "authorizationUrl": "https://accounts.google.com/o/oauth2/v2/auth",
                "tokenUrl": "https://oauth2.googleapis.com/token",
                "scopes": scopes,
            } } }),
        );
    }
    if root
        .get("parameters")
        .is_some_and(|all| all.get("key").is_some())
    {
        ways.insert(
            "api_key".to_owned(),
            json!({ "type": "apiKey", "in": "query", "name": "key", "description": "An API key of a Google Cloud project. It reads public data only." }),
        );
    }
    let text = |word: &str| root.text(word).unwrap_or_default();
    let base = match (root.text("rootUrl"), root.text("servicePath")) {
        (Some(host), path) => format!("{host}{}", path.unwrap_or_default()),
        _ => text("baseUrl").to_owned(),
    };
    let head = json!({
        "openapi": "3.0.3",
        "info": { "title": root.text("title").unwrap_or(text("name")), "version": text("version"), "description": text("description") },
        "externalDocs": { "url": text("documentationLink") },
        "servers": [{ "url": base }],
        "components": { "schemas": Value::Object(schemas.collect()), "securitySchemes": ways },
    });
    let mut members = match head {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, Node::from(value)))
            .collect(),
        _ => Vec::new(),
    };
    members.push(("paths".to_owned(), Node::map(paths)));
    Node::map(members)
}

fn methods(
    root: Spot<'_>,
    resource: Spot<'_>,
    names: &mut Vec<String>,
    paths: &mut Vec<(String, Node)>,
) {
    for (name, method) in resource.named("methods") {
        let path = path_of(method);
        let verb = method
            .text("httpMethod")
            .unwrap_or("GET")
            .to_ascii_lowercase();
        let id = method.text("id").unwrap_or(name);
        // The first part is the API's own name.
        let id = id.split_once('.').map_or(id, |(_, rest)| rest);
        let made = operation(root, method, &path, id, &names.join("."));
        if method.flag("supportsMediaDownload") {
            let mut media = made.clone();
            media["operationId"] = json!(format!("{id}.media"));
            media["summary"] = json!(format!("Download the bytes of {}", id.replace('.', " ")));
            if let Some(parameters) = media["parameters"].as_array_mut() {
                parameters.push(json!({ "name": "alt", "in": "query", "required": true, "schema": { "const": "media" } }));
            }
            media["responses"] = json!({ "200": { "content": { "*/*": { "schema": { "type": "string", "format": "binary" } } } } });
            media["x-remarks"] = json!([
                "It is the same method as the one without media in its name, with alt=media."
            ]);
            paths.push((
                path.clone(),
                Node::map(vec![(verb.clone(), Node::from(made))]),
            ));
            paths.push((path, Node::map(vec![(verb, Node::from(media))])));
        } else {
            paths.push((path, Node::map(vec![(verb, Node::from(made))])));
        }
    }
    if names.len() >= DEEPEST {
        return;
    }
    for (name, inner) in resource.named("resources") {
        names.push(name.to_owned());
        methods(root, inner, names, paths);
        names.pop();
    }
}

/// The path with one name for each segment where there is one: `{+name}` stands for several, and
/// the same in many methods.
fn path_of(method: Spot<'_>) -> String {
    let path = method.text("path").unwrap_or_default();
    let flat = method.text("flatPath").filter(|_| path.contains("{+"));
    format!("/{}", flat.unwrap_or(path).trim_start_matches('/'))
}

fn operation(root: Spot<'_>, method: Spot<'_>, path: &str, id: &str, tag: &str) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    let mut declared: Vec<&str> = Vec::new();
    let mut spread = None;
    for (name, spot) in method.named("parameters") {
        let in_path = spot.text("location") == Some("path");
        let stands = [
            format!("{{{name}}}"),
            format!("{{+{name}}}"),
            format!("{{{name}*}}"),
        ];
        if in_path && !stands.iter().any(|place| path.contains(place)) {
            spread = Some((name, spot));
            continue;
        }
        declared.push(name);
        parameters.push(parameter(name, spot, in_path));
    }
    for name in COMMON {
        let common = root.get("parameters").and_then(|all| all.get(name));
        if let Some(spot) = common.filter(|_| !declared.contains(&name)) {
            parameters.push(parameter(name, spot, false));
        }
    }
    let in_path: Vec<&str> = path
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect();
    for (at, name) in in_path.iter().enumerate() {
        if declared.contains(&name.trim_start_matches('+').trim_end_matches('*')) {
            continue;
        }
        let (whole, spot) = spread.map_or(("name", None), |(whole, spot)| (whole, Some(spot)));
        let said = spot
            .and_then(|spot| spot.text("description"))
            .unwrap_or_default();
        let pattern = spot
            .and_then(|spot| spot.text("pattern"))
            .unwrap_or_default();
        let is_wide = at + 1 == in_path.len() && (pattern.contains(".*") || pattern.contains(".+"));
        parameters.push(json!({
            "name": name, "in": "path", "required": true, "allowReserved": is_wide,
            "description": format!("Part of `{whole}`. {said}"),
            "schema": { "type": "string" },
        }));
    }
    let mut made = json!({
        "operationId": id,
        "parameters": parameters,
        "deprecated": method.flag("deprecated"),
    });
    if let Some(text) = method.text("description") {
        made["description"] = json!(text);
    }
    if !tag.is_empty() {
        made["tags"] = json!([tag]);
    }
    let named = |word: &str| {
        let name = method.get(word)?.text("$ref")?;
        // Many methods take or give an empty object, which is nothing to fill in.
        let shape = root.get("schemas").and_then(|all| all.get(name));
        let is_empty = shape.is_some_and(|shape| {
            shape.text("type") == Some("object")
                && shape.get("properties").is_none()
                && shape.get("additionalProperties").is_none()
        });
        (!is_empty).then(|| reference(name))
    };
    if let Some(reference) = named("request") {
        made["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": { "$ref": reference } } } });
    }
    made["responses"] = match named("response") {
        Some(reference) => {
            json!({ "200": { "content": { "application/json": { "schema": { "$ref": reference } } } } })
        }
        None => json!({ "200": {} }),
    };
    let scopes: Vec<Value> = method
        .items("scopes")
        .filter_map(|scope| scope.node.text())
        .map(|scope| json!({ "oauth2": [scope] }))
        .collect();
    if !scopes.is_empty() {
        made["security"] = scopes.into();
    }
    if method.flag("supportsMediaUpload") || method.get("mediaUpload").is_some() {
        made["x-remarks"] =
            json!(["Its upload of media is not imported; it sends what describes the media."]);
    }
    made
}

fn parameter(name: &str, spot: Spot<'_>, in_path: bool) -> Value {
    let mut made = json!({ "name": name, "in": if in_path { "path" } else { "query" }, "required": in_path || spot.flag("required") });
    let mut inner = schema(spot, 0);
    if spot.flag("repeated") {
        if let Value::Object(inner) = &mut inner {
            inner.shift_remove("description");
        }
        inner = json!({ "type": "array", "items": inner });
    }
    if let Some(text) = spot.text("description") {
        made["description"] = json!(text);
        if let Value::Object(inner) = &mut inner {
            inner.shift_remove("description");
        }
    }
    if spot.flag("deprecated") {
        made["deprecated"] = json!(true);
    }
    made["schema"] = inner;
    made
}

fn reference(name: &str) -> String {
    format!(
        "#/components/schemas/{}",
        name.replace('~', "~0").replace('/', "~1")
    )
}

/// A schema of the third draft of JSON Schema as one of OpenAPI.
fn schema(spot: Spot<'_>, depth: usize) -> Value {
    if let Some(name) = spot.reference() {
        let mut made = json!({ "$ref": reference(name) });
        if let Some(text) = spot.text("description") {
            made["description"] = json!(text);
        }
        if spot.flag("readOnly") {
            made["readOnly"] = json!(true);
        }
        return made;
    }
    let mut made = Map::new();
    let kind = spot.text("type").unwrap_or("any");
    if depth >= DEEPEST {
        return json!({});
    }
    if kind != "any" {
        made.insert("type".to_owned(), kind.into());
    }
    let mut required: Vec<&str> = Vec::new();
    for (word, inner) in spot.members() {
        let value = match word {
            "properties" => {
                let named = inner.members().map(|(name, inner)| {
                    if inner.flag("required") {
                        required.push(name);
                    }
                    (name.to_owned(), schema(inner, depth + 1))
                });
                Value::Object(named.collect())
            }
            "items" | "additionalProperties" => schema(inner, depth + 1),
            "default" => match typed(kind, inner.node) {
                Some(value) => value,
                None => continue,
            },
            "description" | "format" | "pattern" | "enum" | "minimum" | "maximum" | "readOnly"
            | "deprecated" => inner.node.value(&mut 5_000),
            _ => continue,
        };
        made.insert(word.to_owned(), value);
    }
    if !required.is_empty() {
        made.insert("required".to_owned(), json!(required));
    }
    // Each value has its sentence beside it.
    let told: Vec<String> = spot
        .items("enum")
        .zip(spot.items("enumDescriptions"))
        .take(12)
        .filter_map(|(value, text)| {
            Some(format!(
                "{}: {}",
                value.node.text()?,
                line(text.node.text()?, 80)
            ))
        })
        .filter(|text| !text.ends_with(": "))
        .collect();
    if !told.is_empty() {
        let before = spot.text("description").unwrap_or_default();
        made.insert(
            "description".to_owned(),
            format!("{before} {}", told.join("; ")).trim().into(),
        );
    }
    Value::Object(made)
}

/// Defaults are texts, whatever the type.
fn typed(kind: &str, node: &Node) -> Option<Value> {
    let text = node.text()?;
    match kind {
        "string" => Some(text.into()),
        "boolean" => text.parse::<bool>().ok().map(Value::from),
        "integer" => text.parse::<i64>().ok().map(Value::from),
        "number" => text.parse::<f64>().ok().map(Value::from),
        _ => None,
    }
}

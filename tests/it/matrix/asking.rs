//! Requests made from the document: paths, queries and bodies that name things which are there.

use super::document::{Field, Operation};
use super::given;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What an organization has, by what it is: ids, keys and paths.
pub(super) type Things = BTreeMap<&'static str, String>;

/// Where a request names a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spot {
    /// The part of the path, counted from 0.
    Path(usize),
    Query(String),
    Body(String),
}

/// A request that can be sent.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Asked {
    pub(super) method: String,
    /// With the query.
    pub(super) path: String,
    pub(super) body: Option<Value>,
    pub(super) bytes: Option<String>,
    /// Whether it is for whatever state the thing is in.
    pub(super) any_etag: bool,
}

/// Fields that are called ids and name nothing that an organization has.
const NAMES_NOTHING: [(&str, &str); 4] = [
    ("approvalId", "there are no approvals yet"),
    ("clientId", "an app's name at the service that it is of"),
    ("externalId", "what a developer calls their own"),
    (
        "oauthAppId",
        "compared with the one app that an organization has of the connector",
    ),
];

/// What a variable of a path stands for.
enum Named {
    Thing(&'static str),
    /// The same in every organization.
    Text(&'static str),
}

fn named(path: &str, before: &str, variable: &str) -> Named {
    use Named::{Text, Thing};
    match (before, variable) {
        ("api-keys", _) => Thing("key"),
        ("authorizations", _) => Thing("authorization"),
        ("connected-clients", _) => Thing("client"),
        ("connections", _) => Thing("connection"),
        ("connectors", _) if path.ends_with("/oauth-app") => Text("github"),
        ("connectors" | "own", _) => Thing("connector"),
        ("documents", _) => Thing("document"),
        ("end-users", _) => Thing("end user"),
        ("files", _) if path.contains("/skills/") => Text("a.txt"),
        ("files", _) => Thing("memory file"),
        ("flow-runs", _) => Thing("run"),
        ("flow-tokens", _) => Thing("flow token"),
        ("integrations", "{integration}") => Thing("integration"),
        ("invitations", _) => Thing("invitation"),
        ("members", _) => Thing("member"),
        ("partials", _) => Thing("partial"),
        ("servers", _) if path.ends_with("/execute-code") => Thing("code server"),
        ("servers", _) => Thing("server"),
        ("session", _) => Thing("session"),
        ("skills", _) => Thing("skill"),
        ("tokens", _) => Thing("token"),
        ("tools", "{tool}") => Thing("tool"),
        ("trash", _) => Thing("trash"),
        ("uploads", _) => Thing("upload"),
        ("workspaces", _) => Thing("workspace"),
        ("approvals" | "approval-policies", _) => Text("none"),
        ("declarations", _) | ("integrations", "{name}") => Text("slack"),
        ("flow-secrets", _) => Text("TIDE"),
        ("flows", _) => Text("tide"),
        ("modules", _) => Text("notes"),
        // One of the workspace's own.
        ("packs", _) => Text("tides"),
        ("tools", "{name}") => Text("list_services"),
        ("versions", _) => Text("1"),
        _ => panic!("{path}: say what {variable} names"),
    }
}

/// Which thing a field of a query or a body names.
fn thing_of(operation: &str, field: &str) -> Option<&'static str> {
    Some(match field {
        "account" | "connectionId" | "id" => "connection",
        "actor" | "createdBy" | "user" => "member",
        "connectionExternalId" => "account",
        "connector" | "integrationName" | "replacing" => "connector",
        "credential" => "token",
        "endUserId" => "end user",
        "files" | "workspace" | "workspaceId" => "workspace",
        // There it is a way to sign in.
        "flow" if operation != "POST /connections/authorizations" => "flow",
        // Those of a pack have names that are the same everywhere.
        "flows" if operation != "PUT /workspaces/{id}/packs/{pack}" => "flow",
        "name" if operation == "GET /integrations" => "connector",
        "partialIds" => "partial",
        "token" => "session token",
        "workspaceIntegrationId" => "integration",
        _ => return None,
    })
}

/// Whether the rest of a request is about the connector that stands there, and fits no other.
pub(super) fn decides_the_rest(spot: &Spot) -> bool {
    let (Spot::Query(field) | Spot::Body(field)) = spot else {
        return false;
    };
    field == "connector" || field == "integrationName"
}

/// The places of an operation where one thing can be exchanged while the others stay.
pub(super) fn spots(operation: &Operation) -> Vec<Spot> {
    let parts: Vec<&str> = operation.path.split('/').collect();
    let in_path = (1..parts.len()).filter(|place| {
        let part = parts[*place];
        part.starts_with('{')
            && matches!(
                named(&operation.path, parts[*place - 1], part),
                Named::Thing(_)
            )
    });
    let mut all: Vec<Spot> = in_path.map(Spot::Path).collect();
    if all.len() == 1 {
        all.clear();
    }
    let name = operation.name();
    let names_a_thing = |field: &&Field| {
        let is_thing = thing_of(&name, &field.name).is_some();
        let is_id = field.name.ends_with("Id") || field.name.ends_with("Ids");
        let is_left = NAMES_NOTHING.iter().any(|(known, _)| *known == field.name);
        assert!(
            is_thing || !is_id || is_left,
            "{name}: say what {} names",
            field.name
        );
        is_thing
    };
    let query = operation.query.iter().filter(names_a_thing);
    all.extend(query.map(|field| Spot::Query(field.name.clone())));
    let body = operation.body.iter().flatten().filter(names_a_thing);
    all.extend(body.map(|field| Spot::Body(field.name.clone())));
    all
}

/// The request of an operation about `things`, but for one spot where another's thing stands. Equal numbers
/// give equal names to what is made.
pub(super) fn asked(
    operation: &Operation,
    things: &Things,
    other: Option<(&Spot, &Things)>,
    number: u32,
) -> Asked {
    let name = operation.name();
    let fresh = format!("new-{number}");
    let given = given::fields(&name, other.map(|(spot, _)| spot));
    let given = given::filled(&given, things, &fresh);
    let others_at = |wanted: &Spot| {
        let here = other.filter(|(spot, _)| *spot == wanted);
        here.map(|(_, things)| things)
    };
    let value = |field: &Field, spot: &Spot| {
        if let Some(things) = others_at(spot) {
            return thing(&name, field, things);
        }
        match given.get(&field.name) {
            Some(given) => Some(given.clone()),
            None if field.is_required => Some(required(&name, field, things, &fresh)),
            None => None,
        }
    };

    let parts: Vec<&str> = operation.path.split('/').collect();
    let path = parts.iter().enumerate().map(|(place, part)| {
        if !part.starts_with('{') {
            return (*part).to_owned();
        }
        match named(&operation.path, parts[place - 1], part) {
            Named::Text(text) => text.to_owned(),
            Named::Thing(thing) => {
                let things = others_at(&Spot::Path(place)).unwrap_or(things);
                things[thing].clone()
            }
        }
    });
    let mut path = path.collect::<Vec<String>>().join("/");
    let mut query = form_urlencoded::Serializer::new(String::new());
    for field in &operation.query {
        if let Some(value) = value(field, &Spot::Query(field.name.clone())) {
            query.append_pair(&field.name, value.as_str().unwrap());
        }
    }
    let query = query.finish();
    if !query.is_empty() {
        path = format!("{path}?{query}");
    }
    let body = operation.body.as_ref().map(|fields| {
        let fields = fields.iter().filter_map(|field| {
            let value = value(field, &Spot::Body(field.name.clone()))?;
            Some((field.name.clone(), value))
        });
        Value::Object(fields.collect::<Map<String, Value>>())
    });
    Asked {
        method: operation.method.clone(),
        path,
        body,
        bytes: operation.takes_bytes.then(|| "# Tides\n".to_owned()),
        any_etag: operation.takes_etag,
    }
}

/// The thing that a field names, in the shape that the field has.
fn thing(operation: &str, field: &Field, things: &Things) -> Option<Value> {
    let thing = json!(things[thing_of(operation, &field.name)?]);
    Some(if is_of(field, "array") {
        json!([thing])
    } else {
        thing
    })
}

/// What a field needs that must be there.
fn required(operation: &str, field: &Field, things: &Things, fresh: &str) -> Value {
    match field.name.as_str() {
        // The one service that there is an account of.
        "integrationName" => return json!("slack"),
        "actionName" => return json!("send_channel_message"),
        "email" => return json!(format!("{fresh}@example.com")),
        _ => {}
    }
    if let Some(thing) = thing(operation, field, things) {
        return thing;
    }
    if let Some(values) = field.schema["enum"].as_array() {
        return values.last().unwrap().clone();
    }
    if is_of(field, "string") {
        json!(fresh)
    } else if is_of(field, "boolean") {
        json!(true)
    } else if is_of(field, "integer") {
        json!(1)
    } else {
        panic!("{operation}: say in given.rs what stands in {}", field.name)
    }
}

/// Whether a field is of a type, or of that or null.
fn is_of(field: &Field, kind: &str) -> bool {
    let kinds = &field.schema["type"];
    *kinds == kind
        || kinds
            .as_array()
            .is_some_and(|all| all.contains(&json!(kind)))
}

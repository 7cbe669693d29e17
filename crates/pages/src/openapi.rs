//! From an OpenAPI 3.1 document to the pages of the reference.
//!
//! Reads the document as JSON and takes what it understands; what it does not know it leaves out,
//! since a reference page that is not shown helps nobody. Only references within the document are
//! followed.

mod curl;
mod document;
mod prose;
mod schema;

use serde_json::{Map, Value};

use crate::views::reference::{
    Answer, Auth, Body, Group, Operation, Paragraph, ReferenceView, Row,
};
use document::{Document, text};

/// The verbs of a path item, in the order in which they are shown.
const VERBS: [&str; 7] = ["get", "post", "put", "patch", "delete", "head", "options"];

/// The pages' view of a document. Groups follow the document's list of tags, then the order in
/// which other tags appear; operations keep the order of the document.
pub fn from_openapi(document: &Value) -> ReferenceView {
    let doc = Document::new(document);
    let info = doc.root().get("info").unwrap_or(&Value::Null);
    let server = document
        .pointer("/servers/0/url")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let mut view = ReferenceView {
        title: text(info, "title"),
        version: text(info, "version"),
        description: prose::paragraphs(&text(info, "description")),
        server: server.trim_end_matches('/').to_owned(),
        groups: Vec::new(),
    };
    for tag in doc.list("/tags") {
        let name = text(tag, "name");
        let description = prose::paragraphs(&text(tag, "description"));
        view.groups.push(Group {
            name,
            description,
            ..Group::default()
        });
    }
    for (path, item) in doc.object("/paths") {
        let item = doc.resolve(item);
        for verb in VERBS {
            let Some(operation) = item.get(verb) else {
                continue;
            };
            let read = read_operation(&doc, &view.server, path, verb, item, operation);
            group_of(&mut view.groups, operation).operations.push(read);
        }
    }
    view.groups.retain(|group| !group.operations.is_empty());
    give_names(&mut view.groups);
    view
}

/// The properties of a schema of an object that stands for itself, and text as [`from_openapi`]
/// reads it: paragraphs and `code`.
pub(crate) fn rows(schema: &Value) -> Vec<Row> {
    schema::rows(&Document::new(schema), schema)
}

pub(crate) fn paragraphs(text: &str) -> Vec<Paragraph> {
    prose::paragraphs(text)
}

/// The group of the operation's first tag, made when it is new.
fn group_of<'a>(groups: &'a mut Vec<Group>, operation: &Value) -> &'a mut Group {
    let tag = operation
        .pointer("/tags/0")
        .and_then(Value::as_str)
        .unwrap_or("Other");
    let at = groups
        .iter()
        .position(|group| group.name == tag)
        .unwrap_or_else(|| {
            groups.push(Group {
                name: tag.to_owned(),
                ..Group::default()
            });
            groups.len() - 1
        });
    &mut groups[at]
}

fn read_operation(
    doc: &Document<'_>,
    server: &str,
    path: &str,
    verb: &str,
    item: &Value,
    operation: &Value,
) -> Operation {
    let method = verb.to_ascii_uppercase();
    let summary = match text(operation, "summary") {
        summary if summary.is_empty() => format!("{method} {path}"),
        summary => summary.trim_end_matches('.').to_owned(),
    };
    let params = read_params(doc, item, operation);
    let request = operation
        .get("requestBody")
        .and_then(|body| read_body(doc, doc.resolve(body)));
    let auth = read_auth(doc, operation);
    let curl = curl::command(&curl::Parts {
        method: &method,
        server,
        path,
        params: &params,
        body: request.as_ref(),
        bearer: auth != Auth::None,
    });
    Operation {
        name: text(operation, "operationId"),
        method,
        path: path.to_owned(),
        summary,
        description: prose::paragraphs(&text(operation, "description")),
        deprecated: operation
            .get("deprecated")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        auth,
        params,
        request,
        responses: read_responses(doc, operation),
        curl,
    }
}

/// Parameters of the path item and the operation; the operation's replace those of the same name
/// and place (OpenAPI 3.1 §4.8.10.1).
fn read_params(doc: &Document<'_>, item: &Value, operation: &Value) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for holder in [item, operation] {
        for param in holder
            .get("parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let param = doc.resolve(param);
            let row = schema::parameter(doc, param);
            match rows
                .iter_mut()
                .find(|old| old.name == row.name && old.place == row.place)
            {
                Some(old) => *old = row,
                None => rows.push(row),
            }
        }
    }
    rows
}

/// The media type that is shown: JSON when there is any.
fn read_body(doc: &Document<'_>, holder: &Value) -> Option<Body> {
    let content = holder.get("content")?.as_object()?;
    let (content_type, media) = content
        .iter()
        .find(|(name, _)| name.contains("json"))
        .or_else(|| content.iter().next())?;
    let schema = media.get("schema").unwrap_or(&Value::Null);
    let given = media.get("example").or_else(|| {
        media
            .get("examples")?
            .as_object()?
            .values()
            .next()?
            .get("value")
    });
    let made = || {
        content_type
            .contains("json")
            .then(|| schema::example(doc, schema))
            .flatten()
    };
    let example = given.cloned().or_else(made).map(|value| pretty(&value));
    Some(Body {
        content_type: content_type.clone(),
        kind: schema::kind(doc, schema),
        rows: schema::rows(doc, schema),
        example,
    })
}

fn read_responses(doc: &Document<'_>, operation: &Value) -> Vec<Answer> {
    let none = Map::new();
    let responses = operation
        .get("responses")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    responses
        .iter()
        .map(|(status, response)| {
            let response = doc.resolve(response);
            Answer {
                status: status.clone(),
                description: prose::paragraphs(&text(response, "description")),
                body: read_body(doc, response),
            }
        })
        .collect()
}

/// What the operation asks for, or else what the whole document does. An empty requirement among
/// several means that a credential may be left out (OpenAPI 3.1 §4.8.30).
fn read_auth(doc: &Document<'_>, operation: &Value) -> Auth {
    let Some(wanted) = operation
        .get("security")
        .or_else(|| doc.root().get("security"))
    else {
        return Auth::None;
    };
    let wanted: Vec<&Map<String, Value>> = wanted
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .collect();
    if wanted.is_empty() || wanted.iter().any(|one| one.is_empty()) {
        return Auth::None;
    }
    let mut scopes: Vec<String> = Vec::new();
    for scope in wanted
        .iter()
        .flat_map(|one| one.values())
        .filter_map(Value::as_array)
        .flatten()
    {
        if let Some(scope) = scope.as_str()
            && !scopes.iter().any(|known| known == scope)
        {
            scopes.push(scope.to_owned());
        }
    }
    Auth::Needed { scopes }
}

/// Gives every group an anchor and every operation a name of its own.
fn give_names(groups: &mut [Group]) {
    let mut taken = std::collections::HashSet::new();
    for group in groups {
        group.anchor = unique(&mut taken, &format!("tag-{}", slug(&group.name)));
        for operation in &mut group.operations {
            let wanted = match slug(&operation.name) {
                name if name.is_empty() => {
                    slug(&format!("{} {}", operation.method, operation.path))
                }
                name => name,
            };
            operation.name = unique(&mut taken, &wanted);
        }
    }
}

fn unique(taken: &mut std::collections::HashSet<String>, wanted: &str) -> String {
    let mut name = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(name.clone()) {
        name = format!("{wanted}-{number}");
        number += 1;
    }
    name
}

fn slug(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        if char.is_ascii_alphanumeric() || char == '_' {
            out.push(char.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

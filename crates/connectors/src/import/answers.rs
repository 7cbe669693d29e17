//! What an operation answers: status, media type, an example.

use super::media;
use super::openapi::Found;
use super::refs::Spot;
use super::schema::{Dialect, clean};
use super::tree::Node;
use crate::definition::Response;
use serde_json::{Map, Value};

/// So long an example helps; agents pay for each letter.
const LONGEST_EXAMPLE: usize = 700;

/// An answer of success.
#[derive(Default)]
pub(super) struct Answer<'d> {
    pub(super) response: Response,
    /// A media type to ask for, where it is not plain JSON.
    pub(super) accept: Option<String>,
    pub(super) schema: Option<Spot<'d>>,
    /// Names of its headers in small letters.
    pub(super) headers: Vec<String>,
}

pub(super) fn answer<'d>(found: &Found<'d>, dialect: Dialect) -> Answer<'d> {
    let mut made = Answer::default();
    let Some((status, spot)) = success(found.spot) else {
        return made;
    };
    made.response.status = status
        .parse()
        .ok()
        .filter(|status| *status != 200 && (200..400).contains(status));
    made.headers = spot
        .named("headers")
        .take(100)
        .map(|(name, _)| name.to_ascii_lowercase())
        .collect();
    let (name, media) = match dialect {
        Dialect::V2 => {
            made.schema = spot.get("schema");
            let offered: Vec<&str> = found.produces.clone();
            let name = of_answer(&offered);
            (name.filter(|_| made.schema.is_some()), None)
        }
        _ => {
            let offered: Vec<(&str, Spot<'d>)> = spot.named("content").take(50).collect();
            let names: Vec<&str> = offered.iter().map(|(name, _)| *name).collect();
            let name = of_answer(&names);
            let media = offered
                .iter()
                .find(|(own, _)| Some(*own) == name)
                .map(|(_, media)| *media);
            let media = media.and_then(|media| media.resolved().ok());
            made.schema = media.and_then(|media| media.get("schema"));
            (name, media)
        }
    };
    let bare = name.map(media::bare).unwrap_or_default();
    let is_file = made
        .schema
        .and_then(|schema| schema.resolved().ok())
        .is_some_and(|schema| {
            schema.text("type") == Some("file") || schema.text("format") == Some("binary")
        });
    made.response.binary = is_file && !media::is_json(&bare) || !media::is_text(&bare);
    if !bare.is_empty()
        && bare != "application/json"
        && media::is_plain(&bare)
        && !bare.contains('*')
    {
        made.accept = Some(bare.clone());
    }
    if made.response.binary && made.accept.is_none() {
        made.accept = Some("*/*".to_owned());
    }
    if made.response.binary {
        return made;
    }
    made.response.example = example(spot, media, name, made.schema);
    made
}

/// The answer that tells most: 200, else the first of success, else `default`.
fn success(spot: Spot<'_>) -> Option<(&str, Spot<'_>)> {
    let all: Vec<(&str, Spot<'_>)> = spot.named("responses").take(100).collect();
    let find = |fits: &dyn Fn(&str) -> bool| all.iter().find(|(status, _)| fits(status)).copied();
    let (status, answer) = find(&|status| status == "200")
        .or_else(|| find(&|status| status.starts_with('2')))
        .or_else(|| find(&|status| status == "default"))
        .or_else(|| find(&|status| status.starts_with('3')))?;
    Some((status, answer.resolved().ok()?))
}

/// JSON if it is offered.
fn of_answer<'d>(names: &[&'d str]) -> Option<&'d str> {
    let find =
        |fits: &dyn Fn(&str) -> bool| names.iter().find(|name| fits(&media::bare(name))).copied();
    find(&|bare| bare == "application/json")
        .or_else(|| find(&media::is_json))
        .or_else(|| find(&media::is_text))
        .or_else(|| names.first().copied())
}

/// An example that the document gives, or one put together from those of its properties.
fn example(
    answer: Spot<'_>,
    media: Option<Spot<'_>>,
    name: Option<&str>,
    schema: Option<Spot<'_>>,
) -> Option<Value> {
    let own = media.and_then(|media| {
        let first = || {
            let (_, first) = media.named("examples").next()?;
            first.resolved().ok()?.node.get("value")
        };
        media.node.get("example").or_else(first)
    });
    let of_v2 = || answer.node.get("examples")?.get(name?);
    let given = own
        .or_else(of_v2)
        .filter(|node| !matches!(node, Node::Null));
    for (width, depth) in [(24, 5), (12, 4), (6, 3), (4, 2)] {
        let made = match given {
            Some(node) => Some(short(node, width, depth)),
            None => schema.and_then(|schema| compose(schema, width, depth, &mut 300)),
        }?;
        let made = clean(made);
        if made.to_string().len() <= LONGEST_EXAMPLE {
            return Some(made);
        }
    }
    None
}

/// An example without what makes it long.
fn short(node: &Node, width: usize, depth: usize) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(flag) => Value::Bool(*flag),
        Node::Number(number) => Value::Number(number.clone()),
        Node::Text(text) if text.len() > 120 => {
            format!("{}…", &text[..text.floor_char_boundary(80)]).into()
        }
        Node::Text(text) => Value::String(text.to_string()),
        Node::List(list) => {
            let some = list.iter().take(usize::from(depth > 0));
            some.map(|item| short(item, width, depth - 1)).collect()
        }
        Node::Map(_) if depth == 0 => Value::Object(Map::new()),
        Node::Map(_) => {
            let some = node.members().iter().take(width);
            let some =
                some.map(|(name, member)| (name.to_string(), short(member, width, depth - 1)));
            Value::Object(some.collect())
        }
    }
}

/// An example of a schema, as far as the document gives values. `left` bounds the work.
fn compose(spot: Spot<'_>, width: usize, depth: usize, left: &mut usize) -> Option<Value> {
    *left = left.checked_sub(1)?;
    let spot = spot.resolved().ok()?;
    let first = |word: &str| spot.node.get(word).and_then(|list| list.list().first());
    let given = spot
        .node
        .get("example")
        .or_else(|| first("examples"))
        .or_else(|| spot.node.get("const"));
    if let Some(node) = given.filter(|node| !matches!(node, Node::Null)) {
        return Some(short(node, width, depth));
    }
    if depth == 0 {
        return None;
    }
    if let Some(items) = spot.get("items") {
        return compose(items, width, depth - 1, left).map(|item| Value::Array(vec![item]));
    }
    let mut made = Map::new();
    for part in spot.items("allOf").take(8) {
        if let Some(Value::Object(part)) = compose(part, width, depth, left) {
            made.extend(part);
        }
    }
    for (name, property) in spot.named("properties") {
        if made.len() >= width || *left == 0 {
            break;
        }
        if let Some(value) = compose(property, width, depth - 1, left) {
            made.insert(name.to_owned(), value);
        }
    }
    (!made.is_empty()).then_some(Value::Object(made))
}

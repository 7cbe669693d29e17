//! Schemas of all dialects as JSON Schema 2020-12 without references.

mod merge;
mod words;

pub(super) use words::clean;

use super::refs::Spot;
use super::tree::Node;
use super::words::line;
use quaymaster_core::schema::Checker;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// So many parts has the inputs' schema of one operation at most, references written out.
const MOST_PARTS: usize = 20_000;
/// So many have all operations together; each of the rest gets few.
const MOST_IN_ALL: usize = 6_000_000;
const FEW_PARTS: usize = 300;
/// Definitions are read 48 levels deep, and a schema takes two for each of its own.
const DEEPEST: usize = 16;
const LONGEST_DESCRIPTION: usize = 400;

/// What a document's version means for its schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAPI 2.0
    V2,
    /// OpenAPI 3.0
    V30,
    /// OpenAPI 3.1 and later: JSON Schema 2020-12
    V31,
    /// Google Discovery, rewritten as OpenAPI 3.0
    Discovery,
}

/// Writes schemas of one document.
pub(super) struct Schemas {
    pub(super) dialect: Dialect,
    left_in_all: usize,
    left: usize,
    /// Whether what a request does not carry is left out.
    of_request: bool,
    /// The addresses of schemas that are being written, which must not begin again inside.
    open: Vec<*const Node>,
    /// Properties that only answers have, of the object that is being written.
    dropped: Vec<String>,
    patterns: HashMap<String, bool>,
    changes: Vec<String>,
    /// Descriptions that were cut.
    pub(super) shortened: usize,
}

impl Schemas {
    pub(super) fn new(dialect: Dialect) -> Schemas {
        Schemas {
            dialect,
            left_in_all: MOST_IN_ALL,
            left: 0,
            of_request: true,
            open: Vec::new(),
            dropped: Vec::new(),
            patterns: HashMap::new(),
            changes: Vec::new(),
            shortened: 0,
        }
    }

    /// Begins with the next operation.
    pub(super) fn begin(&mut self) {
        self.left = MOST_PARTS.min(self.left_in_all.max(FEW_PARTS));
        self.changes.clear();
        self.open.clear();
        self.dropped.clear();
    }

    /// What had to be changed since the operation began, in words.
    pub(super) fn changes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.changes)
    }

    pub(super) fn change(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.changes.contains(&what) && self.changes.len() < 20 {
            self.changes.push(what);
        }
    }

    /// The schema at a place, for an input called `name` in messages.
    pub(super) fn write(&mut self, spot: Spot<'_>) -> Value {
        self.of_request = true;
        self.schema(spot)
    }

    fn schema(&mut self, spot: Spot<'_>) -> Value {
        let before = self.dropped.len();
        let made = self.part(spot);
        self.dropped.truncate(before);
        made
    }

    /// A schema of which another is a part: what was dropped is remembered.
    fn part(&mut self, spot: Spot<'_>) -> Value {
        if self.left == 0 {
            self.change("Its inputs have more parts than are written out; what is behind them takes anything.");
            return json!({});
        }
        self.left -= 1;
        self.left_in_all = self.left_in_all.saturating_sub(1);
        if let Node::Bool(flag) = spot.node {
            return Value::Bool(*flag);
        }
        if !spot.node.is_map() {
            self.change("A schema that is none takes anything.");
            return json!({});
        }
        if spot.reference().is_some() {
            return self.referred(spot);
        }
        if self.open.len() >= DEEPEST {
            self.change(format!(
                "What is nested deeper than {DEEPEST} levels takes anything."
            ));
            return stub(spot);
        }
        self.open.push(std::ptr::from_ref(spot.node));
        let made = self.object(spot);
        self.open.pop();
        Value::Object(made)
    }

    fn referred(&mut self, spot: Spot<'_>) -> Value {
        let target = match spot.resolved() {
            Ok(target) => target,
            Err(why) => {
                self.change(format!("Anything is taken where {why}."));
                return json!({});
            }
        };
        if self.open.contains(&std::ptr::from_ref(target.node)) {
            self.change("A schema that contains itself is cut where it begins again.");
            return stub(target);
        }
        let mut made = self.part(target);
        // Words beside a reference: 3.1 lets them count, before they were comments.
        let beside = spot.node.members().len() > 1;
        if let (true, Value::Object(made)) = (beside, &mut made) {
            let mut own = self.object(spot);
            if self.dialect != Dialect::V31 {
                own.retain(|word, _| {
                    matches!(
                        word.as_str(),
                        "description" | "title" | "default" | "examples"
                    )
                });
            }
            for word in ["description", "title", "default", "examples"] {
                if let Some(value) = own.remove(word) {
                    made.insert(word.to_owned(), value);
                }
            }
            merge::into(made, own);
        }
        made
    }

    fn object(&mut self, spot: Spot<'_>) -> Map<String, Value> {
        let mut made = Map::new();
        let before = self.dropped.len();
        for (word, inner) in spot.members() {
            match word {
                "properties" | "patternProperties" | "dependentSchemas" => {
                    let named = self.named(word, inner);
                    if !named.is_empty() {
                        made.insert(word.to_owned(), named.into());
                    }
                }
                "items" => match inner.node {
                    Node::List(list) => {
                        let all = list.iter().map(|node| self.schema(spot.at(node)));
                        let all: Vec<Value> = all.collect();
                        if !all.is_empty() {
                            made.insert("prefixItems".to_owned(), all.into());
                        }
                    }
                    _ => {
                        let schema = self.schema(inner);
                        made.insert(word.to_owned(), schema);
                    }
                },
                "additionalProperties"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties" => {
                    let schema = self.schema(inner);
                    // The usual case, said at length.
                    if word != "additionalProperties" || schema != json!(true) {
                        made.insert(word.to_owned(), schema);
                    }
                }
                "oneOf" | "anyOf" | "prefixItems" => {
                    let all = inner.node.list().iter();
                    let all: Vec<Value> = all.map(|node| self.schema(spot.at(node))).collect();
                    if !all.is_empty() {
                        made.insert(word.to_owned(), all.into());
                    }
                }
                "allOf" => {}
                "description" | "title" => {
                    if let Some(text) = inner.node.text() {
                        let said = line(text, LONGEST_DESCRIPTION);
                        if said.ends_with('…') && !text.trim_end().ends_with('…') {
                            self.shortened += 1;
                        }
                        if !said.is_empty() && word == "description" {
                            made.insert(word.to_owned(), said.into());
                        }
                    }
                }
                "pattern" => {
                    let pattern = inner.node.text().unwrap_or_default();
                    if self.is_pattern(pattern) {
                        made.insert(word.to_owned(), pattern.into());
                    }
                }
                _ => words::plain(self, word, inner.node, &mut made),
            }
        }
        for part in spot.items("allOf") {
            match self.part(part) {
                Value::Object(part) => merge::into(&mut made, part),
                Value::Bool(false) => {
                    made.insert("not".to_owned(), json!({}));
                }
                _ => {}
            }
        }
        words::settle(spot.node, &self.dropped[before..], &mut made);
        made
    }

    fn named(&mut self, word: &str, spot: Spot<'_>) -> Map<String, Value> {
        let mut made = Map::new();
        for (name, inner) in spot.members() {
            if self.left == 0 {
                self.change("Its inputs have more parts than are written out; what is behind them takes anything.");
                break;
            }
            if word == "patternProperties" && !self.is_pattern(name) {
                continue;
            }
            // The service says it, nobody else.
            if word == "properties" && self.of_request && is_read_only(inner) {
                self.dropped.push(name.to_owned());
                continue;
            }
            let schema = self.schema(inner);
            made.insert(name.to_owned(), schema);
        }
        made
    }

    /// Whether our engine takes a pattern; one with a look ahead or behind it does not.
    fn is_pattern(&mut self, pattern: &str) -> bool {
        let known = self.patterns.get(pattern).copied();
        let fits = known.unwrap_or_else(|| {
            let schema = json!({ "properties": { "x": { "type": "string", "pattern": pattern } } });
            let fits = pattern.len() <= 1_000
                && !pattern.is_empty()
                && schema
                    .as_object()
                    .is_some_and(|schema| Checker::new(schema).is_ok());
            if self.patterns.len() < 10_000 {
                self.patterns.insert(pattern.to_owned(), fits);
            }
            fits
        });
        if !fits && !pattern.is_empty() {
            self.change(format!(
                "The pattern {:?} cannot be checked here and is left out.",
                line(pattern, 80)
            ));
        }
        fits
    }
}

fn is_read_only(spot: Spot<'_>) -> bool {
    spot.flag("readOnly") || spot.resolved().is_ok_and(|spot| spot.flag("readOnly"))
}

/// What stays of a schema that is cut.
fn stub(spot: Spot<'_>) -> Value {
    match spot.text("type") {
        Some(kind @ ("object" | "array" | "string" | "integer" | "number" | "boolean")) => {
            json!({ "type": kind })
        }
        _ if spot.get("properties").is_some() => json!({ "type": "object" }),
        _ => json!({}),
    }
}

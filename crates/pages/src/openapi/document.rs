//! Looking things up in a document.

use serde_json::{Map, Value};

/// How many references in a row are followed; more is a circle.
const HOPS: usize = 16;

pub(super) struct Document<'a> {
    root: &'a Value,
    empty: Map<String, Value>,
}

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Value) -> Self {
        Document {
            root,
            empty: Map::new(),
        }
    }

    pub(super) fn root(&self) -> &Value {
        self.root
    }

    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        self.root
            .pointer(pointer)
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn object(&self, pointer: &str) -> &Map<String, Value> {
        self.root
            .pointer(pointer)
            .and_then(Value::as_object)
            .unwrap_or(&self.empty)
    }

    /// What `value` stands for: itself, or the target of its `$ref`. A reference that leads
    /// nowhere, out of the document or in a circle stands for nothing.
    pub(super) fn resolve<'v>(&'v self, value: &'v Value) -> &'v Value {
        let mut at = value;
        for _ in 0..HOPS {
            let Some(target) = at.get("$ref").and_then(Value::as_str) else {
                return at;
            };
            let Some(pointer) = target.strip_prefix('#') else {
                return &Value::Null;
            };
            let Some(next) = self.root.pointer(pointer) else {
                return &Value::Null;
            };
            at = next;
        }
        &Value::Null
    }
}

/// The text at a key, or the empty text.
pub(super) fn text(value: &Value, key: &str) -> String {
    value
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

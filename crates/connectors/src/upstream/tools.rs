//! What a server tells of its tools. It is a stranger's text: cleaned, cut to size, never believed to
//! be instructions.

use super::schema;
use crate::clean;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// Tools of one server that are kept.
pub const MOST_TOOLS: usize = 2_000;
/// The longest name (2025-11-25, tool names), in bytes.
const LONGEST_NAME: usize = 128;
/// In characters.
const LONGEST_TITLE: usize = 80;
const LONGEST_DESCRIPTION: usize = 4_000;

/// The tools that a server listed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// What the server calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// In the server's order.
    pub tools: Vec<Tool>,
    /// Tools without a usable name, or with that of another one.
    #[serde(default)]
    pub unusable: usize,
    /// There are more than are kept.
    #[serde(default)]
    pub is_cut: bool,
}

/// A tool of an upstream server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tool {
    /// As the server wants to be called.
    pub name: String,
    /// One line.
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of an object, which compiles.
    pub input: Map<String, Value>,
    /// An example of the structured result, made from its schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
    /// What the server says about it; a promise that nobody checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
}

impl Found {
    pub(super) fn of(server: Option<String>, listed: &[Value], is_cut: bool) -> Found {
        let mut seen = HashSet::new();
        let mut found = Found {
            server,
            is_cut: is_cut || listed.len() > MOST_TOOLS,
            ..Found::default()
        };
        for tool in listed.iter().take(MOST_TOOLS) {
            match Tool::of(tool) {
                Some(tool) if seen.insert(tool.name.clone()) => found.tools.push(tool),
                _ => found.unusable += 1,
            }
        }
        found
    }
}

impl Tool {
    /// `None` for one that cannot be called by its name.
    fn of(listed: &Value) -> Option<Tool> {
        let name = listed.get("name")?.as_str()?;
        let plain =
            !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control);
        if !plain || clean::text(name) != name {
            return None;
        }
        let hint = |key: &str| listed.pointer("/annotations")?.get(key)?.as_bool();
        let title = listed
            .get("title")
            .or_else(|| listed.pointer("/annotations/title"));
        let title = title.and_then(Value::as_str).map(one_line);
        let title = title
            .filter(|title| !title.is_empty())
            .unwrap_or_else(|| one_line(name));
        let description = listed.get("description").and_then(Value::as_str);
        let description = description.map(|text| cut(&clean::text(text), LONGEST_DESCRIPTION));
        let read_only = hint("readOnlyHint");
        Some(Tool {
            name: name.to_owned(),
            title,
            description: description.filter(|text| !text.trim().is_empty()),
            input: schema::input(listed.get("inputSchema")),
            example: listed.get("outputSchema").and_then(schema::example),
            read_only,
            // The protocol gives the hint a meaning only for tools that change something.
            destructive: hint("destructiveHint").filter(|_| read_only != Some(true)),
            idempotent: hint("idempotentHint"),
        })
    }
}

fn one_line(text: &str) -> String {
    let text = clean::text(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    cut(&words.join(" "), LONGEST_TITLE)
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_stranger_says_of_a_tool_is_cleaned_and_cut() {
        let listed = json!({
            "name": "read",
            "title": "Read\u{202e}\n it",
            "description": format!("Reads.\u{e0041}{}", "x".repeat(9_000)),
            "annotations": { "readOnlyHint": true, "destructiveHint": true },
        });
        let tool = Tool::of(&listed).unwrap();
        assert_eq!(tool.title, "Read it");
        let description = tool.description.unwrap();
        assert!(description.starts_with("Reads.xxx"));
        assert_eq!(description.chars().count(), LONGEST_DESCRIPTION + 1);
        assert_eq!((tool.read_only, tool.destructive), (Some(true), None));
        assert_eq!(Value::Object(tool.input), json!({ "type": "object" }));
    }

    #[test]
    fn tools_without_a_name_of_their_own_are_counted() {
        let long = "n".repeat(129);
        let listed = [
            json!({ "name": "a" }),
            json!({ "name": "a" }),
            json!({ "name": "" }),
            json!({ "name": "a\u{200b}" }),
            json!({ "name": "b\n" }),
            json!({ "name": long }),
            json!({ "name": 7 }),
            json!([]),
            json!({ "name": "Größe/b" }),
        ];
        let found = Found::of(None, &listed, false);
        let names: Vec<&str> = found.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["a", "Größe/b"]);
        assert_eq!(found.unusable, 7);
    }
}

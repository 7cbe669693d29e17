//! A definition with the tools of an account's server as actions.

use super::tools::Tool;
use crate::definition::{Action, Definition, Module, Response};
use indexmap::IndexMap;
use std::collections::{BTreeMap, HashSet};

/// The module of what was found.
pub const MODULE: &str = "tools";
/// The longest key of an action.
const LONGEST_KEY: usize = 64;

/// The definition with an action in the module [`MODULE`] for each tool that it does not list
/// itself. Its own actions stay as they are: somebody has read them.
pub fn with_tools<'t>(
    definition: &Definition,
    tools: impl IntoIterator<Item = &'t Tool>,
) -> Definition {
    let mut whole = definition.clone();
    let renamed = definition.mcp.iter().flat_map(|mcp| &mcp.names);
    let given: BTreeMap<&str, &str> = renamed
        .map(|(key, name)| (name.as_str(), key.as_str()))
        .collect();
    let own = definition
        .modules
        .values()
        .flat_map(|module| &module.actions);
    let listed: HashSet<&str> = own
        .map(|(key, action)| name_of(definition, key, action))
        .collect();
    let mut seen = HashSet::new();
    let tools: Vec<&Tool> = tools
        .into_iter()
        .filter(|tool| !listed.contains(tool.name.as_str()) && seen.insert(tool.name.as_str()))
        .collect();
    let mut taken: HashSet<String> = definition
        .modules
        .values()
        .flat_map(|module| module.actions.keys().cloned())
        .collect();
    taken.extend(given.values().map(|key| (*key).to_owned()));
    // In the order of names, so that a server's order does not decide who gets a number.
    let mut names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    names.sort_unstable();
    let mut keys: BTreeMap<&str, String> = BTreeMap::new();
    for name in names {
        let key = given
            .get(name)
            .map_or_else(|| free(&key_of(name), &mut taken), |key| (*key).to_owned());
        keys.insert(name, key);
    }
    let module = whole
        .modules
        .entry(MODULE.to_owned())
        .or_insert_with(|| Module {
            title: "Tools".to_owned(),
            summary: None,
            base_url: None,
            actions: IndexMap::new(),
        });
    for tool in tools {
        if let Some(key) = keys.remove(tool.name.as_str()) {
            module.actions.insert(key, action(tool));
        }
    }
    whole
}

/// The server's name of a listed action.
fn name_of<'d>(definition: &'d Definition, key: &'d str, action: &'d Action) -> &'d str {
    let renamed = definition.mcp.as_ref().and_then(|mcp| mcp.names.get(key));
    renamed.or(action.rpc.as_ref()).map_or(key, String::as_str)
}

fn action(tool: &Tool) -> Action {
    Action {
        title: tool.title.clone(),
        summary: tool.description.clone(),
        method: None,
        path: None,
        rpc: Some(tool.name.clone()),
        query: None,
        params: tool.input.clone(),
        content_type: crate::definition::ContentType::default(),
        read_only: Some(tool.read_only.unwrap_or(false)),
        destructive: tool.destructive,
        idempotent: tool.idempotent,
        pagination: None,
        response: Response {
            example: tool.example.clone(),
            ..Response::default()
        },
    }
}

/// A tool's name as the key of an action: `getIssue` and `get-issue` are `get_issue`.
fn key_of(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
                key.push('_');
            }
            key.push(c.to_ascii_lowercase());
        } else if !key.is_empty() && !key.ends_with('_') {
            key.push('_');
        }
        before = c;
    }
    let key = key.trim_matches('_');
    let key = key[..key.len().min(LONGEST_KEY)].trim_end_matches('_');
    if key.is_empty() {
        "tool".to_owned()
    } else {
        key.to_owned()
    }
}

/// The key, or the first with a number behind it that nobody has.
fn free(key: &str, taken: &mut HashSet<String>) -> String {
    let numbered = (2..).map(|n| {
        let end = format!("_{n}");
        format!("{}{end}", &key[..key.len().min(LONGEST_KEY - end.len())])
    });
    let mut all = std::iter::once(key.to_owned()).chain(numbered);
    let free = all.find(|key| !taken.contains(key)).unwrap_or_default();
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_of_names() {
        for (name, key) in [
            ("list_files", "list_files"),
            ("getIssue", "get_issue"),
            ("get-issue.v2", "get_issue_v2"),
            ("HTTPGet", "httpget"),
            ("/", "tool"),
            ("größe", "gr_e"),
            ("__a__b__", "a_b"),
        ] {
            assert_eq!(key_of(name), key, "{name}");
        }
        assert_eq!(key_of(&"x".repeat(128)).len(), LONGEST_KEY);
    }

    #[test]
    fn no_two_tools_get_one_key() {
        let mut taken = HashSet::from(["a".to_owned()]);
        assert_eq!(free("a", &mut taken), "a_2");
        assert_eq!(free("a", &mut taken), "a_3");
        let long = "x".repeat(LONGEST_KEY);
        assert_eq!(free(&long, &mut taken), long);
        assert_eq!(free(&long, &mut taken).len(), LONGEST_KEY);
    }
}

//! The first lines of a definition, without the rest: a hundred times cheaper than the whole.

use super::Entry;
use crate::definition::Tested;
use crate::load::{LIMITS, Problem};
use indexmap::IndexMap;
use quaymaster_yaml::strict;
use serde::Deserialize;
use std::sync::OnceLock;

const KEYS: [&str; 7] = [
    "key",
    "title",
    "summary",
    "categories",
    "tested",
    "version",
    "env",
];

#[derive(Deserialize)]
struct Head {
    key: String,
    title: String,
    summary: String,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    tested: Tested,
    version: String,
    #[serde(default)]
    env: IndexMap<String, String>,
}

/// What the head of a definition says. The keys of a definition begin their lines, which is how
/// they are found.
pub(super) fn of(text: &str, file: &str) -> Result<Entry, Problem> {
    let mut head = String::new();
    let mut words = String::new();
    let mut wanted = false;
    let mut in_modules = false;
    for line in text.lines() {
        let begins = line.starts_with(|first: char| first.is_ascii_alphabetic() || first == '"');
        if begins {
            let key = line.split(':').next().unwrap_or_default().trim_matches('"');
            wanted = KEYS.contains(&key);
            in_modules = key == "modules";
        }
        if wanted {
            head.push_str(line);
            head.push('\n');
        }
        if in_modules {
            titles(line, &mut words);
        }
    }
    let read: Result<Head, _> = serde_saphyr::from_str_with_options(&head, strict(LIMITS));
    let head = read.map_err(|error| {
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default();
        let message = message.split(" at line ").next().unwrap_or_default();
        Problem {
            file: file.to_owned(),
            line: 1,
            column: 1,
            key: String::new(),
            message: format!(
                "The head cannot be read: {message}. `quaymaster connector check` says more."
            ),
        }
    })?;
    Ok(Entry {
        key: head.key,
        title: head.title,
        summary: head.summary,
        categories: head.categories,
        tested: head.tested,
        version: head.version,
        env: head.env.into_values().collect(),
        words,
        terms: OnceLock::new(),
    })
}

/// Adds what stands behind `title:`, in a line of its own or within braces.
fn titles(line: &str, words: &mut String) {
    let starts = line.match_indices("title:").filter(|(at, _)| {
        line[..*at]
            .chars()
            .next_back()
            .is_none_or(|before| before == ' ' || before == '{')
    });
    for (at, name) in starts {
        let rest = line[at + name.len()..].trim_start();
        let end = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map(|end| end + 1),
            _ => rest.find([',', '}', '#']),
        };
        let title = &rest[..end.unwrap_or(rest.len())];
        words.push_str(title.trim_matches(['"', '\'', ' ']));
        words.push(' ');
    }
}

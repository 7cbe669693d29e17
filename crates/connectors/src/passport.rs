//! What agents read: the list of services, and the passport of one.

mod describe;
mod recipe;

pub use describe::describe;
pub use recipe::arguments;

use crate::catalog::{Entry, ranked};
use quaymaster_core::suggest::did_you_mean;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The whole text of [`list`], in bytes: every session begins with it.
pub const MOST_BYTES: usize = 5_000;
/// For the line that says how many more there are.
const RESERVED: usize = 48;
/// The most services of [`list_structured`].
const MOST_SERVICES: usize = 500;

/// What of the catalog somebody asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Plain words.
    pub query: Option<String>,
    pub category: Option<String>,
}

impl Asked {
    fn words(&self) -> Option<&str> {
        self.query
            .as_deref()
            .map(str::trim)
            .filter(|query| !query.is_empty())
    }

    /// Best first when there is a query, else in the order of the entries.
    fn of<'e>(&self, entries: impl IntoIterator<Item = &'e Entry>) -> Vec<&'e Entry> {
        let wanted = |entry: &&Entry| {
            let category = self
                .category
                .as_deref()
                .map(str::trim)
                .filter(|one| !one.is_empty());
            category.is_none_or(|wanted| {
                entry
                    .categories
                    .iter()
                    .any(|own| own.eq_ignore_ascii_case(wanted))
            })
        };
        let entries = entries.into_iter().filter(wanted);
        match self.words() {
            Some(query) => ranked(entries, query),
            None => entries.collect(),
        }
    }
}

/// The list as text: the connected services first, then the others, one line `key: summary` each.
/// At most [`MOST_BYTES`] bytes; what does not fit is counted in the last line.
pub fn list<'e>(
    entries: impl IntoIterator<Item = &'e Entry> + Clone,
    connected: &dyn Fn(&str) -> bool,
    asked: &Asked,
) -> String {
    let found = asked.of(entries.clone());
    if found.is_empty() {
        return nothing(entries, asked);
    }
    let (mine, others): (Vec<&Entry>, Vec<&Entry>) =
        found.into_iter().partition(|entry| connected(&entry.key));
    let mut text = String::new();
    let mut left = 0;
    let head = if mine.is_empty() {
        "Connected: none\n"
    } else {
        "Connected:\n"
    };
    text.push_str(head);
    block(&mut text, &mine, &mut left);
    if !others.is_empty() {
        text.push_str("\nNot connected:\n");
        block(&mut text, &others, &mut left);
    }
    if left > 0 {
        let how = if asked.words().is_some() {
            "use a narrower query"
        } else {
            "use query"
        };
        let _ = writeln!(text, "{left} more: {how}");
    }
    text
}

fn block(text: &mut String, entries: &[&Entry], left: &mut usize) {
    for entry in entries {
        let line = format!("{}: {}\n", shown(&entry.key, 64), shown(&entry.summary, 80));
        // After the first that does not fit none follows: the order means something.
        if *left > 0 || text.len() + line.len() + RESERVED > MOST_BYTES {
            *left += 1;
        } else {
            text.push_str(&line);
        }
    }
}

/// One line of at most so many characters, whoever wrote it.
fn shown(text: &str, longest: usize) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(longest)
        .collect()
}

fn nothing<'e>(entries: impl IntoIterator<Item = &'e Entry> + Clone, asked: &Asked) -> String {
    let mut text = String::from("No service fits.");
    if let Some(query) = asked.words() {
        let keys = entries.clone().into_iter().map(|entry| entry.key.as_str());
        let close = did_you_mean(query, keys, 3);
        if !close.is_empty() {
            let _ = write!(text, " Did you mean {}?", close.join(", "));
        }
    }
    let categories: BTreeSet<String> = entries
        .into_iter()
        .flat_map(|entry| &entry.categories)
        .map(|category| shown(category, 32))
        .collect();
    if !categories.is_empty() {
        let categories: Vec<String> = categories.into_iter().take(60).collect();
        let _ = write!(text, " Categories: {}.", categories.join(", "));
    }
    text.push('\n');
    text
}

/// The same for programs: `{services: [{key, title, summary, categories, tested, connected}],
/// more?}`, at most 500 services, connected ones first.
pub fn list_structured<'e>(
    entries: impl IntoIterator<Item = &'e Entry>,
    connected: &dyn Fn(&str) -> bool,
    asked: &Asked,
) -> Value {
    let found = asked.of(entries);
    let (mine, others): (Vec<&Entry>, Vec<&Entry>) =
        found.into_iter().partition(|entry| connected(&entry.key));
    let total = mine.len() + others.len();
    let services: Vec<Value> = mine
        .iter()
        .map(|entry| (entry, true))
        .chain(others.iter().map(|entry| (entry, false)))
        .take(MOST_SERVICES)
        .map(|(entry, connected)| {
            json!({
                "key": entry.key,
                "title": entry.title,
                "summary": entry.summary,
                "categories": entry.categories,
                "tested": entry.tested,
                "connected": connected,
            })
        })
        .collect();
    let mut list = json!({ "services": services });
    if total > MOST_SERVICES {
        list["more"] = json!(total - MOST_SERVICES);
    }
    list
}

//! Items of a list, changed where they stand in a text that stays as it is around them.
//!
//! The text is cut by its lines and read again: a change counts only if the list then has what it had,
//! but for the change. A text that is written so that this fails, as `[a, b]`, is not changed.

use crate::{Limits, strict};
use serde_json::Value;
use std::ops::Range;

/// What becomes of a list.
#[derive(Debug, Clone)]
pub enum Change {
    /// Another item in the place of one.
    Put(usize, Value),
    /// One more at the end.
    Add(Value),
    Remove(usize),
    /// An item changes places with the next one.
    Swap(usize),
}

impl Change {
    fn of(&self, items: &[Value]) -> Option<Vec<Value>> {
        let mut items = items.to_vec();
        match self {
            Change::Put(at, item) => items.get_mut(*at)?.clone_from(item),
            Change::Add(item) => items.push(item.clone()),
            Change::Remove(at) => drop((*at < items.len()).then(|| items.remove(*at))?),
            Change::Swap(at) => (at + 1 < items.len()).then(|| items.swap(*at, at + 1))?,
        }
        Some(items)
    }
}

/// What a text says, which need not be a whole file.
///
/// # Errors
/// What is wrong with it, for whoever wrote it.
pub fn value(text: &str, limits: Limits) -> Result<Value, String> {
    if text.len() > limits.bytes {
        return Err(format!("It is longer than {} bytes.", limits.bytes));
    }
    let read = serde_saphyr::from_str_with_options(text, strict(limits));
    read.map_err(|error| error.to_string())
}

/// A value as people write it, with a line end. None of what YAML cannot say.
pub fn written(value: &Value) -> Option<String> {
    let mut text = serde_saphyr::to_string(value).ok()?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Some(text)
}

/// The items of a list that is a member of the whole. None where they do not begin on lines of their own.
pub fn items(text: &str, list: &str, limits: Limits) -> Option<Vec<Value>> {
    let mut whole = value(text, limits).ok()?;
    match whole.get_mut(list)?.take() {
        Value::Array(items) => Cut::of(text, list, items.len()).map(|_| items),
        _ => None,
    }
}

/// The text with its list changed.
pub fn changed(text: &str, list: &str, change: &Change, limits: Limits) -> Option<String> {
    let mut wanted = value(text, limits).ok()?;
    let before = wanted.get(list)?.as_array()?;
    let cut = Cut::of(text, list, before.len())?;
    wanted[list] = Value::Array(change.of(before)?);
    let made = cut.changed(change)?;
    (value(&made, limits).ok()? == wanted).then_some(made)
}

/// A text with the lines of each item of its list.
struct Cut<'t> {
    lines: Vec<&'t str>,
    /// Where the first item is, or would be.
    begin: usize,
    spans: Vec<Range<usize>>,
}

impl<'t> Cut<'t> {
    /// None where it does not come to so many items.
    fn of(text: &'t str, list: &str, count: usize) -> Option<Cut<'t>> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let begin = lines.iter().position(|line| begins(line, list))? + 1;
        let spans = spans(&lines, begin..end_of_block(&lines, begin));
        (spans.len() == count).then_some(Cut {
            lines,
            begin,
            spans,
        })
    }

    fn changed(&self, change: &Change) -> Option<String> {
        let Cut {
            lines,
            begin,
            spans,
        } = self;
        let indent = spans.first().map_or(2, |span| indent_of(lines[span.start]));
        let item = |value: &Value| in_list(value, indent);
        let of = |span: &Range<usize>| lines[span.clone()].concat();
        let (before, after) = (
            |to: usize| lines[..to].concat(),
            |from: usize| lines[from..].concat(),
        );
        Some(match change {
            Change::Put(at, value) => {
                let span = spans.get(*at)?;
                before(span.start) + &item(value)? + &after(span.end)
            }
            Change::Add(value) => {
                let end = spans.last().map_or(*begin, |span| span.end);
                let mut text = before(end);
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text + &item(value)? + &after(end)
            }
            Change::Remove(at) => {
                let span = spans.get(*at)?;
                before(span.start) + &after(span.end)
            }
            Change::Swap(at) => {
                let (one, next) = (spans.get(*at)?, spans.get(at + 1)?);
                let mut moved = of(next);
                if !moved.ends_with('\n') {
                    moved.push('\n');
                }
                before(one.start)
                    + &moved
                    + &lines[one.end..next.start].concat()
                    + &of(one)
                    + &after(next.end)
            }
        })
    }
}

/// Whether the line is the key of a list that begins on the next one.
fn begins(line: &str, list: &str) -> bool {
    let rest = line
        .strip_prefix(list)
        .and_then(|rest| rest.strip_prefix(':'));
    rest.is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty() || rest.starts_with('#')
    })
}

/// Where the next key of the whole begins, or the text ends.
fn end_of_block(lines: &[&str], from: usize) -> usize {
    let is_next = |line: &&str| !line.starts_with([' ', '\t', '#', '-', '\r', '\n']);
    let next = lines[from..].iter().position(is_next);
    next.map_or(lines.len(), |next| from + next)
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The lines of each item; blank lines and comments between two belong to none.
fn spans(lines: &[&str], block: Range<usize>) -> Vec<Range<usize>> {
    let is_item = |line: &str| {
        let rest = line.trim_start_matches(' ');
        rest.starts_with("- ") || rest.trim_end() == "-"
    };
    let first = lines[block.clone()].iter().find(|line| is_item(line));
    let Some(indent) = first.map(|line| indent_of(line)) else {
        return Vec::new();
    };
    let begins = |at: &usize| is_item(lines[*at]) && indent_of(lines[*at]) == indent;
    let starts: Vec<usize> = block.clone().filter(begins).collect();
    let ends = starts.iter().skip(1).copied().chain([block.end]);
    let span = |(start, mut end): (usize, usize)| {
        while end > start + 1 {
            let rest = lines[end - 1].trim_start_matches(' ').trim_end();
            let is_comment = rest.starts_with('#') && indent_of(lines[end - 1]) <= indent;
            if !rest.is_empty() && !is_comment {
                break;
            }
            end -= 1;
        }
        start..end
    };
    starts.iter().copied().zip(ends).map(span).collect()
}

fn in_list(value: &Value, indent: usize) -> Option<String> {
    let text = written(value)?;
    let mut item = String::new();
    for (at, line) in text.lines().enumerate() {
        if !line.is_empty() {
            item.push_str(&" ".repeat(indent));
            item.push_str(if at == 0 { "- " } else { "  " });
        }
        item.push_str(line);
        item.push('\n');
    }
    Some(item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const LIMITS: Limits = Limits {
        bytes: 10_000,
        nodes: 1_000,
        aliases: 10,
        replayed: 100,
    };
    const TEXT: &str = "\
flow: a # its name
steps:
  # First.
  - id: one
    map: |
      - 1

      # no comment
  # Second.
  - { id: two, map: \"2\" }

# The end.
return: .steps
";

    fn made(change: &Change) -> String {
        changed(TEXT, "steps", change, LIMITS).unwrap()
    }

    #[test]
    fn an_item_is_put_in_the_place_of_another_and_the_rest_stays() {
        let item = json!({ "id": "new", "http": { "get": "https://a.example/${{ .input.id }}", "query": { "n": 1 } } });
        let put = made(&Change::Put(0, item.clone()));
        let (before, rest) = put.split_once("  - id: new\n").unwrap();
        assert_eq!(before, "flow: a # its name\nsteps:\n  # First.\n", "{put}");
        assert!(rest.contains("\n  # Second.\n  - { id: two"), "{put}");
        assert_eq!(items(&put, "steps", LIMITS).unwrap()[0], item);
    }

    #[test]
    fn items_are_added_removed_and_moved() {
        let added = made(&Change::Add(json!({ "wait": "2s" })));
        assert!(
            added.contains("  - { id: two, map: \"2\" }\n  - wait: 2s\n\n# The end.\nreturn"),
            "{added}"
        );
        let removed = made(&Change::Remove(0));
        assert_eq!(
            removed,
            "flow: a # its name\nsteps:\n  # First.\n  # Second.\n  - { id: two, map: \"2\" }\n\n# The end.\nreturn: .steps\n"
        );
        let moved = made(&Change::Swap(0));
        assert!(moved.contains("# First.\n  - { id: two, map: \"2\" }\n  # Second.\n  - id: one\n    map: |\n      - 1\n\n      # no comment\n\n# The end."), "{moved}");
        assert_eq!(items(&moved, "steps", LIMITS).unwrap()[1]["id"], "one");
    }

    #[test]
    fn what_cannot_be_cut_by_its_lines_is_not_changed() {
        let add = Change::Add(json!({ "wait": "2s" }));
        for text in [
            "steps: [{ wait: 1s }]",
            "{ steps: [] }",
            "steps: &all\n  - wait: 1s\n",
            "\"steps\":\n  - wait: 1s\n",
            "other: 1\n",
            "- steps\n",
            "steps:\n  - wait: [\n",
        ] {
            assert_eq!(changed(text, "steps", &add, LIMITS), None, "{text}");
        }
        for change in [
            Change::Put(2, json!({})),
            Change::Remove(2),
            Change::Swap(1),
        ] {
            assert_eq!(changed(TEXT, "steps", &change, LIMITS), None, "{change:?}");
        }
    }

    #[test]
    fn a_text_without_a_last_line_end_and_one_with_carriage_returns_are_changed() {
        let add = Change::Add(json!({ "wait": "2s" }));
        let made = |text: &str| changed(text, "steps", &add, LIMITS).unwrap();
        assert_eq!(
            made("steps:\n- wait: 1s"),
            "steps:\n- wait: 1s\n- wait: 2s\n"
        );
        let windows = made("steps:\r\n- wait: 1s\r\nreturn: .\r\n");
        assert_eq!(windows, "steps:\r\n- wait: 1s\r\n- wait: 2s\nreturn: .\r\n");
        let swapped = changed("steps:\n- a: 1\n- b: 2", "steps", &Change::Swap(0), LIMITS);
        assert_eq!(swapped.unwrap(), "steps:\n- b: 2\n- a: 1\n");
    }
}

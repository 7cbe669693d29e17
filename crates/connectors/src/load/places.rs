//! Where each key of a YAML text stands.

use serde_saphyr::granit_parser::{Event, Parser};
use std::collections::HashMap;

/// A line and a column, both from 1.
pub(crate) type At = (u64, u64);

/// The places of all keys and list items of a text.
pub(crate) struct Places {
    by_path: HashMap<Vec<String>, At>,
    in_order: Vec<(At, Vec<String>)>,
}

/// A list or map that is being read.
enum Open {
    List(usize),
    /// The key whose value comes next.
    Map(Option<String>),
}

impl Places {
    /// Of as much of the text as is YAML.
    pub(crate) fn of(text: &str) -> Self {
        let mut in_order: Vec<(At, Vec<String>)> = Vec::new();
        let mut path: Vec<String> = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        for next in Parser::new_from_str(text) {
            let Ok((event, span)) = next else { break };
            let at = (span.start.line() as u64, span.start.col() as u64 + 1);
            match event {
                Event::Scalar(..) | Event::Alias(_) => {
                    let name = match &event {
                        Event::Scalar(text, ..) => text.to_string(),
                        _ => String::new(),
                    };
                    if let Some(Open::Map(key @ None)) = open.last_mut() {
                        path.push(name.clone());
                        *key = Some(name);
                        in_order.push((at, path.clone()));
                        continue;
                    }
                    begin_item(&mut open, &mut path, at, &mut in_order);
                    end_value(&mut open, &mut path);
                }
                Event::SequenceStart(..) => {
                    begin_item(&mut open, &mut path, at, &mut in_order);
                    open.push(Open::List(0));
                }
                Event::MappingStart(..) => {
                    begin_item(&mut open, &mut path, at, &mut in_order);
                    open.push(Open::Map(None));
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                    end_value(&mut open, &mut path);
                }
                _ => {}
            }
        }
        let by_path = in_order
            .iter()
            .map(|(at, path)| (path.clone(), *at))
            .collect();
        Places { by_path, in_order }
    }

    /// The place of a path, or of the nearest thing around it that stands in the text.
    pub(crate) fn of_path(&self, path: &[String]) -> At {
        (0..=path.len())
            .rev()
            .find_map(|length| self.by_path.get(&path[..length]).copied())
            .unwrap_or((1, 1))
    }

    /// The path of the last key that begins at or before a place.
    pub(crate) fn key_at(&self, at: At) -> &[String] {
        let behind = self.in_order.partition_point(|(place, _)| *place <= at);
        match behind
            .checked_sub(1)
            .and_then(|last| self.in_order.get(last))
        {
            Some((_, path)) => path,
            None => &[],
        }
    }
}

fn begin_item(
    open: &mut [Open],
    path: &mut Vec<String>,
    at: At,
    in_order: &mut Vec<(At, Vec<String>)>,
) {
    if let Some(Open::List(index)) = open.last_mut() {
        path.push(index.to_string());
        *index += 1;
        in_order.push((at, path.clone()));
    }
}

fn end_value(open: &mut [Open], path: &mut Vec<String>) {
    match open.last_mut() {
        Some(Open::List(_)) => {
            path.pop();
        }
        Some(Open::Map(key)) => {
            *key = None;
            path.pop();
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn keys_and_items_are_found_at_their_line_and_column() {
        let places = Places::of("a: 1\nb:\n  c: [x, {d: 2}]\n  e:\n    - f: 3\n    - g\n");
        assert_eq!(places.of_path(&path("a")), (1, 1));
        assert_eq!(places.of_path(&path("b.c")), (3, 3));
        assert_eq!(places.of_path(&path("b.c.1.d")), (3, 11));
        assert_eq!(places.of_path(&path("b.e.0.f")), (5, 7));
        assert_eq!(places.of_path(&path("b.e.1")), (6, 7));
        assert_eq!(places.of_path(&path("b.e.1.missing")), (6, 7));
        assert_eq!(places.of_path(&path("nowhere")), (1, 1));
        assert_eq!(places.key_at((5, 20)), path("b.e.0.f"));
    }
}

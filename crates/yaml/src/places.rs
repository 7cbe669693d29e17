//! Where each key of a YAML text stands.

use serde_saphyr::granit_parser::{Event, Parser};
use std::collections::HashMap;

/// A line and a column, both from 1.
pub(crate) type At = (u64, u64);

/// A file that has more keys and items is not read anyway.
const MOST_NODES: usize = 300_000;
const DEEPEST: usize = 64;

/// The places of all keys and list items of a text. A tree, since paths of their own would cost a
/// hostile text nothing and us a gigabyte.
#[derive(Debug)]
pub(crate) struct Places {
    /// In the order of the text.
    nodes: Vec<Node>,
    children: HashMap<(Option<usize>, String), usize>,
}

#[derive(Debug)]
struct Node {
    at: At,
    parent: Option<usize>,
    name: String,
}

/// A list or map that is being read.
enum Open {
    List {
        of: Option<usize>,
        index: usize,
    },
    Map {
        of: Option<usize>,
        /// The key whose value comes next.
        key: Option<usize>,
    },
}

impl Places {
    /// Of as much of the text as is YAML.
    pub(crate) fn of(text: &str) -> Self {
        let mut places = Places {
            nodes: Vec::new(),
            children: HashMap::new(),
        };
        let mut open: Vec<Open> = Vec::new();
        for next in Parser::new_from_str(text) {
            let Ok((event, span)) = next else { break };
            if places.nodes.len() >= MOST_NODES || open.len() >= DEEPEST {
                break;
            }
            let at = (span.start.line() as u64, span.start.col() as u64 + 1);
            match event {
                Event::Scalar(..) | Event::Alias(_) => {
                    if let Some(Open::Map { of, key }) = open.last_mut()
                        && key.is_none()
                    {
                        let name = match &event {
                            Event::Scalar(text, ..) => text.to_string(),
                            _ => String::new(),
                        };
                        *key = Some(places.add(at, *of, name));
                        continue;
                    }
                    places.begin(&mut open, at);
                    end_value(&mut open);
                }
                Event::SequenceStart(..) => {
                    let of = places.begin(&mut open, at);
                    open.push(Open::List { of, index: 0 });
                }
                Event::MappingStart(..) => {
                    let of = places.begin(&mut open, at);
                    open.push(Open::Map { of, key: None });
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    open.pop();
                    end_value(&mut open);
                }
                _ => {}
            }
        }
        places
    }

    fn add(&mut self, at: At, parent: Option<usize>, name: String) -> usize {
        let node = self.nodes.len();
        self.children.insert((parent, name.clone()), node);
        self.nodes.push(Node { at, parent, name });
        node
    }

    /// A value begins: what it is the value of.
    fn begin(&mut self, open: &mut [Open], at: At) -> Option<usize> {
        match open.last_mut() {
            Some(Open::List { of, index }) => {
                let (of, name) = (*of, index.to_string());
                *index += 1;
                Some(self.add(at, of, name))
            }
            Some(Open::Map { key, .. }) => *key,
            None => None,
        }
    }

    /// The place of a path, or of the nearest thing around it that stands in the text.
    pub(crate) fn of_path<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> At {
        let mut found = None;
        for name in path {
            match self.children.get(&(found, name.to_owned())) {
                Some(node) => found = Some(*node),
                None => break,
            }
        }
        found.map_or((1, 1), |node| self.nodes[node].at)
    }

    /// Whether there is such a path.
    pub(crate) fn has(&self, path: &[&str]) -> bool {
        let step = |of: Option<usize>, name: &&str| {
            let node = self.children.get(&(of, (*name).to_owned()))?;
            Some(Some(*node))
        };
        path.iter().try_fold(None, step).is_some()
    }

    /// The path of the last key that begins at or before a place.
    pub(crate) fn key_at(&self, at: At) -> Vec<String> {
        let behind = self.nodes.partition_point(|node| node.at <= at);
        let mut node = behind.checked_sub(1);
        let mut path = Vec::new();
        while let Some(of) = node {
            path.push(self.nodes[of].name.clone());
            node = self.nodes[of].parent;
        }
        path.reverse();
        path
    }
}

fn end_value(open: &mut [Open]) {
    if let Some(Open::Map { key, .. }) = open.last_mut() {
        *key = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<&str> {
        text.split('.').collect()
    }

    #[test]
    fn keys_and_items_are_found_at_their_line_and_column() {
        let places = Places::of("a: 1\nb:\n  c: [x, {d: 2}]\n  e:\n    - f: 3\n    - g\n");
        assert_eq!(places.of_path(path("a")), (1, 1));
        assert_eq!(places.of_path(path("b.c")), (3, 3));
        assert_eq!(places.of_path(path("b.c.1.d")), (3, 11));
        assert_eq!(places.of_path(path("b.e.0.f")), (5, 7));
        assert_eq!(places.of_path(path("b.e.1")), (6, 7));
        assert_eq!(places.of_path(path("b.e.1.missing")), (6, 7));
        assert_eq!(places.of_path(path("nowhere")), (1, 1));
        assert_eq!(places.key_at((5, 20)), path("b.e.0.f"));
    }
}

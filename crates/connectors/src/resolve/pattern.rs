//! Paths of actions, and how a path that somebody wrote compares with them.

use crate::definition::Action;
use crate::params::STYLE;
use quaymaster_core::suggest::likeness;
use serde_json::{Map, Value};

/// The path of an action.
pub(super) struct Pattern<'d> {
    segments: Vec<Segment<'d>>,
}

enum Segment<'d> {
    /// Texts and names one after the other; mostly one of them.
    Pieces(Vec<Piece<'d>>),
    /// A name whose value may have slashes, and the text behind it in its last segment.
    Many(&'d str, &'d str),
}

enum Piece<'d> {
    Text(&'d str),
    Name(&'d str),
}

/// A path as it was given, cut and decoded once.
pub(super) struct Given {
    segments: Vec<String>,
}

impl Given {
    pub(super) fn of(path: &str) -> Given {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let segments = path.trim_matches('/').split('/').map(decoded).collect();
        Given { segments }
    }
}

impl<'d> Pattern<'d> {
    pub(super) fn of(action: &'d Action) -> Option<Pattern<'d>> {
        let text = action.path.as_ref()?.as_str();
        let properties = action.params.get("properties");
        let many = |name: &str| {
            let style = properties.and_then(|all| all.get(name)?.get(STYLE));
            style.is_some_and(|style| style == "segments")
        };
        let segments = text
            .trim_matches('/')
            .split('/')
            .map(|segment| {
                let pieces = pieces(segment);
                match pieces.as_slice() {
                    [Piece::Name(name)] if many(name) => Segment::Many(name, ""),
                    [Piece::Name(name), Piece::Text(behind)] if many(name) => {
                        Segment::Many(name, behind)
                    }
                    _ => Segment::Pieces(pieces),
                }
            })
            .collect();
        Some(Pattern { segments })
    }

    /// The values in the places of the names, if the path is one of this pattern.
    pub(super) fn values(&self, given: &Given) -> Option<Map<String, Value>> {
        let mut values = Map::new();
        fit_all(&self.segments, &given.segments, &mut values).then_some(values)
    }

    /// How many segments have no name in them. Of two patterns for one path the one with more means
    /// it: `/user/repos` before `/user/{name}`.
    pub(super) fn fixed(&self) -> usize {
        self.segments
            .iter()
            .filter(|segment| text_of(segment).is_some())
            .count()
    }

    /// How much a path looks like one of this pattern, from 0 to 1: the cheapest way to lay the
    /// segments of one over those of the other.
    pub(super) fn likeness(&self, given: &Given) -> f64 {
        const LEFT_OUT: f64 = 0.7;
        let width = self.segments.len();
        let mut row: Vec<f64> = (0..=width).map(|count| count as f64 * LEFT_OUT).collect();
        for (index, segment) in given.segments.iter().enumerate() {
            let mut next = vec![(index + 1) as f64 * LEFT_OUT];
            for (at, own) in self.segments.iter().enumerate() {
                let replaced = row[at] + cost(own, segment);
                next.push(
                    replaced
                        .min(row[at + 1] + LEFT_OUT)
                        .min(next[at] + LEFT_OUT),
                );
            }
            row = next;
        }
        let longest = width.max(given.segments.len()).max(1);
        1.0 - row[width] / longest as f64
    }
}

fn pieces(segment: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = segment;
    while let Some((text, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else {
            break;
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        pieces.push(Piece::Name(name));
        rest = after;
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

fn text_of<'d>(segment: &Segment<'d>) -> Option<&'d str> {
    match segment {
        Segment::Pieces(pieces) => match pieces.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        },
        Segment::Many(..) => None,
    }
}

fn fit_all(pattern: &[Segment<'_>], given: &[String], values: &mut Map<String, Value>) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return given.is_empty();
    };
    match first {
        Segment::Pieces(pieces) => given.split_first().is_some_and(|(segment, others)| {
            fit(pieces, segment, values) && fit_all(rest, others, values)
        }),
        Segment::Many(name, behind) => (1..=given.len()).rev().any(|count| {
            let (own, others) = given.split_at(count);
            let own = own.join("/");
            let Some(value) = own.strip_suffix(behind).filter(|own| !own.is_empty()) else {
                return false;
            };
            let fits = fit_all(rest, others, values);
            if fits {
                values.insert((*name).to_owned(), value.into());
            }
            fits
        }),
    }
}

fn fit(pieces: &[Piece<'_>], text: &str, values: &mut Map<String, Value>) -> bool {
    match pieces {
        [] => text.is_empty(),
        [Piece::Text(own), rest @ ..] => text
            .strip_prefix(own)
            .is_some_and(|text| fit(rest, text, values)),
        [Piece::Name(name), rest @ ..] => {
            let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
            let mut ends: Vec<usize> = ends.collect();
            // A name at the end takes all; before a text the least that leaves it.
            if rest.is_empty() {
                ends.reverse();
            }
            ends.into_iter().any(|end| {
                let fits = fit(rest, &text[end..], values);
                if fits {
                    values.insert((*name).to_owned(), text[..end].into());
                }
                fits
            })
        }
    }
}

/// What it costs to write one segment for another, from 0 to 1.
fn cost(own: &Segment<'_>, given: &str) -> f64 {
    const NAME: f64 = 0.15;
    if let Some(text) = text_of(own) {
        return 1.0 - likeness(text, given);
    }
    match own {
        Segment::Many(..) => NAME,
        Segment::Pieces(pieces) => match pieces.as_slice() {
            [Piece::Name(name)] if given == format!("{{{name}}}") => 0.0,
            [Piece::Name(_)] => NAME,
            pieces if fit(pieces, given, &mut Map::new()) => NAME / 2.0,
            pieces => {
                let texts = pieces.iter().filter_map(|piece| match piece {
                    Piece::Text(text) => Some(*text),
                    Piece::Name(_) => None,
                });
                1.0 - likeness(&texts.collect::<String>(), given).max(0.3)
            }
        },
    }
}

/// Percent-encoding taken off once (RFC 3986 §2.1); what is no UTF-8 is replaced.
fn decoded(segment: &str) -> String {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

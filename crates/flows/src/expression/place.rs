//! Programs that need no jq: a path from the context, or a constant.
//!
//! The rules are those of jq: a key of an object or null, an index of a list or null, null stays null.
//! Where jq would fail there is no value here, and jq is asked for the words.

use super::lexer::Token;
use crate::context::Context;
use serde_json::Value;

/// A program that is only a path or a constant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Simple {
    Path(Vec<PathPart>),
    Constant(Value),
}

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PathPart {
    Key(String),
    Index(i64),
}

pub(super) fn simple(tokens: &[Token<'_>]) -> Option<Simple> {
    match tokens {
        [Token::Number(number)] => whole(number).map(|number| Simple::Constant(number.into())),
        [Token::Text(text)] => plain(text).map(|text| Simple::Constant(text.into())),
        [Token::Name("true")] => Some(Simple::Constant(true.into())),
        [Token::Name("false")] => Some(Simple::Constant(false.into())),
        [Token::Name("null")] => Some(Simple::Constant(Value::Null)),
        [Token::Field(_), ..] => path(tokens).map(Simple::Path),
        _ => None,
    }
}

fn path(mut tokens: &[Token<'_>]) -> Option<Vec<PathPart>> {
    let mut parts = Vec::new();
    loop {
        let (part, rest) = match tokens {
            [] => return Some(parts),
            [Token::Field(name), rest @ ..] => (PathPart::Key((*name).to_owned()), rest),
            [
                Token::Sign('['),
                Token::Number(number),
                Token::Sign(']'),
                rest @ ..,
            ] => (PathPart::Index(whole(number)?), rest),
            [
                Token::Sign('['),
                Token::Text(text),
                Token::Sign(']'),
                rest @ ..,
            ] => (PathPart::Key(plain(text)?.to_owned()), rest),
            _ => return None,
        };
        parts.push(part);
        tokens = rest;
    }
}

/// A whole number, small enough to be the same everywhere and written the one way.
fn whole(digits: &str) -> Option<i64> {
    let number: i64 = digits.parse().ok()?;
    (digits.len() <= 15 && number.to_string() == digits).then_some(number)
}

/// A string without escapes.
fn plain(text: &str) -> Option<&str> {
    let plain = !text.contains('\\') && !text.chars().any(char::is_control);
    plain.then_some(text)
}

impl Simple {
    pub(super) fn value(&self, context: &Context) -> Option<Value> {
        match self {
            Simple::Constant(value) => Some(value.clone()),
            Simple::Path(parts) => context.at(parts),
        }
    }
}

/// What jq answers for a path within a value; none where it fails.
pub(crate) fn within(value: &Value, parts: &[PathPart]) -> Option<Value> {
    const NULL: &Value = &Value::Null;
    let found = parts
        .iter()
        .try_fold(value, |value, part| match (part, value) {
            (_, Value::Null) => Some(NULL),
            (PathPart::Key(key), Value::Object(map)) => Some(map.get(key).unwrap_or(NULL)),
            (PathPart::Index(index), Value::Array(list)) => {
                let index = usize::try_from(*index).ok()?;
                Some(list.get(index).unwrap_or(NULL))
            }
            _ => None,
        });
    found.cloned()
}

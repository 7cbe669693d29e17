//! Texts and values with `${{ }}` in them.

use crate::expression::{Program, scan};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Number, Value};
use std::fmt;

/// A text in which `${{ expression }}` stands for a value and `${{ secret.NAME }}` for a secret. An
/// expression that is the whole text is its value, of whatever type; within a text it is written as
/// text, null as nothing. `$${{` is written for `${{` itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", inline)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Program(Program),
    /// The name of a secret.
    Secret(String),
}

const OPENS: &str = "${{";

impl Template {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(OPENS) {
            if rest[..at].ends_with('$') {
                plain.push_str(&rest[..at - 1]);
                plain.push_str(OPENS);
                rest = &rest[at + OPENS.len()..];
                continue;
            }
            plain.push_str(&rest[..at]);
            rest = &rest[at + OPENS.len()..];
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let scanned = scan(rest, true)?;
            let source = rest[..scanned.end].trim();
            parts.push(match source.strip_prefix("secret.") {
                Some(name) if is_secret(name) => Part::Secret(name.to_owned()),
                Some(name) if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                    return Err(format!(
                        "{name:?} is no name of a secret: a capital letter, then capital letters, digits and `_`, at most 64"
                    ));
                }
                _ if source.is_empty() => {
                    return Err("An expression is missing between `${{` and `}}`".to_owned());
                }
                _ => Part::Program(Program::of(source, &scanned)?),
            });
            rest = &rest[scanned.end + 2..];
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template {
            text: text.to_owned(),
            parts,
        })
    }

    /// The text as it stands in the flow.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The text, when there is nothing to fill in.
    pub fn plain(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The expression, when it is the whole text.
    pub fn alone(&self) -> Option<&Program> {
        match self.parts.as_slice() {
            [Part::Program(program)] => Some(program),
            _ => None,
        }
    }

    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        self.parts.iter().filter_map(|part| match part {
            Part::Program(program) => Some(program),
            _ => None,
        })
    }

    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Secret(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Template::parse(&text)
    }
}

impl From<Template> for String {
    fn from(template: Template) -> String {
        template.text
    }
}

/// Whether it is a name that secrets of a workspace have: `[A-Z][A-Z0-9_]{0,63}`.
pub fn is_secret(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// A value with templates in the places of its texts. Keys of objects are no templates.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    Null,
    Bool(bool),
    Number(Number),
    Text(Template),
    List(Vec<Shape>),
    Map(IndexMap<String, Shape>),
}

impl Shape {
    /// Every template within, with the keys that lead to it.
    pub fn each<'a>(&'a self, at: &[String], visit: &mut dyn FnMut(&[String], &'a Template)) {
        let further = |key: String| {
            let mut path = at.to_vec();
            path.push(key);
            path
        };
        match self {
            Shape::Text(template) => visit(at, template),
            Shape::List(list) => {
                for (index, item) in list.iter().enumerate() {
                    item.each(&further(index.to_string()), visit);
                }
            }
            Shape::Map(map) => {
                for (key, value) in map {
                    value.each(&further(key.clone()), visit);
                }
            }
            Shape::Null | Shape::Bool(_) | Shape::Number(_) => {}
        }
    }
}

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Shape::Null => serializer.serialize_unit(),
            Shape::Bool(value) => serializer.serialize_bool(*value),
            Shape::Number(number) => number.serialize(serializer),
            Shape::Text(template) => serializer.serialize_str(template.as_str()),
            Shape::List(list) => list.serialize(serializer),
            Shape::Map(map) => map.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadShape)
    }
}

struct ReadShape;

impl<'de> de::Visitor<'de> for ReadShape {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Shape, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Shape, E> {
        Ok(Shape::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Shape, E> {
        Ok(Shape::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Shape, E> {
        Ok(Shape::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Shape, E> {
        Number::from_f64(value)
            .map(Shape::Number)
            .ok_or_else(|| E::custom("it is no number of JSON"))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Shape, E> {
        Template::parse(text).map(Shape::Text).map_err(E::custom)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Shape, A::Error> {
        let mut members = IndexMap::new();
        while let Some((key, value)) = map.next_entry()? {
            members.insert(key, value);
        }
        Ok(Shape::Map(members))
    }
}

impl JsonSchema for Shape {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Shape".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!(true)
    }
}

/// A value as it is written into a text: texts as they are, null as nothing, the rest as JSON.
pub fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<String> {
        let template = Template::parse(text).unwrap();
        let write = |part: &Part| match part {
            Part::Text(text) => format!("text {text}"),
            Part::Program(program) => format!("jq {}", program.source()),
            Part::Secret(name) => format!("secret {name}"),
        };
        template.parts().iter().map(write).collect()
    }

    #[test]
    fn expressions_secrets_and_text_are_told_apart() {
        assert_eq!(parts("a ${{ .b }} c"), ["text a ", "jq .b", "text  c"]);
        assert_eq!(
            parts("${{.a}}${{ secret.KEY_1 }}"),
            ["jq .a", "secret KEY_1"]
        );
        assert_eq!(parts("${{ {a: {b: \"}}\"}} }}"), ["jq {a: {b: \"}}\"}}"]);
        assert_eq!(parts("$${{ x }} ${{ .y }}"), ["text ${{ x }} ", "jq .y"]);
        assert_eq!(parts("$ {{ }} $"), ["text $ {{ }} $"]);
        assert!(parts("").is_empty());
    }

    #[test]
    fn what_is_no_template_is_refused_in_words() {
        for (text, word) in [
            ("${{ .a", "never closed"),
            ("${{ }}", "missing"),
            ("${{ (.a }}", "closes nothing"),
            ("${{ secret.key }}", "no name of a secret"),
            ("${{ \"Bearer \" + secret.KEY }}", "alone"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn text_without_expressions_stays_as_it_is(text in "[^$]{0,40}") {
            let template = Template::parse(&text).unwrap();
            prop_assert_eq!(template.plain(), Some(text.as_str()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in r#"[$ {}"\\()a.#é\n]{0,40}"#) {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(template.as_str(), text);
            }
        }

        #[test]
        fn what_is_put_together_comes_apart(pieces in proptest::collection::vec((0..3_usize, "[a-z]{1,6}"), 0..8)) {
            let mut text = String::new();
            let mut wanted: Vec<String> = Vec::new();
            for (kind, word) in &pieces {
                let upper = word.to_uppercase();
                let piece = match kind {
                    0 => format!("${{{{ .{word} | {{\"}}}}\": \"\\(.x)\"}} }}}}"),
                    1 => format!("${{{{ secret.{upper} }}}}"),
                    _ => word.clone(),
                };
                text.push_str(&piece);
                match (kind, wanted.last_mut()) {
                    (2, Some(last)) if last.starts_with("text ") => last.push_str(word),
                    (2, _) => wanted.push(format!("text {word}")),
                    (1, _) => wanted.push(format!("secret {upper}")),
                    _ => wanted.push(format!("jq .{word} | {{\"}}}}\": \"\\(.x)\"}}")),
                }
            }
            prop_assert_eq!(parts(&text), wanted);
        }
    }
}

//! A parameter of a query: text, and a number or a boolean where the field is one.

use serde::Deserializer;
use serde::de::value::StringDeserializer;
use serde::de::{IntoDeserializer, Visitor};
use serde_json::Error;

pub(super) struct Parameter(pub(super) String);

impl IntoDeserializer<'_, Error> for Parameter {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Parameter {
    fn text(self) -> StringDeserializer<Error> {
        self.0.into_deserializer()
    }
}

/// Only what would be written the same is taken: neither `007` nor `+1` is a number.
macro_rules! plain {
    ($($method:ident: $plain:ty, $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse::<$plain>() {
                Ok(value) if value.to_string() == self.0 => visitor.$visit(value),
                _ => visitor.visit_string(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Parameter {
    type Error = Error;

    plain! {
        deserialize_bool: bool, visit_bool;
        deserialize_i8: i64, visit_i64;
        deserialize_i16: i64, visit_i64;
        deserialize_i32: i64, visit_i64;
        deserialize_i64: i64, visit_i64;
        deserialize_u8: i64, visit_i64;
        deserialize_u16: i64, visit_i64;
        deserialize_u32: i64, visit_i64;
        deserialize_u64: i64, visit_i64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.text().deserialize_enum(name, variants, visitor)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde::de::value::MapDeserializer;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum State {
        Ready,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        text: Option<String>,
        limit: Option<i64>,
        all: Option<bool>,
        state: Option<State>,
    }

    fn read(pairs: &[(&str, &str)]) -> Result<Asked, Error> {
        let pairs = pairs
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Parameter((*text).to_owned())));
        Asked::deserialize(MapDeserializer::new(pairs))
    }

    #[test]
    fn a_parameter_is_what_its_field_is() {
        let asked = [
            ("text", "12"),
            ("limit", "12"),
            ("all", "true"),
            ("state", "ready"),
        ];
        let expected = Asked {
            text: Some("12".to_owned()),
            limit: Some(12),
            all: Some(true),
            state: Some(State::Ready),
        };
        assert_eq!(read(&asked).unwrap(), expected);
        assert_eq!(
            read(&[("text", "true")]).unwrap().text.as_deref(),
            Some("true")
        );
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for wrong in [
            ("limit", "007"),
            ("limit", "+1"),
            ("limit", "2026-01-01"),
            ("all", "yes"),
            ("state", "gone"),
            ("other", "1"),
        ] {
            assert!(read(&[wrong]).is_err(), "{wrong:?}");
        }
    }
}

//! Lengths of time as people write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// A length of time: a number and one of `ms`, `s`, `m`, `h`, `d`, for example `500ms` or `15s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(Duration);

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{1,9}(ms|s|m|h|d)$" })
    }
}

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

impl Span {
    pub const fn of(duration: Duration) -> Self {
        Span(duration)
    }

    pub const fn duration(self) -> Duration {
        self.0
    }

    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        if digits > 9 {
            return None;
        }
        let number: u64 = number.parse().ok()?;
        let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
        Some(Span(Duration::from_millis(number * factor)))
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Span::parse(&text).ok_or_else(|| {
            format!("{text:?} is no length of time; write a number and ms, s, m, h or d, for example 15s")
        })
    }
}

impl From<Span> for String {
    fn from(span: Span) -> String {
        span.to_string()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis() as u64;
        let whole = UNITS
            .iter()
            .find(|(_, factor)| millis >= *factor && millis.is_multiple_of(*factor));
        let (unit, factor) = whole.copied().unwrap_or(("s", 1_000));
        write!(f, "{}{unit}", millis / factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_a_number_and_a_unit() {
        for (text, millis) in [
            ("0s", 0),
            ("250ms", 250),
            ("15s", 15_000),
            ("2h", 7_200_000),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!(span.duration().as_millis(), millis);
            assert_eq!(span.to_string(), text);
        }
        for text in ["", "15", "s", "1.5s", "-1s", "15 s", "1w", "9999999999s"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }
}

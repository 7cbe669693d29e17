//! A result as JSON, within its limits.
//!
//! The interpreter knows more than JSON does. Numbers are written as jq writes them: whole ones without a point, no
//! number for "not a number", the largest one for infinity. Text is UTF-8, whatever bytes it had.

use super::{MAX_DEPTH, MAX_RESULT, MAX_VALUES, Why};
use jaq_json::{Num, Val};
use std::io::Write as _;

/// Up to here every whole number has a float of its own.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// What is left for the results of one question together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    bytes: usize,
    values: usize,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            bytes: MAX_RESULT,
            values: MAX_VALUES,
        }
    }
}

/// Appends `value`, if there is room for it.
pub(super) fn append(to: &mut Vec<u8>, value: &Val, room: &mut Room) -> Result<(), Why> {
    let most = to.len() + room.bytes;
    let mut writer = Writer {
        to,
        most,
        values: room.values,
    };
    writer.value(value, 0)?;
    room.values = writer.values;
    room.bytes = most - to.len();
    Ok(())
}

struct Writer<'w> {
    to: &'w mut Vec<u8>,
    /// How long it may become.
    most: usize,
    /// How many values may still come.
    values: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Val, depth: usize) -> Result<(), Why> {
        self.values = self.values.checked_sub(1).ok_or(Why::ResultTooLarge)?;
        match value {
            Val::Null => self.to.extend_from_slice(b"null"),
            Val::Bool(true) => self.to.extend_from_slice(b"true"),
            Val::Bool(false) => self.to.extend_from_slice(b"false"),
            Val::Num(number) => append_number(self.to, number),
            Val::BStr(bytes) | Val::TStr(bytes) => self.text(bytes)?,
            Val::Arr(values) => {
                descend(depth)?;
                self.to.push(b'[');
                for (at, value) in values.iter().enumerate() {
                    if at > 0 {
                        self.to.push(b',');
                    }
                    self.value(value, depth + 1)?;
                }
                self.to.push(b']');
            }
            Val::Obj(members) => {
                descend(depth)?;
                self.to.push(b'{');
                for (at, (name, value)) in members.iter().enumerate() {
                    if at > 0 {
                        self.to.push(b',');
                    }
                    let (Val::TStr(name) | Val::BStr(name)) = name else {
                        return Err(Why::Runtime(
                            "names of an object's members must be strings".to_owned(),
                        ));
                    };
                    self.text(name)?;
                    self.to.push(b':');
                    self.value(value, depth + 1)?;
                }
                self.to.push(b'}');
            }
        }
        if self.to.len() > self.most {
            return Err(Why::ResultTooLarge);
        }
        Ok(())
    }

    fn text(&mut self, bytes: &[u8]) -> Result<(), Why> {
        if bytes.len() > self.most.saturating_sub(self.to.len()) {
            return Err(Why::ResultTooLarge);
        }
        // A vector takes everything.
        let _ = serde_json::to_writer(&mut *self.to, &String::from_utf8_lossy(bytes));
        Ok(())
    }
}

fn descend(depth: usize) -> Result<(), Why> {
    if depth < MAX_DEPTH {
        Ok(())
    } else {
        Err(Why::TooDeep)
    }
}

fn append_number(to: &mut Vec<u8>, number: &Num) {
    let float = match number {
        Num::Int(whole) => {
            let _ = write!(to, "{whole}");
            return;
        }
        Num::BigInt(whole) => {
            let text = whole.to_string();
            if text.parse::<u64>().is_ok() {
                to.extend_from_slice(text.as_bytes());
                return;
            }
            text.parse().unwrap_or(f64::NAN)
        }
        Num::Float(float) => *float,
        Num::Dec(text) => text.parse().unwrap_or(f64::NAN),
    };
    if float.is_nan() {
        to.extend_from_slice(b"null");
    } else if float.fract() == 0.0 && float.abs() < WHOLE {
        let _ = write!(to, "{}", float as i64);
    } else {
        let _ = serde_json::to_writer(to, &float.clamp(f64::MIN, f64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jaq_json::read::parse_single;
    use proptest::prelude::*;
    use serde_json::Value;

    fn written(value: &Val) -> Result<String, Why> {
        let mut to = Vec::new();
        append(&mut to, value, &mut Room::default())?;
        Ok(String::from_utf8(to).unwrap())
    }

    #[test]
    fn numbers_are_those_of_json() {
        for (number, expected) in [
            (Num::Int(-3), "-3"),
            (Num::Float(3.0), "3"),
            (Num::Float(-0.0), "0"),
            (Num::Float(0.1), "0.1"),
            (Num::Float(1e17), "1e+17"),
            (Num::Float(f64::NAN), "null"),
            (Num::Float(f64::INFINITY), "1.7976931348623157e+308"),
            (Num::Float(f64::NEG_INFINITY), "-1.7976931348623157e+308"),
            (Num::Dec("2.50".to_owned().into()), "2.5"),
            (
                Num::Dec("1e1000".to_owned().into()),
                "1.7976931348623157e+308",
            ),
            (Num::Dec("00.5".to_owned().into()), "0.5"),
            (
                Num::from_str_radix("18446744073709551615", 10).unwrap(),
                "18446744073709551615",
            ),
            (
                Num::from_str_radix("100000000000000000000000", 10).unwrap(),
                "1e+23",
            ),
        ] {
            let text = written(&Val::Num(number)).unwrap();
            assert_eq!(text, expected);
            serde_json::from_str::<Value>(&text).unwrap();
        }
    }

    #[test]
    fn what_json_cannot_say_is_an_error_and_broken_text_is_mended() {
        let named_by_number = parse_single(b"{1: 2}").unwrap();
        assert!(matches!(written(&named_by_number), Err(Why::Runtime(_))));
        assert_eq!(
            written(&Val::utf8_str(&b"a\xffb"[..])).unwrap(),
            "\"a\u{fffd}b\""
        );
    }

    #[test]
    fn depth_and_size_end() {
        let nested = |depth| {
            parse_single(format!("{}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes()).unwrap()
        };
        assert!(written(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(written(&nested(MAX_DEPTH + 1)), Err(Why::TooDeep));
        let large = Val::utf8_str(vec![b'x'; MAX_RESULT / 2]);
        assert!(written(&large).is_ok());
        let twice: Val = [large.clone(), large].into_iter().collect();
        assert_eq!(written(&twice), Err(Why::ResultTooLarge));
        let mut room = Room::default();
        let mut half = || {
            append(
                &mut Vec::new(),
                &Val::utf8_str(vec![b'x'; MAX_RESULT / 2]),
                &mut room,
            )
        };
        assert_eq!([half(), half()], [Ok(()), Err(Why::ResultTooLarge)]);
        let many = |count| -> Val { std::iter::repeat_n(Val::Null, count).collect() };
        assert!(written(&many(MAX_VALUES - 1)).is_ok());
        assert_eq!(written(&many(MAX_VALUES)), Err(Why::ResultTooLarge));
    }

    proptest! {
        #[test]
        fn json_comes_through(value in json()) {
            let read = parse_single(value.to_string().as_bytes()).unwrap();
            let back: Value = serde_json::from_str(&written(&read).unwrap()).unwrap();
            prop_assert_eq!(back, value);
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            // A whole float comes back as a whole number, which is another value to this library.
            any::<f64>()
                .prop_filter("no number", |float| float.is_finite()
                    && float.fract() != 0.0)
                .prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(".{0,8}", inner, 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }
}

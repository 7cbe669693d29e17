//! Decimals as the server sends them: groups of four digits.

use serde_json::{Number, Value};
use std::fmt::Write as _;

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITE: u16 = 0xD000;
const MINUS_INFINITE: u16 = 0xF000;
/// Digits of which every decimal has a float of its own.
const EXACT: usize = 15;

/// A number where JSON has exactly that one for every reader, else a string with all digits.
pub(super) fn decimal(bytes: &[u8]) -> Option<Value> {
    let text = text(bytes)?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let float = text.parse::<f64>().ok().filter(|_| digits <= EXACT);
    Some(
        float
            .and_then(Number::from_f64)
            .map_or(Value::String(text), Value::Number),
    )
}

fn text(bytes: &[u8]) -> Option<String> {
    let word = |at: usize| {
        let word = bytes.get(at * 2..at * 2 + 2)?;
        Some(u16::from_be_bytes([word[0], word[1]]))
    };
    let (count, weight, sign, scale) = (word(0)?, word(1)? as i16, word(2)?, word(3)?);
    match sign {
        NOT_A_NUMBER => return Some("NaN".to_owned()),
        INFINITE => return Some("Infinity".to_owned()),
        MINUS_INFINITE => return Some("-Infinity".to_owned()),
        _ => {}
    }
    let groups: Vec<u16> = (0..usize::from(count))
        .map(|at| word(4 + at))
        .collect::<Option<_>>()?;
    // The group of 10000^power.
    let group = |power: i32| {
        usize::try_from(i32::from(weight) - power)
            .ok()
            .and_then(|at| groups.get(at))
            .copied()
            .unwrap_or(0)
    };
    let mut text = String::new();
    if sign == NEGATIVE {
        text.push('-');
    }
    let highest = i32::from(weight).max(0);
    let _ = write!(text, "{}", group(highest));
    for power in (0..highest).rev() {
        let _ = write!(text, "{:04}", group(power));
    }
    if scale > 0 {
        text.push('.');
        let mut fraction = String::new();
        for power in 1..=i32::from(scale.div_ceil(4)) {
            let _ = write!(fraction, "{:04}", group(-power));
        }
        fraction.truncate(usize::from(scale));
        text.push_str(&fraction);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(weight: i16, sign: u16, scale: u16, groups: &[u16]) -> Vec<u8> {
        let mut words = vec![groups.len() as u16, weight as u16, sign, scale];
        words.extend(groups);
        words.into_iter().flat_map(u16::to_be_bytes).collect()
    }

    #[test]
    fn decimals_are_numbers_where_that_is_exact() {
        for (bytes, expected) in [
            (sent(0, 0, 0, &[]), json!(0)),
            (sent(0, 0, 2, &[10, 5000]), json!(10.5)),
            (sent(0, NEGATIVE, 1, &[1, 5000]), json!(-1.5)),
            (sent(-1, 0, 4, &[25]), json!(0.0025)),
            (sent(-2, 0, 8, &[1]), json!(0.000_000_01)),
            (sent(1, 0, 0, &[1, 2]), json!(10_002)),
            (sent(1, 0, 0, &[5]), json!(50_000)),
            (
                sent(3, 0, 2, &[1234, 5678, 9012, 3456, 7800]),
                json!("1234567890123456.78"),
            ),
            (sent(5, 0, 0, &[1]), json!("100000000000000000000")),
            (sent(0, NOT_A_NUMBER, 0, &[]), json!("NaN")),
            (sent(0, MINUS_INFINITE, 0, &[]), json!("-Infinity")),
        ] {
            assert_eq!(decimal(&bytes), Some(expected), "{bytes:?}");
        }
        assert_eq!(decimal(&[0, 1]), None);
        assert_eq!(decimal(&sent(0, 0, 0, &[1])[..8]), None);
    }
}

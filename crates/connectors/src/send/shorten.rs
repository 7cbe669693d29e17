//! Keeps the beginning of an answer that is too long.

use super::answer::Data;
use serde_json::Value;

/// Marks the place where a text was cut.
const CUT: char = '…';
/// Names, quotes and commas of a member, about.
const AROUND: usize = 4;

/// Cuts an answer to about `limit` bytes as JSON: whole items of lists, whole members of objects and
/// the beginnings of texts stay. Bytes are never cut. Says whether anything is missing.
pub(crate) fn shorten(data: &mut Data, limit: usize) -> bool {
    match data {
        Data::Bytes { .. } => false,
        Data::Text(text) => cut(text, limit),
        Data::Value(value) => {
            let mut left = limit;
            fit(value, &mut left)
        }
    }
}

fn cut(text: &mut String, limit: usize) -> bool {
    if text.len() <= limit {
        return false;
    }
    text.truncate(text.floor_char_boundary(limit));
    text.push(CUT);
    true
}

fn fit(value: &mut Value, left: &mut usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            *left = left.saturating_sub(8);
            false
        }
        Value::String(text) => {
            let is_cut = cut(text, *left);
            *left = left.saturating_sub(text.len() + 2);
            is_cut
        }
        Value::Array(items) => {
            let mut is_cut = false;
            for at in 0..items.len() {
                if *left == 0 {
                    items.truncate(at);
                    return true;
                }
                is_cut |= fit(&mut items[at], left);
                *left = left.saturating_sub(1);
            }
            is_cut
        }
        Value::Object(members) => {
            let mut is_cut = false;
            let mut kept = 0;
            for (name, member) in members.iter_mut() {
                if *left == 0 {
                    break;
                }
                kept += 1;
                *left = left.saturating_sub(name.len() + AROUND);
                is_cut |= fit(member, left);
            }
            if kept < members.len() {
                let whole = std::mem::take(members);
                *members = whole.into_iter().take(kept).collect();
                return true;
            }
            is_cut
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_fits_stays_and_what_does_not_is_near_the_limit() {
        let whole = json!({ "items": (0..1000).map(|n| json!({ "id": n, "name": "x".repeat(50) })).collect::<Vec<_>>(), "after": 1 });
        let mut data = Data::Value(whole.clone());
        assert!(!shorten(&mut data, 200_000));
        assert_eq!(data, Data::Value(whole));
        assert!(shorten(&mut data, 5_000));
        let Data::Value(cut) = &data else {
            unreachable!()
        };
        let length = cut.to_string().len();
        assert!((2_500..6_000).contains(&length), "{length}");
        assert!(cut.get("after").is_none());
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        let mut data = Data::Text("é".repeat(10));
        assert!(shorten(&mut data, 5));
        assert_eq!(data, Data::Text("éé…".into()));
    }
}

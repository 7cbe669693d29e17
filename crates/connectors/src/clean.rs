//! Takes out of a stranger's text what a reader does not see, or sees elsewhere than it stands.

use serde_json::Value;
use std::borrow::Cow;

/// Whether a character is taken out: controls but for tab and line ends, marks of direction,
/// characters without width, tags and variation selectors of the supplement (which can carry whole
/// hidden texts), marks of annotation.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The text without hidden characters.
pub fn text(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|byte| (b' '..0x7f).contains(&byte) || matches!(byte, b'\t' | b'\n' | b'\r'))
    {
        return Cow::Borrowed(text);
    }
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter(|c| !is_hidden(*c)).collect())
}

/// Every text in a value, names of members too, passed through `with` if it changes anything.
pub(crate) fn each_text(value: &mut Value, with: &impl Fn(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(changed) = with(text) {
                *text = changed;
            }
        }
        // A secret of digits can stand as a number.
        Value::Number(number) => {
            if let Some(changed) = with(&number.to_string()) {
                *value = Value::String(changed);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, with)),
        Value::Object(members) => {
            if members.keys().any(|name| with(name).is_some()) {
                let renamed = std::mem::take(members).into_iter();
                *members = renamed
                    .map(|(name, member)| (with(&name).unwrap_or(name), member))
                    .collect();
            }
            members
                .values_mut()
                .for_each(|member| each_text(member, with));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn hidden_characters_go_and_what_people_write_stays() {
        for (dirty, clean) in [
            ("a\u{200b}b", "ab"),
            ("\u{202e}txt.exe", "txt.exe"),
            ("\u{1b}[31mred", "[31mred"),
            ("x\u{e0041}\u{e0042}y", "xy"),
            ("\u{feff}{}", "{}"),
            ("a\r\n\tb", "a\r\n\tb"),
            ("Größe ✓ 日本 🙂 Привет", "Größe ✓ 日本 🙂 Привет"),
        ] {
            assert_eq!(text(dirty), clean);
        }
    }

    #[test]
    fn names_of_members_are_texts_too() {
        let mut value = json!({ "a\u{200b}": [{ "b": "c\u{200b}" }], "n": 1 });
        each_text(&mut value, &|dirty| match text(dirty) {
            Cow::Owned(clean) => Some(clean),
            Cow::Borrowed(_) => None,
        });
        assert_eq!(value, json!({ "a": [{ "b": "c" }], "n": 1 }));
    }
}

//! What signs of fonts are as characters.

use unicode_normalization::UnicodeNormalization as _;

/// Accents that stand for themselves, and those that belong to a letter.
const ACCENTS: [(char, char); 14] = [
    ('`', '\u{300}'),
    ('\u{b4}', '\u{301}'),
    ('\u{2c6}', '\u{302}'),
    ('^', '\u{302}'),
    ('\u{2dc}', '\u{303}'),
    ('~', '\u{303}'),
    ('\u{af}', '\u{304}'),
    ('\u{2d8}', '\u{306}'),
    ('\u{2d9}', '\u{307}'),
    ('\u{a8}', '\u{308}'),
    ('\u{2da}', '\u{30a}'),
    ('\u{2dd}', '\u{30b}'),
    ('\u{2c7}', '\u{30c}'),
    ('\u{b8}', '\u{327}'),
];

/// Ligatures and the shapes that letters have within a word, as the letters that they are.
pub(super) fn folded(text: &str) -> String {
    let is_shape = |c: char| {
        matches!(c, '\u{fb00}'..='\u{fdf9}' | '\u{fe70}'..='\u{fefc}')
            && !matches!(c, '\u{fd3e}' | '\u{fd3f}')
    };
    if text.contains(is_shape) {
        text.nfkc().collect()
    } else {
        text.to_owned()
    }
}

/// One letter of an accent and a letter that are drawn over each other, whichever came first.
pub(super) fn composed(first: &str, second: &str) -> Option<String> {
    let accent = |text: &str| {
        let mut all = text.chars();
        let found = all.next().filter(|_| all.as_str().is_empty())?;
        ACCENTS.iter().find(|(alone, _)| *alone == found)
    };
    let (letter, accent) = match (accent(first), accent(second)) {
        (Some((_, accent)), None) => (second, *accent),
        (None, Some((_, accent))) => (first, *accent),
        _ => return None,
    };
    let mut all = letter.chars();
    // Those without a dot are there for accents.
    let letter = match all.next().filter(|_| all.as_str().is_empty())? {
        'ı' => 'i',
        'ȷ' => 'j',
        letter => letter,
    };
    let whole: String = [letter, accent].into_iter().nfc().collect();
    (letter.is_alphabetic() && whole.chars().count() == 1).then_some(whole)
}

/// What cuts a word at the end of a line.
pub(super) fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{ad}' | '\u{2010}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_letters() {
        assert_eq!(folded("ﬃﬂ"), "ffifl");
        assert_eq!(folded("ﻻ"), "لا");
        assert_eq!(folded("½ Ⅳ"), "½ Ⅳ");
    }

    #[test]
    fn an_accent_and_a_letter_are_one_where_there_is_such_a_letter() {
        assert_eq!(composed("¨", "o").as_deref(), Some("ö"));
        assert_eq!(composed("c", "¸").as_deref(), Some("ç"));
        assert_eq!(composed("´", "ı").as_deref(), Some("í"));
        assert_eq!(composed("¨", "1"), None);
        assert_eq!(composed("o", "p"), None);
    }
}

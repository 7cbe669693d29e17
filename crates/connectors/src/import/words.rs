//! Texts of a document as a definition may hold them, and names made from them.

use crate::lint::is_hidden;

/// One line without what nobody sees, cut at a word when it is longer than `longest` characters.
pub(super) fn line(text: &str, longest: usize) -> String {
    // Longer than any limit, shorter than what would take time.
    let text = &text[..text.floor_char_boundary(16 * 1024)];
    let mut made = String::new();
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|c| !is_hidden(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if !made.is_empty() {
            made.push(' ');
        }
        made.push_str(&word);
    }
    cut(&made, longest)
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(longest.saturating_sub(1)).collect();
    if let Some(space) = kept.rfind(' ').filter(|at| *at * 2 > kept.len()) {
        kept.truncate(space);
    }
    let kept = kept.trim_end_matches([' ', ',', ';', ':', '-', '.']);
    format!("{kept}…")
}

/// The first sentence, without its stop.
pub(super) fn sentence(text: &str) -> &str {
    let text = text.trim_start();
    let line = text.split("\n\n").next().unwrap_or_default();
    let end = line
        .find(". ")
        .or_else(|| line.find(".\n"))
        .unwrap_or(line.len());
    line[..end].trim_end_matches('.')
}

/// What something is called in keys: small letters, digits and `_`.
pub(super) fn snake(text: &str) -> String {
    let mut made = String::new();
    let letters: Vec<char> = text.chars().take(400).collect();
    for (at, letter) in letters.iter().copied().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            if !made.is_empty() && !made.ends_with('_') {
                made.push('_');
            }
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let behind = letters.get(at + 1);
        let begins_word = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase()
                    || before.is_ascii_digit()
                    || (before.is_ascii_uppercase() && behind.is_some_and(char::is_ascii_lowercase))
            });
        if begins_word && !made.ends_with('_') {
            made.push('_');
        }
        made.push(letter.to_ascii_lowercase());
    }
    made.trim_end_matches('_').to_owned()
}

/// A key of at most so many characters; what is longer ends with a digest of the whole, so that it
/// stays the same and apart from its neighbours.
pub(super) fn key(text: &str, longest: usize) -> String {
    let made = snake(text);
    if made.len() <= longest {
        return made;
    }
    let end = format!("_{:08x}", digest(text));
    let kept = &made[..longest - end.len()];
    format!("{}{end}", kept.trim_end_matches('_'))
}

/// FNV-1a: the same on every machine and in every version.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Words for people from a key: `list_pets` is "List pets".
pub(super) fn spoken(text: &str) -> String {
    let words = snake(text).replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_ascii_uppercase().to_string() + letters.as_str(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_of_every_way_to_write_names() {
        for (text, made) in [
            ("listPets", "list_pets"),
            ("repos/list-for-org", "repos_list_for_org"),
            ("getUserByID", "get_user_by_id"),
            ("HTTPServer2Go", "http_server2_go"),
            ("GET /pets/{id}", "get_pets_id"),
            ("__a--b__", "a_b"),
            ("日本", ""),
        ] {
            assert_eq!(snake(text), made);
        }
        let long = "a".repeat(90);
        assert_eq!(key(&long, 64).len(), 64);
        assert_ne!(key(&long, 64), key(&format!("{long}b"), 64));
    }

    #[test]
    fn lines_are_cut_at_words() {
        assert_eq!(line(" a\r\n\u{200b} b\u{fe0f} ", 10), "a b");
        assert_eq!(line("Everything about your pets", 20), "Everything about…");
        assert_eq!(sentence("First one. Second."), "First one");
        assert_eq!(spoken("listAllPets"), "List all pets");
    }
}

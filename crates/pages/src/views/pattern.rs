//! Patterns of definitions as browsers take them.
//!
//! Browsers read the attribute `pattern` with the flag `v`, in whose classes some signs stand for
//! something and have to be escaped (ECMAScript, `ClassSetSyntaxCharacter`). A pattern that is not
//! escaped so is an error on the page, and nothing is checked.

/// The pattern with every sign escaped that means itself in a class.
pub fn for_browsers(pattern: &str) -> String {
    let mut made = String::with_capacity(pattern.len() + 4);
    let mut signs = pattern.chars().peekable();
    let mut in_class = false;
    let mut is_first = false;
    while let Some(sign) = signs.next() {
        let was_first = std::mem::take(&mut is_first);
        match sign {
            '\\' => {
                made.push(sign);
                made.extend(signs.next());
                continue;
            }
            '[' if !in_class => {
                in_class = true;
                is_first = true;
            }
            '^' if was_first => is_first = true,
            ']' if in_class && !was_first => in_class = false,
            // Between two signs it is a range.
            '-' if in_class && (was_first || signs.peek() == Some(&']')) => made.push('\\'),
            '(' | ')' | '[' | '{' | '}' | '/' | '|' | ']' if in_class => made.push('\\'),
            _ => {}
        }
        made.push(sign);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::for_browsers;

    #[test]
    fn signs_that_mean_themselves_in_a_class_are_escaped() {
        for (pattern, expected) in [
            ("xox[a-z.-]+.+", r"xox[a-z.\-]+.+"),
            ("[A-Za-z0-9.-]+(:[0-9]+)?", r"[A-Za-z0-9.\-]+(:[0-9]+)?"),
            ("[-a-z]|[^-/]", r"[\-a-z]|[^\-\/]"),
            (r"[a\-]([(|)]{2})", r"[a\-]([\(\|\)]{2})"),
            (r"^[^A-Z\s.]+$", r"^[^A-Z\s.]+$"),
            ("required|off", "required|off"),
            ("[]a]", r"[\]a]"),
            ("[", "["),
            ("\\", "\\"),
        ] {
            assert_eq!(for_browsers(pattern), expected, "{pattern}");
        }
    }
}

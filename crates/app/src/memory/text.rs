//! Paths, contents, etags, lines and words of memory files.

use quaymaster_core::{Code, Fault, hex};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;

/// Of a file, in bytes.
pub const MOST_CONTENT: usize = 100 * 1024;
const MOST_PATH: usize = 512;
const MOST_DEPTH: usize = 32;
/// Characters of a word that count.
const MOST_WORD: usize = 64;
/// Behind every path.
pub(super) const END: &str = "\u{10FFFF}";
const ORGANIZATION: &str = "org/";

pub(super) fn is_of_organization(path: &str) -> bool {
    path.starts_with(ORGANIZATION)
}

/// Whether a list below a prefix can have files of the organization, and of the person.
pub(super) fn owners_below(prefix: &str) -> (bool, bool) {
    let organization = prefix.starts_with(ORGANIZATION) || ORGANIZATION.starts_with(prefix);
    (organization, !prefix.starts_with(ORGANIZATION))
}

pub(super) fn check_path(path: &str) -> Result<(), Fault> {
    let fits = path.len() <= MOST_PATH
        && path.matches('/').count() < MOST_DEPTH
        && path != "org"
        && !path.contains('\\')
        && !path.chars().any(|c| c.is_control() || c == '\u{10FFFF}')
        && path
            .split('/')
            .all(|part| !matches!(part, "" | "." | "..") && part.len() <= 255);
    if fits {
        return Ok(());
    }
    let shown = quaymaster_core::schema::shorten(path);
    Err(Fault::invalid_arg(
        "/path",
        "pattern",
        format!("{shown:?} cannot be the path of a memory file."),
    )
    .hint("A path is relative with /, has at most 512 bytes and no . or .. in it, for example projects/launch.md; org/ is the organization's folder."))
}

pub(super) fn check_content(content: &str) -> Result<(), Fault> {
    if content.len() > MOST_CONTENT {
        return Err(
            Fault::new(Code::TooLarge, "A memory file has at most 100 KiB.")
                .detail("limit_bytes", MOST_CONTENT)
                .detail("bytes", content.len())
                .hint("Split it into several files."),
        );
    }
    if content.contains('\0') {
        return Err(Fault::invalid_arg(
            "/content",
            "pattern",
            "A memory file is text, without NUL.",
        ));
    }
    Ok(())
}

pub(super) fn sha256(content: &str) -> String {
    hex(&Sha256::digest(content))
}

/// `sha256:` and the digest of the content.
pub fn etag(sha256: &str) -> String {
    format!("sha256:{sha256}")
}

/// Lower-case runs of letters and digits, each once.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| {
            let lower: String = word.chars().flat_map(char::to_lowercase).collect();
            // A small letter can be two characters, of which one is no letter.
            lower
                .chars()
                .filter(|c| c.is_alphanumeric())
                .take(MOST_WORD)
                .collect()
        })
        .collect()
}

/// By what a file is found.
pub(super) fn words_of(path: &str, content: &str) -> String {
    let mut all = words(path);
    all.extend(words(content));
    let all: Vec<String> = all.into_iter().collect();
    all.join(" ")
}

/// Whether a word, as [`words`] cuts it, begins with another one of them.
fn begins_with(word: &str, wanted: &str) -> bool {
    let lower = word.chars().flat_map(char::to_lowercase);
    let mut lower = lower.filter(|c| c.is_alphanumeric());
    wanted.chars().all(|c| lower.next() == Some(c))
}

/// The first line that has one of the words: its number from 1, and the line, shortened.
pub(super) fn line_with(content: &str, wanted: &[String]) -> Option<(usize, String)> {
    const MOST: usize = 200;
    let has = |line: &&str| {
        let mut words = line.split(|c: char| !c.is_alphanumeric());
        words.any(|word| wanted.iter().any(|wanted| begins_with(word, wanted)))
    };
    let (at, line) = content.lines().enumerate().find(|(_, line)| has(line))?;
    let line = line.trim();
    let shown: String = line.chars().take(MOST).collect();
    let cut = shown.len() < line.len();
    Some((at + 1, if cut { format!("{shown}…") } else { shown }))
}

/// Puts text behind line `line` (0 is the top, -1 the end).
pub(super) fn insert(content: &str, line: i64, text: &str) -> Result<String, Fault> {
    let total = content.lines().count();
    let line = if line == -1 {
        total
    } else {
        usize::try_from(line).unwrap_or(usize::MAX)
    };
    if line > total {
        return Err(
            Fault::new(Code::LineOutOfRange, format!("The file has {total} lines."))
                .detail("total_lines", total),
        );
    }
    let at: usize = content.split_inclusive('\n').take(line).map(str::len).sum();
    let (before, after) = content.split_at(at);
    let mut whole = before.to_owned();
    if !whole.is_empty() && !whole.ends_with('\n') {
        whole.push('\n');
    }
    whole.push_str(text);
    if !after.is_empty() && !text.ends_with('\n') {
        whole.push('\n');
    }
    whole.push_str(after);
    Ok(whole)
}

/// Replaces what occurs exactly once.
pub(super) fn replace_one(content: &str, old: &str, new: &str) -> Result<String, Fault> {
    let found: Vec<usize> = content
        .match_indices(old)
        .map(|(at, _)| at)
        .take(21)
        .collect();
    match found.as_slice() {
        [at] => Ok(format!(
            "{}{new}{}",
            &content[..*at],
            &content[at + old.len()..]
        )),
        [] => Err(
            Fault::new(Code::NoMatch, "The file does not contain old_str.")
                .hint("Read the file again and copy the text exactly, with its line ends."),
        ),
        several => {
            let line = |at: &usize| content[..*at].matches('\n').count() + 1;
            let lines: Vec<usize> = several.iter().take(20).map(line).collect();
            Err(Fault::new(
                Code::CountMismatch,
                "The file contains old_str more than once; nothing was written.",
            )
            .detail("lines", lines)
            .hint("Take more of the text around it into old_str."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_relative_and_plain() {
        for good in ["a", "a/b.md", "org/x", "организация/план.md", "a b/c"] {
            assert!(check_path(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/a",
            "a/",
            "a//b",
            "../a",
            "a/./b",
            "org",
            "a\\b",
            "a\nb",
            &"a".repeat(256),
        ] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn lines_are_inserted_where_they_are_told() {
        assert_eq!(insert("a\nb\n", 1, "x").unwrap(), "a\nx\nb\n");
        assert_eq!(insert("a\nb", -1, "x").unwrap(), "a\nb\nx");
        assert_eq!(insert("a", 0, "x\n").unwrap(), "x\na");
        assert_eq!(insert("", 0, "x").unwrap(), "x");
        let fault = insert("a\n", 2, "x").unwrap_err();
        assert_eq!(fault.code, Code::LineOutOfRange);
        assert!(insert("a\n", -2, "x").is_err());
    }

    #[test]
    fn only_what_is_there_once_is_replaced() {
        assert_eq!(replace_one("a b c", "b", "x").unwrap(), "a x c");
        assert_eq!(replace_one("a", "b", "x").unwrap_err().code, Code::NoMatch);
        let fault = replace_one("a\na", "a", "x").unwrap_err();
        assert_eq!(fault.details.unwrap()["lines"], serde_json::json!([1, 2]));
    }

    #[test]
    fn a_word_is_found_by_its_beginning_in_any_case() {
        let found = line_with("one\nDie Überprüfung läuft\n", &["überprüf".into()]);
        assert_eq!(found, Some((2, "Die Überprüfung läuft".into())));
        assert_eq!(words_of("Plan/Q3.md", "go, GO!"), "go md plan q3");
    }

    proptest! {
        #[test]
        fn words_have_letters_and_digits_only(text in "\\PC{0,60}") {
            for word in words(&text) {
                prop_assert!(!word.is_empty() || text.chars().any(char::is_alphanumeric));
                prop_assert!(word.chars().all(char::is_alphanumeric), "{word:?}");
            }
        }

        #[test]
        fn a_line_is_shown_when_a_word_of_it_begins_so(line in "[a-zÄİß ,]{0,30}", query in "[a-zÄİß]{1,3}") {
            let wanted: Vec<String> = words(&query).into_iter().collect();
            let has = words(&line).iter().any(|word| wanted.iter().any(|wanted| word.starts_with(wanted)));
            prop_assert_eq!(line_with(&line, &wanted).is_some(), has);
        }

        #[test]
        fn inserting_keeps_every_line(content in "[a-c\n]{0,20}", line in 0i64..20) {
            if let Ok(whole) = insert(&content, line, "x") {
                let left: Vec<&str> = whole.lines().filter(|line| *line != "x").collect();
                let before: Vec<&str> = content.lines().collect();
                prop_assert_eq!(left, before);
            }
        }
    }
}

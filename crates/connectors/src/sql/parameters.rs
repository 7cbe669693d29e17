//! From `:name` to the server's `$1`.
//!
//! What looks like a parameter inside of texts, names, comments and casts is none. The server reads the statement again
//! and decides what it means; a place that is read differently here can only lead to an error, since values travel beside the
//! text and never in it.

use quaymaster_core::Fault;
use quaymaster_core::suggest::did_you_mean;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A statement whose parameters were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'s> {
    /// Up to where it ends.
    statement: &'s str,
    /// Where each use of a parameter has its colon, and its name.
    uses: Vec<(usize, &'s str)>,
}

/// Why a text is no statement with parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    Empty,
    /// More than one statement.
    Several,
    /// A parameter by number.
    Numbered,
    /// A character that no text of the server can have.
    Nul,
}

impl Unusable {
    /// What whoever wrote the statement is told.
    pub fn fault(self) -> Fault {
        let message = match self {
            Unusable::Empty => "The statement is empty.",
            Unusable::Several => "There is more than one statement; a step runs one.",
            Unusable::Numbered => "Parameters are written `:name`, not `$1`.",
            Unusable::Nul => "The statement has a character that no database takes.",
        };
        Fault::invalid_arg("/query", "statement", message)
    }
}

/// Finds the parameters of a statement.
pub fn named(statement: &str) -> Result<Named<'_>, Unusable> {
    if statement.contains('\0') {
        return Err(Unusable::Nul);
    }
    let mut scan = Scan {
        text: statement,
        at: 0,
    };
    let mut uses = Vec::new();
    // Where it was seen to end, and whether there is anything before.
    let (mut end, mut any) = (None, false);
    while let Some(part) = scan.next() {
        match part {
            Part::Blank => continue,
            Part::End(at) => {
                end.get_or_insert(at);
                continue;
            }
            _ if end.is_some() => return Err(Unusable::Several),
            Part::Numbered => return Err(Unusable::Numbered),
            Part::Parameter(from, name) => uses.push((from, name)),
            Part::Other => {}
        }
        any = true;
    }
    if !any {
        return Err(Unusable::Empty);
    }
    Ok(Named {
        statement: &statement[..end.unwrap_or(statement.len())],
        uses,
    })
}

impl<'s> Named<'s> {
    /// As the server reads it, and the names of `$1`, `$2` and so on: one for each name.
    pub fn shared(&self) -> (Cow<'s, str>, Vec<&'s str>) {
        let mut names: Vec<&str> = Vec::new();
        let text = self.with_numbers(|name| {
            let known = names.iter().position(|known| *known == name);
            known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        });
        (text, names)
    }

    /// The same, with a number of its own for each use. The server then finds a type for each, where one for
    /// all would leave it in doubt, as in `:a IS NULL OR b = :a`.
    pub fn apart(&self) -> (Cow<'s, str>, Vec<&'s str>) {
        let mut names = Vec::new();
        let text = self.with_numbers(|name| {
            names.push(name);
            names.len() - 1
        });
        (text, names)
    }

    /// `number` counts from 0.
    fn with_numbers(&self, mut number: impl FnMut(&'s str) -> usize) -> Cow<'s, str> {
        if self.uses.is_empty() {
            return Cow::Borrowed(self.statement);
        }
        let mut made = String::with_capacity(self.statement.len());
        let mut copied = 0;
        for (from, name) in &self.uses {
            made.push_str(&self.statement[copied..*from]);
            made.push('$');
            made.push_str(&(number(name) + 1).to_string());
            copied = from + 1 + name.len();
        }
        made.push_str(&self.statement[copied..]);
        Cow::Owned(made)
    }

    /// Whether exactly the parameters that it has are given.
    pub(super) fn check(&self, given: &Map<String, Value>) -> Result<(), Fault> {
        fits(self.uses.iter().map(|(_, name)| *name), given)
    }
}

/// Whether exactly the parameters that a statement has are given.
///
/// # Errors
/// `INVALID_ARG`, with the name that is missing or too many.
pub fn fits<'n>(
    names: impl Iterator<Item = &'n str> + Clone,
    given: &Map<String, Value>,
) -> Result<(), Fault> {
    if let Some(missing) = names.clone().find(|name| !given.contains_key(*name)) {
        return Err(Fault::invalid_arg(
            "/params",
            "required",
            format!("The statement has :{missing}, and no such parameter is given."),
        )
        .meant(&did_you_mean(missing, given.keys().map(String::as_str), 1)));
    }
    let unused = given
        .keys()
        .find(|unused| names.clone().all(|name| name != **unused));
    match unused {
        Some(unused) => Err(Fault::invalid_arg(
            &format!("/params/{unused}"),
            "unused",
            format!("The statement has no :{unused}."),
        )
        .meant(&did_you_mean(unused, names, 1))),
        None => Ok(()),
    }
}

enum Part<'s> {
    /// White space and comments.
    Blank,
    /// `;`, and where it is.
    End(usize),
    /// `:name`, and where its colon is.
    Parameter(usize, &'s str),
    /// `$1`.
    Numbered,
    Other,
}

struct Scan<'s> {
    text: &'s str,
    /// Always between two characters.
    at: usize,
}

impl<'s> Scan<'s> {
    fn next(&mut self) -> Option<Part<'s>> {
        let from = self.at;
        let rest = &self.text[from..];
        let first = rest.chars().next()?;
        let second = rest[first.len_utf8()..].chars().next();
        let part = match (first, second) {
            (first, _) if first.is_whitespace() => {
                self.at += first.len_utf8();
                Part::Blank
            }
            ('-', Some('-')) => {
                self.at += rest.find('\n').unwrap_or(rest.len());
                Part::Blank
            }
            ('/', Some('*')) => {
                self.at += comment(rest);
                Part::Blank
            }
            (';', _) => {
                self.at += 1;
                Part::End(from)
            }
            ('\'', _) => {
                self.at += quoted(rest, '\'', false);
                Part::Other
            }
            ('"', _) => {
                self.at += quoted(rest, '"', false);
                Part::Other
            }
            ('$', Some('0'..='9')) => {
                self.at += 2;
                Part::Numbered
            }
            ('$', _) => {
                self.at += dollar_quoted(rest);
                Part::Other
            }
            (':', Some(':')) => {
                self.at += 2;
                Part::Other
            }
            (':', Some(start)) if starts_name(start) => {
                let name = word(&rest[1..]);
                // What follows a value directly is the bound of a slice, as in `list[1:n]`.
                let before = self.text[..from].chars().next_back();
                if before.is_some_and(|before| continues_name(before) || ")]\"".contains(before)) {
                    self.at += 1;
                    Part::Other
                } else {
                    self.at += 1 + name.len();
                    Part::Parameter(from, name)
                }
            }
            (first, _) if starts_name(first) => {
                let word = identifier(rest);
                self.at += word.len();
                // `E'…'` has escapes by backslash.
                if word.eq_ignore_ascii_case("e") && self.text[self.at..].starts_with('\'') {
                    self.at += quoted(&self.text[self.at..], '\'', true);
                }
                Part::Other
            }
            (first, _) if first.is_ascii_digit() => {
                self.at += rest
                    .find(|letter: char| !continues_name(letter) && letter != '.')
                    .unwrap_or(rest.len());
                Part::Other
            }
            (first, _) => {
                self.at += first.len_utf8();
                Part::Other
            }
        };
        Some(part)
    }
}

fn starts_name(letter: char) -> bool {
    letter.is_alphabetic() || letter == '_'
}

fn continues_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The name of a parameter.
fn word(text: &str) -> &str {
    &text[..text
        .find(|letter| !continues_name(letter))
        .unwrap_or(text.len())]
}

/// A name of the server's, in which `$` can stand.
fn identifier(text: &str) -> &str {
    let end = text.find(|letter| !continues_name(letter) && letter != '$');
    &text[..end.unwrap_or(text.len())]
}

/// The length of a text in quotes, which begins with one. A doubled quote does not end it.
fn quoted(text: &str, quote: char, escapes: bool) -> usize {
    let mut letters = text.char_indices().skip(1).peekable();
    while let Some((at, letter)) = letters.next() {
        if escapes && letter == '\\' {
            letters.next();
        } else if letter == quote {
            if letters.peek().is_none_or(|(_, next)| *next != quote) {
                return at + 1;
            }
            letters.next();
        }
    }
    text.len()
}

/// The length of `$tag$…$tag$`, or 1 for a dollar that begins no text.
fn dollar_quoted(text: &str) -> usize {
    let tag = word(&text[1..]);
    let Some(body) = text[1 + tag.len()..].strip_prefix('$') else {
        return 1;
    };
    let mark = &text[..tag.len() + 2];
    body.find(mark)
        .map_or(text.len(), |end| mark.len() + end + mark.len())
}

/// The length of a comment, in which others can be.
fn comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(statement: &str) -> (String, Vec<&str>) {
        let (text, names) = named(statement).unwrap().shared();
        (text.into_owned(), names)
    }

    #[test]
    fn names_become_numbers() {
        for (statement, text, names) in [
            ("SELECT 1", "SELECT 1", &[][..]),
            ("SELECT :a", "SELECT $1", &["a"]),
            (
                "SELECT * FROM o WHERE e=:email AND (:status IS NULL OR s = :status) LIMIT :limit;",
                "SELECT * FROM o WHERE e=$1 AND ($2 IS NULL OR s = $2) LIMIT $3",
                &["email", "status", "limit"],
            ),
            ("SELECT :a::text, x::int", "SELECT $1::text, x::int", &["a"]),
            (
                "SELECT ':no', \":no\", E'\\':no', ':''no'",
                "SELECT ':no', \":no\", E'\\':no', ':''no'",
                &[],
            ),
            (
                "SELECT $$:no$$, $t$ $$ :no $t$, :yes",
                "SELECT $$:no$$, $t$ $$ :no $t$, $1",
                &["yes"],
            ),
            (
                "SELECT 1 -- :no\n + :yes /* :no /* :no */ :no */",
                "SELECT 1 -- :no\n + $1 /* :no /* :no */ :no */",
                &["yes"],
            ),
            (
                "SELECT list[1:n], list[:from], f(x)[2:m]",
                "SELECT list[1:n], list[$1], f(x)[2:m]",
                &["from"],
            ),
            (
                "SELECT a$1, \"ä\" , :größe",
                "SELECT a$1, \"ä\" , $1",
                &["größe"],
            ),
            ("SELECT 'open :no", "SELECT 'open :no", &[]),
            ("SELECT a := 1", "SELECT a := 1", &[]),
            ("SELECT 1 ; -- the end", "SELECT 1 ", &[]),
            (
                "SELECT name'x', e 'a\\' , :yes",
                "SELECT name'x', e 'a\\' , $1",
                &["yes"],
            ),
        ] {
            assert_eq!(
                shown(statement),
                (text.to_owned(), names.to_vec()),
                "{statement}"
            );
        }
    }

    #[test]
    fn each_use_can_have_a_number_of_its_own() {
        let named = named("SELECT :a IS NULL OR b = :a").unwrap();
        let (text, names) = named.apart();
        assert_eq!(text, "SELECT $1 IS NULL OR b = $2");
        assert_eq!(names, ["a", "a"]);
    }

    #[test]
    fn what_is_not_one_statement_is_refused() {
        for (statement, why) in [
            ("", Unusable::Empty),
            (" \n-- nothing\n;", Unusable::Empty),
            ("SELECT 1; SELECT 2", Unusable::Several),
            ("SELECT 1;; DROP TABLE t", Unusable::Several),
            ("SELECT $1", Unusable::Numbered),
            ("SELECT '\0'", Unusable::Nul),
        ] {
            assert_eq!(named(statement), Err(why), "{statement}");
        }
        assert!(named("SELECT ';', \";\", $$;$$ -- ;").is_ok());
        assert!(named("SELECT 1;;").is_ok());
    }

    /// Pieces in which nothing is a parameter, whatever stands beside them.
    fn inert() -> impl Strategy<Value = String> {
        prop_oneof![
            "'[a-z:; $]{0,6}'",
            "\"[a-z:; $]{0,6}\"",
            "\\$\\$[a-z:; ]{0,6}\\$\\$",
            // The text has no x, and so nothing that ends it.
            "\\$x\\$[a-wyz:; $]{0,6}\\$x\\$",
            "/\\*[a-z:;' ]{0,6}\\*/",
            "--[a-z:;' ]{0,6}\n",
            "::[a-z]{1,4}",
            "[0-9]{1,3}",
            "[a-zäöü_]{1,6}",
            "[-+=<>(),.]",
        ]
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(statement in "\\PC{0,60}") {
            let _ = named(&statement);
        }

        #[test]
        fn hostile_text_is_read_to_its_end(statement in "[:;'\"$a1/*\\-\\\\eE \n]{0,40}") {
            if let Ok(named) = named(&statement) {
                prop_assert!(named.apart().1.iter().all(|name| !name.is_empty()));
            }
        }

        #[test]
        fn only_parameters_change(pieces in prop::collection::vec((inert(), any::<bool>()), 1..12)) {
            let (mut statement, mut expected, mut count) = (String::new(), String::new(), 0);
            for (piece, parameter) in &pieces {
                statement.push_str(piece);
                expected.push_str(piece);
                statement.push(' ');
                expected.push(' ');
                if *parameter {
                    count += 1;
                    let number = count.to_string();
                    statement.extend([":p", &number, " "]);
                    expected.extend(["$", &number, " "]);
                }
            }
            match named(&statement) {
                Ok(named) => {
                    prop_assert_eq!(named.uses.len(), count);
                    prop_assert_eq!(named.shared().0, expected.as_str());
                    prop_assert_eq!(named.apart().0, expected.as_str());
                }
                Err(why) => {
                    prop_assert_eq!(why, Unusable::Empty);
                    prop_assert_eq!(count, 0);
                }
            }
        }
    }
}

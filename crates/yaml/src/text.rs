use crate::places::{At, Places};
use crate::{Finding, Problem, Shape, mend, strict};
use serde_json::Value;
use std::sync::OnceLock;

/// A file that is read. Where its keys stand is worked out once, when the first problem asks.
#[derive(Debug)]
pub struct Text<'a> {
    source: &'a str,
    file: &'a str,
    places: OnceLock<Places>,
}

impl<'a> Text<'a> {
    /// `file` is what problems call it; empty when it comes from none.
    pub fn new(text: &'a str, file: &'a str) -> Self {
        Text {
            source: text,
            file,
            places: OnceLock::new(),
        }
    }

    /// What stands there, or every problem of its shape, in the order of the text.
    pub fn read<T: Shape>(&self) -> Result<T, Vec<Problem>> {
        let most = T::LIMITS.bytes;
        if self.source.len() > most {
            let message = format!(
                "The file has {} bytes; at most {most} are read.",
                self.source.len()
            );
            return Err(vec![self.problem((1, 1), String::new(), message)]);
        }
        serde_saphyr::from_str_with_options(self.source, strict(T::LIMITS))
            .map_err(|error| self.unreadable::<T>(&error))
    }

    /// Whether there is such a key.
    pub fn has(&self, path: &[&str]) -> bool {
        self.places().has(path)
    }

    /// A problem at a key of the text, for example `["steps", "2", "map"]`, or at the nearest thing
    /// around it that stands there.
    pub fn problem_at(&self, path: &[&str], message: impl Into<String>) -> Problem {
        let at = self.places().of_path(path.iter().copied());
        self.problem(at, path.join("."), message.into())
    }

    /// Nothing for nothing, else all of them at their places, in the order of the text.
    pub fn placed(&self, findings: Vec<Finding>) -> Result<(), Vec<Problem>> {
        if findings.is_empty() {
            return Ok(());
        }
        let mut problems: Vec<Problem> = findings
            .into_iter()
            .map(|finding| {
                let at = self.places().of_path(finding.at.iter().map(String::as_str));
                self.problem(at, finding.at.join("."), finding.message)
            })
            .collect();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Err(problems)
    }

    fn places(&self) -> &Places {
        self.places.get_or_init(|| Places::of(self.source))
    }

    /// The problems of a text of another shape: all of them when it is YAML at all, else the first.
    fn unreadable<T: Shape>(&self, error: &serde_saphyr::Error) -> Vec<Problem> {
        let options = strict(T::LIMITS);
        let error = match serde_saphyr::from_str_with_options::<Value>(self.source, options) {
            Ok(value) => match self.placed(mend::findings::<T>(value)) {
                Err(problems) => return problems,
                Ok(()) => error,
            },
            // What is no YAML says little about a shape.
            Err(error) => &{ error },
        };
        let at = error
            .location()
            .map_or((1, 1), |location| (location.line(), location.column()));
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default();
        let message = message.split(" at line ").next().unwrap_or(message);
        let message = match message.strip_prefix("duplicate mapping key: ") {
            Some(rest) => {
                let name = rest.split(',').next().unwrap_or_default();
                format!("The key `{name}` stands here twice")
            }
            None => message.to_owned(),
        };
        let key = self.places().key_at(at).join(".");
        vec![self.problem(at, key, format!("{message}."))]
    }

    fn problem(&self, (line, column): At, key: String, message: String) -> Problem {
        Problem {
            file: self.file.to_owned(),
            line,
            column,
            key: short(key),
            message: short(message),
        }
    }
}

/// Keys and values that are quoted can be as long as the file.
fn short(mut text: String) -> String {
    const MOST: usize = 700;
    if text.len() > MOST {
        text.truncate(text.floor_char_boundary(MOST));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;
    use serde::Deserialize;
    use serde_json::json;
    use std::time::{Duration, Instant};

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shelf {
        name: String,
        books: Vec<Book>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Book {
        title: String,
    }

    impl Shape for Shelf {
        const LIMITS: Limits = Limits {
            bytes: 1 << 20,
            nodes: 100_000,
            aliases: 10,
            replayed: 1_000,
        };

        fn filler() -> Value {
            json!({ "name": "x", "books": [] })
        }

        fn gap() -> Value {
            json!({ "title": "x" })
        }
    }

    fn told(text: &str) -> Vec<String> {
        let read = Text::new(text, "a.yaml").read::<Shelf>();
        read.err()
            .unwrap_or_default()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn all_problems_are_told_in_the_order_of_the_text() {
        assert_eq!(told("name: a\nbooks: [{title: b}]\n"), [] as [&str; 0]);
        assert_eq!(
            told("names: a\nbooks:\n  - {title: 5}\n  - {titel: b, title: c}\n"),
            [
                "a.yaml:1:1: names: There is no key `names` here. Did you mean `name`?",
                "a.yaml:1:1: The key `name` is missing.",
                "a.yaml:3:6: books.0.title: Wrong type: integer `5`, expected a string. Put it in quotes.",
                "a.yaml:4:6: books.1.titel: There is no key `titel` here. Did you mean `title`?",
            ]
        );
        assert_eq!(
            told("name: a\nname: b\nbooks: []\n"),
            ["a.yaml:2:1: name: The key `name` stands here twice."]
        );
        assert_eq!(
            told(&"#".repeat(2 << 20)),
            ["a.yaml:1:1: The file has 2097152 bytes; at most 1048576 are read."]
        );
    }

    #[test]
    fn thousands_of_problems_of_a_large_text_cost_one_look_at_it() {
        let mut text = "name: a\nbooks:\n".to_owned();
        text.push_str(&"  - {title: b}\n".repeat(20_000));
        let text = Text::new(&text, "");
        let shelf: Shelf = text.read().unwrap();
        assert_eq!(
            (shelf.name.as_str(), shelf.books[0].title.as_str()),
            ("a", "b")
        );
        let began = Instant::now();
        for index in 0..shelf.books.len() {
            let problem = text.problem_at(&["books", &index.to_string(), "title"], "x");
            assert_eq!((problem.line, problem.column), (index as u64 + 3, 6));
        }
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(text.has(&["books", "19999", "title"]));
        assert!(!text.has(&["books", "20000"]));
    }
}

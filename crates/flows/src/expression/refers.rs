//! What a program names, found by its words.

use super::lexer::Token;

/// A path that begins at what the program is given, for example `.steps.geo`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The names of the path, as far as they stand there.
    pub path: Vec<String>,
    /// Whether `.` is the context there for sure. Behind a pipe and within the arguments of a function
    /// it can be something else.
    pub certain: bool,
}

/// One level of brackets.
struct Level {
    certain: bool,
    /// Between `as` and its `|`, which leaves `.` what it was.
    binding: bool,
}

/// Behind these a path begins anew.
const KEYWORDS: [&str; 14] = [
    "and", "or", "if", "then", "elif", "else", "as", "reduce", "foreach", "try", "catch", "label",
    "def", "not",
];

pub(super) fn references(tokens: &[Token<'_>]) -> Vec<Reference> {
    let mut found: Vec<Reference> = Vec::new();
    let mut levels = vec![Level {
        certain: true,
        binding: false,
    }];
    let mut before: Option<Token<'_>> = None;
    // Whether the token before belongs to a path that is being collected.
    let mut collecting = false;
    for (index, token) in tokens.iter().enumerate() {
        let certain = levels.last().is_none_or(|level| level.certain);
        match token {
            Token::Field(name) if collecting => {
                if let Some(reference) = found.last_mut() {
                    reference.path.push((*name).to_owned());
                }
            }
            Token::Field(name) if begins(before) => {
                found.push(Reference {
                    path: vec![(*name).to_owned()],
                    certain,
                });
                collecting = true;
            }
            _ => collecting = false,
        }
        match token {
            Token::Name("as") => {
                if let Some(level) = levels.last_mut() {
                    level.binding = true;
                }
            }
            Token::Sign('|') => {
                let update = tokens.get(index + 1) == Some(&Token::Sign('='));
                if let Some(level) = levels.last_mut() {
                    level.certain &= level.binding && !update;
                    level.binding = false;
                }
            }
            Token::Sign('(') => {
                let loops = levels.last().is_some_and(|level| level.binding);
                let argument =
                    matches!(before, Some(Token::Name(name)) if !KEYWORDS.contains(&name));
                if let Some(level) = levels.last_mut() {
                    level.binding = false;
                }
                levels.push(Level {
                    certain: certain && !argument && !loops,
                    binding: false,
                });
            }
            Token::Sign('[' | '{') => levels.push(Level {
                certain,
                binding: false,
            }),
            Token::Sign(')' | ']' | '}') if levels.len() > 1 => {
                levels.pop();
            }
            _ => {}
        }
        before = Some(*token);
    }
    found
}

/// Whether a field behind this is the first of a path.
fn begins(before: Option<Token<'_>>) -> bool {
    match before {
        None => true,
        Some(Token::Name(name)) => KEYWORDS.contains(&name),
        Some(Token::Sign(sign)) => !matches!(sign, ')' | ']' | '}' | '?' | '…'),
        Some(_) => false,
    }
}

/// The name of a secret that a program tries to read.
pub(super) fn secret<'a>(tokens: &[Token<'a>]) -> Option<&'a str> {
    tokens
        .windows(2)
        .enumerate()
        .find_map(|(index, pair)| match pair {
            [Token::Name("secret"), Token::Field(name)]
                if index == 0 || !matches!(tokens[index - 1], Token::Dot) =>
            {
                Some(*name)
            }
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use crate::expression::Program;

    fn names(source: &str) -> Vec<String> {
        let program = Program::parse(source).unwrap();
        let write = |reference: &super::Reference| {
            let doubt = if reference.certain { "" } else { "?" };
            format!("{}{doubt}", reference.path.join("."))
        };
        program.references().iter().map(write).collect()
    }

    #[test]
    fn paths_from_the_context_are_found_and_others_doubted() {
        assert_eq!(
            names(".steps.geo.body[0].x + .input.n"),
            ["steps.geo.body", "input.n"]
        );
        assert_eq!(names(".steps.a as $g | .steps.b"), ["steps.a", "steps.b"]);
        assert_eq!(names(".steps.a | .steps.b"), ["steps.a", "steps.b?"]);
        assert_eq!(
            names("{x: .steps.a, y: [.steps.b]}"),
            ["steps.a", "steps.b"]
        );
        assert_eq!(names(".items | map(.steps.x)"), ["items", "steps.x?"]);
        assert_eq!(
            names("[.steps.a.rows[] | select(.n > 1)]"),
            ["steps.a.rows", "n?"]
        );
        assert_eq!(
            names("reduce .steps.a[] as $x (0; . + .steps.y) | .z"),
            ["steps.a", "steps.y?", "z?"]
        );
        assert_eq!(names(r#""\(.steps.a) and \(.b)""#), ["steps.a", "b"]);
        assert_eq!(names("if .a then .b else .c end"), ["a", "b", "c"]);
        assert_eq!(names(".a[0].steps.x"), ["a"]);
        assert_eq!(names("first.steps.x"), [] as [&str; 0]);
        assert_eq!(names(".a |= .b"), ["a", "b?"]);
    }

    #[test]
    fn a_program_that_reads_a_secret_is_refused() {
        let error = Program::parse(r#""Bearer " + secret.KEY"#).unwrap_err();
        assert!(error.contains("${{ secret.KEY }}"), "{error}");
        assert!(Program::parse(".secret.KEY").is_ok());
    }
}

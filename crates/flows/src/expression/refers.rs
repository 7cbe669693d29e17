//! What a program names, found by its words.
//!
//! Two questions are answered: which paths from the context stand in a program, for lint; and whether
//! those are all that it can read of the context, so that the rest need not be sent along. Of both the
//! answer is never more than what is sure.

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

/// What a program reads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reads {
    pub(super) references: Vec<Reference>,
    /// The context can be read in other ways than by these references.
    pub(super) whole: bool,
}

/// What opened a level.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Program,
    Round,
    Square,
    Curly,
    /// From `if` to `end`.
    If,
    /// `(init; update)` of `reduce` and `foreach`.
    Loop,
}

/// One level of brackets.
struct Level {
    of: Of,
    /// Whether `.` was the context where it opened.
    at_first: bool,
    /// Whether it is now.
    certain: bool,
    /// Between `as` and its `|`, which leaves `.` what it was.
    binding: bool,
}

impl Level {
    const fn new(of: Of, certain: bool) -> Self {
        Level {
            of,
            at_first: certain,
            certain,
            binding: false,
        }
    }

    /// Goes on where `.` is what it was at first.
    fn again(&mut self) {
        self.certain = self.at_first;
        self.binding = false;
    }
}

/// Words after which a path begins anew.
const KEYWORDS: [&str; 12] = [
    "and", "or", "if", "then", "elif", "else", "as", "reduce", "foreach", "try", "catch", "label",
];

/// Words that read nothing.
const SILENT: [&str; 15] = [
    "and", "or", "if", "then", "elif", "else", "end", "as", "reduce", "foreach", "try", "true",
    "false", "null", "empty",
];

pub(super) fn reads(tokens: &[Token<'_>]) -> Reads {
    let mut reads = Reads {
        references: Vec::new(),
        whole: false,
    };
    let mut levels = vec![Level::new(Of::Program, true)];
    let mut before: Option<Token<'_>> = None;
    // Whether the token before belongs to a path that is being collected.
    let mut collecting = false;
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1).copied();
        let Some(level) = levels.last_mut() else {
            break;
        };
        let certain = level.certain;
        match token {
            Token::Field(name) if collecting => {
                if let Some(reference) = reads.references.last_mut() {
                    reference.path.push((*name).to_owned());
                }
            }
            Token::Field(name) if begins(before) => {
                reads.references.push(Reference {
                    path: vec![(*name).to_owned()],
                    certain,
                });
                collecting = true;
            }
            _ => collecting = false,
        }
        reads.whole |= reads_more(*token, before, next, level);
        follow(*token, before, next, &mut levels);
        before = Some(*token);
    }
    reads
}

/// Opens and closes levels, and notes where `.` becomes something else.
fn follow(
    token: Token<'_>,
    before: Option<Token<'_>>,
    next: Option<Token<'_>>,
    levels: &mut Vec<Level>,
) {
    let Some(level) = levels.last_mut() else {
        return;
    };
    let certain = level.certain;
    match token {
        Token::Name("as") => level.binding = true,
        // What is caught is `.` there.
        Token::Name("catch") => level.certain = false,
        Token::Name("if") => levels.push(Level::new(Of::If, certain)),
        Token::Name("then" | "elif" | "else") if level.of == Of::If => level.again(),
        Token::Name("end") if level.of == Of::If => {
            levels.pop();
        }
        Token::Sign('|') => {
            let is_update = next == Some(Token::Sign('='));
            level.certain &= level.binding && !is_update;
            level.binding = false;
        }
        // Members of an object do not go on from each other.
        Token::Sign(',') if level.of == Of::Curly => level.again(),
        // The rest of a loop works on its own value.
        Token::Sign(';') if level.of == Of::Loop => level.certain = false,
        Token::Sign('(') if level.binding => {
            level.binding = false;
            levels.push(Level::new(Of::Loop, certain));
        }
        Token::Sign('(') => {
            let argument = matches!(before, Some(Token::Name(name)) if !KEYWORDS.contains(&name));
            levels.push(Level::new(Of::Round, certain && !argument));
        }
        Token::Sign('[') => levels.push(Level::new(Of::Square, certain)),
        Token::Sign('{') => levels.push(Level::new(Of::Curly, certain)),
        Token::Sign(')' | ']' | '}') if levels.len() > 1 => {
            levels.pop();
        }
        _ => {}
    }
}

/// Whether a word reads the context in another way than by a path, or may do so.
fn reads_more(
    token: Token<'_>,
    before: Option<Token<'_>>,
    next: Option<Token<'_>>,
    level: &Level,
) -> bool {
    let is_key = next == Some(Token::Sign(':'));
    let sign = |token: Option<Token<'_>>| match token {
        Some(Token::Sign(sign)) => sign,
        _ => ' ',
    };
    match token {
        // These change what `.` is in ways that are not followed.
        Token::Name("catch" | "label" | "def" | "import" | "include") => true,
        // `{"a"}` is `{"a": .a}`, and so is `{a}`.
        Token::Text(_) if level.of == Of::Curly && matches!(sign(before), '{' | ',') => {
            level.certain && !is_key
        }
        Token::Name(name) => {
            level.certain && !SILENT.contains(&name) && !(is_key && level.of == Of::Curly)
        }
        // `.` and `..`
        Token::Dot | Token::Sign('…') => level.certain,
        // An assignment answers all that it was given, changed.
        Token::Sign('=') => {
            let is_comparison = matches!(sign(before), '=' | '!' | '<' | '>') || sign(next) == '=';
            !is_comparison
        }
        _ => false,
    }
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
    let pairs = tokens.windows(2).enumerate();
    pairs
        .filter(|(index, _)| *index == 0 || tokens[index - 1] != Token::Dot)
        .find_map(|(_, pair)| match pair {
            [Token::Name("secret"), Token::Field(name)] => Some(*name),
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
        for (source, wanted) in [
            (".steps.geo.body[0].x + .input.n", "steps.geo.body input.n"),
            (".steps.a as $g | .steps.b", "steps.a steps.b"),
            (".steps.a | .steps.b", "steps.a steps.b?"),
            ("{x: .steps.a, y: [.steps.b]}", "steps.a steps.b"),
            ("{x: .a | .b, y: .c}", "a b? c"),
            (".items | map(.steps.x)", "items steps.x?"),
            ("[.steps.a.rows[] | select(.n > 1)]", "steps.a.rows n?"),
            ("reduce .a[] as $x (.b; . + .y) | .z", "a b y? z?"),
            (r#""\(.steps.a) and \(.b)""#, "steps.a b"),
            ("if .a then .b else .c end", "a b c"),
            ("if .a | .x then .b | .y else .c end | .d", "a x? b y? c d?"),
            ("try .a catch .message", "a message?"),
            (".a[0].steps.x", "a"),
            (".a[.i].x", "a i"),
            ("first.steps.x", ""),
            (".a |= .b", "a b?"),
            ("$x.y + .a", "a"),
        ] {
            assert_eq!(names(source).join(" "), wanted, "{source}");
        }
    }

    #[test]
    fn a_program_that_may_read_everything_is_known() {
        for source in [
            ".",
            "..",
            "length",
            "[.]",
            "keys",
            "{input}",
            "{\"input\"}",
            ".a |= 1",
            ".a = 1",
            ".a += 1",
            "getpath([\"a\"])",
            "if .a then length else 0 end",
            "{a: .b, c: length}",
            "reduce .a[] as $x (.; 1)",
            "try .a catch .",
            "label $f | .a",
            ".a as $x | length",
            "\"\\(.)\"",
            ".a + (.b | 1) + length",
            "@base64",
            ".[\"a\"]",
            "map(.x)",
        ] {
            assert!(Program::parse(source).unwrap().reads_all(), "{source}");
        }
        for source in [
            ".a",
            ".a | length",
            "{a: .b, \"c\": .d}",
            "[.a[] | {x, y: .z}]",
            ".a == .b",
            ".a >= 1",
            "if .a | length > 0 then .b | keys else .c end",
            "(.a | not) and .b",
            "reduce .a[] as $x (0; . + $x)",
            ".a as $x | .b | map(. + $x)",
            "\"\\(.a)\"",
            "[]",
            ".a // [] | length == 0",
            "true",
            ".a | .b = 1 | 2",
        ] {
            let all = Program::parse(source).unwrap().reads_all();
            assert_eq!(all, source.contains(".b = 1"), "{source}");
        }
    }

    #[test]
    fn a_program_that_reads_a_secret_is_refused() {
        let error = Program::parse(r#""Bearer " + secret.KEY"#).unwrap_err();
        assert!(error.contains("${{ secret.KEY }}"), "{error}");
        assert!(Program::parse(".secret.KEY").is_ok());
    }
}

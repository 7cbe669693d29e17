//! The words of a program of jq (jq 1.7 manual), as far as is needed to find where it ends and what
//! it names.

/// A word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `.name`
    Field(&'a str),
    /// A single `.`
    Dot,
    /// A function, a keyword, or a key of an object.
    Name(&'a str),
    /// `$name`, without the sign.
    Variable(&'a str),
    /// A string from its first quote to its last, without them; one with `\(` in it ends there, and
    /// its expressions follow in brackets.
    Text(&'a str),
    Number(&'a str),
    Sign(char),
}

#[derive(Debug)]
pub(crate) struct Scanned<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    /// Where the program ends: the length of the text, or where `}}` stands.
    pub(crate) end: usize,
}

/// What has been opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket(char),
    /// `\(` within a string.
    Within,
}

/// Cuts a program into words. In a template it ends before the `}}` that is not its own.
pub(crate) fn scan(text: &str, in_template: bool) -> Result<Scanned<'_>, String> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let from = at;
        match bytes[at] {
            b if b.is_ascii_whitespace() => at += 1,
            b'#' => {
                let line = bytes[at..].iter().position(|b| *b == b'\n');
                at += line.unwrap_or(bytes.len() - at);
            }
            b'"' => at = string(text, at + 1, &mut tokens, &mut open)?,
            b'.' => match bytes.get(at + 1) {
                Some(next) if is_start(*next) => {
                    at = name_end(bytes, at + 1);
                    tokens.push(Token::Field(&text[from + 1..at]));
                }
                Some(b'.') => {
                    at += 2;
                    tokens.push(Token::Sign('…'));
                }
                Some(next) if next.is_ascii_digit() => {
                    at = number_end(bytes, at);
                    tokens.push(Token::Number(&text[from..at]));
                }
                _ => {
                    at += 1;
                    tokens.push(Token::Dot);
                }
            },
            b'$' if bytes.get(at + 1).is_some_and(|next| is_start(*next)) => {
                at = name_end(bytes, at + 1);
                tokens.push(Token::Variable(&text[from + 1..at]));
            }
            b if is_start(b) => {
                at = name_end(bytes, at);
                while bytes[at..].starts_with(b"::")
                    && bytes.get(at + 2).is_some_and(|next| is_start(*next))
                {
                    at = name_end(bytes, at + 2);
                }
                tokens.push(Token::Name(&text[from..at]));
            }
            b if b.is_ascii_digit() => {
                at = number_end(bytes, at);
                tokens.push(Token::Number(&text[from..at]));
            }
            b'(' | b'[' | b'{' => {
                open.push(Open::Bracket(char::from(bytes[at])));
                tokens.push(Token::Sign(char::from(bytes[at])));
                at += 1;
            }
            b'}' if in_template && open.is_empty() && bytes[at..].starts_with(b"}}") => {
                return Ok(Scanned { tokens, end: at });
            }
            close @ (b')' | b']' | b'}') => {
                let close = char::from(close);
                let opened = open.pop();
                tokens.push(Token::Sign(close));
                at += 1;
                match opened {
                    Some(Open::Within) if close == ')' => {
                        at = string(text, at, &mut tokens, &mut open)?;
                    }
                    Some(Open::Bracket(bracket)) if closes(bracket) == close => {}
                    _ => {
                        return Err(format!(
                            "`{close}` closes nothing in {}",
                            around(text, from)
                        ));
                    }
                }
            }
            _ => {
                let sign = text[at..].chars().next().unwrap_or(' ');
                tokens.push(Token::Sign(sign));
                at += sign.len_utf8();
            }
        }
    }
    match open.last() {
        Some(Open::Bracket(bracket)) => Err(format!("`{bracket}` is never closed")),
        Some(Open::Within) => Err("`\\(` in a string is never closed".to_owned()),
        None if in_template => Err("`${{` is never closed by `}}`".to_owned()),
        None => Ok(Scanned {
            tokens,
            end: text.len(),
        }),
    }
}

/// Reads the text of a string that begins or goes on at `from`, up to its end or to `\(`; answers
/// where to read on.
fn string<'a>(
    text: &'a str,
    from: usize,
    tokens: &mut Vec<Token<'a>>,
    open: &mut Vec<Open>,
) -> Result<usize, String> {
    let bytes = text.as_bytes();
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                tokens.push(Token::Text(&text[from..at]));
                return Ok(at + 1);
            }
            b'\\' if bytes.get(at + 1) == Some(&b'(') => {
                tokens.push(Token::Text(&text[from..at]));
                tokens.push(Token::Sign('('));
                open.push(Open::Within);
                return Ok(at + 2);
            }
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err("A string is never closed".to_owned())
}

const fn closes(bracket: char) -> char {
    match bracket {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

const fn is_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn name_end(bytes: &[u8], from: usize) -> usize {
    let more = bytes[from..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    from + more
}

fn number_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < bytes.len() {
        let exponent = matches!(bytes[at], b'e' | b'E');
        let digit = bytes[at].is_ascii_digit() || bytes[at] == b'.';
        if !digit && !exponent {
            break;
        }
        at += 1;
        if exponent && matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
    }
    at
}

/// A short piece of the text, for a message.
fn around(text: &str, at: usize) -> String {
    let from = text.floor_char_boundary(at.saturating_sub(20));
    let to = text.ceil_char_boundary((at + 20).min(text.len()));
    format!("{:?}", &text[from..to])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_in_a_template_ends_at_the_braces_that_are_not_its_own() {
        let end = |text: &str| scan(text, true).map(|scanned| scanned.end);
        assert_eq!(end(" .a }} rest"), Ok(4));
        assert_eq!(end("{a: {b: 1}}}} rest"), Ok(11));
        assert_eq!(end(r#""}}" }}"#), Ok(5));
        assert_eq!(end(r#""x\(.a | {b: "}}"})" }}"#), Ok(21));
        assert!(end(".a }").is_err());
        assert!(end("(.a }}").is_err());
        assert!(end(r#"".a }}"#).is_err());
        assert!(end(r#""\(.a }}"#).is_err());
    }

    #[test]
    fn words_are_told_apart() {
        let tokens = |text| scan(text, false).unwrap().tokens;
        assert_eq!(
            tokens(".a.b[0] as $x | 1.5e-3 # .c"),
            [
                Token::Field("a"),
                Token::Field("b"),
                Token::Sign('['),
                Token::Number("0"),
                Token::Sign(']'),
                Token::Name("as"),
                Token::Variable("x"),
                Token::Sign('|'),
                Token::Number("1.5e-3"),
            ]
        );
        assert_eq!(
            tokens(r#""a\(.b)c""#),
            [
                Token::Text("a"),
                Token::Sign('('),
                Token::Field("b"),
                Token::Sign(')'),
                Token::Text("c"),
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_or_refused(text in ".{0,60}", in_template: bool) {
            if let Ok(scanned) = scan(&text, in_template) {
                proptest::prop_assert!(text.is_char_boundary(scanned.end));
                proptest::prop_assert_eq!(in_template, text[scanned.end..].starts_with("}}"));
            }
        }

        #[test]
        fn any_brackets_and_quotes_are_cut_or_refused(text in r#"[\\"(){}\[\].#a \n$é]{0,30}"#) {
            let _ = scan(&text, true);
            let _ = scan(&text, false);
        }
    }
}
